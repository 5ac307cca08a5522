"""`mapsearch sweep --dim`: sizes of what a network's file leaves open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from onnx_models import model, node

from mapsearch.cli import main

Capture = pytest.CaptureFixture[str]
SPACE = "{pes: [2, 4], l1: {bytes: 256}, l2: {bytes: 4096}, noc: {bytes_per_cycle: 4}, offchip: {bytes_per_cycle: 4}}"


def _files(folder: Path) -> list[str]:
    """A sweep of a product of n rows."""
    (folder / "net.onnx").write_bytes(model([node("MatMul", "x w")], {"x": ("n", 5)}, {"w": (5, 3)}))
    (folder / "space.yaml").write_text(SPACE)
    return [
        "sweep",
        "--layers",
        str(folder / "net.onnx"),
        "--dataflow",
        "kcp_ws",
        "--hardware",
        str(folder / "space.yaml"),
        "--quiet",
    ]


def test_a_sweep_of_a_network_with_a_symbolic_dim(tmp_path: Path, capsys: Capture) -> None:
    """The dim's size is recorded, so that the sweep goes on without it; another size is another sweep."""
    command, out = _files(tmp_path), ["--out", str(tmp_path / "out"), "--json"]
    assert main([*command, *out, "--dim", "n=2"]) == 0
    summary = json.loads(capsys.readouterr().out)
    config: dict[str, Any] = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["sweep"]["layers"]["choices"] == ["n=2"]
    [layer] = config["layers"]
    assert layer["extents"] == [1, 1, 3, 5, 1, 1, 1, 2]
    assert main(["sweep", "--quiet", "--resume", *out]) == 0
    assert json.loads(capsys.readouterr().out)["designs"] == summary["designs"]
    assert main([*command, *out, "--dim", "n=3", "--resume"]) == 2
    assert "resuming needs the same " in capsys.readouterr().err


def test_a_dim_without_a_size_is_named(tmp_path: Path, capsys: Capture) -> None:
    """The error tells how to give it, and nothing is written."""
    assert main([*_files(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "has the symbolic dim n" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
