"""Constraints from YAML files: `levels`, outermost first, with the choices that each fixes or bounds (docs/constraints.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from mapsearch.formats.complaint import checked
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.model.errors import InputError
from mapsearch.model.layer import MAX_EXTENT
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import WHOLE, Constraints, LevelConstraints, Sizes

_KIND = "constraints"
_DIMS = {dim.label: dim for dim in Dim}
_OTHERS = "..."


def _to_dim(word: object) -> Dim:
    if not isinstance(word, str) or word not in _DIMS:
        raise PydanticCustomError("one_of", "must be one of {names}", {"names": ", ".join(_DIMS)})
    return _DIMS[word]


def _to_place(word: object) -> Dim | None:
    return None if word == _OTHERS else _to_dim(word)


# The values in such files: a dim by its label, a size, or all of a dim.
DimLabel = Annotated[Dim, BeforeValidator(_to_dim)]
Size = Annotated[int, Field(ge=1, le=MAX_EXTENT)]
Whole = Literal["whole"]


class _Range(Keys):
    min: Size = 1
    max: Size = MAX_EXTENT

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError("range", "must have a min of at most its max")
        return self


_Sizes = Size | Annotated[list[Size], Field(min_length=1, examples=["[2, 4]"])] | _Range


class _LevelKeys(Keys):
    order: list[Annotated[Dim | None, BeforeValidator(_to_place)]] = []
    spatial: DimLabel | list[DimLabel] = []
    tiles: dict[DimLabel, _Sizes | Whole] = {}
    cluster: _Sizes | DimLabel | None = None


class _FileKeys(Keys):
    name: str
    title: str = ""
    source: str = ""
    levels: Annotated[list[_LevelKeys], Field(min_length=1)]


_FILE = TypeAdapter(_FileKeys)


def names() -> list[str]:
    """The shipped files' names."""
    return shipped(_KIND)


def load_constraints(source: str | Path) -> Constraints:
    """The constraints with a shipped name or in a file (a path has a suffix or a slash); raises InputError."""
    text, where = read_named(_KIND, source, Path())
    keys = checked(_FILE, parse_mapping(text, where, "name: my_constraints"), where)
    levels = tuple(_level(row, f"{where}: level {index}") for index, row in enumerate(keys.levels))
    return Constraints(keys.name, keys.title, levels, where)


def constraints_to_dict(constraints: Constraints) -> dict[str, Any]:
    """The constraints as the keys of a file, from which load_constraints makes equal ones."""
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


def _level(keys: _LevelKeys, place: str) -> LevelConstraints:
    spatial = tuple(keys.spatial) if isinstance(keys.spatial, list) else (keys.spatial,)
    tiles = tuple(sorted((dim, WHOLE if sizes == "whole" else _sizes(sizes)) for dim, sizes in keys.tiles.items()))
    cluster = keys.cluster if keys.cluster is None or isinstance(keys.cluster, Dim) else _sizes(keys.cluster)
    try:
        return LevelConstraints(tuple(keys.order), spatial, tiles, cluster)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _sizes(given: int | list[int] | _Range) -> Sizes:
    match given:
        case _Range():
            return Sizes(given.min, given.max)
        case int():
            return Sizes.of(given)
        case _:
            return Sizes.of(*given)
