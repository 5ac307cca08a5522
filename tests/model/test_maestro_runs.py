"""Runs that are searched by MAESTRO's numbers, on layers as its users list them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_run import results_in, same_for_all

from mapsearch.cli import main
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.tensors import Dim

Capture = pytest.CaptureFixture[str]
LAYERS = """
title: What MAESTRO's users list
source: made up
layers:
  - {name: conv, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10, padding: 1, stride: 2}
  - {name: depthwise, type: DSCONV, G: 16, R: 3, S: 3, Y: 9, X: 9, padding: 1}
  - {name: one, type: DSCONV, G: 1, R: 3, S: 3, Y: 3, X: 3}
  - {name: fc, type: FC, K: 10, C: 16}
"""
NO_FC = "layer fc: MAESTRO has no layers of Type FC; there are CONV, TRCONV, NGCONV, DSCONV, GEMM"


def _file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def _evaluated(capsys: Capture, file: str, hardware: str) -> list[dict[str, Any]]:
    assert main(["evaluate", file, "--hardware", hardware, "--model", "maestro", "--json"]) == 0
    costs: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return costs


def _run(folder: Path, name: str = "run", *options: str) -> list[str]:
    """The command of a short run on 10 PEs into a folder of that name."""
    layers, chip = _file(folder, "set.yaml", LAYERS), _file(folder, "chip.yaml", "pes: 10\n")
    command = ["run", "--layer-set", layers, "--hardware", chip, "--model", "maestro", "--trials", "2", "--jobs", "1"]
    return [*command, "--out", str(folder / name), *options]


def test_a_run_counts_layers_as_they_are_listed(tmp_path: Path, capsys: Capture) -> None:
    """Padding and strides drop out, Y' = Y - R + 1; FC is left out, in the results and as a notice; refusals are reported."""
    assert main(_run(tmp_path)) == 0
    captured, results = capsys.readouterr(), results_in(tmp_path / "run")
    assert {layer["name"]: layer["metrics"]["layer_macs"] for layer in results["layers"]} == {
        "conv": 8 * 4 * 9 * 8 * 8,
        "depthwise": 16 * 9 * 7 * 7,
        "one": 9,
    }
    assert results["complete"]
    assert results["left_out"] == [{"name": "fc", "reason": NO_FC}]
    assert f"mapsearch: fc is left out: {NO_FC}\n" in captured.err
    refused = sum(layer["refused"] for layer in results["layers"])
    assert refused == results["totals"]["refused"] > 0
    assert f", {refused:,} refused by the model or a law, " in " ".join(captured.out.split())


@pytest.mark.parametrize("objective", ["latency", "energy", "edp"])
def test_the_files_of_a_run_are_maestros(objective: str, tmp_path: Path, capsys: Capture) -> None:
    """Each mapping file evaluates to the recorded metrics, all MACs counted, and has the objective; the machine's file is there."""
    assert main(_run(tmp_path, "run", "--objective", objective)) == 0
    capsys.readouterr()
    chip = str(tmp_path / "chip.yaml")
    for layer in results_in(tmp_path / "run")["layers"]:
        file = str(tmp_path / "run" / layer["mapping_file"])
        [cost] = _evaluated(capsys, file, chip)
        assert cost == {"layer": layer["name"], **layer["metrics"]}
        assert cost["macs"] == cost["layer_macs"]
        searched = {"latency": cost["runtime_cycles"], "energy": cost["energy_pj"]["total"], "edp": cost["edp_pj_cycles"]}
        assert layer["objective"] == searched[objective]
    assert (tmp_path / "run" / "maestro_hw.m").read_text().startswith("num_pes: 10\n")


def test_a_run_does_not_depend_on_jobs_and_goes_on(tmp_path: Path, capsys: Capture) -> None:
    """Two processes find what one finds, and so does a run that goes on after its last layers' results are gone."""
    assert main(_run(tmp_path)) == 0
    whole = results_in(tmp_path / "run")
    assert main([*_run(tmp_path, "two"), "--jobs", "2"]) == 0
    assert same_for_all(results_in(tmp_path / "two")) == same_for_all(whole)
    cut = {**whole, "complete": False, "layers": whole["layers"][:1]}
    (tmp_path / "run" / "results.json").write_text(json.dumps(cut))
    capsys.readouterr()
    assert main(["run", "--out", str(tmp_path / "run"), "--resume", "--jobs", "1"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "to go" in line]
    assert sorted(line.split(":")[0] for line in lines) == ["depthwise", "one"]
    assert same_for_all(results_in(tmp_path / "run")) == same_for_all(whole)


def test_restarts_do_not_lengthen_the_countdown(tmp_path: Path, capsys: Capture) -> None:
    """What is still to go counts layers, each once however often it is searched."""
    assert main(_run(tmp_path, "run", "--restarts", "2")) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "to go" in line]
    assert [line.rsplit("; ", 1)[1] for line in lines] == ["2 to go", "1 to go", "0 to go"]


