"""ZigZag's workload files: a list of layers, each an einsum.

    - id: 0
      operator_type: Conv
      equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]
      dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
      loop_dims: [B, K, C, OY, OX, FY, FX]
      loop_sizes: [1, 64, 3, 112, 112, 7, 7]
      operand_precision: {W: 8, I: 8, O: 16, O_final: 8}

Layers without weights (a precision of W of 0), such as pooling, and those whose operands are not multiplied are listed, not mapped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, cast

from mapsearch.formats.einsums import NoLayerError, Operand, Rank, row_of
from mapsearch.formats.registry import Choices, take_no_choices
from mapsearch.formats.rows import Row, named
from mapsearch.formats.text import decode
from mapsearch.formats.yaml.plain import parse_yaml
from mapsearch.model.errors import InputError, show
from mapsearch.model.layer import MAX_EXTENT

_MARK = re.compile(rb"^- .*\n?(?:(?:[ #].*)?\n)*?[ -] +(?:operator_type|equation) *:", re.MULTILINE)
_OPERAND = r"(\w+)((?:\[\w+\])+)"
_EQUATION = re.compile(rf"{_OPERAND}(\+?=){_OPERAND}([*+]){_OPERAND}")
_TERM = re.compile(r"(?:(\d{1,9})\*)?([a-z]\w*)")


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the content tells
    """Whether the text is a list whose items have an operator_type or an equation."""
    return _MARK.search(data) is not None


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    layers = parse_yaml(decode(data, where, "workload"), where)
    if not isinstance(layers, list) or not layers:
        raise InputError(f"{where}: a workload must be a list of layers, got {show(layers)}")
    rows = [_row(f"{where}: layer {number}", each) for number, each in enumerate(cast("list[object]", layers), start=1)]
    return {"title": Path(where).stem, "source": f"{Path(where).name}, a workload of ZigZag's", "layers": named(rows)}


def _row(place: str, layer: object) -> Row:
    if not isinstance(layer, Mapping):
        raise InputError(f"{place}: must be a mapping of keys, got {show(layer)}")
    keys = cast("Mapping[str, Any]", layer)
    name = {"name": str(keys.get("name", f"layer{keys.get('id', '')}"))}
    text = str(keys.get("equation", "")).replace(" ", "")
    match = _EQUATION.fullmatch(text)
    if match is None:
        raise InputError(f"{place}: equation must be such as O[b][k]+=W[k][c]*I[b][c], got {show(text)}")
    sizes = _sizes(place, keys)
    relations = _relations(place, keys)
    operands = {match[at]: _operand(place, match[at + 1], sizes, relations) for at in (1, 4, 7)}
    output, inputs = operands.pop(match[1]), operands
    if len(inputs) != 2:
        raise InputError(f"{place}: equation must have three operands of different names, got {show(text)}")
    kind = str(keys.get("operator_type", ""))
    precision = keys.get("operand_precision")
    no_weights = isinstance(precision, Mapping) and cast("Mapping[str, Any]", precision).get("W") == 0
    if no_weights or "pool" in kind.lower() or match[6] == "+" or match[3] == "=":
        type_ = "POOL" if no_weights or "pool" in kind.lower() else "ELEMENTWISE"
        words = prod(sizes[dim] for rank in output for dim, _ in rank)
        return name | {"type": type_, "operator": kind, "outputs": words}
    weights = inputs.pop("W", None) or inputs.pop(match[7])
    try:
        return name | row_of(sizes, weights, *inputs.values(), output)
    except NoLayerError as error:
        raise InputError(f"{place}: no layer type expresses {show(text)}: {error}") from None


def _sizes(place: str, keys: Mapping[str, Any]) -> dict[str, int]:
    dims, sizes = keys.get("loop_dims"), keys.get("loop_sizes")
    if not isinstance(dims, list) or not isinstance(sizes, list) or len(cast("list[Any]", dims)) != len(cast("list[Any]", sizes)):
        raise InputError(f"{place}: loop_dims and loop_sizes must be lists of equal length, got {show(dims)} and {show(sizes)}")
    for size in cast("list[Any]", sizes):
        if type(size) is not int or not 1 <= size <= MAX_EXTENT:
            raise InputError(f"{place}: loop_sizes must be whole numbers from 1 to {MAX_EXTENT}, got {show(size)}")
    return dict(zip((str(dim).lower() for dim in cast("list[Any]", dims)), cast("list[int]", sizes), strict=True))


def _relations(place: str, keys: Mapping[str, Any]) -> dict[str, Rank]:
    """The sums that stand for a dim of the input, by its name."""
    found: dict[str, Rank] = {}
    for each in keys.get("dimension_relations") or []:
        name, _, total = str(each).replace(" ", "").lower().partition("=")
        terms = [_TERM.fullmatch(part) for part in total.split("+")]
        if not name or None in terms:
            raise InputError(f"{place}: a dimension relation must be such as ix=2*ox+1*fx, got {show(each)}")
        found[name] = [(match[2], int(match[1] or 1)) for match in terms if match is not None]
    return found


def _operand(place: str, text: str, sizes: Mapping[str, int], relations: Mapping[str, Rank]) -> Operand:
    ranks = [relations.get(dim, [(dim, 1)]) for dim in re.findall(r"\w+", text.lower())]
    for dim in (dim for rank in ranks for dim, _ in rank):
        if dim not in sizes:
            raise InputError(f"{place}: dim {show(dim)} must have a size in loop_dims and loop_sizes")
    return ranks
