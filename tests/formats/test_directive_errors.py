"""The directive language: what each error says, and where."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from directive_text import CONV, parse_layer, temporal
from hypothesis import given
from hypothesis import strategies as st

from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.model.errors import DirectiveError, InputError, LayerError, MappingError
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import MapKind, Mapping
from mapsearch.model.tensors import Dim

GEMM = "Type: GEMM Dimensions { M: 8, N: 8, K: 8 }"
LEGAL_DIMS = "use one of G, N, K, C, R, S, Y', X', Y, X"
STRIDED = "Type: CONV Stride { Y: 2 } Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 11, X: 10 }"


@pytest.mark.parametrize(
    ("items", "dataflow", "message"),
    [
        (CONV, "SpatialMap(2,1) K", "5: {0}: SpatialMap(2,1) K: overlaps: the offset must equal the size; use SpatialMap(2,2) K"),
        (
            CONV,
            "SpatialMap(2,3) K",
            "5: {0}: SpatialMap(2,3) K: leaves a gap: the offset must equal the size; use SpatialMap(2,2) K",
        ),
        (
            CONV,
            "SpatialMap(1,1) K\nCluster(2,P)\nTemporalMap(4,1) Y",
            (
                "7: {1}: TemporalMap(4,1) Y: overlaps: the offset must be its output rows times the stride, 2 x 1; "
                "use TemporalMap(4,2) Y"
            ),
        ),
        (
            STRIDED,
            "TemporalMap(Sz(R),3) Y",
            (
                "5: {0}: TemporalMap(3,3) Y: leaves a gap: the offset must be its output rows times the stride, 1 x 2; "
                "use TemporalMap(3,2) Y"
            ),
        ),
        (
            STRIDED,
            "TemporalMap(6,4) Y",
            (
                "5: {0}: TemporalMap(6,4) Y: the size must be the 3 input rows under the filter plus a multiple of the stride 2; "
                "use TemporalMap(5,4) Y"
            ),
        ),
        (
            CONV,
            "TemporalMap(2,1) X",
            "5: {0}: TemporalMap(2,1) X: the size must be at least the 3 input columns under the filter; use TemporalMap(3,1) X",
        ),
        (
            CONV,
            "TemporalMap(2,2) Y'\nCluster(3,P)\nSpatialMap(1,1) Y\nSpatialMap(1,1) R",
            (
                "7: {1}: SpatialMap(1,1) Y: beside SpatialMap(1,1) R it needs a tile of 1 output row, got 2; "
                "map Y' in chunks of 1 at a level above"
            ),
        ),
        (
            CONV,
            "TemporalMap(1,1) X'\nCluster(3,P)\nSpatialMap(3,1) X\nSpatialMap(1,1) S",
            (
                "7: {1}: SpatialMap(3,1) X: X and S share a level only when each unit has one column of each; "
                "use SpatialMap(1,1) X with SpatialMap(1,1) S"
            ),
        ),
        (
            CONV,
            "SpatialMap(1,1) K\nTemporalMap(1,1) R\nSpatialMap(1,1) C",
            "7: {0}: SpatialMap(1,1) C: a level has at most one SpatialMap, and this is its second; put a Cluster between them",
        ),
        (
            CONV,
            "SpatialMap(1,1) X\nSpatialMap(1,1) R",
            "6: {0}: SpatialMap(1,1) R: a level has at most one SpatialMap, and this is its second; put a Cluster between them",
        ),
        (
            CONV,
            "TemporalMap(1,1) X'\nSpatialMap(1,1) X\nSpatialMap(1,1) X\nSpatialMap(1,1) S",
            "6: {0}: SpatialMap(1,1) X: X and X' are the same loop; keep one of the two in the level",
        ),
        (
            CONV,
            "TemporalMap(1,1) X'\nCluster(3,P) SpatialMap(1,1) X\nSpatialMap(1,1) X\nSpatialMap(1,1) S",
            "8: {1}: SpatialMap(1,1) S: a level has at most one SpatialMap, and this is its second; put a Cluster between them",
        ),
        (
            CONV,
            "TemporalMap(1,1) K\nTemporalMap(2,2) K",
            "6: {0}: TemporalMap(2,2) K: a level maps each dim at most once; remove one of the two",
        ),
        (
            CONV,
            "TemporalMap(1,1) Y'\nTemporalMap(3,1) Y",
            "6: {0}: TemporalMap(3,1) Y: Y and Y' are the same loop; keep one of the two in the level",
        ),
        (CONV, "TemporalMap(1,1) M", f"5: {{0}}: TemporalMap(1,1) M: Type CONV has no dim M; {LEGAL_DIMS}"),
        (CONV, "TemporalMap(1,1) k", f"5: {{0}}: TemporalMap(1,1) k: Type CONV has no dim k; {LEGAL_DIMS}; did you mean K?"),
        (
            GEMM,
            "TemporalMap(1,1) C",
            "5: {0}: TemporalMap(1,1) C: Type GEMM has no dim C; use one of G, B, M, N, K, R, S, Y'",
        ),
        (
            "Type: DSCONV Dimensions { C: 4, R: 3, S: 3, Y: 10, X: 10 }",
            "TemporalMap(1,1) G",
            "5: {0}: TemporalMap(1,1) G: Type DSCONV has no dim G; use one of N, K, C, R, S, Y', X', Y, X",
        ),
    ],
)
def test_illegal_mapping(items: str, dataflow: str, message: str) -> None:
    """A map that is legal on no machine is an error that names file, line, layer, level, directive, law and what is legal."""
    expected = "net.m:" + message.format("layer conv1, level 0", "layer conv1, level 1")
    with pytest.raises(MappingError, match=f"^{re.escape(expected)}$"):
        parse_layer(dataflow, items)


@pytest.mark.parametrize(
    ("dataflow", "pes", "reason"),
    [
        (
            "TemporalMap(1,1) K",
            4,
            (
                "4: layer conv1, level 0: its 4 units have no SpatialMap, so each would repeat the same MACs; "
                "add one SpatialMap, or make the Clusters use up the PEs"
            ),
        ),
        (
            "SpatialMap(1,1) K\nCluster(2,P)",
            4,
            (
                "6: layer conv1, level 1: its 2 units have no SpatialMap, so each would repeat the same MACs; "
                "add one SpatialMap, or make the Clusters use up the PEs"
            ),
        ),
        (
            "SpatialMap(1,1) K\nCluster(6,P)\nSpatialMap(1,1) C",
            4,
            "2: layer conv1: the Clusters need 6 PEs and the hardware has 4; make a Cluster smaller",
        ),
    ],
)
def test_illegal_on_hardware(dataflow: str, pes: int, reason: str) -> None:
    """What depends on the machine's PEs parses, and its check says file and line; without places it says the same."""
    mapped = parse_layer(dataflow)
    with pytest.raises(MappingError, match=f"^{re.escape('net.m:' + reason)}$"):
        mapped.check(pes)
    with pytest.raises(MappingError, match=f"^{re.escape(reason.split(': ', 1)[1])}$"):
        MappedLayer(mapped.layer, mapped.mapping).check(pes)


