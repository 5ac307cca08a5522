"""The largest factor on all rates at which every SLO holds, and latencies on the way there."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.studies.serve.results import Capacity, CurvePoint
from mapsearch.studies.serve.servers import Demand, Server, load_of, serve_at
from mapsearch.studies.serve.study import Tenant

# Loads at which latencies are looked at; between the last at which SLOs hold and the next, halved until they differ by FINE.
LOADS = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
FINE = 0.005
MOST_REQUESTS = 100_000  # simulated for each load


def capacity_of(servers: Sequence[Server], tenants: Sequence[Tenant], demand: Demand) -> Capacity:
    """How far a demand's rates may grow, or must fall, on these servers: the same requests, closer together or further apart."""
    demand = demand.cut(MOST_REQUESTS)
    base = max(load_of(server, demand.rates) for server in servers)
    broken: dict[float, tuple[str, ...]] = {1.0: ()}

    def point(load: float) -> CurvePoint:
        factor = load / base
        queues = [queue for server in servers for queue in serve_at(server, tenants, demand.scaled(factor)).queues]
        broken[load] = tuple(queue.name for queue in queues if queue.slo_met is False)
        percentiles = {tenant.name: tenant.percentile for tenant in tenants}
        latency = {queue.name: queue.response_ms.of(percentiles[queue.name]) for queue in queues}
        return CurvePoint(factor, load, latency, slos_met=not broken[load])

    curve = [point(load) for load in LOADS]
    held = max((each.load for each in curve if each.slos_met), default=0.0)
    if not held:
        return Capacity(0.0, 0.0, broken[LOADS[0]], tuple(curve))
    over = next((load for load in (*LOADS, 1.0) if load > held), 1.0)
    while over - held > FINE:
        middle = (held + over) / 2
        found = point(middle)
        curve.append(found)
        if found.slos_met:
            held = middle
        else:
            over = middle
    return Capacity(held / base, held, broken[over], tuple(sorted(curve, key=lambda each: each.load)))
