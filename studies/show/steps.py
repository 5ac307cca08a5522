"""The first steps of a mapping: which PE holds which part of W, of I and of O, as in the figures of MAESTRO's paper.

H. Kwon et al., "Understanding Reuse, Performance, and Hardware Cost of DNN Dataflow", MICRO 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod

from mapsearch.formats.nest.buffers import AXES, shape_of, tile_words
from mapsearch.formats.nest.loop_nest import LoopNest
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.plain import Plain
from mapsearch.model.reference.walk import Chunks, pe_chunks, steps_of, whole
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

MOST_PES = 16


@dataclass(frozen=True, slots=True)
class Part(Plain):
    """What a PE holds of a tensor.

    axes: the first and the last coordinate along each of the tensor's axes, and the step between them where it is not 1. Y and X
    are the input's rows and columns.
    """

    axes: Mapping[str, tuple[int, ...]]
    words: int


@dataclass(frozen=True, slots=True)
class PeAtStep(Plain):
    """A PE in a step.

    pe: its number; units: its unit at each level. idle: whether it computes nothing. holds: its part of each tensor, None where it
    holds nothing of it.
    """

    pe: int
    units: tuple[int, ...]
    idle: bool
    holds: Mapping[str, Part | None]


@dataclass(frozen=True, slots=True)
class ShownStep(Plain):
    """A step: the index of each loop over time, outermost first, and PEs in it."""

    indices: tuple[int, ...]
    pes: tuple[PeAtStep, ...]


def axis_names(tensor: Tensor) -> list[str]:
    """The names of a tensor's axes; Y and X are rows and columns of the input, Y' and X' those of the output."""
    return [dim.name if tensor is Tensor.INPUT else dim.label for dim in AXES[tensor]]


def first_steps(nest: LoopNest, hardware: Hardware, steps: int, most_pes: int = MOST_PES) -> tuple[ShownStep, ...]:
    """So many steps of a mapping from its first on, with at most `most_pes` PEs, of which each level has its first units."""
    mapped = nest.mapped
    layer, levels, units = mapped.layer, mapped.mapping.levels, mapped.mapping.units(hardware.shape)
    pes = list(product(*map(range, _first_units(nest, len(units), most_pes))))
    loops = {(cut.level, cut.dim) for cut in nest.cuts if cut.loops}
    found: list[ShownStep] = []
    for indices in islice(steps_of(levels, units, whole(layer)), steps):
        at = tuple(
            i
            for level, index in enumerate(indices)
            for i, directive in zip(index, levels[level], strict=True)
            if (level, directive.dim) in loops
        )
        held = [_held(layer, units, pe, pe_chunks(layer, mapped.mapping, units, indices, pe)) for pe in pes]
        found.append(ShownStep(at, tuple(held)))
    return tuple(found)


def _first_units(nest: LoopNest, levels: int, most: int) -> list[int]:
    """Of each level so many units that they make at most `most` PEs, as evenly as the units that work allow."""
    working = [prod(cut.units for cut in nest.cuts if cut.level == level) for level in range(levels)]
    taken = [1] * levels
    grows = True
    while grows:
        grows = False
        for level in reversed(range(levels)):
            if taken[level] < working[level] and prod(taken) // taken[level] * (taken[level] + 1) <= most:
                taken[level] += 1
                grows = True
    return taken


def _held(layer: Layer, units: Sequence[int], pe: tuple[int, ...], chunks: Chunks) -> PeAtStep:
    number = 0
    for count, unit in zip(units, pe, strict=True):
        number = number * count + unit
    return PeAtStep(number, pe, not all(chunks), {tensor.label: _part(layer, tensor, chunks) for tensor in Tensor})


def _part(layer: Layer, tensor: Tensor, chunks: Chunks) -> Part | None:
    lengths = [len(chunk) for chunk in chunks]
    if not all(length for dim, length in zip(Dim, lengths, strict=True) if TOUCHES[tensor, dim]):
        return None
    shape = shape_of(layer, tensor, lengths)
    starts = [chunks[dim].start for dim in AXES[tensor]]
    if tensor is Tensor.INPUT:
        for axis, tap, stride, dilation in zip((3, 4), (Dim.R, Dim.S), layer.stride, layer.dilation, strict=True):
            starts[axis] = starts[axis] * stride + chunks[tap].start * dilation
    axes: dict[str, tuple[int, ...]] = {}
    for name, start, size, step in zip(axis_names(tensor), starts, shape.sizes, shape.steps, strict=True):
        axes[name] = (start, start + (size - 1) * step, *([step] if step > 1 and size > 1 else []))
    return Part(axes, tile_words(layer, tensor, [max(length, 1) for length in lengths]))  # 0 where an idle PE lacks another dim
