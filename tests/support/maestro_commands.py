"""Commands on files of MAESTRO's: the files, and what the commands print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mapsearch.cli import main

Capture = pytest.CaptureFixture[str]
NETWORK = Path(__file__).parents[1] / "golden" / "cli" / "maestro_network.m"
SIXTEEN = "name: sixteen\npes: 16\n"

# (4 x 3)(3 x 2): each of two PEs has a row of the inputs, and the columns of the weights come one after the other.
GEMM = """Network n {
Layer product {
Type: GEMM
Dimensions { M: 4, N: 2, K: 3 }
Dataflow {
SpatialMap(1,1) M;
TemporalMap(1,1) N;
}
}
}
"""
# Tiles of 5 rows are two strided outputs, and MAESTRO takes them for three.
STRIDED = """Network n {
Layer strided {
Type: CONV
Stride { Y: 2, X: 2 }
Dimensions { K: 4, C: 2, R: 3, S: 3, Y: 9, X: 9 }
Dataflow {
SpatialMap(1,1) K;
TemporalMap(1,1) C;
TemporalMap(5,4) Y;
TemporalMap(5,4) X;
TemporalMap(Sz(R),Sz(R)) R;
TemporalMap(Sz(S),Sz(S)) S;
}
}
}
"""


def file_of(folder: Path, text: str, name: str = "net.m") -> str:
    """The path of a file with the text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def hardware_of(folder: Path, text: str = "pes: 4\n") -> str:
    """The path of a hardware file."""
    return file_of(folder, text, "chip.yaml")


def json_of(capsys: Capture, *argv: str) -> Any:  # noqa: ANN401 whatever the command prints
    """What a command prints as JSON."""
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def error_of(capsys: Capture, *argv: str) -> str:
    """The one line of a command that is refused."""
    assert main(list(argv)) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("mapsearch: error: ").rstrip("\n")
