"""How far a mapping is from the optimum, and the most similar mapping that a tool can express."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from by_hand import layer_of

import mapsearch
from mapsearch.cli import main
from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.formats.registry import FORMATS
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.spaces.mappings.rules import TOOLS
from mapsearch.studies.evaluate import load_mapped

Capture = pytest.CaptureFixture[str]
MACHINE = "edge,pes=16"
LAYER = layer_of(K=12, C=6, X=10)
# 12 output channels on 5 units come in rounds of 5, 5 and 2, and a Cluster of 3 does not divide 16 PEs.
SLOW = """Network n {
Layer layer {
Type: CONV
Dimensions { K: 12, C: 6, R: 1, S: 1, Y: 1, X: 10 }
Dataflow { TemporalMap(1,1) X; SpatialMap(1,1) K; Cluster(3, P); SpatialMap(2,2) C; }
}
}
"""


def _json(capsys: Capture, *argv: str, code: int = 0) -> Any:  # noqa: ANN401 whatever the command prints
    assert main([*argv, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def _slow(folder: Path) -> str:
    (folder / "slow.m").write_text(SLOW)
    return str(folder / "slow.m")


def test_the_gap_of_a_mapping_is_to_the_optimum(tmp_path: Path, capsys: Capture) -> None:
    """The bound lies below the optimum by no more than 1 %, and the best that is known is between the bound and the mapping."""
    optimum = mapsearch.search_layer(LAYER, MACHINE, gap=0.0, objective="energy")
    assert optimum.gap == 0.0
    command = ("evaluate", _slow(tmp_path), "--hardware", MACHINE)
    [cost] = _json(capsys, *command, "--gap", "--objective", "energy")
    [plain] = _json(capsys, *command)
    assert cost.items() >= plain.items()
    assert cost["objective"] == plain["energy_pj"]["total"]
    assert optimum.objective / 1.0101 <= cost["lower_bound"] <= optimum.objective <= cost["best_objective"] < cost["objective"]
    assert cost["gap"] == cost["objective"] / cost["lower_bound"] - 1


def test_an_optimal_mapping_has_no_gap(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimum itself, given by a file or on standard input, is within 1 % of its lower bound, of EDP by default."""
    optimum = mapsearch.search_layer(LAYER, MACHINE, gap=0.0)
    (tmp_path / "best.m").write_text(optimum.directives)
    [cost] = _json(capsys, "evaluate", str(tmp_path / "best.m"), "--hardware", MACHINE, "--gap")
    assert cost["objective"] == cost["best_objective"] == optimum.objective
    assert 0.0 <= cost["gap"] <= 0.0101
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(optimum.directives.encode())))
    assert main(["evaluate", "-", "--hardware", MACHINE, "--gap"]) == 0
    assert "Gap of edp\nlayer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--model", "simulate"), "gap ends a proof, but model simulate has none"),
        (("--objective", "1 / runtime_cycles"), "gap ends a proof, but objective 1 / runtime_cycles, which may fall"),
        (("--objective", "speed"), "objective: 'speed'"),
    ],
)
def test_a_gap_needs_a_bound(more: tuple[str, ...], told: str, tmp_path: Path, capsys: Capture) -> None:
    """A model or an objective without one is one line, and no cost is printed."""
    assert main(["evaluate", _slow(tmp_path), "--hardware", MACHINE, "--gap", *more]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.startswith(f"mapsearch: error: {told}")


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if FORMATS[tool].exporter])
def test_the_nearest_mapping_stands_for_one_that_a_tool_cannot_express(tool: str, tmp_path: Path, capsys: Capture) -> None:
    """It is written, what it costs is told as the exact model has it, and a layer that needs none keeps its mapping."""
    fine = mapsearch.search_layer(LAYER, MACHINE, tools=",".join(TOOLS)).mapping
    network = parse(SLOW)
    fast = MappedLayer(mapsearch.Layer("fast", LAYER.type, LAYER.extents), fine)
    (tmp_path / "two.m").write_text(print_network(Network("two", (*network.layers, fast))))
    command = ("export", str(tmp_path / "two.m"), "--to", tool, "--hardware", MACHINE, "--out", str(tmp_path / "out"))
    [left_out] = _json(capsys, *command, code=1)["left_out"]
    assert main([*command]) == 1
    assert f"mapsearch run --for {tool} searches among those that it can" in " ".join(capsys.readouterr().out.split())
    found = _json(capsys, *command, "--nearest")
    [mended] = found["nearest"]
    assert found["left_out"] == []
    assert mended["name"] == left_out["name"] == "layer"
    assert mended["reason"] == left_out["reason"]
    assert all(Path(name).is_file() for name in found["written"])
    assert main([*command, "--nearest"]) == 0
    assert f"nearest: {mended['runtime_ratio']:.4g} times the cycles, {mended['energy_ratio']:.4g} times" in capsys.readouterr().out


def test_the_ratios_of_a_nearest_mapping(tmp_path: Path, capsys: Capture) -> None:
    """They are the costs of what is written over those of what was given."""
    [given] = _json(capsys, "evaluate", _slow(tmp_path), "--hardware", MACHINE)
    command = ("export", _slow(tmp_path), "--to", "maestro", "--hardware", MACHINE, "--nearest", "--out", str(tmp_path))
    found = _json(capsys, *command)
    [written] = _json(capsys, "evaluate", found["written"][0], "--hardware", MACHINE)
    [mended] = found["nearest"]
    assert mended["runtime_ratio"] == written["runtime_cycles"] / given["runtime_cycles"]
    assert mended["energy_ratio"] == written["energy_pj"]["total"] / given["energy_pj"]["total"]
    (network, hardware) = load_mapped(Path(found["written"][0]), MACHINE)
    assert hardware == load_hardware(MACHINE)
    assert network.layers[0].layer.extents == LAYER.extents


def test_code_has_no_nearest_mapping(tmp_path: Path, capsys: Capture) -> None:
    """What can express every legal mapping is no tool with laws."""
    assert main(["export", _slow(tmp_path), "--to", "c", "--nearest", "--hardware", MACHINE]) == 2
    assert "nearest mappings are those by the laws of a tool, one of timeloop, accelforge" in capsys.readouterr().err
