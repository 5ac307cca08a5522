"""What a search makes small, and how a batch of mappings is scored by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import CostModel, Count, Fit
from mapsearch.model.energy import EnergyCoefficients, energy_coefficients
from mapsearch.model.mapping import MappingBatch
from mapsearch.spaces.space import Space


class Objective(StrEnum):
    """Runtime in cycles, energy in pJ, or their product."""

    LATENCY = "latency"
    ENERGY = "energy"
    EDP = "edp"


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
        costs = self.model.evaluate(self.space.layer, self.space.hardware, batch)
        values = np.ones(len(batch))
        if self.objective is not Objective.ENERGY:
            values *= costs[Count.RUNTIME_CYCLES]
        if self.objective is not Objective.LATENCY:
            values *= self._energies.energy_pj(costs).total
        values[costs.fit != Fit.LEGAL] = np.inf
        return values
