"""Layers from people's parameters: extents, output sizes and zero MACs against brute force, and the errors."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mapsearch.model.errors import LayerError
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.layers import conv, depthwise, fc, gemm, lstm, trconv
from mapsearch.model.tensors import Tensor

SMALL = st.integers(1, 4)
ENDS = st.tuples(st.integers(0, 3), st.integers(0, 3))


def test_conv_of_resnet() -> None:
    """The first layer of ResNet: 64 filters of 7x7 at stride 2, padding 3 on 224x224 give 112x112 and 118,013,952 MACs."""
    layer = conv("conv1", 64, 3, 7, inputs=224, stride=2, padding=3)
    assert layer == Layer("conv1", LayerType.CONV, (1, 1, 64, 3, 7, 7, 112, 112), stride=(2, 2))
    assert layer.macs == 118_013_952


def test_outputs_stand_for_inputs() -> None:
    """Giving the outputs that the inputs lead to builds the same layer."""
    by_inputs = conv("c", 8, 4, (3, 5), inputs=(20, 30), stride=(1, 2), dilation=(2, 1), padding=(1, 2), batch=2)
    assert by_inputs == conv("c", 8, 4, (3, 5), outputs=(18, 15), stride=(1, 2), dilation=(2, 1), batch=2)


def test_asymmetrical_padding() -> None:
    """TensorFlow's 'same' at stride 2 pads (0, 1) rows and columns: 224 -> 112."""
    assert conv("c", 1, 1, 3, inputs=224, stride=2, padding=((0, 1), (0, 1))).extents[6:] == (112, 112)


def test_groups() -> None:
    """K and C are over all groups: AlexNet's second layer has 128 filters of 48 channels in each of two groups."""
    layer = conv("conv2", 256, 96, 5, inputs=27, padding=2, groups=2)
    assert layer.type is LayerType.NGCONV
    assert layer.extents == (2, 1, 128, 48, 5, 5, 27, 27)
    assert layer.macs == 223_948_800


def test_depthwise() -> None:
    """The channels are groups; the multiplier is K."""
    layer = depthwise("dw", 32, 3, multiplier=2, inputs=112, padding=1, stride=2, batch=4)
    assert layer == Layer("dw", LayerType.DSCONV, (32, 4, 2, 1, 3, 3, 56, 56), stride=(2, 2))


def test_fc() -> None:
    """VGG-16's first fully connected layer reads 512 channels of 7x7."""
    assert fc("fc6", 4096, 512, kernel=7, batch=3) == Layer("fc6", LayerType.FC, (1, 3, 4096, 512, 7, 7, 1, 1))


def test_gemm() -> None:
    """M, N and K are the product's own, and each member of the batch has its own second operand."""
    layer = gemm("qk", 5, 6, 7, batch=12)
    assert layer.extents == (12, 1, 6, 7, 1, 1, 1, 5)
    assert layer.macs == 12 * 5 * 6 * 7
    assert layer.words(Tensor.WEIGHT) == 12 * 6 * 7
    assert layer.words(Tensor.INPUT) == 12 * 5 * 7


def test_lstm() -> None:
    """The gates' input product runs once over all steps, the recurrent one once a step."""
    (inputs, once), (recurrent, steps) = lstm("l", 300, 512, 20, batch=4)
    assert (inputs.name, once, inputs.extents) == ("l_input", 1, (1, 1, 2048, 300, 1, 1, 1, 80))
    assert (recurrent.name, steps, recurrent.extents) == ("l_recurrent", 20, (1, 1, 2048, 512, 1, 1, 1, 4))


@given(size=st.integers(1, 12), taps=SMALL, stride=SMALL, dilation=SMALL, ends=ENDS)
@settings(max_examples=200, deadline=None)
def test_output_size_by_sliding(size: int, taps: int, stride: int, dilation: int, ends: tuple[int, int]) -> None:
    """Y' is how many positions a window has that slides over the padded input."""
    padded = ends[0] + size + ends[1]
    positions = len([start for start in range(0, padded, stride) if start + (taps - 1) * dilation < padded])
    assume(positions > 0)
    layer = conv("c", 1, 1, (taps, 1), inputs=(size, 1), stride=(stride, 1), dilation=(dilation, 1), padding=(ends, 0))
    assert layer.extents[6:] == (positions, 1)


