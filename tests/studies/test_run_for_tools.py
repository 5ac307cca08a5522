"""`mapsearch run --for`: what tools can express is searched and proven, and what that costs is told."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from small_run import layer_file, results_in, same_for_all
from small_run import plain_run as run

from mapsearch.cli import main
from mapsearch.formats.directives import MappedLayer, parse
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import MapKind, encode
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.laws import LAWS, restriction_for
from mapsearch.spaces.mappings.rules import TOOLS
from mapsearch.studies.declared import SettingError
from mapsearch.studies.run.options import SearchOptions

Capture = pytest.CaptureFixture[str]
FIXTURES = (layer_file,)  # pytest finds it here, as layers
FIFTY = "edge,pes=50"  # which seldom divide anything


@pytest.fixture(name="timeloops", scope="module")
def run_for_timeloop(layers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run for Timeloop, which tests only read."""
    folder = tmp_path_factory.mktemp("for") / "run"
    run(layers, FIFTY, out=folder, jobs=1, tools="timeloop", gap=0.0, no_cache=True)
    return folder


def _mapped(folder: Path) -> list[MappedLayer]:
    files = [*(folder / "mappings").iterdir(), *(folder / "fronts").iterdir(), *folder.glob("network.m")]
    assert files
    return [mapped for file in files for mapped in parse(file.read_text()).layers]


def _assert_perfect_and_even(mapped: MappedLayer, hardware: Hardware) -> None:
    """All chunks divide their tiles, and each spatial loop has as many chunks in each round."""
    batch = encode([mapped.mapping], mapped.layer, hardware.shape)
    tile = list(mapped.layer.extents)
    for level, sizes in enumerate(batch.size[0].tolist()):
        assert all(whole % size == 0 for whole, size in zip(tile, sizes, strict=True))
        shared = int(batch.spatial[0, level])
        if shared >= 0:
            chunks = tile[shared] // sizes[shared]
            assert chunks % min(chunks, int(batch.units[0, level])) == 0
        tile = sizes


def test_all_mappings_of_a_run_for_a_tool_keep_to_its_laws(timeloops: Path) -> None:
    """Those of the layers, of their fronts and of the network."""
    hardware = load_hardware(FIFTY)
    for mapped in _mapped(timeloops):
        _assert_perfect_and_even(mapped, hardware)


def test_the_cost_of_the_laws(layers: Path, timeloops: Path, tmp_path: Path) -> None:
    """It is told of each layer and of the network against the optimum of a run without them."""
    found, free = results_in(timeloops), run(layers, FIFTY, out=tmp_path / "free", jobs=1, gap=0.0, no_cache=True)
    for layer, other in zip(found["layers"], free["layers"], strict=True):
        assert layer["gap"] == other["gap"] == 0.0
        assert layer["free"]["objective"] == pytest.approx(other["objective"])
        assert layer["free"]["lower_bound"] == pytest.approx(other["lower_bound"])
        assert layer["objective"] >= layer["free"]["objective"]
        assert layer["free"]["objective"] == layer["free"]["energy_pj"] * layer["free"]["runtime_cycles"]
    assert any(layer["objective"] > layer["free"]["objective"] for layer in found["layers"])
    assert found["totals"]["free_objective"] == pytest.approx(free["totals"]["objective"], rel=0.01)
    assert "free_objective" not in free["totals"]
    assert all("free" not in layer for layer in free["layers"])
    rows = list(csv.DictReader((timeloops / "results.csv").read_text().splitlines()))
    assert [float(row["free.objective"]) for row in rows] == [layer["free"]["objective"] for layer in found["layers"]]


def test_a_run_for_tools_goes_on(timeloops: Path, tmp_path: Path) -> None:
    """A run that was stopped before it knew what its laws cost is not complete, and finds that on going on."""
    done = results_in(timeloops)
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("config.json", "hardware.yaml"):
        (folder / name).write_text((timeloops / name).read_text())
    for part in ("mappings", "fronts"):
        (folder / part).mkdir()
        for file in (timeloops / part).iterdir():
            (folder / part / file.name).write_text(file.read_text())
    stopped = {**done, "layers": [{key: value for key, value in layer.items() if key != "free"} for layer in done["layers"]]}
    (folder / "results.json").write_text(json.dumps(stopped))
    resumed = run(out=folder, resume=True, jobs=1)
    assert same_for_all(resumed) == same_for_all(done)
    assert [layer["seconds"] for layer in resumed["layers"]] == [layer["seconds"] for layer in done["layers"]]


