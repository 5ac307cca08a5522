"""The least that crosses to off-chip memory, from the loops of level 0 that are chosen: as in `residency`, with the L2 shared.

Each tensor may reside at each depth of the chosen loops, or at one of those to come, of which the least footprint is taken.
"""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.state import ANEW, SLIDES, STILL, BoundWorkspace, fresh_part
from mapsearch.model.exact.bound.words import standing_times, tapping_times
from mapsearch.model.windows import needed

WORDS, NEED = 0, 1


@inlined
def _begin(w: BoundWorkspace) -> None:
    """Depth 0: the L2 keeps all of each tensor, once."""
    for tensor in range(3):
        w.options[tensor, WORDS, 0], w.options[tensor, NEED, 0] = w.whole[tensor], w.whole[tensor] * w.machine.l2.word_units[tensor]
        w.n_options[tensor], w.turns[tensor], w.held[tensor] = 1, 1.0, w.whole[tensor]
    for axis in range(2):
        w.rows[axis] = needed(w.extents[6 + axis], w.extents[4 + axis], w.windows[axis, 0], w.windows[axis, 1])
        w.held[1] /= w.rows[axis]
    for dim in range(8):
        w.footprint[dim] = w.extents[dim]


@inlined
def _hold(w: BoundWorkspace, dim: int, chunk: int) -> None:
    """Keep a chunk of a dim in place of all of it."""
    w.footprint[dim] = chunk
    for tensor in range(3):
        if w.moved[tensor, dim] != STILL and (dim < 4 or tensor != 1):
            w.held[tensor] = w.held[tensor] / w.extents[dim] * chunk
    if dim >= 4:
        axis = dim % 2
        w.rows[axis] = needed(w.footprint[6 + axis], w.footprint[4 + axis], w.windows[axis, 0], w.windows[axis, 1])


@inlined
def _add(w: BoundWorkspace, tensor: int, words: float) -> None:
    """Add a depth at which so many words of a tensor are fetched; no fewer than at the depths before it."""
    count = w.n_options[tensor]
    held = w.held[tensor] * (w.rows[0] * w.rows[1] if tensor == 1 else 1.0)
    w.options[tensor, WORDS, count] = max(w.options[tensor, WORDS, count - 1], words)
    w.options[tensor, NEED, count] = held * w.machine.l2.word_units[tensor] * w.machine.l2.copies[tensor]
    w.n_options[tensor] = count + 1


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


@inlined
def _add_open(w: BoundWorkspace) -> None:
    """Add a depth of the loops to come, with the least that it may need."""
    for i in range(w.n_dims):
        if w.known[w.dims[i]] == 0:
            _hold(w, w.dims[i], int(w.chunk[w.dims[i]]))
    for tensor in range(3):
        anew, moving = True, False
        for i in range(w.n_dims):
            moved = w.moved[tensor, w.dims[i]]
            if w.known[w.dims[i]] == 0 and moved != STILL:
                anew, moving = anew and moved == ANEW, True
        if moving:
            _add(w, tensor, w.whole[tensor] * w.turns[tensor] if anew else 0.0)


@inlined
def _passing(w: BoundWorkspace, tensor: int) -> None:
    """Leave one choice to a tensor that passes the L2 by: what comes from the L1s, or goes there, crosses."""
    through = w.machine.reduction if tensor == 2 else w.machine.multicast
    w.options[tensor, WORDS, 0] = w.words[tensor] if through else w.fills[tensor]
    w.options[tensor, NEED, 0], w.n_options[tensor] = 0.0, 1


@inlined
def _standing(w: BoundWorkspace, tensor: int) -> None:
    """Leave one choice to a tensor of an L2 that keeps no tile: the deepest that is known, at which all of W and I comes anew."""
    words = w.options[tensor, WORDS, w.n_options[tensor] - 1]
    if tensor < 2:
        words = w.whole[tensor]
        for i in range(w.n_lacks[tensor]):
            dim = w.lacks[tensor, i]
            words *= (w.extents[dim] + w.chunk[dim] - 1) // w.chunk[dim] if w.sized[dim] > 0 else 1
    for axis in range(2 if tensor == 1 else 0):
        y, r = 6 + axis, 4 + axis
        if w.moved[1, y] == SLIDES:
            chunk_y = w.chunk[y] if w.sized[y] > 0 else w.extents[y]
            words *= standing_times(w, axis, chunk_y, w.chunk[r] if w.sized[r] > 0 else w.extents[r])
    w.options[tensor, WORDS, 0], w.options[tensor, NEED, 0], w.n_options[tensor] = words, 0.0, 1


