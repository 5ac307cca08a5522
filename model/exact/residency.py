"""What the L2 keeps and what crosses to off-chip memory, for the best depth of residency of each tensor.

With depth h, the L2 keeps all that a tensor's axes cover while the outer h loops of level 0 stand still. Only loops that
iterate matter, so depths count those. To the L2 a level-0 loop is one holder's: a spatial loop's chunk is that of all units.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapsearch.model.compiled import OPTIONS
from mapsearch.model.exact.window import KEPT, UNION, window
from mapsearch.model.layer import Dim

Ints = NDArray[np.int64]

# How a dim's level-0 loop stands in a carry: it is not among the outer h loops (so the dim is whole), or it stands still,
# or it advances, or it goes back to index 0; FIRST is step 0, whose U is that of RESET and whose V does not count.
WHOLE = 0
STILL = 1
OWN = 2
RESET = 3
STATUSES = 4


@njit(**OPTIONS)
def _cases(status: int, extent: int, chunk: int, cases: Ints) -> int:
    """Rows (new start, new length, old start, old length, steps) of a dim in a status; returns how many."""
    last = (extent - 1) // chunk
    edge = extent - last * chunk
    n = 0
    if status == WHOLE:
        cases[0, 0], cases[0, 1], cases[0, 2], cases[0, 3], cases[0, 4] = 0, extent, 0, extent, 1
        n = 1
    elif status == RESET:
        cases[0, 0], cases[0, 1], cases[0, 2], cases[0, 3], cases[0, 4] = 0, min(chunk, extent), last * chunk, edge, 1
        n = 1
    else:
        back = chunk if status == OWN else 0
        full = last - 1 if status == OWN else last
        if full > 0:
            cases[0, 0], cases[0, 1], cases[0, 2], cases[0, 3], cases[0, 4] = chunk, chunk, chunk - back, chunk, full
            n = 1
        start = last * chunk
        old_length = chunk if status == OWN else edge
        cases[n, 0], cases[n, 1], cases[n, 2], cases[n, 3], cases[n, 4] = start, edge, start - back, old_length, 1
        n += 1
    return n


@njit(**OPTIONS)
def _single_sums(extent: int, chunk: int, sums: Ints) -> None:
    """sums[status] = steps, coordinates U summed over them, V summed over them, of a dim on its own."""
    trips = (extent + chunk - 1) // chunk
    sums[WHOLE, 0], sums[WHOLE, 1], sums[WHOLE, 2] = 1, extent, extent
    sums[STILL, 0], sums[STILL, 1], sums[STILL, 2] = trips, extent, extent
    sums[OWN, 0], sums[OWN, 1], sums[OWN, 2] = trips - 1, extent - min(chunk, extent), 0
    sums[RESET, 0], sums[RESET, 1], sums[RESET, 2] = 1, min(chunk, extent), 0


@njit(**OPTIONS)
def _window_sums(ey: int, sy: int, er: int, sr: int, a: int, b: int, work: Ints, pieces: Ints, sums: Ints) -> None:
    """sums[status of y', status of r] = U and V of a sliding axis summed over the steps."""
    out = np.empty(4, np.int64)
    one = np.empty((2, 1, 4), np.int64)
    for status_y in range(1 if sy >= ey else STATUSES):
        ny = _cases(status_y, ey, sy, work[0])
        for status_r in range(1 if sr >= er else STATUSES):
            nr = _cases(status_r, er, sr, work[1])
            total = 0
            kept = 0
            for p in range(ny):
                for q in range(nr):
                    for column in range(4):
                        one[0, 0, column], one[1, 0, column] = work[0, p, column], work[1, q, column]
                    window(one, 1, 1, a, b, pieces, out)
                    steps = work[0, p, 4] * work[1, q, 4]
                    total += steps * out[UNION]
                    kept += steps * out[KEPT]
            sums[status_y, status_r, 0] = total
            sums[status_y, status_r, 1] = kept


@njit(**OPTIONS)
def _status(position: int, depth: int, carry: int) -> int:
    """Status of a dim whose level-0 loop has the given position (-1: does not iterate), in the carry at loop `carry`."""
    if position < 0 or position >= depth:
        return WHOLE
    if position < carry:
        return STILL
    return OWN if position == carry else RESET


@njit(**OPTIONS)
def _words_in_carry(tensor: int, part: int, status: Ints, single: Ints, rows: Ints, columns: Ints) -> int:
    """Sum of U (part 0) or V (part 1) of a tensor over the steps of one carry; a dim that it lacks counts its steps."""
    value = 1
    for dim in range(4):
        has = (tensor == 0 and dim != Dim.N) or (tensor == 1 and dim != Dim.K) or (tensor == 2 and dim != Dim.C)
        value *= single[dim, status[dim], 1 + part if has else 0]
    if tensor == 1:
        value *= rows[status[Dim.Y], status[Dim.R], part] * columns[status[Dim.X], status[Dim.S], part]
        return value
    for dim in range(4, 8):
        has = (tensor == 0) == (dim < 6)
        value *= single[dim, status[dim], 1 + part if has else 0]
    return value


@njit(**OPTIONS)
def residency_table(
    extents: Ints, chunks: Ints, positions: Ints, loops: int, bits: Ints, doubled: int, windows: Ints,
    work: Ints, pieces: Ints, words: Ints, need: Ints,
) -> None:  # fmt: skip
    """Words into the L2 and its need in bytes, per tensor and depth.

    extents, chunks, positions: [8], a dim's extent, level-0 chunk (of all units) and place among the `loops` level-0
    loops that iterate (-1: none); bits: [3]; doubled: 2 where the L2 is double-buffered, else 1; windows: [2, 2], (a, b)
    of rows and of columns; work: [2, >= 4, 5]; words, need: [3, >= loops + 1], written.
    """
    single = np.empty((8, STATUSES, 3), np.int64)
    rows = np.empty((STATUSES, STATUSES, 2), np.int64)
    columns = np.empty((STATUSES, STATUSES, 2), np.int64)
    status = np.empty(8, np.int64)
    for dim in range(8):
        _single_sums(extents[dim], chunks[dim], single[dim])
    _window_sums(extents[6], chunks[6], extents[4], chunks[4], windows[0, 0], windows[0, 1], work, pieces, rows)
    _window_sums(extents[7], chunks[7], extents[5], chunks[5], windows[1, 0], windows[1, 1], work, pieces, columns)
    moves = np.zeros(3, np.int64)
    for depth in range(loops + 1):
        for dim in range(8):
            if depth > 0 and positions[dim] == depth - 1:
                moves[0] |= dim in (Dim.G, Dim.K, Dim.C, Dim.R, Dim.S)
                moves[1] |= dim != Dim.K
                moves[2] |= dim not in (Dim.C, Dim.R, Dim.S)
        words[:, depth] = 0
        for carry in range(-1, depth):
            for dim in range(8):
                status[dim] = _status(positions[dim], depth, carry)
            for tensor in range(3):
                fetched = _words_in_carry(tensor, 0, status, single, rows, columns)
                if carry < 0:
                    factor = doubled if moves[tensor] else 1
                    need[tensor, depth] = (fetched * bits[tensor] + 7) // 8 * factor
                else:
                    fetched -= _words_in_carry(tensor, 1, status, single, rows, columns)
                words[tensor, depth] += fetched


@njit(**OPTIONS)
def best_depths(words: Ints, need: Ints, depths: int, bits: Ints, outputs: int, capacity: int, best: Ints) -> None:
    """Write to `best` [6] the depths of W, I, O, the need in bytes, 1 where they fit (else the least need and 0), the least need.

    The least off-chip bits win, then the least need, then the smallest depths in this order.
    """
    kept = np.empty((3, depths), np.int64)
    n_kept = np.zeros(3, np.int64)
    for tensor in range(3):
        for depth in range(depths):
            dominated = False
            for other in range(depths):
                fewer = words[tensor, other] <= words[tensor, depth] and need[tensor, other] <= need[tensor, depth]
                equal = words[tensor, other] == words[tensor, depth] and need[tensor, other] == need[tensor, depth]
                if fewer and (not equal or other < depth):
                    dominated = True
            if not dominated:
                kept[tensor, n_kept[tensor]] = depth
                n_kept[tensor] += 1
    best_traffic = np.iinfo(np.int64).max
    best[:] = 0
    best[5] = need[0, :depths].min() + need[1, :depths].min() + need[2, :depths].min()
    best[3] = best[5]
    for w in kept[0, : n_kept[0]]:
        for i in kept[1, : n_kept[1]]:
            for o in kept[2, : n_kept[2]]:
                size = need[0, w] + need[1, i] + need[2, o]
                if size > capacity:
                    continue
                traffic = words[0, w] * bits[0] + words[1, i] * bits[1] + (2 * words[2, o] - outputs) * bits[2]
                if traffic < best_traffic or (traffic == best_traffic and size < best[3]):
                    best_traffic = traffic
                    best[0], best[1], best[2], best[3], best[4] = w, i, o, size, 1
