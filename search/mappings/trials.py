"""The frame of searches by trials: known mappings first, then the trials, and a last search from the best of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.population import Population, best_sizes, improve, score
from mapsearch.search.mappings.searcher import POLISH_SHARE, Budget
from mapsearch.search.progress import Tick

POLISHED = 100  # the most populations that the last search starts from


@dataclass(frozen=True, slots=True)
class Trial:
    """One of a search's trials: the evaluations that it may take, at least one, and its random numbers."""

    number: int
    evaluations: int
    rng: np.random.Generator


# The result of a trial, best first; None where nothing is left to try.
Attempt = Callable[[Trial], Population | None]


class Trials:
    """The trials of a budget, one after the other, and the rest of the budget; the incumbent may come from an earlier search.

    stopped: whether `tick` stopped the search.
    """

    def __init__(self, incumbent: Incumbent, budget: Budget, rng_seed: Sequence[int], tick: Tick) -> None:
        self._incumbent, self._budget, self._seed, self._tick = incumbent, budget, rng_seed, tick
        self._evaluations, self._seconds = incumbent.evaluations, incumbent.seconds
        self.stopped = False

    def __iter__(self) -> Iterator[Trial]:
        """Yield trials as long as there are evaluations and time; a share of the timeout is kept for the last search."""
        timeout = np.inf if self._budget.timeout_seconds is None else self._budget.timeout_seconds / (1 + POLISH_SHARE)
        for number in range(self._budget.trials):
            if self.left == 0:
                return
            evaluations = min(self._budget.evaluations_per_trial, self.left)
            yield Trial(number, evaluations, np.random.default_rng([*self._seed, number]))
            self.stopped = self._tick(number + 1)
            if self.stopped or self._incumbent.seconds - self._seconds >= timeout:
                return

    @property
    def left(self) -> int:
        """The number of evaluations that are left."""
        return max(0, self._budget.evaluations - self._taken)

    @property
    def last(self) -> int:
        """Evaluations for the last search."""
        return min(round(self._taken * POLISH_SHARE), self.left)

    @property
    def _taken(self) -> int:
        return self._incumbent.evaluations - self._evaluations

    def rng(self) -> np.random.Generator:
        """Random numbers for the steps after the trials."""
        return np.random.default_rng([*self._seed, self._budget.trials])

    def stop(self) -> bool:
        """Whether `tick` stops the last search, or has stopped the search before."""
        self.stopped = self.stopped or self._tick(self._budget.trials)
        return self.stopped

    def fit(self, rng: np.random.Generator) -> Population:
        """Sizes for the structure that surely fits, where no mapping has been found and evaluations are left."""
        space = self._incumbent.problem.space
        if np.isfinite(self._incumbent.value) or self.left == 0:
            return Population.empty(space.levels)
        return best_sizes(self._incumbent, space.fitting, min(self._budget.evaluations_per_trial, self.left), rng)


def search_by_trials(
    incumbent: Incumbent,
    budget: Budget,
    rng_seed: Sequence[int],
    known: MappingBatch | None,
    tick: Tick,
    attempt: Attempt,
) -> bool:
    """Search the incumbent's problem; False where `tick` stopped the search."""
    trials = Trials(incumbent, budget, rng_seed, tick)
    found = [] if known is None else [score(incumbent, known[: trials.left]).fittest()]
    for population in map(attempt, trials):
        if population is None:
            break
        found.append(population)
    rng = trials.rng()
    found.append(trials.fit(rng))
    best_first = sorted((each for each in found if len(each)), key=lambda each: each.values[0])[:POLISHED]
    best = reduce(Population.join, best_first, Population.empty(incumbent.problem.space.levels))
    if not trials.stopped:
        improve(incumbent, best, trials.last, rng, structure=True, stop=trials.stop)
    return not trials.stop()
