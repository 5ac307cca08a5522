"""How work under way tells how far it is, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# Called now and then with how far a search is; once it returns True the search ends with what it has.
Tick = Callable[[int], bool]


class Watcher(Protocol):
    """Who is told how searches side by side get on."""

    def began(self, searches: Sequence[str], ticks: int) -> None:
        """The names of searches that begin now, of machines or of one machine's layers, and how far each goes."""
        ...

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """How far each of them is, int64[searches]; from a thread of its own."""
        ...
