"""Tile sizes that are legal by construction: drawn or changed, then brought back under what L1 and L2 hold.

A chain of sizes, one a level and dim, is legal where each is permitted for the tile above it and where

    L1: sum over its tensors of bytes(innermost tile) x copies                         <= bytes of each room
    L2: sum over its tensors of min(bytes(tensor), bytes(level-0 working set) x copies) <= bytes of each room

A room is a tensor's own part of the buffer, or the pool of those that have none. There are 2 copies of what is double-buffered, 1
of what is not, and none of what passes the buffer by. The second law is exactly the least need over all depths of residency: a
footprint shrinks as the depth grows, so the least is that of depth 0, which never moves, or that of the full depth. Where the L2
keeps no tile from step to step, that of the full depth counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel, leaf
from mapsearch.model.mapping import MappingArrays
from mapsearch.model.records import Ints, Rooms
from mapsearch.model.rooms import bytes_for
from mapsearch.model.windows import tile_words
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space_record import SPACE, CompiledSpace, SpaceRecord

Bytes = NDArray[np.int8]


NONE = -1  # no room

BALANCED, DIVISORS = int(TileRule.BALANCED), int(TileRule.DIVISORS)


@leaf
def allowed_size(tile: int, size: int, rule: int) -> int:
    """The largest allowed size of a tile that is at most `size`, or 1."""
    size = max(1, min(size, tile))
    if rule == BALANCED:
        trips = (tile + size - 1) // size
        smallest = (tile + trips - 1) // trips
        return int(smallest)
    if rule == DIVISORS:
        best = 1
        low = 1
        while low * low <= tile:
            if tile % low == 0:
                if low <= size:
                    best = max(best, low)
                if tile // low <= size:
                    best = max(best, tile // low)
            low += 1
        return best
    return size


@leaf
def permitted(tile: int, size: int, least: int, most: int, listed: Ints, rule: int) -> int:
    """The largest permitted size of a tile that is at most `size`, or else the least.

    least, most, listed: see `Bounds`. Permitted are those of the list or, without one, both ends and what the rule allows between
    them.
    """
    low, high = min(least, tile), min(most, tile)
    if len(listed) > 0 and listed[0] > 0:
        found = low
        for each in listed:
            if found < min(each, tile) <= size:
                found = min(each, tile)
        return int(found)
    if size >= high:
        return int(high)
    return int(max(low, allowed_size(tile, size, rule)))


@leaf
def fills_rounds(tile: int, size: int, units: int) -> bool:
    """Whether the chunks of a tile, one for each of some units in each round, need as many of the units in the last round."""
    chunks = (tile + size - 1) // size
    return bool(chunks <= units or chunks % units == 0)


@leaf
def permitted_at(s: SpaceRecord, listed: Ints, level: int, dim: int, tile: int, size: int) -> int:
    """The same of a dim at a level."""
    return permitted(tile, size, s.least[level, dim], s.most[level, dim], listed[level, dim], s.rule)


@leaf
def _shared_at(s: SpaceRecord, listed: Ints, level: int, dim: int, tile: int, size: int, units: int) -> int:
    """The largest permitted size, at most `size`, of a tile that units share; where the law `even` leaves none, the next."""
    if not s.even:
        return int(permitted_at(s, listed, level, dim, tile, size))
    at = found = permitted_at(s, listed, level, dim, tile, tile)
    while True:
        if fills_rounds(tile, at, units):
            found = at
            if at <= size:
                return int(at)
        if at <= s.least[level, dim]:
            return int(found)
        at = permitted_at(s, listed, level, dim, tile, at - 1)


@inlined
def _tensor_bytes(s: SpaceRecord, rooms: Rooms, tile: Ints, out: Ints) -> None:
    """Bytes of W, I and O that a tile of eight lengths takes in a buffer."""
    words = tile_words(tile, s.windows[0, 0], s.windows[0, 1], s.windows[1, 0], s.windows[1, 1])
    out[0], out[1], out[2] = words[0], words[1], words[2]
    for tensor in range(3):
        out[tensor] = bytes_for(rooms, tensor, out[tensor])


@inlined
def _overfull(rooms: Rooms, need: Ints) -> int:
    """The first room that has less than its tensors need, or NONE; need: bytes of each tensor, overwritten."""
    for tensor in range(1, 3):
        room = rooms.of[tensor]  # the first of its tensors
        if room < tensor:
            need[room] += need[tensor]
            need[tensor] = 0
    for room in range(3):
        if need[room] > rooms.bytes[room]:
            return room
    return NONE


@inlined
def overfull_l1(s: SpaceRecord, tile: Ints, need: Ints) -> int:
    """The room of a PE's L1 that the operands of a tile do not fit, or NONE; need: [3 or more], overwritten."""
    _tensor_bytes(s, s.machine.l1, tile, need)
    for tensor in range(3):
        need[tensor] *= s.machine.l1.copies[tensor]
    return _overfull(s.machine.l1, need)


@inlined
def overfull_l2(s: SpaceRecord, tile: Ints, spatial: int, units: int, chunk: Ints, need: Ints) -> int:
    """The room of L2 that the working set of a level-0 tile, of all units of its spatial dim together, does not fit, or NONE.

    spatial: -1 for none; chunk: [8] and need: [3 or more], overwritten.
    """
    for dim in range(8):
        chunk[dim] = tile[dim]
    if spatial >= 0:
        chunk[spatial] = min(s.extents[spatial], tile[spatial] * units)
    _tensor_bytes(s, s.machine.l2, chunk, need)
    for tensor in range(3):
        need[tensor] *= s.machine.l2.copies[tensor]
        if s.machine.keeps:
            need[tensor] = min(s.whole_bytes[tensor], need[tensor])
    return _overfull(s.machine.l2, need)


