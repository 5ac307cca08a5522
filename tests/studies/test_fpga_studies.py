"""Runs, sweeps and co-design of FPGAs: DSPs and block RAMs stand where other machines have an area."""

from __future__ import annotations

import csv
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mapsearch.cli import main
from mapsearch.formats.yaml.hardware import load_hardware, load_hardware_space
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.formats.yaml.sweeps import load_study
from mapsearch.model.area import taken
from mapsearch.studies.results_reader import read_results
from mapsearch.studies.sweep.plan import SweepPlan

Capture = pytest.CaptureFixture[str]

LAYERS = """
title: One layer
source: made up
layers:
  - {name: conv, type: CONV, K: 4, C: 2, R: 2, S: 1, Y: 5, X: 4}
"""
SPACE = """
name: boards
pes: [2, 4, 8]
l1: {bytes: 256}
l2: {bytes: [2304, 9216]}
fpga: {dsp_per_mac: 5, lutram_below: 512, l2_banks: 2}
technology: fpga_28nm
budget: {dsp: 20, bram_18k: 4}
"""
SWEEP = """
name: swept
source: made up
hardware: boards.yaml
layers: {set: one.yaml}
dataflows: [{dataflow: kcp_ws, clusters: [2]}]
"""


@pytest.fixture(name="inputs", scope="module")
def input_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a layer set, a space of FPGAs and a sweep of it."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, text in (("one.yaml", LAYERS), ("boards.yaml", SPACE), ("sweep.yaml", SWEEP)):
        (folder / name).write_text(text)
    return folder


def test_a_sweep(inputs: Path, tmp_path: Path, capsys: Capture) -> None:
    """Designs, front and optima tell DSPs and block RAMs, no area; budgets of them leave designs out; a resumed sweep is equal."""
    out = tmp_path / "out"
    assert main(["sweep", str(inputs / "sweep.yaml"), "--out", str(out), "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "by DSPs" in text
    assert "area" not in text.replace("area_power", "")
    assert "dsp_power.png, bram_power.png, energy_throughput.png" in text
    summary = json.loads((out / "summary.json").read_text())
    reasons = {"bandwidth", "peak_gops", "pes", "l1", "l2", "dsp", "bram_18k", "power_mw"}
    (pair,) = summary["pairs"]
    assert set(pair["left_out"]) == set(summary["left_out"]) == reasons
    assert pair["left_out"]["dsp"] == summary["designs"] // 3  # of 8 PEs
    assert pair["left_out"]["bram_18k"] > 0
    parquet: Any = import_module("pyarrow.parquet")
    rows = parquet.read_table(out / "designs").to_pylist()
    assert len(rows) == summary["valid"] > 0
    with (out / "front.csv").open() as file:
        front = list(csv.DictReader(file))
    for row in (*rows, *front, *pair["optima"].values()):
        assert "area_mm2" not in row
        own = {"pes": int(row["pes"]), "l2": {"bytes": int(row["l2_bytes"])}, "budget": None}
        machine = load_hardware({**parse_mapping(SPACE, "boards.yaml", ""), **own})
        assert taken(machine) == {"dsp": int(row["dsp"]), "bram_18k": int(row["bram_18k"])}
    assert {row["dsp"] for row in rows} == {10, 20}
    assert (out / "dsp_power.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["sweep", "--out", str(out), "--resume", "--json", "--quiet"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["pairs"] == summary["pairs"]


def test_the_sweeps_plan_knows_the_fields(inputs: Path) -> None:
    """Of designs on FPGAs and on other machines."""
    fields = SweepPlan(load_study(inputs / "sweep.yaml")).fields
    assert list(fields)[-3:] == ["dsp", "bram_18k", "power_mw"]
    assert "area_mm2" not in fields


def test_co_design(inputs: Path, tmp_path: Path, capsys: Capture) -> None:
    """The best machine is within the budget of DSPs and block RAMs, which results and the table of machines tell."""
    out = tmp_path / "run"
    argv = ["run", "--layer-set", str(inputs / "one.yaml"), "--hardware", str(inputs / "boards.yaml"), "--trials", "2"]
    assert main([*argv, "--out", str(out), "--jobs", "1", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "DSPs" in text
    assert "area" not in text
    best = taken(load_hardware(out / "hardware.yaml"))
    assert best["dsp"] <= 20
    assert best["bram_18k"] <= 4
    results = json.loads((out / "results.json").read_text())
    found = results["co_design"]
    assert (found["best"]["dsp"], found["best"]["bram_18k"]) == (best["dsp"], best["bram_18k"])
    assert found["over"] == load_hardware_space(inputs / "boards.yaml").size - 2
    assert all("area_mm2" not in row for row in (found["best"], *found["front"], results["layers"][0]["metrics"]))
    assert results["layers"][0]["metrics"]["dsp"] == best["dsp"]
    read = read_results(results, out / "results.json", "")
    assert read.to_dict() == results
    with (out / "machines.csv").open() as file:
        assert [(row["dsp"], row["bram_18k"]) for row in csv.DictReader(file)] == [("20", "4"), ("10", "4")]
    assert main(["plot", str(out)]) == 0


def test_objectives_of_area_are_refused(inputs: Path, tmp_path: Path, capsys: Capture) -> None:
    """Before work starts, on one machine and on a space, in one line."""
    for hardware, name in (("vc707", "vc707"), (str(inputs / "boards.yaml"), "boards-")):
        argv = ["run", "--layer-set", str(inputs / "one.yaml"), "--hardware", hardware, "--objective", "area-delay"]
        assert main([*argv, "--out", str(tmp_path / "none"), "--quiet"]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"mapsearch: error: hardware {name}")
        assert said.endswith("an FPGA has DSPs and block RAMs, no area; do without area_mm2, or leave fpga out\n")
    assert not (tmp_path / "none").exists()


def test_an_evaluation(tmp_path: Path, capsys: Capture) -> None:
    """One line tells DSPs and block RAMs, JSON has them in place of area; MAESTRO's model has no FPGA."""
    file = tmp_path / "one.m"
    file.write_text("Network n { Layer l { Type: GEMM Dimensions { M: 4, N: 3, K: 2 } Dataflow { SpatialMap(1,1) M; } } }")
    argv = ["evaluate", str(file), "--hardware", "zc706"]
    assert main(argv) == 0
    assert capsys.readouterr().out.startswith("hardware zc706, model exact: 896 DSPs, 832 block RAMs, leakage 0 mW\n")
    assert main([*argv, "--json"]) == 0
    (cost,) = json.loads(capsys.readouterr().out)
    assert (cost["dsp"], cost["bram_18k"]) == (896, 832)
    assert "area_mm2" not in cost
    assert main([*argv[:-1], "edge,fpga.dsp_per_mac=1", "--model", "maestro"]) == 2
    assert "MAESTRO has nothing like its fpga" in capsys.readouterr().err
