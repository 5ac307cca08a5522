"""Convolutions and transposed convolutions, with their quantized and fused forms, over one or two axes.

An axis that is missing is one row. Of three axes there is no layer: their MACs are told, and they are left out.
"""

from __future__ import annotations

from math import prod

from mapsearch.formats.onnx.graph import Node
from mapsearch.formats.onnx.shapes import Shape
from mapsearch.formats.rows import Row, compact, convolution_type, pair

Ends = list[tuple[int, int]]


def conv(node: Node, image: int = 0, filters: int = 1) -> list[Row]:
    """A Conv; image, filters: the numbers of these two inputs."""
    inputs, weights, groups = _operands(node, image, filters)
    k, c, taps = weights[0], weights[1], weights[2:]
    axes = len(taps)
    if inputs[1] != c * groups or k % groups:
        raise node.error(
            f"its {inputs[1]} channels must be {groups} groups of its filters' {c}, and groups must divide its {k} filters"
        )
    strides, dilations = (node.integers(name, (1,) * axes) for name in ("strides", "dilations"))
    windows = [(tap - 1) * gap + 1 for tap, gap in zip(taps, dilations, strict=True)]
    ends = _ends(node, axes) or [
        _same(node, (-(-size // step) - 1) * step + window - size)
        for size, step, window in zip(inputs[2:], strides, windows, strict=True)
    ]
    sizes = [
        (size + sum(end) - window) // step + 1 for size, end, window, step in zip(inputs[2:], ends, windows, strides, strict=True)
    ]
    if axes > 2:
        return [_left_out(node, inputs[0] * k * c * prod(taps) * prod(sizes))]
    row = convolution_type(groups, k // groups, c) | _frame(inputs[0], taps) | _image(inputs[2:]) | {"padding": _padding(ends)}
    row |= {"stride": _pair(strides, 1), "dilation": _pair(dilations, 1), "weights": node.weights(filters)}
    return [compact(row)]


def quantized(node: Node) -> list[Row]:
    """A QLinearConv, whose scales stand between its operands."""
    return conv(node, 0, 3)


def transposed(node: Node) -> list[Row]:
    """A ConvTranspose."""
    inputs, weights, groups = _operands(node, 0, 1)
    c, k, taps = weights[0], weights[1] * groups, weights[2:]
    axes = len(taps)
    if inputs[1] != c or c % groups:
        raise node.error(f"its {inputs[1]} channels must be those of its filters, {c}, and groups must divide them, got {groups}")
    strides, dilations = (node.integers(name, (1,) * axes) for name in ("strides", "dilations"))
    extra = node.integers("output_padding", (0,) * axes, 0)
    full = [
        (size - 1) * step + (tap - 1) * gap + 1 for size, step, tap, gap in zip(inputs[2:], strides, taps, dilations, strict=True)
    ]
    wanted = _wanted(node, [size * step for size, step in zip(inputs[2:], strides, strict=True)])
    if wanted is None:
        ends = _ends(node, axes) or [(0, 0)] * axes
    else:  # the padding follows from the output's size
        over = [size + more - want for size, more, want in zip(full, extra, wanted, strict=True)]
        extra = [more + max(-each, 0) for more, each in zip(extra, over, strict=True)]
        ends = [_halves(max(each, 0), upper=node.text("auto_pad", "NOTSET") == "SAME_UPPER") for each in over]
    if axes > 2:
        return [_left_out(node, inputs[0] * prod(inputs[2:]) * c * weights[1] * prod(taps))]
    row = {"type": "TRCONV", "K": k, "C": c} | _frame(inputs[0], taps) | _image(inputs[2:])
    row |= {"stride": _pair(strides, 1), "dilation": _pair(dilations, 1), "padding": _padding(ends)}
    return [compact(row | {"output_padding": _pair(extra, 0), "groups": groups, "weights": node.weights(1)})]


def _operands(node: Node, image: int, filters: int) -> tuple[Shape, Shape, int]:
    inputs, weights, groups = node.shape(image, 3), node.shape(filters, 3), node.integer("group", 1)
    if len(inputs) != len(weights) or groups < 1:
        raise node.error(f"input and filters must have as many dims, and group at least 1, got {inputs}, {weights}, {groups}")
    return inputs, weights, groups


def _ends(node: Node, axes: int) -> Ends | None:
    """The padding of each axis before and after it; None where it follows from sizes."""
    how = node.text("auto_pad", "NOTSET")
    if how in ("SAME_UPPER", "SAME_LOWER"):
        return None
    pads = [0] * (2 * axes) if how == "VALID" else node.integers("pads", (0,) * (2 * axes), 0)
    return list(zip(pads[:axes], pads[axes:], strict=True))


def _same(node: Node, total: int) -> tuple[int, int]:
    return _halves(max(total, 0), upper=node.text("auto_pad", "NOTSET") == "SAME_UPPER")


def _halves(total: int, *, upper: bool) -> tuple[int, int]:
    """Padding of both ends together as that of each; the odd word goes to the end where `upper`, as SAME_UPPER says."""
    small = total // 2
    return (small, total - small) if upper else (total - small, small)


def _wanted(node: Node, same: list[int]) -> list[int] | None:
    """The output's size where it is given, or asked to be the input's times the stride."""
    if "output_shape" in node.attributes:
        return node.integers("output_shape", same)
    return None if _ends(node, len(same)) is not None else same


def _frame(batch: int, taps: Shape) -> Row:
    return {"R": taps[0] if len(taps) == 2 else 1, "S": taps[-1], "batch": batch}


def _image(sizes: Shape) -> Row:
    return {"Y": sizes[0] if len(sizes) == 2 else 1, "X": sizes[-1]}


def _pair(values: list[int], missing: int) -> int | list[int]:
    """Rows and columns of an attribute; an only axis stands for the columns."""
    return pair(values[0] if len(values) == 2 else missing, values[-1])


def _padding(ends: Ends) -> int | list[int] | list[list[int]]:
    rows, columns = ends if len(ends) == 2 else ((0, 0), ends[0])
    if rows[0] == rows[1] and columns[0] == columns[1]:
        return pair(rows[0], columns[0])
    return [list(rows), list(columns)]


def _left_out(node: Node, macs: int) -> Row:
    return {"type": "OTHER", "operator": f"{node.operator}3d", "macs": macs}


OPERATORS = {
    "Conv": conv,
    "ConvInteger": conv,
    "QLinearConv": quantized,
    "com.microsoft:FusedConv": conv,
    "ConvTranspose": transposed,
}
