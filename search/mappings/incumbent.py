"""The state of a search: its best mapping so far and its counts. Searchers cost every mapping through it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.mapping import MappingBatch
from mapsearch.model.plain import Plain
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.pareto import Front


@dataclass(frozen=True, slots=True)
class Step(Plain):
    """A point of a search where it found a better mapping: the counts and seconds until then, and the mapping's objective."""

    evaluations: int
    dropped: int
    refused: int
    seconds: float
    objective: float


class Incumbent:
    """The best mapping so far (a batch of one, or of none), its objective, counts, and the front of cycles and energy.

    evaluations: mappings costed. dropped: mappings, or parts of the space, left out by a lower bound. refused: evaluations that the
    model does not vouch for. front: of all mappings costed; empty where the objective uses only one of cycles and energy.
    """

    def __init__(self, problem: Problem, seconds: float = 0.0) -> None:
        """seconds: that the search has taken before."""
        self.problem = problem
        self.batch = MappingBatch.empty(problem.space.levels)
        self.value = float("inf")
        self.evaluations = self.dropped = self.refused = 0
        self.front = Front.empty(problem.space.levels)
        self.trace: list[Step] = []
        self._began = time.monotonic() - seconds

    @property
    def seconds(self) -> float:
        """Seconds since the search began."""
        return time.monotonic() - self._began

    def score(self, batch: MappingBatch, under: float = np.inf) -> NDArray[np.float64]:
        """The objective of each mapping, float64[B]; infinite where it has none, or where a lower bound is not below `under`."""
        scores = self.problem.score(batch, under)
        self.evaluations += scores.costed
        self.dropped += len(batch) - scores.costed
        self.refused += scores.refused
        if scores.energy_pj is not None:
            legal = np.flatnonzero(np.isfinite(scores.values))
            self.front = self.front.join(batch[legal], scores.runtime_cycles[legal], scores.energy_pj[legal])
        self._note(batch, scores.values)
        return scores.values

    def _note(self, batch: MappingBatch, values: NDArray[np.float64]) -> None:
        at = int(values.argmin()) if len(batch) else -1
        if at >= 0 and values[at] < self.value:
            self.batch, self.value = batch[at : at + 1], float(values[at])
            self.trace.append(Step(self.evaluations, self.dropped, self.refused, self.seconds, self.value))

    def absorb(self, other: Incumbent) -> None:
        """Add the counts and the front of a search of the same space for another objective of cycles and energy."""
        self.evaluations += other.evaluations
        self.dropped += other.dropped
        self.refused += other.refused
        found = other.front
        self.front = self.front.join(found.batch, found.runtime_cycles, found.energy_pj)
        self._note(found.batch, self.problem.value(found.runtime_cycles, found.energy_pj))
