"""The least that crosses to off-chip memory, from the loops of level 0 that are chosen: as in `residency`, with the L2 shared.

Each tensor may reside at each depth of the chosen loops, or at one of those to come, of which the least footprint is taken.
"""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.state import ANEW, SLIDES, STILL, BoundWorkspace, Bytes, fresh_part
from mapsearch.model.exact.bound.words import standing_times, tapping_times
from mapsearch.model.windows import needed

WORDS, NEED = 0, 1


@inlined
def _footprint(w: BoundWorkspace, tensor: int) -> float:
    """Words that the L2 keeps of a tensor, of w.footprint of each dim."""
    words = 1.0
    for i in range(w.n_dims):
        dim = w.dims[i]
        if w.moved[tensor, dim] != STILL and (dim < 4 or tensor != 1):
            words *= w.footprint[dim]
    if tensor == 1:
        for axis in range(2):
            words *= needed(w.footprint[6 + axis], w.footprint[4 + axis], w.windows[axis, 0], w.windows[axis, 1])
    return float(words)


@inlined
def _slid(w: BoundWorkspace, moving: int) -> float:
    """How many times its rows and columns of I are fetched, whatever else turns, where the loop of `moving` is the last."""
    times = 1.0
    for axis in range(2):
        y, r = 6 + axis, 4 + axis
        if w.moved[1, y] != SLIDES:
            continue
        if moving == r:
            times *= tapping_times(w, axis, w.footprint[y], w.footprint[r], w.extents[r])
        else:
            times *= standing_times(w, axis, w.extents[y] if moving == y else w.footprint[y], w.footprint[r])
    if w.moved[1, moving] == SLIDES:
        times *= fresh_part(w, moving, w.chunk[moving], w.chunk[moving], w.extents[moving], w.footprint[moving - 2], 1)
    return times


@leaf
def _depths(w: BoundWorkspace, order: Bytes, b: int, tensor: int) -> int:
    """Write w.options[tensor]: words fetched and bits needed at each depth worth a look; returns how many."""
    options = w.options[tensor]
    bits, doubled = float(w.machine.bits[tensor]), w.machine.l2_copies
    options[WORDS, 0], options[NEED, 0] = w.whole[tensor], w.whole[tensor] * bits
    count, turns, least = 1, 1.0, w.whole[tensor]
    for dim in range(8):
        w.footprint[dim] = w.extents[dim]
    for place in range(8 if w.chosen > 0 else 0):
        dim = order[b, 0, place]
        chunk, extent = int(w.chunk[dim]), int(w.extents[dim])
        if chunk >= extent or w.known[dim] == 0:
            continue
        w.footprint[dim] = chunk
        moved = w.moved[tensor, dim]
        if moved == STILL:
            turns *= (extent + chunk - 1) // chunk
            continue
        least = max(least, w.whole[tensor] * turns * (_slid(w, dim) if tensor == 1 else 1.0))
        options[WORDS, count], options[NEED, count] = least, _footprint(w, tensor) * bits * doubled
        count += 1
    anew, moving = True, False
    for i in range(w.n_dims):
        dim = w.dims[i]
        if w.known[dim] == 0 and w.moved[tensor, dim] != STILL:
            w.footprint[dim] = w.chunk[dim]
            anew = anew and w.moved[tensor, dim] == ANEW
            moving = True
    if moving:
        options[WORDS, count] = max(least, w.whole[tensor] * turns) if anew else least
        options[NEED, count] = _footprint(w, tensor) * bits * doubled
        count += 1
    return count


@inlined
def least_offchip(w: BoundWorkspace, order: Bytes, b: int) -> None:
    """Write w.offchip, the least bits and the least pJ of any depths of W, I and O that fit the L2."""
    n_w, n_i, n_o = _depths(w, order, b, 0), _depths(w, order, b, 1), _depths(w, order, b, 2)
    word_bits, word_pj = w.machine.bits, w.per_word.offchip_pj
    room = 8.0 * w.machine.l2_bytes
    bits, energy = np.inf, np.inf
    for p in range(n_w):
        fewer = n_o  # words rise along the depths: of those of O that fit the first is the best, and with more of I one before it
        for q in range(n_i):
            need = w.options[0, NEED, p] + w.options[1, NEED, q]
            for r in range(fewer):
                if need + w.options[2, NEED, r] <= room:
                    words_w, words_i, words_o = w.options[0, WORDS, p], w.options[1, WORDS, q], w.options[2, WORDS, r]
                    bits_in = words_w * word_bits[0] + words_i * word_bits[1]
                    bits = min(bits, bits_in + 2.0 * words_o * word_bits[2])
                    energy = min(energy, words_w * word_pj[0] + words_i * word_pj[1] + words_o * word_pj[2])
                    fewer = r
                    break
    if bits == np.inf:  # no way to complete it fits
        bits = 0.0
    w.offchip[0] = bits - w.whole[2] * word_bits[2]
    w.offchip[1] = energy
