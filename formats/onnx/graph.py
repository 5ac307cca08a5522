"""An ONNX model as a list of nodes with attributes, shapes and the knowledge which operands are constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, cast

from mapsearch.formats.onnx.microsoft import with_known_shapes
from mapsearch.formats.onnx.shapes import MOST_WORDS, Shape, inferred_graph, shapes_of
from mapsearch.formats.registry import Choices
from mapsearch.model.errors import InputError, did_you_mean, short, show
from mapsearch.model.layer import MAX_EXTENT

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto


# A random operator has no inputs either, but what it makes is no parameter.
_RANDOM = ("RandomNormal", "RandomUniform")
_SIZES = ("Shape", "Size")
_FLOATS = frozenset((1, 10, 11, 16, 17, 18, 19, 20))  # TensorProto's float, float16, double, bfloat16 and the 8-bit floats
_INT32, _INT8 = 6, (2, 3)
_STANDARD = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of the graph.

    operator: with its domain where that is not ONNX's own, such as `com.microsoft:FusedConv`. inner: the operators in its bodies,
    at any depth; None where it has no body, as only control flow has.
    """

    graph: Graph
    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    inner: frozenset[str] | None

    def error(self, reason: str) -> InputError:
        """An error at this node."""
        return error(self.graph.where, f"node {short(self.name)} ({short(self.operator)}): {reason}")

    def has(self, index: int) -> bool:
        """Whether the input of that number is given."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def shape(self, index: int, least: int = 0) -> Shape:
        """The shape of an input; InputError where it is not known or has fewer than `least` dims."""
        if not self.has(index):
            raise self.error(f"input {index} is missing")
        shape = self.graph.shapes.get(self.inputs[index])
        if shape is None:
            raise self.error(
                f"the shape of its input {short(self.inputs[index])} cannot be inferred; "
                "infer and save the model's shapes first, with dims as numbers"
            )
        if len(shape) < least or not all(shape):
            raise self.error(f"input {index} must have {least} dims or more, each of at least 1, got {list(shape)}")
        return shape

    def integer(self, name: str, default: int) -> int:
        """The value of an attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise self.error(f"attribute {name} must be a whole number, got {show(value)}")
        return value

    def integers(self, name: str, default: Sequence[int], least: int = 1) -> list[int]:
        """The values of an attribute, as many as in the default."""
        given: object = self.attributes.get(name, list(default))
        shown = show(given)
        values = cast("list[object]", given) if isinstance(given, list) else []
        numbers = [value for value in values if isinstance(value, int) and value >= least]
        if len(numbers) != len(default) or len(values) != len(numbers):
            raise self.error(f"attribute {name} must be {len(default)} whole numbers of at least {least}, got {shown}")
        return numbers

    def text(self, name: str, default: str) -> str:
        """The text of an attribute."""
        value = self.attributes.get(name, default)
        return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

    def is_constant(self, index: int) -> bool:
        """Whether an input does not depend on the network's inputs."""
        return self.has(index) and self.inputs[index] in self.graph.constants

    def weights(self, index: int) -> str:
        """Whose an operand's words are, as the key `weights` of a layer tells; counts them once."""
        if not self.is_constant(index):
            return "activations"
        return "parameters" if self.graph.claim(self.inputs[index]) else "shared"


def error(where: str, reason: str) -> InputError:
    """An error that begins with `where`, in one line whatever the names in it are."""
    return InputError(" ".join(f"{where}: {reason}".split()))


