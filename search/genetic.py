"""A genetic search over whole mappings: each trial is a population of its own, and a last one is made of the best of them all.

One large population soon consists of one mapping's descendants; several small ones end up in different places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.branch_and_bound import least_bound
from mapsearch.search.inner import Population, improve, score
from mapsearch.search.objective import Problem
from mapsearch.search.searcher import Budget, Outcome
from mapsearch.search.starts import Starts
from mapsearch.search.tally import Tally
from mapsearch.search.trials import search_by_trials

# A population begins with random mappings, one in so many of its evaluations, of which so many again are of the starts.
DRAWN_ONE_IN = 10
STARTS_ONE_IN = 10


class GeneticSearcher:
    """Populations whose orders, spatial dims, Clusters and sizes change together."""

    def search(self, problem: Problem, budget: Budget, seed: Sequence[int], starts: Starts, tick: Callable[[int], bool]) -> Outcome:
        """See `Searcher`."""
        tally = Tally(problem)
        finished = self.look(tally, budget, seed, starts, tick)
        return Outcome.of(tally, least_bound(problem), finished=finished)

    def look(self, tally: Tally, budget: Budget, seed: Sequence[int], starts: Starts, tick: Callable[[int], bool]) -> bool:
        """Search the tally's problem; False where `tick` told it to stop."""

        def attempt(number: int, rng: np.random.Generator) -> Population:
            return _evolve(tally, budget, starts, number, rng)

        return search_by_trials(tally, budget, seed, starts.mappings, tick, attempt)

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials


def _evolve(tally: Tally, budget: Budget, starts: Starts, number: int, rng: np.random.Generator) -> Population:
    """What a population of a trial's evaluations comes to, best first; the starts are dealt out over the trials."""
    space, evaluations = tally.problem.space, budget.evaluations_per_trial
    drawn = max(1, evaluations // DRAWN_ONE_IN)
    structures = starts.structures[number :: budget.trials][:drawn]
    batch = MappingBatch.empty(space.levels)
    if structures:
        batch = space.draw(structures, max(1, drawn // STARTS_ONE_IN // len(structures)), rng)
    if len(batch) < drawn:
        batch = batch.join(space.sample(drawn - len(batch), rng))
    return improve(tally, score(tally, batch), evaluations - drawn, rng, structure=True, stop=lambda: False)
