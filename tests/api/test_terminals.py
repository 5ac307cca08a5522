"""Terminals and standard errors of all kinds: nothing that is said of the work ends it, and no figure is cut in two."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from printed_tables import table_rows

FULL = Path("/dev/full")
LAYERS = "title: t\nsource: s\nlayers:\n  - {name: a, type: GEMM, M: 6, N: 5, K: 8}\n  - {name: b, type: FC, K: 10, C: 12}\n"
BROKEN = ["2>&-", pytest.param("2>/dev/full", marks=pytest.mark.skipif(not FULL.exists(), reason="no device that is always full"))]


def _shell(tmp_path: Path, arguments: str, redirection: str = "") -> subprocess.CompletedProcess[str]:
    """A command in a shell with a standard error as given."""
    (tmp_path / "two.yaml").write_text(LAYERS)
    code = f"{shlex.quote(sys.executable)} -m mapsearch {arguments} {redirection}"
    return subprocess.run(["sh", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603, S607 our own


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("redirection", BROKEN)
def test_a_run_needs_no_standard_error(tmp_path: Path, redirection: str, jobs: int) -> None:
    """Closed or full, it stops no run, in one process or several: the results are there and the exit code is 0."""
    done = _shell(tmp_path, f"run two.yaml --evaluations 200 --jobs {jobs} --out x", redirection)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("written: x (")
    assert (tmp_path / "x" / "results.csv").read_text().count("\n") == 3


@pytest.mark.parametrize("redirection", BROKEN)
def test_a_sweep_needs_no_standard_error(tmp_path: Path, redirection: str) -> None:
    """The same for a sweep."""
    done = _shell(tmp_path, "sweep --layers two.yaml:a --dataflow kcp_ws --hardware edge_space --out x", redirection)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("written: x (")


@pytest.mark.parametrize("redirection", BROKEN)
def test_an_error_that_cannot_be_told_has_its_exit_code(tmp_path: Path, redirection: str) -> None:
    """A user's error is 2 also where nobody can read it."""
    assert _shell(tmp_path, "evaluate nothing.m", redirection).returncode == 2
    assert _shell(tmp_path, "rnu", redirection).returncode == 2


def test_progress_without_the_characters(tmp_path: Path) -> None:
    """Where the encoding of standard error lacks a micro sign, a layer's line has a u."""
    (tmp_path / "two.yaml").write_text(LAYERS)
    command = [sys.executable, "-m", "mapsearch", "run", "two.yaml", "--evaluations", "20", "--jobs", "1", "--out", "x"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment)  # noqa: S603 our own
    assert done.stderr.count(" uJ, ") == done.stdout.count("[uJ]") + 1 == 2


@pytest.mark.parametrize("term", ["dumb", "unknown", "xterm"])
def test_no_terminal_folds_a_table(term: str) -> None:
    """On a terminal of any kind each row of a table is one line."""
    rows = table_rows(_on_a_terminal("hardware", TERM=term))
    assert [row[0] for row in rows] == [
        "cloud",
        "edge",
        "eyeriss",
        "gemmini",
        "nvdla_large",
        "shidiannao",
        "simba_chiplet",
        "tpu_v1",
    ]


def test_a_narrow_terminal_is_kept_to() -> None:
    """On a terminal of 80 columns a table's text gives way, so that it fits."""
    lines = _on_a_terminal("layers", TERM="dumb", COLUMNS="80").splitlines()
    assert 60 < max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("command", "bars"),
    [
        ("run two.yaml --evaluations 200 --jobs 1", ("searching, into o[/b]", "  0%")),
        ("sweep --layers two.yaml:a --dataflow kcp_ws --hardware edge_space", ("designs, ", "million/s", "100%")),
    ],
)
def test_bars_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, bars: Sequence[str]) -> None:
    """A terminal shows a bar with a share and a time; brackets in a folder's name are no markup."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.yaml").write_text(LAYERS)
    shown = _on_a_terminal(f"{command} --out o[/b]", COLUMNS="160", TERM="xterm")
    assert all(part in shown for part in (*bars, "0:00:0"))
    assert (tmp_path / "o[" / "b]").is_dir()


def test_a_dumb_terminal_has_lines_in_place_of_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be drawn over, as in an editor's shell, each layer that is done has a line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.yaml").write_text(LAYERS)
    shown = _on_a_terminal("run two.yaml --evaluations 200 --jobs 1 --out o", COLUMNS="160", TERM="dumb")
    assert "\nb: " in shown
    assert "searching, into" not in shown


def _on_a_terminal(command: str, **environment: str) -> str:
    """What a command writes to a terminal."""
    leader, follower = pty.openpty()
    arguments = [sys.executable, "-m", "mapsearch", *command.split()]
    with subprocess.Popen(arguments, stdout=follower, stderr=follower, env={**os.environ, **environment}) as process:  # noqa: S603 our own
        os.close(follower)
        text = b""
        while chunk := _read(leader):
            text += chunk
    os.close(leader)
    assert process.returncode == 0
    return "\n".join([*text.decode().splitlines(), ""])


def _read(descriptor: int) -> bytes:
    """What comes next from a terminal; nothing once its other end is closed."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_quiet_says_nothing_but_the_results(tmp_path: Path) -> None:
    """With --quiet standard error is empty, and standard output as without."""
    loud = _shell(tmp_path, "run two.yaml --evaluations 200 --jobs 1 --json --out x")
    quiet = _shell(tmp_path, "run two.yaml --evaluations 200 --jobs 1 --json --out y --quiet")
    assert (loud.returncode, quiet.returncode) == (0, 0)
    assert "a: " in loud.stderr
    assert quiet.stderr == ""
    assert quiet.stdout.count("\n") == loud.stdout.count("\n")
    swept = _shell(tmp_path, "sweep --layers two.yaml:a --dataflow kcp_ws --hardware edge_space --out z --quiet")
    assert (swept.returncode, swept.stderr) == (0, "")
    assert "written: z (" in swept.stdout
