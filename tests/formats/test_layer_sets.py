"""The shipped layer sets against published figures, the merging of equal shapes, and the errors of a file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from mapsearch.formats.yaml.layer_sets import LayerSet, Published, UniqueLayer, Unmapped, load_layer_set, names
from mapsearch.model.errors import InputError
from mapsearch.model.layer import LayerType
from mapsearch.model.tensors import Dim

M = 1_000_000
# name, published MACs, their rounding, published parameters.
# torchvision: the `_ops` (G, three decimals) and `num_params` of the weights' metadata in torchvision/models/*.py.
PUBLISHED = [
    ("alexnet", 724 * M, M, 60_965_224),  # Sze et al. 2017, table 2; Caffe's bvlc_alexnet
    ("bert_base", None, 1, 109_482_240),  # Hugging Face transformers, BertModel of bert-base-uncased
    ("efficientnet_b0", 386 * M, M, 5_288_548),  # torchvision
    ("gpt2", 145_966_560_000, 1, 124_439_808),  # nanoGPT's transformer_sizing.ipynb; Hugging Face transformers, gpt2
    ("mnasnet", 314 * M, M, 4_383_312),  # torchvision, mnasnet1_0
    ("mobilenet", 569 * M, M, 4_231_976),  # Howard et al. 2017, table 4; trainable ones of keras.applications.MobileNet
    ("mobilenet_v2", 301 * M, M, 3_504_872),  # torchvision
    ("mobilenet_v3_large", 217 * M, M, 5_483_032),  # torchvision
    ("ncf", None, 1, 31_832_577),  # MLPerf Training v0.5's reference on ml-20m
    ("resnet18", 1_814 * M, M, 11_689_512),  # torchvision
    ("resnet50", 4_089 * M, M, 25_557_032),  # torchvision
    ("squeezenet", 819 * M, M, 1_248_424),  # torchvision, squeezenet1_0
    ("unet", None, 1, 31_030_658),  # Keras implementations of figure 1 of Ronneberger et al. 2015
    ("vgg16", 15_470 * M, 10 * M, 138_357_544),  # torchvision
    ("vit_b16", 17_564 * M, M, 86_567_656),  # torchvision
]
HEAD = "title: T\nsource: S\nlayers:\n"
CONV = "- {name: a, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 9, X: 9}\n"


def load(tmp_path: Path, text: str) -> LayerSet:
    path = tmp_path / "layers.yaml"
    path.write_text(text, "utf-8")
    return load_layer_set(path)


@pytest.mark.parametrize(("name", "macs", "rounding", "parameters"), PUBLISHED)
def test_published_figures(name: str, macs: int | None, rounding: int, parameters: int) -> None:
    """MACs equal the published figure within its rounding, parameters equal it exactly, and the file states both."""
    layers = load_layer_set(name)
    assert layers.published is not None
    assert (layers.published.macs, layers.published.parameters) == (macs, parameters)
    assert layers.parameters == parameters
    if macs is not None:
        assert abs(layers.macs - macs) <= rounding / 2


def test_every_shipped_set_is_checked() -> None:
    """Each shipped set stands in the table above or has a test of its own below, and says where it comes from."""
    assert list(names()) == sorted([name for name, *_ in PUBLISHED] + ["bert_base_tw75", "dlrm", "gnmt"])
    assert all("arXiv" in load_layer_set(name).source or " 20" in load_layer_set(name).source for name in names())


def test_transformers_against_the_closed_form() -> None:
    """BERT's and ViT's MACs are L * (12 n d^2 + 2 n^2 d) (Kaplan et al. 2020, table 1, with full attention) and their ends."""
    length, width, blocks = 512, 768, 12
    ends = width * width
    assert load_layer_set("bert_base").macs == blocks * (12 * length * width**2 + 2 * length**2 * width) + ends
    length, ends = 197, 196 * width * 3 * 16 * 16 + width * 1000
    assert load_layer_set("vit_b16").macs == blocks * (12 * length * width**2 + 2 * length**2 * width) + ends


def test_gpt2_phases() -> None:
    """The prefill has the 291,648,307,200 / 2 MACs of nanoGPT's transformer_sizing.ipynb; decoding shares its weights."""
    layers = load_layer_set("gpt2")
    prefill = [entry for entry in layers.entries if entry.layer.name.startswith("prefill_")]
    decode = [entry for entry in layers.entries if entry.layer.name.startswith("decode_")]
    assert len(prefill) == len(decode) == len(layers.entries) / 2
    assert sum(entry.layer.macs * entry.count for entry in prefill) == 291_648_307_200 // 2
    assert sum(entry.layer.macs * entry.count for entry in decode) == 291_648_307_200 // 2 // 1024
    assert sum(entry.weight_sets for entry in decode) == 0


