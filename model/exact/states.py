"""How one dim stands in a step and how it got there, as few classes with the number of steps in each.

The loops of all levels form one nest. A *carry* at loop j leaves the loops outside j as they are, advances j and resets
the loops inside j to 0. For one dim this fixes the *role* of its loop at each level: OUTER (stands still, anywhere),
OWN (is j, advances), INNER (goes from its last index to 0). All steps of a class have the same chunk lengths on every
unit, so one pair of index vectors, new and old, stands for them all.

A state is a row of int64: the columns below, then the new index of each level, then the old index of each level.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapsearch.model.compiled import OPTIONS

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
    """The most classes that a dim has: after l levels its units have at most l + 1 distinct chunk lengths, each of which
    splits the next loop in two places, and index 0 may be split off."""
    return int(np.prod([2 * level + 4 for level in range(levels)]))


@njit(**OPTIONS)
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


@njit(**OPTIONS)
def _trips(tile: int, size: int, units: int) -> int:
    """Steps of a loop over a tile: chunks shared out over the units."""
    chunk = size * units
    return (tile + chunk - 1) // chunk


@njit(**OPTIONS)
def _unit0_tile(state: Ints, first: int, level: int, extent: int, size: Ints, units: Ints) -> int:
    """Length of the tile that unit 0 hands to `level`, by the indices at columns first, first + 1, ..."""
    tile = extent
    for above in range(level):
        tile = min(size[above], tile - state[first + above] * units[above] * size[above])
    return tile


@njit(**OPTIONS)
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


@njit(**OPTIONS)
def _expand(row: Ints, out: Ints, count: int, level: int, role: int, split: bool, extent: int, size: Ints, units: Ints, work: Ints) -> int:
    """Append to `out` the classes that one state of the levels above `level` falls into; returns the new count."""
    levels = size.shape[0]
    new, old = INDICES, INDICES + levels
    trips = _trips(_unit0_tile(row, old, level, extent, size, units), size[level], units[level])
    if role == INNER:
        out[count] = row
        out[count, new + level] = 0
        out[count, old + level] = trips - 1
        if trips > 1:
            out[count, MOVED] = 1
        return count + 1
    lengths, counts = work[0], work[1]
    lengths[0] = extent
    counts[0] = 1
    n = 1
    for above in range(level):
        n = chunk_lengths(lengths, counts, n, size[above], units[above], row[new + above])
    trips = _trips(_unit0_tile(row, new, level, extent, size, units), size[level], units[level])
    own = 1 if role == OWN else 0
    index = own
    while index < trips:
        stop = _next_break(index, trips, lengths, n, size[level] * units[level])
        if split and index == 0 and row[AT_ZERO] == 1:
            stop = 1
        out[count] = row
        out[count, WEIGHT] = row[WEIGHT] * (stop - index)
        out[count, new + level] = index
        out[count, old + level] = index - own
        if own == 1:
            out[count, MOVED] = 1
        if index > 0:
            out[count, AT_ZERO] = 0
        count += 1
        index = stop
    return count


@njit(**OPTIONS)
def _measure(row: Ints, extent: int, size: Ints, units: Ints, work: Ints) -> None:
    """Fill in the state's columns COVERED, ACTIVE and UNIT0."""
    levels = size.shape[0]
    lengths, counts = work[0], work[1]
    lengths[0] = extent
    counts[0] = 1
    n = 1
    for level in range(levels):
        n = chunk_lengths(lengths, counts, n, size[level], units[level], row[INDICES + level])
    covered = 0
    active = 0
    for k in range(n):
        covered += lengths[k] * counts[k]
        active += counts[k]
    row[COVERED] = covered
    row[ACTIVE] = active
    row[UNIT0] = _unit0_tile(row, INDICES, levels, extent, size, units)


@njit(**OPTIONS)
def classes(states: Ints, spare: Ints, roles: Ints, split: bool, extent: int, size: Ints, units: Ints, work: Ints) -> int:
    """Write to `states` the classes of a dim whose loops have the given roles; returns how many there are.

    states, spare: [capacity, columns] (spare is overwritten); roles, size, units: [levels], units being 1 where the dim is
    not the level's spatial one; split: tell index 0 apart; work: [2, levels + 2].
    """
    levels = size.shape[0]
    states[0, :] = 0
    states[0, WEIGHT] = 1
    states[0, AT_ZERO] = 1
    count = 1
    for level in range(levels):
        for k in range(count):
            spare[k] = states[k]
        grown = 0
        for k in range(count):
            grown = _expand(spare[k], states, grown, level, roles[level], split, extent, size, units, work)
        count = grown
    for k in range(count):
        _measure(states[k], extent, size, units, work)
    return count
