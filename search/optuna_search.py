"""Optuna chooses structures, the inner search their tile sizes.

One ask of Optuna costs as much as thousands of evaluations, so it decides what is few and big: for each level the order of
the loops (a priority for each dim), the spatial dim and the cluster size. The space of parameters is static.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np
import optuna

from mapsearch.model.errors import InputError
from mapsearch.model.layer import Dim
from mapsearch.search.branch_and_bound import least_bound
from mapsearch.search.inner import Population, best_sizes
from mapsearch.search.objective import Problem
from mapsearch.search.searcher import Budget, Outcome, Sampler
from mapsearch.search.starts import Starts
from mapsearch.search.tally import Tally
from mapsearch.search.trials import search_by_trials
from mapsearch.spaces.space import Space, Structure

NONE = 1e300  # what Optuna is told of a structure that has no value
# What Optuna's samplers import, beyond what it needs itself, by the names they are installed by.
NEEDED = {Sampler.CMAES: "cmaes", Sampler.QMC: "scipy"}


def check_installed(sampler: Sampler) -> None:
    """Raise InputError where a sampler needs a package that is not there."""
    package = NEEDED.get(sampler)
    if package is not None and find_spec(package) is None:
        raise InputError(
            f"the sampler {sampler} needs the package {package}, which is not installed; "
            f"pip install {package}, or use another sampler"
        )


class OptunaSearcher:
    """Structures steered by one of Optuna's samplers."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def search(self, problem: Problem, budget: Budget, seed: Sequence[int], starts: Starts, tick: Callable[[int], bool]) -> Outcome:
        """See `Searcher`."""
        tally = Tally(problem)
        finished = self.look(tally, budget, seed, starts, tick)
        return Outcome.of(tally, least_bound(problem), finished=finished)

    def look(self, tally: Tally, budget: Budget, seed: Sequence[int], starts: Starts, tick: Callable[[int], bool]) -> bool:
        """Search the tally's problem; False where `tick` told it to stop."""
        space = tally.problem.space
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):  # as some are, for years
            study = optuna.create_study(sampler=_sampler(self._sampler, seed, budget.trials))
        for structure in starts.structures:
            study.enqueue_trial(_parameters(space, structure))

        tried_all = False

        def attempt(_: int, rng: np.random.Generator) -> Population | None:
            nonlocal tried_all
            if tried_all:
                return None
            trial = study.ask()
            best = best_sizes(tally, _suggest(trial, space), budget.evaluations_per_trial, rng)[:1]
            try:
                study.tell(trial, best.values[0] if len(best) else NONE)
            except RuntimeError:  # how the brute force sampler ends a study of which it does not run the loop
                tried_all = True
            return best

        return search_by_trials(tally, budget, seed, starts.mappings, tick, attempt)


def _sampler(sampler: Sampler, seed: Sequence[int], trials: int) -> optuna.samplers.BaseSampler:
    number = int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
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


def _suggest(trial: optuna.Trial, space: Space) -> Structure:
    """The structure that a trial's parameters stand for."""
    if space.dataflow is not None:
        clusters = space.dataflow_clusters(space.dataflow)
        return space.dataflow_structure(space.dataflow, clusters[trial.suggest_int("clusters", 0, len(clusters) - 1)])
    names = [dim.name for dim in space.dims]
    orders: list[tuple[Dim, ...]] = []
    spatial: list[Dim] = []
    for level in range(space.levels):
        priority = {dim: trial.suggest_int(f"place_{level}_{dim.name}", 0, len(names) - 1) for dim in space.dims}
        orders.append(tuple(sorted(space.dims, key=priority.__getitem__)))
        spatial.append(Dim[trial.suggest_categorical(f"spatial_{level}", names)])
    left = space.hardware.pes
    clusters_: list[int] = []
    for level in range(1, space.levels):
        size = space.cluster_sizes[trial.suggest_int(f"cluster_{level}", 0, len(space.cluster_sizes) - 1)]
        clusters_.append(space.cluster_within(size, left))
        left //= clusters_[-1]
    return Structure(tuple(orders), tuple(spatial), tuple(clusters_))


def _parameters(space: Space, structure: Structure) -> dict[str, int | str]:
    """The parameters that `_suggest` turns into the structure."""
    if space.dataflow is not None:
        return {"clusters": space.dataflow_clusters(space.dataflow).index(structure.clusters)}
    parameters: dict[str, int | str] = {}
    for level, (order, spatial) in enumerate(zip(structure.orders, structure.spatial, strict=True)):
        parameters |= {f"place_{level}_{dim.name}": place for place, dim in enumerate(order)}
        parameters[f"spatial_{level}"] = spatial.name
    for level, size in enumerate(structure.clusters, start=1):
        at = int(np.searchsorted(space.cluster_sizes, size))
        parameters[f"cluster_{level}"] = min(at, len(space.cluster_sizes) - 1)
    return parameters
