"""What one case of a level adds: its cycles, the PEs at work, and at the outermost level all that is reported."""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.maestro.count.volumes import critical_macs, egress, ingress, macs_of_all
from mapsearch.model.maestro.count.workspace import (
    DIVIDES_BY_ZERO,
    DONE,
    INPUT,
    OUTPUT,
    OVERFLOWS,
    WEIGHT,
    Delay,
    Workspace,
)


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
    w.figures.l2_write[OUTPUT] += steps * going
    w.figures.l1_write[OUTPUT] += steps * macs
    w.figures.l1_read[OUTPUT] += steps * macs


@inlined
def _note_words(w: Workspace, tensor: int, steps: float, words: float, macs: float) -> None:
    """Add the words of inputs or weights that a case moves."""
    w.figures.l2_read[tensor] += steps * words
    w.figures.l1_write[tensor] = w.figures.l2_read[tensor]
    w.figures.l1_read[tensor] += steps * macs


@inlined
def _note_bandwidths(w: Workspace, steps: float, coming: float, going: float, compute: float) -> None:
    """Add to the bandwidths that are called for; the program halves the one off-chip at every case."""
    inward, outward = w.figures.l2_size[INPUT] + w.figures.l2_size[WEIGHT], w.figures.l2_size[OUTPUT]
    w.figures.offchip_bandwidth = max(w.figures.offchip_bandwidth, outward // compute, inward // compute) // 2.0
    moved = max(coming, going)
    w.figures.peak_bandwidth = max(w.figures.peak_bandwidth, moved // compute)
    w.figures.average_bandwidth += (steps * moved) // compute


@inlined
def _offchip_cycles(w: Workspace) -> float:
    """Cycles that every step waits at least, whatever it fetches: those of the words of the first case."""
    inward, outward = w.figures.l2_size[INPUT] + w.figures.l2_size[WEIGHT], w.figures.l2_size[OUTPUT]
    return float(max(inward // w.offchip_words // 2.0, outward // w.offchip_words // 2.0))


@inlined
def _note_delay(delay: Delay, cycles: float, steps: float) -> None:
    delay.least = min(delay.least, cycles)
    delay.most = max(delay.most, cycles)
    delay.average += steps * cycles


@leaf
def count_case(w: Workspace, level: int, case: int, turn: int) -> int:
    """Add one case to the run of its level and, at level 0, to w.figures; returns what becomes of the mapping.

    turn: the turning directive that changes last, or -1. A case in which no unit has MACs leaves only outputs' words behind.
    """
    total, run = w.products[w.n_turning], w.run
    steps, first = total.times, run.cases == 0.0
    if steps >= 2.0**31:
        return OVERFLOWS
    inputs, weights = ingress(w, level, INPUT, turn), ingress(w, level, WEIGHT, turn)
    going, macs, critical = egress(w, level, total), macs_of_all(w, level, total), critical_macs(w, level, total)
    if level == 0:
        if first:
            w.figures.l2_size[INPUT] += 2.0 * inputs
            w.figures.l2_size[WEIGHT] += 2.0 * weights
            if turn < 0:
                w.figures.l2_size[OUTPUT] = 2.0 * going
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
        w.figures.macs += steps * macs
        w.figures.intensity = macs / coming
        _note_words(w, INPUT, steps, inputs, macs)
        _note_words(w, WEIGHT, steps, weights, macs)
        _note_bandwidths(w, steps, coming, going, compute)
        _note_delay(w.figures.ingress, in_cycles, steps)
        _note_delay(w.figures.egress, out_cycles, steps)
        _note_delay(w.figures.compute, compute, steps)
    run.steps += steps
    run.cycles += steps * cycles
    run.busy += steps * active
    run.cases += 1.0
    return DONE
