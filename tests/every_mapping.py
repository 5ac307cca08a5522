"""All mappings of a small space, one by one and by the plain words of its rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from math import prod
from typing import NamedTuple

import numpy as np

from mapsearch.model.layer import Dim
from mapsearch.model.mapping import MappingBatch
from mapsearch.spaces.space import Space
from mapsearch.spaces.tiles import TileRule


class Choice(NamedTuple):
    """A mapping: its units, spatial dims, sizes (per dim of the space, per level) and the orders of the loops that iterate."""

    units: tuple[int, ...]
    spatial: tuple[Dim, ...]
    sizes: tuple[tuple[int, ...], ...]
    orders: tuple[tuple[Dim, ...], ...]


def smallest_for_its_trips(tile: int, size: int) -> bool:
    return size == 1 or -(-tile // (size - 1)) > -(-tile // size)


def _allowed(tile: int, rule: TileRule) -> list[int]:
    match rule:
        case TileRule.BALANCED:
            return [size for size in range(1, tile + 1) if smallest_for_its_trips(tile, size)]
        case TileRule.DIVISORS:
            return [size for size in range(1, tile + 1) if tile % size == 0]
        case TileRule.ALL:
            return list(range(1, tile + 1))


def _chains(extent: int, levels: int, rule: TileRule) -> Iterator[tuple[int, ...]]:
    if levels == 0:
        yield ()
        return
    for size in _allowed(extent, rule):
        for rest in _chains(size, levels - 1, rule):
            yield (size, *rest)


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


def every_mapping(space: Space) -> set[Choice]:
    """The mappings of a space, whether or not they fit; of a dataflow's loops, which stay, the order is left out."""
    pes, levels = space.hardware.pes, space.levels
    if space.dataflow is None:
        sizes_of_clusters = {pes // count for count in range(1, pes + 1)}
        clusters = [chosen for chosen in product(sizes_of_clusters, repeat=levels - 1) if prod(chosen) <= pes]
        clusters = [chosen for chosen in clusters if not space.restriction.dividing or pes % prod(chosen) == 0]
        spatials = list(product(space.dims, repeat=levels))
    else:
        clusters = space.dataflow_clusters(space.dataflow)
        spatials = [space.dataflow_structure(space.dataflow, clusters[0]).spatial]
    every_size = list(product(*(_chains(space.layer.extents[dim], levels, space.tiles) for dim in space.dims)))
    found: set[Choice] = set()
    for chosen, spatial, sizes in product(clusters, spatials, every_size):
        units = (pes // prod(chosen), *chosen)
        loops = _iterating(space, units, spatial, sizes)
        orders = product(*(permutations(dims) for dims in loops)) if space.dataflow is None else [()]
        found |= {Choice(units, spatial, sizes, tuple(order)) for order in orders}
    return found


def as_batch(space: Space, choices: set[Choice]) -> MappingBatch:
    """The mappings as arrays, what does not iterate innermost."""
    shape = (len(choices), space.levels)
    size = np.broadcast_to(np.array(space.layer.extents, np.int64), (*shape, len(Dim))).copy()
    order = np.empty((*shape, len(Dim)), np.int8)
    for row, choice in enumerate(choices):
        for dim, chain in zip(space.dims, choice.sizes, strict=True):
            size[row, :, dim] = chain
        for level, dims in enumerate(choice.orders):
            order[row, level] = (*dims, *(dim for dim in Dim if dim not in dims))
    units, spatial = [choice.units for choice in choices], [choice.spatial for choice in choices]
    return MappingBatch(np.array(units, np.int64), np.array(spatial, np.int8), order, size)
