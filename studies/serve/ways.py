"""Ways of sharing: all tenants on one machine in turn, each on a share of it, and each on a machine of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mapsearch.model.area import leakage_by_part
from mapsearch.model.errors import InputError
from mapsearch.studies.serve.capacity import capacity_of
from mapsearch.studies.serve.results import Composition, QueueResult, SharingResult
from mapsearch.studies.serve.servers import Demand, Found, Server, load_of, serve_at
from mapsearch.studies.serve.services import Service
from mapsearch.studies.serve.shares import compositions
from mapsearch.studies.serve.study import ServeStudy

MOST_REQUESTS = 20_000_000
MOST_SHOWN = 100  # compositions, the best first

Services = Mapping[tuple[int, int], Service]  # by a tenant's number and its share, of those that are possible


@dataclass(frozen=True)
class Ways:
    """All ways of sharing a study's machine.

    out: the reasons why a tenant cannot have a share, by its number and the share. rates: of the tenants' requests, a second.
    """

    study: ServeStudy
    services: Services
    out: Mapping[tuple[int, int], str]
    rates: tuple[float, ...]
    seed: int
    max_load: bool

    @cached_property
    def demand(self) -> Demand:
        """The requests."""
        return Demand.drawn(self.study, self.rates, self.seed)

    @cached_property
    def whole(self) -> tuple[Service, ...]:
        """The tenants' services on the whole machine."""
        return tuple(self.services[number, self.study.parts] for number in range(len(self.study.tenants)))

    def check(self) -> None:
        """Raise InputError where an SLO is below the service time, the load is too large, or the requests are too many."""
        study = self.study
        for tenant, service in zip(study.tenants, self.whole, strict=True):
            if tenant.slo_ms is not None and tenant.slo_ms < service.runtime_ms[1]:
                raise InputError(
                    f"tenant {tenant.name}: slo_ms {tenant.slo_ms:g} is below its service time of {service.runtime_ms[1]:.4g} ms "
                    f"on {study.hardware.name}; it cannot hold at any load"
                )
        load = load_of(self.turns, self.rates)
        if "time" in study.sharing and load >= 1 and not (study.traced or self.max_load):
            raise InputError(
                f"load {load:.3g}: the machine {study.hardware.name} can do at most {sum(self.rates) / load:.4g} requests a "
                "second of this mix; lower the rates, or ask for --max-load"
            )
        requests = sum(self.rates) * (study.warmup_s + study.duration_s)
        if requests > MOST_REQUESTS:
            raise InputError(
                f"study {study.name}: {requests:.3g} requests in duration_s and warmup_s are too many to simulate; at most "
                f"{MOST_REQUESTS:,}; shorten duration_s"
            )

    def all(self) -> tuple[dict[str, SharingResult], list[str]]:
        """The results by way of sharing, and notes on what is left out."""
        dedicated = [
            self._found(Server(self.study.hardware.name, (number,), (service,))) for number, service in enumerate(self.whole)
        ]
        base = self._result(dedicated, len(dedicated), [1.0] * len(dedicated))
        found: dict[str, SharingResult] = {}
        notes: list[str] = []
        if "time" in self.study.sharing:
            found["time"] = replace(self._result([self._found(self.turns)], 1, [1.0]), order=str(self.study.order))
        if "partition" in self.study.sharing:
            partition = self._partition()
            if isinstance(partition, str):
                if not found:
                    raise InputError(partition)
                notes.append(partition)
            else:
                found["partition"] = partition
        saved = {name: replace(each, saving=_saving(each, base)) for name, each in found.items()}
        for name, each in {**saved, "dedicated": base}.items():
            if each.load >= 1:
                notes.append(f"{name}: load {each.load:.3g}: queues grow without end; the figures are those of the simulated time")
        return {**saved, "dedicated": base}, notes

    @property
    def turns(self) -> Server:
        """A machine with all tenants in turn."""
        study = self.study
        return Server(study.hardware.name, tuple(range(len(study.tenants))), self.whole, study.order, study.switch_s)

    def _share(self, number: int, share: int) -> Server:
        name = f"{share} of {self.study.parts} parts"
        return Server(name, (number,), (self.services[number, share],))

    def _found(self, server: Server) -> tuple[Server, Found]:
        return server, serve_at(server, self.study.tenants, self.demand)

    def _partition(self) -> SharingResult | str:
        """The best composition; one sentence where none is possible."""
        study, tenants = self.study, self.study.tenants
        out = dict(self.out)
        for (number, share), service in self.services.items():
            tenant, load = tenants[number], load_of(self._share(number, share), self.rates)
            if tenant.slo_ms is not None and tenant.slo_ms < service.runtime_ms[1]:
                least = service.runtime_ms[1]
                out[number, share] = f"slo_ms {tenant.slo_ms:g} is below its service time of {least:.4g} ms"
            elif load >= 1:
                out[number, share] = f"load {load:.3g}"
        simulated = {
            (number, share): self._found(self._share(number, share))
            for number, share in self.services
            if (number, share) not in out
        }
        tried: list[Composition] = []
        for shares in compositions(study.parts, len(tenants)):
            reasons = [
                f"{tenants[number].name} on {share} of {study.parts} parts: {out[number, share]}"
                for number, share in enumerate(shares)
                if (number, share) in out
            ]
            queues = [] if reasons else [simulated[each][1].queues[0] for each in enumerate(shares)]
            tried.append(self._composition(shares, queues, reasons))
        tried.sort(key=lambda each: (each.worst is None, each.slos_met is False, each.worst or 0.0))
        best = tried[0]
        if best.worst is None:
            return f"partition: of {len(tried)} ways to share {study.parts} parts out none is possible: {best.reason}"
        servers = [simulated[each] for each in enumerate(best.shares)]
        result = self._result(servers, 1, [share / study.parts for share in best.shares])
        given = dict(zip((tenant.name for tenant in tenants), best.shares, strict=True))
        return replace(result, shares=given, compositions=tuple(tried[:MOST_SHOWN]))

    def _composition(self, shares: tuple[int, ...], queues: Sequence[QueueResult], reasons: Sequence[str]) -> Composition:
        if reasons:
            return Composition(shares, slos_met=None, worst=None, reason=reasons[0])
        return Composition(shares, slos_met=_met(queues), worst=max(map(self._ratio, queues, range(len(queues)))))

    def _ratio(self, queue: QueueResult, number: int) -> float:
        """A tenant's percentile over its SLO; without one, its mean response over its service time on the whole machine."""
        its = self.study.tenants[number]
        if its.slo_ms is None:
            return queue.response_ms.values.get("mean", 0.0) / self.whole[number].runtime_ms[1]
        return queue.response_ms.of(its.percentile) / its.slo_ms

    def _result(self, servers: Sequence[tuple[Server, Found]], machines: int, weights: Sequence[float]) -> SharingResult:
        """The result of servers; weights: the share of a machine that each of them is."""
        study, demand = self.study, self.demand
        queues = tuple(queue for _, found in servers for queue in found.queues)
        rates = {study.tenants[number].name: demand.rates[number] for number in range(len(demand.rates))}
        total = sum(rates.values())
        energy_j = sum(rates[queue.name] * queue.energy_uj * 1e-6 for queue in queues) / total
        if study.hardware.technology.leakage_includes_activity:
            energy_j = 0.0
        leakage_w = machines * leakage_by_part(study.hardware).total / 1e3
        throughput = sum(found.done for _, found in servers) / (demand.window_s[1] - demand.window_s[0])
        load = max(found.load for _, found in servers)
        cost = None
        if study.price is not None and throughput > 0:
            price = study.price
            paid = machines * price.machine_per_hour / 3600 + leakage_w * price.energy_per_joule
            mean = throughput * sum(tenant.arrivals.mean_per_s for tenant in study.tenants) / total
            cost = 1e6 * (paid / mean + energy_j * price.energy_per_joule)
        return SharingResult(
            machines=machines,
            order=None,
            shares=None,
            tenants=queues,
            slos_met=load < 1 and _met(queues),
            load=load,
            utilization=sum(weight * found.utilization for weight, (_, found) in zip(weights, servers, strict=True)) / sum(weights),
            throughput_per_s=throughput,
            power_w=leakage_w + throughput * energy_j,
            cost_per_million=cost,
            saving=None,
            capacity=capacity_of([server for server, _ in servers], study.tenants, demand) if self.max_load else None,
        )


def _met(queues: Sequence[QueueResult]) -> bool:
    return all(queue.slo_met is not False for queue in queues)


def _saving(result: SharingResult, base: SharingResult) -> float | None:
    if result.cost_per_million is None or not base.cost_per_million:
        return None
    return 1 - result.cost_per_million / base.cost_per_million
