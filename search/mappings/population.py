"""The population search on which all searchers build: the compiled operators of `spaces` vary mappings, and the best are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.selection import Known, fittest
from mapsearch.spaces.mappings.space import Space, Structure

PARENTS = 24
# Children in a generation: many are quick to make and to cost, few soon build on each other. The latter counts where structures
# change and evaluations are few: then the budget is split into some GENERATIONS.
FEWEST, MOST = 48, 192
GENERATIONS = 20
STRANGERS_ONE_IN = 48
# The most parents that share out the same dims over the same units: one kind would soon crowd out the others.
ALIKE = 4
# Mappings that are made and bounded in the time of one evaluation.
MADE_PER_EVALUATION = 3


@dataclass(frozen=True, slots=True)
class Population:
    """Mappings and their objectives, float64[B]."""

    batch: MappingBatch
    values: NDArray[np.float64]

    @classmethod
    def empty(cls, levels: int) -> Population:
        """A population of no mappings with this number of levels."""
        return cls(MappingBatch.empty(levels), np.empty(0))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> Population:
        return Population(self.batch[rows], self.values[rows])

    def join(self, other: Population) -> Population:
        """The mappings of both."""
        return Population(self.batch.join(other.batch), np.concatenate([self.values, other.values]))

    def fittest(self) -> Population:
        """The mappings with finite objectives, best first, one for each value, since copies would crowd out the rest."""
        return self[fittest(self.batch, self.values, len(self), len(self))]


def score(incumbent: Incumbent, batch: MappingBatch, under: float = np.inf) -> Population:
    """The mappings with their objectives; see `Incumbent.score`."""
    return Population(batch, incumbent.score(batch, under))


def best_sizes(incumbent: Incumbent, structure: Structure, budget: int, rng: np.random.Generator) -> Population:
    """The best mappings of a structure, best first, found by about `budget` evaluations (at least one); empty where none fits."""
    drawn = score(incumbent, incumbent.problem.space.draw([structure], max(1, budget // 4), rng))
    if len(drawn.fittest()) == 0:
        return drawn.fittest()
    return improve(incumbent, drawn, budget - len(drawn), rng, structure=False, stop=lambda: False)


def improve(
    incumbent: Incumbent,
    population: Population,
    budget: int,
    rng: np.random.Generator,
    *,
    structure: bool,
    stop: Callable[[], bool],
) -> Population:
    """The best mappings, best first, after at most `budget` evaluations, or fewer once `stop` returns True.

    structure: whether orders, spatial dims and Clusters may change too. A child that is not costed, because it does not fit, is
    known already or is ruled out by a lower bound, counts as a fraction of an evaluation.
    """
    children = min(MOST, max(FEWEST, budget // GENERATIONS)) if structure else MOST
    known = Known(incumbent.problem.space.levels, len(population) + MADE_PER_EVALUATION * max(0, budget) + MOST)
    known.new(population.batch)
    alike = ALIKE if structure else PARENTS
    made, evaluated = 0, incumbent.evaluations
    while True:
        population = population[fittest(population.batch, population.values, PARENTS, alike)]
        costed = incumbent.evaluations - evaluated
        left = budget - costed - (made - costed) // MADE_PER_EVALUATION
        if left <= 0 or stop():
            return population
        count = min(children, left)
        made += count
        batch = _children(incumbent.problem.space, population.batch, count, rng, structure=structure)
        batch = batch[known.new(batch)]
        # a child that is worse than all parents changes nothing
        population = population.join(score(incumbent, batch, population.values[-1] if len(population) == PARENTS else np.inf))


def _children(space: Space, parents: MappingBatch, count: int, rng: np.random.Generator, *, structure: bool) -> MappingBatch:
    """Variations of the parents and, where structures may change, some random mappings, so that the population stays diverse."""
    if len(parents) == 0:
        return space.sample(count, rng)
    strangers = count // STRANGERS_ONE_IN if structure else 0
    children = space.vary(parents, count - strangers, rng, structure=structure)
    return children.join(space.sample(strangers, rng)) if strangers > 0 else children
