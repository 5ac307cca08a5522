"""Machines by the hour: the least that keep the SLOs, machine hours, traces of files in a study, and the picture."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from milan_week import HOME, OFFICE, week

from mapsearch.formats.mixes import load_mix
from mapsearch.formats.yaml.services import load_file
from mapsearch.model.errors import InputError
from mapsearch.studies.pictures.hours import draw_hours
from mapsearch.studies.pictures.style import as_svg, fix_layout
from mapsearch.studies.serve.arrivals import Arrivals
from mapsearch.studies.serve.hours import Hours, demand_of, hours_of
from mapsearch.studies.serve.results import MachineHours
from mapsearch.studies.serve.serve import serve
from mapsearch.studies.serve.servers import Demand, Server, serve_at
from mapsearch.studies.serve.services import Service
from mapsearch.studies.serve.study import ServeStudy, Tenant, study_of
from mapsearch.studies.serve.traces import Trace, trace_of

MIX = load_mix("ncf")
MONDAY = datetime(2013, 11, 4)  # noqa: DTZ001 as in a table without zones
TEN_MS = Service({1: (0.01,)}, {1: 10.0}, {1: 1e6})


def _study(folder: Path, **tenant: object) -> ServeStudy:
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({"tenants": [{"network": "ncf", "rate_per_s": 1, **tenant}], "duration_s": 100, "warmup_s": 5}))
    return study_of(load_file(path))


def _tenant(name: str, arrivals: Arrivals, *, traced: bool = True, **more: Any) -> Tenant:  # noqa: ANN401 its fields
    return Tenant(name, "ncf", MIX, arrivals, Trace(arrivals) if traced else None, **more)


def _with(folder: Path, *tenants: Tenant) -> ServeStudy:
    return replace(_study(folder), tenants=tenants)


def _server(count: int = 1) -> Server:
    return Server("m", tuple(range(count)), (TEN_MS,) * count)


def test_the_least_machines_keep_the_slos(tmp_path: Path) -> None:
    """In each hour so many machines keep the SLO by simulation at their rates, and one less does not; an idle hour needs none."""
    arrivals = Arrivals.binned(np.array([0, 30, 90, 250, 1000.0]) * 3600, 3600, MONDAY)
    study = _with(tmp_path, _tenant("a", arrivals, slo_ms=40.0))
    found, shapes = demand_of(study, _server(), 0)
    assert found is not None
    assert shapes is not None
    assert [hour.machines for hour in found.hours][:2] == [0, 1]
    assert [hour.start for hour in found.hours][:2] == ["2013-11-04T00:00", "2013-11-04T01:00"]
    for hour in found.hours[1:]:
        assert hour.machines is not None
        assert hour.load == pytest.approx(hour.rate_per_s["a"] * 0.01)
        assert hour.machines > hour.load
        held = serve_at(_server(), study.tenants, Demand.drawn(study, [hour.rate_per_s["a"] / hour.machines], 5))
        assert held.queues[0].response_ms.of(99.0) < 1.1 * 40
        assert hour.p99_ms["a"] <= 40
        if hour.machines > 1 and hour.rate_per_s["a"] / (hour.machines - 1) < 100:
            less = serve_at(_server(), study.tenants, Demand.drawn(study, [hour.rate_per_s["a"] / (hour.machines - 1)], 5))
            assert less.queues[0].response_ms.of(99.0) > 0.9 * 40
    machines = [hour.machines or 0 for hour in found.hours]
    assert found.machine_hours == MachineHours(5 * max(machines), sum(machines), 1 - sum(machines) / (5 * max(machines)))
    assert machines == sorted(machines)


def test_hours_of_a_rate_are_simulated_once(tmp_path: Path) -> None:
    """Rates that differ by less than 1 % have the same figures; a constant trace saves nothing."""
    arrivals = Arrivals.binned(np.array([50, 50.1, 50, 49.95]) * 3600, 3600, MONDAY)
    study = _with(tmp_path, _tenant("a", arrivals, slo_ms=40.0))
    hours = Hours(study, _server(), 0)
    found = hours.all({})
    assert len({json.dumps(hour.p99_ms) for hour in found.hours}) <= 2
    assert found.machine_hours is not None
    assert found.machine_hours.saving == 0


def test_an_slo_that_no_number_of_machines_keeps(tmp_path: Path) -> None:
    """Batches that wait longer than the SLO break it at any load: the hour has no machines, and no machine hours are told."""
    arrivals = Arrivals.binned([3600.0], 3600, MONDAY)
    waits = _tenant("a", arrivals, slo_ms=40.0, batch_max=4, batch_wait_s=0.1)
    service = Service({1: (0.01,), 2: (0.01,), 4: (0.01,)}, {1: 10.0, 2: 10.0, 4: 10.0}, {1: 1.0, 2: 1.0, 4: 1.0})
    found, _ = demand_of(_with(tmp_path, waits), Server("m", (0,), (service,)), 0)
    assert found is not None
    assert [hour.machines for hour in found.hours] == [None]
    assert found.machine_hours is None


def test_the_most_unusual_day_has_machine_hours_of_its_own(tmp_path: Path) -> None:
    """Of three weeks with a Wednesday of thrice the demand, that day is named, with its own machines."""
    numbers = np.full(3 * 168, 30 * 3600.0)
    numbers[168 + 48 : 168 + 72] *= 3
    study = _with(tmp_path, _tenant("a", Arrivals.binned(numbers, 3600, MONDAY), slo_ms=40.0))
    found, shapes = demand_of(study, _server(), 0)
    assert found is not None
    assert shapes is not None
    assert found.unusual is not None
    assert (found.unusual.date, found.unusual.tenant) == ("2013-11-13", "a")
    its = [hour.machines or 0 for hour in found.hours if hour.start.startswith("2013-11-13")]
    assert found.unusual.machine_hours == MachineHours.of(its)
    assert max(its) > min(hour.machines or 0 for hour in found.hours)


def test_tenants_share_hours() -> None:
    """A steady rate and a day without a date go with a dated trace, the day from midnight; dated traces are of one time."""
    noon = datetime(2013, 11, 4, 12)  # noqa: DTZ001 as in a table without zones
    dated = _tenant("dated", Arrivals.binned(np.arange(1.0, 31) * 3600, 3600, noon))
    day = _tenant("day", Arrivals.daily(list(range(24)), 11.5))
    steady = _tenant("steady", Arrivals.steady(7.0, 1.0), traced=False)
    begins, rates = hours_of([dated, day, steady])
    assert begins == noon
    np.testing.assert_allclose(rates[:, 0], np.arange(1, 31))
    np.testing.assert_allclose(rates[:, 1], (np.arange(30) + 12) % 24)
    np.testing.assert_allclose(rates[:, 2], 7)
    later = _tenant("later", Arrivals.binned(np.ones(30), 3600, MONDAY))
    with pytest.raises(
        InputError, match="tenants dated and later: traces must be of the same time, got 30 h from 2013-11-04T12:00"
    ):
        hours_of([dated, later])


@pytest.fixture(name="milan", scope="module")
def milan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic week."""
    file = tmp_path_factory.mktemp("milan") / "week.txt"
    file.write_text(week())
    return file


