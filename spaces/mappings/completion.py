"""Mappings of a space chosen part by part: level by level what is shared out and in which chunks, then the loops, outermost first.

A loop that does not iterate has no place in an order, so each mapping that costs something of its own is reached just once: of
loops that cost the same in either order one comes first, and a SpatialMap either shares its dim out over two units at least, or
stands where it does nothing. Choices that only lead to mappings which cost the same as others are left out (`duplicates.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel, leaf, spliced
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.model.records import Ints, record
from mapsearch.spaces.mappings.duplicates import is_of_level_above, may_be, may_be_larger, may_be_smaller, mirrored_dims
from mapsearch.spaces.mappings.partial import NOTHING, Partial, PartialArrays, PartialMapping, tile_at
from mapsearch.spaces.mappings.space import Space
from mapsearch.spaces.mappings.space_record import SPACE, CompiledSpace, SpaceRecord
from mapsearch.spaces.mappings.tiles import NONE, fills_rounds, overfull_l1, overfull_l2, permitted_at

Bytes = NDArray[np.int8]

# Children made at a time, so that their arrays, some 180 bytes each, stay in the processor's cache.
CHILDREN = 4096
# Instead of a dim: the level has no further loop; the last Cluster gets a smaller size. The latter is then also told by `placed`.
END, SETTLED = -1, -2


class Offer(Protocol):
    """A next choice: of a level to come, the dim that it shares out and its size, or NOTHING; else the next loop's, or END.

    units: of the level to come; else 0. With SETTLED that is all.
    """

    dim: int
    size: int
    units: int


class Work(Protocol):
    """What `open_parts` works on."""

    tile: Annotated[Ints, DIMS]
    chunk: Annotated[Ints, DIMS]
    need: Annotated[Ints, 3]
    before: Annotated[Ints, DIMS]  # sizes that are put back
    offered: int
    unfit: int


OFFER, WORK = record(Offer), record(Work)
Offers = Any  # an array of OFFER; numpy's types know nothing of a record's fields


class Completion:
    """The ways to complete the partial mappings of a space.

    unfit: choices left out so far, as with them nothing fits the buffers.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._made, self._offers = Partial.of_levels(0, space.levels), np.empty(0, OFFER)
        self.unfit = 0

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
        """All ways to make the next choice of mappings none of which is whole, without those that no longer fit, some at a time.

        What is given overwrites what was given before.
        """
        done, room, arrays = 0, max(CHILDREN, len(self._made)), partial.arrays
        while done < len(partial):
            if len(self._made) < room:
                self._made, self._offers = Partial.of_levels(room, self._space.levels), np.empty(room, OFFER)
            done, made, unfit = open_parts(self._space.compiled, arrays, done, self._offers, self._made.arrays)
            self.unfit += unfit
            if made > 0:
                yield self._made[:made]
            elif done < len(partial):  # a part has more children than there is room for
                room *= 2


@leaf
def _fits(s: SpaceRecord, units: int, spatial: int, size: Ints, w: Work) -> bool:
    """Whether a partial mapping fits if its open sizes are 1; units, spatial: of level 0."""
    last = size.shape[0] - 1
    for dim in range(8):
        w.tile[dim] = max(1, abs(size[last, dim]))
    if overfull_l1(s, w.tile, w.need) != NONE:
        return False
    for dim in range(8):
        w.tile[dim] = max(1, abs(size[0, dim]))
    shared = spatial if spatial != NOTHING and size[0, spatial] != 0 else NOTHING
    return bool(overfull_l2(s, w.tile, shared, units, w.chunk, w.need) == NONE)


@inlined
def _close(s: SpaceRecord, size: Ints, level: int) -> None:
    """Make all dims whose loops are open at a level whole, or of their size."""
    for dim in range(8):
        if size[level, dim] <= 0:
            size[level, dim] = -size[level, dim] if size[level, dim] < 0 else tile_at(s, size, level, dim)


