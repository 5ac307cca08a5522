"""Servers: a machine or a share of one, the tenants on it, and what becomes of their requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.studies.serve.arrivals import Arrivals
from mapsearch.studies.serve.figures import response_of
from mapsearch.studies.serve.queues import Order, Served, Stream, simulate
from mapsearch.studies.serve.results import QueueResult
from mapsearch.studies.serve.services import Service
from mapsearch.studies.serve.study import ServeStudy, Tenant
from mapsearch.studies.serve.theory import mean_waits


@dataclass(frozen=True, slots=True)
class Server:
    """A machine, or a share of one, and the tenants on it, by their numbers; services: of each of them."""

    machine: str
    tenants: tuple[int, ...]
    services: tuple[Service, ...]
    order: Order = Order.FIFO
    switch_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Demand:
    """The requests that are simulated: rates of the tenants, their times in seconds, and the window whose requests count."""

    rates: tuple[float, ...]
    times_s: tuple[NDArray[np.float64], ...]
    window_s: tuple[float, float]

    @classmethod
    def drawn(cls, study: ServeStudy, rates: Sequence[float], seed: int) -> Demand:
        """Requests at steady rates, over the study's warm-up and duration; each tenant has its own random numbers."""
        end = study.warmup_s + study.duration_s
        times = [Arrivals.steady(rate, end).sample(np.random.default_rng([seed, number])) for number, rate in enumerate(rates)]
        return cls(tuple(rates), tuple(times), (study.warmup_s, end))

    def cut(self, most: int, least: int) -> Demand:
        """The first of the requests, with as large a part of them before the window.

        About `most` at the most, but at least about `least` of each tenant, if there are so many.
        """
        begin, end = self.window_s
        numbers = [len(each) for each in self.times_s if len(each)]
        part = min(1.0, max(most / sum(numbers), least / min(numbers)))
        times = tuple(each[: np.searchsorted(each, end * part)] for each in self.times_s)
        return Demand(self.rates, times, (begin * part, end * part))

    def scaled(self, factor: float) -> Demand:
        """The same requests, closer together."""
        begin, end = self.window_s
        times = tuple(each / factor for each in self.times_s)
        return Demand(tuple(rate * factor for rate in self.rates), times, (begin / factor, end / factor))


@dataclass(frozen=True, slots=True)
class Found:
    """The figures of a server's tenants, its load, the share of the window in which it was busy, and the requests done in it."""

    queues: tuple[QueueResult, ...]
    load: float
    utilization: float
    done: int


def busiest(tenants: Sequence[Tenant], services: Sequence[Service]) -> tuple[float, float]:
    """Of all stretches of time in which no rate changes, the one with the greatest load, in seconds."""
    edges = np.unique(np.concatenate([tenant.arrivals.edges_s for tenant in tenants if tenant.traced]))
    loads = sum(
        (tenant.arrivals.rates_at(edges[:-1]) if tenant.traced else tenant.arrivals.mean_per_s) * service.busy_s
        for tenant, service in zip(tenants, services, strict=True)
    )
    first = int(np.argmax(loads))
    return float(edges[first]), float(edges[first + 1])


def load_of(server: Server, rates: Sequence[float]) -> float:
    """The share of a server's time that the rates need, in the largest batches."""
    return sum(rates[tenant] * service.busy_s for tenant, service in zip(server.tenants, server.services, strict=True))


def serve_at(server: Server, tenants: Sequence[Tenant], demand: Demand) -> Found:
    """Simulate a server."""
    its = [tenants[number] for number in server.tenants]
    streams = [
        Stream(demand.times_s[number], service.borders, tenant.batch_max, tenant.batch_wait_s, tenant.priority)
        for number, tenant, service in zip(server.tenants, its, server.services, strict=True)
    ]
    served, busy = simulate(streams, server.order, server.switch_s)
    begin, end = demand.window_s
    theory = _theory(server, its, demand)
    queues = tuple(
        _queue(server, place, tenant, demand, stream, each, wait)
        for place, (tenant, stream, each, wait) in enumerate(zip(its, streams, served, theory, strict=True))
    )
    work = np.clip(busy, begin, end)
    done = sum(int(((each.done_s >= begin) & (each.done_s < end)).sum()) for each in served)
    return Found(queues, load_of(server, demand.rates), float((work[:, 1] - work[:, 0]).sum() / (end - begin)), done)


def _queue(
    server: Server, place: int, tenant: Tenant, demand: Demand, stream: Stream, served: Served, wait_s: float | None
) -> QueueResult:
    """The result of the tenant at a place of the server's; wait_s: of theory."""
    service, rate = server.services[place], demand.rates[server.tenants[place]]
    stable = load_of(server, demand.rates) < 1
    counted = stream.times_s >= demand.window_s[0]
    batch = served.batch[counted]
    response_ms = 1e3 * (served.done_s - stream.times_s)[counted]
    response = response_of(response_ms, tenant.percentile)
    by_size = range(service.largest + 1)
    service_ms = np.array([1e3 * service.seconds(size) if size else 0.0 for size in by_size])[batch]
    energy_uj = np.array([service.energy(size) / size / 1e6 if size else 0.0 for size in by_size])[batch]
    found = len(batch) > 0
    return QueueResult(
        name=tenant.name,
        machine=server.machine,
        service_ms={str(size): ms for size, ms in service.runtime_ms.items()},
        load=rate * service.busy_s,
        requests=response.requests,
        response_ms=response,
        slo_met=None if tenant.slo_ms is None or not found else stable and response.of(tenant.percentile) <= tenant.slo_ms,
        mean_batch=float(batch.mean()) if found else 0.0,
        energy_uj=float(energy_uj.mean()) if found else 0.0,
        wait_ms=max(0.0, float((response_ms - service_ms).mean())) if found else 0.0,  # times are rounded
        theory_ms=None if wait_s is None else 1e3 * wait_s,
    )


def _theory(server: Server, tenants: Sequence[Tenant], demand: Demand) -> list[float | None]:
    """The mean waits of theory in seconds; None where there is no closed form: with batches, interruptions or time to switch."""
    alone = len(tenants) == 1
    open_ = any(tenant.batch_max > 1 for tenant in tenants) or (not alone and (server.switch_s or server.order is Order.PREEMPTIVE))
    if open_ or load_of(server, demand.rates) >= 1:
        return [None] * len(tenants)
    seconds = [service.seconds(1) for service in server.services]
    priorities = [tenant.priority for tenant in tenants] if server.order is Order.PRIORITY else None
    rates = [demand.rates[number] for number in server.tenants]
    return [*mean_waits(rates, seconds, [each * each for each in seconds], priorities)]
