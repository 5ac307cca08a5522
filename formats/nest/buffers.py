"""The buffers of a nest: their sizes, and the depth in level 0 at which the L2's tile of a tensor changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import gcd

from mapsearch.formats.nest.loop_nest import LoopNest
from mapsearch.model.cost import Count, Fit
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware, Part, Residency
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import encode
from mapsearch.model.sparsity import DENSE, Level
from mapsearch.model.tensors import TOUCHES, Dim, Tensor
from mapsearch.model.word_bits import PARTS, bytes_of, room_bits, word_bits

# The axes of a tensor in the order of its words; those of the input that slide are named by their outputs.
AXES = {
    Tensor.WEIGHT: (Dim.G, Dim.K, Dim.C, Dim.R, Dim.S),
    Tensor.INPUT: (Dim.N, Dim.G, Dim.C, Dim.Y, Dim.X),
    Tensor.OUTPUT: (Dim.N, Dim.G, Dim.K, Dim.Y, Dim.X),
}
_DEPTHS = (Count.L2_DEPTH_W, Count.L2_DEPTH_I, Count.L2_DEPTH_O)
_OFFCHIP = (Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a buffer puts the words of a tensor: at their coordinates, divided by `steps`, modulo `sizes`, axis by axis.

    So words of a sliding window stay where they are while it moves on. Coordinates of one tile that are held together are
    multiples of the step apart, and never share a place.
    """

    sizes: tuple[int, ...]
    steps: tuple[int, ...]


def shape_of(layer: Layer, tensor: Tensor, lengths: Sequence[int]) -> Shape:
    """The shape of a buffer for tiles of at most so many indices of the eight dims."""
    sizes = [lengths[dim] for dim in AXES[tensor]]
    steps = [1] * len(sizes)
    if tensor is Tensor.INPUT:
        for axis, stride, dilation in zip((3, 4), layer.stride, layer.dilation, strict=True):
            outputs, taps = sizes[axis], lengths[Dim.R if axis == 3 else Dim.S]
            steps[axis] = stride if taps == 1 else dilation if outputs == 1 else gcd(stride, dilation)
            sizes[axis] = ((outputs - 1) * stride + (taps - 1) * dilation) // steps[axis] + 1
    return Shape(tuple(sizes), tuple(steps))


def tile_words(layer: Layer, tensor: Tensor, lengths: Sequence[int]) -> int:
    """The words of a tensor in a tile of so many indices of the eight dims."""
    g, n, k, c, r, s, y, x = lengths
    return replace(layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0, sparsity=DENSE, effectual=None).words(tensor)


def l2_depths(nest: LoopNest, hardware: Hardware) -> list[int]:
    """How many outer loops of level 0 stand still while the L2's tile of W, of I and of O does, as the exact model chooses.

    Raises MappingError where the mapping does not fit.
    """
    return counts_of(nest, hardware, _DEPTHS)


def outermost_l2_depths(nest: LoopNest, hardware: Hardware) -> list[int]:
    """Of the choices that fit the L2 with as few off-chip bits as `l2_depths`, the one whose deepest tile lies outermost.

    Of several, the one with the least sum of depths. Raises MappingError where the mapping does not fit.
    """
    best = l2_depths(nest, hardware)
    depths = range(len(nest.outer) + 1)
    needs = [[_need(nest, hardware, depth, tensor) for tensor in Tensor] for depth in depths]
    words = [_offchip_words(nest, hardware, each) for each in needs]
    l2, (of_w, of_i, _) = hardware.l2, word_bits(nest.mapped.layer, hardware)[Level.OFFCHIP]
    of_word = (of_w, of_i, hardware.bits[Tensor.OUTPUT] * PARTS)  # outputs but for their words alone, as partial sums
    if l2.residency is Residency.NONE:
        return best

    def bits(choice: Sequence[int]) -> int:
        return sum(words[depth][tensor] * of_word[tensor] for tensor, depth in enumerate(choice))

    def fits(choice: Sequence[int]) -> bool:
        each = [needs[depth][tensor] for tensor, depth in enumerate(choice)]
        pooled = sum(need for need, part in zip(each, l2.parts, strict=True) if part is None)
        return pooled <= l2.bytes and all(part is None or need <= part.bytes for need, part in zip(each, l2.parts, strict=True))

    choices = (choice for choice in product(depths, repeat=len(Tensor)) if bits(choice) <= bits(best) and fits(choice))
    return list(min(choices, key=lambda choice: (max(choice), sum(choice))))


def _need(nest: LoopNest, hardware: Hardware, depth: int, tensor: Tensor) -> int:
    """Bytes that a tensor needs in the L2 at a depth; 0 where it passes it by."""
    if hardware.l2.bypass[tensor]:
        return 0
    words = tile_words(nest.mapped.layer, tensor, nest.footprint(depth))
    moves = any(TOUCHES[tensor, cut.dim] for cut in nest.outer[:depth])
    once = bytes_of(words, room_bits(nest.mapped.layer, hardware, Level.L2)[tensor])
    return once * (hardware.l2.room(tensor).buffering.copies if moves else 1)


def _offchip_words(nest: LoopNest, hardware: Hardware, needs: Sequence[int]) -> list[int]:
    """Off-chip words of each tensor where the L2 has a part for it alone, of just these bytes, so that no lesser depth fits."""
    l2 = hardware.l2
    w, i, o = (Part(need, l2.room(tensor).buffering) if need else None for tensor, need in zip(Tensor, needs, strict=True))
    counts = counts_of(nest, replace(hardware, l2=replace(l2, bytes=0, parts=(w, i, o))), _OFFCHIP)
    return [counts[0], counts[1], counts[2] + counts[3]]


def evaluation_of(nest: LoopNest, hardware: Hardware) -> CountedEvaluation:
    """Our figures of the mapping; MappingError, with file and line where known, where it does not fit."""
    return _costs(nest, hardware).report(0)


def counts_of(nest: LoopNest, hardware: Hardware, columns: Sequence[Count]) -> list[int]:
    """The exact model's counts of the mapping; MappingError, with file and line where known, where it does not fit."""
    costs = _costs(nest, hardware)
    return [int(costs[column][0]) for column in columns]


def _costs(nest: LoopNest, hardware: Hardware) -> CountedCosts:
    mapped = nest.mapped
    try:
        costs = ExactModel().evaluate(mapped.layer, hardware, encode([mapped.mapping], mapped.layer, hardware.shape))
    except InputError as error:
        raise MappingError(f"{mapped.place}{error}") from None
    if costs.fit[0] != Fit.LEGAL:
        raise MappingError(f"{mapped.place}{costs.why_not(0)}")
    return costs
