"""Mappings made from others by small changes: what a population search needs, one mapping at a time, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel
from mapsearch.spaces.mappings.tiles import LEAST, MOST, draw_size, settle

Ints = NDArray[np.int64]
Bytes = NDArray[np.int8]


@kernel
def _cross(child: Ints, other: Ints, rng: np.random.Generator) -> None:
    """Take the sizes of each dim, at all levels, from the other parent half of the time."""
    for dim in range(8):
        if rng.random() < 0.5:
            for level in range(child.shape[0]):
                child[level, dim] = other[level, dim]


@kernel
def _cross_structure(
    units: Ints, spatial: Bytes, order: Bytes, other_units: Ints, other_spatial: Bytes, other_order: Bytes, rng: np.random.Generator
) -> None:
    """Take one level's loop order or, half of the time, all Clusters and spatial dims from the other parent."""
    if rng.random() < 0.5:
        held = rng.integers(0, len(units))
        for dim in range(8):
            order[held, dim] = other_order[held, dim]
    else:
        for each in range(len(units)):
            units[each], spatial[each] = other_units[each], other_spatial[each]


@kernel
def _exchange_levels(
    extents: Ints, pes: int, units: Ints, spatial: Bytes, order: Bytes, size: Ints, rng: np.random.Generator
) -> None:
    """Exchange a level with the one below: units (level 0 has what they leave), spatial dims, loops and trip counts."""
    low = rng.integers(1, len(units))
    high = low - 1
    spatial[high], spatial[low] = spatial[low], spatial[high]
    units[high], units[low] = units[low], units[high]
    others = 1
    for level in range(1, len(units)):
        others *= units[level]
    units[0] = pes // others
    for dim in range(8):
        order[high, dim], order[low, dim] = order[low, dim], order[high, dim]
        tile = extents[dim] if high == 0 else size[high - 1, dim]
        size[high, dim] = (tile * size[low, dim] + size[high, dim] - 1) // size[high, dim]


@kernel
def _change_sizes(extents: Ints, bounds: Ints, size: Ints, rng: np.random.Generator) -> None:
    """Change one to three sizes that are not fixed.

    To a new draw, the next trip count either way, half, double, the whole tile, or two to four times as much with another
    dim's so much less.
    """
    for _ in range(rng.integers(1, 4)):
        level = rng.integers(0, len(size))
        dim = rng.integers(0, 8)
        for _ in range(8):
            if min(bounds[level, dim, LEAST], extents[dim]) < min(bounds[level, dim, MOST], extents[dim]):
                break
            dim = (dim + 1) % 8
        tile = extents[dim] if level == 0 else size[level - 1, dim]
        old = size[level, dim]
        move = rng.integers(0, 8)
        if move == 0 and tile > 1:
            size[level, dim] = draw_size(tile, bounds, int(level), int(dim), rng)
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
    """Move a loop to another's place, or as far as it may go; inside: [8], as in `vary_mappings`."""
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
def _resize_cluster(sizes: Ints, at: np.int64, pes: int, dividing: int, units: Ints, level: np.int64) -> None:
    """Give the Cluster above a level the size sizes[at], or the next before it that has enough PEs; level 0 gives or takes."""
    others = 1
    for other in range(1, len(units)):
        others *= units[other] if other != level else 1
    left = pes // others
    while at > 0 and (sizes[at] > left or (dividing == 1 and left % sizes[at] != 0)):
        at -= 1
    if at > 0:
        units[level] = sizes[at]
        units[0] = left // sizes[at]


@kernel
def _change_structure(
    dims: Ints, free: Ints, inside: Ints, shared: Ints, clusters: Ints, pes: int, dividing: int,
    units: Ints, spatial: Bytes, order: Bytes, rng: np.random.Generator,
) -> bool:  # fmt: skip
    """Change the place of one loop, the spatial dim of one level, or the size of one Cluster, whatever is free.

    Returns whether chunks may now go to other units than before. Arrays as in `vary_mappings`.
    """
    level, move = rng.integers(0, len(units)), rng.integers(0, 4)
    while free[level, move] == 0:
        level, move = rng.integers(0, len(units)), rng.integers(0, 4)
    if move <= 1:
        source, target = rng.integers(0, len(dims)), rng.integers(0, len(dims))
        _move_loop(order[level], source, target, inside[level])
        return False
    if move == 2:
        dim = dims[rng.integers(0, len(dims))]
        while not shared[level] >> dim & 1:
            dim = dims[rng.integers(0, len(dims))]
        spatial[level] = dim
        return True
    level = rng.integers(1, len(units))
    while clusters[level, 0] < 2:
        level = rng.integers(1, len(units))
    at = rng.integers(1, int(clusters[level, 0]) + 1)
    _resize_cluster(clusters[level], at, pes, dividing, units, level)
    return True


