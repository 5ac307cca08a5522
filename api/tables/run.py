"""The tables of a run's results."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.model.english import counted
from mapsearch.model.evaluation import Evaluation
from mapsearch.output import Cell, spread, write, write_prose, write_table
from mapsearch.studies.results import LayerResult, NetworkChoice, NetworkSums, RunResults, Sums, Totals
from mapsearch.studies.shown import EDP, ENERGY, PE_USE, bound_text, gap_text, number_text
from mapsearch.studies.zeros import LOST, lost_percent, zeros_text
from mapsearch.tables.co_design import print_co_design


def print_results(results: RunResults, *, saved: bool = True) -> None:
    """The table of layers, the network's totals, and where everything is, if it could be saved."""
    made_small, compared = _made_small(results), any(layer.free is not None for layer in results.layers)
    skips = results.totals.sparse is not None and results.totals.sparse.balanced_runtime_cycles is not None
    rows: list[list[Cell]] = [
        [
            layer.name,
            layer.count,
            *_figures(layer.metrics, layer.objective, made_small),
            gap_text(layer.gap),
            *([_over(layer.objective, layer.free.objective if layer.free else None)] if compared else []),
            _percent(layer.metrics.utilization),
            *([lost_percent(layer.metrics)] if skips else []),
            bound_text(layer.metrics.bound_by),
        ]
        for layer in results.layers
    ]
    over = ["over all\nmappings"] if compared else []
    lost = [LOST.replace("to ", "to\n")] if skips else []
    write_table("", ("layer", "count", *_headers(made_small), "gap", *over, PE_USE, *lost, "bound by"), rows)
    _print_totals(results, made_small)
    _print_proofs(results.layers, results.totals.runtime_cycles)
    if results.co_design is not None:
        print_co_design(results.co_design)
    if not saved:
        return
    write(f"written: {results.folder} (results.json, results.csv, hardware.yaml, mappings/, fronts/)")
    if not results.complete:
        write(f"stopped before the end; go on with: mapsearch run --out {results.folder} --resume")


def _print_totals(results: RunResults, made_small: str) -> None:
    """The sums of the network, or of each of a mix, and the counts of the search."""
    totals, whole = results.totals, "network:"
    if len(results.networks) > 1:
        whole = "mix:    "
        _print_networks(results.networks, made_small)
    write_prose(
        f"{whole} {counted(totals.layers, 'layer')}, {totals.macs:,} MACs, {totals.runtime_cycles:,} cycles "
        f"({totals.runtime_ms:.4g} ms), {number_text(totals.energy_pj.total / 1e6)} µJ, PE use {totals.utilization:.1%}",
        indent=9,
    )
    write_prose(
        f"         EDP {totals.edp_pj_cycles:.5g} pJ x cycles; the layers' own EDPs add up to "
        f"{totals.sum_of_layer_edps_pj_cycles:.5g}",
        indent=9,
    )
    if totals.sparse is not None:
        write_prose(f"         {zeros_text(totals.sparse, totals.macs, totals.runtime_cycles)}", indent=9)
    if made_small == _OBJECTIVE:
        value = _NOT_FINITE if totals.objective is None else f"{totals.objective:.5g}"
        write_prose(f"         objective {results.objective}: {value}", indent=9)
    if totals.free_objective is not None:
        cost = _over(totals.objective, totals.free_objective)
        write_prose(
            f"         cost of keeping to what the tools can express: {cost}; without that, the layers' best come to "
            f"{totals.free_objective:.5g}",
            indent=9,
        )
    if results.network is not None:
        _print_together(results.network, totals)
    dropped = f"{counted(totals.dropped, 'mapping or part', 'mappings or parts')} of the space dropped by a lower bound"
    looked = f"{counted(totals.evaluations, 'mapping')} evaluated, {dropped}"
    if totals.refused:
        looked += f", {totals.refused:,} refused by the model or a law"
    write_prose(f"search:  {looked}, {totals.seconds:.1f} s over all processes", indent=9)


