"""The keys of a study of a service.

hardware: cloud                  # a preset or a file of one machine, or its keys
tenants:
  - {network: resnet50, rate_per_s: 120, slo_ms: 15, percentile: 99, priority: 0, batch: {max: 8, wait_ms: 2}}
  - {network: mobilenet_v2, rate_per_s: 300, trace: {daily: [1, 1, 1, ...]}, slo_ms: 30}
sharing: [time, partition]
time: {order: fifo}              # fifo | priority | preemptive
partition: {parts: 8}
objective: latency
search: {evaluations: 2000}      # settings of the runs, by their names in Python
duration_s: 600
warmup_s: 60
price: {machine_per_hour: 0.50, energy_per_kwh: 0.15}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.mixes import NetworkSource, parse_mix
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.hardware_in import found_from
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.model.errors import InputError

MOST_BATCH = 64
_MOST_S, _MOST_MS = 1e9, 1e6
_KIND = "services"
_EXAMPLE = "tenants: [{network: resnet18, rate_per_s: 50}]"

Sharing = Literal["time", "partition"]
_Positive = Annotated[float, Field(gt=0)]
_Least0 = Annotated[float, Field(ge=0)]


class BatchKeys(Keys):
    """`batch:` of a tenant."""

    max: Annotated[int, Field(ge=1, le=MOST_BATCH)]
    wait_ms: Annotated[float, Field(ge=0, le=_MOST_MS)] = 0.0


class TenantKeys(Keys):
    """A tenant; `trace` and `pipeline` are checked where they are read."""

    name: Annotated[str, Field(min_length=1)] | None = None
    network: Annotated[str, Field(min_length=1)]
    rate_per_s: _Positive | None = None
    trace: dict[str, object] | None = None
    pipeline: Annotated[str, Field(min_length=1)] | None = None
    slo_ms: _Positive | None = None
    percentile: Annotated[float, Field(gt=0, lt=100)] = 99.0
    priority: int = 0
    batch: BatchKeys = BatchKeys(max=1)


class TimeKeys(Keys):
    """`time:`, of sharing in time."""

    order: Literal["fifo", "priority", "preemptive"] = "fifo"
    switch_us: Annotated[float, Field(ge=0, le=1e3 * _MOST_MS)] = 0.0


class PartitionKeys(Keys):
    """`partition:`, of sharing in space."""

    parts: Annotated[int, Field(ge=1, le=1024)] = 8


class PriceKeys(Keys):
    """`price:`, in any currency."""

    machine_per_hour: _Least0 = 0.0
    energy_per_kwh: _Least0 = 0.0


class ServiceKeys(Keys):
    """A study of a service."""

    name: str | None = None
    title: str = ""
    source: str = ""
    hardware: str | dict[str, object] = "edge"
    tenants: Annotated[list[TenantKeys], Field(min_length=1)]
    sharing: Annotated[list[Sharing], Field(min_length=1)] = ["time", "partition"]
    time: TimeKeys = TimeKeys()
    partition: PartitionKeys = PartitionKeys()
    objective: str = "latency"
    search: dict[str, object] = {}
    duration_s: Annotated[float, Field(ge=1e-6, le=_MOST_S)] = 600.0
    warmup_s: Annotated[float, Field(ge=0, le=_MOST_S)] = 60.0
    price: PriceKeys | None = None


_FILE = TypeAdapter(ServiceKeys)


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """A study's keys, with the paths of networks and hardware made absolute; where: its name in errors; folder: of other paths."""

    name: str
    keys: ServiceKeys
    where: str
    folder: Path


def names() -> list[str]:
    """The shipped studies' names."""
    return shipped(_KIND)


def load_file(source: str | Path) -> ServiceFile:
    """The study with a shipped name or in a file; paths in it are relative to its folder. Raises InputError."""
    text, where = read_named(_KIND, source, Path())
    return file_of(parse_mapping(text, where, _EXAMPLE), where, Path(source).parent, Path(source).stem)


def file_of(data: dict[str, object], where: str, folder: Path, name: str) -> ServiceFile:
    """The study that plain data states; name: where they state none."""
    keys = checked(_FILE, data, where)
    if len({*keys.sharing}) < len(keys.sharing):
        raise InputError(f"{where}: sharing must name each way once, got {', '.join(keys.sharing)}")
    tenants = [
        each.model_copy(
            update={
                "network": _found_network(each.network, folder),
                "trace": _found_trace(each.trace, folder),
                "pipeline": None if each.pipeline is None else _found_pipeline(each.pipeline, folder),
            }
        )
        for each in keys.tenants
    ]
    changed = {"name": keys.name or name, "hardware": _found_hardware(keys.hardware, folder), "tenants": tenants}
    return ServiceFile(keys.name or name, keys.model_copy(update=changed), where, folder)


def _found_network(text: str, folder: Path) -> str:
    """A tenant's network with its paths made absolute."""
    found = {NetworkSource.of(network).found_from(folder).text: weight for network, weight in parse_mix(text).items()}
    return ",".join(network if weight == 1 else f"{network}:{weight}" for network, weight in found.items())


def _found_pipeline(word: str, folder: Path) -> str:
    """A tenant's pipeline as an absolute path where there is such a file, else as it is, for a shipped one's name."""
    path = found_from(word, folder)
    return path if Path(path).is_file() else word


def _found_trace(trace: dict[str, object] | None, folder: Path) -> dict[str, object] | None:
    """A tenant's trace with its path made absolute."""
    if trace is None or not isinstance(trace.get("file"), str):
        return trace
    return {**trace, "file": str((folder / str(trace["file"])).absolute())}


def _found_hardware(hardware: str | dict[str, object], folder: Path) -> str | dict[str, object]:
    if isinstance(hardware, str):
        return found_from(hardware, folder)
    technology = hardware.get("technology")
    return {**hardware, "technology": found_from(technology, folder)} if isinstance(technology, str) else hardware
