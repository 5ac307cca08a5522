"""The layers of an ONNX model: operators with MACs become layers, the others are listed as left out.

Nodes that only name or reshape what is there (FREE), and those that depend on constants alone, move no word and are not listed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsearch.formats.onnx import attention, convolution, einsum, matmul, recurrent
from mapsearch.formats.onnx.graph import Graph, Node, graph_of, read_model
from mapsearch.formats.onnx.microsoft import KNOWN
from mapsearch.formats.registry import Choices
from mapsearch.formats.rows import Row, named

if TYPE_CHECKING:
    from onnx import ModelProto

# The rows of the nodes with MACs, by operator.
OPERATORS: dict[str, Callable[[Node], list[Row]]] = {
    **convolution.OPERATORS,
    **matmul.OPERATORS,
    **recurrent.OPERATORS,
    **attention.OPERATORS,
    **einsum.OPERATORS,
}
FREE = frozenset(("Dropout", "Flatten", "Identity", "Reshape", "Shape", "Size", "Squeeze", "Unsqueeze"))
# Operators with MACs of which no layer type expresses anything.
_UNCOUNTED = frozenset(("Col2Im", "DFT", "DeformConv", "Det", "STFT"))
_POOLS = re.compile(r"(Global)?(Average|Max|Lp)Pool|(com\.microsoft:)?QLinear(Global)?AveragePool")
_ELEMENTWISE = re.compile(
    r"Abs|Add|And|BatchNormalization|Ceil|Celu|Clip|Cos|Div|Elu|Equal|Erf|Exp|Floor|Gelu|Greater|HardSigmoid|HardSwish|"
    r"LeakyRelu|Less|Log|Max|Mean|Min|Mish|Mod|Mul|Neg|Not|Or|Pow|PRelu|Reciprocal|Relu|Round|Selu|Sigmoid|Sign|Sin|"
    r"Softplus|Softsign|Sqrt|Sub|Sum|Swish|Tanh|ThresholdedRelu|Where|Xor"
)
# The inputs of an operator that are parameters besides weights, and their kind in `other_parameters`.
_KINDS = {
    **{name: {2: "biases"} for name in ("Conv", "ConvTranspose", "Gemm", "com.microsoft:FusedConv", "com.microsoft:FusedGemm")},
    **{name: {3: "biases"} for name in ("LSTM", "GRU", "RNN")},
    **{
        name: {1: "normalization", 2: "normalization"}
        for name in ("BatchNormalization", "LayerNormalization", "InstanceNormalization")
    },
    "GroupNormalization": {1: "normalization", 2: "normalization"},
    "RMSNormalization": {1: "normalization"},
    "QLinearConv": {8: "biases"},
    "Gather": {0: "embeddings"},
}
_STATISTICS = {"BatchNormalization": (3, 4)}  # inputs that are measured, not learned


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 protobuf has no mark
    """Whether the file is called .onnx."""
    return name.lower().endswith(".onnx")


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`; choices: the sizes of symbolic dims."""
    return keys_of(read_model(data, where), where, choices)


def keys_of(model: ModelProto, where: str, choices: Choices) -> dict[str, object]:
    """The keys of a layer-set file for a model, which loses the values of its constants; errors as of `read_layers`."""
    graph = graph_of(model, where, choices)
    rows: list[Row] = []
    left_out: Counter[tuple[tuple[str, Any], ...]] = Counter()
    others: Counter[str] = Counter()
    for node in graph.nodes:
        if all(value in graph.constants for value in node.outputs if value):
            continue
        for row in _rows(node):
            if "operator" in row:
                left_out[tuple(row.items())] += 1
            else:
                rows.append({"name": node.name} | row)
        _count_others(graph, node, others)
    rows += [_left_out_row(dict(key), count) for key, count in left_out.items()]
    head: dict[str, object] = {"title": Path(where).stem, "source": f"{Path(where).name}, {graph.origin}"}
    return head | ({"other_parameters": dict(others)} if others else {}) | {"layers": named(rows)}


def _rows(node: Node) -> list[Row]:
    """The layers of a node, or what is left out of it: rows without a name or with one of their own."""
    if node.inner is not None and any(operator in OPERATORS for operator in node.inner):
        held = ", ".join(sorted(node.inner & OPERATORS.keys()))
        raise node.error(f"its body holds {held}, and how often it runs is known only when it runs; unroll it first")
    if node.operator in FREE:
        return []
    rows = OPERATORS[node.operator](node) if node.operator in OPERATORS else [_simple(node)]
    graph = node.graph
    words = {"outputs": graph.words(node.outputs), "inputs": graph.words(node.inputs)}
    known = {key: value for key, value in words.items() if value}
    return [row | known if "operator" in row else row for row in rows]


def _simple(node: Node) -> Row:
    """The row of an operator that is none of OPERATORS."""
    kind = "POOL" if _POOLS.fullmatch(node.operator) else "ELEMENTWISE" if _ELEMENTWISE.fullmatch(node.operator) else "OTHER"
    if kind != "OTHER" and not node.graph.words(node.outputs[:1]):
        kind = "OTHER"
    unknown = any((":" in each and each not in KNOWN) or each in _UNCOUNTED for each in (node.operator, *(node.inner or ())))
    return {"type": kind, "operator": node.operator} | ({"macs": None} if kind == "OTHER" and unknown else {})


def _left_out_row(row: Row, count: int) -> Row:
    name = re.sub(r"[^a-z0-9]+", "_", row["operator"].lower())
    return {"name": name} | row | ({"count": count} if count > 1 else {})


def _count_others(graph: Graph, node: Node, others: Counter[str]) -> None:
    """Add the words of a node's parameters that are no layer's weights, by kind, each constant once.

    Constants of one word are numbers of the computation, and integers are indices or shapes: neither are parameters.
    """
    kinds = _KINDS.get(node.operator, {})
    for index, value in enumerate(node.inputs):
        if value not in graph.constants or index in _STATISTICS.get(node.operator, ()):
            continue
        kind = kinds.get(index, "" if node.operator in OPERATORS else "other constants")
        counted = graph.is_parameter(value) or (kind == "biases" and node.operator == "QLinearConv")
        words = graph.words([value]) or 0
        if kind and counted and words > 1 and graph.claim(value):
            others[kind] += words
