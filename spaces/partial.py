"""Mappings of a space chosen part by part: level by level the loops that iterate and what is shared out, then the sizes.

A loop that does not iterate has no place in an order, so each mapping that costs something of its own is reached just once: a
level's order lists only the dims that iterate there, of orders that cost the same the first stands for all, and a SpatialMap
either shares its dim out over two units at least, or stands where it does nothing. What is still open is a size of 0, and a
level of 0 units (see `BoundedModel`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel
from mapsearch.model.layer import Dim
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.spaces.orders import kinds_of, orders_of
from mapsearch.spaces.space import Space
from mapsearch.spaces.tiles import LEAST, MOST, fits_l1, fits_l2, permitted

Ints = NDArray[np.int64]
Bytes = NDArray[np.int8]

# Children made at a time: so many arrays stay in the processor's cache.
CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Partial:
    """B partly chosen mappings.

    batch: what is chosen. units: int64[B, L], of each level, also of those that are open. turning: int64[B, L], the dims that
    iterate at a level, as bits. level: int8[B], the one being chosen, -1 before the first.
    """

    batch: MappingBatch
    units: Ints
    turning: Ints
    level: Bytes

    def __len__(self) -> int:
        return len(self.level)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Partial:
        return Partial(self.batch[rows], self.units[rows], self.turning[rows], self.level[rows])


class Completion:
    """The ways to complete the partial mappings of a space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._extents = np.array(space.layer.extents, np.int64)
        self._bounds = space.choices.bounds
        self._kinds = kinds_of(space.layer)

    def begin(self) -> Partial:
        """One mapping for each choice of Clusters, all else open."""
        choices = self._space.choices
        chosen = [choices.units(clusters) for clusters in choices.clusters]
        shape = (len(chosen), choices.levels)
        order = np.tile(np.arange(DIMS, dtype=np.int8), (*shape, 1))
        batch = MappingBatch(np.zeros(shape, np.int64), np.zeros(shape, np.int8), order, np.zeros((*shape, DIMS), np.int64))
        return Partial(batch, np.array(chosen, np.int64), np.zeros(shape, np.int64), np.full(len(chosen), -1, np.int8))

    def whole(self, partial: Partial) -> NDArray[np.bool_]:
        """bool[B], which are mappings with nothing open."""
        complete: NDArray[np.bool_] = (partial.level == self._space.levels - 1) & (partial.batch.size != 0).all(axis=(1, 2))
        return complete

    def ready(self, partial: Partial) -> NDArray[np.bool_]:
        """bool[B], which have all sizes of their level: the next choice is another level, of which there may be thousands."""
        here = partial.batch.size[np.arange(len(partial)), np.maximum(partial.level, 0)]
        chosen: NDArray[np.bool_] = (partial.level < 0) | (here != 0).all(axis=1)
        return chosen

    def children(self, partial: Partial) -> Iterator[Partial]:
        """All ways to make the next choice of mappings none of which is whole, without those that no longer fit, in chunks."""
        ready = self.ready(partial)
        yield from self._structures(partial[ready])
        yield from self._sizes(partial[~ready])

    def _structures(self, partial: Partial) -> Iterator[Partial]:
        """The next level's loops, order and shared dim."""
        if len(partial) == 0:
            return
        level = partial.level.astype(np.int64) + 1
        rows = np.arange(len(partial))
        tile = np.where((level > 0)[:, None], partial.batch.size[rows, np.maximum(level - 1, 0)], self._extents)
        units = partial.units[rows, level]
        may_iterate, must_divide = tile > self._bounds[level, :, LEAST], tile > self._bounds[level, :, MOST]
        keys = np.stack([level, _as_bits(may_iterate), _as_bits(must_divide), units > 1], axis=1)
        kinds, kind = np.unique(keys, axis=0, return_inverse=True)
        for number, (at, iterable, divided, shared) in enumerate(kinds.tolist()):
            alike = np.flatnonzero(kind.ravel() == number)
            templates = self._templates(at, iterable, divided, shared)
            step = max(1, CHUNK // max(1, len(templates.spatial)))
            for first in range(0, len(alike), step):
                some = alike[first : first + step]
                yield self._fitting(self._with_structure(partial[some], tile[some], at, templates))

    def _with_structure(self, partial: Partial, tile: Ints, level: int, templates: _Templates) -> Partial:
        each = np.repeat(np.arange(len(partial)), len(templates.spatial))
        which = np.tile(np.arange(len(templates.spatial)), len(partial))
        found = partial[each]
        found.batch.units[:, level] = found.units[:, level]
        found.batch.order[:, level] = templates.order[which]
        found.batch.spatial[:, level] = templates.spatial[which]
        found.batch.size[:, level] = np.where(templates.open[which], 0, tile[each])
        found.turning[:, level] = templates.turning[which]
        found.level[:] = level
        return found

    @cache  # noqa: B019 it lives as long as the search
    def _templates(self, level: int, iterable: int, divided: int, shared: int) -> _Templates:
        """What a level may be where the dims of `iterable` may have more than one chunk; those of `divided` must.

        shared: 1 where it has several units.
        """
        dims = [dim for dim in self._space.dims if iterable >> dim & 1]
        may_be = self._space.choices.spatial[level]
        found: list[tuple[list[Dim], Dim, list[Dim], int]] = []
        for turning in self._orders(level, dims):
            order = [*turning, *(dim for dim in Dim if dim not in turning)]
            bits = sum(1 << dim for dim in turning)
            if shared:
                found += [(order, dim, [*turning, dim], bits) for dim in dims if dim in may_be]
            still = [dim for dim in may_be if dim not in turning]
            idle = still if shared else [*still, *may_be]
            if idle:
                found.append((order, idle[0], list(turning), bits))
        found = [each for each in found if all(dim in each[2] for dim in dims if divided >> dim & 1)]
        is_open = np.zeros((len(found), DIMS), np.bool_)
        for row, (_, _, sizes, _) in enumerate(found):
            is_open[row, sizes] = True
        order_, spatial, turning_ = ([each[part] for each in found] for part in (0, 1, 3))
        return _Templates(
            np.array(order_, np.int8).reshape(-1, DIMS), np.array(spatial, np.int8), is_open, np.array(turning_, np.int64)
        )

    def _orders(self, level: int, dims: list[Dim]) -> Iterator[tuple[Dim, ...]]:
        """The orders of each subset of the dims that may iterate."""
        inside = self._space.choices.inside[level]
        for count in range(len(dims) + 1):
            yield from sorted(order for some in combinations(dims, count) for order in orders_of(some, self._kinds, inside))

    def _sizes(self, partial: Partial) -> Iterator[Partial]:
        """The next open size of the level: of the dim that is shared out, else of the outermost loop."""
        step = max(1, CHUNK // 64)
        rule, limits = int(self._space.tiles), self._space.limits
        for first in range(0, len(partial), step):
            some = partial[first : first + step]
            batch = some.batch
            inputs = (batch.units, some.units, batch.spatial, batch.order, batch.size, some.turning, some.level)
            counts = np.zeros(len(some), np.int64)
            choose_sizes(self._extents, self._bounds, limits, rule, *inputs, counts, np.empty((0, 2), np.int64))
            choices = np.empty((int(counts.sum()), 2), np.int64)
            choose_sizes(self._extents, self._bounds, limits, rule, *inputs, counts, choices)
            found = some[np.repeat(np.arange(len(some)), counts)]
            rows = np.arange(len(found))
            found.batch.size[rows, found.level.astype(np.int64), choices[:, 0]] = choices[:, 1]
            yield found

    def _fitting(self, partial: Partial) -> Partial:
        batch = partial.batch
        fits = np.empty(len(partial), np.bool_)
        fit_partials(self._extents, self._space.limits, batch.units, batch.spatial, batch.size, fits)
        return partial[fits]


def _as_bits(dims: NDArray[np.bool_]) -> Ints:
    """int64[B]: the dims of bool[B, 8] as bits."""
    bits: Ints = (dims << np.arange(DIMS)).sum(axis=1)
    return bits


@dataclass(frozen=True, slots=True)
class _Templates:
    """T ways to choose a level but for its sizes: order int8[T, 8], spatial int8[T], open bool[T, 8], turning int64[T]."""

    order: Bytes
    spatial: Bytes
    open: NDArray[np.bool_]
    turning: Ints


@inlined
def _fits(extents: Ints, limits: Ints, units: Ints, spatial: Bytes, size: Ints, work: Ints) -> bool:
    """Whether a partial mapping fits if its open sizes are 1; work: [3, 8]."""
    last = size.shape[0] - 1
    for dim in range(8):
        work[0, dim] = max(1, size[last, dim])
    if not fits_l1(work[0], limits, work[1]):
        return False
    for dim in range(8):
        work[0, dim] = max(1, size[0, dim])
    shared = spatial[0] if size[0, spatial[0]] > 0 else -1
    return bool(fits_l2(extents, work[0], shared, units[0], limits, work[1], work[2]))


@kernel
def fit_partials(extents: Ints, limits: Ints, units: Ints, spatial: Bytes, size: Ints, fits: NDArray[np.bool_]) -> None:
    """Write fits[b]: whether any way to complete mapping b may fit the L1 and the L2; arrays as in `MappingBatch`."""
    work = np.empty((3, 8), np.int64)
    for b in range(units.shape[0]):
        fits[b] = _fits(extents, limits, units[b], spatial[b], size[b], work)


@inlined
def _allowed(tile: int, chunk: int, units: int, turns: int) -> bool:
    """Whether a chunk makes its loop iterate as it should, and is shared out over two units at least where `units` are many."""
    share = min(units, (tile + chunk - 1) // chunk)
    if units > 1 and share < 2:
        return False
    return bool(int(chunk * share < tile) == turns)


@kernel
def choose_sizes(
    extents: Ints, bounds: Ints, limits: Ints, rule: int, chosen: Ints, units: Ints, spatial: Bytes, order: Bytes, size: Ints,
    turning: Ints, level: Bytes, counts: Ints, choices: Ints,
) -> None:  # fmt: skip
    """Write counts[b], the sizes that mapping b's next open dim may have, and, unless `choices` is empty, (dim, size) of each.

    chosen, units, turning, level: as in `Partial` (chosen: its batch's units); bounds: as in `tiles.settle`;
    choices: int64[counts.sum(), 2].
    """
    work = np.empty((3, 8), np.int64)
    written = 0
    for b in range(level.shape[0]):
        at = level[b]
        dim = int(spatial[b, at])
        many = units[b, at] if size[b, at, dim] == 0 and units[b, at] > 1 else 1
        if many == 1:
            place = 0
            while size[b, at, order[b, at, place]] != 0:
                place += 1
            dim = int(order[b, at, place])
        tile = extents[dim] if at == 0 else size[b, at - 1, dim]
        turns = turning[b, at] >> dim & 1
        counts[b] = 0
        chunk = permitted(tile, tile, bounds, at, dim, rule)
        while True:
            if _allowed(tile, chunk, many, turns):
                size[b, at, dim] = chunk
                if _fits(extents, limits, chosen[b], spatial[b], size[b], work):
                    counts[b] += 1
                    if choices.shape[0] > 0:
                        choices[written, 0], choices[written, 1] = dim, chunk
                        written += 1
                size[b, at, dim] = 0
            if chunk <= bounds[at, dim, LEAST]:
                break
            chunk = permitted(tile, chunk - 1, bounds, at, dim, rule)
