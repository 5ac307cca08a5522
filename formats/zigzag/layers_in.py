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
from math import prod
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.einsums import row_of
from mapsearch.formats.registry import Choices, take_no_choices
from mapsearch.formats.rows import Row, named
from mapsearch.formats.text import decode
from mapsearch.formats.yaml.plain import parse_yaml
from mapsearch.formats.zigzag.equation import read_equation
from mapsearch.model.errors import InputError
from mapsearch.model.layer import MAX_EXTENT

_MARK = re.compile(rb"^- .*\n?(?:(?:[ #].*)?\n)*?[ -] +(?:operator_type|equation) *:", re.MULTILINE)


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
    if len(layer.loop_dims) != len(layer.loop_sizes):
        raise InputError(
            f"{place}: loop_dims and loop_sizes must have equal lengths, got {len(layer.loop_dims)} and {len(layer.loop_sizes)}"
        )
    sizes = dict(zip(layer.loop_dims, layer.loop_sizes, strict=True))
    equation = read_equation(place, layer.equation, layer.dimension_relations or [], sizes)
    name = {"name": layer.name or f"layer{layer.id}"}
    pool = "pool" in layer.operator_type.lower() or layer.operand_precision.get("W") == 0
    if pool or equation.operator == "+" or equation.assignment == "=":
        words = prod(equation.sizes[dim] for rank in equation.output for dim, _ in rank)
        return name | {"type": "POOL" if pool else "ELEMENTWISE", "operator": layer.operator_type, "outputs": words}
    return name | row_of(equation.structure())
