"""Tasks on the workers of a Dask cluster: the engine's contract, workers that die or differ, and a scheduler that ends."""

from __future__ import annotations

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from dask import config
from dask_cluster import DaskCluster, Fragile, dask_cluster
from distributed import Client

from mapsearch.model.errors import InputError
from mapsearch.search.cluster import connected
from mapsearch.search.engine import Engine, run_tasks
from mapsearch.testing import EngineContract
from mapsearch.testing.engines import Many


@pytest.fixture(scope="module", name="two_workers")
def cluster_of_two_workers(tmp_path_factory: pytest.TempPathFactory) -> Generator[DaskCluster]:
    """A scheduler with two workers."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        cluster.add_workers(2)
        yield cluster


class TestTwoWorkers(EngineContract):
    @pytest.fixture
    def engine(self, two_workers: DaskCluster) -> Generator[Engine]:
        with connected(two_workers.address) as engine:
            while engine.jobs < 2:
                time.sleep(0.1)
            yield engine


def test_the_task_of_a_dead_worker_is_repeated(two_workers: DaskCluster, tmp_path: Path) -> None:
    """A task whose worker is killed gives its result from another one, and a worker that died is replaced."""
    with connected(two_workers.address) as engine:
        assert list(run_tasks([Fragile(tmp_path, 1)], engine, None)) == [(0, 1)]


@pytest.mark.nightly
def test_a_task_that_outlives_many_workers_is_repeated(two_workers: DaskCluster, tmp_path: Path) -> None:
    """A scheduler gives a task up after four dead workers; it is repeated all the same, but not for ever."""
    (tmp_path / "ten").mkdir()
    (tmp_path / "all").mkdir()
    with connected(two_workers.address) as engine:
        assert list(run_tasks([Fragile(tmp_path / "ten", 10)], engine, None)) == [(0, 10)]
        with pytest.raises(InputError, match=r"^the workers of one task died again and again"):
            list(run_tasks([Fragile(tmp_path / "all", 10**6)], engine, None))


def test_workers_with_several_threads_are_refused(tmp_path: Path) -> None:
    """A worker that runs several tasks in one process is refused before anything is asked of it, and the right option named."""
    with dask_cluster(tmp_path) as cluster:
        cluster.add_workers(1, threads=3)
        with pytest.raises(InputError, match=r"has 3 threads, .* start workers with --nthreads 1"), connected(cluster.address):
            pass


def test_an_address_without_a_scheduler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nobody listens is one line."""
    monkeypatch.setattr("mapsearch.search.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(InputError, match=r"^cluster tcp://127.0.0.1:9: no scheduler answers there"), connected("tcp://127.0.0.1:9"):
        pass


def test_what_is_no_client_at_work_is_told(two_workers: DaskCluster) -> None:
    """A client that is closed, and what submits tasks but is none of Dask's, are one line each."""
    with cast("Any", Client)(two_workers.address, set_as_default=False) as client:
        pass
    for given in (client, ThreadPoolExecutor()):
        told = r"^cluster: must be a Dask client that is connected and not asynchronous, got <"
        with pytest.raises(InputError, match=told), connected(cast("Client", given)):
            pass


def test_certificates_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """The files of Dask's configuration are named before anybody waits for an answer."""
    files = {f"distributed.comm.tls.{key}": str(tmp_path / "no.pem") for key in ("ca-file", "client.cert", "client.key")}
    told = r"^cluster tls://127.0.0.1:9: the TLS certificates of Dask's configuration cannot be read: "
    with config.set(files), pytest.raises(InputError, match=told), connected("tls://127.0.0.1:9"):
        pass


def test_a_scheduler_that_ended_unseen_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the scheduler ends, and the client gives it up while an outcome is being saved, that is one line all the same."""
    monkeypatch.setattr("mapsearch.search.cluster.CONNECT_SECONDS", 2)
    with dask_cluster(tmp_path) as cluster:
        cluster.add_workers(1)
        with connected(cluster.address) as engine:
            outcomes = run_tasks(Many(1), engine, None)
            assert next(outcomes) == (0, 0)
            cluster.scheduler.kill()
            time.sleep(6)
            with pytest.raises(InputError, match="its scheduler has ended or cannot be reached"):
                next(outcomes)
