"""The costs of a model that counts words and cycles: integer counts, one column for each `Count`, priced by the technology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Count, Fit
from mapsearch.model.energy import energy_coefficients
from mapsearch.model.errors import MappingError
from mapsearch.model.evaluation import CountedEvaluation, evaluation, overflow_message
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.moved_bits import energy_of_moved


@dataclass(frozen=True, slots=True)
class CountedCosts:
    """The `Costs` of B mappings of a layer on a hardware.

    fit:    int8[B]           a `Fit`; where not LEGAL, only the needs are counted (of L2 the least of any residency), and
                              the rest are 0
    counts: int64[B, COUNTS]  columns as in `Count`
    moved:  int64[B, 6, 2]    bits of W and of I, see `Moved`, where masks tell them, else None
    """

    layer: Layer
    hardware: Hardware
    fit: NDArray[np.int8]
    counts: NDArray[np.int64]
    moved: NDArray[np.int64] | None = None

    def __getitem__(self, count: Count) -> NDArray[np.int64]:
        return self.counts[:, count]

    @property
    def runtime_cycles(self) -> NDArray[np.int64]:
        """See `Costs`."""
        return self[Count.RUNTIME_CYCLES]

    def energy_pj(self) -> NDArray[np.float64]:
        """See `Costs`."""
        if self.moved is None:
            return energy_coefficients(self.layer, self.hardware).energy_pj(self.counts).total
        rows = zip(self.counts, self.moved, strict=True)
        return np.concatenate([energy_of_moved(self.layer, self.hardware, counts, moved).total for counts, moved in rows])

    def report(self, row: int) -> CountedEvaluation:
        """See `Costs`; MappingError where the mapping does not fit."""
        if self.fit[row] != Fit.LEGAL:
            raise MappingError(self.why_not(row))
        return evaluation(self.layer, self.hardware, self.counts[row], None if self.moved is None else self.moved[row])

    def why_not(self, row: int) -> str:
        """See `Costs`."""
        return overflow_message(self.layer, self.hardware, Fit(int(self.fit[row])), self.counts[row])
