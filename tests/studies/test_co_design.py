"""Co-design as a command: the machine found, its folder as that of an ordinary run, the comparison, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import ended, started
from small_run import Recorder, results_in, same_for_all, without_seconds
from small_run import plain_evaluate as evaluate
from small_run import plain_run as run

from mapsearch.cli import main
from mapsearch.formats.yaml.hardware import load_hardware, load_hardware_space
from mapsearch.model.area import area_by_part
from mapsearch.model.errors import InputError
from mapsearch.studies.co_design.baselines import presets
from mapsearch.studies.co_design.results import CoDesignProgress
from mapsearch.studies.results_reader import read_results
from mapsearch.tables.co_design import print_co_design

POWER = 60
LAYERS = """
title: Two layers
source: made up
layers:
  - {name: gemm, type: GEMM, M: 4, N: 3, K: 2, count: 2}
  - {name: conv, type: CONV, K: 2, C: 1, R: 2, S: 1, Y: 5, X: 1}
"""
SPACE = """
name: few
pes: [2, 4]
l1: {bytes: 48}
l2: {bytes: 512}
noc: {bytes_per_cycle: 1}
budget: {area_mm2: 0.02, power_mw: 60}
"""


@pytest.fixture(name="inputs", scope="module")
def input_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a layer set and a hardware space."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "two.yaml").write_text(LAYERS)
    (folder / "few.yaml").write_text(SPACE)
    return folder


def co_design(inputs: Path, out: Path, **more: Any) -> dict[str, Any]:  # noqa: ANN401 what `run` takes
    return run(inputs / "two.yaml", inputs / "few.yaml", out=out, jobs=1, trials=2, **more)


@pytest.fixture(name="done", scope="module")
def finished(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished co-design, which tests only read."""
    folder = tmp_path_factory.mktemp("done") / "run"
    co_design(inputs, folder)
    return folder


def test_the_folder_is_that_of_a_run_on_the_best_machine(done: Path) -> None:
    """hardware.yaml is the best machine, on which each layer's file costs what results.json says, within the budget."""
    results = results_in(done)
    best = load_hardware(done / "hardware.yaml")
    told = results["co_design"]
    assert best.pes == told["best"]["pes"]
    assert area_by_part(best).total == told["best"]["area_mm2"] <= 0.02
    cycles = 0
    for layer in results["layers"]:
        [cost] = evaluate(done / layer["mapping_file"], done / "hardware.yaml")
        assert cost["power_mw"] <= 60
        assert cost["runtime_cycles"] == layer["metrics"]["runtime_cycles"]
        cycles += layer["count"] * cost["runtime_cycles"]
    assert results["complete"]
    assert results["totals"]["runtime_cycles"] == told["best"]["runtime_cycles"] == cycles
    assert results["totals"]["objective"] == told["best"]["objective"]
    assert load_hardware_space(done / "hardware_space.yaml").size == 2


def test_no_machine_alone_does_better(done: Path, inputs: Path, tmp_path: Path) -> None:
    """A run on each machine of the space by itself finds nothing better within the power, and what was counted adds up."""
    told = results_in(done)["co_design"]
    space = load_hardware_space(inputs / "few.yaml")
    for number in range(2):
        alone = run(inputs / "two.yaml", space.at([number]), out=tmp_path / str(number), jobs=1, trials=2)
        within = all(layer["metrics"]["power_mw"] <= 60 for layer in alone["layers"])
        assert alone["totals"]["objective"] >= told["best"]["objective"] or not within
    assert told["proven"]
    assert told["machines"] == told["over"] + sum(told["dropped"].values()) + told["mapped"]["full"] + told["open"] == 2


def test_the_table_of_machines(done: Path) -> None:
    """machines.csv has a row for each machine within the budget; the front's machines are among them, none worse than another."""
    with (done / "machines.csv").open() as file:
        rows = list(csv.DictReader(file))
    told = results_in(done)["co_design"]
    assert len(rows) == told["machines"] - told["over"]
    assert {row["status"] for row in rows} <= {"mapped", "dropped", "no mapping"}
    front = [(row["runtime_cycles"], row["energy_pj"], row["area_mm2"]) for row in told["front"]]
    assert front
    assert not any(all(a <= b for a, b in zip(one, other, strict=True)) for one in front for other in front if one != other)
    assert {row[1] for row in front} <= {float(row["energy_pj"]) for row in rows if row["energy_pj"]}


