"""The largest factor on all rates at which every SLO holds, and latencies on the way there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from mapsearch.studies.serve.results import Capacity, CurvePoint
from mapsearch.studies.serve.servers import Demand, Server, load_of, serve_at
from mapsearch.studies.serve.study import Tenant

# Loads at which latencies are looked at; between the last at which SLOs hold and the next, halved until they differ by FINE.
LOADS = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
FINE = 0.005
MOST_REQUESTS = 100_000  # simulated for each load, or as many as give each tenant LEAST_REQUESTS
LEAST_REQUESTS = 1000


def capacity_of(servers: Sequence[Server], tenants: Sequence[Tenant], demand: Demand) -> Capacity:
    """How far a demand's rates may grow, or must fall, on these servers: the same requests, closer together or further apart."""
    demand = demand.cut(MOST_REQUESTS, LEAST_REQUESTS)
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


def most_loaded(
    ways: Sequence[tuple[int, ...]], servers: Mapping[tuple[int, int], Server], tenants: Sequence[Tenant], demand: Demand
) -> tuple[int, ...] | None:
    """Of the ways to share a machine out, the one whose SLOs hold at the largest factor on all rates; None where none does at any.

    servers: by a tenant's number and its share, of those that it may have. A tenant's factor on a share is bisected only where the
    bounds so far, a load of 1 at first, leave a way that may be better than the best.
    """
    loads = {each: load_of(server, demand.rates) for each, server in servers.items()}
    bounds = {each: 1 / load if load else inf for each, load in loads.items()}
    exact = {each for each, load in loads.items() if not load}  # a trace without requests in that hour
    best, factor = None, 0.0

    def bound(shares: tuple[int, ...]) -> float:
        return min(bounds.get(each, 0.0) for each in enumerate(shares))

    for shares in sorted(ways, key=bound, reverse=True):
        while bound(shares) > factor:
            open_ = [each for each in enumerate(shares) if each not in exact]
            if not open_:
                best, factor = shares, bound(shares)
                break
            tightest = min(open_, key=bounds.__getitem__)
            bounds[tightest] = capacity_of([servers[tightest]], tenants, demand).max_load_factor
            exact.add(tightest)
    return best
