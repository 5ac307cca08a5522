"""Several networks in one run: whose layers are searched, how they count, and what results tell of each network."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_tables import table_rows
from small_run import LAYERS, Recorder, results_in, same_for_all
from small_run import plain_run as run

from mapsearch.cli import main
from mapsearch.formats.mixes import MAX_WEIGHT, load_mix, parse_mix
from mapsearch.formats.yaml.layer_sets import load_layer_set, names
from mapsearch.model.errors import InputError

Capture = pytest.CaptureFixture[str]
# Shares the shape of the gemm with the three layers of `small_run`.
OTHER = """
title: Two layers
source: made up
layers:
  - {name: fc, type: FC, K: 6, C: 10, count: 3}
  - {name: gemm, type: GEMM, M: 12, N: 16, K: 20, count: 4}
"""
SMALL = ("alexnet", "bert_base", "dlrm", "ncf", "resnet18", "vgg16")
SUMMED = ("layers", "macs", "runtime_cycles", "runtime_ms", "sum_of_layer_edps_pj_cycles")


@pytest.fixture(name="three", scope="module")
def file_of_three_layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sets") / "three.yaml"
    file.write_text(LAYERS)
    return file


@pytest.fixture(name="two", scope="module")
def file_of_two_layers(three: Path) -> Path:
    file = three.with_name("two.yaml")
    file.write_text(OTHER)
    return file


@pytest.fixture(name="mixed", scope="module")
def finished_mix(three: Path, two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the one network thrice and the other once."""
    folder = tmp_path_factory.mktemp("mixed") / "run"
    search(f"{three}:3,{two}", folder)
    return folder


def search(layer_set: str | Mapping[str, int], folder: Path, objective: str = "edp") -> dict[str, Any]:
    return run(layer_set, out=folder, jobs=1, trials=3, sampler="tpe", objective=objective)


@given(st.dictionaries(st.sampled_from(names()), st.integers(1, MAX_WEIGHT), min_size=1))
def test_a_text_says_the_weights(weights: dict[str, int]) -> None:
    """Names with colons and weights, and commas between, are those weights in that order; 1 may be left out."""
    assert list(parse_mix(",".join(f"{name}:{weight}" for name, weight in weights.items())).items()) == list(weights.items())
    short = ", ".join(name if weight == 1 else f"{name}:{weight}" for name, weight in weights.items())
    assert parse_mix(short) == weights


@settings(max_examples=8, deadline=None)  # files take long to read
@given(st.dictionaries(st.sampled_from(SMALL), st.integers(1, 5), min_size=1, max_size=3))
def test_layers_count_as_often_as_their_networks_run(weights: dict[str, int]) -> None:
    """MACs and layers of a mix are the networks' times the weights, network by network; no two of its layers have equal shapes."""
    mix = load_mix(weights)
    for number, (name, weight) in enumerate(weights.items()):
        layers = load_layer_set(name)
        assert sum(unique.layer.macs * unique.runs[number] for unique in mix.unique) == weight * layers.macs
        assert sum(unique.runs[number] for unique in mix.unique) == weight * sum(entry.count for entry in layers.entries)
    assert len({unique.layer.shape for unique in mix.unique}) == len(mix.unique)
    assert all(unique.count == sum(unique.runs) > 0 for unique in mix.unique)


def test_names_tell_the_network(three: Path, two: Path) -> None:
    """In a mix a layer is called by its network, and a shared one has the names of both; one network's names stay as they are."""
    unique = {each.names: each.runs for each in load_mix(f"{three}:3,{two}").unique}
    assert unique == {
        ("three/conv/1", "three/conv2"): (9, 0),
        ("three/depthwise",): (3, 0),
        ("three/gemm", "two/gemm"): (3, 4),
        ("two/fc",): (0, 3),
    }
    assert load_mix(str(two)).unique == load_layer_set(two).unique
    assert [each.runs for each in load_mix(f"{two}:5").unique] == [(15,), (20,)]


