"""The steps of a mapping in NumPy: for each group of dims a table of its chunks, and which steps they make together.

Section numbers are those of docs/cost_model.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Run
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The role of a loop in a carry: it stands still, advances, goes from its last index to 0, or its dim is not divided up.
OUTER, OWN, INNER, WHOLE = range(4)

# The groups of dims that every sum over steps splits into: alone, or output rows (columns) with the taps that slide under them.
GROUPS = ((Dim.G,), (Dim.N,), (Dim.K,), (Dim.C,), (Dim.Y, Dim.R), (Dim.X, Dim.S))
HAS = TOUCHES.T  # [dim, tensor]

# Rows of a table, of which each column is a class of steps: number of steps, MACs of unit 0, 1 where the reduction loops stand at
# 0, then the factors of U and of V (section 5), each of the entrances of W, I, O and of the fills of W, I, O. Then of W and of I:
# words of unit 0, tiles of active PEs. Then the lengths of unit 0's chunks.
STEPS, MACS, AT_ZERO = range(3)
U, V = slice(3, 9), slice(9, 15)
HELD, TILES, LENGTHS = slice(15, 17), slice(17, 19), slice(19, 27)
ROWS = 27
ENTRANCES, FILLS = slice(0, 3), slice(3, 6)


@dataclass(frozen=True, slots=True)
class Chunks:
    """The chunks of one dim in n classes of steps, on each of its units.

    steps:          int64[n]
    moved, at_zero: bool[n]             whether a loop of the dim moved; whether all of them stand at index 0
    start, end:     int64[2, n, units]  in the new and in the old step
    """

    steps: Ints
    moved: Bools
    at_zero: Bools
    start: Ints
    end: Ints

    def hand_out(self, index: Ints, size: int, share: int) -> Chunks:
        """The chunks that `share` units of the next level get of each chunk, its loop standing at index [2, n] (new, old)."""
        offset = (index[:, :, None] * share + np.arange(share)) * size
        first = self.start[..., None] + offset[:, :, None, :]
        return Chunks(
            self.steps,
            self.moved | (index[0] != index[1]),
            self.at_zero & (index[0] == 0),
            np.minimum(first, self.end[..., None]).reshape(*index.shape, -1),
            np.minimum(first + size, self.end[..., None]).reshape(*index.shape, -1),
        )


def expand(chunks: Chunks, role: int, size: int, share: int, *, each: bool) -> Chunks:
    """The classes of the next level: those steps of a class are alike in which each unit's chunk is full, at its edge, or empty.

    each: whether each step is a class of its own.
    """
    if role == INNER:
        last = (chunks.end[1, :, 0] - chunks.start[1, :, 0] - 1) // (size * share)
        return chunks.hand_out(np.stack([np.zeros_like(last), last]), size, share)
    own = int(role == OWN)
    tile = chunks.end[0] - chunks.start[0]
    edge = tile // (size * share)
    trips = -(-tile[:, :1] // (size * share))
    # Index 0 is apart, for the reduction loops that stand there; merging brings it back where that makes no difference.
    every: Ints = np.arange(int(trips.max()) + 1) + trips * 0
    ends = every if each else np.hstack([trips * 0, trips * 0 + 1, edge, edge + 1, trips])
    bounds = np.sort(np.clip(ends, own, np.maximum(trips, own)), axis=1)
    steps = np.diff(bounds, axis=1)
    picks, places = np.nonzero(steps)
    new = bounds[picks, places]
    alike = chunks.steps[picks] * steps[picks, places]
    split = Chunks(alike, chunks.moved[picks], chunks.at_zero[picks], chunks.start[:, picks], chunks.end[:, picks])
    return split.hand_out(np.stack([new, new - own]), size, share)


def carries(roles: Ints, loops: list[tuple[int, int]]) -> Iterator[Ints]:
    """The roles [8, levels] of the first step, which are given and then changed, and those of each loop's carry."""
    yield roles
    for level, dim in loops:
        roles[dim, level] = OWN
        yield roles
        roles[dim, level] = OUTER


@dataclass(frozen=True, slots=True)
class Nest:
    """Loops over a layer's dims. sizes, shares: [levels][8] chunk size, and units that a dim is shared out over at a level.

    each: whether each step of a group is a class of its own, in the order of its chunks.
    """

    layer: Layer
    run: Run | None
    sizes: list[list[int]]
    shares: list[list[int]]
    each: bool = False
    known_dims: dict[tuple[Dim, bytes], tuple[Chunks, Ints]] = field(default_factory=dict[tuple[Dim, bytes], tuple[Chunks, Ints]])
    known_groups: dict[tuple[Dim, bytes], Ints] = field(default_factory=dict[tuple[Dim, bytes], Ints])

    def groups(self, roles: Ints) -> list[Ints]:
        """The tables of the six groups in a carry with these roles [8, levels]."""
        return [self._group(group, roles[list(group)]) for group in GROUPS]

    def _group(self, group: tuple[Dim, ...], roles: Ints) -> Ints:
        key = (group[0], roles.tobytes())
        if key not in self.known_groups:
            parts = [self.dim(dim, dim_roles) for dim, dim_roles in zip(group, roles, strict=True)]
            table = parts[0][1] if len(parts) == 1 else _sliding(self.layer, group, *parts)
            self.known_groups[key] = table if self.each else merged(table)
        return self.known_groups[key]

    def dim(self, dim: Dim, roles: Ints) -> tuple[Chunks, Ints]:
        """The chunks of a dim and its table."""
        key = (dim, roles.tobytes())
        if key not in self.known_dims:
            tile = self.layer.extents[dim]
            start = np.zeros((2, 1, 1), np.int64)
            chunks = Chunks(np.ones(1, np.int64), np.zeros(1, bool), np.ones(1, bool), start, start + tile)
            for role, sizes, shares in zip(roles.tolist(), self.sizes, self.shares, strict=True):
                if role != WHOLE and sizes[dim] < tile:
                    chunks = expand(chunks, role, sizes[dim], shares[dim], each=self.each)
                    tile = sizes[dim]
            self.known_dims[key] = chunks, _lone(dim, chunks, self.run)
        return self.known_dims[key]


