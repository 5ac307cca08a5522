"""The bits of W and I that come in step by step, where masks tell each zero.

The words of a tensor that come in are all that is held but what was held before, and both are products over the tensor's axes
(section 5 of docs/cost_model.md). So with the bits of each word as an array, those of all steps are sums over chunks of one axis
after the other, and products with the words that the windows of two axes hold.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS
from mapsearch.model.masks import Masks
from mapsearch.model.moved_bits import OPERANDS, Moved
from mapsearch.model.reference.nests import INNER, WHOLE, Chunks, Ints, Nest, carries, indices, windows
from mapsearch.model.sparsity import Format, Level
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.model.word_bits import stored_bits

# The order in which the steps of a carry are the product of the groups' steps.
ORDER = (Dim.G, Dim.N, Dim.K, Dim.C, Dim.Y, Dim.R, Dim.X, Dim.S)
# The dims of one axis each, in the order of `masks.AXES`; of I, rows and columns follow.
_SINGLE = {Tensor.WEIGHT: (Dim.G, Dim.K, Dim.C, Dim.R, Dim.S), Tensor.INPUT: (Dim.N, Dim.G, Dim.C)}


class Stored(NamedTuple):
    """The bits of each word of W or I, axes as in `masks.AXES`, in parts; parts: of a bit."""

    bits: Ints
    parts: int


def stored_words(layer: Layer, hardware: Hardware, masks: Masks, tensor: Tensor, how: Format) -> Stored:
    """What the words of a tensor take in a format."""
    _, each, rest = stored_bits(layer, tensor, hardware.bits[tensor], how)
    return Stored(masks.stored(tensor, how) * (each * rest.denominator) + rest.numerator, rest.denominator)


class Incoming(NamedTuple):
    """Bits of a tensor in the steps of a carry, int64[steps of each dim in `ORDER`], or 1 step where all are alike.

    came, stayed: of the words that active PEs hold, and of those of them that need not come.
    """

    came: Ints
    stayed: Ints


def incoming(nest: Nest, roles: Ints, tensor: Tensor, stored: Stored, *, at_each: bool) -> Incoming:
    """The bits in a carry, in parts; at_each: whether a word counts at each PE that holds it, else once."""
    chunks = {dim: nest.dim(dim, roles[dim])[0] for dim in Dim}
    sums: NDArray[np.float64] = stored.bits.astype(np.float64)  # exact: below 2^53
    for axis, dim in enumerate(_SINGLE[tensor]):
        sums = _summed(sums, axis, chunks[dim])
    if tensor is Tensor.WEIGHT:
        g, k, c, r, s = sums.shape
        came = stayed = sums.reshape(g, 1, k, c, 1, r, 1, s)
    else:
        came, stayed = _windowed(nest.layer, sums, chunks, at_each=at_each)
    for axis, dim in enumerate(ORDER):
        if dim in _SINGLE[tensor]:
            stayed = stayed * _along(axis, ~chunks[dim].moved)
        elif at_each and (tensor is Tensor.WEIGHT or dim is Dim.K):
            copies = _along(axis, (chunks[dim].start[0] < chunks[dim].end[0]).sum(axis=1))
            came, stayed = came * copies, stayed * copies
    return Incoming(np.rint(came).astype(np.int64), np.rint(stayed).astype(np.int64))


def whole_bits(sums: Ints, stored: Stored) -> Ints:
    """Bits of transfers, rounded up."""
    return -(-sums // stored.parts)


def _along(axis: int, of_steps: NDArray[np.generic]) -> NDArray[np.float64]:
    return of_steps.astype(np.float64).reshape(*[1] * axis, -1, *[1] * (len(ORDER) - axis - 1))


def _summed(sums: NDArray[np.float64], axis: int, chunks: Chunks) -> NDArray[np.float64]:
    """The sums over the chunks of all units, which have no index in common, in place of an axis."""
    before: NDArray[np.float64] = np.concatenate([np.zeros_like(np.take(sums, [0], axis=axis)), sums.cumsum(axis)], axis)
    ends: NDArray[np.float64] = np.take(before, chunks.end[0].ravel(), axis=axis)
    starts: NDArray[np.float64] = np.take(before, chunks.start[0].ravel(), axis=axis)
    steps, units = chunks.start.shape[1:]
    apart = (ends - starts).reshape(*sums.shape[:axis], steps, units, *sums.shape[axis + 1 :])
    found: NDArray[np.float64] = apart.sum(axis=axis + 1)
    return found


def _windowed(
    layer: Layer, sums: NDArray[np.float64], chunks: dict[Dim, Chunks], *, at_each: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What came and what stayed, from sums [N, G, C, row, column], in which N, G and C are steps."""
    axes: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for lead, slide, stride, dilation in zip((Dim.Y, Dim.X), (Dim.R, Dim.S), layer.stride, layer.dilation, strict=True):
        outputs, taps = (indices(chunks[dim], layer.extents[dim]) for dim in (lead, slide))
        held = windows(outputs, taps, stride, dilation)
        new, old = (each.sum(axis=(2, 3)) for each in (held[0], held[0] & held[1]))  # [steps, steps, coordinates], units that hold
        if not at_each:  # a word need not come where all that hold it held it before
            new, old = new > 0, (new > 0) & (new == old)
        axes.append((new.astype(np.float64), old.astype(np.float64)))
    found: list[NDArray[np.float64]] = []
    for rows, columns in zip(*axes, strict=True):
        words: NDArray[np.float64] = np.tensordot(np.tensordot(sums, rows, (3, 2)), columns, (3, 2)).astype(np.float64, copy=False)
        found.append(words.swapaxes(0, 1)[:, :, None])  # [N, G, C, Y', R, X', S] before
    came, stayed = found
    return came, stayed


