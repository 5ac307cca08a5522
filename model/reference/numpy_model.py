"""The cost model in plain NumPy: what the compiled model's speed is measured against.

It follows the closed form of docs/cost_model.md with arrays over the classes of steps, one mapping after the other. All counts
are exact, so the comparison is of equal work. Users select it by giving masks of a layer, whose steps it visits one by one.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from mapsearch.model.cost import COUNTS, Count, Fit, Restriction, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.errors import HardwareError, LayerError
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Residency, Width, ratio
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.model.masks import Masks
from mapsearch.model.moved_bits import OPERANDS, Moved
from mapsearch.model.reference.masked import box_starts, masked_steps
from mapsearch.model.reference.masked_bits import Stores, entered_bits, stores
from mapsearch.model.reference.nests import (
    AT_ZERO,
    ENTRANCES,
    FILLS,
    HAS,
    HELD,
    INNER,
    LENGTHS,
    MACS,
    STEPS,
    TILES,
    WHOLE,
    Bools,
    Ints,
    Nest,
    U,
    V,
    carries,
    product_of,
)  # fmt: skip
from mapsearch.model.reference.zeros import part_balanced, part_left
from mapsearch.model.sparsity import DENSE, Level
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import PARTS, bytes_of_tensors, room_bits, word_bits


class _Residency(NamedTuple):
    """The best depths (section 6) that fit, words of W, I, O that enter the L2, and their needs, empty where none fit.

    least: the least needs of any depths. first_bits: off-chip, of the first working set of W and I, in parts. entered_bits: of W
    and I, off-chip and as they enter the L2, int64[2, 2], where masks tell them, else 0.
    """

    depths: Ints
    entered: Ints
    needs: Ints
    least: Ints
    first_bits: Ints
    entered_bits: Ints


def _residency(layer: Layer, hardware: Hardware, spans: list[int], dims: list[int], stored: Stores | None) -> _Residency:
    """What the L2 keeps; spans: level-0 chunks of all units together; dims: of the level-0 loops."""
    room, l2 = np.array(room_bits(layer, hardware, Level.L2))[:, None], hardware.l2
    bits = np.array([*word_bits(layer, hardware)[Level.OFFCHIP][:2], PARTS * hardware.bits[Tensor.OUTPUT]])[:, None]
    keeps = l2.residency is Residency.BEST
    nest = Nest(layer, None, [spans], [[1] * DIMS], each=stored is not None)
    more = np.array([l2.room(tensor).buffering.copies - 1 for tensor in Tensor])
    first, entered, copies = (np.ones((3, len(dims) + 1), np.int64) for _ in range(3))
    by_masks = np.zeros((2, 2, 2, len(dims) + 1), np.int64)  # first and all; off-chip and in the L2; W and I; depths
    for depth in range(len(dims) + 1):
        roles = np.full((DIMS, 1), WHOLE)
        roles[dims[:depth]] = INNER
        # Groups are independent in a carry, so that the sum over its steps is a product of sums.
        carried = carries(roles, [(0, dim) for dim in dims[:depth]])
        sums = np.array([[table @ table[STEPS] for table in nest.groups(each)] for each in carried]).prod(axis=1)
        first[:, depth] = sums[0, U][ENTRANCES]
        stayed = sums[1:, V].sum(axis=0)[ENTRANCES] * [keeps, keeps, True]
        entered[:, depth] = sums[:, U].sum(axis=0)[ENTRANCES] - stayed
        for (k, level), tensor in product(enumerate((Level.OFFCHIP, Level.L2)), OPERANDS):
            if stored is not None:
                by_masks[:, k, tensor, depth] = entered_bits(nest, dims[:depth], tensor, stored.at(level, tensor), keeps=keeps)
        copies[:, depth] += (HAS[dims[:depth]].any(axis=0) | (not keeps)) * more
    here = ~np.array(l2.bypass)[:, None]
    needs, moved, first_bits = -(-first * room // (8 * PARTS)) * copies * here, entered * bits, (first * bits)[:2]
    if stored is not None:
        first_bits, moved[:2] = by_masks[:, 0] * PARTS
    moved *= here
    w, i, o = np.indices((len(dims) + 1 if keeps else 1,) * 3).reshape(3, -1) + (0 if keeps else len(dims))
    need = np.stack([needs[0, w], needs[1, i], needs[2, o]])
    crossing = moved[0, w] + moved[1, i] + 2 * moved[2, o]  # outputs come back, but for the first time
    fitting = np.flatnonzero(_fit(l2, need))
    least = need[:, need.sum(axis=0).argmin()]
    if not len(fitting):
        return _Residency(least[:0], least[:0], least[:0], least, first_bits[:, -1], by_masks[1, :, :, 0])
    best = fitting[np.lexsort((need.sum(axis=0)[fitting], crossing[fitting]))[0]]  # stable: the smallest depths of equals
    depths: Ints = np.array([w[best], i[best], o[best]])
    of_operands = by_masks[1, :, range(2), depths[:2]].T * here[:2, 0]
    return _Residency(depths, entered[range(3), depths], need[:, best], least, first_bits[:, -1], of_operands)


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


def _array(layer: Layer, hardware: Hardware, steps: Ints, compute: Ints, crossing: Ints | None, counts: Ints) -> None:
    """Write to `counts` [COUNTS] what the classes of steps count, step 0 first (sections 5 and 7).

    compute: cycles of each. crossing: bits of W and I that cross the network, where masks tell them.
    """
    noc = hardware.noc
    steps[V, 0] = 0
    times, words = steps[STEPS], steps[U] - steps[V]
    entrances, fills = words[ENTRANCES], words[FILLS]
    weights, inputs, _ = entrances if noc.multicast else fills
    sums = entrances[2] * (1 - steps[AT_ZERO]) * noc.reduction
    written = entrances[2] if noc.reduction else fills[2]
    final = written * steps[AT_ZERO] * noc.reduction  # taken to leave for good where they enter first
    each = np.array([*word_bits(layer, hardware)[Level.NOC][:2], PARTS * hardware.bits[Tensor.OUTPUT]])[:, None]
    coming = np.stack([weights, inputs, sums]) * each
    if crossing is not None:
        coming[:2] = PARTS * crossing
    waits, parts = _parts(layer, hardware, compute, coming, np.stack([final, written - final]))
    counts[Count.COMPUTE_CYCLES] = compute @ times
    # A step takes as long as its longest part, but for the first, which overlaps with nothing.
    parts[:, 1:] *= (parts.argmax(axis=0) == np.arange(3)[:, None])[:, 1:]
    parts += waits
    cost, load = parts.sum(axis=0), weights + inputs + sums + written
    # Words of zeros alone may have no bits, and take no time.
    peak = np.lexsort((load, -load / np.maximum(cost, 1) * (cost > 0)))[0]
    totals, bound = words @ times, parts @ times
    counts[Count.STEPS], counts[Count.ARRAY_CYCLES] = times.sum(), bound.sum()
    counts[Count.L2_TO_L1_W : Count.PSUM_READ] = [weights @ times, inputs @ times, *totals[2:]]
    counts[Count.PSUM_READ : Count.L2_ADD_READ] = sums @ times, written @ times
    counts[Count.L2_ADD_READ] = 0 if noc.reduction else totals[5] - layer.words(Tensor.OUTPUT)
    counts[Count.COMPUTE_BOUND_CYCLES : Count.L1_NEED_W] = [*bound, load[peak], cost[peak]]


def _compute(layer: Layer, hardware: Hardware, steps: Ints) -> Ints:
    """Compute cycles of steps (section 7)."""
    macs = steps[MACS]
    if not hardware.sparse.changes_time:
        dense: Ints = -(-macs // hardware.simd)
        return dense
    tiles = zip(steps[HELD].T.tolist(), steps[TILES].T.tolist(), steps[LENGTHS].T.tolist(), strict=True)
    left = np.array([part_left(layer, hardware, *tile) for tile in tiles])
    cycles: Ints = np.ceil(macs * left / hardware.simd).astype(np.int64)
    return cycles


def _parts(layer: Layer, hardware: Hardware, compute: Ints, coming: Ints, words_out: Ints) -> tuple[Ints, Ints]:
    """Compute, ingress and egress of steps, int64[3, steps]: what nothing else goes on beside, and what overlaps.

    coming: bits of W, I and partial sums, in parts; words_out: of outputs that leave for good and of partial sums.
    """
    noc, of_o, of_sum = hardware.noc, word_bits(layer, hardware)[Level.NOC][2], PARTS * hardware.bits[Tensor.OUTPUT]
    apart = np.array([[hardware.l1.room(tensor).buffering is Buffering.SINGLE] for tensor in Tensor])
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
    """The cost model as plain NumPy, one mapping at a time.

    masks: the zeros of the layers that it evaluates, whose steps it then visits one by one.
    """

    name = "numpy"
    format = "directives"
    restriction = Restriction()

    def __init__(self, masks: Masks | None = None) -> None:
        self.masks = masks

    def as_counted(self, layer: Layer) -> Layer:
        """The layer as it is, or with what its masks tell; LayerError where they are of another layer."""
        if self.masks is None:
            return layer
        counted = self.masks.counted_layer
        for what, own, other in (
            ("sizes", layer.extents, counted.extents),
            ("stride", layer.stride, counted.stride),
            ("dilation", layer.dilation, counted.dilation),
        ):
            if own != other:
                raise LayerError(f"layer {layer.name}: its masks are of a layer with other {what}, {other}, got {own}")
        return replace(counted, name=layer.name, type=layer.type)

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> CountedCosts:  # noqa: ARG002 it counts all, always
        """The costs of each mapping."""
        fit = np.zeros(len(batch), np.int8)
        counts = np.zeros((len(batch), COUNTS), np.int64)
        moved = np.zeros((len(batch), len(Moved), len(OPERANDS)), np.int64)
        stored = None if self.masks is None else stores(layer, hardware, self.masks)
        for row in range(len(batch)):
            fit[row] = _evaluate(layer, hardware, batch, row, stored, counts[row], moved[row])
        return CountedCosts(layer, hardware, fit, counts, None if stored is None else moved)


def _shared_out(layer: Layer, batch: MappingBatch, row: int) -> tuple[list[list[int]], list[list[int]], list[tuple[int, int]]]:
    """The sizes and shares [levels][8] of a mapping (see `Nest`), and its loops that iterate, as (level, dim)."""
    sizes: list[list[int]] = batch.size[row].tolist()
    tiles, shares, loops = [list(layer.extents), *sizes], [[1] * DIMS for _ in sizes], list[tuple[int, int]]()
    for level, dims in enumerate(batch.order[row].tolist()):
        spatial = int(batch.spatial[row, level])
        if spatial >= 0:  # units past the last chunk stay idle
            shares[level][spatial] = min(int(batch.units[row, level]), -(-tiles[level][spatial] // sizes[level][spatial]))
        loops += [(level, dim) for dim in dims if sizes[level][dim] * shares[level][dim] < tiles[level][dim]]
    return sizes, shares, loops


def _evaluate(
    layer: Layer, hardware: Hardware, batch: MappingBatch, row: int, stored: Stores | None, counts: Ints, moved: Ints
) -> Fit:
    """Write the counts of one mapping of the batch to `counts` [COUNTS], and where masks tell them its bits to `moved` [6, 2]."""
    sizes, shares, loops = _shared_out(layer, batch, row)
    starts = None if stored is None else box_starts(layer, sizes)
    spans = [size * share for size, share in zip(sizes[0], shares[0], strict=True)]
    outer = [dim for level, dim in loops if level == 0]
    kept = _residency(layer, hardware, spans, outer, stored)
    g, n, k, c, r, s, y, x = sizes[-1]
    pe_tile = replace(layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0, sparsity=DENSE)
    copies = [hardware.l1.room(tensor).buffering.copies for tensor in Tensor]
    l1_needs = np.array(bytes_of_tensors(pe_tile, room_bits(layer, hardware, Level.L1)), np.int64) * copies
    fits_l1 = bool(_fit(hardware.l1, l1_needs[:, None])[0])
    legal = fits_l1 and len(kept.needs) > 0
    counts[Count.L1_NEED_W : Count.COMPUTE_CYCLES] = needs = [*l1_needs, *(kept.needs if legal else kept.least)]
    counts[Count.L1_NEED_BYTES], counts[Count.L2_NEED_BYTES] = sum(needs[:3]), sum(needs[3:])
    if not legal:
        return Fit.L2_OVERFLOW if fits_l1 else Fit.L1_OVERFLOW
    counts[Count.L2_DEPTH_W : Count.BALANCED_CYCLES] = kept.depths
    outputs = layer.words(Tensor.OUTPUT)
    nest, roles = Nest(layer, hardware.run, sizes, shares), np.full((DIMS, len(sizes)), INNER)
    steps = np.concatenate([product_of(nest.groups(each)) for each in carries(roles, loops)], axis=1)
    balanced = np.ceil(steps[MACS] * part_balanced(layer, hardware) / hardware.simd).astype(np.int64)
    counts[Count.BALANCED_CYCLES] = balanced @ steps[STEPS]
    if stored is None or starts is None:
        _array(layer, hardware, steps, _compute(layer, hardware, steps), None, counts)
    else:
        if hardware.run is not None and hardware.sparse.waits:
            raise HardwareError(f"hardware {hardware.name}: masks are not counted in instructions; leave array.run out")
        each = Nest(layer, hardware.run, sizes, shares, each=True)
        steps, crosses, moved[:] = masked_steps(layer, hardware, stored, each, loops, starts)
        compute = -(-steps[MACS] // hardware.simd) if hardware.sparse.waits else _compute(layer, hardware, steps)
        _array(layer, hardware, steps, compute, crosses, counts)
    through = [counts[Count.L2_TO_L1_W], counts[Count.L2_TO_L1_I], counts[Count.PSUM_READ] + counts[Count.L2_ADD_READ]]
    bypass = np.array([*hardware.l2.bypass, hardware.l2.bypass[2]])
    entered = kept.entered
    crossing = np.where(bypass, [*through, counts[Count.OUTPUT_WRITE]], [*entered[:2], entered[2] - outputs, entered[2]])
    counts[Count.OFFCHIP_READ_W : Count.L1_NEED_BYTES] = crossing
    apart = [hardware.l2.room(tensor).buffering is Buffering.SINGLE for tensor in Tensor] & ~bypass[:3]
    of_w, of_i, of_o = word_bits(layer, hardware)[Level.OFFCHIP]
    of_sums = (crossing[2] + crossing[3] - outputs) * PARTS * hardware.bits[Tensor.OUTPUT]
    bits, width = np.array([crossing[0] * of_w, crossing[1] * of_i, outputs * of_o + of_sums]), hardware.offchip.bytes_per_cycle
    if stored is not None:
        moved[: Moved.L2_READ] = np.where(bypass[:2], [moved[Moved.OFFCHIP], [0, 0]], kept.entered_bits)
        bits[:2] = PARTS * moved[Moved.OFFCHIP]
    alone, beside = (int(_passed(bits[group].sum(), width)) for group in (apart, ~apart))
    fill = hardware.offchip.latency_cycles + int(_passed(kept.first_bits[~apart[:2] & ~bypass[:2]].sum(), width))
    counts[Count.OFFCHIP_CYCLES], counts[Count.FILL_CYCLES] = alone + beside, fill
    issue = hardware.l2.tile_cycles * prod(-(-layer.extents[dim] // spans[dim]) for level, dim in loops if level == 0)
    counts[Count.ISSUE_CYCLES] = issue
    counts[Count.RUNTIME_CYCLES] = fill + max(alone + max(int(counts[Count.ARRAY_CYCLES]), beside), issue)
    return Fit.LEGAL
