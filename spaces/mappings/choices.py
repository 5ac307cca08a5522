"""The choices that constraints leave for one layer's mappings on one machine, and the constraints to blame where none is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Array, Hardware, outer_units, pes_text, rows_and_columns
from mapsearch.model.layer import MAX_EXTENT, Layer, LayerType
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.spaces.mappings.constraints import WHOLE, Constraints, Sizes, dim_in, dims_in, tiles_in
from mapsearch.spaces.mappings.orders import Inside, inside_of

Ints = NDArray[np.int64]


class Lack(NamedTuple):
    """A need of even the smallest mappings that the machine does not meet: `need` of `what` (PEs, or bytes of L1 or L2)."""

    what: str
    need: int


class Bounds(NamedTuple):
    """The sizes that each dim's tile may have at each level; a size above the tile of the level above means all of that tile.

    least, most: int64[levels, 8]
    listed:      int64[levels, 8, n], ascending, then zeros; where a dim has some, only these are allowed
    """

    least: Ints
    most: Ints
    listed: Ints


@dataclass(frozen=True)
class Choices:
    """The choices for mappings with this number of levels; restriction: what the cost model asks of every mapping.

    Raises InputError where the constraints contradict the restriction, or have more levels.
    """

    layer: Layer
    hardware: Hardware
    levels: int
    constraints: Constraints
    restriction: Restriction

    def __post_init__(self) -> None:
        self.constraints.check_levels(self.levels)
        for index, level in enumerate(self.constraints.levels):
            spatial = dims_in(self.layer, level.spatial)
            if spatial and all(dim in self.restriction.untiled for dim in spatial):
                self._refuse("shares out", spatial[0], index)
            for dim, sizes in tiles_in(self.layer, level).items():
                if dim in self.restriction.untiled and sizes.most < self.layer.extents[dim]:
                    self._refuse("tiles", dim, index)

    def _refuse(self, does: str, dim: Dim | None, level: int) -> None:
        raise InputError(
            f"layer {self.layer.name}: the cost model takes no mapping that {does} {dim.label if dim is not None else ''}, as "
            f"{self.constraints.where} does at level {level}; use another cost model or other constraints"
        )

    @cached_property
    def dims(self) -> tuple[Dim, ...]:
        """The dims that may iterate; orders and spatial dims are chosen among them, as the others' places make no difference."""
        untiled = self.restriction.untiled
        first = Dim.G if self.layer.type is LayerType.DSCONV else Dim.K  # K is no dim of a depthwise layer to some models
        other = next(dim for dim in (first, *Dim) if dim not in untiled)
        return tuple(dim for dim in self.layer.iterating() if dim not in untiled) or (other,)

    @cached_property
    def inside(self) -> tuple[Inside, ...]:
        """For each level, which loops must stand inside which."""
        return tuple(inside_of(dims_in(self.layer, self.constraints.level(index).order)) for index in range(self.levels))

    @cached_property
    def spatial(self) -> tuple[tuple[Dim, ...], ...]:
        """For each level, the dims that may be its spatial dim; where it shares out nothing, one that is not in `dims`."""
        found: list[tuple[Dim, ...]] = []
        for index in range(self.levels):
            named = [dim for dim in dims_in(self.layer, self.constraints.level(index).spatial) if dim is not None]
            takes = [dim for dim in named if dim not in self.restriction.untiled]
            found.append(tuple(dim for dim in self.dims if dim in named) or tuple(takes[:1]) or self.dims)
        return tuple(found)

    @cached_property
    def bounds(self) -> Bounds:
        """The bounds on the size of each dim at each level."""
        sizes = [tiles_in(self.layer, self.constraints.level(index)) for index in range(self.levels)]
        width = max((len(each.listed) for level in sizes for each in level.values()), default=0)
        shape = (self.levels, len(Dim))
        bounds = Bounds(np.ones(shape, np.int64), np.full(shape, MAX_EXTENT), np.zeros((*shape, width), np.int64))
        for index, level in enumerate(sizes):
            for dim in Dim:
                size = WHOLE if dim in self.restriction.untiled else level.get(dim, Sizes())
                bounds.least[index, dim], bounds.most[index, dim] = size.least, size.most
                bounds.listed[index, dim, : len(size.listed)] = size.listed
        return bounds

    def _use_all(self, clusters: tuple[int, ...]) -> bool:
        """Whether PEs that form these Clusters are all in use, where the cost model asks for it."""
        return not self.restriction.dividing or prod(self.units(clusters)) == self.hardware.pes

    @cached_property
    def cluster_sizes(self) -> tuple[tuple[int, ...], ...]:
        """The sizes that each Cluster may have, whatever the others are, ascending.

        Of a free Cluster, for each number of clusters that the PEs (a row or a column of an array) can form, the largest size.
        """
        sides = rows_and_columns(self.hardware.shape)
        worth = sorted({side // count for side in sides for count in range(1, side + 1)})
        if self.restriction.dividing:
            worth = [size for size in worth if any(side % size == 0 for side in sides)]
        return tuple(self._sizes(self.constraints.level(index).cluster, worth) for index in range(self.levels - 1))

    def _sizes(self, held: Sizes | Dim | None, worth: list[int]) -> tuple[int, ...]:
        match held:
            case None:
                return tuple(worth)
            case Dim():
                return (self.layer.extents[dim_in(self.layer, held)],)
            case _:
                ends = {held.least, min(held.most, max(held.least, *rows_and_columns(self.hardware.shape)))}
                return held.listed or tuple(sorted(ends.union(size for size in worth if held.least <= size <= held.most)))

    @cached_property
    def clusters(self) -> tuple[tuple[int, ...], ...]:
        """Every combination of Clusters that the PEs can form, in ascending order."""
        return tuple(clusters for clusters in self._clusters(()) if self._use_all(clusters))

    def _clusters(self, outer: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(outer) == self.levels - 1:
            yield outer
            return
        left = outer_units(self.hardware.shape, outer)
        for size in self.cluster_sizes[len(outer)]:
            if size > left:
                break
            yield from self._clusters((*outer, size))

    @cached_property
    def _following(self) -> dict[tuple[int, ...], list[int]]:
        found: dict[tuple[int, ...], dict[int, None]] = {}
        for clusters in self.clusters:
            for place, size in enumerate(clusters):
                found.setdefault(clusters[:place], {})[size] = None
        return {outer: list(sizes) for outer, sizes in found.items()}

    def clusters_within(self, outer: tuple[int, ...]) -> list[int]:
        """The sizes of the Cluster after these, ascending, for which all further Clusters have a size too."""
        return self._following[outer]

    def units(self, clusters: tuple[int, ...]) -> tuple[int, ...]:
        """The units of each level."""
        return (outer_units(self.hardware.shape, clusters), *clusters)

    def first(self) -> tuple[tuple[int, ...], tuple[Dim, ...]] | Lack:
        """Clusters and spatial dims for which some tile sizes fit, or what the machine lacks.

        The smallest sizes decide: the needs of L1 and L2 grow with every tile size and with the units of level 0, and every size
        can be its smallest whatever the others are.
        """
        if not self.clusters:
            return Lack("PEs", self._least_pes())
        extents = np.array(self.layer.extents, np.int64)
        *outer, inner = accumulate(self.bounds.least, np.minimum, initial=extents)
        l1 = sum(self._bytes(inner)) * self.hardware.l1.buffering.copies
        if l1 > self.hardware.l1.bytes:
            return Lack("L1", l1)
        clusters = max(self.clusters, key=lambda each: (-self.units(each)[0], prod(each), each))
        tile = (*outer, inner)[1]
        needs = {dim: self._l2_need(tile, dim, self.units(clusters)[0]) for dim in self.spatial[0]}
        dim = next((dim for dim, need in needs.items() if need <= self.hardware.l2.bytes), None)
        if dim is None:
            return Lack("L2", min(needs.values()))
        return clusters, (dim, *(dims[0] for dims in self.spatial[1:]))

    def _least_pes(self) -> int:
        return prod(min(sizes) for sizes in self.cluster_sizes)

    def _bytes(self, tile: Ints) -> list[int]:
        """The bytes of W, I and O in a tile."""
        g, n, k, c, r, s, y, x = tile.tolist()
        part = replace(self.layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0)
        return [(part.words(tensor) * bits + 7) // 8 for tensor, bits in zip(Tensor, self.hardware.bits, strict=True)]

    def _l2_need(self, tile: Ints, spatial: Dim, units: int) -> int:
        """The bytes of L2 that `tiles.fits_l2` compares with the machine's."""
        chunk, extents = tile.copy(), np.array(self.layer.extents, np.int64)
        chunk[spatial] = min(extents[spatial], tile[spatial] * units)
        twice = self.hardware.l2.buffering.copies
        return sum(min(whole, part * twice) for whole, part in zip(self._bytes(extents), self._bytes(chunk), strict=True))


def first_fitting(choices: Choices) -> tuple[tuple[int, ...], tuple[Dim, ...]]:
    """Clusters and spatial dims for which some tile sizes fit.

    Raises InputError where there are none, which names the machine's lack, or else the constraints that are in the way.
    """
    found = choices.first()
    if not isinstance(found, Lack):
        return found
    free = replace(choices, constraints=Constraints())
    lack = free.first()
    if isinstance(lack, Lack):
        raise InputError(_of_the_machine(free, lack))
    raise InputError(_of_constraints(choices))


def _of_the_machine(choices: Choices, lack: Lack) -> str:
    hardware, untiled = choices.hardware, choices.restriction.untiled
    whole = f", of all {' and '.join(dim.label for dim in untiled)}," if untiled else ""
    start = f"layer {choices.layer.name}: no mapping fits the hardware {hardware.name}"
    if lack.what == "L1":
        why = f"needs {lack.need:,} bytes of L1, it has {hardware.l1.bytes:,}; use a larger L1"
        return f"{start}: one word of each operand{whole} {why}"
    return f"{start}: tiles of 1{whole} need more than its {hardware.l2.bytes:,} bytes of L2; use a larger L2"


def _of_constraints(choices: Choices) -> str:
    """The error that names a smallest set of constraints which together leave no mapping: without any one of them there is one."""
    guilty = choices
    for part in choices.constraints.parts():
        fewer = replace(guilty, constraints=guilty.constraints.without(part))
        if isinstance(fewer.first(), Lack):
            guilty = fewer
    parts = [part.text for part in guilty.constraints.parts()]
    lack, hardware = guilty.first(), choices.hardware
    assert isinstance(lack, Lack)  # noqa: S101 for the type checkers
    need = "need" if len(parts) > 1 else "needs"
    match lack.what:
        case "L1" | "L2":
            has = hardware.l1.bytes if lack.what == "L1" else hardware.l2.bytes
            why = f"{need} {lack.need:,} bytes of {lack.what}, it has {has:,}; use smaller sizes or a larger {lack.what}"
        case _ if lack.need > hardware.pes:
            why = f"{need} {lack.need:,} PEs, it has {hardware.pes:,}; use smaller Clusters"
        case _:
            why = f"must divide its {hardware.pes:,} PEs, as the cost model asks; use other Clusters"
    where = f"{choices.constraints.where}, {' and '.join(parts)}"
    return f"layer {choices.layer.name}: no mapping fits the hardware {hardware.name}: {where} {why}"
