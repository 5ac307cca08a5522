"""What mappings cost on every machine of a grid: counted once for each width of the network and each capacity of the L2.

Between machines that differ in capacities and widths alone, the array's time depends on the network's width, the off-chip
words on the L2's capacity, and an access's energy on its own buffer's capacity; all else is the same. So tables over one axis
each give any machine's figures in a few additions, equal to the last digit to those of `ExactModel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mapsearch.model.cost import COUNTS, Count, Wanted
from mapsearch.model.energy import EnergyBreakdown, energy_coefficients
from mapsearch.model.errors import InputError
from mapsearch.model.exact.count.mapping import evaluate, evaluate_capacities
from mapsearch.model.exact.model import check_limits
from mapsearch.model.exact.workspace import MAX_WIDTHS, make_workspace
from mapsearch.model.hardware import Buffer, Hardware, Width
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingArrays, MappingBatch
from mapsearch.model.records import COUNTED, Floats, Ints, machine_record, per_cycle, together_per_cycle
from mapsearch.model.tensors import Tensor
from mapsearch.model.windows import window_phases
from mapsearch.model.word_bits import units_of_a_bit

_L1_NEEDS = [Count.L1_NEED_W, Count.L1_NEED_I, Count.L1_NEED_O]
_OFFCHIP = [Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE]


# More bytes than any buffer has.
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Grid:
    """Capacities in bytes and widths in bytes per cycle, ascending: every combination is a machine.

    l1, l2: of the pools; parts that belong to one tensor alone stay as they are. noc: of wires that all tensors share; where each
    tensor has its own, the one width that these have together.
    """

    l1: tuple[int, ...]
    l2: tuple[int, ...]
    noc: tuple[Width, ...]
    offchip: tuple[Width, ...]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """How many values each has."""
        return len(self.l1), len(self.l2), len(self.noc), len(self.offchip)


@dataclass(frozen=True, slots=True)
class CostTables:
    """Of B mappings on a grid; where nothing of the grid holds a mapping, its figures mean nothing.

    l1_need, l2_need: int64[B], bytes of the pool, l2_need the least that any residency needs; 2^62 where a tensor's own part is
                      too small
    array_cycles:     int64[B, noc]
    issue_cycles:     int64[B], in which the control issues the steps of level 0
    offchip_units:    int64[B, l2], read and written while others are worked on; units as in `together_per_cycle` of the widths
    waiting_units:    int64[B, l2], read and written while nothing else goes on
    first_units:      int64[B], of the first level-0 working set of W and I that comes while others are worked on
    l1_pj:            float64[B, l1], of the MACs and the L1s
    l2_pj:            float64[B, l2], of the L2
    noc_pj:           float64[B]
    offchip_pj:       float64[B, l2]
    """

    l1_need: Ints
    l2_need: Ints
    array_cycles: Ints
    issue_cycles: Ints
    offchip_units: Ints
    waiting_units: Ints
    first_units: Ints
    l1_pj: Floats
    l2_pj: Floats
    noc_pj: Floats
    offchip_pj: Floats


def limiting(hardware: Hardware, grid: Grid) -> Hardware:
    """The machine of a grid that is nearest to the model's limits: of the largest buffers and the finest widths."""
    noc, offchip = (max(widths, key=lambda width: per_cycle(width, 1)[1]) for widths in (grid.noc, grid.offchip))
    return replace(
        _sized(hardware, grid.l1[-1], grid.l2[-1]),
        noc=replace(hardware.noc, bytes_per_cycle=noc),
        offchip=replace(hardware.offchip, bytes_per_cycle=offchip),
    )


def cost_tables(layer: Layer, hardware: Hardware, grid: Grid, batch: MappingBatch) -> CostTables:
    """The tables of a batch on machines like `hardware`, which has as many PEs as any mapping uses.

    Raises InputError where the layer or some machine exceeds the model's limits, and for several widths of a network in which each
    tensor has wires of its own.
    """
    limits = limiting(hardware, grid)
    if hardware.noc.wires is not None and len(grid.noc) > 1:
        raise InputError(
            f"hardware {hardware.name}: noc.bytes_per_cycle must have one value where each tensor has wires of its own, "
            f"got {len(grid.noc)}"
        )
    check_limits(layer, limits, batch.units.shape[1])
    # On the finest of widths a bit has as many units as on all together: a power of 5 times those of a bit of the layer's words.
    machine, arrays = machine_record(layer, limits), batch.arrays
    slices = _slices(grid.noc, units_of_a_bit(layer, limits)) if hardware.noc.wires is None else [()]
    counts = np.concatenate([_counts(layer, machine, widths, arrays) for widths in slices], axis=1)
    words, least, first_units = _words(layer, machine, grid.l2, hardware.l2, arrays)
    totals = np.ascontiguousarray(counts[:, 0])
    crossing = _crossing(layer, hardware.l2, totals, words)
    units = _units(layer, machine, crossing)
    waits = machine["l2"]["apart"]
    l1 = [energy_coefficients(layer, _sized(hardware, size, grid.l2[0])).energy_pj(totals) for size in grid.l1]
    l2: list[EnergyBreakdown] = []
    for k, size in enumerate(grid.l2):
        totals[:, _OFFCHIP] = crossing[:, k]
        l2.append(energy_coefficients(layer, _sized(hardware, grid.l1[0], size)).energy_pj(totals))
    return CostTables(
        l1_need=_pool_need(hardware.l1, totals[:, _L1_NEEDS]),
        l2_need=_pool_need(hardware.l2, least),
        array_cycles=counts[:, :, Count.ARRAY_CYCLES].copy(),
        issue_cycles=totals[:, Count.ISSUE_CYCLES].copy(),
        offchip_units=units @ (1 - waits),
        waiting_units=units @ waits,
        first_units=first_units,
        l1_pj=np.stack([each.mac + each.l1 for each in l1], axis=1),
        l2_pj=np.stack([each.l2 for each in l2], axis=1),
        noc_pj=l2[0].noc,
        offchip_pj=np.stack([each.offchip for each in l2], axis=1),
    )