def test_unet_sizes() -> None:
    """U-Net has "in total 23 convolutional layers" and a 388x388 output (Ronneberger et al. 2015, section 2, figure 1)."""
    entries = load_layer_set("unet").entries
    assert sum(entry.count for entry in entries) == 23
    assert entries[-1].layer.extents[Dim.Y :] == (388, 388)
    assert sum(entry.layer.type is LayerType.TRCONV and entry.layer.zero_macs > 0 for entry in entries) == 4


def test_gnmt() -> None:
    """Parameters are within 1.1 % of the 278 M of Shazeer et al. 2017, table 2; 17 LSTM cells of 50 steps and 50 words run."""
    layers = load_layer_set("gnmt")
    assert abs(layers.parameters / 278e6 - 1) < 0.011
    runs = {entry.layer.name: entry.count for entry in layers.entries}
    assert sum(runs[name] for name in runs if name.endswith("_recurrent")) == 9 * 50
    assert runs["decoder_first_step"] + runs["decoder_later_steps"] == 8 * 50
    assert runs["words_first_step"] + runs["words_later_steps"] == 50


def test_dlrm() -> None:
    """187,767,399 embedding rows of 128 (MLPerf's Criteo tables) and the MLPs 13-512-256-128 and 479-1024-1024-512-256-1."""
    layers = load_layer_set("dlrm")
    steps = [*pairwise([13, 512, 256, 128]), *pairwise([479, 1024, 1024, 512, 256, 1])]
    assert layers.parameters == 187_767_399 * 128 + sum(c * k + k for c, k in steps)
    assert layers.macs == 2048 * (sum(c * k for c, k in steps) + 27 * 27 * 128)


def test_equal_shapes_merge(tmp_path: Path) -> None:
    """Layers of equal shape are one, in first-seen order; another density is another shape."""
    text = HEAD + (
        CONV
        + "- {name: b, type: FC, K: 8, C: 4, count: 2}\n"
        + "- {name: c, type: CONV, K: 8, C: 4, R: 3, S: 3, Y': 7, X': 7, count: 3}\n"
        + "- {name: d, type: FC, K: 8, C: 4, density: {W: 0.5}}\n"
    )
    layers = load(tmp_path, text)
    a, b, _, d = (entry.layer for entry in layers.entries)
    assert layers.unique == (UniqueLayer(a, (4,), ("a", "c")), UniqueLayer(b, (2,), ("b",)), UniqueLayer(d, (1,), ("d",)))
    assert sum(unique.layer.macs * unique.count for unique in layers.unique) == layers.macs


def test_merging_keeps_macs() -> None:
    """Merging changes no shipped set's MACs, and no two merged layers have equal shapes."""
    for name in names():
        layers = load_layer_set(name)
        assert sum(unique.layer.macs * unique.count for unique in layers.unique) == layers.macs
        assert len({unique.layer.shape for unique in layers.unique}) == len(layers.unique)
        assert [each for unique in layers.unique for each in unique.names[:1]] == [unique.layer.name for unique in layers.unique]


