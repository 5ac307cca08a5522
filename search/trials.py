"""What searches by trials share: known mappings first, then the trials, and a last search from the best of them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce

import numpy as np

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.inner import Population, best_sizes, improve, score
from mapsearch.search.searcher import POLISH_SHARE, Budget
from mapsearch.search.tally import Tally

POLISHED = 100  # populations at the most that the last search starts from

# What a trial finds, best first, given its number and random numbers; None where there is nothing left to try.
Attempt = Callable[[int, np.random.Generator], Population | None]


def search_by_trials(
    tally: Tally, budget: Budget, seed: Sequence[int], known: MappingBatch | None, tick: Callable[[int], bool], attempt: Attempt
) -> bool:
    """Search the tally's problem; False where `tick` told it to stop."""
    space = tally.problem.space
    found = [] if known is None else [score(tally, known).fittest()]
    stopped = False
    for number in range(budget.trials):
        population = attempt(number, np.random.default_rng([*seed, number]))
        if population is None:
            break
        found.append(population)
        stopped = tick(number + 1)
        if stopped or _over(tally, budget):
            break
    rng = np.random.default_rng([*seed, budget.trials])
    if not np.isfinite(tally.value) and _left(tally, budget) > 0:
        found.append(best_sizes(tally, space.fitting, min(budget.evaluations_per_trial, _left(tally, budget)), rng))
    if stopped:
        return False
    stop = partial(tick, budget.trials)
    best_first = sorted((each for each in found if len(each)), key=lambda each: each.values[0])[:POLISHED]
    best = reduce(Population.join, best_first, Population.empty(space.levels))
    evaluations = min(round(tally.evaluations * POLISH_SHARE), _left(tally, budget))
    improve(tally, best, evaluations, rng, structure=True, stop=stop)
    return not stop()


def _left(tally: Tally, budget: Budget) -> int:
    """Evaluations that the budget has left."""
    return budget.evaluations - tally.evaluations


def _over(tally: Tally, budget: Budget) -> bool:
    """Whether the time for trials is up; the last search gets its share of the timeout."""
    if budget.timeout_seconds is None:
        return False
    return tally.seconds >= budget.timeout_seconds / (1 + POLISH_SHARE)
