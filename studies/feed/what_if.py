"""What it takes to end a stall, in closed form: cores, the size of the cache, the speed of the storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar

from mapsearch.formats.yaml.pipelines import GB, MB, Pipeline, Storage
from mapsearch.model.plain import Plain
from mapsearch.studies.feed.rates import Rates, share_for

_ROUNDING = 1e-9  # of quotients of rates


@dataclass(frozen=True, slots=True)
class Needed(Plain):
    """How much of something hides a stage behind the others; needed: None where no amount does, and `why`.

    throughput_per_s: with as much as is needed.
    """

    unit: str
    now: float
    needed: float | None
    throughput_per_s: float
    why: str | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"why"})


def cores(pipeline: Pipeline, _storage: Storage, rates: Rates, _hits: float) -> Needed:
    """The cores that prepare as fast as the accelerators take."""
    needed = ceil(rates.accelerator / pipeline.samples_per_s_core * (1 - _ROUNDING))
    prepared = replace(rates, prep=needed * pipeline.samples_per_s_core)
    return Needed("cores", pipeline.cores, needed, prepared.throughput)


def cache(pipeline: Pipeline, storage: Storage, rates: Rates, _hits: float) -> Needed:
    """The size of the cache at which the fetch keeps up with the other stages, after the first epoch."""
    wanted = rates.without_fetch
    now = pipeline.cache.bytes / GB
    own_s, stored_s = 1 / pipeline.cache.bytes_per_s, 1 / storage.bytes_per_s  # a byte
    most_s = 1 / (wanted * pipeline.sample_bytes)
    if stored_s <= most_s * (1 + _ROUNDING):
        return Needed("GB", now, 0.0, wanted)
    if pipeline.cache.policy == "none":
        return Needed("GB", now, None, rates.throughput, "the pipeline has no cache")
    if own_s > most_s * (1 + _ROUNDING):
        return Needed("GB", now, None, rates.throughput, f"the cache itself would need {1 / (most_s * MB):,.4g} MB/s")
    share = share_for(pipeline.cache.policy, min(1.0, (stored_s - most_s) / (stored_s - own_s)))
    return Needed("GB", now, share * pipeline.bytes / GB, wanted)


def storage(pipeline: Pipeline, storage: Storage, rates: Rates, hits: float) -> Needed:
    """The speed of the storage at which the fetch keeps up with the other stages, after the first epoch."""
    wanted, now = rates.without_fetch, storage.bytes_per_s / MB
    left_s = 1 / (wanted * pipeline.sample_bytes) - hits / pipeline.cache.bytes_per_s
    if left_s <= 0:
        return Needed("MB/s", now, None, rates.throughput, "the cache alone is too slow")
    return Needed("MB/s", now, (1 - hits) / left_s / MB, wanted)


QUESTIONS: dict[str, Callable[[Pipeline, Storage, Rates, float], Needed]] = {"cache": cache, "cores": cores, "storage": storage}
