"""Services: figures are those of the runs, ways of sharing add up, and what cannot be is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import mapsearch
from mapsearch.formats.mixes import load_mix
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.services import file_of, load_file, names
from mapsearch.model.area import leakage_by_part
from mapsearch.model.errors import InputError
from mapsearch.studies.serve.arrivals import Arrivals
from mapsearch.studies.serve.capacity import capacity_of, most_loaded
from mapsearch.studies.serve.results import ServeResults
from mapsearch.studies.serve.serve import serve
from mapsearch.studies.serve.servers import Demand, Server, serve_at
from mapsearch.studies.serve.services import Service, service_of
from mapsearch.studies.serve.shares import check_compositions, compositions, machine_of_share
from mapsearch.studies.serve.study import Tenant, study_of

FILE = "set.yaml"
SET = """
title: small
source: made up for tests
layers:
  - {name: a, type: CONV, K: 16, C: 8, R: 3, S: 3, Y: 14, X: 14}
  - {name: b, type: CONV, K: 32, C: 16, R: 1, S: 1, Y: 12, X: 12, count: 2}
  - {name: c, type: CONV, K: 16, C: 8, R: 3, S: 3, Y: 14, X: 14}
"""
STUDY: dict[str, Any] = {
    "hardware": "edge",
    "tenants": [{"name": "one", "network": FILE, "rate_per_s": 2000}, {"name": "two", "network": "ncf", "rate_per_s": 1500}],
    "partition": {"parts": 4},
    "search": {"evaluations": 200},
    "duration_s": 2,
    "warmup_s": 0.2,
}


def _write(folder: Path, **changes: object) -> Path:
    (folder / FILE).write_text(SET)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({**STUDY, **changes}))
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ServeResults]:
    """A study with prices, its folder and its results."""
    folder = tmp_path_factory.mktemp("serve")
    study = _write(folder, price={"machine_per_hour": 0.5, "energy_per_kwh": 0.15})
    return folder, serve(study, out=folder / "out", jobs=1)


def test_a_tenant_alone_has_the_figures_of_its_run(tmp_path: Path) -> None:
    """With all parts, service times and energies are those of `run` digit by digit, for each batch size."""
    study = _write(tmp_path, tenants=[{"network": FILE, "rate_per_s": 100, "batch": {"max": 3}}])
    results = serve(study, out=tmp_path / "out", jobs=1, seed=3)
    [tenant] = results.tenants
    for batch in (1, 2, 3):
        alone = mapsearch.run(
            tmp_path / FILE, "edge", objective="latency", batch=batch, evaluations=200, seed=3, out=tmp_path / f"b{batch}", jobs=1
        )
        assert tenant.service_ms[str(batch)] == alone.totals.runtime_ms
        assert tenant.energy_uj[str(batch)] == alone.totals.energy_pj.total / batch / 1e6
    for way in ("partition", "dedicated"):
        assert results.sharing[way].tenants[0].service_ms == tenant.service_ms
        assert results.sharing[way].tenants[0].response_ms == results.sharing["time"].tenants[0].response_ms
    assert results.sharing["partition"].shares == {"set": 4}


def test_borders_are_the_layers_in_the_order_of_the_network(tmp_path: Path) -> None:
    """The service time is reached layer by layer: a, b twice, then c, which has a's shape."""
    (tmp_path / FILE).write_text(SET)
    run = mapsearch.run(tmp_path / FILE, "edge", objective="latency", evaluations=200, out=tmp_path / "out", jobs=1)
    cycles = [row.metrics.runtime_cycles for row in run.layers]
    service = service_of({1: run}, load_mix(str(tmp_path / FILE)), 1000.0)
    assert service.borders(1) == pytest.approx(np.cumsum([cycles[0], cycles[1], cycles[1], cycles[0]]) / 1e9)


