"""The engine that a study's settings ask for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from mapsearch.model.extras import require
from mapsearch.search.engine import Engine
from mapsearch.search.processes import Processes, usable_cores

if TYPE_CHECKING:
    from distributed import Client

ClusterSource: TypeAlias = "str | Client"


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

    with connected(cluster, *packages) as engine:
        yield engine
