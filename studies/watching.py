"""The protocols of those who watch a study's progress."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.search.progress import Watcher

if TYPE_CHECKING:
    from mapsearch.studies.co_design.results import CoDesignProgress
    from mapsearch.studies.results import LayerResult, RunResults
    from mapsearch.studies.sweep.plan import SweepPlan


class StudyWatcher(Protocol):
    """Watches any study; all calls but `advanced` come from the caller's thread."""

    def opened(self, folder: Path) -> None:
        """The study's folder is open; called once, before work starts."""
        ...


class RunWatcher(StudyWatcher, Watcher, Protocol):
    """Watches a run.

    On one machine, `began` names the layers that are left; in a search for a machine, it names each batch of machines or layers.
    """

    def compared(self, progress: CoDesignProgress) -> None:
        """The progress of a search for a machine, after each of its batches."""
        ...

    def answered(self, results: RunResults) -> None:
        """Every layer has a first answer; the results so far, which searches go on to improve."""
        ...

    def found(self, result: LayerResult) -> None:
        """A layer is searched, with this result; called again where a smaller gap follows."""
        ...


class RunWatchers:
    """Several watchers of a run as one."""

    def __init__(self, watchers: Sequence[RunWatcher]) -> None:
        self._watchers = watchers

    def opened(self, folder: Path) -> None:
        """See `RunWatcher`."""
        for each in self._watchers:
            each.opened(folder)

    def began(self, searches: Sequence[str], ticks: int) -> None:
        """See `RunWatcher`."""
        for each in self._watchers:
            each.began(searches, ticks)

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """See `RunWatcher`."""
        for each in self._watchers:
            each.advanced(ticks)

    def compared(self, progress: CoDesignProgress) -> None:
        """See `RunWatcher`."""
        for each in self._watchers:
            each.compared(progress)

    def answered(self, results: RunResults) -> None:
        """See `RunWatcher`."""
        for each in self._watchers:
            each.answered(results)

    def found(self, result: LayerResult) -> None:
        """See `RunWatcher`."""
        for each in self._watchers:
            each.found(result)


class SweepWatcher(StudyWatcher, Protocol):
    """Watches a sweep."""

    def began(self, plan: SweepPlan) -> None:
        """The sweep begins, with this plan."""
        ...

    def advanced(self, designs: int, valid: int) -> None:
        """The number of designs done, and of those the number within the limits."""
        ...


class ServeWatcher(StudyWatcher, Protocol):
    """Watches the study of a service."""

    def began(self, runs: int) -> None:
        """So many runs give the service times."""
        ...

    def ran(self, what: str, runtime_ms: float) -> None:
        """A run is done: its network, batch and share, and its service time."""
        ...

    def simulating(self) -> None:
        """All runs are done; the queues are next."""
        ...
