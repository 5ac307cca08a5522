"""A sliding axis: the input rows (columns) stride*y' + dilation*r that output rows y' and filter rows r need.

With g = gcd(stride, dilation), a = dilation/g and b = stride/g, write y' = a*i + c' and r = b*j + c. Then the coordinate is
stride*c' + dilation*c + (stride*a)*(i + j), and the pair of phases (c', c) can be read back from it. So within one
pair of phases a chunk of y' and a chunk of r need one interval of i + j, and sets of coordinates are a*b unions of intervals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.model.exact.states import INDICES

Ints = NDArray[np.int64]

# What `window` writes: coordinates that some PE needs; those of them that every PE which needs them had already;
# and the same two counted once per PE.
UNION = 0
KEPT = 1
COPIES = 2
KEPT_COPIES = 3


@leaf
def unit_chunks(states: Ints, slot: int, k: int, extent: int, sizes: Ints, shares: Ints, dim: int, chunks: Ints, side: int) -> int:
    """The chunk of every active unit: rows of (new start, new length, old start, old length); returns their number.

    chunks: [2, >= product of shares, >= 4]; chunks[side] is written, in the order of the starts.
    """
    levels = sizes.shape[1]
    chunks[side, 0, 0] = chunks[side, 0, 2] = 0
    chunks[side, 0, 1] = chunks[side, 0, 3] = extent
    count = 1
    for level in range(levels):
        size = sizes[dim, level]
        share = shares[dim, level]
        new = states[slot, k, INDICES + level] * share
        old = states[slot, k, INDICES + levels + level] * share
        # from the back, so that the units of one tile do not overwrite the tiles before it
        for tile in range(count - 1, -1, -1):
            start, length = chunks[side, tile, 0], chunks[side, tile, 1]
            old_start, old_length = chunks[side, tile, 2], chunks[side, tile, 3]
            for u in range(share - 1, -1, -1):
                row = tile * share + u
                chunks[side, row, 0] = start + (new + u) * size
                chunks[side, row, 1] = min(size, length - (new + u) * size)
                chunks[side, row, 2] = old_start + (old + u) * size
                chunks[side, row, 3] = max(0, min(size, old_length - (old + u) * size))
        kept = 0
        for row in range(count * share):
            if chunks[side, row, 1] > 0:
                for column in range(4):
                    chunks[side, kept, column] = chunks[side, row, column]
                kept += 1
        count = kept
    return count


@leaf
def _union_length(pieces: Ints, side: int, count: int) -> int:
    """Total length of the union of intervals pieces[side, k] = (low, high); sorts them, mostly sorted already, in place."""
    for k in range(1, count):
        low, high = pieces[side, k, 0], pieces[side, k, 1]
        m = k
        while m > 0 and pieces[side, m - 1, 0] > low:
            pieces[side, m, 0], pieces[side, m, 1] = pieces[side, m - 1, 0], pieces[side, m - 1, 1]
            m -= 1
        pieces[side, m, 0] = low
        pieces[side, m, 1] = high
    total = 0
    end = np.iinfo(np.int64).min
    for k in range(count):
        low, high = pieces[side, k, 0], pieces[side, k, 1]
        if high > end:
            total += high - max(low, end)
            end = high
    return total


@leaf
def _first_in_phase(start: int, phase: int, period: int) -> int:
    """The least i with period*i + phase >= start."""
    return start if period == 1 else -((phase - start) // period)


@leaf
def _one_phase(chunks: Ints, ny: int, nr: int, phase: int, a: int, b: int, pieces: Ints, out: Ints) -> None:
    """Add to `out` what all PEs (pairs of a unit of y' and one of r) need and kept within one pair of phases."""
    py, pr = phase // b, phase % b
    n = 0
    m = 0
    for p in range(ny):
        new_y = _first_in_phase(chunks[0, p, 0], py, a)
        new_y_end = _first_in_phase(chunks[0, p, 0] + chunks[0, p, 1], py, a)
        old_y = _first_in_phase(chunks[0, p, 2], py, a)
        old_y_end = _first_in_phase(chunks[0, p, 2] + chunks[0, p, 3], py, a)
        for q in range(nr):
            new_r = _first_in_phase(chunks[1, q, 0], pr, b)
            new_r_end = _first_in_phase(chunks[1, q, 0] + chunks[1, q, 1], pr, b)
            if new_y_end <= new_y or new_r_end <= new_r:
                continue
            old_r = _first_in_phase(chunks[1, q, 2], pr, b)
            old_r_end = _first_in_phase(chunks[1, q, 2] + chunks[1, q, 3], pr, b)
            low, high = new_y + new_r, new_y_end + new_r_end - 1
            old_low, old_high = high, high
            if old_y_end > old_y and old_r_end > old_r:
                old_low, old_high = min(high, max(low, old_y + old_r)), min(high, max(low, old_y_end + old_r_end - 1))
            pieces[0, n, 0], pieces[0, n, 1] = low, high
            n += 1
            out[COPIES] += high - low
            out[KEPT_COPIES] += old_high - old_low
            if low < old_low:
                pieces[1, m, 0], pieces[1, m, 1] = low, old_low
                m += 1
            if old_high < high:
                pieces[1, m, 0], pieces[1, m, 1] = old_high, high
                m += 1
    union = _union_length(pieces, 0, n)
    out[UNION] += union
    out[KEPT] += union - _union_length(pieces, 1, m)


@leaf
def window(chunks: Ints, ny: int, nr: int, a: int, b: int, pieces: Ints, out: Ints) -> None:
    """Write to `out` the counts UNION, KEPT, COPIES and KEPT_COPIES of one step.

    chunks: of the active units, as `unit_chunks` makes them, of y' in chunks[0, :ny] and of r in chunks[1, :nr];
    pieces: [2, >= 2*ny*nr, 2], overwritten; out: [4].
    """
    out[:] = 0
    for phase in range(a * b):
        _one_phase(chunks, ny, nr, phase, a, b, pieces, out)
