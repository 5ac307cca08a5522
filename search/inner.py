"""The inner search: a population of mappings that the compiled operators of `spaces` vary, the best kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.tally import Tally
from mapsearch.spaces.space import Space, Structure

PARENTS = 24
CHILDREN = 192
STRANGERS_ONE_IN = 12
# Parents that share out the same dims over the same units: one kind would soon crowd out the others.
ALIKE = 4
# What making and bounding a mapping takes, to costing one.
DROPPED_PER_EVALUATION = 4


@dataclass(frozen=True, slots=True)
class Found:
    """The best mapping of a part of a search (a batch of one; empty where none fits), and its objective, or infinity."""

    batch: MappingBatch
    value: float


def best_sizes(tally: Tally, structure: Structure, budget: int, rng: np.random.Generator) -> Found:
    """The best mapping of a structure that about `budget` evaluations find (one at the least)."""
    drawn = tally.problem.space.draw([structure], max(1, budget // 4), rng)
    values = tally.score(drawn)
    if not np.isfinite(values).any():
        return Found(drawn[:0], float("inf"))
    return improve(tally, drawn, values, budget - len(drawn), rng, structure=False, stop=lambda: False)


def improve(
    tally: Tally,
    parents: MappingBatch,
    values: NDArray[np.float64],
    budget: int,
    rng: np.random.Generator,
    *,
    structure: bool,
    stop: Callable[[], bool],
) -> Found:
    """The best mapping that at most `budget` evaluations find from the parents, or fewer once `stop` returns True.

    values: the parents' objectives. structure: whether orders, spatial dims and Clusters may change too. Children that a lower
    bound rules out count a fraction.
    """
    empty, evaluated, dropped = 0, tally.evaluations, tally.dropped
    while True:
        keep = _fittest(values)
        if structure:
            keep = keep[_rank_among_alike(parents[keep]) < ALIKE]
        keep = keep[:PARENTS]
        parents, values = parents[keep], values[keep]
        left = budget - (tally.evaluations - evaluated) - empty - (tally.dropped - dropped) // DROPPED_PER_EVALUATION
        if left <= 0 or stop():
            return Found(parents[:1], float(values[0]) if len(values) else float("inf"))
        children = _children(tally.problem.space, parents, min(CHILDREN, left), rng, structure=structure)
        # no child that is worse than all parents changes anything
        scores = tally.score(children, float(values[-1]) if len(values) == PARENTS else np.inf)
        empty += 0 if len(children) else 1
        parents = parents.join(children)
        values = np.concatenate([values, scores])


def _children(space: Space, parents: MappingBatch, count: int, rng: np.random.Generator, *, structure: bool) -> MappingBatch:
    """Mappings made from the parents and, where structures may change, some strangers: a population alike has nowhere to go."""
    if len(parents) == 0:
        return space.sample(count, rng)
    strangers = count // STRANGERS_ONE_IN if structure else 0
    children = space.vary(parents, count - strangers, rng, structure=structure)
    return children.join(space.sample(strangers, rng)) if strangers > 0 else children


def _fittest(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows of the mappings that fit, best first, one for each objective value: copies would crowd out the rest."""
    fitting = np.flatnonzero(np.isfinite(values))
    _, firsts = np.unique(values[fitting], return_index=True)
    return fitting[firsts]


def _rank_among_alike(batch: MappingBatch) -> NDArray[np.intp]:
    """How many mappings before each one share out the same dims over the same units as it does."""
    _, kind = np.unique(np.concatenate([batch.units, batch.spatial], axis=1), axis=0, return_inverse=True)
    kind = kind.ravel()
    together = np.argsort(kind, kind="stable")
    begins = np.flatnonzero(np.diff(kind[together], prepend=-1))
    rank = np.empty(len(kind), np.intp)
    rank[together] = np.arange(len(kind)) - np.repeat(begins, np.diff(begins, append=len(kind)))
    return rank
