"""`mapsearch run --dry-run`: what would be searched, where and for how long, with nothing written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_run import NAMES, layer_file

from mapsearch.cli import main

Capture = pytest.CaptureFixture[str]
FIXTURES = (layer_file,)  # pytest finds it here, as layers


@pytest.fixture(name="empty")
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _forecast(capsys: Capture, *argv: str) -> Any:  # noqa: ANN401 whatever the command prints
    assert main(["run", *argv, "--dry-run", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_dry_run_tells_and_writes_nothing(layers: Path, empty: Path, capsys: Capture) -> None:
    """Layers with the sizes that `mapsearch space` counts, the folder that a run would make, a time with its basis; no file."""
    told = _forecast(capsys, str(layers), "--trials", "7", "--jobs", "1")
    assert main(["space", str(layers), "--json"]) == 0
    sizes = json.loads(capsys.readouterr().out)
    assert [layer["name"] for layer in told["layers"]] == NAMES
    assert [layer["mappings"] for layer in told["layers"]] == [size["mappings"] for size in sizes]
    assert told["folder"] == "runs/three-edp-edge"
    assert told["seconds"] > 0
    assert told["basis"].startswith("3 searches of 7 trials, each ")
    assert list(empty.iterdir()) == []


def test_a_dry_run_of_one_layer(layers: Path, empty: Path, capsys: Capture) -> None:  # noqa: ARG001 where it would write
    """One layer of a set is one search."""
    told = _forecast(capsys, f"{layers}:{NAMES[0]}", "--trials", "7", "--jobs", "1")
    assert [layer["name"] for layer in told["layers"]] == NAMES[:1]
    assert told["basis"].startswith("1 search of 7 trials, each ")


def test_a_dry_run_in_words(layers: Path, empty: Path, capsys: Capture) -> None:
    """A row for each layer, then hardware, time and folder; nothing is written."""
    assert main(["run", str(layers), "--dry-run", "--timeout", "90", "--out", "there"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == NAMES
    assert lines[6:] == [
        "hardware: edge",
        "time:     about 1.5 min at the most: the timeout that is given",
        "folder:   there (nothing is written now)",
    ]
    assert list(empty.iterdir()) == []


def test_longer_searches_are_told_to_be_longer(layers: Path, empty: Path, capsys: Capture) -> None:
    """An exact search may take a minute a layer, restarts multiply; of a space of machines no time is known."""
    exact = _forecast(capsys, str(layers), "--sampler", "exact", "--jobs", "1")
    assert exact["seconds"] > 3 * 60
    twice = _forecast(capsys, str(layers), "--sampler", "exact", "--jobs", "1", "--restarts", "2")
    assert twice["seconds"] > 6 * 60
    space = empty / "space.yaml"
    space.write_text("pes: [16, 32]\n")
    several = _forecast(capsys, str(layers), "--hardware", str(space))
    assert (several["machines"], several["seconds"]) == (2, None)
    assert "how many machines are mapped depends" in several["basis"]


def test_a_dry_run_checks_as_a_run_does(empty: Path, capsys: Capture) -> None:
    """What a run would refuse before work starts, a dry run refuses too."""
    assert main(["run", "ncf", "--objective", "edpp", "--dry-run"]) == 2
    assert capsys.readouterr().err.startswith("mapsearch: error: objective: 'edpp' at column 1 is no metric; did you mean edp?")
    assert list(empty.iterdir()) == []
