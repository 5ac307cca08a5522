"""All mappings of a small space, one by one and by the plain words of its rules and constraints."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise, permutations, product
from math import prod
from typing import NamedTuple

import numpy as np

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import LayerType
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import LevelConstraints, Sizes
from mapsearch.spaces.mappings.orders import interchangeable
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space


class Choice(NamedTuple):
    """A mapping: its units, spatial dims, sizes (per dim of the space, per level) and the orders of the loops that iterate.

    Of orders that cost the same, the least stands for all.
    """

    units: tuple[int, ...]
    spatial: tuple[Dim, ...]
    sizes: tuple[tuple[int, ...], ...]
    orders: tuple[tuple[Dim, ...], ...]


def smallest_for_its_trips(tile: int, size: int) -> bool:
    return size == 1 or -(-tile // (size - 1)) > -(-tile // size)


def _follows(rule: TileRule, tile: int, size: int) -> bool:
    match rule:
        case TileRule.BALANCED:
            return smallest_for_its_trips(tile, size)
        case TileRule.DIVISORS:
            return tile % size == 0
        case TileRule.ALL:
            return True


def _meant(space: Space, dim: Dim) -> Dim:
    return Dim.G if space.layer.type is LayerType.DSCONV and dim is Dim.C else dim


def _held(space: Space, level: int) -> LevelConstraints:
    """What a level is held to, in the layer's own dims: where a depthwise layer's channels are meant by C, what G has is void."""
    if level >= len(space.constraints.levels):
        return LevelConstraints()
    held = space.constraints.levels[level]

    def meant(dims: tuple[Dim | None, ...]) -> list[Dim | None]:
        void = Dim.G if space.layer.type is LayerType.DSCONV and Dim.C in dims else None
        return [None if dim is None else _meant(space, dim) for dim in dims if dim is None or dim is not void]

    tiled = {dim: sizes for dim, sizes in held.tiles if dim in (Dim.C, Dim.G)}
    tiles = tuple(
        (_meant(space, dim), sizes)
        for dim, sizes in held.tiles
        if not (space.layer.type is LayerType.DSCONV and dim is Dim.G and Dim.C in tiled)
    )
    spatial = tuple(dim for dim in meant(held.spatial) if dim is not None)
    return LevelConstraints(tuple(meant(held.order)), spatial, tiles, held.cluster)


def size_is_kept(space: Space, level: int, dim: Dim, tile: int, size: int) -> bool:
    """Whether a size of a tile is one of those that the constraints name or, where they leave a choice, one of the rule's."""
    if dim in space.restriction.untiled:
        return size == tile
    if space.restriction.single and dim in (Dim.Y, Dim.X) and space.layer.stride[dim is Dim.X] > 1:
        return size == 1
    held = dict(_held(space, level).tiles).get(dim, Sizes())
    if held.listed:
        return any(size == min(each, tile) for each in held.listed)
    low, high = min(held.least, tile), min(held.most, tile)
    return size in (low, high) or (low < size < high and _follows(space.tiles, tile, size))


def order_is_kept(space: Space, level: int, order: tuple[Dim, ...]) -> bool:
    """Whether the loops stand in the relative order of the constraints."""
    held = _held(space, level).order
    others = held.index(None) if None in held else None
    places = [held.index(dim) if dim in held else others for dim in order]
    known = [place for place in places if place is not None]
    return known == sorted(known)


def spatial_is_kept(space: Space, level: int, spatial: Dim) -> bool:
    """Whether a level may share the dim out; where it may share out none of the layer's, that is one of them."""
    held = _held(space, level).spatial
    named = [dim for dim in held if dim in space.dims]
    takes = [dim for dim in held if dim not in space.restriction.untiled]
    return spatial in (named or takes[:1] or space.dims)


def sides_of(hardware: Hardware) -> tuple[int, int]:
    """Rows and columns; PEs that are free to form any Cluster are one column."""
    return (hardware.pes, 1) if hardware.array is None else (hardware.array.rows, hardware.array.columns)


def lies_on(hardware: Hardware, units: tuple[int, ...]) -> bool:
    """Whether each level's units lie along the rows or along the columns."""
    rows, columns = sides_of(hardware)
    ways = (list(zip(units, sides, strict=True)) for sides in product((0, 1), repeat=len(units)))
    return any(
        prod(count for count, side in way if side == 0) <= rows and prod(count for count, side in way if side == 1) <= columns
        for way in ways
    )


def units_on(hardware: Hardware, clusters: tuple[int, ...]) -> tuple[int, ...]:
    """The units of each level, the most of level 0 that find a place; 0 where not even one does."""
    most = max((count for count in range(1, hardware.pes + 1) if lies_on(hardware, (count, *clusters))), default=0)
    return (most, *clusters)


