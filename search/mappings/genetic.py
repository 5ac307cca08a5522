"""A genetic search over whole mappings: each trial is a population of its own, and a last one is made of the best of them all.

One large population soon consists of one mapping's descendants; several small ones end up in different places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.mappings.best import Tally
from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.population import Population, improve, score
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Starts
from mapsearch.search.mappings.trials import Trial, search_by_trials
from mapsearch.spaces.mappings.space import Structure

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

        def attempt(trial: Trial) -> Population:
            return _evolve(tally, trial, starts.structures[trial.number :: budget.trials])

        return search_by_trials(tally, budget, seed, starts.mappings, tick, attempt)

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials


def _evolve(tally: Tally, trial: Trial, structures: Sequence[Structure]) -> Population:
    """What a population of a trial's evaluations comes to, best first; structures: those of the starts that are dealt to it."""
    space = tally.problem.space
    drawn = max(1, trial.evaluations // DRAWN_ONE_IN)
    batch = MappingBatch.empty(space.levels)
    if structures:
        each = max(1, drawn // STARTS_ONE_IN // len(structures))
        batch = space.draw(structures[:drawn], each, trial.rng)
    if len(batch) < drawn:
        batch = batch.join(space.sample(drawn - len(batch), trial.rng))
    return improve(tally, score(tally, batch), trial.evaluations - drawn, trial.rng, structure=True, stop=lambda: False)
