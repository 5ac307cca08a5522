"""One search of one layer as a job for a worker process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Budget, Outcome, Searcher
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.progress import Tick
from mapsearch.spaces.mappings.completion import Completion


@dataclass(frozen=True, slots=True)
class Task:
    """One search: a searcher and the arguments of its `search`."""

    problem: Problem
    searcher: Searcher
    budget: Budget
    seed: tuple[int, ...]
    seeds: Seeds

    def prepare(self) -> None:
        """See `Job`."""
        compile_for(self.problem)

    def run(self, tick: Tick) -> Outcome:
        """See `Job`."""
        return self.searcher.search(self.problem, self.budget, self.seed, self.seeds, tick)


def compile_for(problem: Problem) -> None:
    """Call every kernel that a search of such a problem calls."""
    rng = np.random.default_rng(0)
    drawn = problem.space.draw([problem.space.fitting], 1, rng)
    problem.score(drawn)
    problem.score(problem.space.vary(drawn, 1, rng, structure=True), under=1.0)
    completion = Completion(problem.space)
    shared = next(completion.children(completion.begin()))[:1000]
    next(Completion(problem.space).children(shared), None)
