"""The exact model behind the interface of a cost model: shapes, limits and the machine's parameters live here."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import COUNTS, Costs
from mapsearch.model.errors import InputError
from mapsearch.model.exact.kernel import evaluate
from mapsearch.model.exact.runtime import MACHINE
from mapsearch.model.exact.states import MAX_LEVELS, capacity
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch


def machine_parameters(hardware: Hardware) -> NDArray[np.int64]:
    """int64[MACHINE], the columns of `runtime`: widths in bits per cycle, flags as 0 and 1, double buffers as 2."""
    parameters = np.array(
        [
            hardware.simd,
            *hardware.bits,
            hardware.noc.bytes_per_cycle * 8,
            hardware.noc.latency_cycles,
            hardware.noc.multicast,
            hardware.noc.reduction,
            hardware.l1.bytes,
            1 + hardware.l1.double_buffered,
            hardware.l2.bytes,
            1 + hardware.l2.double_buffered,
            hardware.offchip.bytes_per_cycle * 8,
            hardware.offchip.latency_cycles,
        ],
        np.int64,
    )
    assert parameters.shape == (MACHINE,)
    return parameters


def window_phases(layer: Layer) -> NDArray[np.int64]:
    """int64[2, 2]: (a, b) = (dilation, stride) / gcd of rows and of columns."""
    pairs = zip(layer.stride, layer.dilation, strict=True)
    return np.array([(dilation // gcd(stride, dilation), stride // gcd(stride, dilation)) for stride, dilation in pairs], np.int64)


class ExactModel:
    """The cost model to trust: every count equals a walk over the steps with plain sets (`Simulator`)."""

    name = "exact"

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch) -> Costs:
        """The costs of each mapping; InputError where the levels or the cycles exceed what the counts can hold."""
        levels = batch.units.shape[1]
        if levels > MAX_LEVELS:
            raise InputError(f"layer {layer.name}: a mapping has at most {MAX_LEVELS} levels, got {levels}")
        # A step takes at most its latencies and 64 bits of three operands per MAC.
        if layer.macs * (2 * hardware.noc.latency_cycles + 200) >= 2**62:
            raise InputError(
                f"layer {layer.name}: MACs x NoC latency must stay below 2^55 cycles, "
                f"got {layer.macs} x {hardware.noc.latency_cycles}"
            )
        fit = np.empty(len(batch), np.int8)
        counts = np.empty((len(batch), COUNTS), np.int64)
        evaluate(
            np.array(layer.extents, np.int64), batch.units, batch.spatial, batch.order, batch.size,
            machine_parameters(hardware), window_phases(layer), capacity(levels), fit, counts,
        )  # fmt: skip
        return Costs(fit, counts)