def _lone(dim: Dim, chunks: Chunks, run: Run | None) -> Ints:
    """The table of a dim on its own (section 5)."""
    length = chunks.end[0] - chunks.start[0]
    table = np.ones((ROWS, len(chunks.steps)), np.int64)
    table[STEPS], table[MACS] = chunks.steps, length[:, 0] if run is None or dim != run.dim else _busy(length[:, 0], run)
    if not HAS[dim, Tensor.OUTPUT]:  # a reduction dim
        table[AT_ZERO] = chunks.at_zero
    has: Bools = HAS[dim, :, None]
    covered, active = length.sum(axis=1), np.count_nonzero(length, axis=1)
    table[U][ENTRANCES] = np.where(has, covered, 1)
    table[U][FILLS] = np.where(has, covered, active)  # where the tensor lacks the dim, each active unit has a copy
    table[V] = np.where(np.tile(has, (2, 1)) & chunks.moved, 0, table[U])
    table[HELD], table[TILES] = np.where(has[:2], length[:, 0], 1), np.where(has[:2], active, 1)
    table[LENGTHS][dim] = length[:, 0]
    return table


def _busy(length: Ints, run: Run) -> Ints:
    """As many indices as take the time that the runs of so many do (section 7)."""
    rest = length % run.longest
    return length - rest + np.where(rest > 0, np.maximum(rest, run.least), 0)


def _sliding(layer: Layer, group: tuple[Dim, ...], outputs: tuple[Chunks, Ints], taps: tuple[Chunks, Ints]) -> Ints:
    """The table of a pair of dims whose windows may overlap (section 5)."""
    lead, slide = group
    stride, dilation = layer.stride[lead - Dim.Y], layer.dilation[lead - Dim.Y]
    common = gcd(stride, dilation)
    table = product_of([outputs[1], taps[1]])
    if layer.extents[lead] > dilation // common and layer.extents[slide] > stride // common:  # else no two windows meet
        held = windows(indices(outputs[0], layer.extents[lead]), indices(taps[0], layer.extents[slide]), stride, dilation)
        union, fresh = _count(held[0]), _count(held[0] & ~held[1])
        table[U][[Tensor.INPUT, 3 + Tensor.INPUT]] = union
        table[V][[Tensor.INPUT, 3 + Tensor.INPUT]] = union - fresh
        table[HELD][Tensor.INPUT] = held[0, :, :, 0, 0].sum(axis=-1).ravel()
    return table


def indices(chunks: Chunks, extent: int) -> Bools:
    """bool[2, n, units, extent]: which indices of the dim each chunk has."""
    return (chunks.start[..., None] <= np.arange(extent)) & (np.arange(extent) < chunks.end[..., None])


def windows(outputs: Bools, taps: Bools, stride: int, dilation: int) -> Bools:
    """bool[2, classes of outputs, classes of taps, units of outputs, units of taps, coordinates]: what each pair of units holds."""
    outputs, taps = outputs[:, :, None, :, None], taps[:, None, :, None, :]
    reach = (outputs.shape[-1] - 1) * stride + 1
    shape = np.broadcast_shapes(outputs.shape[:-1], taps.shape[:-1])
    held = np.zeros((*shape, reach + (taps.shape[-1] - 1) * dilation), bool)
    for tap in range(taps.shape[-1]):
        held[..., tap * dilation : tap * dilation + reach : stride] |= outputs & taps[..., tap, None]
    return held


def _count(held: Bools) -> Ints:
    """int64[2, classes]: coordinates that some pair of units holds, and the same counted at each pair."""
    return np.stack([held.any(axis=(2, 3)).sum(axis=-1), held.sum(axis=(2, 3, 4))]).reshape(2, -1)


def product_of(tables: list[Ints]) -> Ints:
    """Every combination of the classes of some tables: all rows are products."""
    product = tables[0]
    for table in tables[1:]:
        product = (product[:, :, None] * table[:, None, :]).reshape(ROWS, -1)
    return product


def merged(table: Ints) -> Ints:
    """The table with classes that differ in nothing but their steps put together."""
    if table.shape[1] < 2:
        return table
    merged = Counter[tuple[int, ...]]()
    for steps, *factors in table.T.tolist():
        merged[tuple(factors)] += steps
    return np.array([(steps, *factors) for factors, steps in merged.items()]).T
