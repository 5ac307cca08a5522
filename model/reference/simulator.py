"""The reference cost model: it walks every time step of a mapping with plain sets and counts what happens.

Slow and literal on purpose. It shares no formula with the compiled model, which is tested against it; a user selects it to
see the counts of a small layer confirmed. Section numbers are those of the cost model's page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import COUNTS, Count, Fit, Restriction, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Buffering, Hardware, Noc
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, MapKind, Mapping, MappingBatch
from mapsearch.model.tensors import Dim, Tensor

# Visits of a PE in a step, plus MACs: the sets that are built grow with both. About half a minute at the limit.
WALK_LIMIT = 2_000_000

Chunks = tuple[range, ...]
"""A chunk of each dim, in the order of `Dim`."""

Elements = frozenset[tuple[int, ...]]
"""Tensor elements, by their coordinates."""

Indices = tuple[tuple[int, ...], ...]
"""The index of each loop in a step: one tuple a level, one index a directive."""


class Simulator:
    """The cost model that counts by walking the steps (section 10); for small layers only."""

    name = "simulate"
    format = "directives"
    restriction = Restriction()

    def as_counted(self, layer: Layer) -> Layer:
        """Every layer, as it is."""
        return layer

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> CountedCosts:  # noqa: ARG002 it counts all, always
        """The costs of each mapping, or an InputError where the walk of one would be too long.

        Raises AssertionError where a mapping does not do every MAC exactly once, which `Mapping.check` rules out.
        """
        fit = np.zeros(len(batch), np.int8)
        counts = np.zeros((len(batch), COUNTS), np.int64)
        for row in range(len(batch)):
            units = tuple(int(n) for n in batch.units[row])
            fit[row], found = _simulate(layer, hardware, batch.decode(row, layer), units)
            for count, value in found.items():
                counts[row, count] = value
        return CountedCosts(layer, hardware, fit, counts)


def _simulate(layer: Layer, hardware: Hardware, mapping: Mapping, units: tuple[int, ...]) -> tuple[Fit, dict[Count, int]]:
    _check_length(layer, mapping, units)
    steps, l1_words = _walk(layer, mapping, units)
    copies = hardware.l1.buffering.copies
    l1_need = sum(_ceil(words * bits, 8) * copies for words, bits in zip(l1_words, hardware.bits, strict=True))
    choices = _residencies(layer, hardware, mapping.levels[0], units[0])
    least_need = min(choice.need_bytes for choice in choices)
    fitting = [choice for choice in choices if choice.need_bytes <= hardware.l2.bytes]
    if l1_need > hardware.l1.bytes or not fitting:
        fit = Fit.L1_OVERFLOW if l1_need > hardware.l1.bytes else Fit.L2_OVERFLOW
        return fit, {Count.L1_NEED_BYTES: l1_need, Count.L2_NEED_BYTES: least_need}
    residency = min(fitting, key=lambda choice: (choice.offchip_bits, choice.need_bytes, choice.depths))
    counts = {Count.STEPS: len(steps), Count.L1_NEED_BYTES: l1_need}
    counts |= _word_counts(layer, hardware, steps)
    counts |= _array_counts(hardware, steps)
    counts |= _offchip_counts(layer, residency)
    fill_bits = _first_working_set_bits(layer, hardware, mapping.levels[0], units[0])
    offchip_width_bits = int(8 * hardware.offchip.bytes_per_cycle)
    fill = hardware.offchip.latency_cycles + _ceil(fill_bits, offchip_width_bits)
    counts[Count.FILL_CYCLES] = fill
    counts[Count.OFFCHIP_CYCLES] = _ceil(residency.offchip_bits, offchip_width_bits)
    counts[Count.RUNTIME_CYCLES] = fill + max(counts[Count.ARRAY_CYCLES], counts[Count.OFFCHIP_CYCLES])
    return Fit.LEGAL, counts


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


# --- Sections 1 and 2: which elements, which chunks, which steps


@lru_cache(maxsize=1024)
def _window(outputs: range, taps: range, stride: int, dilation: int) -> frozenset[int]:
    return frozenset(stride * output + dilation * tap for output in outputs for tap in taps)


@lru_cache(maxsize=1024)
def _product(*axes: range | frozenset[int]) -> Elements:
    return frozenset(product(*axes))


def _elements(layer: Layer, tensor: Tensor, chunks: Chunks) -> Elements:
    """The elements of a tensor that the chunks name; none where a chunk of the tensor's own dims is empty."""
    g, n, k, c, r, s, y, x = chunks
    match tensor:
        case Tensor.WEIGHT:
            return _product(g, k, c, r, s)
        case Tensor.INPUT:
            rows = _window(y, r, layer.stride[0], layer.dilation[0])
            columns = _window(x, s, layer.stride[1], layer.dilation[1])
            return _product(n, g, c, rows, columns)
        case Tensor.OUTPUT:
            return _product(n, g, k, y, x)


