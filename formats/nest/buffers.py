"""The buffers of a nest: their sizes, and the depth in level 0 at which the L2's tile of a tensor changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

from mapsearch.formats.directives import MappedLayer
from mapsearch.model.cost import Count, Fit
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware, Residency
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import encode
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

# The axes of a tensor in the order of its words; those of the input that slide are named by their outputs.
AXES = {
    Tensor.WEIGHT: (Dim.G, Dim.K, Dim.C, Dim.R, Dim.S),
    Tensor.INPUT: (Dim.N, Dim.G, Dim.C, Dim.Y, Dim.X),
    Tensor.OUTPUT: (Dim.N, Dim.G, Dim.K, Dim.Y, Dim.X),
}
_NEEDS = (Count.L2_NEED_W, Count.L2_NEED_I, Count.L2_NEED_O)


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


def l2_depths(mapped: MappedLayer, hardware: Hardware, spans: Sequence[tuple[Dim, int]]) -> list[int]:
    """How many outer loops of level 0 stand still while the L2's tile of W, of I and of O does, as the exact model chooses.

    spans: dim, and chunk of all units, of the loops of level 0 that iterate. Raises MappingError where the mapping does not fit.
    """
    layer, mapping = mapped.layer, mapped.mapping
    try:
        costs = ExactModel().evaluate(layer, hardware, encode([mapping], layer, hardware.shape))
    except InputError as error:
        raise MappingError(f"{mapped.place}{error}") from None
    if costs.fit[0] != Fit.LEGAL:
        raise MappingError(f"{mapped.place}{costs.why_not(0)}")
    if hardware.l2.residency is Residency.NONE:
        return [len(spans)] * len(Tensor)
    return [_depth(layer, hardware, spans, tensor, int(costs[_NEEDS[tensor]][0])) for tensor in Tensor]


def footprint(layer: Layer, spans: Sequence[tuple[Dim, int]], depth: int) -> list[int]:
    """The most indices of the eight dims in the L2's tile while the outer `depth` loops stand still."""
    lengths = list(layer.extents)
    for dim, span in spans[:depth]:
        lengths[dim] = span
    return lengths


def _depth(layer: Layer, hardware: Hardware, spans: Sequence[tuple[Dim, int]], tensor: Tensor, need: int) -> int:
    """The least depth with this need: of depths with equal needs, a greater one fetches no fewer words."""
    room = hardware.l2.room(tensor)
    for depth in range(len(spans)):
        g, n, k, c, r, s, y, x = footprint(layer, spans, depth)
        words = replace(layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0).words(tensor)
        moves = any(TOUCHES[tensor, dim] for dim, _ in spans[:depth])
        if -(-words * hardware.bits[tensor] // 8) * (room.buffering.copies if moves else 1) == need:
            return depth
    return len(spans)
