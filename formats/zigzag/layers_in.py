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
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.einsums import NoLayerError, Operand, Rank, row_of, structure_of
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


class _Layer(BaseModel):
    """A layer of ZigZag's, of which other keys are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)
    id: int | str = ""
    name: str | None = None
    operator_type: str = ""
    equation: str
    dimension_relations: list[str] | None = None
    loop_dims: list[str]
    loop_sizes: list[Annotated[int, Field(ge=1, le=MAX_EXTENT)]]
    operand_precision: dict[str, int] = {}


class _File(BaseModel):
    layers: Annotated[list[_Layer], Field(min_length=1)]


_FILE = TypeAdapter(_File)


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    file = checked(_FILE, {"layers": parse_yaml(decode(data, where, "workload"), where)}, where)
    rows = [_row(f"{where}: layer {number}", layer) for number, layer in enumerate(file.layers, start=1)]
    return {"title": Path(where).stem, "source": f"{Path(where).name}, a workload of ZigZag's", "layers": named(rows)}


def _row(place: str, layer: _Layer) -> Row:
    equation = layer.equation.replace(" ", "")
    match = _EQUATION.fullmatch(equation)
    if match is None or len({match[1], match[4], match[7]}) < 3:
        raise InputError(f"{place}: equation must be of three operands, such as O[b][k]+=W[k][c]*I[b][c], got {show(equation)}")
    if len(layer.loop_dims) != len(layer.loop_sizes):
        raise InputError(
            f"{place}: loop_dims and loop_sizes must have equal lengths, got {len(layer.loop_dims)} and {len(layer.loop_sizes)}"
        )
    sizes = {dim.lower(): size for dim, size in zip(layer.loop_dims, layer.loop_sizes, strict=True)}
    relations = _relations(place, layer.dimension_relations or [])
    output, one, other = (_operand(place, match[at], sizes, relations) for at in (2, 5, 8))
    name = {"name": layer.name or f"layer{layer.id}"}
    pool = "pool" in layer.operator_type.lower() or layer.operand_precision.get("W") == 0
    if pool or match[6] == "+" or match[3] == "=":
        words = prod(sizes[dim] for rank in output for dim, _ in rank)
        return name | {"type": "POOL" if pool else "ELEMENTWISE", "operator": layer.operator_type, "outputs": words}
    weights, inputs = (one, other) if match[4] == "W" else (other, one)
    try:
        return name | row_of(structure_of(sizes, weights, inputs, output))
    except NoLayerError as error:
        raise InputError(f"{place}: no layer type expresses {show(equation)}: {error}") from None


def _relations(place: str, relations: list[str]) -> dict[str, Rank]:
    """The sums that stand for a dim of the input, by its name."""
    found: dict[str, Rank] = {}
    for each in relations:
        name, _, total = each.replace(" ", "").lower().partition("=")
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
