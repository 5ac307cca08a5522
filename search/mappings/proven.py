"""Searches that prove their answer: TPE and genetic populations find a good mapping, then branch and bound starts from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mapsearch.search.mappings.branch_and_bound import Limit, branch_and_bound, least_bound
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler import Sampler
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.mappings.structures import OptunaSearcher
from mapsearch.search.progress import Tick

# The limits of branch and bound for a layer without a timeout: of the exact sampler, and of the default one. The latter, some four
# seconds, is counted in parts of the space, so that a run gives the same results on any machine.
TO_PROVE = Limit(seconds=60.0)
BY_DEFAULT = Limit(parts=4_000_000)

PROOF_TICKS = 60  # trials that the whole limit counts as in the progress


class ExactSearcher:
    """Finds the optimum with its proof, or at the limit the best so far and a lower bound.

    Where the model or the objective has no bound, there is no branch and bound.
    """

    def __init__(self, limit: Limit) -> None:
        self._limit = limit

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `Searcher`; half of a timeout is for the first mapping, the rest for the proof, whatever the limit."""
        incumbent, limit, timeout = Incumbent(problem), self._limit, budget.timeout_seconds
        if timeout is not None:
            budget = replace(budget, timeout_seconds=timeout / 2)
        finished = _start(incumbent, budget, rng_seed, seeds, tick)
        if least_bound(problem) is None:
            return Outcome.of(incumbent, None, finished=finished)
        if timeout is not None:
            limit = Limit(seconds=max(0.0, timeout - incumbent.seconds))
        proof = branch_and_bound(incumbent, limit, lambda used: tick(budget.trials + round(PROOF_TICKS * used)))
        return Outcome.of(incumbent, proof.lower_bound, finished=finished and not tick(self.ticks(budget)), proof=proof)

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials + PROOF_TICKS


def _start(incumbent: Incumbent, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> bool:
    """Find a good mapping: half of the trials are Optuna's structures, half populations; False where `tick` stopped the search.

    Each kind does badly on some layers where the other does well (docs/search.md).
    """
    timeout = budget.timeout_seconds
    structures = replace(budget, trials=-(-budget.trials // 2), timeout_seconds=None if timeout is None else timeout / 2)
    if not OptunaSearcher(Sampler.TPE).look(incumbent, structures, rng_seed, seeds, tick):
        return False
    left = None if timeout is None else max(0.0, timeout - incumbent.seconds)
    populations = replace(budget, trials=budget.trials - structures.trials, timeout_seconds=left)
    if populations.trials == 0:
        return True
    best = replace(seeds, mappings=incumbent.batch)
    return GeneticSearcher().look(incumbent, populations, (*rng_seed, 1), best, lambda done: tick(structures.trials + done))
