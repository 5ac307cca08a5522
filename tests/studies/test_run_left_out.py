"""Runs with a cost model that counts some layers only, vouches for some mappings only, and reports little."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from small_run import Recorder, results_in, same_for_all
from small_run import plain_evaluate as evaluate
from small_run import plain_run as run

from mapsearch.cli import main
from mapsearch.model.cost import CostModel
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.tensors import Dim
from mapsearch.testing.choosy_model import ChoosyModel

LAYERS = """
title: Three layers
source: made up
layers:
  - {name: depthwise, type: DSCONV, G: 16, R: 3, S: 3, Y: 9, X: 9}
  - {name: sparse, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10, density: {W: 0.5}, count: 2}
  - {name: gemm, type: GEMM, M: 12, N: 16, K: 20}
"""
REASON = "layer depthwise: the choosy model counts no DSCONV"


class StubbornModel(ChoosyModel):
    """Vouches for no mapping of a GEMM, as it refuses all that its outermost SpatialMap may share out."""

    def __init__(self) -> None:
        super().__init__(refused=(Dim.K, Dim.C, Dim.X))


@pytest.fixture(name="layers")
def layer_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A layer set of which the choosy models, which this adds to those that users select, count two layers."""
    models: Mapping[str, Callable[[], CostModel]] = {"exact": ExactModel, "choosy": ChoosyModel, "stubborn": StubbornModel}
    monkeypatch.setattr("mapsearch.model.registry.COST_MODELS", models)
    file = tmp_path / "three.yaml"
    file.write_text(LAYERS)
    return file


def search(layers: Path, out: Path, model: str = "choosy", **settings: Any) -> dict[str, Any]:  # noqa: ANN401 as `run` takes them
    return run(layers, out=out, jobs=1, trials=3, sampler="tpe", model=model, **settings)


def test_layers_that_the_model_does_not_count_are_left_out(layers: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are reported as the run begins and listed in the results; the others are recorded as they are counted."""
    with caplog.at_level(logging.INFO, "mapsearch.studies.run.layer_results"):
        results = search(layers, tmp_path / "run")
    assert f"depthwise is left out: {REASON}" in caplog.messages
    assert results["left_out"] == [{"name": "depthwise", "reason": REASON}]
    assert results["complete"]
    assert [layer["name"] for layer in results["layers"]] == ["sparse", "gemm"]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert [(layer["name"], layer["density"]) for layer in config["layers"]] == [("sparse", [1.0] * 3), ("gemm", [1.0] * 3)]


def test_refused_mappings_are_counted_in_the_results(layers: Path, tmp_path: Path) -> None:
    """Layers, totals, trace points and the CSV tell how many evaluations the model refused; energy has the model's own parts."""
    results = search(layers, tmp_path / "run")
    totals, (conv, gemm) = results["totals"], results["layers"]
    assert 0 < conv["refused"] < conv["evaluations"]
    assert totals["refused"] == conv["refused"] + gemm["refused"]
    assert all(step["refused"] <= step["evaluations"] for step in conv["trace"])
    assert list(totals["energy_pj"]) == ["everything", "total"]
    sums = 2 * conv["metrics"]["edp_pj_cycles"] + gemm["metrics"]["edp_pj_cycles"]
    assert totals["sum_of_layer_edps_pj_cycles"] == pytest.approx(sums)
    with (tmp_path / "run" / "results.csv").open(newline="") as file:
        assert [row["refused"] for row in csv.DictReader(file)] == [str(conv["refused"]), str(gemm["refused"])]


def test_a_run_with_layers_left_out_is_resumed(layers: Path, tmp_path: Path) -> None:
    """A layer is searched again where its row is gone, and the results are those of the whole run."""
    whole = search(layers, tmp_path / "run")
    kept = {**whole, "layers": whole["layers"][:1]}
    (tmp_path / "run" / "results.json").write_text(json.dumps(kept))
    recorder = Recorder()
    again = run(out=tmp_path / "run", resume=True, jobs=1, watcher=recorder)
    assert recorder.calls[1:] == [("gemm",)]
    assert same_for_all(again) == same_for_all(whole) == same_for_all(results_in(tmp_path / "run"))


def test_a_layer_without_a_mapping_that_the_model_vouches_for_is_left_out(layers: Path, tmp_path: Path) -> None:
    """Its searches end with nothing; the other layers have their results, and the run is complete."""
    recorder = Recorder()
    results = search(layers, tmp_path / "run", "stubborn", restarts=2, watcher=recorder)
    assert [layer["name"] for layer in results["layers"]] == ["sparse"]
    assert recorder.calls[1:] == [("sparse",)]
    assert [layer["name"] for layer in results["left_out"]] == ["depthwise", "gemm"]
    assert results["left_out"][1]["reason"].startswith("the cost model vouches for none of ")
    assert results["complete"]
    assert results == results_in(tmp_path / "run")


def test_a_set_of_which_the_model_counts_no_layer_is_refused(layers: Path, tmp_path: Path) -> None:
    """Where none is left the error has the first layer's reason, and nothing is written."""
    layers.write_text("\n".join(LAYERS.splitlines()[:5]))
    with pytest.raises(InputError) as caught:
        search(layers, tmp_path / "run")
    assert str(caught.value) == f"layer set three: the cost model choosy takes none of its layers: {REASON}"
    assert not (tmp_path / "run").exists()


def test_the_command_prints_what_there_is(layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells of figures that the model does not report are empty; refused evaluations and left-out layers are reported."""
    options = ["--jobs", "1", "--trials", "2", "--model", "choosy", "--out", str(tmp_path / "run")]
    assert main(["run", "--layer-set", str(layers), *options]) == 0
    captured = capsys.readouterr()
    totals = results_in(tmp_path / "run")["totals"]
    [row] = [line for line in captured.out.splitlines() if line.startswith("gemm")]
    assert len(row.split()) == 5  # of 8 columns
    assert f" by a lower bound, {totals['refused']:,} refused by the model or a law, " in " ".join(captured.out.split())
    assert f"mapsearch: depthwise is left out: {REASON}" in captured.err


def test_evaluate_tells_why_a_mapping_is_refused(layers: Path, tmp_path: Path) -> None:
    """The error names the file and the layer's line; a layer that the model does not count is one too."""
    del layers
    text = "Network n {{ Layer a {{ Type: {} Dimensions {{ {} }} Dataflow {{ SpatialMap(1,1) {} }} }} }}"
    (file := tmp_path / "n.m").write_text(text.format("CONV", "K: 4, C: 4, R: 1, S: 1, Y: 4, X: 4", "K"))
    with pytest.raises(InputError) as caught:
        evaluate(file, model="choosy")
    assert str(caught.value) == f"{file}:1: layer a: the choosy model does not like this mapping"
    file.write_text(text.format("DSCONV", "C: 4, R: 1, S: 1, Y: 4, X: 4", "C"))
    with pytest.raises(InputError) as caught:
        evaluate(file, model="choosy")
    assert str(caught.value) == f"{file}:1: layer a: the choosy model counts no DSCONV"
