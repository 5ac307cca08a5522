"""The rates of a pipeline's four stages in closed form, and the stalls between them; rates are samples a second.

All stages work at the same time, with as much prefetched as they can take, so the slowest one gives the throughput.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import exp, log
from typing import Any

from mapsearch.formats.yaml.pipelines import Cache, Pipeline, Policy
from mapsearch.model.errors import InputError
from mapsearch.model.extras import require
from mapsearch.model.plain import Plain


@dataclass(frozen=True, slots=True)
class Rates(Plain):
    """What each stage can do by itself: all accelerators, all cores, storage with the cache, and the link."""

    accelerator: float
    prep: float
    fetch: float
    link: float

    @property
    def throughput(self) -> float:
        """The rate of the slowest stage."""
        return min(self.accelerator, self.prep, self.fetch, self.link)

    @property
    def without_accelerator(self) -> float:
        """The rate of the slowest other stage: what is brought to the accelerators at the most."""
        return min(self.prep, self.fetch, self.link)

    @property
    def without_fetch(self) -> float:
        """The rate of the slowest stage but the fetch."""
        return min(self.accelerator, self.prep, self.link)

    @property
    def bound_by(self) -> str:
        """The slowest stage, the accelerator before others."""
        return min((field.name for field in fields(self)), key=lambda name: getattr(self, name))


@dataclass(frozen=True, slots=True)
class Stall(Plain):
    """The shares of an epoch in which accelerators wait, as DS-Analyzer tells them apart.

    prep: for preparation or the link, were all samples cached; fetch: in addition for storage and cache.
    """

    prep: float
    fetch: float

    @classmethod
    def of(cls, rates: Rates) -> Stall:
        """The differences of the times of a sample with synthetic, with cached and with stored samples, over the last."""
        ingested, prepared, fetched = 1 / rates.accelerator, 1 / rates.without_fetch, 1 / rates.throughput
        return cls((prepared - ingested) / fetched, (fetched - prepared) / fetched)


def accelerator_rate(pipeline: Pipeline, batch: int, runtime_s: float) -> float:
    """What all accelerators take, if each does a batch in the runtime, and a step takes so many passes."""
    return pipeline.accelerators * batch / (pipeline.passes * runtime_s)


def useful_runtime(pipeline: Pipeline, batch: int, rate: float) -> float:
    """The runtime of a batch, in seconds, at which all accelerators take samples at this rate."""
    return pipeline.accelerators * batch / (pipeline.passes * rate)


def cached_share(pipeline: Pipeline) -> float:
    """The share of the stored samples that the cache has room for."""
    return min(1.0, pipeline.cache.bytes / pipeline.bytes)


def hit_ratio(policy: Policy, share: float) -> float:
    """The hit ratio after the first epoch of a cache with room for a share, each epoch in a fresh random order.

    minio: a cached sample stays, so the ratio is the share. lru: x + (1 - x) ln(1 - x), by the chance that fewer other samples than
    the cache has room for come between two uses of one.
    """
    if policy == "none":
        return 0.0
    if policy == "minio" or share >= 1:
        return share
    return share + (1 - share) * log(1 - share)


def share_for(policy: Policy, hits: float) -> float:
    """The share of the samples that a cache needs room for, to reach a hit ratio; the inverse of `hit_ratio`."""
    if policy == "minio" or not 0 < hits < 1:
        return hits
    require("the size of an lru cache", "serve", "scipy")
    from scipy.special import lambertw  # type: ignore[import-untyped]  # noqa: PLC0415 only this needs SciPy

    branch: Any = lambertw((hits - 1) / exp(1), -1)  # scipy has no types
    return 1 - exp(1 + float(branch.real))


def fetch_rate(sample_bytes: float, cache: Cache, storage_bytes_per_s: float, hits: float) -> float:
    """What storage and cache bring: the time of a sample is the mean of both, weighted by hits and misses."""
    return 1 / (sample_bytes * (hits / cache.bytes_per_s + (1 - hits) / storage_bytes_per_s))


def rates_of(pipeline: Pipeline, storage_bytes_per_s: float, hits: float, accelerator: float) -> Rates:
    """The rates at a hit ratio; InputError where one is not a finite number above 0."""
    rates = Rates(
        accelerator=accelerator,
        prep=pipeline.cores * pipeline.samples_per_s_core,
        fetch=fetch_rate(pipeline.sample_bytes, pipeline.cache, storage_bytes_per_s, hits),
        link=pipeline.link_bytes_per_s / pipeline.tensor_bytes,
    )
    for name, rate in rates.to_dict().items():
        if not 1e-9 <= rate <= 1e15:
            raise InputError(
                f"pipeline {pipeline.name}: the {name} rate must be from 1e-9 to 1e15 samples a second, got {rate:.4g}"
            )
    return rates


def brought_per_s(pipeline: Pipeline) -> float:
    """The samples that a pipeline brings to its accelerators after the first epoch, however fast these are."""
    hits = hit_ratio(pipeline.cache.policy, cached_share(pipeline))
    return rates_of(pipeline, pipeline.storages[0].bytes_per_s, hits, 1.0).without_accelerator
