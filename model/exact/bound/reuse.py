"""How often the L1s must be filled at least, whatever is chosen further in, as a tile of each operand has to fit an L1.

In the innermost loop that iterates one tensor at most stays: W in one over N, Y' or X', I in one over K, O in one over C, R or S.
The tiles of the two others come anew at every step, so a word of them serves as many MACs as the tile's sizes of the dims that
the tensor lacks: a word of W N x Y' x X', of O C x R x S, of I K, times how often the window's rows and columns meet it there.

Along an axis whose Y' slides in the innermost loop, each new y' brings at least min(b, r) rows of I, so that a row serves
r / min(b, r) MACs; where R iterates further out, its step may lend all of a pass's first tile, which is half of the pass at most.
With R and a = dilation / gcd(stride, dilation) in place of Y' and b the same holds for a loop over R.

A *front* lists for a kind of innermost loop what two tensors may reach together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel, leaf
from mapsearch.model.windows import needed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Kinds of innermost loops, by their dims: C, R, S, where O stays; N, Y', X', where W stays; K, where I stays; G, where none does.
KIND_DIMS = (3, 4, 5, 1, 6, 7, 2, 0)
# What a kind's front is about, of W, I, O, and the third.
FIRST, SECOND, STAYING = (0, 0, 0, 2, 2, 2, 0, 0), (1, 1, 1, 1, 1, 1, 2, 1), (2, 2, 2, 0, 0, 0, 1, 2)
KINDS, POINTS = 8, 16


@inlined
def gain(y: int, r: int, a: int, b: int) -> float:
    """MACs that a coordinate serves along an axis."""
    return float(y * r / needed(y, r, a, b))


@inlined
def sliding_gain(length: int, whole: int, phases: int) -> float:
    """The same at most where the axis's other dim slides in the innermost loop. whole: the layer's length of this dim.

    phases: b where this dim is R, a where it is Y'.
    """
    if length == whole:
        return whole / min(phases, whole)
    edge = whole % length
    return 2.0 * whole / (whole // length * min(phases, length) + min(phases, edge))


@inlined
def _note(best: Floats, kind: int, rooms: Ints, one: float, two: float) -> None:
    """Note that a word of a kind's two tensors may serve so many MACs; rooms: bits, together more than `one` ever is."""
    row = min(POINTS - 1, int(POINTS * np.log(one) / np.log(float(rooms[0] + rooms[1] + rooms[2]))))
    best[kind, row, 0] = max(best[kind, row, 0], one)
    best[kind, row, 1] = max(best[kind, row, 1], two)