@kernel
def _shrink(s: SpaceRecord, listed: Ints, level: int, work: Ints, tile: Ints, dims: int, rng: np.random.Generator) -> bool:
    """Shrink one of the dims of a tile to about half, picked at random; False where all have their least size already.

    dims: as bits; work: see `settle`.
    """
    above, shares = work[2], work[3]
    start = rng.integers(0, 8)
    for k in range(8):
        dim = (start + k) % 8
        if dims >> dim & 1 and tile[dim] > min(s.least[level, dim], above[dim]):
            size = _shared_at(s, listed, level, int(dim), above[dim], tile[dim] // 2, shares[dim])
            if size < tile[dim]:
                tile[dim] = size
                return True
    return False


@kernel
def _collapse(s: SpaceRecord, size: Ints, dims: int, rng: np.random.Generator) -> bool:
    """Give one of the dims (bits), picked at random, its least sizes at all levels; False where all have them already."""
    levels = size.shape[0]
    start = rng.integers(0, 8)
    for k in range(8):
        dim = (start + k) % 8
        least = s.extents[dim]
        for level in range(levels):
            least = min(s.least[level, dim], least)
        if dims >> dim & 1 and size[levels - 1, dim] > least:
            least = s.extents[dim]
            for level in range(levels):
                least = min(s.least[level, dim], least)
                size[level, dim] = least
            return True
    return False


@inlined
def _permit(s: SpaceRecord, listed: Ints, level: int, spatial: int, units: int, work: Ints, tile: Ints) -> None:
    """Make the sizes of a level's tile permitted; work: see `settle`."""
    for dim in range(8):
        above = work[2, dim]
        work[3, dim] = units if dim == spatial else 1
        tile[dim] = _shared_at(s, listed, level, dim, above, tile[dim], work[3, dim]) if above > 1 else 1


@kernel
def settle(s: SpaceRecord, listed: Ints, units: Ints, spatial: Bytes, size: Ints, work: Ints, rng: np.random.Generator) -> bool:
    """Make one chain of sizes [levels, 8] permitted and fitting, in place; False where not even the least sizes fit.

    listed: as in `CompiledSpace`; work: [4, 8], overwritten: work[2] is the tile above, work[3] how many units share each dim.
    """
    levels = len(units)
    for dim in range(8):
        work[2, dim] = s.extents[dim]
    for level in range(levels):
        tile = size[level]
        _permit(s, listed, level, spatial[level], units[level], work, tile)
        if level == 0:
            room = overfull_l2(s, tile, spatial[0], units[0], work[0], work[1])
            while room != NONE:
                if not _shrink(s, listed, level, work, tile, s.l2_dims[room], rng):
                    return False
                room = overfull_l2(s, tile, spatial[0], units[0], work[0], work[1])
        if level == levels - 1:
            room = overfull_l1(s, tile, work[1])
            while room != NONE:
                dims = s.l1_dims[room]
                # What is bounded from below at an inner level may still follow the outer tile down.
                if not _shrink(s, listed, level, work, tile, dims, rng) and not _collapse(s, size, dims, rng):
                    return False
                room = overfull_l1(s, tile, work[1])
        for dim in range(8):
            work[2, dim] = tile[dim]
    return not s.even or _all_fill_rounds(s, units, spatial, size)


@inlined
def _all_fill_rounds(s: SpaceRecord, units: Ints, spatial: Bytes, size: Ints) -> bool:
    """Whether each level's spatial loop does: a level may have collapsed, or have no such size."""
    for level in range(len(units)):
        dim = spatial[level]
        tile = int(s.extents[dim] if level == 0 else size[level - 1, dim])
        if not fills_rounds(tile, size[level, dim], units[level]):
            return False
    return True


@kernel
def random_size(tile: int, rng: np.random.Generator) -> int:
    """A size of 1 to `tile`, drawn evenly on a log scale of the trip count or, half of the time, of the size."""
    draw = int(np.exp(rng.random() * np.log(tile + 0.999)))
    return draw if rng.random() < 0.5 else tile // draw


@inlined
def draw_size(s: SpaceRecord, level: int, dim: int, tile: int, rng: np.random.Generator) -> int:
    """A size within the bounds, drawn as `random_size` does."""
    low, high = min(s.least[level, dim], tile), min(s.most[level, dim], tile)
    return int(low if low == high else low - 1 + random_size(high - low + 1, rng))


@kernel
def draw_sizes(space: CompiledSpace, batch: MappingArrays, rng: np.random.Generator, ok: Bytes) -> None:
    """Draw the sizes of every mapping; ok[b] = 1 where they fit."""
    s: SpaceRecord = space.record.view(SPACE)[0]
    work = np.empty((4, 8), np.int64)
    for b in range(batch.units.shape[0]):
        size = batch.size[b]
        for level in range(batch.units.shape[1]):
            for dim in range(8):
                size[level, dim] = draw_size(s, level, dim, s.extents[dim] if level == 0 else size[level - 1, dim], rng)
        ok[b] = settle(s, space.listed, batch.units[b], batch.spatial[b], size, work, rng)


@kernel
def settle_all(space: CompiledSpace, batch: MappingArrays, rng: np.random.Generator, ok: Bytes) -> None:
    """Make the sizes of every mapping permitted and fitting, as `settle` does; ok[b] = 1 where they are."""
    s: SpaceRecord = space.record.view(SPACE)[0]
    work = np.empty((4, 8), np.int64)
    for b in range(batch.units.shape[0]):
        ok[b] = settle(s, space.listed, batch.units[b], batch.spatial[b], batch.size[b], work, rng)
