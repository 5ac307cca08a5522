"""Results read back from results.json, or one line about the first error in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from mapsearch.model.errors import InputError, show
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.spaces.machines.space import KINDS
from mapsearch.studies.results import LayerResult, RunResults

_Kind = TypeVar("_Kind")


def read_results(data: Mapping[str, Any], where: Path, hint: str) -> RunResults:
    """The results of a results.json; InputError, which ends with the hint, with the first error in it."""
    layers, found = data.get("layers"), data.get("co_design")
    named = [*map(_named, cast("list[object]", layers))] if isinstance(layers, list) else layers
    if isinstance(found, dict):
        machines = cast("dict[str, Any]", found)
        front = machines.get("front")
        gathered = [*map(_gathered, cast("list[object]", front))] if isinstance(front, list) else front
        found = {**machines, "best": _gathered(machines.get("best")), "front": gathered}
    results = _checked(TypeAdapter(RunResults), {**data, "layers": named, "co_design": found}, where, hint)
    if results.network is not None and results.layers:
        _check_points(results.network.points, results.layers, where)
    return results


def read_layers(data: Mapping[str, Any], where: Path, hint: str) -> list[LayerResult]:
    """The rows of layers in a results.json; rows of an earlier version, which lack some keys, are left out."""
    layers = data.get("layers")
    if not isinstance(layers, list):
        raise InputError(f"{where}: layers must be a list, got {show(layers)}; {hint}")
    whole = [_named(row) for row in cast("list[object]", layers) if _is_of_now(row)]
    return _checked(TypeAdapter(list[LayerResult]), whole, where, hint, ("layers",))


def _is_of_now(row: object) -> bool:
    """Whether a row has all keys, and its metrics too if they count words; other shapes are left to the check of them."""
    if not isinstance(row, dict):
        return True
    known = cast("dict[str, Any]", row)
    metrics: dict[str, Any] = known["metrics"] if isinstance(known.get("metrics"), dict) else {}
    counted = "array_cycles" not in metrics or _needed(CountedEvaluation) - {"layer"} <= metrics.keys()
    return _needed(LayerResult) <= known.keys() and counted


def _needed(kind: type[LayerResult | CountedEvaluation]) -> set[str]:
    """The names of the fields that are never left out."""
    return {field.name for field in fields(kind)} - kind.optional


def _named(row: object) -> object:
    """A layer's row with its name in its metrics."""
    if not isinstance(row, dict):
        return row
    known = cast("dict[str, Any]", row)
    if not isinstance(known.get("metrics"), dict):
        return known
    return {**known, "metrics": {"layer": known.get("name"), **known["metrics"]}}


def _not_finite(data: object, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], float]]:
    """The places of numbers in plain data that are not finite, which JSON cannot express."""
    match data:
        case float() if not isfinite(data):
            yield place, data
        case dict():
            for key, value in cast("dict[str, object]", data).items():
                yield from _not_finite(value, (*place, key))
        case list():
            for number, value in enumerate(cast("list[object]", data)):
                yield from _not_finite(value, (*place, number))
        case _:
            pass


def _checked(kind: TypeAdapter[_Kind], data: object, path: Path, hint: str, within: tuple[str, ...] = ()) -> _Kind:
    for where, value in _not_finite(data, within):
        raise InputError(f"{path}: {'.'.join(map(str, where))} must be a finite number, got {value}; {hint}")
    try:
        return kind.validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in (*within, *first["loc"]))
    law = (
        "is missing"
        if first["type"] == "missing"
        else f"{first['msg'].replace('Input should', 'must')}, got {show(first['input'])}"
    )
    raise InputError(f"{path}: {place} {law}; {hint}")


def _check_points(points: Sequence[int], layers: Sequence[LayerResult], path: Path) -> None:
    if len(points) != len(layers) or any(point > len(layer.front) for point, layer in zip(points, layers, strict=True)):
        raise InputError(f"{path}: network.points must number a point of each layer's front, got {show(list(points))}")


def _gathered(data: object) -> object:
    """A machine's plain data, with the axes' values, the objectives and the lower bounds each collected under one key."""
    if not isinstance(data, dict):
        return data
    row = cast("dict[str, Any]", data)
    together: dict[str, Any] = {key: value for key, value in row.items() if not key.startswith(("objective", "lower_bound"))}
    values = {key: value for key, value in row.items() if key in KINDS}
    for name in ("objective", "lower_bound"):
        together[f"{name}s"] = [value for key, value in row.items() if key == name or key.startswith(f"{name}_")]
    return {**together, "values": values}
