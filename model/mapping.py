"""A mapping: cluster levels of directives, as objects, and in batches as arrays for the cost models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import MappingError
from mapsearch.model.hardware import Array, Pes, outer_units, pes_text
from mapsearch.model.layer import MAX_EXTENT, Layer
from mapsearch.model.tensors import Dim

DIMS = len(Dim)


class MapKind(StrEnum):
    """How a directive hands out its chunks: over time steps or over the units of its level."""

    TEMPORAL = "TemporalMap"
    SPATIAL = "SpatialMap"


@dataclass(frozen=True, slots=True)
class Directive:
    """One map: chunks of `size` indices of a dim (of Y' and X', output rows and columns); the offset equals the size."""

    kind: MapKind
    size: int
    dim: Dim

    @property
    def text(self) -> str:
        """The directive in the directive language, with the dim's name in a convolution."""
        return f"{self.kind}({self.size},{self.size}) {self.dim.label}"


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that a mapping breaks.

    at: () for the whole mapping, (level,) for a level, or (level, index) for a directive of the level.
    """

    at: tuple[int, ...]
    reason: str

    def message(self, layer: str, directive: str) -> str:
        """The error's text: where in the layer, and the reason; `directive` is the directive's own text, if one is meant."""
        where = f"layer {layer}"
        if self.at:
            where += f", level {self.at[0]}"
        if directive:
            where += f": {directive}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Levels of directives, outermost level and outermost loop first.

    clusters[i] is the size of the Cluster between levels i and i+1, so there is one Cluster less than levels. Level i+1 has
    clusters[i] units; level 0 has as many as the PEs form beside them (see `outer_units`).
    A dim that a level does not name is taken whole, innermost.
    """

    levels: tuple[tuple[Directive, ...], ...]
    clusters: tuple[int, ...] = ()

    def units(self, pes: Pes) -> tuple[int, ...]:
        """Units of each level on a machine with these PEs."""
        return (outer_units(pes, self.clusters), *self.clusters)

    def violation(self, pes: Pes | None = None) -> Violation | None:
        """The first law that the mapping breaks on these PEs (None: on every machine), or None.

        The chunks of a directive partition its tile (offset = size), so there are no other laws.
        """
        if len(self.levels) != len(self.clusters) + 1:
            return Violation((), f"{len(self.clusters)} Clusters need {len(self.clusters) + 1} levels, got {len(self.levels)}")
        for members in self.clusters:
            if not 1 <= members <= MAX_EXTENT:
                return Violation((), f"a Cluster must have from 1 to {MAX_EXTENT} members, got {members}")
        if pes is not None and outer_units(pes, self.clusters) == 0:
            return Violation((), f"{self._misfit(pes)}; make a Cluster smaller")
        units = (1,) * len(self.levels) if pes is None else self.units(pes)
        found = (_level_violation(index, level, units[index]) for index, level in enumerate(self.levels))
        return next((violation for violation in found if violation is not None), None)

    def _misfit(self, pes: Pes) -> str:
        if isinstance(pes, Array):
            sizes = " and ".join(map(str, self.clusters))
            return f"Clusters of {sizes} do not fit the {pes_text(pes)}, as each must lie along the rows or along the columns"
        return f"the Clusters need {prod(self.clusters)} PEs and the hardware has {pes}"

    def check(self, layer: Layer, pes: Pes | None = None) -> None:
        """Raise MappingError unless the chunks cover every MAC of the layer exactly once on these PEs (None: on some machine)."""
        violation = self.violation(pes)
        if violation is not None:
            raise MappingError(violation.message(layer.name, self._text(violation)))

    def _text(self, violation: Violation) -> str:
        match violation.at:
            case (level, index):
                return self.levels[level][index].text
            case _:
                return ""


def _level_violation(level: int, directives: tuple[Directive, ...], units: int) -> Violation | None:
    seen: set[Dim] = set()
    spatial = False
    for index, directive in enumerate(directives):
        at = (level, index)
        if not 1 <= directive.size <= MAX_EXTENT:
            return Violation(at, f"the size must be from 1 to {MAX_EXTENT}")
        if directive.dim in seen:
            return Violation(at, "a level maps each dim at most once; remove one of the two")
        if spatial and directive.kind is MapKind.SPATIAL:
            return Violation(at, "a level has at most one SpatialMap, and this is its second; put a Cluster between them")
        seen.add(directive.dim)
        spatial = spatial or directive.kind is MapKind.SPATIAL
    if units > 1 and not spatial:
        reason = f"its {units} units have no SpatialMap, so each would repeat the same MACs"
        return Violation((level,), f"{reason}; add one SpatialMap, or make the Clusters use up the PEs")
    return None


