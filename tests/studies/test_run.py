"""A run: what it writes, that it is repeatable, that a setting does what it says, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from small_run import FILES, FRONTS, NAMES, Recorder, finished_run, layer_file, results_in, same_for_all, search_with_few_trials
from small_run import plain_evaluate as evaluate
from small_run import plain_run as run

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.errors import InputError
from mapsearch.search.mappings.sampler_names import Sampler

FIXTURES = (layer_file, search_with_few_trials, finished_run)  # pytest finds them here, as layers, search and done
SETTINGS = (
    "batch, objective, sampler, gap, trials, evaluations, timeout_seconds, until_runtime, seed, restarts, levels, tiles, dataflow, "
    "constraints, tools, warm_start, model"
)
OBJECTIVES = "latency, energy, edp, ed2p, area-delay"
METRICS = f"there are runtime_cycles, energy_pj, area_mm2, macs, and the objectives {OBJECTIVES}"


def test_the_folder_holds_the_run(done: Path, layers: Path) -> None:
    """A finished run has its configuration, hardware, results in two forms and a mapping of each different layer."""
    files = sorted(str(path.relative_to(done)) for path in done.rglob("*") if path.is_file())
    assert files == ["config.json", *FRONTS, "hardware.yaml", *FILES, "network.m", "results.csv", "results.json"]
    results = results_in(done)
    assert results["complete"]
    assert results["folder"] == str(done)
    assert [layer["name"] for layer in results["layers"]] == NAMES
    assert [layer["names"] for layer in results["layers"]] == [["conv/1", "conv2"], ["depthwise"], ["gemm"]]
    assert [layer["count"] for layer in results["layers"]] == [3, 1, 1]
    assert [layer["mapping_file"] for layer in results["layers"]] == FILES
    assert all(layer["finished"] for layer in results["layers"])
    config = json.loads((done / "config.json").read_text())
    assert config["layer_set"] == {str(layers): 1}
    assert config["settings"]["trials"] == 3
    assert config["layers"][2]["extents"] == [1, 1, 16, 20, 1, 1, 1, 12]
    assert load_hardware(done / "hardware.yaml") == load_hardware("edge")


def test_every_mapping_costs_what_is_recorded(done: Path) -> None:
    """A written file evaluates, on the written hardware, to exactly the recorded metrics, and the objective is theirs."""
    for layer in results_in(done)["layers"]:
        [metrics] = evaluate(done / layer["mapping_file"], done / "hardware.yaml")
        assert metrics.pop("layer") == layer["name"]
        assert metrics == layer["metrics"]
        assert layer["objective"] == metrics["edp_pj_cycles"] == layer["trace"][-1]["objective"]


def test_totals_are_sums_over_all_layers_of_the_network(done: Path) -> None:
    """Runtime, MACs and energies add up with the counts, 3, 1 and 1; the EDP is that of the whole network."""
    results = results_in(done)
    totals, (conv, depthwise, gemm) = results["totals"], [layer["metrics"] for layer in results["layers"]]
    assert (totals["layers"], totals["unique_layers"]) == (5, 3)
    assert totals["macs"] == 3 * 8 * 4 * 9 * 64 + 16 * 9 * 49 + 12 * 16 * 20
    runtime = 3 * conv["runtime_cycles"] + depthwise["runtime_cycles"] + gemm["runtime_cycles"]
    assert totals["runtime_cycles"] == runtime
    assert totals["runtime_ms"] == pytest.approx(runtime / 1e6)  # 1 GHz
    for part, energy in totals["energy_pj"].items():
        assert energy == pytest.approx(3 * conv["energy_pj"][part] + depthwise["energy_pj"][part] + gemm["energy_pj"][part])
    assert totals["edp_pj_cycles"] == totals["energy_pj"]["total"] * runtime
    assert totals["objective"] == totals["edp_pj_cycles"]
    assert totals["utilization"] == pytest.approx(totals["macs"] / (runtime * 256))
    assert totals["evaluations"] == sum(layer["evaluations"] for layer in results["layers"])
    assert totals["seconds"] == sum(layer["seconds"] for layer in results["layers"])


def test_the_csv_has_a_row_for_each_layer(done: Path) -> None:
    """results.csv holds the layers of results.json, the metrics' nested keys joined by dots."""
    with (done / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    layers = results_in(done)["layers"]
    assert [row["name"] for row in rows] == NAMES
    for row, layer in zip(rows, layers, strict=True):
        assert row["count"] == str(layer["count"])
        assert row["runtime_cycles"] == str(layer["metrics"]["runtime_cycles"])
        assert row["energy_pj.total"] == str(layer["metrics"]["energy_pj"]["total"])
        assert not {"trace", "proof", "names"} & row.keys()


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_seed_decides_and_not_the_jobs(search: Callable[..., dict[str, Any]], done: Path, tmp_path: Path, jobs: int) -> None:
    """A run with the same seed has the same results and mappings, also in two processes."""
    results = search(out=tmp_path / "again", jobs=jobs)
    assert results == results_in(tmp_path / "again")
    assert same_for_all(results) == same_for_all(results_in(done))
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (done / name).read_bytes()


def test_another_seed_searches_otherwise(search: Callable[..., dict[str, Any]], done: Path, tmp_path: Path) -> None:
    """The seed reaches the search."""
    results = search(out=tmp_path / "other", seed=1)
    assert [layer["trace"] for layer in results["layers"]] != [layer["trace"] for layer in results_in(done)["layers"]]


def test_restarts_keep_the_best(search: Callable[..., dict[str, Any]], done: Path, tmp_path: Path) -> None:
    """The first of two searches is that of a run with one, so the result is at least as good, after more evaluations."""
    results = search(out=tmp_path / "restarts", restarts=2)
    for layer, once in zip(results["layers"], results_in(done)["layers"], strict=True):
        assert layer["objective"] <= once["objective"]
        assert layer["evaluations"] > once["evaluations"]


def test_restarts_are_the_same_in_any_order(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """Of equally good restarts the first counts, whichever process is done first."""
    alone, shared = (search(out=tmp_path / str(jobs), restarts=3, jobs=jobs) for jobs in (1, 2))
    assert same_for_all(alone) == same_for_all(shared)


@pytest.mark.parametrize("objective", ["latency", "energy"])
def test_the_objective_is_searched(search: Callable[..., dict[str, Any]], tmp_path: Path, objective: str) -> None:
    """The recorded objective is the metric that was asked for."""
    for layer in search(out=tmp_path / "run", objective=objective)["layers"]:
        metrics = layer["metrics"]
        assert layer["objective"] == (metrics["runtime_cycles"] if objective == "latency" else metrics["energy_pj"]["total"])


def test_the_watcher_is_told(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """A watcher hears of the folder, the layers and trials to come, and then of each layer that is done."""
    recorder = Recorder()
    search(out=tmp_path / "run", watcher=recorder)
    assert recorder.calls == [(tmp_path / "run", NAMES, 3), *((name,) for name in NAMES)]


def test_without_out_a_new_folder_is_made(
    search: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is runs/<set>-<objective>-<hardware>, numbered where it exists; the names cannot lead elsewhere."""
    monkeypatch.chdir(tmp_path)
    hardware = {"name": "../../big one"}
    folders = [search(hardware=hardware)["folder"] for _ in range(2)]
    assert folders == ["runs/three-edp-.._.._big_one", "runs/three-edp-.._.._big_one-2"]


def test_a_folder_with_a_run_is_left_alone(search: Callable[..., dict[str, Any]], done: Path) -> None:
    """A second run in the same folder is refused."""
    with pytest.raises(InputError) as caught:
        search(out=done)
    assert str(caught.value) == f"{done}: holds a run or a sweep already; go on with it by --resume, or name another folder"


@pytest.mark.parametrize("below", ["", "below/that"])
def test_a_folder_that_cannot_be_is_told_before_the_search(
    search: Callable[..., dict[str, Any]], tmp_path: Path, below: str
) -> None:
    """A file where the folder, or one above it, should be is an error of one line, and no search begins."""
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / below
    recorder = Recorder()
    with pytest.raises(InputError) as caught:
        search(out=out, watcher=recorder)
    assert str(caught.value) == f"{out}: the run's folder must be writable: Not a directory; name another folder as out (--out DIR)"
    assert recorder.calls == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"objective": "edpp"}, f"objective: 'edpp' at column 1 is no metric; did you mean edp?; {METRICS}"),
        ({"objective": None}, f"objective must be a text, such as {OBJECTIVES} or an expression, got None"),
        (
            {"sampler": "cma"},
            f"sampler must be one of {', '.join(Sampler)}, got 'cma'; did you mean cmaes?",
        ),
        ({"tiles": "divisor"}, "tiles must be one of balanced, divisors, all, got 'divisor'; did you mean divisors?"),
        ({"trials": 0}, "trials must be a whole number from 1 to 1000000000, got 0"),
        ({"trials": 2.5}, "trials must be a whole number from 1 to 1000000000, got 2.5"),
        ({"trials": True}, "trials must be a whole number from 1 to 1000000000, got True"),
        ({"evaluations": 0}, "evaluations must be a whole number from 1 to 1000000000, got 0"),
        (
            {"evaluations": 2, "restarts": 3},
            "evaluations must be a whole number from 3 to 1000000000, got 2, as each of restarts needs one",
        ),
        ({"evaluations": 9, "trials": 3}, "trials and evaluations are two ways to say how long a search is; give one"),
        (
            {"evaluations": 9, "trials": None, "sampler": "exact"},
            "sampler exact ends with its proof, not after evaluations; use another sampler, or timeout_seconds",
        ),
        ({"gap": 1.5}, "gap must be from 0 to 1, or a percentage such as 1%, got 1.5"),
        ({"gap": "1%"}, "gap must be from 0 to 1, or a percentage such as 1%, got '1%'"),
        ({"gap": 0.1, "sampler": "genetic"}, "gap ends a proof, but sampler genetic has none; leave it out"),
        ({"gap": 0.1, "sampler": "exact"}, "sampler exact proves the optimum; use sampler auto with gap"),
        (
            {"gap": 0.1, "trials": None, "sampler": "auto", "evaluations": 9},
            "gap ends a proof, but a number of evaluations has none; leave it out",
        ),
        (
            {"gap": 0.1, "sampler": "auto", "objective": "energy,latency"},
            "gap ends a proof, but a search for several objectives has none; leave it out",
        ),
        ({"gap": 0.1, "sampler": "auto", "model": "maestro"}, "gap ends a proof, but model maestro has none; leave it out"),
        ({"restarts": 0}, "restarts must be a whole number from 1 to 1000000000, got 0"),
        ({"seed": -1}, "seed must be a whole number from 0 to 1000000000, got -1"),
        ({"levels": 4}, "levels must be a whole number from 1 to 3, got 4"),
        ({"levels": "2"}, "levels must be a whole number from 1 to 3, got '2'"),
        ({"timeout_seconds": 0}, "timeout_seconds must be above 0 and below 1e9, got 0"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds must be above 0 and below 1e9, got nan"),
        ({"timeout_seconds": "1"}, "timeout_seconds must be above 0 and below 1e9, got '1'"),
        ({"jobs": 0}, "jobs must be a whole number of at least 1, got 0"),
        ({"resume": True}, "resume needs the run's folder; name it by out"),
        ({"trails": 3}, f"unknown setting trails; did you mean trials?; the settings are {SETTINGS}"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(
    search: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Mapping[str, Any], message: str
) -> None:
    """An error names the setting, the law and the value, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        search(**given)
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_run_needs_a_layer_set() -> None:
    """Without a layer set the shipped ones are named."""
    with pytest.raises(InputError, match=r"^a layer set is needed; there are alexnet, .*, vit_b16, or give a file's path$"):
        run()


def test_what_the_model_refuses_is_told_before_the_search(tmp_path: Path) -> None:
    """A layer that is too large for the simulator is an error before a folder is made."""
    recorder = Recorder()
    with pytest.raises(InputError, match="use the model 'exact'"):
        run("alexnet", out=tmp_path / "run", model="simulate", watcher=recorder)
    assert recorder.calls == []
    assert list(tmp_path.iterdir()) == []


def test_a_timeout_ends_the_run(layers: Path, tmp_path: Path) -> None:
    """Without a number of trials a timeout ends a run, which is complete."""
    results = run(layers, out=tmp_path / "run", jobs=1, timeout_seconds=1e-6, sampler="tpe")
    assert results["complete"]
    assert len(results["layers"]) == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_proves_what_it_can(jobs: int, tmp_path: Path) -> None:
    """By default a small layer's mapping is proven optimal: its gap is 0 and its lower bound the objective, whatever the jobs."""
    file = tmp_path / "small.yaml"
    file.write_text(
        "title: t\nsource: s\nlayers:\n  - {name: a, type: GEMM, M: 6, N: 5, K: 8}\n  - {name: b, type: FC, K: 10, C: 12}\n",
        encoding="utf-8",
    )
    results = run(file, {"pes": 8}, out=tmp_path / "run", jobs=jobs, trials=2)
    assert [layer["name"] for layer in results["layers"]] == ["a", "b"]
    for layer in results["layers"]:
        assert layer["gap"] == 0.0
        assert layer["lower_bound"] == layer["objective"]