@inlined
def _fits_with(s: SpaceRecord, m: PartialMapping, level: int, dim: int, chunk: int, w: Work) -> bool:
    """Whether it may fit with a dim's size at a level, or, with END for it, once the level has no further loop."""
    for other in range(8):
        w.before[other] = m.size[level, other]
    if dim == END:
        _close(s, m.size, level)
    else:
        m.size[level, dim] = chunk
    fits = _fits(s, m.units[0], int(m.spatial[0]), m.size, w)
    for other in range(8):
        m.size[level, other] = w.before[other]
    if not fits:
        w.unfit += 1
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
def _may_end(s: SpaceRecord, listed: Ints, size: Ints, level: int) -> bool:
    """Whether all that is open at a level may be whole."""
    for dim in range(8):
        if size[level, dim] == 0:
            tile = tile_at(s, size, level, dim)
            if permitted_at(s, listed, level, dim, tile, tile) < tile:
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
def _offer(offers: Offers, w: Work, dim: int, size: int, units: int) -> None:
    if w.offered < len(offers):
        offer = offers[w.offered]
        offer.dim, offer.size, offer.units = dim, size, units
    w.offered += 1


@inlined
def _is_worth(s: SpaceRecord, space: CompiledSpace, m: PartialMapping, level: int, dim: int, chunk: int, placed: int) -> bool:
    """Whether to share out a dim in chunks is no duplicate; placed: SETTLED, or not."""
    tile, units = tile_at(s, m.size, level, dim), m.units[level]
    parts = (tile + chunk - 1) // chunk
    if s.even and not fills_rounds(tile, chunk, units):
        return False
    if parts > units:
        return True
    if placed == SETTLED or (level == 0 and may_be_larger(space, s, m, parts)):
        return False
    return not is_of_level_above(space, s, m, level, dim, chunk)


@inlined
def _offer_clusters(s: SpaceRecord, space: CompiledSpace, m: PartialMapping, level: int, offers: Offers, w: Work) -> None:
    """Offer to make the last Cluster smaller, so that the loop of the dim that its units share out iterates."""
    for place in range(s.n_clusters[level]):
        if 1 < space.clusters[level, place] < m.units[level]:
            _offer(offers, w, SETTLED, 0, space.clusters[level, place])


@inlined
def _offer_shares(
    s: SpaceRecord, space: CompiledSpace, m: PartialMapping, level: int, placed: int, offers: Offers, w: Work
) -> None:
    """Offer what a level may share out, in chunks of which size; placed: SETTLED, or not."""
    if placed != SETTLED:
        may_shrink = may_be_smaller(s, m, level)
        _offer(offers, w, NOTHING, 0, 1 if may_shrink and may_be(space, s, level, 1) else m.units[level])
        if may_shrink:
            _offer_clusters(s, space, m, level, offers, w)
    before, listed = m.spatial[level], space.listed
    m.spatial[level] = NOTHING
    dims = s.shared[level] & s.tiled & ~mirrored_dims(s, m, level, 0)
    for dim in range(8):
        tile = tile_at(s, m.size, level, dim)
        if m.units[level] > 1 and dims >> dim & 1 and tile > 1:
            m.spatial[level] = dim
            chunk, fits = permitted_at(s, listed, level, dim, tile, tile), False  # once one fits, all smaller ones do
            while True:
                fits = chunk < tile and (fits or _fits_with(s, m, level, dim, -chunk, w))
                if fits and _is_worth(s, space, m, level, dim, chunk, placed):
                    _offer(offers, w, dim, chunk, m.units[level])
                if chunk <= s.least[level, dim]:
                    break
                chunk = permitted_at(s, listed, level, dim, tile, chunk - 1)
    m.spatial[level] = before