def test_a_dataflow_that_maestro_cannot_count_is_refused(tmp_path: Path, capsys: Capture) -> None:
    """Row-stationary mappings share out R, which the program takes only whole: one line after the notice, and nothing written."""
    assert main(_run(tmp_path, "run", "--dataflow", "yrp_rs")) == 2
    notice, error = capsys.readouterr().err.splitlines()
    assert notice == f"mapsearch: fc is left out: {NO_FC}"
    assert error.startswith("mapsearch: error: layer conv: the cost model takes no mapping that shares out R, as dataflow yrp_rs")
    assert not (tmp_path / "run").exists()


def test_a_machine_too_wide_for_maestro_is_refused(tmp_path: Path, capsys: Capture) -> None:
    """A width over an int cannot stand in the machine's file: the run does not begin."""
    wide = _file(tmp_path, "wide.yaml", "pes: 4\nnoc: {bytes_per_cycle: 2147483648}\n")
    assert main([*_run(tmp_path), "--hardware", wide]) == 2
    reason = "hardware wide: MAESTRO's noc_bw_cstr must be at most 2147483647, got 2147483648"
    assert capsys.readouterr().err.splitlines()[-1] == f"mapsearch: error: {reason}"
    assert not (tmp_path / "run").exists()


def test_a_layer_that_fits_no_l1_is_left_out(tmp_path: Path, capsys: Capture) -> None:
    """MAESTRO has 2 x 27 words of a 3 x 3 filter in L1: with fewer than that none is refused, and all are too large."""
    small = _file(tmp_path, "small.yaml", "pes: 10\nl1: {bytes: 50}\n")
    assert main([*_run(tmp_path), "--hardware", small]) == 0
    left_out = {each["name"]: each["reason"] for each in results_in(tmp_path / "run")["left_out"]}
    assert set(left_out) == {"conv", "depthwise", "one", "fc"}
    assert "mapsearch: one is left out: the cost model vouches for none of " in capsys.readouterr().err
    assert "too large for L1 or L2); use more trials, larger buffers or another model" in left_out["one"]


def test_layers_as_listed(tmp_path: Path) -> None:
    """No padding, stride 1 on the listed input; what lists its outputs only, or less input than its filter, stays as it is."""
    rows = """
  - {name: window, type: CONV, K: 8, C: 4, R: 3, S: 5, Y: 10, X: 11, padding: [[1, 1], [2, 2]], stride: [2, 3]}
  - {name: outputs, type: CONV, K: 8, C: 4, R: 3, S: 3, Y': 7, X': 5, stride: 2}
  - {name: narrow, type: DSCONV, G: 4, R: 3, S: 3, Y: 2, X: 2, padding: 1, stride: 2}
  - {name: dilated, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10, padding: 2, stride: 2, dilation: 2}
  - {name: gemm, type: GEMM, M: 2, N: 3, K: 4}
"""
    path = _file(tmp_path, "set.yaml", LAYERS.partition("  - ")[0] + rows.lstrip("\n"))
    plain, listed = (
        {entry.layer.name: entry.layer for entry in load_layer_set(path, as_listed=how).entries} for how in (False, True)
    )
    for name, stride, rows_columns in (("window", (1, 1), (10 - 3 + 1, 11 - 5 + 1)), ("dilated", (1, 1), (10 - 4, 10 - 4))):
        assert listed[name].stride == stride
        assert listed[name].extents[Dim.Y :] == rows_columns
    assert listed["dilated"].dilation == (2, 2)
    assert plain["window"].stride == (2, 3)
    assert {name: listed[name] for name in ("outputs", "narrow", "gemm")} == {
        name: plain[name] for name in ("outputs", "narrow", "gemm")
    }
