"""Results as typed objects: they are read back as they were written, damage is named, and version 0.1's keys still answer."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_run import finished_run, layer_file, results_in

import mapsearch
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.studies.results import RunResults
from mapsearch.studies.results_reader import read_results
from mapsearch.studies.start import run

FIXTURES = (layer_file, finished_run)  # pytest finds them here, as layers and done


def read(folder: Path) -> RunResults:
    return read_results(results_in(folder), folder / "results.json", "hint")


def test_what_is_written_is_read_back(done: Path) -> None:
    """The results of a finished run are equal after writing and reading, and so is their plain data to the last digit."""
    results = read(done)
    assert results.to_dict() == results_in(done)
    assert isinstance(results.layers[0].metrics, CountedEvaluation)
    assert results.layers[0].metrics.layer == results.layers[0].name


@pytest.mark.parametrize("settings", [{"objective": "energy,latency"}, {"model": "maestro", "sampler": "genetic"}])
def test_results_of_every_kind_are_read_back(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Runs for several objectives, and of a model whose figures stand by name, are read back as they were written."""
    file = tmp_path / "layers.yaml"
    file.write_text("title: t\nsource: made up\nlayers:\n  - {name: one, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 8, X: 8}\n")
    found = run(file, out=tmp_path / "run", jobs=1, trials=2, **settings)
    assert read(tmp_path / "run") == found


def _set(*place: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:  # noqa: ANN401 any JSON
        for part in place[:-1]:
            data = data[part]
        data[place[-1]] = to

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_set("layers", 0, "front", 0, to=5), "layers.0.front.0 must be an object, got 5"),
        (_set("layers", 0, "count", to="x"), "layers.0.count must be a valid integer, got 'x'"),
        (_set("layers", 0, "gap", to={"a": 1}), "layers.0.gap must be a valid number, got {'a': 1}"),
        (_set("layers", 0, "proof", to=5), "layers.0.proof must be an object, got 5"),
        (_set("layers", 0, "lower_bound", to="x"), "layers.0.lower_bound must be a valid number, got 'x'"),
        (_set("layers", 0, "metrics", to=5), "layers.0.metrics"),
        (_set("layers", 0, "metrics", "energy_pj", to=5), "layers.0.metrics"),
        (_set("layers", 0, to=5), "layers.0 must be an object, got 5"),
    ],
)
def test_damaged_rows_are_named(done: Path, tmp_path: Path, damage: Callable[[dict[str, Any]], None], message: str) -> None:
    """A row of another shape is an error of one line that names the place and the value, on resuming as on reading."""
    data = results_in(done)
    damage(data)
    with pytest.raises(InputError, match=r"results\.json: ") as caught:
        read_results(data, tmp_path / "results.json", "the hint")
    assert message in str(caught.value)
    assert str(caught.value).endswith("; the hint")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_set("layers", 0, "objective", to=1.0), "evaluates to other figures than were recorded"),
        (_set("layers", 0, "gap", to=0.0), "evaluates to other figures than were recorded"),
        (_set("layers", 0, "metrics", "runtime_cycles", to=7), "evaluates to other figures than were recorded"),
        (_set("layers", 0, "metrics", "steps", to=-1), "evaluates to other figures than were recorded"),
    ],
)
def test_figures_that_are_not_the_mappings_are_refused(
    done: Path, tmp_path: Path, damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    """Going on from a folder checks objective, gap and metrics against the mapping files."""
    folder = tmp_path / "run"
    for file in done.rglob("*"):
        if file.is_file():
            copy = folder / file.relative_to(done)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    data = results_in(folder)
    damage(data)
    (folder / "results.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=message):
        run(out=folder, resume=True, jobs=1)


def test_the_keys_of_before_still_answer(done: Path) -> None:
    """Results and evaluations answer as the dicts that they were in version 0.1, with a warning that names the attribute."""
    results = read(done)
    with pytest.warns(DeprecationWarning, match=r"use the attribute results\.totals or results\.to_dict\(\)"):
        assert results["totals"]["edp_pj_cycles"] == results.totals.edp_pj_cycles
    [cost] = mapsearch.evaluate(done / results.layers[0].mapping_file)
    with pytest.warns(DeprecationWarning, match="energy_pj"):
        assert cost["energy_pj"]["total"] == cost.energy_pj.total  # type: ignore[index] # pyright: ignore[reportIndexIssue]
    with pytest.warns(DeprecationWarning, match="nothing"), pytest.raises(KeyError):
        _ = results["nothing"]


def test_a_frame_has_the_columns_of_the_csv(done: Path) -> None:
    """A DataFrame has a row for each layer and the columns of results.csv."""
    frame = read(done).to_frame()
    with (done / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(frame.columns) == list(rows[0])
    assert list(frame["name"]) == [row["name"] for row in rows]
    assert [str(value) for value in frame["objective"]] == [row["objective"] for row in rows]


def test_a_frame_of_what_is_not_installed(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says how to get it."""
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(InputError, match="a frame needs the package polars, which is not installed; pip install polars"):
        read(done).to_frame("polars")


def test_notebooks_show_a_table(done: Path) -> None:
    """The HTML form has a row for each layer, names escaped."""
    html = read(done)._repr_html_()  # pyright: ignore[reportPrivateUsage] the name that notebooks call
    assert html.count("<tr>") == 1 + len(read(done).layers)
    assert "<td>conv/1</td>" in html
