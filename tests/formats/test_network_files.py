"""Networks in other tools' files: layers against the tools' own rules, folders, and what is ambiguous or no layer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from onnx_models import model, node

from mapsearch.formats.directives import parse
from mapsearch.formats.registry import FORMATS
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import LayerSet, load_layer_set, yaml_text
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.layer import LayerType
from mapsearch.model.tensors import Dim, Tensor

SCALESIM = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
TIMELOOP = """
problem:
  shape:
    name: cnn
    dimensions: [G, N, K, C, R, S, P, Q]
    coefficients: [{name: SY, default: 2}, {name: SX}, {name: DY}, {name: DX, default: 3}]
    data-spaces:
    - {name: Inputs, projection: [[[N]], [[G]], [[C]], [[R, DY], [P, SY]], [[S, DX], [Q, SX]]]}
    - {name: Weights, projection: [[[G]], [[K]], [[C]], [[R]], [[S]]]}
    - {name: Outputs, projection: [[[N]], [[G]], [[K]], [[P]], [[Q]]], read-write: true}
  instance: {G: GROUPS, N: 2, K: 4, C: CHANNELS, R: 3, S: 5, P: 7, Q: 6, SX: 4, DY: 2}
"""
CONV = "equation: 'O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]', dimension_relations: [ix=2*ox+fx, iy=oy+3*fy], "
ZIGZAG = f"""
- id: 0
  operator_type: Conv
  equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  loop_dims: [B, K, C, OY, OX, FY, FX]
  loop_sizes: [1, 64, 3, 112, 112, 7, 7]
  operand_precision: {{W: 8, I: 8, O: 16, O_final: 8}}

- id: 1 # max pool, stride 2
  operator_type: Pooling
  equation: O[b][g][oy][ox]+=W[fx][fy]*I[b][g][iy][ix]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  loop_dims: [B, G, OY, OX, FX, FY]
  loop_sizes: [1, 64, 56, 56, 3, 3]
  operand_precision: {{I: 8, W: 0, O: 16, O_final: 8}}

- id: 4
  operator_type: Add
  equation: O[b][g][oy][ox]=W[b][g][oy][ox]+I[b][g][oy][ox]
  loop_dims: [B, G, OY, OX]
  loop_sizes: [1, 64, 56, 56]
- {{name: grouped, {CONV} loop_dims: [B, G, K, C, OY, OX, FY, FX], loop_sizes: [1, 4, 8, 2, 5, 6, 3, 3]}}
- {{name: gemm, equation: 'O[b][k]+=I[b][c]*W[c][k]', dimension_relations: [], loop_dims: [B, C, K], loop_sizes: [512, 256, 128]}}
"""


def load(tmp_path: Path, name: str, text: str, **choices: str) -> LayerSet:
    """The layers of a file with this text."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return load_layer_set(path, choices=choices)


def refusal(tmp_path: Path, name: str, text: str, **choices: str) -> str:
    """The line with which it is refused, after the file's path."""
    with pytest.raises(InputError) as caught:
        load(tmp_path, name, text, **choices)
    line = str(caught.value)
    assert line.startswith(f"{tmp_path / name}: ")
    assert "\n" not in line
    return line.removeprefix(f"{tmp_path / name}: ")


def test_scalesim_convolutions(tmp_path: Path) -> None:
    """A last window that the input does not fill counts, as there; comments after the eighth field are passed over."""
    text = SCALESIM + "Conv1,224,224,7,7,3,64,2, NPU\nConv2, 56, 57, 3, 3, 64, 64, 2,#dw\n\nFC,1,1,1,1,512,1000,1,\n"
    layers = load(tmp_path, "net.csv", text)
    sizes = [entry.layer.extents[Dim.Y :] for entry in layers.entries]
    assert sizes == [(110, 110), (28, 28), (1, 1)]  # ceil((224 - 7) / 2) + 1, where floor gives 109
    assert [entry.layer.name for entry in layers.entries] == ["Conv1", "Conv2", "FC"]
    assert layers.entries[2].layer.macs == 512 * 1000


