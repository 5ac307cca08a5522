"""The directive language: what parses to what, and what prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from directive_text import parse_layer, spatial, temporal
from hypothesis import given
from strategies_directives import networks

from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Mapping
from mapsearch.model.sparsity import uniform
from mapsearch.model.tensors import Dim

Golden = Callable[[str, str], None]
FILES = Path(__file__).parents[1] / "golden" / "directives"


def shape(items: str) -> Layer:
    return parse_layer("", items).layer


@given(networks())
def test_round_trip(network: Network) -> None:
    """What the printer writes parses to the same network, whatever the types, names, shapes and mappings."""
    text = print_network(network)
    assert parse(text) == network
    assert print_network(parse(text)) == text


@pytest.mark.parametrize("name", ["kc_p", "yr_p", "x_p", "yx_p", "c_p"])
def test_maestro_styles(name: str, golden: Golden) -> None:
    """Files in the style of MAESTRO's mean what the golden files say in output terms."""
    text = (FILES / f"{name}.m").read_text(encoding="utf-8")
    golden(f"directives/{name}.printed.m", print_network(parse(text)))


def test_printed_network(golden: Golden) -> None:
    """Each layer type is written with its own dim names, and only what is not the default."""
    mapping = Mapping(((spatial(2, Dim.K), temporal(1, Dim.X)), (spatial(1, Dim.C),)), (4,))
    layers = [
        Layer("conv/1", LayerType.CONV, (1, 2, 64, 3, 7, 7, 112, 112), stride=(2, 2)),
        Layer("grouped 1", LayerType.NGCONV, (4, 1, 16, 8, 3, 3, 14, 14), dilation=(2, 1), sparsity=uniform(0.5, 0.25)),
        Layer("depthwise", LayerType.DSCONV, (32, 1, 1, 1, 3, 3, 14, 14)),
        Layer("transposed", LayerType.TRCONV, (1, 1, 8, 16, 2, 2, 28, 28), zero_macs=300_000),
        Layer("fc", LayerType.FC, (1, 1, 1000, 512, 1, 1, 1, 1)),
        Layer("gemm", LayerType.GEMM, (12, 1, 64, 512, 1, 1, 1, 128)),
    ]
    mapped = [MappedLayer(layer, mapping) for layer in layers]
    channels = Mapping(((spatial(1, Dim.G), temporal(7, Dim.Y)),))
    mapped.append(MappedLayer(Layer("channels", LayerType.DSCONV, (32, 1, 2, 1, 3, 3, 14, 14)), channels))
    golden("directives/printed_network.m", print_network(Network("every type", tuple(mapped))))


@pytest.mark.parametrize(
    ("items", "extents"),
    [
        ("Type: CONV Dimensions { K 8 C 4 R 3 S 2 Y 10 X 11 N 5 }", (1, 5, 8, 4, 3, 2, 8, 10)),
        ("Dimensions {K:8,C:4,R:3,S:2,Y:10,X:11} Stride {X:2,Y:3} Type: CONV", (1, 1, 8, 4, 3, 2, 3, 5)),
        ("Type: CONV Dilation { Y: 2 } Dimensions { K: 8, C: 4, R: 3, S: 2, Y: 10, X': 11 }", (1, 1, 8, 4, 3, 2, 6, 11)),
        ("Type: NGCONV Dimensions { G: 6, K: 8, C: 4, R: 3, S: 3, Y: 5, X: 5 }", (6, 1, 8, 4, 3, 3, 3, 3)),
        ("Type: DSCONV Dimensions { C: 6, R: 3, S: 3, Y: 5, X: 5 }", (6, 1, 1, 1, 3, 3, 3, 3)),
        ("Type: DSCONV Dimensions { K: 2, G: 6, R: 3, S: 3, Y: 5, X: 5 }", (6, 1, 2, 1, 3, 3, 3, 3)),
        ("Type: FC Dimensions { K: 8, C: 4 }", (1, 1, 8, 4, 1, 1, 1, 1)),
        ("Type: FC Dimensions { K: 8, C: 4, Y: 7, X: 6 }", (1, 1, 8, 4, 7, 6, 1, 1)),
        ("Type: GEMM Dimensions { M: 2, N: 3, K: 4, G: 5 }", (5, 1, 3, 4, 1, 1, 1, 2)),
        ("Type: TRCONV Dimensions { K: 8, C: 4, R: 2, S: 2, Y: 9, X: 9 } ZeroMacs 100", (1, 1, 8, 4, 2, 2, 8, 8)),
    ],
)
def test_extents(items: str, extents: tuple[int, ...]) -> None:
    """Declared sizes mean these extents of G N K C R S Y' X', in any order of the items."""
    assert shape(items).extents == extents


