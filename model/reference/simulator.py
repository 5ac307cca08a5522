"""The reference cost model: it walks every time step of a mapping with plain sets and counts what happens.

Slow and literal on purpose. It shares no formula with the compiled model, which is tested against it; a user selects it to
see the counts of a small layer confirmed. Section numbers are those of the cost model's page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil, prod

import numpy as np

from mapsearch.model.cost import COUNTS, Count, Fit, Restriction, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Residency, Width, ratio
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, MapKind, Mapping, MappingBatch
from mapsearch.model.masks import Masks
from mapsearch.model.reference.walk import Elements, Step, ToDo, ceil_of, check_length, elements, trips, walk, whole
from mapsearch.model.reference.zeros import part_balanced, part_left
from mapsearch.model.sparsity import Level
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import PARTS, bytes_of, room_bits, word_bits


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
        for row in range(len(batch)):
            units = tuple(int(n) for n in batch.units[row])
            fit[row], found = _simulate(layer, hardware, batch.decode(row, layer), units, self.masks)
            for count, value in found.items():
                counts[row, count] = value
        return CountedCosts(layer, hardware, fit, counts)


def _to_do(layer: Layer, hardware: Hardware, masks: Masks) -> ToDo:
    """The MACs of a PE's chunks that take time: those without a zero of an operand that the machine skips."""
    weights = masks.weight if Tensor.WEIGHT in hardware.sparse.skip else None
    inputs = masks.input if Tensor.INPUT in hardware.sparse.skip else None
    (sy, sx), (dy, dx) = layer.stride, layer.dilation

    def is_done(g: int, n: int, k: int, c: int, r: int, s: int, y: int, x: int) -> bool:
        has_weight = weights is None or weights[g, k, c, r, s]
        return bool(has_weight and (inputs is None or inputs[n, g, c, sy * y + dy * r, sx * x + dx * s]))

    return lambda chunks: sum(is_done(*mac) for mac in product(*chunks))


def _simulate(
    layer: Layer, hardware: Hardware, mapping: Mapping, units: tuple[int, ...], masks: Masks | None
) -> tuple[Fit, dict[Count, int]]:
    check_length(layer, mapping, units)
    to_do = None if masks is None or hardware.sparse.balanced else _to_do(layer, hardware, masks)
    steps, l1_words = walk(layer, mapping, units, to_do)
    l1_needs = [
        bytes_of(words, bits) * hardware.l1.room(tensor).buffering.copies
        for tensor, words, bits in zip(Tensor, l1_words, room_bits(layer, hardware, Level.L1), strict=True)
    ]
    choices = _residencies(layer, hardware, mapping.levels[0], units[0])
    fitting = [choice for choice in choices if _fit(hardware.l2, choice.needs)]
    if not _fit(hardware.l1, l1_needs) or not fitting:
        least = min(choices, key=lambda choice: sum(choice.needs))
        return Fit.L2_OVERFLOW if _fit(hardware.l1, l1_needs) else Fit.L1_OVERFLOW, _need_counts(l1_needs, least.needs)
    residency = min(fitting, key=lambda choice: (choice.offchip_bits, sum(choice.needs), choice.depths))
    counts = {Count.STEPS: len(steps)}
    counts |= _need_counts(l1_needs, residency.needs)
    counts |= _depth_counts(layer, mapping.levels[0], units[0], residency)
    counts |= _word_counts(layer, hardware, steps)
    counts |= _array_counts(layer, hardware, steps)
    counts |= _offchip_counts(layer, hardware, residency, counts)
    counts |= _runtime_counts(layer, hardware, mapping.levels[0], units[0], counts)
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


def _ingress(layer: Layer, hardware: Hardware, words_in: dict[Tensor, int]) -> int:
    """Cycles in which some tensors' words come in, those of one step: together on shared wires, else each on its own."""
    noc = hardware.noc
    of_w, of_i, _ = _word_bits(layer, hardware, Level.NOC)
    each = (of_w, of_i, hardware.bits[Tensor.OUTPUT])  # what comes in of O is partial sums
    bits = {tensor: Fraction(words * each[tensor]) for tensor, words in words_in.items()}
    if noc.wires is None:
        return _network_cycles(sum(bits.values(), Fraction()), noc.bytes_per_cycle, noc)
    return max((_network_cycles(bits[tensor], noc.wires[tensor], noc) for tensor in bits), default=0)


