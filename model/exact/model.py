"""The exact model as a cost model: it checks the limits and hands arrays to the kernels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Bound, Restriction, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.errors import InputError
from mapsearch.model.exact.bound.all import Found, bound_all
from mapsearch.model.exact.bound.imbalance import share_tables
from mapsearch.model.exact.bound.per_word import per_word
from mapsearch.model.exact.bound.state import make_bound_workspace
from mapsearch.model.exact.count.mapping import evaluate
from mapsearch.model.exact.workspace import MAX_LEVELS, make_workspace
from mapsearch.model.hardware import Buffering, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.limit import NO_LIMIT, CostLimit
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.records import COUNTED, Floats, machine_record, per_cycle
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.model.windows import window_phases
from mapsearch.model.word_bits import units_of_a_bit

# The most phases of one axis (see `windows`); time grows with them. A stride of 2 has 2; strides and dilations up to 64 fit.
MAX_PHASES = 2**12


class ExactModel:
    """The default cost model: its counts equal those of a walk over all steps with plain sets (`Simulator`)."""

    name = "exact"
    format = "directives"
    restriction = Restriction()

    def as_counted(self, layer: Layer) -> Layer:
        """Every layer, as it is."""
        return layer

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> CountedCosts:
        """The costs of each mapping; InputError where the levels, the cycles or the phases exceed the model's limits."""
        levels = batch.units.shape[1]
        check_limits(layer, hardware, levels)
        fit = np.empty(len(batch), np.int8)
        counts = np.zeros((len(batch), 1), COUNTED)
        work = make_workspace(levels, layer.extents, window_phases(layer), machine_record(layer, hardware), wanted)
        evaluate(work, *batch.arrays, fit, counts)
        return CountedCosts(layer, hardware, fit, counts.view(np.int64))

    def bound(self, layer: Layer, hardware: Hardware, batch: MappingBatch, limit: CostLimit = NO_LIMIT) -> Bound:
        """See `BoundedModel`; InputError as in `evaluate`."""
        found = Found(np.empty(len(batch), np.intp), np.empty(len(batch)), np.empty(len(batch)))
        workspace, tables = _prepared(layer, hardware, batch.units.shape[1])
        count = bound_all(workspace.copy(), tables, batch.arrays, limit.arrays, found)
        return Bound(found.rows[:count], found.runtime_cycles[:count].astype(np.int64), found.energy_pj[:count])


@lru_cache(maxsize=256)
def _prepared(layer: Layer, hardware: Hardware, levels: int) -> tuple[NDArray[np.uint8], Floats]:
    """The workspace and the tables of `bound_all`, kept because a small batch would take longer to prepare than to bound."""
    check_limits(layer, hardware, levels)
    whole = tuple(layer.words(tensor) for tensor in Tensor)
    machine, windows, prices = machine_record(layer, hardware), window_phases(layer), per_word(layer, hardware)
    workspace = make_bound_workspace(levels, hardware.pes, layer.extents, windows, machine, whole, prices)
    return workspace, share_tables(machine, whole, hardware.pes)


def check_limits(layer: Layer, hardware: Hardware, levels: int) -> None:
    """Raise InputError where the model cannot count mappings of so many levels."""
    if levels > MAX_LEVELS:
        raise InputError(f"layer {layer.name}: a mapping has at most {MAX_LEVELS} levels, got {levels}")
    units, least = _units_of_a_bit(layer, hardware), 1 if hardware.run is None else hardware.run.least
    # A step's words are multiplied as float64; there are at most as many bits as all L1s hold, and about 200 for each MAC.
    if min(hardware.pes * sum(hardware.l1.sizes) * 8, layer.macs * 200) * units >= 2**53:
        fraction = "" if units == 1 else f" / {units} (fractions of a bit)"
        raise InputError(
            f"layer {layer.name}: the L1s of all PEs must hold less than 2^50 bytes{fraction}, got {hardware.pes} x "
            f"{sum(hardware.l1.sizes)}; use a smaller L1"
        )
    if layer.macs * least >= 2**53:
        raise InputError(
            f"layer {layer.name}: MACs x array.run.least must be below 2^53, got {layer.macs} x {least}; use a smaller least"
        )
    # A step takes at most its latencies (a third one where some tensors wait and some do not), its least time, that of the control
    # and, for each MAC, that of 64 bits of three operands.
    latencies = 3 if 0 < sum(hardware.l1.room(tensor).buffering is Buffering.SINGLE for tensor in Tensor) < len(Tensor) else 2
    per_mac = 200 * units + least - 1 + hardware.l2.tile_cycles
    if layer.macs * (latencies * hardware.noc.latency_cycles + per_mac) >= 2**62:
        raise InputError(
            f"layer {layer.name}: MACs x ({latencies} x NoC latency + {per_mac}) must be below 2^62 cycles, "
            f"got {layer.macs} x ({latencies} x {hardware.noc.latency_cycles} + {per_mac}); use a smaller latency or layer"
        )
    for axis, (output, tap) in enumerate(((Dim.Y, Dim.R), (Dim.X, Dim.S))):
        a, b = (int(phases) for phases in window_phases(layer)[axis])
        if layer.extents[output] > a and layer.extents[tap] > b and a * b > MAX_PHASES:
            raise InputError(
                f"layer {layer.name}: dilation x stride of {output.name}, without their common factors, must be at most "
                f"{MAX_PHASES}, got {a} x {b}; the model 'simulate' counts small layers without this limit"
            )


def _units_of_a_bit(layer: Layer, hardware: Hardware) -> int:
    """The most units that a bit has on any link (see `records.Machine`): no link takes more cycles for it."""
    widths = (*(hardware.noc.wires or (hardware.noc.bytes_per_cycle,)), hardware.offchip.bytes_per_cycle)
    least = units_of_a_bit(layer, hardware)
    return max(per_cycle(width, least)[1] for width in widths)
