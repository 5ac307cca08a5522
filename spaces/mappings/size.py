"""How many mappings a space holds, without listing them.

A chain is one dim's tile sizes from level to level. Chains of different dims are independent, so each dim's chains are counted by
the set of levels at which the dim iterates; the dims that iterate at a level determine its number of orders. Counts are floats, as
they exceed 64-bit integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.spaces.mappings.choices import Bounds
from mapsearch.spaces.mappings.tiles import fills_rounds, permitted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@leaf
def _count_chains(extent: int, shares: Ints, bounds: Bounds, rule: int, even: int, at: Ints, out: Floats) -> None:
    """Write to out[mask] how many chains iterate at just the levels of the mask; bounds: of one dim; at: [levels], scratch."""
    least, most, listed = bounds
    levels = shares.shape[0]
    out[:] = 0
    level = 0
    at[0] = permitted(extent, extent, least[0], most[0], listed[0], rule)
    while True:
        if level < levels - 1:
            level += 1
            at[level] = permitted(at[level - 1], at[level - 1], least[level], most[level], listed[level], rule)
            continue
        mask, counts = 0, True
        tile = extent
        for k in range(levels):
            if at[k] * shares[k] < tile:
                mask |= 1 << k
            if even == 1 and not fills_rounds(tile, at[k], shares[k]):
                counts = False
            tile = at[k]
        if counts:
            out[mask] += 1
        while level >= 0 and at[level] <= least[level]:
            level -= 1
        if level < 0:
            return
        tile = extent if level == 0 else at[level - 1]
        at[level] = permitted(tile, at[level] - 1, least[level], most[level], listed[level], rule)


@leaf
def _add_dim(counts: Floats, targets: Ints, ways: Floats, grown: Floats) -> None:
    """Combine the counts so far, `ways`, with one more dim's, and add the result to `grown`; both as in `Counter.count`.

    counts: float64[own, iterating], of the new dim; targets: int64[iterating, cells], the new cell of each.
    """
    masks, cells = ways.shape
    for own in range(masks):
        for iterating in range(masks):
            if counts[own, iterating] == 0:
                continue
            for before in range(masks):
                if before & own == 0:
                    for cell in range(cells):
                        grown[before | own, targets[iterating, cell]] += counts[own, iterating] * ways[before, cell]


@lru_cache(maxsize=4096)
def _chains(extent: int, shares: tuple[int, ...], bounds: tuple[bytes, bytes, bytes], rule: int, *, even: bool) -> Floats:
    """The number of a dim's chains by the mask of levels at which it iterates, float64[2**levels]; shared, so not to be changed.

    shares: the units that the dim is shared out over at each level (1 where it is not the spatial dim); bounds: the bytes of each
    array of the dim's `Bounds`.
    """
    levels = len(shares)
    least, most, listed = (np.array(np.frombuffer(each, np.int64)) for each in bounds)
    out = np.empty(2**levels)
    of_dim = Bounds(least, most, listed.reshape(levels, -1))
    _count_chains(extent, np.array(shares, np.int64), of_dim, rule, int(even), np.empty(levels, np.int64), out)
    return out


class Orders:
    """The number of orders of a level's loops, by the set of dims that iterate, as an automaton that reads dim after dim.

    Two sets of the first dims are one state where they have equally many orders whatever dims follow. Step i is before dim i:
    after[i][state, iterates] is the state of the next step; in the end, counts[state] is the number of orders.
    """

    def __init__(self, counts: Floats) -> None:
        """counts: float64[2] * dims, the orders of each set."""
        dims = counts.ndim
        states: list[Ints] = []
        for step in range(dims + 1):
            _, state = np.unique(counts.reshape(2**step, -1), axis=0, return_inverse=True)
            states.append(state.ravel())
        self.counts: Floats = np.unique(counts)
        self.after: list[Ints] = []
        for state, grown in pairwise(states):
            following = np.empty((int(state.max()) + 1, 2), np.int64)
            following[state] = grown.reshape(-1, 2)
            self.after.append(following)


def _targets(orders: Sequence[Orders], step: int) -> Ints:
    """int64[iterating, cells]: the next step's cell for each cell of this step, by the mask of levels at which the dim iterates."""
    after = [level.after[step] for level in orders]
    shape = [len(following) for following in after]
    grown = [int(following.max()) + 1 for following in after]
    states = np.unravel_index(np.arange(prod(shape)), shape)
    masks = range(2 ** len(orders))
    cells = [
        np.ravel_multi_index(
            [each[state, mask >> level & 1] for level, (each, state) in enumerate(zip(after, states, strict=True))], grown
        )
        for mask in masks
    ]
    return np.array(cells, np.int64)


class Counter:
    """Counts the mappings of dims with these extents.

    bounds: of these dims; spatial: for each level, the indices of the dims that it may share out, empty where it shares out
    nothing; orders: of each level; even: see `Restriction`.
    """

    def __init__(
        self, extents: Sequence[int], bounds: Bounds, spatial: Sequence[Sequence[int]], orders: Sequence[Orders], rule: int,
        *, even: bool,
    ) -> None:  # fmt: skip
        self._extents, self._spatial, self._rule, self._even = extents, spatial, rule, even
        self._bounds = [
            (bounds.least[:, dim].tobytes(), bounds.most[:, dim].tobytes(), bounds.listed[:, dim].tobytes())
            for dim in range(len(extents))
        ]
        self._targets = [_targets(orders, step) for step in range(len(extents))]
        self._orders = np.ones(1)
        for level in orders:
            self._orders = np.multiply.outer(self._orders, level.counts).ravel()

    def count(self, units: Sequence[int]) -> float:
        """The number of mappings whose levels have these numbers of units."""
        masks = 2 ** len(units)
        # ways[assigned, cell]: the number of choices for the dims so far, by the mask of levels that have their spatial dim, and by
        # the states of all levels' orders; a level that shares out nothing counts as assigned from the start
        ways = np.zeros((masks, 1))
        ways[sum(1 << level for level, dims in enumerate(self._spatial) if not dims), 0] = 1.0
        for dim, extent in enumerate(self._extents):
            counts = np.zeros((masks, masks))
            may_own = sum(1 << level for level, dims in enumerate(self._spatial) if dim in dims)
            for own in range(masks):
                if own & ~may_own == 0:
                    shares = tuple(min(n, extent) if own >> level & 1 else 1 for level, n in enumerate(units))
                    counts[own] = _chains(extent, shares, self._bounds[dim], self._rule, even=self._even)
            targets = self._targets[dim]
            grown = np.zeros((masks, int(targets.max()) + 1))
            _add_dim(counts, targets, ways, grown)
            ways = grown
        return float(ways[-1] @ self._orders)
