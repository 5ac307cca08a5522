"""Mappings made from others by small changes: what a population search needs, one mapping at a time, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel
from mapsearch.model.mapping import MappingArrays
from mapsearch.model.records import Ints
from mapsearch.spaces.mappings.space_record import SPACE, CompiledSpace, SpaceRecord
from mapsearch.spaces.mappings.tiles import draw_size, settle

Bytes = NDArray[np.int8]

# How a structure may change; reordering loops is twice as likely as each other.
SHARE, RESIZE, MOVES = 2, 3, 4


@kernel
def _cross(child: Ints, other: Ints, rng: np.random.Generator) -> None:
    """Take the sizes of each dim, at all levels, from the other parent half of the time."""
    for dim in range(8):
        if rng.random() < 0.5:
            for level in range(child.shape[0]):
                child[level, dim] = other[level, dim]


@kernel
def _cross_structure(child: MappingArrays, b: int, parents: MappingArrays, other: int, rng: np.random.Generator) -> None:
    """Take one level's loop order or, half of the time, all Clusters and spatial dims from the other parent."""
    levels = int(child.units.shape[1])
    if rng.random() < 0.5:
        held = rng.integers(0, levels)
        for dim in range(8):
            child.order[b, held, dim] = parents.order[other, held, dim]
    else:
        for level in range(levels):
            child.units[b, level], child.spatial[b, level] = parents.units[other, level], parents.spatial[other, level]


@inlined
def _beside(s: SpaceRecord, units: Ints) -> int:
    """The most units that fit beside those of levels 1 and further in (see `outer_units`)."""
    most = 0
    for choice in range(1 << len(units) - 1):
        rows, columns = s.sides[0], s.sides[1]
        for level in range(1, len(units)):
            if choice >> level - 1 & 1:
                columns //= units[level]
            else:
                rows //= units[level]
        if rows > 0 and columns > 0:
            most = max(most, rows, columns)
    return int(most)


@inlined
def _are_in_use(s: SpaceRecord, units: Ints) -> bool:
    """Whether PEs that form these units are all in use, where they must be."""
    members = 1
    for each in units:
        members *= each
    return bool(not s.dividing or members == s.sides[0] * s.sides[1])


@kernel
def _exchange_levels(s: SpaceRecord, units: Ints, spatial: Bytes, order: Bytes, size: Ints, rng: np.random.Generator) -> None:
    """Exchange a level with the one below: units (level 0 has what they leave), spatial dims, loops and trip counts."""
    low = rng.integers(1, len(units))
    high = low - 1
    spatial[high], spatial[low] = spatial[low], spatial[high]
    units[high], units[low] = units[low], units[high]
    units[0] = _beside(s, units)
    for dim in range(8):
        order[high, dim], order[low, dim] = order[low, dim], order[high, dim]
        tile = s.extents[dim] if high == 0 else size[high - 1, dim]
        size[high, dim] = (tile * size[low, dim] + size[high, dim] - 1) // size[high, dim]


