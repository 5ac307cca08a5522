"""Several objectives at once: the front of cycles and energy, found by searches that weigh the two differently.

Any objectives that never fall as runtime or energy grows have their best trade-offs on that front. Optuna chooses the structure and
a weight w for each trial by all objectives together, the search of sizes minimises energy^w x cycles^(1 - w), and every mapping
costed may join the front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import optuna

from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.optuna_search import NONE, make_sampler, parameters_of, suggest
from mapsearch.search.mappings.population import Population, best_sizes, improve
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.mappings.trials import Trials
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.progress import Tick
from mapsearch.spaces.mappings.space import Structure

# The samplers that can search for several objectives, and Optuna's sampler that each uses.
STEERED = {
    Sampler.AUTO: Sampler.NSGAII,
    Sampler.GENETIC: Sampler.NSGAII,
    Sampler.NSGAII: Sampler.NSGAII,
    Sampler.TPE: Sampler.TPE,
    Sampler.RANDOM: Sampler.RANDOM,
}
# Weights of energy in the last searches, each of which starts from the whole front.
LAST_WEIGHTS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class FrontSearcher:
    """Searches the front for several objectives; the outcome's mapping has the least value of the problem's own objective."""

    objectives: tuple[Objective, ...]
    sampler: Sampler

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `Searcher`."""
        incumbent = Incumbent(problem)
        trials = Trials(incumbent, budget, rng_seed, tick)
        if seeds.mappings is not None:
            incumbent.score(seeds.mappings[: trials.left])
        self._try_structures(incumbent, trials, rng_seed, seeds.structures, budget.trials)
        rng = trials.rng()
        trials.fit(rng)
        share = trials.last // len(LAST_WEIGHTS)
        for weight in LAST_WEIGHTS if not trials.stopped else ():
            weighed = _weighed(incumbent, weight)
            known = incumbent.front
            values = weighed.problem.value(known.runtime_cycles, known.energy_pj)
            improve(weighed, Population(known.batch, values), share, rng, structure=True, stop=trials.stop)
            incumbent.absorb(weighed)
        return Outcome.of(incumbent, least_bound(problem), finished=not trials.stop())

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials

    def _try_structures(
        self, incumbent: Incumbent, trials: Trials, rng_seed: Sequence[int], structures: Sequence[Structure], count: int
    ) -> None:
        """Add the mappings that `count` trials of Optuna find to the incumbent's front."""
        space = incumbent.problem.space
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            sampler=make_sampler(STEERED[self.sampler], rng_seed, count),
            directions=[optuna.study.StudyDirection.MINIMIZE] * len(self.objectives),
        )
        for structure in structures:
            study.enqueue_trial({"weight": 0.5, **parameters_of(space, structure)})
        for trial in trials:
            asked = study.ask()
            weighed = _weighed(incumbent, asked.suggest_float("weight", 0.0, 1.0))
            best_sizes(weighed, suggest(asked, space), trial.evaluations, trial.rng)
            study.tell(asked, self._values(weighed))
            incumbent.absorb(weighed)

    def _values(self, weighed: Incumbent) -> list[float]:
        """The objectives of the best mapping; huge where there is none."""
        if not np.isfinite(weighed.value):
            return [NONE] * len(self.objectives)
        costs = replace(weighed.problem, objective=_PRODUCT).score(weighed.batch)
        values = [replace(weighed.problem, objective=each).value(costs.runtime_cycles, costs.energy_pj) for each in self.objectives]
        return [float(value[0]) for value in values]


_PRODUCT = Objective.of("edp")


def _weighed(incumbent: Incumbent, weight: float) -> Incumbent:
    """A new incumbent for the same problem with the objective energy^weight x cycles^(1 - weight)."""
    objective = Objective.of(f"energy_pj**{weight!r} * runtime_cycles**{1 - weight!r}")
    return Incumbent(replace(incumbent.problem, objective=objective))
