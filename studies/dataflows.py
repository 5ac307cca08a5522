"""Dataflow templates from YAML files: `levels`, outermost first, each with its spatial dim and its loop order.

A level after the first also says how many units a cluster of the level above has: a number, a dim (its extent), or `any`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from mapsearch.model.errors import InputError, did_you_mean
from mapsearch.model.layer import Dim
from mapsearch.spaces.dataflow import Dataflow, TemplateLevel
from mapsearch.studies.yaml_files import parse_mapping, read_named, shipped, show, validate

_KIND = "dataflow"
_DIMS = {dim.label: dim for dim in Dim}


class _LevelKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    spatial: str
    order: list[str]
    cluster: object = None


class _DataflowKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    title: str = ""
    source: str = ""
    levels: list[object]


def names() -> list[str]:
    """The shipped templates' names."""
    return shipped(_KIND)


def load_dataflow(source: str | Path) -> Dataflow:
    """The template of a shipped name or a file's path (a text with a suffix or a slash); raises InputError."""
    text, where = read_named(_KIND, source, Path())
    keys = validate(_DataflowKeys, parse_mapping(text, where, "name: my_dataflow"), where)
    if not keys.levels:
        raise InputError(f"{where}: levels must have at least one level, got []")
    levels: list[TemplateLevel] = []
    clusters: list[int | Dim | None] = []
    for index, row in enumerate(keys.levels):
        place = f"{where}: level {index}"
        if not isinstance(row, dict):
            raise InputError(f"{place}: must be a mapping such as {{spatial: K, order: [K, C]}}, got {show(row)}")
        level = validate(_LevelKeys, cast("dict[str, object]", row), place)
        if (level.cluster is None) != (index == 0):
            law = "the first level has no cluster" if index == 0 else "cluster is missing; give a number, a dim or any"
            raise InputError(f"{place}: {law}")
        if level.cluster is not None:
            clusters.append(_cluster(level.cluster, place))
        levels.append(TemplateLevel(_dim(level.spatial, place), tuple(_dim(word, place) for word in level.order)))
    try:
        return Dataflow(keys.name, keys.title, tuple(levels), tuple(clusters))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def dataflow_to_dict(dataflow: Dataflow) -> dict[str, Any]:
    """The template as plain data of a file's keys: load_dataflow gives back an equal one."""
    levels: list[dict[str, Any]] = [
        {"spatial": level.spatial.label, "order": [dim.label for dim in level.order]} for level in dataflow.levels
    ]
    for level, cluster in zip(levels[1:], dataflow.clusters, strict=True):
        level["cluster"] = "any" if cluster is None else cluster.label if isinstance(cluster, Dim) else cluster
    return {"name": dataflow.name, "title": dataflow.title, "levels": levels}


def classic_dataflows() -> list[Dataflow]:
    """All shipped templates."""
    return [load_dataflow(name) for name in names()]


def _dim(word: str, place: str) -> Dim:
    if word not in _DIMS:
        raise InputError(f"{place}: {show(word)} is no dim; the dims are {', '.join(_DIMS)}{did_you_mean(word, _DIMS)}")
    return _DIMS[word]


def _cluster(value: object, place: str) -> int | Dim | None:
    if isinstance(value, str):
        return None if value == "any" else _dim(value, place)
    if type(value) is not int or value < 1:  # True is an int too
        raise InputError(f"{place}: cluster must be a whole number of at least 1, a dim or any, got {show(value)}")
    return value