def _whole(layer: Layer) -> Chunks:
    return tuple(range(extent) for extent in layer.extents)


def _trips(directive: Directive, tile: range, units: int) -> int:
    """Steps that a loop takes over a tile."""
    chunks = _ceil(len(tile), directive.size)
    return _ceil(chunks, units) if directive.kind is MapKind.SPATIAL else chunks


def _hand_out(level: tuple[Directive, ...], tile: Chunks, index: tuple[int, ...], units: int, unit: int) -> Chunks:
    """What one unit of a level gets of the tile of the level above, its loops standing at `index`."""
    chunks = list(tile)
    for directive, i in zip(level, index, strict=True):
        chunk = i * units + unit if directive.kind is MapKind.SPATIAL else i
        # A range slices to where it ends: an edge chunk is short, and one past the end is empty.
        chunks[directive.dim] = tile[directive.dim][chunk * directive.size : (chunk + 1) * directive.size]
    return tuple(chunks)


def _steps(levels: tuple[tuple[Directive, ...], ...], units: tuple[int, ...], tile: Chunks) -> Iterator[Indices]:
    """Every step of the nest in order; `tile` is what unit 0 of the level above was handed, which sets the trip counts."""
    if not levels:
        yield ()
        return
    level = levels[0]
    for index in product(*(range(_trips(directive, tile[directive.dim], units[0])) for directive in level)):
        for inner in _steps(levels[1:], units[1:], _hand_out(level, tile, index, units[0], 0)):
            yield (index, *inner)


def _pe_chunks(layer: Layer, mapping: Mapping, units: tuple[int, ...], indices: Indices, pe: tuple[int, ...]) -> Chunks:
    """The chunks of one PE, given by its unit at each level, in one step."""
    chunks = _whole(layer)
    for level, index, count, unit in zip(mapping.levels, indices, units, pe, strict=True):
        chunks = _hand_out(level, chunks, index, count, unit)
    return chunks


def _check_length(layer: Layer, mapping: Mapping, units: tuple[int, ...]) -> None:
    """Refuse a walk above WALK_LIMIT; steps are counted as though no chunk were an edge chunk, so at least as many."""
    tile = list(_whole(layer))
    visits = prod(units)
    for level, count in zip(mapping.levels, units, strict=True):
        for directive in level:
            visits *= _trips(directive, tile[directive.dim], count)
            tile[directive.dim] = tile[directive.dim][: directive.size]
    if visits + layer.macs > WALK_LIMIT:
        raise InputError(
            f"layer {layer.name}: the simulator walks at most {WALK_LIMIT} steps x PEs + MACs, got {visits} + {layer.macs}; "
            "use the model 'exact' instead"
        )


# --- Sections 4 and 5: the walk


@dataclass(frozen=True, slots=True)
class _Step:
    """What one step does.

    macs: MACs of PE 0's tile.
    entrances: distinct words, per tensor, that some active PE needs and did not hold in the step before.
    fills: words, per tensor, that the active PEs receive, counted at each PE.
    first: whether every reduction loop stands at index 0, so that the outputs start at zero.
    """

    macs: int
    entrances: tuple[int, ...]
    fills: tuple[int, ...]
    first: bool


