"""The anytime search: a mapping at once, then the proof that none is better by more than a wanted gap, then a smaller gap.

Searching and proving take turns. Each slice of branch and bound is twice as long as the one before it, and populations are searched
between two slices: of a layer whose proof takes long, the mapping is searched long too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mapsearch.search.mappings.branch_and_bound import BranchAndBound, Limit, least_bound
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler import Sampler
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.mappings.structures import OptunaSearcher
from mapsearch.search.progress import Tick

# The limits of the proof of a layer without a timeout: of a gap of 0, and of any other. The latter is counted in parts, so that a
# run gives the same results on any machine.
TO_PROVE = Limit(seconds=60.0)
BY_DEFAULT = Limit(parts=4_000_000)

FIRST_SLICE = 100_000  # parts
POPULATIONS = 2  # between two slices
PROOF_TICKS = 60  # trials that the whole limit counts as in the progress


class AnytimeSearcher:
    """Proves the best mapping within the gap, or as far as the limit allows; a `Beginner`.

    Where the model or the objective has no bound, there is no proof. Half of the trials are then Optuna's structures, half
    populations, as each kind does badly on some layers where the other does well (docs/search.md).
    """

    def __init__(self, gap: float, limit: Limit) -> None:
        self._gap, self._limit = gap, limit

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `Searcher`; half of a timeout is for the trials, the rest for the proof, whatever the limit."""
        return self.go_on(self.begin(problem, budget, rng_seed, seeds), problem, budget, rng_seed, seeds, tick)

    def begin(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds) -> Outcome:
        """See `Beginner`: the first trial is a population."""
        incumbent = Incumbent(problem)
        GeneticSearcher().look(incumbent, replace(budget, trials=1), rng_seed, seeds, lambda _: False)
        return Outcome.of(incumbent, least_bound(problem), finished=False)

    def go_on(self, begun: Outcome, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `Beginner`."""
        incumbent = begun.incumbent(problem)
        turns = _Turns(incumbent, budget, rng_seed, seeds, tick)
        if not problem.bounded:
            finished = turns.structures(-(-budget.trials // 2)) and turns.populations(budget.trials // 2 - 1)
            return Outcome.of(incumbent, None, finished=finished)
        proof = BranchAndBound(incumbent)
        finished = turns.prove(proof, self._gap, self._limit)
        finished = finished and not tick(self.ticks(budget))
        return Outcome.of(incumbent, proof.lower_bound, finished=finished, proof=proof.certificate(self._gap))

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials + PROOF_TICKS


class _Turns:
    """The turns of searching and proving; each returns False where `tick` stopped the search."""

    def __init__(self, incumbent: Incumbent, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> None:
        self._incumbent, self._budget, self._rng_seed, self._seeds, self._tick = incumbent, budget, rng_seed, seeds, tick
        self._turns = 0
        self._done = 1  # the progress: the first trial has begun the search

    def prove(self, proof: BranchAndBound, gap: float, limit: Limit) -> bool:
        """Prove the incumbent within the gap, search once more, and tighten the proof as far as the budget allows."""
        if self._tick(self._done) or (not proof.within(gap) and not self.structures(self._budget.trials - 1)):
            return False
        if not self._prove(proof, gap, limit):
            return False
        if not proof.within(0.0):
            rest = Limit(parts=self._budget.tightening_parts)
            return self.populations(1) and self._prove(proof, 0.0, rest)
        return True

    def _prove(self, proof: BranchAndBound, gap: float, limit: Limit) -> bool:
        if self._seconds_left is not None:
            limit = Limit(seconds=self._seconds_left)
        began, before, size = self._incumbent.seconds, proof.bounded, FIRST_SLICE

        def used() -> float:
            return limit.used(self._incumbent.seconds - began, proof.bounded - before)

        def stop() -> bool:
            self._done = max(self._done, self._budget.trials + round(PROOF_TICKS * min(1.0, used())))
            return self._tick(self._done)

        while not proof.within(gap) and used() < 1:
            proof.run(
                Limit(limit.seconds + began - self._incumbent.seconds, min(size, limit.parts + before - proof.bounded)), stop, gap
            )
            if stop():
                return False
            if not proof.within(gap) and used() < 1 and not self.populations(POPULATIONS):
                return False
            size *= 2
        return True

    def structures(self, trials: int) -> bool:
        """Search structures that Optuna proposes."""
        return self._look(OptunaSearcher(Sampler.TPE), trials)

    def populations(self, trials: int) -> bool:
        """Search populations."""
        return self._look(GeneticSearcher(), trials)

    def _look(self, searcher: OptunaSearcher | GeneticSearcher, trials: int) -> bool:
        self._turns += 1
        left = self._seconds_left
        if trials < 1 or left == 0:
            return True
        budget = replace(self._budget, trials=trials, timeout_seconds=None if left is None else left / 2)
        seeds = replace(self._seeds, mappings=self._incumbent.batch)
        began = self._done

        def tick(done: int) -> bool:
            self._done = max(self._done, min(began + done, self._budget.trials))
            return self._tick(self._done)

        return searcher.look(self._incumbent, budget, (*self._rng_seed, self._turns), seeds, tick)

    @property
    def _seconds_left(self) -> float | None:
        """The rest of the timeout, if there is one."""
        timeout = self._budget.timeout_seconds
        return None if timeout is None else max(0.0, timeout - self._incumbent.seconds)
