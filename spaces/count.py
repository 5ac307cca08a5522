"""How many mappings a space holds, without listing them.

Tile sizes of different dims are chosen apart, so a dim's chains of sizes are counted once for each set of levels at which
they iterate; a level at which m loops iterate has m! orders. Counts are floats: they go far beyond integers that matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import leaf
from mapsearch.spaces.tiles import allowed_size

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@leaf
def _count_chains(extent: int, shares: Ints, rule: int, at: Ints, out: Floats) -> None:
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


@leaf
def _add_dim(counts: Floats, strides: Ints, ways: Floats, grown: Floats) -> None:
    """Add to `grown` what `ways` becomes with one more dim; arrays as in `count_free`, counts: [own, iterating]."""
    masks, cells = ways.shape
    for own in range(masks):
        for iterating in range(masks):
            if counts[own, iterating] == 0:
                continue
            shift = 0
            for level in range(len(strides)):
                shift += strides[level] * (iterating >> level & 1)
            for before in range(masks):
                if before & own == 0:
                    for cell in range(cells - shift):
                        grown[before | own, cell + shift] += counts[own, iterating] * ways[before, cell]


@lru_cache(maxsize=4096)
def chains(extent: int, shares: tuple[int, ...], rule: int) -> Floats:
    """float64[2**levels]: chains of allowed sizes of a dim, by the mask of the levels at which they iterate; not to be changed.

    shares: the units that the dim is shared out over at each level (1 where it is not the spatial dim).
    """
    out = np.empty(2 ** len(shares))
    _count_chains(extent, np.array(shares, np.int64), rule, np.empty(len(shares), np.int64), out)
    return out


def count_free(extents: Sequence[int], units: Sequence[int], rule: int) -> float:
    """Mappings of dims with these extents: any order of what iterates, any dim spatial at each level of `units`."""
    levels = len(units)
    masks, lengths = 2**levels, len(extents) + 1
    # ways[assigned, m]: choices for the dims so far, with the levels in the mask `assigned` having their spatial dim and
    # m_l loops that iterate at level l, m = m_0 + m_1 * lengths + m_2 * lengths**2
    strides = lengths ** np.arange(levels)
    ways = np.zeros((masks, lengths**levels))
    ways[0, 0] = 1.0
    for extent in extents:
        shares = [tuple(min(n, extent) if own >> level & 1 else 1 for level, n in enumerate(units)) for own in range(masks)]
        counts = np.array([chains(extent, share, rule) for share in shares])
        grown = np.zeros_like(ways)
        _add_dim(counts, strides, ways, grown)
        ways = grown
    total = 0.0
    for cell, count in enumerate(ways[-1].tolist()):
        total += count * prod(factorial(cell // stride % lengths) for stride in strides.tolist())
    return total


def count_fixed(extents: Sequence[int], spatial: Sequence[int], units: Sequence[int], rule: int) -> float:
    """Tile sizes of a mapping whose orders are fixed; spatial[l] is the index of the dim that level l shares out."""
    total = 1.0
    for index, extent in enumerate(extents):
        total *= float(chains(extent, tuple(n if dim == index else 1 for n, dim in zip(units, spatial, strict=True)), rule).sum())
    return total
