"""The engine that a study's settings ask for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from mapsearch.formats.yaml.clusters import load_cluster
from mapsearch.model.extras import require
from mapsearch.search.engine import Engine
from mapsearch.search.processes import Processes, usable_cores
from mapsearch.studies.declared import is_cluster_file

if TYPE_CHECKING:
    from distributed import Client

ClusterSource: TypeAlias = "str | PathLike[str] | Client"  # a scheduler's address or a cluster file, or a client


@contextmanager
def engine_of(jobs: int | None, cluster: ClusterSource | None, *packages: str) -> Generator[Engine]:
    """Processes of this host, one a core by default, or the workers of a Dask cluster.

    packages: on whose versions the results depend, besides those of every search.
    """
    if cluster is None:
        yield Processes(jobs or usable_cores())
        return
    require("a cluster", "cluster", "distributed")
    from mapsearch.search.cluster import connected  # noqa: PLC0415 takes time, and may lack its package
    from mapsearch.studies.deployed import deployed  # noqa: PLC0415 likewise

    with (
        deployed(Path(cluster)) if is_cluster_file(cluster) else nullcontext(cast("str | Client", cluster)) as there,
        connected(there, *packages) as engine,
    ):
        yield engine


def jobs_of(jobs: int | None, cluster: ClusterSource | None) -> int:
    """The tasks that the engine runs at the same time; the workers of a cluster file are not started."""
    if is_cluster_file(cluster):
        return load_cluster(Path(cluster)).workers
    with engine_of(jobs, cluster) as engine:
        return engine.jobs
