"""A sliding axis: the input rows (columns) stride*y' + dilation*r that output rows y' and filter rows r need.

With g = gcd(stride, dilation), a = dilation/g and b = stride/g, write y' = a*i + c' and r = b*j + c. Then the coordinate is
stride*c' + dilation*c + (stride*a)*(i + j), and the pair of phases (c', c) can be read back from it. So within one
pair of phases a chunk of y' and a chunk of r need one interval of i + j, and sets of coordinates are a*b unions of intervals.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapsearch.model.compiled import OPTIONS
from mapsearch.model.exact.states import INDICES

Ints = NDArray[np.int64]

# What `window` writes: coordinates that some PE needs; those of them that every PE which needs them had already;
# and the same two counted once per PE.
UNION = 0
KEPT = 1
COPIES = 2
KEPT_COPIES = 3


@njit(**OPTIONS)
def unit_chunks(state: Ints, extent: int, size: Ints, units: Ints, chunks: Ints) -> int:
    """The chunk of every active unit: rows of (new start, new length, old start, old length); returns their number.

    chunks: [>= product of units, 4], in the order of the starts.
    """
    levels = size.shape[0]
    chunks[0, 0] = 0
    chunks[0, 1] = extent
    chunks[0, 2] = 0
    chunks[0, 3] = extent
    count = 1
    for level in range(levels):
        s = size[level]
        n = units[level]
        new = state[INDICES + level] * n
        old = state[INDICES + levels + level] * n
        if n == 1:
            for k in range(count):
                chunks[k, 0] += new * s
                chunks[k, 1] = min(s, chunks[k, 1] - new * s)
                chunks[k, 2] += old * s
                chunks[k, 3] = max(0, min(s, chunks[k, 3] - old * s))
        else:
            # from the back, so that the units of one tile do not overwrite the tiles before it
            for k in range(count - 1, -1, -1):
                start, length = chunks[k, 0], chunks[k, 1]
                old_start, old_length = chunks[k, 2], chunks[k, 3]
                for u in range(n - 1, -1, -1):
                    row = chunks[k * n + u]
                    row[0] = start + (new + u) * s
                    row[1] = min(s, length - (new + u) * s)
                    row[2] = old_start + (old + u) * s
                    row[3] = max(0, min(s, old_length - (old + u) * s))
            count *= n
        kept = 0
        for k in range(count):
            if chunks[k, 1] > 0:
                chunks[kept] = chunks[k]
                kept += 1
        count = kept
    return count


@njit(**OPTIONS)
def _union_length(pieces: Ints, count: int) -> int:
    """Total length of the union of intervals [pieces[k, 0], pieces[k, 1]); sorts them, mostly sorted already, in place."""
    for k in range(1, count):
        low, high = pieces[k, 0], pieces[k, 1]
        m = k
        while m > 0 and pieces[m - 1, 0] > low:
            pieces[m, 0], pieces[m, 1] = pieces[m - 1, 0], pieces[m - 1, 1]
            m -= 1
        pieces[m, 0] = low
        pieces[m, 1] = high
    total = 0
    end = np.iinfo(np.int64).min
    for k in range(count):
        low, high = pieces[k, 0], pieces[k, 1]
        if high > end:
            total += high - max(low, end)
            end = high
    return total


@njit(**OPTIONS)
def _in_phase(start: int, length: int, phase: int, period: int) -> tuple[int, int]:
    """The interval of i with start <= period*i + phase < start + length."""
    if period == 1:
        return start, start + length
    return -((phase - start) // period), -((phase - start - length) // period)


@njit(**OPTIONS)
def _one_phase(y: Ints, ny: int, r: Ints, nr: int, phase: int, a: int, b: int, pieces: Ints, out: Ints) -> None:
    """Add to `out` what all PEs (pairs of a unit of y' and one of r) need and kept within one pair of phases."""
    phase_y, phase_r = phase // b, phase % b
    needed, fresh = pieces[0], pieces[1]
    n = 0
    m = 0
    for p in range(ny):
        new_y, new_y_end = _in_phase(y[p, 0], y[p, 1], phase_y, a)
        old_y, old_y_end = _in_phase(y[p, 2], y[p, 3], phase_y, a)
        for q in range(nr):
            new_r, new_r_end = _in_phase(r[q, 0], r[q, 1], phase_r, b)
            if new_y_end <= new_y or new_r_end <= new_r:
                continue
            old_r, old_r_end = _in_phase(r[q, 2], r[q, 3], phase_r, b)
            low, high = new_y + new_r, new_y_end + new_r_end - 1
            old_low, old_high = high, high
            if old_y_end > old_y and old_r_end > old_r:
                old_low, old_high = min(high, max(low, old_y + old_r)), min(high, max(low, old_y_end + old_r_end - 1))
            needed[n, 0], needed[n, 1] = low, high
            n += 1
            out[COPIES] += high - low
            out[KEPT_COPIES] += old_high - old_low
            if low < old_low:
                fresh[m, 0], fresh[m, 1] = low, old_low
                m += 1
            if old_high < high:
                fresh[m, 0], fresh[m, 1] = old_high, high
                m += 1
    union = _union_length(needed, n)
    out[UNION] += union
    out[KEPT] += union - _union_length(fresh, m)


@njit(**OPTIONS)
def window(y: Ints, ny: int, r: Ints, nr: int, a: int, b: int, pieces: Ints, out: Ints) -> None:
    """Write to `out` the counts UNION, KEPT, COPIES and KEPT_COPIES of one step.

    y, r: chunks of the active units, as `unit_chunks` makes them; pieces: [2, >= 2*ny*nr, 2], overwritten; out: [4].
    """
    out[:] = 0
    for phase in range(a * b):
        _one_phase(y, ny, r, nr, phase, a, b, pieces, out)
