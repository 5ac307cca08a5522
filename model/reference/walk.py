"""The walk over every time step of a mapping, with plain sets (sections 1, 2, 4 and 5 of the cost model's page)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import InputError
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.sparsity import Level
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

# Visits of a PE in a step, plus MACs: the sets that are built grow with both. About half a minute at the limit.
WALK_LIMIT = 2_000_000

_OPERANDS = (Tensor.WEIGHT, Tensor.INPUT)

Chunks = tuple[range, ...]
"""A chunk of each dim, in the order of `Dim`."""

Elements = frozenset[tuple[int, ...]]
"""Tensor elements, by their coordinates."""


class Known(Protocol):
    """What masks tell."""

    def to_do(self, chunks: Chunks) -> int:
        """The MACs of chunks that take time."""
        ...

    def bits(self, level: Level, tensor: Tensor, words: Elements) -> Fraction:
        """The bits of words of W or I in their format at a level."""
        ...


Bits = dict[tuple[Level, Tensor], Fraction]
"""Bits of words of W and I, in their formats at each level."""

Indices = tuple[tuple[int, ...], ...]
"""The index of each loop in a step: one tuple a level, one index a directive."""


# --- Sections 1 and 2: which elements, which chunks, which steps


def ceil_of(a: int, b: int) -> int:
    """⌈a / b⌉."""
    return -(-a // b)


@lru_cache(maxsize=1024)
def _window(outputs: range, taps: range, stride: int, dilation: int) -> frozenset[int]:
    return frozenset(stride * output + dilation * tap for output in outputs for tap in taps)


@lru_cache(maxsize=1024)
def _product(*axes: range | frozenset[int]) -> Elements:
    return frozenset(product(*axes))


def elements(layer: Layer, tensor: Tensor, chunks: Chunks) -> Elements:
    """The elements of a tensor that the chunks name; none where a chunk of the tensor's own dims is empty."""
    g, n, k, c, r, s, y, x = chunks
    match tensor:
        case Tensor.WEIGHT:
            return _product(g, k, c, r, s)
        case Tensor.INPUT:
            rows = _window(y, r, layer.stride[0], layer.dilation[0])
            columns = _window(x, s, layer.stride[1], layer.dilation[1])
            return _product(n, g, c, rows, columns)
        case Tensor.OUTPUT:
            return _product(n, g, k, y, x)


def whole(layer: Layer) -> Chunks:
    return tuple(range(extent) for extent in layer.extents)


def trips(directive: Directive, tile: range, units: int) -> int:
    """Steps that a loop takes over a tile."""
    chunks = ceil_of(len(tile), directive.size)
    return ceil_of(chunks, units) if directive.kind is MapKind.SPATIAL else chunks


def _hand_out(level: tuple[Directive, ...], tile: Chunks, index: tuple[int, ...], units: int, unit: int) -> Chunks:
    """What one unit of a level gets of the tile of the level above, its loops standing at `index`."""
    chunks = list(tile)
    for directive, i in zip(level, index, strict=True):
        chunk = i * units + unit if directive.kind is MapKind.SPATIAL else i
        # A range slices to where it ends: an edge chunk is short, and one past the end is empty.
        chunks[directive.dim] = tile[directive.dim][chunk * directive.size : (chunk + 1) * directive.size]
    return tuple(chunks)


def _indices(counts: list[int]) -> Iterator[tuple[int, ...]]:
    """All combinations of indices below these counts, in order; unlike `product` it holds none of them."""
    if not counts:
        yield ()
        return
    for index in range(counts[0]):
        for inner in _indices(counts[1:]):
            yield (index, *inner)


def steps_of(levels: tuple[tuple[Directive, ...], ...], units: tuple[int, ...], tile: Chunks) -> Iterator[Indices]:
    """Every step of the nest in order; `tile` is what unit 0 of the level above was handed, which sets the trip counts."""
    if not levels:
        yield ()
        return
    level = levels[0]
    for index in _indices([trips(directive, tile[directive.dim], units[0]) for directive in level]):
        for inner in steps_of(levels[1:], units[1:], _hand_out(level, tile, index, units[0], 0)):
            yield (index, *inner)


def pe_chunks(layer: Layer, mapping: Mapping, units: tuple[int, ...], indices: Indices, pe: tuple[int, ...]) -> Chunks:
    """The chunks of one PE, given by its unit at each level, in one step."""
    chunks = whole(layer)
    for level, index, count, unit in zip(mapping.levels, indices, units, pe, strict=True):
        chunks = _hand_out(level, chunks, index, count, unit)
    return chunks


