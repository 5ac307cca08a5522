"""The loops of a mapping and the calls within them, in terms that Python and C share: names, calls, + and *.

A range is the indices of one dim from a start to before a stop; `whole`, `chunk` and `trips` are functions on ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.nest.buffers import Shape, l2_depths, shape_of
from mapsearch.formats.nest.loop_nest import Cut, LoopNest, loop_nest
from mapsearch.model.hardware import Hardware, Residency
from mapsearch.model.tensors import Dim, Tensor

# The dims whose ranges make a tile of a tensor, in the order of the arguments of weight_tile, input_tile and output_tile.
_TILE = {
    Tensor.WEIGHT: (Dim.G, Dim.K, Dim.C, Dim.R, Dim.S),
    Tensor.INPUT: (Dim.N, Dim.G, Dim.C, Dim.Y, Dim.R, Dim.X, Dim.S),
    Tensor.OUTPUT: (Dim.N, Dim.G, Dim.K, Dim.Y, Dim.X),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call; `result` names the range that it gives, if it gives one."""

    text: str
    result: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on what follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of an index from 0 to before `trips`; note: a comment."""

    index: str
    trips: str
    note: str
    body: Body


Statement = Loop | Call | Note
Body = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Nest:
    """A layer's nest.

    constants: by name. l2: the shape of each tensor's part of the L2, None where the tensor passes it by. l1: likewise of each
    PE. pes: how many PEs ever work.
    """

    constants: dict[str, int]
    body: Body
    l2: tuple[Shape | None, ...]
    l1: tuple[Shape, ...]
    pes: int


def nest_of(mapped: MappedLayer, hardware: Hardware) -> Nest:
    """The nest of a legal mapping that fits; MappingError, with file and line where known, where it is not."""
    layer, nest = mapped.layer, loop_nest(mapped, hardware.shape)
    depths = l2_depths(nest, hardware)
    kept = [shape_of(layer, tensor, nest.footprint(depths[tensor])) for tensor in Tensor]
    return Nest(
        constants={_units(cut): cut.units for cut in nest.spatial} | {_size(cut): cut.chunk for cut in nest.cuts},
        body=_temporal(nest.cuts, _changes(nest.outer, depths, hardware), _spatial(nest)),
        l2=tuple(None if hardware.l2.bypass[tensor] else kept[tensor] for tensor in Tensor),
        l1=tuple(shape_of(layer, tensor, nest.tile) for tensor in Tensor),
        pes=nest.pes,
    )


def _size(cut: Cut) -> str:
    return f"{cut.dim.name}_{cut.level}"


def _index(cut: Cut) -> str:
    return f"{cut.dim.name.lower()}{cut.level}"


def _units(cut: Cut) -> str:
    return f"UNITS_{cut.level}"


def _span(cut: Cut) -> str:
    """The chunk of all units together."""
    return _size(cut) if cut.units == 1 else f"{_size(cut)} * {_units(cut)}"


def _number(cut: Cut, unit: str) -> str:
    """Which chunk a unit has; unit: "" for unit 0."""
    if cut.units == 1:
        return _index(cut) if cut.loops else "0"
    parts = [f"{_index(cut)} * {_units(cut)}"] if cut.loops else []
    return " + ".join([*parts, *([unit] if unit else [])]) or "0"


def _range(cuts: Sequence[Cut], dim: Dim, *, each: bool) -> str:
    """The range of a dim after these cuts, on each unit or else on unit 0."""
    text = f"whole({dim.name})"
    for cut in cuts:
        if cut.dim == dim:
            text = f"chunk({text}, {_size(cut)}, {_number(cut, f'u{cut.level}' if each else '')})"
    return text


def _temporal(cuts: Sequence[Cut], changes: Sequence[Body], inner: Body) -> Body:
    """The loops over time around what happens in a step; changes: at each depth of level 0, what the L2 does there."""
    loops = [cut for cut in cuts if cut.loops]
    body = inner
    for place in range(len(loops), -1, -1):
        if place < len(changes):
            body = (*changes[place], *body)
        if place:
            cut = loops[place - 1]
            body = (Loop(_index(cut), _trips(cuts, cut), cut.text, body),)
    return body


def _trips(cuts: Sequence[Cut], cut: Cut) -> str:
    counts = {-(-length // cut.span) for length in cut.lengths}
    if len(counts) == 1:
        return str(counts.pop())
    return f"trips({_range(cuts[: cuts.index(cut)], cut.dim, each=False)}, {_span(cut)})"


def _changes(outer: Sequence[Cut], depths: Sequence[int], hardware: Hardware) -> list[Body]:
    """At each depth of level 0, the calls that change the L2's tiles."""
    changes: list[Body] = []
    for depth in range(len(outer) + 1):
        body: Body = ()
        for tensor in Tensor:
            if depths[tensor] == depth and not hardware.l2.bypass[tensor]:
                body = (*body, *_change(outer[:depth], tensor, hardware))
        changes.append(body)
    return changes


def _change(still: Sequence[Cut], tensor: Tensor, hardware: Hardware) -> Body:
    spans = {cut.dim: f"chunk(whole({cut.dim.name}), {_span(cut)}, {_index(cut)})" for cut in still}
    name = tensor.label
    tile = f"{name}_tile({', '.join(spans.get(dim, f'whole({dim.name})') for dim in _TILE[tensor])})"
    if tensor is Tensor.OUTPUT:
        return (Note("The L2's outputs."), Call(f"exchange_outputs(l1, l2, {tile}, memory, step)"))
    anew = hardware.l2.residency is Residency.NONE
    forget = (Call(f"forget(l2.{name})"),) if anew else ()
    return (Note(f"The L2's {name}s."), *forget, Call(f"fill(l2.{name}, {tile}, memory.{name}, step)"))


def _spatial(nest: LoopNest) -> Body:
    """One step: the loops over units, and the work of a PE in them."""
    dims = {cut.dim for cut in nest.cuts}
    ranges = tuple(Call(_range(nest.cuts, dim, each=True), dim.name.lower()) for dim in Dim if dim in dims)
    names = ", ".join(dim.name.lower() if dim in dims else f"whole({dim.name})" for dim in Dim)
    body: Body = (*ranges, Call(f"work(l1[{_pe(nest.spatial)}], l2, step, {names})"))
    for cut in reversed(nest.spatial):
        body = (Loop(f"u{cut.level}", _units(cut), f"parallel: {cut.text}", body),)
    return (*body, Call("step += 1"))


def _pe(units: Sequence[Cut]) -> str:
    """The number of a PE among those that work."""
    text = ""
    for cut in units:
        text = f"{f'({text})' if ' + ' in text else text} * {_units(cut)} + u{cut.level}" if text else f"u{cut.level}"
    return text or "0"