def test_a_run_for_maestro_is_exported_whole(layers: Path, tmp_path: Path, capsys: Capture) -> None:
    """Every layer can be written, and MAESTRO counts all its MACs; the table tells what that costs."""
    out = str(tmp_path / "run")
    assert main(["run", str(layers), "--for", "maestro,timeloop", "--quiet", "--out", out]) == 0
    text = capsys.readouterr().out
    assert "over all" in text.splitlines()[0]
    assert "cost of keeping to what the tools can express: " in text
    assert main(["export", out, "--to", "maestro", "--out", str(tmp_path), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert main(["evaluate", written[0], "--model", "maestro", "--json"]) == 0
    assert all(cost["macs"] == cost["layer_macs"] for cost in json.loads(capsys.readouterr().out))


def test_a_run_for_accelforge_is_exported_whole(tmp_path: Path, capsys: Capture) -> None:
    """AccelForge cannot express the best mapping of the layer; that of a run for it is proven best of those that it can."""
    found: dict[str, Any] = {}
    for tools, code in (("zigzag", 2), ("accelforge", 0)):
        out = tmp_path / tools
        assert main(["run", "resnet18:fc", "--for", tools, "--gap", "0", "--no-cache", "--jobs", "1", "--out", str(out)]) == 0
        assert main(["export", str(out), "--to", "accelforge", "--out", str(tmp_path)]) == code
        [found[tools]] = results_in(out)["layers"]
    assert "AccelForge cannot express that L1s keep" in capsys.readouterr().err
    assert found["accelforge"]["gap"] == found["zigzag"]["gap"] == 0
    assert found["accelforge"]["refused"] > found["zigzag"]["refused"] == 0
    assert 1 < found["accelforge"]["objective"] / found["zigzag"]["objective"] < 1.05


def test_the_laws_of_tools() -> None:
    """Each tool's laws have names, and several tools ask for all of theirs."""
    assert {law for laws in TOOLS.values() for law in laws} == set(LAWS)
    both = restriction_for(("timeloop", "maestro"))
    assert both == restriction_for(("maestro",)) | restriction_for(("timeloop",))
    assert both.untiled == (Dim.R, Dim.S)
    assert (both.perfect, both.even, both.dividing, both.single) == (True,) * 4
    assert not restriction_for(("timeloop",)).dividing
    assert not both.renewed


@pytest.mark.parametrize("tools", ["gem5", "", "timeloop,", "timeloop maestro"])
def test_other_tools_are_refused(tools: str) -> None:
    """The error lists those that there are."""
    with pytest.raises(SettingError, match="tools must be one or several of timeloop, accelforge, zigzag, maestro, with commas"):
        SearchOptions(tools=tools)


def test_sizes_that_constraints_give_are_no_law_to_a_tool(layers: Path, tmp_path: Path) -> None:
    """Sizes may not divide what is outside them, so they are refused beside a tool; spatial dims are not."""
    sizes, dims = tmp_path / "sizes.yaml", tmp_path / "dims.yaml"
    sizes.write_text("{name: s, levels: [{tiles: {K: 3}}]}")
    dims.write_text("{name: d, levels: [{spatial: K}]}")
    with pytest.raises(ValueError, match=r"sizes\.yaml: level 0: sizes of K are given, and chunks must divide their tiles"):
        run(layers, out=tmp_path / "run", tools="timeloop", constraints=str(sizes))
    found = run(layers, out=tmp_path / "run", tools="timeloop", constraints=str(dims), jobs=1, trials=2, sampler="random")
    assert found["complete"]
    for mapped in _mapped(tmp_path / "run"):
        shared = [one.dim for one in mapped.mapping.levels[0] if one.kind is MapKind.SPATIAL]
        assert shared == [Dim.K] or mapped.layer.extents[Dim.K] == 1


def test_a_dry_run_for_tools_counts_their_mappings(layers: Path, capsys: Capture) -> None:
    """It has fewer mappings, and twice as many searches."""
    told: list[Mapping[str, Any]] = []
    for more in ((), ("--for", "timeloop")):
        assert main(["run", str(layers), "--trials", "5", "--dry-run", "--json", *more]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert all(b["mappings"] < a["mappings"] for a, b in zip(told[0]["layers"], told[1]["layers"], strict=True))
    assert (told[0]["basis"][:11], told[1]["basis"][:11]) == ("3 searches ", "6 searches ")
