"""What a searcher is: a problem, a budget and a seed of random numbers in; the best mapping and how it was reached out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mapsearch.model.mapping import MappingBatch
from mapsearch.model.plain import Plain
from mapsearch.search.mappings.incumbent import Incumbent, Step
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler import Sampler
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.pareto import Front
from mapsearch.search.progress import Tick

# Evaluations of a last search from the best of all trials, sizes and structures together, for each one of the trials.
POLISH_SHARE = 0.5
EVALUATIONS_PER_TRIAL = 1400


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a search may do: trials, evaluations for each, and seconds (None: no limit); see also `evaluations`.

    A trial is a structure whose sizes are searched, or a population of the genetic search.
    """

    trials: int
    evaluations_per_trial: int
    timeout_seconds: float | None = None

    @classmethod
    def within(cls, evaluations: int, sampler: Sampler, timeout_seconds: float | None = None) -> Budget:
        """The budget of about, and never more than, so many evaluations (one at the least).

        Structures want to be many and well sized: their sizes get evaluations as the 2/3 power of all, which are
        EVALUATIONS_PER_TRIAL where there are some 60 structures, as by default. A population is rather one than many small ones.
        """
        shared = max(1, int(evaluations / (1 + POLISH_SHARE)))
        if sampler is Sampler.GENETIC:
            trials = -(-shared // EVALUATIONS_PER_TRIAL)
            return cls(trials, shared // trials, timeout_seconds)
        each = max(1, round(0.75 * shared ** (2 / 3)))
        return cls(shared // each, each, timeout_seconds)

    @property
    def evaluations(self) -> int:
        """All evaluations of a search at the most: those of the trials and of the last search from their best."""
        return int(self.trials * self.evaluations_per_trial * (1 + POLISH_SHARE))


@dataclass(frozen=True, slots=True)
class Certificate(Plain):
    """What an exact search went through.

    opened, bounded: parts of the space; pruned: of the bounded ones, those dropped for their bound; unfit: dropped before, as
    nothing of them fits the buffers; costed: whole mappings; left: parts still open at the end, none where the best mapping is
    proven to be the optimum.
    """

    lower_bound: float
    opened: int
    bounded: int
    pruned: int
    unfit: int
    costed: int
    left: int
    seconds: float

    @property
    def proven(self) -> bool:
        """Whether the best mapping is the optimum."""
        return self.left == 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best mapping found (a batch of one; empty where the model vouches for none), its objective, what it took, the trace.

    lower_bound: no mapping of the space has a smaller objective; None where the model or the objective has no bound.
    evaluations, dropped, refused, front: see `Incumbent`. trace: a step wherever a better one was found.
    finished: False where the search was told to stop before its budget was used. proof: of the exact search, where there was one.
    """

    batch: MappingBatch
    value: float
    lower_bound: float | None
    evaluations: int
    dropped: int
    refused: int
    seconds: float
    front: Front
    trace: tuple[Step, ...]
    finished: bool
    proof: Certificate | None

    @classmethod
    def of(cls, incumbent: Incumbent, lower_bound: float | None, *, finished: bool, proof: Certificate | None = None) -> Outcome:
        """What a search came to."""
        i = incumbent
        took = (i.evaluations, i.dropped, i.refused, i.seconds)
        return cls(i.batch, i.value, lower_bound, *took, i.front, tuple(i.trace), finished, proof)


class Searcher(Protocol):
    """Anything that searches a space; `mapsearch.testing.SearcherContract` is what each must pass."""

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """The best mapping of the problem's space within the budget.

        rng_seed: any integers; the same ones give the same outcome (where there is no timeout). seeds: what to look
        at first. tick: called after every trial, and in what follows them, with how far it is (see `ticks`); once it
        returns True the search ends with what it has.
        """
        ...

    def ticks(self, budget: Budget) -> int:
        """What `tick` is told at the end of a search that uses its budget up; trials count one each."""
        ...
