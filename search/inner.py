"""The inner search: a population of mappings that the compiled operators of `spaces` vary, the best kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.objective import Problem
from mapsearch.spaces.space import Structure

PARENTS = 24
CHILDREN = 192
STRANGERS_ONE_IN = 12
# What making and bounding a mapping takes, to costing one.
DROPPED_PER_EVALUATION = 4


@dataclass(frozen=True, slots=True)
class Found:
    """The best mapping of a search (a batch of one; empty where nothing fits), its objective, and what it took.

    evaluations: mappings costed; dropped: mappings that a lower bound left out.
    """

    batch: MappingBatch
    value: float
    evaluations: int
    dropped: int


def best_sizes(problem: Problem, structure: Structure, budget: int, rng: np.random.Generator) -> Found:
    """The best mapping of a structure that about `budget` evaluations find (one at the least)."""
    drawn = problem.space.draw([structure], max(1, budget // 4), rng)
    if len(drawn) == 0:
        return Found(drawn, float("inf"), 0, 0)
    found = improve(problem, drawn, budget - len(drawn), rng, structure=False, stop=lambda: False)
    return Found(found.batch, found.value, found.evaluations + len(drawn), found.dropped)


def improve(
    problem: Problem, parents: MappingBatch, budget: int, rng: np.random.Generator, *, structure: bool, stop: Callable[[], bool]
) -> Found:
    """The best mapping that at most `budget` evaluations find from the parents, or fewer once `stop` returns True.

    structure: whether orders, spatial dims and Clusters may change too. The parents' own scores are not counted, and children
    that a lower bound rules out count a fraction.
    """
    values = problem.score(parents)
    evaluations = dropped = empty = 0
    while True:
        keep = _fittest(values)
        parents, values = parents[keep], values[keep]
        left = budget - evaluations - empty - dropped // DROPPED_PER_EVALUATION
        if left <= 0 or stop():
            return Found(parents[:1], float(values[0]), evaluations, dropped)
        count = min(CHILDREN, left)
        # where structures may change, some strangers: a population alike has nowhere to go
        strangers = count // STRANGERS_ONE_IN if structure and problem.space.dataflow is None else 0
        children = problem.space.vary(parents, count - strangers, rng, structure=structure)
        if strangers > 0:
            children = children.join(problem.space.sample(strangers, rng))
        # no child that is worse than all parents changes anything
        scores, costed = problem.score_under(children, float(values[-1]) if len(values) == PARENTS else np.inf)
        evaluations += costed
        dropped += len(children) - costed
        empty += 0 if len(children) else 1
        parents = parents.join(children)
        values = np.concatenate([values, scores])


def _fittest(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows of the best PARENTS mappings, best first, one for each objective value: copies would crowd out the rest."""
    fitting = np.flatnonzero(np.isfinite(values))
    _, firsts = np.unique(values[fitting], return_index=True)
    return fitting[firsts[:PARENTS]]
