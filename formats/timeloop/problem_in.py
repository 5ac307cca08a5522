"""A problem of Timeloop's: one layer as an einsum, whose dims have any names.

    problem:
      shape:
        name: cnn
        dimensions: [C, K, R, S, P, Q, N]
        coefficients: [{name: Wstride, default: 1}]
        data_spaces:
          - {name: Inputs, projection: [[[N]], [[C]], [[R], [P, Wstride]], [[S], [Q]]]}
          - ...
      instance: {C: 3, K: 64, R: 7, S: 7, P: 112, Q: 112, N: 1, Wstride: 2}

The sizes may stand in `problem` itself. Of the sums in the input's ranks the first is the rows, the second the columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.einsums import NoLayerError, Operand, Structure, structure_of
from mapsearch.model.errors import InputError, show
from mapsearch.model.layer import MAX_EXTENT

_WEIGHTS = re.compile(r"weight|filter|kernel", re.IGNORECASE)
# The shape that Timeloop knows by name; P and R go with the width there.
_BUILT_IN: dict[str, object] = {
    "dimensions": ["R", "S", "P", "Q", "C", "K", "N"],
    "coefficients": [{"name": f"{axis}{word}", "default": 1} for axis in "WH" for word in ("stride", "dilation")],
    "data_spaces": [
        {"name": "Weights", "projection": [[["C"]], [["K"]], [["R"]], [["S"]]]},
        {
            "name": "Inputs",
            "projection": [[["N"]], [["C"]], [["R", "Wdilation"], ["P", "Wstride"]], [["S", "Hdilation"], ["Q", "Hstride"]]],
        },
        {"name": "Outputs", "projection": [[["N"]], [["K"]], [["Q"]], [["P"]]], "read_write": True},
    ],
}


class Keys(BaseModel):
    """A mapping of Timeloop's, of which other keys are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Coefficient(Keys):
    name: str
    default: int = 1


class _Space(Keys):
    name: str
    projection: list[list[list[str]]]
    written: Annotated[bool, Field(validation_alias=AliasChoices("read_write", "read-write"))] = False


class _Shape(Keys):
    name: str = ""
    dimensions: list[str]
    coefficients: list[_Coefficient] = []
    spaces: Annotated[list[_Space], Field(validation_alias=AliasChoices("data_spaces", "data-spaces"))]


class _Problem(Keys):
    shape: _Shape
    instance: dict[str, object] | None = None


class _File(Keys):
    problem: _Problem


_FILE = TypeAdapter(_File)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem: what its shape is called, the sizes of its dims, and how they stand in its operands."""

    shape: str
    sizes: dict[str, int]
    structure: Structure


def read_problem(keys: Mapping[str, object], where: str) -> Problem:
    """The problem in a file's keys; InputError, which begins with `where`, where there is none, or no layer type expresses it."""
    problem = keys.get("problem")
    if not isinstance(problem, dict):
        raise InputError(f"{where}: problem must be a mapping with the keys shape and instance, got {show(problem)}")
    found = cast("dict[str, object]", problem)
    if found.get("shape", "cnn-layer") in ("cnn-layer", "cnn_layer"):
        found = found | {"shape": _BUILT_IN}
    file = checked(_FILE, {"problem": found}, where)
    shape, given = file.problem.shape, found if file.problem.instance is None else file.problem.instance
    sizes = {dim: _size(where, dim, given.get(dim)) for dim in shape.dimensions}
    factors = {each.name: _size(where, each.name, given.get(each.name, each.default)) for each in shape.coefficients}
    return Problem(shape.name, sizes, _structure(where, shape, sizes, factors))


def _structure(where: str, shape: _Shape, sizes: Mapping[str, int], factors: Mapping[str, int]) -> Structure:
    operands = [_operand(where, space, sizes, factors) for space in shape.spaces]
    written = [operand for space, operand in zip(shape.spaces, operands, strict=True) if space.written]
    read = [(space.name, operand) for space, operand in zip(shape.spaces, operands, strict=True) if not space.written]
    if len(written) != 1 or len(read) != 2:
        raise InputError(
            f"{where}: a problem must have two data spaces that are read and one that is read_write, "
            f"got {len(read)} and {len(written)}"
        )
    (first, a), (_, b) = read
    weights, inputs = (a, b) if _WEIGHTS.search(first) else (b, a)
    try:
        return structure_of(sizes, weights, inputs, written[0])
    except NoLayerError as error:
        raise InputError(f"{where}: no layer type expresses the problem: {error}") from None


def _operand(where: str, space: _Space, extents: Mapping[str, int], factors: Mapping[str, int]) -> Operand:
    return [[_term(where, space.name, term, extents, factors) for term in rank] for rank in space.projection]


def _term(where: str, name: str, term: list[str], extents: Mapping[str, int], factors: Mapping[str, int]) -> tuple[str, int]:
    """A dim, times a coefficient where the term has two words."""
    match term:
        case [dim] if dim in extents:
            return dim, 1
        case [dim, factor] if dim in extents and factor in factors:
            return dim, factors[factor]
        case _:
            raise InputError(f"{where}: a term of {show(name)} must be [dim] or [dim, coefficient], got {show(term)}")


def _size(where: str, name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_EXTENT:
        raise InputError(f"{where}: problem: {show(name)} must be a whole number from 1 to {MAX_EXTENT}, got {show(value)}")
    return value
