"""What the L2 keeps (section 6 of the cost model's page), as the simulator counts it: footprint after footprint, as plain sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil

from mapsearch.model.cost import Count
from mapsearch.model.hardware import Hardware, Residency
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, MapKind
from mapsearch.model.moved_bits import OPERANDS
from mapsearch.model.reference.walk import Elements, elements, trips, whole
from mapsearch.model.reference.zeros import KnownZeros
from mapsearch.model.sparsity import Level
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import PARTS, bytes_of, room_bits, word_bits


def mean_bits(layer: Layer, hardware: Hardware, level: Level) -> tuple[Fraction, ...]:
    """Bits of a word of each tensor at a level."""
    return tuple(Fraction(bits, PARTS) for bits in word_bits(layer, hardware)[level])


@dataclass(frozen=True, slots=True)
class Kept:
    """One choice of a depth for each tensor; of each, the words that enter the L2 and the bytes that they need there.

    bits: of W and I, of what enters, off-chip and in the L2, if masks tell them.
    offchip_bits: of the tensors that do not pass the L2 by.
    """

    depths: tuple[int, ...]
    entrances: tuple[int, ...]
    needs: tuple[int, ...]
    bits: tuple[tuple[int, int], ...]
    offchip_bits: Fraction


def footprints(layer: Layer, tensor: Tensor, level: tuple[Directive, ...], units: int, depth: int) -> Iterator[Elements]:
    """The footprint of a tensor at each step of the `depth` outer loops of level 0: all units and inner loops together."""
    layer_chunks = whole(layer)
    loops = level[:depth]
    for index in product(*(range(trips(loop, layer_chunks[loop.dim], units)) for loop in loops)):
        chunks = list(layer_chunks)
        for loop, i in zip(loops, index, strict=True):
            span = loop.size * (units if loop.kind is MapKind.SPATIAL else 1)
            chunks[loop.dim] = layer_chunks[loop.dim][i * span : (i + 1) * span]
        yield elements(layer, tensor, tuple(chunks))


def _keep(
    hardware: Hardware, tensor: Tensor, bits: int, footprints: Iterator[Elements], known: KnownZeros | None
) -> tuple[int, int, tuple[int, int]]:
    """Words of a tensor that enter the L2 when these footprints are there, one after the other, and the bytes that they need.

    Then their bits, see `Kept`. bits: that room is set aside for, of a word. Where the L2 keeps no tile, all of the next one is
    fetched; but outputs stay while they are added to.
    """
    entrances, most, moves, offchip, l2 = 0, 0, False, 0, 0
    there: Elements = frozenset()
    keeps = hardware.l2.residency is Residency.BEST or tensor is Tensor.OUTPUT
    for footprint in footprints:
        moves = moves or bool(there and footprint != there)
        enters = footprint - there if keeps else footprint
        entrances += len(enters)
        if known is not None and tensor in OPERANDS:
            offchip += ceil(known.bits(Level.OFFCHIP, tensor, enters))
            l2 += ceil(known.bits(Level.L2, tensor, enters))
        most = max(most, len(footprint))
        there = footprint
    comes_anew = moves or hardware.l2.residency is Residency.NONE
    need = bytes_of(most, bits) * (hardware.l2.room(tensor).buffering.copies if comes_anew else 1)
    return entrances, need, (offchip, l2)


def residencies(layer: Layer, hardware: Hardware, level: tuple[Directive, ...], units: int, known: KnownZeros | None) -> list[Kept]:
    """Every choice of depths; where the L2 keeps no tile, the one in which all loops of level 0 count.

    Loops that level 0 does not name stand still: a depth that counts them keeps what the depth before them keeps, so that
    leaving them out takes no choice away. What passes the L2 by neither enters it nor needs anything there.
    """
    depths = range(len(level) + 1) if hardware.l2.residency is Residency.BEST else range(len(level), len(level) + 1)
    set_aside = room_bits(layer, hardware, Level.L2)
    found = {
        (tensor, depth): (0, 0, (0, 0))
        if hardware.l2.bypass[tensor]
        else _keep(hardware, tensor, set_aside[tensor], footprints(layer, tensor, level, units, depth), known)
        for tensor in Tensor
        for depth in depths
    }
    outputs = 0 if hardware.l2.bypass[Tensor.OUTPUT] else len(elements(layer, Tensor.OUTPUT, whole(layer)))
    choices: list[Kept] = []
    for choice in product(depths, repeat=len(Tensor)):
        entrances, needs, bits = zip(*(found[tensor, depth] for tensor, depth in zip(Tensor, choice, strict=True)), strict=True)
        moved = (entrances[Tensor.WEIGHT], entrances[Tensor.INPUT], 2 * entrances[Tensor.OUTPUT] - outputs)
        crossing = [offchip_bits(layer, hardware, tensor, moved[tensor]) for tensor in Tensor]
        if known is not None:
            crossing[: len(OPERANDS)] = [Fraction(bits[tensor][0]) for tensor in OPERANDS]
        of_l2 = (each for tensor, each in zip(Tensor, crossing, strict=True) if not hardware.l2.bypass[tensor])
        choices.append(Kept(choice, entrances, needs, bits, sum(of_l2, Fraction())))
    return choices


def offchip_bits(layer: Layer, hardware: Hardware, tensor: Tensor, words: int) -> Fraction:
    """Bits of words that cross to off-chip memory; outputs leave for good once, and are partial sums else."""
    bits = mean_bits(layer, hardware, Level.OFFCHIP)[tensor]
    if tensor is not Tensor.OUTPUT:
        return words * bits
    outputs = len(elements(layer, Tensor.OUTPUT, whole(layer)))
    return outputs * bits + (words - outputs) * hardware.bits[Tensor.OUTPUT]


def depth_counts(layer: Layer, level: tuple[Directive, ...], units: int, residency: Kept) -> dict[Count, int]:
    """The depths, in loops that iterate."""
    chunks = whole(layer)
    iterates = [trips(loop, chunks[loop.dim], units) > 1 for loop in level]
    depths = (sum(iterates[:depth]) for depth in residency.depths)
    return dict(zip((Count.L2_DEPTH_W, Count.L2_DEPTH_I, Count.L2_DEPTH_O), depths, strict=True))
