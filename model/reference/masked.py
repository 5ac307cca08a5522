"""The steps of a mapping where masks tell each zero: how long the PE with the most MACs to do takes, step by step.

The MACs of a box of chunks are a sum of products: for each group, channel and tap, the non-zero weights over the box's K times the
non-zero inputs over its N, Y' and X'. So those of all boxes are matrix products.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import LayerError
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS
from mapsearch.model.masks import Masks
from mapsearch.model.reference.nests import INNER, MACS, STEPS, Chunks, Ints, Nest, carries, product_of
from mapsearch.model.tensors import Dim, Tensor

# Boxes, one for each step and active PE: some of the arrays have a number for each.
MOST_BOXES = 2**25
# The order in which the steps of a carry are the product of the groups' steps.
_ORDER = (Dim.G, Dim.N, Dim.K, Dim.C, Dim.Y, Dim.R, Dim.X, Dim.S)


def masked_steps(
    layer: Layer,
    masks: Masks,
    skipped: Collection[Tensor],
    sizes: list[list[int]],
    shares: list[list[int]],
    loops: list[tuple[int, int]],
) -> Ints:
    """A table of classes of steps, as the NumPy model has it, whose MACs are the most that any PE has to do; step 0 comes first.

    skipped: the operands whose zeros take no time. LayerError where there are more boxes than are counted.
    """
    starts = {dim: _starts(layer.extents[dim], [each[dim] for each in sizes]) for dim in Dim}
    boxes = prod(map(len, starts.values()))
    if boxes > MOST_BOXES:
        raise LayerError(
            f"layer {layer.name}: masks are counted for at most {MOST_BOXES} steps x PEs, got {boxes}; use larger tiles"
        )
    macs = _macs_of_boxes(layer, masks, skipped, starts)
    nest = Nest(layer, None, sizes, shares, each=True)
    return np.concatenate(
        [_carry(nest, roles, starts, macs) for roles in carries(np.full((DIMS, len(sizes)), INNER), loops)], axis=1
    )


def _starts(extent: int, sizes: list[int]) -> Ints:
    """Where the innermost chunks of a dim begin, each cut into chunks of the next level's size."""
    starts = [0]
    for size in sizes:
        starts = [start for first, end in pairwise([*starts, extent]) for start in range(first, end, size)]
    return np.array(starts)


def _macs_of_boxes(layer: Layer, masks: Masks, skipped: Collection[Tensor], starts: dict[Dim, Ints]) -> Ints:
    """int64, an axis for each dim in `_ORDER`: the MACs to do of each combination of the dims' innermost chunks."""
    weights = np.add.reduceat(masks.weights(skipped), starts[Dim.K], axis=1, dtype=np.float64)
    taps = [[masks.inputs(skipped, r, s) for s in range(layer.extents[Dim.S])] for r in range(layer.extents[Dim.R])]
    # [R, S, N, G, C, Y', X'], of which N, Y' and X' count chunks
    inputs = np.array([[_summed(tap, starts) for tap in row] for row in taps])
    macs = np.empty([len(starts[dim]) for dim in _ORDER], np.int64)
    chunks = {dim: [slice(*ends) for ends in pairwise([*starts[dim].tolist(), layer.extents[dim]])] for dim in Dim}
    cuts = [list(enumerate(chunks[dim])) for dim in (Dim.G, Dim.C, Dim.R, Dim.S)]
    for (g, gs), (c, cs), (r, rs), (s, ss) in product(*cuts):
        # float64 is exact: a sum is at most the layer's MACs, below 2^53.
        box = np.einsum("gkcrs,rsngcyx->nkyx", weights[gs, :, cs, rs, ss], inputs[rs, ss, :, gs, cs], optimize=True)
        macs[g, :, :, c, :, r, :, s] = box
    return macs


def _summed(inputs: NDArray[np.bool_], starts: dict[Dim, Ints]) -> NDArray[np.float64]:
    """The sums of inputs [N, G, C, Y', X'] over the chunks of N, Y' and X'."""
    sums: NDArray[np.float64] = np.add.reduceat(inputs, starts[Dim.N], axis=0, dtype=np.float64)
    return np.add.reduceat(np.add.reduceat(sums, starts[Dim.Y], axis=3), starts[Dim.X], axis=4)


def _carry(nest: Nest, roles: Ints, starts: dict[Dim, Ints], macs: Ints) -> Ints:
    """The classes of the steps of a carry: those of the same words, and of the same most MACs."""
    most = _most_of_pes({dim: nest.dim(dim, roles[dim])[0] for dim in Dim}, starts, macs).ravel()
    groups: list[Ints] = []
    of_step = np.zeros(1, np.int64)
    for table in nest.groups(roles):
        alike, which = np.unique(table, axis=1, return_inverse=True)
        of_step = (of_step[:, None] * alike.shape[1] + which.ravel()).ravel()
        groups.append(alike)
    found, steps = np.unique(np.stack([of_step, most]), axis=1, return_counts=True)
    classes: Ints = product_of(groups)[:, found[0]]
    classes[STEPS], classes[MACS] = steps, found[1]
    return classes


def _most_of_pes(chunks: dict[Dim, Chunks], starts: dict[Dim, Ints], macs: Ints) -> Ints:
    """The most MACs that any PE has to do in each combination of the dims' steps, whose order is `_ORDER`.

    PEs are all combinations of the units of each dim, so the most of all is the most over one dim's units after the other.
    """
    for axis, dim in enumerate(_ORDER):
        start, active = chunks[dim].start[0], chunks[dim].start[0] < chunks[dim].end[0]
        chunk = np.searchsorted(starts[dim], np.where(active, start, 0))
        shape = [*macs.shape[:axis], *chunk.shape, *macs.shape[axis + 1 :]]
        of_units = np.take(macs, chunk.ravel(), axis=axis).reshape(shape)
        idle = ~active.reshape(*[1] * axis, *active.shape, *[1] * (DIMS - axis - 1))
        macs = np.where(idle, 0, of_units).max(axis=axis + 1)
    return macs
