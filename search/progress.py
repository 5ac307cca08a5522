"""Progress of work under way, and the protocol of those who watch it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# Called now and then with the progress of a search; once it returns True, the search ends with its best so far.
Tick = Callable[[int], bool]


class Watcher(Protocol):
    """Watches searches that run side by side."""

    def began(self, searches: Sequence[str], ticks: int) -> None:
        """Searches with these names (machines, or layers of one machine) begin; ticks: the progress of each at its end."""
        ...

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """The progress of each search, int64[searches]; called from another thread."""
        ...
