"""The mappings of a sweep: the same on every machine, except for the number of clusters that its PEs form.

A dataflow fixes loop orders and spatial dims. The sweep varies the sizes of its free Clusters and the PEs' tile: how many indices
of each dim one PE works on in a step. Each level's tile is what all units further in take together. So all loops over steps stand
at the outermost level, and the L2 keeps as much data over them as its capacity allows.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Array, Hardware, Pes, number_of
from mapsearch.model.layer import MAX_EXTENT, Layer
from mapsearch.model.mapping import DIMS, Mapping, MappingBatch, encode, join_all
from mapsearch.model.mapping_laws import units_beside
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.choices import Choices
from mapsearch.spaces.mappings.constraints import Constraints, Sizes, dim_in
from mapsearch.spaces.mappings.orders import legal_order
from mapsearch.spaces.mappings.space import Space

MAX_VARIANTS = 100_000
# The defaults of a sweep: sizes of Clusters, and tile sizes of channels that no level shares out.
CLUSTERS = (8, 16, 32, 64)
CHANNELS = (1, 2, 4, 8)


class Variants(Protocol):
    """The mappings of one layer that a sweep tries on every machine."""

    @property
    def layer(self) -> Layer:
        """The layer that they map."""
        ...

    @property
    def count(self) -> int:
        """The number of variants."""
        ...

    @property
    def levels(self) -> int:
        """The number of levels of each."""
        ...

    def on(self, pes: Pes) -> tuple[MappingBatch, NDArray[np.intp]]:
        """The mappings that fit on these PEs, and their numbers, ascending; 0..count-1 unless they are some of more."""
        ...


@dataclass(frozen=True, slots=True)
class FixedVariants:
    """Mappings of fixed sizes; batch: all of them, with 1 unit at the outermost level, where `on` puts as many as the PEs form."""

    layer: Layer
    batch: MappingBatch

    @property
    def count(self) -> int:
        """See `Variants`."""
        return len(self.batch)

    @property
    def levels(self) -> int:
        """See `Variants`."""
        return int(self.batch.units.shape[1])

    def on(self, pes: Pes) -> tuple[MappingBatch, NDArray[np.intp]]:
        """See `Variants`; where the PEs form several outermost units, mappings that share nothing out there are left out."""
        units = units_beside(pes, self.batch.units[:, 1:])
        chosen = np.flatnonzero((units == 1) | (units > 1) & (self.batch.spatial[:, 0] >= 0))
        batch = self.batch[chosen]
        return replace(batch, units=np.column_stack([units[chosen], batch.units[:, 1:]])), chosen


@dataclass(frozen=True, slots=True)
class SomeVariants:
    """Some of a layer's variants, which keep their numbers."""

    variants: Variants
    numbers: range

    @property
    def layer(self) -> Layer:
        """See `Variants`."""
        return self.variants.layer

    @property
    def count(self) -> int:
        """See `Variants`."""
        return len(self.numbers)

    @property
    def levels(self) -> int:
        """See `Variants`."""
        return self.variants.levels

    def on(self, pes: Pes) -> tuple[MappingBatch, NDArray[np.intp]]:
        """See `Variants`."""
        batch, chosen = self.variants.on(pes)
        rows = np.flatnonzero((chosen >= self.numbers.start) & (chosen < self.numbers.stop))
        return batch[rows], chosen[rows]


def mappings_as_they_are(layer: Layer, mappings: Sequence[Mapping]) -> FixedVariants:
    """Mappings exactly as a file has them; InputError where they have different numbers of levels."""
    levels = sorted({len(mapping.levels) for mapping in mappings})
    if len(levels) > 1:
        raise InputError(
            f"layer {layer.name}: the mappings of a sweep must all have the same number of levels, got {levels}; sweep them apart"
        )
    return FixedVariants(layer, join_all([encode([mapping], layer, prod(mapping.clusters)) for mapping in mappings]))