def test_totals_of_networks_add_up(mixed: Path) -> None:
    """What can be summed adds up to the totals, EDPs are of each network's own sums, and shared layers are searched once."""
    results = results_in(mixed)
    networks, totals = results["networks"], results["totals"]
    assert [(each["name"], each["weight"], each["layers"]) for each in networks] == [("three", 3, 15), ("two", 1, 7)]
    for key in SUMMED:
        assert sum(each[key] for each in networks) == pytest.approx(totals[key], rel=1e-12)
    for part, energy in totals["energy_pj"].items():
        assert sum(each["energy_pj"][part] for each in networks) == pytest.approx(energy, rel=1e-12)
    for each in (*networks, totals):
        assert each["objective"] == pytest.approx(each["energy_pj"]["total"] * each["runtime_cycles"], rel=1e-12)
        assert 0 < each["lower_bound"] <= each["objective"]
    assert len(results["layers"]) == 4
    assert [layer["runs"] for layer in results["layers"]] == [[9, 0], [3, 0], [3, 4], [0, 3]]


def test_the_networks_choice_counts_weights(mixed: Path) -> None:
    """The figures of `network` are the sums over its points, each as often as all networks run the layer."""
    results = results_in(mixed)
    points = [layer["front"][point - 1] for layer, point in zip(results["layers"], results["network"]["points"], strict=True)]
    counts = [layer["count"] for layer in results["layers"]]
    cycles = sum(count * point["runtime_cycles"] for count, point in zip(counts, points, strict=True))
    energy_pj = sum(count * point["energy_pj"] for count, point in zip(counts, points, strict=True))
    assert results["network"]["runtime_cycles"] == cycles
    assert results["network"]["energy_pj"] == pytest.approx(energy_pj, rel=1e-12)


@pytest.mark.parametrize("objective", ["edp", "energy,latency"])
def test_a_weight_of_2_is_all_layers_twice(two: Path, tmp_path: Path, objective: str) -> None:
    """A network of weight 2 has the results of one whose file counts each layer twice."""
    (tmp_path / "two.yaml").write_text(OTHER.replace("count: 3", "count: 6").replace("count: 4", "count: 8"))
    weighted = search(f"{two}:2", tmp_path / "weighted", objective=objective)
    doubled = search(str(tmp_path / "two.yaml"), tmp_path / "doubled", objective=objective)
    assert weighted["networks"][0].pop("weight") == 2
    assert doubled["networks"][0].pop("weight") == 1
    assert same_for_all(weighted) == same_for_all(doubled)


def test_a_stopped_mix_goes_on(mixed: Path, three: Path, two: Path, tmp_path: Path) -> None:
    """config.json records the networks and their weights, from which a stopped run goes on to the same results."""
    out = tmp_path / "run"
    stop = Recorder(find=lambda: os.kill(os.getpid(), signal.SIGINT))
    assert not run(f"{three}:3,{two}", out=out, jobs=1, trials=3, sampler="tpe", watcher=stop)["complete"]
    assert json.loads((out / "config.json").read_text())["layer_set"] == {str(three): 3, str(two): 1}
    assert same_for_all(run(out=out, resume=True, jobs=1)) == same_for_all(results_in(mixed))


@pytest.mark.parametrize("weights", [(3, 2), (2, 1)])
def test_a_mix_goes_on_with_its_weights_only(mixed: Path, three: Path, two: Path, weights: tuple[int, int]) -> None:
    """Other weights are another run."""
    with pytest.raises(InputError, match="resuming needs the same layers; resume with the recorded one"):
        run({str(three): weights[0], str(two): weights[1]}, out=mixed, resume=True)


def test_equal_counts_of_other_weights_are_another_run(two: Path, tmp_path: Path) -> None:
    """Two networks of the same layers, whose counts add up to the same with other weights, are told apart."""
    other = tmp_path / "same.yaml"
    other.write_text(OTHER)
    search({str(two): 1, str(other): 3}, tmp_path / "run")
    with pytest.raises(InputError, match="resuming needs the same layers"):
        run({str(two): 2, str(other): 2}, out=tmp_path / "run", resume=True)


def test_a_run_of_before_there_were_mixes_goes_on(two: Path, tmp_path: Path) -> None:
    """A folder that records one layer set by its path, and no runs of its layers, is completed as ever."""
    done = search(str(two), tmp_path / "run")
    config, results = (json.loads((tmp_path / "run" / name).read_text()) for name in ("config.json", "results.json"))
    config["layer_set"] = str(two)
    del results["networks"], results["layers"][0]["runs"], results["layers"][1]
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    (tmp_path / "run" / "results.json").write_text(json.dumps(results))
    assert same_for_all(run(out=tmp_path / "run", resume=True, jobs=1)) == same_for_all(done)


