"""The six groups of dims that every sum over steps splits into, and the classes of a group in one carry.

G, N, K and C stand alone; Y' with R make the input's rows, X' with S its columns. A step's words are products over the
groups, U - V (section "Words that move" of docs/cost_model.md), so a group's class holds its factors of U and of V for
each tensor: by multicast (a word counted once) and by fills (counted at each PE).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapsearch.model.compiled import OPTIONS
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


@njit(**OPTIONS)
def _single(state: Ints, has_w: bool, has_i: bool, has_o: bool, row: Ints) -> None:
    """The class of a group of one dim, which the tensors have or not."""
    covered, active = state[COVERED], state[ACTIVE]
    kept = 0 if state[MOVED] == 1 else covered
    row[STEPS] = state[WEIGHT]
    row[MAC] = state[UNIT0]
    row[ZERO] = 1 if has_o else state[AT_ZERO]  # a lone dim that outputs lack is C, the reduction
    for t, has in enumerate((has_w, has_i, has_o)):
        if has:
            row[WORDS + 2 * t] = row[FILLS + 2 * t] = covered
            row[WORDS + 2 * t + 1] = row[FILLS + 2 * t + 1] = kept
        else:
            row[WORDS + 2 * t] = row[WORDS + 2 * t + 1] = 1
            row[FILLS + 2 * t] = row[FILLS + 2 * t + 1] = active


@njit(**OPTIONS)
def _pair(y: Ints, r: Ints, slid: Ints, row: Ints) -> None:
    """The class of a sliding group: outputs have its leading dim y, weights its sliding dim r, inputs both."""
    row[STEPS] = y[WEIGHT] * r[WEIGHT]
    row[MAC] = y[UNIT0] * r[UNIT0]
    row[ZERO] = r[AT_ZERO]
    kept_r = 0 if r[MOVED] == 1 else r[COVERED]
    kept_y = 0 if y[MOVED] == 1 else y[COVERED]
    row[WORDS], row[WORDS + 1] = r[COVERED], kept_r
    row[WORDS + 2], row[WORDS + 3] = slid[UNION], slid[KEPT]
    row[WORDS + 4], row[WORDS + 5] = y[COVERED], kept_y
    row[FILLS], row[FILLS + 1] = r[COVERED] * y[ACTIVE], kept_r * y[ACTIVE]
    row[FILLS + 2], row[FILLS + 3] = slid[COPIES], slid[KEPT_COPIES]
    row[FILLS + 4], row[FILLS + 5] = y[COVERED] * r[ACTIVE], kept_y * r[ACTIVE]


@njit(**OPTIONS)
def _merge(rows: Ints, count: int) -> int:
    """Merge the row at `count` into an equal one before it, or keep it; returns the new count."""
    for k in range(count):
        same = True
        for column in range(1, COLUMNS):
            if rows[k, column] != rows[count, column]:
                same = False
                break
        if same:
            rows[k, STEPS] += rows[count, STEPS]
            return count
    return count + 1


@njit(**OPTIONS)
def single_classes(group: int, states: Ints, n: int, rows: Ints) -> int:
    """Write the classes of group 0..3 (G, N, K, C) to `rows`; returns their number."""
    has_w = group != 1
    has_i = group != 2
    has_o = group != 3
    count = 0
    for k in range(n):
        _single(states[k], has_w, has_i, has_o, rows[count])
        count = _merge(rows, count)
    return count


@njit(**OPTIONS)
def pair_classes(
    y: Ints, ny: int, r: Ints, nr: int, extents: Ints, size_y: Ints, size_r: Ints, units_y: Ints, units_r: Ints,
    a: int, b: int, chunks: Ints, pieces: Ints, rows: Ints,
) -> int:  # fmt: skip
    """Write the classes of a sliding group to `rows`; returns their number.

    y, r: states of the two dims; extents: theirs; size_*, units_*: [levels]; chunks, pieces: work space of `window`.
    """
    slid = np.empty(4, np.int64)
    count = 0
    for p in range(ny):
        active_y = unit_chunks(y[p], extents[0], size_y, units_y, chunks[0])
        for q in range(nr):
            active_r = unit_chunks(r[q], extents[1], size_r, units_r, chunks[1])
            window(chunks[0], active_y, chunks[1], active_r, a, b, pieces, slid)
            _pair(y[p], r[q], slid, rows[count])
            count = _merge(rows, count)
    return count
