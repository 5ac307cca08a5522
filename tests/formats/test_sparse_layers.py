"""Sparsity in layer-set and directive files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from directive_text import parse_layer

from mapsearch.cli import main
from mapsearch.formats.directives import parse, print_network
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.errors import InputError
from mapsearch.model.layer import Layer
from mapsearch.model.sparsity import DENSE, Pattern, Uniform, uniform
from mapsearch.model.tensors import Dim

HEAD = "title: t\nsource: s\nlayers:\n"
CONV = "type: CONV, K: 8, C: 16, R: 3, S: 3, Y: 9, X: 9"


def layer_of(tmp_path: Path, row: str) -> Layer:
    """The layer of a file with this one row."""
    file = tmp_path / "set.yaml"
    file.write_text(HEAD + f"- {{name: a, {row}}}\n")
    return load_layer_set(file).entries[0].layer


def test_density_is_short_for_uniform(tmp_path: Path) -> None:
    """The two say the same, with all tensors dense that are left out."""
    short = layer_of(tmp_path, CONV + ", density: {W: 0.35, I: 0.275}")
    assert short == layer_of(tmp_path, CONV + ", sparsity: {W: {uniform: 0.35}, I: {uniform: 0.275}}")
    assert short.sparsity == uniform(0.35, 0.275)


def test_patterns_name_the_dims_of_their_layers_type(tmp_path: Path) -> None:
    """The K of a GEMM, along which it sums, is the C of a convolution."""
    assert layer_of(tmp_path, CONV + ', sparsity: {W: {pattern: "2:4", along: C}}').sparsity[0] == Pattern(2, 4, Dim.C)
    product = layer_of(tmp_path, 'type: GEMM, M: 4, N: 6, K: 8, sparsity: {W: {pattern: "1:2", along: K}}')
    assert product.sparsity == (Pattern(1, 2, Dim.C), *DENSE[1:])


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("density: {W: 0.5}, sparsity: {W: {uniform: 0.5}}", "density is short for sparsity; give one of them"),
        (
            "sparsity: {W: {uniform: 0.5, pattern: '2:4', along: C}}",
            "sparsity.W must have one of uniform, pattern, mask, got uniform and pattern",
        ),
        ("sparsity: {W: {}}", "sparsity.W must have one of uniform, pattern, mask, got none"),
        ("sparsity: {W: {pattern: '2:4'}}", "sparsity.W: pattern and along go together; along is missing"),
        ("sparsity: {W: {uniform: 0.5, along: C}}", "sparsity.W: pattern and along go together; pattern is missing"),
        ("sparsity: {W: {pattern: 2:4, along: C}}", 'sparsity.W.pattern must be text such as "2:4", in quotes, got 124'),
        ("sparsity: {W: {pattern: '2/4', along: C}}", "sparsity.W.pattern must be n:m in quotes, such as \"2:4\", got '2/4'"),
        ("sparsity: {W: {pattern: '2:4', along: Z}}", "sparsity.W.along must be one of G, K, C, R, S, got 'Z'"),
        ("sparsity: {W: {pattern: '2:4', along: N}}", "sparsity.W.along must be one of G, K, C, R, S, got 'N'"),
        ("sparsity: {W: {pattern: '2:5', along: C}}", "pattern of weight: C = 16 is not a multiple of 5; pad the layer"),
        ("sparsity: {I: {uniform: 0}}", "sparsity.I.uniform must be > 0.0, got 0"),
        ("sparsity: {W: 0.5}", "sparsity.W must be a mapping with the keys uniform, pattern, along, mask, tiles, kept, got 0.5"),
    ],
)
def test_what_a_row_must_not_say(tmp_path: Path, keys: str, text: str) -> None:
    """One line names the layer, the law and the value."""
    with pytest.raises(InputError) as caught:
        layer_of(tmp_path, f"{CONV}, {keys}")
    assert str(caught.value).endswith(f"layer 1 (a): {text}")


def made(tmp_path: Path, weights: str) -> list[tuple[str, tuple[int, ...], int, int]]:
    """Name, extents, runs and weight sets of each layer of a GEMM of 100 x 200 weights that runs three times."""
    file = tmp_path / "set.yaml"
    row = f"- {{name: q, type: GEMM, M: 8, N: 200, K: 100, count: 3, batch: 2, sparsity: {{W: {weights}, I: {{uniform: 0.5}}}}}}"
    file.write_text(HEAD + row + "\n")
    entries = load_layer_set(file).entries
    assert {entry.layer.sparsity for entry in entries} == {uniform(1.0, 0.5)}
    return [(entry.layer.name, entry.layer.extents, entry.count, entry.weight_sets) for entry in entries]


def test_tiles_are_smaller_dense_products(tmp_path: Path) -> None:
    """A share's root is kept of a tile's rows and columns, rounded up; equal tiles are one layer that runs more often."""
    # sqrt(0.3) = 0.5477: 54.8 rows of 100; 35.05 columns of 64, and 4.4 of the last tile's 8
    assert made(tmp_path, "{tiles: 64, kept: 0.3}") == [
        ("q_55x36", (2, 1, 36, 55, 1, 1, 1, 8), 9, 9),
        ("q_55x5", (2, 1, 5, 55, 1, 1, 1, 8), 3, 3),
    ]
    # exactly a half of the rows and columns, although sqrt(0.25) * 100 might round up
    assert [row[0] for row in made(tmp_path, "{tiles: 100, kept: 0.25}")] == ["q_50x50"]


def test_tiles_keep_what_each_says(tmp_path: Path) -> None:
    """Pairs of rows and columns, one a tile or one for all; a tile that keeps nothing is no layer, as in block sparsity."""
    assert made(tmp_path, "{tiles: 80, kept: [[100, 80], [0, 0], [100, 40]]}") == [
        ("q_100x80", (2, 1, 80, 100, 1, 1, 1, 8), 3, 3),
        ("q_100x40", (2, 1, 40, 100, 1, 1, 1, 8), 3, 3),
    ]
    assert made(tmp_path, "{tiles: 1, kept: [25, 1]}") == [("q_25x1", (2, 1, 1, 25, 1, 1, 1, 8), 600, 600)]


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ("{tiles: 64}", "sparsity.W: tiles and kept go together; kept is missing"),
        ("{kept: 0.5, uniform: 0.5}", "sparsity.W: tiles and kept go together; tiles is missing"),
        (
            "{tiles: 64, kept: 0.5, uniform: 0.5}",
            "sparsity.W must have one of uniform, pattern, mask, tiles, got uniform and tiles",
        ),
        ("{tiles: 64, kept: [[1, 1], [1, 1]]}", "sparsity.W.kept must have a pair for each of the 4 tiles, or one for all, got 2"),
        (
            "{tiles: 150, kept: [[1, 150], [1, 51]]}",
            "sparsity.W.kept: tile 2 has 100 rows and 50 columns, got 1 and 51",
        ),
        ("{tiles: 100, kept: [0, 9]}", "sparsity.W.kept must leave at least one tile"),
        (
            "{tiles: 64, kept: 1.5}",
            "sparsity.W.kept must be a share in (0, 1], [rows, columns], or a list of such pairs, got 1.5",
        ),
        ("{tiles: 0, kept: 0.5}", "sparsity.W.tiles must be >= 1, got 0"),
    ],
)
def test_what_tiles_must_not_say(tmp_path: Path, weights: str, text: str) -> None:
    """One line names the layer, the law and the value."""
    with pytest.raises(InputError) as caught:
        made(tmp_path, weights)
    assert str(caught.value).endswith(f"layer 1 (q): {text}")


@pytest.mark.parametrize("row", [CONV, "type: LSTM, I: 8, H: 8, T: 2"])
def test_only_a_gemm_has_tiles(tmp_path: Path, row: str) -> None:
    """Another type's weights are sparse in other ways."""
    with pytest.raises(InputError, match=r"layer 1 \(a\): sparsity\.W must have one of uniform, pattern, mask, got tiles$"):
        layer_of(tmp_path, row + ", sparsity: {W: {tiles: 8, kept: 0.5}}")


