"""The loop nest of a mapping: per level its loops, what is shared out over units, and the tiles that L2 and L1 hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import ClassVar

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.nest.buffers import counts_of, shape_of, tile_words
from mapsearch.formats.nest.loop_nest import Cut, loop_nest
from mapsearch.model.cost import Count
from mapsearch.model.errors import InputError, did_you_mean, show
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.plain import Plain
from mapsearch.model.tensors import TOUCHES, Dim, Tensor
from mapsearch.studies.evaluate import HardwareSource, load_mapped
from mapsearch.studies.show.steps import ShownStep, axis_names, first_steps

_WHOLE = (Count.STEPS, Count.L1_NEED_BYTES, Count.L2_NEED_BYTES)
_DEPTHS = (Count.L2_DEPTH_W, Count.L2_DEPTH_I, Count.L2_DEPTH_O)
_L1_NEEDS = (Count.L1_NEED_W, Count.L1_NEED_I, Count.L1_NEED_O)
_L2_NEEDS = (Count.L2_NEED_W, Count.L2_NEED_I, Count.L2_NEED_O)


@dataclass(frozen=True, slots=True)
class ShownLoop(Plain):
    """A directive that cuts its tiles into several chunks.

    trips: of its loop over time, 1 where all chunks are worked on at once; last_trips: of the tile at the end of the dim. units:
    that share its chunks, 1 where it is temporal. chunk, last_chunk: indices in a full chunk, and in the one at the end of the dim.
    """

    level: int
    directive: str
    dim: str
    trips: int
    last_trips: int
    units: int
    chunk: int
    last_chunk: int


@dataclass(frozen=True, slots=True)
class ShownTile(Plain):
    """The largest tile of a tensor in a buffer.

    axes: its length along each of the tensor's axes; Y and X are the input's rows and columns. bytes: that it takes, double
    buffering included. depth: how many loops over time, outermost first, stand still while the buffer keeps the tile.
    """

    axes: Mapping[str, int]
    words: int
    bytes: int
    depth: int


@dataclass(frozen=True, slots=True)
class ShownTensor(Plain):
    """A tensor: all its words, and its tiles in the L2 (None where it passes the L2 by) and in the L1 of a PE."""

    words: int
    l2: ShownTile | None
    l1: ShownTile


@dataclass(frozen=True, slots=True)
class ShownNest(Plain):
    """A mapping on a machine.

    dims: the layer's extents, of those above 1. units: of each level. working_pes: those that ever get a chunk. pe_dims: the
    indices that a PE works on in a step, of the dims that have more than one. l1_bytes, l2_bytes: that the mapping needs.
    first_steps: what the PEs hold in the first steps, or None where it is not asked for.
    """

    layer: str
    type: str
    hardware: str
    dims: Mapping[str, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    macs: int
    steps: int
    pes: int
    working_pes: int
    units: tuple[int, ...]
    loops: tuple[ShownLoop, ...]
    pe_dims: Mapping[str, int]
    tensors: Mapping[str, ShownTensor]
    l1_bytes: int
    l2_bytes: int
    first_steps: tuple[ShownStep, ...] | None = field(default=None)

    optional: ClassVar[frozenset[str]] = frozenset({"first_steps"})

    @property
    def over_time(self) -> list[ShownLoop]:
        """The loops over time, outermost first."""
        return [loop for loop in self.loops if loop.trips > 1]


def shown_layers(source: Path, layer: str | None = None, hardware: HardwareSource | None = None, steps: int = 0) -> list[ShownNest]:
    """The nests of the layers of a mapping file or of a run, or of one of them, with so many first steps each.

    layer: its name, or its number from 1. hardware: see `load_mapped`. Raises InputError where there is no such layer.
    """
    network, machine = load_mapped(source, hardware)
    return [shown_nest(mapped, machine, steps) for mapped in _asked_for(network.layers, layer, source)]


def _asked_for(layers: Sequence[MappedLayer], layer: str | None, source: Path) -> Sequence[MappedLayer]:
    if layer is None:
        return layers
    named = [mapped for mapped in layers if mapped.layer.name == layer]
    if not named and layer.isdecimal() and 1 <= int(layer) <= len(layers):
        return [layers[int(layer) - 1]]
    if not named:
        names = [mapped.layer.name for mapped in layers]
        raise InputError(
            f"{source}: layer must be the name of one of its {len(layers)} layers, or a number from 1 to {len(layers)}, "
            f"got {show(layer)}{did_you_mean(layer, names)}"
        )
    return named


def shown_nest(mapped: MappedLayer, hardware: Hardware, steps: int = 0) -> ShownNest:
    """The nest of a mapping, with so many first steps; MappingError, with file and line where known, where it does not fit."""
    layer, nest = mapped.layer, loop_nest(mapped, hardware.shape)
    every = counts_of(nest, hardware, (*_WHOLE, *_DEPTHS, *_L1_NEEDS, *_L2_NEEDS))
    (count, l1, l2), depths, l1_needs, l2_needs = every[:3], every[3:6], every[6:9], every[9:]
    loops = [cut for cut in nest.cuts if cut.loops]
    tensors: dict[str, ShownTensor] = {}
    for tensor in Tensor:
        kept = _tile(layer, tensor, nest.footprint(depths[tensor]), l2_needs[tensor], depths[tensor])
        held = _tile(layer, tensor, nest.tile, l1_needs[tensor], len(loops) - _still(loops, tensor))
        tensors[tensor.label] = ShownTensor(layer.words(tensor), None if hardware.l2.bypass[tensor] else kept, held)
    return ShownNest(
        layer=layer.name,
        type=str(layer.type),
        hardware=hardware.name,
        dims=_of_dims(layer.extents),
        stride=layer.stride,
        dilation=layer.dilation,
        macs=layer.macs,
        steps=count,
        pes=hardware.pes,
        working_pes=nest.pes,
        units=mapped.mapping.units(hardware.shape),
        loops=tuple(map(_loop, nest.cuts)),
        pe_dims=_of_dims(nest.tile),
        tensors=tensors,
        l1_bytes=l1,
        l2_bytes=l2,
        first_steps=first_steps(nest, hardware, steps) if steps else None,
    )


def _loop(cut: Cut) -> ShownLoop:
    return ShownLoop(cut.level, cut.directive.text, cut.dim.label, cut.trips, cut.last_trips, cut.units, cut.chunk, cut.last_chunk)


def _of_dims(lengths: Sequence[int]) -> dict[str, int]:
    return {dim.label: length for dim, length in zip(Dim, lengths, strict=True) if length > 1}


def _tile(layer: Layer, tensor: Tensor, lengths: Sequence[int], need: int, depth: int) -> ShownTile:
    shape = shape_of(layer, tensor, lengths)
    spans = [(size - 1) * step + 1 for size, step in zip(shape.sizes, shape.steps, strict=True)]
    axes = dict(zip(axis_names(tensor), spans, strict=True))
    return ShownTile(axes, tile_words(layer, tensor, lengths), need, depth)


def _still(loops: Sequence[Cut], tensor: Tensor) -> int:
    """How many loops, innermost first, leave a PE's tile of a tensor where it is."""
    return sum(1 for _ in takewhile(lambda cut: not TOUCHES[tensor, cut.dim], reversed(loops)))
