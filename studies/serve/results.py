"""The results of a service as typed data: results.json, key by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mapsearch.model.plain import Plain
from mapsearch.studies.serve.figures import Response
from mapsearch.studies.serve.profile import CellGroups, Profile

# The ways of sharing, and their names in tables and pictures.
WAYS = {"time": "in turn", "partition": "in parts", "dedicated": "one each"}

# The files that show results: pictures, as far as there is something to draw, and a page.
PICTURES = ("latencies", "load", "parts", "hours")
REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class TenantResult(Plain):
    """A tenant, and its service times on the whole machine.

    rate_per_s: at the hour that is simulated; mean_rate_per_s: over its trace. service_ms: by the size of a batch; energy_uj: of
    one inference, by the size of its batch, without leakage.
    """

    name: str
    network: str
    rate_per_s: float
    mean_rate_per_s: float
    slo_ms: float | None
    percentile: float
    priority: int
    batch_max: int
    service_ms: dict[str, float]
    energy_uj: dict[str, float]


@dataclass(frozen=True, slots=True)
class QueueResult(Plain):
    """A tenant's requests under a way of sharing.

    load: of its machine by this tenant. response_ms: see `Response`. mean_batch: requests in the batch of a request, averaged over
    requests; energy_uj: of an inference, likewise. wait_ms: before service, on average; theory_ms: the same by queueing theory,
    where that has a closed form.
    """

    name: str
    machine: str
    service_ms: dict[str, float]
    load: float
    requests: int
    response_ms: Response
    slo_met: bool | None
    mean_batch: float
    energy_uj: float
    wait_ms: float
    theory_ms: float | None

    @property
    def held(self) -> str:
        """Whether the SLO holds, as people read it; nothing where there is none."""
        return "" if self.slo_met is None else "holds" if self.slo_met else "BROKEN"


@dataclass(frozen=True, slots=True)
class CurvePoint(Plain):
    """Latencies with all rates times a factor: by tenant, the percentile of its objective."""

    factor: float
    load: float
    latency_ms: dict[str, float]
    slos_met: bool


@dataclass(frozen=True, slots=True)
class Capacity(Plain):
    """How far all rates may grow together: the largest factor at which every SLO holds, 0 where none was found.

    first_broken: the tenants whose SLOs do not hold just beyond it. shares: of a partition, those that carry the most, which may
    be others than are best at the rates given.
    """

    max_load_factor: float
    load: float
    first_broken: tuple[str, ...]
    curve: tuple[CurvePoint, ...]
    shares: dict[str, int] | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"shares"})


@dataclass(frozen=True, slots=True)
class Composition(Plain):
    """A way to share the parts out: each tenant's share; worst: the largest of percentile over SLO, or a reason why it is out."""

    shares: tuple[int, ...]
    slos_met: bool | None
    worst: float | None
    reason: str | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"reason"})


@dataclass(frozen=True, slots=True)
class SharingResult(Plain):
    """A way of sharing and what it gives.

    load: of the machine, or of the most loaded one. utilization: the share of time in which machines work, by their parts.
    throughput_per_s: requests of all tenants done; cost_per_million: of them, at the mean rates of traces. saving: of cost, against
    a machine for each tenant. shares: of a partition; compositions: the best that were tried, at most 100.
    """

    machines: int
    order: str | None
    shares: dict[str, int] | None
    tenants: tuple[QueueResult, ...]
    slos_met: bool
    load: float
    utilization: float
    throughput_per_s: float
    power_w: float
    cost_per_million: float | None
    saving: float | None
    capacity: Capacity | None = None
    compositions: tuple[Composition, ...] | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"capacity", "compositions", "shares", "order"})


@dataclass(frozen=True, slots=True)
class HourResult(Plain):
    """An hour. start: as clocks show it, with the date where the traces have one.

    rate_per_s: by tenant. load: of one machine that has all. machines: the least number that keeps every SLO, None where none does.
    p99_ms: by tenant, with so many machines.
    """

    start: str
    rate_per_s: dict[str, float]
    load: float
    machines: int | None
    p99_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class MachineHours(Plain):
    """Machines times hours: with as many as the peak needs at all times, and with as many as each hour needs; saving: of these."""

    peak_provisioned: int
    hourly: int
    saving: float

    @classmethod
    def of(cls, machines: Sequence[int]) -> MachineHours:
        """Of hours."""
        peak, hourly = max(machines) * len(machines), sum(machines)
        return cls(peak, hourly, 1 - hourly / peak if peak else 0.0)


@dataclass(frozen=True, slots=True)
class UnusualMachineHours(Plain):
    """The machine hours of the most unusual day of any tenant."""

    date: str
    tenant: str
    machine_hours: MachineHours


@dataclass(frozen=True, slots=True)
class HoursResult(Plain):
    """All hours. machine_hours: None where in some hour no number of machines keeps the SLOs. unusual: None if no day is, too."""

    hours: tuple[HourResult, ...]
    machine_hours: MachineHours | None
    unusual: UnusualMachineHours | None

    optional: ClassVar[frozenset[str]] = frozenset({"unusual"})


@dataclass(frozen=True, slots=True)
class TenantDemand(Plain):
    """The shape of a trace: by hours of the week, and groups of its cells where some are asked for."""

    profile: Profile
    groups: CellGroups | None

    optional: ClassVar[frozenset[str]] = frozenset({"groups"})


@dataclass(frozen=True, slots=True)
class ServeResults(Plain):
    """What a study of a service found: results.json.

    busiest_s: where traces change rates, the bin that is simulated, in seconds from their beginning. sharing: by `time`,
    `partition` and `dedicated`; notes: what is left out, and why. hours: the machines that each hour of the traces needs, where
    they share time; demand: by tenant, the shape of traces with dates.
    """

    complete: bool
    folder: str
    name: str
    hardware: str
    objective: str
    seed: int
    duration_s: float
    warmup_s: float
    busiest_s: tuple[float, float] | None
    tenants: tuple[TenantResult, ...]
    sharing: dict[str, SharingResult]
    notes: tuple[str, ...]
    hours: HoursResult | None = None
    demand: dict[str, TenantDemand] | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"hours", "demand"})

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; the hours' machine hours stand beside them."""
        data = Plain.to_dict(self)
        return {**data, **data.pop("hours", {})}