def test_bert_with_tiles_has_a_quarter_of_the_pruned_macs() -> None:
    """All products with weights of the encoder have a quarter; those of attention and the pooler are as they are."""
    dense, pruned = load_layer_set("bert_base"), load_layer_set("bert_base_tw75")
    kept = sum(entry.layer.macs * entry.count for entry in dense.entries if entry.weights == "activations") + 768 * 768
    assert pruned.macs - kept == (dense.macs - kept) / 4
    assert pruned.parameters - 768 * 768 - 23_957_760 == (dense.parameters - 768 * 768 - 23_957_760) / 4


def test_a_pattern_in_a_directive_file_comes_back() -> None:
    """It is named by the dims of its layer's type; densities stand beside it for the other tensors."""
    items = "Type: GEMM Dimensions { M: 4, N: 6, K: 8 } Pattern { W: 2:4 K } Density { I: 0.5 }"
    mapped = parse_layer("TemporalMap(4,4) M;", items)
    assert mapped.layer.sparsity == (Pattern(2, 4, Dim.C), Uniform(0.5), Uniform(1.0))


def test_a_pattern_along_the_one_channel_of_a_group_is_named_by_it() -> None:
    """A depthwise layer's C is its groups, unless its text needs both."""
    text = (
        "Network { Layer a { Type: DSCONV Dimensions { K: 2, G: 6, R: 3, S: 3, Y: 5, X: 5 } Pattern { W: 1:1 C } Dataflow { } } }"
    )
    network = parse(text)
    assert network.layers[0].layer.sparsity[0] == Pattern(1, 1, Dim.C)
    assert parse(print_network(network)) == network