def cluster_is_kept(space: Space, level: int, size: int) -> bool:
    """Whether the Cluster after a level may be so large, as far as it depends on the level alone."""
    sides = sides_of(space.hardware)
    worth = any(size in {side // count for count in range(1, side + 1)} for side in sides)
    match _held(space, level).cluster:
        case None:
            return worth
        case Dim() as dim:
            return size == space.layer.extents[_meant(space, dim)]
        case Sizes(listed=()) as held:
            return size in (held.least, min(held.most, max(sides))) or (held.least <= size <= held.most and worth)
        case held:
            return size in held.listed


def _chains(space: Space, dim: Dim, level: int, tile: int) -> Iterator[tuple[int, ...]]:
    if level == space.levels:
        yield ()
        return
    for size in range(1, tile + 1):
        if size_is_kept(space, level, dim, tile, size):
            for rest in _chains(space, dim, level + 1, size):
                yield (size, *rest)


def _same_cost(space: Space, order: tuple[Dim, ...], seen: set[tuple[Dim, ...]]) -> set[tuple[Dim, ...]]:
    """All orders that interchanges of neighbours make of one."""
    if order not in seen:
        seen.add(order)
        for place, (outer, inner) in enumerate(pairwise(order)):
            if interchangeable(space.layer, outer, inner):
                _same_cost(space, (*order[:place], inner, outer, *order[place + 2 :]), seen)
    return seen


def _orders(space: Space, level: int, dims: list[Dim]) -> set[tuple[Dim, ...]]:
    kept = {order for order in permutations(dims) if order_is_kept(space, level, order)}
    return {min(kept & _same_cost(space, order, set())) for order in kept}


def _iterating(
    space: Space, units: tuple[int, ...], spatial: tuple[Dim, ...], sizes: tuple[tuple[int, ...], ...]
) -> list[list[Dim]]:
    """The dims whose loop iterates at each level."""
    found: list[list[Dim]] = []
    for level, count in enumerate(units):
        found.append([])
        for dim, chain in zip(space.dims, sizes, strict=True):
            tile = space.layer.extents[dim] if level == 0 else chain[level - 1]
            if chain[level] * (count if dim is spatial[level] else 1) < tile:
                found[-1].append(dim)
    return found


def _is_even(space: Space, units: tuple[int, ...], spatial: tuple[Dim, ...], sizes: tuple[tuple[int, ...], ...]) -> bool:
    """Whether the spatial loop of each level has as many chunks in its last round as in the others."""
    for level, (count, dim) in enumerate(zip(units, spatial, strict=True)):
        if dim in space.dims:
            chain = sizes[space.dims.index(dim)]
            tile = space.layer.extents[dim] if level == 0 else chain[level - 1]
            chunks = -(-tile // chain[level])
            if chunks > count and chunks % count:
                return False
    return True


def every_mapping(space: Space) -> set[Choice]:
    """The mappings of a space, whether or not they fit; of orders that cost the same one."""
    pes, levels = space.hardware.pes, space.levels
    shapes = [units_on(space.hardware, chosen) for chosen in product(range(1, pes + 1), repeat=levels - 1)]
    shapes = [units for units in shapes if units[0] > 0 and not (space.restriction.dividing and prod(units) != pes)]
    shapes = [units for units in shapes if all(cluster_is_kept(space, level, size) for level, size in enumerate(units[1:]))]
    spatials = product(*([dim for dim in Dim if spatial_is_kept(space, level, dim)] for level in range(levels)))
    every_size = list(product(*(_chains(space, dim, 0, space.layer.extents[dim]) for dim in space.dims)))
    orders: dict[tuple[int, tuple[Dim, ...]], set[tuple[Dim, ...]]] = {}
    found: set[Choice] = set()
    for units, spatial, sizes in product(shapes, spatials, every_size):
        if space.restriction.even and not _is_even(space, units, spatial, sizes):
            continue
        loops = [(level, tuple(dims)) for level, dims in enumerate(_iterating(space, units, spatial, sizes))]
        for level, dims in loops:
            if (level, dims) not in orders:
                orders[level, dims] = _orders(space, level, list(dims))
        found |= {Choice(units, spatial, sizes, each) for each in product(*(orders[key] for key in loops))}
    return found


def as_batch(space: Space, choices: Collection[Choice]) -> MappingBatch:
    """The mappings as arrays, what does not iterate innermost."""
    shape = (len(choices), space.levels)
    size = np.broadcast_to(np.array(space.layer.extents, np.int64), (*shape, len(Dim))).copy()
    order = np.empty((*shape, len(Dim)), np.int8)
    for row, choice in enumerate(choices):
        for dim, chain in zip(space.dims, choice.sizes, strict=True):
            size[row, :, dim] = chain
        for level, dims in enumerate(choice.orders):
            order[row, level] = (*dims, *(dim for dim in Dim if dim not in dims))
    units = np.array([choice.units for choice in choices], np.int64).reshape(shape)  # of none, numpy does not know the levels
    spatial = np.array([choice.spatial for choice in choices], np.int8).reshape(shape)
    return MappingBatch(units, spatial, order, size)


def choices_of(space: Space, batch: MappingBatch) -> list[Choice]:
    """The mappings of arrays, each with the order that stands for those that cost the same in `every_mapping`."""
    found: list[Choice] = []
    for row in range(len(batch)):
        units, spatial = tuple(batch.units[row].tolist()), tuple(Dim(dim) for dim in batch.spatial[row].tolist())
        sizes = tuple(tuple(batch.size[row, :, dim].tolist()) for dim in space.dims)
        orders: list[tuple[Dim, ...]] = []
        for level, dims in enumerate(_iterating(space, units, spatial, sizes)):
            order = tuple(Dim(dim) for dim in batch.order[row, level].tolist() if dim in dims)
            alike = [each for each in _same_cost(space, order, set()) if order_is_kept(space, level, each)]
            orders.append(min(alike) if order_is_kept(space, level, order) else order)
        found.append(Choice(units, spatial, sizes, tuple(orders)))
    return found
