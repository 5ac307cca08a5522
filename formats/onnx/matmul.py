"""Matrix products: Gemm and MatMul, batched or not, with their quantized and fused forms.

A layer's second operand, its weights, is the constant one of the two, else the one that is not batched, else the second. Where the
first operand of a node plays that part, the layer is the transposed product, (A B)' = B' A'.
"""

from __future__ import annotations

from itertools import zip_longest
from math import prod

from mapsearch.formats.onnx.graph import Node
from mapsearch.formats.onnx.shapes import Shape
from mapsearch.formats.rows import Row, compact


def matmul(node: Node, first: int = 0, second: int = 1) -> list[Row]:
    """A MatMul; first, second: the numbers of its operands."""
    a, b = node.shape(first, 1), node.shape(second, 1)
    a, b = (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b
    if a[-1] != b[-2]:
        raise node.error(f"its operands' inner sizes must be equal, got {list(a)} and {list(b)}")
    if first_is_weights(node, (first, second), (prod(a[:-2]), prod(b[:-2]))):
        return [_product(node, _transposed(b), _transposed(a), node.weights(first))]
    return [_product(node, a, b, node.weights(second))]


def quantized(node: Node) -> list[Row]:
    """A QLinearMatMul, whose scales stand between its operands."""
    return matmul(node, 0, 3)


def fused_matmul(node: Node) -> list[Row]:
    """Microsoft's FusedMatMul, of operands transposed or not."""
    a, b = node.shape(0, 2), node.shape(1, 2)
    a = _transposed(a) if node.integer("transA", 0) else a
    b = _transposed(b) if node.integer("transB", 0) else b
    return [_product(node, a, b, node.weights(1))]


def gemm(node: Node) -> list[Row]:
    """A Gemm: a fully connected layer where its second operand is constant, and its rows are the batch."""
    a, b = node.shape(0), node.shape(1)
    if len(a) != 2 or len(b) != 2:
        raise node.error(f"its operands must be matrices, got {list(a)} and {list(b)}")
    a = _transposed(a) if node.integer("transA", 0) else a
    b = _transposed(b) if node.integer("transB", 0) else b
    if node.is_constant(1) and a[1] == b[0]:
        return [compact({"type": "FC", "K": b[1], "C": b[0], "batch": a[0], "weights": node.weights(1)})]
    return [_product(node, a, b, node.weights(1))]


def first_is_weights(node: Node, operands: tuple[int, int], batches: tuple[int, int]) -> bool:
    """Whether the first of two operands plays the part of the weights; batches: how many matrices each has."""
    constant = [node.is_constant(operand) for operand in operands]
    return constant[0] if constant[0] != constant[1] else batches[0] == 1 < batches[1]


def _product(node: Node, a: Shape, b: Shape, weights: str) -> Row:
    """The product of the inputs `a` and the weights `b`, with dims before the last two that are broadcast."""
    if a[-1] != b[-2]:
        raise node.error(f"its operands' inner sizes must be equal, got {list(a)} and {list(b)}")
    rows, batch = a[-2], 1
    for of_a, of_b in zip_longest(reversed(a[:-2]), reversed(b[:-2]), fillvalue=1):
        if 1 not in (of_a, of_b) and of_a != of_b:
            raise node.error(f"its operands' batches must be equal or 1, got {list(a)} and {list(b)}")
        # Matrices that meet the same weights are rows of one matrix.
        rows, batch = (rows * of_a, batch) if of_b == 1 else (rows, batch * of_b)
    return compact({"type": "GEMM", "M": rows, "N": b[-1], "K": a[-1], "batch": batch, "weights": weights})


def _transposed(shape: Shape) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2])


OPERATORS = {
    "MatMul": matmul,
    "MatMulInteger": matmul,
    "QLinearMatMul": quantized,
    "com.microsoft:FusedMatMul": fused_matmul,
    "Gemm": gemm,
    "com.microsoft:FusedGemm": gemm,
}
