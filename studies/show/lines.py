"""The loop nest of a mapping as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mapsearch.model.english import counted
from mapsearch.studies.show.nest import ShownLoop, ShownNest, ShownTile

_BAR = "│ "


class Line(NamedTuple):
    """A line of a nest: how many loops over time it stands in, its text, and the tensor that it is about, if it is about one."""

    depth: int
    text: str
    tensor: str = ""


def nest_text(nest: ShownNest) -> str:
    """The nest as lines of text, under what layer and machine they are of."""
    lines = [f"{_BAR * line.depth}{line.text}".rstrip() for line in nest_lines(nest)]
    return "\n".join([*heading(nest), "", *lines]) + "\n"


def heading(nest: ShownNest) -> list[str]:
    """The layer and its sizes, and the machine and what the mapping makes of it."""
    windows = [
        f"{word} {each[0]}" if each[0] == each[1] else f"{word} {each[0]} x {each[1]}"
        for word, each in (("stride", nest.stride), ("dilation", nest.dilation))
        if each != (1, 1)
    ]
    work = f"{counted(nest.macs, 'MAC')} in {counted(nest.steps, 'step')}"
    return [
        f"{nest.layer} ({nest.type}): {', '.join([_axes(nest.dims) or '1 MAC', *windows])}",
        f"on {nest.hardware}: {work} of {nest.working_pes:,} of {counted(nest.pes, 'PE')}",
    ]


def nest_lines(nest: ShownNest) -> Iterator[Line]:
    """The nest, outermost first: the loops of each level, and where L2 and L1 take other tiles."""
    yield Line(0, f"L2: {counted(nest.l2_bytes, 'byte')} needed; L1 of a PE: {counted(nest.l1_bytes, 'byte')}")
    yield from _l2_keeps(nest, 0)
    depth = 0
    for level, units in enumerate(nest.units):
        yield Line(depth, f"level {level}: {_units(level, units)}")
        for loop in (each for each in nest.loops if each.level == level):
            yield Line(depth, _loop(loop))
            if loop.trips > 1:
                depth += 1
                yield from _l2_keeps(nest, depth) if level == 0 else ()
    for name, tensor in nest.tensors.items():
        yield Line(depth, _keeps("L1", name, tensor.l1, nest), name)
    yield Line(depth, f"a PE's step: {_axes(nest.pe_dims) or '1 MAC'}")


def _l2_keeps(nest: ShownNest, depth: int) -> Iterator[Line]:
    """The tiles that the L2 keeps while the outermost `depth` loops stand still; at 0 also what passes it by."""
    for name, tensor in nest.tensors.items():
        if tensor.l2 is None and depth == 0:
            yield Line(0, f"{name} passes the L2 by", name)
        elif tensor.l2 is not None and tensor.l2.depth == depth:
            yield Line(depth, _keeps("L2", name, tensor.l2, nest), name)


def _units(level: int, units: int) -> str:
    number = counted(units, "unit")
    return number if level == 0 else f"{number} in each of level {level - 1}"


def _loop(loop: ShownLoop) -> str:
    """What a directive does: its trips over time, its chunks and the units that share them."""
    last = "" if loop.last_chunk == loop.chunk else f", the last {loop.last_chunk:,}"
    end = "" if loop.last_trips == loop.trips else f"; {loop.last_trips:,} in the last tile"
    if loop.units == 1:
        return f"for {loop.dim}: {loop.trips:,} trips of {loop.chunk:,}{last}{end}"
    shared = f"over {loop.units:,} units, each {loop.chunk:,}{last}"
    return f"{loop.dim} shared out {shared}" if loop.trips == 1 else f"for {loop.dim}: {loop.trips:,} trips {shared}{end}"


def _keeps(buffer: str, name: str, tile: ShownTile, nest: ShownNest) -> str:
    """A tile that a buffer keeps, and over which loops."""
    words = f"{counted(tile.words, 'word')}, {counted(tile.bytes, 'byte')}"
    axes = _axes({axis: length for axis, length in tile.axes.items() if length > 1})
    return f"{buffer} keeps {name} {f'[{axes}] ' if axes else ''}{words}{_over(tile, nest)}"


def _over(tile: ShownTile, nest: ShownNest) -> str:
    loops: Sequence[ShownLoop] = nest.over_time[tile.depth :]
    return f", stays over {' '.join(loop.dim for loop in loops)}" if loops else ""


def _axes(axes: Mapping[str, int]) -> str:
    return " ".join(f"{name} {length:,}" for name, length in axes.items())
