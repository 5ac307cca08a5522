"""Each registered format keeps the contract of formats, and the registry is what stands in the folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from by_hand import MACHINE
from onnx_models import model, node

import mapsearch.testing
from mapsearch.formats.directives import MappedLayer, Network, parse
from mapsearch.formats.maestro.out import maestro_sources
from mapsearch.formats.registry import FORMATS
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import LayerSet
from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.registry import COST_MODELS
from mapsearch.model.tensors import Dim
from mapsearch.testing import FormatContract

FOLDER = Path(__file__).parents[2] / "formats"
TEXT = (Path(__file__).parents[1] / "golden" / "cli" / "maestro_network.m").read_text()
NETWORK = parse(TEXT)
LISTED = Path(__file__).parents[1] / "golden" / "directives" / "maestro_network_listed.m"
SIXTEEN = replace(MACHINE, pes=16)
# What MAESTRO's files have no words for is taken from edge.
BYTES = replace(load_hardware("edge"), pes=4, bits=(8, 8, 8), l1=Buffer(64), l2=Buffer(512), noc=Noc(8), offchip=Offchip(4, 0))


SHARED_TWICE = Mapping((tuple(Directive(MapKind.SPATIAL, 1, dim) for dim in (Dim.K, Dim.C)),), ())
TWO_SPATIAL = replace(NETWORK, layers=(MappedLayer(NETWORK.layers[0].layer, SHARED_TWICE),))
DENSE = parse("Network n { Layer a { Type: FC Dimensions { K: 4, C: 3 } Dataflow { SpatialMap(1,1) K } } }")
UNEVEN = parse("Network n { Layer a { Type: GEMM Dimensions { M: 20, N: 4, K: 3 } Dataflow { SpatialMap(1,1) M } } }")


class TestDirectives(FormatContract):
    """Our own language."""

    name = "directives"
    networks = ((NETWORK, SIXTEEN), (replace(NETWORK, name="a name, quoted"), SIXTEEN))
    unwritable = ((TWO_SPATIAL, SIXTEEN, "SpatialMap"),)
    mappings: ClassVar = {"net.m": TEXT.encode()}
    damaged_mappings: ClassVar = {
        "the Network must have at least one Layer": b"Network n { }",
        "a quoted name must end on its line": b'Network "n',
        "use one of Network, Constant, Accelerator": b"Layer a { }",
    }


class TestMaestro(FormatContract):
    """The published MAESTRO's files."""

    name = "maestro"
    layers: ClassVar = {"net.m": b"Network n { Layer a { Type: CONV Dimensions { K: 2, C: 3, R: 1, S: 1, Y: 5, X: 1 } } }"}
    damaged_layers: ClassVar = {
        "the Network must have at least one Layer": b"Network n { }",
        "layer a: the layer has no Dimensions": b"Network n { Layer a { Type: CONV } }",
        "Dilation' is ours": b"Network n { Layer a { Dilation { X: 2 } } }",
        "Y must be at least 3": b"Network n { Layer a { Type: CONV Dimensions { K: 2, C: 3, R: 3, S: 1, Y: 2, X: 1 } } }",
    }
    networks = ((NETWORK, SIXTEEN),)
    machines = (BYTES,)
    unwritable = ((DENSE, SIXTEEN, "MAESTRO has no layers of Type FC"),)
    mappings: ClassVar = {"net.m": TEXT.replace("Stride { Y: 2, X: 2 }", "").encode()}
    hardware: ClassVar = {"hw.m": b"num_pes: 4 // of them\nnoc_bw_cstr: 8\n"}
    damaged_mappings: ClassVar = {
        "the Network must have at least one Layer": b"Network n { }",
        "makes no such layer": b"Network n { Layer a { Type: FC } }",
    }
    damaged_hardware: ClassVar = {"num_pes must be a whole number from 1": b"num_pes: 0\n"}

    def layer_set(self, name: str, layers: LayerSet) -> None:
        """One run of 2 x 3 x 5 MACs."""
        assert (layers.name, layers.macs) == ("net", 2 * 3 * 5), name

    def expressed(self, network: Network, hardware: Hardware) -> Sequence[Any]:
        """The program's own terms, in which a name has no separators."""
        return maestro_sources(network, hardware)


