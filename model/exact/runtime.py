"""Cycles of the array: every combination of the groups' classes in a carry is one kind of step, costed once."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapsearch.model.compiled import OPTIONS
from mapsearch.model.exact.groups import COLUMNS, FILLS, GROUPS, MAC, STEPS, WORDS, ZERO

Ints = NDArray[np.int64]

# What the array's time is made of, as `Timing` adds it up.
CYCLES = 0
COMPUTE_BOUND = 1
INGRESS_BOUND = 2
EGRESS_BOUND = 3
PEAK_WORDS = 4
PEAK_CYCLES = 5
TIMING = 6

# Columns of the machine's parameters.
SIMD = 0
BITS = 1  # to 3: of a word of weight, input, output
NOC_BITS = 4  # per cycle
NOC_LATENCY = 5
MULTICAST = 6
REDUCTION = 7
L1_BYTES = 8
L1_DOUBLED = 9  # 2 where double-buffered, else 1
L2_BYTES = 10
L2_DOUBLED = 11
OFFCHIP_BITS = 12  # per cycle
OFFCHIP_LATENCY = 13
MACHINE = 14

# Columns of a kind of step: steps, MACs of unit 0, reduction at index 0, then U and V of what crosses the network:
# weights, inputs, outputs (entrances: partial sums come back for these), and what outputs are written from.
KIND = 11


@njit(**OPTIONS)
def kind_columns(machine: Ints) -> Ints:
    """int64[KIND], where a class has the columns of a kind, on this machine."""
    inputs = WORDS if machine[MULTICAST] == 1 else FILLS
    written = WORDS if machine[REDUCTION] == 1 else FILLS
    return np.array(
        [STEPS, MAC, ZERO, inputs, inputs + 1, inputs + 2, inputs + 3, WORDS + 4, WORDS + 5, written + 4, written + 5]
    )


@njit(**OPTIONS)
def _transfer(bits: int, machine: Ints) -> int:
    """Cycles that the network takes for `bits`."""
    if bits == 0:
        return 0
    return int(machine[NOC_LATENCY] + (bits + machine[NOC_BITS] - 1) // machine[NOC_BITS] - 1)


@njit(**OPTIONS)
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


@njit(**OPTIONS)
def _multiply(kinds: Ints, depth: int, lists: Ints, place: int, row: int, columns: Ints) -> None:
    """kinds[depth + 1] = kinds[depth] times a class."""
    for c in range(KIND):
        kinds[depth + 1, c] = kinds[depth, c] * lists[place, row, columns[c]]


@njit(**OPTIONS)
def _start(lists: Ints, which: Ints, counts: Ints, columns: Ints, kinds: Ints, several: Ints) -> int:
    """kinds[0] = product of the groups with one class; several[k] = the others' lists; returns how many of those."""
    for c in range(KIND):
        kinds[0, c] = 1
    n = 0
    for g in range(GROUPS):
        place = which[g]
        if counts[place] == 1:
            for c in range(KIND):
                kinds[0, c] *= lists[place, 0, columns[c]]
        else:
            several[n] = place
            n += 1
    return n


@njit(**OPTIONS)
def add_carry(
    lists: Ints, which: Ints, counts: Ints, columns: Ints, machine: Ints, kinds: Ints, several: Ints, at: Ints, timing: Ints
) -> None:
    """Add all steps of one carry to `timing`.

    lists: [.., capacity, COLUMNS], of which group g's classes are lists[which[g], :counts[which[g]]]; columns: see
    `kind_columns`; kinds: [GROUPS + 1, KIND], several, at: [GROUPS], work space.
    """
    for g in range(GROUPS):
        if counts[which[g]] == 0:
            return
    n = _start(lists, which, counts, columns, kinds, several)
    depth = 0
    at[:] = 0
    while True:
        while depth < n:
            _multiply(kinds, depth, lists, several[depth], at[depth], columns)
            depth += 1
        _add_kind(kinds, n, machine, False, timing)
        depth -= 1
        while depth >= 0 and at[depth] + 1 == counts[several[depth]]:
            at[depth] = 0
            depth -= 1
        if depth < 0:
            return
        at[depth] += 1


@njit(**OPTIONS)
def first_step(lists: Ints, which: Ints, counts: Ints, columns: Ints, machine: Ints, kinds: Ints, several: Ints, timing: Ints) -> None:
    """Start `timing` with step 0, of which every group has one class: nothing was there before it."""
    _start(lists, which, counts, columns, kinds, several)
    kinds[0, 4] = kinds[0, 6] = kinds[0, 8] = kinds[0, 10] = 0
    timing[:] = 0
    timing[PEAK_CYCLES] = 1
    _add_kind(kinds, 0, machine, True, timing)


@njit(**OPTIONS)
def add_sums(lists: Ints, place: int, count: int, sums: Ints) -> None:
    """sums[place] = the steps of a group's classes, and their factors summed over the steps."""
    for column in range(COLUMNS):
        sums[place, column] = 0
    for k in range(count):
        steps = lists[place, k, STEPS]
        sums[place, STEPS] += steps
        for column in range(WORDS, COLUMNS):
            sums[place, column] += steps * lists[place, k, column]


@njit(**OPTIONS)
def add_totals(sums: Ints, which: Ints, first: bool, totals: Ints) -> None:
    """Add the sums over one carry's steps: totals[0] steps; 1..3 words by multicast of W, I, O; 4..6 by fills."""
    steps = 1
    for g in range(GROUPS):
        steps *= sums[which[g], STEPS]
    totals[0] += steps
    for t in range(6):
        came = 1
        kept = 0 if first else 1
        for g in range(GROUPS):
            came *= sums[which[g], WORDS + 2 * t]
            kept *= sums[which[g], WORDS + 2 * t + 1]
        totals[1 + t] += came - kept
