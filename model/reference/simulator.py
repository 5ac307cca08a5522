"""The reference cost model: it walks every time step of a mapping with plain sets and counts what happens.

Slow and literal on purpose. It shares no formula with the compiled model, which is tested against it; a user selects it to
see the counts of a small layer confirmed. Section numbers are those of the cost model's page.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import COUNTS, Count, Fit, Restriction, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Width, ratio
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, Mapping, MappingBatch
from mapsearch.model.masks import Masks
from mapsearch.model.moved_bits import OPERANDS, Moved
from mapsearch.model.reference.kept import Kept, depth_counts, footprints, mean_bits, offchip_bits, residencies
from mapsearch.model.reference.walk import Step, ceil_of, check_length, elements, trips, walk, whole
from mapsearch.model.reference.zeros import KnownZeros, part_balanced, part_left
from mapsearch.model.sparsity import Level
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import bytes_of, room_bits


class Simulator:
    """The cost model that counts by walking the steps (section 10); for small layers only. masks: of the layers, if known."""

    name = "simulate"
    format = "directives"
    restriction = Restriction()

    def __init__(self, masks: Masks | None = None) -> None:
        self.masks = masks

    def as_counted(self, layer: Layer) -> Layer:
        """Every layer, as it is."""
        return layer

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> CountedCosts:  # noqa: ARG002 it counts all, always
        """The costs of each mapping, or an InputError where the walk of one would be too long.

        Raises AssertionError where a mapping does not do every MAC exactly once, which `Mapping.check` rules out.
        """
        fit = np.zeros(len(batch), np.int8)
        counts = np.zeros((len(batch), COUNTS), np.int64)
        moved = np.zeros((len(batch), len(Moved), len(OPERANDS)), np.int64)
        known = None if self.masks is None else KnownZeros(layer, hardware, self.masks)
        for row in range(len(batch)):
            units = tuple(int(n) for n in batch.units[row])
            fit[row], found = _simulate(layer, hardware, batch.decode(row, layer), units, known, moved[row])
            for count, value in found.items():
                counts[row, count] = value
        return CountedCosts(layer, hardware, fit, counts, None if known is None else moved)


def _simulate(
    layer: Layer, hardware: Hardware, mapping: Mapping, units: tuple[int, ...], known: KnownZeros | None, moved: NDArray[np.int64]
) -> tuple[Fit, dict[Count, int]]:
    """The counts of a mapping; where masks tell its bits, `Moved`, they are written to `moved` [6, 2]."""
    check_length(layer, mapping, units)
    steps, l1_words = walk(layer, mapping, units, known)
    l1_needs = [
        bytes_of(words, bits) * hardware.l1.room(tensor).buffering.copies
        for tensor, words, bits in zip(Tensor, l1_words, room_bits(layer, hardware, Level.L1), strict=True)
    ]
    choices = residencies(layer, hardware, mapping.levels[0], units[0], known)
    fitting = [choice for choice in choices if _fit(hardware.l2, choice.needs)]
    if not _fit(hardware.l1, l1_needs) or not fitting:
        least = min(choices, key=lambda choice: sum(choice.needs))
        return Fit.L2_OVERFLOW if _fit(hardware.l1, l1_needs) else Fit.L1_OVERFLOW, _need_counts(l1_needs, least.needs)
    residency = min(fitting, key=lambda choice: (choice.offchip_bits, sum(choice.needs), choice.depths))
    counts = {Count.STEPS: len(steps)}
    counts |= _need_counts(l1_needs, residency.needs)
    counts |= depth_counts(layer, mapping.levels[0], units[0], residency)
    counts |= _word_counts(layer, hardware, steps)
    counts |= _array_counts(layer, hardware, steps)
    counts |= _offchip_counts(layer, hardware, residency, counts)
    if known is not None:
        for tensor in OPERANDS:
            moved[:, tensor] = _moved(hardware, steps, residency, tensor)
    counts |= _runtime_counts(layer, hardware, mapping.levels[0], units[0], counts, known, moved)
    return Fit.LEGAL, counts


def _fit(buffer: Buffer, needs: Sequence[int]) -> bool:
    """Whether each tensor's own part holds what the tensor needs, and the pool what all others need together."""
    own = all(need <= part.bytes for need, part in zip(needs, buffer.parts, strict=True) if part is not None)
    return own and sum(need for need, part in zip(needs, buffer.parts, strict=True) if part is None) <= buffer.bytes


