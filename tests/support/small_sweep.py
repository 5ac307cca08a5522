"""A small study, a sweep of it, and what it wrote, for the tests of sweeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mapsearch.studies.drawn_sweep import sweep
from mapsearch.studies.sweep.summary import SweepSummary

LAYERS = """
title: Two layers
source: made up
layers:
  - {name: conv, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10}
  - {name: depthwise, type: DSCONV, G: 16, R: 3, S: 3, Y: 9, X: 9}
"""
HARDWARE: dict[str, Any] = {
    "pes": [4, 12, 40],
    "clock_mhz": [500, 1000],
    "l1": {"bytes": {"low": 32, "high": 256, "factor": 2}},
    "l2": {"bytes": [1000, 4000, 100_000]},
    "noc": {"bytes_per_cycle": [4, 16]},
    "offchip": {"bytes_per_cycle": [2, 8]},
    "technology": "cacti_45nm",
    "budget": {"area_mm2": 0.9, "power_mw": 150},
}
STUDY = f"""
name: small
source: made up
hardware: {json.dumps(HARDWARE)}
layers: {{set: two.yaml}}
dataflows:
  - {{dataflow: yrp_rs, tiles: {{K: [1, 4], C: [1, whole]}}}}
  - {{dataflow: kcp_ws, clusters: [2, 8], tiles: {{X': [1, 4]}}}}
"""


@pytest.fixture(name="study", scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two dataflows on two layers, with its layer set beside it."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "two.yaml").write_text(LAYERS)
    (folder / "small.yaml").write_text(STUDY)
    return folder / "small.yaml"


@pytest.fixture(name="done", scope="module")
def finished_sweep(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SweepSummary]:
    """The folder and the summary of a finished sweep, which tests only read."""
    folder = tmp_path_factory.mktemp("done") / "sweep"
    return folder, sweep(study, out=folder, jobs=1)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a sweep by their names, but for summary.json, which tells of times."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "summary.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def summary_without_times(summary: dict[str, Any]) -> dict[str, Any]:
    """A sweep's summary without what differs from one sweep to an equal one: the folder, the seconds and the rates."""
    return {key: value for key, value in summary.items() if "second" not in key and key != "folder"}
