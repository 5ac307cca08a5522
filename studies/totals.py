"""A network's totals from its layers' results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mapsearch.model.hardware import Hardware
from mapsearch.search.objective import Objective


def objective_of(metrics: Mapping[str, Any], objective: Objective) -> float:
    """The objective of one layer's metrics."""
    match objective:
        case Objective.LATENCY:
            return float(metrics["runtime_cycles"])
        case Objective.ENERGY:
            return float(metrics["energy_pj"]["total"])
        case Objective.EDP:
            return float(metrics["edp_pj_cycles"])


def totals(layers: Iterable[Mapping[str, Any]], hardware: Hardware) -> dict[str, Any]:
    """Sums over the layers as often as the network runs them, one after the other.

    edp_pj_cycles is the network's: (sum of energies) * (sum of runtimes); sum_of_layer_edps_pj_cycles adds the layers' own.
    energy_pj has the parts that the layers' metrics have, and just the total where there are no layers.
    evaluations and seconds count each search once; seconds add up over the processes.
    """
    rows = list(layers)
    runtime = sum(row["count"] * row["metrics"]["runtime_cycles"] for row in rows)
    macs = sum(row["count"] * row["metrics"]["macs"] for row in rows)
    energy = {
        part: float(sum(row["count"] * row["metrics"]["energy_pj"][part] for row in rows))
        for part in (rows[0]["metrics"]["energy_pj"] if rows else ("total",))
    }
    return {
        "layers": sum(row["count"] for row in rows),
        "unique_layers": len(rows),
        "macs": macs,
        "runtime_cycles": runtime,
        "runtime_ms": runtime / (hardware.clock_mhz * 1e3),
        "energy_pj": energy,
        "edp_pj_cycles": energy["total"] * runtime,
        "sum_of_layer_edps_pj_cycles": float(sum(row["count"] * row["metrics"]["edp_pj_cycles"] for row in rows)),
        "utilization": macs / (runtime * hardware.pes * hardware.simd) if runtime else 0.0,
        "evaluations": sum(row["evaluations"] for row in rows),
        "dropped": sum(row["dropped"] for row in rows),
        "refused": sum(row["refused"] for row in rows),
        "seconds": sum(row["seconds"] for row in rows),
    }