def test_scalesim_depthwise_layers(tmp_path: Path) -> None:
    """DP in the name is a depthwise layer; many channels with one filter must be decided, and both ways have the same MACs."""
    named = load(tmp_path, "net.csv", SCALESIM + "DP1, 48, 48, 3, 3, 8, 2, 1,\n").entries[0].layer
    assert (named.type, named.extents[:4]) == (LayerType.DSCONV, (8, 1, 2, 1))
    text = SCALESIM + "Conv1, 96, 96, 3, 3, 3, 8, 2,\ndw_1, 48, 48, 3, 3, 8, 1, 1,\n"
    line = refusal(tmp_path, "net.csv", text)
    assert line.startswith("line 3 (dw_1): 8 channels and 1 filter may be a depthwise layer or a convolution; say which")
    yes, no = (load(tmp_path, "net.csv", text, depthwise=word).entries[1].layer for word in ("yes", "no"))
    assert (yes.type, yes.words(Tensor.OUTPUT)) == (LayerType.DSCONV, 8 * 46 * 46)
    assert (no.type, no.words(Tensor.OUTPUT)) == (LayerType.CONV, 46 * 46)
    assert yes.macs == no.macs
    assert "leaves only depthwise=yes or depthwise=no open, got batch=1" in refusal(tmp_path, "net.csv", text, batch="1")


def test_scalesim_products_and_sparsity(tmp_path: Path) -> None:
    """M, N and K stand in this order; N:M sparsity is a density of the weights."""
    product = load(tmp_path, "net.csv", "Layer,M,N,K,\nqkv,128,1536,512,\n").entries[0].layer
    assert (product.extents[Dim.X], product.extents[Dim.K], product.extents[Dim.C]) == (128, 1536, 512)
    sparse = load(tmp_path, "net.csv", SCALESIM + "a, 8, 8, 3, 3, 4, 8, 1, 2:4,\n").entries[0].layer
    assert sparse.density == (0.5, 1.0, 1.0)
    assert "the header must be Layer, M, N, K" in refusal(tmp_path, "net.csv", "Layer,M,K,N,\na,1,2,3,\n")
    assert "filter must not be larger" in refusal(tmp_path, "net.csv", SCALESIM + "a, 2, 8, 3, 3, 4, 8, 1,\n")
    assert "sparsity must be N:M" in refusal(tmp_path, "net.csv", SCALESIM + "a, 8, 8, 3, 3, 4, 8, 1, 5:4,\n")


def _topology(layers: str) -> str:
    """The topology of layers of directive text, each a type, dims and further items."""
    blocks = (
        f"Layer {name} {{ Type: {kind} {items} Dataflow {{ TemporalMap(1,1) K }} }}"
        for name, kind, items in (line.split(" ", 2) for line in layers.split("; "))
    )
    network = parse(f"Network n {{ {' '.join(blocks)} }}")
    return str(FORMATS["scalesim-topology"].write_network(network, load_hardware("edge"))["topology.csv"])


def test_scalesim_topologies_out(tmp_path: Path) -> None:
    """Layers read back as they were: strides, depthwise layers with a multiplier, DP in another's name; names lose commas."""
    text = _topology(
        "\"a,DP\" CONV Stride { Y: 2, X: 2 } Dimensions { K: 4, C: 3, R: 3, S: 2, Y': 5, X': 6 }; "
        "dw DSCONV Dimensions { G: 8, K: 2, R: 3, S: 3, Y': 4, X': 4 }; fc FC Dimensions { K: 4, C: 3 }"
    )
    assert text.splitlines()[1:] == ["a_dp, 11, 12, 3, 2, 3, 4, 2,", "dw_DP, 6, 6, 3, 3, 8, 2, 1,", "fc, 1, 1, 1, 1, 3, 4, 1,"]
    layers = [entry.layer for entry in load(tmp_path, "net.csv", text).entries]
    assert [layer.extents for layer in layers] == [(1, 1, 4, 3, 3, 2, 5, 6), (8, 1, 2, 1, 3, 3, 4, 4), (1, 1, 4, 3, 1, 1, 1, 1)]