@kernel
def _spread(extents: Ints, units: Ints, spatial: Bytes, size: Ints, rng: np.random.Generator) -> None:
    """Share the spatial dim of each level out evenly over all its units, half of the time."""
    for level in range(len(units)):
        if rng.random() < 0.5:
            dim = spatial[level]
            tile = extents[dim] if level == 0 else size[level - 1, dim]
            size[level, dim] = (tile + units[level] - 1) // units[level]


@kernel
def vary_mappings(
    extents: Ints, bounds: Ints, limits: Ints, rule: int, dims: Ints, free: Ints, inside: Ints, shared: Ints, clusters: Ints,
    pes: int, dividing: int, structure: int,
    parent_units: Ints, parent_spatial: Bytes, parent_order: Bytes, parent_size: Ints, rng: np.random.Generator,
    units: Ints, spatial: Bytes, order: Bytes, size: Ints, ok: Bytes,
) -> None:  # fmt: skip
    """Make every mapping a changed copy of a parent; ok[b] = 1 where it fits.

    Parents are best first, and better ones are picked more often; a quarter of the children cross sizes with another and, where
    structures may change, a fifth take loops or units from another and, where no level is constrained, a tenth exchange two
    levels. A new spatial dim or Cluster is worth little with the old sizes, so half of those children are spread over their units.
    structure: 1 where more than sizes may change, and something of it is free, 2 where all of it is; dims: those that may be
    reordered and spatial;
    free: [levels, 4], 1 where the level's order (twice), its spatial dim or, at any level, a Cluster may change; inside:
    [levels, 8], of each dim's loop the loops that must stand inside it, as bits; shared: [levels], the dims that may be spatial,
    as bits; clusters: [levels, 1 + n], of the Cluster above each level, how many sizes it may have and these, ascending; dividing:
    1 where their product must divide the PEs, else 0; bounds, limits, rule: as in `tiles`; the arrays of mappings: as in
    `MappingBatch`.
    """
    work = np.empty((2, 8), np.int64)
    count = len(parent_size)
    for b in range(len(size)):
        first = min(rng.integers(0, count), rng.integers(0, count))
        for level in range(units.shape[1]):  # an assignment of whole rows would take two seconds more to compile
            units[b, level], spatial[b, level] = parent_units[first, level], parent_spatial[first, level]
            for dim in range(8):
                order[b, level, dim], size[b, level, dim] = parent_order[first, level, dim], parent_size[first, level, dim]
        if rng.random() < 0.25:
            _cross(size[b], parent_size[rng.integers(0, count)], rng)
        if structure >= 1 and rng.random() < 0.2:
            other = rng.integers(0, count)
            _cross_structure(
                units[b], spatial[b], order[b], parent_units[other], parent_spatial[other], parent_order[other], rng
            )  # fmt: skip
        if structure == 2 and units.shape[1] > 1 and rng.random() < 0.1:
            _exchange_levels(extents, pes, units[b], spatial[b], order[b], size[b], rng)
        if structure >= 1 and rng.random() < 0.5:
            moved = _change_structure(
                dims, free, inside, shared, clusters, pes, dividing, units[b], spatial[b], order[b], rng
            )  # fmt: skip
            if moved and rng.random() < 0.5:
                _spread(extents, units[b], spatial[b], size[b], rng)
            if rng.random() < 0.5:
                _change_sizes(extents, bounds, size[b], rng)
        else:
            _change_sizes(extents, bounds, size[b], rng)
        ok[b] = settle(extents, bounds, units[b], spatial[b], size[b], limits, rule, work, rng)