class Graph:
    """The nodes in order, all shapes that are known, and which values are constants.

    where: the file's name in errors. constants: by the name of each the name of its root, the constant that it is made from; ""
    where it holds sizes, or copies of one number, which are no parameters.
    """

    def __init__(self, model: ModelProto, inferred: GraphProto, where: str) -> None:
        graph = model.graph
        self.where = where
        producer = " ".join(filter(None, (model.producer_name, model.producer_version)))
        self.origin = f"ONNX{f', written by {short(producer)}' if producer else ''}"
        self.shapes = shapes_of(inferred)
        self._types = _types(inferred)
        self.constants: dict[str, str] = {each.name: each.name for each in graph.initializer}
        self.nodes = list(self._read(graph))
        self._claimed: set[str] = set()

    def claim(self, value: str) -> bool:
        """Count a constant as parameters; False where it, or what it is made from, is counted already."""
        root = self.constants[value]
        new = root not in self._claimed
        self._claimed.add(root)
        return new

    def words(self, values: Iterable[str]) -> int | None:
        """The words of values together; None where a shape is not known."""
        shapes = [self.shapes.get(value) for value in values if value]
        return None if None in shapes else sum(prod(shape) for shape in shapes if shape is not None)

    def is_parameter(self, value: str) -> bool:
        """Whether the type of a constant is one of weights or biases, not of indices or shapes."""
        return self.constants[value] != "" and (self._types.get(value) in _FLOATS or self._types.get(value) in _INT8)

    def _read(self, graph: GraphProto) -> Iterable[Node]:
        """The nodes; InputError where one reads what no earlier node makes."""
        known = {"", *self.constants, *(each.name for each in graph.input)}
        for number, each in enumerate(graph.node):
            node = self._node(each, number)
            for value in node.inputs:
                if value not in known:
                    raise node.error(
                        f"reads {short(value)}, which no node before it makes; the graph has a cycle, or is not sorted"
                    )
            for value in node.outputs:
                if value in known and value:
                    raise node.error(f"makes {short(value)}, which is there already; each value must be made once")
            known.update(node.outputs)
            self._follow(node)
            yield node

    def _node(self, node: NodeProto, number: int) -> Node:
        from onnx import helper  # noqa: PLC0415 an extra package

        bodies = _bodies(node)
        plain = {each.name: helper.get_attribute_value(each) for each in node.attribute if each.type and not _graphs(each)}
        name = node.name or f"{node.op_type}_{number}"
        inner = frozenset(_inner(bodies)) if bodies else None
        return Node(self, name, _operator(node), tuple(node.input), tuple(node.output), plain, inner)

    def _follow(self, node: Node) -> None:
        """Note what the node makes as constants, if it makes them from constants or from shapes alone."""
        if node.operator not in _SIZES and not all(value in self.constants for value in node.inputs if value):
            return
        # Copies of one number, such as zeros in place of a bias, are no parameters; other copies are made when the network runs.
        copies = node.operator == "Expand"
        if node.inner is not None or node.operator in _RANDOM or (copies and self.words(node.inputs[:1]) != 1):
            return
        for value in filter(None, node.outputs):
            root = "" if copies or node.operator in _SIZES else self.constants.get(node.inputs[0], "") if node.inputs else value
            # Made from a size that is written in the model, it is a root of its own.
            self.constants[value] = value if root and node.operator == "ConstantOfShape" else root


def read_model(data: bytes, where: str) -> ModelProto:
    """The model in a file's bytes; InputError, which begins with `where`, where they are none.

    Files of external data are never opened: weights have sizes in the model itself, and their values do not matter.
    """
    try:
        from onnx import ModelProto  # noqa: PLC0415 an extra package
    except ImportError:
        raise error(where, "ONNX models need the package onnx; pip install onnx") from None
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as cause:  # noqa: BLE001 the errors of protobuf are no public names of onnx
        raise error(where, f"must be an ONNX model, whole and not damaged: {' '.join(str(cause).split())}") from None
    if not model.graph.node or not model.opset_import:
        raise error(where, "must be an ONNX model with at least one operator, got none")
    if not all(isinstance(name, str) for name in _names(model)):  # protobuf gives others as bytes
        raise error(where, "must be an ONNX model, whose names are UTF-8 text; the file is damaged")
    return model


def _names(model: ModelProto) -> Iterator[object]:
    """All names that are looked at."""
    graph = model.graph
    yield from (model.producer_name, model.producer_version, graph.name)
    for value in (*graph.input, *graph.value_info, *graph.output):
        yield value.name
        yield from (dim.dim_param for dim in value.type.tensor_type.shape.dim)
    yield from (tensor.name for tensor in graph.initializer)
    yield from (tensor.values.name for tensor in graph.sparse_initializer)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)