@given(
    inputs=st.tuples(SMALL, SMALL),
    kernel=st.tuples(SMALL, SMALL),
    stride=st.tuples(SMALL, SMALL),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.tuples(ENDS, ENDS),
    extra=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
@settings(max_examples=200, deadline=None)
def test_trconv_by_scattering(
    *,
    inputs: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[tuple[int, int], tuple[int, int]],
    extra: tuple[int, int],
) -> None:
    """Outputs are the canvas that inputs are scattered on, less the padding; zero MACs are those that read an inserted zero."""
    canvas = [(i - 1) * s + (t - 1) * d + 1 for i, s, t, d in zip(inputs, stride, kernel, dilation, strict=True)]
    outputs = [size - sum(ends) + more for size, ends, more in zip(canvas, padding, extra, strict=True)]
    assume(min(outputs) > 0)
    # The word of the zero-inserted input that an output reads through a tap: None in the padding, else whether it is real.
    reads: list[list[bool | None]] = []
    for axis in range(2):
        inserted: list[bool | None] = []
        for word in range(inputs[axis]):
            inserted += ([False] * (stride[axis] - 1) if word else []) + [True]
        margin: list[bool | None] = [None] * 40
        row = margin + inserted + margin
        lead = (kernel[axis] - 1) * dilation[axis] - padding[axis][0]
        reads.append([row[40 - lead + out + tap * dilation[axis]] for out in range(outputs[axis]) for tap in range(kernel[axis])])
    zeros = sum(y is not None and x is not None and not (y and x) for y, x in product(*reads))
    layer = trconv(
        "t", 3, 2, kernel, inputs=inputs, stride=stride, dilation=dilation, padding=padding, output_padding=extra, batch=2
    )
    assert layer.extents == (1, 2, 3, 2, *kernel, *outputs)
    assert layer.zero_macs == 3 * 2 * 2 * zeros
    assert layer.stride == (1, 1)


def test_trconv_of_unet() -> None:
    """A 2x2 up-convolution at stride 2 doubles the size, and at least each output's one true MAC is not a zero MAC."""
    layer = trconv("up", 512, 1024, 2, inputs=28, stride=2)
    assert layer.extents == (1, 1, 512, 1024, 2, 2, 56, 56)
    assert layer.zero_macs == 512 * 1024 * (110**2 - 56**2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs": 8, "stride": 0}, "layer c: stride of Y must be at least 1, got 0"),
        ({"inputs": 8, "stride": (1, -2)}, "layer c: stride of X must be at least 1, got -2"),
        ({"inputs": 8, "dilation": 0}, "layer c: dilation of Y must be at least 1, got 0"),
        ({"inputs": 8, "padding": ((0, 0), (0, -1))}, "layer c: padding of X must be at least 0, got -1"),
        ({"inputs": 0}, "layer c: Y must be from 1 to 2147483647, got 0"),
        ({"inputs": (8, 1), "padding": (0, 0)}, "layer c: X with padding must be at least the filter's 3, got 1; make the input"),
        ({"inputs": 8, "groups": 3}, "layer c: groups must be at least 1 and divide K = 4, got 3"),
        ({"inputs": 8, "groups": 0}, "layer c: groups must be at least 1 and divide K = 4, got 0"),
        ({"inputs": 8, "groups": 4}, "layer c: groups must be at least 1 and divide C = 6, got 4"),
        ({"inputs": 8, "outputs": 6}, "layer c: give the input size (Y, X) or the output size (Y', X'), not both"),
        ({}, "layer c: the input size (Y, X) or the output size (Y', X') is missing"),
        ({"inputs": 8, "batch": 0}, "layer c: N must be from 1 to 2147483647, got 0"),
    ],
)
def test_conv_errors(arguments: dict[str, Any], message: str) -> None:
    """A value that breaks a law is named, with the law."""
    with pytest.raises(LayerError) as caught:
        conv("c", 4, 6, 3, **arguments)
    assert str(caught.value).startswith(message)


def test_kernel_of_no_taps() -> None:
    """A kernel has at least one tap on each axis."""
    with pytest.raises(LayerError, match="layer c: S must be at least 1, got 0"):
        conv("c", 4, 6, (3, 0), inputs=8)


def test_gemm_and_lstm_errors() -> None:
    """The errors speak of the product's and the LSTM's own letters."""
    with pytest.raises(LayerError, match="layer g: M must be from 1 to 2147483647, got 0"):
        gemm("g", 0, 1, 1)
    with pytest.raises(LayerError, match="layer l: T must be from 1 to 2147483647, got -1"):
        lstm("l", 1, 1, -1)


def test_trconv_errors() -> None:
    """Padding that eats all outputs, and negative output padding, are errors."""
    with pytest.raises(LayerError, match="layer t: padding of Y leaves 0 outputs; make it smaller"):
        trconv("t", 1, 1, 2, inputs=1, padding=1)
    with pytest.raises(LayerError, match="layer t: output_padding of Y must be at least 0, got -1"):
        trconv("t", 1, 1, 2, inputs=4, output_padding=-1)
    with pytest.raises(LayerError, match="layer t: X must be from 1 to 2147483647, got 0"):
        trconv("t", 1, 1, 2, inputs=(4, 0))
