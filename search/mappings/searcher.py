"""What a searcher is: it takes a problem, a budget, a random seed and seeds, and gives the best mapping and how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from mapsearch.model.mapping import MappingBatch
from mapsearch.model.plain import Plain
from mapsearch.search.mappings.incumbent import Incumbent, Step
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.pareto import Front
from mapsearch.search.progress import Tick

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

# Evaluations of the last search, which varies the best of all trials in sizes and structures, for each evaluation of a trial.
POLISH_SHARE = 0.5
EVALUATIONS_PER_TRIAL = 1400
PROOF_TICKS = 60  # trials that a whole proof counts as in the progress


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of a search: trials, evaluations for each, and seconds (None: no limit); see also `evaluations`.

    A trial is a structure whose sizes are searched, or a population of the genetic search.
    """

    trials: int
    evaluations_per_trial: int
    timeout_seconds: float | None = None

    @classmethod
    def within(cls, evaluations: int, sampler: Sampler, timeout_seconds: float | None = None) -> Budget:
        """A budget of about, and never more than, this number of evaluations (at least one).

        For structures, the evaluations per trial grow as the 2/3 power of all evaluations, a balance between many structures and
        good sizes; with some 60 structures, the default, they are EVALUATIONS_PER_TRIAL. The genetic search gets few large
        populations.
        """
        shared = max(1, int(evaluations / (1 + POLISH_SHARE)))
        if sampler is Sampler.GENETIC:
            trials = -(-shared // EVALUATIONS_PER_TRIAL)
            return cls(trials, shared // trials, timeout_seconds)
        each = max(1, round(0.75 * shared ** (2 / 3)))
        return cls(shared // each, each, timeout_seconds)

    @property
    def evaluations(self) -> int:
        """The most evaluations of a search: those of the trials and of the last search from their best."""
        return int(self.trials * self.evaluations_per_trial * (1 + POLISH_SHARE))


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits at which a proof ends without its aim: seconds, and the number of parts of the space that it has bounded."""

    seconds: float = inf
    parts: float = inf

    def used(self, seconds: float, parts: float) -> float:
        """The share of the limit that is used up by so many seconds and parts."""
        return max(seconds / self.seconds, parts / self.parts) if min(self.seconds, self.parts) > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Certificate(Plain):
    """The counts of a proof, and what it has proven.

    lower_bound: no mapping of the space has a smaller objective. wanted_gap: the gap that was asked for. opened, bounded: parts of
    the space; pruned: bounded parts that were dropped for their bound; unfit: parts of which nothing fits the buffers; costed:
    whole mappings; left: parts that may hold a better mapping, 0 where the best one is the proven optimum. until_runtime_cycles: of
    the network, at which the search was asked to end whatever the gap, if it was.
    """

    lower_bound: float
    wanted_gap: float
    opened: int
    bounded: int
    pruned: int
    unfit: int
    costed: int
    left: int
    seconds: float
    until_runtime_cycles: int | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"until_runtime_cycles"})

    @property
    def proven(self) -> bool:
        """Whether the best mapping is the optimum."""
        return self.left == 0

    def followed_by(self, other: Certificate) -> Certificate:
        """The certificate of this proof and another one of the same space, begun anew."""
        return Certificate(
            max(self.lower_bound, other.lower_bound), self.wanted_gap, self.opened + other.opened, self.bounded + other.bounded,
            self.pruned + other.pruned, self.unfit + other.unfit, self.costed + other.costed, other.left,
            self.seconds + other.seconds,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a search: the best mapping (a batch of one; empty where the model vouches for none) and its objective.

    lower_bound: no mapping of the space has a smaller objective; None where the model or the objective has no bound.
    evaluations, dropped, refused, front: see `Incumbent`. trace: a step for each better mapping found.
    finished: False where the search was stopped before its budget was used. proof: of the exact search, if there was one.
    structures: Optuna's trials, where they are kept.
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
    structures: tuple[FrozenTrial, ...] = ()

    @classmethod
    def of(cls, incumbent: Incumbent, lower_bound: float | None, *, finished: bool, proof: Certificate | None = None) -> Outcome:
        """The result of the search with this incumbent."""
        i = incumbent
        took = (i.evaluations, i.dropped, i.refused, i.seconds)
        return cls(i.batch, i.value, lower_bound, *took, i.front, tuple(i.trace), finished, proof)

    def incumbent(self, problem: Problem) -> Incumbent:
        """The incumbent of the search that goes on from here."""
        found = Incumbent(problem, self.seconds)
        found.batch, found.value, found.front, found.trace = self.batch, self.value, self.front, list(self.trace)
        found.evaluations, found.dropped, found.refused = self.evaluations, self.dropped, self.refused
        return found


class Searcher(Protocol):
    """Anything that searches a space and passes the tests of `mapsearch.testing.SearcherContract`."""

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """The best mapping of the problem's space within the budget.

        rng_seed: any integers; the same ones give the same outcome (where there is no timeout). seeds: the starting points.
        tick: called after every trial, and now and then in the steps after the trials, with the progress (see `ticks`); once it
        returns True, the search ends with its best so far.
        """
        ...

    def ticks(self, budget: Budget) -> int:
        """The progress at the end of a search that uses up its budget; each trial counts one."""
        ...


@runtime_checkable
class StagedSearcher(Searcher, Protocol):
    """A searcher whose search has three stages, so that a network's layers take each of them together."""

    def begin(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds) -> Outcome:
        """A first mapping, in a tenth of a second or so, and the bound of the whole space."""
        ...

    def prove(self, begun: Outcome, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """The best mapping with its proof, from what `begin` returned for the same arguments; ends as `search` does."""
        ...

    def repeats(self, proven: Outcome) -> bool:
        """Whether the same arguments give what `prove` returned here at any time, whatever the clock."""
        ...

    def tighten(self, proven: Outcome, problem: Problem, limit: Limit, tick: Tick) -> Outcome:
        """The outcome with a better mapping or bound, as far as the limit allows. tick: as in `search`, up to PROOF_TICKS."""
        ...