def test_ways_of_sharing_add_up(shared: tuple[Path, ServeResults]) -> None:
    """Loads, throughputs, waits, costs and savings are what their definitions say."""
    _, results = shared
    time, parts, dedicated = (results.sharing[way] for way in ("time", "partition", "dedicated"))
    loads = [tenant.rate_per_s * tenant.service_ms["1"] / 1e3 for tenant in results.tenants]
    assert time.load == pytest.approx(sum(loads))
    assert dedicated.load == pytest.approx(max(loads))
    assert [queue.load for queue in dedicated.tenants] == pytest.approx(loads)
    assert time.utilization == pytest.approx(time.load, rel=0.1)
    assert time.throughput_per_s == pytest.approx(3500, rel=0.05)
    for way in (time, parts, dedicated):
        for queue in way.tenants:
            assert queue.theory_ms is not None
            assert queue.wait_ms == pytest.approx(queue.theory_ms, rel=0.25, abs=0.002)
            assert queue.response_ms.values["p99"] >= queue.response_ms.values["p50"] >= min(queue.service_ms.values()) - 1e-9
    assert sum((parts.shares or {}).values()) == 4
    assert parts.compositions is not None
    assert sorted(each.shares for each in parts.compositions) == [(1, 3), (2, 2), (3, 1)]
    worst = [each.worst for each in parts.compositions if each.worst is not None]
    assert worst == sorted(worst)
    leakage_w = leakage_by_part(load_hardware("edge")).total / 1e3
    energy_j = sum(queue.energy_uj * rate for queue, rate in zip(time.tenants, (2000, 1500), strict=True)) / 3500 * 1e-6
    per_joule = 0.15 / 3.6e6
    cost = 1e6 * ((0.5 / 3600 + leakage_w * per_joule) / time.throughput_per_s + energy_j * per_joule)
    assert time.cost_per_million == pytest.approx(cost)
    assert time.power_w == pytest.approx(leakage_w + energy_j * time.throughput_per_s)
    assert dedicated.cost_per_million is not None
    assert time.saving == pytest.approx(1 - cost / dedicated.cost_per_million)
    assert 0.45 < (time.saving or 0) < 0.55  # two half-loaded machines' work on one, as Perseus found a saving
    assert (time.machines, parts.machines, dedicated.machines) == (1, 1, 2)


def test_results_are_written_and_read_as_json(shared: tuple[Path, ServeResults]) -> None:
    """results.json holds what is returned, and the folder has a run for each network and share."""
    folder, results = shared
    assert json.loads((folder / "out" / "results.json").read_text()) == json.loads(json.dumps(results.to_dict()))
    runs = sorted(path.name for path in (folder / "out" / "runs").iterdir())
    assert runs == sorted(f"{name}-b1{share}" for name in ("set", "ncf") for share in ("", "-1of4", "-2of4", "-3of4"))


def _searches(folder: Path) -> dict[str, object]:
    """The layers of each run, with the seconds of their searches."""
    return {path.parent.name: json.loads(path.read_text())["layers"] for path in folder.glob("runs/*/results.json")}


def test_a_resumed_study_keeps_its_runs(shared: tuple[Path, ServeResults]) -> None:
    """Resumed, it gives the same results; with other rates the runs are kept and the queues are new."""
    folder, results = shared
    before = _searches(folder / "out")
    again = serve(out=folder / "out", resume=True, jobs=1)
    assert again == results
    changed = _write(folder, tenants=[{**each, "rate_per_s": 500} for each in STUDY["tenants"]])
    slower = serve(changed, out=folder / "out", resume=True, jobs=1)
    assert _searches(folder / "out") == before
    assert slower.sharing["time"].load < results.sharing["time"].load
    assert serve(out=folder / "out", resume=True, jobs=1) == slower


def test_a_refused_change_leaves_the_results(tmp_path: Path) -> None:
    """A changed study that the machine cannot do leaves the folder as it was; one that can be done takes its place."""
    out = tmp_path / "out"
    study = _write(tmp_path, sharing=["time"])
    serve(study, out=out, jobs=1)
    (out / "load.png").write_text("of an earlier study")
    before = {path.name: path.read_text() for path in out.iterdir() if path.is_file()}
    heavy = _write(tmp_path, sharing=["time"], tenants=[{**each, "rate_per_s": 1e5} for each in STUDY["tenants"]])
    with pytest.raises(InputError, match="can do at most"):
        serve(heavy, out=out, resume=True, jobs=1)
    assert {path.name: path.read_text() for path in out.iterdir() if path.is_file()} == before
    light = _write(tmp_path, sharing=["time"], tenants=[{**each, "rate_per_s": 1e3} for each in STUDY["tenants"]])
    results = serve(light, out=out, resume=True, jobs=1)
    assert serve(out=out, resume=True, jobs=1) == results
    assert not (out / "load.png").exists()