def test_a_whole_file(tmp_path: Path) -> None:
    """Every part of a file arrives: weights by kind, LSTM steps that share weights, unmapped layers, other parameters."""
    layers = load(
        tmp_path,
        "title: A network\nsource: A paper\npublished: {macs: 1_000, source: its table}\nother_parameters: {biases: 7}\nlayers:\n"
        "- {name: cell, type: LSTM, I: 3, H: 2, T: 5, count: 2}\n"
        "- {name: scores, type: GEMM, M: 4, N: 5, K: 6, batch: 2, weights: activations}\n"
        "- {name: head, type: FC, K: 10, C: 2, weights: shared}\n"
        "- {name: dw, type: DSCONV, G: 4, R: 3, S: 1, Y: 4, X: 4, padding: [1, 0], stride: [1, 2], count: 3}\n"
        "- {name: ng, type: NGCONV, groups: 2, K: 4, C: 6, R: 3, S: 3, Y: 4, X: 4, padding: [[0, 1], [0, 1]], stride: 2}\n"
        "- {name: up, type: TRCONV, K: 4, C: 6, R: 3, S: 3, Y: 4, X: 4, padding: 1, output_padding: 1, stride: 2}\n"
        "- {name: pool, type: POOL, outputs: 9, count: 2}\n",
    )
    assert (layers.name, layers.title, layers.source) == ("layers", "A network", "A paper")
    assert layers.published == Published(1000, None, "its table")
    assert layers.unmapped == (Unmapped("pool", "POOL", 9, 2),)
    assert [(entry.layer.name, entry.count, entry.weight_sets) for entry in layers.entries] == [
        ("cell_input", 2, 2),
        ("cell_recurrent", 10, 2),
        ("scores", 1, 0),
        ("head", 1, 0),
        ("dw", 3, 3),
        ("ng", 1, 1),
        ("up", 1, 1),
    ]
    assert [entry.layer.extents[Dim.Y :] for entry in layers.entries[4:]] == [(4, 2), (2, 2), (8, 8)]
    assert layers.parameters == 2 * (3 * 8 + 2 * 8) + 3 * (4 * 3) + 2 * (2 * 3 * 9) + 4 * 6 * 9 + 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": must state at least one key, such as `title: A network`, but is empty"),
        ("just words", ": must be a mapping of keys such as `title: A network`, got 'just words'"),
        ("a: [1, 2", ": must be YAML: line 1: expected ',' or ']', but got '<stream end>'"),
        ("a: 2001-99-99", ": must be YAML: month must be in 1..12"),
        ("a: 1\na: 2", ": must be YAML: line 2: the key a stands twice; remove one"),
        ("a: \x07", ": must be YAML: unacceptable character #x0007: special characters are not allowed in"),
        ("? [a]\n: b", ": must be YAML: line 1: found unhashable key"),
        ('"a\\nb": 1', ": unknown key a b; the keys are title, source, published, other_parameters, layers"),
        ("[" * 5000, ": must be YAML: maximum recursion depth exceeded"),
        ("source: S\nlayers:\n" + CONV, ": title is missing"),
        ("title: 5\nsource: S\nlayers:\n" + CONV, ": title must be text, got 5"),
        (HEAD, ": layers must be a list, got None"),
        (HEAD + "  []", ": layers must have at least one item, got []"),
        (HEAD + "- {name: p, type: POOL, outputs: 3}", ": layers must have at least one layer with MACs, got only 1 without"),
        (HEAD + CONV + "extra: 1", ": unknown key extra; the keys are title, source,"),
        (HEAD + CONV + "other_parameters: {biases: 0}", ": other_parameters.biases must be >= 1, got 0"),
        (HEAD + "- conv", ": layer 1: must be a mapping, got 'conv'"),
        (HEAD + "- {type: FC, K: 1, C: 1}", ": layer 1: name is missing"),
        (HEAD + "- {name: a}", ": layer 1 (a): type is missing"),
        (HEAD + "- {name: a, type: conv}", ": layer 1 (a): type must be one of 'CONV', 'NGCONV', 'DSCONV', 'TRCONV', 'FC'"),
        (HEAD + CONV + "- {name: dw, type: FC, K: 0, C: 1}", ": layer 2 (dw): K must be >= 1, got 0"),
        (HEAD + "- {name: a, type: FC, K: 1}", ": layer 1 (a): C is missing"),
        (HEAD + "- {name: a, type: FC, K: 1, C: many}", ": layer 1 (a): C must be a whole number, got 'many'"),
        (HEAD + "- {name: a, type: FC, K: 1, C: 1.0}", ": layer 1 (a): C must be a whole number, got 1.0"),
        (HEAD + "- {name: a, type: FC, K: 1, C: true}", ": layer 1 (a): C must be a whole number, got True"),
        (
            HEAD + "- {name: a, type: FC, K: 1, C: 1, Z: 1}",
            ": layer 1 (a): unknown key Z; the keys are name, count, weights,",
        ),
        (HEAD + '- {name: "a\\nb", type: FC, K: 1, C: 1}', ": layer 1 (a b): name must be letters, digits and _ . / -, got"),
        (HEAD + "- {name: a b, type: FC, K: 1, C: 1}", ": layer 1 (a b): name must be letters, digits and _ . / -, got 'a b'"),
        (HEAD + "- {name: a, type: FC, K: 1, C: 1, weights: own}", ": layer 1 (a): weights must be 'parameters', 'activations' or"),
        (HEAD + "- {name: a, type: FC, K: 1, C: 1, density: {W: 0}}", ": layer 1 (a): density.W must be > 0.0, got 0"),
        (HEAD + "- {name: a, type: FC, K: 1, C: 1, density: {O: .nan}}", ": layer 1 (a): density.O must be <= 1.0, got nan"),
        (HEAD + CONV.replace("}", ", stride: 1.5}"), ": layer 1 (a): stride must be an integer or a pair [rows, columns], got 1.5"),
        (HEAD + CONV.replace("}", ", stride: [1, no]}"), ": layer 1 (a): stride must be an integer or a pair [rows, columns], got"),
        (HEAD + CONV.replace("}", ", stride: 0}"), ": layer 1 (a): stride of Y must be at least 1, got 0"),
        (HEAD + CONV.replace("}", ", padding: [1, -1]}"), ": layer 1 (a): padding of X must be at least 0, got -1"),
        (HEAD + CONV.replace(", X: 9", ""), ": layer 1 (a): sizes come in pairs, Y and X or Y' and X'; one of a pair is missing"),
        (HEAD + CONV.replace("R: 3", "R: 30"), ": layer 1 (a): Y with padding must be at least the filter's 30, got 9"),
        (HEAD + CONV.replace("CONV", "NGCONV, groups: 3"), ": layer 1 (a): groups must be at least 1 and divide K = 8, got 3"),
        (HEAD + CONV + CONV, ": layer 2 (a): names must be unique, and layer 1 has a already"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    """A wrong file is one line: the file, the layer, the law, the value."""
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'layers.yaml'}{message}")
    assert "\n" not in str(caught.value)


