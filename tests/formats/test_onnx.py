"""ONNX models: networks of known figures, operators against hand counts, and models that are damaged or made to do harm."""

from __future__ import annotations

import csv
import random
from math import prod
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper, shape_inference
from onnx_models import DATA, Shape, layers_of, model, node, rows_of

from mapsearch.formats.onnx.layers_in import read_layers
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.errors import InputError
from mapsearch.model.tensors import Dim, Tensor

LIGHT = DATA / "light"
RECORDED = Path(__file__).parents[1] / "data" / "onnx_light_layers.csv"
# MACs of convolutions and fully connected layers, and parameters where torchvision has the same network: the `num_params` of its
# weights' metadata; AlexNet's are those of Caffe's. DenseNet and Inception-V2 have scales that Caffe keeps beside batch norm.
NETWORKS = {
    "bvlc_alexnet": (654_560_384, 60_965_224),
    "densenet121": (2_834_161_664, 7_978_856 + 83_648),
    "inception_v1": (1_431_556_352, None),
    "inception_v2": (2_018_851_840, None),
    "resnet50": (4_089_184_256, 25_557_032),
    "shufflenet": (124_664_528, None),
    "squeezenet": (349_151_936, 1_235_496),
    "vgg19": (19_632_062_464, 143_667_240),
    "zfnet512": (1_481_727_008, None),
}


def refusal(data: bytes, **dims: str) -> str:
    """The one line with which a model is refused."""
    with pytest.raises(InputError) as caught:
        layers_of(data, **dims)
    text = str(caught.value)
    assert text.startswith("net.onnx: ")
    assert "\n" not in text
    return text.removeprefix("net.onnx: ")


def _words(sizes: Shape) -> int:
    """The words of a shape whose sizes are numbers."""
    return prod(size for size in sizes if isinstance(size, int))


@pytest.mark.parametrize("name", NETWORKS)
def test_known_networks(name: str) -> None:
    """MACs equal the counts of the package's shapes, parameters those that are published, and all other operators are listed."""
    file = LIGHT / f"light_{name}.onnx"
    layers = load_layer_set(file)
    macs, parameters = NETWORKS[name]
    assert layers.macs == macs
    assert parameters is None or layers.parameters == parameters
    free = ("Reshape", "Dropout", "ConstantOfShape", "Unsqueeze", "Conv", "Gemm")
    others = [each.op_type for each in onnx.load_model_from_string(file.read_bytes()).graph.node if each.op_type not in free]
    assert sum(each.count for each in layers.unmapped) == len(others)
    assert {each.operator for each in layers.unmapped} == set(others)


def test_layers_equal_the_recorded_ones() -> None:
    """Each layer of six networks has the extents, strides, dilations and MACs that another program found."""
    with RECORDED.open() as file:
        rows = list(csv.DictReader(file))
    for name in dict.fromkeys(row["model"] for row in rows):
        wanted = [
            (*(int(row[key]) for key in ("G", "N", "K", "C", "R", "S", "Yout", "Xout", "sy", "sx", "dy", "dx", "macs")),)
            for row in rows
            if row["model"] == name
        ]
        layers = [entry.layer for entry in load_layer_set(LIGHT / f"light_{name}.onnx").entries]
        assert [(*layer.extents, *layer.stride, *layer.dilation, layer.macs) for layer in layers] == wanted


def test_layers_equal_the_shipped_sets() -> None:
    """ResNet-50 has the layers of the shipped set; AlexNet, whose input has another size there, the same parameters."""
    read, shipped = load_layer_set(LIGHT / "light_resnet50.onnx"), load_layer_set("resnet50")
    ours = [entry.layer.shape for entry in shipped.entries for _ in range(entry.count)]
    assert sorted(map(str, ours)) == sorted(str(entry.layer.shape) for entry in read.entries)
    assert load_layer_set(LIGHT / "light_bvlc_alexnet.onnx").parameters == load_layer_set("alexnet").parameters


