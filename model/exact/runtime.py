"""Cycles of the array: every combination of the groups' classes in a carry is one kind of step, costed once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.model.exact.groups import COLUMNS, FILLS, GROUPS, MAC, STEPS, WORDS, ZERO
from mapsearch.model.exact.machine import BITS, L1_DOUBLED, NOC_BITS, NOC_LATENCY, REDUCTION, SIMD

Ints = NDArray[np.int64]

# What the array's time is made of, as `Timing` adds it up.
CYCLES = 0
COMPUTE_BOUND = 1
INGRESS_BOUND = 2
EGRESS_BOUND = 3
PEAK_WORDS = 4
PEAK_CYCLES = 5
TIMING = 6

# Columns of a kind of step: steps, MACs of unit 0, reduction at index 0, then U and V of what crosses the network:
# weights, inputs, outputs (entrances: partial sums come back for these), and what outputs are written from.
KIND = 11


def kind_columns(*, multicast: bool, reduction: bool) -> Ints:
    """int64[KIND], where a class has the columns of a kind, on a machine with these flags."""
    inputs = WORDS if multicast else FILLS
    written = WORDS if reduction else FILLS
    return np.array([STEPS, MAC, ZERO, *range(inputs, inputs + 4), WORDS + 4, WORDS + 5, written + 4, written + 5], np.int64)


@leaf
def _transfer(bits: int, machine: Ints) -> int:
    """Cycles that the network takes for `bits`."""
    if bits == 0:
        return 0
    return int(machine[NOC_LATENCY] + (bits + machine[NOC_BITS] - 1) // machine[NOC_BITS] - 1)


@leaf
def _add_kind(kinds: Ints, depth: int, machine: Ints, first: bool, timing: Ints) -> None:
    """Add all steps of the kind kinds[depth] to `timing`."""
    steps = kinds[depth, 0]
    words_w, words_i = kinds[depth, 3] - kinds[depth, 4], kinds[depth, 5] - kinds[depth, 6]
    psums = kinds[depth, 7] - kinds[depth, 8] if machine[REDUCTION] == 1 and kinds[depth, 2] == 0 else 0
    written = kinds[depth, 9] - kinds[depth, 10]
    bits_in = words_w * machine[BITS] + words_i * machine[BITS + 1] + psums * machine[BITS + 2]
    compute = kinds[depth, 1] if machine[SIMD] == 1 else (kinds[depth, 1] + machine[SIMD] - 1) // machine[SIMD]
    ingress = _transfer(bits_in, machine)
    egress = _transfer(written * machine[BITS + 2], machine)
    if first or machine[L1_DOUBLED] == 1:
        cycles = compute + ingress + egress
        timing[COMPUTE_BOUND] += steps * compute
        timing[INGRESS_BOUND] += steps * ingress
        timing[EGRESS_BOUND] += steps * egress
    else:
        cycles = max(compute, ingress, egress)
        bound = COMPUTE_BOUND if cycles == compute else (INGRESS_BOUND if cycles == ingress else EGRESS_BOUND)
        timing[bound] += steps * cycles
    timing[CYCLES] += steps * cycles
    moved = words_w + words_i + psums + written
    rate = moved / cycles
    peak = timing[PEAK_WORDS] / timing[PEAK_CYCLES]
    if rate > peak or (rate == peak and moved < timing[PEAK_WORDS]):
        timing[PEAK_WORDS], timing[PEAK_CYCLES] = moved, cycles


@leaf
def _multiply(kinds: Ints, depth: int, lists: Ints, place: int, row: int, columns: Ints) -> None:
    """kinds[depth + 1] = kinds[depth] times a class."""
    for c in range(KIND):
        kinds[depth + 1, c] = kinds[depth, c] * lists[place, row, columns[c]]


@leaf
def _start(lists: Ints, places: Ints, counts: Ints, columns: Ints, kinds: Ints) -> int:
    """kinds[0] = product of the groups with one class; places[1] = the others' lists; returns how many of those."""
    for c in range(KIND):
        kinds[0, c] = 1
    n = 0
    for g in range(GROUPS):
        place = places[0, g]
        if counts[place] == 1:
            for c in range(KIND):
                kinds[0, c] *= lists[place, 0, columns[c]]
        else:
            places[1, n] = place
            n += 1
    return n


@leaf
def add_carry(lists: Ints, places: Ints, counts: Ints, columns: Ints, machine: Ints, kinds: Ints, timing: Ints) -> None:
    """Add all steps of one carry to `timing`.

    lists: [.., capacity, COLUMNS], of which group g's classes are the first counts[places[0, g]] at places[0, g];
    columns: see `kind_columns`; kinds: [GROUPS + 1, KIND] and places[1:], work space.
    """
    for g in range(GROUPS):
        if counts[places[0, g]] == 0:
            return
    n = _start(lists, places, counts, columns, kinds)
    for k in range(n):
        places[2, k] = 0
    depth = 0
    while True:
        while depth < n:
            _multiply(kinds, depth, lists, places[1, depth], places[2, depth], columns)
            depth += 1
        _add_kind(kinds, n, machine, False, timing)
        depth -= 1
        while depth >= 0 and places[2, depth] + 1 == counts[places[1, depth]]:
            places[2, depth] = 0
            depth -= 1
        if depth < 0:
            return
        places[2, depth] += 1


@leaf
def first_step(lists: Ints, places: Ints, counts: Ints, columns: Ints, machine: Ints, kinds: Ints, timing: Ints) -> None:
    """Start `timing` with step 0, of which every group has one class: nothing was there before it."""
    _start(lists, places, counts, columns, kinds)
    for kept in range(4, KIND, 2):
        kinds[0, kept] = 0
    timing[:] = 0
    timing[PEAK_CYCLES] = 1
    _add_kind(kinds, 0, machine, True, timing)


@leaf
def add_sums(lists: Ints, place: int, count: int, sums: Ints) -> None:
    """sums[place] = the steps of a group's classes, and their factors summed over the steps."""
    for column in range(COLUMNS):
        sums[place, column] = 0
    for k in range(count):
        steps = lists[place, k, STEPS]
        sums[place, STEPS] += steps
        for column in range(WORDS, COLUMNS):
            sums[place, column] += steps * lists[place, k, column]


@leaf
def add_totals(sums: Ints, places: Ints, first: bool, totals: Ints) -> None:
    """Add the sums over one carry's steps: totals[0] steps; 1..3 words by multicast of W, I, O; 4..6 by fills."""
    steps = 1
    for g in range(GROUPS):
        steps *= sums[places[0, g], STEPS]
    totals[0] += steps
    for t in range(6):
        came = 1
        kept = 0 if first else 1
        for g in range(GROUPS):
            came *= sums[places[0, g], WORDS + 2 * t]
            kept *= sums[places[0, g], WORDS + 2 * t + 1]
        totals[1 + t] += came - kept