def test_legal_on_hardware() -> None:
    """A Cluster for each PE left over needs no SpatialMap above it."""
    mapped = parse_layer("TemporalMap(1,1) K\nCluster(4,P)\nSpatialMap(1,1) C")
    mapped.check(4)
    with pytest.raises(MappingError, match="level 0: its 2 units have no SpatialMap"):
        mapped.check(8)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (Mapping(((),), (2,)), "layer conv1: 1 Clusters need 2 levels, got 1"),
        (Mapping(((), ()), (0,)), "layer conv1: a Cluster must have from 1 to 2147483647 members, got 0"),
        (Mapping(((temporal(0, Dim.Y),),)), "layer conv1, level 0: TemporalMap(0,0) Y': the size must be from 1 to 2147483647"),
        (
            Mapping(((temporal(10**30, Dim.K),),)),
            f"layer conv1, level 0: TemporalMap({10**30},{10**30}) K: the size must be from 1 to 2147483647",
        ),
    ],
)
def test_illegal_without_text(mapping: Mapping, message: str) -> None:
    """A mapping made in code breaks the same laws, in checking as in printing."""
    mapped = MappedLayer(parse_layer("").layer, mapping)
    for act in (lambda: mapped.check(1), lambda: print_network(Network("n", (mapped,)))):
        with pytest.raises(MappingError, match=f"^{re.escape(message)}$"):
            act()


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ("Type: CONV Dimensions { K: 8, R: 3, S: 3, Y: 10, X: 10 }", "Type CONV needs C in its Dimensions"),
        ("Type: CONV Dimensions { K: 8, C: 8, R: 3, S: 3, X: 10 }", "Type CONV needs Y' or Y in its Dimensions"),
        ("Type: NGCONV Dimensions { K: 8, C: 8, R: 3, S: 3, Y: 10, X: 10 }", "Type NGCONV needs G in its Dimensions"),
        (
            "Type: CONV Dimensions { K: 8, C: 8, R: 3, S: 3, Y: 10, Y': 8, X: 10 }",
            "Dimensions declare both Y and Y'; keep one of the two",
        ),
        (
            "Type: CONV Dilation { Y: 2 } Dimensions { K: 8, C: 8, R: 3, S: 3, Y: 4, X: 10 }",
            "Y must be at least 5, the rows under the filter, got 4",
        ),
        ("Type: GEMM Dimensions { M: 1, N: 1, K: 1 } Density { W: 2 }", "density of weight must be in (0, 1], got 2.0"),
        ("Type: GEMM Dimensions { M: 1, N: 1, K: 1 } ZeroMacs 2", "zero MACs must be from 0 to 1, got 2"),
        (
            "Type: GEMM Dimensions { M: 2147483647, N: 2147483647, K: 1 }",
            "MACs and operands must be at most 2^52, got 4611686014132420609 MACs",
        ),
        (
            "Type: TRCONV Stride { Y: 2 } Dimensions { K: 8, C: 8, R: 3, S: 3, Y: 10, X: 10 }",
            (
                "a TRCONV is the stride-1 convolution over its zero-inserted input, got stride 2, 1; "
                "leave Stride out and give the Dimensions of that convolution"
            ),
        ),
        (
            "Type: DSCONV Dimensions { G: 8, C: 8, R: 3, S: 3, Y: 10, X: 10 }",
            "a DSCONV with G declared has 1 input channel in each group, got C 8; leave G or C out, or make it an NGCONV",
        ),
    ],
)
def test_illegal_layer(items: str, reason: str) -> None:
    """A shape that breaks a law is an error at the layer's line."""
    with pytest.raises(LayerError, match=f"^{re.escape('net.m:2: layer conv1: ' + reason)}$"):
        parse_layer("", items)