def _walk(layer: Layer, mapping: Mapping, units: tuple[int, ...]) -> tuple[list[_Step], list[int]]:
    """All steps, and the most words of each tensor that a PE ever holds."""
    pes = list(product(*(range(count) for count in units)))
    held: dict[tuple[int, ...], list[Elements]] = {pe: [frozenset()] * len(Tensor) for pe in pes}
    most = [0] * len(Tensor)
    times_done = np.zeros(layer.extents, np.int64)
    steps: list[_Step] = []
    for indices in _steps(mapping.levels, units, _whole(layer)):
        entrances: list[set[tuple[int, ...]]] = [set() for _ in Tensor]
        fills = [0] * len(Tensor)
        for pe in pes:
            chunks = _pe_chunks(layer, mapping, units, indices, pe)
            active = all(chunks)
            for tensor in Tensor:
                holds = _elements(layer, tensor, chunks)
                if active:
                    received = holds - held[pe][tensor]
                    entrances[tensor] |= received
                    fills[tensor] += len(received)
                held[pe][tensor] = holds
                most[tensor] = max(most[tensor], len(holds))
            times_done[tuple(slice(chunk.start, chunk.stop) for chunk in chunks)] += 1
        macs = prod(len(chunk) for chunk in _pe_chunks(layer, mapping, units, indices, pes[0]))
        steps.append(_Step(macs, tuple(map(len, entrances)), tuple(fills), _reduction_stands_at_0(mapping, indices)))
    _assert_each_once(layer, times_done)
    return steps, most


def _assert_each_once(layer: Layer, times_done: NDArray[np.int64]) -> None:
    if not (times_done == 1).all():
        raise AssertionError(
            f"layer {layer.name}: each MAC must be done exactly once, got {times_done.min()} to {times_done.max()} times"
        )


def _reduction_stands_at_0(mapping: Mapping, indices: Indices) -> bool:
    return all(
        i == 0
        for level, index in zip(mapping.levels, indices, strict=True)
        for directive, i in zip(level, index, strict=True)
        if directive.dim in (Dim.C, Dim.R, Dim.S)
    )


def _words_in(step: _Step, noc: Noc) -> tuple[int, int, int]:
    """Words of W and I and partial sums that cross the network L2 -> L1 in a step."""
    source = step.entrances if noc.multicast else step.fills
    sums = step.entrances[Tensor.OUTPUT] if noc.reduction and not step.first else 0
    return source[Tensor.WEIGHT], source[Tensor.INPUT], sums


def _words_out(step: _Step, noc: Noc) -> int:
    """Outputs that cross the network L1 -> L2 in a step."""
    return (step.entrances if noc.reduction else step.fills)[Tensor.OUTPUT]


def _word_counts(layer: Layer, hardware: Hardware, steps: list[_Step]) -> dict[Count, int]:
    noc = hardware.noc
    weights, inputs, sums = (sum(column) for column in zip(*(_words_in(step, noc) for step in steps), strict=True))
    fills = [sum(step.fills[tensor] for step in steps) for tensor in Tensor]
    outputs = len(_elements(layer, Tensor.OUTPUT, _whole(layer)))
    return {
        Count.L2_TO_L1_W: weights,
        Count.L2_TO_L1_I: inputs,
        Count.L2_TO_L1_O: sum(step.entrances[Tensor.OUTPUT] for step in steps),
        Count.L1_FILL_W: fills[Tensor.WEIGHT],
        Count.L1_FILL_I: fills[Tensor.INPUT],
        Count.L1_FILL_O: fills[Tensor.OUTPUT],
        Count.PSUM_READ: sums,
        Count.OUTPUT_WRITE: sum(_words_out(step, noc) for step in steps),
        Count.L2_ADD_READ: 0 if noc.reduction else fills[Tensor.OUTPUT] - outputs,
    }


# --- Section 7: the cycles of the array


def _network_cycles(bits: int, noc: Noc) -> int:
    return noc.latency_cycles + _ceil(bits, int(8 * noc.bytes_per_cycle)) - 1 if bits else 0


def _array_counts(hardware: Hardware, steps: list[_Step]) -> dict[Count, int]:
    """Cycles of the array, which part each is spent on, and the step that loads the network most."""
    bound = [0, 0, 0]
    loads: list[tuple[int, int]] = []
    for number, step in enumerate(steps):
        words_in, words_out = _words_in(step, hardware.noc), _words_out(step, hardware.noc)
        bits_in = sum(words * bits for words, bits in zip(words_in, hardware.bits, strict=True))
        parts = (
            _ceil(step.macs, hardware.simd),
            _network_cycles(bits_in, hardware.noc),
            _network_cycles(words_out * hardware.bits[Tensor.OUTPUT], hardware.noc),
        )
        if number == 0 or hardware.l1.buffering is Buffering.SINGLE:
            cost = sum(parts)
            bound = [spent + part for spent, part in zip(bound, parts, strict=True)]
        else:
            cost = max(parts)
            bound[parts.index(cost)] += cost
        loads.append((sum(words_in) + words_out, cost))
    peak_words, peak_cycles = max(loads, key=lambda load: (Fraction(*load), -load[0]))
    return {
        Count.ARRAY_CYCLES: sum(cost for _, cost in loads),
        Count.COMPUTE_BOUND_CYCLES: bound[0],
        Count.INGRESS_BOUND_CYCLES: bound[1],
        Count.EGRESS_BOUND_CYCLES: bound[2],
        Count.PEAK_NOC_WORDS: peak_words,
        Count.PEAK_NOC_CYCLES: peak_cycles,
    }


