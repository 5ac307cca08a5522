"""A small layer set, runs of it, what they write, and a watcher, for the tests of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from mapsearch.studies.co_design.results import CoDesignProgress
from mapsearch.studies.evaluate import HardwareSource, evaluate
from mapsearch.studies.results import LayerResult, RunResults
from mapsearch.studies.start import run

LAYERS = """
title: Three layers
source: made up
layers:
  - {name: conv/1, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10}
  - {name: depthwise, type: DSCONV, G: 16, R: 3, S: 3, Y: 9, X: 9}
  - {name: conv2, type: CONV, K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10, count: 2}
  - {name: gemm, type: GEMM, M: 12, N: 16, K: 20}
"""
NAMES = ["conv/1", "depthwise", "gemm"]
FILES = ["mappings/01_conv_1.m", "mappings/02_depthwise.m", "mappings/03_gemm.m"]
FRONTS = [name.replace("mappings", "fronts") for name in FILES]


@pytest.fixture(name="layers", scope="module")
def layer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer set's file."""
    file = tmp_path_factory.mktemp("layers") / "three.yaml"
    file.write_text(LAYERS)
    return file


@pytest.fixture(name="search")
def search_with_few_trials(layers: Path) -> Callable[..., dict[str, Any]]:
    """`run` on the small layer set, which takes further arguments."""
    return partial(plain_run, layers, jobs=1, trials=3, sampler="tpe")


@pytest.fixture(name="done", scope="module")
def finished_run(layers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, which tests only read."""
    folder = tmp_path_factory.mktemp("done") / "run"
    run(layers, out=folder, jobs=1, trials=3, sampler="tpe")
    return folder


def plain_run(*arguments: Any, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 those of `run`
    """What `run` returns, as results.json has it."""
    return run(*arguments, **settings).to_dict()


def plain_evaluate(file: Path | str, hardware: HardwareSource = "edge", model: str = "exact") -> list[dict[str, Any]]:
    """What `evaluate` returns, as its JSON has it."""
    return [each.to_dict() for each in evaluate(file, hardware, model)]


def copy_without(done: Path, folder: Path, name: str) -> None:
    """The run at `done` as it was before it had that layer."""
    for name_ in ("mappings", "fronts"):
        (folder / name_).mkdir(parents=True)
    for file in ("config.json", "hardware.yaml", *FILES, *FRONTS):
        (folder / file).write_bytes((done / file).read_bytes())
    results = results_in(done)
    results["layers"] = [layer for layer in results["layers"] if layer["name"] != name]
    (folder / "results.json").write_text(json.dumps(results))


def results_in(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return results


def same_for_all(results: Mapping[str, Any]) -> dict[str, Any]:
    """The results without what differs from one run to an equal one: the folder and the seconds."""
    same: dict[str, Any] = without_seconds({key: value for key, value in results.items() if key != "folder"})
    return same


def without_seconds(data: object) -> Any:  # noqa: ANN401 any JSON
    """Plain data without what is named `seconds`, however deep."""
    if isinstance(data, dict):
        items = cast("dict[str, object]", data).items()
        return {key: without_seconds(value) for key, value in items if key != "seconds"}
    if isinstance(data, list):
        return [without_seconds(value) for value in cast("list[object]", data)]
    return data


class Recorder:
    """A watcher that keeps its calls, and does something once trials are under way or a layer is found."""

    def __init__(self, advance: Callable[[], None] | None = None, find: Callable[[], None] | None = None) -> None:
        self.folder = Path()
        self.calls: list[tuple[object, ...]] = []
        self._advance, self._find = advance, find

    def opened(self, folder: Path) -> None:
        self.folder = folder

    def began(self, searches: Sequence[str], ticks: int) -> None:
        self.calls.append((self.folder, searches, ticks))

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        if self._advance is not None and ticks.any():
            act, self._advance = self._advance, None
            act()

    def compared(self, progress: CoDesignProgress) -> None:
        self.calls.append((progress.stage,))

    def answered(self, results: RunResults) -> None:
        self.calls.append((results.totals.unique_layers,))

    def found(self, result: LayerResult) -> None:
        self.calls.append((result.name,))
        if self._find is not None:
            act, self._find = self._find, None
            act()