def check_length(layer: Layer, mapping: Mapping, units: tuple[int, ...]) -> None:
    """Refuse a walk above WALK_LIMIT; steps are counted as though no chunk were an edge chunk, so at least as many."""
    tile = list(whole(layer))
    visits = prod(units)
    for level, count in zip(mapping.levels, units, strict=True):
        for directive in level:
            visits *= trips(directive, tile[directive.dim], count)
            tile[directive.dim] = tile[directive.dim][: directive.size]
    if visits + layer.macs > WALK_LIMIT:
        raise InputError(
            f"layer {layer.name}: the simulator walks at most {WALK_LIMIT} steps x PEs + MACs, got {visits} + {layer.macs}; "
            "use the model 'exact' instead"
        )


# --- Sections 4 and 5: the walk


@dataclass(frozen=True, slots=True)
class Step:
    """What one step does.

    lengths: of PE 0's chunks; words: of W and I that it holds.
    tiles: of W and I, by their chunks, that active PEs hold.
    entrances: distinct words, per tensor, that some active PE needs and did not hold in the step before.
    fills: words, per tensor, that the active PEs receive, counted at each PE.
    first: whether every reduction loop stands at index 0, so that the outputs start at zero.
    to_do: MACs that take time, of the PE that has the most, if masks tell them.
    entered_bits, fill_bits: of the entrances and fills of W and I, likewise.
    """

    lengths: tuple[int, ...]
    words: tuple[int, ...]
    tiles: tuple[int, ...]
    entrances: tuple[int, ...]
    fills: tuple[int, ...]
    first: bool
    to_do: int | None
    entered_bits: Bits | None
    fill_bits: Bits | None


def walk(layer: Layer, mapping: Mapping, units: tuple[int, ...], known: Known | None = None) -> tuple[list[Step], list[int]]:
    """All steps, and the most words of each tensor that a PE ever holds."""
    pes = list(product(*(range(count) for count in units)))
    held: dict[tuple[int, ...], list[Elements]] = {pe: [frozenset()] * len(Tensor) for pe in pes}
    most = [0] * len(Tensor)
    times_done = np.zeros(layer.extents, np.int64)
    steps: list[Step] = []
    for indices in steps_of(mapping.levels, units, whole(layer)):
        entrances: list[set[tuple[int, ...]]] = [set() for _ in Tensor]
        fills = [0] * len(Tensor)
        fill_bits = {(level, tensor): Fraction() for level in Level for tensor in _OPERANDS}
        tiles: list[set[Chunks]] = [set() for _ in _OPERANDS]
        busiest = 0
        for pe in pes:
            chunks = pe_chunks(layer, mapping, units, indices, pe)
            active = all(chunks)
            for tensor in Tensor:
                holds = elements(layer, tensor, chunks)
                if active:
                    received = holds - held[pe][tensor]
                    entrances[tensor] |= received
                    fills[tensor] += len(received)
                    if known is not None and tensor in _OPERANDS:
                        for level in Level:
                            fill_bits[level, tensor] += known.bits(level, tensor, received)
                held[pe][tensor] = holds
                most[tensor] = max(most[tensor], len(holds))
            for tensor in _OPERANDS if active else ():
                tiles[tensor].add(tuple(chunks[dim] for dim in Dim if TOUCHES[tensor, dim]))
            busiest = max(busiest, known.to_do(chunks) if known else 0)
            times_done[tuple(slice(chunk.start, chunk.stop) for chunk in chunks)] += 1
        lengths = tuple(len(chunk) for chunk in pe_chunks(layer, mapping, units, indices, pes[0]))
        words = tuple(len(held[pes[0]][tensor]) for tensor in _OPERANDS)
        of_step = (words, tuple(map(len, tiles)), tuple(map(len, entrances)), tuple(fills))
        at_0 = _reduction_stands_at_0(mapping, indices)
        if known is None:
            steps.append(Step(lengths, *of_step, at_0, None, None, None))
        else:
            entered = {(level, t): known.bits(level, t, frozenset(entrances[t])) for level in Level for t in _OPERANDS}
            steps.append(Step(lengths, *of_step, at_0, busiest, entered, fill_bits))
    _assert_each_once(layer, times_done)
    return steps, most


def _assert_each_once(layer: Layer, times_done: NDArray[np.int64]) -> None:
    if not (times_done == 1).all():
        raise AssertionError(
            f"layer {layer.name}: each MAC must be done exactly once, got {times_done.min()} to {times_done.max()} times"
        )


def _reduction_stands_at_0(mapping: Mapping, indices: Indices) -> bool:
    return all(
        i == 0
        for level, index in zip(mapping.levels, indices, strict=True)
        for directive, i in zip(level, index, strict=True)
        if directive.dim in (Dim.C, Dim.R, Dim.S)
    )