@kernel
def _change_sizes(s: SpaceRecord, size: Ints, rng: np.random.Generator) -> None:
    """Change one to three sizes that are not fixed.

    To a new draw, the next trip count either way, half, double, the whole tile, or two to four times as much with another
    dim's so much less.
    """
    for _ in range(rng.integers(1, 4)):
        level = rng.integers(0, len(size))
        dim = rng.integers(0, 8)
        for _ in range(8):
            if min(s.least[level, dim], s.extents[dim]) < min(s.most[level, dim], s.extents[dim]):
                break
            dim = (dim + 1) % 8
        tile = s.extents[dim] if level == 0 else size[level - 1, dim]
        old = size[level, dim]
        move = rng.integers(0, 8)
        if move == 0 and tile > 1:
            size[level, dim] = draw_size(s, int(level), int(dim), tile, rng)
        elif move in (1, 2):
            trips = (tile + old - 1) // old + (1 if move == 1 else -1)
            size[level, dim] = (tile + trips - 1) // trips if trips >= 1 else tile
        elif move == 3:
            size[level, dim] = max(1, old // 2)
        elif move <= 5:
            size[level, dim] = old * 2 if move == 4 else tile
        else:
            other = rng.integers(0, 8)
            factor = rng.integers(2, 5)
            size[level, dim] = old * factor
            size[level, other] = max(1, size[level, other] // factor)


@inlined
def _move_loop(order: Bytes, source: np.int64, target: np.int64, inside: Ints) -> None:
    """Move a loop to another's place, or as far as it may go; inside: [8], those that must stay inside each, as bits."""
    dim = order[source]
    step = 1 if target > source else -1
    while source != target:
        other = order[source + step]
        outer, inner = (dim, other) if step > 0 else (other, dim)
        if inside[outer] >> inner & 1:
            break
        order[source], order[source + step] = other, dim
        source += step


@inlined
def _resize_cluster(s: SpaceRecord, sizes: Ints, at: np.int64, units: Ints, level: np.int64) -> None:
    """Give the Cluster above a level the size sizes[at], or the next before it that has enough PEs; level 0 gives or takes."""
    before, units[level] = units[level], 1
    left = _beside(s, units)
    while at >= 0:
        if sizes[at] <= left:
            units[level] = sizes[at]
            units[0] = _beside(s, units)
            if _are_in_use(s, units):
                return
        at -= 1
    units[level] = before
    units[0] = _beside(s, units)


@inlined
def _may_change(s: SpaceRecord, level: np.int64, move: np.int64) -> bool:
    if move == SHARE:
        return bool(s.may_share[level] == 1)
    return bool(s.may_resize if move == RESIZE else s.may_reorder[level] == 1)


@kernel
def _change_structure(s: SpaceRecord, clusters: Ints, units: Ints, spatial: Bytes, order: Bytes, rng: np.random.Generator) -> bool:
    """Change the place of one loop, the spatial dim of one level, or the size of one Cluster, whatever is free.

    Returns whether chunks may now go to other units than before. clusters: as in `CompiledSpace`.
    """
    level, move = rng.integers(0, len(units)), rng.integers(0, MOVES)
    while not _may_change(s, level, move):
        level, move = rng.integers(0, len(units)), rng.integers(0, MOVES)
    if move == SHARE:
        dim = s.dims[rng.integers(0, s.n_dims)]
        while not s.shared[level] >> dim & 1:
            dim = s.dims[rng.integers(0, s.n_dims)]
        spatial[level] = dim
        return True
    if move == RESIZE:
        level = rng.integers(1, len(units))
        while s.n_clusters[level] < 2:
            level = rng.integers(1, len(units))
        _resize_cluster(s, clusters[level], rng.integers(0, int(s.n_clusters[level])), units, level)
        return True
    source, target = rng.integers(0, s.n_dims), rng.integers(0, s.n_dims)
    _move_loop(order[level], source, target, s.inside[level])
    return False


@kernel
def _spread(s: SpaceRecord, units: Ints, spatial: Bytes, size: Ints, rng: np.random.Generator) -> None:
    """Share the spatial dim of each level out evenly over all its units, half of the time."""
    for level in range(len(units)):
        if rng.random() < 0.5:
            dim = spatial[level]
            tile = s.extents[dim] if level == 0 else size[level - 1, dim]
            size[level, dim] = (tile + units[level] - 1) // units[level]


@kernel
def vary_mappings(
    space: CompiledSpace, structure: int, parents: MappingArrays, rng: np.random.Generator, children: MappingArrays, ok: Bytes
) -> None:
    """Make every child a changed copy of a parent; ok[b] = 1 where it fits.

    Parents are best first, and better ones are picked more often; a quarter of the children cross sizes with another and, where
    structures may change, a fifth take loops or units from another and, where no level is constrained, a tenth exchange two
    levels. A new spatial dim or Cluster is worth little with the old sizes, so half of those children are spread over their units.
    structure: 1 where more than sizes may change, and something of it is free, 2 where all of it is.
    """
    s: SpaceRecord = space.record.view(SPACE)[0]
    work = np.empty((4, 8), np.int64)
    count = len(parents.size)
    for b in range(len(children.size)):
        units, spatial, order, size = children.units[b], children.spatial[b], children.order[b], children.size[b]
        first = min(rng.integers(0, count), rng.integers(0, count))
        for level in range(len(units)):  # an assignment of whole rows would take two seconds more to compile
            units[level], spatial[level] = parents.units[first, level], parents.spatial[first, level]
            for dim in range(8):
                order[level, dim], size[level, dim] = parents.order[first, level, dim], parents.size[first, level, dim]
        if rng.random() < 0.25:
            _cross(size, parents.size[rng.integers(0, count)], rng)
        if structure >= 1 and rng.random() < 0.2:
            _cross_structure(children, b, parents, int(rng.integers(0, count)), rng)
        if structure == 2 and len(units) > 1 and rng.random() < 0.1:
            _exchange_levels(s, units, spatial, order, size, rng)
        if structure >= 1 and rng.random() < 0.5:
            moved = _change_structure(s, space.clusters, units, spatial, order, rng)
            if moved and rng.random() < 0.5:
                _spread(s, units, spatial, size, rng)
            if rng.random() < 0.5:
                _change_sizes(s, size, rng)
        else:
            _change_sizes(s, size, rng)
        ok[b] = settle(s, space.listed, units, spatial, size, work, rng)
