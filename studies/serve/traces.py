"""The `trace:` of a tenant: rates of requests that change over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.traces import MILAN_BIN_S, Counts, read_milan, read_table, seconds_of
from mapsearch.formats.yaml.plain import Keys
from mapsearch.model.errors import InputError
from mapsearch.studies.serve.arrivals import Arrivals
from mapsearch.studies.serve.profile import CellGroups, cell_groups


class _DailyKeys(Keys):
    daily: list[Annotated[float, Field(ge=0)]]


class _FileKeys(Keys):
    """time, zone: of a plain table; cells, groups: of Milan's form."""

    file: Annotated[str, Field(min_length=1)]
    format: Literal["table", "milan"] = "table"
    time: str | None = None
    value: str | None = None
    zone: str | None = None
    cells: Annotated[list[int], Field(min_length=1)] | None = None
    groups: Annotated[int, Field(ge=1, le=1000)] | None = None
    bin: str | None = None
    requests_per_unit: Annotated[float, Field(gt=0)] = 1.0


_DAILY, _FILE = TypeAdapter(_DailyKeys), TypeAdapter(_FileKeys)
_ONLY = {"table": ("time", "zone"), "milan": ("cells", "groups")}


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Arrivals whose rate changes over time; groups: of a file's cells, where they are asked for."""

    arrivals: Arrivals
    groups: CellGroups | None = None


def trace_of(trace: dict[str, object], rate_per_s: float | None, folder: Path) -> Trace:
    """The trace that a tenant's `trace:` states; rate_per_s: the tenant's, the mean of a day's shares. Raises InputError.

    folder: of relative paths.
    """
    if "daily" in trace:
        if rate_per_s is None:
            raise InputError("rate_per_s is missing; it is the mean of the day whose shares trace: {daily: ...} gives")
        return Trace(Arrivals.daily(checked(_DAILY, trace, "trace").daily, rate_per_s))
    if "file" not in trace:
        raise InputError("trace must have daily, with 24 shares of a day, or file")
    keys = checked(_FILE, trace, "trace")
    if rate_per_s is not None:
        raise InputError("rate_per_s must be left out where trace names a file; requests_per_unit scales what that gives")
    counts = _counts(keys, folder / keys.file)
    if not counts.numbers.any():
        raise InputError(f"trace: {keys.file} holds no demand, only 0")
    numbers = keys.requests_per_unit * counts.numbers.sum(axis=0)
    arrivals = Arrivals.binned(numbers, counts.bin_s, counts.begins)
    return Trace(arrivals, None if keys.groups is None else cell_groups(counts, keys.requests_per_unit, keys.groups, seed=0))


def _counts(keys: _FileKeys, path: Path) -> Counts:
    for form, names in _ONLY.items():
        given = next((name for name in names if form != keys.format and getattr(keys, name) is not None), None)
        if given is not None:
            raise InputError(f"trace: {given} is of format {form}, and the format here is {keys.format}; leave it out")
    bin_s = None if keys.bin is None else seconds_of(keys.bin, "trace: bin")
    if keys.format == "milan":
        return read_milan(path, keys.value or "internet", keys.cells, bin_s or MILAN_BIN_S)
    return read_table(path, keys.time or "time", keys.value or "requests", bin_s, keys.zone)
