"""Workers that a study starts for itself, as a cluster file describes them, and ends with it."""

from __future__ import annotations

import atexit
import logging
import shutil
import signal
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from mapsearch.formats.yaml.clusters import ClusterKeys, Kind, load_cluster
from mapsearch.model.errors import InputError
from mapsearch.model.extras import require

_LOG = logging.getLogger(__name__)
_CLASSES: dict[Kind, str] = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}


@contextmanager
def deployed(path: Path) -> Generator[str]:
    """The address of a scheduler in this process, once the first of a file's workers has come; InputError where none can."""
    keys = load_cluster(path)
    cluster = _local(keys) if keys.kind == "local" else _queued(keys, str(path))
    try:
        _check_submitted(cluster, str(path))
        _LOG.info("%d workers of kind %s are asked for; the run begins with the first", keys.workers, keys.kind)
        cluster.wait_for_workers(1)
        yield str(cluster.scheduler_address)
    finally:
        with suppress(Exception):  # nothing is to be lost for want of an orderly end
            cluster.close(timeout=10)


def _local(keys: ClusterKeys) -> Any:  # noqa: ANN401 it has no types
    from dask import config  # noqa: PLC0415 takes time
    from distributed import LocalCluster  # noqa: PLC0415
    from distributed.deploy.spec import close_clusters  # noqa: PLC0415

    try:
        with config.set({"distributed.worker.profile.enabled": False}):  # it takes 3 % of a core, and sees no kernels
            return cast("Any", LocalCluster)(
                n_workers=keys.workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",  # any port that is free, for this computer alone
                silence_logs=logging.CRITICAL,
                preload="import os; os.setpgrp()",  # so that a terminal's Ctrl-C is for the run alone
            )
    except KeyboardInterrupt:  # what is half there would be told of with tracebacks; its workers end with us
        atexit.unregister(close_clusters)
        logging.getLogger("asyncio").setLevel("CRITICAL")
        raise


def _queued(keys: ClusterKeys, where: str) -> Any:  # noqa: ANN401 it has no types
    """The cluster of a batch system, whose jobs are submitted."""
    require(f"{where}: kind {keys.kind}", "cluster", "dask_jobqueue")
    own = signal.getsignal(signal.SIGINT)
    kind: Any = getattr(import_module("dask_jobqueue"), _CLASSES[keys.kind])
    signal.signal(signal.SIGINT, own)  # which the import has taken, to leave at once
    command = kind.job_cls.submit_command.split()[0]
    if shutil.which(command) is None:
        raise InputError(f"{where}: kind {keys.kind} needs the command {command}, which is not found here")
    processes = keys.options.get("processes", keys.options.get("cores", 1))
    try:
        with warnings.catch_warnings(action="ignore"):  # where the dashboard has not its usual port
            cluster = kind(**{"cores": processes, **keys.options, "processes": processes, "silence_logs": "CRITICAL"})
    except (TypeError, ValueError, OSError) as error:
        raise InputError(f"{where}: options: {' '.join(str(error).split())}") from None

    cluster.scale(keys.workers)
    return cluster


def _check_submitted(cluster: Any, where: str) -> None:  # noqa: ANN401 it has no types
    """Raise InputError where a job is refused."""

    async def ready() -> None:
        await cluster
        for job in cluster.workers.values():  # one that is refused is tried again, and tells why
            await job

    logging.getLogger("asyncio").setLevel("CRITICAL")  # which would tell of each such job too
    try:
        cluster.sync(ready)
    except RuntimeError as error:
        raise InputError(f"{where}: the jobs are refused: {' '.join(str(error).split())}") from None
