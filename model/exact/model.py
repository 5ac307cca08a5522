"""The exact model behind the interface of a cost model: shapes, and limits live here."""

from __future__ import annotations

import numpy as np

from mapsearch.model.cost import COUNTS, Costs
from mapsearch.model.errors import InputError
from mapsearch.model.exact.kernel import Case, evaluate
from mapsearch.model.exact.machine import machine_parameters, window_phases
from mapsearch.model.exact.runtime import kind_columns
from mapsearch.model.exact.states import MAX_LEVELS, capacity
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch


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
        columns = kind_columns(hardware.noc.multicast, hardware.noc.reduction)
        case = Case(np.array(layer.extents, np.int64), machine_parameters(hardware), window_phases(layer), columns)
        evaluate(case, batch.units, batch.spatial, batch.order, batch.size, capacity(levels), fit, counts)
        return Costs(fit, counts)
