"""Masks: which words of a layer's operands are not zero, each known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import LayerError
from mapsearch.model.layer import Layer
from mapsearch.model.sparsity import Coding, Format, Sparsities, Uniform
from mapsearch.model.tensors import Dim, Tensor

Bools = NDArray[np.bool_]
AXES = {Tensor.WEIGHT: "G K C R S", Tensor.INPUT: "N G C Y X"}


def mask_shape(layer: Layer, tensor: Tensor) -> tuple[int, ...]:
    """The shape of a mask of W or I, in the order of `AXES`; the input is that with its padding."""
    g, n, k, c, r, s, _, _ = layer.extents
    return (g, k, c, r, s) if tensor is Tensor.WEIGHT else (n, g, c, layer.input_rows, layer.input_columns)


@dataclass(frozen=True)
class Masks:
    """The zeros of a layer's operands.

    layer: its own sparsity is that of tensors without a mask. weight: bool[G, K, C, R, S]; input: bool[N, G, C, Y, X], or None.
    LayerError where a mask has another shape, or only zeros.
    """

    layer: Layer
    weight: Bools | None = None
    input: Bools | None = None

    def __post_init__(self) -> None:
        for tensor, mask in self.given.items():
            where = f"layer {self.layer.name}: mask of {tensor.label}"
            if mask.shape != mask_shape(self.layer, tensor):
                raise LayerError(
                    f"{where} must have the shape {AXES[tensor]} = {mask_shape(self.layer, tensor)}"
                    f"{', padding included' if tensor is Tensor.INPUT else ''}, got {mask.shape}"
                )
            if not mask.any():
                raise LayerError(f"{where} must have a word that is not zero")

    @property
    def given(self) -> dict[Tensor, Bools]:
        """The masks, by the operands that have one."""
        masks = {Tensor.WEIGHT: self.weight, Tensor.INPUT: self.input}
        return {tensor: mask for tensor, mask in masks.items() if mask is not None}

    @cached_property
    def densities(self) -> Sparsities:
        """The layer's sparsity with the masks' densities; that of the input is of the words that the layer touches."""
        w, i, o = self.layer.sparsity
        if self.weight is not None:
            w = _density(self.weight)
        if self.input is not None:
            rows, columns = (_touched(self.layer, axis) for axis in range(2))
            i = _density(self.input[:, :, :, rows][..., columns])
        return w, i, o

    @cached_property
    def counted_layer(self) -> Layer:
        """The layer with the masks' densities and the MACs that have no zero; LayerError where an operand has only a density."""
        for tensor in (Tensor.WEIGHT, Tensor.INPUT):
            if tensor not in self.given and self.layer.density[tensor] < 1:
                got = self.layer.sparsity[tensor]
                raise LayerError(f"layer {self.layer.name}: {tensor.label} must have a mask as well, or be dense, got {got}")
        counts = (self.macs([Tensor.WEIGHT]), self.macs([Tensor.INPUT]), self.macs([Tensor.WEIGHT, Tensor.INPUT]))
        return replace(self.layer, sparsity=self.densities, effectual=counts)

    def weights(self, counted: Collection[Tensor]) -> Bools:
        """bool[G, K, C, R, S]: which weights are not zero, or count as such because weights are not among `counted`."""
        if self.weight is None or Tensor.WEIGHT not in counted:
            return np.ones(mask_shape(self.layer, Tensor.WEIGHT), np.bool_)
        return self.weight

    def inputs(self, counted: Collection[Tensor], row_tap: int, column_tap: int) -> Bools:
        """bool[N, G, C, Y', X']: the same of the inputs that a tap, a weight's R and S, multiplies for each output."""
        g, n, _, c, _, _, y, x = self.layer.extents
        if self.input is None or Tensor.INPUT not in counted:
            return np.ones((n, g, c, y, x), np.bool_)
        (stride_y, stride_x), (spread_y, spread_x) = self.layer.stride, self.layer.dilation
        first_y, first_x = row_tap * spread_y, column_tap * spread_x
        rows = slice(first_y, first_y + (y - 1) * stride_y + 1, stride_y)
        return self.input[:, :, :, rows, first_x : first_x + (x - 1) * stride_x + 1 : stride_x]

    def stored(self, tensor: Tensor, how: Format) -> Bools:
        """Which words of W or I a format stores, of the shape of the mask: of runs, those that end a pair.

        Runs go on over the whole tensor, in the order of `AXES`, and count only the words that the layer touches.
        """
        mask = self.given.get(tensor)
        if mask is None or how.coding is Coding.NONE:
            return np.ones(mask_shape(self.layer, tensor), np.bool_)
        if how.coding is not Coding.RLE:
            return mask
        if tensor is Tensor.WEIGHT:
            return _ends(mask, 2**how.index_bits)
        ends, touched = np.zeros_like(mask), np.ix_(*map(range, mask.shape[:3]), *(_touched(self.layer, axis) for axis in range(2)))
        ends[touched] = _ends(mask[touched], 2**how.index_bits)
        return ends

    def macs(self, counted: Collection[Tensor]) -> int:
        """The MACs whose operands among `counted` are not zero."""
        weights = self.weights(counted).sum(axis=1)
        _, _, _, _, r, s, _, _ = self.layer.extents
        taps = ((row, column) for row in range(r) for column in range(s))
        return sum(
            int((weights[..., row, column] * self.inputs(counted, row, column).sum(axis=(0, 3, 4))).sum()) for row, column in taps
        )


def _density(mask: Bools) -> Uniform:
    return Uniform(Fraction(int(np.count_nonzero(mask)), mask.size))


def _ends(mask: Bools, longest: int) -> Bools:
    """Where pairs of a run of zeros and a word end: at each non-zero, and at every `longest` zeros, all in one row."""
    places = np.arange(mask.size)
    last = np.maximum.accumulate(np.where(mask.ravel(), places, -1))  # the non-zero at or before
    ends: Bools = (places - last) % longest == 0
    return ends.reshape(mask.shape)


def _touched(layer: Layer, axis: int) -> NDArray[np.int64]:
    """The rows (axis 0) or columns of the input that some output and tap need."""
    outputs, taps = np.arange(layer.extents[Dim.Y + axis]), np.arange(layer.extents[Dim.R + axis])
    return np.unique(outputs[:, None] * layer.stride[axis] + taps * layer.dilation[axis])