def test_a_batch_multiplies_what_each_input_has(tmp_path: Path) -> None:
    """N, the rows of a product, or its independent products where both operands are computed; weights stay those of one input."""
    rows = (
        "- {name: gate, type: GEMM, M: 5, N: 6, K: 7}\n"
        "- {name: scores, type: GEMM, M: 5, N: 6, K: 7, batch: 2, weights: activations}\n"
        "- {name: fc, type: FC, K: 3, C: 2, batch: 2}\n- {name: cell, type: LSTM, I: 4, H: 4, T: 3}\n"
        "- {name: up, type: TRCONV, K: 2, C: 2, R: 3, S: 3, Y: 4, X: 4, stride: 2}\n- {name: pool, type: POOL, outputs: 9}\n"
    )
    one = load(tmp_path, HEAD.replace("layers:", "published: {macs: 9, parameters: 8, source: me}\nlayers:") + CONV + rows)
    four = one.of_batch(4)
    dims = {"a": Dim.N, "gate": Dim.X, "scores": Dim.G, "fc": Dim.N, "cell_input": Dim.X, "cell_recurrent": Dim.X, "up": Dim.N}
    assert [entry.layer.name for entry in four.entries] == list(dims)
    for entry, before in zip(four.entries, one.entries, strict=True):
        extents = list(before.layer.extents)
        extents[dims[entry.layer.name]] *= 4
        assert list(entry.layer.extents) == extents
        assert (entry.layer.zero_macs, entry.count) == (4 * before.layer.zero_macs, before.count)
    assert (four.macs, four.parameters) == (4 * one.macs, one.parameters)
    assert four.unmapped[0].output_words == 36
    assert four.published == Published(None, 8, "me")
    assert one.of_batch(1) == one


