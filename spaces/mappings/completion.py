"""Mappings of a space chosen part by part: level by level what is shared out and in which chunks, then the loops, outermost first.

A loop that does not iterate has no place in an order, so each mapping that costs something of its own is reached just once: of
loops that cost the same in either order one comes first, and a SpatialMap either shares its dim out over two units at least, or
stands where it does nothing. What is still open is a size of 0, whose loop will stand inside those chosen, the place there of the
loop of a dim that is shared out, whose size is negative, and a level of 0 units (see `BoundedModel`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.spaces.mappings.orders import interchangeable
from mapsearch.spaces.mappings.space import Space
from mapsearch.spaces.mappings.tiles import LEAST, fits_l1, fits_l2, permitted

Ints = NDArray[np.int64]
Bytes = NDArray[np.int8]
Bools = NDArray[np.bool_]

# Parts whose children are made at a time: some hundred each, so that their arrays stay in the processor's cache.
CHUNK = 512
# Instead of a dim: nothing is shared out; the level has no further loop.
NOTHING, END = -1, -1


@dataclass(frozen=True, slots=True)
class Partial:
    """B partly chosen mappings.

    batch: what is chosen; `spatial` is NOTHING where no dim is shared out and the level is not whole. units: int64[B, L], of each
    level, also of those that are open. level: int8[B], the one being chosen, -1 before the first. placed: int8[B], its loops that
    are chosen, the first of its order.
    """

    batch: MappingBatch
    units: Ints
    level: Bytes
    placed: Bytes

    def __len__(self) -> int:
        return len(self.level)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Partial:
        return Partial(self.batch[rows], self.units[rows], self.level[rows], self.placed[rows])


class Completion:
    """The ways to complete the partial mappings of a space.

    unfit: choices left out so far, as with them nothing fits the buffers.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.unfit = 0
        self._extents = np.array(space.layer.extents, np.int64)
        choices = space.choices
        self._bounds = choices.bounds
        self._tiled = np.isin(np.arange(DIMS), space.dims)
        self._inside = np.array(choices.inside, np.int64)
        self._shared = np.array([sum(1 << dim for dim in dims) for dims in choices.spatial], np.int64)
        self._follows = np.ones((space.levels, DIMS, DIMS), np.bool_)
        for one, other in permutations(space.dims, 2):
            if one > other and interchangeable(space.layer, one, other):
                self._follows[:, one, other] = [inside[one] >> other & 1 for inside in choices.inside]

    def begin(self) -> Partial:
        """One mapping for each choice of Clusters, all else open."""
        choices = self._space.choices
        chosen = [choices.units(clusters) for clusters in choices.clusters]
        shape = (len(chosen), choices.levels)
        order = np.tile(np.arange(DIMS, dtype=np.int8), (*shape, 1))
        batch = MappingBatch(np.zeros(shape, np.int64), np.zeros(shape, np.int8), order, np.zeros((*shape, DIMS), np.int64))
        none = np.zeros(len(chosen), np.int8)
        return Partial(batch, np.array(chosen, np.int64), none - np.int8(1), none)

    def whole(self, partial: Partial) -> NDArray[np.bool_]:
        """bool[B], which are mappings with nothing open."""
        complete: NDArray[np.bool_] = (partial.level == self._space.levels - 1) & (partial.batch.size > 0).all(axis=(1, 2))
        return complete

    def children(self, partial: Partial) -> Iterator[Partial]:
        """All ways to make the next choice of mappings none of which is whole, without those that no longer fit, in chunks."""
        for first in range(0, len(partial), CHUNK):
            some = partial[first : first + CHUNK]
            counts = np.zeros(len(some), np.int64)
            self.unfit += self._choose(some, counts, np.empty((0, 2), np.int64))
            choices = np.empty((int(counts.sum()), 2), np.int64)
            self._choose(some, counts, choices)
            found = some[np.repeat(np.arange(len(some)), counts)]
            batch = found.batch
            make(
                self._extents, self._tiled, self._shared, choices, found.units, found.level, found.placed,
                batch.units, batch.spatial, batch.order, batch.size,
            )  # fmt: skip
            yield found

    def _choose(self, partial: Partial, counts: Ints, choices: Ints) -> int:
        batch = partial.batch
        unfit: int = choose(
            self._extents, self._bounds, self._tiled, self._follows, self._inside, self._shared,
            self._space.limits, int(self._space.tiles), partial.units, partial.level, partial.placed,
            batch.units, batch.spatial, batch.order, batch.size, counts, choices,
        )  # fmt: skip
        return unfit