class TestPython(FormatContract):
    """Code in NumPy."""

    name = "python"
    networks = ((NETWORK, SIXTEEN),)
    unwritable = ((TWO_SPATIAL, SIXTEEN, "SpatialMap"), (NETWORK, replace(SIXTEEN, l1=Buffer(8)), "L1 needs"))


class TestC(FormatContract):
    """Code in C."""

    name = "c"
    networks = ((NETWORK, SIXTEEN),)
    unwritable = TestPython.unwritable


EDGES = parse("Network n { Layer a { Type: FC Dimensions { K: 5, C: 3 } Dataflow { TemporalMap(2,2) K } } }")
ONE = parse("Network n { Layer a { Type: FC Dimensions { K: 4, C: 3 } Dataflow { TemporalMap(2,2) K } } }")
BATCH = parse("Network n { Layer a { Type: FC Dimensions { N: 2, K: 4, C: 3 } Dataflow { TemporalMap(2,2) K } } }")


_WORKLOAD = (
    b"workload:\n  iteration_space_shape: {k: 0 <= k < 4}\n  einsums:\n  - name: a\n    tensor_accesses:\n"
    b"    - {name: I, projection: [k]}\n    - {name: W, projection: [k]}\n    - {name: O, projection: [k], output: true}\n"
)


class TestAccelForge(FormatContract):
    """AccelForge's files."""

    name = "accelforge"
    networks = ((ONE, replace(SIXTEEN, pes=1)),)
    unwritable = (
        (EDGES, replace(SIXTEEN, pes=1), "AccelForge cannot express level 0: TemporalMap(2,2) K"),
        (TWO_SPATIAL, SIXTEEN, "SpatialMap"),
        (ONE, replace(SIXTEEN, pes=1, l1=Buffer(8)), "L1 needs"),
    )
    mappings: ClassVar = {"net.yaml": _WORKLOAD + b"mapping:\n  nodes:\n  - !Temporal {rank_variable: k, tile_shape: 1}\n"}
    damaged_mappings: ClassVar = {
        "must have the workload beside the mapping": b"mapping: {nodes: []}\n",
        "mapping: must be a mapping with the keys nodes": _WORKLOAD + b"mapping: []\n",
        "the loops of k must end at a tile_shape of 1": _WORKLOAD + b"mapping: {nodes: []}\n",
    }

    def expressed(self, network: Network, hardware: Hardware) -> Sequence[Any]:  # noqa: ARG002 as on any machine
        """The same loops, which make use of one PE, of a convolution that is called like its file."""
        text = "Network n {{ Layer text {{ Type: CONV Dimensions {{ K: 4, C: 3, R: 1, S: 1, Y': 1, X': 1 }} Dataflow {{ {} }} }} }}"
        return parse(text.format("SpatialMap(1,1) G; TemporalMap(2,2) K")).layers


class TestYaml(FormatContract):
    """Layer sets and hardware."""

    name = "yaml"
    layers: ClassVar = {
        "net.yaml": b"title: T\nsource: S\nlayers:\n- {name: a, type: FC, K: 3, C: 5, count: 2}\n",
        "net.yml": b"{title: T, source: S, layers: [{name: a, type: GEMM, M: 2, N: 3, K: 5}]}",
    }
    hardware: ClassVar = {"one.yaml": b"pes: 3\n", "space.yaml": b"pes: [3, 4]\n"}
    damaged_layers: ClassVar = {
        "layer 1 (a): K must be >= 1, got 0": b"{title: T, source: S, layers: [{name: a, type: FC, K: 0, C: 5}]}",
        "title is missing": b"source: S\n",
    }
    damaged_hardware: ClassVar = {"unknown key pe; did you mean pes?": b"pe: 3\n", "must be YAML": b"pes: ["}

    def layer_set(self, name: str, layers: LayerSet) -> None:
        """Two runs of 3 x 5 MACs, or one of 2 x 3 x 5."""
        assert (layers.name, layers.macs) == ("net", 2 * 3 * 5), name


