"""One search of one layer as a job for a worker process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Beginner, Budget, Outcome, Searcher
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.progress import Tick
from mapsearch.spaces.mappings.completion import Completion


@dataclass(frozen=True, slots=True)
class Task:
    """One search: a searcher and the arguments of its `search`; begun: its first answer, of a `Beginner`."""

    problem: Problem
    searcher: Searcher
    budget: Budget
    seed: tuple[int, ...]
    seeds: Seeds
    begun: Outcome | None = None

    def prepare(self) -> None:
        """See `Job`."""
        compile_for(self.problem)

    def run(self, tick: Tick) -> Outcome:
        """See `Job`."""
        if self.begun is not None and isinstance(self.searcher, Beginner):
            return self.searcher.go_on(self.begun, self.problem, self.budget, self.seed, self.seeds, tick)
        return self.searcher.search(self.problem, self.budget, self.seed, self.seeds, tick)


@dataclass(frozen=True, slots=True)
class FirstTask:
    """The first answer of a search by a `Beginner`."""

    task: Task

    def prepare(self) -> None:
        """See `Job`."""
        self.task.prepare()

    def run(self, tick: Tick) -> Outcome | None:
        """See `Job`."""
        task = self.task
        if tick(0) or not isinstance(task.searcher, Beginner):
            return None
        return task.searcher.begin(task.problem, task.budget, task.seed, task.seeds)


def compile_for(problem: Problem) -> None:
    """Call every kernel that a search of such a problem calls."""
    rng = np.random.default_rng(0)
    drawn = problem.space.draw([problem.space.fitting], 1, rng)
    problem.score(drawn)
    problem.score(problem.space.vary(drawn, 1, rng, structure=True), under=1.0)
    completion = Completion(problem.space)
    for _ in completion.children(next(completion.children(completion.begin()))[:1000]):
        break
