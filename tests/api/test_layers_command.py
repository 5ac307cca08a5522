"""`mapsearch layers` of other tools' networks: what is left out, files that are written; and runs of such networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from onnx_models import model, node

from mapsearch.cli import main
from mapsearch.formats.yaml.layer_sets import load_layer_set

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a model of a product, a Relu, a convolution over three axes and an operator of nobody's."""
    nodes = [
        node("MatMul", "x w"),
        node("Relu", "y", "z"),
        node("Conv", "v f", "u"),
        node("Suppress", "z", "s", domain="com.acme"),
    ]
    inputs = {"x": ("batch", 8), "v": (1, 1, 3, 3, 3)}
    (tmp_path / "net.onnx").write_bytes(model(nodes, inputs, {"w": (8, 4), "f": (2, 1, 2, 2, 2)}))
    monkeypatch.chdir(tmp_path)


def _error(capsys: Capture, *argv: str) -> str:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.count("\n") == 1
    return captured.err


def test_what_is_left_out_is_told(capsys: Capture) -> None:
    """Operators that are not mapped stand in a table of their own, with their share of MACs and words."""
    assert main(["layers", "net.onnx", "--dim", "batch=2"]) == 0
    text = capsys.readouterr().out
    assert "\nNot mapped\n" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.partition("Not mapped")[2].splitlines() if line}
    assert rows["Relu"] == ["ELEMENTWISE", "1", "8"]
    assert rows["Conv3d"] == ["OTHER", "1", "16"]
    assert rows["com.acme:Suppress"] == ["OTHER", "1"]
    # 2 x 8 x 4 MACs of the product, 16 x 8 of the convolution.
    assert "not mapped: 66.7% of the network's MACs, besides the unknown MACs of com.acme:Suppress, and" in text
    assert main(["layers", "net.onnx:batch=2", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["left_out"]["macs"] == 128 / (128 + 64)
    assert data["macs"] == 64


def test_a_set_is_saved(capsys: Capture) -> None:
    """--save writes the layers as a file of ours, which is the same network; a shipped set's file is its own."""
    assert main(["layers", "net.onnx", "--dim", "batch=2", "--save", "out/set.yaml"]) == 0
    assert "the layer set is written to out/set.yaml" in capsys.readouterr().err
    read, saved = load_layer_set("net.onnx", choices={"batch": "2"}), load_layer_set("out/set.yaml")
    assert (saved.entries, saved.unmapped, saved.other_parameters) == (read.entries, read.unmapped, read.other_parameters)
    assert main(["layers", "alexnet", "--save", "alexnet.yaml"]) == 0
    assert Path("alexnet.yaml").read_text("utf-8").startswith(("title", "#"))
    assert [path.name for path in Path("out").iterdir()] == ["set.yaml"]


def test_errors_of_one_line(capsys: Capture) -> None:
    """A dim that is missing or wrong, a set that is missing, and a file that cannot be written."""
    assert "input x has the symbolic dim batch; give its size, such as --dim batch=1" in _error(capsys, "layers", "net.onnx")
    assert "must be given as NAME=SIZE" in _error(capsys, "layers", "net.onnx", "--dim", "batch")
    assert "--save needs one layer set; name it" in _error(capsys, "layers", "--save", "set.yaml")
    assert "a layer set's file has all of its layers" in _error(capsys, "layers", "vgg16:conv1_2", "--save", "set.yaml")
    assert "the folder must be writable" in _error(capsys, "layers", "vgg16", "--save", "net.onnx/set.yaml")
    assert not Path("set.yaml").exists()


def test_a_run_of_a_model(capsys: Capture) -> None:
    """A model is searched with its dims, what has MACs and is not mapped is told, and the run can be resumed without the dims."""
    short = ("--evaluations", "50", "--sampler", "random", "--jobs", "1")
    assert main(["run", "net.onnx", "--dim", "batch=2", "--out", "r", *short]) == 0
    assert "conv3d is left out: operator Conv3d: it has 128 MACs" in capsys.readouterr().err
    results = json.loads(Path("r/results.json").read_text("utf-8"))
    assert results["totals"]["macs"] == 64
    assert [each["reason"] for each in results["left_out"]] == [
        "operator Conv3d: it has 128 MACs that no layer type expresses",
        "operator com.acme:Suppress: it may have MACs that no layer type expresses",
    ]
    assert main(["run", "--out", "r", "--resume", "--quiet"]) == 0
    assert main(["space", "net.onnx", "--dim", "batch=2"]) == 0
