"""One search of one layer as a job for a worker process."""

from __future__ import annotations

from dataclasses import dataclass

from mapsearch.search.mappings.compiling import compile_for
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Budget, Outcome, Searcher
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.progress import Tick


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
