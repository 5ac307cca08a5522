"""`mapsearch plot --density`: cycles and energy of a layer over its density, what is drawn of them, and what is refused."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from matplotlib.text import Text
from printed_tables import table_rows

from mapsearch.cli import main
from mapsearch.studies.density import DENSITIES, DensityStudy, density_study, load_layer
from mapsearch.studies.pictures import densities
from mapsearch.studies.pictures.style import as_png

Capture = pytest.CaptureFixture[str]
LAYERS = """
title: Two layers
source: made up
layers:
  - {name: a, type: GEMM, M: 12, N: 16, K: 32, density: {I: 0.5}}
  - {name: b, type: GEMM, M: 12, N: 16, K: 20}
"""
SKIPS = "edge,pes=16,sparse.skip=[weight]"
FEW = ["--evaluations", "300"]


@pytest.fixture(name="layers")
def layer_file(tmp_path: Path) -> str:
    file = tmp_path / "two.yaml"
    file.write_text(LAYERS)
    return str(file)


@pytest.fixture(name="study")
def study_of_a_layer(layers: str) -> DensityStudy:
    return density_study(load_layer(f"{layers}:a"), SKIPS, evaluations=300)


def test_each_machine_takes_the_best_of_all_mappings(study: DensityStudy) -> None:
    """Dense and at density 1 alike, the objective never rises as zeros become more, and is the least where they are skipped."""
    edps = {name: [point.runtime_cycles * point.energy_pj for point in points] for name, points in study.lines.items()}
    assert list(edps) == ["dense", "gating", "skipping"]
    assert len({values[0] for values in edps.values()}) == 1
    assert len(set(edps["dense"])) == 1
    for values in edps.values():
        assert values == sorted(values, reverse=True)
    assert all(skipping <= gating for skipping, gating in zip(edps["skipping"], edps["gating"], strict=True))
    for point in study.lines["skipping"]:
        assert point.balanced_runtime_cycles is not None
        assert point.balanced_runtime_cycles <= point.runtime_cycles
    assert [point.density for point in study.lines["gating"]] == list(DENSITIES)
    assert {point.balanced_runtime_cycles for name in ("dense", "gating") for point in study.lines[name]} == {None}


def test_the_picture_names_its_lines_axes_and_units(study: DensityStudy) -> None:
    """Two panels over the density, in cycles and µJ, with a line a machine and what is lost; no text leaves the picture."""
    figure = densities.draw(study).figure
    assert figure is not None
    as_png(figure)
    cycles, energy = figure.axes
    assert (cycles.get_ylabel(), energy.get_ylabel()) == ("cycles", "energy [µJ]")
    assert cycles.get_xlabel() == energy.get_xlabel() == "density: share of weights that are not zero"
    assert [line.get_ydata()[0] for line in cycles.get_lines()[:3]] == [study.lines["dense"][0].runtime_cycles] * 3
    assert [text.get_text().split(":")[0] for text in figure.legends[0].texts] == [
        "dense", "gating", "skipping", "skipping, if PEs were balanced", "lost to load imbalance"
    ]  # fmt: skip
    gains = [study.lines["dense"][0].runtime_cycles / point.runtime_cycles for point in study.lines["skipping"]]
    assert [text.get_text() for text in cycles.texts] == [
        f"{gain:.2g}x less" for density, gain in zip(DENSITIES, gains, strict=True) if density in (0.5, 0.25)
    ]
    page = figure.bbox.padded(1.0)
    ticks = {label for axis in figure.axes for line in (axis.xaxis, axis.yaxis) for label in line.get_ticklabels(which="both")}
    shown = [text for text in figure.findobj(Text) if isinstance(text, Text) and text not in ticks and text.get_text()]
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in shown]
    assert [text for text, box in boxes if not (page.containsx(box.x0) and page.containsx(box.x1))] == []


def test_the_command_writes_a_picture_and_a_table(layers: str, tmp_path: Path, capsys: Capture) -> None:
    """The table has a row for each density, JSON the same figures, and the files are PNG and SVG, the same again."""
    command = ["plot", f"{layers}:a", "--density", "--hardware", SKIPS, "--out", str(tmp_path / "out"), *FEW]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "out" / "density_a.png").read_bytes().startswith(b"\x89PNG")
    rows = table_rows(printed)
    texts: list[str] = []
    for _ in range(2):
        assert main([*command, "--format", "svg", "--json"]) == 0
        texts.append((tmp_path / "out" / "density_a.svg").read_text("utf-8"))
    found: dict[str, Any] = json.loads(capsys.readouterr().out.partition("\n}\n")[0] + "\n}")
    assert found["written"] == [str(tmp_path / "out" / "density_a.svg")]
    lines = found["density"]["lines"]
    assert [float(row[0]) for row in rows] == list(DENSITIES)
    assert [int(row[3].replace(",", "")) for row in rows] == [point["runtime_cycles"] for point in lines["skipping"]]
    assert texts[0] == texts[1]
    words = [(element.text or "").strip() for element in ET.fromstring(texts[0]).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 our own
    assert "lost to load imbalance" in words


def test_a_machine_that_gates_inputs_alone(layers: str, tmp_path: Path, capsys: Capture) -> None:
    """Then the density is that of the inputs, and there is neither a line for skipping nor one for what is lost."""
    out = str(tmp_path / "out")
    assert main(["plot", f"{layers}:b", "--density", "--hardware", "edge,pes=16,sparse.gate=[input]", "--out", out, *FEW]) == 0
    printed = capsys.readouterr().out
    assert "by the density of its inputs" in printed
    assert "skipping" not in printed
    assert "imbalance" not in printed


def test_refusals(layers: str, tmp_path: Path, capsys: Capture) -> None:
    """Each is one line, and nothing is written."""
    out = ["--out", str(tmp_path / "out")]
    for arguments, text in (
        ([f"{layers}:a", "--density"], "edge: must skip or gate zeros; name an operand, as in --hardware 'edge,sparse"),
        ([layers, "--density", "--hardware", SKIPS], f"{layers}: must be one layer, got 2; name one, as in {layers}:a"),
        ([f"{layers}:a", "--density", "--hardware", SKIPS, "--objective", "energy,latency"], "must be one, as each density"),
        ([f"{layers}:a", "--hardware", SKIPS], "--hardware goes with --density, as a run has its own; leave it out"),
        ([f"{layers}:a", "--density", "--hardware", SKIPS, "--evaluations", "0"], "argument --evaluations: must be"),
        ([f"{layers}:a", "--density", "--hardware", f"{SKIPS},l1.bytes=1", *FEW], "layer a: "),
    ):  # fmt: skip
        assert main(["plot", *arguments, *out]) == 2
        error = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
        assert len(error) == 1
        assert text in error[0]
        assert not (tmp_path / "out").exists()
