"""What a search makes small, and how a batch of mappings is scored by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import area_by_part, least_cycles_within, power_mw
from mapsearch.model.cost import BoundedModel, CostModel, Fit, Wanted
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import MappingBatch
from mapsearch.search.expression import Expression, degree, evaluate, metrics_in, parse
from mapsearch.search.growth import growth
from mapsearch.spaces.space import Space

# Mappings costed at a time by a caller who wants only the objective: their counts take a megabyte, however large the batch.
BLOCK = 4096

_PARTS = {"runtime_cycles": Wanted.RUNTIME, "energy_pj": Wanted.WORDS}


@dataclass(frozen=True, slots=True)
class Objective:
    """What a search makes small; made by `of`.

    text: as the user gave it. expression: what it stands for. metrics: those in it. wanted: what of the costs it takes.
    never_falls: whether it is proven that it never falls as runtime or energy grows, so that its value at lower bounds of them
    is one of its own. degree: see `expression.degree`.
    """

    text: str
    expression: Expression
    metrics: frozenset[str]
    wanted: Wanted
    never_falls: bool
    degree: float | None

    @classmethod
    def of(cls, text: str) -> Objective:
        """The objective of a name of NAMED or an expression; InputError, one line, for any other text."""
        expression = parse(text)
        metrics, wanted = metrics_in(expression), Wanted(0)
        for metric in metrics & _PARTS.keys():
            wanted |= _PARTS[metric]
        return cls(text, expression, metrics, wanted, growth(expression).never_falls, degree(expression))

    def value(
        self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None, macs: int, hardware: Hardware
    ) -> NDArray[np.float64]:
        """The objectives, float64[B], of B mappings with these figures; not finite where it has no value for them.

        runtime_cycles: int64[B]. energy_pj: float64[B], or None where it is not `wanted`. macs: of the layer or the network.
        A mapping has the same value in any batch, to the last digit.
        """
        metrics = {"runtime_cycles": runtime_cycles.astype(np.float64), "macs": np.asarray(float(macs))}
        if energy_pj is not None:
            metrics["energy_pj"] = energy_pj
        if "area_mm2" in self.metrics:
            metrics["area_mm2"] = np.asarray(area_by_part(hardware).total)
        return evaluate(self.expression, metrics)


def objectives_of(text: str) -> tuple[Objective, ...]:
    """The objectives of a text, one or several with commas between; InputError, one line, where it is none.

    Several must each have a proof that they never fall as runtime or energy grows.
    """
    parts = _between_commas(text)
    objectives = tuple(Objective.of(part) for part in parts)
    for objective in objectives if len(parts) > 1 else ():
        if not objective.never_falls:
            raise InputError(
                f"objective: {objective.text!r} is not proven to grow with runtime and energy, as each of several objectives must; "
                "use it alone, or another"
            )
    if len(set(parts)) < len(parts):
        raise InputError(f"objective: each of several must be another one, got {text!r}")
    return objectives


def _between_commas(text: str) -> list[str]:
    """The parts of a text between the commas that stand in no parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts] if len(parts) > 1 else parts


@dataclass(frozen=True, slots=True)
class Scores:
    """The objectives of B mappings, and what they took.

    values: float64[B], infinite where a mapping does not fit, draws too much power, is refused, has no finite objective, or is left
    out for its lower bound. runtime_cycles: int64[B] and energy_pj: float64[B], where the value is finite; None where the objective
    takes not both. costed: mappings costed; refused: those of them that the model does not vouch for.
    """

    values: NDArray[np.float64]
    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64] | None
    costed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A space to search, the model that counts what its mappings cost, the objective, and the power that a mapping may draw.

    power_mw: leakage and dynamic power together at the most, on the average over the mapping's run.
    """

    space: Space
    model: CostModel
    objective: Objective
    power_mw: float = inf

    def score(self, batch: MappingBatch, under: float = np.inf) -> Scores:
        """The objective of each mapping; what a lower bound says not to be `under` a value is not costed.

        Nothing is left out where the problem is not `bounded`.
        """
        if not (np.isfinite(under) and self.bounded):
            return self._score(batch)
        hopeful = self.bound(batch) < under
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
            costs = self.model.evaluate(self.space.layer, self.space.hardware, batch[rows], wanted)
            runtime_cycles[rows] = costs.runtime_cycles
            if Wanted.WORDS in wanted:
                energy_pj[rows] = costs.energy_pj()
            found = self.value(runtime_cycles[rows], energy_pj[rows])
            good = (costs.fit == Fit.LEGAL) & np.isfinite(found)
            if self.power_mw < inf:
                good[good] = power_mw(self.space.hardware, energy_pj[rows][good], runtime_cycles[rows][good]) <= self.power_mw
            values[rows] = np.where(good, found, np.inf)
            refused += int(np.count_nonzero(costs.fit == Fit.REFUSED))
        both = self.objective.wanted == Wanted.ALL
        return Scores(values, runtime_cycles, energy_pj if both else None, len(batch), refused)

    @property
    def bounded(self) -> bool:
        """Whether mappings have lower bounds: the model has, and the objective never falls as runtime or energy grows."""
        return self.objective.never_falls and isinstance(self.model, BoundedModel)

    def bound(self, batch: MappingBatch) -> NDArray[np.float64]:
        """Lower bounds, float64[B], of mappings of which parts may be open (see `BoundedModel`); -inf where not `bounded`."""
        if not (self.objective.never_falls and isinstance(self.model, BoundedModel)):
            return np.full(len(batch), -np.inf)
        hardware = self.space.hardware
        least = self.model.bound(self.space.layer, hardware, batch)
        runtime_cycles = least.runtime_cycles
        if self.power_mw < inf:
            runtime_cycles = np.maximum(runtime_cycles, least_cycles_within(hardware, least.energy_pj, self.power_mw))
        values = self.value(runtime_cycles, least.energy_pj)
        return np.where(np.isnan(values), -np.inf, values)  # what has no value there may have any

    def value(self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The objectives, float64[B], of mappings of the layer with these figures, whatever their power; see `Objective.value`."""
        return self.objective.value(runtime_cycles, energy_pj, self.space.layer.macs, self.space.hardware)