def test_figures() -> None:
    """Stride, dilation, density and zero MACs reach the layer."""
    items = "Type: CONV Dimensions { K 8 C 4 R 3 S 3 Y 19 X 19 } Stride { X: 3 } Dilation { Y: 2 } Density { I: 0.5 } ZeroMacs 7"
    layer = shape(items)
    assert (layer.stride, layer.dilation, layer.density, layer.zero_macs) == ((1, 3), (2, 1), (1.0, 0.5, 1.0), 7)


@pytest.mark.parametrize(
    ("directive", "size"),
    [
        ("TemporalMap(7,2) Y", 1),
        ("TemporalMap(9,4) Y", 2),
        ("TemporalMap(33,1) Y", 14),
        ("TemporalMap(2000000000,1) Y", 14),
        ("TemporalMap(Sz(Y),Sz(Y)) Y", 14),
        ("TemporalMap(4,4) Y'", 4),
        ("TemporalMap(1,1) R; TemporalMap(3,4) Y", 2),
        ("TemporalMap(5,4) Y; TemporalMap(2,2) R", 2),
        ("TemporalMap(1,1) R; Cluster(2,P); TemporalMap(3,4) Y", 2),
        ("TemporalMap(7,2) Y; Cluster(2,P); TemporalMap(7,1) Y", 1),
    ],
)
def test_input_rows(directive: str, size: int) -> None:
    """Input rows become the output rows under them: stride 2, 4 filter rows of dilation 2, 14 output rows of 33."""
    items = "Type: CONV Stride { Y: 2 } Dilation { Y: 2 } Dimensions { K: 8, C: 4, R: 4, S: 3, Y: 33, X: 10 }"
    levels = parse_layer(directive, items).mapping.levels
    (rows,) = (directive for directive in levels[-1] if directive.dim is Dim.Y)
    assert rows.size == size


def test_row_stationary() -> None:
    """Input rows that run along with filter rows are the map of the filter rows alone."""
    mapped = parse_layer("SpatialMap(3,1) Y;\nCluster(3,P)\nSpatialMap(1,1) Y;\nSpatialMap(1,1) R;")
    assert mapped.mapping == Mapping(((spatial(1, Dim.Y),), (spatial(1, Dim.R),)), (3,))


def test_names_and_comments() -> None:
    """Comments may be glued to a token, Constants stand for sizes, and JSON strings name anything."""
    layer_items = "Type: FC Dimensions{K:T C:2}Dataflow{TemporalMap(T,T)K;Cluster(T,L)}"
    text = f'Constant T 4//four\nNetwork "a {{\\n" {{ Layer x-1.y/z {{//\n{layer_items}}}}}'
    (layer,) = parse(text).layers
    assert parse(text).name == "a {\n"
    assert layer.layer.name == "x-1.y/z"
    assert layer.mapping == Mapping(((temporal(4, Dim.K),), ()), (4,))


def test_places_are_no_part_of_equality() -> None:
    """Layers that say the same in different places are equal."""
    assert parse_layer("SpatialMap(1,1) K;") == parse_layer("\n\nSpatialMap(1,1)   K")


def test_whole_tile_takes_any_offset() -> None:
    """A map of the whole tile has one step, so its offset says nothing (MAESTRO's own files write Sz(R), 7)."""
    mapped = parse_layer("TemporalMap(Sz(R),7) R SpatialMap(1,1) K Cluster(2,P) SpatialMap(3,1) R")
    assert mapped.mapping.levels == ((temporal(3, Dim.R), spatial(1, Dim.K)), (spatial(3, Dim.R),))