def test_the_comparison(done: Path) -> None:
    """Hardware chosen for one dataflow first does no better than co-design; its gain is how much more its objective is."""
    told = results_in(done)["co_design"]
    [first] = told["comparison"]
    assert first["way"] == "hardware_first"
    assert first["gain"] == first["objective"] / told["best"]["objective"] - 1 >= 0


def test_a_baseline_on_the_same_machine_is_told_as_such(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the hardware chosen first is the machine that co-design found, its line says so, else how much better that is."""
    results = read_results(results_in(done), done / "results.json", "")
    assert results.co_design is not None
    [first] = results.co_design.comparison
    best = results.co_design.best
    assert (first.gain == 0) == (first.hardware["pes"] == best.values["pes"])
    other = replace(first, gain=0.5)
    same = replace(first, gain=0.0, hardware={**first.hardware, "pes": best.values["pes"]})
    as_good = replace(same, hardware={**first.hardware, "pes": 64})
    print_co_design(replace(results.co_design, comparison=(same, other, as_good)))
    told = " ".join(capsys.readouterr().out.split()).split("against: ")[1:]
    endings = [line.strip().split("; ")[1] for line in told]
    assert endings == ["the same machine", "co-design is 1.5 x better", "another machine, as good"]


def test_the_watcher_is_told_of_each_batch(inputs: Path, tmp_path: Path) -> None:
    """The watcher hears of bounds, of the machines that are mapped quickly, of each one's layers, and of each stage at its end."""
    recorder = Recorder()
    out = tmp_path / "run"
    co_design(inputs, out, watcher=recorder)
    began = [call for call in recorder.calls if len(call) == 3]
    assert began[:2] == [(out, ["lower bounds on 2 machines"], 2), (out, ["few-4", "few-2"], 2)]
    assert (out, ["gemm", "conv"]) in [call[:2] for call in began]
    stages = [call[0] for call in recorder.calls if len(call) == 1]
    assert stages[0] == "quick"
    assert stages[-1] == "comparing"


def test_a_timeout_leaves_out_what_there_is_no_time_for(inputs: Path, tmp_path: Path) -> None:
    """Where looking at the machines takes all the time, one is mapped and saved, and it is compared with no other."""
    results = co_design(inputs, tmp_path / "run", timeout_seconds=1e-6)
    assert results["complete"]
    assert results["co_design"]["mapped"] == {"quick": 1, "refined": 1, "full": 1}
    assert results["co_design"]["comparison"] == []


def test_its_machines_are_drawn(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pictures have the front of machines, with each machine's values."""
    assert main(["plot", str(done), "--out", str(tmp_path), "--format", "svg"]) == 0
    assert "machines.svg" in capsys.readouterr().out
    drawn = (tmp_path / "machines.svg").read_text(encoding="utf-8")
    for row in results_in(done)["co_design"]["front"]:
        assert f"pes {row['pes']}" in drawn


def test_presets_within_the_budget() -> None:
    """Those of the shipped machines that are compared are within the budget, in the space's technology."""
    space = load_hardware_space("edge_space")
    found = presets(space)
    assert "edge" in {each.name for each in found}
    assert all(space.allows(each) and each.technology == space.base.technology for each in found)


def test_the_command_tells_what_it_found(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names the space, what was dropped, the best machine and what co-design gains; --resume goes on to the same."""
    args = ["run", "--layer-set", str(inputs / "two.yaml"), "--hardware", str(inputs / "few.yaml"), "--jobs", "1"]
    out = ["--out", str(tmp_path / "run")]
    assert main([*args, *out, "--trials", "2"]) == 0
    printed = capsys.readouterr().out
    for part in ("space:   few, 2 machines", "best:    pes ", "Front of machines", "hardware first, chosen for kcp_ws"):
        assert part in printed
    before = results_in(tmp_path / "run")
    assert main(["run", *out, "--resume", "--jobs", "1"]) == 0
    assert without_seconds(results_in(tmp_path / "run")) == without_seconds(before)


def test_workers_of_a_cluster_find_the_same(inputs: Path, done: Path, tmp_path: Path) -> None:
    """The results of `--cluster` are those of one process."""
    (tmp_path / "local.yaml").write_text("kind: local\nworkers: 2\n")
    words = [str(inputs / "two.yaml"), "--hardware", str(inputs / "few.yaml"), "--trials", "2", "--no-cache", "--quiet"]
    found = started("run", *words, "--cluster", str(tmp_path / "local.yaml"), "--out", str(tmp_path / "run"))
    assert ended(found) == (0, "")
    assert same_for_all(results_in(tmp_path / "run")) == same_for_all(results_in(done))


def test_it_stops_and_goes_on(inputs: Path, done: Path, tmp_path: Path) -> None:
    """After Ctrl-C the best so far is written as a run that is not complete; going on gives what an uninterrupted run gives."""

    class Interrupting(Recorder):
        def compared(self, progress: CoDesignProgress) -> None:
            super().compared(progress)
            raise KeyboardInterrupt

    stopped = co_design(inputs, tmp_path / "run", watcher=Interrupting())
    assert not stopped["complete"]
    assert stopped["co_design"]["comparison"] == []
    assert load_hardware(tmp_path / "run" / "hardware.yaml").pes == stopped["co_design"]["best"]["pes"]
    resumed = run(out=tmp_path / "run", resume=True, jobs=1)
    before = {**results_in(done), "folder": resumed["folder"]}
    assert without_seconds(json.loads(json.dumps(resumed))) == without_seconds(before)


def test_notes_that_cannot_be_kept_lose_nothing(inputs: Path, done: Path, tmp_path: Path) -> None:
    """Where what machines were mapped to can no longer be saved, the search goes on and its results are saved as ever."""

    class Losing(Recorder):
        def compared(self, progress: CoDesignProgress) -> None:
            if not self.calls:
                (tmp_path / "run" / "machines").rename(tmp_path / "lost")
                (tmp_path / "run" / "machines").write_text("in the way")
            super().compared(progress)

        def began(self, searches: Sequence[str], ticks: int) -> None:
            pass

    results = co_design(inputs, tmp_path / "run", watcher=Losing())
    before = {**results_in(done), "folder": results["folder"]}
    assert without_seconds(results_in(tmp_path / "run")) == without_seconds(before)
    assert (tmp_path / "run" / "machines").is_file()


def test_a_stop_while_comparing_is_a_stop(inputs: Path, done: Path, tmp_path: Path) -> None:
    """After Ctrl-C in the comparison the run is not complete, and going on gives what an uninterrupted run gives."""

    class Interrupting(Recorder):
        def began(self, searches: Sequence[str], ticks: int) -> None:
            if ("comparing",) in self.calls:
                raise KeyboardInterrupt
            super().began(searches, ticks)

    stopped = co_design(inputs, tmp_path / "run", watcher=Interrupting())
    assert not stopped["complete"]
    resumed = run(out=tmp_path / "run", resume=True, jobs=1)
    before = {**results_in(done), "folder": resumed["folder"]}
    assert without_seconds(json.loads(json.dumps(resumed))) == without_seconds(before)


def test_a_stop_before_any_machine_is_mapped(inputs: Path, tmp_path: Path) -> None:
    """Ctrl-C in the first batch is Ctrl-C, no complaint about the space."""

    class Interrupting(Recorder):
        def began(self, searches: Sequence[str], ticks: int) -> None:
            super().began(searches, ticks)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        co_design(inputs, tmp_path / "run", watcher=Interrupting())


def test_machines_that_a_layer_does_not_fit(inputs: Path, tmp_path: Path) -> None:
    """A machine too small for a layer has no mapping, whatever the number of processes; the others are searched."""
    space = {"pes": [2, 4], "l1": {"bytes": [2, 48]}, "l2": {"bytes": 512}, "noc": {"bytes_per_cycle": [1, 2]}}
    one, two = (run(inputs / "two.yaml", space, out=tmp_path / str(jobs), jobs=jobs, trials=2)["co_design"] for jobs in (1, 2))
    assert one == two
    assert one["best"]["l1.bytes"] == 48


@pytest.mark.parametrize(
    ("hardware", "more", "error"),
    [
        ({"pes": [1, 2], "l1": {"bytes": [1, 2]}}, {}, "hardware space custom: no machine of it takes every layer: "),
        ({"pes": [2, 4]}, {"sampler": "exact", "model": "simulate"}, "the cost model simulate has no lower bound"),
        ({"pes": [2, 4], "budget": {"area_mm2": 1e-9}}, {}, "hardware: "),
        ({"pes": [2, 4]}, {"dataflow": "nothing"}, ""),
    ],
)
def test_what_is_refused_before_work(
    hardware: dict[str, Any], more: dict[str, Any], error: str, inputs: Path, tmp_path: Path
) -> None:
    """What can be found wrong before work starts is one line, and leaves no folder."""
    with pytest.raises(ValueError, match=f"^{error}.*$") as raised:
        run(inputs / "two.yaml", hardware, out=tmp_path / "run", jobs=1, **more)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_a_space_too_large_is_told_at_once(inputs: Path, tmp_path: Path) -> None:
    """A space of 10^12 machines is refused without a look at them, and nothing is written."""
    steps = {"low": 1, "high": 10_000, "step": 1}
    large = {"name": "large", "pes": steps, "l1": {"bytes": steps}, "l2": {"bytes": steps}, "budget": {"area_mm2": 4}}
    with pytest.raises(InputError, match=r"^hardware space large: must have at most 200,000 machines, got 1,000,000,000,000; "):
        run(inputs / "two.yaml", large, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_without_bounds_drops_nothing(inputs: Path, tmp_path: Path) -> None:
    """Where the cost model has no lower bound, every machine is mapped."""
    space = {"pes": [2, 4], "l1": {"bytes": 64}, "l2": {"bytes": 1024}}
    told = run(inputs / "two.yaml", space, out=tmp_path / "run", jobs=1, trials=1, sampler="genetic", model="maestro")["co_design"]
    assert told["mapped"]["full"] == 2
    assert sum(told["dropped"].values()) == 0


def test_one_machine_with_a_budget(inputs: Path, tmp_path: Path) -> None:
    """A machine without a choice but with a budget is a space of one, whose mappings are within the power."""
    hardware = {"pes": 2, "l1": {"bytes": 48}, "l2": {"bytes": 512}, "budget": {"power_mw": 50}}
    results = run(inputs / "two.yaml", hardware, out=tmp_path / "run", jobs=1, trials=1)
    assert results["co_design"]["mapped"]["full"] == 1
    assert all(layer["metrics"]["power_mw"] <= 50 for layer in results["layers"])


def test_several_objectives(inputs: Path, tmp_path: Path) -> None:
    """The best machine's run has fronts of its layers, and there is no one value to compare others by."""
    results = co_design(inputs, tmp_path / "run", objective="latency,energy", sampler="nsgaii")
    told = results["co_design"]
    assert told["objectives"] == ["latency", "energy"]
    assert told["comparison"] == []
    assert told["best"]["objective_1"] == told["best"]["runtime_cycles"]
    assert results["network"]["front"]


@pytest.mark.parametrize("objective", ["latency", "max(energy_pj / 20, runtime_cycles)"])
def test_machines_of_several_clocks_are_compared_by_time(
    objective: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each machine's objective counts cycles of the slowest clock; the best has the least, within the power, and all tell so."""
    out, file = tmp_path / "run", tmp_path / "clocks.yaml"
    hardware = {"pes": [2, 4], "clock_mhz": [100, 1000], "l1": {"bytes": 48}, "l2": {"bytes": 512}, "budget": {"power_mw": POWER}}
    file.write_text(json.dumps(hardware))
    words = ["--layer-set", str(inputs / "two.yaml"), "--hardware", str(file), "--objective", objective, "--trials", "2"]
    assert main(["run", *words, "--out", str(out), "--jobs", "1"]) == 0
    assert "machines are compared by time; objectives count cycles of 100 MHz" in capsys.readouterr().out
    results = results_in(out)
    told, best = results["co_design"], results["co_design"]["best"]
    assert told["proven"]
    assert told["clock_mhz"] == 100
    assert results["totals"]["objective"] == best["objective"]
    assert results["totals"]["runtime_ms"] == pytest.approx(best["runtime_ms"])
    with (out / "machines.csv").open() as machines:
        rows = [row for row in csv.DictReader(machines) if row["objective"]]
    assert {row["clock_mhz"] for row in rows} == {"100.0", "1000.0"}
    for row in rows:
        cycles, energy = 1e5 * float(row["runtime_ms"]), float(row["energy_pj"])
        expected = cycles if objective == "latency" else max(energy / 20, cycles)
        assert float(row["objective"]) == pytest.approx(expected)
        assert float(row["runtime_ms"]) == pytest.approx(int(row["runtime_cycles"]) / float(row["clock_mhz"]) / 1e3)
        assert float(row["power_mw"]) <= POWER
    assert best["objective"] == min(float(row["objective"]) for row in rows)
    # In cycles of its own the fast clock has nothing over the slow one.
    assert best["clock_mhz"] == 1000