def test_scalesim_products_out(tmp_path: Path) -> None:
    """Matrix products alone are a topology of products; among others they are convolutions with as many words."""
    product = "p GEMM Dimensions { M: 2, N: 3, K: 5 }"
    assert _topology(product) == "Layer, M, N, K,\np, 2, 3, 5,\n"
    mixed = load(tmp_path, "net.csv", _topology(f"{product}; q FC Dimensions {{ K: 4, C: 3 }}")).entries[0].layer
    assert mixed.macs == 30
    assert [mixed.words(tensor) for tensor in Tensor] == [15, 10, 6]


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        ("a CONV Dimensions { N: 2, K: 4, C: 3, R: 1, S: 1, Y': 5, X': 6 }", "a batch of 2"),
        ("a NGCONV Dimensions { G: 2, K: 4, C: 3, R: 1, S: 1, Y': 5, X': 6 }", "2 groups of several channels"),
        ("a CONV Stride { Y: 2, X: 1 } Dimensions { K: 4, C: 3, R: 1, S: 1, Y': 5, X': 6 }", "strides of 2 and 1"),
        ("a CONV Dilation { Y: 2, X: 2 } Dimensions { K: 4, C: 3, R: 3, S: 3, Y': 5, X': 6 }", "dilation"),
        ("a CONV Density { W: 0.5 } Dimensions { K: 4, C: 3, R: 3, S: 3, Y': 5, X': 6 }", "densities"),
        ("a GEMM Dimensions { G: 2, M: 2, N: 3, K: 5 }", "2 groups of several channels"),
    ],
)
def test_what_a_scalesim_topology_cannot_express(layer: str, what: str) -> None:
    """Each is refused with its reason."""
    with pytest.raises(MappingError, match=f"layer a: a topology of SCALE-Sim's cannot express {what}"):
        _topology(layer)


@pytest.mark.parametrize(
    ("groups", "channels", "kind"),
    [(1, 6, LayerType.CONV), (3, 6, LayerType.NGCONV), (3, 1, LayerType.DSCONV)],
)
def test_timeloop_problems(tmp_path: Path, groups: int, channels: int, kind: LayerType) -> None:
    """Dims have their parts by structure; coefficients stand in the instance, or have their defaults."""
    text = TIMELOOP.replace("GROUPS", str(groups)).replace("CHANNELS", str(channels))
    [entry] = load(tmp_path, "layer_1.yaml", text).entries
    layer = entry.layer
    assert (layer.name, layer.type, layer.extents) == ("layer_1", kind, (groups, 2, 4, channels, 3, 5, 7, 6))
    assert (layer.stride, layer.dilation) == ((2, 4), (2, 3))


def test_timeloop_products(tmp_path: Path) -> None:
    """A problem without sums is a matrix product, whatever its dims are called; batches of both operands are G."""
    spaces = (
        "[{name: A, projection: [[[H]], [[M]], [[K]]]}, {name: B, projection: [[[H]], [[N]], [[K]]]}, "
        "{name: Z, projection: [[[H]], [[M]], [[N]]], read_write: True}]"
    )
    text = f"problem: {{shape: {{name: g, dimensions: [H, M, N, K], data_spaces: {spaces}}}, H: 3, M: 4, N: 5, K: 6}}\n"
    layer = load(tmp_path, "net.yaml", text).entries[0].layer
    assert (layer.type, layer.extents) == (LayerType.GEMM, (3, 1, 5, 6, 1, 1, 1, 4))
    lone = text.replace("B, projection: [[[H]], [[N]], [[K]]]", "B, projection: [[[H]], [[N]]]")
    assert "no layer type expresses the problem: dim K must stand in two operands" in refusal(tmp_path, "net.yaml", lone)
    unread = text.replace(", read_write: True", "")
    assert "two data spaces that are read and one that is read_write, got 3 and 0" in refusal(tmp_path, "net.yaml", unread)
    assert "a term of 'A' must be [dim]" in refusal(tmp_path, "net.yaml", text.replace("[[[H]], [[M]], [[K]]]", "[[[Q]]]"))
    assert "a dim must stand once" in refusal(tmp_path, "net.yaml", text.replace("[[[H]], [[M]], [[K]]]", "[[[H]], [[K]], [[K]]]"))


