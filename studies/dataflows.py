"""Dataflow templates from YAML files: `levels`, outermost first, each with its spatial dim and its loop order.

A level after the first also says how many units a cluster of the level above has: a number, a dim (its extent), or `any`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mapsearch.model.errors import InputError
from mapsearch.model.layer import Dim
from mapsearch.spaces.dataflow import Dataflow, TemplateLevel
from mapsearch.studies.yaml_files import did_you_mean, parse_mapping, read_named, shipped, show, validate

_KIND = "dataflow"
_DIMS = {dim.label: dim for dim in Dim}


class _LevelKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    spatial: str
    order: list[str]
    cluster: int | str | None = None


class _DataflowKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    title: str = ""
    source: str = ""
    levels: list[object] = Field(min_length=1)


def names() -> list[str]:
    """The shipped templates' names."""
    return shipped(_KIND)


def load_dataflow(source: str | Path) -> Dataflow:
    """The template of a shipped name or a file's path (a text with a suffix or a slash); raises InputError."""
    text, where = read_named(_KIND, source, Path())
    keys = validate(_DataflowKeys, parse_mapping(text, where, "name: my_dataflow"), where)
    levels: list[TemplateLevel] = []
    clusters: list[int | Dim | None] = []
    for index, row in enumerate(keys.levels):
        place = f"{where}: level {index}"
        if not isinstance(row, dict):
            raise InputError(f"{place}: must be a mapping such as {{spatial: K, order: [K, C]}}, got {show(row)}")
        level = validate(_LevelKeys, row, place)
        if (level.cluster is None) != (index == 0):
            law = "the first level has no cluster" if index == 0 else "cluster is missing; give a number, a dim or any"
            raise InputError(f"{place}: {law}")
        if level.cluster is not None:
            clusters.append(_cluster(level.cluster, place))
        levels.append(TemplateLevel(_dim(level.spatial, place), tuple(_dim(word, place) for word in level.order)))
    return Dataflow(keys.name, keys.title, tuple(levels), tuple(clusters))


def classic_dataflows() -> list[Dataflow]:
    """All shipped templates."""
    return [load_dataflow(name) for name in names()]


def _dim(word: str, place: str) -> Dim:
    if word not in _DIMS:
        raise InputError(f"{place}: {show(word)} is no dim; the dims are {', '.join(_DIMS)}{did_you_mean(word, _DIMS)}")
    return _DIMS[word]


def _cluster(value: int | str, place: str) -> int | Dim | None:
    if isinstance(value, str):
        return None if value == "any" else _dim(value, place)
    if value < 1:
        raise InputError(f"{place}: cluster must be at least 1, got {value}")
    return value
