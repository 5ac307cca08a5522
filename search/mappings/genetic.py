"""A genetic search over whole mappings: each trial is a population of its own, and a last one starts from the best of all trials.

One large population soon consists of the descendants of one mapping; several small ones end up in different places.
"""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.population import Population, improve, score
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.mappings.trials import Trial, search_by_trials
from mapsearch.search.progress import Tick
from mapsearch.spaces.mappings.space import Structure

# A population starts with random mappings, which take one in DRAWN_ONE_IN of its evaluations; one in SEEDS_ONE_IN of these has the
# structure of a seed.
DRAWN_ONE_IN = 10
SEEDS_ONE_IN = 10


class GeneticSearcher:
    """Populations whose orders, spatial dims, Clusters and sizes change together."""

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `Searcher`."""
        incumbent = Incumbent(problem)
        finished = self.look(incumbent, budget, rng_seed, seeds, tick)
        return Outcome.of(incumbent, least_bound(problem), finished=finished)

    def look(self, incumbent: Incumbent, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> bool:
        """Search the incumbent's problem; False where `tick` stopped the search."""

        def attempt(trial: Trial) -> Population:
            return _evolve(incumbent, trial, seeds.structures[trial.number :: budget.trials])

        return search_by_trials(incumbent, budget, rng_seed, seeds.mappings, tick, attempt)

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials


def _evolve(incumbent: Incumbent, trial: Trial, structures: Sequence[Structure]) -> Population:
    """The population after a trial's evaluations, best first; structures: those of the seeds that are dealt to it."""
    space = incumbent.problem.space
    drawn = max(1, trial.evaluations // DRAWN_ONE_IN)
    batch = MappingBatch.empty(space.levels)
    if structures:
        each = max(1, drawn // SEEDS_ONE_IN // len(structures))
        batch = space.draw(structures[:drawn], each, trial.rng)
    if len(batch) < drawn:
        batch = batch.join(space.sample(drawn - len(batch), trial.rng))
    return improve(incumbent, score(incumbent, batch), trial.evaluations - drawn, trial.rng, structure=True, stop=lambda: False)
