"""Tile sizes that are legal by construction: drawn or changed, then brought back under what L1 and L2 hold.

A chain of sizes, one a level and dim, is legal where each is permitted for the tile above it and where

    L1: sum over tensors of bytes(innermost tile) x (2 if double-buffered)                         <= L1 bytes
    L2: sum over tensors of min(bytes(tensor), bytes(level-0 working set) x (2 if double-buffered)) <= L2 bytes

The second is exactly the least need over all depths of residency: a footprint shrinks as the depth grows, so the least is
that of depth 0, which never moves, or that of the full depth.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel, leaf
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import Tensor
from mapsearch.model.windows import tile_words
from mapsearch.spaces.mappings.rules import TileRule

Ints = NDArray[np.int64]
Bytes = NDArray[np.int8]


BALANCED, DIVISORS = int(TileRule.BALANCED), int(TileRule.DIVISORS)

# Columns of the limits of a layer on a machine, an int64 vector.
BITS = 0  # to 2: of a word of weight, input, output
L1_BYTES = 3
L1_DOUBLED = 4  # 2 where double-buffered, else 1
L2_BYTES = 5
L2_DOUBLED = 6
PHASES = 7  # to 10: (dilation, stride)/gcd of rows, then of columns
WHOLE = 11  # to 13: bytes of all of W, I, O

# Of the bounds of a size.
LEAST, MOST, LISTED = 0, 1, 2


def limits_of(layer: Layer, hardware: Hardware) -> Ints:
    """int64[14], the columns above."""
    phases = [
        value // gcd(stride, dilation)
        for stride, dilation in zip(layer.stride, layer.dilation, strict=True)
        for value in (dilation, stride)
    ]
    whole = [(layer.words(tensor) * bits + 7) // 8 for tensor, bits in zip(Tensor, hardware.bits, strict=True)]
    l1, l2 = hardware.l1, hardware.l2
    return np.array([*hardware.bits, l1.bytes, 1 + l1.double_buffered, l2.bytes, 1 + l2.double_buffered, *phases, *whole], np.int64)


@leaf
def allowed_size(tile: int, size: int, rule: int) -> int:
    """The largest allowed size of a tile that is at most `size`, or 1."""
    size = max(1, min(size, tile))
    if rule == BALANCED:
        trips = (tile + size - 1) // size
        smallest = (tile + trips - 1) // trips
        return int(smallest)
    if rule == DIVISORS:
        best = 1
        low = 1
        while low * low <= tile:
            if tile % low == 0:
                if low <= size:
                    best = max(best, low)
                if tile // low <= size:
                    best = max(best, tile // low)
            low += 1
        return best
    return size


@leaf
def permitted(tile: int, size: int, bounds: Ints, level: int, dim: int, rule: int) -> int:
    """The largest permitted size of a tile, of a dim at a level, that is at most `size`, or else the least.

    bounds: int64[levels, dims, 2 + n], of each: least, most and, where it is not empty, the list of sizes, which ends with zeros;
    each that is more than the tile means all of it. Permitted are those of the list or, without one, both ends and what the rule
    allows between them.
    """
    low, high = min(bounds[level, dim, LEAST], tile), min(bounds[level, dim, MOST], tile)
    if bounds.shape[2] > LISTED and bounds[level, dim, LISTED] > 0:
        found = low
        for k in range(LISTED, bounds.shape[2]):
            listed = min(bounds[level, dim, k], tile)
            if found < listed <= size:
                found = listed
        return int(found)
    if size >= high:
        return int(high)
    return int(max(low, allowed_size(tile, size, rule)))


@inlined
def _tensor_bytes(tile: Ints, limits: Ints, out: Ints) -> None:
    """Bytes of W, I and O that a tile of eight lengths takes."""
    words = tile_words(tile, limits[PHASES], limits[PHASES + 1], limits[PHASES + 2], limits[PHASES + 3])
    out[0], out[1], out[2] = words[0], words[1], words[2]
    for tensor in range(3):
        out[tensor] = (out[tensor] * limits[BITS + tensor] + 7) // 8


@inlined
def fits_l1(tile: Ints, limits: Ints, work: Ints) -> bool:
    """Whether the operands of a tile fit the L1 of a PE; work: [3 or more], overwritten."""
    _tensor_bytes(tile, limits, work)
    return bool((work[0] + work[1] + work[2]) * limits[L1_DOUBLED] <= limits[L1_BYTES])


@inlined
def fits_l2(extents: Ints, tile: Ints, spatial: int, units: int, limits: Ints, chunk: Ints, work: Ints) -> bool:
    """Whether the working set of a level-0 tile, of all units of its spatial dim together, can reside.

    spatial: -1 for none; chunk: [8] and work: [3 or more], overwritten.
    """
    for dim in range(8):
        chunk[dim] = tile[dim]
    if spatial >= 0:
        chunk[spatial] = min(extents[spatial], tile[spatial] * units)
    _tensor_bytes(chunk, limits, work)
    need = 0
    for tensor in range(3):
        need += min(limits[WHOLE + tensor], work[tensor] * limits[L2_DOUBLED])
    return bool(need <= limits[L2_BYTES])


@kernel
def _shrink(tile: Ints, above: Ints, bounds: Ints, level: int, rule: int, rng: np.random.Generator) -> bool:
    """Shrink one dim of a tile to about half, picked at random; False where all have their least size already."""
    start = rng.integers(0, 8)
    for k in range(8):
        dim = (start + k) % 8
        if tile[dim] > min(bounds[level, dim, LEAST], above[dim]):
            tile[dim] = permitted(above[dim], tile[dim] // 2, bounds, level, int(dim), rule)
            return True
    return False


@kernel
def _collapse(extents: Ints, bounds: Ints, size: Ints, rng: np.random.Generator) -> bool:
    """Give one dim, picked at random, its least sizes at all levels; False where all have them already."""
    levels = size.shape[0]
    start = rng.integers(0, 8)
    for k in range(8):
        dim = (start + k) % 8
        least = extents[dim]
        for level in range(levels):
            least = min(bounds[level, dim, LEAST], least)
        if size[levels - 1, dim] > least:
            least = extents[dim]
            for level in range(levels):
                least = min(bounds[level, dim, LEAST], least)
                size[level, dim] = least
            return True
    return False


@kernel
def settle(
    extents: Ints, bounds: Ints, units: Ints, spatial: Bytes, size: Ints, limits: Ints, rule: int, work: Ints,
    rng: np.random.Generator,
) -> bool:  # fmt: skip
    """Make one chain of sizes [levels, 8] permitted and fitting, in place; False where not even the least sizes fit.

    bounds: as in `permitted`; limits: [14], the columns above; work: [2, 8], overwritten.
    """
    levels = units.shape[0]
    above = extents
    for level in range(levels):
        tile = size[level]
        for dim in range(8):
            tile[dim] = permitted(above[dim], tile[dim], bounds, level, dim, rule) if above[dim] > 1 else 1
        if level == 0:
            while not fits_l2(extents, tile, spatial[0], units[0], limits, work[0], work[1]):
                if not _shrink(tile, above, bounds, level, rule, rng):
                    return False
        if level == levels - 1:
            while not fits_l1(tile, limits, work[1]):
                # What is bounded from below at an inner level may still follow the outer tile down.
                if not _shrink(tile, above, bounds, level, rule, rng) and not _collapse(extents, bounds, size, rng):
                    return False
        above = tile
    return True


@kernel
def random_size(tile: int, rng: np.random.Generator) -> int:
    """A size of 1 to `tile`, drawn evenly on a log scale of the trip count or, half of the time, of the size."""
    draw = int(np.exp(rng.random() * np.log(tile + 0.999)))
    return draw if rng.random() < 0.5 else tile // draw


@inlined
def draw_size(tile: int, bounds: Ints, level: int, dim: int, rng: np.random.Generator) -> int:
    """A size within the bounds, drawn as `random_size` does."""
    low, high = min(bounds[level, dim, LEAST], tile), min(bounds[level, dim, MOST], tile)
    return int(low if low == high else low - 1 + random_size(high - low + 1, rng))


@kernel
def draw_sizes(
    extents: Ints,
    bounds: Ints,
    units: Ints,
    spatial: Bytes,
    limits: Ints,
    rule: int,
    rng: np.random.Generator,
    size: Ints,
    ok: Bytes,
) -> None:
    """Draw size[b] for every mapping; ok[b] = 1 where it fits. bounds: as in `settle`; arrays as in `MappingBatch`."""
    work = np.empty((2, 8), np.int64)
    for b in range(units.shape[0]):
        for level in range(units.shape[1]):
            above = extents if level == 0 else size[b, level - 1]
            for dim in range(8):
                size[b, level, dim] = draw_size(above[dim], bounds, level, dim, rng)
        ok[b] = settle(extents, bounds, units[b], spatial[b], size[b], limits, rule, work, rng)


@kernel
def settle_all(
    extents: Ints,
    bounds: Ints,
    units: Ints,
    spatial: Bytes,
    limits: Ints,
    rule: int,
    rng: np.random.Generator,
    size: Ints,
    ok: Bytes,
) -> None:
    """Make the sizes of every mapping permitted and fitting; ok[b] = 1 where they are. As `settle`; arrays as in `MappingBatch`."""
    work = np.empty((2, 8), np.int64)
    for b in range(units.shape[0]):
        ok[b] = settle(extents, bounds, units[b], spatial[b], size[b], limits, rule, work, rng)
