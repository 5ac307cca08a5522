"""Each registered format keeps the contract of formats, and the registry is what stands in the folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from by_hand import MACHINE

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
SIXTEEN = replace(MACHINE, pes=16)
# What MAESTRO's files have no words for is taken from edge.
BYTES = replace(load_hardware("edge"), pes=4, bits=(8, 8, 8), l1=Buffer(64), l2=Buffer(512), noc=Noc(8), offchip=Offchip(4, 0))


SHARED_TWICE = Mapping((tuple(Directive(MapKind.SPATIAL, 1, dim) for dim in (Dim.K, Dim.C)),), ())
TWO_SPATIAL = replace(NETWORK, layers=(MappedLayer(NETWORK.layers[0].layer, SHARED_TWICE),))
DENSE = parse("Network n { Layer a { Type: FC Dimensions { K: 4, C: 3 } Dataflow { SpatialMap(1,1) K } } }")


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


def test_each_format_is_tested() -> None:
    """Every format of the registry has its class above."""
    assert {each.name for each in FormatContract.__subclasses__()} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_registry_is_what_stands_in_the_folder(name: str) -> None:
    """A format's modules are files of its folder."""
    each = FORMATS[name]
    modules = {each.layers, each.mappings, each.hardware, each.exporter} - {""}
    assert modules
    assert all((FOLDER / name / f"{module}.py").is_file() for module in modules)


def test_cost_models_name_a_format() -> None:
    """What a model's mappings are written in is a format that reads mappings and writes them."""
    for make in COST_MODELS.values():
        each = FORMATS[make().format]
        assert each.mappings
        assert each.exporter


def test_only_the_contracts_import_pytest() -> None:
    """A user without pytest can use all else."""
    root = FOLDER.parent
    for folder in ("api", "formats", "model", "search", "spaces", "studies"):
        for path in (root / folder).rglob("*.py"):
            assert "import pytest" not in path.read_text() or path.is_relative_to(root / "api" / "testing")
    assert mapsearch.testing.FormatContract is FormatContract
