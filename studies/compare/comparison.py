"""One number of a layer as another tool's program counts it, beside ours; the same row for every tool."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number of one layer.

    expected: what a known convention of the tool makes of our number, None where there is none; because: that convention in words.
    tolerance: the relative difference that the tool's printed digits leave open.
    """

    layer: str
    figure: str
    ours: float
    theirs: float
    expected: float | None = None
    because: str = ""
    tolerance: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether theirs is ours; no number equals no number."""
        return self._theirs_is(self.ours)

    @property
    def explained(self) -> bool:
        """Whether theirs is not ours, but what the tool's convention makes of it."""
        return not self.equal and self.expected is not None and self._theirs_is(self.expected)

    def _theirs_is(self, number: float) -> bool:
        if math.isnan(self.theirs) or math.isnan(number):
            return math.isnan(self.theirs) and math.isnan(number)
        return math.isclose(self.theirs, number, rel_tol=self.tolerance)
