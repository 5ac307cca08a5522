"""`mapsearch sweep` over widths that are fractions of a byte: its files, and its designs against the exact model."""

from __future__ import annotations

import csv
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mapsearch.cli import main
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.studies.evaluate import evaluate

WIDTHS = ("noc_bytes_per_cycle", "offchip_bytes_per_cycle")
STUDY = """
name: fractions
source: made up
hardware: {pes: [4, 8], noc: {bytes_per_cycle: [1.5, 4]}, offchip: {bytes_per_cycle: [0.125, 2.4, 3]}, l2: {tile_cycles: [0, 90]}}
layers: {set: one.yaml}
dataflows: [{dataflow: kcp_ws, clusters: [2], tiles: {X': [1, 4]}}]
"""
LAYERS = "{title: One layer, source: made up, layers: [{name: conv, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10}]}"


def _swept(folder: Path, study: str) -> tuple[Any, list[dict[str, str]], dict[str, Any]]:
    """The designs as a table of pyarrow's, the front and the summary."""
    (folder / "one.yaml").write_text(LAYERS)
    (folder / "study.yaml").write_text(study)
    assert main(["sweep", str(folder / "study.yaml"), "--out", str(folder / "out"), "--quiet"]) == 0
    parquet: Any = import_module("pyarrow.parquet")
    with (folder / "out" / "front.csv").open() as file:
        front = list(csv.DictReader(file))
    return parquet.read_table(folder / "out" / "designs"), front, json.loads((folder / "out" / "summary.json").read_text())


def test_fractions_are_told_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both widths are floats in all files, and the best designs cost what the exact model says of their machines."""
    table, front, summary = _swept(tmp_path, STUDY)
    assert [str(table.schema.field(key).type) for key in WIDTHS] == ["double", "double"]
    assert set(table["offchip_bytes_per_cycle"].to_pylist()) == {0.125, 2.4, 3.0}
    assert table.num_rows == summary["valid"] == 2 * 2 * 3 * 2 * 2
    assert {row["noc_bytes_per_cycle"] for row in front} <= {"1.5", "4.0"}
    for best in summary["pairs"][0]["optima"].values():
        machine: dict[str, object] = {"noc": {"bytes_per_cycle": best[WIDTHS[0]]}, "offchip": {"bytes_per_cycle": best[WIDTHS[1]]}}
        machine |= {"pes": best["pes"], "l2": {"tile_cycles": best["l2.tile_cycles"]}}
        (cost,) = evaluate(best["directives"], load_hardware(machine))
        assert (cost.runtime_cycles, cost.energy_pj.total) == (best["runtime_cycles"], best["energy_pj"])
    capsys.readouterr()
    assert main(["sweep", "--out", str(tmp_path / "out"), "--resume", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["pairs"] == summary["pairs"]


def test_whole_widths_stay_whole(tmp_path: Path) -> None:
    """Where no width is a fraction, both are integers in all files."""
    table, front, summary = _swept(tmp_path, STUDY.replace("1.5", "2").replace("0.125, 2.4", "1, 2"))
    assert [str(table.schema.field(key).type) for key in WIDTHS] == ["int64", "int64"]
    assert {row["noc_bytes_per_cycle"] for row in front} <= {"2", "4"}
    assert all(type(best[key]) is int for best in summary["pairs"][0]["optima"].values() for key in WIDTHS)
