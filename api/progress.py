"""What commands show on standard error while they work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from mapsearch.model.english import counted
from mapsearch.output import printable
from mapsearch.studies.co_design.results import CoDesignProgress
from mapsearch.studies.results import LayerResult, RunResults
from mapsearch.studies.run.settings import UNLIMITED_TRIALS
from mapsearch.studies.shown import ENERGY, gap_text, number_text, rounded_text
from mapsearch.tables.co_design import progress_line

if TYPE_CHECKING:
    from mapsearch.studies.sweep.plan import SweepPlan

Item = TypeVar("Item")

_BARS = 10  # lines kept for the bars, and for what stands above


class _Bars:
    """Bars on a terminal, and lines of text, which stand above them; all on standard error, and a `StudyWatcher`."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),  # the share done: designs, trials, or layers of machines, have no one unit
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        # Not refreshed by a thread of its own, with which no worker could be forked.
        self._live = Live(get_renderable=self._shown, console=self._console, transient=True, auto_refresh=False)
        self._folder = Path()

    def __enter__(self) -> Self:
        if self._drawn:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def _shown(self) -> RenderableType:
        return self._bars

    def opened(self, folder: Path) -> None:
        """See `StudyWatcher`."""
        self._folder = folder

    def _bar(self, text: str, total: float | None, *, visible: bool = True) -> TaskID:
        """A new bar, shown from the next refresh on; total: None where the end is not known."""
        return self._bars.add_task(printable(text), total=total, visible=visible)

    def _say(self, text: str) -> None:
        self._console.print(printable(text), soft_wrap=True)

    @property
    def _drawn(self) -> bool:
        """Whether there are bars."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def _say_unless_drawn(self, text: str) -> None:
        """A line for where there are no bars."""
        if not self._drawn:
            self._say(text)


class RunProgress(_Bars):
    """A `RunWatcher`: on a terminal, a table of the layers whose figures improve, and a bar for the run and each search under way.

    Elsewhere it is a line for the first answers of all layers, and one for each layer that is done. A search for a machine has a
    line after each batch of searches. A terminal that was closed is no reason to stop short.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._rows: dict[str, LayerResult] = {}
        self._done: set[str] = set()
        super().__init__()  # which draws them
        self._total = self._bar("loading", None)
        self._searches: list[TaskID] = []
        self._ticks = 0

    def _shown(self) -> RenderableType:
        """The table, as far as the terminal is high enough for it, and the bars."""
        table = Table("layer", "cycles", ENERGY, "gap", "", box=None, padding=(0, 2, 0, 0))
        for column in table.columns[1:3]:
            column.justify = "right"
        for name, row in list(self._rows.items())[: max(0, self._console.height - _BARS)]:
            table.add_row(printable(name), *_figures(row), "" if name in self._done else "…")
        return Group(*([table] if self._rows else []), self._bars)

    def began(self, searches: Sequence[str], ticks: int) -> None:
        """See `RunWatcher`."""
        self._ticks = ticks
        self._names |= set(searches)
        each = ticks if ticks < UNLIMITED_TRIALS else None  # None: the clock ends the search, not the trials
        for task in (self._total, *self._searches):
            self._bars.remove_task(task)
        self._total = self._bar(f"searching, into {self._folder}", None if each is None else each * len(searches))
        self._searches = [self._bar(f"  {name}", each, visible=False) for name in searches]

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """See `RunWatcher`."""
        for task, done in zip(self._searches, ticks.tolist(), strict=True):
            self._bars.update(task, completed=done, visible=0 < done < self._ticks)
        self._bars.update(self._total, completed=int(ticks.sum()))
        self._live.refresh()

    def compared(self, progress: CoDesignProgress) -> None:
        """See `RunWatcher`."""
        self._say(progress_line(progress))

    def answered(self, results: RunResults) -> None:
        """See `RunWatcher`."""
        self._rows = {row.name: row for row in results.layers}
        self._done = {row.name for row in results.layers if row.finished}
        totals = results.totals
        gap = f", gap {gap_text(totals.gap)}" if totals.gap is not None else ""
        self._say(
            f"first answers for {counted(totals.unique_layers, 'layer')}: {totals.runtime_cycles:,} cycles, "
            f"{number_text(totals.energy_pj.total / 1e6)} µJ{gap}; searching on"
        )

    def found(self, result: LayerResult) -> None:
        """See `RunWatcher`."""
        self._done.add(result.name)
        if result.name in self._rows:
            self._rows[result.name] = result
        self._say_unless_drawn(f"{result.name}: {_summary(result)}; {len(self._names - self._done)} to go")


def _figures(row: LayerResult) -> tuple[str, str, str]:
    return f"{row.metrics.runtime_cycles:,}", number_text(row.metrics.energy_pj.total / 1e6), gap_text(row.gap)


def _summary(result: LayerResult) -> str:
    cycles, energy_uj, gap = _figures(result)
    proven = f", gap {gap}" if gap else ""
    return f"{cycles} cycles, {energy_uj} µJ{proven}, {counted(result.evaluations, 'evaluation')}"


class SweepProgress(_Bars):
    """A `SweepWatcher`: a line before work starts, and on a terminal a bar with the rate."""

    def __init__(self) -> None:
        super().__init__()
        self._task = self._bar("sweeping", None)
        self._began: tuple[float, int] | None = None

    def began(self, plan: SweepPlan) -> None:
        """See `SweepWatcher`."""
        within = f"about {rounded_text(plan.estimate.designs, 3)} of them on machines within the limits"
        self._say(f"{counted(plan.designs, 'design')}, {within}: {plan.estimate.text}, into {self._folder}")
        self._bars.update(self._task, total=plan.designs)

    def advanced(self, designs: int, valid: int) -> None:
        """See `SweepWatcher`."""
        # The rate is told from the first part on, which may be one of before.
        self._began = self._began or (perf_counter(), designs)
        rate = (designs - self._began[1]) / max(perf_counter() - self._began[0], 1e-9)
        told = f"sweeping: {counted(designs, 'design')}, {valid:,} valid, {rate / 1e6:,.0f} million/s"
        self._bars.update(self._task, completed=designs, description=told)
        self._live.refresh()


class ServeProgress(_Bars):
    """A `ServeWatcher`: a line for each stage, and for each run a step of a bar, or a line where that is no terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._task = self._bar("mapping", None)

    def began(self, runs: int) -> None:
        """See `ServeWatcher`."""
        self._say(f"{counted(runs, 'run')} for the service times, into {self._folder}")
        self._bars.update(self._task, total=runs)
        self._live.refresh()

    def ran(self, what: str, runtime_ms: float) -> None:
        """See `ServeWatcher`."""
        self._bars.advance(self._task)
        self._live.refresh()
        self._say_unless_drawn(f"{what}: {number_text(runtime_ms)} ms")

    def simulating(self) -> None:
        """See `ServeWatcher`."""
        self._say("simulating the queues")


class BenchProgress(_Bars):
    """A bar for the layers that are measured."""

    def measured(self, items: Iterable[Item], number: int) -> Iterator[Item]:
        """The items, of which there are so many."""
        task = self._bar("measuring", number)
        self._live.refresh()
        for item in items:
            self._bars.advance(task)
            self._live.refresh()
            yield item
