"""What the rooms of a buffer hold: the pool that tensors share, and the parts that belong to one of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mapsearch.model.cost import Count
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.hardware import Buffer

L1_NEEDS = (Count.L1_NEED_W, Count.L1_NEED_I, Count.L1_NEED_O)
L2_NEEDS = (Count.L2_NEED_W, Count.L2_NEED_I, Count.L2_NEED_O)


def needs_of(costs: CountedCosts, row: int, columns: Sequence[Count]) -> list[int]:
    """Bytes of W, I and O."""
    return [int(costs[column][row]) for column in columns]


def holds(buffer: Buffer, needs: Sequence[int]) -> bool:
    """Whether every room is as large as what its tensors need."""
    wanted = just(buffer, needs)
    own = zip(buffer.parts, wanted.parts, strict=True)
    return wanted.bytes <= buffer.bytes and all(part is None or need is None or need.bytes <= part.bytes for part, need in own)


def just(buffer: Buffer, needs: Sequence[int]) -> Buffer:
    """The buffer with rooms of just these needs; no part is smaller than a byte."""
    w, i, o = (part and replace(part, bytes=max(need, 1)) for part, need in zip(buffer.parts, needs, strict=True))
    return replace(buffer, bytes=sum(need for need, part in zip(needs, buffer.parts, strict=True) if part is None), parts=(w, i, o))


def less(buffer: Buffer) -> Buffer | None:
    """The buffer with a byte less in one of its rooms, or None where each has one byte at most."""
    if buffer.bytes > 1:
        return replace(buffer, bytes=buffer.bytes - 1)
    for place, part in enumerate(buffer.parts):
        if part is not None and part.bytes > 1:
            smaller = replace(part, bytes=part.bytes - 1)
            w, i, o = (smaller if place == other else own for other, own in enumerate(buffer.parts))
            return replace(buffer, parts=(w, i, o))
    return None