def test_same_seed_same_numbers(tmp_path: Path) -> None:
    """Two folders of one seed hold the same, with another number of jobs too; another seed draws other requests."""
    study = _write(tmp_path)
    first, again, other = (
        serve(study, out=tmp_path / str(number), jobs=jobs, seed=seed, no_cache=True).to_dict()
        for number, (seed, jobs) in enumerate(((1, 1), (1, 2), (2, 1)))
    )
    assert {**first, "folder": ""} == {**again, "folder": ""}
    assert first["sharing"]["time"]["tenants"][0]["response_ms"] != other["sharing"]["time"]["tenants"][0]["response_ms"]
    assert list(first["sharing"]) == ["time", "partition", "dedicated"]


def test_a_traced_tenant_is_simulated_in_its_busiest_hour(tmp_path: Path) -> None:
    """The rate is that of the hour with the greatest load; costs are those of the day's mean."""
    day = [1.0] * 20 + [3.0] + [1.0] * 3
    tenants = [{**STUDY["tenants"][0], "trace": {"daily": day}}, STUDY["tenants"][1]]
    price = {"machine_per_hour": 1.0}
    results = serve(_write(tmp_path, tenants=tenants, sharing=["time"], price=price), out=tmp_path / "out", jobs=1)
    assert results.busiest_s == (20 * 3600, 21 * 3600)
    assert [each.rate_per_s for each in results.tenants] == pytest.approx([2000 * 3 * 24 / 26, 1500])
    assert [each.mean_rate_per_s for each in results.tenants] == pytest.approx([2000, 1500])
    time = results.sharing["time"]
    peak = sum(each.rate_per_s for each in results.tenants)
    assert time.cost_per_million == pytest.approx(1e6 / 3600 / (time.throughput_per_s * 3500 / peak))


def _tenant(slo_ms: float) -> Tenant:
    return Tenant("one", "ncf", load_mix("ncf"), Arrivals.steady(0.5, 1.0), slo_ms=slo_ms)


def test_max_load_is_where_an_slo_breaks() -> None:
    """With other requests at the load found, the percentile is the SLO within its interval; below it the SLO holds."""
    server = Server("machine", (0,), (Service({1: (1.0,)}, {1: 1000.0}, {1: 1.0}),))
    tenants = [_tenant(8000.0)]

    def demand(load: float, seed: int) -> Demand:
        return Demand(
            (load,), (Arrivals.steady(load, 21_000 / load).sample(np.random.default_rng(seed)),), (1000 / load, 21_000 / load)
        )

    capacity = capacity_of([server], tenants, demand(0.5, 1))
    assert capacity.max_load_factor == pytest.approx(capacity.load / 0.5)
    assert capacity.first_broken == ("one",)
    assert all(point.slos_met == (point.load <= capacity.load) for point in capacity.curve)
    latencies = [point.latency_ms["one"] for point in capacity.curve]
    assert latencies == sorted(latencies)
    [queue] = serve_at(server, tenants, demand(capacity.load, 2)).queues
    low, high = (queue.response_ms.interval or {})["p99"]
    assert low <= 8000 <= high
    assert capacity_of([server], [_tenant(1000.0)], demand(0.5, 1)).max_load_factor == 0.0


def test_a_study_finds_its_max_load(tmp_path: Path) -> None:
    """Each way of sharing has a factor and a curve; the machine of each tenant's own carries the most."""
    tenants = [{**each, "slo_ms": 0.3, "rate_per_s": 9000} for each in STUDY["tenants"]]
    study = _write(tmp_path, tenants=tenants, duration_s=0.2, warmup_s=0)
    results = serve(study, out=tmp_path / "out", jobs=1, max_load=True)
    factors = {way: each.capacity.max_load_factor for way, each in results.sharing.items() if each.capacity is not None}
    assert list(factors) == ["time", "partition", "dedicated"]
    assert factors["dedicated"] == max(factors.values()) > 1
    with pytest.raises(InputError, match="--max-load needs a tenant with an SLO"):
        serve(_write(tmp_path), out=tmp_path / "none", max_load=True)


