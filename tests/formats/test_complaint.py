"""What is wrong with plain data, as one line: where, the law, the value, what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as checked_dataclass

from mapsearch.formats.complaint import checked
from mapsearch.model.errors import InputError

_EXACT = ConfigDict(extra="forbid")


@checked_dataclass(frozen=True, config=_EXACT)
class Point:
    """A point of a layer."""

    cycles: Annotated[int, Field(ge=1)]
    energy_pj: float


@checked_dataclass(frozen=True, config=_EXACT)
class Row:
    """A layer."""

    name: str
    front: list[Point]
    kind: Literal["own", "shared"] = "own"
    proof: Point | None = None
    size: Annotated[int, Field(le=9)] | Literal["whole"] | Annotated[list[int], Field(min_length=1)] | Point = 1


@dataclass(frozen=True)
class Results:
    """A file."""

    layers: list[Row]


RESULTS = TypeAdapter(Results)
POINT = {"cycles": 3, "energy_pj": 4.0}


def _row(**changes: object) -> dict[str, object]:
    return {"name": "b", "front": [POINT], **changes}


def test_what_is_right_is_taken() -> None:
    """Data that keep all laws become the dataclass."""
    point = Point(3, 4.0)
    assert checked(RESULTS, {"layers": [_row(size=POINT, proof=None)]}, "file") == Results([Row("b", [point], size=point)])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"name": "b"}, "front is missing; needed are name, front"),
        (_row(fronts=[]), "unknown key fronts; did you mean front?; the keys are name, front, kind, proof, size"),
        (_row(front=[POINT, {"cycles": 0, "energy_pj": 1.0}]), "front.1.cycles must be >= 1, got 0"),
        (_row(front=[POINT, 5]), "front.1 must be a mapping with the keys cycles, energy_pj, got 5"),
        (
            _row(proof={"cycle": 1, "energy_pj": 1.0}),
            "unknown key proof.cycle; did you mean cycles?; the keys are cycles, energy_pj",
        ),
        (_row(proof=5), "proof must be a mapping with the keys cycles, energy_pj, got 5"),
        (_row(kind="shard"), "kind must be 'own' or 'shared', got 'shard'; did you mean shared?"),
        (_row(size=10), "size must be <= 9, got 10"),
        (_row(size=[]), "size must have at least one item, got []"),
        (_row(size=["x"]), "size.0 must be a whole number, got 'x'"),
        (_row(size={"cycles": 1}), "size.energy_pj is missing; needed are cycles, energy_pj"),
        (
            _row(size="hole"),
            "size must be a whole number, 'whole', a list or a mapping with the keys cycles, energy_pj, got 'hole'; did you mean",
        ),
        (_row(**{"x\ny" * 100: 1}), "unknown key 'x\\nyx\\nyx"),
    ],
)
def test_what_is_wrong_is_one_line(row: dict[str, object], message: str) -> None:
    """The line has the row with its name, the key, the law and the value; long ones are shortened."""
    with pytest.raises(InputError) as caught:
        checked(RESULTS, {"layers": [_row(), row]}, "file")
    assert str(caught.value).startswith(f"file: layer 2 (b): {message}")
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


def test_rows_that_are_none() -> None:
    """A row that is no mapping has a number alone, and a list that is none its key."""
    for data, message in (
        ({"layers": [5]}, "file: layer 1: must be a mapping with the keys name, front, kind, proof, size, got 5"),
        ({"layers": 5}, "file: layers must be a list, got 5"),
    ):
        with pytest.raises(InputError) as caught:
            checked(RESULTS, data, "file")
        assert str(caught.value) == message
