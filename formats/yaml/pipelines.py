"""Input pipelines: how samples come from storage, through a cache, preparation on cores and a link, to accelerators."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.model.errors import InputError

_KIND = "pipelines"
_MOST_BYTES = 2**63 - 1
MB, GB = 1e6, 1e9

Policy = Literal["minio", "lru", "none"]
_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1, le=2**53)]


@dataclass(frozen=True, slots=True)
class Storage:
    """A place that samples are read from; name: empty where the pipeline has only this one."""

    name: str
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Cache:
    """Memory that keeps stored samples.

    policy: `minio` never evicts, `lru` evicts the sample that was used least recently, `none` keeps nothing.
    """

    bytes: float
    policy: Policy
    bytes_per_s: float


NO_CACHE = Cache(0.0, "none", 1.0)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An input pipeline.

    samples: of an epoch. sample_bytes: of a stored sample; tensor_bytes: of one as an accelerator takes it. storages: the first is
    the pipeline's own, others are compared with it. samples_per_s_core: what one core prepares. link_bytes_per_s: to all
    accelerators together. passes: the work of a step in forward passes. batch: samples of an accelerator's step; None for whatever
    the run has.
    """

    name: str
    samples: int
    sample_bytes: float
    tensor_bytes: float
    storages: tuple[Storage, ...]
    cache: Cache
    cores: int
    samples_per_s_core: float
    link_bytes_per_s: float
    accelerators: int
    passes: float
    batch: int | None

    @property
    def bytes(self) -> float:
        """Of all stored samples."""
        return self.samples * self.sample_bytes


class _StorageKeys(Keys):
    mb_per_s: _Positive


class _NamedStorageKeys(_StorageKeys):
    name: Annotated[str, Field(min_length=1)]


class _CacheKeys(Keys):
    gb: Annotated[float, Field(ge=0)] | None = None
    policy: Policy = "minio"
    mb_per_s: _Positive | None = None


class _PrepKeys(Keys):
    cores: _Count
    samples_per_s_core: _Positive


class _LinkKeys(Keys):
    mb_per_s: _Positive


class _FileKeys(Keys):
    name: str = ""
    title: str = ""
    source: str = ""
    samples: _Count
    sample_bytes: _Positive
    tensor_bytes: _Positive
    storage: _StorageKeys | Annotated[list[_NamedStorageKeys], Field(min_length=1)]
    cache: _CacheKeys = _CacheKeys(policy="none")
    prep: _PrepKeys
    link: _LinkKeys
    accelerators: _Count = 1
    passes: _Positive = 1.0
    batch: _Count | None = None


_FILE = TypeAdapter(_FileKeys)


def names() -> list[str]:
    """The shipped pipelines' names."""
    return shipped(_KIND)


def load_pipeline(source: str | Path) -> Pipeline:
    """The pipeline with a shipped name or in a file; raises InputError."""
    text, where = read_named(_KIND, source, Path())
    keys = checked(_FILE, parse_mapping(text, where, "samples: 1281167"), where)
    if keys.samples * keys.sample_bytes > _MOST_BYTES:
        total = f"{keys.samples:,} x {keys.sample_bytes:g}"
        raise InputError(
            f"{where}: samples x sample_bytes must be at most 2^63 - 1 bytes, got {total}; sample_bytes is of one sample"
        )
    return Pipeline(
        name=keys.name or Path(source).stem,
        samples=keys.samples,
        sample_bytes=keys.sample_bytes,
        tensor_bytes=keys.tensor_bytes,
        storages=_storages(keys.storage, where),
        cache=_cache(keys.cache, where),
        cores=keys.prep.cores,
        samples_per_s_core=keys.prep.samples_per_s_core,
        link_bytes_per_s=keys.link.mb_per_s * MB,
        accelerators=keys.accelerators,
        passes=keys.passes,
        batch=keys.batch,
    )


def _storages(given: _StorageKeys | list[_NamedStorageKeys], where: str) -> tuple[Storage, ...]:
    if isinstance(given, _StorageKeys):
        return (Storage("", given.mb_per_s * MB),)
    named = [each.name for each in given]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{where}: storage {twice} stands twice; name each once")
    return tuple(Storage(each.name, each.mb_per_s * MB) for each in given)


def _cache(keys: _CacheKeys, where: str) -> Cache:
    if keys.policy == "none":
        return NO_CACHE
    if keys.gb is None or keys.mb_per_s is None:
        missing = "gb" if keys.gb is None else "mb_per_s"
        raise InputError(f"{where}: cache.{missing} is missing; policy {keys.policy} needs gb and mb_per_s, policy none neither")
    return Cache(keys.gb * GB, keys.policy, keys.mb_per_s * MB)
