"""Cycles of the array and words: every combination of the groups' classes in a carry is one kind of step, costed once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.count.classes import CAME, COLUMNS, FILLED, KEPT, MAC, STEPS, ZERO
from mapsearch.model.exact.workspace import Workspace

Floats = NDArray[np.float64]

# What the array's time is made of.
CYCLES = 0
COMPUTE_BOUND = 1
INGRESS_BOUND = 2
EGRESS_BOUND = 3
TIMING = 4

ROUNDING = 1 - 1e-12


@inlined
def _transfer(w: Workspace, bits: float, width: int) -> float:
    """Cycles that a network of w.noc_bits[width] takes for `bits`."""
    if bits == 0.0:
        return 0.0
    return float(w.rates.noc_latency + np.ceil(bits / w.noc_bits[width]) - 1.0)


@inlined
def _add_steps(
    w: Workspace, width: int, steps: float, compute: float, bits_in: float, bits_out: float, words: float, first: bool
) -> None:
    """Add so many steps alike to w.timing[width]; words: that cross the network, in and out."""
    timing, peak = w.timing[width], w.peak[width]
    ingress, egress = _transfer(w, bits_in, width), _transfer(w, bits_out, width)
    many = np.int64(steps)
    if first or w.machine.l1_copies == 1:
        cycles = compute + ingress + egress
        timing[COMPUTE_BOUND] += many * np.int64(compute)
        timing[INGRESS_BOUND] += many * np.int64(ingress)
        timing[EGRESS_BOUND] += many * np.int64(egress)
    else:
        cycles = max(compute, ingress, egress)
        bound = COMPUTE_BOUND if cycles == compute else (INGRESS_BOUND if cycles == ingress else EGRESS_BOUND)
        timing[bound] += many * np.int64(cycles)
    timing[CYCLES] += many * np.int64(cycles)
    peak_words, peak_cycles = peak[0], peak[1]
    if words * peak_cycles > ROUNDING * peak_words * cycles:  # only a product may round, and few steps come close
        rate, highest = words / cycles, peak_words / peak_cycles
        if rate > highest or (rate == highest and words < peak_words):
            peak[0], peak[1] = words, cycles


@inlined
def _add_kind(w: Workspace, depth: int, first: bool) -> None:
    """Add all steps of the kind kinds[depth] to w.timing."""
    kind = w.kinds[depth]
    came = CAME if w.machine.multicast else FILLED
    left = CAME + 2 if w.machine.reduction else FILLED + 2
    words_w, words_i = kind[came] - kind[came + 3], kind[came + 1] - kind[came + 4]
    psums = kind[CAME + 2] - kind[KEPT + 2]
    written = kind[left] - kind[left + 3]
    bits_in = words_w * w.rates.bits[0] + words_i * w.rates.bits[1]
    compute = kind[MAC] if w.rates.simd == 1.0 else float(np.ceil(kind[MAC] / w.rates.simd))
    bits_out = written * w.rates.bits[2]
    words = words_w + words_i + written
    steps = kind[STEPS]
    reading = steps - kind[ZERO] if w.machine.reduction and psums > 0.0 else 0.0
    for width in range(w.widths):
        if steps > reading:
            _add_steps(w, width, steps - reading, compute, bits_in, bits_out, words, first)
        if reading > 0.0:
            _add_steps(w, width, reading, compute, bits_in + psums * w.rates.bits[2], bits_out, words + psums, first)


@inlined
def _start(w: Workspace, rows: Floats, groups: int) -> int:
    """kinds[0] = product of the groups with one class; w.places[1] = the others, in turn; returns how many of those."""
    kind = w.kinds[0]
    for c in range(COLUMNS):
        kind[c] = w.base[c]
    n = 0
    for g in range(groups):
        place = w.places[0, g]
        if w.counts[place] == 1:
            for c in range(COLUMNS):
                kind[c] *= rows[place, 0, c]
        else:
            w.places[1, n] = place
            w.places[2, n] = 0
            n += 1
    return n


@inlined
def add_carry(w: Workspace, rows: Floats, groups: int) -> None:
    """Add all steps of one carry to w.timing.

    rows: [.., capacity, COLUMNS], of which the classes of each group that iterates are the first w.counts[place] at
    place = w.places[0, :groups].
    """
    n = _start(w, rows, groups)
    depth = 0
    while True:
        while depth < n:
            kind, row, product = w.kinds[depth], rows[w.places[1, depth], w.places[2, depth]], w.kinds[depth + 1]
            for c in range(COLUMNS):
                product[c] = kind[c] * row[c]
            depth += 1
        _add_kind(w, n, False)
        depth -= 1
        while depth >= 0 and w.places[2, depth] + 1 == w.counts[w.places[1, depth]]:
            w.places[2, depth] = 0
            depth -= 1
        if depth < 0:
            return
        w.places[2, depth] += 1


@leaf
def first_step(w: Workspace, rows: Floats, groups: int) -> None:
    """Start w.timing with step 0, of which every group has one class: nothing was there before it."""
    _start(w, rows, groups)
    for t in range(3):
        w.kinds[0, CAME + 3 + t] = 0.0
        w.kinds[0, FILLED + 3 + t] = 0.0
    for width in range(w.widths):
        for part in range(TIMING):
            w.timing[width, part] = 0
        w.peak[width, 0], w.peak[width, 1] = 0.0, 1.0
    _add_kind(w, 0, True)


@inlined
def add_sums(w: Workspace, rows: Floats, place: int) -> None:
    """w.sums[place] = the steps of a group's classes, and their factors summed over the steps."""
    total = w.sums[place]
    for c in range(COLUMNS):
        total[c] = 0.0
    steps = 0.0
    for k in range(w.counts[place]):
        row = rows[place, k]
        many = row[STEPS]
        steps += many
        for c in range(COLUMNS):
            total[c] += many * row[c]
    total[STEPS] = steps


@inlined
def add_totals(w: Workspace, groups: int, first: bool) -> None:
    """Add the sums over one carry's steps to w.totals."""
    kind = w.kinds[0]
    for c in range(COLUMNS):
        kind[c] = w.base[c]
    for g in range(groups):
        total = w.sums[w.places[0, g]]
        for c in range(COLUMNS):
            kind[c] *= total[c]
    stays = 0.0 if first else 1.0
    w.totals.steps += kind[STEPS]
    for t in range(3):
        w.totals.multicast[t] += kind[CAME + t] - stays * kind[CAME + 3 + t]
        w.totals.fills[t] += kind[FILLED + t] - stays * kind[FILLED + 3 + t]
