"""Attention as one operator: the products of its scores and of its values, and of its projections where it has them.

Masks are not looked at: all scores count, as an array computes them.
"""

from __future__ import annotations

from math import prod

from mapsearch.formats.onnx.graph import Node
from mapsearch.formats.onnx.shapes import Shape
from mapsearch.formats.rows import Row, compact


def attention(node: Node) -> list[Row]:
    """ONNX's Attention: queries, keys and values with heads as a dim, or side by side in the last one; keys of the past before."""
    queries, keys, values = (node.shape(index, 3) for index in range(3))
    heads = [node.integer(name, 0) for name in ("q_num_heads", "kv_num_heads", "kv_num_heads")]
    split = [_with_heads(node, shape, count) for shape, count in zip((queries, keys, values), heads, strict=True)]
    past = node.shape(4, 4)[2] if node.has(4) else 0
    return _products(node, split[0], split[1], split[2], past)


def grouped(node: Node) -> list[Row]:
    """Microsoft's MultiHeadAttention and GroupQueryAttention, whose heads are side by side in the last dim."""
    queries, keys, values = (node.shape(index, 3) for index in range(3))
    heads = node.integer("num_heads", 0)
    of_keys = node.integer("kv_num_heads", heads)
    past = node.shape(3, 4)[2] if node.operator.endswith("GroupQueryAttention") and node.has(3) else 0
    split = [_with_heads(node, shape, count) for shape, count in ((queries, heads), (keys, of_keys), (values, of_keys))]
    return _products(node, split[0], split[1], split[2], past)


def projected(node: Node) -> list[Row]:
    """Microsoft's Attention and QAttention: one product makes queries, keys and values of equal size."""
    inputs, weights = node.shape(0, 3), node.shape(1, 2)
    if len(inputs) != 3 or len(weights) != 2 or weights[0] != inputs[2] or weights[1] % 3 or "qkv_hidden_sizes" in node.attributes:
        raise node.error(
            f"its weights must be [{inputs[2]}, 3 x hidden], queries, keys and values of one size, got {list(weights)}"
        )
    whole = (inputs[0], inputs[1], weights[1] // 3)
    row: Row = {"type": "GEMM", "M": prod(inputs[:2]), "N": weights[1], "K": weights[0], "weights": node.weights(1)}
    split = _with_heads(node, whole, node.integer("num_heads", 0))
    return [compact(row) | {"name": f"{node.name}_projection"}, *_products(node, split, split, split, 0)]


def _with_heads(node: Node, shape: Shape, heads: int) -> Shape:
    """The shape (batch, heads, steps, size)."""
    if len(shape) == 4:
        return shape
    if len(shape) != 3 or heads < 1 or shape[2] % heads:
        raise node.error(f"the number of heads must divide the last dim of {list(shape)}, got {heads}")
    return shape[0], heads, shape[1], shape[2] // heads


def _products(node: Node, queries: Shape, keys: Shape, values: Shape, past: int) -> list[Row]:
    batch, heads, steps, size = queries
    shared, rest = divmod(heads, keys[1])  # heads of queries that meet the same keys
    if rest or keys[3] != size or keys[:3] != values[:3] or keys[0] != batch:
        raise node.error(f"queries, keys and values must fit, got {list(queries)}, {list(keys)} and {list(values)}")
    seen = keys[2] + past
    common: Row = {"type": "GEMM", "M": steps * shared, "batch": batch * keys[1], "weights": "activations"}
    return [
        compact(common | {"N": seen, "K": size}) | {"name": f"{node.name}_scores"},
        compact(common | {"N": values[3], "K": seen}) | {"name": f"{node.name}_values"},
    ]


OPERATORS = {
    "Attention": attention,
    "com.microsoft:MultiHeadAttention": grouped,
    "com.microsoft:GroupQueryAttention": grouped,
    "com.microsoft:Attention": projected,
    "com.microsoft:QAttention": projected,
}
