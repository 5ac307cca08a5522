"""`mapsearch show`: the loop nest as text, JSON and picture, and what the PEs hold in the first steps."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise, product
from math import prod
from pathlib import Path
from typing import Any

import pytest

import mapsearch
from mapsearch.cli import main
from mapsearch.formats.directives import parse
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.reference.walk import elements, pe_chunks, steps_of, whole
from mapsearch.model.tensors import Tensor
from mapsearch.studies.pictures.nest import draw, nest_picture
from mapsearch.studies.pictures.style import fix_layout
from mapsearch.studies.show.nest import ShownNest, shown_nest

Capture = pytest.CaptureFixture[str]
NETWORK = Path(__file__).parents[1] / "golden" / "directives" / "kc_p.printed.m"
STRIDED = """Network n { Layer "a <b> $c" { Type: CONV Stride { Y: 2, X: 3 } Dilation { Y: 2, X: 1 }
    Dimensions { K: 5, C: 3, R: 2, S: 3, Y': 4, X': 5 }
    Dataflow { TemporalMap(2,2) C; SpatialMap(1,1) Y'; TemporalMap(2,2) X'; Cluster(2, P);
        SpatialMap(2,2) K; TemporalMap(1,1) R; TemporalMap(1,1) X' } } }"""

NO_LAYER = "layer must be the name of one of its 2 layers, or a number from 1 to 2, got"


def _nest(text: str, hardware: str, steps: int) -> ShownNest:
    [mapped] = parse(text).layers
    return shown_nest(mapped, load_hardware(hardware), steps)


def _json(capsys: Capture, *argv: str) -> list[dict[str, Any]]:
    assert main(["show", *argv, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_text(capsys: Capture, golden: Callable[[str, str], None]) -> None:
    """The nest of each layer: levels, loops with trips, what is shared out, and the tiles that L2 and L1 keep."""
    assert main(["show", str(NETWORK)]) == 0
    golden("cli/show.txt", capsys.readouterr().out)


def test_text_of_a_strided_layer_with_edges(capsys: Capture, golden: Callable[[str, str], None], tmp_path: Path) -> None:
    """Shorter last chunks and fewer trips in the last tile are told, as is a tensor that passes the L2 by."""
    (tmp_path / "a.m").write_text(STRIDED)
    (tmp_path / "m.yaml").write_text("pes: 8\nl2: {bytes: 65536, tensors: [input, output]}\n")
    assert main(["show", str(tmp_path / "a.m"), "--hardware", str(tmp_path / "m.yaml")]) == 0
    golden("cli/show_strided.txt", capsys.readouterr().out)


def test_figures_are_those_of_evaluate(capsys: Capture) -> None:
    """Steps, bytes and depths are the exact model's; trips multiply to the steps where all chunks are whole."""
    for shown, cost in zip(_json(capsys, str(NETWORK)), mapsearch.evaluate(NETWORK), strict=True):
        assert shown["layer"] == cost.layer
        told = cost.to_dict()
        assert (shown["steps"], shown["macs"]) == (told["steps"], told["macs"])
        assert (shown["l1_bytes"], shown["l2_bytes"]) == (told["l1_need_bytes"], told["l2_need_bytes"])
        assert {name: each["l2"]["depth"] for name, each in shown["tensors"].items()} == told["l2_depths"]
        assert sum(each["l1"]["bytes"] for each in shown["tensors"].values()) == shown["l1_bytes"]
        assert prod(loop["trips"] for loop in shown["loops"]) == shown["steps"]
        assert shown["macs"] == shown["steps"] * shown["working_pes"] * prod(shown["pe_dims"].values())


@pytest.mark.parametrize("hardware", ["edge,pes=8", "edge,pes=4"])
def test_what_pes_hold_is_what_the_simulator_walks(hardware: str) -> None:
    """Along each axis, a part's coordinates are those of the simulator's elements, with stride, dilation, edges and idle PEs."""
    [mapped] = parse(STRIDED).layers
    nest = _nest(STRIDED, hardware, 48)
    assert nest.first_steps is not None
    steps = list(steps_of(mapped.mapping.levels, nest.units, whole(mapped.layer)))
    assert len(nest.first_steps) == min(48, len(steps)) == min(48, nest.steps)
    assert len(nest.first_steps[0].pes) == nest.working_pes
    idle = 0
    for shown, indices in zip(nest.first_steps, steps, strict=False):
        for each in shown.pes:
            chunks = pe_chunks(mapped.layer, mapped.mapping, nest.units, indices, each.units)
            idle += each.idle
            for tensor in Tensor:
                part, held = each.holds[tensor.label], elements(mapped.layer, tensor, chunks)
                assert (0 if part is None else part.words) == len(held)
                if part is not None:
                    coordinates = [range(first, last + 1, *step) for first, last, *step in part.axes.values()]
                    assert held <= {*product(*coordinates)}
                    assert [(min(axis), max(axis)) for axis in zip(*held, strict=True)] == [
                        (axis[0], axis[-1]) for axis in coordinates
                    ]
    assert idle > 0


def test_at_most_16_pes_of_all_levels(capsys: Capture) -> None:
    """Of 32 x 8 units the first 4 of each level are shown, with their numbers on the machine."""
    [shown] = _json(capsys, str(NETWORK), "--layer", "CONV1", "--steps", "1")
    [step] = shown["first_steps"]
    assert [pe["units"] for pe in step["pes"]] == [list(units) for units in product(range(4), repeat=2)]
    assert [pe["pe"] for pe in step["pes"]] == [8 * outer + inner for outer, inner in product(range(4), repeat=2)]


def test_a_huge_layer_is_not_walked() -> None:
    """The first steps of 2^31 - 1 take no more room than those of few."""
    text = "Network n { Layer a { Type: GEMM Dimensions { M: 2147483647, N: 1, K: 1 } Dataflow { TemporalMap(1,1) M } } }"
    nest = _nest(text, "edge,pes=1", 2)
    assert nest.steps == 2**31 - 1
    assert nest.first_steps is not None
    assert [step.indices for step in nest.first_steps] == [(0,), (1,)]


def test_the_picture_has_the_nest_and_the_parts() -> None:
    """Lines, PEs and parts stand in the SVG as text; names are text whatever they are; the same mapping gives the same bytes."""
    nest = _nest(STRIDED, "edge,pes=8", 12)
    svg = nest_picture(nest, ".svg")
    assert isinstance(svg, str)
    texts = " ".join((each.text or "") for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))  # noqa: S314 our own
    for words in ("a <b> $c (CONV)", "level 1: 2 units in each of level 0", "PE 7 (3.1)", "K 2-3", "for X': 3 trips"):
        assert words in texts
    assert nest_picture(nest, ".svg") == svg


@pytest.mark.parametrize("steps", [1, 12])
def test_nothing_is_cut(steps: int) -> None:
    """Every text of the picture lies within it, with one step and with several."""
    figure = draw(_nest(STRIDED, "edge,pes=8", steps))
    fix_layout(figure)
    page = figure.bbox.padded(1.0)
    texts = [text for axis in figure.axes for text in axis.texts]
    assert texts
    for text in texts:
        box = text.get_window_extent()
        assert page.containsx(box.x0), text.get_text()
        assert page.containsx(box.x1), text.get_text()


def test_many_steps_can_be_read() -> None:
    """The picture is as wide as it takes: no text is small, and the names of steps do not touch."""
    [mapped] = parse(NETWORK.read_text()).layers[:1]
    figure = draw(shown_nest(mapped, load_hardware("edge"), 48))
    fix_layout(figure)
    assert min(text.get_fontsize() for axis in figure.axes for text in axis.texts) >= 5
    boxes = [label.get_window_extent() for label in figure.axes[-1].get_xticklabels()]
    assert len(boxes) == 48
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_out_writes_the_picture(capsys: Capture, tmp_path: Path) -> None:
    """--out draws one layer, named by its number or its name, into a folder that is made if need be."""
    out = tmp_path / "new" / "a.png"
    assert main(["show", str(NETWORK), "--layer", "2", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("DEPTH-WISE (DSCONV)")
    assert lines[-1] == f"written: {out}"
    assert out.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--layer", "CONV2"], f"{NETWORK}: {NO_LAYER} 'CONV2'; did you mean CONV1?"),
        (["--layer", "3"], f"{NETWORK}: {NO_LAYER} '3'"),
        (["--out", "a.png"], f"a picture is of one layer and {NETWORK} has 2; name one by --layer"),
        (["--layer", "1", "--out", "a.jpg"], "out must name a file that ends in .png or .svg, got 'a.jpg'"),
        (["--steps", "0"], "argument --steps: must be a whole number from 1 to 48, got 0"),
        (["--hardware", "edge,l2.bytes=64"], "needs"),
    ],
)
def test_errors(capsys: Capture, argv: list[str], message: str) -> None:
    """What cannot be shown is one line."""
    assert main(["show", str(NETWORK), *argv]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.count("\n") == 1
    assert message in told.err


def test_the_page_shows_what_is_printed(capsys: Capture) -> None:
    """The nest in docs/pictures.md is that of CONV1."""
    assert main(["show", str(NETWORK), "--layer", "CONV1"]) == 0
    page = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text("utf-8")
    assert f"```text\n{capsys.readouterr().out}```" in page
