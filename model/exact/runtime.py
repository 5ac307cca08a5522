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
def _transfer(bits: int, machine: Ints) -> int:
    """Cycles that the network takes for `bits`."""
    if bits == 0:
        return 0
    return int(machine[NOC_LATENCY] + (bits + machine[NOC_BITS] - 1) // machine[NOC_BITS] - 1)


@njit(**OPTIONS)
def _kind(row: Ints, machine: Ints, kind: Ints) -> None:
    """The columns of a class that the time depends on, on this machine."""
    kind[0], kind[1], kind[2] = row[STEPS], row[MAC], row[ZERO]
    inputs = WORDS if machine[MULTICAST] == 1 else FILLS
    for column in range(4):
        kind[3 + column] = row[inputs + column]
    written = WORDS if machine[REDUCTION] == 1 else FILLS
    kind[7], kind[8] = row[WORDS + 4], row[WORDS + 5]
    kind[9], kind[10] = row[written + 4], row[written + 5]


@njit(**OPTIONS)
def add_kind(kind: Ints, machine: Ints, first: bool, timing: Ints) -> None:
    """Add all steps of one kind to `timing`."""
    steps = kind[0]
    words_w, words_i = kind[3] - kind[4], kind[5] - kind[6]
    psums = kind[7] - kind[8] if machine[REDUCTION] == 1 and kind[2] == 0 else 0
    written = kind[9] - kind[10]
    bits_in = words_w * machine[BITS] + words_i * machine[BITS + 1] + psums * machine[BITS + 2]
    compute = (kind[1] + machine[SIMD] - 1) // machine[SIMD]
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
def _product(kinds: Ints, n: int, rows: Ints, m: int, machine: Ints, out: Ints) -> None:
    """out[n*m] = every kind times every class."""
    kind = np.empty(KIND, np.int64)
    for q in range(m):
        _kind(rows[q], machine, kind)
        for p in range(n):
            for column in range(KIND):
                out[p * m + q, column] = kinds[p, column] * kind[column]


@njit(**OPTIONS)
def add_carry(lists: Ints, which: Ints, counts: Ints, machine: Ints, kinds: Ints, timing: Ints) -> None:
    """Add all steps of one carry to `timing`.

    lists: [.., capacity, COLUMNS], of which group g's classes are lists[which[g], :counts[which[g]]];
    kinds: [2, >= product of all counts but the largest, KIND], work space.
    """
    largest = 0
    for g in range(1, GROUPS):
        if counts[which[g]] > counts[which[largest]]:
            largest = g
    here = 0
    kinds[0, 0, :] = 1
    n = 1
    for g in range(GROUPS):
        if g != largest:
            m = counts[which[g]]
            _product(kinds[here], n, lists[which[g]], m, machine, kinds[1 - here])
            here = 1 - here
            n *= m
    last = np.empty(KIND, np.int64)
    kind = np.empty(KIND, np.int64)
    for q in range(counts[which[largest]]):
        _kind(lists[which[largest], q], machine, last)
        for p in range(n):
            for column in range(KIND):
                kind[column] = kinds[here, p, column] * last[column]
            add_kind(kind, machine, False, timing)


@njit(**OPTIONS)
def first_step(lists: Ints, machine: Ints, timing: Ints) -> None:
    """Start `timing` with step 0, whose class of group g is lists[g, 0]: nothing was there before it."""
    kind = np.ones(KIND, np.int64)
    one = np.empty(KIND, np.int64)
    for g in range(GROUPS):
        _kind(lists[g, 0], machine, one)
        for column in range(KIND):
            kind[column] *= one[column]
    kind[4] = kind[6] = kind[8] = kind[10] = 0
    timing[:] = 0
    timing[PEAK_CYCLES] = 1
    add_kind(kind, machine, True, timing)


@njit(**OPTIONS)
def add_totals(lists: Ints, which: Ints, counts: Ints, first: bool, totals: Ints) -> None:
    """Add the sums over one carry's steps: totals[0] steps; 1..3 words by multicast of W, I, O; 4..6 by fills."""
    sums = np.empty(COLUMNS, np.int64)
    product = np.ones(COLUMNS, np.int64)
    for g in range(GROUPS):
        sums[:] = 0
        for k in range(counts[which[g]]):
            row = lists[which[g], k]
            sums[STEPS] += row[STEPS]
            for column in range(WORDS, COLUMNS):
                sums[column] += row[STEPS] * row[column]
        for column in range(COLUMNS):
            product[column] *= sums[column]
    totals[0] += product[STEPS]
    for t in range(6):
        totals[1 + t] += product[WORDS + 2 * t] - (0 if first else product[WORDS + 2 * t + 1])
