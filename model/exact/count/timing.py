"""Cycles of the array and words: every combination of the groups' classes in a carry is one kind of step, costed once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf, spliced
from mapsearch.model.exact.count.classes import CAME, FILL_KEPT, FILLED, KEPT, MAC, STEPS, ZERO
from mapsearch.model.exact.count.rows import add_times, multiply, multiply_by
from mapsearch.model.exact.count.zeros import part_left
from mapsearch.model.exact.workspace import GROUPS, MAX_KINDS, Workspace

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# What the array's time is made of.
CYCLES = 0
COMPUTE_BOUND = 1
INGRESS_BOUND = 2
EGRESS_BOUND = 3
COMPUTE = 4
TIMING = 5

LANES = 4  # kinds are timed so many at once, in vector instructions

OWN_LIST, ONES = GROUPS, GROUPS + 1  # the place of the classes of the group that a carry's loop belongs to; one of factors 1


BESIDE, APART = 0, 1  # sides: of the tensors whose words come in while others are worked on, and of those that nobody works beside


@spliced
def set_rates(w: Workspace) -> None:
    """Write what follows from the machine: w.rates, w.wires, and the ingress of a side without tensors."""
    machine, rates, kinds = w.machine, w.rates, w.kinds
    rates.simd, rates.noc_latency = float(machine.simd), float(machine.noc_latency)
    # Outputs leave once for good, taken as when they enter first. Where the L2 adds, all that leaves is partial sums.
    rates.units_out[0], rates.units_out[1] = machine.word_units[2] if machine.reduction else machine.sum_units, machine.sum_units
    for tensor in range(3):
        units = machine.word_units[tensor] if tensor < 2 else machine.sum_units
        rates.units[BESIDE, tensor] = units * (1 - machine.l1.apart[tensor])
        rates.units[APART, tensor] = units * machine.l1.apart[tensor]
        for width in range(w.widths):
            w.wires[width, tensor] = w.shared_wires[width] if w.swept else machine.wire_units[tensor]
    for side in range(2):
        for k in range(MAX_KINDS):
            kinds.ingress[side, k] = kinds.reading_ingress[side, k] = 0.0
    copies = machine.l2.copies
    w.worded = w.worded or min(copies[0], copies[1], copies[2]) == 0  # the words of a tensor that passes the L2 by take time


@spliced
def clear(w: Workspace) -> None:
    """Start the sums of a mapping."""
    w.n_kinds, w.first = 0, 1
    for width in range(w.widths):
        for part in range(TIMING):
            w.timing[width, part] = 0
        w.peak[width, 0], w.peak[width, 1] = 0.0, 1.0
    w.totals.steps = 0.0
    for t in range(3):
        w.totals.multicast[t] = w.totals.fills[t] = 0.0


@inlined
def _transfer(units: float, width: float, latency: float) -> float:
    """Cycles that wires of so many units per cycle take."""
    return latency + float(np.ceil(units / width)) - 1.0 if units > 0.0 else 0.0


@spliced
def _write_ingress(w: Workspace, n: int, side: int, wires: Floats) -> None:
    """Write the ingress of the tensors on a side to w.kinds: together on shared wires, else the longest of each on its own."""
    kinds, units, latency = w.kinds, w.rates.units[side], w.rates.noc_latency
    units_w, units_i, units_o = units[0], units[1], units[2]
    width_w, width_i, width_o = wires[0], wires[1], wires[2]
    if w.machine.own_wires:
        for k in range(n):
            of_w = _transfer(kinds.words_w[k] * units_w, width_w, latency)
            ingress = max(of_w, _transfer(kinds.words_i[k] * units_i, width_i, latency))
            kinds.ingress[side, k] = ingress
            kinds.reading_ingress[side, k] = max(ingress, _transfer(kinds.psums[k] * units_o, width_o, latency))
    else:
        for k in range(n):
            both = kinds.words_w[k] * units_w + kinds.words_i[k] * units_i
            kinds.ingress[side, k] = _transfer(both, width_o, latency)
            kinds.reading_ingress[side, k] = _transfer(both + kinds.psums[k] * units_o, width_o, latency)


@spliced
def _add_cycles(w: Workspace, n: int, width: float, timing: Ints) -> None:
    """Add w.kinds to the timing of one width, that of O's wires, and write their rates.

    One loop over columns without branches, which the compiler turns into vector instructions (a sum of floats, or another store
    at the same column, would stop it). Each kind is two: the steps that read partial sums, and the others.
    """
    kinds, simd, latency = w.kinds, w.rates.simd, w.rates.noc_latency
    final_units, sum_units = w.rates.units_out[0], w.rates.units_out[1]
    reduction, first, waits = w.machine.reduction, w.first, w.machine.l1.apart[2] == 1
    cycles, compute_bound, egress_bound, computes = 0, 0, 0, 0
    for k in range(n):
        steps, psums, written = kinds.steps[k], kinds.psums[k], kinds.written[k]
        reads = steps - kinds.start[k] if reduction and psums > 0.0 else 0.0
        plain = steps - reads
        compute = float(np.ceil(kinds.macs[k] / simd))
        ingress, more = kinds.ingress[BESIDE, k], kinds.reading_ingress[BESIDE, k]
        leaves, sums_leave = _transfer(written * final_units, width, latency), _transfer(written * sum_units, width, latency)
        egress, alone = (0.0, leaves) if waits else (leaves, 0.0)
        egress_two, alone_two = (0.0, sums_leave) if waits else (sums_leave, 0.0)
        longest_one = compute + ingress + egress if k < first else max(compute, ingress, egress)
        longest_two = max(compute, more, egress_two)  # step 0 reads none
        one, two = longest_one + kinds.ingress[APART, k] + alone, longest_two + kinds.reading_ingress[APART, k] + alone_two
        many_one, many_two = int(plain), int(reads)
        cycles += many_one * int(one) + many_two * int(two)
        computes += int(steps) * int(compute)
        compute_one, compute_two = k < first or longest_one == compute, longest_two == compute
        egress_one = k < first or waits or (longest_one > compute and longest_one > ingress)
        egress_both = waits or (longest_two > compute and longest_two > more)
        compute_bound += int(compute) * ((many_one if compute_one else 0) + (many_two if compute_two else 0))
        egress_bound += int(leaves) * (many_one if egress_one else 0) + int(sums_leave) * (many_two if egress_both else 0)
        words = kinds.words_w[k] + kinds.words_i[k] + written
        kinds.moved[k], kinds.reading_moved[k] = words, words + psums
        kinds.cycles[k], kinds.reading_cycles[k] = one, two
        kinds.rate[k] = words / one if plain > 0.0 else 0.0
        kinds.reading_rate[k] = (words + psums) / two if reads > 0.0 else 0.0
    timing[CYCLES] += cycles
    timing[COMPUTE_BOUND] += compute_bound
    timing[INGRESS_BOUND] += cycles - compute_bound - egress_bound
    timing[EGRESS_BOUND] += egress_bound
    timing[COMPUTE] += computes


@spliced
def _find_peak(w: Workspace, n: int, peak: Floats) -> None:
    """Replace the peak, (words, cycles), by a kind that moves more words per cycle, or as many with fewer words."""
    kinds = w.kinds
    highest, reading = peak[0] / peak[1], 0.0
    for k in range(n):  # without branches: which kind is the highest is hard to predict
        highest, reading = max(highest, kinds.rate[k]), max(reading, kinds.reading_rate[k])
    highest = max(highest, reading)
    least = peak[0] if peak[0] / peak[1] == highest else np.inf
    for k in range(n):
        if kinds.rate[k] == highest and kinds.moved[k] < least:
            least, peak[1] = kinds.moved[k], kinds.cycles[k]
        if kinds.reading_rate[k] == highest and kinds.reading_moved[k] < least:
            least, peak[1] = kinds.reading_moved[k], kinds.reading_cycles[k]
    peak[0] = least


@leaf
def time_kinds(w: Workspace) -> None:
    """Add w.kinds to w.timing and w.peak, for each width of the network, and forget them."""
    n, kinds = w.n_kinds, w.kinds
    while n % LANES > 0:  # a kind of no steps
        kinds.steps[n] = kinds.start[n] = kinds.macs[n] = 0.0
        kinds.words_w[n] = kinds.words_i[n] = kinds.psums[n] = kinds.written[n] = 0.0
        n += 1
    for width in range(w.widths):
        for side in range(2):
            if w.rates.units[side, 0] + w.rates.units[side, 1] + w.rates.units[side, 2] > 0.0:
                _write_ingress(w, n, side, w.wires[width])
        _add_cycles(w, n, w.wires[width, 2], w.timing[width])
        _find_peak(w, n, w.peak[width])
    w.n_kinds = w.first = 0


@inlined
def add_sums(w: Workspace, rows: Floats, place: int) -> None:
    """w.sums[place] = the steps of a group's classes, and their factors summed over the steps."""
    total = w.sums[place]
    steps = rows[place, 0, STEPS]
    multiply_by(rows[place, 0], steps, total)
    for k in range(1, w.counts[place]):
        add_times(total, rows[place, k], rows[place, k, STEPS])
        steps += rows[place, k, STEPS]
    total[STEPS] = steps