def _need_counts(l1_needs: Sequence[int], l2_needs: Sequence[int]) -> dict[Count, int]:
    counts = {Count.L1_NEED_BYTES: sum(l1_needs), Count.L2_NEED_BYTES: sum(l2_needs)}
    counts |= dict(zip((Count.L1_NEED_W, Count.L1_NEED_I, Count.L1_NEED_O), l1_needs, strict=True))
    return counts | dict(zip((Count.L2_NEED_W, Count.L2_NEED_I, Count.L2_NEED_O), l2_needs, strict=True))


# --- Section 5: the words that move


def _words_in(step: Step, noc: Noc) -> tuple[int, int, int]:
    """Words of W and I and partial sums that cross the network L2 -> L1 in a step."""
    source = step.entrances if noc.multicast else step.fills
    sums = step.entrances[Tensor.OUTPUT] if noc.reduction and not step.first else 0
    return source[Tensor.WEIGHT], source[Tensor.INPUT], sums


def _words_out(step: Step, noc: Noc) -> int:
    """Outputs that cross the network L1 -> L2 in a step."""
    return (step.entrances if noc.reduction else step.fills)[Tensor.OUTPUT]


def _word_counts(layer: Layer, hardware: Hardware, steps: list[Step]) -> dict[Count, int]:
    noc = hardware.noc
    weights, inputs, sums = (sum(column) for column in zip(*(_words_in(step, noc) for step in steps), strict=True))
    fills = [sum(step.fills[tensor] for step in steps) for tensor in Tensor]
    outputs = len(elements(layer, Tensor.OUTPUT, whole(layer)))
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


def _cycles(bits: Fraction, width: Width) -> int:
    """Cycles in which a link of so many bytes per cycle passes so many bits."""
    return ceil(bits / (8 * ratio(width)))


def _network_cycles(bits: Fraction, width: Width, noc: Noc) -> int:
    return noc.latency_cycles + _cycles(bits, width) - 1 if bits else 0


def _bits_in(layer: Layer, hardware: Hardware, step: Step) -> dict[Tensor, Fraction]:
    """Bits of W and I and of partial sums that cross the network L2 -> L1 in a step."""
    words = dict(zip(Tensor, _words_in(step, hardware.noc), strict=True))
    bits = {tensor: words[tensor] * each for tensor, each in zip(Tensor, mean_bits(layer, hardware, Level.NOC), strict=True)}
    bits[Tensor.OUTPUT] = Fraction(words[Tensor.OUTPUT] * hardware.bits[Tensor.OUTPUT])
    if step.to_do is not None:
        bits |= {tensor: Fraction(_crossing_bits(hardware, step, Level.NOC, tensor)) for tensor in OPERANDS}
    return bits


def _crossing_bits(hardware: Hardware, step: Step, level: Level, tensor: Tensor) -> int:
    """Bits of W or I that cross the network in a step, in their format at a level, as masks tell."""
    bits = step.entered_bits if hardware.noc.multicast else step.fill_bits
    return ceil(bits[level, tensor]) if bits else 0


def _moved(hardware: Hardware, steps: list[Step], residency: Kept, tensor: Tensor) -> list[int]:
    """The bits of W or I as they move, in the order of `Moved`, as masks tell."""
    offchip, l2, noc = (
        sum(_crossing_bits(hardware, step, level, tensor) for step in steps) for level in (Level.OFFCHIP, Level.L2, Level.NOC)
    )
    to_noc, to_l1 = (
        sum(ceil(step.fill_bits[level, tensor]) for step in steps if step.fill_bits) for level in (Level.NOC, Level.L1)
    )
    entered = (offchip, 0) if hardware.l2.bypass[tensor] else residency.bits[tensor]
    return [*entered, l2, noc, to_noc, to_l1]


