"""The shapes of a model's values: inferred by the package `onnx`, and again with sizes that the model computes from shapes.

Exporters compute sizes from shapes, by operators that inference does not follow, such as a Reshape of two sizes. What depends on
known shapes and whole numbers alone is worked out here, and given to the next inference as a constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto

Shape = tuple[int, ...]
# Words of a constant that may be a size; of weights, which have more, only the shapes are needed.
MOST_WORDS = 4096
# Operators on sizes whose results are no larger than what they are given.
_ON_SIZES = frozenset(
    (
        *("Add", "Div", "Max", "Min", "Mul", "Neg", "ReduceProd", "ReduceSum", "Sub"),
        *("Cast", "Concat", "Equal", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze", "Where"),
    )
)
_INTEGERS = (6, 7, 9)  # TensorProto's int32, int64 and bool


def inferred_graph(model: ModelProto) -> GraphProto:
    """The graph with the shapes of all values that can be known; changes the model. Raises whatever the library raises."""
    from onnx import shape_inference  # noqa: PLC0415 an extra package

    opsets = {each.domain: each.version for each in model.opset_import}
    while True:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
        shapes = shapes_of(graph)
        if all(value in shapes for node in graph.node for value in node.output if value):
            return graph
        found = dict(_sizes(model.graph, shapes, opsets))
        if not found:
            return graph
        nodes = [node for node in model.graph.node if not (len(node.output) == 1 and node.output[0] in found)]
        kept = [type(node).FromString(node.SerializeToString()) for node in nodes]
        del model.graph.node[:]
        model.graph.node.extend(kept)
        model.graph.initializer.extend(found.values())


def shapes_of(graph: GraphProto) -> dict[str, Shape]:
    """The shapes that are known, by the names of values."""
    shapes: dict[str, Shape] = {}
    for each in (*graph.input, *graph.value_info, *graph.output):
        kind = each.type.tensor_type
        if kind.HasField("shape") and all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in kind.shape.dim):
            shapes[each.name] = tuple(dim.dim_value for dim in kind.shape.dim)
    return shapes | {each.name: tuple(each.dims) for each in graph.initializer if all(size >= 0 for size in each.dims)}


def _sizes(graph: GraphProto, shapes: dict[str, Shape], opsets: dict[str, int]) -> Iterator[tuple[str, Any]]:
    """Tensors, by name, of what nodes make from known shapes and whole numbers alone."""
    from onnx import numpy_helper  # noqa: PLC0415 an extra package

    values: dict[str, Any] = {
        each.name: numpy_helper.to_array(each)
        for each in graph.initializer
        if each.data_type in _INTEGERS and prod(each.dims) <= MOST_WORDS and not each.external_data
    }
    for node in graph.node:
        if len(node.output) != 1 or node.domain:
            continue
        value = _value(node, values, shapes, opsets)
        if value is not None and value.dtype.kind in "ib" and value.size <= MOST_WORDS:
            values[node.output[0]] = value
            if node.op_type != "Constant":
                yield node.output[0], numpy_helper.from_array(value, node.output[0])


def _value(node: NodeProto, values: dict[str, Any], shapes: dict[str, Shape], opsets: dict[str, int]) -> Any:  # noqa: ANN401 an array, or None
    """The value of a node's output, if it is known."""
    import numpy as np  # noqa: PLC0415 the rest of the room has no need of it

    if node.op_type == "Shape" and node.input[0] in shapes:
        ends = {each.name: each.i for each in node.attribute}
        return np.array(shapes[node.input[0]][ends.get("start") : ends.get("end")], np.int64)
    if node.op_type == "Constant" and node.attribute:
        return _constant(node.attribute[0])
    if node.op_type not in _ON_SIZES or not all(name in values for name in node.input if name):
        return None
    with np.errstate(all="ignore"):
        return _run(node, values, opsets)


def _constant(attribute: AttributeProto) -> Any:  # noqa: ANN401 an array, or None
    import numpy as np  # noqa: PLC0415 as above
    from onnx import numpy_helper  # noqa: PLC0415 an extra package

    match attribute.name:
        case "value" if attribute.t.data_type in _INTEGERS and prod(attribute.t.dims) <= MOST_WORDS:
            return numpy_helper.to_array(attribute.t)
        case "value_int":
            return np.array(attribute.i, np.int64)
        case "value_ints":
            return np.array(attribute.ints, np.int64)
        case _:
            return None


def _run(node: NodeProto, values: dict[str, Any], opsets: dict[str, int]) -> Any:  # noqa: ANN401 an array
    from onnx import TensorProto, helper  # noqa: PLC0415 an extra package
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415 an extra package

    given = {name: values[name] for name in node.input if name}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(each.dtype), each.shape) for name, each in given.items()
    ]
    output = helper.make_tensor_value_info(node.output[0], TensorProto.UNDEFINED, None)
    graph = helper.make_graph([node], "sizes", inputs, [output])
    evaluator: Any = ReferenceEvaluator(graph, opsets=opsets)
    return evaluator.run(None, given)[0]
