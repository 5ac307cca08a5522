"""Operators of onnxruntime's domain `com.microsoft`, whose shapes the package `onnx` does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto

_DOMAIN = "com.microsoft"
# The first output has the shape of the first input.
_LIKE_FIRST = frozenset(
    (
        *("Attention", "MultiHeadAttention", "GroupQueryAttention", "RotaryEmbedding"),
        *("BiasGelu", "FastGelu", "Gelu", "QuickGelu"),
        *("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
    )
)
KNOWN = frozenset(f"{_DOMAIN}:{name}" for name in _LIKE_FIRST)  # with their domain, as other modules name them
# The operator of ONNX's own with the same shapes, and how many inputs they share.
_FUSED = {"FusedConv": ("Conv", 3), "FusedGemm": ("Gemm", 3)}


def with_known_shapes(model: ModelProto) -> ModelProto:
    """A copy, for the inference of shapes alone, in which operators of ONNX's own with equal shapes stand for Microsoft's."""
    copy = type(model)()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        if node.domain != _DOMAIN:
            continue
        if node.op_type in _LIKE_FIRST:
            node.op_type, node.domain = "Identity", ""
            del node.input[1:], node.output[1:], node.attribute[:]
        elif node.op_type in _FUSED:
            kept = [each for each in node.attribute if "activation" not in each.name]
            del node.attribute[:]
            node.attribute.extend(kept)
            (node.op_type, inputs), node.domain = _FUSED[node.op_type], ""
            del node.input[inputs:]
    return copy
