"""How one dim stands in a step and how it got there, as few classes with the number of steps in each.

The loops of all levels form one nest. A *carry* at loop j leaves the loops outside j as they are, advances j and resets
the loops inside j to 0. For one dim this fixes the *role* of its loop at each level: OUTER (stands still, anywhere),
OWN (is j, advances), INNER (goes from its last index to 0). All steps of a class have the same chunk lengths on every
unit, so one pair of index vectors, new and old, stands for them all.

A state is a row of int64: the columns below, then the new index of each level, then the old index of each level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf

Ints = NDArray[np.int64]

OUTER = 0
OWN = 1
INNER = 2

WEIGHT = 0  # steps in the class
MOVED = 1  # 1 where the dim's chunks are not those of the step before
AT_ZERO = 2  # 1 where all loops of the dim stand at index 0 (told apart only where asked for)
COVERED = 3  # coordinates that some unit holds
ACTIVE = 4  # units whose chunk is not empty
UNIT0 = 5  # chunk length of unit 0
INDICES = 6

MAX_LEVELS = 4


def columns(levels: int) -> int:
    """Columns of a state row."""
    return INDICES + 2 * levels


def capacity(levels: int) -> int:
    """The most classes that a dim has.

    After l levels its units have at most l + 1 distinct chunk lengths, each of which splits the next loop in two places,
    and index 0 may be split off.
    """
    return int(np.prod([2 * level + 4 for level in range(levels)]))


@leaf
def chunk_lengths(lengths: Ints, counts: Ints, n: int, size: int, units: int, index: int) -> int:
    """Turn the distinct tile lengths of a level into those of the next, in place; returns how many there are."""
    full = 0
    m = 0
    for k in range(n):
        rest = lengths[k] - index * units * size
        if rest <= 0:
            continue
        whole = min(units, rest // size)
        full += counts[k] * whole
        if whole < units and rest > whole * size:
            lengths[m] = rest - whole * size
            counts[m] = counts[k]
            m += 1
    if full > 0:
        lengths[m] = size
        counts[m] = full
        m += 1
    return m


@leaf
def _trips(tile: int, size: int, units: int) -> int:
    """Steps of a loop over a tile: chunks shared out over the units."""
    chunk = size * units
    return (tile + chunk - 1) // chunk


@leaf
def _unit0_tile(states: Ints, slot: int, k: int, first: int, level: int, extent: int, sizes: Ints, shares: Ints, dim: int) -> int:
    """Length of the tile that unit 0 hands to `level`, by the indices at columns first, first + 1, ..."""
    tile = extent
    for above in range(level):
        tile = min(sizes[dim, above], tile - states[slot, k, first + above] * shares[dim, above] * sizes[dim, above])
    return tile


@leaf
def _tile_lengths(states: Ints, slot: int, k: int, level: int, extent: int, sizes: Ints, shares: Ints, dim: int, work: Ints) -> int:
    """Distinct lengths of the tiles that all units hand to `level`, with how many there are of each, in work[0] and work[1]."""
    work[0, 0] = extent
    work[1, 0] = 1
    n = 1
    for above in range(level):
        n = chunk_lengths(work[0], work[1], n, sizes[dim, above], shares[dim, above], states[slot, k, INDICES + above])
    return n


@leaf
def _next_break(index: int, trips: int, lengths: Ints, n: int, chunk: int) -> int:
    """First index after `index` at which some unit's chunk may change in length."""
    stop = trips
    for k in range(n):
        edge = lengths[k] // chunk
        if index < edge < stop:
            stop = edge
        elif index == edge and edge + 1 < stop:
            stop = edge + 1
    return stop


@leaf
def _append(states: Ints, slot: int, k: int, target: int, count: int, level: int, steps: int, new: int, old: int) -> None:
    """Copy a state to states[target, count] with the indices of one more level; `steps` of them are alike."""
    levels = (states.shape[2] - INDICES) // 2
    for column in range(states.shape[2]):
        states[target, count, column] = states[slot, k, column]
    states[target, count, WEIGHT] *= steps
    states[target, count, INDICES + level] = new
    states[target, count, INDICES + levels + level] = old
    if new != old:
        states[target, count, MOVED] = 1
    if new > 0:
        states[target, count, AT_ZERO] = 0


@leaf
def _expand(
    states: Ints, slot: int, k: int, target: int, count: int, level: int, role: int, split: bool, extent: int, sizes: Ints,
    shares: Ints, dim: int, work: Ints,
) -> int:  # fmt: skip
    """Append to states[target] the classes that one state of the levels above `level` falls into; returns the new count."""
    size, share = sizes[dim, level], shares[dim, level]
    if role == INNER:
        old = INDICES + sizes.shape[1]
        trips = _trips(_unit0_tile(states, slot, k, old, level, extent, sizes, shares, dim), size, share)
        _append(states, slot, k, target, count, level, 1, 0, trips - 1)
        return count + 1
    n = _tile_lengths(states, slot, k, level, extent, sizes, shares, dim, work)
    trips = _trips(_unit0_tile(states, slot, k, INDICES, level, extent, sizes, shares, dim), size, share)
    own = 1 if role == OWN else 0
    index = own
    while index < trips:
        stop = _next_break(index, trips, work[0], n, size * share)
        if split and index == 0 and states[slot, k, AT_ZERO] == 1:
            stop = 1
        _append(states, slot, k, target, count, level, stop - index, index, index - own)
        count += 1
        index = stop
    return count


@leaf
def classes(
    states: Ints, slot: int, spare: int, roles: Ints, dim: int, split: bool, extent: int, sizes: Ints, shares: Ints, work: Ints
) -> int:
    """Write to states[slot] the classes of a dim whose loops have roles[dim]; returns how many there are.

    states: [slots, capacity, columns], of which slot `spare` is overwritten; roles, sizes, shares: [8, levels], shares
    being 1 where the dim is not the level's spatial one; split: tell index 0 apart; work: [2, levels + 2].
    """
    levels = sizes.shape[1]
    here, there = (slot, spare) if levels % 2 == 0 else (spare, slot)
    for column in range(states.shape[2]):
        states[here, 0, column] = 0
    states[here, 0, WEIGHT] = 1
    states[here, 0, AT_ZERO] = 1
    count = 1
    for level in range(levels):
        grown = 0
        for k in range(count):
            grown = _expand(states, here, k, there, grown, level, roles[dim, level], split, extent, sizes, shares, dim, work)
        count = grown
        here, there = there, here
    for k in range(count):
        n = _tile_lengths(states, slot, k, levels, extent, sizes, shares, dim, work)
        covered = 0
        active = 0
        for m in range(n):
            covered += work[0, m] * work[1, m]
            active += work[1, m]
        states[slot, k, COVERED] = covered
        states[slot, k, ACTIVE] = active
        states[slot, k, UNIT0] = _unit0_tile(states, slot, k, INDICES, levels, extent, sizes, shares, dim)
    return count
