"""A workload of AccelForge's: one einsum, whose dims have any names.

    workload:
      iteration_space_shape: {m: 0 <= m < 64, n: 0 <= n < 48, k: 0 <= k < 96}
      einsums:
      - name: product
        tensor_accesses:
        - {name: A, projection: [m, k]}
        - {name: B, projection: {K: k, N: n}}
        - {name: C, projection: [m, n], output: True}

Sizes may also be those of ranks, `rank_sizes: {M: 64, ...}`, where a rank of a list is the dim's name in capitals. Of two operands
without sums the first is the input, unless its name says weight, filter or kernel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.einsums import NoLayerError, Operand, Structure, structure_of
from mapsearch.model.errors import InputError, short, show
from mapsearch.model.layer import MAX_EXTENT

_WEIGHTS = re.compile(r"weight|filter|kernel", re.IGNORECASE)
_RANGE = re.compile(r"0\s*<=\s*(\w+)\s*<\s*(\d{1,10})")
_TERM = re.compile(r"(?:(\d{1,9})\s*\*\s*)?([A-Za-z_]\w*)(?:\s*\*\s*(\d{1,9}))?")
_Size = Annotated[int, Field(ge=1, le=MAX_EXTENT)]


class _Keys(BaseModel):
    """Keys that are read; others are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Access(_Keys):
    name: str
    projection: list[str] | dict[str, str]
    output: bool = False

    @property
    def ranks(self) -> dict[str, str]:
        """The sums of dims of the ranks, by the ranks' names."""
        if isinstance(self.projection, dict):
            return self.projection
        return {dim.upper(): dim for dim in self.projection}


class _Einsum(_Keys):
    name: str
    tensor_accesses: Annotated[list[_Access], Field(min_length=3, max_length=3)]


class _Workload(_Keys):
    iteration_space_shape: dict[str, str] = {}
    rank_sizes: dict[str, _Size] = {}
    einsums: Annotated[list[_Einsum], Field(min_length=1, max_length=1)]


_WORKLOAD = TypeAdapter(_Workload)


def read_workload(data: object, where: str) -> Structure:
    """The structure of the einsum, with the sizes of its dims; InputError, which begins with `where`, where no layer has it."""
    workload = checked(_WORKLOAD, data, where)
    [einsum] = workload.einsums
    place = f"{where}: einsum {short(einsum.name)}"
    operands = {access.name: _operand(access, place) for access in einsum.tensor_accesses}
    outputs = [access.name for access in einsum.tensor_accesses if access.output]
    if len(operands) != len(einsum.tensor_accesses) or len(outputs) != 1:
        raise InputError(
            f"{place}: must have three tensors of different names, one of them with output: True, got {show(list(operands))}"
        )
    one, other = (name for name in operands if name != outputs[0])
    weights, inputs = (one, other) if _WEIGHTS.search(one) else (other, one)
    sizes = _sizes(workload, einsum, operands, place)
    try:
        return structure_of(sizes, operands[weights], operands[inputs], operands[outputs[0]])
    except NoLayerError as error:
        raise InputError(f"{place}: no layer type expresses it: {error}") from None


def _operand(access: _Access, place: str) -> Operand:
    found: list[list[tuple[str, int]]] = []
    for text in access.ranks.values():
        terms = [_TERM.fullmatch(term.strip()) for term in text.split("+")]
        if None in terms:
            raise InputError(f"{place}: {short(access.name)}: a rank must be a sum of dims such as 2*p + r, got {show(text)}")
        found.append([(match[2], int(match[1] or match[3] or 1)) for match in terms if match is not None])
    return found


def _sizes(workload: _Workload, einsum: _Einsum, operands: Mapping[str, Operand], place: str) -> dict[str, int]:
    """The sizes of the dims: their own or, where a rank is a dim alone, the rank's."""
    sizes: dict[str, int] = {}
    for access in einsum.tensor_accesses:
        for rank, dim in access.ranks.items():
            if rank in workload.rank_sizes:
                sizes[dim] = workload.rank_sizes[rank]
    for dim, text in workload.iteration_space_shape.items():
        match = _RANGE.fullmatch(text.strip())
        if match is None or match[1] != dim or not 1 <= int(match[2]) <= MAX_EXTENT:
            raise InputError(f"{place}: the shape of {short(dim)} must be such as 0 <= {short(dim)} < 64, got {show(text)}")
        sizes[dim] = int(match[2])
    dims = list(dict.fromkeys(dim for operand in operands.values() for rank in operand for dim, _ in rank))
    missing = [dim for dim in dims if dim not in sizes]
    if missing:
        raise InputError(f"{place}: dim {short(missing[0])} must have a size in iteration_space_shape or rank_sizes")
    return {dim: sizes[dim] for dim in dims}