@inlined
def _iterates(s: SpaceRecord, m: PartialMapping, level: int, dim: int, chunk: int) -> bool:
    tile = tile_at(s, m.size, level, dim)
    return bool(chunk * min(m.units[level], (tile + chunk - 1) // chunk) < tile)


@inlined
def _offer_loops(s: SpaceRecord, listed: Ints, m: PartialMapping, level: int, dim: int, offers: Offers, w: Work) -> None:
    """Offer the sizes of a dim whose loop may come next."""
    if m.size[level, dim] < 0:
        chunk = -m.size[level, dim]
        if _iterates(s, m, level, dim, chunk):
            _offer(offers, w, dim, chunk, 0)
        return
    tile = tile_at(s, m.size, level, dim)
    chunk, fits = permitted_at(s, listed, level, dim, tile, tile), False  # once one fits, all smaller ones do
    while True:
        fits = chunk < tile and (fits or _fits_with(s, m, level, dim, chunk, w))
        if fits:
            _offer(offers, w, dim, chunk, 0)
        if chunk <= s.least[level, dim]:
            return
        chunk = permitted_at(s, listed, level, dim, tile, chunk - 1)


@spliced
def _offer_next(s: SpaceRecord, listed: Ints, m: PartialMapping, level: int, placed: int, offers: Offers, w: Work) -> None:
    """Offer the loops that may come next, of what sizes, and whether none does."""
    sp = int(m.spatial[level])
    idle = m.units[level] > 1 and sp == NOTHING
    last = int(m.order[level, placed - 1]) if placed > 0 else END
    outer = 0
    for place in range(placed):
        outer |= 1 << m.order[level, place]
    mirrored = mirrored_dims(s, m, level, placed)
    for dim in range(8):
        if mirrored >> dim & 1:
            continue
        follow = m.size[level, dim] <= 0 and (last == END or s.follows[level, last] >> dim & 1) and not s.inside[level, dim] & outer
        if follow and not (idle and _host(m.order[level], placed, s.shared[level], dim) == NOTHING):
            _offer_loops(s, listed, m, level, dim, offers, w)
    unplaced = sp != NOTHING and m.size[level, sp] < 0 and _iterates(s, m, level, sp, -m.size[level, sp])
    if not unplaced and _may_end(s, listed, m.size, level) and _fits_with(s, m, level, END, 0, w):
        _offer(offers, w, END, 0, 0)


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


@inlined
def _copy(parts: PartialArrays, b: int, children: PartialArrays, c: int) -> None:
    children.level[c], children.placed[c] = parts.level[b], parts.placed[b]
    for level in range(parts.units.shape[1]):
        children.units[c, level], children.chosen[c, level] = parts.units[b, level], parts.chosen[b, level]
        children.spatial[c, level] = parts.spatial[b, level]
        for dim in range(8):
            children.order[c, level, dim], children.size[c, level, dim] = parts.order[b, level, dim], parts.size[b, level, dim]


@inlined
def _set_units(s: SpaceRecord, partial: PartialArrays, b: int, last: int, units: int) -> None:
    """Make the last Cluster smaller, which leaves level 0 more units."""
    partial.units[b, last] = units
    clusters = 1
    for level in range(1, last + 1):
        clusters *= partial.units[b, level]
    partial.units[b, 0] = partial.chosen[b, 0] = s.sides[0] // clusters


@inlined
def _make(s: SpaceRecord, partial: PartialArrays, b: int, dim: int, chunk: int, units: int) -> None:
    """Make an offer in mapping b."""
    placed, spatial, level, size = partial.placed, partial.spatial, int(partial.level[b]), partial.size[b]
    if _is_ready(level, size):
        level += 1
        if units != partial.units[b, level]:
            _set_units(s, partial, b, level, units)
        if dim == SETTLED:
            placed[b] = SETTLED
            return
        partial.level[b], placed[b], partial.chosen[b, level] = level, 0, units
        spatial[b, level] = dim
        for other in range(8):
            tile = tile_at(s, size, level, other)
            size[level, other] = 0 if s.tiled >> other & 1 and tile > 1 else tile
        if dim != NOTHING:
            size[level, dim] = -chunk
    elif dim == END:
        _close(s, size, level)
    else:
        size[level, dim] = chunk
        _place(partial.order[b, level], placed[b], dim)
        placed[b] += 1
    if spatial[b, level] == NOTHING and _is_ready(level, size):
        order, shared = partial.order[b, level], s.shared[level]
        host = _host(order, placed[b], shared, NOTHING)
        spatial[b, level] = host if host != NOTHING else _host(order, 0, shared, NOTHING)


@kernel
def open_parts(
    space: CompiledSpace, parts: PartialArrays, first: int, offers: Offers, children: PartialArrays
) -> tuple[int, int, int]:
    """Write the children of parts, from the first on as far as there is room for all of a part's.

    offers: overwritten; as long as `children`. Returns the part to go on with, how many children are written, and how many choices
    are left out as nothing fits with them.
    """
    s: SpaceRecord = space.record.view(SPACE)[0]
    w: Work = np.zeros(1, WORK)[0]
    made = unfit = 0
    b = first
    while b < len(parts.level):
        m = PartialMapping(parts.units[b], parts.spatial[b], parts.order[b], parts.size[b])
        level = int(parts.level[b])
        w.offered = 0
        if _is_ready(level, m.size):
            _offer_shares(s, space, m, level + 1, int(parts.placed[b]), offers, w)
        else:
            _offer_next(s, space.listed, m, level, int(parts.placed[b]), offers, w)
        if made + w.offered > len(offers):
            break
        for offer in offers[: w.offered]:
            _copy(parts, b, children, made)
            _make(s, children, made, offer.dim, offer.size, offer.units)
            made += 1
        unfit = w.unfit
        b += 1
    return b, made, unfit
