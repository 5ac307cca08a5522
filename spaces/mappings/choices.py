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
from mapsearch.model.hardware import Array, Buffer, Hardware, Residency, outer_units, pes_text, rows_and_columns
from mapsearch.model.layer import MAX_EXTENT, Layer, LayerType
from mapsearch.model.sparsity import DENSE, Level
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.model.word_bits import bytes_of_tensors, room_bits
from mapsearch.spaces.mappings.constraints import ONE, WHOLE, Constraints, Sizes, dim_in, dims_in, tiles_in
from mapsearch.spaces.mappings.orders import Inside, inside_of

Ints = NDArray[np.int64]


class Lack(NamedTuple):
    """A need of even the smallest mappings that the machine does not meet: `need` of `what`, where it `has` less.

    what: "PEs", or "L1" or "L2", in bytes. tensors: those that share the room of L1 or L2.
    """

    what: str
    need: int
    has: int
    tensors: tuple[Tensor, ...] = tuple(Tensor)
    is_part: bool = False

    @property
    def noun(self) -> str:
        """What a larger one of would do."""
        return f"{self.tensors[0].label} part of {self.what}" if self.is_part else self.what

    @property
    def place(self) -> str:
        """The same with an article."""
        return f"the {self.noun}" if self.is_part else self.noun


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
                if self.restriction.perfect and sizes != WHOLE:
                    raise InputError(
                        f"{self.constraints.where}: level {index}: sizes of {dim.label} are given, and chunks must divide their "
                        "tiles, whatever these are; leave the sizes out"
                    )

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
        strided = [dim for dim, stride in zip((Dim.Y, Dim.X), self.layer.stride, strict=True) if stride > 1]
        single = strided if self.restriction.single else ()
        for index, level in enumerate(sizes):
            for dim in Dim:
                size = WHOLE if dim in self.restriction.untiled else ONE if dim in single else level.get(dim, Sizes())
                bounds.least[index, dim], bounds.most[index, dim] = size.least, size.most
                bounds.listed[index, dim, : len(size.listed)] = size.listed
        return bounds

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
        every = self._clusters(())
        if self.restriction.dividing:
            return tuple(each for each in every if prod(self.units(each)) == self.hardware.pes)
        return tuple(every)

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
            return Lack("PEs", prod(min(sizes) for sizes in self.cluster_sizes), self.hardware.pes)
        extents = np.array(self.layer.extents, np.int64)
        *outer, inner = accumulate(self.bounds.least, np.minimum, initial=extents)
        lack = _lack_of("L1", self.hardware.l1, self._bytes(Level.L1, inner))
        if lack is not None:
            return lack
        clusters = max(self.clusters, key=lambda each: (-self.units(each)[0], prod(each), each))
        tile = (*outer, inner)[1]
        lacks = {dim: self._l2_lack(tile, dim, self.units(clusters)[0]) for dim in self.spatial[0]}
        dim = next((dim for dim, lack in lacks.items() if lack is None), None)
        if dim is None:
            return min((lack for lack in lacks.values() if lack is not None), key=lambda lack: lack.need - lack.has)
        return clusters, (dim, *(dims[0] for dims in self.spatial[1:]))

    def _bytes(self, level: Level, tile: Ints) -> list[int]:
        """The bytes that W, I and O of a tile take at a level."""
        g, n, k, c, r, s, y, x = tile.tolist()
        part = replace(self.layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0, sparsity=DENSE)
        return bytes_of_tensors(part, room_bits(self.layer, self.hardware, level))

    def _l2_lack(self, tile: Ints, spatial: Dim, units: int) -> Lack | None:
        """The lack for a level-0 tile, as `tiles.overfull_l2` finds it."""
        chunk, extents = tile.copy(), np.array(self.layer.extents, np.int64)
        chunk[spatial] = min(extents[spatial], tile[spatial] * units)
        keeps = self.hardware.l2.residency is Residency.BEST
        return _lack_of("L2", self.hardware.l2, self._bytes(Level.L2, chunk), self._bytes(Level.L2, extents) if keeps else None)


def _lack_of(what: str, buffer: Buffer, tile: list[int], whole: list[int] | None = None) -> Lack | None:
    """The first room of a buffer that has less than its tensors need, for tiles that move or, given `whole`, tensors that stay."""
    needs = [0 if buffer.bypass[each] else tile[each] * buffer.room(each).buffering.copies for each in Tensor]
    if whole is not None:
        needs = [min(each) for each in zip(needs, whole, strict=True)]
    pool = tuple(each for each in Tensor if buffer.parts[each] is None)
    rooms = [pool, *((each,) for each in Tensor if each not in pool)] if pool else [(each,) for each in Tensor]
    for tensors in rooms:
        need, has = sum(needs[each] for each in tensors), buffer.room(tensors[0]).bytes
        if need > has:
            return Lack(what, need, has, tensors, is_part=tensors != pool)
    return None


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
    match lack.what:
        case "L1":
            operands = "each operand" if len(lack.tensors) == len(Tensor) else " and ".join(each.label for each in lack.tensors)
            why = f"needs {lack.need:,} bytes of {lack.place}, it has {lack.has:,}; use a larger {lack.noun}"
            return f"{start}: one word of {operands}{whole} {why}"
        case "L2":
            return f"{start}: tiles of 1{whole} need more than its {lack.has:,} bytes of {lack.place}; use a larger {lack.noun}"
        case _:
            uses = f"of {choices.levels} level{'s' if choices.levels > 1 else ''} uses all of its {pes_text(hardware.shape)}"
            return f"{start}: none {uses}, as the cost model asks; use more levels"


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
            why = f"{need} {lack.need:,} bytes of {lack.place}, it has {lack.has:,}; use smaller sizes or a larger {lack.noun}"
        case _ if lack.need > lack.has:
            why = f"{need} {lack.need:,} PEs, it has {lack.has:,}; use smaller Clusters"
        case _ if isinstance(hardware.shape, Array):
            pes, all_of = pes_text(hardware.shape), guilty.restriction.dividing
            laid = f"must fit its {pes}, each Cluster along the rows or along the columns; use smaller Clusters"
            why = f"must use all of its {pes}, as the cost model asks; use other Clusters" if all_of else laid
        case _:
            why = f"must divide its {lack.has:,} PEs, as the cost model asks; use other Clusters"
    where = f"{choices.constraints.where}, {' and '.join(parts)}"
    return f"layer {choices.layer.name}: no mapping fits the hardware {hardware.name}: {where} {why}"
