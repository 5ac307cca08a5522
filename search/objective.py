"""What a search makes small, and how a batch of mappings is scored by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import BoundedModel, CostModel, Count, Fit, Wanted
from mapsearch.model.energy import EnergyCoefficients, energy_coefficients
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


@dataclass(frozen=True)
class Problem:
    """A space to search, the model that counts what its mappings cost, and the objective."""

    space: Space
    model: CostModel
    objective: Objective

    @cached_property
    def _energies(self) -> EnergyCoefficients:
        return energy_coefficients(self.space.layer, self.space.hardware)

    def score(self, batch: MappingBatch) -> NDArray[np.float64]:
        """float64[B], the objective of each mapping; infinite where it does not fit."""
        values = np.empty(len(batch))
        for first in range(0, len(batch), BLOCK):
            rows = slice(first, first + BLOCK)
            costs = self.model.evaluate(self.space.layer, self.space.hardware, batch[rows], WANTED[self.objective])
            energy_pj = None if self.objective is Objective.LATENCY else self._energies.energy_pj(costs).total
            found = self._value(costs[Count.RUNTIME_CYCLES], energy_pj)
            values[rows] = np.where(costs.fit == Fit.LEGAL, found, np.inf)
        return values

    def score_under(self, batch: MappingBatch, limit: float) -> tuple[NDArray[np.float64], int]:
        """As `score`, but infinite too where a lower bound says that the objective is not under `limit`.

        Those are not costed; the second value is how many were.
        """
        if not (isinstance(self.model, BoundedModel) and np.isfinite(limit)):
            return self.score(batch), len(batch)
        least = self.model.bound(self.space.layer, self.space.hardware, batch)
        hopeful = self._value(least.runtime_cycles, least.energy_pj) < limit
        values = np.full(len(batch), np.inf)
        values[hopeful] = self.score(batch[hopeful])
        return values, int(hopeful.sum())

    def _value(self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None) -> NDArray[np.float64]:
        if energy_pj is None:
            return runtime_cycles.astype(np.float64)
        return energy_pj if self.objective is Objective.ENERGY else energy_pj * runtime_cycles
