"""The inner search: a population of mappings that the compiled operators of `spaces` vary, the best kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapsearch.model.mapping import MappingBatch
from mapsearch.search.objective import Problem
from mapsearch.spaces.space import Structure

PARENTS = 24
CHILDREN = 192


@dataclass(frozen=True, slots=True)
class Found:
    """The best mapping of a search (a batch of one; empty where nothing fits), its objective, and what it took."""

    batch: MappingBatch
    value: float
    evaluations: int


def best_sizes(problem: Problem, structure: Structure, budget: int, rng: np.random.Generator) -> Found:
    """The best mapping of a structure that about `budget` evaluations find."""
    drawn = problem.space.draw([structure], max(1, budget // 4), rng)
    if len(drawn) == 0:
        return Found(drawn, float("inf"), 0)
    found = improve(problem, drawn, budget - len(drawn), rng, structure=False)
    return Found(found.batch, found.value, found.evaluations + len(drawn))


def improve(problem: Problem, parents: MappingBatch, budget: int, rng: np.random.Generator, *, structure: bool) -> Found:
    """The best mapping that about `budget` evaluations find from the parents; `structure`: orders may change too."""
    values = problem.score(parents)
    evaluations = 0
    while True:
        keep = _fittest(parents, values)
        parents, values = parents[keep], values[keep]
        if evaluations >= budget:
            return Found(parents[:1], float(values[0]), evaluations)
        children = problem.space.vary(parents, min(CHILDREN, budget - evaluations), rng, structure=structure)
        evaluations += max(1, len(children))
        parents = parents.join(children)
        values = np.concatenate([values, problem.score(children)])


def _fittest(parents: MappingBatch, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Rows of the best PARENTS mappings, best first, one for each objective value: copies would crowd out the rest."""
    _, firsts = np.unique(values, return_index=True)
    return firsts[:PARENTS]
