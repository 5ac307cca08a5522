"""`mapsearch compare`: two runs, or a run and a mapping file, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from printed_tables import table_rows
from small_run import NAMES, finished_run, layer_file, results_in

from mapsearch.cli import main
from mapsearch.studies.start import run

Capture = pytest.CaptureFixture[str]
FIXTURES = (layer_file, finished_run)  # pytest finds them here, as layers and done


@pytest.fixture(name="other", scope="module")
def other_run(layers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the first network on another machine, with another seed."""
    folder = tmp_path_factory.mktemp("other") / "run"
    run(layers, "cloud", out=folder, jobs=1, trials=3, sampler="tpe", seed=1)
    return folder


def test_ratios_are_of_the_recorded_figures(done: Path, other: Path, capsys: Capture) -> None:
    """Each layer and the network have both runs' figures, and the second's over the first's."""
    assert main(["compare", str(done), str(other), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    first, second = results_in(done), results_in(other)
    assert [row["layer"] for row in told["layers"]] == NAMES
    for row, one, two in zip(told["layers"], first["layers"], second["layers"], strict=True):
        assert row["first"]["runtime_cycles"] == one["metrics"]["runtime_cycles"]
        assert row["second"]["energy_pj"] == two["metrics"]["energy_pj"]["total"]
        assert row["ratios"]["runtime_cycles"] == two["metrics"]["runtime_cycles"] / one["metrics"]["runtime_cycles"]
    assert told["network"]["first"]["edp_pj_cycles"] == first["totals"]["edp_pj_cycles"]
    assert told["network"]["ratios"]["edp_pj_cycles"] == second["totals"]["edp_pj_cycles"] / first["totals"]["edp_pj_cycles"]


def test_the_table_and_what_differs_above_it(done: Path, other: Path, capsys: Capture) -> None:
    """The titles, each difference of settings and hardware in a line, then a row a layer and one for the network."""
    assert main(["compare", str(done), str(other)]) == 0
    above, table = capsys.readouterr().out.split("\n\n", 1)
    lines = above.splitlines()
    assert lines[:2] == ["A: three on edge, objective edp, seed 0", "B: three on cloud, objective edp, seed 1"]
    assert "   settings: seed 0, and 1" in lines
    assert "   hardware: pes 256, and 1024" in lines
    assert "   hardware: technology 'cacti_45nm', and 'cacti_22nm'" in lines
    rows = table_rows(table)
    assert [row[0] for row in rows] == [*NAMES, "network"]
    assert all(len(row) == 9 for row in rows)
    assert max(len(line) for line in table.splitlines()) <= 100


def test_a_run_beside_itself(done: Path, capsys: Capture) -> None:
    """Nothing differs and all ratios are 1."""
    assert main(["compare", str(done), str(done), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["differences"] == []
    assert {ratio for row in (*told["layers"], told["network"]) for ratio in row["ratios"].values()} == {1.0}


def test_layers_of_one_run_only(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """A layer that only one run has, has blanks in the other's place and is named below; other shapes have no ratio."""
    file = tmp_path / "some.yaml"
    file.write_text(
        "title: t\nsource: s\nlayers:\n  - {name: gemm, type: GEMM, M: 12, N: 16, K: 20}\n  - {name: more, type: FC, K: 3, C: 4}\n"
        "  - {name: depthwise, type: FC, K: 3, C: 5}\n"
    )
    run(file, out=tmp_path / "some", jobs=1, trials=1, sampler="tpe")
    assert main(["compare", str(done), str(tmp_path / "some")]) == 0
    text = capsys.readouterr().out
    assert "   networks: three 1, and None" in text
    assert "   layer depthwise: 1 times 7,056 MACs, and 1 times 15 MACs" in text
    assert text.endswith("only in A: conv/1\nonly in B: more\n")
    assert main(["compare", str(done), str(tmp_path / "some"), "--json"]) == 0
    rows = {row["layer"]: row for row in json.loads(capsys.readouterr().out)["layers"]}
    assert (rows["conv/1"]["second"], rows["more"]["first"], rows["depthwise"]["ratios"]) == (None, None, None)
    assert rows["gemm"]["ratios"] is not None


def test_what_cannot_be_compared(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """A folder without a run, and runs of nothing in common, are one line and exit code 2."""
    assert main(["compare", str(done), str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"mapsearch: error: {tmp_path}/config.json: does not exist")
    file = tmp_path / "other.yaml"
    file.write_text("title: t\nsource: s\nlayers:\n  - {name: more, type: FC, K: 3, C: 4}\n")
    run(file, out=tmp_path / "run", jobs=1, trials=1, sampler="tpe")
    assert main(["compare", str(done), str(tmp_path / "run")]) == 2
    assert "must have a layer in common" in capsys.readouterr().err


def test_a_mapping_file_beside_a_run(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """A run's own mappings cost in a file what they cost in the run, also under other names; the network needs all layers."""
    results = results_in(done)
    files = [done / layer["mapping_file"] for layer in results["layers"]]
    file = tmp_path / "one.m"
    file.write_text(files[0].read_text().replace(f"Layer {results['layers'][0]['name']}", "Layer theirs"))
    assert "Layer theirs" in file.read_text()
    assert main(["compare", str(done), str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["titles"][1] == f"{file} on edge"
    assert told["differences"] == []
    assert set(told["layers"][0]["ratios"].values()) == {1.0}
    assert [row["second"] for row in told["layers"][1:]] == [None] * (len(NAMES) - 1)
    assert told["network"]["ratios"] is None
    together = done / results["network"]["mapping_file"] if results.get("network") else None
    assert main(["compare", str(together or file), str(done)]) == 0
    assert table_rows(capsys.readouterr().out.split("\n\n", 1)[1])[0][0] == NAMES[0]


def test_a_mapping_file_beside_a_run_by_another_model(tmp_path: Path, capsys: Capture) -> None:
    """The run's model counts the file too, also one that has figures by name only."""
    file = tmp_path / "one.yaml"
    file.write_text("title: t\nsource: s\nlayers:\n  - {name: gemm, type: GEMM, M: 12, N: 16, K: 20}\n")
    run(file, out=tmp_path / "run", jobs=1, trials=1, sampler="tpe", model="maestro")
    mapping = tmp_path / "run" / results_in(tmp_path / "run")["layers"][0]["mapping_file"]
    assert main(["compare", str(tmp_path / "run"), str(mapping), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["layers"][0]["ratios"].values()) == {1.0}
    assert set(told["network"]["ratios"].values()) == {1.0}


def test_two_mapping_files_name_no_machine(done: Path, capsys: Capture) -> None:
    """One of the two must be a run, whose machine counts."""
    file = str(done / results_in(done)["layers"][0]["mapping_file"])
    assert main(["compare", file, file]) == 2
    assert "one of the two must be a run's folder" in capsys.readouterr().err
