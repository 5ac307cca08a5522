"""Runs on a Dask cluster: the results of a run on this host, whatever happens to the workers, the scheduler or the client."""

from __future__ import annotations

import signal
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pytest
from dask_cluster import DaskCluster, cluster_of_two_workers, ended, other_version, started
from distributed import Client
from small_run import NAMES, Recorder, copy_without, finished_run, layer_file, results_in, same_for_all

from mapsearch.model.errors import InputError
from mapsearch.studies.start import run

FIXTURES = (cluster_of_two_workers, layer_file, finished_run)  # pytest finds them here, as cluster, layers and done


def _run(*words: str, path: str = "") -> subprocess.Popen[str]:
    return started("run", "--quiet", *words, path=path)


def _files(folder: Path) -> dict[str, bytes]:
    """The mappings that a run found."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("*/*.m"))}


def test_a_run_on_workers_is_a_run_on_this_host(cluster: DaskCluster, layers: Path, done: Path, tmp_path: Path) -> None:
    """The results of `--cluster` are those of one process; after its Ctrl-C the workers are free for the next run.

    A run that misses a layer goes on there, by a client of Python's, with that layer alone.

    A client with another numba than the workers' is refused, with both versions named, before it writes anything. Once the
    scheduler has ended, a run ends with one line and its finished layers; resumed without a cluster, it comes to what a run that
    nothing has disturbed finds.
    """
    asked = ["--layer-set", str(layers), "--sampler", "tpe", "--cluster", cluster.address]
    other = other_version("numba", tmp_path / "other")
    status, told = ended(_run(*asked, "--out", str(tmp_path / "refused"), path=other))
    assert status == 2
    assert f"has numba {version('numba')}, and this client 0.1; both need the same python, mapsearch, numpy, numba" in told
    assert not (tmp_path / "refused").exists()
    run(layers, out=tmp_path / "run", trials=3, sampler="tpe", cluster=cluster.address)
    assert same_for_all(results_in(tmp_path / "run")) == same_for_all(results_in(done))
    assert _files(tmp_path / "run") == _files(done)
    copy_without(done, tmp_path / "resumed", NAMES[1])
    recorder = Recorder()
    with cast("Any", Client)(cluster.address, set_as_default=False) as client:
        run(out=tmp_path / "resumed", resume=True, cluster=client, watcher=recorder)
    assert recorder.calls[0] == (tmp_path / "resumed", [NAMES[1]], 3)
    assert same_for_all(results_in(tmp_path / "resumed")) == same_for_all(results_in(done))
    assert _files(tmp_path / "resumed") == _files(done)
    stopped = _run(*asked, "--trials", "1000000", "--out", str(tmp_path / "stopped"))
    cluster.wait_for_tasks(2)
    stopped.send_signal(signal.SIGINT)
    assert ended(stopped) == (130, "")
    assert results_in(tmp_path / "stopped")["layers"]
    lost = _run(*asked, "--trials", "30", "--out", str(tmp_path / "lost"))
    while not (tmp_path / "lost" / "results.json").exists():
        assert lost.poll() is None
        time.sleep(0.02)
    cluster.kill_scheduler_of(lost)
    saved = results_in(tmp_path / "lost")
    assert [layer["finished"] for layer in saved["layers"]] in ([True], [True, True])
    run(out=tmp_path / "lost", resume=True, jobs=1)
    run(layers, out=tmp_path / "calm", trials=30, sampler="tpe", jobs=1)
    assert same_for_all(results_in(tmp_path / "lost")) == same_for_all(results_in(tmp_path / "calm"))
    assert _files(tmp_path / "lost") == _files(tmp_path / "calm")
    resumed = {layer["name"]: layer for layer in results_in(tmp_path / "lost")["layers"]}
    assert all(resumed[layer["name"]] == layer for layer in saved["layers"])  # seconds too: it was not searched again


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--jobs", "2", "--cluster", "tcp://127.0.0.1:1"], "--jobs is of this host, and --cluster has its own workers; give one"),
        (["--cluster", "nowhere"], "--cluster: must be the address of a Dask scheduler, such as tcp://host:8786"),
        (["--cluster", "tcp://::1:8786"], "--cluster: must be the address of a Dask scheduler, such as tcp://host:8786"),
        (["--cluster", "tls://127.0.0.1:1"], "cluster tls://127.0.0.1:1: needs TLS certificates; Dask's configuration"),
    ],
)
def test_what_is_no_cluster_is_refused(layers: Path, words: list[str], told: str) -> None:
    """Processes of this host and workers elsewhere are two ways, and an address has its form: one line each."""
    status, line = ended(_run("--layer-set", str(layers), *words))
    assert status == 2
    assert told in line
    assert line.count("\n") == 1


def test_a_path_names_a_cluster_file(layers: Path, tmp_path: Path) -> None:
    """From Python a cluster file may be a path, as other files may."""
    (tmp_path / "c").write_text("kind: lokal\nworkers: 2\n")
    with pytest.raises(InputError, match=f"^{tmp_path}/c: kind must be 'local'"):
        run(layers, out=tmp_path / "run", cluster=tmp_path / "c")


@pytest.mark.nightly
def test_fifty_killed_workers_change_nothing(cluster: DaskCluster, tmp_path: Path) -> None:
    """While workers are killed at random 50 times, a run loses nothing: its files are those of a run without."""
    asked = ["--layer-set", "mobilenet", "--no-cache"]
    began = time.monotonic()
    assert ended(_run(*asked, "--out", str(tmp_path / "calm"))) == (0, "")
    between = (time.monotonic() - began) / 4  # or else, on a busy computer, no task would ever live to its end
    kills = 0
    for number in range(100):
        out = tmp_path / str(number)
        process = _run(*asked, "--cluster", cluster.address, "--out", str(out))
        kills += cluster.kill_workers_until(process, 50 - kills, seconds=between)
        assert ended(process) == (0, "")
        assert same_for_all(results_in(out)) == same_for_all(results_in(tmp_path / "calm"))
        assert _files(out) == _files(tmp_path / "calm")
        if kills == 50:
            break
    assert kills == 50
