"""Constraints from YAML files: `levels`, outermost first, each with what it fixes or bounds (docs/constraints.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from mapsearch.formats.complaint import validate
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, did_you_mean, show
from mapsearch.model.layer import MAX_EXTENT
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import WHOLE, Constraints, LevelConstraints, Sizes

_KIND = "constraints"
_DIMS = {dim.label: dim for dim in Dim}
_OTHERS = "..."


class _LevelKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    order: list[str] = []
    spatial: str | list[str] = []
    tiles: dict[str, object] = {}
    cluster: object = None


class _FileKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    title: str = ""
    source: str = ""
    levels: list[object]


class _RangeKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    min: int = 1
    max: int = MAX_EXTENT


def names() -> list[str]:
    """The shipped files' names."""
    return shipped(_KIND)


def load_constraints(source: str | Path) -> Constraints:
    """The constraints of a shipped name or a file's path (a text with a suffix or a slash); raises InputError."""
    text, where = read_named(_KIND, source, Path())
    keys = validate(_FileKeys, parse_mapping(text, where, "name: my_constraints"), where)
    if not keys.levels:
        raise InputError(f"{where}: levels must have at least one level, got []")
    levels = tuple(_level(row, f"{where}: level {index}") for index, row in enumerate(keys.levels))
    return Constraints(keys.name, keys.title, levels, where)


def constraints_to_dict(constraints: Constraints) -> dict[str, Any]:
    """The constraints as plain data of a file's keys: load_constraints gives back equal ones."""
    levels: list[dict[str, Any]] = []
    for level in constraints.levels:
        row: dict[str, Any] = {
            "order": [_OTHERS if dim is None else dim.label for dim in level.order],
            "spatial": [dim.label for dim in level.spatial],
            "tiles": {dim.label: _plain(sizes) for dim, sizes in level.tiles},
            "cluster": level.cluster.label if isinstance(level.cluster, Dim) else level.cluster and _plain(level.cluster),
        }
        levels.append({key: value for key, value in row.items() if value})
    return {"name": constraints.name, "title": constraints.title, "levels": levels}


def _plain(sizes: Sizes) -> object:
    if sizes.listed:
        return list(sizes.listed)
    if sizes == WHOLE:
        return "whole"
    return sizes.least if sizes.least == sizes.most else {"min": sizes.least, "max": sizes.most}


def dim_of(word: str, place: str) -> Dim:
    """The dim of a label; InputError, with the place, where there is none."""
    if word not in _DIMS:
        raise InputError(f"{place}: {show(word)} is no dim; the dims are {', '.join(_DIMS)}{did_you_mean(word, _DIMS)}")
    return _DIMS[word]


def _level(row: object, place: str) -> LevelConstraints:
    if not isinstance(row, dict):
        raise InputError(f"{place}: must be a mapping such as {{spatial: K, tiles: {{C: 8}}}}, or {{}}, got {show(row)}")
    keys = validate(_LevelKeys, cast("dict[str, object]", row), place)
    order = tuple(None if word == _OTHERS else dim_of(word, f"{place}: order") for word in keys.order)
    words = [keys.spatial] if isinstance(keys.spatial, str) else keys.spatial
    spatial = tuple(dim_of(word, f"{place}: spatial") for word in words)
    tiles = {
        dim_of(word, f"{place}: tiles"): _sizes(value, f"{place}: tiles: {word}", "whole") for word, value in keys.tiles.items()
    }
    cluster = _cluster(keys.cluster, f"{place}: cluster")
    try:
        return LevelConstraints(order, spatial, tuple(sorted(tiles.items())), cluster)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _cluster(value: object, place: str) -> Sizes | Dim | None:
    if value is None or (isinstance(value, str) and value in _DIMS):
        return None if value is None else _DIMS[value]
    return _sizes(value, place, "a dim")


def _sizes(value: object, place: str, word: str) -> Sizes:
    """Sizes as a file states them; word: what else than numbers may stand there."""
    if value == word == "whole":
        return WHOLE
    if _is_size(value):
        return Sizes.of(cast("int", value))
    if isinstance(value, dict):
        return _range(cast("dict[str, object]", value), place)
    if _is_list_of_sizes(value):
        return Sizes.of(*cast("list[int]", value))
    law = f"must be a whole number from 1 to {MAX_EXTENT}, {word}, a list of numbers such as [2, 4] or a range such as"
    raise InputError(f"{place}: {law} {{min: 2, max: 8}}, got {show(value)}")


def _is_size(value: object) -> bool:
    return type(value) is int and 1 <= value <= MAX_EXTENT  # True is an int too


def _is_list_of_sizes(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(_is_size(each) for each in cast("list[object]", value))


def _range(value: dict[str, object], place: str) -> Sizes:
    keys = validate(_RangeKeys, value, place)
    for what, size in (("min", keys.min), ("max", keys.max)):
        if not _is_size(size):
            raise InputError(f"{place}: {what} must be from 1 to {MAX_EXTENT}, got {show(size)}")
    if keys.min > keys.max:
        raise InputError(f"{place}: min must be at most max, got min {keys.min} and max {keys.max}")
    return Sizes(keys.min, keys.max)