def _print_proofs(results: Sequence[LayerResult], sum_cycles: int) -> None:
    """How many layers are proven as far as was asked for."""
    proven = [(layer.gap, layer.proof) for layer in results if layer.proof is not None and layer.gap is not None]
    if not proven:
        return
    wanted = proven[0][1].wanted_gap
    layers, optimal = counted(len(proven), "layer"), sum(proof.left == 0 for _, proof in proven)
    text = f"{optimal} of {layers} proven optimal in their space"
    if wanted > 0:
        within = sum(gap <= wanted + _ROUNDING for gap, _ in proven)
        text = f"{within} of {layers} proven within {100 * wanted:.3g}% of their space's optimum, {optimal} optimal"
    write_prose(f"proof:   {text}", indent=9)
    until = proven[0][1].until_runtime_cycles
    if until is not None:
        met = "that is met, and gaps are what was left then" if sum_cycles <= until else "that is not met"
        write_prose(f"         the search was to end once the network takes at most {until:,} cycles: {met}", indent=9)


_ROUNDING = 1e-9  # of objectives and bounds
_OBJECTIVE, _NOT_FINITE = "objective", "not finite"


def _made_small(results: RunResults) -> str:
    """The header of what is made small: the EDP, an expression, or "" where it is the cycles or the energy."""
    if results.objective in ("latency", "energy"):
        return ""
    several = results.network is not None and results.network.front is not None
    return EDP if several or results.objective == "edp" else _OBJECTIVE


def _headers(made_small: str) -> list[str]:
    return ["cycles", ENERGY, *([made_small] if made_small else [])]


def _figures(of: Evaluation | Sums, objective: float | None, made_small: str) -> list[Cell]:
    """The cells below `_headers`."""
    cells: list[Cell] = [of.runtime_cycles, of.energy_pj.total / 1e6]
    if made_small:
        cells.append(of.edp_pj_cycles if made_small == EDP else _NOT_FINITE if objective is None else objective)
    return cells


def _over(objective: float | None, free: float | None) -> str:
    """How far an objective is above that of the best of all mappings; nothing where it is not known."""
    return f"{100 * (objective / free - 1):.2g}%" if objective is not None and free is not None and free > 0 else ""


def _percent(share: float | None) -> Cell:
    """A share in 0..1; nothing where the cost model reports none."""
    return "" if share is None else 100 * share


def _print_networks(networks: Sequence[NetworkSums], made_small: str) -> None:
    """What each network of a mix adds to the sums."""
    rows: list[list[Cell]] = [
        [
            each.name,
            each.weight,
            each.layers,
            *_figures(each, each.objective, made_small),
            gap_text(each.gap),
            _percent(each.utilization),
        ]
        for each in networks
    ]
    write_table("All runs of each network", ("network", "weight", "layers", *_headers(made_small), "gap", PE_USE), rows)


def _print_together(network: NetworkChoice, totals: Totals) -> None:
    """What choosing the layers' mappings together gives, and the front of several objectives."""
    if network.front is not None:
        points = network.front
        rows = [(point.runtime_cycles, point.energy_pj / 1e6, point.energy_pj * point.runtime_cycles) for point in spread(points)]
        of = f"{len(rows)} of {len(points)} choices" if len(rows) < len(points) else f"{len(points)} choices"
        write("")
        write_table(f"The network's front, {of} of the layers' mappings", ("cycles", ENERGY, EDP), rows)
        write(f"         least EDP: {network.mapping_file}; each layer's front: fronts/")
    elif network.gain > 0:
        write_prose(
            f"         layers chosen for the network's sums: {network.gain:.2g} better than each layer's own best "
            f"({network.mapping_file})",
            indent=9,
        )
    if totals.gap is not None:
        gap = network.gap if network.gap is not None else totals.gap
        write(f"         gap of the network to its lower bound: {gap_text(gap)}")