def test_parts_are_shared_out_for_the_largest_load() -> None:
    """Of all ways, the one with the largest of the least factors of its tenants; a share that is missing is not used."""
    rates, slos = (0.5, 0.2, 0.1), (8.0, 60.0, 80.0)
    tenants = [replace(_tenant(1e3 * slo), name=str(number)) for number, slo in enumerate(slos)]
    demand = Demand(rates, tuple(Arrivals.steady(rate, 4000).sample(np.random.default_rng(9)) for rate in rates), (400.0, 4000.0))
    servers = {
        (number, share): Server(f"{share}", (number,), (Service({1: (6 / share,)}, {1: 6e3 / share}, {1: 1.0}),))
        for number in range(3)
        for share in range(1, 7)
        if (number, share) != (0, 5)
    }
    ways = list(compositions(8, 3))
    factors = {each: capacity_of([server], tenants, demand).max_load_factor for each, server in servers.items()}
    least = {shares: min(factors.get(each, 0.0) for each in enumerate(shares)) for shares in ways}
    best = most_loaded(ways, servers, tenants, demand)
    assert best is not None
    assert least[best] == max(least.values()) > 0
    assert best[0] == 4  # the best with 5 for the first, which it may not have, would be (5, 2, 1)
    assert most_loaded(ways, {}, tenants, demand) is None
    hasty = [replace(tenant, slo_ms=1.0) for tenant in tenants]
    assert most_loaded(ways, servers, hasty, demand) is None


def test_the_largest_load_is_of_all_ways_to_share_the_parts_out(tmp_path: Path) -> None:
    """At rates beyond every way, the parts that carry the most are found, and how far the rates must fall."""
    tenants = [
        {**STUDY["tenants"][0], "rate_per_s": 2e5, "slo_ms": 1},
        {**STUDY["tenants"][1], "rate_per_s": 1e4, "slo_ms": 1},
    ]
    study = _write(tmp_path, tenants=tenants, sharing=["partition"], duration_s=0.1, warmup_s=0)
    results = serve(study, out=tmp_path / "out", jobs=1, max_load=True)
    parts = results.sharing["partition"]
    assert parts.capacity is not None
    assert parts.capacity.shares == parts.shares
    assert 0 < parts.capacity.max_load_factor < 1 < parts.load
    assert not parts.slos_met
    assert any("in parts: load" in note and "queues grow without end" in note for note in results.notes)