def _sized(hardware: Hardware, l1_bytes: int, l2_bytes: int) -> Hardware:
    return replace(hardware, l1=replace(hardware.l1, bytes=l1_bytes), l2=replace(hardware.l2, bytes=l2_bytes))


def _slices(widths: tuple[Width, ...], of_a_bit: int) -> list[Sequence[int]]:
    """Units per cycle of the widths, as many together as the model times."""
    units, _ = together_per_cycle(widths, of_a_bit)
    return [units[start : start + MAX_WIDTHS] for start in range(0, len(units), MAX_WIDTHS)]


def _counts(layer: Layer, machine: np.void, noc: Sequence[int], arrays: MappingArrays) -> Ints:
    """int64[B, widths, COUNTS], of the machine's own wires where noc is empty; of a mapping that overflows it only the needs.

    noc: units per cycle.
    """
    fit = np.empty(len(arrays.units), np.int8)
    counts = np.zeros((len(fit), max(len(noc), 1)), COUNTED)
    work = make_workspace(arrays.units.shape[1], layer.extents, window_phases(layer), machine, Wanted.ALL, noc)
    evaluate(work, *arrays, fit, counts)
    return counts.view(np.int64).reshape(*counts.shape, COUNTS)


def _words(layer: Layer, machine: np.void, sizes: tuple[int, ...], l2: Buffer, arrays: MappingArrays) -> tuple[Ints, Ints, Ints]:
    """Words that come into the L2, the least needs, and the first units: see `evaluate_capacities`."""
    batch = len(arrays.units)
    words, own = np.empty((batch, len(sizes), 3), np.int64), np.empty((batch, 4), np.int64)
    work = make_workspace(arrays.units.shape[1], layer.extents, window_phases(layer), machine, Wanted.WORDS)
    evaluate_capacities(work, *arrays, _pooled(l2), np.array(sizes, np.int64), words, own)
    return words, own[:, :3], own[:, 3].copy()


def _crossing(layer: Layer, l2: Buffer, totals: Ints, words: Ints) -> Ints:
    """int64[B, l2, 4]: words of W and I read, of O read and written; what passes the L2 by is as many as cross the network."""
    outputs = layer.words(Tensor.OUTPUT)
    crossing = np.stack([words[:, :, 0], words[:, :, 1], words[:, :, 2] - outputs, words[:, :, 2]], axis=2)
    added = totals[:, Count.PSUM_READ] + totals[:, Count.L2_ADD_READ]
    through = (totals[:, Count.L2_TO_L1_W], totals[:, Count.L2_TO_L1_I], added, totals[:, Count.OUTPUT_WRITE])
    for column, tensor in enumerate((Tensor.WEIGHT, Tensor.INPUT, Tensor.OUTPUT, Tensor.OUTPUT)):
        if l2.bypass[tensor]:
            crossing[:, :, column] = through[column][:, None]
    return crossing


def _units(layer: Layer, machine: np.void, crossing: Ints) -> Ints:
    """int64[B, l2, 3]: off-chip units of the words of W, I and O that `_crossing` gives."""
    outputs, of_words, of_sum = layer.words(Tensor.OUTPUT), machine["offchip_word_units"], machine["offchip_sum_units"]
    units: Ints = crossing[:, :, :3] * of_words
    units[:, :, 2] = outputs * of_words[2] + (crossing[:, :, 2] + crossing[:, :, 3] - outputs) * of_sum
    return units


def _pooled(buffer: Buffer) -> Ints:
    """Of W, I and O: 1 where it shares the pool, else 0."""
    return np.array([part is None for part in buffer.parts], np.int64)


def _pool_need(buffer: Buffer, needs: Ints) -> Ints:
    """What needs of W, I and O, int64[B, 3], take of the pool; _NEVER where they overflow a tensor's own part."""
    own = np.array([_NEVER if part is None else part.bytes for part in buffer.parts], np.int64)
    need: Ints = np.where((needs > own).any(axis=1), _NEVER, needs @ _pooled(buffer))
    return need