@spliced
def _add_totals(w: Workspace, n: int) -> None:
    """Add the sums over one carry's steps to w.totals."""
    total, single = w.products[GROUPS], w.products[0]
    multiply_by(w.sums[OWN_LIST], single[STEPS], total)
    multiply(total, single, total)
    steps = single[STEPS] * w.sums[OWN_LIST, STEPS]
    for i in range(n):
        place = w.places[1, i]
        steps *= w.sums[place, STEPS]
        multiply(total, w.sums[place], total)
    w.totals.steps += steps
    for t in range(3):
        w.totals.multicast[t] += total[CAME + t] - total[KEPT + t]
        w.totals.fills[t] += total[FILLED + t] - total[FILL_KEPT + t]


@inlined
def _extend(w: Workspace, rows: Floats, tiles: Floats, place: int, k: int, of: int, to: int) -> None:
    """Make the product `to` that of product `of` and class k of a group."""
    multiply(w.products[of], rows[place, k], w.products[to])
    if w.machine.skips:
        multiply(w.tiles_of[of], tiles[place, k], w.tiles_of[to])


@spliced
def _add_kinds(w: Workspace, n: int, rows: Floats, tiles: Floats) -> None:
    """Append to w.kinds the product of the row n of w.products and each class of the carry's own group."""
    came = CAME if w.machine.multicast else FILLED
    left = CAME + 2 if w.machine.reduction else FILLED + 2
    kinds, kind = w.kinds, w.products[GROUPS]
    for q in range(w.counts[OWN_LIST]):
        if w.n_kinds == MAX_KINDS:
            time_kinds(w)
        k = w.n_kinds
        _extend(w, rows, tiles, OWN_LIST, q, n, GROUPS)
        kinds.steps[k], kinds.start[k], kinds.macs[k] = kind[STEPS], kind[ZERO], kind[MAC]
        kinds.words_w[k], kinds.words_i[k] = kind[came] - kind[came + 3], kind[came + 1] - kind[came + 4]
        kinds.psums[k], kinds.written[k] = kind[CAME + 2] - kind[KEPT + 2], kind[left] - kind[left + 3]
        if w.machine.skips:
            kinds.macs[k] *= part_left(w, w.tiles_of[GROUPS])
        w.n_kinds = k + 1


