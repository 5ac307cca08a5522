"""Mappings exported as code at the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mapsearch.cli import main

NETWORK = Path(__file__).parents[1] / "golden" / "cli" / "maestro_network.m"
LAYERS = ("01_conv1", "02_depthwise", "03_product")


@pytest.mark.parametrize(("language", "suffix"), [("python", ".py"), ("c", ".c")])
def test_an_exported_nest(
    language: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    """A file for each layer, with the mapping's directives, the sizes as constants, the loops and the buffers."""
    assert main(["export", str(NETWORK), "--to", language, "--hardware", "edge,pes=16", "--out", str(tmp_path), "--json"]) == 0
    names = [f"maestro_network_{layer}{suffix}" for layer in LAYERS]
    assert json.loads(capsys.readouterr().out)["written"] == [str(tmp_path / name) for name in names]
    golden(f"cli/export_{language}.txt", (tmp_path / names[0]).read_text())


def test_an_exported_python_file_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It computes the layer with NumPy alone, and counts what `evaluate` counts."""
    hardware = ("--hardware", "edge,pes=16")
    assert main(["export", str(NETWORK), "--to", "python", *hardware, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(f"written: {tmp_path / 'maestro_network_01_conv1.py'}\n")
    assert main(["evaluate", str(NETWORK), *hardware, "--json"]) == 0
    for layer, cost in zip(LAYERS, json.loads(capsys.readouterr().out), strict=True):
        command = (sys.executable, "-I", str(tmp_path / f"maestro_network_{layer}.py"))
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 our own file
        first, *lines = done.stdout.splitlines()
        assert first.endswith(", equal to the direct convolution")
        assert len(lines) == 4
        assert lines == [_words(name, cost[name]) for name in (line.split()[0] for line in lines)]


def _words(name: str, words: dict[str, int] | int) -> str:
    """A printed line of words."""
    return (
        f"{name} {words}" if isinstance(words, int) else " ".join([name, *(f"{tensor} {each}" for tensor, each in words.items())])
    )