# --- Section 6: what the L2 keeps


@dataclass(frozen=True, slots=True)
class _Residency:
    """One choice of a depth for each tensor; `entrances` are the words that enter the L2, per tensor."""

    depths: tuple[int, ...]
    entrances: tuple[int, ...]
    need_bytes: int
    offchip_bits: int


def _footprints(layer: Layer, tensor: Tensor, level: tuple[Directive, ...], units: int, depth: int) -> Iterator[Elements]:
    """The footprint of a tensor at each step of the `depth` outer loops of level 0: all units and inner loops together."""
    whole = _whole(layer)
    loops = level[:depth]
    for index in product(*(range(_trips(loop, whole[loop.dim], units)) for loop in loops)):
        chunks = list(whole)
        for loop, i in zip(loops, index, strict=True):
            span = loop.size * (units if loop.kind is MapKind.SPATIAL else 1)
            chunks[loop.dim] = whole[loop.dim][i * span : (i + 1) * span]
        yield _elements(layer, tensor, tuple(chunks))


def _keep(hardware: Hardware, tensor: Tensor, footprints: Iterator[Elements]) -> tuple[int, int]:
    """Words of a tensor that enter the L2 when it keeps these footprints, one after the other, and the bytes that this needs."""
    entrances, most, moves = 0, 0, False
    kept: Elements = frozenset()
    for footprint in footprints:
        moves = moves or bool(kept and footprint != kept)
        entrances += len(footprint - kept)
        most = max(most, len(footprint))
        kept = footprint
    return entrances, _ceil(most * hardware.bits[tensor], 8) * (hardware.l2.buffering.copies if moves else 1)


def _residencies(layer: Layer, hardware: Hardware, level: tuple[Directive, ...], units: int) -> list[_Residency]:
    """Every choice of depths.

    Loops that level 0 does not name stand still: a depth that counts them keeps what the depth before them keeps, so that
    leaving them out takes no choice away.
    """
    depths = range(len(level) + 1)
    kept = [[_keep(hardware, tensor, _footprints(layer, tensor, level, units, depth)) for depth in depths] for tensor in Tensor]
    outputs = len(_elements(layer, Tensor.OUTPUT, _whole(layer)))
    choices: list[_Residency] = []
    for choice in product(depths, repeat=len(Tensor)):
        entrances = tuple(kept[tensor][choice[tensor]][0] for tensor in Tensor)
        need_bytes = sum(kept[tensor][choice[tensor]][1] for tensor in Tensor)
        moved = (entrances[Tensor.WEIGHT], entrances[Tensor.INPUT], 2 * entrances[Tensor.OUTPUT] - outputs)
        offchip_bits = sum(words * bits for words, bits in zip(moved, hardware.bits, strict=True))
        choices.append(_Residency(choice, entrances, need_bytes, offchip_bits))
    return choices


def _offchip_counts(layer: Layer, residency: _Residency) -> dict[Count, int]:
    weights, inputs, outputs = residency.entrances
    return {
        Count.OFFCHIP_READ_W: weights,
        Count.OFFCHIP_READ_I: inputs,
        Count.OFFCHIP_READ_O: outputs - len(_elements(layer, Tensor.OUTPUT, _whole(layer))),
        Count.OFFCHIP_WRITE: outputs,
        Count.L2_NEED_BYTES: residency.need_bytes,
    }


def _first_working_set_bits(layer: Layer, hardware: Hardware, level: tuple[Directive, ...], units: int) -> int:
    return sum(
        len(next(_footprints(layer, tensor, level, units, len(level)))) * hardware.bits[tensor]
        for tensor in (Tensor.WEIGHT, Tensor.INPUT)
    )
