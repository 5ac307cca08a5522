"""Bits that a word takes where it is stored or sent, zeros and indices included: an average over the tensor's words."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, gcd, prod

from mapsearch.model.errors import LayerError
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.sparsity import Coding, Format, Level, Pattern
from mapsearch.model.tensors import Dim, Tensor

PARTS = 64  # of a bit
# The dims outside a row, in a format that has rows.
_ROWS = {
    Tensor.WEIGHT: (Dim.G, Dim.K),
    Tensor.INPUT: (Dim.G, Dim.N, Dim.C),
    Tensor.OUTPUT: (Dim.G, Dim.N, Dim.K),
}
WordBits = tuple[int, int, int]  # of W, I, O, in 1 / PARTS of a bit


@lru_cache(maxsize=256)
def word_bits(layer: Layer, hardware: Hardware) -> tuple[WordBits, WordBits, WordBits, WordBits]:
    """By `Level`, the bits of a word of each tensor, in 1/64 of a bit, rounded up.

    LayerError where a sparse tensor has no pattern n:m and its format takes no other.
    """
    at_l1, at_noc, at_l2, at_offchip = (_at(layer, hardware, level) for level in Level)
    return at_l1, at_noc, at_l2, at_offchip


def _at(layer: Layer, hardware: Hardware, level: Level) -> WordBits:
    formats = hardware.sparse.formats[level]
    for tensor, each in zip(Tensor, formats, strict=True):
        sparsity = layer.sparsity[tensor]
        if each.coding is Coding.NM and not isinstance(sparsity, Pattern) and sparsity.density < 1:
            raise LayerError(
                f"layer {layer.name}: {tensor.label} must have a pattern n:m, as its format at {level.label} is nm, got density "
                f"{sparsity}; use another format"
            )
    w, i, o = (_bits(layer, tensor, hardware.bits[tensor], formats[tensor]) for tensor in Tensor)
    return w, i, o


def _bits(layer: Layer, tensor: Tensor, bits: int, stored: Format) -> int:
    """Bits of a word on average."""
    if stored.coding is Coding.NONE:  # soon done, as each of a space's machines comes here
        return PARTS * bits
    share, each, rest = stored_bits(layer, tensor, bits, stored)
    return ceil(PARTS * (share * each + rest))


def stored_bits(layer: Layer, tensor: Tensor, bits: int, stored: Format) -> tuple[Fraction, int, Fraction]:
    """Of words of so many bits: the share that is stored, the bits of one of them with its index, and those for every word."""
    sparsity = layer.sparsity[tensor]
    share, index, rest = sparsity.density, stored.index_bits, Fraction()
    match stored.coding:
        case Coding.NONE:
            share = Fraction(1)
        case Coding.IDEAL | Coding.COORDINATE:
            pass
        case Coding.BITMASK:
            rest = Fraction(1)
        case Coding.RLE:
            # A pair ends a run, at a non-zero or at the longest run: as many pairs as 1 / (mean of a geometric length that is cut).
            ends_early = 1 - Fraction((1 - share) ** 2**index)
            share /= ends_early
        case Coding.CSR:
            words = layer.words(tensor)
            row = words // prod(layer.extents[dim] for dim in _ROWS[tensor])
            index = (row - 1).bit_length()
            rest = Fraction(int(share * words + Fraction(1, 2)).bit_length(), row)
        case Coding.NM:
            index = (sparsity.group - 1).bit_length() if isinstance(sparsity, Pattern) else 0
    return share, bits + index, rest


@lru_cache(maxsize=256)
def room_bits(layer: Layer, hardware: Hardware, level: Level) -> WordBits:
    """The bits that a buffer sets aside for a word of each tensor, in 1/64 of a bit.

    They are all of its bits, as any part of a tensor may be dense, but where a format counts on a pattern. Partial sums have none.
    """
    stored, formats = word_bits(layer, hardware)[level], hardware.sparse.formats[level]
    w, i = (
        stored[tensor] if formats[tensor].coding is Coding.NM else PARTS * hardware.bits[tensor]
        for tensor in (Tensor.WEIGHT, Tensor.INPUT)
    )
    return w, i, PARTS * hardware.bits[Tensor.OUTPUT]


def bytes_of(words: int, bits: int) -> int:
    """Bytes for so many words of so many bits each, in 1/64 of a bit."""
    return -(-words * bits // (8 * PARTS))


def bytes_of_tensors(layer: Layer, bits: WordBits) -> list[int]:
    """The same for all words of W, I, O of a layer."""
    return [bytes_of(layer.words(tensor), each) for tensor, each in zip(Tensor, bits, strict=True)]


@lru_cache(maxsize=256)
def units_of_a_bit(layer: Layer, hardware: Hardware) -> int:
    """The power of two by which the bits of all words at all levels are to be multiplied to be whole numbers, at the least."""
    return PARTS // gcd(PARTS, *(bits for level in word_bits(layer, hardware) for bits in level))
