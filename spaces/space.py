"""The mappings that a search may choose from, for one layer on one machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import comb, gcd, prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Dim, Layer, LayerType, Tensor
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.spaces.count import count_fixed, count_free
from mapsearch.spaces.dataflow import Dataflow, dim_in, order_in
from mapsearch.spaces.tiles import TileRule, draw_sizes, limits_of
from mapsearch.spaces.variation import vary_mappings

MAX_LEVELS = 3
# Chains of sizes of one dim that are counted one by one, about a tenth of a second.
MAX_CHAINS = 10**7
# Ways to split the PEs into units of the levels, each counted in under a millisecond.
MAX_SHAPES = 5_000


@dataclass(frozen=True, slots=True)
class Structure:
    """What a mapping is without its tile sizes.

    orders: per level the iterating dims, outermost loop first; spatial: per level the dim of its SpatialMap;
    clusters: sizes of the Clusters between the levels.
    """

    orders: tuple[tuple[Dim, ...], ...]
    spatial: tuple[Dim, ...]
    clusters: tuple[int, ...]


@dataclass(frozen=True)
class Space:
    """All mappings of `levels` levels whose tile sizes follow `tiles`; a `dataflow` holds the structure, and levels, fixed.

    restriction: what a cost model asks of all of them.
    dims: those that may iterate, of which orders and spatial dims are chosen; the others' place makes no difference.
    fitting: a structure for which there are tile sizes that fit. Raises InputError where there is none.
    """

    layer: Layer
    hardware: Hardware
    levels: int = 2
    tiles: TileRule = TileRule.BALANCED
    dataflow: Dataflow | None = None
    restriction: Restriction = field(default_factory=Restriction)
    dims: tuple[Dim, ...] = field(init=False)
    fitting: Structure = field(init=False)

    def __post_init__(self) -> None:
        if self.dataflow is not None:
            object.__setattr__(self, "levels", len(self.dataflow.levels))
        if not 1 <= self.levels <= MAX_LEVELS:
            raise InputError(f"levels must be from 1 to {MAX_LEVELS}, got {self.levels}")
        untiled = self.restriction.untiled
        first = Dim.G if self.layer.type is LayerType.DSCONV else Dim.K  # K is no dim of a depthwise layer to some models
        other = next(dim for dim in (first, *Dim) if dim not in untiled)
        object.__setattr__(self, "dims", tuple(dim for dim in self.layer.iterating() if dim not in untiled) or (other,))
        self._check_l1()
        object.__setattr__(self, "fitting", self._first_fitting())

    def _check_l1(self) -> None:
        hardware = self.hardware
        g, n, k, c, r, s, y, x = self._least.tolist()
        tile = replace(self.layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0)
        least = sum((tile.words(tensor) * bits + 7) // 8 for tensor, bits in zip(Tensor, hardware.bits, strict=True))
        least *= 2 if hardware.l1.double_buffered else 1
        if least > hardware.l1.bytes:
            raise InputError(
                f"layer {self.layer.name}: no mapping fits the hardware {hardware.name}: one word of each operand"
                f"{self._with_whole} needs {least} bytes of L1, it has {hardware.l1.bytes}; use a larger L1"
            )

    @cached_property
    def _least(self) -> NDArray[np.int64]:
        """int64[8], the least size of each dim at every level."""
        untiled = self.restriction.untiled
        return np.array([self.layer.extents[dim] if dim in untiled else 1 for dim in Dim], np.int64)

    @property
    def _with_whole(self) -> str:
        """What an error says of the dims that cannot be tiled."""
        untiled = self.restriction.untiled
        return f", of all {' and '.join(dim.label for dim in untiled)}," if untiled else ""

    def _first_fitting(self) -> Structure:
        """A structure whose L2 need with tiles of 1 fits; it depends on the spatial dim and the units of level 0 alone."""
        if self.dataflow is not None:
            candidates = [self.dataflow_structure(self.dataflow, clusters) for clusters in self.dataflow_clusters(self.dataflow)]
        else:
            # One unit at level 0 needs least; the only level of a mapping has all the PEs.
            clusters = (self.hardware.pes, *(1,) * self.levels)[: self.levels - 1]
            candidates = [Structure((self.dims,) * self.levels, (dim,) * self.levels, clusters) for dim in self.dims]
        rng = np.random.default_rng(0)
        for structure in candidates:
            if len(self.draw([structure], 1, rng)) > 0:
                return structure
        raise InputError(
            f"layer {self.layer.name}: no mapping fits the hardware {self.hardware.name}: tiles of 1{self._with_whole} need more "
            f"than its {self.hardware.l2.bytes} bytes of L2; use a larger L2"
        )

    @cached_property
    def cluster_sizes(self) -> tuple[int, ...]:
        """Sizes of a Cluster worth a choice: the largest for each number of clusters that the PEs can form."""
        pes = self.hardware.pes
        return tuple(sorted({pes // count for count in range(1, pes + 1) if self._may_form(count, pes)}))

    def _may_form(self, members: int, pes: int) -> bool:
        """Whether some PEs may form a Cluster (or Clusters within each other) of so many."""
        return members <= pes and not (self.restriction.dividing and pes % members)

    def cluster_within(self, members: int, pes: int) -> int:
        """The size of a Cluster that some PEs may form in place of one of `members`; that one where they may."""
        return gcd(members, pes) if self.restriction.dividing else min(members, pes)

    def random_structure(self, rng: np.random.Generator) -> Structure:
        """A structure drawn evenly over orders, spatial dims and cluster sizes (that of the dataflow where one is held)."""
        if self.dataflow is not None:
            choices = self.dataflow_clusters(self.dataflow)
            return self.dataflow_structure(self.dataflow, choices[int(rng.integers(len(choices)))])
        orders = tuple(tuple(self.dims[int(i)] for i in rng.permutation(np.arange(len(self.dims)))) for _ in range(self.levels))
        spatial = tuple(self.dims[int(rng.integers(len(self.dims)))] for _ in range(self.levels))
        return Structure(orders, spatial, self._random_clusters(rng))

    def _random_clusters(self, rng: np.random.Generator) -> tuple[int, ...]:
        left = self.hardware.pes
        clusters: list[int] = []
        for _ in range(self.levels - 1):
            fitting = [size for size in self.cluster_sizes if self._may_form(size, left)]
            clusters.append(fitting[int(rng.integers(len(fitting)))])
            left //= clusters[-1]
        return tuple(clusters)

    def all_clusters(self) -> list[tuple[int, ...]]:
        """Every choice of Clusters, each within the PEs."""
        chosen = product(self.cluster_sizes, repeat=self.levels - 1)
        return [clusters for clusters in chosen if self._may_form(prod(clusters), self.hardware.pes)]

    def dataflow_clusters(self, dataflow: Dataflow) -> list[tuple[int, ...]]:
        """The cluster sizes that a dataflow leaves open, within the PEs; InputError where it has no place in the space."""
        for level in dataflow.levels:
            dim = dim_in(self.layer, level.spatial)
            if dim in self.restriction.untiled:
                raise InputError(
                    f"layer {self.layer.name}: the cost model takes no mapping that shares out {dim.label}, as the dataflow "
                    f"{dataflow.name} does; use another dataflow or cost model"
                )
        options: list[Sequence[int]] = []
        for cluster in dataflow.clusters:
            if cluster is None:
                options.append(self.cluster_sizes)
            elif isinstance(cluster, Dim):
                options.append((self.layer.extents[dim_in(self.layer, cluster)],))
            else:
                options.append((cluster,))
        fitting = [clusters for clusters in product(*options) if self._may_form(prod(clusters), self.hardware.pes)]
        if not fitting:
            lack, remedy = ("do not divide", "other") if self.restriction.dividing else ("need more than", "smaller")
            raise InputError(
                f"layer {self.layer.name}: the clusters of the dataflow {dataflow.name} {lack} the "
                f"{self.hardware.pes} PEs of the hardware {self.hardware.name}; use {remedy} clusters"
            )
        return fitting

    def dataflow_structure(self, dataflow: Dataflow, clusters: tuple[int, ...]) -> Structure:
        """The structure of a dataflow with its cluster sizes chosen."""
        orders: list[tuple[Dim, ...]] = []
        for level in dataflow.levels:
            named = [dim for dim in order_in(self.layer, level.order) if dim in self.dims]
            orders.append((*named, *(dim for dim in self.dims if dim not in named)))
        spatial = tuple(dim_in(self.layer, level.spatial) for level in dataflow.levels)
        return Structure(tuple(orders), spatial, clusters)

    def _tile(self, structures: Sequence[Structure], copies: int) -> MappingBatch:
        """A batch with the structures, each `copies` times, and sizes yet to be drawn."""
        levels = len(structures[0].orders)
        shape = (len(structures) * copies, levels)
        units = np.empty(shape, np.int64)
        spatial = np.empty(shape, np.int8)
        order = np.empty((*shape, DIMS), np.int8)
        for row, structure in enumerate(structures):
            rows = slice(row * copies, (row + 1) * copies)
            units[rows] = self._units(structure.clusters)
            spatial[rows] = structure.spatial
            for level, dims in enumerate(structure.orders):
                order[rows, level] = (*dims, *(dim for dim in Dim if dim not in dims))
        return MappingBatch(units, spatial, order, np.ones((*shape, DIMS), np.int64))

    @cached_property
    def limits(self) -> NDArray[np.int64]:
        """See `tiles.limits_of`."""
        return limits_of(self.layer, self.hardware)

    def draw(self, structures: Sequence[Structure], copies: int, rng: np.random.Generator) -> MappingBatch:
        """Mappings of the structures, `copies` of each, with random sizes; those that cannot fit are left out."""
        batch = self._tile(structures, copies)
        ok = np.empty(len(batch), np.int8)
        extents = np.array(self.layer.extents, np.int64)
        draw_sizes(extents, self._least, batch.units, batch.spatial, self.limits, int(self.tiles), rng, batch.size, ok)
        return batch[ok.astype(np.bool_)]

    def sample(self, count: int, rng: np.random.Generator) -> MappingBatch:
        """`count` random mappings, each of a random structure; those that cannot fit are left out."""
        return self.draw([self.random_structure(rng) for _ in range(count)], 1, rng)

    def vary(self, parents: MappingBatch, count: int, rng: np.random.Generator, *, structure: bool) -> MappingBatch:
        """`count` mappings changed from the parents (best first): their tile sizes, and where asked for their structure.

        Those that cannot fit are left out. A space of one dataflow changes no orders and no spatial dims.
        """
        batch = parents[np.zeros(count, np.intp)]
        ok = np.empty(count, np.int8)
        extents = np.array(self.layer.extents, np.int64)
        dims = np.array(self.dims if structure and self.dataflow is None else (), np.int64)
        vary_mappings(
            extents, self._least, self.limits, int(self.tiles), dims, np.array(self.cluster_sizes, np.int64),
            int(self.restriction.dividing),
            parents.units, parents.spatial, parents.order, parents.size, rng,
            batch.units, batch.spatial, batch.order, batch.size, ok,
        )  # fmt: skip
        return batch[ok.astype(np.bool_)]

    def size(self) -> float:
        """How many mappings cover the layer: orders of the loops that iterate, spatial dims, cluster sizes, tile sizes.

        Capacities are not looked at, so this counts what the L1 and the L2 may still refuse.
        """
        extents = [self.layer.extents[dim] for dim in self.dims]
        chains = comb(max(extents) + self.levels - 1, self.levels)  # sizes that do not grow from level to level
        if self.tiles is TileRule.ALL and chains > MAX_CHAINS:
            raise InputError(
                f"layer {self.layer.name}: an extent of {max(extents)} has {chains} chains of {self.levels} tile sizes and at most "
                f"{MAX_CHAINS} are counted; count balanced sizes or divisors"
            )
        if self.dataflow is None:
            every = product(self.cluster_sizes, repeat=self.levels - 1)
            clusters = (chosen for chosen in every if self._may_form(prod(chosen), self.hardware.pes))
            # Units above the largest extent have nothing to do, however many they are.
            alike = Counter(tuple(min(n, max(extents)) for n in self._units(c)) for c in clusters)
            if len(alike) > MAX_SHAPES:
                raise InputError(
                    f"layer {self.layer.name}: {self.hardware.pes} PEs form {len(alike)} shapes of {self.levels} levels "
                    f"and at most {MAX_SHAPES} are counted; count fewer levels"
                )
            return sum(times * count_free(extents, units, int(self.tiles)) for units, times in alike.items())
        total = 0.0
        for chosen in self.dataflow_clusters(self.dataflow):
            spatial = self.dataflow_structure(self.dataflow, chosen).spatial
            indices = [self.dims.index(dim) if dim in self.dims else -1 for dim in spatial]
            total += count_fixed(extents, indices, self._units(chosen), int(self.tiles))
        return total

    def _units(self, clusters: tuple[int, ...]) -> tuple[int, ...]:
        return (self.hardware.pes // prod(clusters), *clusters)
