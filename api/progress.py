"""What `mapsearch run` shows on standard error while it searches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from mapsearch.model.english import counted
from mapsearch.output import printable
from mapsearch.studies.results import CoDesignProgress, LayerResult, RunResults
from mapsearch.studies.run.settings import UNLIMITED_TRIALS
from mapsearch.studies.shown import ENERGY, gap_text, number_text
from mapsearch.tables.co_design import progress_line

_BARS = 10  # lines kept for the bars, and for what stands above


class RunProgress:
    """A `RunWatcher`: on a terminal, a table of the layers whose figures improve, and a bar for the run and each search under way.

    Elsewhere it is a line for the first answers of all layers, and one for each layer that is done. A search for a machine has a
    line after each batch of searches. A terminal that was closed is no reason to stop short.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),  # the share done: trials, or layers of machines, have no one unit
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._total = self._bars.add_task("loading", total=None)
        self._folder = Path()
        self._searches: list[TaskID] = []
        self._ticks = 0
        self._names: set[str] = set()
        self._rows: dict[str, LayerResult] = {}
        self._done: set[str] = set()
        # Not refreshed by a thread of its own, with which no worker could be forked.
        self._live = Live(get_renderable=self._shown, console=self._console, transient=True, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def _shown(self) -> Group:
        """The table, as far as the terminal is high enough for it, and the bars."""
        table = Table("layer", "cycles", ENERGY, "gap", "", box=None, padding=(0, 2, 0, 0))
        for column in table.columns[1:3]:
            column.justify = "right"
        for name, row in list(self._rows.items())[: max(0, self._console.height - _BARS)]:
            table.add_row(printable(name), *_figures(row), "" if name in self._done else "…")
        return Group(*([table] if self._rows else []), self._bars)

    def opened(self, folder: Path) -> None:
        """See `RunWatcher`."""
        self._folder = folder

    def began(self, searches: Sequence[str], ticks: int) -> None:
        """See `RunWatcher`."""
        self._ticks = ticks
        self._names |= set(searches)
        each = ticks if ticks < UNLIMITED_TRIALS else None  # None: the clock ends the search, not the trials
        for task in (self._total, *self._searches):
            self._bars.remove_task(task)
        self._total = self._bars.add_task(f"searching, into {self._folder}", total=None if each is None else each * len(searches))
        self._searches = [self._bars.add_task(f"  {name}", total=each, visible=False) for name in searches]

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """See `RunWatcher`."""
        for task, done in zip(self._searches, ticks.tolist(), strict=True):
            self._bars.update(task, completed=done, visible=0 < done < self._ticks)
        self._bars.update(self._total, completed=int(ticks.sum()))
        self._live.refresh()

    def compared(self, progress: CoDesignProgress) -> None:
        """See `RunWatcher`."""
        self._console.print(progress_line(progress), highlight=False, soft_wrap=True)

    def answered(self, results: RunResults) -> None:
        """See `RunWatcher`."""
        self._rows = {row.name: row for row in results.layers}
        self._done = {row.name for row in results.layers if row.finished}
        totals = results.totals
        gap = f", gap {gap_text(totals.gap)}" if totals.gap is not None else ""
        self._console.print(
            f"first answers for {counted(totals.unique_layers, 'layer')}: {totals.runtime_cycles:,} cycles, "
            f"{number_text(totals.energy_pj.total / 1e6)} µJ{gap}; searching on",
            highlight=False,
            soft_wrap=True,
        )

    def found(self, result: LayerResult) -> None:
        """See `RunWatcher`."""
        self._done.add(result.name)
        if result.name in self._rows:
            self._rows[result.name] = result
        if not self._console.is_terminal:
            sys.stderr.write(f"{result.name}: {_summary(result)}; {len(self._names - self._done)} to go\n")


def _figures(row: LayerResult) -> tuple[str, str, str]:
    return f"{row.metrics.runtime_cycles:,}", number_text(row.metrics.energy_pj.total / 1e6), gap_text(row.gap)


def _summary(result: LayerResult) -> str:
    cycles, energy_uj, gap = _figures(result)
    proven = f", gap {gap}" if gap else ""
    return f"{cycles} cycles, {energy_uj} µJ{proven}, {counted(result.evaluations, 'evaluation')}"
