"""A study of a service: its machine, its tenants, and how the machine is shared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapsearch.formats.mixes import Mix, load_mix
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.pipelines import load_pipeline
from mapsearch.formats.yaml.services import ServiceFile, ServiceKeys, Sharing, TenantKeys
from mapsearch.model.errors import InputError, did_you_mean
from mapsearch.model.hardware import Hardware
from mapsearch.studies.declared import declared
from mapsearch.studies.feed.rates import brought_per_s
from mapsearch.studies.run.options import SearchOptions
from mapsearch.studies.run.settings import Settings
from mapsearch.studies.serve.arrivals import Arrivals
from mapsearch.studies.serve.queues import Order
from mapsearch.studies.serve.traces import Trace, trace_of

# Settings of the runs that have a place of their own in the study, and that place.
_ELSEWHERE = {
    "batch": "a tenant has batch: {max: N}",
    "objective": "the study has objective: ...",
    "seed": "give --seed",
    "warm_start": "each share starts from the next larger one",
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A network and the requests for it.

    mix: the network, or several that one request runs. trace: where its rate changes over time. fed_per_s: the most requests that
    its input pipeline brings, at which the arrivals are capped, if it has one. slo_ms: of the percentile's response time, None
    where there is no objective. priority: the smallest number goes first. batch_max, batch_wait_s: a batch starts once so many
    requests wait, or the oldest has waited so long.
    """

    name: str
    network: str
    mix: Mix
    arrivals: Arrivals
    trace: Trace | None = None
    fed_per_s: float | None = None
    slo_ms: float | None = None
    percentile: float = 99.0
    priority: int = 0
    batch_max: int = 1
    batch_wait_s: float = 0.0

    @property
    def traced(self) -> bool:
        """Whether its rate changes over time."""
        return self.trace is not None

    @property
    def batches(self) -> tuple[int, ...]:
        """The batch sizes that are mapped: powers of two below the largest, and that."""
        return (*(2**power for power in range((self.batch_max - 1).bit_length())), self.batch_max)


@dataclass(frozen=True, slots=True)
class Price:
    """What is paid, in any currency."""

    machine_per_hour: float = 0.0
    energy_per_kwh: float = 0.0

    @property
    def energy_per_joule(self) -> float:
        """Of energy."""
        return self.energy_per_kwh / 3.6e6


@dataclass(frozen=True, slots=True)
class ServeStudy:
    """A service to be studied. data: the file's keys, paths made absolute; search: settings of all its runs."""

    name: str
    data: dict[str, Any]
    hardware: Hardware
    tenants: tuple[Tenant, ...]
    sharing: tuple[Sharing, ...]
    order: Order
    switch_s: float
    parts: int
    search: dict[str, Any]
    duration_s: float
    warmup_s: float
    price: Price | None

    @property
    def traced(self) -> bool:
        """Whether any tenant's rate changes over time."""
        return any(tenant.traced for tenant in self.tenants)


def study_of(file: ServiceFile) -> ServeStudy:
    """The study that a file states; InputError where a network, the machine or a setting is none."""
    keys, where = file.keys, file.where
    tenants: list[Tenant] = []
    for number, each in enumerate(keys.tenants, start=1):
        try:
            tenant = _tenant(each, file.folder)
        except InputError as error:
            raise InputError(f"{where}: tenant {number}: {error}") from None
        if tenant.name in (other.name for other in tenants):
            raise InputError(f"{where}: tenant {number}: two tenants are called {tenant.name}; give one another name (name: ...)")
        tenants.append(tenant)
    return ServeStudy(
        name=file.name,
        data=keys.model_dump(exclude_unset=True),
        hardware=load_hardware(keys.hardware),
        tenants=tuple(tenants),
        sharing=tuple(keys.sharing),
        order=Order(keys.time.order),
        switch_s=keys.time.switch_us / 1e6,
        parts=keys.partition.parts,
        search={**_search(keys, where), "objective": keys.objective},
        duration_s=keys.duration_s,
        warmup_s=keys.warmup_s,
        price=None if keys.price is None else Price(keys.price.machine_per_hour, keys.price.energy_per_kwh),
    )


def _search(keys: ServiceKeys, where: str) -> dict[str, Any]:
    """The settings of the runs but the objective; InputError where one is wrong."""
    known = [each.name for each in declared(SearchOptions) if each.name not in _ELSEWHERE]
    for key in keys.search:
        if key in _ELSEWHERE:
            raise InputError(f"{where}: search: {key} is not set here; {_ELSEWHERE[key]}")
        if key not in known:
            raise InputError(
                f"{where}: search: unknown setting {key}{did_you_mean(key, known)}; the settings are {', '.join(known)}"
            )
    try:
        settings = Settings.of({**keys.search, "objective": keys.objective})
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    if "," in settings.objective:
        raise InputError(f"{where}: objective must be one, got {keys.objective}; a service runs one mapping of each layer")
    return keys.search


def _tenant(keys: TenantKeys, folder: Path) -> Tenant:
    mix = load_mix(keys.network)
    trace = None if keys.trace is None else trace_of(keys.trace, keys.rate_per_s, folder)
    arrivals = trace.arrivals if trace is not None else _steady(keys.rate_per_s)
    fed_per_s = None if keys.pipeline is None else brought_per_s(load_pipeline(keys.pipeline))
    return Tenant(
        name=keys.name or mix.name,
        network=keys.network,
        mix=mix,
        arrivals=arrivals if fed_per_s is None else arrivals.at_most(fed_per_s),
        fed_per_s=fed_per_s,
        trace=trace,
        slo_ms=keys.slo_ms,
        percentile=keys.percentile,
        priority=keys.priority,
        batch_max=keys.batch.max,
        batch_wait_s=keys.batch.wait_ms / 1e3,
    )


def _steady(rate_per_s: float | None) -> Arrivals:
    if rate_per_s is None:
        raise InputError("rate_per_s is missing; needed is a rate, or a trace")
    return Arrivals.steady(rate_per_s, 1.0)
