"""What a search makes small, and how a batch of mappings is scored by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import BoundedModel, CostModel, Fit, Wanted
from mapsearch.model.mapping import MappingBatch
from mapsearch.spaces.space import Space

# Mappings costed at a time by a caller who wants only the objective: their counts take a megabyte, however large the batch.
BLOCK = 4096


class Objective(StrEnum):
    """Runtime in cycles, energy in pJ, or their product."""

    LATENCY = "latency"
    ENERGY = "energy"
    EDP = "edp"


WANTED = {Objective.LATENCY: Wanted.RUNTIME, Objective.ENERGY: Wanted.WORDS, Objective.EDP: Wanted.ALL}


@dataclass(frozen=True, slots=True)
class Scores:
    """The objectives of B mappings, and what they took.

    values: float64[B], infinite where a mapping does not fit, is refused, or is left out for its lower bound.
    costed: mappings costed; refused: those of them that the model does not vouch for.
    """

    values: NDArray[np.float64]
    costed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A space to search, the model that counts what its mappings cost, and the objective."""

    space: Space
    model: CostModel
    objective: Objective

    def score(self, batch: MappingBatch) -> Scores:
        """The objective of each mapping."""
        values = np.empty(len(batch))
        refused = 0
        for first in range(0, len(batch), BLOCK):
            rows = slice(first, first + BLOCK)
            costs = self.model.evaluate(self.space.layer, self.space.hardware, batch[rows], WANTED[self.objective])
            energy_pj = None if self.objective is Objective.LATENCY else costs.energy_pj()
            found = self._value(costs.runtime_cycles, energy_pj)
            values[rows] = np.where(costs.fit == Fit.LEGAL, found, np.inf)
            refused += int(np.count_nonzero(costs.fit == Fit.REFUSED))
        return Scores(values, len(batch), refused)

    def score_under(self, batch: MappingBatch, limit: float) -> Scores:
        """As `score`, but what a lower bound says not to be under `limit` is not costed."""
        if not (isinstance(self.model, BoundedModel) and np.isfinite(limit)):
            return self.score(batch)
        least = self.model.bound(self.space.layer, self.space.hardware, batch)
        hopeful = self._value(least.runtime_cycles, least.energy_pj) < limit
        values = np.full(len(batch), np.inf)
        scores = self.score(batch[hopeful])
        values[hopeful] = scores.values
        return replace(scores, values=values)

    def _value(self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None) -> NDArray[np.float64]:
        if energy_pj is None:
            return runtime_cycles.astype(np.float64)
        return energy_pj if self.objective is Objective.ENERGY else energy_pj * runtime_cycles
