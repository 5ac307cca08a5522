"""What the L2 keeps and what crosses to off-chip memory, for the best depth of residency of each tensor.

With depth h, the L2 keeps all that a tensor's axes cover while the outer h loops of level 0 stand still. Only loops that
iterate matter, so depths count those. To the L2 a level-0 loop is one holder's: a spatial loop's chunk is that of all units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.model.exact.machine import BITS, L2_BYTES, L2_DOUBLED
from mapsearch.model.exact.window import KEPT, UNION, window

Ints = NDArray[np.int64]

# How a dim's level-0 loop stands in a carry: it is not among the outer h loops (so the dim is whole), or it stands still,
# or it advances, or it goes back to index 0. Step 0 is the carry -1: its dims are RESET, and its V does not count.
WHOLE = 0
STILL = 1
OWN = 2
RESET = 3
STATUSES = 4


# Columns of a case: as a chunk of `window`, then the steps alike.
CASE_STEPS = 4


@leaf
def _write_case(cases: Ints, side: int, n: int, start: int, length: int, old_start: int, old_length: int, steps: int) -> None:
    cases[side, n, 0], cases[side, n, 1] = start, length
    cases[side, n, 2], cases[side, n, 3] = old_start, old_length
    cases[side, n, CASE_STEPS] = steps


@leaf
def _cases(status: int, extent: int, chunk: int, cases: Ints, side: int) -> int:
    """Write to cases[side] where a dim in a status may stand and stood; returns how many cases there are."""
    last = (extent - 1) // chunk
    edge = extent - last * chunk
    if status == WHOLE:
        _write_case(cases, side, 0, 0, extent, 0, extent, 1)
        return 1
    if status == RESET:
        _write_case(cases, side, 0, 0, min(chunk, extent), last * chunk, edge, 1)
        return 1
    n = 0
    back = chunk if status == OWN else 0
    full = last - 1 if status == OWN else last
    if full > 0:
        _write_case(cases, side, 0, chunk, chunk, chunk - back, chunk, full)
        n = 1
    _write_case(cases, side, n, last * chunk, edge, last * chunk - back, chunk if status == OWN else edge, 1)
    return n + 1


@leaf
def _lone_sums(extents: Ints, chunks: Ints, sums: Ints) -> None:
    """sums[dim, status] = steps, coordinates U summed over them, V summed over them, of each dim on its own."""
    for dim in range(8):
        extent, first = extents[dim], min(chunks[dim], extents[dim])
        trips = (extent + first - 1) // first
        for status in range(STATUSES):
            still = status in (WHOLE, STILL)
            sums[dim, status, 0] = 1 if status in (WHOLE, RESET) else (trips if still else trips - 1)
            sums[dim, status, 1] = extent if still else (first if status == RESET else extent - first)
            sums[dim, status, 2] = extent if still else 0


@leaf
def _window_sums(
    axis: int, extents: Ints, chunks: Ints, windows: Ints, lone: Ints, cases: Ints, one: Ints, pieces: Ints, slid: Ints, sums: Ints
) -> None:
    """sums[axis, status of y', status of r] = U and V of rows (axis 0) or columns (1) summed over the steps."""
    y, r = 6 + axis, 4 + axis
    if extents[y] <= windows[axis, 0] or extents[r] <= windows[axis, 1]:  # no two pairs meet
        for status_y in range(STATUSES):
            for status_r in range(STATUSES):
                for part in range(2):
                    sums[axis, status_y, status_r, part] = lone[y, status_y, 1 + part] * lone[r, status_r, 1 + part]
        return
    for status_y in range(1 if chunks[y] >= extents[y] else STATUSES):
        ny = _cases(status_y, extents[y], chunks[y], cases, 0)
        for status_r in range(1 if chunks[r] >= extents[r] else STATUSES):
            nr = _cases(status_r, extents[r], chunks[r], cases, 1)
            sums[axis, status_y, status_r, 0] = sums[axis, status_y, status_r, 1] = 0
            for p in range(ny):
                for q in range(nr):
                    for column in range(4):
                        one[0, 0, column], one[1, 0, column] = cases[0, p, column], cases[1, q, column]
                    window(one, 1, 1, windows[axis, 0], windows[axis, 1], pieces, slid)
                    steps = cases[0, p, CASE_STEPS] * cases[1, q, CASE_STEPS]
                    sums[axis, status_y, status_r, 0] += steps * slid[UNION]
                    sums[axis, status_y, status_r, 1] += steps * slid[KEPT]


@leaf
def _status(position: int, depth: int, carry: int) -> int:
    """Status of a dim whose level-0 loop has the given position (-1: does not iterate), in the carry at loop `carry`."""
    if position < 0 or position >= depth:
        return WHOLE
    if position < carry:
        return STILL
    return OWN if position == carry else RESET


@leaf
def _words_in_carry(tensor: int, part: int, status: Ints, lone: Ints, slid: Ints) -> int:
    """Sum of U (part 0) or V (part 1) of a tensor over the steps of one carry; a dim that it lacks counts its steps."""
    value = 1
    for dim in range(4):
        has = dim != tensor + 1  # W lacks N, I lacks K, O lacks C
        value *= lone[dim, status[dim], 1 + part if has else 0]
    if tensor == 1:
        return int(value * slid[0, status[6], status[4], part] * slid[1, status[7], status[5], part])
    for dim in range(4, 8):
        has = (tensor == 0) == (dim < 6)
        value *= lone[dim, status[dim], 1 + part if has else 0]
    return value


@leaf
def _add_loop(dim: int, moves: Ints) -> None:
    """Note which footprints a loop of `dim` moves."""
    for tensor in range(3):
        if dim != tensor + 1 and (dim < 4 or tensor == 1 or (tensor == 0) == (dim < 6)):
            moves[tensor] = 1


@leaf
def residency_table(
    extents: Ints, chunks: Ints, loops: Ints, n_loops: int, machine: Ints, windows: Ints, cases: Ints, one: Ints,
    pieces: Ints, slid: Ints, lone: Ints, slides: Ints, vectors: Ints, words: Ints, need: Ints,
) -> int:  # fmt: skip
    """Write words[tensor, depth] that come into the L2 and need[tensor, depth] in bytes; returns how many depths there are.

    chunks: [8], level-0 chunks of all units together; loops: the nest, level 0 first; windows: [2, 2], (a, b) of rows and
    of columns; words, need: [3, 9]; the rest is work space: cases [2, 2, 5], one [2, 1, 4], slid [4],
    lone [8, STATUSES, 3], slides [2, STATUSES, STATUSES, 2], vectors [3, 8].
    """
    status, positions, moves = vectors[0], vectors[1], vectors[2]
    positions[:] = -1
    moves[:] = 0
    depths = 0
    while depths < n_loops and loops[depths, 0] == 0:
        positions[loops[depths, 1]] = depths
        depths += 1
    _lone_sums(extents, chunks, lone)
    for axis in range(2):
        _window_sums(axis, extents, chunks, windows, lone, cases, one, pieces, slid, slides)
    for depth in range(depths + 1):
        if depth > 0:
            _add_loop(loops[depth - 1, 1], moves)
        for tensor in range(3):
            words[tensor, depth] = 0
        for carry in range(-1, depth):
            for dim in range(8):
                status[dim] = _status(positions[dim], depth, carry)
            for tensor in range(3):
                fetched = _words_in_carry(tensor, 0, status, lone, slides)
                if carry < 0:
                    factor = machine[L2_DOUBLED] if moves[tensor] == 1 else 1
                    need[tensor, depth] = (fetched * machine[BITS + tensor] + 7) // 8 * factor
                else:
                    fetched -= _words_in_carry(tensor, 1, status, lone, slides)
                words[tensor, depth] += fetched
    return depths + 1


@leaf
def _undominated(words: Ints, need: Ints, depths: int, tensor: int, kept: Ints) -> int:
    """Write to kept[tensor] the depths that no other beats in both words and need; returns how many."""
    n = 0
    for depth in range(depths):
        beaten = False
        for other in range(depths):
            w = words[tensor, other] - words[tensor, depth]
            b = need[tensor, other] - need[tensor, depth]
            if w <= 0 and b <= 0 and (w < 0 or b < 0 or other < depth):
                beaten = True
        if not beaten:
            kept[tensor, n] = depth
            n += 1
    return n


@leaf
def best_depths(words: Ints, need: Ints, depths: int, machine: Ints, outputs: int, kept: Ints, best: Ints) -> None:
    """Write to `best` [6]: depths of W, I, O, the need in bytes, 1 where they fit (else 0), and the least need of any.

    The least off-chip bits win, then the least need, then the smallest depths in this order. kept: [3, 9], work space.
    """
    n_w = _undominated(words, need, depths, 0, kept)
    n_i = _undominated(words, need, depths, 1, kept)
    n_o = _undominated(words, need, depths, 2, kept)
    least_traffic = np.iinfo(np.int64).max
    best[4] = 0
    best[5] = np.iinfo(np.int64).max
    for p in range(n_w):
        for q in range(n_i):
            for r in range(n_o):
                w, i, o = kept[0, p], kept[1, q], kept[2, r]
                size = need[0, w] + need[1, i] + need[2, o]
                best[5] = min(best[5], size)
                if size > machine[L2_BYTES]:
                    continue
                traffic = words[0, w] * machine[BITS] + words[1, i] * machine[BITS + 1]
                traffic += (2 * words[2, o] - outputs) * machine[BITS + 2]
                if traffic < least_traffic or (traffic == least_traffic and size < best[3]):
                    least_traffic = traffic
                    best[0], best[1], best[2], best[3], best[4] = w, i, o, size, 1