def test_unprintable_layer() -> None:
    """A layer that breaks a law of its type is not printed, since its text would not parse."""
    layer = Layer("up", LayerType.TRCONV, (1, 1, 1, 1, 2, 2, 4, 4), stride=(2, 2))
    with pytest.raises(LayerError, match=r"^layer up: a TRCONV is the stride-1 convolution"):
        print_network(Network("n", (MappedLayer(layer, Mapping(((),))),)))


KEYWORDS = "use one of Network, Constant, Accelerator"
HUGE = "1" + "0" * 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: no Network; write Network NAME { Layer … }"),
        ("// nothing\n  Netwrk n { }", f"2:3: expected a keyword, got 'Netwrk'; {KEYWORDS}; did you mean Network?"),
        ("Network n { } }", f"1:15: expected a keyword, got '}}'; {KEYWORDS}"),
        ("Network n { }\nNetwork m { }", "2:1: a second Network; a file holds one, so put it in a file of its own"),
        ("Network n { layer x { } }", "1:13: expected a keyword, got 'layer'; use one of Layer; did you mean Layer?"),
        ("Network n {", "1:12: expected a keyword, got the end of the text; use one of Layer"),
        ("Network { Layer { } }", "1:17: expected the name of a Layer, got '{'"),
        ("Network { Layer a b { } }", "1:19: layer a: expected '{' after the name, got 'b'; quote a name that has separators"),
        ('Network { Layer "a', "1:17: a quoted name must end on its line"),
        (r'Network { Layer "\q" { } }', r"""1:17: '"\q"' is not a JSON string: Invalid \escape"""),
        ("Constant T 4\nConstant T 5", "2:10: Constant T is defined twice; remove one of the two"),
        ("Accelerator {\n{ }", "2:4: expected '}', got the end of the text"),
        (f"Constant T {HUGE}", f"1:12: Constant T must be from 1 to 2147483647, got '{HUGE}'"),
        ("Constant T " + "9" * 5000, f"1:12: Constant T must be from 1 to 2147483647, got '{'9' * 40}…'"),
    ],
)
def test_grammar_of_files(text: str, message: str) -> None:
    """Text outside of layers that does not follow the grammar is an error at its line and column."""
    with pytest.raises(DirectiveError, match=f"^{re.escape('net.m:' + message)}$"):
        parse(text, "net.m")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("", "2:13: layer conv1: the layer has no Type; every layer needs one"),
        ("Type: CONV", "2:13: layer conv1: the layer has no Dimensions; every layer needs one"),
        ("Type: FC Type: FC", "3:10: layer conv1: Type is given twice; remove one of the two"),
        (
            "Type: FC Padding { Y: 1 }",
            (
                "3:10: layer conv1: expected a layer item, got 'Padding'; use one of Type, Stride, Dilation, Density, Pattern, "
                "ZeroMacs, Dimensions, Dataflow"
            ),
        ),
        ("Type: LSTM", "3:7: layer conv1: Type LSTM is not mapped as one layer; write its matrix products as layers of Type GEMM"),
        ("Type: POOL", "3:7: layer conv1: Type POOL does no MACs and is not mapped; remove the layer"),
        (
            "Type: Conv",
            "3:7: layer conv1: unknown Type 'Conv'; use one of CONV, DSCONV, NGCONV, FC, GEMM, TRCONV; did you mean CONV?",
        ),
        ("Type: FC Dimensions { K: 8 K: 8 }", "3:28: layer conv1: Dimensions give K twice; remove one of the two"),
        ("Type: FC Dimensions { K: 0 }", "3:26: layer conv1: Dimensions K must be from 1 to 2147483647, got '0'"),
        (f"Type: FC Dimensions {{ K: {HUGE} }}", f"3:26: layer conv1: Dimensions K must be from 1 to 2147483647, got '{HUGE}'"),
        ("Type: FC Dimensions { K: T }", "3:26: layer conv1: Dimensions K must be a whole number or a Constant, got 'T'"),
        (
            "Type: GEMM Dimensions { Y: 8 }",
            "3:25: layer conv1: expected a name in Dimensions, got 'Y'; use one of G, B, M, N, K, R, S, Y'; did you mean Y'?",
        ),
        ("Type: FC Dimensions { } Density { W: x }", "3:38: layer conv1: Density W must be a number, got 'x'"),
        ("Type: FC Dimensions { } ZeroMacs -1", "3:34: layer conv1: ZeroMacs must be from 0 to 4503599627370496, got '-1'"),
    ],
)
def test_grammar_of_layers(items: str, message: str) -> None:
    """An item of a layer that does not follow the grammar is an error at its line and column."""
    with pytest.raises(DirectiveError, match=f"^{re.escape('net.m:' + message)}$"):
        parse_layer("", items)


