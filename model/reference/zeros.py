"""The part of a step's MACs that takes time where zeros do not: literal, in whole numbers, for small layers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb, floor

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.sparsity import Pattern
from mapsearch.model.tensors import Tensor

# Steps are rounded up to whole cycles, after this much of them is left out: shares are floats.
_ROUNDING = 1e-9


@lru_cache(maxsize=4096)
def expected_most(words: int, nonzeros: Fraction | int, tile: int, tiles: int) -> float:
    """The most non-zeros to be expected in any of some independent tiles, of `nonzeros` on average anywhere in `words`."""
    below = floor(nonzeros)
    found, rest = _whole_most(words, below, tile, tiles), float(nonzeros - below)
    return found + rest * (_whole_most(words, below + 1, tile, tiles) - found) if rest else found


def _whole_most(words: int, nonzeros: int, tile: int, tiles: int) -> float:
    ways, so_far, found = comb(words, tile), 0, 0.0
    for j in range(tile):
        so_far += comb(nonzeros, j) * comb(words - nonzeros, tile - j)
        found += 1 - (so_far / ways) ** tiles
    return found


def part_left(layer: Layer, hardware: Hardware, words: Sequence[int], tiles: Sequence[int], lengths: Sequence[int]) -> float:
    """The part of a step's MACs; words: of W and I in PE 0's tile, whose sides are `lengths`; tiles: of W and I, on all PEs."""
    part = 1 - _ROUNDING
    for tensor in hardware.sparse.skip:
        part *= _most(layer, tensor, words[tensor], tiles[tensor], lengths) / words[tensor]
    return part


def part_balanced(layer: Layer, hardware: Hardware) -> float:
    """The part of any step's MACs, if each PE has the layer's share of them to do."""
    skip = hardware.sparse.skip
    return layer.part_done(skip) * (1 - _ROUNDING) if skip else 1.0


def _most(layer: Layer, tensor: Tensor, words: int, tiles: int, lengths: Sequence[int]) -> float:
    """Non-zeros of the tile that has the most; a pattern's whole groups have all alike, and what is cut off of them varies."""
    sparsity = layer.sparsity[tensor]
    if not isinstance(sparsity, Pattern):
        return expected_most(layer.words(tensor), layer.nonzeros(tensor), words, tiles)
    length, kept, group = lengths[sparsity.along], sparsity.kept, sparsity.group
    rows, groups, cut = words // length, length // group, length % group
    return rows * groups * kept + expected_most(rows * group, rows * kept, rows * cut, tiles)
