"""A space to search with the model and the objective by which its mappings are scored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import least_cycles_within, power_mw
from mapsearch.model.cost import BoundedModel, CostModel, Fit, Wanted
from mapsearch.model.limit import NO_LIMIT, CostLimit
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.records import machine_record
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.space import Space

# Mappings costed at a time where only the objective is wanted: their counts take a megabyte, however large the batch.
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Scores:
    """The objectives of B mappings, and how many of the mappings were costed.

    values: float64[B], infinite where a mapping does not fit, draws too much power, is refused, has no finite objective, or is left
    out for its lower bound. runtime_cycles: int64[B] and energy_pj: float64[B], valid where the value is finite; None where the
    objective does not use both. costed: mappings costed; refused: costed mappings that the model does not vouch for, or that break
    a law of the space.
    """

    values: NDArray[np.float64]
    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64] | None
    costed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A space to search, the cost model, the objective, and a limit on power.

    power_mw: the largest sum of leakage and dynamic power, averaged over the mapping's run.
    """

    space: Space
    model: CostModel
    objective: Objective
    power_mw: float = inf
    _bounded: BoundedModel | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Kept, as to look whether a model has the methods of a protocol takes as long as to bound 20 mappings.
        has_bounds = self.objective.never_falls and isinstance(self.model, BoundedModel)
        object.__setattr__(self, "_bounded", self.model if has_bounds else None)

    def score(self, batch: MappingBatch, under: float = np.inf) -> Scores:
        """The objective of each mapping; a mapping whose lower bound is not below `under` is not costed.

        Where the problem is not `bounded`, all mappings are costed.
        """
        if not (np.isfinite(under) and self.bounded):
            return self._score(batch)
        hopeful = np.flatnonzero(self.bound(batch) < under)
        scores = self._score(batch[hopeful])
        values, runtime_cycles = np.full(len(batch), np.inf), np.zeros(len(batch), np.int64)
        values[hopeful], runtime_cycles[hopeful] = scores.values, scores.runtime_cycles
        energy_pj = None if scores.energy_pj is None else np.zeros(len(batch))
        if energy_pj is not None and scores.energy_pj is not None:
            energy_pj[hopeful] = scores.energy_pj
        return replace(scores, values=values, runtime_cycles=runtime_cycles, energy_pj=energy_pj)

    def _score(self, batch: MappingBatch) -> Scores:
        wanted = self.objective.wanted if self.power_mw == inf else Wanted.ALL
        values, runtime_cycles, energy_pj = np.empty(len(batch)), np.zeros(len(batch), np.int64), np.zeros(len(batch))
        refused = 0
        for first in range(0, len(batch), BLOCK):
            rows = slice(first, first + BLOCK)
            some = batch if len(batch) <= BLOCK else batch[rows]
            costs = self.model.evaluate(self.space.layer, self.space.hardware, some, wanted)
            runtime_cycles[rows] = costs.runtime_cycles
            if Wanted.WORDS in wanted:
                energy_pj[rows] = costs.energy_pj()
            found = self.value(runtime_cycles[rows], energy_pj[rows])
            lawful = self.space.lawful(some)
            good = (costs.fit == Fit.LEGAL) & lawful & np.isfinite(found)
            if self.power_mw < inf:
                good[good] = power_mw(self.space.hardware, energy_pj[rows][good], runtime_cycles[rows][good]) <= self.power_mw
            values[rows] = np.where(good, found, np.inf)
            refused += int(np.count_nonzero((costs.fit == Fit.REFUSED) | (costs.fit == Fit.LEGAL) & ~lawful))
        both = self.objective.wanted == Wanted.ALL
        return Scores(values, runtime_cycles, energy_pj if both else None, len(batch), refused)

    @property
    def bounded(self) -> bool:
        """Whether mappings have lower bounds: the model has them, and the objective never falls as runtime or energy grows."""
        return self._bounded is not None

    def limit(self, under: float) -> CostLimit:
        """The limit on costs beyond which the objective is not below `under`, of a problem that is `bounded`."""
        if under == inf:
            return NO_LIMIT
        layer, hardware = self.space.layer, self.space.hardware
        least_cycles = layer.macs * float(machine_record(layer, hardware)["least_part"]) / (hardware.pes * hardware.simd)

        def useless(runtimes: NDArray[np.int64], energies: NDArray[np.float64]) -> NDArray[np.bool_]:
            return self.value(self._within_power(runtimes, energies), energies) >= under

        return CostLimit.where(useless, least_cycles)

    def bound(self, batch: MappingBatch, limit: CostLimit = NO_LIMIT) -> NDArray[np.float64]:
        """Lower bounds, float64[B], of mappings, parts of which may be open (see `BoundedModel`); -inf where not `bounded`.

        Infinite where the costs are beyond the limit.
        """
        if self._bounded is None:
            return np.full(len(batch), -np.inf)
        hardware = self.space.hardware
        least = self._bounded.bound(self.space.layer, hardware, batch, limit)
        values = self.value(self._within_power(least.runtime_cycles, least.energy_pj), least.energy_pj)
        values = np.where(np.isnan(values), -np.inf, values)  # an objective that is not defined at the bounds may have any value
        if len(values) == len(batch):
            return values
        bounds = np.full(len(batch), np.inf)
        bounds[least.rows] = values
        return bounds

    def _within_power(self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64]) -> NDArray[np.int64]:
        """The runtimes, or the least in which so much energy stays within the power limit."""
        if self.power_mw == inf:
            return runtime_cycles
        return np.maximum(runtime_cycles, least_cycles_within(self.space.hardware, energy_pj, self.power_mw))

    def value(self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The objectives, float64[B], of mappings of the layer with these figures, whatever their power; see `Objective.value`."""
        return self.objective.value(runtime_cycles, energy_pj, self.space.layer.macs, self.space.hardware)
