"""The six groups of dims that every sum over steps splits into, and the classes of a group in one carry.

G, N, K and C stand alone; Y' with R make the input's rows, X' with S its columns. A step's words are products over the
groups, U - V (section "Words that move" of docs/cost_model.md), so a group's class holds its factors of U and of V for
each tensor: by multicast (a word counted once) and by fills (counted at each PE).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.model.exact.states import ACTIVE, AT_ZERO, COVERED, MOVED, UNIT0, WEIGHT
from mapsearch.model.exact.window import COPIES, KEPT, KEPT_COPIES, UNION, unit_chunks, window
from mapsearch.model.layer import Dim

Ints = NDArray[np.int64]

GROUPS = 6
# The leading dim of each group, and the dim that slides under it (-1: none).
LEADING = (int(Dim.G), int(Dim.N), int(Dim.K), int(Dim.C), int(Dim.Y), int(Dim.X))
SLIDING = (-1, -1, -1, -1, int(Dim.R), int(Dim.S))
GROUP_OF_DIM = (0, 1, 2, 3, 4, 5, 4, 5)

# Columns of a group's class. MAC: MACs of unit 0; ZERO: 1 where the reduction loops stand at index 0.
# WORDS + 2*t, +1: factors of U and V of tensor t by multicast; FILLS + 2*t, +1: the same by fills.
STEPS = 0
MAC = 1
ZERO = 2
WORDS = 3
FILLS = 9
COLUMNS = 15


@leaf
def _single(states: Ints, slot: int, k: int, group: int, lists: Ints, place: int, row: int) -> None:
    """The class of a group of one dim, which W (all but N), I (all but K) and O (all but C) have or not."""
    covered, active = states[slot, k, COVERED], states[slot, k, ACTIVE]
    kept = 0 if states[slot, k, MOVED] == 1 else covered
    lists[place, row, STEPS] = states[slot, k, WEIGHT]
    lists[place, row, MAC] = states[slot, k, UNIT0]
    lists[place, row, ZERO] = states[slot, k, AT_ZERO] if group == 3 else 1
    for t in range(3):
        has = group != t + 1
        lists[place, row, WORDS + 2 * t] = covered if has else 1
        lists[place, row, WORDS + 2 * t + 1] = kept if has else 1
        lists[place, row, FILLS + 2 * t] = covered if has else active
        lists[place, row, FILLS + 2 * t + 1] = kept if has else active


@leaf
def _pair(states: Ints, y: int, p: int, r: int, q: int, slid: Ints, lists: Ints, place: int, row: int) -> None:
    """The class of a sliding group: outputs have its leading dim y, weights its sliding dim r, inputs both."""
    covered_y, active_y = states[y, p, COVERED], states[y, p, ACTIVE]
    covered_r, active_r = states[r, q, COVERED], states[r, q, ACTIVE]
    kept_y = 0 if states[y, p, MOVED] == 1 else covered_y
    kept_r = 0 if states[r, q, MOVED] == 1 else covered_r
    lists[place, row, STEPS] = states[y, p, WEIGHT] * states[r, q, WEIGHT]
    lists[place, row, MAC] = states[y, p, UNIT0] * states[r, q, UNIT0]
    lists[place, row, ZERO] = states[r, q, AT_ZERO]
    lists[place, row, WORDS], lists[place, row, WORDS + 1] = covered_r, kept_r
    lists[place, row, WORDS + 2], lists[place, row, WORDS + 3] = slid[UNION], slid[KEPT]
    lists[place, row, WORDS + 4], lists[place, row, WORDS + 5] = covered_y, kept_y
    lists[place, row, FILLS], lists[place, row, FILLS + 1] = covered_r * active_y, kept_r * active_y
    lists[place, row, FILLS + 2], lists[place, row, FILLS + 3] = slid[COPIES], slid[KEPT_COPIES]
    lists[place, row, FILLS + 4], lists[place, row, FILLS + 5] = covered_y * active_r, kept_y * active_r


@leaf
def _merge(lists: Ints, place: int, count: int) -> int:
    """Merge the row at `count` into an equal one before it, or keep it; returns the new count."""
    for k in range(count):
        same = True
        for column in range(1, COLUMNS):
            if lists[place, k, column] != lists[place, count, column]:
                same = False
                break
        if same:
            lists[place, k, STEPS] += lists[place, count, STEPS]
            return count
    return count + 1


@leaf
def single_classes(group: int, states: Ints, slot: int, n: int, lists: Ints, place: int) -> int:
    """Write the classes of group 0..3 (G, N, K, C) to lists[place]; returns their number."""
    count = 0
    for k in range(n):
        _single(states, slot, k, group, lists, place, count)
        count = _merge(lists, place, count)
    return count


@leaf
def _slide(
    group: int, states: Ints, y: int, p: int, r: int, q: int, extents: Ints, sizes: Ints, shares: Ints, windows: Ints,
    chunks: Ints, pieces: Ints, slid: Ints,
) -> None:  # fmt: skip
    """Write to `slid` [4] what `window` counts for one pair of states."""
    lead, slide = LEADING[group], SLIDING[group]
    a, b = windows[group - 4, 0], windows[group - 4, 1]
    if extents[lead] <= a or extents[slide] <= b:  # no two pairs meet: each word belongs to one pair
        moved = states[y, p, MOVED] == 1 or states[r, q, MOVED] == 1
        covered = states[y, p, COVERED] * states[r, q, COVERED]
        slid[UNION] = slid[COPIES] = covered
        slid[KEPT] = slid[KEPT_COPIES] = 0 if moved else covered
        return
    active_y = unit_chunks(states, y, p, extents[lead], sizes, shares, lead, chunks, 0)
    active_r = unit_chunks(states, r, q, extents[slide], sizes, shares, slide, chunks, 1)
    window(chunks, active_y, active_r, a, b, pieces, slid)


@leaf
def pair_classes(
    group: int, states: Ints, y: int, ny: int, r: int, nr: int, extents: Ints, sizes: Ints, shares: Ints, windows: Ints,
    chunks: Ints, pieces: Ints, slid: Ints, lists: Ints, place: int,
) -> int:  # fmt: skip
    """Write the classes of a sliding group to lists[place]; returns their number.

    y, r: slots of the states of its two dims, of which there are ny and nr; chunks, pieces, slid: work space of `window`.
    """
    count = 0
    for p in range(ny):
        for q in range(nr):
            _slide(group, states, y, p, r, q, extents, sizes, shares, windows, chunks, pieces, slid)
            _pair(states, y, p, r, q, slid, lists, place, count)
            count = _merge(lists, place, count)
    return count
