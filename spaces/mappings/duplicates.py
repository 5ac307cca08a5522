"""Choices of a partly chosen mapping that only lead to mappings which cost the same as others of the space.

**Units of two levels.** Let a level share out a dim that the level above shares out too or hands on whole, in chunks that divide
its tile, so that its loop does not iterate. Each PE then has the same chunks in the same steps as if the level above shared the dim
out over the units of both. So a Cluster of one unit does as well, if the space has it and the chunk.

**Units without work.** Where level 0 shares out a dim over fewer units than it has, each size of the last Cluster for which it has
enough gives the same mapping, as long as the last level's units have the same chunks too. So the largest of these sizes stands for
all until the last level is begun. It then becomes 1 if nothing is shared out, smaller for a loop that iterates over fewer units, or
stays.

**Rows and columns.** Where the two are alike in all that costs and choices depend on, a mapping costs the same with Y' and X', and
R and S, exchanged. So the first choice that names one of the four names Y' or R.
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.partial import PartialMapping, tile_at
from mapsearch.spaces.mappings.space_record import CompiledSpace, SpaceRecord
from mapsearch.spaces.mappings.tiles import fills_rounds, permitted_at


@inlined
def mirrored_dims(s: SpaceRecord, m: PartialMapping, level: int, placed: int) -> int:
    """The dims of columns, as bits, where nothing chosen so far tells them from rows, so that one of rows may come first."""
    if not s.mirrored:
        return 0
    for dim in (Dim.R, Dim.S, Dim.Y, Dim.X):
        for above in range(level):
            if m.size[above, dim] != s.extents[dim]:
                return 0
        if m.spatial[level] == dim and m.size[level, dim] < 0:
            return 0
        for place in range(placed):
            if m.order[level, place] == dim:
                return 0
    return 1 << Dim.S | 1 << Dim.X


@inlined
def may_be(space: CompiledSpace, s: SpaceRecord, level: int, size: int) -> bool:
    """Whether the Cluster above a level may have a size, whatever the others have."""
    for place in range(s.n_clusters[level]):  # noqa: SIM110 numba compiles no generator
        if space.clusters[level, place] == size:
            return True
    return False


@inlined
def may_be_larger(space: CompiledSpace, s: SpaceRecord, m: PartialMapping, parts: int) -> bool:
    """Whether level 0 would have so many units with a larger last Cluster too."""
    last = len(m.units) - 1
    if last == 0 or not s.fuses:
        return False
    outer = 1
    for level in range(1, last):
        outer *= m.units[level]
    for place in range(s.n_clusters[last]):
        size = space.clusters[last, place]
        if size > m.units[last] and s.sides[0] // (outer * size) >= parts:
            return True
    return False


@inlined
def may_be_smaller(s: SpaceRecord, m: PartialMapping, level: int) -> bool:
    """Whether the last Cluster may yet become smaller: at the last level, where level 0 has units without work."""
    if level == 0 or level != len(m.units) - 1 or not s.fuses:
        return False
    shared = int(m.spatial[0])
    return bool(m.units[0] > 1 and m.size[0, shared] < s.extents[shared] <= m.size[0, shared] * m.units[0])


@inlined
def is_of_level_above(space: CompiledSpace, s: SpaceRecord, m: PartialMapping, level: int, dim: int, chunk: int) -> bool:
    """Whether a level need not share out a dim in chunks, as the level above may do so for it: with the units of both, and 1 here.

    Each PE then has the same chunk in each step as before.
    """
    above = level - 1
    tile = tile_at(s, m.size, level, dim)
    if above < 0 or not s.fuses or tile % chunk != 0 or tile > chunk * m.units[level] or not s.shared[above] >> dim & 1:
        return False
    whole, shared, parts = tile_at(s, m.size, above, dim), int(m.spatial[above]), tile // chunk
    if m.units[above] > 1 and m.size[above, shared] < tile_at(s, m.size, above, shared):
        if shared != dim:
            return False
        parts *= min(m.units[above], (whole + tile - 1) // tile)
    units = m.units[above] * m.units[level]
    if above == 0:
        units = s.sides[0]
        for inner in range(level + 1, len(m.units)):
            units //= m.units[inner]
    if parts * chunk < whole and (parts != units or (s.even and not fills_rounds(whole, chunk, units))):
        return False  # the loop above iterates, and would not as before, or not as the space asks
    is_permitted = permitted_at(s, space.listed, above, dim, whole, chunk) == chunk
    return bool(is_permitted and may_be(space, s, level, 1) and (above == 0 or may_be(space, s, above, units)))