@inlined
def _most(rooms: Ints, of: Ints, fixed: int, bits: int, one: int, per_one: int, two: int, per_two: int) -> int:
    """How many times so many bits of two tensors fit their rooms, beside those of a third."""
    most = 0 if bits > rooms[of[fixed]] else np.iinfo(np.int64).max
    for room in range(3):
        per = (per_one if of[one] == room else 0) + (per_two if of[two] == room else 0)
        if per > 0:
            most = min(most, (rooms[room] - (bits if of[fixed] == room else 0)) // per)
    return int(most)


@inlined
def _note_outputs_stay(
    best: Floats, rooms: Ints, of: Ints, bits: Ints, most_k: int, outputs: int, taps: int, inputs: int, gains: Floats
) -> None:  # fmt: skip
    k = min(most_k, _most(rooms, of, 1, inputs * bits[1], 0, taps * bits[0], 2, outputs * bits[2]))
    if k >= 1:
        _note(best, 0, rooms, outputs, k * gains[0, 0] * gains[1, 0])
        _note(best, 7, rooms, outputs, k * gains[0, 0] * gains[1, 0])
        _note(best, 1, rooms, outputs, k * gains[0, 2] * gains[1, 0])
        _note(best, 2, rooms, outputs, k * gains[0, 0] * gains[1, 2])


@inlined
def _note_inputs_stay(best: Floats, rooms: Ints, of: Ints, bits: Ints, most_c: int, outputs: int, taps: int, inputs: int) -> None:
    c = min(most_c, _most(rooms, of, 2, outputs * bits[2], 0, taps * bits[0], 1, inputs * bits[1]))
    if c >= 1:
        _note(best, 6, rooms, outputs, c * taps)


@inlined
def _note_weights_stay(
    best: Floats, rooms: Ints, of: Ints, bits: Ints, most_k: int, most_c: int, outputs: int, taps: int, inputs: int, gains: Floats
) -> None:  # fmt: skip
    c = 1
    while c <= most_c:
        k = min(most_k, _most(rooms, of, 1, c * inputs * bits[1], 0, c * taps * bits[0], 2, outputs * bits[2]))
        if k < 1:
            return
        more = min(most_c, c + c // 8)  # of a few sizes the least room and the most MACs count: fewer to look at in large L1s
        _note(best, 3, rooms, more * taps, k * gains[0, 0] * gains[1, 0])
        _note(best, 4, rooms, more * taps, k * gains[0, 1] * gains[1, 0])
        _note(best, 5, rooms, more * taps, k * gains[0, 0] * gains[1, 1])
        c = more + 1


@inlined
def _axis_gains(extents: Ints, windows: Ints, axis: int, y: int, r: int, gains: Floats) -> None:
    """Write gains[axis], MACs that a coordinate serves: with the axis standing still or all new, Y' sliding, R sliding."""
    a, b, whole_y, whole_r = windows[axis, 0], windows[axis, 1], extents[6 + axis], extents[4 + axis]
    gains[axis, 0] = gain(y, r, a, b)
    gains[axis, 1] = gains[axis, 2] = 1.0
    if whole_y > a and whole_r > b:
        gains[axis, 1], gains[axis, 2] = sliding_gain(r, whole_r, b), sliding_gain(y, whole_y, a)


@leaf
def _note_tiles(best: Floats, extents: Ints, windows: Ints, rooms: Ints, of: Ints, bits: Ints, gains: Floats) -> None:
    """Look at every tile of n, y', x', r, s whose inputs fit, with as large k and c as fit too; gains: [2, 3], overwritten."""
    room = rooms[of[1]]
    for y in range(1, extents[6] + 1):
        for r in range(1, extents[4] + 1):
            rows = needed(y, r, windows[0, 0], windows[0, 1])
            _axis_gains(extents, windows, 0, y, r, gains)
            if rows * bits[1] > room:
                break
            for x in range(1, extents[7] + 1):
                for s in range(1, extents[5] + 1):
                    words = rows * needed(x, s, windows[1, 0], windows[1, 1])
                    _axis_gains(extents, windows, 1, x, s, gains)
                    if words * bits[1] > room:
                        break
                    _note_weights_stay(best, rooms, of, bits, extents[2], extents[3], y * x, r * s, words, gains)
                    for n in range(1, extents[1] + 1):
                        if n * words * bits[1] > room:
                            break
                        _note_outputs_stay(best, rooms, of, bits, extents[2], n * y * x, r * s, n * words, gains)
                        _note_inputs_stay(best, rooms, of, bits, extents[3], n * y * x, r * s, n * words)


@kernel
def fronts(extents: Ints, windows: Ints, bits: Ints, rooms: Ints, of: Ints, points: Floats, counts: Ints) -> None:
    """Write points[kind, :counts[kind]]: words a MAC of a kind's first and second tensor, of tiles that fit an L1 together.

    bits: of a word of W, I, O; rooms: bits of the rooms of an L1; of: the room of W, I, O.
    """
    best = np.zeros((KINDS, POINTS, 2))
    _note_tiles(best, extents, windows, rooms, of, bits, np.empty((2, 3)))
    for kind in range(KINDS):
        counts[kind] = 0
        most = 0.0
        for row in range(POINTS - 1, -1, -1):
            if best[kind, row, 1] > most:
                most = best[kind, row, 1]
                points[kind, counts[kind], 0], points[kind, counts[kind], 1] = 1.0 / best[kind, row, 0], 1.0 / most
                counts[kind] += 1
