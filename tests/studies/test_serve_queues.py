"""Queues at a server: waits are those of queueing theory, batches and interruptions are as stated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mapsearch.formats.mixes import load_mix
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.studies.serve.arrivals import Arrivals
from mapsearch.studies.serve.figures import BATCHES, response_of
from mapsearch.studies.serve.queues import Order, Stream, simulate
from mapsearch.studies.serve.servers import Demand, Server, load_of, serve_at
from mapsearch.studies.serve.services import Service
from mapsearch.studies.serve.study import Price, ServeStudy, Tenant
from mapsearch.studies.serve.theory import mean_waits
from mapsearch.studies.serve.ways import Ways


def _times(rate: float, count: int, seed: int) -> NDArray[np.float64]:
    return Arrivals.steady(rate, count / rate).sample(np.random.default_rng(seed))


def _same(seconds: float) -> Callable[[int], Sequence[float]]:
    return lambda _: (seconds,)


def _layers(seconds: float, layers: int) -> Callable[[int], Sequence[float]]:
    """A service of so many layers of equal length."""
    borders = [seconds * (layer + 1) / layers for layer in range(layers)]
    return lambda _: borders


def _waits(
    rates: Sequence[float],
    services: Sequence[Callable[[int], Sequence[float]]],
    means: Sequence[float],
    order: Order,
    requests: int,
    priorities: Sequence[int] | None = None,
    seeds: int = 1,
) -> list[float]:
    """The mean wait of each class's requests after the first tenth, `requests` of all classes together, over `seeds` seeds."""
    ranks = priorities or [0] * len(rates)
    found: list[list[float]] = []
    for seed in range(seeds):
        share = requests / sum(rates)
        streams = [
            Stream(_times(rate, round(rate * share), 100 * seed + number), service, priority=rank)
            for number, (rate, service, rank) in enumerate(zip(rates, services, ranks, strict=True))
        ]
        served, _ = simulate(streams, order)
        responses = [each.done_s - stream.times_s for each, stream in zip(served, streams, strict=True)]
        found.append([part[len(part) // 10 :].mean() - mean for part, mean in zip(responses, means, strict=True)])
    waits: list[float] = np.mean(found, axis=0).tolist()
    return waits


@pytest.mark.nightly
@pytest.mark.parametrize("load", [0.3, 0.5, 0.8])
def test_waits_of_one_class_are_those_of_theory(load: float) -> None:
    """M/D/1 and M/M/1 wait as Pollaczek and Khinchine say, within 2 % (M/D/1 at 0.8: 2.0 services)."""
    rng = np.random.default_rng(1000)
    [deterministic] = _waits([load], [_same(1.0)], [1.0], Order.FIFO, 200_000, seeds=8)
    [exponential] = _waits([load], [lambda _: (rng.exponential(),)], [1.0], Order.FIFO, 200_000, seeds=8)
    assert mean_waits([0.8], [1.0], [1.0]) == pytest.approx([2.0])
    assert deterministic == pytest.approx(mean_waits([load], [1.0], [1.0])[0], rel=0.02)
    assert exponential == pytest.approx(mean_waits([load], [1.0], [2.0])[0], rel=0.02)


@pytest.mark.nightly
@pytest.mark.parametrize("order", [Order.FIFO, Order.PRIORITY])
def test_waits_of_mixes_are_those_of_theory(order: Order) -> None:
    """Two classes of constant service times wait as M/G/1 or, by priority, as Cobham says, within 2 %."""
    rates, seconds = (0.4, 0.15), (0.5, 3.0)
    squares = [each * each for each in seconds]
    ranks = [0, 1] if order is Order.PRIORITY else None
    found = _waits(rates, [_same(each) for each in seconds], seconds, order, 200_000, ranks, seeds=3)
    assert found == pytest.approx(mean_waits(rates, seconds, squares, ranks), rel=0.02)


@pytest.mark.nightly
def test_interruption_at_fine_borders_is_preemptive_resume() -> None:
    """With 100 layers, the urgent class waits almost as if it were alone, and both respond as preemptive-resume theory says."""
    rates, seconds = (0.3, 0.15), (1.0, 3.0)
    found = _waits(rates, [_layers(each, 100) for each in seconds], seconds, Order.PREEMPTIVE, 200_000, [0, 1], seeds=3)
    alone = mean_waits(rates[:1], seconds[:1], [1.0])[0]
    assert found[0] == pytest.approx(alone + 0.45 * 0.03 / 2, rel=0.02)  # a layer of the other class may be under way
    residual, first, both = (0.3 * 1 + 0.15 * 9) / 2, 0.7, 1 - 0.3 - 0.45
    assert found[1] == pytest.approx(3 / first + residual / (first * both) - 3, rel=0.02)


def test_waits_are_near_theory_in_a_short_simulation() -> None:
    """The same within 10 % at 20,000 requests, for two classes by arrival and by priority."""
    rates, seconds = (0.4, 0.1), (0.5, 3.0)
    squares = [each * each for each in seconds]
    for order, ranks in ((Order.FIFO, None), (Order.PRIORITY, [1, 0])):
        found = _waits(rates, [_same(each) for each in seconds], seconds, order, 20_000, ranks)
        assert found == pytest.approx(mean_waits(rates, seconds, squares, ranks), rel=0.1)


def test_first_come_first_served_is_lindleys_recursion() -> None:
    """Without batches, each request waits as Lindley's recursion says."""
    times = _times(0.9, 2000, 1)
    [served], busy = simulate([Stream(times, _same(1.0))])
    ends: list[float] = []
    end = 0.0
    for time in times:
        end = max(end, time) + 1.0
        ends.append(end)
    assert served.done_s == pytest.approx(ends, rel=1e-12)
    assert (busy[:, 1] - busy[:, 0]).sum() == pytest.approx(len(times))


def test_a_batch_starts_when_full_or_when_the_oldest_has_waited() -> None:
    """Three at once fill a batch; a fourth waits its second; two that came while the server worked go together."""
    stream = Stream(np.array([0.0, 0.1, 0.2, 5.0, 5.5, 6.2]), lambda n: (1.0 + n,), batch_max=3, wait_s=1.0)
    [served], _ = simulate([stream])
    assert served.batch.tolist() == [3, 3, 3, 2, 2, 1]
    assert served.done_s == pytest.approx([4.2] * 3 + [9.0] * 2 + [11.0])


def test_a_smaller_number_goes_first_and_may_interrupt_at_a_layer() -> None:
    """By arrival it waits for all; by priority for the work under way; preemptive for its layer, and the rest is done later."""
    slow = Stream(np.array([0.0, 0.1]), lambda _: (2.0, 4.0, 6.0), priority=1)
    urgent = Stream(np.array([2.5]), _same(1.0), priority=0)
    ends = {order: [each.done_s.tolist() for each in simulate([slow, urgent], order)[0]] for order in Order}
    assert ends[Order.FIFO] == [[6.0, 12.0], [13.0]]
    assert ends[Order.PRIORITY] == [[6.0, 13.0], [7.0]]
    assert ends[Order.PREEMPTIVE] == [[7.0, 13.0], [5.0]]


def test_turning_to_another_tenant_takes_its_time() -> None:
    """Each change of tenant adds the constant, the first work too; work of the same tenant does not."""
    one, other = Stream(np.array([0.0, 0.1]), _same(1.0)), Stream(np.array([0.2]), _same(1.0))
    served, busy = simulate([one, other], switch_s=0.5)
    assert [each.done_s.tolist() for each in served] == [[1.5, 2.5], [4.0]]
    assert (busy[:, 1] - busy[:, 0]).sum() == pytest.approx(4.0)


@st.composite
def _tenants(draw: st.DrawFn) -> tuple[list[Tenant], Server]:
    """One to three tenants, each of a priority, a service time from 0.5 to 5 s in one to five layers, and a share of the load."""
    count = draw(st.integers(1, 3))
    seconds = [draw(st.floats(0.5, 5.0)) for _ in range(count)]
    layers = [draw(st.integers(1, 5)) for _ in range(count)]
    mix = load_mix("ncf")
    tenants = [
        Tenant(str(number), "ncf", mix, Arrivals.steady(draw(st.floats(0.3, 1.0)) / each, 1.0), priority=draw(st.integers(0, 2)))
        for number, each in enumerate(seconds)
    ]
    services = [
        Service({1: [each * (layer + 1) / many for layer in range(many)]}, {1: 1e3 * each}, {1: 1.0})
        for each, many in zip(seconds, layers, strict=True)
    ]
    return tenants, Server("machine", tuple(range(count)), tuple(services), draw(st.sampled_from(list(Order))))


# Always the same cases: an interval holds 19 times of 20.
@settings(max_examples=30, deadline=None, derandomize=True)
@given(asked=_tenants(), seed=st.integers(0, 1000), low=st.floats(0.05, 0.9), more=st.floats(1.01, 4.0))
def test_more_load_lowers_no_percentile_beyond_its_interval(
    asked: tuple[list[Tenant], Server], seed: int, low: float, more: float
) -> None:
    """The same requests closer together: no mean or percentile of any tenant falls, interval and all, below its interval.

    In order of arrival, no request at all is done sooner after it came. This is of requests by themselves: with batches, more
    load fills them, and may lower a percentile.
    """
    tenants, server = asked
    rates = [tenant.arrivals.mean_per_s for tenant in tenants]
    end = 600 / min(rates)
    times = [Arrivals.steady(rate, end).sample(np.random.default_rng([seed, number])) for number, rate in enumerate(rates)]
    demand = Demand(tuple(rates), tuple(times), (0.1 * end, end))
    base = load_of(server, rates)
    before, after = (demand.scaled(load / base) for load in (low, min(low * more, 0.95)))
    for old, new in zip(serve_at(server, tenants, before).queues, serve_at(server, tenants, after).queues, strict=True):
        assert old.response_ms.interval is not None
        assert new.response_ms.interval is not None
        for name, (least, _) in old.response_ms.interval.items():
            assert new.response_ms.interval[name][1] >= least * (1 - 1e-9), name  # times are rounded
    if server.order is Order.FIFO:
        responses: list[NDArray[np.float64]] = []
        for each in (before, after):
            streams = [Stream(arrive, service.borders) for arrive, service in zip(each.times_s, server.services, strict=True)]
            served, _ = simulate(streams)
            responses.append(np.concatenate([done.done_s - its.times_s for done, its in zip(served, streams, strict=True)]))
        assert (responses[1] >= responses[0] - 1e-6).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    asked=_tenants(),
    load=st.floats(0.05, 0.95),
    slack=st.floats(1.2, 20.0),
    prices=st.tuples(st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.15])),
)
def test_no_sharing_in_turn_that_holds_its_slos_is_worse_than_a_machine_each(
    asked: tuple[list[Tenant], Server], load: float, slack: float, prices: tuple[float, float]
) -> None:
    """Without batches no figure of a tenant's response is lower in turn, in any order; SLOs held there hold alone, at no less cost.

    With batches, waiting fills them, and a percentile or a request's energy may be lower in turn.
    """
    tenants, server = asked
    scale = load / load_of(server, [tenant.arrivals.mean_per_s for tenant in tenants])
    tenants = [
        replace(its, arrivals=Arrivals.steady(its.arrivals.mean_per_s * scale, 1.0), slo_ms=slack * service.runtime_ms[1])
        for its, service in zip(tenants, server.services, strict=True)
    ]
    duration = 600 / min(its.arrivals.mean_per_s for its in tenants)
    study = ServeStudy(
        name="study",
        data={},
        hardware=load_hardware("edge"),
        tenants=tuple(tenants),
        sharing=("time",),
        order=server.order,
        switch_s=0.0,
        parts=1,
        search={},
        duration_s=duration,
        warmup_s=0.1 * duration,
        price=Price(*prices),
    )
    services = {(number, 1): service for number, service in enumerate(server.services)}
    results, _ = Ways(study, services, {}, seed=0, max_load=False).all()
    turns, alone = results["time"], results["dedicated"]
    for shared, own in zip(turns.tenants, alone.tenants, strict=True):
        for name, value in own.response_ms.values.items():
            assert shared.response_ms.values[name] >= value * (1 - 1e-9), name  # times are rounded
        assert shared.energy_uj == own.energy_uj
    if turns.slos_met:
        assert alone.slos_met
        assert turns.saving is None or turns.saving >= 0


def test_intervals_hold_the_true_percentile() -> None:
    """Of 200 series of independent exponential times, about 95 % of the intervals hold the mean and the 95th percentile."""
    rng = np.random.default_rng(7)
    held = {"mean": 0, "p95": 0}
    for _ in range(200):
        found = response_of(rng.exponential(1.0, 2000))
        assert found.interval is not None
        for name, truth in (("mean", 1.0), ("p95", -np.log(0.05))):
            low, high = found.interval[name]
            held[name] += low <= truth <= high
    assert all(180 <= count <= 199 for count in held.values())


def test_few_requests_are_said_to_be_few() -> None:
    """Fewer than 20,000 are wide, fewer than 20 have no interval, none have no figures."""
    assert response_of(np.ones(20_000)).wide is False
    assert response_of(np.ones(19_999)).wide is True
    assert response_of(np.ones(BATCHES - 1)).interval is None
    assert response_of(np.ones(0)).values == {}
    assert list(response_of(np.ones(50), 99.9).values) == ["mean", "p50", "p95", "p99", "p99.9"]
