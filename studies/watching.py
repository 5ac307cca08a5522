"""Who is told how a study gets on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mapsearch.search.progress import Watcher

if TYPE_CHECKING:
    from mapsearch.studies.results import CoDesignProgress, LayerResult
    from mapsearch.studies.sweep.plan import SweepPlan


class StudyWatcher(Protocol):
    """Who is told of any study; all calls but `advanced` come from the caller's thread."""

    def opened(self, folder: Path) -> None:
        """The study's folder, once, before work starts."""
        ...


class RunWatcher(StudyWatcher, Watcher, Protocol):
    """Who is told how a run gets on.

    What begins, on one machine, are the layers that are left; a search for a machine tells of each batch of machines or layers.
    """

    def compared(self, progress: CoDesignProgress) -> None:
        """What a search for a machine has come to, after each of its batches."""
        ...

    def found(self, result: LayerResult) -> None:
        """A layer is done."""
        ...


class SweepWatcher(StudyWatcher, Protocol):
    """Who is told how a sweep gets on."""

    def began(self, plan: SweepPlan) -> None:
        """What is to be done."""
        ...

    def advanced(self, designs: int, valid: int) -> None:
        """Designs that are done with, and how many of them are within the limits."""
        ...