def test_a_density_may_be_a_fraction() -> None:
    """As that of a mask is, which no decimal says; it comes back as it was."""
    network = parse("Network { Layer a { Type: GEMM Dimensions { M: 4, N: 6, K: 8 } Density { W: 1/3 } Dataflow { } } }")
    assert network.layers[0].layer.sparsity[0].density == Fraction(1, 3)
    assert parse(print_network(network)) == network


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ("Density { W: 1/0 }", "Density W must be a number, got '1/0'"),
        ("Density { W: 3/2 }", "density of weight must be in (0, 1], got 3/2"),
        ("Pattern { W: 2:4 Q }", "expected a dim, got 'Q'"),
        ("Pattern { W: 2 }", "Pattern W: m of n:m must be a whole number or a Constant, got '}'"),
        ("Pattern { W: 2:4 K } Density { W: 0.5 }", "W has both a Density and a Pattern; remove one of the two"),
        ("Pattern { W: 2:3 K }", "pattern of weight: K = 8 is not a multiple of 3; pad the layer"),
    ],
)
def test_what_a_directive_file_must_not_say(items: str, text: str) -> None:
    """One line names the place, the law and the value."""
    with pytest.raises(InputError) as caught:
        parse_layer("TemporalMap(4,4) M;", f"Type: GEMM Dimensions {{ M: 4, N: 6, K: 8 }} {items}")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_shows_sparsity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`mapsearch layers` names each sparse tensor of a layer."""
    file = tmp_path / "set.yaml"
    file.write_text(HEAD + f'- {{name: a, {CONV}, sparsity: {{W: {{pattern: "2:4", along: C}}, I: {{uniform: 0.25}}}}}}\n')
    assert main(["layers", str(file)]) == 0
    shown = capsys.readouterr().out
    assert ["a", "2:4", "along", "C", "0.25", "dense"] in [line.split() for line in shown.splitlines()]
