"""Sweeps on a Dask cluster: the files of a sweep on this host, whatever happens to the workers."""

from __future__ import annotations

import json
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import DaskCluster, cluster_of_two_workers, ended, other_version, started
from sweeping import files_of

FIXTURES = (cluster_of_two_workers,)  # pytest finds it here, as cluster
LAYERS = """
title: Two layers
source: made up
layers:
  - {name: conv, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10}
  - {name: gemm, type: GEMM, M: 12, N: 16, K: 20}
"""
HARDWARE = {
    "pes": [4, 12, 40],
    "clock_mhz": [500, 1000],
    "l1": {"bytes": {"low": 32, "high": 256, "factor": 2}},
    "l2": {"bytes": [1000, 4000, 100_000]},
    "budget": {"area_mm2": 0.9, "power_mw": 150},
}
# Some 3 * 10^9 designs, of which 1 % are on machines within the budget.
MANY = {
    "pes": {"low": 8, "high": 1024, "step": 4},
    "l1": {"bytes": {"low": 64, "high": 2048, "step": 32}, "double_buffered": True},
    "l2": {"bytes": {"low": 16384, "high": 524_288, "step": 8192}, "double_buffered": True},
    "noc": {"bytes_per_cycle": {"low": 4, "high": 64, "step": 4}},
    "offchip": {"bytes_per_cycle": [2, 4, 8, 16, 32]},
    "technology": "maestro_28nm",
    "budget": {"area_mm2": 16, "power_mw": 450},
}


def _sweep(*words: str, path: str = "") -> subprocess.Popen[str]:
    return started("sweep", "--quiet", *words, path=path)


def _summary(folder: Path) -> dict[str, Any]:
    """A sweep's summary, without what differs from one sweep to an equal one."""
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return {key: value for key, value in summary.items() if "second" not in key and key != "folder"}


def _asked(folder: Path, hardware: dict[str, Any]) -> list[str]:
    """The words that ask for a small layer set on the hardware, whose files go to the folder."""
    (folder / "two.yaml").write_text(LAYERS)
    (folder / "hardware.yaml").write_text(json.dumps(hardware))
    dataflows = ["--dataflow", "kcp_ws", "--dataflow", "yrp_rs"]
    return ["--layers", str(folder / "two.yaml"), *dataflows, "--hardware", str(folder / "hardware.yaml")]


def test_a_sweep_on_workers_is_a_sweep_on_this_host(cluster: DaskCluster, tmp_path: Path) -> None:
    """The files of `--cluster` are those of one process, byte for byte.

    A client with another pyarrow than the workers', which writes the designs, is refused before anything is written.
    """
    asked, here, there = _asked(tmp_path, HARDWARE), tmp_path / "here", tmp_path / "there"
    on_workers = ["--cluster", cluster.address, "--out", str(there)]
    status, told = ended(_sweep(*asked, *on_workers, path=other_version("pyarrow", tmp_path / "other")))
    assert status == 2
    assert (
        f"has pyarrow {version('pyarrow')}, and this client 0.1; both need the same python, mapsearch, numpy, numba, pyarr" in told
    )
    assert not there.exists()
    assert ended(_sweep(*asked, "--jobs", "1", "--out", str(here))) == (0, "")
    assert ended(_sweep(*asked, *on_workers)) == (0, "")
    assert files_of(there) == files_of(here)
    assert _summary(there) == _summary(here)


def test_processes_and_a_cluster_are_two_ways(tmp_path: Path) -> None:
    """Who asks for both is told so in one line."""
    status, told = ended(_sweep(*_asked(tmp_path, HARDWARE), "--jobs", "2", "--cluster", "tcp://127.0.0.1:1"))
    assert status == 2
    assert told.count("\n") == 1
    assert "--jobs is of this host, and --cluster has its own workers; give one" in told


@pytest.mark.nightly
def test_an_interrupted_sweep_goes_on_elsewhere(cluster: DaskCluster, tmp_path: Path) -> None:
    """Ctrl-C keeps the parts that workers have done; processes of this host do the others, and all files are those of one sweep."""
    asked, out = _asked(tmp_path, MANY), tmp_path / "out"
    stopped = _sweep(*asked, "--cluster", cluster.address, "--out", str(out))
    cluster.wait_for_tasks(2)
    stopped.send_signal(signal.SIGINT)
    assert ended(stopped) == (130, "")
    assert not _summary(out)["complete"]
    assert ended(_sweep("--out", str(out), "--resume")) == (0, "")
    assert ended(_sweep(*asked, "--out", str(tmp_path / "calm"))) == (0, "")
    assert files_of(out) == files_of(tmp_path / "calm")
    assert _summary(out) == _summary(tmp_path / "calm")


@pytest.mark.nightly
def test_fifty_killed_workers_change_nothing(cluster: DaskCluster, tmp_path: Path) -> None:
    """While workers are killed at random 50 times, a sweep loses nothing: its files are those of a sweep without."""
    asked = _asked(tmp_path, MANY)
    assert ended(_sweep(*asked, "--out", str(tmp_path / "calm"))) == (0, "")
    kills = 0
    for number in range(100):
        out = tmp_path / str(number)
        process = _sweep(*asked, "--cluster", cluster.address, "--out", str(out))
        kills += cluster.kill_workers_until(process, 50 - kills, seconds=8.0)
        assert ended(process) == (0, "")
        assert files_of(out) == files_of(tmp_path / "calm")
        assert _summary(out) == _summary(tmp_path / "calm")
        if kills == 50:
            break
    assert kills == 50