def _ingress(hardware: Hardware, bits: dict[Tensor, Fraction]) -> int:
    """Cycles in which some tensors' words come in, those of one step: together on shared wires, else each on its own."""
    noc = hardware.noc
    if noc.wires is None:
        return _network_cycles(sum(bits.values(), Fraction()), noc.bytes_per_cycle, noc)
    return max((_network_cycles(bits[tensor], noc.wires[tensor], noc) for tensor in bits), default=0)


def _egress_bits(layer: Layer, hardware: Hardware, step: Step) -> Fraction:
    """Bits of the outputs that leave in a step; each leaves for good once, which is taken to be where it enters first.

    The others are partial sums, as all are that the L2 adds up.
    """
    of_output = mean_bits(layer, hardware, Level.NOC)[Tensor.OUTPUT]
    is_final = step.first and hardware.noc.reduction
    return _words_out(step, hardware.noc) * (of_output if is_final else Fraction(hardware.bits[Tensor.OUTPUT]))


def _busy(hardware: Hardware, step: Step) -> int:
    """MACs of unit 0, or as many as take the time of its instructions, which take runs of one dim's indices."""
    busy, lengths = list(step.lengths), step.lengths
    if hardware.run is not None:
        dim, longest, least = hardware.run.dim, hardware.run.longest, hardware.run.least
        runs = [min(longest, lengths[dim] - start) for start in range(0, lengths[dim], longest)]
        busy[dim] = sum(run if run == longest else max(run, least) for run in runs)
    return prod(busy)


def _compute(layer: Layer, hardware: Hardware, step: Step) -> int:
    """Cycles of the PE that has the most to do."""
    busy = _busy(hardware, step)
    if not hardware.sparse.changes_time:
        return ceil_of(busy, hardware.simd)
    if step.to_do is not None and hardware.sparse.waits:
        return ceil_of(step.to_do, hardware.simd)
    return ceil(busy * part_left(layer, hardware, step.words, step.tiles, step.lengths) / hardware.simd)


def _array_counts(layer: Layer, hardware: Hardware, steps: list[Step]) -> dict[Count, int]:
    """Cycles of the array, which part each is spent on, and the step that loads the network most."""
    noc = hardware.noc
    apart = [tensor for tensor in Tensor if hardware.l1.room(tensor).buffering is Buffering.SINGLE]
    bound = [0, 0, 0]
    loads: list[tuple[int, int]] = []
    for number, step in enumerate(steps):
        words, bits_in = sum(_words_in(step, noc)) + _words_out(step, noc), _bits_in(layer, hardware, step)
        out_width = noc.wires[Tensor.OUTPUT] if noc.wires else noc.bytes_per_cycle
        egress = _network_cycles(_egress_bits(layer, hardware, step), out_width, noc)
        waits = (
            0,
            _ingress(hardware, {tensor: bits_in[tensor] for tensor in apart}),
            egress if Tensor.OUTPUT in apart else 0,
        )
        overlap = (
            _compute(layer, hardware, step),
            _ingress(hardware, {tensor: bits for tensor, bits in bits_in.items() if tensor not in apart}),
            egress if Tensor.OUTPUT not in apart else 0,
        )
        longest = overlap.index(max(overlap))
        spent = [
            wait + (cycles if number == 0 or part == longest else 0)
            for part, (wait, cycles) in enumerate(zip(waits, overlap, strict=True))
        ]
        bound = [before + cycles for before, cycles in zip(bound, spent, strict=True)]
        loads.append((words, sum(spent)))
    timed = [load for load in loads if load[1] > 0]  # words of zeros alone may have no bits
    peak_words, peak_cycles = max(timed, key=lambda load: (Fraction(*load), -load[0]))
    return {
        Count.ARRAY_CYCLES: sum(cost for _, cost in loads),
        Count.COMPUTE_CYCLES: sum(_compute(layer, hardware, step) for step in steps),
        Count.BALANCED_CYCLES: sum(ceil(_busy(hardware, step) * part_balanced(layer, hardware) / hardware.simd) for step in steps),
        Count.COMPUTE_BOUND_CYCLES: bound[0],
        Count.INGRESS_BOUND_CYCLES: bound[1],
        Count.EGRESS_BOUND_CYCLES: bound[2],
        Count.PEAK_NOC_WORDS: peak_words,
        Count.PEAK_NOC_CYCLES: peak_cycles,
    }


