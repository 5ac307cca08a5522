"""Timeloop's problem files: one layer each, an einsum whose dims have any names; a folder of them is a network.

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
from pathlib import Path
from typing import Annotated, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.einsums import NoLayerError, Operand, row_of
from mapsearch.formats.registry import Choices, take_no_choices
from mapsearch.formats.rows import Row, named
from mapsearch.formats.text import decode
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, show
from mapsearch.model.layer import MAX_EXTENT

_PROBLEM = re.compile(rb"^(problem|\"problem\")\s*:", re.MULTILINE)
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


class _Keys(BaseModel):
    """A mapping of Timeloop's, of which other keys are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Coefficient(_Keys):
    name: str
    default: int = 1


class _Space(_Keys):
    name: str
    projection: list[list[list[str]]]
    written: Annotated[bool, Field(validation_alias=AliasChoices("read_write", "read-write"))] = False


class _Shape(_Keys):
    dimensions: list[str]
    coefficients: list[_Coefficient] = []
    spaces: Annotated[list[_Space], Field(validation_alias=AliasChoices("data_spaces", "data-spaces"))]


class _Problem(_Keys):
    shape: _Shape
    instance: dict[str, object] | None = None


class _File(_Keys):
    problem: _Problem


_FILE = TypeAdapter(_File)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the content tells
    """Whether a line of the text begins with `problem:`."""
    return _PROBLEM.search(data) is not None


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    keys = parse_mapping(decode(data, where, "problem"), where, "problem: {...}")
    problem = keys.get("problem")
    if not isinstance(problem, dict):
        raise InputError(f"{where}: problem must be a mapping with the keys shape and instance, got {show(problem)}")
    sizes = cast("dict[str, object]", problem)
    if sizes.get("shape", "cnn-layer") in ("cnn-layer", "cnn_layer"):
        sizes = sizes | {"shape": _BUILT_IN}
    file = checked(_FILE, {"problem": sizes}, where)
    row = _row(where, file.problem.shape, sizes if file.problem.instance is None else file.problem.instance)
    name = Path(where).stem
    return {"title": name, "source": f"{Path(where).name}, a problem of Timeloop's", "layers": named([{"name": name} | row])}


def _row(where: str, shape: _Shape, sizes: Mapping[str, object]) -> Row:
    extents = {dim: _size(where, dim, sizes.get(dim)) for dim in shape.dimensions}
    factors = {each.name: _size(where, each.name, sizes.get(each.name, each.default)) for each in shape.coefficients}
    operands = [_operand(where, space, extents, factors) for space in shape.spaces]
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
        return row_of(extents, weights, inputs, written[0])
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