class _LayersContract(FormatContract):
    """Formats of networks alone; each example is of 30 MACs."""

    def layer_set(self, name: str, layers: LayerSet) -> None:
        """2 x 3 x 5 MACs."""
        assert (layers.name, layers.macs) == ("net", 2 * 3 * 5), name


class TestOnnx(_LayersContract):
    """ONNX models."""

    name = "onnx"
    layers: ClassVar = {"net.onnx": model([node("MatMul", "x w")], {"x": (2, 5)}, {"w": (5, 3)})}
    damaged_layers: ClassVar = {
        "must be an ONNX model with at least one operator": b"",
        "whole and not damaged": model([node("MatMul", "x w")], {"x": (2, 5)}, {"w": (5, 3)})[:-3],
        "has the symbolic dim n": model([node("MatMul", "x w")], {"x": ("n", 5)}, {"w": (5, 3)}),
    }


class TestScaleSim(_LayersContract):
    """SCALE-Sim's topologies."""

    name = "scalesim-topology"
    layers: ClassVar = {"net.csv": b"Layer name, IFMAP Height, IFMAP Width,...\na, 5, 1, 1, 1, 3, 2, 1,\n\n"}
    damaged_layers: ClassVar = {
        "line 2: channels must be a whole number from 1": b"Layer name, IFMAP Height,\na, 5, 1, 1, 1, 0, 2, 1,\n",
        "line 3: must have a name and M, N, K": b"Layer, M, N, K,\na, 2, 3, 5,\nb, 2\n",
        "must have at least one layer": b"Layer, M, N, K,\n",
    }
    networks = ((ONE, SIXTEEN), (NETWORK, SIXTEEN))
    unwritable = ((BATCH, SIXTEEN, "a topology of SCALE-Sim's cannot express a batch of 2"),)


class TestGamma(_LayersContract):
    """GAMMA's models."""

    name = "gamma"
    layers: ClassVar = {"net.csv": b"K,C,Y,X,R,S,T\n2,3,5,1,1,1,1\n"}
    damaged_layers: ClassVar = {
        "line 1: must be seven whole numbers": b"2,3,5,1,1,1\n",
        "line 2: T must be 1": b"2,3,5,1,1,1,1\n2,3,5,1,1,1,4\n",
        "must have at least one line": b"K,C,Y,X,R,S,T\n",
    }


_PROBLEM = b"problem: {shape: cnn-layer, C: 3, K: 2, R: 1, S: 1, P: 5, Q: 1, N: 1}\n"


class TestTimeloop(_LayersContract):
    """Timeloop's problems, and mappings beside them."""

    name = "timeloop"
    networks = ((NETWORK, SIXTEEN),)
    unwritable = ((TWO_SPATIAL, SIXTEEN, "SpatialMap"), (UNEVEN, SIXTEEN, "leave some of 16 units idle in a round"))
    layers: ClassVar = {
        "net.yaml": b"problem: {shape: cnn-layer, C: 3, K: 2, R: 1, S: 1, P: 5, Q: 1, N: 1}\n",
        "net.yml": b"problem:\n  instance: {C: 3, K: 2, R: 1, S: 1, P: 5, Q: 1, N: 1}\n",
    }
    mappings: ClassVar = {
        "net.yaml": _PROBLEM + b"mapping:\n- {target: DRAM, type: temporal, factors: C3 P5, permutation: CP}\n"
        b"- {target: L2, type: spatial, factors: K2}\n- {target: L1, type: temporal}\n"
    }
    damaged_mappings: ClassVar = {
        "must have the problem beside the mapping": b"mapping: []",
        "mapping is missing": _PROBLEM,
        "mapping: the factors of P must cover its 5 indices, and cover 1": _PROBLEM + b"mapping: []\n",
        "a factor must be a dim of the problem and its trips": _PROBLEM + b"mapping: [{target: a, type: temporal, factors: Z2}]\n",
        "permutation must name all of C, K, got none": _PROBLEM + b"mapping: [{target: a, type: temporal, factors: C3 K2}]\n",
    }
    damaged_layers: ClassVar = {
        "problem must be a mapping": b"problem: [1]\n",
        "'C' must be a whole number from 1": b"problem: {shape: cnn-layer, K: 2, R: 1, S: 1, P: 5, Q: 1, N: 1}\n",
        "must be YAML": b"problem: {\n",
    }

    def expressed(self, network: Network, hardware: Hardware) -> Sequence[Any]:  # noqa: ARG002 as on any machine
        """The same loops, with a Cluster for each loop over units, of layers called like their file."""
        flat = parse(LISTED.read_text()).layers
        assert [mapped.layer for mapped in flat] == [mapped.layer for mapped in network.layers]
        return [replace(mapped, layer=replace(mapped.layer, name="text")) for mapped in flat]


