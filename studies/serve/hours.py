"""Machines needed in each hour of the traces, and what following the demand saves over machines for its peak.

The machines of an hour share its requests out evenly, each with all tenants in turn. How many keep the SLOs is simulated, for
steady rates; hours whose machines have the same rates, to 1 %, are simulated once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil, exp, log, log1p

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import InputError
from mapsearch.studies.serve.arrivals import HOURS_A_DAY
from mapsearch.studies.serve.profile import Profile, hourly_rates, profile_of, start_of
from mapsearch.studies.serve.results import HourResult, HoursResult, MachineHours, TenantDemand, UnusualMachineHours
from mapsearch.studies.serve.servers import Demand, Found, Server, load_of, serve_at
from mapsearch.studies.serve.study import ServeStudy, Tenant

MOST_REQUESTS = 20_000  # in the simulation of an hour, which is the study's, or shorter
LEAST_LOAD = 0.01  # of a machine; where the SLOs break even then, no number of machines keeps them
_SAME = log1p(0.01)  # of rates' logarithms


def hours_of(tenants: Sequence[Tenant]) -> tuple[datetime | None, NDArray[np.float64]]:
    """The beginning of the traces, where they have a date, and the mean rates, (hours, tenants), of the longest trace.

    A day without a date is repeated, its first rate that of midnight. InputError where traces with dates are not of the same hours.
    """
    dated = [tenant for tenant in tenants if tenant.arrivals.begins is not None]
    rates = [hourly_rates(tenant.arrivals) for tenant in tenants]
    count = max(len(each) for tenant, each in zip(tenants, rates, strict=True) if tenant.traced)
    begins = dated[0].arrivals.begins if dated else None
    for tenant in dated[1:]:
        first, its = dated[0].arrivals, tenant.arrivals
        if (str(its.begins), its.end_s) != (str(first.begins), first.end_s):
            raise InputError(
                f"tenants {dated[0].name} and {tenant.name}: traces must be of the same time, got {_span(dated[0])} and "
                f"{_span(tenant)}"
            )
    hours = np.arange(count)
    columns = [
        each[hours]
        if tenant.arrivals.begins is not None
        else each[(hours + (begins.hour if begins else 0)) % len(each)]
        if tenant.traced
        else np.full(count, tenant.arrivals.mean_per_s)
        for tenant, each in zip(tenants, rates, strict=True)
    ]
    return begins, np.stack(columns, axis=1)


def _span(tenant: Tenant) -> str:
    begins = tenant.arrivals.begins
    return f"{tenant.arrivals.end_s / 3600:g} h from {begins.isoformat(timespec='minutes') if begins else 'midnight'}"


def demand_of(study: ServeStudy, server: Server, seed: int) -> tuple[HoursResult | None, dict[str, TenantDemand] | None]:
    """The machines that each hour of the traces needs, where time is shared, and the shape of traces with dates; None for none.

    server: a machine with all tenants in turn.
    """
    shapes = {
        tenant.name: TenantDemand(profile, tenant.trace.groups)
        for tenant in study.tenants
        if tenant.trace is not None and (profile := profile_of(tenant.arrivals)) is not None
    }
    if not study.traced or "time" not in study.sharing:
        return None, shapes or None
    return Hours(study, server, seed).all({name: shape.profile for name, shape in shapes.items()}), shapes or None


@dataclass(slots=True)
class Hours:
    """The simulation of hours; server: a machine with all tenants in turn."""

    study: ServeStudy
    server: Server
    seed: int
    _known: dict[tuple[int | None, ...], Found] = field(default_factory=dict[tuple[int | None, ...], Found])

    def all(self, profiles: dict[str, Profile]) -> HoursResult:
        """Every hour of the traces; profiles: of tenants, by name."""
        begins, rates = hours_of(self.study.tenants)
        hours = tuple(self._hour(_start(begins, hour), each) for hour, each in enumerate(rates.tolist()))
        machines = [each.machines for each in hours]
        counted = [each for each in machines if each is not None]
        whole = MachineHours.of(counted) if len(counted) == len(machines) else None
        return HoursResult(hours, whole, _unusual(hours, profiles) if whole is not None else None)

    def _hour(self, start: str, rates: Sequence[float]) -> HourResult:
        machines, found = self._least(rates)
        p99_ms = {} if found is None else {queue.name: queue.response_ms.of(99.0) for queue in found.queues if queue.requests}
        by_name = dict(zip((tenant.name for tenant in self.study.tenants), rates, strict=True))
        return HourResult(start, by_name, load_of(self.server, rates), machines, p99_ms)

    def _least(self, rates: Sequence[float]) -> tuple[int | None, Found | None]:
        """The least number of machines that keeps the SLOs, and what becomes of requests then."""
        load = load_of(self.server, rates)
        if load == 0:
            return 0, None
        broken, step = ceil(load) - 1, 1
        while not self._holds(rates, broken + step):
            broken, step = broken + step, 2 * step
            if load / broken < LEAST_LOAD:
                return None, None
        held = broken + step
        while held - broken > 1:
            middle = (held + broken) // 2
            broken, held = (broken, middle) if self._holds(rates, middle) else (middle, held)
        return held, self._at(rates, held)

    def _holds(self, rates: Sequence[float], machines: int) -> bool:
        if machines == 0:
            return False
        found = self._at(rates, machines)
        return found.load < 1 and all(queue.slo_met is not False for queue in found.queues)

    def _at(self, rates: Sequence[float], machines: int) -> Found:
        """What becomes of a machine's requests."""
        classes = tuple(round(log(rate / machines) / _SAME) if rate > 0 else None for rate in rates)
        if classes not in self._known:
            study = self.study
            each = [0.0 if number is None else exp(number * _SAME) for number in classes]
            part = min(1.0, MOST_REQUESTS / (sum(each) * (study.duration_s + study.warmup_s)))
            short = replace(study, duration_s=part * study.duration_s, warmup_s=part * study.warmup_s)
            self._known[classes] = serve_at(self.server, study.tenants, Demand.drawn(short, each, self.seed))
        return self._known[classes]


def _start(begins: datetime | None, hour: int) -> str:
    return f"{hour % HOURS_A_DAY:02}:00" if begins is None else start_of(begins, hour).isoformat(timespec="minutes")


def _unusual(hours: Sequence[HourResult], profiles: dict[str, Profile]) -> UnusualMachineHours | None:
    """The machine hours of the day whose worst score is farthest from 0."""
    days = [(abs(day.worst), day.date, name) for name, each in profiles.items() for day in each.unusual_days or ()]
    if not days:
        return None
    _, date, name = max(days)
    machines = [each.machines for each in hours if each.start.startswith(date) and each.machines is not None]
    return UnusualMachineHours(date, name, MachineHours.of(machines))
