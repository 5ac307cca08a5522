"""Files of mappings, whoever wrote them, and run folders, wherever a command takes mappings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_run import finished_run, layer_file, search_with_few_trials

import mapsearch
from mapsearch.cli import main

Capture = pytest.CaptureFixture[str]
FIXTURES = (layer_file, search_with_few_trials, finished_run)  # pytest finds them here, as layers, search and done

# As GAMMA writes what it finds: all six dims at both levels, sizes above the tile, the outputs' dims, a network called 0.
GAMMAS = """Network 0 {
Layer CONV {
Type: CONV
Dimensions { K: 8, C: 3, Y: 12, X: 12, R: 3, S: 3 }
Dataflow {
TemporalMap(20,20) Y';
TemporalMap(4,4) X';
TemporalMap(1,1) S;
SpatialMap(1,1) K;
TemporalMap(1,1) R;
TemporalMap(3,3) C;
Cluster(4,P);
TemporalMap(59,59) K;
TemporalMap(1,1) S;
TemporalMap(1,1) X';
TemporalMap(1,1) R;
TemporalMap(2,2) C;
SpatialMap(1,1) Y';
}
}
}"""


def _json(capsys: Capture, *argv: str) -> Any:  # noqa: ANN401 whatever the command prints
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_stands_for_its_mappings_on_its_machine(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """Its folder is evaluated, compared and exported without a machine, all layers of it; --hardware names another."""
    run = mapsearch.load_run(done)
    costs = _json(capsys, "evaluate", str(done))
    assert [cost["layer"] for cost in costs] == [layer.name for layer in run.layers]
    chosen = run.results.network
    assert chosen is not None
    assert sum(cost["runtime_cycles"] * layer.count for cost, layer in zip(costs, run.layers, strict=True)) == chosen.runtime_cycles
    assert costs == [each.to_dict() for each in mapsearch.evaluate(done)]
    found = _json(capsys, "compare-models", str(done))
    assert {one["layer"]: one["exact"] for one in found if one["metric"] == "runtime [cycles]"} == {
        cost["layer"]: cost["runtime_cycles"] for cost in costs
    }
    written = _json(capsys, "export", str(done), "--to", "directives", "--out", str(tmp_path))["written"]
    assert written == [str(tmp_path / f"{done.name}_directives.m")]
    assert _json(capsys, "evaluate", written[0], "--hardware", str(done / "hardware.yaml")) == costs
    slow = _json(capsys, "evaluate", str(done), "--hardware", "edge,offchip.bytes_per_cycle=1")
    assert sum(cost["runtime_cycles"] for cost in slow) > sum(cost["runtime_cycles"] for cost in costs)


def test_mappings_of_gamma(tmp_path: Path, capsys: Capture) -> None:
    """What GAMMA writes for MAESTRO is evaluated, and a search starts from it."""
    file = tmp_path / "Layer_1.m"
    file.write_text(GAMMAS)
    [cost] = _json(capsys, "evaluate", str(file))
    assert cost["macs"] == 8 * 3 * 10 * 10 * 3 * 3
    layers = tmp_path / "net.yaml"
    layers.write_text("{title: t, source: s, layers: [{name: a, type: CONV, K: 8, C: 3, Y: 12, X: 12, R: 3, S: 3}]}")
    command = ["run", str(layers), "--warm-start", str(file), "--sampler", "random", "--trials", "1", "--quiet"]
    [layer] = _json(capsys, *command, "--out", str(tmp_path / "run"))["layers"]
    assert layer["metrics"]["edp_pj_cycles"] <= cost["edp_pj_cycles"]


# As Timeloop's mapper writes it, behind its problem.
TIMELOOPS = """problem: {shape: cnn-layer, C: 3, K: 8, R: 3, S: 3, P: 10, Q: 10, N: 1}
mapping:
  - {target: RegisterFile, type: temporal, factors: C3 K1 R3 S3 P1 Q1 N1, permutation: RSCPQKN}
  - {target: GlobalBuffer, type: spatial, factors: C1 K8 R1 S1 P1 Q5 N1, permutation: KQRSPCN, split: 1}
  - {target: GlobalBuffer, type: temporal, factors: C1 K1 R1 S1 P10 Q1 N1, permutation: PQRSCKN}
  - {target: DRAM, type: temporal, factors: C1 K1 R1 S1 P1 Q2 N1, permutation: QPRSCKN}
"""


def test_mappings_of_timeloop(tmp_path: Path, capsys: Capture) -> None:
    """What its mapper writes is evaluated, compared and exported, and a search starts from it."""
    file = tmp_path / "mapped.yaml"
    file.write_text(TIMELOOPS)
    [cost] = _json(capsys, "evaluate", str(file))
    assert (cost["layer"], cost["macs"], cost["steps"]) == ("mapped", 8 * 3 * 10 * 10 * 3 * 3, 20)
    assert _json(capsys, "compare-models", str(file))
    assert len(_json(capsys, "export", str(file), "--to", "timeloop", "--out", str(tmp_path))["written"]) == 1
    layers = tmp_path / "net.yaml"
    layers.write_text("{title: t, source: s, layers: [{name: a, type: CONV, K: 8, C: 3, Y: 12, X: 12, R: 3, S: 3}]}")
    command = ["run", str(layers), "--warm-start", str(file), "--sampler", "random", "--trials", "1", "--quiet"]
    [layer] = _json(capsys, *command, "--out", str(tmp_path / "run"))["layers"]
    assert layer["metrics"]["edp_pj_cycles"] <= cost["edp_pj_cycles"]


def test_a_mapping_of_timeloop_alone_is_refused(tmp_path: Path, capsys: Capture) -> None:
    """The error says which file is needed beside it."""
    file = tmp_path / "timeloop-mapper.map.yaml"
    file.write_text(TIMELOOPS.partition("\n")[2])
    assert main(["evaluate", str(file)]) == 2
    assert "must have the problem beside the mapping" in capsys.readouterr().err