@inlined
def _tile(extents: Ints, size: Ints, level: int, dim: int) -> int:
    return int(extents[dim] if level == 0 else size[level - 1, dim])


@inlined
def _fits(extents: Ints, limits: Ints, units: Ints, spatial: Bytes, size: Ints, work: Ints) -> bool:
    """Whether a partial mapping fits if its open sizes are 1; work: [3, 8]."""
    last = size.shape[0] - 1
    for dim in range(8):
        work[0, dim] = max(1, abs(size[last, dim]))
    if not fits_l1(work[0], limits, work[1]):
        return False
    for dim in range(8):
        work[0, dim] = max(1, abs(size[0, dim]))
    shared = spatial[0] if spatial[0] != NOTHING and size[0, spatial[0]] != 0 else NOTHING
    return bool(fits_l2(extents, work[0], shared, units[0], limits, work[1], work[2]))


@inlined
def _close(extents: Ints, size: Ints, level: int) -> None:
    """Make all dims whose loops are open at a level whole, or of their size."""
    for dim in range(8):
        if size[level, dim] <= 0:
            size[level, dim] = -size[level, dim] if size[level, dim] < 0 else _tile(extents, size, level, dim)


@inlined
def _fits_with(
    extents: Ints, limits: Ints, units: Ints, spatial: Bytes, size: Ints, level: int, dim: int, chunk: int, work: Ints
) -> bool:  # fmt: skip
    """Whether it may fit with a dim's size at a level, or, with END for it, once the level has no further loop.

    work: [5, 8], the last row of which counts what does not.
    """
    for other in range(8):
        work[3, other] = size[level, other]
    if dim == END:
        _close(extents, size, level)
    else:
        size[level, dim] = chunk
    fits = _fits(extents, limits, units, spatial, size, work)
    for other in range(8):
        size[level, other] = work[3, other]
    if not fits:
        work[4, 0] += 1
    return bool(fits)


@inlined
def _is_ready(level: int, size: Ints) -> bool:
    """Whether all of a level is chosen."""
    if level >= 0:
        for dim in range(8):
            if size[level, dim] <= 0:
                return False
    return True


@inlined
def _may_end(extents: Ints, bounds: Ints, rule: int, size: Ints, level: int) -> bool:
    """Whether all that is open at a level may be whole."""
    for dim in range(8):
        if size[level, dim] == 0:
            tile = _tile(extents, size, level, dim)
            if permitted(tile, tile, bounds, level, dim, rule) < tile:
                return False
    return True


@inlined
def _host(order: Bytes, placed: int, shared: int, but: int) -> int:
    """A dim for a SpatialMap that does nothing, as its loop does not iterate; NOTHING where there is none.

    shared: as bits, those that it may be; but: that loop will iterate.
    """
    for place in range(placed, 8):
        dim = int(order[place])
        if dim != but and shared >> dim & 1:
            return dim
    return NOTHING


@inlined
def _offer(choices: Ints, at: int, dim: int, size: int) -> int:
    if choices.shape[0] > 0:
        choices[at, 0], choices[at, 1] = dim, size
    return at + 1


@inlined
def _offer_shares(
    extents: Ints, bounds: Ints, tiled: Bools, limits: Ints, rule: int, shared: int, units: Ints, spatial: Bytes, size: Ints,
    level: int, choices: Ints, at: int, work: Ints,
) -> int:  # fmt: skip
    """Offer what a level may share out, in chunks of which size; returns how many offers are made."""
    at = _offer(choices, at, NOTHING, 0)
    before = spatial[level]
    for dim in range(8):
        tile = _tile(extents, size, level, dim)
        if units[level] > 1 and shared >> dim & 1 and tiled[dim] and tile > 1:
            spatial[level] = dim
            chunk = permitted(tile, tile, bounds, level, dim, rule)
            while True:
                if chunk < tile and _fits_with(extents, limits, units, spatial, size, level, dim, -chunk, work):
                    at = _offer(choices, at, dim, chunk)
                if chunk <= bounds[level, dim, LEAST]:
                    break
                chunk = permitted(tile, chunk - 1, bounds, level, dim, rule)
    spatial[level] = before
    return at


