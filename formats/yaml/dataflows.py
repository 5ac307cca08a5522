"""Dataflow templates from YAML files: `levels`, outermost first, each with its spatial dim and its loop order.

Each level after the first also gives the size of the Cluster above it: a number, a dim (its extent), or `any`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.constraints import DimLabel, Size, load_constraints
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.model.errors import InputError, show
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes

_KIND = "dataflow"


class _LevelKeys(Keys):
    spatial: DimLabel
    order: list[DimLabel]
    cluster: Size | Literal["any"] | DimLabel | None = None


class _FileKeys(Keys):
    name: str
    title: str = ""
    source: str = ""
    levels: Annotated[list[_LevelKeys], Field(min_length=1)]


_FILE = TypeAdapter(_FileKeys)


def names() -> list[str]:
    """The shipped templates' names."""
    return shipped(_KIND)


def load_dataflow(source: str | Path) -> Constraints:
    """The template with a shipped name or in a file (a path has a suffix or a slash); raises InputError.

    Its orders and spatial dims are fixed; dims that an order leaves out stand innermost.
    """
    text, where = read_named(_KIND, source, Path())
    keys = checked(_FILE, parse_mapping(text, where, "name: my_dataflow"), where)
    inner = [_cluster(row, index, f"{where}: level {index}") for index, row in enumerate(keys.levels)]
    levels: list[LevelConstraints] = []
    for index, (row, cluster) in enumerate(zip(keys.levels, [*inner[1:], None], strict=True)):
        order = (*row.order, *(dim for dim in Dim if dim not in row.order))
        try:
            levels.append(LevelConstraints(order, (row.spatial,), cluster=cluster))
        except InputError as error:
            raise InputError(f"{where}: level {index}: {error}") from None
    return Constraints(keys.name, keys.title, tuple(levels), where)


def load_held(dataflow: str | None, constraints: str | None, levels: int) -> tuple[Constraints, int]:
    """The constraints of a template or of a constraint file (names or paths), and the mappings' levels; InputError for both.

    levels: the levels of mappings without a template; a template has its own.
    """
    if dataflow is not None and constraints is not None:
        raise InputError(f"dataflow {show(dataflow)} and constraints {show(constraints)} are given; a search takes one of the two")
    if dataflow is not None:
        held = load_dataflow(dataflow)
        return held, len(held.levels)
    return (load_constraints(constraints) if constraints is not None else Constraints()), levels


def classic_dataflows() -> list[Constraints]:
    """All shipped templates."""
    return [load_dataflow(name) for name in names()]


def _cluster(keys: _LevelKeys, index: int, place: str) -> Sizes | Dim | None:
    """The size of the Cluster above a level."""
    if (keys.cluster is None) != (index == 0):
        law = "the first level has no cluster" if index == 0 else "cluster is missing; give a number, a dim or any"
        raise InputError(f"{place}: {law}")
    match keys.cluster:
        case None | "any":
            return None
        case Dim():
            return keys.cluster
        case size:
            return Sizes.of(size)
