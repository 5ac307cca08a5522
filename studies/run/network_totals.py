"""A network's totals from its layers' results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from mapsearch.model.hardware import Hardware
from mapsearch.search.network import network_bound
from mapsearch.search.objectives.objective import Objective


def objective_of(metrics: Mapping[str, Any], objective: Objective, hardware: Hardware) -> float:
    """The objective of what has these `runtime_cycles`, `energy_pj` and `macs`: a layer's metrics or a network's totals."""
    runtime_cycles, energy_pj = np.array([metrics["runtime_cycles"]]), np.array([metrics["energy_pj"]["total"]])
    return float(objective.value(runtime_cycles, energy_pj, metrics["macs"], hardware)[0])


def totals(rows: Sequence[Mapping[str, Any]], hardware: Hardware, objective: Objective) -> dict[str, Any]:
    """Sums over the layers as often as they run, and what their searches took, each counted once; seconds of all processes."""
    return {
        **sums(rows, hardware, objective),
        "evaluations": sum(row["evaluations"] for row in rows),
        "dropped": sum(row["dropped"] for row in rows),
        "refused": sum(row["refused"] for row in rows),
        "seconds": sum(row["seconds"] for row in rows),
    }


def sums(rows: Sequence[Mapping[str, Any]], hardware: Hardware, objective: Objective) -> dict[str, Any]:
    """Sums over the layers, each `count` times, one after the other.

    edp_pj_cycles is the network's: (sum of energies) * (sum of runtimes); sum_of_layer_edps_pj_cycles adds the layers' own.
    energy_pj has the parts that the layers' metrics have, and just the total where there are no layers.
    objective is the objective's expression over these sums, or None where that is not finite; lower_bound what no choice of the
    layers' mappings can undercut, and gap = objective / lower_bound - 1, None where that is not known.
    """
    runtime = sum(row["count"] * row["metrics"]["runtime_cycles"] for row in rows)
    macs = sum(row["count"] * row["metrics"]["macs"] for row in rows)
    energy = {
        part: float(sum(row["count"] * row["metrics"]["energy_pj"][part] for row in rows))
        for part in (rows[0]["metrics"]["energy_pj"] if rows else ("total",))
    }
    figures = {"macs": macs, "runtime_cycles": runtime, "energy_pj": energy}
    value = objective_of(figures, objective, hardware)
    bound = _bound(rows, objective)
    return {
        "layers": sum(row["count"] for row in rows),
        "unique_layers": len(rows),
        "macs": macs,
        "runtime_cycles": runtime,
        "runtime_ms": runtime / (hardware.clock_mhz * 1e3),
        "energy_pj": energy,
        "edp_pj_cycles": energy["total"] * runtime,
        "objective": value if isfinite(value) else None,
        "lower_bound": bound,
        "gap": value / bound - 1 if bound else None,
        "sum_of_layer_edps_pj_cycles": float(sum(row["count"] * row["metrics"]["edp_pj_cycles"] for row in rows)),
        "utilization": macs / (runtime * hardware.pes * hardware.simd) if runtime else 0.0,
    }


def _bound(rows: Sequence[Mapping[str, Any]], objective: Objective) -> float | None:
    bounds = [row["lower_bound"] for row in rows]
    if not bounds or None in bounds or not objective.degree:
        return None
    return network_bound(bounds, [row["count"] for row in rows], objective.degree)
