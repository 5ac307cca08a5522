"""The `trace:` of a tenant: rates of requests that change over time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.yaml.plain import Keys
from mapsearch.model.errors import InputError
from mapsearch.studies.serve.arrivals import Arrivals


class _DailyKeys(Keys):
    daily: list[Annotated[float, Field(ge=0)]]


_DAILY = TypeAdapter(_DailyKeys)


def arrivals_of(trace: dict[str, object], rate_per_s: float | None, folder: Path) -> Arrivals:  # noqa: ARG001 of files, later
    """The arrivals that a tenant's `trace:` states; rate_per_s: the tenant's, the mean of a day's shares. Raises InputError."""
    keys = checked(_DAILY, trace, "trace")
    if rate_per_s is None:
        raise InputError("rate_per_s is missing; it is the mean of the day whose shares trace: {daily: ...} gives")
    return Arrivals.daily(keys.daily, rate_per_s)
