"""Cluster files: the workers that a study starts for itself, here or by a batch system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.text import read_text
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.model.errors import InputError

Kind = Literal["local", "htcondor", "lsf", "moab", "oar", "pbs", "sge", "slurm"]


class ClusterKeys(Keys):
    """A cluster to start; kind: `local`, or a batch system whose class in dask-jobqueue takes the options."""

    kind: Kind
    workers: Annotated[int, Field(ge=1, le=10**5)]
    options: dict[str, Any] = {}


_FILE = TypeAdapter(ClusterKeys)


def load_cluster(path: Path) -> ClusterKeys:
    """The cluster in a file; raises InputError."""
    keys = checked(_FILE, parse_mapping(read_text(path, "cluster file"), str(path), "kind: local"), str(path))
    if keys.kind == "local" and keys.options:
        raise InputError(f"{path}: options are of a batch system, and kind local has none; leave them out")
    return keys