@spliced
def add_carry(w: Workspace, rows: Floats, tiles: Floats, groups: int, group: int) -> None:
    """Add all steps of a carry at a loop of `group`, or step 0, to w.totals and to w.kinds.

    rows, tiles: [.., capacity, COLUMNS], of which the classes of each group that iterates are the first w.counts[place] at
    place = w.places[0, :groups], and those of the carry's own group at place OWN_LIST.
    """
    multiply_by(w.base, 1.0, w.products[0])
    if w.machine.skips:
        multiply_by(w.base_tile, 1.0, w.tiles_of[0])
    n = 0
    for g in range(groups):
        place = w.places[0, g] if w.places[0, g] != group else ONES
        if w.counts[place] == 1:
            _extend(w, rows, tiles, place, 0, 0, 0)
        else:
            w.places[1, n] = place
            w.places[2, n] = 0
            n += 1
    if w.worded:
        _add_totals(w, n)
    if not w.timed:
        return
    depth = 0
    while True:
        while depth < n:
            _extend(w, rows, tiles, w.places[1, depth], w.places[2, depth], depth, depth + 1)
            depth += 1
        _add_kinds(w, n, rows, tiles)
        depth -= 1
        while depth >= 0 and w.places[2, depth] + 1 == w.counts[w.places[1, depth]]:
            w.places[2, depth] = 0
            depth -= 1
        if depth < 0:
            break
        w.places[2, depth] += 1
