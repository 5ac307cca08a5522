"""The steps of a mapping where masks tell each zero: the PE with the most MACs to do, and the bits that come in.

The MACs of a box of chunks are a sum of products: for each group, channel and tap, the non-zero weights over the box's K times the
non-zero inputs over its N, Y' and X'. So those of all boxes are matrix products.
"""

from __future__ import annotations

from itertools import pairwise, product
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import LayerError
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS
from mapsearch.model.masks import Masks
from mapsearch.model.moved_bits import Moved
from mapsearch.model.reference.masked_bits import ORDER, Stores, transfers
from mapsearch.model.reference.nests import INNER, MACS, STEPS, Chunks, Ints, Nest, carries, product_of
from mapsearch.model.tensors import Dim

# Boxes, one for each step and active PE: some of the arrays have a number for each.
MOST_BOXES = 2**25


class MaskedSteps(NamedTuple):
    """Classes of steps by masks, step 0 first.

    steps: a table as the NumPy model has it, whose MACs are the most that any PE has to do. crossing: int64[2, classes], bits of W
    and of I that cross the network in a step. moved: `Moved`[6, 2], summed over the steps; off-chip as if both passed the L2 by.
    """

    steps: Ints
    crossing: Ints
    moved: Ints


Starts = dict[Dim, Ints]
"""Where the innermost chunks of each dim begin: their combinations are the boxes that PEs work on."""


def box_starts(layer: Layer, sizes: list[list[int]]) -> Starts:
    """The boxes of a mapping with these chunk sizes [levels][8]; LayerError where there are more than are counted."""
    starts = {dim: _starts(layer.extents[dim], [each[dim] for each in sizes]) for dim in Dim}
    boxes = prod(map(len, starts.values()))
    if boxes > MOST_BOXES:
        raise LayerError(
            f"layer {layer.name}: masks are counted for at most {MOST_BOXES} steps x PEs, got {boxes}; use larger tiles"
        )
    return starts


def masked_steps(
    layer: Layer, hardware: Hardware, stored: Stores, nest: Nest, loops: list[tuple[int, int]], starts: Starts
) -> MaskedSteps:
    """The steps of a mapping, whose nest has each step apart."""
    macs = _macs_of_boxes(layer, hardware, stored.masks, starts) if hardware.sparse.waits else None
    found: list[tuple[Ints, Ints]] = []
    moved = np.zeros((len(Moved), 2), np.int64)
    for number, roles in enumerate(carries(np.full((DIMS, len(nest.sizes)), INNER), loops)):
        sent = transfers(nest, roles, hardware, stored, first=number == 0)
        moved += sent.moved
        found.append(_carry(nest, roles, starts, macs, sent.crossing))
    steps, crossing = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return MaskedSteps(steps, crossing, moved)


def _starts(extent: int, sizes: list[int]) -> Ints:
    """Where the innermost chunks of a dim begin, each cut into chunks of the next level's size."""
    starts = [0]
    for size in sizes:
        starts = [start for first, end in pairwise([*starts, extent]) for start in range(first, end, size)]
    return np.array(starts)


def _macs_of_boxes(layer: Layer, hardware: Hardware, masks: Masks, starts: Starts) -> Ints:
    """int64, an axis for each dim in `ORDER`: the MACs to do of each combination of the dims' innermost chunks.

    Where words lie in lanes, those of full lanes.
    """
    skipped, (lanes_w, lanes_i) = hardware.sparse.skip, hardware.sparse.lanes or (1, 1)
    weights = np.add.reduceat(masks.weights(skipped), starts[Dim.K], axis=1, dtype=np.float64)
    weights = np.ceil(weights / lanes_w) * lanes_w
    taps = [[masks.inputs(skipped, r, s) for s in range(layer.extents[Dim.S])] for r in range(layer.extents[Dim.R])]
    # [R, S, N, G, C, Y', X'], of which N, Y' and X' count chunks
    inputs = np.ceil(np.array([[_summed(tap, starts) for tap in row] for row in taps]) / lanes_i) * lanes_i
    macs = np.empty([len(starts[dim]) for dim in ORDER], np.int64)
    chunks = {dim: [slice(*ends) for ends in pairwise([*starts[dim].tolist(), layer.extents[dim]])] for dim in Dim}
    cuts = [list(enumerate(chunks[dim])) for dim in (Dim.G, Dim.C, Dim.R, Dim.S)]
    for (g, gs), (c, cs), (r, rs), (s, ss) in product(*cuts):
        # float64 is exact: a sum is at most the layer's MACs, below 2^53.
        box = np.einsum("gkcrs,rsngcyx->nkyx", weights[gs, :, cs, rs, ss], inputs[rs, ss, :, gs, cs], optimize=True)
        macs[g, :, :, c, :, r, :, s] = box
    return macs


def _summed(inputs: NDArray[np.bool_], starts: Starts) -> NDArray[np.float64]:
    """The sums of inputs [N, G, C, Y', X'] over the chunks of N, Y' and X'."""
    sums: NDArray[np.float64] = np.add.reduceat(inputs, starts[Dim.N], axis=0, dtype=np.float64)
    return np.add.reduceat(np.add.reduceat(sums, starts[Dim.Y], axis=3), starts[Dim.X], axis=4)


def _carry(nest: Nest, roles: Ints, starts: Starts, macs: Ints | None, crossing: Ints) -> tuple[Ints, Ints]:
    """The classes of the steps of a carry, those of the same words, of the same bits, and of the same most MACs; and their bits."""
    groups: list[Ints] = []
    of_step = np.zeros(1, np.int64)
    for table in nest.groups(roles):
        alike, which = np.unique(table, axis=1, return_inverse=True)
        of_step = (of_step[:, None] * alike.shape[1] + which.ravel()).ravel()
        groups.append(alike)
    chunks = {dim: nest.dim(dim, roles[dim])[0] for dim in Dim}
    most = of_step * 0 if macs is None else _most_of_pes(chunks, starts, macs).ravel()
    found, steps = np.unique(np.stack([of_step, most, *crossing]), axis=1, return_counts=True)
    classes: Ints = product_of(groups)[:, found[0]]
    classes[STEPS] = steps
    if macs is not None:
        classes[MACS] = found[1]
    return classes, found[2:]


def _most_of_pes(chunks: dict[Dim, Chunks], starts: Starts, macs: Ints) -> Ints:
    """The most MACs that any PE has to do in each combination of the dims' steps, whose order is `ORDER`.

    PEs are all combinations of the units of each dim, so the most of all is the most over one dim's units after the other.
    """
    for axis, dim in enumerate(ORDER):
        start, active = chunks[dim].start[0], chunks[dim].start[0] < chunks[dim].end[0]
        chunk = np.searchsorted(starts[dim], np.where(active, start, 0))
        shape = [*macs.shape[:axis], *chunk.shape, *macs.shape[axis + 1 :]]
        of_units = np.take(macs, chunk.ravel(), axis=axis).reshape(shape)
        idle = ~active.reshape(*[1] * axis, *active.shape, *[1] * (DIMS - axis - 1))
        macs = np.where(idle, 0, of_units).max(axis=axis + 1)
    return macs
