"""How many mappings a space holds, without listing them.

Tile sizes of different dims are chosen apart, so a dim's chains of sizes are counted once for each set of levels at which
they iterate; a level at which m loops iterate has m! orders. Counts are floats: they go far beyond integers that matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.spaces.tiles import allowed_size

Floats = NDArray[np.float64]


@leaf
def _count_chains(extent: int, shares: NDArray[np.int64], rule: int, at: NDArray[np.int64], out: Floats) -> None:
    """out[mask] = chains of sizes that iterate at just the levels of the mask; at: [levels], work space."""
    levels = shares.shape[0]
    out[:] = 0
    at[0] = extent
    level = 0
    while True:
        if level == levels - 1:
            mask = 0
            tile = extent
            for k in range(levels):
                if at[k] * shares[k] < tile:
                    mask |= 1 << k
                tile = at[k]
            out[mask] += 1
        else:
            level += 1
            at[level] = at[level - 1]
            continue
        while level >= 0 and at[level] == 1:
            level -= 1
        if level < 0:
            return
        at[level] = allowed_size(extent if level == 0 else at[level - 1], at[level] - 1, rule)


def chains(extent: int, shares: Sequence[int], rule: int) -> Floats:
    """float64[2**levels]: chains of allowed sizes of a dim, by the mask of the levels at which they iterate.

    shares: the units that the dim is shared out over at each level (1 where it is not the spatial dim).
    """
    out = np.empty(2 ** len(shares))
    _count_chains(extent, np.array(shares, np.int64), rule, np.empty(len(shares), np.int64), out)
    return out


def count_free(extents: Sequence[int], units: Sequence[int], rule: int) -> float:
    """Mappings of dims with these extents: any order of what iterates, any dim spatial at each level of `units`."""
    levels = len(units)
    masks = 2**levels
    # ways[assigned][m_0, m_1, ...]: choices for the dims so far, with the levels in `assigned` having their spatial dim
    # and m_l loops that iterate at level l
    shape = (len(extents) + 1,) * levels
    ways = np.zeros((masks, *shape))
    ways[(0,) * (levels + 1)] = 1.0
    for extent in extents:
        grown = np.zeros_like(ways)
        for own in range(masks):
            counts = chains(extent, [units[level] if own >> level & 1 else 1 for level in range(levels)], rule)
            for before in (mask for mask in range(masks) if mask & own == 0):
                for iterating in range(masks):
                    moved = tuple(slice(iterating >> level & 1, None) for level in range(levels))
                    kept = tuple(slice(None, shape[level] - (iterating >> level & 1)) for level in range(levels))
                    grown[before | own][moved] += counts[iterating] * ways[before][kept]
        ways = grown
    orders = np.array([factorial(m) for m in range(len(extents) + 1)], np.float64)
    total = ways[masks - 1]
    for level in range(levels):
        total = total * orders.reshape([-1 if axis == level else 1 for axis in range(levels)])
    return float(total.sum())


def count_fixed(extents: Sequence[int], spatial: Sequence[int], units: Sequence[int], rule: int) -> float:
    """Tile sizes of a mapping whose orders are fixed; spatial[l] is the index of the dim that level l shares out."""
    total = 1.0
    for index, extent in enumerate(extents):
        total *= float(chains(extent, [n if dim == index else 1 for n, dim in zip(units, spatial, strict=True)], rule).sum())
    return total