def test_a_folder_is_a_network(tmp_path: Path) -> None:
    """The files of a folder, of any formats, are its layers, in the order of their names; other files are passed over."""
    folder = tmp_path / "resnet"
    folder.mkdir()
    for name, channels in (("b_2", 5), ("a_1", 6)):
        (folder / f"{name}.yaml").write_text(TIMELOOP.replace("GROUPS", "1").replace("CHANNELS", str(channels)), "utf-8")
    (folder / "c.onnx").write_bytes(model([node("MatMul", "x w")], {"x": (2, 5)}, {"w": (5, 3)}))
    (folder / "README.md").write_text("no layers", "utf-8")
    layers = load_layer_set(f"{tmp_path}/resnet")
    assert [entry.layer.name for entry in layers.entries] == ["a_1", "b_2", "MatMul_0"]
    assert layers.name == "resnet"
    (tmp_path / "set.yaml").write_text(yaml_text(f"{tmp_path}/resnet"), "utf-8")
    assert load_layer_set(tmp_path / "set.yaml").entries == layers.entries
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"the folder must hold files of layers, .*, and holds none"):
        load_layer_set(tmp_path / "empty")


def test_zigzag_workloads(tmp_path: Path) -> None:
    """Equations are layers by structure; pooling and additions are listed with their outputs."""
    layers = load(tmp_path, "net.yaml", ZIGZAG)
    first, grouped, product = (entry.layer for entry in layers.entries)
    assert (first.name, first.type, first.extents) == ("layer0", LayerType.CONV, (1, 1, 64, 3, 7, 7, 112, 112))
    assert (grouped.type, grouped.extents) == (LayerType.NGCONV, (4, 1, 8, 2, 3, 3, 5, 6))
    assert (first.stride, grouped.stride, grouped.dilation) == ((2, 2), (1, 2), (3, 1))
    assert (product.type, product.extents) == (LayerType.GEMM, (1, 1, 128, 256, 1, 1, 1, 512))
    assert [(each.type, each.operator, each.output_words) for each in layers.unmapped] == [
        ("POOL", "Pooling", 64 * 56 * 56),
        ("ELEMENTWISE", "Add", 64 * 56 * 56),
    ]


def test_zigzag_errors(tmp_path: Path) -> None:
    """The line tells the layer and the law."""
    for old, new, law in (
        (
            "ix=2*ox+1*fx, iy=2*oy+1*fy]\n  loop_dims: [B, K",
            "ix]\n  loop_dims: [B, K",
            "layer 1: a dimension relation must be such as",
        ),
        ("loop_sizes: [1, 64, 3,", "loop_sizes: [64, 3,", "layer 1: loop_dims and loop_sizes must have equal lengths, got 7 and 6"),
        ("loop_sizes: [1, 64, 3,", "loop_sizes: [0, 64, 3,", "layer 1: loop_sizes.0 must be >= 1, got 0"),
        ("O[b][k]+=I[b][c]*W[c][k]", "O[b][k]+=I[b][c]*W[b][k]", "layer 5: no layer type expresses"),
        ("O[b][k]+=I[b][c]*W[c][k]", "O[b][k]+=I[b][c]*O[c][k]", "layer 5: equation must be of three operands"),
    ):
        assert law in refusal(tmp_path, "net.yaml", ZIGZAG.replace(old, new)), law