@inlined
def _iterates(extents: Ints, size: Ints, level: int, dim: int, chunk: int, units: int) -> bool:
    tile = _tile(extents, size, level, dim)
    return bool(chunk * min(units, (tile + chunk - 1) // chunk) < tile)


@inlined
def _offer_loops(
    extents: Ints, bounds: Ints, limits: Ints, rule: int, chosen: Ints, many: int, spatial: Bytes, size: Ints, level: int, dim: int,
    choices: Ints, at: int, work: Ints,
) -> int:  # fmt: skip
    """Offer the sizes of a dim whose loop may come next; returns how many offers are made."""
    if size[level, dim] < 0:
        chunk = -size[level, dim]
        return _offer(choices, at, dim, chunk) if _iterates(extents, size, level, dim, chunk, many) else at
    tile = _tile(extents, size, level, dim)
    chunk = permitted(tile, tile, bounds, level, dim, rule)
    while True:
        if chunk < tile and _fits_with(extents, limits, chosen, spatial, size, level, dim, chunk, work):
            at = _offer(choices, at, dim, chunk)
        if chunk <= bounds[level, dim, LEAST]:
            return at
        chunk = permitted(tile, chunk - 1, bounds, level, dim, rule)


@kernel
def choose(
    extents: Ints, bounds: Ints, tiled: Bools, follows: Bools, inside: Ints, shared: Ints, limits: Ints, rule: int, units: Ints,
    levels: Bytes, placed: Bytes, chosen: Ints, spatial: Bytes, order: Bytes, size: Ints, counts: Ints, choices: Ints,
) -> int:  # fmt: skip
    """Write counts[b], the ways to make mapping b's next choice, and, unless `choices` is empty, each as (dim, size).

    Returns how many are left out as nothing fits with them.

    Of a level to come, the dim that it shares out and its size, or NOTHING; else the next loop's dim and size, or END.
    units, levels, placed: as in `Partial` (chosen: its batch's units); bounds: see `Choices`; tiled, follows, inside, shared: see
    `Completion`.
    """
    work = np.zeros((5, 8), np.int64)
    at = 0
    for b in range(levels.shape[0]):
        before, level = at, int(levels[b])
        if _is_ready(level, size[b]):
            level += 1
            at = _offer_shares(
                extents, bounds, tiled, limits, rule, shared[level], units[b], spatial[b], size[b], level, choices, at, work
            )  # fmt: skip
            counts[b] = at - before
            continue
        many, sp, n = units[b, level], int(spatial[b, level]), int(placed[b])
        idle = many > 1 and sp == NOTHING
        last = int(order[b, level, n - 1]) if n > 0 else END
        outer = 0
        for place in range(n):
            outer |= 1 << order[b, level, place]
        for dim in range(8):
            follow = size[b, level, dim] <= 0 and (last == END or follows[level, last, dim]) and not inside[level, dim] & outer
            if follow and not (idle and _host(order[b, level], n, shared[level], dim) == NOTHING):
                at = _offer_loops(
                    extents, bounds, limits, rule, chosen[b], many, spatial[b], size[b], level, dim, choices, at, work
                )
        unplaced = sp != NOTHING and size[b, level, sp] < 0 and _iterates(extents, size[b], level, sp, -size[b, level, sp], many)
        may_end = not unplaced and _may_end(extents, bounds, rule, size[b], level)
        if may_end and _fits_with(extents, limits, chosen[b], spatial[b], size[b], level, END, 0, work):
            at = _offer(choices, at, END, 0)
        counts[b] = at - before
    return int(work[4, 0])


@inlined
def _place(order: Bytes, placed: int, dim: int) -> None:
    """Put a dim behind the loops that are chosen, and leave the others in turn."""
    place = placed
    while order[place] != dim:
        place += 1
    while place > placed:
        order[place] = order[place - 1]
        place -= 1
    order[placed] = dim


@kernel
def make(
    extents: Ints, tiled: Bools, shared: Ints, choices: Ints, units: Ints, levels: Bytes, placed: Bytes, chosen: Ints,
    spatial: Bytes, order: Bytes, size: Ints,
) -> None:  # fmt: skip
    """Make choice b in mapping b, in place; see `choose`."""
    for b in range(levels.shape[0]):
        dim, chunk = choices[b, 0], choices[b, 1]
        level = int(levels[b])
        if _is_ready(level, size[b]):
            level += 1
            levels[b], placed[b], chosen[b, level], spatial[b, level] = level, 0, units[b, level], dim
            for other in range(8):
                tile = _tile(extents, size[b], level, other)
                size[b, level, other] = 0 if tiled[other] and tile > 1 else tile
            if dim != NOTHING:
                size[b, level, dim] = -chunk
        elif dim == END:
            _close(extents, size[b], level)
        else:
            size[b, level, dim] = chunk
            _place(order[b, level], placed[b], dim)
            placed[b] += 1
        if spatial[b, level] == NOTHING and _is_ready(level, size[b]):
            host = _host(order[b, level], placed[b], shared[level], NOTHING)
            spatial[b, level] = host if host != NOTHING else _host(order[b, level], 0, shared[level], NOTHING)
