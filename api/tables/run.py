"""What `mapsearch run` shows: bars while it searches, tables at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mapsearch.model.evaluation import Evaluation
from mapsearch.output import Cell, spread, write, write_prose, write_table
from mapsearch.studies.results import CoDesignProgress, LayerResult, NetworkChoice, NetworkSums, RunResults, Sums, Totals
from mapsearch.studies.run.settings import UNLIMITED_TRIALS
from mapsearch.studies.shown import EDP, ENERGY, PE_USE, bound_text, gap_text
from mapsearch.tables.co_design import print_co_design, progress_line


class RunProgress:
    """A `RunWatcher` that shows, on standard error, a bar for the run and one for each search under way.

    Where standard error is no terminal, it is a line for each layer that is done. A search for a machine has a line after each
    batch of searches, and bars for the batch. A terminal that was closed is no reason to stop short.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),  # the share done: trials, or layers of machines, have no one unit
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            auto_refresh=False,  # by a thread of its own, with which no worker could be forked
            disable=not self._console.is_terminal,
        )
        self._total = self._bars.add_task("loading", total=None)
        self._folder = Path()
        self._searches: list[TaskID] = []
        self._ticks = 0
        self._left = 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def opened(self, folder: Path) -> None:
        """See `RunWatcher`."""
        self._folder = folder

    def began(self, searches: Sequence[str], ticks: int) -> None:
        """See `RunWatcher`."""
        self._ticks = ticks
        self._left = len(set(searches))  # a layer stands there once for each restart
        each = ticks if ticks < UNLIMITED_TRIALS else None  # None: the clock ends the search, not the trials
        for task in (self._total, *self._searches):
            self._bars.remove_task(task)
        self._total = self._bars.add_task(f"searching, into {self._folder}", total=None if each is None else each * len(searches))
        self._searches = [self._bars.add_task(f"  {name}", total=each, visible=False) for name in searches]

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """See `RunWatcher`."""
        for task, done in zip(self._searches, ticks.tolist(), strict=True):
            self._bars.update(task, completed=done, visible=0 < done < self._ticks)
        self._bars.update(self._total, completed=int(ticks.sum()), refresh=True)

    def compared(self, progress: CoDesignProgress) -> None:
        """See `RunWatcher`."""
        self._console.print(progress_line(progress), highlight=False, soft_wrap=True)

    def found(self, result: LayerResult) -> None:
        """See `RunWatcher`."""
        self._left -= 1
        if not self._console.is_terminal:
            sys.stderr.write(f"{result.name}: {_summary(result)}; {self._left} to go\n")


def _summary(result: LayerResult) -> str:
    energy_uj = result.metrics.energy_pj.total / 1e6
    return f"{result.metrics.runtime_cycles:,} cycles, {energy_uj:,.4g} µJ, {result.evaluations:,} evaluations"


def print_results(results: RunResults, *, saved: bool = True) -> None:
    """The table of layers, the network's totals, and where everything is, if it could be saved."""
    made_small = _made_small(results)
    rows: list[list[Cell]] = [
        [
            layer.name,
            layer.count,
            *_figures(layer.metrics, layer.objective, made_small),
            gap_text(layer.gap),
            _percent(layer.metrics.utilization),
            bound_text(layer.metrics.bound_by),
        ]
        for layer in results.layers
    ]
    write_table("", ("layer", "count", *_headers(made_small), "gap", PE_USE, "bound by"), rows)
    totals, whole = results.totals, "network:"
    if len(results.networks) > 1:
        whole = "mix:    "
        _print_networks(results.networks, made_small)
    write_prose(
        f"{whole} {totals.layers} layers, {totals.macs:,} MACs, {totals.runtime_cycles:,} cycles ({totals.runtime_ms:.4g} ms), "
        f"{totals.energy_pj.total / 1e6:,.5g} µJ, PE use {totals.utilization:.1%}",
        indent=9,
    )
    write_prose(
        f"         EDP {totals.edp_pj_cycles:.5g} pJ x cycles; the layers' own EDPs add up to "
        f"{totals.sum_of_layer_edps_pj_cycles:.5g}",
        indent=9,
    )
    if made_small == _OBJECTIVE:
        value = _NOT_FINITE if totals.objective is None else f"{totals.objective:.5g}"
        write_prose(f"         objective {results.objective}: {value}", indent=9)
    if results.network is not None:
        _print_together(results.network, totals)
    dropped = f"{totals.dropped:,} mappings or parts of the space dropped by a lower bound"
    looked = f"{totals.evaluations:,} mappings evaluated, {dropped}"
    if totals.refused:
        looked += f", {totals.refused:,} refused by the model"
    write_prose(f"search:  {looked}, {totals.seconds:.1f} s over all processes", indent=9)
    proven = [layer.proof.left == 0 for layer in results.layers if layer.proof is not None]
    if proven:
        rest = "" if all(proven) else "; of the others the gap is the most that may be left"
        write_prose(f"proof:   {sum(proven)} of {len(proven)} layers proven optimal in their space{rest}", indent=9)
    if results.co_design is not None:
        print_co_design(results.co_design)
    if not saved:
        return
    write(f"written: {results.folder} (results.json, results.csv, hardware.yaml, mappings/, fronts/)")
    if not results.complete:
        write(f"stopped before the end; go on with: mapsearch run --out {results.folder} --resume")


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