def test_a_study_with_traces(milan: Path, tmp_path: Path) -> None:
    """Milan's form beside a steady tenant: each hour's rate is its bin's, results have hours, demand, groups, a picture."""
    trace: dict[str, object] = {
        "file": str(milan),
        "format": "milan",
        "bin": "1h",
        "requests_per_unit": 4000,
        "groups": 2,
        "cells": [OFFICE, HOME],
    }
    tenants = [{"name": "a", "network": "ncf", "trace": trace, "slo_ms": 5}, {"name": "b", "network": "ncf", "rate_per_s": 9}]
    study = {"tenants": tenants, "sharing": ["time"], "search": {"evaluations": 100}, "duration_s": 2, "warmup_s": 0.2}
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    results = serve(path, out=tmp_path / "out", jobs=1)
    data = json.loads((tmp_path / "out" / "results.json").read_text())
    assert data == results.to_dict()
    assert len(data["hours"]) == 168
    assert set(data["hours"][0]) == {"start", "rate_per_s", "load", "machines", "p99_ms"}
    assert data["hours"][13]["start"] == "2013-11-04T13:00+01:00"
    rates = [hour["rate_per_s"]["a"] for hour in data["hours"]]
    np.testing.assert_allclose(sum(rates) * 3600, 4000 * trace_of(trace, None, Path()).arrivals.expected.sum() / 4000)
    assert data["machine_hours"]["hourly"] == sum(hour["machines"] for hour in data["hours"])
    assert data["machine_hours"]["saving"] == 1 - data["machine_hours"]["hourly"] / data["machine_hours"]["peak_provisioned"]
    assert {tuple(group["cells"]) for group in data["demand"]["a"]["groups"]["groups"]} == {(OFFICE,), (HOME,)}
    assert data["demand"]["a"]["profile"]["unusual_days"] is None
    assert serve(out=tmp_path / "out", resume=True, jobs=1) == results
    assert results.hours is not None
    figure = draw_hours(results, results.hours)
    fix_layout(figure)
    svg = as_svg(figure, "hours")
    assert all(word in svg for word in ("requests a second", "load of one machine", "as the peak needs", "11-04"))


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        ({"file": "none.csv"}, "the trace must be readable: No such file or directory"),
        ({"hourly": [1]}, "trace must have daily, with 24 shares of a day, or file"),
        ({"file": "t.csv", "cells": [1]}, "trace: cells is of format milan, and the format here is table; leave it out"),
        ({"file": "t.csv", "bin": "30s"}, "trace: bin must be from 1min to 7d, got 30s"),
        ({"file": "t.csv", "column": "x"}, "unknown key column"),
        ({"file": "t.csv", "requests_per_unit": -1}, "requests_per_unit must be > 0"),
        ({"file": "t.csv", "value": "nothing"}, "t.csv holds no demand, only 0"),
        ({"file": "WEEK", "format": "milan", "groups": 3}, "groups must be at most the 2 cells with demand, got 3"),
        ({"file": "WEEK", "format": "milan", "cells": [4300]}, f"has no cell 4300; the nearest is {OFFICE}"),
        ({"file": "WEEK", "format": "milan", "time": "start"}, "trace: time is of format table, and the format here is milan"),
    ],
)
def test_a_trace_that_breaks_a_law(milan: Path, tmp_path: Path, trace: dict[str, object], message: str) -> None:
    """One line, before any run is made."""
    (tmp_path / "t.csv").write_text("time,requests,nothing\n2013-11-04T00:00,1,0\n2013-11-04T01:00,2,0\n")
    given = {**trace, "file": str(milan)} if trace.get("file") == "WEEK" else trace
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump({"tenants": [{"network": "ncf", "trace": given}]}))
    with pytest.raises(InputError) as caught:
        serve(path, out=tmp_path / "out", jobs=1)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_study_of_the_page_loads(milan: Path, tmp_path: Path) -> None:
    """The example of docs/demand.md is a study of the week that its command writes."""
    page = (Path(__file__).parents[2] / "docs" / "demand.md").read_text(encoding="utf-8")
    (tmp_path / "milan.txt").write_bytes(milan.read_bytes())
    path = tmp_path / "week.yaml"
    path.write_text(page.split("```yaml\n")[1].partition("```")[0])
    study = study_of(load_file(path))
    assert len(hours_of(study.tenants)[1]) == 168
    assert study.tenants[0].trace is not None
    assert study.tenants[0].trace.groups is not None


def test_a_rate_beside_a_file_is_refused(tmp_path: Path) -> None:
    """The file gives the rates."""
    with pytest.raises(InputError, match="rate_per_s must be left out where trace names a file"):
        _study(tmp_path, trace={"file": "t.csv"})


def test_an_input_pipeline_caps_the_requests(tmp_path: Path) -> None:
    """A tenant behind a pipeline has no more requests than that brings; a slower tenant keeps its rate."""
    fast = _study(tmp_path, rate_per_s=1e6, pipeline="imagenet").tenants[0]
    assert fast.fed_per_s == 4320
    assert fast.arrivals.mean_per_s == 4320
    assert _study(tmp_path, rate_per_s=10, pipeline="imagenet.yaml").tenants[0].arrivals.mean_per_s == 10
    with pytest.raises(InputError, match="no pipeline is called 'imgnet'; did you mean imagenet"):
        _study(tmp_path, pipeline="imgnet")