@dataclass(frozen=True, slots=True)
class ResizedVariants:
    """A layer's mappings, adopted by the space of each machine: Clusters and tiles shrink to its size.

    hardware: a machine with the largest buffers of the sweep.
    """

    layer: Layer
    mappings: tuple[Mapping, ...]
    hardware: Hardware

    @property
    def count(self) -> int:
        """See `Variants`."""
        return len(self.mappings)

    @property
    def levels(self) -> int:
        """See `Variants`."""
        return max(len(mapping.levels) for mapping in self.mappings)

    def on(self, pes: Pes) -> tuple[MappingBatch, NDArray[np.intp]]:
        """See `Variants`."""
        array = pes if isinstance(pes, Array) else None
        space = Space(self.layer, replace(self.hardware, pes=number_of(pes), array=array), self.levels)
        found = [space.adopt([mapping]) for mapping in self.mappings]
        return join_all(found), np.flatnonzero([len(each) for each in found])


def template_variants(
    layer: Layer, hardware: Hardware, template: Constraints, tiles: Dict[Dim, Sequence[int]], clusters: Sequence[int]
) -> FixedVariants:
    """Every combination of sizes of a dataflow's free Clusters and of the PEs' tiles, each once.

    tiles: the sizes to try for each dim, by its name in the dataflow; a size above the extent means the whole dim. A dim that is
    left out has size 1 if it is spatial; else R and S are whole, K and C have the sizes CHANNELS, and others 1.
    hardware: a machine with the most PEs of the sweep.
    """
    levels = len(template.levels)
    held = [
        replace(level, cluster=Sizes.of(*clusters)) if level.cluster is None and index < levels - 1 else level
        for index, level in enumerate(template.levels)
    ]
    choices = Choices(layer, hardware, levels, replace(template, levels=tuple(held)), Restriction())
    spatial = [dims[0] for dims in choices.spatial]
    sizes = _tile_sizes(layer, spatial, {dim_in(layer, dim): each for dim, each in tiles.items()})
    number = prod(len(each) for each in (*choices.cluster_sizes, *sizes))
    if number > MAX_VARIANTS:
        raise InputError(f"layer {layer.name}: {template.name} has {number:,} tile sizes; a sweep takes at most {MAX_VARIANTS:,}")
    rows = [
        (tile, formed)
        for formed in product(*choices.cluster_sizes)
        for tile in _all_tiles(layer, np.array(list(product(*sizes)), np.int64), spatial, formed)
    ]
    batch = MappingBatch(
        units=np.array([(1, *formed) for _, formed in rows], np.int64),
        spatial=np.tile(np.array(spatial, np.int8), (len(rows), 1)),
        order=np.tile(np.array([_whole_order(choices, inside) for inside in range(levels)], np.int8), (len(rows), 1, 1)),
        size=np.stack([tile for tile, _ in rows]),
    )
    return FixedVariants(layer, batch)


def _tile_sizes(layer: Layer, spatial: Sequence[Dim], tiles: Dict[Dim, Sequence[int]]) -> list[tuple[int, ...]]:
    """The sizes of the PEs' tile for each of the eight dims, none above the extent, each once."""
    usual: dict[Dim, Sequence[int]] = {
        **dict.fromkeys(Dim, (1,)),
        Dim.R: (MAX_EXTENT,),
        Dim.S: (MAX_EXTENT,),
        Dim.K: CHANNELS,
        Dim.C: CHANNELS,
        **dict.fromkeys(spatial, (1,)),
        **tiles,
    }
    return [tuple(sorted({min(size, layer.extents[dim]) for size in usual[dim]})) for dim in Dim]


def _all_tiles(layer: Layer, tiles: NDArray[np.int64], spatial: Sequence[Dim], clusters: Sequence[int]) -> NDArray[np.int64]:
    """int64[n, levels, 8]: the tiles of all levels that follow from the PEs' tiles, int64[m, 8]; equal results once."""
    levels = len(spatial)
    sizes = np.empty((len(tiles), levels, DIMS), np.int64)
    for level in reversed(range(levels)):
        sizes[:, level] = tiles if level == levels - 1 else sizes[:, level + 1]
        if level < levels - 1:
            sizes[:, level, spatial[level + 1]] *= clusters[level]
    sizes = np.minimum(sizes, np.array(layer.extents, np.int64))
    _, first = np.unique(sizes.reshape(len(sizes), -1), axis=0, return_index=True)
    return sizes[np.sort(first)]


def _whole_order(choices: Choices, level: int) -> tuple[Dim, ...]:
    """The loops of a level, outermost first, then the dims that do not iterate."""
    order = legal_order(choices.dims, choices.inside[level])
    return (*order, *(dim for dim in Dim if dim not in order))
