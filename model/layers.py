"""Layers from their usual parameters: kernel, input size, stride, padding, groups; matrix sizes; LSTM sizes.

Pairs are (rows, columns); one int stands for both. Padding is an int, a pair of ints (each the padding of both ends of its
axis), or a pair of (before, after) pairs, as TensorFlow's 'same' needs at stride 2. A value that breaks a law raises
LayerError.
"""

from __future__ import annotations

from dataclasses import dataclass

from mapsearch.model.errors import LayerError
from mapsearch.model.layer import MAX_EXTENT, Layer, LayerType
from mapsearch.model.sparsity import DENSE, Sparsities

Pair = int | tuple[int, int]
Padding = int | tuple[Pair, Pair]


@dataclass(frozen=True, slots=True)
class _Axis:
    """The sliding window of one axis: `taps` filter words over an input with `before` and `after` words of padding."""

    label: str
    taps: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def window(self) -> int:
        """Input words from the first tap to the last."""
        return (self.taps - 1) * self.dilation + 1


def conv(
    name: str,
    k: int,
    c: int,
    kernel: Pair,
    *,
    inputs: Pair | None = None,
    outputs: Pair | None = None,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding: Padding = 0,
    groups: int = 1,
    batch: int = 1,
    sparsity: Sparsities = DENSE,
) -> Layer:
    """A convolution of `c` channels into `k` (both over all groups): CONV, or NGCONV where groups > 1.

    Give either the unpadded `inputs` (Y, X), from which Y' = (Y + padding - (R-1)*dilation - 1) // stride + 1, or the
    `outputs` (Y', X'), which need no padding.
    """
    _check_groups(name, groups, k, c)
    axes = _axes(name, kernel, stride, dilation, padding)
    y, x = _outputs(name, axes, inputs, outputs)
    return Layer(
        name,
        LayerType.CONV if groups == 1 else LayerType.NGCONV,
        (groups, batch, k // groups, c // groups, axes[0].taps, axes[1].taps, y, x),
        stride=(axes[0].stride, axes[1].stride),
        dilation=(axes[0].dilation, axes[1].dilation),
        sparsity=sparsity,
    )


def depthwise(
    name: str,
    channels: int,
    kernel: Pair,
    *,
    multiplier: int = 1,
    inputs: Pair | None = None,
    outputs: Pair | None = None,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding: Padding = 0,
    batch: int = 1,
    sparsity: Sparsities = DENSE,
) -> Layer:
    """A depthwise convolution (DSCONV): G = channels, K = depth multiplier, C = 1; the rest as for `conv`."""
    axes = _axes(name, kernel, stride, dilation, padding)
    y, x = _outputs(name, axes, inputs, outputs)
    return Layer(
        name,
        LayerType.DSCONV,
        (channels, batch, multiplier, 1, axes[0].taps, axes[1].taps, y, x),
        stride=(axes[0].stride, axes[1].stride),
        dilation=(axes[0].dilation, axes[1].dilation),
        sparsity=sparsity,
    )


def fc(name: str, k: int, c: int, *, kernel: Pair = 1, batch: int = 1, sparsity: Sparsities = DENSE) -> Layer:
    """A fully connected layer of `c` channels of `kernel` words each into `k` outputs."""
    r, s = _pair(kernel)
    return Layer(name, LayerType.FC, (1, batch, k, c, r, s, 1, 1), sparsity=sparsity)


def gemm(name: str, m: int, n: int, k: int, *, batch: int = 1, sparsity: Sparsities = DENSE) -> Layer:
    """The product of an M x K and a K x N matrix, `batch` times, each with a second operand (the weights) of its own.

    In the eight-dim form G = batch, K = N, C = the product's K, X' = M.
    """
    for label, size in (("batch", batch), ("N", n), ("K", k), ("M", m)):
        if not 1 <= size <= MAX_EXTENT:
            raise LayerError(f"layer {name}: {label} must be from 1 to {MAX_EXTENT}, got {size}")
    return Layer(name, LayerType.GEMM, (batch, 1, n, k, 1, 1, 1, m), sparsity=sparsity)


def trconv(
    name: str,
    k: int,
    c: int,
    kernel: Pair,
    *,
    inputs: Pair,
    stride: Pair = 1,
    dilation: Pair = 1,
    padding: Padding = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    batch: int = 1,
    sparsity: Sparsities = DENSE,
) -> Layer:
    """A transposed convolution, as the stride-1 convolution over the zero-inserted, padded input that it stands for.

    It has `c` channels and `k` filters over all groups. stride - 1 zeros go between neighbouring inputs, (R-1)*dilation - padding
    words of padding before them, so that
    Y' = (Y-1)*stride + (R-1)*dilation + 1 - padding of both ends + output_padding (Dumoulin and Visin 2016, "A guide to
    convolution arithmetic for deep learning", relationship 14).
    zero_macs counts the MACs on inserted zeros; padding counts as ordinary input, as it does for `conv`.
    """
    _check_groups(name, groups, k, c)
    axes = _axes(name, kernel, stride, dilation, padding)
    sizes = [
        _transposed_output(name, axis, size, extra)
        for axis, size, extra in zip(axes, _pair(inputs), _pair(output_padding), strict=True)
    ]
    pairs = [_pairs(axis, size, output) for axis, size, output in zip(axes, _pair(inputs), sizes, strict=True)]
    zeros = pairs[0][0] * pairs[1][0] - pairs[0][1] * pairs[1][1]
    return Layer(
        name,
        LayerType.TRCONV,
        (groups, batch, k // groups, c // groups, axes[0].taps, axes[1].taps, sizes[0], sizes[1]),
        dilation=(axes[0].dilation, axes[1].dilation),
        zero_macs=batch * k * (c // groups) * zeros,
        sparsity=sparsity,
    )


def lstm(
    name: str, inputs: int, hidden: int, steps: int, *, gates: int = 4, batch: int = 1, sparsity: Sparsities = DENSE
) -> tuple[tuple[Layer, int], ...]:
    """An LSTM's gate GEMMs, each with how often it runs: x*W for all steps at once, and h*U once a step.

    Weights are `inputs` x gates*hidden and `hidden` x gates*hidden, the gates side by side: four (Hochreiter and Schmidhuber 1997
    with the forget gate of Gers et al. 2000), three of a GRU (Cho et al. 2014), one of a plain recurrent layer.
    """
    for label, size in (("I", inputs), ("H", hidden), ("T", steps), ("batch", batch)):
        if not 1 <= size <= MAX_EXTENT:
            raise LayerError(f"layer {name}: {label} must be from 1 to {MAX_EXTENT}, got {size}")
    return (
        (gemm(f"{name}_input", steps * batch, gates * hidden, inputs, sparsity=sparsity), 1),
        (gemm(f"{name}_recurrent", batch, gates * hidden, hidden, sparsity=sparsity), steps),
    )


def _check_groups(name: str, groups: int, k: int, c: int) -> None:
    for label, channels in (("K", k), ("C", c)):
        if groups < 1 or channels % groups:
            raise LayerError(f"layer {name}: groups must be at least 1 and divide {label} = {channels}, got {groups}")


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _axes(name: str, kernel: Pair, stride: Pair, dilation: Pair, padding: Padding) -> tuple[_Axis, _Axis]:
    rows, columns = (padding, padding) if isinstance(padding, int) else padding
    y, x = (
        _Axis(label, taps, step, spread, *_pair(ends))
        for label, taps, step, spread, ends in zip(
            "YX", _pair(kernel), _pair(stride), _pair(dilation), (rows, columns), strict=True
        )
    )
    for axis, taps_label in ((y, "R"), (x, "S")):
        for what, value, least in (
            (taps_label, axis.taps, 1),
            (f"stride of {axis.label}", axis.stride, 1),
            (f"dilation of {axis.label}", axis.dilation, 1),
            (f"padding of {axis.label}", min(axis.before, axis.after), 0),
        ):
            if value < least:
                raise LayerError(f"layer {name}: {what} must be at least {least}, got {value}")
    return y, x


def _outputs(name: str, axes: tuple[_Axis, _Axis], inputs: Pair | None, outputs: Pair | None) -> tuple[int, int]:
    if outputs is not None:
        if inputs is not None:
            raise LayerError(f"layer {name}: give the input size (Y, X) or the output size (Y', X'), not both")
        return _pair(outputs)
    if inputs is None:
        raise LayerError(f"layer {name}: the input size (Y, X) or the output size (Y', X') is missing")
    y, x = (_output(name, axis, size) for axis, size in zip(axes, _pair(inputs), strict=True))
    return y, x


def _output(name: str, axis: _Axis, size: int) -> int:
    _check_input(name, axis, size)
    padded = size + axis.before + axis.after
    if padded < axis.window:
        raise LayerError(
            f"layer {name}: {axis.label} with padding must be at least the filter's {axis.window}, got {padded}; "
            "make the input or the padding larger"
        )
    return (padded - axis.window) // axis.stride + 1


def _transposed_output(name: str, axis: _Axis, size: int, extra: int) -> int:
    _check_input(name, axis, size)
    if extra < 0:
        raise LayerError(f"layer {name}: output_padding of {axis.label} must be at least 0, got {extra}")
    output = (size - 1) * axis.stride + axis.window - axis.before - axis.after + extra
    if output < 1:
        raise LayerError(f"layer {name}: padding of {axis.label} leaves {output} outputs; make it smaller")
    return output


def _check_input(name: str, axis: _Axis, size: int) -> None:
    if not 1 <= size <= MAX_EXTENT:
        raise LayerError(f"layer {name}: {axis.label} must be from 1 to {MAX_EXTENT}, got {size}")


def _pairs(axis: _Axis, size: int, outputs: int) -> tuple[int, int]:
    """Numbers of (output, tap) pairs of an axis that read the zero-inserted input, and of those that read an input word.

    Tap r starts `axis.window - 1 - before - r*dilation` outputs before the first input word. The outputs that read the
    zero-inserted input by this tap are therefore an interval of positions, and every `stride`-th of them reads an input word.
    """
    within = real = 0
    for tap in range(axis.taps):
        first = tap * axis.dilation - (axis.window - 1 - axis.before)
        low = max(first, 0)
        high = min(first + outputs - 1, (size - 1) * axis.stride)
        if low <= high:
            within += high - low + 1
            real += high // axis.stride - (low - 1) // axis.stride
    return within, real
