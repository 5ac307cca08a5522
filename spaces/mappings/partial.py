"""Partly chosen mappings as arrays.

What is still open is a size of 0, whose loop will stand inside those chosen, the place there of the loop of a dim that is shared
out, whose size is negative, and a level of 0 units (see `BoundedModel`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined
from mapsearch.model.mapping import DIMS, MappingBatch, join_all
from mapsearch.model.records import Ints
from mapsearch.spaces.mappings.space_record import SpaceRecord

Bytes = NDArray[np.int8]

# Instead of a dim: nothing is shared out.
NOTHING = -1


class PartialMapping(NamedTuple):
    """One partly chosen mapping."""

    units: Ints
    spatial: Bytes
    order: Bytes
    size: Ints


class PartialArrays(NamedTuple):
    """The arrays of a `Partial` as kernels take them; chosen: its batch's units."""

    units: Ints
    level: Bytes
    placed: Bytes
    chosen: Ints
    spatial: Bytes
    order: Bytes
    size: Ints


@dataclass(frozen=True, slots=True)
class Partial:
    """B partly chosen mappings.

    batch: what is chosen; `spatial` is NOTHING where no dim is shared out and the level is not whole. units: int64[B, L], of each
    level, also of those that are open. level: int8[B], the one being chosen, -1 before the first. placed: int8[B], its loops that
    are chosen, the first of its order; below 0 once the last Cluster has become smaller, before the last level is begun.
    """

    batch: MappingBatch
    units: Ints
    level: Bytes
    placed: Bytes

    def __len__(self) -> int:
        return len(self.level)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Partial:
        return Partial(self.batch[rows], self.units[rows], self.level[rows], self.placed[rows])

    @classmethod
    def of_levels(cls, count: int, levels: int) -> Partial:
        """Arrays for so many mappings, with nothing written to them."""
        shape, each = (count, levels), (count, levels, DIMS)
        batch = MappingBatch(np.empty(shape, np.int64), np.empty(shape, np.int8), np.empty(each, np.int8), np.empty(each, np.int64))
        return cls(batch, np.empty(shape, np.int64), np.empty(count, np.int8), np.empty(count, np.int8))

    @property
    def arrays(self) -> PartialArrays:
        """For kernels."""
        return PartialArrays(self.units, self.level, self.placed, *self.batch.arrays)


def join_parts(parts: Sequence[Partial]) -> Partial:
    """The mappings of all of them, of which there is one at least."""
    batch = join_all([each.batch for each in parts])
    units, level, placed = ([getattr(each, name) for each in parts] for name in ("units", "level", "placed"))
    return Partial(batch, np.concatenate(units), np.concatenate(level), np.concatenate(placed))


@inlined
def tile_at(s: SpaceRecord, size: Ints, level: int, dim: int) -> int:
    """The size of a dim's tile that a level divides up; size: [levels, 8]."""
    return int(s.extents[dim] if level == 0 else size[level - 1, dim])
