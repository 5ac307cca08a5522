"""What a search makes small, and how a batch of mappings is scored by it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import area_by_part
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

    text: as the user gave it. expression: what it stands for. wanted: what of the costs it takes. never_falls: whether it is
    proven that it never falls as runtime or energy grows, so that its value at lower bounds of them is one of its own.
    degree: see `expression.degree`.
    """

    text: str
    expression: Expression
    wanted: Wanted
    never_falls: bool
    degree: float | None

    @classmethod
    def of(cls, text: str) -> Objective:
        """The objective of a name of NAMED or an expression; InputError, one line, for any other text."""
        expression = parse(text)
        wanted = Wanted(0)
        for metric in metrics_in(expression) & _PARTS.keys():
            wanted |= _PARTS[metric]
        return cls(text, expression, wanted, growth(expression).never_falls, degree(expression))

    def value(
        self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None, macs: int, hardware: Hardware
    ) -> NDArray[np.float64]:
        """The objectives, float64[B], of B mappings with these figures; not finite where it has no value for them.

        runtime_cycles: int64[B]. energy_pj: float64[B], or None where it is not `wanted`. macs: of the layer or the network.
        A mapping has the same value in any batch, to the last digit.
        """
        metrics = {
            "runtime_cycles": runtime_cycles.astype(np.float64),
            "macs": np.asarray(float(macs)),
            "area_mm2": np.asarray(area_by_part(hardware).total),
        }
        return evaluate(self.expression, metrics if energy_pj is None else {**metrics, "energy_pj": energy_pj})


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

    values: float64[B], infinite where a mapping does not fit, is refused, has no finite objective, or is left out for its lower
    bound. runtime_cycles: int64[B] and energy_pj: float64[B], where the value is finite; None where the objective takes not both.
    costed: mappings costed; refused: those of them that the model does not vouch for.
    """

    values: NDArray[np.float64]
    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64] | None
    costed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A space to search, the model that counts what its mappings cost, and the objective."""

    space: Space
    model: CostModel
    objective: Objective

    def score(self, batch: MappingBatch, under: float = np.inf) -> Scores:
        """The objective of each mapping; what a lower bound says not to be `under` a value is not costed.

        Nothing is left out where the model has no bound, or the objective may fall as runtime or energy grows.
        """
        if not (isinstance(self.model, BoundedModel) and self.objective.never_falls and np.isfinite(under)):
            return self._score(batch)
        least = self.model.bound(self.space.layer, self.space.hardware, batch)
        hopeful = ~(self.value(least.runtime_cycles, least.energy_pj) >= under)  # what has no value there may have one
        scores = self._score(batch[hopeful])
        values, runtime_cycles = np.full(len(batch), np.inf), np.zeros(len(batch), np.int64)
        values[hopeful], runtime_cycles[hopeful] = scores.values, scores.runtime_cycles
        energy_pj = None if scores.energy_pj is None else np.zeros(len(batch))
        if energy_pj is not None and scores.energy_pj is not None:
            energy_pj[hopeful] = scores.energy_pj
        return replace(scores, values=values, runtime_cycles=runtime_cycles, energy_pj=energy_pj)

    def _score(self, batch: MappingBatch) -> Scores:
        both = self.objective.wanted == Wanted.RUNTIME | Wanted.WORDS
        values, runtime_cycles, energy_pj = np.empty(len(batch)), np.zeros(len(batch), np.int64), np.zeros(len(batch))
        refused = 0
        for first in range(0, len(batch), BLOCK):
            rows = slice(first, first + BLOCK)
            costs = self.model.evaluate(self.space.layer, self.space.hardware, batch[rows], self.objective.wanted)
            runtime_cycles[rows] = costs.runtime_cycles
            if Wanted.WORDS in self.objective.wanted:
                energy_pj[rows] = costs.energy_pj()
            found = self.value(runtime_cycles[rows], energy_pj[rows])
            values[rows] = np.where((costs.fit == Fit.LEGAL) & np.isfinite(found), found, np.inf)
            refused += int(np.count_nonzero(costs.fit == Fit.REFUSED))
        return Scores(values, runtime_cycles, energy_pj if both else None, len(batch), refused)

    def value(self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The objectives, float64[B], of mappings of the layer with these figures, or with these bounds; see `Objective.value`.

        Where `objective.never_falls`, none of the mappings that cost no less has a smaller one; NaN says nothing.
        """
        return self.objective.value(runtime_cycles, energy_pj, self.space.layer.macs, self.space.hardware)