class MappingArrays(NamedTuple):
    """The arrays of a `MappingBatch` as kernels take them: contiguous, since numba compiles them again for strided arrays."""

    units: NDArray[np.int64]
    spatial: NDArray[np.int8]
    order: NDArray[np.int8]
    size: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MappingBatch:
    """B mappings of L levels as arrays; every level names every dim.

    units:   int64[B, L]     units of each level
    spatial: int8[B, L]      the dim of the level's SpatialMap, or -1
    order:   int8[B, L, 8]   dims of each level, outermost loop first; a permutation of 0..7
    size:    int64[B, L, 8]  chunk size of each dim at each level, indexed by dim, at most the tile's nominal size
                             (the size of the level above; at level 0 the extent)
    """

    units: NDArray[np.int64]
    spatial: NDArray[np.int8]
    order: NDArray[np.int8]
    size: NDArray[np.int64]

    @classmethod
    def empty(cls, levels: int) -> MappingBatch:
        """A batch of no mappings with this number of levels."""
        return cls.blank(0, levels)

    @classmethod
    def blank(cls, count: int, levels: int) -> MappingBatch:
        """A batch whose arrays are still to be written."""
        shape = (count, levels)
        sizes = (*shape, DIMS)
        return cls(np.empty(shape, np.int64), np.empty(shape, np.int8), np.empty(sizes, np.int8), np.empty(sizes, np.int64))

    def __len__(self) -> int:
        return len(self.units)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> MappingBatch:
        return MappingBatch(self.units[rows], self.spatial[rows], self.order[rows], self.size[rows])

    @property
    def arrays(self) -> MappingArrays:
        """The arrays for kernels; a kernel that writes to them changes the batch itself where its arrays are contiguous."""
        units, spatial = np.ascontiguousarray(self.units), np.ascontiguousarray(self.spatial)
        return MappingArrays(units, spatial, np.ascontiguousarray(self.order), np.ascontiguousarray(self.size))

    def join(self, other: MappingBatch) -> MappingBatch:
        """The mappings of both, which have the same number of levels."""
        return join_all((self, other))

    def decode(self, row: int, layer: Layer) -> Mapping:
        """The mapping of one row, naming at each level the dims whose tile has more than one index."""
        levels: list[tuple[Directive, ...]] = []
        tile = list(layer.extents)
        for level in range(int(self.units.shape[1])):
            directives: list[Directive] = []
            spatial = int(self.spatial[row, level])
            for index in self.order[row, level]:
                dim = Dim(int(index))
                size = int(self.size[row, level, dim])
                if tile[dim] > 1 or dim == spatial:
                    directives.append(Directive(MapKind.SPATIAL if dim == spatial else MapKind.TEMPORAL, size, dim))
                tile[dim] = size
            levels.append(tuple(directives))
        return Mapping(tuple(levels), tuple(int(n) for n in self.units[row, 1:]))


def join_all(batches: Sequence[MappingBatch]) -> MappingBatch:
    """The mappings of one or more batches that have the same number of levels."""
    return MappingBatch(
        np.concatenate([batch.units for batch in batches]),
        np.concatenate([batch.spatial for batch in batches]),
        np.concatenate([batch.order for batch in batches]),
        np.concatenate([batch.size for batch in batches]),
    )


def encode(mappings: Sequence[Mapping], layer: Layer, pes: Pes) -> MappingBatch:
    """The arrays of mappings that all have the same number of levels; each is checked first (MappingError)."""
    levels = len(mappings[0].levels)
    shape = (len(mappings), levels)
    units = np.empty(shape, np.int64)
    spatial = np.full(shape, -1, np.int8)
    order = np.empty((*shape, DIMS), np.int8)
    size = np.empty((*shape, DIMS), np.int64)
    for row, mapping in enumerate(mappings):
        mapping.check(layer, pes)
        units[row] = mapping.units(pes)
        tile = list(layer.extents)
        for index, level in enumerate(mapping.levels):
            for directive in level:
                tile[directive.dim] = min(directive.size, tile[directive.dim])
                if directive.kind is MapKind.SPATIAL:
                    spatial[row, index] = directive.dim
            named = [directive.dim for directive in level]
            order[row, index] = named + [dim for dim in Dim if dim not in named]
            size[row, index] = tile
    return MappingBatch(units, spatial, order, size)
