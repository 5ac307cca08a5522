"""The anytime search: a mapping at once, then the proof that none is better by more than a wanted gap, then a smaller gap.

Searching and proving take turns. Each slice of branch and bound is twice as long as the one before it, and populations are searched
between two slices, the more the longer the proof takes and the larger the gap is that it has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from mapsearch.search.mappings.branch_and_bound import BranchAndBound, least_bound
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.optuna_search import OptunaSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import GAP, Sampler
from mapsearch.search.mappings.searcher import PROOF_TICKS, Budget, Limit, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.progress import Tick

# The limits of the proof of a layer without a timeout: of a gap of 0, and of any other. The latter is counted in parts, so that a
# run gives the same results on any machine.
TO_PROVE = Limit(seconds=60.0)
BY_DEFAULT = Limit(parts=4_000_000)

FIRST_SLICE = 100_000  # parts
MORE = Limit(parts=100_000)  # for a gap below the wanted one


@dataclass(frozen=True, slots=True)
class AnytimeSearcher:
    """Proves the best mapping within a gap, or as far as the limit allows; a `StagedSearcher`.

    Where the model or the objective has no bound, there is no proof. Half of the trials are then Optuna's structures, half
    populations, as each kind does badly on some layers where the other does well (docs/search.md).
    """

    gap: float
    limit: Limit

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `Searcher`; half of a timeout is for the trials, the rest for the proof, whatever the limit."""
        proven = self.prove(self.begin(problem, budget, rng_seed, seeds), problem, budget, rng_seed, seeds, tick)
        if budget.timeout_seconds is None or not proven.finished:
            return proven
        left = Limit(seconds=max(0.0, budget.timeout_seconds - proven.seconds))
        return self.tighten(proven, problem, left, lambda _: tick(self.ticks(budget)))

    def begin(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds) -> Outcome:
        """See `StagedSearcher`: the first trial is a population."""
        incumbent = Incumbent(problem)
        GeneticSearcher().look(incumbent, replace(budget, trials=1), rng_seed, seeds, lambda _: False)
        return Outcome.of(incumbent, least_bound(problem), finished=False)

    def prove(self, begun: Outcome, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `StagedSearcher`: the proof, and where it leaves a gap a last search and some more of the proof."""
        incumbent = begun.incumbent(problem)
        turns = _Turns(incumbent, budget, rng_seed, seeds, tick)
        if not problem.bounded:
            finished = turns.structures(-(-budget.trials // 2)) and turns.populations(budget.trials // 2 - 1)
            return Outcome.of(incumbent, None, finished=finished)
        proof = BranchAndBound(incumbent)
        finished = turns.prove(proof, self.gap, self.limit) and not tick(self.ticks(budget))
        return Outcome.of(incumbent, proof.lower_bound, finished=finished, proof=proof.certificate(self.gap))

    def repeats(self, proven: Outcome) -> bool:
        """See `StagedSearcher`: where the wanted gap is reached, or the limit counts parts."""
        proof = proven.proof
        reached = proof is not None and (proof.proven or proof.lower_bound * (1 + self.gap) >= proven.value > 0)
        return proven.finished and len(proven.batch) > 0 and proof is not None and (reached or self.limit.seconds == inf)

    def tighten(self, proven: Outcome, problem: Problem, limit: Limit, tick: Tick) -> Outcome:
        """See `StagedSearcher`: a proof of its own, as the parts of the first are gone."""
        first = proven.proof
        if first is None or first.proven or limit.seconds <= 0:
            return proven
        incumbent = proven.incumbent(problem)
        proof = BranchAndBound(incumbent)
        before = incumbent.seconds
        proof.run(limit, lambda: tick(round(PROOF_TICKS * limit.used(incumbent.seconds - before, proof.bounded))))
        both = first.followed_by(proof.certificate())
        return Outcome.of(incumbent, both.lower_bound, finished=not tick(PROOF_TICKS), proof=both)

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
        """Prove the incumbent within the gap, or as far as the limit allows, search it a last time, and prove it further."""
        if self._tick(self._done) or (not proof.within(gap) and not self.structures(self._budget.trials - 1)):
            return False
        if self._seconds_left is not None:
            limit = Limit(seconds=self._seconds_left)
        began, size = self._incumbent.seconds, FIRST_SLICE

        def used() -> float:
            return limit.used(self._incumbent.seconds - began, proof.bounded)

        def stop() -> bool:
            self._done = max(self._done, self._budget.trials + round(PROOF_TICKS * min(1.0, used())))
            return self._tick(self._done)

        while not proof.within(gap) and used() < 1:
            left = Limit(limit.seconds + began - self._incumbent.seconds, min(size, limit.parts - proof.bounded))
            proof.run(left, stop, gap)
            size *= 2
            if stop() or (not proof.within(gap) and used() < 1 and not self._search_as_needed(proof, size)):
                return False
        if proof.within(0.0):
            return True
        if not self._search_as_needed(proof, size):
            return False
        if self._budget.timeout_seconds is None:
            proof.run(MORE, stop)
        return not stop()

    def _search_as_needed(self, proof: BranchAndBound, size: int) -> bool:
        """Search the more populations the larger the gap is, within what the next slice, of `size` parts, is worth."""
        return self.populations(min(size // FIRST_SLICE, ceil(proof.gap / GAP)))

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
