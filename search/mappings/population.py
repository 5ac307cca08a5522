"""The population search on which all searchers build: the compiled operators of `spaces` vary mappings, and the best are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.search.mappings.incumbent import Incumbent
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
        fitting = np.flatnonzero(np.isfinite(self.values))
        _, firsts = np.unique(self.values[fitting], return_index=True)
        return self[fitting[firsts]]


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
    known = set(_marks(population.batch).tolist())
    made, evaluated = 0, incumbent.evaluations
    while True:
        population = population.fittest()
        if structure:
            population = population[np.flatnonzero(_rank_among_alike(population.batch) < ALIKE)]
        population = population[:PARENTS]
        costed = incumbent.evaluations - evaluated
        left = budget - costed - (made - costed) // MADE_PER_EVALUATION
        if left <= 0 or stop():
            return population
        count = min(children, left)
        made += count
        batch = _unknown(_children(incumbent.problem.space, population.batch, count, rng, structure=structure), known)
        # a child that is worse than all parents changes nothing
        population = population.join(score(incumbent, batch, population.values[-1] if len(population) == PARENTS else np.inf))


def _children(space: Space, parents: MappingBatch, count: int, rng: np.random.Generator, *, structure: bool) -> MappingBatch:
    """Variations of the parents and, where structures may change, some random mappings, so that the population stays diverse."""
    if len(parents) == 0:
        return space.sample(count, rng)
    strangers = count // STRANGERS_ONE_IN if structure else 0
    children = space.vary(parents, count - strangers, rng, structure=structure)
    return children.join(space.sample(strangers, rng)) if strangers > 0 else children


def _unknown(batch: MappingBatch, known: set[int]) -> MappingBatch:
    """The mappings whose marks are not known yet, each once; their marks are added to `known`."""
    new: list[int] = []
    for row, mark in enumerate(_marks(batch).tolist()):
        if mark not in known:
            known.add(mark)
            new.append(row)
    return batch[np.array(new, np.intp)]


def _marks(batch: MappingBatch) -> NDArray[np.int64]:
    """int64[B], a number for each mapping."""
    rows, levels = batch.units.shape
    flat = (batch.units, batch.spatial, batch.order.reshape(rows, levels * DIMS), batch.size.reshape(rows, levels * DIMS))
    return _mark(np.concatenate(flat, axis=1, dtype=np.int64))


@cache
def _weights(count: int) -> NDArray[np.int64]:
    """Odd random numbers, int64[count], always the same."""
    return np.random.default_rng(0).integers(np.iinfo(np.int64).max, size=count) | 1


def _mark(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64[B], a number for each row: two rows that differ have equal numbers with a probability of some 2**-60."""
    return rows @ _weights(rows.shape[1])  # wraps around


def _rank_among_alike(batch: MappingBatch) -> NDArray[np.intp]:
    """How many mappings before each one share out the same dims over the same units as it does."""
    _, kind = np.unique(_mark(np.concatenate([batch.units, batch.spatial], axis=1, dtype=np.int64)), return_inverse=True)
    together = np.argsort(kind, kind="stable")
    begins = np.flatnonzero(np.diff(kind[together], prepend=-1))
    rank = np.empty(len(kind), np.intp)
    rank[together] = np.arange(len(kind)) - np.repeat(begins, np.diff(begins, append=len(kind)))
    return rank