def test_a_batch_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """A layer with more than 2^31 - 1 inputs is an error of one line."""
    with pytest.raises(InputError, match=r"^layer a: N must be from 1 to 2147483647, got 2147483648$"):
        load(tmp_path, HEAD + CONV).of_batch(2**31)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no such device")
def test_a_file_without_end_is_refused() -> None:
    """A device that gives bytes for ever is one line, not a wait until the memory is full."""
    with pytest.raises(InputError, match=r"^/dev/zero: the layer set file must have at most 268,435,456 bytes, got more$"):
        load_layer_set("/dev/zero")


def test_unreadable_files(tmp_path: Path) -> None:
    """A file that is missing or not text, or a folder without files of layers, is one line too."""
    with pytest.raises(
        InputError, match=r"absent.yaml: the layer set file must be readable: No such file or directory; shipped are"
    ):
        load_layer_set(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match=r"folder must hold files of layers, .csv, .json, .m, .onnx, .yaml, .yml, and holds none"):
        load_layer_set(str(tmp_path))
    (tmp_path / "binary.yaml").write_bytes(b"title: \xff")
    with pytest.raises(InputError, match=r"binary.yaml: the layer set file must be UTF-8 text, got byte 0xff at offset 7$"):
        load_layer_set(tmp_path / "binary.yaml")


def test_unknown_names() -> None:
    """A name that is nearly right gets the right one; any other the list."""
    with pytest.raises(InputError, match=r"^no layer set is called 'resnet5'; did you mean resnet50\?"):
        load_layer_set("resnet5")
    with pytest.raises(
        InputError, match=r"^no layer set is called 'zzz'; there are alexnet, bert_base, .*, vit_b16, or give a file's path$"
    ):
        load_layer_set("zzz")


def test_recurrent_layers(tmp_path: Path) -> None:
    """An LSTM has four gates, a GRU three and a plain recurrent layer one, whose weights all steps share."""
    rows = "".join(f"- {{name: {kind}, type: {kind}, I: 5, H: 7, T: 3, batch: 2}}\n" for kind in ("LSTM", "GRU", "RNN"))
    layers = load(tmp_path, HEAD + rows)
    assert layers.macs == 3 * 2 * (4 + 3 + 1) * 7 * (5 + 7)
    assert layers.parameters == (4 + 3 + 1) * 7 * (5 + 7)


def test_groups_of_a_transposed_convolution(tmp_path: Path) -> None:
    """In groups each output has the MACs of its group's channels, and so have the inserted zeros."""
    row = "- {name: up, type: TRCONV, K: 8, C: 12, R: 3, S: 3, Y: 5, X: 5, stride: 2"
    whole, grouped = (load(tmp_path, f"{HEAD}{row}{end}}}\n").entries[0].layer for end in ("", ", groups: 4"))
    assert grouped.extents[:4] == (4, 1, 2, 3)
    assert (grouped.macs * 4, grouped.zero_macs * 4) == (whole.macs, whole.zero_macs)
    with pytest.raises(InputError, match=r"layer 1 \(up\): groups must be at least 1 and divide K = 8, got 3"):
        load(tmp_path, f"{HEAD}{row}, groups: 3}}\n")


def test_the_share_of_what_is_left_out(tmp_path: Path) -> None:
    """Shares are of MACs and of operands' words, each counted once a run; what is not told counts as nothing."""
    text = HEAD + (
        "- {name: fc, type: FC, K: 3, C: 5}\n"  # 15 MACs, 23 words
        "- {name: volume, type: OTHER, operator: Conv3d, macs: 10, inputs: 4, outputs: 3, count: 2}\n"
        "- {name: relu, type: ELEMENTWISE, operator: Relu, outputs: 3, inputs: 3}\n"
        "- {name: pool, type: POOL, outputs: 3}\n"
        "- {name: mystery, type: OTHER, operator: 'acme:Op', macs: null}\n"
    )
    layers = load(tmp_path, text)
    assert layers.left_out == (20 / 35, 23 / 46)
    assert [each.macs for each in layers.unmapped] == [10, 0, 0, None]
