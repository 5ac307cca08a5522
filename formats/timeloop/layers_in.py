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
from typing import Any, cast

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
_BUILT_IN: Mapping[str, Any] = {
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


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the content tells
    """Whether a line of the text begins with `problem:`."""
    return _PROBLEM.search(data) is not None


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    problem = parse_mapping(decode(data, where, "problem"), where, "problem: {...}").get("problem")
    name = Path(where).stem
    row = {"name": name} | _row(where, _mapping(where, "problem", problem))
    return {"title": name, "source": f"{Path(where).name}, a problem of Timeloop's", "layers": named([row])}


def _row(where: str, problem: Mapping[str, Any]) -> Row:
    shape = problem.get("shape", "cnn-layer")
    shape = _BUILT_IN if shape in ("cnn-layer", "cnn_layer") else _mapping(where, "problem.shape", shape)
    instance = problem.get("instance")
    sizes = _mapping(where, "problem.instance", instance) if instance is not None else problem
    dims = _list(where, "problem.shape.dimensions", shape.get("dimensions"))
    extents = {str(dim): _size(where, str(dim), sizes.get(dim)) for dim in dims}
    factors: dict[str, int] = {}
    for each in _list(where, "problem.shape.coefficients", shape.get("coefficients", [])):
        keys = _mapping(where, "a coefficient", each)
        factors[str(keys.get("name"))] = _size(where, str(keys.get("name")), sizes.get(keys.get("name"), keys.get("default")))
    written, read = _spaces(where, shape, extents, factors)
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


def _spaces(
    where: str, shape: Mapping[str, Any], extents: Mapping[str, int], factors: Mapping[str, int]
) -> tuple[list[Operand], list[tuple[str, Operand]]]:
    """The data spaces that are written, and those that are only read, with their names."""
    written: list[Operand] = []
    read: list[tuple[str, Operand]] = []
    for each in _list(where, "problem.shape.data_spaces", shape.get("data_spaces", shape.get("data-spaces"))):
        space = _mapping(where, "a data space", each)
        name = str(space.get("name"))
        ranks = _list(where, f"the projection of {show(name)}", space.get("projection"))
        operand = [
            [_term(where, name, term, extents, factors) for term in _list(where, f"a rank of {show(name)}", rank)] for rank in ranks
        ]
        if space.get("read_write", space.get("read-write", False)):
            written.append(operand)
        else:
            read.append((name, operand))
    return written, read


def _term(where: str, name: str, term: object, extents: Mapping[str, int], factors: Mapping[str, int]) -> tuple[str, int]:
    """A dim, times a coefficient where the term has two words."""
    match term:
        case [str() as dim] if dim in extents:
            return dim, 1
        case [str() as dim, str() as factor] if dim in extents and factor in factors:
            return dim, factors[factor]
        case _:
            raise InputError(f"{where}: a term of {show(name)} must be [dim] or [dim, coefficient], got {show(term)}")


def _size(where: str, name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_EXTENT:
        raise InputError(f"{where}: problem: {show(name)} must be a whole number from 1 to {MAX_EXTENT}, got {show(value)}")
    return value


def _mapping(where: str, what: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: {what} must be a mapping, got {show(value)}")
    return cast("Mapping[str, Any]", value)


def _list(where: str, what: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{where}: {what} must be a list, got {show(value)}")
    return cast("list[Any]", value)
