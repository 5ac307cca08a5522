"""Dataflow templates from YAML files: `levels`, outermost first, each with its spatial dim and its loop order.

A level after the first also says how many units a cluster of the level above has: a number, a dim (its extent), or `any`.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict

from mapsearch.formats.complaint import validate
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.constraints import dim_of, load_constraints
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, show
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes

_KIND = "dataflow"


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


def load_dataflow(source: str | Path) -> Constraints:
    """The template of a shipped name or a file's path (a text with a suffix or a slash); raises InputError.

    Its orders and spatial dims are fixed; dims that an order leaves out stand innermost.
    """
    text, where = read_named(_KIND, source, Path())
    keys = validate(_DataflowKeys, parse_mapping(text, where, "name: my_dataflow"), where)
    if not keys.levels:
        raise InputError(f"{where}: levels must have at least one level, got []")
    rows = [_level_keys(row, index, f"{where}: level {index}") for index, row in enumerate(keys.levels)]
    clusters = [_cluster(row.cluster, f"{where}: level {index}") for index, row in enumerate(rows)]
    levels: list[LevelConstraints] = []
    for index, (row, cluster) in enumerate(zip(rows, [*clusters[1:], None], strict=True)):
        place = f"{where}: level {index}"
        named = [dim_of(word, place) for word in row.order]
        order = (*named, *(dim for dim in Dim if dim not in named))
        spatial = dim_of(row.spatial, place)
        try:
            levels.append(LevelConstraints(order, (spatial,), cluster=cluster))
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
    return Constraints(keys.name, keys.title, tuple(levels), where)


def load_held(dataflow: str | None, constraints: str | None, levels: int) -> tuple[Constraints, int]:
    """What mappings are held to by a template or by constraints (a name or a path each), and their levels; InputError for both.

    levels: of the mappings, where there is no template, which has its own.
    """
    if dataflow is not None and constraints is not None:
        raise InputError(f"dataflow {show(dataflow)} and constraints {show(constraints)} are given; a search takes one of the two")
    if dataflow is not None:
        held = load_dataflow(dataflow)
        return held, len(held.levels)
    return (load_constraints(constraints) if constraints is not None else Constraints()), levels


def _level_keys(row: object, index: int, place: str) -> _LevelKeys:
    if not isinstance(row, dict):
        raise InputError(f"{place}: must be a mapping such as {{spatial: K, order: [K, C]}}, got {show(row)}")
    level = validate(_LevelKeys, cast("dict[str, object]", row), place)
    if (level.cluster is None) != (index == 0):
        law = "the first level has no cluster" if index == 0 else "cluster is missing; give a number, a dim or any"
        raise InputError(f"{place}: {law}")
    return level


def classic_dataflows() -> list[Constraints]:
    """All shipped templates."""
    return [load_dataflow(name) for name in names()]


def _cluster(value: object, place: str) -> Sizes | Dim | None:
    if isinstance(value, str):
        return None if value == "any" else dim_of(value, place)
    if value is None:
        return None
    if type(value) is not int or value < 1:  # True is an int too
        raise InputError(f"{place}: cluster must be a whole number of at least 1, a dim or any, got {show(value)}")
    return Sizes.of(value)
