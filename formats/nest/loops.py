"""The loops of a mapping and the calls within them, in terms that Python and C share: names, calls, + and *.

A range is the indices of one dim from a start to before a stop; `whole`, `chunk` and `trips` are functions on ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.nest.buffers import Shape, footprint, l2_depths, shape_of
from mapsearch.model.hardware import Hardware, Residency
from mapsearch.model.mapping import Directive, MapKind
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


@dataclass(frozen=True, slots=True)
class _Cut:
    """A directive that cuts its tiles into more than one chunk.

    units: those that ever get a chunk; 1 where it is temporal. loops: whether its loop iterates. lengths: of unit 0's tiles.
    """

    level: int
    directive: Directive
    units: int
    loops: bool
    lengths: frozenset[int]

    @property
    def dim(self) -> Dim:
        return self.directive.dim

    @property
    def size(self) -> str:
        return f"{self.dim.name}_{self.level}"

    @property
    def index(self) -> str:
        return f"{self.dim.name.lower()}{self.level}"

    @property
    def units_name(self) -> str:
        return f"UNITS_{self.level}"

    @property
    def span(self) -> str:
        """The chunk of all units together."""
        return self.size if self.units == 1 else f"{self.size} * {self.units_name}"

    def number(self, unit: str) -> str:
        """Which chunk a unit has; unit: "" for unit 0."""
        if self.units == 1:
            return self.index if self.loops else "0"
        parts = [f"{self.index} * {self.units_name}"] if self.loops else []
        return " + ".join([*parts, *([unit] if unit else [])]) or "0"


def nest_of(mapped: MappedLayer, hardware: Hardware) -> Nest:
    """The nest of a legal mapping that fits; MappingError, with file and line where known, where it is not."""
    mapped.check(hardware.shape)
    layer = mapped.layer
    cuts = _cuts(mapped, hardware)
    units = [cut for cut in cuts if cut.units > 1]
    spans = [(cut.dim, cut.directive.size * cut.units) for cut in cuts if cut.level == 0 and cut.loops]
    depths = l2_depths(mapped, hardware, spans)
    tile = list(layer.extents)
    for cut in cuts:
        tile[cut.dim] = cut.directive.size
    kept = [shape_of(layer, tensor, footprint(layer, spans, depths[tensor])) for tensor in Tensor]
    return Nest(
        constants={cut.units_name: cut.units for cut in units} | {cut.size: cut.directive.size for cut in cuts},
        body=_temporal(cuts, _changes(cuts, depths, hardware), _spatial(cuts, units)),
        l2=tuple(None if hardware.l2.bypass[tensor] else kept[tensor] for tensor in Tensor),
        l1=tuple(shape_of(layer, tensor, tile) for tensor in Tensor),
        pes=prod(cut.units for cut in units),
    )


def _cuts(mapped: MappedLayer, hardware: Hardware) -> list[_Cut]:
    """The directives that cut, outermost first."""
    lengths = [frozenset({extent}) for extent in mapped.layer.extents]
    found: list[_Cut] = []
    for level, units in enumerate(mapped.mapping.units(hardware.shape)):
        for directive in mapped.mapping.levels[level]:
            longest = max(lengths[directive.dim])
            if directive.size < longest:
                share = min(units, -(-longest // directive.size)) if directive.kind is MapKind.SPATIAL else 1
                span = directive.size * share
                found.append(_Cut(level, directive, share, span < longest, lengths[directive.dim]))
                # Unit 0 has whole chunks, but for the last one of a tile.
                lasts = {min((length - 1) % span + 1, directive.size) for length in lengths[directive.dim]}
                lengths[directive.dim] = frozenset(lasts | {min(length, directive.size) for length in lengths[directive.dim]})
    return found


def _range(cuts: Sequence[_Cut], dim: Dim, *, each: bool) -> str:
    """The range of a dim after these cuts, on each unit or else on unit 0."""
    text = f"whole({dim.name})"
    for cut in cuts:
        if cut.dim == dim:
            text = f"chunk({text}, {cut.size}, {cut.number(f'u{cut.level}' if each else '')})"
    return text


def _temporal(cuts: Sequence[_Cut], changes: Sequence[Body], inner: Body) -> Body:
    """The loops over time around what happens in a step; changes: at each depth of level 0, what the L2 does there."""
    loops = [cut for cut in cuts if cut.loops]
    body = inner
    for place in range(len(loops), -1, -1):
        if place < len(changes):
            body = (*changes[place], *body)
        if place:
            cut = loops[place - 1]
            body = (Loop(cut.index, _trips(cuts, cut), f"level {cut.level}: {cut.directive.text}", body),)
    return body


def _trips(cuts: Sequence[_Cut], cut: _Cut) -> str:
    span = cut.directive.size * cut.units
    counts = {-(-length // span) for length in cut.lengths}
    if len(counts) == 1:
        return str(counts.pop())
    return f"trips({_range(cuts[: cuts.index(cut)], cut.dim, each=False)}, {cut.span})"


def _changes(cuts: Sequence[_Cut], depths: Sequence[int], hardware: Hardware) -> list[Body]:
    """At each depth of level 0, the calls that change the L2's tiles."""
    outer = [cut for cut in cuts if cut.level == 0 and cut.loops]
    changes: list[Body] = []
    for depth in range(len(outer) + 1):
        body: Body = ()
        for tensor in Tensor:
            if depths[tensor] == depth and not hardware.l2.bypass[tensor]:
                body = (*body, *_change(outer[:depth], tensor, hardware))
        changes.append(body)
    return changes


def _change(still: Sequence[_Cut], tensor: Tensor, hardware: Hardware) -> Body:
    spans = {cut.dim: f"chunk(whole({cut.dim.name}), {cut.span}, {cut.index})" for cut in still}
    name = tensor.label
    tile = f"{name}_tile({', '.join(spans.get(dim, f'whole({dim.name})') for dim in _TILE[tensor])})"
    if tensor is Tensor.OUTPUT:
        return (Note("The L2's outputs."), Call(f"exchange_outputs(l1, l2, {tile}, memory, step)"))
    anew = hardware.l2.residency is Residency.NONE
    forget = (Call(f"forget(l2.{name})"),) if anew else ()
    return (Note(f"The L2's {name}s."), *forget, Call(f"fill(l2.{name}, {tile}, memory.{name}, step)"))


def _spatial(cuts: Sequence[_Cut], units: Sequence[_Cut]) -> Body:
    """One step: the loops over units, and the work of a PE in them."""
    dims = {cut.dim for cut in cuts}
    ranges = tuple(Call(_range(cuts, dim, each=True), dim.name.lower()) for dim in Dim if dim in dims)
    names = ", ".join(dim.name.lower() if dim in dims else f"whole({dim.name})" for dim in Dim)
    body: Body = (*ranges, Call(f"work(l1[{_pe(units)}], l2, step, {names})"))
    for cut in reversed(units):
        body = (Loop(f"u{cut.level}", cut.units_name, f"parallel: level {cut.level}: {cut.directive.text}", body),)
    return (*body, Call("step += 1"))


def _pe(units: Sequence[_Cut]) -> str:
    """The number of a PE among those that work."""
    text = ""
    for cut in units:
        text = f"{f'({text})' if ' + ' in text else text} * {cut.units_name} + u{cut.level}" if text else f"u{cut.level}"
    return text or "0"
