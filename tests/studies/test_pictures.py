"""`mapsearch plot`: what it draws of a run, that all of it can be read, and what it says where there is nothing to draw."""

from __future__ import annotations

import json
import re
import struct
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from matplotlib.text import Annotation, Text
from small_run import NAMES, finished_run, layer_file, results_in, search_with_few_trials

from mapsearch.cli import main
from mapsearch.studies.pictures import convergence, energy, fronts, roofline
from mapsearch.studies.pictures.designs import undominated
from mapsearch.studies.pictures.style import DPI, WIDTH_INCHES, Drawing, as_png, as_svg, fix_layout
from mapsearch.studies.recorded import Recorded, load_run
from mapsearch.studies.shown import EDP, ENERGY, PE_USE
from mapsearch.studies.start import run

Capture = pytest.CaptureFixture[str]
Results = dict[str, Any]
FIXTURES = (finished_run, layer_file, search_with_few_trials)  # pytest finds them here, as done, layers and search
DRAWN = ["energy", "roofline", "fronts", "convergence"]
DRAW: dict[str, Callable[[Recorded], Drawing]] = {
    "energy": energy.draw,
    "roofline": roofline.draw,
    "fronts": fronts.draw,
    "convergence": convergence.draw,
}


def _changed(done: Path, folder: Path, change: Callable[[Results], object]) -> Path:
    """The run at `done` with other results, in another folder."""
    folder.mkdir()
    results = results_in(done)
    change(results)
    (folder / "config.json").write_bytes((done / "config.json").read_bytes())
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def _many(results: Results) -> None:
    """54 layers with long names, of which many stand at the same place."""
    layers = [results["layers"][index % 3] for index in range(54)]
    results["layers"] = [
        layer | {"name": f"resnet50/block{index}_pointwise_of_several_$names"} for index, layer in enumerate(layers)
    ]
    results["network"]["points"] = [1] * 54