class Stores(NamedTuple):
    """The words of W and I as they are stored or sent, by their masks; formats: by `Level`, of W and of I."""

    masks: Masks
    formats: dict[Level, tuple[Format, Format]]
    words: dict[tuple[Tensor, Format], Stored]

    def at(self, level: Level, tensor: Tensor) -> Stored:
        """The words of a tensor at a level."""
        return self.words[tensor, self.formats[level][tensor]]


def stores(layer: Layer, hardware: Hardware, masks: Masks) -> Stores:
    """What a machine makes of the words of a layer with masks."""
    formats = {level: hardware.sparse.formats[level][:2] for level in Level}
    used = {(tensor, pair[tensor]) for pair in formats.values() for tensor in OPERANDS}
    return Stores(masks, formats, {(tensor, how): stored_words(layer, hardware, masks, tensor, how) for tensor, how in used})


def entered_bits(nest: Nest, dims: list[int], tensor: Tensor, stored: Stored, *, keeps: bool) -> tuple[int, int]:
    """Bits of the first footprint of a tensor while these loops of level 0 turn, and of all that enter the L2; see `_residency`."""
    roles = np.full((DIMS, 1), WHOLE)
    roles[dims] = INNER
    entered = [
        _total(nest, each, whole_bits(got.came - got.stayed * (keeps and number > 0), stored))
        for number, each in enumerate(carries(roles, [(0, dim) for dim in dims]))
        for got in [incoming(nest, each, tensor, stored, at_each=False)]
    ]
    return entered[0], sum(entered)


def _total(nest: Nest, roles: Ints, bits: Ints) -> int:
    """The sum of bits over all steps of a carry."""
    return int(bits.sum()) * prod(len(nest.dim(dim, roles[dim])[0].steps) for dim in Dim) // bits.size


class Transfers(NamedTuple):
    """Bits of W and of I that cross the network in each step of a carry, int64[2, steps], and its sums, `Moved`[6, 2]."""

    crossing: Ints
    moved: Ints


def transfers(nest: Nest, roles: Ints, hardware: Hardware, stored: Stores, *, first: bool) -> Transfers:
    """The bits of a carry; first: whether nothing was there before."""
    steps = [len(nest.dim(dim, roles[dim])[0].steps) for dim in ORDER]
    moved, crossing = np.zeros((len(Moved), 2), np.int64), np.empty((2, prod(steps)), np.int64)
    for tensor in OPERANDS:
        found: dict[Format, list[Ints]] = {}
        for how in {each[tensor] for each in stored.formats.values()}:
            words = stored.words[tensor, how]
            each = [incoming(nest, roles, tensor, words, at_each=copies) for copies in (not hardware.noc.multicast, True)]
            found[how] = [whole_bits(got.came - got.stayed * (not first), words) for got in each]
        crosses, fills = ({level: found[stored.formats[level][tensor]][k] for level in Level} for k in range(2))
        crossing[tensor] = np.broadcast_to(crosses[Level.NOC], steps).ravel()
        for use, bits in (
            (Moved.L2_READ, crosses[Level.L2]),
            (Moved.NOC, crosses[Level.NOC]),
            (Moved.NOC_FILL, fills[Level.NOC]),
            (Moved.L1_WRITE, fills[Level.L1]),
            (Moved.OFFCHIP, crosses[Level.OFFCHIP]),
        ):
            moved[use, tensor] = _total(nest, roles, bits)
    return Transfers(crossing, moved)