def _egress_bits(layer: Layer, hardware: Hardware, step: Step) -> Fraction:
    """Bits of the outputs that leave in a step; each leaves for good once, which is taken to be where it enters first.

    The others are partial sums, as all are that the L2 adds up.
    """
    of_output = _word_bits(layer, hardware, Level.NOC)[Tensor.OUTPUT]
    is_final = step.first and hardware.noc.reduction
    return _words_out(step, hardware.noc) * (of_output if is_final else Fraction(hardware.bits[Tensor.OUTPUT]))


def _word_bits(layer: Layer, hardware: Hardware, level: Level) -> tuple[Fraction, ...]:
    """Bits of a word of each tensor at a level."""
    return tuple(Fraction(bits, PARTS) for bits in word_bits(layer, hardware)[level])


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
    if step.to_do is not None or not hardware.sparse.skip:
        return ceil_of(busy if step.to_do is None else step.to_do, hardware.simd)
    return ceil(busy * part_left(layer, hardware, step.words, step.tiles, step.lengths) / hardware.simd)


def _array_counts(layer: Layer, hardware: Hardware, steps: list[Step]) -> dict[Count, int]:
    """Cycles of the array, which part each is spent on, and the step that loads the network most."""
    noc = hardware.noc
    apart = [tensor for tensor in Tensor if hardware.l1.room(tensor).buffering is Buffering.SINGLE]
    bound = [0, 0, 0]
    loads: list[tuple[int, int]] = []
    for number, step in enumerate(steps):
        words_in, words_out = dict(zip(Tensor, _words_in(step, noc), strict=True)), _words_out(step, noc)
        out_width = noc.wires[Tensor.OUTPUT] if noc.wires else noc.bytes_per_cycle
        egress = _network_cycles(_egress_bits(layer, hardware, step), out_width, noc)
        waits = (
            0,
            _ingress(layer, hardware, {tensor: words_in[tensor] for tensor in apart}),
            egress if Tensor.OUTPUT in apart else 0,
        )
        overlap = (
            _compute(layer, hardware, step),
            _ingress(layer, hardware, {tensor: words for tensor, words in words_in.items() if tensor not in apart}),
            egress if Tensor.OUTPUT not in apart else 0,
        )
        longest = overlap.index(max(overlap))
        spent = [
            wait + (cycles if number == 0 or part == longest else 0)
            for part, (wait, cycles) in enumerate(zip(waits, overlap, strict=True))
        ]
        bound = [before + cycles for before, cycles in zip(bound, spent, strict=True)]
        loads.append((sum(words_in.values()) + words_out, sum(spent)))
    peak_words, peak_cycles = max(loads, key=lambda load: (Fraction(*load), -load[0]))
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


# --- Section 6: what the L2 keeps


@dataclass(frozen=True, slots=True)
class _Residency:
    """One choice of a depth for each tensor; of each, the words that enter the L2 and the bytes that they need there.

    offchip_bits: of the tensors that do not pass the L2 by.
    """

    depths: tuple[int, ...]
    entrances: tuple[int, ...]
    needs: tuple[int, ...]
    offchip_bits: Fraction


def _footprints(layer: Layer, tensor: Tensor, level: tuple[Directive, ...], units: int, depth: int) -> Iterator[Elements]:
    """The footprint of a tensor at each step of the `depth` outer loops of level 0: all units and inner loops together."""
    layer_chunks = whole(layer)
    loops = level[:depth]
    for index in product(*(range(trips(loop, layer_chunks[loop.dim], units)) for loop in loops)):
        chunks = list(layer_chunks)
        for loop, i in zip(loops, index, strict=True):
            span = loop.size * (units if loop.kind is MapKind.SPATIAL else 1)
            chunks[loop.dim] = layer_chunks[loop.dim][i * span : (i + 1) * span]
        yield elements(layer, tensor, tuple(chunks))


def _keep(hardware: Hardware, tensor: Tensor, bits: int, footprints: Iterator[Elements]) -> tuple[int, int]:
    """Words of a tensor that enter the L2 when these footprints are there, one after the other, and the bytes that they need.

    bits: that room is set aside for, of a word. Where the L2 keeps no tile, all of the next one is fetched; but outputs stay while
    they are added to.
    """
    entrances, most, moves = 0, 0, False
    there: Elements = frozenset()
    keeps = hardware.l2.residency is Residency.BEST or tensor is Tensor.OUTPUT
    for footprint in footprints:
        moves = moves or bool(there and footprint != there)
        entrances += len(footprint - there if keeps else footprint)
        most = max(most, len(footprint))
        there = footprint
    comes_anew = moves or hardware.l2.residency is Residency.NONE
    return entrances, bytes_of(most, bits) * (hardware.l2.room(tensor).buffering.copies if comes_anew else 1)