@leaf
def _depths(w: BoundWorkspace) -> None:
    """Write w.options and w.n_options: words fetched and units needed at each depth worth a look, of W, I and O."""
    _begin(w)
    for place in range(8 if w.chosen > 0 else 0):
        dim = w.order[0, place]
        chunk, extent = int(w.chunk[dim]), int(w.extents[dim])
        if chunk >= extent or w.known[dim] == 0:
            continue
        _hold(w, dim, chunk)
        for tensor in range(3):
            if w.moved[tensor, dim] == STILL:
                w.turns[tensor] *= (extent + chunk - 1) // chunk
            else:
                _add(w, tensor, w.whole[tensor] * w.turns[tensor] * (_slid(w, dim) if tensor == 1 else 1.0))
    if w.machine.keeps:
        _add_open(w)
    for tensor in range(3):
        if w.machine.l2.copies[tensor] == 0:
            _passing(w, tensor)
        elif not w.machine.keeps:
            _standing(w, tensor)


@inlined
def _cross(w: BoundWorkspace, words: float, tensor: int) -> float:
    """Off-chip units of so many words of a tensor."""
    units = w.machine.offchip_word_units
    if tensor < 2:
        return float(words * units[tensor])
    return float(w.whole[2] * units[2] + 2.0 * (words - w.whole[2]) * w.machine.offchip_sum_units)


@inlined
def whole_offchip(w: BoundWorkspace) -> None:
    """Write w.offchip, the cycles and pJ of all tensors once."""
    pj, apart = w.per_word.offchip_pj, w.machine.l2.apart
    of_w, of_i, of_o = _cross(w, w.whole[0], 0), _cross(w, w.whole[1], 1), _cross(w, w.whole[2], 2)
    _write_cycles(w, of_w + of_i + of_o, of_w * apart[0] + of_i * apart[1] + of_o * apart[2])
    w.offchip[2] = w.whole[0] * pj[0] + w.whole[1] * pj[1] + w.whole[2] * pj[2]


@inlined
def _write_cycles(w: BoundWorkspace, units: float, apart: float) -> None:
    scale = 1.0 / w.machine.offchip_units
    w.offchip[0], w.offchip[1] = units * scale, apart * scale


@inlined
def least_offchip(w: BoundWorkspace) -> None:
    """Write w.offchip, the least cycles and the least pJ of any depths of W, I and O that fit the L2."""
    _depths(w)
    l2, pj, options = w.machine.l2, w.per_word.offchip_pj, w.options
    byte = float(1 << l2.byte_shift)
    size_w, size_i, size_o = byte * l2.bytes[l2.of[0]], byte * l2.bytes[l2.of[1]], byte * l2.bytes[l2.of[2]]
    both, with_w, with_i = l2.of[0] == l2.of[1], l2.of[0] == l2.of[2], l2.of[1] == l2.of[2]  # share a room
    units, apart, energy = np.inf, np.inf, np.inf
    for p in range(w.n_options[0]):
        # Words rise along the depths: of those of O that fit the first is the best, and with more of I one before it.
        fewer = w.n_options[2]
        for q in range(w.n_options[1]):
            need_w, need_i = options[0, NEED, p], options[1, NEED, q]
            if need_w + (need_i if both else 0.0) > size_w or need_i + (need_w if both else 0.0) > size_i:
                continue
            room = size_o - (need_w if with_w else 0.0) - (need_i if with_i else 0.0)
            for r in range(fewer):
                if options[2, NEED, r] <= room:
                    words_w, words_i, words_o = options[0, WORDS, p], options[1, WORDS, q], options[2, WORDS, r]
                    of_w, of_i, of_o = _cross(w, words_w, 0), _cross(w, words_i, 1), _cross(w, words_o, 2)
                    units = min(units, of_w + of_i + of_o)
                    apart = min(apart, of_w * l2.apart[0] + of_i * l2.apart[1] + of_o * l2.apart[2])
                    energy = min(energy, words_w * pj[0] + words_i * pj[1] + words_o * pj[2])
                    fewer = r
                    break
    _write_cycles(w, units, apart)
    w.offchip[2] = energy
    if units == np.inf:  # no way to complete it fits
        _write_cycles(w, 0.0, 0.0)
    w.is_crossed = min(l2.copies[0], l2.copies[1], l2.copies[2]) > 0
