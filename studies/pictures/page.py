"""One HTML page with all about a run: its pictures, its layers, and what it takes to repeat it; it loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.model.english import counted
from mapsearch.studies.pictures.html import Shown, bullets, document, folded, pairs, pictures, section, table
from mapsearch.studies.recorded import Recorded
from mapsearch.studies.results import LayerResult, NetworkSums
from mapsearch.studies.shown import EDP, ENERGY, PE_USE, bound_text, gap_text
from mapsearch.studies.zeros import LOST, lost_percent, zeros_text

_NETWORK_COLUMNS = ("network", "weight", "layers", "MACs", "cycles", ENERGY, EDP, PE_USE)
_OWN = ("latency", "energy", "edp")  # objectives that have a column anyway


def page(run: Recorded, shown: Sequence[Shown], left_out: Sequence[str], nests: Sequence[tuple[str, str]]) -> str:
    """The page's HTML; `left_out` are lines on what is not in the pictures, `nests` the layers' loop nests by name."""
    config = run.config
    parts = [
        _network(run),
        *pictures(shown),
        section("Networks, all runs of each", table(_NETWORK_COLUMNS, map(_network_row, run.results.networks)))
        if len(run.results.networks) > 1
        else "",
        section("Left out", bullets([*left_out, *(f"{each.name}: {each.reason}" for each in run.results.left_out)])),
        section("Layers", _layers(run)),
        section("Mappings", "".join(folded(name, text) for name, text in nests)),
        section("Settings", pairs({"layer_set": config["layer_set"], **config["settings"]})),
        section("Hardware", pairs(config["hardware"])),
        section("Versions", pairs(config.get("versions", {}))),
    ]
    return document(run.title, parts)


def _network(run: Recorded) -> str:
    totals = run.results.totals
    lines = [
        f"{counted(totals.layers, 'layer')}, {totals.macs:,} MACs, PE use {totals.utilization:.1%}",
        f"{totals.runtime_cycles:,} cycles, which are {totals.runtime_ms:.4g} ms at {run.hardware.clock_mhz:g} MHz",
        f"{totals.energy_pj.total / 1e6:,.5g} µJ, EDP {totals.edp_pj_cycles:.5g} pJ x cycles",
        f"{counted(totals.evaluations, 'mapping')} evaluated in {totals.seconds:.1f} s over all processes",
        *([] if totals.sparse is None else [zeros_text(totals.sparse, totals.macs, totals.runtime_cycles)]),
        *([] if run.results.complete else ["the run was stopped before its end"]),
    ]
    return bullets(lines)


def _network_row(network: NetworkSums) -> list[str]:
    return [
        network.name,
        str(network.weight),
        str(network.layers),
        f"{network.macs:,}",
        f"{network.runtime_cycles:,}",
        f"{network.energy_pj.total / 1e6:,.4g}",
        f"{network.edp_pj_cycles:.4g}",
        f"{100 * network.utilization:.1f}",
    ]


def _layers(run: Recorded) -> str:
    """The table of layers, with the objective where no other column has it, what skipped zeros lose, and the roofline's numbers."""
    sparse = run.results.totals.sparse
    objective = ["objective"] if run.results.objective not in _OWN else []
    lost = [LOST] if sparse is not None and sparse.balanced_runtime_cycles is not None else []
    columns = ("layer", "count", "MACs", "cycles", ENERGY, EDP, *objective, "gap", PE_USE, *lost, "bound by", "number")
    rows = [
        [*_row(layer, objective=bool(objective), lost=bool(lost)), str(number)] for number, layer in enumerate(run.layers, start=1)
    ]
    return table(columns, rows)


def _row(layer: LayerResult, *, objective: bool, lost: bool) -> list[str]:
    metrics, percent = layer.metrics, lost_percent(layer.metrics)
    return [
        layer.name,
        str(layer.count),
        f"{metrics.macs:,}",
        f"{metrics.runtime_cycles:,}",
        f"{metrics.energy_pj.total / 1e6:,.4g}",
        f"{metrics.edp_pj_cycles:.4g}",
        *([f"{layer.objective:.4g}"] if objective else []),
        gap_text(layer.gap),
        "" if metrics.utilization is None else f"{100 * metrics.utilization:.1f}",
        *([percent if isinstance(percent, str) else f"{percent:.4g}"] if lost else []),
        bound_text(metrics.bound_by),
    ]
