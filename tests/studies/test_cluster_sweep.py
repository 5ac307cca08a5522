"""Sweeps on a Dask cluster: the files of a sweep on this host, whatever happens to the workers, the scheduler or the client."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import DaskCluster, cluster_of_two_workers, ended, other_version, started
from small_sweep import files_of, finished_sweep, study_file, summary_without_times

from mapsearch.studies.sweep.summary import SweepSummary

FIXTURES = (cluster_of_two_workers, study_file, finished_sweep)  # pytest finds them here, as cluster, study and done
# Over 2 * 10^9 designs, of which few are within the budget.
MANY = {
    "pes": {"low": 8, "high": 1024, "step": 4},
    "l1": {"bytes": {"low": 64, "high": 2048, "step": 16}, "double_buffered": True},
    "l2": {"bytes": {"low": 16384, "high": 524_288, "step": 8192}, "double_buffered": True},
    "noc": {"bytes_per_cycle": {"low": 4, "high": 64, "step": 4}},
    "offchip": {"bytes_per_cycle": [2, 4, 8, 16, 32]},
    "technology": "maestro_28nm",
    "budget": {"area_mm2": 16, "power_mw": 450},
}


def _sweep(*words: str, path: str = "") -> subprocess.Popen[str]:
    return started("sweep", "--quiet", *words, path=path)


def _summary(folder: Path) -> dict[str, Any]:
    return summary_without_times(json.loads((folder / "summary.json").read_text()))


@pytest.fixture(name="many")
def study_of_many_designs(study: Path, tmp_path: Path) -> list[str]:
    """The words that ask for the study on many machines."""
    (tmp_path / "many.yaml").write_text(json.dumps(MANY))
    return [str(study), "--hardware", str(tmp_path / "many.yaml")]


def test_a_sweep_on_workers_is_a_sweep_on_this_host(
    cluster: DaskCluster, study: Path, done: tuple[Path, SweepSummary], tmp_path: Path
) -> None:
    """The files of `--cluster` are those of one process, byte for byte.

    A client with another pyarrow than the workers', which writes the designs, is refused before anything is written.
    """
    folder, there = done[0], tmp_path / "there"
    words = [str(study), "--cluster", cluster.address, "--out", str(there)]
    status, told = ended(_sweep(*words, path=other_version("pyarrow", tmp_path / "other")))
    assert status == 2
    assert (
        f"has pyarrow {version('pyarrow')}, and this client 0.1; both need the same python, mapsearch, numpy, numba, pyarr" in told
    )
    assert not there.exists()
    assert ended(_sweep(*words)) == (0, "")
    assert files_of(there) == files_of(folder)
    assert _summary(there) == _summary(folder)


def test_processes_and_a_cluster_are_two_ways(study: Path) -> None:
    """Who asks for both is told so in one line."""
    status, told = ended(_sweep(str(study), "--jobs", "2", "--cluster", "tcp://127.0.0.1:1"))
    assert status == 2
    assert told.count("\n") == 1
    assert "--jobs is of this host, and --cluster has its own workers; give one" in told


@pytest.mark.nightly
@pytest.mark.parametrize("ends", ["client", "scheduler"])
def test_an_interrupted_sweep_goes_on_elsewhere(ends: str, cluster: DaskCluster, many: list[str], tmp_path: Path) -> None:
    """The parts that workers have done are kept; processes of this host do the others, and all files are those of one sweep.

    Ctrl-C ends the client, and the scheduler's death with one line.
    """
    out = tmp_path / "out"
    stopped = _sweep(*many, "--cluster", cluster.address, "--out", str(out))
    if ends == "client":
        cluster.wait_for_tasks(2)
        stopped.send_signal(signal.SIGINT)
        assert ended(stopped) == (130, "")
        assert not _summary(out)["complete"]
    else:
        while not list(out.rglob("*.parquet")):
            assert stopped.poll() is None
            time.sleep(0.02)
        cluster.kill_scheduler_of(stopped)
        assert not (out / "summary.json").exists()
    assert ended(_sweep("--out", str(out), "--resume")) == (0, "")
    assert ended(_sweep(*many, "--out", str(tmp_path / "calm"))) == (0, "")
    assert files_of(out) == files_of(tmp_path / "calm")
    assert _summary(out) == _summary(tmp_path / "calm")


@pytest.mark.nightly
def test_fifty_killed_workers_change_nothing(cluster: DaskCluster, many: list[str], tmp_path: Path) -> None:
    """While workers are killed at random 50 times, a sweep loses nothing: its files are those of a sweep without."""
    assert ended(_sweep(*many, "--out", str(tmp_path / "calm"))) == (0, "")
    kills = 0
    for number in range(100):
        out = tmp_path / str(number)
        process = _sweep(*many, "--cluster", cluster.address, "--out", str(out))
        kills += cluster.kill_workers_until(process, 50 - kills, seconds=8.0)
        assert ended(process) == (0, "")
        assert files_of(out) == files_of(tmp_path / "calm")
        assert _summary(out) == _summary(tmp_path / "calm")
        if kills == 50:
            break
    assert kills == 50
