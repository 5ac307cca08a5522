"""The cost model in plain NumPy: what the compiled model's speed is measured against.

It follows the closed form of docs/cost_model.md with arrays over the classes of steps, one mapping after the other. All counts
are exact, so the comparison is of equal work; no user selects it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import gcd, prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import COUNTS, Count, Fit, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Residency, Run, Width, ratio
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.model.reference.zeros import part_left
from mapsearch.model.sparsity import DENSE, Level
from mapsearch.model.tensors import TOUCHES, Dim, Tensor
from mapsearch.model.word_bits import PARTS, bytes_of_tensors, room_bits, word_bits

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
class _Chunks:
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

    def hand_out(self, index: Ints, size: int, share: int) -> _Chunks:
        """The chunks that `share` units of the next level get of each chunk, its loop standing at index [2, n] (new, old)."""
        offset = (index[:, :, None] * share + np.arange(share)) * size
        first = self.start[..., None] + offset[:, :, None, :]
        return _Chunks(
            self.steps,
            self.moved | (index[0] != index[1]),
            self.at_zero & (index[0] == 0),
            np.minimum(first, self.end[..., None]).reshape(*index.shape, -1),
            np.minimum(first + size, self.end[..., None]).reshape(*index.shape, -1),
        )


def _expand(chunks: _Chunks, role: int, size: int, share: int) -> _Chunks:
    """The classes of the next level: those steps of a class are alike in which each unit's chunk is full, at its edge, or empty."""
    if role == INNER:
        last = (chunks.end[1, :, 0] - chunks.start[1, :, 0] - 1) // (size * share)
        return chunks.hand_out(np.stack([np.zeros_like(last), last]), size, share)
    own = int(role == OWN)
    tile = chunks.end[0] - chunks.start[0]
    edge = tile // (size * share)
    trips = -(-tile[:, :1] // (size * share))
    # Index 0 is apart, for the reduction loops that stand there; merging brings it back where that makes no difference.
    bounds = np.sort(np.clip(np.hstack([trips * 0, trips * 0 + 1, edge, edge + 1, trips]), own, np.maximum(trips, own)), axis=1)
    steps = np.diff(bounds, axis=1)
    picks, places = np.nonzero(steps)
    new = bounds[picks, places]
    alike = chunks.steps[picks] * steps[picks, places]
    split = _Chunks(alike, chunks.moved[picks], chunks.at_zero[picks], chunks.start[:, picks], chunks.end[:, picks])
    return split.hand_out(np.stack([new, new - own]), size, share)


@dataclass(frozen=True, slots=True)
class _Nest:
    """Loops over a layer's dims. sizes, shares: [levels][8] chunk size, and units that a dim is shared out over at a level."""

    layer: Layer
    run: Run | None
    sizes: list[list[int]]
    shares: list[list[int]]
    known_dims: dict[tuple[Dim, bytes], tuple[_Chunks, Ints]] = field(default_factory=dict[tuple[Dim, bytes], tuple[_Chunks, Ints]])
    known_groups: dict[tuple[Dim, bytes], Ints] = field(default_factory=dict[tuple[Dim, bytes], Ints])

    def carries(self, roles: Ints, loops: list[tuple[int, int]]) -> Iterator[list[Ints]]:
        """The tables of the six groups in the first step, whose roles [8, levels] are given, and then in each loop's carry."""
        yield self._groups(roles)
        for level, dim in loops:
            roles[dim, level] = OWN
            yield self._groups(roles)
            roles[dim, level] = OUTER

    def _groups(self, roles: Ints) -> list[Ints]:
        return [self._group(group, roles[list(group)]) for group in GROUPS]

    def _group(self, group: tuple[Dim, ...], roles: Ints) -> Ints:
        key = (group[0], roles.tobytes())
        if key not in self.known_groups:
            parts = [self._dim(dim, dim_roles) for dim, dim_roles in zip(group, roles, strict=True)]
            self.known_groups[key] = _merge(parts[0][1] if len(parts) == 1 else _sliding(self.layer, group, *parts))
        return self.known_groups[key]

    def _dim(self, dim: Dim, roles: Ints) -> tuple[_Chunks, Ints]:
        """The chunks of a dim and its table."""
        key = (dim, roles.tobytes())
        if key not in self.known_dims:
            tile = self.layer.extents[dim]
            start = np.zeros((2, 1, 1), np.int64)
            chunks = _Chunks(np.ones(1, np.int64), np.zeros(1, bool), np.ones(1, bool), start, start + tile)
            for role, sizes, shares in zip(roles.tolist(), self.sizes, self.shares, strict=True):
                if role != WHOLE and sizes[dim] < tile:
                    chunks = _expand(chunks, role, sizes[dim], shares[dim])
                    tile = sizes[dim]
            self.known_dims[key] = chunks, _lone(dim, chunks, self.run)
        return self.known_dims[key]


def _lone(dim: Dim, chunks: _Chunks, run: Run | None) -> Ints:
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


def _sliding(layer: Layer, group: tuple[Dim, ...], outputs: tuple[_Chunks, Ints], taps: tuple[_Chunks, Ints]) -> Ints:
    """The table of a pair of dims whose windows may overlap (section 5)."""
    lead, slide = group
    stride, dilation = layer.stride[lead - Dim.Y], layer.dilation[lead - Dim.Y]
    common = gcd(stride, dilation)
    table = _product([outputs[1], taps[1]])
    if layer.extents[lead] > dilation // common and layer.extents[slide] > stride // common:  # else no two windows meet
        held = _windows(_indices(outputs[0], layer.extents[lead]), _indices(taps[0], layer.extents[slide]), stride, dilation)
        union, fresh = _count(held[0]), _count(held[0] & ~held[1])
        table[U][[Tensor.INPUT, 3 + Tensor.INPUT]] = union
        table[V][[Tensor.INPUT, 3 + Tensor.INPUT]] = union - fresh
        table[HELD][Tensor.INPUT] = held[0, :, :, 0, 0].sum(axis=-1).ravel()
    return table


def _indices(chunks: _Chunks, extent: int) -> Bools:
    """bool[2, n, units, extent]: which indices of the dim each chunk has."""
    return (chunks.start[..., None] <= np.arange(extent)) & (np.arange(extent) < chunks.end[..., None])


def _windows(outputs: Bools, taps: Bools, stride: int, dilation: int) -> Bools:
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


def _product(tables: list[Ints]) -> Ints:
    """Every combination of the classes of some tables: all rows are products."""
    product = tables[0]
    for table in tables[1:]:
        product = (product[:, :, None] * table[:, None, :]).reshape(ROWS, -1)
    return product


def _merge(table: Ints) -> Ints:
    """The table with classes that differ in nothing but their steps put together."""
    if table.shape[1] < 2:
        return table
    merged = Counter[tuple[int, ...]]()
    for steps, *factors in table.T.tolist():
        merged[tuple(factors)] += steps
    return np.array([(steps, *factors) for factors, steps in merged.items()]).T


def _residency(layer: Layer, hardware: Hardware, spans: list[int], dims: list[int]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The best depths (section 6) that fit, words of W, I, O that enter the L2, and their needs, empty where none fit.

    Then the least needs, and the off-chip bits of the first working set of W and I, in parts.
    spans: level-0 chunks of all units together; dims: of the level-0 loops.
    """
    room, l2 = np.array(room_bits(layer, hardware, Level.L2))[:, None], hardware.l2
    bits = np.array([*word_bits(layer, hardware)[Level.OFFCHIP][:2], PARTS * hardware.bits[Tensor.OUTPUT]])[:, None]
    keeps = l2.residency is Residency.BEST
    nest = _Nest(layer, None, [spans], [[1] * DIMS])
    more = np.array([l2.room(tensor).buffering.copies - 1 for tensor in Tensor])
    first, entered, copies = (np.ones((3, len(dims) + 1), np.int64) for _ in range(3))
    for depth in range(len(dims) + 1):
        roles = np.full((DIMS, 1), WHOLE)
        roles[dims[:depth]] = INNER
        # Groups are independent in a carry, so that the sum over its steps is a product of sums.
        carries = nest.carries(roles, [(0, dim) for dim in dims[:depth]])
        sums = np.array([[table @ table[STEPS] for table in tables] for tables in carries]).prod(axis=1)
        first[:, depth] = sums[0, U][ENTRANCES]
        stayed = sums[1:, V].sum(axis=0)[ENTRANCES] * [keeps, keeps, True]
        entered[:, depth] = sums[:, U].sum(axis=0)[ENTRANCES] - stayed
        copies[:, depth] += (HAS[dims[:depth]].any(axis=0) | (not keeps)) * more
    here = ~np.array(l2.bypass)[:, None]
    needs, moved = -(-first * room // (8 * PARTS)) * copies * here, entered * bits * here
    w, i, o = np.indices((len(dims) + 1 if keeps else 1,) * 3).reshape(3, -1) + (0 if keeps else len(dims))
    need = np.stack([needs[0, w], needs[1, i], needs[2, o]])
    crossing = moved[0, w] + moved[1, i] + 2 * moved[2, o]  # outputs come back, but for the first time
    fitting = np.flatnonzero(_fit(l2, need))
    first_bits = (first * bits)[:2, -1]
    least = need[:, need.sum(axis=0).argmin()]
    if not len(fitting):
        return least[:0], least[:0], least[:0], least, first_bits
    best = fitting[np.lexsort((need.sum(axis=0)[fitting], crossing[fitting]))[0]]  # stable: the smallest depths of equals
    depths: Ints = np.array([w[best], i[best], o[best]])
    return depths, entered[range(3), depths], need[:, best], least, first_bits


def _fit(buffer: Buffer, need: Ints) -> Bools:
    """Whether needs of W, I, O, int64[3, n], fit the buffer."""
    pool = np.array([part is None for part in buffer.parts])
    room = np.array([[2**62 if part is None else part.bytes] for part in buffer.parts])
    fits: Bools = (need <= room).all(axis=0) & (need[pool].sum(axis=0) <= buffer.bytes)
    return fits


def _passed(bits: Ints, width: Width) -> Ints:
    """Cycles in which a link of so many bytes per cycle passes bits, which are in parts."""
    per_cycle = 8 * PARTS * ratio(width)
    cycles: Ints = -(-bits * per_cycle.denominator // per_cycle.numerator)
    return cycles


def _transfer(bits: Ints, width: Width, latency: int) -> Ints:
    """Cycles of the network for the bits of steps, in parts."""
    return np.where(bits > 0, latency - 1 + _passed(bits, width), 0)


def _array(layer: Layer, hardware: Hardware, carries: Iterator[list[Ints]], outputs: int, counts: Ints) -> None:
    """Write to `counts` [COUNTS] what the steps in these carries count, step 0 first (sections 5 and 7)."""
    noc = hardware.noc
    steps = np.concatenate([_product(tables) for tables in carries], axis=1)
    steps[V, 0] = 0
    times, words = steps[STEPS], steps[U] - steps[V]
    entrances, fills = words[ENTRANCES], words[FILLS]
    weights, inputs, _ = entrances if noc.multicast else fills
    sums = entrances[2] * (1 - steps[AT_ZERO]) * noc.reduction
    written = entrances[2] if noc.reduction else fills[2]
    final = written * steps[AT_ZERO] * noc.reduction  # taken to leave for good where they enter first
    compute = _compute(layer, hardware, steps)
    waits, parts = _parts(layer, hardware, compute, np.stack([weights, inputs, sums]), np.stack([final, written - final]))
    counts[Count.COMPUTE_CYCLES] = compute @ times
    # A step takes as long as its longest part, but for the first, which overlaps with nothing.
    parts[:, 1:] *= (parts.argmax(axis=0) == np.arange(3)[:, None])[:, 1:]
    parts += waits
    cost, load = parts.sum(axis=0), weights + inputs + sums + written
    peak = np.lexsort((load, -load / cost))[0]
    totals, bound = words @ times, parts @ times
    counts[Count.STEPS], counts[Count.ARRAY_CYCLES] = times.sum(), bound.sum()
    counts[Count.L2_TO_L1_W : Count.PSUM_READ] = [weights @ times, inputs @ times, *totals[2:]]
    counts[Count.PSUM_READ : Count.L2_ADD_READ] = sums @ times, written @ times
    counts[Count.L2_ADD_READ] = 0 if noc.reduction else totals[5] - outputs
    counts[Count.COMPUTE_BOUND_CYCLES : Count.L1_NEED_W] = [*bound, load[peak], cost[peak]]


def _compute(layer: Layer, hardware: Hardware, steps: Ints) -> Ints:
    """Compute cycles of steps (section 7)."""
    macs = steps[MACS]
    if not hardware.sparse.skip:
        dense: Ints = -(-macs // hardware.simd)
        return dense
    tiles = zip(steps[HELD].T.tolist(), steps[TILES].T.tolist(), steps[LENGTHS].T.tolist(), strict=True)
    left = np.array([part_left(layer, hardware, *tile) for tile in tiles])
    cycles: Ints = np.ceil(macs * left / hardware.simd).astype(np.int64)
    return cycles


def _parts(layer: Layer, hardware: Hardware, compute: Ints, words_in: Ints, words_out: Ints) -> tuple[Ints, Ints]:
    """Compute, ingress and egress of steps, int64[3, steps]: what nothing else goes on beside, and what overlaps.

    words_in: of W, I and partial sums; words_out: of outputs that leave for good and of partial sums.
    """
    noc, (of_w, of_i, of_o) = hardware.noc, word_bits(layer, hardware)[Level.NOC]
    of_sum = PARTS * hardware.bits[Tensor.OUTPUT]
    apart = np.array([[hardware.l1.room(tensor).buffering is Buffering.SINGLE] for tensor in Tensor])
    coming = words_in * np.array([[of_w], [of_i], [of_sum]])
    egress = _transfer(np.array([of_o, of_sum]) @ words_out, noc.wires[2] if noc.wires else noc.bytes_per_cycle, noc.latency_cycles)
    ingress: list[Ints] = []
    for group in (coming * apart, coming * ~apart):
        if noc.wires is None:
            ingress.append(_transfer(group.sum(axis=0), noc.bytes_per_cycle, noc.latency_cycles))
        else:
            each = [_transfer(one, width, noc.latency_cycles) for one, width in zip(group, noc.wires, strict=True)]
            ingress.append(np.max(each, axis=0))
    waits = np.stack([compute * 0, ingress[0], egress * apart[2]])
    return waits, np.stack([compute, ingress[1], egress * ~apart[2]])


class NumpyModel:
    """The cost model as plain NumPy, one mapping at a time."""

    name = "numpy"

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> CountedCosts:  # noqa: ARG002 it counts all, always
        """The costs of each mapping."""
        fit = np.zeros(len(batch), np.int8)
        counts = np.zeros((len(batch), COUNTS), np.int64)
        for row in range(len(batch)):
            fit[row] = _evaluate(layer, hardware, batch, row, counts[row])
        return CountedCosts(layer, hardware, fit, counts)


def _evaluate(layer: Layer, hardware: Hardware, batch: MappingBatch, row: int, counts: Ints) -> Fit:
    """Write the counts of one mapping of the batch to `counts` [COUNTS]."""
    sizes: list[list[int]] = batch.size[row].tolist()
    tiles, shares, loops = [list(layer.extents), *sizes], [[1] * DIMS for _ in sizes], list[tuple[int, int]]()
    for level, dims in enumerate(batch.order[row].tolist()):
        spatial = int(batch.spatial[row, level])
        if spatial >= 0:  # units past the last chunk stay idle
            shares[level][spatial] = min(int(batch.units[row, level]), -(-tiles[level][spatial] // sizes[level][spatial]))
        loops += [(level, dim) for dim in dims if sizes[level][dim] * shares[level][dim] < tiles[level][dim]]
    spans = [size * share for size, share in zip(sizes[0], shares[0], strict=True)]
    outer = [dim for level, dim in loops if level == 0]
    depths, entered, l2_needs, least_needs, first_bits = _residency(layer, hardware, spans, outer)
    g, n, k, c, r, s, y, x = sizes[-1]
    pe_tile = replace(layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0, sparsity=DENSE)
    copies = [hardware.l1.room(tensor).buffering.copies for tensor in Tensor]
    l1_needs = np.array(bytes_of_tensors(pe_tile, room_bits(layer, hardware, Level.L1)), np.int64) * copies
    fits_l1 = bool(_fit(hardware.l1, l1_needs[:, None])[0])
    legal = fits_l1 and len(entered) > 0
    counts[Count.L1_NEED_W : Count.COMPUTE_CYCLES] = needs = [*l1_needs, *(l2_needs if legal else least_needs)]
    counts[Count.L1_NEED_BYTES], counts[Count.L2_NEED_BYTES] = sum(needs[:3]), sum(needs[3:])
    if not legal:
        return Fit.L2_OVERFLOW if fits_l1 else Fit.L1_OVERFLOW
    counts[Count.L2_DEPTH_W :] = depths
    outputs = layer.words(Tensor.OUTPUT)
    nest = _Nest(layer, hardware.run, sizes, shares)
    _array(layer, hardware, nest.carries(np.full((DIMS, len(sizes)), INNER), loops), outputs, counts)
    through = [counts[Count.L2_TO_L1_W], counts[Count.L2_TO_L1_I], counts[Count.PSUM_READ] + counts[Count.L2_ADD_READ]]
    bypass = np.array([*hardware.l2.bypass, hardware.l2.bypass[2]])
    crossing = np.where(bypass, [*through, counts[Count.OUTPUT_WRITE]], [*entered[:2], entered[2] - outputs, entered[2]])
    counts[Count.OFFCHIP_READ_W : Count.L1_NEED_BYTES] = crossing
    apart = [hardware.l2.room(tensor).buffering is Buffering.SINGLE for tensor in Tensor] & ~bypass[:3]
    of_w, of_i, of_o = word_bits(layer, hardware)[Level.OFFCHIP]
    of_sums = (crossing[2] + crossing[3] - outputs) * PARTS * hardware.bits[Tensor.OUTPUT]
    bits, width = np.array([crossing[0] * of_w, crossing[1] * of_i, outputs * of_o + of_sums]), hardware.offchip.bytes_per_cycle
    alone, beside = (int(_passed(bits[group].sum(), width)) for group in (apart, ~apart))
    fill = hardware.offchip.latency_cycles + int(_passed(first_bits[~apart[:2] & ~bypass[:2]].sum(), width))
    counts[Count.OFFCHIP_CYCLES], counts[Count.FILL_CYCLES] = alone + beside, fill
    issue = hardware.l2.tile_cycles * prod(-(-layer.extents[dim] // spans[dim]) for level, dim in loops if level == 0)
    counts[Count.ISSUE_CYCLES] = issue
    counts[Count.RUNTIME_CYCLES] = fill + max(alone + max(int(counts[Count.ARRAY_CYCLES]), beside), issue)
    return Fit.LEGAL