def test_missing_dataflow() -> None:
    """A layer takes no Dataflow over from the layer before it."""
    with pytest.raises(DirectiveError, match=r"^<text>:1:18: layer a: the layer has no Dataflow; every layer needs one$"):
        parse("Network{ Layer a {Type: FC Dimensions { K: 1, C: 1 } } }")


@pytest.mark.parametrize(
    ("dataflow", "message"),
    [
        (
            "TemporalMap(1,1) K;\nCluster(2,P)\n SpacialMap(1,1) C",
            (
                "7:2: layer conv1, level 1: expected a directive, got 'SpacialMap'; use one of TemporalMap, SpatialMap, Cluster; "
                "did you mean SpatialMap?"
            ),
        ),
        ("SpatialMap(0,0) K", "5:12: layer conv1, level 0: SpatialMap: the size must be from 1 to 2147483647, got '0'"),
        ("SpatialMap(1,-1) K", "5:14: layer conv1, level 0: SpatialMap: the offset must be from 1 to 2147483647, got '-1'"),
        (f"SpatialMap({HUGE},1) Y", f"5:12: layer conv1, level 0: SpatialMap: the size must be from 1 to 2147483647, got '{HUGE}'"),
        (
            "SpatialMap(8+Sz(S),1) X",
            "5:12: layer conv1, level 0: SpatialMap: the size must be a whole number or a Constant, got '8+Sz'",
        ),
        (
            "SpatialMap(Sz(M),1) X",
            "5:15: layer conv1, level 0: expected a dim of the layer, got 'M'; use one of G, N, K, C, R, S, Y', X', Y, X",
        ),
        ("SpatialMap(1,1)", "6:1: layer conv1, level 0: expected the name of a dim, got '}'"),
        ("Cluster(2,Q)", "5:11: layer conv1, level 0: expected a Cluster's kind, got 'Q'; use one of P, L"),
    ],
)
def test_grammar_of_directives(dataflow: str, message: str) -> None:
    """A directive that does not follow the grammar is an error at its line and column, with its level."""
    with pytest.raises(DirectiveError, match=f"^{re.escape('net.m:' + message)}$"):
        parse_layer(dataflow)


SIZES = st.sampled_from(["1", "2", "3", "4", "Sz(R)", "Sz(Y)", "0", "T"])
NAMES = st.sampled_from(["K", "R", "S", "Y", "X", "Y'", "M"])
MAPS = st.builds("{}({},{}) {}".format, st.sampled_from(MapKind), SIZES, SIZES, NAMES)
OTHERS = st.sampled_from(["Cluster(3,P)", "Cluster(Sz(R),Q)", "{", "}", "}} }", '"', "//", "\n", "Type: FC"])


@given(st.lists(MAPS | OTHERS, max_size=6).map(" ".join))
def test_any_dataflow(dataflow: str) -> None:
    """A text parses or is an error of one line that names its file, whatever it says."""
    try:
        parse_layer(dataflow)
    except InputError as error:
        assert re.fullmatch(r"net\.m:[0-9]+:.*", str(error))  # noqa: PT017 - most texts fail, and some don't


@pytest.mark.parametrize("text", ["a" * 10**7, " " * 10**7 + "a", '"' + "a" * 10**7 + '"', "//" + "a" * 10**7 + "\na"])
def test_a_long_text_takes_no_more_memory_than_a_few_of_it(text: str) -> None:
    """A file of one letter, space, name or comment is refused in one short line, at a few bytes for each of its own."""
    tracemalloc.start()
    try:
        with pytest.raises(DirectiveError) as caught:
            parse(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(text)
    assert len(str(caught.value)) < 200
