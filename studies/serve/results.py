"""The results of a service as typed data: results.json, key by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mapsearch.model.plain import Plain
from mapsearch.studies.serve.figures import Response

# The ways of sharing, and their names in tables and pictures.
WAYS = {"time": "in turn", "partition": "in parts", "dedicated": "one each"}


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

    first_broken: the tenants whose SLOs do not hold just beyond it.
    """

    max_load_factor: float
    load: float
    first_broken: tuple[str, ...]
    curve: tuple[CurvePoint, ...]


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
    a machine for each tenant. shares: of a partition; compositions: all that were tried.
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
class ServeResults(Plain):
    """What a study of a service found: results.json.

    busiest_s: where traces change rates, the bin that is simulated, in seconds from their beginning. sharing: by `time`,
    `partition` and `dedicated`; notes: what is left out, and why.
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
