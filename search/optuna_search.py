"""Optuna chooses structures, the inner search their tile sizes.

One ask of Optuna costs as much as thousands of evaluations, so it decides what is few and big: for each level the order of
the loops (a priority for each dim), the spatial dim and the cluster size. The space of parameters is static.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce

import numpy as np
import optuna

from mapsearch.model.layer import Dim
from mapsearch.model.mapping import MappingBatch
from mapsearch.search.branch_and_bound import least_bound
from mapsearch.search.inner import Found, best_sizes, improve
from mapsearch.search.objective import Problem
from mapsearch.search.searcher import Budget, Outcome, Sampler
from mapsearch.search.starts import Starts
from mapsearch.search.tally import Tally
from mapsearch.spaces.space import Space, Structure

# Evaluations of a last search from the best of all structures, sizes and orders together, for each one of the trials.
POLISH_SHARE = 0.5
POLISHED = 100  # structures at the most that it starts from


class OptunaSearcher:
    """Structures steered by one of Optuna's samplers."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def search(self, problem: Problem, budget: Budget, seed: Sequence[int], starts: Starts, tick: Callable[[int], bool]) -> Outcome:
        """See `Searcher`."""
        tally = Tally(problem)
        finished = self.look(tally, budget, seed, starts, tick)
        return Outcome.of(tally, least_bound(problem), finished=finished)

    def ticks(self, budget: Budget) -> int:
        """See `Searcher`."""
        return budget.trials

    def look(self, tally: Tally, budget: Budget, seed: Sequence[int], starts: Starts, tick: Callable[[int], bool]) -> bool:
        """Search the tally's problem; False where `tick` told it to stop."""
        space = tally.problem.space
        known = starts.mappings if starts.mappings is not None else MappingBatch.empty(space.levels)
        tried = [Found(known[row : row + 1], value) for row, value in enumerate(tally.score(known).tolist())]
        stopped = self._try_structures(tally, budget, seed, starts.structures, tick, tried)
        rng = np.random.default_rng([*seed, budget.trials])
        if not np.isfinite(tally.value):
            tried.append(best_sizes(tally, space.fitting, budget.evaluations_per_trial, rng))
        if stopped:
            return False
        stop = partial(tick, budget.trials)
        best_first = sorted(tried, key=lambda found: found.value)[:POLISHED]
        parents = reduce(MappingBatch.join, (found.batch for found in best_first))
        values = np.array([found.value for found in best_first if len(found.batch)])
        improve(tally, parents, values, round(tally.evaluations * POLISH_SHARE), rng, structure=True, stop=stop)
        return not stop()

    def _try_structures(
        self, tally: Tally, budget: Budget, seed: Sequence[int], starts: Sequence[Structure], tick: Callable[[int], bool],
        tried: list[Found],
    ) -> bool:  # fmt: skip
        """Add the best mapping of each structure tried to `tried`; returns whether `tick` told it to stop."""
        space = tally.problem.space
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=self._make_sampler(seed, budget.trials))
        for structure in starts:
            study.enqueue_trial(parameters_of(space, structure))
        for number in range(budget.trials):
            trial = study.ask()
            rng = np.random.default_rng([*seed, number])
            found = best_sizes(tally, suggest(trial, space), budget.evaluations_per_trial, rng)
            study.tell(trial, found.value if np.isfinite(found.value) else 1e300)
            if np.isfinite(found.value):
                tried.append(found)
            if tick(number + 1):
                return True
            if _over(tally, budget):
                break
        return False

    def _make_sampler(self, seed: Sequence[int], trials: int) -> optuna.samplers.BaseSampler:
        number = int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
        match self._sampler:
            case Sampler.TPE:
                return optuna.samplers.TPESampler(seed=number)
            case Sampler.GENETIC:
                return optuna.samplers.NSGAIISampler(population_size=max(4, min(50, trials // 5)), seed=number)
            case _:
                return optuna.samplers.RandomSampler(seed=number)


def _over(tally: Tally, budget: Budget) -> bool:
    """Whether the time for trials is up; the last search gets its share of the timeout."""
    if budget.timeout_seconds is None:
        return False
    return tally.seconds >= budget.timeout_seconds / (1 + POLISH_SHARE)


def suggest(trial: optuna.Trial, space: Space) -> Structure:
    """The structure that a trial's parameters stand for; there are none for what is fixed."""
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