@pytest.mark.parametrize("name", [path.name for path in sorted((DATA / "pytorch-converted").glob("test_Conv*"))])
def test_convolutions_from_pytorch(name: str) -> None:
    """Each output word of a convolution of the package's takes as many MACs as a filter has words, whatever pads and strides."""
    data = (DATA / "pytorch-converted" / name / "model.onnx").read_bytes()
    read = onnx.load_model_from_string(data)
    shapes = {
        each.name: [dim.dim_value for dim in each.type.tensor_type.shape.dim] for each in (*read.graph.input, *read.graph.output)
    }
    shapes |= {each.name: list(each.dims) for each in read.graph.initializer}
    [each] = read.graph.node
    filters, output, transposed = shapes[each.input[1]], shapes[each.output[0]], "Transpose" in name
    if "3d" in name:
        [row] = rows_of(data)
        assert (row["type"], row["macs"]) == ("OTHER", prod(output) * prod(filters[1:]))
        return
    [entry] = layers_of(data).entries
    layer = entry.layer
    assert layer.words(Tensor.OUTPUT) == prod(output)
    assert layer.words(Tensor.WEIGHT) == prod(filters)
    assert layer.macs == prod(output) * prod(filters[2:]) * (filters[0] if transposed else filters[1])


CONVOLUTIONS: list[tuple[dict[str, Any], Shape, Shape]] = [
    ({}, (2, 6, 9, 8), (4, 6, 3, 2)),
    ({"group": 2, "strides": [2, 3], "pads": [0, 1, 2, 3]}, (1, 6, 9, 8), (4, 3, 3, 2)),
    ({"group": 6, "dilations": [2, 3], "pads": [3, 3, 3, 3]}, (1, 6, 9, 8), (12, 1, 3, 2)),
    ({"auto_pad": "SAME_UPPER", "strides": [2, 3]}, (1, 6, 9, 8), (4, 6, 2, 4)),
    ({"auto_pad": "SAME_LOWER", "strides": [2, 3], "dilations": [2, 1]}, (1, 6, 9, 8), (4, 6, 2, 4)),
    ({"auto_pad": "VALID", "strides": [2, 1]}, (1, 6, 9, 8), (4, 6, 2, 4)),
    ({"strides": [3], "pads": [2, 1]}, (3, 6, 9), (4, 6, 4)),
]


@pytest.mark.parametrize(("attributes", "inputs", "filters"), CONVOLUTIONS)
def test_convolutions(attributes: dict[str, Any], inputs: Shape, filters: Shape) -> None:
    """The output has the shape that onnx infers, and MACs are output words times the words of a filter."""
    data = model([node("Conv", "x w", **attributes)], {"x": inputs}, {"w": filters})
    [output] = shape_inference.infer_shapes(onnx.load_model_from_string(data)).graph.value_info
    sizes = [dim.dim_value for dim in output.type.tensor_type.shape.dim]
    [entry] = layers_of(data).entries
    extents = dict(zip(Dim, entry.layer.extents, strict=True))
    assert [extents[Dim.N], extents[Dim.G] * extents[Dim.K], *[extents[Dim.Y], extents[Dim.X]][4 - len(sizes) :]] == sizes
    assert entry.layer.macs == prod(sizes) * _words(filters[1:])
    assert entry.weights == "parameters"


