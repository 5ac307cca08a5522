"""What ZigZag writes of a layer as `..._complete.json`: the layer, its loops in each memory, and the words that it counts."""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.model.errors import InputError, show

_LOOP = re.compile(r"\((\w+), (\d{1,10})(?:\.0)?\)")
# The loops of each memory level of an operand, innermost level and loop first.
_Loops = dict[str, list[list[Annotated[str, Field(examples=["(K, 4)"])]]]]
_OPERANDS = ("W", "I", "O")


class _Keys(BaseModel):
    """Keys that are read; others are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)


class Accesses(_Keys):
    """Words that one memory level moves for an operand: reads and writes, from and to the level below (low) and above (high)."""

    rd_out_to_low: int
    wr_in_by_low: int
    rd_out_to_high: int
    wr_in_by_high: int


class _Memory(_Keys):
    word_accesses: dict[str, list[Accesses]]


class _Outputs(_Keys):
    memory: _Memory


class ResultLayer(_Keys):
    """The layer as it stands in a result."""

    name: str
    equation: str
    equation_relations: list[str] = []
    loop_dimensions: dict[str, Annotated[int, Field(ge=1)]]


class _Inputs(_Keys):
    layer: ResultLayer
    spatial_mapping: _Loops
    temporal_mapping: _Loops


class Result(_Keys):
    """A result."""

    inputs: _Inputs
    outputs: _Outputs


_RESULT = TypeAdapter(Result)


def read_result(text: str, where: str) -> Result:
    """The result in a text; InputError, which begins with `where`, where there is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: must be JSON, as ZigZag writes it: {' '.join(str(error).split())}") from None
    found = checked(_RESULT, data, where)
    for name, operands in (
        ("outputs.memory.word_accesses", found.outputs.memory.word_accesses),
        ("inputs.spatial_mapping", found.inputs.spatial_mapping),
        ("inputs.temporal_mapping", found.inputs.temporal_mapping),
    ):
        if sorted(operands) != sorted(_OPERANDS):
            raise InputError(f"{where}: {name} must have the operands {', '.join(_OPERANDS)}, got {show(sorted(operands))}")
    return found


def loops_of(levels: list[list[str]], where: str) -> list[list[tuple[str, int]]]:
    """The loops of each level as dims and sizes; InputError, which begins with `where`, where one is none."""
    return [[_loop(each, where) for each in level] for level in levels]


def _loop(text: str, where: str) -> tuple[str, int]:
    match = _LOOP.fullmatch(text)
    if match is None:
        raise InputError(f"{where}: a loop must be such as (K, 4), got {show(text)}")
    return match[1], int(match[2])
