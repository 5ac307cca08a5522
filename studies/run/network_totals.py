"""A network's totals from its layers' results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from math import isfinite
from typing import Any

import numpy as np

from mapsearch.model.evaluation import CountedEvaluation, Energy, Evaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.sparse_figures import SparseSums
from mapsearch.search.mappings.searcher import Outcome
from mapsearch.search.network import network_bound
from mapsearch.search.objectives.objective import Objective
from mapsearch.studies.results import LayerResult, Sums, Totals


def objective_of(metrics: Evaluation, objective: Objective, hardware: Hardware) -> float:
    """The objective of a layer's mapping."""
    return objective_at(metrics.runtime_cycles, metrics.energy_pj.total, metrics.macs, objective, hardware)


def gap_to(lower_bound: float | None, value: float) -> float | None:
    """How far an objective may be above the least one, as a share of that; None where no bound above 0 is known."""
    return value / lower_bound - 1 if lower_bound is not None and lower_bound > 0 else None


def greatest_bound(outcomes: Sequence[Outcome]) -> float | None:
    """The best lower bound that searches of a layer have proven."""
    bounds = (outcome.lower_bound for outcome in outcomes if outcome.lower_bound is not None and isfinite(outcome.lower_bound))
    return max(bounds, default=None)


def objective_at(runtime_cycles: int, energy_pj: float, macs: int, objective: Objective, hardware: Hardware) -> float:
    """The objective of a layer, or of a network, with these figures."""
    return float(objective.value(np.array([runtime_cycles]), np.array([energy_pj]), macs, hardware)[0])


def fields_of(added: Sums) -> dict[str, Any]:
    """The fields of sums by name, for results that add further fields."""
    return {field.name: getattr(added, field.name) for field in fields(Sums)}


def totals(rows: Sequence[LayerResult], hardware: Hardware, objective: Objective) -> Totals:
    """The sums over the layers, each as often as it runs, and the counts of their searches."""
    return Totals(
        **fields_of(sums(rows, [row.count for row in rows], hardware, objective)),
        evaluations=sum(row.evaluations for row in rows),
        dropped=sum(row.dropped for row in rows),
        refused=sum(row.refused for row in rows),
        seconds=sum(row.seconds for row in rows),
        free_objective=_free(rows, hardware, objective),
    )


def _free(rows: Sequence[LayerResult], hardware: Hardware, objective: Objective) -> float | None:
    """The objective over the sums of what is best without tools' laws; None where that is not known of each layer."""
    found = [(row.count, row.metrics.macs, row.free) for row in rows if row.free is not None]
    if not rows or len(found) < len(rows):
        return None
    runtime = sum(count * free.runtime_cycles for count, _, free in found)
    energy = float(sum(count * free.energy_pj for count, _, free in found))
    value = objective_at(runtime, energy, sum(count * macs for count, macs, _ in found), objective, hardware)
    return value if isfinite(value) else None


def sums(rows: Sequence[LayerResult], counts: Sequence[int], hardware: Hardware, objective: Objective) -> Sums:
    """The sums over layers that run `counts` times each, one after the other."""
    counted = list(zip(counts, (row.metrics for row in rows), strict=True))
    runtime = sum(count * metrics.runtime_cycles for count, metrics in counted)
    macs = sum(count * metrics.macs for count, metrics in counted)
    energy = Energy(
        {
            part: float(sum(count * metrics.energy_pj.parts[part] for count, metrics in counted))
            for part in (rows[0].metrics.energy_pj.parts if rows else ())
        },
        float(sum(count * metrics.energy_pj.total for count, metrics in counted)),
    )
    value = objective_at(runtime, energy.total, macs, objective, hardware)
    bound = _bound(rows, counts, objective)
    return Sums(
        layers=sum(counts),
        unique_layers=len(rows),
        macs=macs,
        runtime_cycles=runtime,
        runtime_ms=runtime / (hardware.clock_mhz * 1e3),
        energy_pj=energy,
        edp_pj_cycles=energy.total * runtime,
        objective=value if isfinite(value) else None,
        lower_bound=bound,
        gap=value / bound - 1 if bound else None,
        sum_of_layer_edps_pj_cycles=float(sum(count * metrics.edp_pj_cycles for count, metrics in counted)),
        utilization=macs / (runtime * hardware.pes * hardware.simd) if runtime else 0.0,
        sparse=_sparse(counted),
    )


def _sparse(counted: Sequence[tuple[int, Evaluation]]) -> SparseSums | None:
    """What zeros change in layers that run so many times each; None where they spare no MAC."""
    told = [(count, each) for count, each in counted if isinstance(each, CountedEvaluation)]
    found = [(count, each.compute_cycles, each.sparse) for count, each in told if each.sparse is not None]
    skipped = sum(count * zeros.skipped_macs for count, _, zeros in found)
    gated = sum(count * zeros.gated_macs for count, _, zeros in found)
    if not skipped + gated:
        return None
    balanced = [(count, zeros.balanced_runtime_cycles) for count, _, zeros in found if zeros.balanced_runtime_cycles is not None]
    return SparseSums(
        skipped_macs=float(skipped),
        gated_macs=float(gated),
        imbalance=sum(count * cycles for count, cycles, _ in found)
        / sum(count * cycles / zeros.imbalance for count, cycles, zeros in found),
        balanced_runtime_cycles=sum(count * cycles for count, cycles in balanced) or None,
    )


def _bound(rows: Sequence[LayerResult], counts: Sequence[int], objective: Objective) -> float | None:
    bounds = [row.lower_bound for row in rows if row.lower_bound is not None]
    if not bounds or len(bounds) < len(rows) or not objective.degree:
        return None
    return network_bound(bounds, counts, objective.degree)