def test_shares_are_rounded_down() -> None:
    """A share has its part of PEs, L2 and widths, and the whole machine's L1 and clock; compositions give all parts."""
    cloud = load_hardware("cloud,pes=1000")
    share = machine_of_share(cloud, 3, 8)
    assert (share.pes, share.l2.bytes, share.noc.bytes_per_cycle, share.offchip.bytes_per_cycle) == (375, 786432, 48, 24)
    assert (share.l1, share.clock_mhz, share.technology) == (cloud.l1, cloud.clock_mhz, cloud.technology)
    assert machine_of_share(cloud, 8, 8) == cloud
    array = machine_of_share(load_hardware("tpu_v1"), 1, 3)
    assert array.array is not None
    assert (array.array.rows, array.array.columns, array.pes) == (256, 85, 256 * 85)
    assert len(list(compositions(8, 3))) == 21
    assert set(compositions(4, 2)) == {(1, 3), (2, 2), (3, 1)}
    with pytest.raises(InputError, match="parts must be at least 4, one for each tenant, got 3"):
        check_compositions(3, 4)
    with pytest.raises(InputError, match="can be shared out in 333,375 ways, of which at most 100,000"):
        check_compositions(128, 4)
    with pytest.raises(InputError, match="1 of 64 parts of edge"):
        machine_of_share(load_hardware("edge"), 1, 64)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tenants": []}, "tenants must have at least one item"),
        ({"tenants": [{"network": "ncf"}]}, "tenant 1: rate_per_s is missing; needed is a rate, or a trace"),
        ({"tenants": [{"network": "ncf", "rate_per_s": -3}]}, "tenant 1: rate_per_s must be > 0.0, got -3"),
        ({"tenants": [{"network": "ncg", "rate_per_s": 3}]}, "tenant 1: no layer set is called 'ncg'; did you mean ncf"),
        ({"tenants": [{"network": "ncf", "rate_per_s": 3, "batch": {"max": 65}}]}, "batch.max must be <= 64, got 65"),
        ({"tenants": [{"network": "ncf", "rate_per_s": 3}] * 2}, "two tenants are called ncf"),
        ({"tenants": [{"network": "ncf", "rate_per_s": 3, "trace": {"daily": [1]}}]}, "24 shares, one an hour, got 1"),
        ({"tenants": [{"network": "ncf", "trace": {"daily": [1] * 24}}]}, "rate_per_s is missing; it is the mean of the day"),
        ({"tenants": [{"network": "ncf", "rate_per_s": 3, "slo": 3}]}, "unknown key slo; did you mean slo_ms"),
        ({"sharing": ["space"]}, "must be 'time' or 'partition', got 'space'"),
        ({"sharing": ["time", "time"]}, "sharing must name each way once"),
        ({"time": {"order": "lifo"}}, "time.order must be 'fifo', 'priority' or 'preemptive', got 'lifo'"),
        ({"hardware": "edge_space"}, "must be one machine here, but is a space"),
        ({"objective": "latency,energy"}, "objective must be one, got latency,energy"),
        ({"search": {"batch": 3}}, "search: batch is not set here; a tenant has batch"),
        ({"search": {"evaluation": 3}}, "search: unknown setting evaluation; did you mean evaluations"),
        ({"search": {"evaluations": 0}}, "evaluations must be a whole number"),
        ({"duration_s": 0}, "duration_s must be >= 1e-06, got 0"),
        ({"duration_s": 1e7}, "3.5e+10 requests in duration_s and warmup_s are too many to simulate; at most 20,000,000"),
        ({"partition": {"parts": 1}}, "partition: parts must be at least 2, one for each tenant, got 1"),
    ],
)
def test_wrong_studies_are_refused(changes: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    """Each law of a study's keys has its one-line error, and nothing is written."""
    study = _write(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        serve(study, out=tmp_path / "out", jobs=1)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_what_the_machine_cannot_do_is_refused(tmp_path: Path) -> None:
    """Too much load, an SLO below the service time, and shares that no network fits have each one line; the runs are kept."""
    heavy = [{**each, "rate_per_s": 1e5} for each in STUDY["tenants"]]
    with pytest.raises(InputError, match=r"load \S+: the machine edge can do at most \S+ requests a second of this mix"):
        serve(_write(tmp_path, tenants=heavy), out=tmp_path / "out", jobs=1)
    assert sorted(path.name for path in (tmp_path / "out" / "runs").iterdir()) == ["ncf-b1", "set-b1"]  # before shares are mapped
    with pytest.raises(InputError, match=r"of 3 ways to share 4 parts out none is possible: .*load .*; lower the rates"):
        serve(_write(tmp_path, tenants=heavy, sharing=["partition"]), out=tmp_path / "out", resume=True, jobs=1)
    brief = _write(tmp_path, duration_s=1e-6, warmup_s=0)
    with pytest.raises(InputError, match=r"tenant one: of its 2000 requests a second none comes within duration_s 1e-06"):
        serve(brief, out=tmp_path / "out", resume=True, jobs=1)
    hasty = [{**STUDY["tenants"][0], "slo_ms": 1e-3}]
    with pytest.raises(InputError, match=r"tenant one: slo_ms 0.001 is below its service time of \S+ ms on edge"):
        serve(_write(tmp_path, tenants=hasty), out=tmp_path / "out", resume=True, jobs=1)
    assert not (tmp_path / "out" / "results.json").exists()
    with pytest.raises(InputError, match="no way to share 4 parts out gives each tenant a machine with a legal mapping: "):
        serve(_write(tmp_path, hardware="edge,noc.bytes_per_cycle=1"), out=tmp_path / "no", jobs=1)
    assert not (tmp_path / "no").exists()


def test_the_shipped_study_is_read() -> None:
    """`evening` has two tenants with a day's trace; its keys state it again."""
    assert names() == ["evening"]
    study = study_of(load_file("evening"))
    assert [tenant.traced for tenant in study.tenants] == [True, True]
    assert study_of(load_file("evening.yaml")).data == study.data
    again = study_of(file_of(study.data, "again", Path(), ""))
    assert (again.data, again.search, again.tenants[0].batches) == (study.data, study.search, (1, 2, 4, 8))