def _offchip_counts(layer: Layer, hardware: Hardware, residency: Kept, counts: dict[Count, int]) -> dict[Count, int]:
    """Words that cross to off-chip memory; of a tensor that passes the L2 by, those that enter and leave the array."""
    weights, inputs, outputs = residency.entrances
    bypass = hardware.l2.bypass
    sums_read = counts[Count.PSUM_READ] + counts[Count.L2_ADD_READ]
    first = len(elements(layer, Tensor.OUTPUT, whole(layer)))
    return {
        Count.OFFCHIP_READ_W: counts[Count.L2_TO_L1_W] if bypass[Tensor.WEIGHT] else weights,
        Count.OFFCHIP_READ_I: counts[Count.L2_TO_L1_I] if bypass[Tensor.INPUT] else inputs,
        Count.OFFCHIP_READ_O: sums_read if bypass[Tensor.OUTPUT] else outputs - first,
        Count.OFFCHIP_WRITE: counts[Count.OUTPUT_WRITE] if bypass[Tensor.OUTPUT] else outputs,
    }


# --- Section 7: the cycles of off-chip memory and of the control, and the runtime


def _runtime_counts(
    layer: Layer,
    hardware: Hardware,
    level: tuple[Directive, ...],
    units: int,
    counts: dict[Count, int],
    known: KnownZeros | None,
    moved: NDArray[np.int64],
) -> dict[Count, int]:
    """known, moved: see `_simulate`."""
    width, l2 = hardware.offchip.bytes_per_cycle, hardware.l2
    words = (
        counts[Count.OFFCHIP_READ_W],
        counts[Count.OFFCHIP_READ_I],
        counts[Count.OFFCHIP_READ_O] + counts[Count.OFFCHIP_WRITE],
    )
    apart = [not l2.bypass[tensor] and l2.room(tensor).buffering is Buffering.SINGLE for tensor in Tensor]
    bits = [offchip_bits(layer, hardware, tensor, words[tensor]) for tensor in Tensor]
    if known is not None:
        bits[: len(OPERANDS)] = [Fraction(int(each)) for each in moved[Moved.OFFCHIP]]
    alone = sum((bits[tensor] for tensor in Tensor if apart[tensor]), Fraction())
    beside = sum((bits[tensor] for tensor in Tensor if not apart[tensor]), Fraction())
    first = [
        offchip_bits(layer, hardware, tensor, len(footprint))
        if known is None
        else Fraction(ceil(known.bits(Level.OFFCHIP, tensor, footprint)))
        for tensor in OPERANDS
        for footprint in [next(footprints(layer, tensor, level, units, len(level)))]
        if not apart[tensor] and not l2.bypass[tensor]
    ]
    fill = hardware.offchip.latency_cycles + _cycles(sum(first, Fraction()), width)
    work = _cycles(alone, width) + max(counts[Count.ARRAY_CYCLES], _cycles(beside, width))
    issue = l2.tile_cycles * prod(trips(loop, whole(layer)[loop.dim], units) for loop in level)
    return {
        Count.FILL_CYCLES: fill,
        Count.ISSUE_CYCLES: issue,
        Count.OFFCHIP_CYCLES: _cycles(alone, width) + _cycles(beside, width),
        Count.RUNTIME_CYCLES: fill + max(work, issue),
    }
