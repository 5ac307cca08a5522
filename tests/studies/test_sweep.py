"""A sweep's life: what it writes is every valid design; it stops, goes on, and refuses what it cannot do."""

from __future__ import annotations

import csv
import json
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_sweep import HARDWARE, STUDY, finished_sweep, study_file, summary_without_times
from sweeping import one_by_one, swept, unlimited

from mapsearch.cli import main
from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.formats.yaml.hardware import hardware_to_dict, load_hardware_space
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.formats.yaml.sweeps import Dataflow, load_study, study_of
from mapsearch.model.errors import InputError
from mapsearch.search.designs.walk import DESIGN
from mapsearch.spaces.machines.space import Axis, HardwareSpace
from mapsearch.spaces.mappings.sweep_variants import template_variants
from mapsearch.studies.drawn_sweep import sweep
from mapsearch.studies.evaluate import evaluate_text
from mapsearch.studies.sweep.plan import SweepPlan
from mapsearch.studies.sweep.summary import SweepSummary

FIXTURES = (study_file, finished_sweep)  # pytest finds them here, as study and done


def _designs(folder: Path) -> list[dict[str, Any]]:
    """All rows of the designs, sorted."""
    parquet: Any = import_module("pyarrow.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(folder / "designs").to_pylist()
    return sorted(rows, key=lambda row: tuple(row.values()))


def test_every_valid_design_is_saved(study: Path, done: tuple[Path, SweepSummary]) -> None:
    """The rows of each dataflow and layer are the designs found one by one, with the values of the further axes."""
    folder, summary = done
    plan, rows = SweepPlan(load_study(study)), _designs(folder)
    assert [pair.names for pair in plan.pairs] == [
        {"dataflow": dataflow, "layer": layer} for dataflow in ("yrp_rs", "kcp_ws") for layer in ("conv", "depthwise")
    ]
    for pair, told in zip(plan.pairs, summary.pairs, strict=True):
        own = [row for row in rows if pair.names.items() <= row.items()]
        expected = one_by_one(plan.space, pair.variants)
        found = np.sort(np.array([tuple(row.get(key, 0) for key in DESIGN.fields or ()) for row in own], DESIGN))
        np.testing.assert_array_equal(found, expected)
        assert told.valid == len(own) > 0
        assert told.done == told.valid + sum(told.left_out.values()) == plan.space.size * pair.variants.count
    assert summary.designs == summary.done == sum(told.done for told in summary.pairs)
    assert summary.valid == len(rows)
    assert {(row["setting"], row["clock_mhz"]) for row in rows} == {(0, 500.0), (1, 1000.0)}


def test_optima_are_the_best_of_all_designs(done: tuple[Path, SweepSummary]) -> None:
    """No saved design is better, ties are broken as documented; and the directives cost on that machine what the summary says."""
    folder, summary = done
    rows, space = _designs(folder), load_hardware_space(HARDWARE)
    keys: dict[str, Callable[[dict[str, Any]], tuple[float, ...]]] = {
        "throughput": lambda row: (-row["throughput_gmacs_per_s"], row["energy_pj"], row["area_mm2"]),
        "energy": lambda row: (row["energy_pj"], -row["throughput_gmacs_per_s"], row["area_mm2"]),
        "energy-delay": lambda row: (row["energy_pj"] / row["throughput_gmacs_per_s"], -row["throughput_gmacs_per_s"]),
    }
    for pair in summary.pairs:
        own = [row for row in rows if (row["dataflow"], row["layer"]) == (pair.dataflow, pair.layer)]
        for name, best in pair.optima.items():
            optimum = best.to_dict()
            assert keys[name](optimum) == min(map(keys[name], own))
            machine = {**hardware_to_dict(space.base), "pes": optimum["pes"], "clock_mhz": optimum["clock_mhz"]}
            for part, key in (("l1", "bytes"), ("l2", "bytes"), ("noc", "bytes_per_cycle"), ("offchip", "bytes_per_cycle")):
                machine[part] = {**machine[part], key: optimum[f"{part}_bytes" if key == "bytes" else f"{part}_{key}"]}
            [cost] = evaluate_text(optimum["directives"], "optimum", machine, "exact")
            assert (cost.runtime_cycles, cost.energy_pj.total) == (optimum["runtime_cycles"], optimum["energy_pj"])


def test_front_and_pictures(done: tuple[Path, SweepSummary]) -> None:
    """front.csv holds the optima, and as many designs as the summary says; both pictures are PNG; each mapping is there."""
    folder, summary = done
    with (folder / "front.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(pair.front for pair in summary.pairs)
    for pair in summary.pairs:
        energies = {float(row["energy_pj"]) for row in rows if row["layer"] == pair.layer}
        assert {optimum.energy_pj for optimum in pair.optima.values()} <= energies
    for name in ("area_power.png", "energy_throughput.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    texts = [parse(file.read_text()) for file in sorted((folder / "mappings").iterdir())]
    assert [len(network.layers) for network in texts] == [pair.mappings for pair in summary.pairs]


class _Interrupting:
    """A watcher that sends this process a signal after some parts."""

    def __init__(self, parts: int, number: signal.Signals) -> None:
        self.left, self._number = parts, number

    def opened(self, folder: Path) -> None:
        assert (folder / "config.json").exists()

    def began(self, plan: SweepPlan) -> None:
        assert plan.designs > 0

    def advanced(self, designs: int, valid: int) -> None:
        assert 0 <= valid <= designs
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(self._number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_goes_on(number: signal.Signals, study: Path, done: tuple[Path, SweepSummary], tmp_path: Path) -> None:
    """What is done when Ctrl-C or a kill comes is kept and summed up; resuming ends with what an undisturbed sweep has."""
    folder, whole = done
    summary = sweep(study, out=tmp_path / "out", jobs=1, watcher=_Interrupting(3, number))
    assert not summary.complete
    assert 0 < summary.done < summary.designs
    assert len(_designs(tmp_path / "out")) == summary.valid < whole.valid
    resumed = sweep(out=tmp_path / "out", resume=True, jobs=1)
    assert summary_without_times(resumed.to_dict()) == summary_without_times(whole.to_dict())
    assert _designs(tmp_path / "out") == _designs(folder)
    assert (tmp_path / "out" / "front.csv").read_text() == (folder / "front.csv").read_text()


def test_resuming_refuses_other_inputs(done: tuple[Path, SweepSummary]) -> None:
    """A finished sweep is not mixed with another's designs."""
    with pytest.raises(InputError, match="resuming needs the same sweep"):
        sweep(out=done[0], resume=True, hardware={**HARDWARE, "pes": [4, 12]})
    with pytest.raises(InputError, match="holds a run or a sweep already"):
        sweep("maestro_paper", out=done[0])


def test_mappings_of_files(study: Path, tmp_path: Path) -> None:
    """A directive file's mappings are swept as they are, a folder's resized to each number of PEs; both as one by one."""
    plan = SweepPlan(load_study(study))
    layer = plan.study.layers[0]
    batch, _ = template_variants(layer, plan.space.largest, load_dataflow("kcp_ws"), {}, (8,)).on(40)
    (tmp_path / "run").mkdir()
    file = tmp_path / "run" / "best.m"
    file.write_text(print_network(Network("best", (MappedLayer(layer, batch.decode(0, layer)),))))
    words = [str(file), str(tmp_path / "run")]
    summary = sweep(study, dataflows=words, out=tmp_path / "out", jobs=1)
    rows = _designs(tmp_path / "out")
    both = SweepPlan(replace(plan.study, dataflows=tuple(map(type(plan.study.dataflows[0]).of, words))))
    for pair, told in zip(both.pairs, summary.pairs, strict=True):
        assert told.valid == len(one_by_one(plan.space, pair.variants)) > 0
    assert {row["pes"] for row in rows if row["dataflow"] == "best"} == {12, 40}
    assert {row["pes"] for row in rows if row["dataflow"] == "run"} == {4, 12, 40}


@pytest.mark.parametrize(
    ("arguments", "law"),
    [
        (["maestro"], "did you mean maestro_paper"),
        ([], "a study"),
        (["{study}", "--layers", "vgg16:conv1_3"], "layer set vgg16 has no layer 'conv1_3'; did you mean conv1_2"),
        (["{study}", "--dataflow", "kcp"], "no dataflow is called 'kcp'"),
        (["{study}", "--dataflow", "yrp_rs", "--dataflow", "yrp_rs"], "dataflow yrp_rs stands twice"),
        (["{study}", "--dataflow", ""], "a dataflow must be a template's name or file, a .m file or a run's folder, got ''"),
        (["{study}", "--designs-at-most", "0"], "argument --designs-at-most: must be a whole number of at least 1, got 0"),
        (["{study}", "--designs-at-most", "100"], "has 4,032 designs, which take about 1 s of one core and 0.15 MB at the most"),
        (["{study}", "--hardware", "nowhere.yaml"], "nowhere.yaml: the hardware file must be readable"),
        (["{study}", "--hardware", "{tiny}"], "the smallest machine needs"),
        (["{study}", "--resume"], "--resume needs the sweep's folder; name it by --out"),
        (["--resume", "--out", "{out}"], "no sweep to resume here"),
        (["maestro_paper", "--hardware", "{large}"], "designs, which take"),
        (["{study}", "--layers", "{big}", "--hardware", "{slow}"], "MACs x (2 x NoC latency + 200) must be below 2^62 cycles"),
    ],
)
def test_refused_before_work_starts(
    arguments: list[str], law: str, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one clear line and exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    tiny, large = tmp_path / "tiny.yaml", tmp_path / "large.yaml"
    tiny.write_text(json.dumps({**HARDWARE, "budget": {"area_mm2": 0.001}}))
    sizes = {"pes": {"low": 1, "high": 1000, "step": 1}, "l1": {"bytes": {"low": 1, "high": 100_000, "step": 1}}}
    large.write_text(json.dumps({**HARDWARE, **sizes}))
    slow = tmp_path / "slow.yaml"
    slow.write_text(json.dumps({**HARDWARE, "noc": {"latency_cycles": [1, 2**30]}}))
    big = tmp_path / "big.yaml"
    big.write_text("{title: t, source: s, layers: [{name: gemm, type: GEMM, M: 10000, N: 10000, K: 10000}]}")
    before = sorted(tmp_path.iterdir())
    words = {"study": study, "tiny": tiny, "large": large, "slow": slow, "big": big, "out": tmp_path / "out"}
    assert main(["sweep", *(word.format(**words) for word in arguments)]) == 2
    error = capsys.readouterr().err
    assert law in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_dataflows_of_one_name_are_told_apart(study: Path) -> None:
    """One template with other tiles is another dataflow with a number, and a folder's designs are called by all of its name."""
    data = {**parse_mapping(STUDY, "study", ""), "dataflows": [{"dataflow": "kcp_ws", "tiles": {"X'": [n]}} for n in (1, 2, 4)]}
    plan = SweepPlan(study_of(data, "study", study.parent))
    assert [pair.dataflow for pair in plan.pairs] == [name for name in ("kcp_ws", "kcp_ws_2", "kcp_ws_3") for _ in range(2)]
    assert Dataflow("resized", "runs/edge.1").name == "edge.1"


def test_a_mapping_counts_once_and_stands_in_its_file(study: Path, tmp_path: Path) -> None:
    """A mapping that a file holds twice is one; one that only few PEs hold stands in the sweep's file as on those."""
    layer = """
  Layer NAME {
    Type: CONV
    Stride { X: 1, Y: 1 }
    Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10 }
    Dataflow {
      TemporalMap(8,8) K;
      TemporalMap(1,1) C;
      TemporalMap(3,3) R;
      TemporalMap(3,3) S;
      TemporalMap(10,10) Y;
      TemporalMap(10,10) X;
      Cluster(4, P);
      SpatialMap(1,1) K;
    }
  }
"""
    layers = layer.replace("NAME", "conv") + layer.replace("NAME", "again")
    (tmp_path / "one.m").write_text(f"Network n {{{layers}}}")
    plan = SweepPlan(replace(load_study(study), dataflows=(Dataflow("mappings", str(tmp_path / "one.m")),)))
    [pair] = plan.pairs
    assert pair.variants.count == 1
    assert [len(pair.variants.on(pes)[1]) for pes in plan.grid.pes] == [1, 0, 0]
    [text] = plan.texts
    assert "Layer conv_0" in text


def test_layers_keep_the_name_that_was_asked_for() -> None:
    """A layer of several names, as others of its shape have, is called by the one that was asked for."""
    study = load_study("maestro_paper").with_layers("resnet50:conv2_middle")
    assert [layer.name for layer in study.layers] == ["conv2_middle"]


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without pyarrow a sweep says so before anything else."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        InputError, match=r"needs pyarrow, not installed here; pip install pyarrow, or in .*: pip install '\.\[sweep\]'$"
    ):
        sweep("maestro_paper", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the size before work starts, then a table with the optima and what left designs out; or the summary as JSON."""
    words = [
        "sweep",
        str(study),
        "--layers",
        f"{study.parent / 'two.yaml'}:conv",
        "--dataflow",
        "yxp_os",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert "of them on machines within the limits: about" in captured.err
    assert "energy-delay" in captured.out
    assert "left out: " in captured.out
    assert main(["sweep", "--out", str(tmp_path / "out"), "--resume", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["complete"]
    assert [pair["dataflow"] for pair in summary["pairs"]] == ["yxp_os"]


def _thinned(space: HardwareSpace) -> HardwareSpace:
    """A space of some 2,000 of the machines, the first of each axis among them."""
    counts = {"pes": 9, "l1.bytes": 8, "l2.bytes": 5, "noc.bytes_per_cycle": 3, "offchip.bytes_per_cycle": 2}
    # PEs and capacities up to a quarter of the largest, as hardly any larger ones are within the budget.
    quarter = ("pes", "l1.bytes", "l2.bytes")
    axes: list[Axis] = []
    for axis in space.axes:
        values = axis.values[: len(axis.values) // 4] if axis.key in quarter else axis.values
        count = counts[axis.key]
        axes.append(Axis(axis.key, tuple(values[place * (len(values) - 1) // (count - 1)] for place in range(count))))
    return replace(space, axes=tuple(axes))


def test_a_part_of_the_shipped_study() -> None:
    """Of 100,000 designs of the paper's space, those within the budget are the same one by one; the study has 480 million."""
    plan = SweepPlan(load_study("maestro_paper"))
    assert plan.designs >= 480_000_000
    space = _thinned(plan.space)
    assert space.size * sum(pair.variants.count for pair in plan.pairs) >= 100_000
    valid = 0
    for pair in plan.pairs:
        found, _ = swept(space, pair.variants)
        np.testing.assert_array_equal(found, one_by_one(space, pair.variants))
        everything, _ = swept(unlimited(space), pair.variants)
        within = (everything["area_mm2"] <= space.limits.area_mm2) & (everything["power_mw"] <= space.limits.power_mw)
        np.testing.assert_array_equal(found, everything[within])
        valid += len(found)
    assert 10_000 < valid < 90_000


def test_the_page_of_sweeps() -> None:
    """The example of a study can be read, and the page states the shipped one's number of designs."""
    page = (Path(__file__).parents[2] / "docs" / "sweep.md").read_text(encoding="utf-8")
    [text] = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    study = study_of(parse_mapping(text, "page", ""), "page", Path())
    assert [each.kind for each in study.dataflows] == ["dataflow", "mappings", "resized"]
    assert [each.name for each in study.dataflows] == ["kcp_ws", "best", "vgg16-edp-edge"]
    assert f"{SweepPlan(load_study('maestro_paper')).designs:,} designs" in page


@pytest.mark.nightly
def test_the_shipped_study(tmp_path: Path) -> None:
    """The paper's sweep ends with the designs that the machines within the budget and the mappings' needs leave."""
    summary = sweep("maestro_paper", out=tmp_path / "out")
    assert summary.done == summary.designs == 503_316_480
    assert summary.valid == summary.costed == 3_603_450
    assert sum(summary.left_out.values()) == summary.done - summary.valid
