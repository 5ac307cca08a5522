"""Optuna chooses structures; the population search chooses their tile sizes.

One proposal of Optuna's takes as long as thousands of evaluations, so it makes only the large decisions: for each level the order
of the loops (a priority for each dim), the spatial dim and the cluster size. The space of parameters is static.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import optuna
from optuna.trial import TrialState

from mapsearch.model.extras import require
from mapsearch.model.tensors import Dim
from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.population import Population, best_sizes
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.mappings.trials import Trial, search_by_trials
from mapsearch.search.progress import Tick
from mapsearch.spaces.mappings.space import Space, Structure

NONE = 1e300  # Optuna's value of a structure without a finite objective
# Packages that some of Optuna's samplers need beyond Optuna's own, by the names they are installed by.
NEEDED = {Sampler.CMAES: "cmaes", Sampler.QMC: "scipy"}


def check_installed(sampler: Sampler) -> None:
    """Raise InputError where a sampler needs a package that is not installed."""
    if sampler in NEEDED:
        require(f"the sampler {sampler}", "samplers", NEEDED[sampler])


class OptunaSearcher:
    """Searches structures that one of Optuna's samplers proposes."""

    def __init__(self, sampler: Sampler, *, keeps: bool = False) -> None:
        """keeps: whether the outcome has all structures that were tried, as trials with their cycles and energy."""
        self._sampler, self._keeps = sampler, keeps

    def search(self, problem: Problem, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> Outcome:
        """See `Searcher`."""
        incumbent, study = Incumbent(problem), self._study(budget, rng_seed)
        finished = self._look(study, incumbent, budget, rng_seed, seeds, tick)
        kept = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) if self._keeps else ()
        return replace(Outcome.of(incumbent, least_bound(problem), finished=finished), structures=tuple(kept))

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials

    def look(self, incumbent: Incumbent, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick) -> bool:
        """Search the incumbent's problem; False where `tick` stopped the search."""
        return self._look(self._study(budget, rng_seed), incumbent, budget, rng_seed, seeds, tick)

    def _study(self, budget: Budget, rng_seed: Sequence[int]) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):  # as some are, for years
            return optuna.create_study(sampler=make_sampler(self._sampler, rng_seed, budget.trials))

    def _look(
        self, study: optuna.Study, incumbent: Incumbent, budget: Budget, rng_seed: Sequence[int], seeds: Seeds, tick: Tick
    ) -> bool:
        space = incumbent.problem.space
        for structure in seeds.structures:
            study.enqueue_trial(parameters_of(space, structure))

        tried_all = False

        def attempt(trial: Trial) -> Population | None:
            nonlocal tried_all
            if tried_all:
                return None
            asked = study.ask()
            best = best_sizes(incumbent, suggest(asked, space), trial.evaluations, trial.rng)[:1]
            if self._keeps and len(best):
                scores = incumbent.problem.score(best.batch)
                asked.set_user_attr("runtime_cycles", int(scores.runtime_cycles[0]))
                asked.set_user_attr("energy_pj", None if scores.energy_pj is None else float(scores.energy_pj[0]))
            try:
                study.tell(asked, best.values[0] if len(best) else NONE)
            except RuntimeError:  # the brute-force sampler ends a study so where it does not run the loop itself
                tried_all = True
            return best

        return search_by_trials(incumbent, budget, rng_seed, seeds.mappings, tick, attempt)


def make_sampler(sampler: Sampler, rng_seed: Sequence[int], trials: int) -> optuna.samplers.BaseSampler:
    """Optuna's sampler for this number of trials."""
    number = int(np.random.SeedSequence(list(rng_seed)).generate_state(1)[0])
    match sampler:
        case Sampler.TPE:
            return optuna.samplers.TPESampler(seed=number)
        case Sampler.NSGAII:
            return optuna.samplers.NSGAIISampler(population_size=max(4, min(50, trials // 5)), seed=number)
        case Sampler.CMAES:
            return optuna.samplers.CmaEsSampler(seed=number, warn_independent_sampling=False)
        case Sampler.QMC:
            return optuna.samplers.QMCSampler(scramble=True, seed=number, warn_independent_sampling=False)
        case Sampler.BRUTEFORCE:
            return optuna.samplers.BruteForceSampler(seed=number)
        case _:
            return optuna.samplers.RandomSampler(seed=number)


def suggest(trial: optuna.Trial, space: Space) -> Structure:
    """The structure that a trial's parameters describe; a fixed choice has no parameter."""
    orders: list[tuple[Dim, ...]] = []
    spatial: list[Dim] = []
    for level, (fixed, may_be) in enumerate(zip(space.fixed_orders, space.choices.spatial, strict=True)):
        most = len(space.dims) - 1
        priority = {dim: 0 if fixed else trial.suggest_int(f"place_{level}_{dim.name}", 0, most) for dim in space.dims}
        orders.append(tuple(sorted(space.dims, key=priority.__getitem__)))
        names = [dim.name for dim in may_be]
        spatial.append(Dim[trial.suggest_categorical(f"spatial_{level}", names)] if len(names) > 1 else may_be[0])
    clusters: list[int] = []
    for level, sizes in enumerate(space.choices.cluster_sizes, start=1):
        clusters.append(sizes[trial.suggest_int(f"cluster_{level}", 0, len(sizes) - 1) if len(sizes) > 1 else 0])
    return space.nearest(Structure(tuple(orders), tuple(spatial), tuple(clusters)))


def parameters_of(space: Space, structure: Structure) -> dict[str, int | str]:
    """The parameters that `suggest` turns into the structure."""
    parameters: dict[str, int | str] = {}
    for level, (order, spatial) in enumerate(zip(structure.orders, structure.spatial, strict=True)):
        if not space.fixed_orders[level]:
            parameters |= {f"place_{level}_{dim.name}": place for place, dim in enumerate(order)}
        if len(space.choices.spatial[level]) > 1:
            parameters[f"spatial_{level}"] = spatial.name
    for level, (sizes, size) in enumerate(zip(space.choices.cluster_sizes, structure.clusters, strict=True), start=1):
        if len(sizes) > 1:
            parameters[f"cluster_{level}"] = sizes.index(size)
    return parameters