class TestZigZag(_LayersContract):
    """ZigZag's workloads."""

    name = "zigzag"
    layers: ClassVar = {
        "net.yaml": b"- id: 0\n  equation: O[b][k]+=W[k][c]*I[b][c]\n  loop_dims: [B, K, C]\n  loop_sizes: [2, 3, 5]\n"
    }
    damaged_layers: ClassVar = {
        "layer 1: equation is missing": b"- id: 0\n  operator_type: Conv\n  loop_dims: [B]\n  loop_sizes: [2]\n",
        "equation must be of three operands": b"- id: 0\n  equation: O[b]\n  loop_dims: [B]\n  loop_sizes: [2]\n",
        "'c' must have a size": b"- id: 0\n  equation: O[b][k]+=W[k][c]*I[b][c]\n  loop_dims: [B, K]\n  loop_sizes: [2, 3]\n",
    }
    networks = TestAccelForge.networks
    unwritable = (
        (EDGES, replace(SIXTEEN, pes=1), "ZigZag cannot express level 0: TemporalMap(2,2) K"),
        *TestAccelForge.unwritable[1:],
    )
    mappings: ClassVar = {
        "net_complete.json": b'{"inputs": {"layer": {"name": "a", "equation": "O[k]=W[k][c]*I[c]",'
        b'"loop_dimensions": {"K": 2, "C": 3}},'
        b'"temporal_mapping": {"O": [["(C, 3)"], ["(K, 2)"]], "W": [["(C, 3)"], ["(K, 2)"]], "I": [["(C, 3)"], ["(K, 2)"]]},'
        b'"spatial_mapping": {"O": [], "W": [], "I": []}}, "outputs": {"memory": {"word_accesses": {"O": [], "W": [], "I": []}}}}'
    }
    damaged_mappings: ClassVar = {
        "must be JSON, as ZigZag writes it": b'{"temporal_mapping": ',
        "inputs is missing": b'{"temporal_mapping": 1}',
    }

    def expressed(self, network: Network, hardware: Hardware) -> Sequence[Any]:  # noqa: ARG002 none of any
        """Nothing: its mapping files alone say nothing of the layer, so what it writes as a result is read."""
        return ()


def test_each_format_is_tested() -> None:
    """Every format of the registry has its class above."""
    direct, of_networks = FormatContract.__subclasses__(), _LayersContract.__subclasses__()
    assert {each.name for each in (*direct, *of_networks) if each is not _LayersContract} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_registry_is_what_stands_in_the_folder(name: str) -> None:
    """A format's modules are files of its folder."""
    each = FORMATS[name]
    modules = {each.layers, each.mappings, each.written, each.hardware, each.exporter} - {""}
    assert modules
    assert all((FOLDER / each.folder / f"{module}.py").is_file() for module in modules)


def test_cost_models_name_a_format() -> None:
    """What a model's mappings are written in is a format that reads mappings and writes them."""
    for make in COST_MODELS.values():
        each = FORMATS[make().format]
        assert each.mappings or each.written
        assert each.exporter


def test_only_the_contracts_import_pytest() -> None:
    """A user without pytest can use all else."""
    root = FOLDER.parent
    for folder in ("api", "formats", "model", "search", "spaces", "studies"):
        for path in (root / folder).rglob("*.py"):
            assert "import pytest" not in path.read_text() or path.is_relative_to(root / "api" / "testing")
    assert mapsearch.testing.FormatContract is FormatContract
