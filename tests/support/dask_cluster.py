"""A Dask scheduler and workers as processes of their own, on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from mapsearch.search.progress import Tick

_DASK = [sys.executable, "-m", "dask"]


class DaskCluster:
    """A scheduler, and workers under nannies, which start a worker anew when it dies."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self._folder, self._held = folder, held
        file = folder / "scheduler.json"
        words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
        self.scheduler = self._started(*words, "--scheduler-file", str(file))
        while not file.exists() or not file.read_text():
            time.sleep(0.05)
        self.address = str(json.loads(file.read_text())["address"])

    def add_workers(self, number: int, threads: int = 1) -> None:
        """Start workers."""
        words = [
            "worker",
            self.address,
            "--nthreads",
            str(threads),
            "--nworkers",
            str(number),
            "--dashboard-address",
            "127.0.0.1:0",
        ]
        self._started(*words, "--local-directory", str(self._folder))

    def wait_for_tasks(self, number: int) -> None:
        """Wait until so many tasks are running."""
        with self._client() as client:
            while sum(len(keys) for keys in client.processing().values()) < number:
                time.sleep(0.05)
        time.sleep(1)  # so that each has found something

    def kill_scheduler_of(self, process: subprocess.Popen[str]) -> None:
        """Kill the scheduler: the process that uses it must end with one line that says so."""
        self.scheduler.kill()
        status, told = ended(process)
        assert status == 2
        assert told.count("\n") == 1
        assert f"cluster {self.address}: its scheduler has ended or cannot be reached; what was found is saved" in told

    def kill_workers_until(self, process: subprocess.Popen[str], most: int, seconds: float = 2.0) -> int:
        """Kill workers, one at a time and at random, while the process runs; returns how many, at most `most`.

        seconds: between one and the next, at the most.
        """
        rng, kills = Random(most), 0  # noqa: S311 no secret
        with self._client() as client:
            while process.poll() is None and kills < most:
                time.sleep(rng.uniform(0.2, seconds))
                pids = list(client.run(os.getpid, on_error="ignore").values())
                if pids and process.poll() is None:
                    os.kill(rng.choice(pids), signal.SIGKILL)
                    kills += 1
        return kills

    @contextmanager
    def _client(self) -> Generator[Any]:
        from distributed import Client  # noqa: PLC0415 takes time

        with cast("Any", Client)(self.address, set_as_default=False) as client:
            yield client

    def _started(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OPENBLAS_NUM_THREADS": "1"}  # where tests' jobs are
        silent = subprocess.DEVNULL
        process = subprocess.Popen([*_DASK, *words], stdout=silent, stderr=silent, env=environment, cwd=self._folder)  # noqa: S603 our own
        self._held.callback(process.wait)
        self._held.callback(process.terminate)
        return process


@dataclass(frozen=True)
class Fragile:
    """A job that kills its worker until that has happened a number of times, each of which a file in a folder shows."""

    folder: Path
    deaths: int

    def prepare(self) -> None:
        """Nothing to prepare."""

    def run(self, tick: Tick) -> int:
        """See `mapsearch.search.engine.Job`."""
        tick(1)
        died = len(list(self.folder.iterdir()))
        if died < self.deaths:
            (self.folder / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return died


def started(*words: str, path: str = "") -> subprocess.Popen[str]:
    """A command of mapsearch under way; path: where Python looks for packages first."""
    command = [sys.executable, "-m", "mapsearch", *words]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)  # noqa: S603 our own


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a command, once it has ended, and what it told on standard error."""
    _, told = process.communicate()
    return process.returncode, told


def other_version(package: str, folder: Path) -> str:
    """A path by which Python sees version 0.1 of the package, but imports it as before."""
    told = folder / f"{package}-0.1.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
    return str(folder)


@pytest.fixture(name="cluster")
def cluster_of_two_workers(tmp_path_factory: pytest.TempPathFactory) -> Generator[DaskCluster]:
    """A scheduler with two workers."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        cluster.add_workers(2)
        yield cluster


@contextmanager
def dask_cluster(folder: Path) -> Generator[DaskCluster]:
    """A cluster without workers yet; its files go to the folder."""
    with ExitStack() as held:
        yield DaskCluster(folder, held)