def graph_of(model: ModelProto, where: str, choices: Choices) -> Graph:
    """The graph of a model, whose symbolic dims have the sizes that are chosen; InputError, which begins with `where`.

    The model loses the values of its large constants.
    """
    _drop_values(model.graph)
    from onnx import inliner  # noqa: PLC0415 an extra package

    _choose(model.graph, where, choices)
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        inferred = inferred_graph(with_known_shapes(model))
    except Exception as cause:  # noqa: BLE001 whatever the library makes of a damaged model
        raise error(where, f"its shapes cannot be inferred: {str(cause)[:200]}") from None
    return Graph(model, inferred, where)


def _drop_values(graph: GraphProto) -> None:
    """Leave out the values of large constants, which only cost memory."""
    for each in graph.sparse_initializer:
        tensor = graph.initializer.add()
        tensor.name, tensor.data_type = each.values.name, each.values.data_type
        tensor.dims.extend(each.dims)
    del graph.sparse_initializer[:]
    for tensor in graph.initializer:
        _drop(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _drop(attribute.t)


def _drop(tensor: TensorProto) -> None:
    if prod(tensor.dims) > MOST_WORDS:
        kept = list(tensor.dims), tensor.data_type, tensor.name
        tensor.Clear()
        tensor.dims.extend(kept[0])
        tensor.data_type, tensor.name = kept[1], kept[2]


def _choose(graph: GraphProto, where: str, choices: Choices) -> None:
    """Give symbolic dims their sizes; InputError where one has none, or a choice has no dim."""
    weights = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in weights]
    symbols = {name for each in inputs for name in _symbols(each)}
    sizes = {name: _size(where, name, value) for name, value in choices.items()}
    for name in sizes:
        if name not in symbols:
            has = f"it has {', '.join(map(short, sorted(symbols)))}" if symbols else "it has none"
            raise error(where, f"no input has a symbolic dim {short(name)}; {has}{did_you_mean(name, symbols)}")
    for each in inputs:
        for name in _symbols(each):
            if name not in sizes:
                raise error(
                    where,
                    f"input {short(each.name)} has the symbolic dim {short(name)}; give its size, such as --dim {short(name)}=1",
                )
    for each in (*graph.input, *graph.value_info, *graph.output):
        for axis, dim in enumerate(each.type.tensor_type.shape.dim):
            size = sizes.get(_symbol(each, axis, dim))
            if size is not None:
                dim.dim_value = size


def _symbols(value: ValueInfoProto) -> list[str]:
    """The names of an input's dims that have no size."""
    dims = value.type.tensor_type.shape.dim
    return [_symbol(value, axis, dim) for axis, dim in enumerate(dims) if dim.dim_value < 1]


def _symbol(value: ValueInfoProto, axis: int, dim: Any) -> str:  # noqa: ANN401 protobuf's type has no public name
    """The name by which a dim's size is chosen: its own, or that of its place, such as `x.0`."""
    return dim.dim_param or f"{value.name}.{axis}"


def _size(where: str, name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:12]) <= MAX_EXTENT:
        raise error(where, f"the size of dim {short(name)} must be a whole number from 1 to {MAX_EXTENT}, got {show(value)}")
    return int(value)


def _operator(node: NodeProto) -> str:
    return node.op_type if node.domain in _STANDARD else f"{node.domain}:{node.op_type}"


def _graphs(attribute: AttributeProto) -> list[GraphProto]:
    return [attribute.g, *attribute.graphs] if attribute.HasField("g") else list(attribute.graphs)


def _bodies(node: NodeProto) -> list[GraphProto]:
    return [graph for attribute in node.attribute for graph in _graphs(attribute)]


def _inner(bodies: list[GraphProto]) -> Iterator[str]:
    """The operators in bodies, at any depth."""
    waiting = list(bodies)
    while waiting:
        for node in waiting.pop().node:
            yield _operator(node)
            waiting += _bodies(node)


def _types(graph: GraphProto) -> dict[str, int]:
    infos = {each.name: each.type.tensor_type.elem_type for each in (*graph.input, *graph.value_info, *graph.output)}
    return infos | {each.name: each.data_type for each in graph.initializer}
