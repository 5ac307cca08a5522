"""What Timeloop makes of the input's words, worked out from the loops, is what its rules give when all steps and PEs are walked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import prod

from by_hand import MACHINE
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import LARGEST_LEVELS, ample

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.nest.flat import FlatLoop, mapping_of
from mapsearch.formats.nest.loop_nest import loop_nest
from mapsearch.formats.timeloop.conventions import conventions_of
from mapsearch.formats.timeloop.out import case_of
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.tensors import Dim

Tile = tuple[range, ...]  # of the eight dims
Box = frozenset[tuple[int, ...]]  # words, by their coordinates


@st.composite
def nests(draw: st.DrawFn) -> tuple[Layer, list[FlatLoop], list[int]]:
    """A layer as a list of loops, of whole factors, and a PE's tile."""
    tile = [draw(st.integers(1, 2)) for _ in Dim]
    dims = st.sampled_from((Dim.Y, Dim.X, Dim.R, Dim.S, Dim.K, Dim.C))
    loops = [FlatLoop(draw(dims), draw(st.integers(2, 3)), draw(st.booleans())) for _ in range(draw(st.integers(1, 5)))]
    g, n, k, c, r, s, y, x = (tile[dim] * prod(loop.trips for loop in loops if loop.dim is dim) for dim in Dim)
    windows = (draw(st.integers(1, 2)), draw(st.integers(1, 3))), (draw(st.integers(1, 2)), 1)
    return Layer("random", LayerType.CONV, (g, n, k, c, r, s, y, x), *windows), loops, tile


def _chunks(loops: Sequence[FlatLoop], tile: Sequence[int]) -> list[int]:
    """By how much each loop advances."""
    return [
        tile[loop.dim] * prod(each.trips for each in loops[place + 1 :] if each.dim is loop.dim) for place, loop in enumerate(loops)
    ]


def _steps(loops: Sequence[FlatLoop], tile: Sequence[int]) -> Iterator[list[Tile]]:
    """The tiles of all PEs, step by step."""
    chunks = _chunks(loops, tile)
    in_time = [range(1 if loop.spatial else loop.trips) for loop in loops]
    over_units = [range(loop.trips if loop.spatial else 1) for loop in loops]
    for step in product(*in_time):
        tiles: list[Tile] = []
        for unit in product(*over_units):
            starts = [0] * len(Dim)
            for loop, chunk, time, place in zip(loops, chunks, step, unit, strict=True):
                starts[loop.dim] += chunk * (time + place)
            tiles.append(tuple(range(start, start + length) for start, length in zip(starts, tile, strict=True)))
        yield tiles


def _box(layer: Layer, tile: Tile) -> tuple[Box, tuple[int, ...]]:
    """The words of the box around a tile of the input, and where it begins."""
    (sy, sx), (dy, dx) = layer.stride, layer.dilation
    g, n, _, c, r, s, y, x = tile
    rows = range(sy * y[0] + dy * r[0], sy * y[-1] + dy * r[-1] + 1)
    columns = range(sx * x[0] + dx * s[0], sx * x[-1] + dx * s[-1] + 1)
    axes = (n, g, c, rows, columns)
    return frozenset(product(*axes)), tuple(axis[0] for axis in axes)


def _walked(layer: Layer, steps: Iterable[Sequence[Tile]]) -> tuple[int, int]:
    """Words that come to all PEs, and those that are read for them, by Timeloop's rules."""
    fills = reads = 0
    held: list[tuple[Box, tuple[int, ...]]] = []
    directions: list[tuple[int, ...] | None] = []
    for tiles in steps:
        boxes = [_box(layer, tile) for tile in tiles]
        news: list[Box] = []
        if not held:
            news += [box for box, _ in boxes]
            directions += [None] * len(boxes)
        else:
            for pe, ((box, start), (old, before)) in enumerate(zip(boxes, held, strict=True)):
                shift = tuple(now - then for now, then in zip(start, before, strict=True))
                turned = any(shift) and directions[pe] not in (None, shift)
                news.append(box if turned else box - old)
                if any(shift):
                    directions[pe] = None if turned else shift
        fills += sum(map(len, news))
        reads += sum(map(len, set(news)))
        held = boxes
    return fills, reads


@settings(deadline=None, max_examples=150)
@given(nests())
def test_the_words_are_those_of_a_walk(nest: tuple[Layer, list[FlatLoop], list[int]]) -> None:
    """Fills, reads of one loop over units, and off-chip words are as walked; where ours differ there is a reason."""
    layer, loops, tile = nest
    mapped = MappedLayer(layer, mapping_of(layer.extents, loops, tile))
    assume(len(mapped.mapping.levels) <= LARGEST_LEVELS)
    units = prod(loop.trips for loop in loops if loop.spatial)
    case = case_of(mapped, replace(ample(MACHINE), pes=units))
    found = {figure: (words, each.because) for each in conventions_of(case) for figure, words in each.expected(case).items()}
    fills, reads = _walked(layer, _steps(loops, tile))
    assert found["l1_fill_words.input"][0] == fills
    spatial = [place for place, loop in enumerate(loops) if loop.spatial]
    if not any(not loop.spatial for loop in loops[min(spatial, default=len(loops)) :]):
        assert found["l2_to_l1_words.input"][0] == reads
    outer = [FlatLoop(cut.dim, cut.trips) for cut in case.nest.outer[: case.depths[1]]]
    offchip, _ = _walked(layer, _steps(outer, case.nest.footprint(case.depths[1])))
    assert found["offchip_read_words.input"][0] == offchip
    for figure, (words, because) in found.items():
        assert because or words == case.counts[figure], figure


@settings(deadline=None, max_examples=150)
@given(nests())
def test_a_list_of_loops_is_a_mapping(nest: tuple[Layer, list[FlatLoop], list[int]]) -> None:
    """The loops of the mapping are those of the list in its order, next loops of a dim as one, with a PE's tile inside."""
    layer, loops, tile = nest
    units = prod(loop.trips for loop in loops if loop.spatial)
    found = loop_nest(MappedLayer(layer, mapping_of(layer.extents, loops, tile)), units)
    assert list(found.imperfections()) == []
    assert list(found.tile) == tile
    assert found.pes == units
    for dim in Dim:
        for spatial in (False, True):
            given_trips = prod(loop.trips for loop in loops if loop.dim is dim and loop.spatial is spatial)
            assert given_trips == prod(cut.units if spatial else cut.trips for cut in found.cuts if cut.dim is dim)
    in_time = [loop.dim for loop in loops if not loop.spatial]
    kept = [dim for place, dim in enumerate(in_time) if place == 0 or in_time[place - 1] is not dim]
    assert _joined([cut.dim for cut in found.cuts if cut.loops]) == _joined(kept)


def _joined(dims: Sequence[Dim]) -> list[Dim]:
    return [dim for place, dim in enumerate(dims) if place == 0 or dims[place - 1] is not dim]