def test_what_is_printed(three: Path, two: Path, tmp_path: Path, capsys: Capture) -> None:
    """The command prints a row for each network, and the sums as the mix's."""
    options = ["--jobs", "1", "--sampler", "tpe", "--trials", "3", "--out", str(tmp_path / "run")]
    assert main(["run", "--layer-set", f"{three}:3,{two}", *options]) == 0
    text = capsys.readouterr().out
    results = results_in(tmp_path / "run")
    assert "\nAll runs of each network\n" in text
    for row, network in zip(table_rows(text, 1), results["networks"], strict=True):
        figures = [network["name"], str(network["weight"]), str(network["layers"]), f"{network['runtime_cycles']:,}"]
        assert row[:4] == figures
    assert text.count("\nmix:     22 layers, ") == 1


def test_the_space_of_a_mix(three: Path, two: Path, capsys: Capture) -> None:
    """`mapsearch space` counts the layers of a mix as a run does."""
    assert main(["space", f"{three}:3,{two}", "--json"]) == 0
    sizes = json.loads(capsys.readouterr().out)
    expected = {each.layer.name: each.count for each in load_mix(f"{three}:3,{two}").unique}
    assert {size["layer"]: size["count"] for size in sizes} == expected


@pytest.mark.parametrize("name", ["a,b.yaml", "a:2", "ncf,resnet18", "x,y:3"])
def test_a_file_with_commas_and_colons(two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An existing file of exactly that name is the layer set; it may have a weight and stand in a mix."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(OTHER)
    for text, weights in ((name, (1,)), (f"{name}:4", (4,)), (f"{name},ncf:3", (1, 3)), (f"ncf,{name}:2", (1, 2))):
        mix = load_mix(text)
        assert tuple(member.weight for member in mix.members) == weights
        assert Counter(member.layers.title for member in mix.members)["Two layers"] == 1
        assert mix.unique == load_mix(mix.sources).unique
    assert load_mix(name).unique == load_layer_set(two).unique


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ncf,resnet5:2", "no layer set is called 'resnet5'; did you mean resnet50?; there are alexnet, "),
        ("ncf,none.yaml", "none.yaml: the layer set file must be readable: No such file or directory; shipped are"),
        ("ncf,dlrm,ncf:2", "layer set ncf stands twice in 'ncf,dlrm,ncf:2'; name it once, with a weight such as ncf:2"),
        (
            "ncf,one/two.yaml,two.yaml",
            "two layer sets are called two, one/two.yaml and two.yaml; give one of the",
        ),
        ("ncf:0", "layer set ncf: its weight must be a whole number from 1 to 10000, got 0"),
        ("ncf:10001", "layer set ncf: its weight must be a whole number from 1 to 10000, got 10001"),
        ("dlrm,ncf:1.5", "layer set ncf: its weight must be a whole number from 1 to 10000, got '1.5'"),
        ("ncf:", "layer set ncf: its weight must be a whole number from 1 to 10000, got ''"),
        ("ncf:-1", "layer set ncf: its weight must be a whole number from 1 to 10000, got '-1'"),
        ("ncf:" + "9" * 5000, "layer set ncf: its weight must be a whole number from 1 to 10000, got '9999"),
        ("ncf,,dlrm", "a layer set must stand at both sides of a comma and before a colon, got 'ncf,,dlrm'"),
        ("ncf,", "a layer set must stand at both sides of a comma and before a colon, got 'ncf,'"),
        (":2", "a layer set must stand at both sides of a comma and before a colon, got ':2'"),
        ("", "no layer set is called ''; there are alexnet, "),
        ({}, "a mix must hold at least one layer set, got none"),
        ({"ncf": True}, "layer set ncf: its weight must be a whole number from 1 to 10000, got True"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | Mapping[str, int], message: str
) -> None:
    """One line says which part is wrong, and what would be right."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").mkdir()
    for file in ("one/two.yaml", "two.yaml"):
        Path(file).write_text(OTHER)
    with pytest.raises(InputError) as caught:
        load_mix(source)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
