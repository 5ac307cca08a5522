"""Ways of sharing: all tenants on one machine in turn, each on a share of it, and each on a machine of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from mapsearch.model.area import leakage_by_part
from mapsearch.model.errors import InputError
from mapsearch.studies.serve.capacity import capacity_of, most_loaded
from mapsearch.studies.serve.results import WAYS, Capacity, Composition, QueueResult, SharingResult
from mapsearch.studies.serve.servers import Demand, Found, Server, busiest, load_of, serve_at
from mapsearch.studies.serve.services import Service
from mapsearch.studies.serve.shares import compositions
from mapsearch.studies.serve.study import ServeStudy

MOST_REQUESTS = 20_000_000
MOST_SHOWN = 100  # compositions, the best first

Services = Mapping[tuple[int, int], Service]  # by a tenant's number and its share, of those that are possible


def check_number(study: ServeStudy, rates: Sequence[float]) -> None:
    """Raise InputError where requests of these rates are too many to simulate."""
    requests = sum(rates) * (study.warmup_s + study.duration_s)
    if requests > MOST_REQUESTS:
        raise InputError(
            f"study {study.name}: {requests:.3g} requests in duration_s and warmup_s are too many to simulate; at most "
            f"{MOST_REQUESTS:,}; shorten duration_s, or lower the rates"
        )


@dataclass(frozen=True)
class Ways:
    """All ways of sharing a study's machine.

    out: the reasons why a tenant cannot have a share, by its number and the share.
    """

    study: ServeStudy
    services: Services
    out: Mapping[tuple[int, int], str]
    seed: int
    max_load: bool
    _known: dict[tuple[str, tuple[int, ...]], Found] = field(default_factory=dict[tuple[str, tuple[int, ...]], Found])

    @cached_property
    def busiest_s(self) -> tuple[float, float] | None:
        """Where traces change rates, the bin with the greatest load, in seconds from their beginning."""
        return busiest(self.study.tenants, self.whole) if self.study.traced else None

    @cached_property
    def rates(self) -> tuple[float, ...]:
        """The tenants' requests a second, in that bin."""
        window = self.busiest_s
        return tuple(
            tenant.arrivals.rate_at(window[0]) if window and tenant.traced else tenant.arrivals.mean_per_s
            for tenant in self.study.tenants
        )

    @cached_property
    def demand(self) -> Demand:
        """The requests."""
        return Demand.drawn(self.study, self.rates, self.seed)

    @cached_property
    def whole(self) -> tuple[Service, ...]:
        """The tenants' services on the whole machine."""
        return tuple(self.services[number, self.study.parts] for number in range(len(self.study.tenants)))

    def check(self) -> None:
        """Raise InputError where an SLO is below the service time, the load is too large, or requests are too many or none.

        All of it is known once the whole machine's services are.
        """
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
        check_number(study, self.rates)
        for tenant, rate, times_s in zip(study.tenants, self.rates, self.demand.times_s, strict=True):
            if rate > 0 and not (times_s >= study.warmup_s).any():
                raise InputError(
                    f"tenant {tenant.name}: of its {rate:.4g} requests a second none comes within duration_s {study.duration_s:g}; "
                    "lengthen duration_s"
                )

    def all(self) -> tuple[dict[str, SharingResult], list[str]]:
        """The results by way of sharing, and notes on what is left out."""
        alone = [Server(self.study.hardware.name, (number,), (service,)) for number, service in enumerate(self.whole)]
        base = self._result(alone, len(alone), [1.0] * len(alone))
        base = replace(base, capacity=self._capacity(alone))
        found: dict[str, SharingResult] = {}
        notes: list[str] = []
        if "time" in self.study.sharing:
            time = self._result([self.turns], 1, [1.0])
            found["time"] = replace(time, order=str(self.study.order), capacity=self._capacity([self.turns]))
        if "partition" in self.study.sharing:
            partition = self._partition()
            if isinstance(partition, str):
                if not found:
                    raise InputError(partition)
                notes.append(partition)
            else:
                found["partition"] = partition
        saved = {name: replace(each, saving=_saving(each, base)) for name, each in found.items()}
        results = {**saved, "dedicated": base}
        for name, each in results.items():
            if each.load >= 1:
                grow = "queues grow without end; the figures are those of the simulated time"
                notes.append(f"{WAYS[name]}: load {each.load:.3g}: {grow}")
        return results, notes

    @property
    def turns(self) -> Server:
        """A machine with all tenants in turn."""
        study = self.study
        return Server(study.hardware.name, tuple(range(len(study.tenants))), self.whole, study.order, study.switch_s)

    def _share(self, number: int, share: int) -> Server:
        name = f"{share} of {self.study.parts} parts"
        return Server(name, (number,), (self.services[number, share],))

    def _at(self, server: Server) -> Found:
        """What becomes of the requests; simulated once for each server."""
        key = server.machine, server.tenants
        if key not in self._known:
            self._known[key] = serve_at(server, self.study.tenants, self.demand)
        return self._known[key]

    def _capacity(self, servers: Sequence[Server]) -> Capacity | None:
        return capacity_of(servers, self.study.tenants, self.demand) if self.max_load else None

    def _partition(self) -> SharingResult | str:
        """The best composition; one sentence where none is possible."""
        study, tenants = self.study, self.study.tenants
        servers = {each: self._share(*each) for each in self.services}
        never = {**self.out, **self._too_slow()}
        loads = {each: load_of(server, self.rates) for each, server in servers.items()}
        out = {**{each: f"load {load:.3g}" for each, load in loads.items() if load >= 1}, **never}
        queues = {each: self._at(server).queues[0] for each, server in servers.items() if each not in out}
        ways = list(compositions(study.parts, len(tenants)))
        tried = sorted((self._composition(shares, queues, out) for shares in ways), key=_rank)
        most = None
        if self.max_load:
            allowed = {each: server for each, server in servers.items() if each not in never}
            most = most_loaded(ways, allowed, tenants, self.demand)
        chosen = tried[0].shares if tried[0].worst is not None else most
        if chosen is None:
            why = f"of {len(ways)} ways to share {study.parts} parts out none is possible: {tried[0].reason}"
            return f"partition: {why}; lower the rates, or take other SLOs"
        result = self._result([servers[each] for each in enumerate(chosen)], 1, [share / study.parts for share in chosen])
        capacity = self._capacity([servers[each] for each in enumerate(most or chosen)])
        if capacity is not None:
            capacity = replace(capacity, shares=self._by_name(most or chosen))
        return replace(result, shares=self._by_name(chosen), compositions=tuple(tried[:MOST_SHOWN]), capacity=capacity)

    def _by_name(self, shares: tuple[int, ...]) -> dict[str, int]:
        return {tenant.name: share for tenant, share in zip(self.study.tenants, shares, strict=True)}

    def _too_slow(self) -> dict[tuple[int, int], str]:
        """Why a tenant's SLO can hold on a share at no load, by its number and the share."""
        least = {(number, share): service.runtime_ms[1] for (number, share), service in self.services.items()}
        slos = [tenant.slo_ms for tenant in self.study.tenants]
        return {
            each: f"slo_ms {slo:g} is below its service time of {ms:.4g} ms"
            for each, ms in least.items()
            if (slo := slos[each[0]]) is not None and slo < ms
        }

    def _composition(
        self, shares: tuple[int, ...], queues: Mapping[tuple[int, int], QueueResult], out: Mapping[tuple[int, int], str]
    ) -> Composition:
        for number, share in enumerate(shares):
            if (number, share) in out:
                reason = f"{self.study.tenants[number].name} on {share} of {self.study.parts} parts: {out[number, share]}"
                return Composition(shares, slos_met=None, worst=None, reason=reason)
        its = [queues[each] for each in enumerate(shares)]
        return Composition(shares, slos_met=_met(its), worst=max(map(self._ratio, its, range(len(its)))))

    def _ratio(self, queue: QueueResult, number: int) -> float:
        """A tenant's percentile over its SLO; without one, its mean response over its service time on the whole machine."""
        its = self.study.tenants[number]
        if its.slo_ms is None:
            return queue.response_ms.values.get("mean", 0.0) / self.whole[number].runtime_ms[1]
        return queue.response_ms.of(its.percentile) / its.slo_ms

    def _result(self, servers: Sequence[Server], machines: int, weights: Sequence[float]) -> SharingResult:
        """The result of servers; weights: the share of a machine that each of them is."""
        study, demand = self.study, self.demand
        found = [self._at(server) for server in servers]
        queues = tuple(queue for each in found for queue in each.queues)
        rates = {study.tenants[number].name: demand.rates[number] for number in range(len(demand.rates))}
        total = sum(rates.values())
        energy_j = sum(rates[queue.name] * queue.energy_uj * 1e-6 for queue in queues) / total
        if study.hardware.technology.leakage_includes_activity:
            energy_j = 0.0
        leakage_w = machines * leakage_by_part(study.hardware).total / 1e3
        throughput = sum(each.done for each in found) / (demand.window_s[1] - demand.window_s[0])
        load = max(each.load for each in found)
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
            utilization=sum(weight * each.utilization for weight, each in zip(weights, found, strict=True)) / sum(weights),
            throughput_per_s=throughput,
            power_w=leakage_w + throughput * energy_j,
            cost_per_million=cost,
            saving=None,
        )


def _met(queues: Sequence[QueueResult]) -> bool:
    return all(queue.slo_met is not False for queue in queues)


def _rank(composition: Composition) -> tuple[bool, bool, float]:
    """The best first, those that are not possible last."""
    return composition.worst is None, composition.slos_met is False, composition.worst or 0.0


def _saving(result: SharingResult, base: SharingResult) -> float | None:
    if result.cost_per_million is None or not base.cost_per_million:
        return None
    return 1 - result.cost_per_million / base.cost_per_million