def _residencies(layer: Layer, hardware: Hardware, level: tuple[Directive, ...], units: int) -> list[_Residency]:
    """Every choice of depths; where the L2 keeps no tile, the one in which all loops of level 0 count.

    Loops that level 0 does not name stand still: a depth that counts them keeps what the depth before them keeps, so that
    leaving them out takes no choice away. What passes the L2 by neither enters it nor needs anything there.
    """
    depths = range(len(level) + 1) if hardware.l2.residency is Residency.BEST else range(len(level), len(level) + 1)
    found = {
        (tensor, depth): (0, 0)
        if hardware.l2.bypass[tensor]
        else _keep(hardware, tensor, room_bits(layer, hardware, Level.L2)[tensor], _footprints(layer, tensor, level, units, depth))
        for tensor in Tensor
        for depth in depths
    }
    outputs = 0 if hardware.l2.bypass[Tensor.OUTPUT] else len(elements(layer, Tensor.OUTPUT, whole(layer)))
    choices: list[_Residency] = []
    for choice in product(depths, repeat=len(Tensor)):
        entrances, needs = zip(*(found[tensor, depth] for tensor, depth in zip(Tensor, choice, strict=True)), strict=True)
        moved = (entrances[Tensor.WEIGHT], entrances[Tensor.INPUT], 2 * entrances[Tensor.OUTPUT] - outputs)
        bits = (_offchip_bits(layer, hardware, tensor, moved[tensor]) for tensor in Tensor if not hardware.l2.bypass[tensor])
        choices.append(_Residency(choice, entrances, needs, sum(bits, Fraction())))
    return choices


def _offchip_bits(layer: Layer, hardware: Hardware, tensor: Tensor, words: int) -> Fraction:
    """Bits of words that cross to off-chip memory; outputs leave for good once, and are partial sums else."""
    bits = _word_bits(layer, hardware, Level.OFFCHIP)[tensor]
    if tensor is not Tensor.OUTPUT:
        return words * bits
    outputs = len(elements(layer, Tensor.OUTPUT, whole(layer)))
    return outputs * bits + (words - outputs) * hardware.bits[Tensor.OUTPUT]


def _depth_counts(layer: Layer, level: tuple[Directive, ...], units: int, residency: _Residency) -> dict[Count, int]:
    """The depths, in loops that iterate."""
    chunks = whole(layer)
    iterates = [trips(loop, chunks[loop.dim], units) > 1 for loop in level]
    depths = (sum(iterates[:depth]) for depth in residency.depths)
    return dict(zip((Count.L2_DEPTH_W, Count.L2_DEPTH_I, Count.L2_DEPTH_O), depths, strict=True))


def _offchip_counts(layer: Layer, hardware: Hardware, residency: _Residency, counts: dict[Count, int]) -> dict[Count, int]:
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
    layer: Layer, hardware: Hardware, level: tuple[Directive, ...], units: int, counts: dict[Count, int]
) -> dict[Count, int]:
    width, l2 = hardware.offchip.bytes_per_cycle, hardware.l2
    words = (
        counts[Count.OFFCHIP_READ_W],
        counts[Count.OFFCHIP_READ_I],
        counts[Count.OFFCHIP_READ_O] + counts[Count.OFFCHIP_WRITE],
    )
    apart = [not l2.bypass[tensor] and l2.room(tensor).buffering is Buffering.SINGLE for tensor in Tensor]
    bits = [_offchip_bits(layer, hardware, tensor, words[tensor]) for tensor in Tensor]
    alone = sum((bits[tensor] for tensor in Tensor if apart[tensor]), Fraction())
    beside = sum((bits[tensor] for tensor in Tensor if not apart[tensor]), Fraction())
    first = [
        _offchip_bits(layer, hardware, tensor, len(next(_footprints(layer, tensor, level, units, len(level)))))
        for tensor in (Tensor.WEIGHT, Tensor.INPUT)
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
