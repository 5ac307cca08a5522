"""The mappings that a search may choose from, for one layer on one machine."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS, Mapping, MappingBatch, encode
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.choices import Bounds, Choices, first_fitting
from mapsearch.spaces.mappings.constraints import Constraints
from mapsearch.spaces.mappings.orders import Inside, is_fixed, kinds_of, legal_order, orders_of, random_order
from mapsearch.spaces.mappings.renewed import renews_tiles
from mapsearch.spaces.mappings.rules import MAX_LEVELS, TileRule
from mapsearch.spaces.mappings.size import Counter, Orders
from mapsearch.spaces.mappings.space_record import CompiledSpace, compiled_space
from mapsearch.spaces.mappings.tiles import draw_sizes, settle_all
from mapsearch.spaces.mappings.variation import vary_mappings

# The most chains of sizes of one dim that are counted; it takes about a tenth of a second.
MAX_CHAINS = 10**7
# The most ways to split the PEs into units of the levels; counting the mappings of each takes about a millisecond.
MAX_SHAPES = 5_000


@dataclass(frozen=True, slots=True)
class Structure:
    """A mapping without its tile sizes.

    orders: for each level, the iterating dims, outermost loop first; spatial: for each level, the dim of its SpatialMap;
    clusters: the sizes of the Clusters between the levels.
    """

    orders: tuple[tuple[Dim, ...], ...]
    spatial: tuple[Dim, ...]
    clusters: tuple[int, ...]


@dataclass(frozen=True)
class Space:
    """All mappings of `levels` levels whose tile sizes follow the rule `tiles`, and which keep to the constraints.

    restriction: what the cost model, or a tool that is to express them, asks of every mapping; if chunks must divide their tiles,
    the rule is that of divisors. choices: the choices that are left. fitting: a structure for which some tile sizes fit; InputError
    where there is none.
    """

    layer: Layer
    hardware: Hardware
    levels: int = 2
    tiles: TileRule = TileRule.BALANCED
    constraints: Constraints = field(default_factory=Constraints)
    restriction: Restriction = field(default_factory=Restriction)
    choices: Choices = field(init=False)
    fitting: Structure = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= MAX_LEVELS:
            raise InputError(f"levels must be from 1 to {MAX_LEVELS}, got {self.levels}")
        if self.restriction.perfect:
            object.__setattr__(self, "tiles", TileRule.DIVISORS)
        choices = Choices(self.layer, self.hardware, self.levels, self.constraints, self.restriction)
        clusters, spatial = first_fitting(choices)
        orders = tuple(legal_order(choices.dims, inside) for inside in choices.inside)
        object.__setattr__(self, "choices", choices)
        object.__setattr__(self, "fitting", Structure(orders, spatial, clusters))

    @property
    def dims(self) -> tuple[Dim, ...]:
        """See `Choices.dims`."""
        return self.choices.dims

    @cached_property
    def fixed_orders(self) -> tuple[bool, ...]:
        """For each level, whether its loops have just one order."""
        return tuple(is_fixed(self.dims, inside) for inside in self.choices.inside)

    def random_structure(self, rng: np.random.Generator) -> Structure:
        """A random structure: orders, spatial dims and cluster sizes are drawn, uniformly where they are free."""
        orders = tuple(random_order(self.dims, inside, rng) for inside in self.choices.inside)
        spatial = tuple(dims[int(rng.integers(len(dims)))] for dims in self.choices.spatial)
        clusters: tuple[int, ...] = ()
        for _ in range(self.levels - 1):
            sizes = self.choices.clusters_within(clusters)
            clusters = (*clusters, sizes[int(rng.integers(len(sizes)))])
        return Structure(orders, spatial, clusters)

    def nearest(self, wanted: Structure) -> Structure:
        """The wanted structure, or one like it where it is not in the space.

        Loops keep their order as far as they may. A spatial dim that is not allowed becomes the outermost loop that is. Each
        Cluster gets the largest size up to the wanted one, or else the smallest.
        """
        orders = tuple(legal_order(order, inside) for order, inside in zip(wanted.orders, self.choices.inside, strict=True))
        spatial = tuple(
            dim if dim in may_be else next((each for each in order if each in may_be), may_be[0])
            for dim, order, may_be in zip(wanted.spatial, orders, self.choices.spatial, strict=True)
        )
        clusters: tuple[int, ...] = ()
        for size in wanted.clusters:
            sizes = self.choices.clusters_within(clusters)
            clusters = (*clusters, max((each for each in sizes if each <= size), default=sizes[0]))
        return Structure(orders, spatial, clusters)

    def _tile(self, structures: Sequence[Structure], copies: int) -> MappingBatch:
        """A batch of the structures, `copies` of each, whose sizes are yet to be drawn."""
        levels = len(structures[0].orders)
        shape = (len(structures) * copies, levels)
        units = np.empty(shape, np.int64)
        spatial = np.empty(shape, np.int8)
        order = np.empty((*shape, DIMS), np.int8)
        for row, structure in enumerate(structures):
            rows = slice(row * copies, (row + 1) * copies)
            units[rows] = self.choices.units(structure.clusters)
            spatial[rows] = structure.spatial
            for level, dims in enumerate(structure.orders):
                order[rows, level] = (*dims, *(dim for dim in Dim if dim not in dims))
        return MappingBatch(units, spatial, order, np.ones((*shape, DIMS), np.int64))

    @cached_property
    def compiled(self) -> CompiledSpace:
        """The space as kernels take it; shared, so not to be changed."""
        return compiled_space(self.choices, int(self.tiles))

    def draw(self, structures: Sequence[Structure], copies: int, rng: np.random.Generator) -> MappingBatch:
        """Mappings of the structures, `copies` of each, with random sizes, without those that cannot fit."""
        batch = self._tile(structures, copies)
        ok = np.empty(len(batch), np.int8)
        draw_sizes(self.compiled, batch.arrays, rng, ok)
        return batch[ok.astype(np.bool_)]

    def adopt(self, mappings: Sequence[Mapping]) -> MappingBatch:
        """The mappings of the space that are most like these mappings of the same layer; ones with more levels are left out.

        A mapping of the space stays as it is if each of its levels with several units shares something out.
        """
        found = MappingBatch.empty(self.levels)
        for mapping in mappings:
            more = self.levels - len(mapping.levels)
            if more < 0:
                continue
            given = encode([mapping], self.layer, prod(mapping.clusters))
            orders = tuple(tuple(Dim(int(dim)) for dim in level if dim in self.dims) for level in given.order[0])
            spatial = tuple(Dim(int(dim)) if dim >= 0 else order[0] for dim, order in zip(given.spatial[0], orders, strict=True))
            wanted = Structure(orders + orders[-1:] * more, spatial + spatial[-1:] * more, mapping.clusters + (1,) * more)
            batch = self._tile([self.nearest(wanted)], 1)
            batch.size[:] = given.size[:, [*range(len(mapping.levels)), *[-1] * more]]
            found = found.join(batch)
        ok = np.empty(len(found), np.int8)
        settle_all(self.compiled, found.arrays, np.random.default_rng(0), ok)
        return found[ok.astype(np.bool_)]

    def sample(self, count: int, rng: np.random.Generator) -> MappingBatch:
        """`count` random mappings, each of a random structure, without those that cannot fit."""
        return self.draw([self.random_structure(rng) for _ in range(count)], 1, rng)

    def lawful(self, batch: MappingBatch) -> NDArray[np.bool_]:
        """Whether mappings keep to what the restriction asks and the choices cannot hold, bool[B]."""
        if not self.restriction.renewed:
            return np.ones(len(batch), np.bool_)
        return renews_tiles(self.layer, self.hardware, batch)

    @cached_property
    def _may_change(self) -> int:
        """Whether structures may change: 0 if they are fixed, 1 if constrained, 2 if free."""
        choices = self.choices
        free = not all(self.fixed_orders) or any(len(each) > 1 for each in (*choices.spatial, *choices.cluster_sizes))
        constrained = any(level.order or level.spatial or level.cluster is not None for level in self.constraints.levels)
        return 0 if not free else 1 if constrained else 2

    def vary(self, parents: MappingBatch, count: int, rng: np.random.Generator, *, structure: bool) -> MappingBatch:
        """`count` variations of the parents (best first) in tile sizes and, if `structure`, in structure too.

        Variations that cannot fit are left out.
        """
        batch = MappingBatch.blank(count, self.levels)
        ok = np.empty(count, np.int8)
        vary_mappings(self.compiled, self._may_change if structure else 0, parents.arrays, rng, batch.arrays, ok)
        return batch[ok.astype(np.bool_)]

    def size(self) -> float:
        """The number of mappings: combinations of loop orders, spatial dims, cluster sizes and tile sizes.

        Orders that cost the same count once. Mappings that overflow the L1 or the L2 count too.
        """
        extents = [self.layer.extents[dim] for dim in self.dims]
        chains = comb(max(extents) + self.levels - 1, self.levels)  # sizes that do not grow from level to level
        if self.tiles is TileRule.ALL and chains > MAX_CHAINS:
            raise InputError(
                f"layer {self.layer.name}: an extent of {max(extents)} has {chains} chains of {self.levels} tile sizes and at most "
                f"{MAX_CHAINS} are counted; count balanced sizes or divisors"
            )
        choices = self.choices
        # Units beyond the largest extent have nothing to do, so their number makes no difference.
        alike = collections.Counter(tuple(min(n, max(extents)) for n in choices.units(clusters)) for clusters in choices.clusters)
        if len(alike) > MAX_SHAPES:
            raise InputError(
                f"layer {self.layer.name}: {self.hardware.pes} PEs form {len(alike)} shapes of {self.levels} levels "
                f"and at most {MAX_SHAPES} are counted; count fewer levels"
            )
        spatial = [[self.dims.index(dim) for dim in dims if dim in self.dims] for dims in choices.spatial]
        orders = {inside: self._count_orders(inside) for inside in set(choices.inside)}
        held = [orders[inside] for inside in choices.inside]
        counter = Counter(
            extents,
            Bounds(*(each[:, list(self.dims)] for each in choices.bounds)),
            spatial,
            held,
            int(self.tiles),
            even=self.restriction.even,
        )
        return sum(times * counter.count(units) for units, times in alike.items())

    def _count_orders(self, inside: Inside) -> Orders:
        counts = np.empty((2,) * len(self.dims))
        kinds = kinds_of(self.layer)
        for number in range(len(self.dims) + 1):
            for places in combinations(range(len(self.dims)), number):
                iterating = tuple(self.dims[place] for place in places)
                counts[tuple(int(place in places) for place in range(len(self.dims)))] = len(orders_of(iterating, kinds, inside))
        return Orders(counts)
