"""What a searcher is: a problem, a budget and a seed in; the best mapping and how it was reached out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.objective import Problem
from mapsearch.spaces.space import Structure


class Sampler(StrEnum):
    """How a search goes: Optuna's TPE, NSGA-II or random sampler, or branch and bound after TPE, for a while or to the end."""

    AUTO = "auto"
    TPE = "tpe"
    GENETIC = "genetic"
    RANDOM = "random"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a search may do: structures tried, evaluations of tile sizes for each, and seconds (None: no limit)."""

    trials: int
    evaluations_per_trial: int
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best mapping found (a batch of one; empty where the model vouches for none), its objective, what it took, the trace.

    lower_bound: no mapping of the space has a smaller objective; None where the model or the objective has no bound.
    evaluations: mappings costed; dropped: mappings, or parts of the space, that a lower bound left out instead; refused: of the
    evaluations, those that the model does not vouch for.
    trace: (evaluations, dropped, refused, best objective), each so far, wherever a better one was found.
    finished: False where the search was told to stop before its budget was used.
    """

    batch: MappingBatch
    value: float
    lower_bound: float | None
    evaluations: int
    dropped: int
    refused: int
    seconds: float
    trace: tuple[tuple[int, int, int, float], ...]
    finished: bool


class Searcher(Protocol):
    """Anything that searches a space; `tests/test_searchers.py` is what each must pass."""

    def search(
        self, problem: Problem, budget: Budget, seed: Sequence[int], starts: Sequence[Structure], tick: Callable[[int], bool]
    ) -> Outcome:
        """The best mapping of the problem's space within the budget.

        seed: any integers; the same ones give the same outcome (where there is no timeout). starts: structures to look
        at first. tick: called after every trial, and in what follows them, with the trials done; once it returns True the
        search ends with what it has.
        """
        ...
