"""A layer: eight loop dims, strides and dilations, and the three tensors that its loops touch.

Every layer type is a case of one form, in which one MAC is one point of the eight-dim space:

    output[n, g, k, y', x'] += weight[g, k, c, r, s] * input[n, g, c, sy*y' + dy*r, sx*x' + dx*s]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import gcd, prod

from mapsearch.model.errors import LayerError


class Dim(IntEnum):
    """A loop dim; the value is its index in every array with an axis of eight dims."""

    G = 0
    N = 1
    K = 2
    C = 3
    R = 4
    S = 5
    Y = 6
    X = 7

    @property
    def label(self) -> str:
        """The dim's name in directive text: output rows and columns are Y' and X'."""
        return self.name + "'" if self >= Dim.Y else self.name


class Tensor(IntEnum):
    """An operand; the value is its index in every array with an axis of three tensors."""

    WEIGHT = 0
    INPUT = 1
    OUTPUT = 2

    @property
    def label(self) -> str:
        """The tensor's name in results: weight, input, output."""
        return self.name.lower()


class LayerType(StrEnum):
    """The layer types of the directive language and of layer-set files."""

    CONV = "CONV"
    DSCONV = "DSCONV"
    NGCONV = "NGCONV"
    FC = "FC"
    GEMM = "GEMM"
    TRCONV = "TRCONV"


MAX_EXTENT = 2**31 - 1
# Every count of the cost model is a sum of at most `MACs x 8` words; int64 holds it with room to spare.
MAX_MACS = 2**52


def window_words(outputs: int, taps: int, stride: int, dilation: int) -> int:
    """Distinct coordinates of {stride*i + dilation*j : 0 <= i < outputs, 0 <= j < taps}.

    Pairs (i, j) and (i - a, j + b) name the same coordinate, with a = dilation/g, b = stride/g, g = gcd(stride, dilation);
    so the pairs fall into chains, and the chains number the pairs less the links between them.
    """
    g = gcd(stride, dilation)
    a, b = dilation // g, stride // g
    return outputs * taps - max(outputs - a, 0) * max(taps - b, 0)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer in the eight-dim form.

    extents: the loop extents in the order of `Dim` (Y and X are *output* rows and columns), each >= 1.
    stride, dilation: (rows, columns), each >= 1.
    zero_macs: of `macs`, those that multiply an inserted zero (TRCONV).
    density: share of non-zeros of weight, input, output, each in (0, 1].
    """

    name: str
    type: LayerType
    extents: tuple[int, int, int, int, int, int, int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    zero_macs: int = 0
    density: tuple[float, float, float] = (1.0, 1.0, 1.0)

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
        for tensor, density in zip(Tensor, self.density, strict=True):
            if not 0.0 < density <= 1.0:
                raise LayerError(f"layer {self.name}: density of {tensor.label} must be in (0, 1], got {density}")

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
        g, n, k, c, r, s, y, x = self.extents
        match tensor:
            case Tensor.WEIGHT:
                return g * k * c * r * s
            case Tensor.INPUT:
                rows = window_words(y, r, self.stride[0], self.dilation[0])
                return n * g * c * rows * window_words(x, s, self.stride[1], self.dilation[1])
            case Tensor.OUTPUT:
                return n * g * k * y * x

    @property
    def shape(self) -> tuple[object, ...]:
        """All that a mapping's cost depends on: layers with equal shapes have equal costs."""
        return (self.type, self.extents, self.stride, self.dilation, self.zero_macs, self.density)

    def iterating(self) -> Iterator[Dim]:
        """The dims with more than one index."""
        return (dim for dim in Dim if self.extents[dim] > 1)
