"""What zeros spare, by densities or by masks: literal, in whole numbers, for small layers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, floor, prod

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.masks import Masks
from mapsearch.model.reference.walk import Chunks, Elements, ceil_of, elements, whole
from mapsearch.model.sparsity import LANE_DIMS, Coding, Format, Level, Pattern
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import stored_bits

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


@lru_cache(maxsize=4096)
def expected_turns(words: int, nonzeros: Fraction | int, tile: int, lanes: int, sure: int = 0) -> float:
    """The turns in which lanes take the non-zeros of a tile, of `nonzeros` on average anywhere in `words`, and some sure ones."""
    below = floor(nonzeros)
    found, rest = _whole_turns(words, below, tile, lanes, sure), float(nonzeros - below)
    return found + rest * (_whole_turns(words, below + 1, tile, lanes, sure) - found) if rest else found


def _whole_turns(words: int, nonzeros: int, tile: int, lanes: int, sure: int) -> float:
    ways = (comb(nonzeros, j) * comb(words - nonzeros, tile - j) * ceil_of(sure + j, lanes) for j in range(tile + 1))
    return sum(ways) / comb(words, tile)


def part_left(layer: Layer, hardware: Hardware, words: Sequence[int], tiles: Sequence[int], lengths: Sequence[int]) -> float:
    """The part of a step's MACs; words: of W and I in PE 0's tile, whose sides are `lengths`; tiles: of W and I, on all PEs."""
    if hardware.sparse.balanced:
        return part_balanced(layer, hardware)
    part, skip = 1 - _ROUNDING, hardware.sparse.skip
    if hardware.sparse.lanes is not None:
        for tensor, lanes in zip((Tensor.WEIGHT, Tensor.INPUT), hardware.sparse.lanes, strict=True):
            held = prod(lengths[dim] for dim in LANE_DIMS[tensor])
            part *= (_turns(layer, tensor, held, lanes, lengths) if tensor in skip else ceil_of(held, lanes)) * lanes / held
        return part
    for tensor in skip:
        part *= _most(layer, tensor, words[tensor], tiles[tensor], lengths) / words[tensor]
    return part


def _turns(layer: Layer, tensor: Tensor, held: int, lanes: int, lengths: Sequence[int]) -> float:
    """Turns for the words of one reduction index."""
    sparsity = layer.sparsity[tensor]
    if not isinstance(sparsity, Pattern) or sparsity.along not in LANE_DIMS[tensor]:
        return expected_turns(layer.words(tensor), layer.nonzeros(tensor), held, lanes)
    length, kept, group = lengths[sparsity.along], sparsity.kept, sparsity.group
    rows, groups, cut = held // length, length // group, length % group
    return expected_turns(rows * group, rows * kept, rows * cut, lanes, rows * groups * kept)


def part_balanced(layer: Layer, hardware: Hardware) -> float:
    """The part of any step's MACs, if each PE has the layer's share of them to do."""
    return layer.part_done(hardware.sparse.skip) * (1 - _ROUNDING) if hardware.sparse.changes_time else 1.0


def _most(layer: Layer, tensor: Tensor, words: int, tiles: int, lengths: Sequence[int]) -> float:
    """Non-zeros of the tile that has the most; a pattern's whole groups have all alike, and what is cut off of them varies."""
    sparsity = layer.sparsity[tensor]
    if not isinstance(sparsity, Pattern):
        return expected_most(layer.words(tensor), layer.nonzeros(tensor), words, tiles)
    length, kept, group = lengths[sparsity.along], sparsity.kept, sparsity.group
    rows, groups, cut = words // length, length // group, length % group
    return rows * groups * kept + expected_most(rows * group, rows * kept, rows * cut, tiles)


class KnownZeros:
    """What the masks of a layer tell, by plain loops; see `walk.Known`."""

    def __init__(self, layer: Layer, hardware: Hardware, masks: Masks) -> None:
        self._layer, self._hardware = layer, hardware
        self._nonzeros = {tensor: _nonzeros(layer, masks, tensor) for tensor in (Tensor.WEIGHT, Tensor.INPUT)}
        self._stored = {
            (level, tensor): _stored(layer, tensor, found, hardware.sparse.formats[level][tensor])
            for level in Level
            for tensor, found in self._nonzeros.items()
        }

    def to_do(self, chunks: Chunks) -> int:
        """The MACs of chunks that take time: those without a zero of an operand that the machine skips, or of full lanes."""
        if self._hardware.sparse.lanes is not None:
            return self._in_lanes(chunks, *self._hardware.sparse.lanes)
        return sum(self._is_done(*mac) for mac in product(*chunks))

    def _is_done(self, g: int, n: int, k: int, c: int, r: int, s: int, y: int, x: int) -> bool:
        (sy, sx), (dy, dx) = self._layer.stride, self._layer.dilation
        words = {Tensor.WEIGHT: (g, k, c, r, s), Tensor.INPUT: (n, g, c, sy * y + dy * r, sx * x + dx * s)}
        return all(words[tensor] in self._nonzeros[tensor] for tensor in self._hardware.sparse.skip)

    def _in_lanes(self, chunks: Chunks, lanes_w: int, lanes_i: int) -> int:
        g, n, k, c, r, s, y, x = chunks
        skip, nonzeros, macs = self._hardware.sparse.skip, self._nonzeros, 0
        (sy, sx), (dy, dx) = self._layer.stride, self._layer.dilation
        for at in product(g, c, r, s):
            of_g, of_c, of_r, of_s = at
            weights = [(of_g, each, of_c, of_r, of_s) for each in k]
            inputs = [(i, of_g, of_c, sy * row + dy * of_r, sx * column + dx * of_s) for i, row, column in product(n, y, x)]
            held_w = sum(Tensor.WEIGHT not in skip or word in nonzeros[Tensor.WEIGHT] for word in weights)
            held_i = sum(Tensor.INPUT not in skip or word in nonzeros[Tensor.INPUT] for word in inputs)
            macs += ceil_of(held_w, lanes_w) * lanes_w * ceil_of(held_i, lanes_i) * lanes_i
        return macs

    def bits(self, level: Level, tensor: Tensor, words: Elements) -> Fraction:
        """The bits of words of W or I in their format at a level, on their own."""
        how = self._hardware.sparse.formats[level][tensor]
        _, each, rest = stored_bits(self._layer, tensor, self._hardware.bits[tensor], how)
        return each * len(words & self._stored[level, tensor]) + rest * len(words)


def _nonzeros(layer: Layer, masks: Masks, tensor: Tensor) -> Elements:
    words, mask = elements(layer, tensor, whole(layer)), masks.given.get(tensor)
    return words if mask is None else frozenset(word for word in words if mask[word])


def _stored(layer: Layer, tensor: Tensor, nonzeros: Elements, how: Format) -> Elements:
    """The words that a format stores: all, or those that are not zero, or those that end a pair of a run of zeros and a word."""
    words = elements(layer, tensor, whole(layer))
    if how.coding is Coding.NONE:
        return words
    if how.coding is not Coding.RLE:
        return nonzeros
    found: list[tuple[int, ...]] = []
    zeros = 0
    for word in sorted(words):
        zeros = 0 if word in nonzeros else zeros + 1
        if word in nonzeros or zeros == 2**how.index_bits:
            found.append(word)
            zeros = 0
    return frozenset(found)
