"""Sliding windows, compiled: the input rows (columns) that output rows y' and filter rows r need, stride*y' + dilation*r.

With g = gcd(stride, dilation), a = dilation/g and b = stride/g, write y' = a*i + c' and r = b*j + c. Then the coordinate is
stride*c' + dilation*c + (stride*a)*(i + j), and the pair of phases (c', c) can be read back from it. So within one
pair of phases a chunk of y' and a chunk of r need one interval of i + j, and sets of coordinates are a*b unions of intervals.
Only the positions of chunks relative to each other matter: those of unit 0 start at 0, and in the step before at minus their shift.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined
from mapsearch.model.layer import Layer

Ints = NDArray[np.int64]


def window_phases(layer: Layer) -> Ints:
    """int64[2, 2]: (a, b) = (dilation, stride) / gcd of rows and of columns."""
    pairs = zip(layer.stride, layer.dilation, strict=True)
    return np.array([(dilation // gcd(stride, dilation), stride // gcd(stride, dilation)) for stride, dilation in pairs], np.int64)


@inlined
def needed(y: int, r: int, a: int, b: int) -> int:
    """The number of coordinates that y outputs and r taps need."""
    return y * r - max(y - a, 0) * max(r - b, 0)


@inlined
def tile_words(tile: Ints, ay: int, by: int, ax: int, bx: int) -> tuple[int, int, int]:
    """Words of W, I and O in a tile with these lengths of the eight dims; (ay, by), (ax, bx): phases of rows and columns."""
    g, n, k, c, r, s, y, x = tile[0], tile[1], tile[2], tile[3], tile[4], tile[5], tile[6], tile[7]
    return g * k * c * r * s, n * g * c * needed(y, r, ay, by) * needed(x, s, ax, bx), n * g * k * y * x


@inlined
def first_index(start: int, phase: int, period: int) -> int:
    """The least i with period*i + phase >= start."""
    return start if period == 1 else -((phase - start) // period)


@inlined
def kept(y: int, r: int, old_y: int, old_r: int, shift_y: int, shift_r: int, a: int, b: int) -> int:
    """The number of coordinates that y outputs and r taps need now and that the step before needed too."""
    back = b * shift_y + a * shift_r
    if old_y <= 0 or old_r <= 0 or back > b * (old_y - 1) + a * (old_r - 1) or -back > b * (y - 1) + a * (r - 1):
        return 0
    if a == 1 and b == 1:
        return max(0, min(y + r - 1, old_y + old_r - 1 - back) - max(0, -back))
    count = 0
    for cy in range(a):
        i, old_i = first_index(y, cy, a), first_index(-shift_y, cy, a)
        old_i_end = first_index(old_y - shift_y, cy, a)
        if i <= 0 or old_i_end <= old_i:
            continue
        for cr in range(b):
            j, old_j = first_index(r, cr, b), first_index(-shift_r, cr, b)
            old_j_end = first_index(old_r - shift_r, cr, b)
            if j > 0 and old_j_end > old_j:
                count += max(0, min(i + j, old_i_end + old_j_end) - 1 - max(0, old_i + old_j))
    return count