def test_gamma_models(tmp_path: Path) -> None:
    """The last column is the type; sizes are those of the input, without padding."""
    layers = load(tmp_path, "net.csv", "32,3,224,224,3,3,1\n1,32,112,112,3,3,2\n64,128,256,1,1,1,3\n")
    conv, depthwise, product = (entry.layer for entry in layers.entries)
    assert conv.extents == (1, 1, 32, 3, 3, 3, 222, 222)
    assert (depthwise.type, depthwise.extents) == (LayerType.DSCONV, (32, 1, 1, 1, 3, 3, 110, 110))
    assert (product.type, product.macs) == (LayerType.GEMM, 64 * 128 * 256)


def test_maestro_networks(tmp_path: Path) -> None:
    """Layers without mappings are read as MAESTRO lists them; names that stand twice are told apart."""
    text = """
        // Network of a layer of each type
        Network Net {
            Layer CONV1 { Type: CONV Stride { X: 2, Y: 2 } Dimensions { K: 32, C: 3 R: 3, S: 3, Y:224, X:224 } }
            Layer CONV1 { Type: DSCONV Dimensions { K: 1, C: 32, R: 3, S: 3, Y:112, X:112 }
                Dataflow { SpatialMap(1,1) K; Cluster(4, P); TemporalMap(1,1) C; } }
            Layer GEMM { Type: GEMM Dimensions { M: 4, N: 5, K: 6 } }
            Layer UP { Type: TRCONV Dimensions { K: 4, C: 5, R: 2, S: 3, Y: 9, X: 9 } }
            Layer GROUPS { Type: NGCONV Dimensions { G: 2, K: 4, C: 5, R: 1, S: 1, Y: 9, X: 9 } }
        }
    """
    layers = [entry.layer for entry in load(tmp_path, "net.m", text).entries]
    assert [layer.name for layer in layers] == ["CONV1", "CONV1_2", "GEMM", "UP", "GROUPS"]
    assert [layer.extents for layer in layers] == [
        (1, 1, 32, 3, 3, 3, 111, 111),
        (32, 1, 1, 1, 3, 3, 110, 110),
        (1, 1, 5, 6, 1, 1, 1, 4),
        (1, 1, 4, 5, 2, 3, 8, 7),
        (2, 1, 4, 5, 1, 1, 9, 9),
    ]
    assert layers[0].stride == (2, 2)
    assert layers[3].zero_macs == 0


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("Typ: CONV", "'Typ' is no layer item; use one of Type, Stride, Dimensions, Dataflow; did you mean Type?"),
        ("Density { W: 0.5 }", "'Density' is ours; MAESTRO has no such item"),
        ("Type: CONV", "the layer has no Dimensions; every layer needs one"),
    ],
)
def test_what_is_no_layer_of_maestros(tmp_path: Path, items: str, message: str) -> None:
    """Items that MAESTRO does not know, or that are missing, are errors of one line, in networks as in mappings."""
    with pytest.raises(InputError, match=rf": layer a: {re.escape(message)}$"):
        load(tmp_path, "net.m", f"Network n {{ Layer a {{ {items} }} }}")


def test_files_that_leave_nothing_open(tmp_path: Path) -> None:
    """A choice for a file that leaves nothing open is refused, in a shipped set too."""
    assert "leaves nothing open, so batch cannot be chosen" in refusal(tmp_path, "net.csv", "1,1,1,1,1,1,1\n", batch="1")
    with pytest.raises(InputError, match="layer set resnet18: leaves nothing open"):
        load_layer_set("resnet18", choices={"batch": "1"})


def test_an_alias_bomb(tmp_path: Path) -> None:
    """YAML whose aliases would unfold to a million million items is refused at once."""
    lines = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 13)]
    text = "a0: &a0 [x]\n" + "\n".join(lines) + "\nproblem: {shape: {dimensions: *a12, data_spaces: []}}\n"
    assert "must be text" in refusal(tmp_path, "net.yaml", text)