TRANSPOSED: list[tuple[dict[str, Any], Shape, Shape]] = [
    ({"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 0]}, (1, 6, 5, 4), (6, 4, 3, 3)),
    ({"strides": [2, 3], "group": 2}, (2, 6, 5, 4), (6, 4, 3, 3)),
    ({"strides": [2, 2], "dilations": [2, 1], "pads": [0, 1, 2, 1]}, (1, 6, 5, 4), (6, 4, 3, 3)),
    ({"strides": [2, 2], "output_shape": [10, 9]}, (1, 6, 5, 4), (6, 4, 3, 3)),
    ({"strides": [2, 3], "auto_pad": "SAME_UPPER"}, (1, 6, 5, 4), (6, 4, 4, 3)),
    ({"strides": [2]}, (1, 6, 5), (6, 4, 3)),
]


@pytest.mark.parametrize(("attributes", "inputs", "filters"), TRANSPOSED)
def test_transposed_convolutions(attributes: dict[str, Any], inputs: Shape, filters: Shape) -> None:
    """The output has the shape that onnx infers; each input word meets each word of its channel's filters."""
    data = model([node("ConvTranspose", "x w", **attributes)], {"x": inputs}, {"w": filters})
    [output] = shape_inference.infer_shapes(onnx.load_model_from_string(data)).graph.value_info
    sizes = [dim.dim_value for dim in output.type.tensor_type.shape.dim]
    [entry] = layers_of(data).entries
    extents = dict(zip(Dim, entry.layer.extents, strict=True))
    assert [extents[Dim.N], extents[Dim.G] * extents[Dim.K], *[extents[Dim.Y], extents[Dim.X]][4 - len(sizes) :]] == sizes
    most = _words((*inputs, *filters[1:]))
    assert entry.layer.macs - entry.layer.zero_macs >= most  # what is more reads padding
    assert entry.layer.words(Tensor.WEIGHT) == _words(filters)


PRODUCTS: list[tuple[str, dict[str, Any], dict[str, Shape], dict[str, Shape], dict[str, int], str]] = [
    ("MatMul", {}, {"x": (2, 7, 16)}, {"w": (16, 8)}, {"M": 14, "N": 8, "K": 16}, "parameters"),
    ("MatMul", {}, {"x": (16, 9)}, {"w": (8, 16)}, {"M": 9, "N": 8, "K": 16}, "parameters"),  # w x, transposed
    ("MatMul", {}, {"x": (16,)}, {"w": (16, 8)}, {"M": 1, "N": 8, "K": 16}, "parameters"),
    ("MatMul", {}, {"x": (2, 3, 7, 16), "w": (2, 3, 16, 5)}, {}, {"M": 7, "N": 5, "K": 16, "batch": 6}, "activations"),
    ("MatMul", {}, {"x": (2, 3, 7, 16), "w": (3, 16, 5)}, {}, {"M": 14, "N": 5, "K": 16, "batch": 3}, "activations"),
    ("MatMul", {}, {"x": (7, 16), "w": (4, 16, 5)}, {}, {"M": 20, "N": 7, "K": 16}, "activations"),  # x is shared by all
    ("MatMulInteger", {}, {"x": (2, 7, 16)}, {"w": (16, 8)}, {"M": 14, "N": 8, "K": 16}, "parameters"),
    ("Gemm", {"transB": 1}, {"x": (4, 16)}, {"w": (8, 16)}, {"K": 8, "C": 16, "batch": 4}, "parameters"),
    ("Gemm", {"transA": 1}, {"x": (16, 4), "w": (16, 8)}, {}, {"M": 4, "N": 8, "K": 16}, "activations"),
    ("Einsum", {"equation": "bhid,bhjd->bhij"}, {"x": (2, 4, 7, 16), "w": (2, 4, 9, 16)}, {},
     {"M": 7, "N": 9, "K": 16, "batch": 8}, "activations"),
    ("Einsum", {"equation": "...d, df"}, {"x": (2, 4, 7, 16)}, {"w": (16, 9)}, {"M": 56, "N": 9, "K": 16}, "parameters"),
    ("Einsum", {"equation": "oc,bcl->bol"}, {"w2": (8, 4), "x": (2, 4, 16)}, {}, {"M": 8, "N": 32, "K": 4}, "activations"),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "attributes", "inputs", "weights", "keys", "owner"), PRODUCTS)
def test_matrix_products(
    operator: str,
    attributes: dict[str, Any],
    inputs: dict[str, Shape],
    weights: dict[str, Shape],
    keys: dict[str, int],
    owner: str,
) -> None:
    """A product has the rows, columns and batch that it has by hand; the constant operand, or the shared one, is the weights."""
    names = [*inputs, *weights]
    if keys == {"M": 9, "N": 8, "K": 16}:
        names.reverse()
    row = rows_of(model([node(operator, " ".join(names), **attributes)], inputs, weights))[0]
    assert {key: row[key] for key in row if key not in ("name", "type", "weights")} == keys
    assert row.get("weights", "parameters") == owner


def test_einsums_that_are_no_product() -> None:
    """A trace or three operands are left out with their MACs; a product without a sum has none."""
    diagonal = rows_of(model([node("Einsum", "x w", equation="ii,ij->j")], {"x": (4, 4)}, {"w": (4, 16)}))
    assert [(row["type"], row["operator"], row["macs"]) for row in diagonal] == [("OTHER", "Einsum", 64)]
    three = rows_of(model([node("Einsum", "x w v", equation="ij,jk,kl->il")], {"x": (2, 3)}, {"w": (3, 5), "v": (5, 7)}))
    assert three[0]["macs"] == 2 * 2 * 3 * 5 * 7
    scaled = rows_of(model([node("Einsum", "x w", equation="bnd,nd->bnd")], {"x": (2, 4, 16)}, {"w": (4, 16)}))
    assert [(row["type"], row["outputs"]) for row in scaled] == [("ELEMENTWISE", 128)]


@pytest.mark.parametrize(("operator", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_layers(operator: str, gates: int) -> None:
    """MACs are those of the gates in both directions, weights count once, and biases are no layer's."""
    inputs, hidden, steps, batch = 16, 32, 7, 2
    weights = {"w": (2, gates * hidden, inputs), "r": (2, gates * hidden, hidden), "b": (2, 2 * gates * hidden)}
    nodes = [node(operator, "x w r b", hidden_size=hidden, direction="bidirectional")]
    layers = layers_of(model(nodes, {"x": (steps, batch, inputs)}, weights))
    assert layers.macs == 2 * steps * batch * gates * hidden * (inputs + hidden)
    assert layers.parameters == sum(prod(shape) for shape in weights.values())
    assert layers.other_parameters == {"biases": 2 * 2 * gates * hidden}
    nodes = [node(operator, "x w r", direction="bidirectional", layout=1)]
    assert layers_of(model(nodes, {"x": (batch, steps, inputs)}, weights)).macs == layers.macs


def test_attention() -> None:
    """Scores and values are products of activations; heads of queries that share keys are rows of one product."""
    nodes = [node("Attention", "q k v", q_num_heads=8, kv_num_heads=2)]
    scores, values = rows_of(model(nodes, {"q": (2, 5, 64), "k": (2, 7, 16), "v": (2, 7, 16)}))
    assert (scores["M"], scores["N"], scores["K"], scores["batch"]) == (5 * 4, 7, 8, 2 * 2)
    assert (values["M"], values["N"], values["K"], values["batch"]) == (5 * 4, 8, 7, 2 * 2)
    assert {scores["weights"], values["weights"]} == {"activations"}
    heads = layers_of(model([node("Attention", "q k v")], {"q": (2, 8, 5, 8), "k": (2, 8, 7, 8), "v": (2, 8, 7, 8)}))
    assert heads.macs == 2 * (2 * 8 * 5 * 7 * 8)


def test_operators_of_onnxruntime() -> None:
    """Fused and quantized operators have the layers of what they stand for, and shapes go on behind them."""
    fused = node("FusedConv", "x w", "y", domain="com.microsoft", activation="Relu", pads=[1, 1, 1, 1])
    nodes = [fused, node("Gelu", "y", "z", domain="com.microsoft"), node("MatMul", "z v", "u")]
    layers = layers_of(model(nodes, {"x": (1, 3, 8, 8)}, {"w": (4, 3, 3, 3), "v": (8, 2)}))
    assert layers.macs == 4 * 3 * 9 * 64 + 4 * 8 * 8 * 2
    nodes = [node("Attention", "x w", domain="com.microsoft", num_heads=4), node("MatMul", "y v", "u")]
    layers = layers_of(model(nodes, {"x": (2, 5, 16)}, {"w": (16, 48), "v": (16, 3)}))
    assert layers.macs == 10 * 16 * 48 + 2 * (2 * 4 * 5 * 5 * 4) + 10 * 16 * 3
    inputs, scales = {"x": (1, 3, 8, 8)}, {"s": (), "wz": ()}
    quantized = [node("QLinearConv", "x s wz w s wz s wz b", "y")]
    data = model(quantized, inputs, scales | {"w": (4, 3, 3, 3), "b": (4,)}, kind=TensorProto.INT8)
    assert (layers_of(data).macs, layers_of(data).parameters) == (4 * 3 * 9 * 36, 4 * 3 * 9 + 4)


def test_weights_behind_constant_nodes() -> None:
    """Weights may be computed from constants; those that two layers use are counted once, also where one is transposed."""
    nodes = [
        node("Gather", "table ids", "e"),
        node("DequantizeLinear", "q scale", "w"),
        node("MatMul", "e w", "y"),
        node("MatMul", "y w", "z"),
        node("Transpose", "table", "t", perm=[1, 0]),
        node("MatMul", "z t", "logits"),
    ]
    data = model(nodes, {"ids": (2, 5)}, {"table": (100, 16), "q": (16, 16), "scale": ()})
    layers = layers_of(data)
    assert [entry.weights for entry in layers.entries] == ["parameters", "shared", "shared"]
    assert layers.parameters == 100 * 16 + 16 * 16
    assert layers.other_parameters == {"embeddings": 100 * 16}


def test_symbolic_dims() -> None:
    """A symbolic dim has the size that is chosen, an unnamed one by its place; each must be given, and be one of the model's."""
    data = model([node("MatMul", "x w")], {"x": ("batch", None, 16)}, {"w": (16, 8)})
    assert layers_of(data, batch="2", **{"x.1": "5"}).macs == 2 * 5 * 16 * 8
    assert "symbolic dim x.1; give its size, such as --dim x.1=1" in refusal(data, batch="2")
    assert "no input has a symbolic dim bath; it has batch, x.1; did you mean batch?" in refusal(data, bath="2")
    for size in ("0", "-1", "two", "1.5", "9" * 5000, "²"):
        assert "dim batch must be a whole number from 1 to" in refusal(data, batch=size)


def test_sizes_computed_from_shapes() -> None:
    """A size that the model computes from a shape, by operators that onnx does not follow, is known all the same."""
    nodes = [
        node("Shape", "x", "s", start=0),
        node("Constant", "", "zero", value_ints=[0]),
        node("Constant", "", "one", value_ints=[1]),
        node("Constant", "", "flat", value_ints=[-1]),
        node("Slice", "s zero one", "batch"),
        node("Mul", "batch one", "scaled"),
        node("Reshape", "scaled flat", "reshaped"),
        node("Concat", "reshaped flat", "size", axis=0),
        node("Reshape", "x size", "rows"),
        node("MatMul", "rows w", "y"),
    ]
    [row] = rows_of(model(nodes, {"x": (5, 4, 4)}, {"w": (16, 7)}))
    assert (row["M"], row["N"], row["K"]) == (5, 7, 16)


def test_functions_are_inlined() -> None:
    """A function of the model's own is read as its body at each call; one that calls itself is refused."""
    opsets = [helper.make_opsetid("", 23), helper.make_opsetid("own", 1)]
    product = helper.make_function("own", "Product", ["a", "b"], ["c"], [node("MatMul", "a b", "c")], opsets)
    calls = [node("Product", "x w", "y", domain="own"), node("Product", "y w", "z", domain="own")]
    assert layers_of(model(calls, {"x": (3, 16)}, {"w": (16, 16)}, functions=[product])).macs == 2 * 3 * 16 * 16
    endless = helper.make_function("own", "Product", ["a", "b"], ["c"], [node("Product", "a b", "c", domain="own")], opsets)
    assert "shapes cannot be inferred" in refusal(model(calls, {"x": (3, 16)}, {"w": (16, 16)}, functions=[endless]))


REFUSED = [
    ([node("MatMul", "x y")], "node MatMul_0 (MatMul): reads y, which no node before it makes; the graph has a cycle"),
    ([node("Relu", "x", "w")], "makes w, which is there already"),
    ([node("Conv", "x")], "node Conv_0 (Conv): input 1 is missing"),
    ([node("Conv", "x w", strides=[0, 1])], "attribute strides must be 2 whole numbers of at least 1, got [0, 1]"),
    ([node("Conv", "x w", strides=2)], "attribute strides must be 2 whole numbers of at least 1, got 2"),
    ([node("Conv", "x w", strides=[1])], "attribute strides must be 2 whole numbers"),
    ([node("Conv", "x w", group=2)], "its 3 channels must be 2 groups of its filters' 3"),
    ([node("Conv", "x w", pads=[0, 0, 2**40, 0])], "layer 1 (Conv_0)"),
    ([node("ConvTranspose", "x v", pads=[-1, 0, 0, 0])], "attribute pads must be 4 whole numbers of at least 0"),
    ([node("MatMul", "x w")], "inner sizes must be equal, got [1, 3, 8, 8] and [4, 3, 3, 3]"),
    ([node("Gemm", "x w")], "its operands must be matrices"),
    ([node("LSTM", "x w w")], "input 1 must have the shape [1, 12, 8], got [4, 3, 3, 3]"),
    ([node("LSTM", "x w w", hidden_size=8)], "input 1 must have the shape [1, 32, 8], got [4, 3, 3, 3]"),
    ([node("Attention", "x w w")], "queries, keys and values must fit"),
    ([node("Einsum", "x w", equation="ab->")], "a term for each of 2 operands"),
    ([node("Einsum", "x w", equation="a?b,c")], "the equation must be such as"),
    ([node("Mystery", "x", "y", domain="com.acme"), node("MatMul", "y w", "z")], "the shape of its input y cannot be inferred"),
    ([node("Relu", "x")], "layers must have at least one layer with MACs"),
]


@pytest.mark.parametrize(("nodes", "law"), REFUSED)
def test_wrong_models(nodes: list[onnx.NodeProto], law: str) -> None:
    """The line names the node and the law."""
    assert law in refusal(model(nodes, {"x": (1, 3, 8, 8)}, {"w": (4, 3, 3, 3), "v": (3, 4, 3, 3)}))


def test_control_flow() -> None:
    """Operators with MACs in the body of an If or a Loop are refused, since nobody knows how often they run."""
    body = helper.make_graph(
        [node("MatMul", "x w", "o")], "body", [], [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)]
    )
    data = model([node("If", "c", then_branch=body, else_branch=body)], {"x": (3, 16), "c": ()}, {"w": (16, 16)})
    assert "its body holds MatMul" in refusal(data)


def test_operators_of_other_domains_are_listed() -> None:
    """An operator that nobody knows is listed with unknown MACs, if no layer needs its shape."""
    nodes = [node("MatMul", "x w", "y"), node("Suppress", "y", "z", domain="com.acme")]
    [left] = layers_of(model(nodes, {"x": (3, 16)}, {"w": (16, 16)})).unmapped
    assert (left.operator, left.macs, left.output_words, left.input_words) == ("com.acme:Suppress", None, None, 48)


def test_external_data_is_not_opened(tmp_path: Path) -> None:
    """A model whose weights lie in other files is read without them."""
    proto = onnx.load_model_from_string(model([node("MatMul", "x w")], {"x": (3, 16)}, {"w": (16, 16)}))
    [tensor] = proto.graph.initializer
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    (tmp_path / "net.onnx").write_bytes(proto.SerializeToString())
    assert load_layer_set(tmp_path / "net.onnx").macs == 3 * 16 * 16


def test_files_that_are_too_large(tmp_path: Path) -> None:
    """A file of 2 GiB, the most of protobuf, is refused by its size; one of 300 MB of weights is read."""
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(2**31)  # takes no space
    with pytest.raises(InputError, match="must have at most 2,147,483,647 bytes"):
        load_layer_set(tmp_path / "huge.onnx")
    proto = onnx.load_model_from_string(model([node("MatMul", "x w")], {"x": (3, 8192)}, {"w": (8192, 8192)}))
    proto.graph.initializer[0].raw_data = bytes(4 * 8192 * 8192)
    (tmp_path / "large.onnx").write_bytes(proto.SerializeToString())
    assert load_layer_set(tmp_path / "large.onnx").macs == 3 * 8192 * 8192


def test_damaged_models() -> None:
    """Models with bytes changed or cut off are read or refused in one line: nothing else ever happens."""
    chosen = random.Random(17)  # noqa: S311 no secrets
    files = [LIGHT / "light_bvlc_alexnet.onnx", *sorted((DATA / "pytorch-converted").glob("test_Conv2d*/model.onnx"))]
    texts = [path.read_bytes() for path in files]
    lines: list[str] = []
    for _ in range(1500):
        data = bytearray(chosen.choice(texts))
        for _ in range(chosen.choice((1, 1, 3, 10))):
            data[chosen.randrange(len(data))] = chosen.choice((0, 1, 127, 255, chosen.randrange(256)))
        damaged = bytes(data[: chosen.randrange(len(data))]) if chosen.random() < 0.2 else bytes(data)
        try:
            layers_of(damaged)
        except InputError as error:
            lines.append(str(error))
    assert 100 < len(lines) < 1500
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("data", [b"", b"title: A network\n", b"\x80\x05]q\x00.", bytes(1000), b"PK\x03\x04" + bytes(100)])
def test_foreign_files(data: bytes) -> None:
    """Files of other kinds, also pickles and archives, are refused in one line."""
    with pytest.raises(InputError, match=r"^net\.onnx: must be an ONNX model"):
        read_layers(data, "net.onnx", {})
