"""What mappings cost on every machine of a grid: counted once for each width of the network and each capacity of the L2.

Between machines that differ in capacities and widths alone, the array's time depends on the network's width, the off-chip
words on the L2's capacity, and an access's energy on its own buffer's capacity; all else is the same. So tables over one axis
each give any machine's figures in a few additions, equal to the last digit to those of `ExactModel`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mapsearch.model.cost import COUNTS, Count, Wanted
from mapsearch.model.energy import EnergyBreakdown, energy_coefficients
from mapsearch.model.exact.count.mapping import evaluate, evaluate_capacities
from mapsearch.model.exact.model import check_limits
from mapsearch.model.exact.workspace import MAX_WIDTHS, make_workspace
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingArrays, MappingBatch
from mapsearch.model.records import COUNTED, Floats, Ints, machine_record
from mapsearch.model.tensors import Tensor
from mapsearch.model.windows import window_phases

_OFFCHIP = [Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE]


@dataclass(frozen=True, slots=True)
class Grid:
    """Capacities in bytes and widths in bytes per cycle, ascending: every combination is a machine."""

    l1: tuple[int, ...]
    l2: tuple[int, ...]
    noc: tuple[int, ...]
    offchip: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """How many values each has."""
        return len(self.l1), len(self.l2), len(self.noc), len(self.offchip)


@dataclass(frozen=True, slots=True)
class CostTables:
    """Of B mappings on a grid; where nothing of the grid holds a mapping, its figures mean nothing.

    l1_need, l2_need: int64[B], bytes; l2_need is the least that any residency needs
    array_cycles:     int64[B, noc]
    offchip_bits:     int64[B, l2], read and written
    first_bits:       int64[B], of the first level-0 working set of W and I
    l1_pj:            float64[B, l1], of the MACs and the L1s
    l2_pj:            float64[B, l2], of the L2
    noc_pj:           float64[B]
    offchip_pj:       float64[B, l2]
    """

    l1_need: Ints
    l2_need: Ints
    array_cycles: Ints
    offchip_bits: Ints
    first_bits: Ints
    l1_pj: Floats
    l2_pj: Floats
    noc_pj: Floats
    offchip_pj: Floats


def cost_tables(layer: Layer, hardware: Hardware, grid: Grid, batch: MappingBatch) -> CostTables:
    """The tables of a batch on machines like `hardware`, which has as many PEs as any mapping uses.

    Raises InputError where the layer or the largest machine exceed the model's limits.
    """
    largest = _sized(hardware, grid.l1[-1], grid.l2[-1])
    check_limits(layer, largest, batch.units.shape[1])
    machine, arrays = machine_record(largest), batch.arrays
    counts = np.concatenate([_counts(layer, machine, widths, arrays) for widths in _slices(grid.noc)], axis=1)
    words, own = _words(layer, machine, grid.l2, arrays)
    outputs, bits = layer.words(Tensor.OUTPUT), np.array(hardware.bits, np.int64)
    totals = np.ascontiguousarray(counts[:, 0])
    l1 = [energy_coefficients(layer, _sized(hardware, size, grid.l2[0])).energy_pj(totals) for size in grid.l1]
    l2: list[EnergyBreakdown] = []
    for k, size in enumerate(grid.l2):
        totals[:, _OFFCHIP] = words[:, k][:, [0, 1, 2, 2]] - [0, 0, outputs, 0]
        l2.append(energy_coefficients(layer, _sized(hardware, grid.l1[0], size)).energy_pj(totals))
    return CostTables(
        l1_need=totals[:, Count.L1_NEED_BYTES].copy(),
        l2_need=own[:, 0].copy(),
        array_cycles=counts[:, :, Count.ARRAY_CYCLES].copy(),
        offchip_bits=words @ (bits * [1, 1, 2]) - outputs * bits[2],
        first_bits=own[:, 1].copy(),
        l1_pj=np.stack([each.mac + each.l1 for each in l1], axis=1),
        l2_pj=np.stack([each.l2 for each in l2], axis=1),
        noc_pj=l2[0].noc,
        offchip_pj=np.stack([each.offchip for each in l2], axis=1),
    )


def _sized(hardware: Hardware, l1_bytes: int, l2_bytes: int) -> Hardware:
    return replace(hardware, l1=replace(hardware.l1, bytes=l1_bytes), l2=replace(hardware.l2, bytes=l2_bytes))


def _slices(widths: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [widths[start : start + MAX_WIDTHS] for start in range(0, len(widths), MAX_WIDTHS)]


def _counts(layer: Layer, machine: np.void, noc: tuple[int, ...], arrays: MappingArrays) -> Ints:
    """int64[B, noc, COUNTS]; of a mapping that overflows the machine only its needs."""
    fit = np.empty(len(arrays.units), np.int8)
    counts = np.zeros((len(fit), len(noc)), COUNTED)
    work = make_workspace(
        arrays.units.shape[1], layer.extents, window_phases(layer), machine, Wanted.ALL, [8 * width for width in noc]
    )
    evaluate(work, *arrays, fit, counts)
    return counts.view(np.int64).reshape(*counts.shape, COUNTS)


def _words(layer: Layer, machine: np.void, l2: tuple[int, ...], arrays: MappingArrays) -> tuple[Ints, Ints]:
    """See `evaluate_capacities`."""
    batch = len(arrays.units)
    words, own = np.empty((batch, len(l2), 3), np.int64), np.empty((batch, 2), np.int64)
    windows, width = window_phases(layer), (machine["noc_bits"],)
    work = make_workspace(arrays.units.shape[1], layer.extents, windows, machine, Wanted.WORDS, width)
    evaluate_capacities(work, *arrays, np.array(l2, np.int64), words, own)
    return words, own
