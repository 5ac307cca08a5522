"""Small ONNX models, made from nodes and shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx.backend.test
from onnx import FunctionProto, NodeProto, TensorProto, helper

from mapsearch.formats.onnx.layers_in import read_layers
from mapsearch.formats.yaml.layer_sets import LayerSet, layer_set_of

Shape = Sequence[int | str | None]

DATA = Path(onnx.backend.test.__file__).parent / "data"  # models that the package ships


def node(operator: str, inputs: str, outputs: str = "y", **attributes: Any) -> NodeProto:  # noqa: ANN401 of any kind
    """A node that reads and makes these values, words of a text."""
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Shape],
    weights: Mapping[str, Shape] | None = None,
    *,
    functions: Sequence[FunctionProto] = (),
    kind: int = TensorProto.FLOAT,
) -> bytes:
    """The bytes of a model with float inputs and with constants that have no values; kind: the type of the constants."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
    graph = helper.make_graph(list(nodes), "g", values, [])
    for name, shape in (weights or {}).items():
        graph.initializer.add(name=name, data_type=kind, dims=[size for size in shape if isinstance(size, int)])
    domains = dict.fromkeys(each.domain for each in nodes)
    opsets = [helper.make_opsetid("", 23), *(helper.make_opsetid(domain, 1) for domain in domains if domain)]
    made: bytes = helper.make_model(graph, opset_imports=opsets, functions=list(functions)).SerializeToString()
    return made


def rows_of(data: bytes, **dims: str) -> list[dict[str, Any]]:
    """The rows that are read of a model."""
    rows: Any = read_layers(data, "net.onnx", dims)["layers"]
    return list(rows)


def layers_of(data: bytes, **dims: str) -> LayerSet:
    """The layers that are read of a model."""
    return layer_set_of("net", "net.onnx", read_layers(data, "net.onnx", dims))
