"""A layer: eight loop dims, strides and dilations, and the three tensors that its loops touch.

Every layer type is a case of one form, in which one MAC is one point of the eight-dim space:

    output[n, g, k, y', x'] += weight[g, k, c, r, s] * input[n, g, c, sy*y' + dy*r, sx*x' + dx*s]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any

from mapsearch.model.errors import LayerError
from mapsearch.model.sparsity import DENSE, Sparsities, Uniform
from mapsearch.model.tensors import TOUCHES, WINDOWS, Dim, Tensor, window_words


class LayerType(StrEnum):
    """The layer types of the directive language and of layer-set files."""

    CONV = "CONV"
    DSCONV = "DSCONV"
    NGCONV = "NGCONV"
    FC = "FC"
    GEMM = "GEMM"
    TRCONV = "TRCONV"


# The names of a product's dims, (M x K) * (K x N), in files and calls.
GEMM_DIMS = {"M": Dim.X, "N": Dim.K, "K": Dim.C}
MAX_EXTENT = 2**31 - 1
# Every count of the cost model is a sum of at most `MACs x 8` words; int64 holds it with room to spare.
MAX_MACS = 2**52


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer in the eight-dim form.

    extents: the loop extents in the order of `Dim` (Y and X are *output* rows and columns), each >= 1.
    stride, dilation: (rows, columns), each >= 1.
    zero_macs: of `macs`, those that multiply an inserted zero (TRCONV).
    sparsity: which words of weight, input and output are zero.
    effectual: where masks tell each zero, the MACs whose weight, whose input, and whose both operands are not zero; else None.
    """

    name: str
    type: LayerType
    extents: tuple[int, int, int, int, int, int, int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    zero_macs: int = 0
    sparsity: Sparsities = DENSE
    effectual: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        for dim, extent in zip(Dim, self.extents, strict=True):
            if not 1 <= extent <= MAX_EXTENT:
                raise LayerError(f"layer {self.name}: {dim.label} must be from 1 to {MAX_EXTENT}, got {extent}")
        for word, pair in (("stride", self.stride), ("dilation", self.dilation)):
            for axis, value in zip("YX", pair, strict=True):
                if not 1 <= value <= MAX_EXTENT:
                    raise LayerError(f"layer {self.name}: {word} of {axis} must be from 1 to {MAX_EXTENT}, got {value}")
        if max(self.macs, *(self.words(tensor) for tensor in Tensor)) > MAX_MACS:
            raise LayerError(f"layer {self.name}: MACs and operands must be at most 2^52, got {self.macs} MACs")
        if not 0 <= self.zero_macs <= self.macs:
            raise LayerError(f"layer {self.name}: zero MACs must be from 0 to {self.macs}, got {self.zero_macs}")
        product = {dim: name for name, dim in GEMM_DIMS.items()} | {Dim.G: Dim.G.label}
        names = product if self.type is LayerType.GEMM else {dim: dim.label for dim in Dim}
        for tensor, sparsity in zip(Tensor, self.sparsity, strict=True):
            try:
                sparsity.check(tensor, self.extents, names)
            except LayerError as error:
                raise LayerError(f"layer {self.name}: {error}") from None

    @property
    def macs(self) -> int:
        """Multiply-accumulates, zeros included."""
        return prod(self.extents)

    @property
    def input_rows(self) -> int:
        """Rows of the padded input, Y = (Y'-1)*sy + (R-1)*dy + 1."""
        return (self.extents[Dim.Y] - 1) * self.stride[0] + (self.extents[Dim.R] - 1) * self.dilation[0] + 1

    @property
    def input_columns(self) -> int:
        """Columns of the padded input, X = (X'-1)*sx + (S-1)*dx + 1."""
        return (self.extents[Dim.X] - 1) * self.stride[1] + (self.extents[Dim.S] - 1) * self.dilation[1] + 1

    def words(self, tensor: Tensor) -> int:
        """Elements of a tensor that the layer touches (padding counts; input that a stride skips does not)."""
        return _words(tensor, self.extents, self.stride, self.dilation)

    @property
    def shape(self) -> tuple[object, ...]:
        """All that a mapping's cost depends on: layers with equal shapes have equal costs."""
        zeros = tuple(each.share if isinstance(each, Uniform) else each for each in self.sparsity)
        return (self.type, self.extents, self.stride, self.dilation, self.zero_macs, zeros)

    def nonzeros(self, tensor: Tensor) -> Fraction:
        """Elements of a tensor that are not zero, on average over the layers of its density."""
        return self.words(tensor) * self.sparsity[tensor].density

    @property
    def density(self) -> tuple[float, float, float]:
        """The shares of non-zeros of weight, input, output, each in (0, 1]."""
        w, i, o = (float(each.density) for each in self.sparsity)
        return w, i, o

    def part_done(self, operands: Collection[Tensor]) -> float:
        """The share of the MACs of which none of these operands, W, I or both, is zero; expected, unless masks tell."""
        w, i, _ = self.density
        both = (w, i, w * i) if self.effectual is None else [each / self.macs for each in self.effectual]
        match Tensor.WEIGHT in operands, Tensor.INPUT in operands:
            case True, True:
                return both[2]
            case True, False:
                return both[0]
            case False, True:
                return both[1]
            case _:
                return 1.0

    @property
    def is_dense(self) -> bool:
        """Whether no tensor has zeros that are known of."""
        return self.density == (1.0, 1.0, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """The layer as plain data; `sparsity`, one text a tensor, only where densities do not say it all."""
        structured = not all(isinstance(each, Uniform) for each in self.sparsity)
        return {
            "name": self.name,
            "type": str(self.type),
            "extents": self.extents,
            "stride": self.stride,
            "dilation": self.dilation,
            "zero_macs": self.zero_macs,
            "density": self.density,
            **({"sparsity": [str(each) for each in self.sparsity]} if structured else {}),
        }

    def iterating(self) -> Iterator[Dim]:
        """The dims with more than one index."""
        return (dim for dim in Dim if self.extents[dim] > 1)


@lru_cache(maxsize=1024)  # a machine's bounds ask for them a dozen times
def _words(tensor: Tensor, extents: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int]) -> int:
    slide = {dim for pair in WINDOWS for dim in pair} if tensor is Tensor.INPUT else set[Dim]()
    words = prod(extents[dim] for dim in Dim if TOUCHES[tensor, dim] and dim not in slide)
    if tensor is Tensor.INPUT:
        for (output, tap), along, apart in zip(WINDOWS, stride, dilation, strict=True):
            words *= window_words(extents[output], extents[tap], along, apart)
    return words
