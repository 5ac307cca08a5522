"""What the command line shows of zeros."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mapsearch.cli import main

MAPPING = """Network small {
  Layer c {
    Type: GEMM
    Dimensions { M: 4, N: 8, K: 16 }
    Density { W: 0.25, I: 0.5 }
    Dataflow { SpatialMap(1,1) N; }
  }
}
"""
MACHINE = "sparse: {skip: [weight], gate: [input], format: {offchip: {weight: bitmask}}}"


def test_evaluate_shows_what_zeros_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a machine that skips, text and JSON tell skipped MACs and imbalance; on another, the text has neither."""
    (tmp_path / "small.m").write_text(MAPPING)
    (tmp_path / "machine.yaml").write_text(MACHINE)
    command = ["evaluate", str(tmp_path / "small.m"), "--hardware"]
    assert main([*command, str(tmp_path / "machine.yaml")]) == 0
    assert "compute over balanced compute" in capsys.readouterr().out
    assert main([*command, str(tmp_path / "machine.yaml"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)[0]["sparse"]
    assert (figures["skipped_macs"], figures["gated_macs"], figures["source"]) == (384.0, 64.0, "uniform")
    assert figures["imbalance"] > 1
    assert figures["bits_per_word"]["offchip"] == {"weight": 3.0, "input": 8.0, "output": 16.0}
    assert main([*command, "edge"]) == 0
    assert "balanced" not in capsys.readouterr().out
