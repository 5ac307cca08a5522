"""The benchmark: what it measures, what the command prints, and that the page of measurements can be made."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mapsearch.cli import main
from mapsearch.commands.bench import print_rates
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Fit
from mapsearch.model.exact import ExactModel
from mapsearch.studies import bench
from mapsearch.studies.bench import Rates

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
FIGURES = [
    "evaluations_per_second",
    "bound_evaluations_per_second",
    "yardstick_evaluations_per_second",
    "ratio_to_yardstick",
    "verdict_ns",
]


def test_sample_is_fixed_and_legal() -> None:
    """The mappings that are timed are the same in every run, of two levels, and all fit the hardware."""
    hardware, layer = load_hardware(bench.HARDWARE), bench.LAYERS[1]
    first, second = (bench.sample(layer, hardware, 50) for _ in range(2))
    assert first.units.shape == (50, 2)
    assert np.array_equal(first.size, second.size)
    assert np.array_equal(first.order, second.order)
    assert (ExactModel().evaluate(layer, hardware, first).fit == Fit.LEGAL).all()


def test_rates_of_a_layer() -> None:
    """All rates are positive and the ratio is that of the exact model's to the yardstick's."""
    rates = bench.rates_of(bench.LAYERS[-1], load_hardware(bench.HARDWARE), seconds=0, mappings=100)
    assert min(asdict(rates).values()) > 0
    assert rates.ratio_to_yardstick == pytest.approx(rates.evaluations_per_second / rates.yardstick_evaluations_per_second)


def test_median_is_taken_figure_by_figure() -> None:
    """The median row holds the median of each column."""
    found = {"a": Rates(1, 30, 2, 9, 500), "b": Rates(3, 10, 3, 7, 700), "c": Rates(2, 20, 1, 8, 600)}
    assert bench.median_rates(found) == Rates(2, 20, 2, 8, 600)


def test_command_as_json(capsys: Capture) -> None:
    """The command prints one object: the median, the eight layers, and what was measured on what."""
    assert main(["bench", "--seconds", "0", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [row["layer"] for row in data["layers"]] == [layer.name for layer in bench.LAYERS]
    for row in [data["median"], *data["layers"]]:
        assert [name for name in row if name != "layer"] == FIGURES
    assert (data["seed"], data["hardware"], data["cores"]) == (0, "edge", 1)
    assert data["processor"]
    assert set(data["versions"]) == {"python", "mapsearch", "numpy", "numba"}


def test_command_as_table(capsys: Capture) -> None:
    """The table has a row for each layer and, last, the median, and says what was measured on what."""
    print_rates({"slow": Rates(1000, 30_000, 2, 500, 700), "fast": Rates(3000, 40_000, 3, 1000, 300)})
    lines = capsys.readouterr().out.rstrip().splitlines()
    assert lines[0].startswith("one core of ")
    assert "seed 0" in lines[1]
    rows = [line.split() for line in lines[-3:]]
    assert rows == [
        ["slow", "1,000", "30,000", "2", "500", "700"],
        ["fast", "3,000", "40,000", "3", "1,000", "300"],
        ["median", "2,000", "35,000", "2", "750", "500"],
    ]


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "long", ""])
def test_seconds_must_be_a_number(capsys: Capture, seconds: str) -> None:
    """A time that is none is one line that names it."""
    assert main(["bench", f"--seconds={seconds}"]) == 2
    assert capsys.readouterr().err == (
        f"mapsearch: error: argument --seconds: must be a number from 0 to 3600, got {seconds!r}; see mapsearch bench --help\n"
    )


@pytest.mark.nightly
def test_page_can_be_made(tmp_path: Path) -> None:
    """`benchmarks/performance.py` writes a page with every section that the page in docs/ has but the start, which takes long."""
    page = tmp_path / "performance.md"
    command = [sys.executable, str(ROOT / "benchmarks" / "performance.py"), "--quick", "--out", str(page)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 our own command
    headings = re.compile(r"^##+ .*$", re.MULTILINE)
    wanted = headings.findall((ROOT / "docs" / "performance.md").read_text("utf-8"))
    assert headings.findall(page.read_text("utf-8")) == [heading for heading in wanted if heading != "## Start"]
    assert list(tmp_path.iterdir()) == [page]
