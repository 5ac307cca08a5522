"""The costs of a model that counts words and cycles: integer counts, one column for each `Count`, priced by the technology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Count, Fit
from mapsearch.model.energy import energy_coefficients
from mapsearch.model.errors import MappingError
from mapsearch.model.evaluation import CountedEvaluation, evaluation
from mapsearch.model.hardware import Buffering, Hardware, Part, Residency
from mapsearch.model.layer import Layer
from mapsearch.model.moved_bits import energy_of_moved
from mapsearch.model.tensors import Tensor

_L1_NEEDS = [Count.L1_NEED_W, Count.L1_NEED_I, Count.L1_NEED_O]
_L2_NEEDS = [Count.L2_NEED_W, Count.L2_NEED_I, Count.L2_NEED_O]


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
        return _overflow(self.layer, self.hardware, Fit(int(self.fit[row])), self.counts[row])


def _overflow(layer: Layer, hardware: Hardware, fit: Fit, counts: NDArray[np.int64]) -> str:
    """One line on why a mapping with these counts, int64[COUNTS], does not fit."""
    if fit is Fit.L1_OVERFLOW:
        level, name, needs, buffer = "innermost level", "L1", counts[_L1_NEEDS], hardware.l1
    else:
        level, name, needs, buffer = "level 0", "L2", counts[_L2_NEEDS], hardware.l2
    need = sum(int(needs[tensor]) for tensor in Tensor if buffer.parts[tensor] is None)
    room, part = Part(buffer.bytes, buffer.buffering), ""
    for tensor, own in zip(Tensor, buffer.parts, strict=True):
        if own is not None and needs[tensor] > own.bytes:
            need, room, part = int(needs[tensor]), own, f"{tensor.label} part of "
    moving = " of what moves" if fit is Fit.L2_OVERFLOW and buffer.residency is Residency.BEST else ""
    doubled = f" (2 x for double buffering{moving})" if room.buffering is Buffering.DOUBLE else ""
    return (
        f"layer {layer.name}, {level}: {'the ' if part else ''}{part}{name} needs {need} bytes{doubled}, "
        f"the hardware {hardware.name} has {room.bytes}; use smaller chunks there or a larger {part}{name}"
    )
