"""The report of a mapping as the published program counts it, with warnings where its figures cannot be the layer's."""

from __future__ import annotations

from math import isfinite

from mapsearch.model.evaluation import NamedFigures
from mapsearch.model.maestro.figures import csv_parts_nj, printed
from mapsearch.model.maestro.levels import declared, tensors_of
from mapsearch.model.maestro.program import run_program
from mapsearch.model.maestro.source import Source, SourceMachine
from mapsearch.model.maestro.translate import layer_macs


def report(source: Source, machine: SourceMachine) -> NamedFigures:
    """An evaluation's figures, and all that the program prints; InputError where the program ends with an error.

    macs: as the program counts them; layer_macs: the layer's. energy_pj: the CSV's for a file of this layer alone, without energy
    of MACs. warnings: one line for each impossible figure, and for each limit of the machine that the program would warn of.
    """
    raw = run_program(source, machine)
    figures = printed(raw, source, tensors_of(source), machine)
    macs = layer_macs(source, declared(source))
    runtime = int(figures["runtime_cycles"])
    l1, l2 = (1e3 * float(part) for part in csv_parts_nj(raw, len(source.levels)))
    told = {
        "legal": True,
        **{name: value if isfinite(value) else None for name, value in figures.items()},
        "macs": int(figures["macs"]),
        "layer_macs": macs,
        "runtime_cycles": runtime,
        "energy_pj": {"l1": l1, "l2": l2, "total": l1 + l2},
        "edp_pj_cycles": (l1 + l2) * runtime,
        "utilization": macs / (runtime * machine.pes * machine.simd) if runtime else 0.0,
        "l1_need_bytes": int(figures["l1_need_words"]),
        "l2_need_bytes": int(figures["l2_need_words"]),
        "warnings": _warnings(figures, macs, machine),
    }
    return NamedFigures(source.name, told)


def _warnings(figures: dict[str, float], macs: int, machine: SourceMachine) -> list[str]:
    counted, runtime = figures["macs"], figures["runtime_cycles"]
    found = [] if macs else ["its filter is larger than its input, so it has no MACs"]
    if counted != macs:
        found.append(f"counts {counted:,.0f} MACs and the layer has {macs:,}: the figures are not the layer's")
    least = -(-macs // (machine.pes * machine.simd))
    if runtime < least:
        found.append(f"{runtime:,.0f} cycles are fewer than the {least:,} in which all PEs could do the layer's MACs")
    limits = (
        ("L1", "words", figures["l1_need_words"], machine.l1_words),
        ("L2", "words", figures["l2_need_words"], machine.l2_words),
        ("the NoC", "words per cycle", figures["peak_noc_words_per_cycle"], machine.noc_words),
        ("off-chip memory", "words per cycle", figures["offchip_words_per_cycle"], machine.offchip_words),
    )
    found += [f"needs {need:,.0f} {unit} of {what}, the machine has {has:,}" for what, unit, need, has in limits if need > has]
    return found
