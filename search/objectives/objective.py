"""An objective: the value that a search minimises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import area_by_part
from mapsearch.model.cost import Wanted
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.search.objectives.expression import Expression, degree, evaluate, metrics_in, parse
from mapsearch.search.objectives.monotonicity import monotonicity

_PARTS = {"runtime_cycles": Wanted.RUNTIME, "energy_pj": Wanted.WORDS}


@dataclass(frozen=True, slots=True)
class Objective:
    """A value to minimise; made by `of`.

    text: as the user gave it. expression: its meaning. metrics: those in it. wanted: the costs that it needs.
    never_falls: whether it provably never falls as runtime or energy grows, so that its value at their lower bounds is its own
    lower bound. degree: see `expression.degree`. clock_mhz: the clock in whose cycles runtimes count, where machines of several
    clocks are compared; None: the machine's own clock.
    """

    text: str
    expression: Expression
    metrics: frozenset[str]
    wanted: Wanted
    never_falls: bool
    degree: float | None
    clock_mhz: float | None = None

    @classmethod
    def of(cls, text: str) -> Objective:
        """The objective of a name of NAMED or an expression; InputError, one line, for any other text."""
        expression = parse(text)
        metrics, wanted = metrics_in(expression), Wanted(0)
        for metric in metrics & _PARTS.keys():
            wanted |= _PARTS[metric]
        return cls(text, expression, metrics, wanted, monotonicity(expression).never_falls, degree(expression))

    def value(
        self, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64] | None, macs: int, hardware: Hardware
    ) -> NDArray[np.float64]:
        """The objectives, float64[B], of B mappings with these figures; not finite where the expression is not defined.

        runtime_cycles: int64[B]. energy_pj: float64[B], or None where it is not `wanted`. macs: of the layer or the network.
        A mapping has the same value in any batch, to the last digit.
        """
        ratio = 1.0 if self.clock_mhz is None else self.clock_mhz / hardware.clock_mhz
        metrics = {"runtime_cycles": ratio * runtime_cycles.astype(np.float64), "macs": np.asarray(float(macs))}
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
        raise InputError(f"objective: several must differ from each other, got {text!r}")
    return objectives


def _between_commas(text: str) -> list[str]:
    """The parts of a text between commas that are outside parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts] if len(parts) > 1 else parts
