"""What one case of a level adds: its cycles, the PEs at work, and at the outermost level all that is reported."""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.maestro.count.cases import TIMES
from mapsearch.model.maestro.count.volumes import critical_macs, egress, ingress, macs_of_all
from mapsearch.model.maestro.count.workspace import (
    AVERAGE_BANDWIDTH,
    COMPUTE,
    DIVIDES_BY_ZERO,
    DONE,
    EGRESS,
    INGRESS,
    INPUT,
    INTENSITY,
    L1_READ,
    L1_WRITE,
    L2_READ,
    L2_SIZE,
    L2_WRITE,
    MACS,
    OFFCHIP_BANDWIDTH,
    OUTPUT,
    OVERFLOWS,
    PEAK_BANDWIDTH,
    WEIGHT,
    Floats,
    Workspace,
)

# Columns of a run of a level: steps, cycles, PEs times steps, and cases that count.
STEPS, CYCLES, BUSY, CASES = 0, 1, 2, 3
RUN_COLUMNS = 4


@inlined
def _delay(w: Workspace, words: float) -> float:
    """Cycles that words take on the network: one less than none where it has no latency, as published."""
    return float(w.noc_latency + np.ceil(words / w.noc_words) - 1.0)


@inlined
def _compute(w: Workspace, level: int, bits: int, critical: float) -> tuple[float, float, int]:
    """(Cycles of the units, PEs at work, the case of the next level that is asked for first or -1).

    bits: the TemporalMaps at an edge.
    """
    p = w.shared[level, 0]
    edge, double = w.edge[p, w.at[p]] == 1, w.double_edge[p, w.at[p]] == 1
    at_edge = w.edge_units[level]
    usual = float(at_edge if edge else w.units[level])
    if level == w.levels - 1:
        return float(np.ceil(critical / w.simd)), usual, -1
    last = bits
    for k in range(2):
        i = w.shared[level, k]
        if i >= 0 and w.edge[i, w.at[i]] == 1:
            last |= 1 << i
    full = last if at_edge == 1 else bits
    if edge and double:
        cycles, active = w.runtime[level + 1, last], w.active[level + 1, last]
        if at_edge > 1:
            cycles = max(cycles, w.runtime[level + 1, full])
            active += w.active[level + 1, full] * (at_edge - 1)
        return cycles, active if active != 0.0 else usual, last
    active = w.active[level + 1, full] * usual
    return w.runtime[level + 1, full], active if active != 0.0 else usual, full


@inlined
def _note_outputs(w: Workspace, steps: float, going: float, macs: float) -> None:
    w.out[L2_WRITE + OUTPUT] += steps * going
    w.out[L1_WRITE + OUTPUT] += steps * macs
    w.out[L1_READ + OUTPUT] += steps * macs


@inlined
def _note_words(w: Workspace, tensor: int, steps: float, words: float, macs: float) -> None:
    """Add the words of inputs or weights that a case moves."""
    w.out[L2_READ + tensor] += steps * words
    w.out[L1_WRITE + tensor] = w.out[L2_READ + tensor]
    w.out[L1_READ + tensor] += steps * macs


@inlined
def _note_bandwidths(w: Workspace, steps: float, coming: float, going: float, compute: float) -> None:
    """Add to the bandwidths that are called for; the program halves the one off-chip at every case."""
    inward, outward = w.out[L2_SIZE + INPUT] + w.out[L2_SIZE + WEIGHT], w.out[L2_SIZE + OUTPUT]
    w.out[OFFCHIP_BANDWIDTH] = max(w.out[OFFCHIP_BANDWIDTH], outward // compute, inward // compute) // 2.0
    moved = max(coming, going)
    w.out[PEAK_BANDWIDTH] = max(w.out[PEAK_BANDWIDTH], moved // compute)
    w.out[AVERAGE_BANDWIDTH] += (steps * moved) // compute


@inlined
def _offchip_cycles(w: Workspace) -> float:
    """Cycles that every step waits at least, whatever it fetches: those of the words of the first case."""
    inward, outward = w.out[L2_SIZE + INPUT] + w.out[L2_SIZE + WEIGHT], w.out[L2_SIZE + OUTPUT]
    return float(max(inward // w.offchip_words // 2.0, outward // w.offchip_words // 2.0))


@inlined
def _note_delay(w: Workspace, at: int, cycles: float, steps: float) -> None:
    """Add to the least, the most and the sum of a delay."""
    w.out[at] = min(w.out[at], cycles)
    w.out[at + 1] = max(w.out[at + 1], cycles)
    w.out[at + 2] += steps * cycles


@leaf
def count_case(w: Workspace, level: int, case: int, turn: int, run: Floats) -> int:
    """Add one case to the run of its level and, at level 0, to w.out; returns what becomes of the mapping.

    turn: the turning directive that changes last, or -1. A case in which no unit has MACs leaves only outputs' words behind.
    """
    total = w.products[w.n_turning]
    steps, first = total[TIMES], run[CASES] == 0.0
    if steps >= 2.0**31:
        return OVERFLOWS
    inputs, weights = ingress(w, level, INPUT, turn), ingress(w, level, WEIGHT, turn)
    going, macs, critical = egress(w, level, total), macs_of_all(w, level, total), critical_macs(w, level, total)
    if level == 0:
        if first:
            w.out[L2_SIZE + INPUT] += 2.0 * inputs
            w.out[L2_SIZE + WEIGHT] += 2.0 * weights
            if turn < 0:
                w.out[L2_SIZE + OUTPUT] = 2.0 * going
        _note_outputs(w, steps, going, macs)
    if critical <= 0.0:
        if first:
            w.skipped[level, case] += 1
        return DONE
    coming = inputs + weights
    compute, active, below = _compute(w, level, w.masks[w.n_turning], critical)
    if first:
        w.below[level, case] = below
    in_cycles, out_cycles = _delay(w, coming), _delay(w, going)
    cycles = compute + in_cycles if turn < 0 else max(compute, in_cycles, out_cycles)
    if level == 0:
        if compute == 0.0:
            return DIVIDES_BY_ZERO
        cycles = max(cycles, _offchip_cycles(w))
        w.out[MACS] += steps * macs
        w.out[INTENSITY] = macs / coming
        _note_words(w, INPUT, steps, inputs, macs)
        _note_words(w, WEIGHT, steps, weights, macs)
        _note_bandwidths(w, steps, coming, going, compute)
        _note_delay(w, INGRESS, in_cycles, steps)
        _note_delay(w, EGRESS, out_cycles, steps)
        _note_delay(w, COMPUTE, compute, steps)
    run[STEPS] += steps
    run[CYCLES] += steps * cycles
    run[BUSY] += steps * active
    run[CASES] += 1.0
    return DONE
