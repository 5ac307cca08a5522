"""The searches of a layer, whole or by stages, as jobs for worker processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mapsearch.search.mappings.compiling import compile_for
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Budget, Limit, Outcome, Searcher, StagedSearcher
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


class Memory(Protocol):
    """Keeps the outcomes of searches that prove their answer, so that none is made twice."""

    def recall(self, task: Task) -> Outcome | None:
        """The outcome of an equal task, or None."""
        ...

    def note(self, task: Task, outcome: Outcome) -> None:
        """Keep the outcome of a task."""
        ...


@dataclass(frozen=True, slots=True)
class Begin:
    """The first stage of a task whose searcher is a `StagedSearcher`."""

    task: Task
    searcher: StagedSearcher

    def prepare(self) -> None:
        """See `Job`."""
        self.task.prepare()

    def run(self, tick: Tick) -> Outcome | None:
        """See `Job`."""
        task = self.task
        return None if tick(0) else self.searcher.begin(task.problem, task.budget, task.seed, task.seeds)


@dataclass(frozen=True, slots=True)
class Prove:
    """The second stage, from the outcome of the first."""

    task: Task
    searcher: StagedSearcher
    begun: Outcome

    def prepare(self) -> None:
        """See `Job`."""
        self.task.prepare()

    def run(self, tick: Tick) -> Outcome:
        """See `Job`."""
        task = self.task
        return self.searcher.prove(self.begun, task.problem, task.budget, task.seed, task.seeds, tick)


@dataclass(frozen=True, slots=True)
class Tighten:
    """The last stage, from the outcome of the second."""

    task: Task
    searcher: StagedSearcher
    proven: Outcome
    limit: Limit

    def prepare(self) -> None:
        """See `Job`."""
        self.task.prepare()

    def run(self, tick: Tick) -> Outcome:
        """See `Job`."""
        return self.searcher.tighten(self.proven, self.task.problem, self.limit, tick)