def _texts(svg: str) -> list[str]:
    return [(element.text or "").strip() for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 our own


@dataclass(frozen=True, slots=True)
class Drawn:
    """The pictures of a run as SVG files, and what the command printed."""

    run: Path
    out: Path
    lines: list[str]


@pytest.fixture(name="drawn", scope="module")
def pictures_of_a_run(done: Path, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    out = tmp_path_factory.mktemp("pictures") / "new" / "out"
    with redirect_stdout(StringIO()) as printed:
        assert main(["plot", str(done), "--out", str(out), "--format", "svg"]) == 0
    return Drawn(done, out, printed.getvalue().splitlines())


def test_what_is_printed_is_there(drawn: Drawn) -> None:
    """A line says what is left out, then one each what is written; nothing else is in the folder."""
    files = [drawn.out / name for name in (*(f"{name}.svg" for name in DRAWN), "report.html")]
    left_out = "left out: the network's front, as the run has one objective or layers without a front"
    assert drawn.lines == [left_out, *(f"written: {file}" for file in files)]
    assert sorted(drawn.out.iterdir()) == sorted(files)


def test_json_names_the_same_files(drawn: Drawn, capsys: Capture) -> None:
    """With --json the files, and what is left out, are printed for programs."""
    assert main(["plot", str(drawn.run), "--out", str(drawn.out), "--format", "svg", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [f"left out: {line}" for line in printed["left_out"]] + [
        f"written: {path}" for path in printed["written"]
    ] == drawn.lines


@pytest.mark.parametrize("name", DRAWN)
def test_svg_files(drawn: Drawn, name: str) -> None:
    """Each SVG file has every layer's name as text."""
    words = " ".join(_texts((drawn.out / f"{name}.svg").read_text("utf-8"))).split()
    assert [layer for layer in NAMES if layer not in words] == []


def test_pictures_are_the_same_again(drawn: Drawn) -> None:
    """The same run gives the same bytes."""
    figure = energy.draw(load_run(drawn.run)).figure
    assert figure is not None
    fix_layout(figure)
    assert as_svg(figure, "energy") == (drawn.out / "energy.svg").read_text("utf-8")


def test_layers_that_the_issue_of_tiles_bounds(layers: Path, tmp_path: Path) -> None:
    """The roofline has a mark of their own for them, and the run's results are read back as they were."""
    run(layers, "edge,l2.tile_cycles=100000", out=tmp_path / "run", jobs=1, trials=3, sampler="tpe")
    recorded = load_run(tmp_path / "run")
    assert {layer.metrics.bound_by for layer in recorded.layers} == {"issue"}
    figure = roofline.draw(recorded).figure
    assert figure is not None
    fix_layout(figure)
    assert "bound by issue" in _texts(as_svg(figure, "roofline"))


def test_the_page_stands_alone(drawn: Drawn) -> None:
    """The page holds the pictures, the layers' figures, the settings, versions and seed, loads nothing, and has no id twice."""
    page = (drawn.out / "report.html").read_text("utf-8")
    assert page.count("<svg") == page.count("</svg>") == len(DRAWN)
    assert not re.search(r"<link|<img|@import|src=", page)
    assert page.count("<script") == 1
    used, targets = re.findall(r"url\(#([^)]*)\)", page), re.findall(r'href="([^"]*)"', page)
    assert [target for target in targets if not target.startswith("#")] == []
    ids = Counter(re.findall(r'\bid="([^"]*)"', page))
    assert [name for name, times in ids.items() if times > 1] == []
    assert {*used, *(target[1:] for target in targets)} <= ids.keys()
    cells = re.findall(r"<td>([^<]*)</td>", page)
    for layer in results_in(drawn.run)["layers"]:
        metrics, at = layer["metrics"], cells.index(layer["name"])
        figures = [str(layer["count"]), f"{metrics['macs']:,}", f"{metrics['runtime_cycles']:,}"]
        assert cells[at + 1 : at + 4] == figures
    pairs = set(pairwise(cells))
    assert {*json.loads((drawn.run / "config.json").read_text())["versions"].items(), ("seed", "0"), ("trials", "3")} <= pairs
    assert {("bits", "weight 8, input 8, output 16"), ("technology.name", "cacti_45nm"), ("technology.mac_bits", "8")} <= pairs
    headers = re.findall(r"<th>([^<]*)</th>", page)
    assert headers == ["layer", "count", "MACs", "cycles", ENERGY, EDP, "gap", PE_USE, "bound by", "number"]
    assert "<li>the network&#x27;s front, as the run has one objective or layers without a front</li>" in page


def test_an_interrupted_run(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """What a stopped run has found is drawn, in pictures/ of its folder, as PNG 1,000 pixels wide."""

    def stop(results: Results) -> None:
        del results["layers"][1:]
        results |= {"complete": False, "network": None}

    folder = _changed(done, tmp_path / "run", stop)
    assert main(["plot", str(folder)]) == 0
    files = [folder / "pictures" / f"{name}.png" for name in DRAWN]
    assert capsys.readouterr().out.splitlines()[1:-1] == [f"written: {file}" for file in files]
    for data in (file.read_bytes() for file in files):
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        assert width == DPI * WIDTH_INCHES
        assert 100 < height < 1000
    page = (folder / "pictures" / "report.html").read_text("utf-8")
    assert "stopped before its end" in page
    assert NAMES[0] in page
    assert NAMES[1] not in page


def test_several_objectives(search: Callable[..., Results], tmp_path: Path) -> None:
    """A run with several objectives has the network's front too: all its points, and the choice."""
    network = search(out=tmp_path / "run", objective="energy,latency")["network"]
    figure = fronts.draw_network(load_run(tmp_path / "run")).figure
    assert figure is not None
    front, chosen = figure.axes[0].lines
    assert list(front.get_xdata()) == [point["runtime_cycles"] for point in network["front"]]
    assert list(chosen.get_xdata()) == [network["runtime_cycles"]]


def test_the_ends_of_a_front_take_no_room(search: Callable[..., Results], tmp_path: Path) -> None:
    """The network's front is shown where it bends: without the ends that change one figure by less than 1 %; a label says so."""
    network = search(out=tmp_path / "run", objective="energy,latency")["network"]

    def bend(results: Results) -> None:
        points = [(1000, 9e9), (1001, 8e9), (1100, 2e9), (2000, 1.001e9), (90000, 1e9)]
        point = network["front"][0]
        results["network"]["front"] = [{**point, "runtime_cycles": cycles, "energy_pj": pj} for cycles, pj in points]
        results["network"] |= {"runtime_cycles": 1100, "energy_pj": 2e9}

    figure = fronts.draw_network(load_run(_changed(tmp_path / "run", tmp_path / "bent", bend))).figure
    assert figure is not None
    [axis] = figure.axes
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    assert 900 < left < 1001
    assert 2000 < right < 2200
    assert 0 < bottom < 1.001e-3
    assert 8e-3 < top < 9e-3
    assert "not shown: 2 points at the ends" in axis.get_xlabel()


def test_panels_say_how_far_a_front_spans(done: Path, tmp_path: Path) -> None:
    """Above each layer's front stand the spans of its cycles and its energy: as a share, or as a factor where that is 2 or more."""

    def span(results: Results) -> None:
        point = results["layers"][0]["front"][0]
        results["layers"][0]["front"] = [
            {**point, "runtime_cycles": 10_000, "energy_pj": 3e9},
            {**point, "runtime_cycles": 10_001, "energy_pj": 1e9},
        ]
        results["network"]["points"][0] = 1

    figure = fronts.draw(load_run(_changed(done, tmp_path / "run", span))).figure
    assert figure is not None
    assert figure.axes[0].get_title().splitlines()[1] == "cycles 0.01 %, energy x3"


def test_the_front_of_two_figures() -> None:
    """Of a front in throughput, energy and area those designs are drawn than which none is faster with less energy."""
    designs = [(10, 5, 1), (10, 4, 9), (8, 4, 2), (8, 3, 9), (5, 3, 1), (2, 1, 9), (1, 1, 1)]
    front = [{"throughput_gmacs_per_s": str(fast), "energy_pj": str(pj), "area_mm2": str(area)} for fast, pj, area in designs]
    assert undominated(front) == [(2, 1), (8, 3), (10, 4)]


def test_a_run_of_one_figure_has_no_fronts(search: Callable[..., Results], tmp_path: Path) -> None:
    """Where the objective takes runtime only, a line says that there are no fronts."""
    search(out=tmp_path / "run", objective="latency")
    assert fronts.draw(load_run(tmp_path / "run")) == Drawing(
        None, "the layers' fronts, as the objective is not of both runtime and energy"
    )


def test_a_run_of_another_model(search: Callable[..., Results], tmp_path: Path) -> None:
    """Of a run of MAESTRO's numbers the roofline is left out, and energy has the parts that MAESTRO has."""
    search(out=tmp_path / "run", model="maestro", sampler="genetic")
    run = load_run(tmp_path / "run")
    assert roofline.draw(run) == Drawing(None, "the roofline, as the cost model maestro tells no off-chip bytes and no bounds")
    drawing = energy.draw(run)
    assert drawing.note == "energy of MAC, NoC, off-chip, as the cost model maestro tells none"
    assert drawing.figure is not None
    assert [text.get_text() for text in drawing.figure.legends[0].texts] == ["L1", "L2"]


def test_an_objective_of_0_does_not_converge(done: Path, tmp_path: Path) -> None:
    """Layers whose final objective is not above 0 have no curve of ratios to it; a line says how many."""

    def fall(results: Results, layers: int) -> None:
        for layer in results["layers"][:layers]:
            layer["trace"][-1]["objective"] = 0.0

    some = convergence.draw(load_run(_changed(done, tmp_path / "some", lambda results: fall(results, 1))))
    assert some.figure is not None
    assert some.note == "convergence of 1 layer without a trace or with an objective not above 0"
    every = convergence.draw(load_run(_changed(done, tmp_path / "every", lambda results: fall(results, 3))))
    assert every == Drawing(None, "convergence, as no layer has a trace that ends with an objective above 0")


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_cut_with_54_layers(done: Path, tmp_path: Path, name: str) -> None:
    """With 54 layers of long names, each is there, no text reaches out of the picture, and no two of the longest overlap."""
    figure = DRAW[name](load_run(_changed(done, tmp_path / "run", _many))).figure
    assert figure is not None
    as_png(figure)
    ticks = {label for axis in figure.axes for line in (axis.xaxis, axis.yaxis) for label in line.get_ticklabels(which="both")}
    names = {label for axis in figure.axes for label in axis.get_yticklabels() if "block" in label.get_text()}
    shown = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_visible() and text.get_text()]
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in shown if text in names or text not in ticks]
    page = figure.bbox.padded(1.0)
    assert [text for text, box in boxes if not (page.containsx(box.x0) and page.containsx(box.x1))] == []
    assert [text for text, box in boxes if not (page.containsy(box.y0) and page.containsy(box.y1))] == []
    long = [(text, box.padded(-1.0)) for text, box in boxes if "…" in text and "names" in text]
    assert len(long) >= 54
    assert [(one, other) for (one, box), (other, box_) in combinations(long, 2) if box.overlaps(box_)] == []


def test_no_numbers_overlap(done: Path, tmp_path: Path) -> None:
    """On a roofline, 18 layers at each of three places have numbers beside each other, not above."""
    figure = roofline.draw(load_run(_changed(done, tmp_path / "run", _many))).figure
    assert figure is not None
    as_png(figure)
    numbers = [text for text in figure.axes[0].texts if isinstance(text, Annotation)]
    boxes = [Text.get_window_extent(text).padded(-1.5) for text in numbers]
    assert sorted(int(text.get_text()) for text in numbers) == list(range(1, 55))
    assert [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])] == []


def _set(place: str, value: object) -> Callable[[Results], object]:
    """A change of what stands at a dotted place of the results."""

    def change(results: Results) -> None:
        *path, last = place.split(".")
        at: Any = results
        for part in path:
            at = at[int(part) if part.isdigit() else part]
        at[last] = value

    return change


def _clear(results: Results) -> None:
    results.clear()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _set("layers", []),
            "results.json: must hold a layer with a mapping, got none; go on with the run by mapsearch run --resume",
        ),
        (
            _clear,
            "results.json: complete is missing; mapsearch run --resume writes the results of an",
        ),
        (
            _set("layers.1.metrics.macs", "many"),
            "results.json: layers.1.metrics.macs must be a valid integer, got 'many'",
        ),
        (
            _set("layers.0.trace.0.objective", float("nan")),
            "results.json: layers.0.trace.0.objective must be a finite number, got nan",
        ),
        (_set("layers.0.metrics.runtime_cycles", 0), "results.json: layers.0.metrics.runtime_cycles must be greater than 0, got 0"),
        (
            _set("layers.0.metrics.bound_by", "luck"),
            "results.json: layers.0.metrics.bound_by must be 'compute', 'ingress', 'egress', 'offchip' or",
        ),
        (_set("network.points", [1]), "results.json: network.points must number a point of each layer's front, got [1]"),
        (
            _set("network.points", [1, 1, 99]),
            "results.json: network.points must number a point of each layer's front, got [1, 1, 99]",
        ),
    ],
)
def test_results_of_another_kind(
    done: Path, tmp_path: Path, capsys: Capture, change: Callable[[Results], object], message: str
) -> None:
    """What is no result of a run is one line that names the place, the law and the value."""
    folder = _changed(done, tmp_path / "run", change)
    assert main(["plot", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"mapsearch: error: {folder}/{message}")
    assert error.count("\n") == 1
    assert not (folder / "pictures").exists()


def test_folders_without_a_run(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """No folder, a file, an empty folder, a run that has found nothing, and JSON that is no object, are one line each."""
    for name in ("empty", "nothing", "list"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("")
    for name in ("nothing", "list"):
        (tmp_path / name / "config.json").write_bytes((done / "config.json").read_bytes())
    (tmp_path / "list" / "results.json").write_text("[]")
    cases = {
        "absent": ": must be a run's folder, as mapsearch run writes it, got none",
        "file": ": must be a run's folder, as mapsearch run writes it, got a file",
        "empty": "/config.json: does not exist; name the folder of a run",
        "nothing": "/results.json: does not exist; no layer has a mapping yet; go on with the run by mapsearch run --resume",
        "list": "/results.json: must hold a JSON object; start anew in another folder",
    }
    for name, message in cases.items():
        assert main(["plot", str(tmp_path / name)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"mapsearch: error: {tmp_path / name}{message}")
        assert error.count("\n") == 1


def test_a_folder_that_cannot_be_written(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """Where the pictures cannot go there, one line says so."""
    (tmp_path / "file").write_text("")
    for out, message in (
        (str(tmp_path / "file" / "new"), f"{tmp_path}/file/new: the folder must be writable: "),
        ("", "argument --out: must name a folder"),
    ):
        assert main(["plot", str(done), "--out", out]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"mapsearch: error: {message}")
        assert error.count("\n") == 1


def test_without_matplotlib(done: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Where matplotlib is not installed, one line says what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["plot", str(done)]) == 2
    assert capsys.readouterr().err == (
        "mapsearch: error: a picture needs matplotlib, not installed here; pip install matplotlib, or in the folder of mapsearch's "
        "sources: pip install '.[plots]'\n"
    )
