"""The least cycles: of compute, of the network and of the off-chip memory, from the words that move at least.

The steps of a loop of level 0, taken together with all that is inside it, last as long as the longest of compute, ingress and
egress does. So each loop's carries are summed apart: a carry moves one loop on by one and takes those inside it back to their
first chunk, hence of each dim either all chunks count, or all but the first, or the first. Of a
whole mapping they are not: that takes half as long again as the rest, to raise the bound by a few thousandths.
"""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.state import ANEW, ROUNDING, SLIDES, STILL, BoundWorkspace, fresh_part
from mapsearch.model.windows import needed

# Which chunks of a dim a carry's steps have, as rows of w.lengths and w.unit0.
ALL, LATER, ONE = 0, 1, 2
# What comes into the L1s, as places of w.ingress: while others are worked on, while nobody works, and both.
BESIDE, APART, TOGETHER = 0, 1, 2


@leaf
def _unit0(w: BoundWorkspace, dim: int, extent: int, more: int) -> float:
    """The least sum over the steps of unit 0's chunk lengths of `extent` of a dim, if levels to come have `more` units for it."""
    below, deep = more, (w.sized[dim] if more > 1 else 0)  # units that a tile is shared out over further on
    for level in range(w.chosen):
        if w.spatial[level] == dim:
            if level >= w.sized[dim]:
                below *= w.units[level]
                deep = w.sized[dim]
            elif w.share[dim, level] > 1:
                below *= w.share[dim, level]
                deep = max(deep, level + 1)
    many, total, tile = 1.0, 0.0, extent
    for level in range(deep):
        share, chunk = w.share[dim, level], min(tile, abs(w.size[level, dim]))
        below //= share
        whole = tile // (share * chunk)
        rest = tile - whole * share * chunk
        if rest > 0:
            total += many * ((min(chunk, rest) + below - 1) // below)
        many *= whole
        tile = chunk
    return float(total + many * ((tile + below - 1) // below))


@inlined
def _busy(w: BoundWorkspace, length: int) -> float:
    """As many indices of the dim of a machine's runs as take the time that its instructions do."""
    run, least = w.machine.run_longest, w.machine.run_least
    rest = length % run
    return float(length - rest + (max(rest, least) if rest > 0 else 0))


@leaf
def _run(w: BoundWorkspace) -> None:
    """Raise w.unit0[ALL] of the dim of a machine's runs, if all its sizes are chosen: unit 0's chunks of each length."""
    dim = w.machine.run_dim
    if w.known[dim] < w.levels or w.extents[dim] == 1:
        return
    w.edges[0], w.many[0] = w.extents[dim], 1.0
    for level in range(w.levels):
        chunk, share, whole = w.size[level, dim], w.share[dim, level], 0.0
        for i in range(level + 1):
            pieces, rest = w.edges[i] // chunk, w.edges[i] % chunk
            whole += w.many[i] * ((pieces + share - 1) // share)
            w.edges[i] = rest
            w.many[i] = w.many[i] if rest > 0 and pieces % share == 0 else 0.0
        w.edges[level + 1], w.many[level + 1] = chunk, whole
    total = 0.0
    for i in range(w.levels + 1):
        if w.many[i] > 0.0:
            total += w.many[i] * _busy(w, int(w.edges[i]))
    w.unit0[ALL, dim] = total


@inlined
def _measure_dim(w: BoundWorkspace, dim: int, open_units: int) -> None:
    """Write w.lengths[row, dim] and w.unit0[row, dim], coordinates of all units and of unit 0, by the rows above.

    And w.faster[dim], which is how many times shorter unit 0's steps get at most where a level to come shares the dim out.
    """
    extent = int(w.extents[dim])
    first = extent if w.known[dim] == 0 else int(w.chunk[dim])
    whole, part = _unit0(w, dim, extent, 1), _unit0(w, dim, first, 1)
    w.lengths[ALL, dim], w.lengths[LATER, dim], w.lengths[ONE, dim] = extent, extent - first, first
    w.unit0[ALL, dim], w.unit0[LATER, dim], w.unit0[ONE, dim] = whole, whole - part, part
    w.faster[dim] = 1.0
    if open_units > 1:
        shared = _unit0(w, dim, extent, open_units)
        shared_part = _unit0(w, dim, first, open_units)
        w.faster[dim] = max(whole / shared, part / shared_part)
        if shared > shared_part:
            w.faster[dim] = max(w.faster[dim], (whole - part) / (shared - shared_part))


@inlined
def measure(w: BoundWorkspace) -> None:
    """Measure the dims that were read since then, and write w.gain: how many times shorter unit 0's steps may get at most.

    A level shares out one dim, so those to come gain at most what the best dim does in each.
    """
    if w.is_whole:  # only ALL is asked for
        w.gain = 1.0
        for i in range(w.n_dims):
            if w.stale >> w.dims[i] & 1:
                w.unit0[ALL, w.dims[i]] = _unit0(w, w.dims[i], int(w.extents[w.dims[i]]), 1)
        if w.machine.run_dim >= 0:
            _run(w)
        return
    left = w.levels - w.chosen
    open_units, best = w.open_units if left > 0 else 1, 1.0
    for i in range(w.n_dims):
        dim = w.dims[i]
        if w.stale >> dim & 1:
            _measure_dim(w, dim, open_units)
        best = max(best, w.faster[dim])
    w.stale = 0
    if w.machine.run_dim >= 0:
        _run(w)
    w.gain = float(min(best**left, float(open_units)))


@inlined
def _row(w: BoundWorkspace, dim: int, place: int) -> int:
    """The row of a dim's chunks in the carries of the level-0 loop at a place; a dim of one chunk has it all."""
    if w.known[dim] == 0 or w.chunk[dim] >= w.extents[dim] or w.place[dim, 0] < place:
        return ALL
    return LATER if w.place[dim, 0] == place else ONE


@leaf
def _carry_words(w: BoundWorkspace, place: int, tensor: int) -> float:
    """The words of a tensor over a loop's carries, in each of which all of its chunk is new."""
    words = 1.0
    for i in range(w.n_dims):
        dim = w.dims[i]
        row = _row(w, dim, place)
        if w.moved[tensor, dim] == STILL:
            if row != ONE and w.known[dim] > 0:
                words *= (w.extents[dim] + w.chunk[dim] - 1) // w.chunk[dim] - row  # LATER is one less than ALL
        else:
            words *= w.lengths[row, dim]
    if tensor == 1:
        for axis in range(2):
            y, r = w.lengths[ONE, 6 + axis], w.lengths[ONE, 4 + axis]
            words *= needed(y, r, w.windows[axis, 0], w.windows[axis, 1]) / float(y * r)
    return float(words)


@inlined
def _come(w: BoundWorkspace, of_w: float, of_i: float, of_o: float) -> None:
    """Write w.ingress[BESIDE] and w.ingress[APART], the cycles in which words of W, I and O come that take so many each.

    One after another on shared wires; on their own all together, so that the longest counts.
    """
    apart = w.machine.l1.apart
    w.ingress[BESIDE] = w.ingress[APART] = 0.0
    for tensor in range(3):
        side, cycles = apart[tensor], (of_w, of_i, of_o)[tensor]
        w.ingress[side] = max(w.ingress[side], cycles) if w.machine.own_wires else w.ingress[side] + cycles


@inlined
def _carry_cycles(w: BoundWorkspace, place: int, new_w: bool, new_i: bool, new_o: bool) -> float:
    """The least cycles of a loop's carries; new: of which tensors all of the chunk comes anew."""
    machine, cycles = w.machine, w.per_word.fill_cycles
    compute = w.factor / (w.gain * machine.simd)
    for i in range(w.n_dims):
        compute *= w.unit0[_row(w, w.dims[i], place), w.dims[i]]
    of_w = _carry_words(w, place, 0) * (cycles[0] + w.per_word.multicast_cycles[0]) if new_w else 0.0
    of_i = _carry_words(w, place, 1) * (cycles[1] + w.per_word.multicast_cycles[1]) if new_i else 0.0
    _come(w, of_w, of_i, 0.0)
    egress = _carry_words(w, place, 2) * w.per_word.least_out_cycles if new_o else 0.0
    if machine.l1.apart[2] == 1:
        return float(w.ingress[APART] + egress + max(compute, w.ingress[BESIDE]))
    return float(w.ingress[APART] + max(compute, w.ingress[BESIDE], egress))


@leaf
def step_cycles(w: BoundWorkspace) -> float:
    """The least cycles of all steps, by the loops of level 0 that are chosen; 0 where this says nothing."""
    apart = w.machine.l1.apart
    if apart[0] + apart[1] + apart[2] == 3 or w.chosen == 0 or w.is_whole:
        return 0.0
    new_w = new_i = new_o = False
    far = False  # whether a loop of Y' or X' inside ends its passes apart from where it began them
    cycles = 0.0
    for place in range(7, -1, -1):
        dim = w.order[0, place]
        if w.known[dim] == 0 or w.chunk[dim] >= w.extents[dim]:
            continue
        new_w = new_w or w.moved[0, dim] != STILL
        new_o = new_o or w.moved[2, dim] != STILL
        new_i = new_i or w.moved[1, dim] == ANEW
        cycles += _carry_cycles(w, place, new_w, new_i or far, new_o)
        if w.moved[1, dim] == SLIDES:
            chunk, extent = int(w.chunk[dim]), int(w.extents[dim])
            within = w.known[dim - 2] > 0 and w.place[dim - 2, 0] < place
            taps = int(w.chunk[dim - 2] if within else w.extents[dim - 2])
            far = far or fresh_part(w, dim, chunk, chunk, extent, taps, 1) == 1.0
    return cycles + _carry_cycles(w, -1, False, False, False)


@inlined
def compute_cycles(w: BoundWorkspace) -> float:
    """The least cycles of unit 0's MACs, from what `measure` and `note_imbalance` wrote."""
    compute = w.factor * w.imbalance / (w.gain * w.machine.simd)
    for i in range(w.n_dims):
        compute *= w.unit0[ALL, w.dims[i]]
    return float(compute)


@inlined
def chosen_ingress(w: BoundWorkspace) -> None:
    """Write w.ingress from the fills and words that the chosen loops move at least."""
    fill, word = w.per_word.fill_cycles, w.per_word.multicast_cycles
    of_w = fill[0] * w.fills[0] + word[0] * w.words[0]
    of_i = fill[1] * w.fills[1] + word[1] * w.words[1]
    _come(w, of_w, of_i, fill[2] * w.fills[2] + word[2] * w.words[2] + w.per_word.rest_cycles)
    w.ingress[TOGETHER] = w.ingress[BESIDE] + w.ingress[APART]


@inlined
def raise_ingress(w: BoundWorkspace, words_cycles: float) -> None:
    """Raise w.ingress to what fills and words come to at least, all together, on wires that W, I and O share."""
    if not w.machine.own_wires:
        w.ingress[TOGETHER] = max(w.ingress[TOGETHER], words_cycles + w.per_word.rest_cycles)


@inlined
def array_cycles(w: BoundWorkspace, compute: float) -> float:
    """The least cycles of the array, by w.ingress: nothing goes on beside what comes, or goes, apart."""
    apart, latency = w.machine.l1.apart, w.machine.noc_latency
    egress = (w.words[2] if w.machine.reduction else w.fills[2]) * w.per_word.out_cycles + w.per_word.out_rest_cycles
    begins = latency if apart[0] + apart[1] < 2 else 0  # of step 0, which overlaps with nothing
    if apart[2] == 1:
        return float(egress + max(w.ingress[APART] + compute + begins, w.ingress[TOGETHER]))
    longest = max(w.ingress[APART] + max(compute + latency, egress) + begins, w.ingress[TOGETHER] + latency)
    return float(longest)


@inlined
def runtime_cycles(w: BoundWorkspace, array: float) -> float:
    """The least cycles of all, where the array takes so many."""
    return float(np.ceil((w.first_cycles + max(array + w.offchip[1], w.offchip[0], w.issue_cycles)) * ROUNDING))
