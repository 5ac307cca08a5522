"""`mapsearch verify` with AccelForge and ZigZag: a stand-in for a Python that has them, which replays their counts or fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from peers import peer_cases, recorded_output

from mapsearch.cli import main

Capture = pytest.CaptureFixture[str]

CASES = peer_cases()
_STAND_IN = """#!{python}
import pathlib, sys
flag, program, *files = sys.argv[1:]
assert flag == "-c" and {tool!r} in program, sys.argv
assert all(pathlib.Path(file).read_text().startswith("# Layer") for file in files), files
{body}
"""


def _python(folder: Path, tool: str, body: str) -> Path:
    path = folder / "python"
    path.write_text(_STAND_IN.format(python=sys.executable, tool=tool, body=body), encoding="utf-8")
    path.chmod(0o755)
    return path


def _replay(folder: Path, tool: str, output: str) -> Path:
    if tool == "accelforge":
        return _python(folder, tool, f"print('a line of its own'); print({output!r})")
    return _python(folder, tool, f"pathlib.Path('out').mkdir(); pathlib.Path('out/layer_complete.json').write_text({output!r})")


def _inputs(name: str, tool: str, folder: Path) -> list[str]:
    """The files of a case, and the command that verifies them but for --binary."""
    mapping, hardware = folder / "case.m", folder / "hardware.yaml"
    mapping.write_text(CASES[name]["directives"], encoding="utf-8")
    hardware.write_text(yaml.safe_dump(CASES[name]["hardware"]), encoding="utf-8")
    return ["verify", str(mapping), "--with", tool, "--hardware", str(hardware)]


def _verified(name: str, tool: str, output: str, folder: Path, capsys: Capture) -> tuple[int, dict[str, Any]]:
    """The exit code, and the rows by figure."""
    code = main([*_inputs(name, tool, folder), "--binary", str(_replay(folder, tool, output)), "--json"])
    return code, {row["figure"]: row for row in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize("tool", ["accelforge", "zigzag"])
@pytest.mark.parametrize("name", ["fc", "pw_idle"])
def test_counts_without_a_window_are_equal(name: str, tool: str, tmp_path: Path, capsys: Capture) -> None:
    """Where no window slides and no sums come back, every recorded count is ours."""
    code, rows = _verified(name, tool, recorded_output(CASES[name], tool), tmp_path, capsys)
    assert code == 0
    assert len(rows) == 12
    assert all(row["equal"] for row in rows.values())


@pytest.mark.parametrize(
    ("name", "tool", "explained"),
    [
        ("conv_kc", "accelforge", {"l2_to_l1_words.input": 30720, "l1_fill_words.input": 122880}),
        ("pw_s2", "accelforge", {"l2_to_l1_words.input": 1568, "l1_fill_words.input": 6272, "offchip_read_words.input": 1800}),
        ("gemm_mn", "zigzag", {"psum_read_words": 12288}),
        ("gemm_spill", "zigzag", {"psum_read_words": 16384, "offchip_read_words.output": 16384}),
        ("r15_dw", "zigzag", {"psum_read_words": 1536, "l2_to_l1_words.input": 3072}),
    ],
)
def test_conventions_explain_the_others(name: str, tool: str, explained: dict[str, int], tmp_path: Path, capsys: Capture) -> None:
    """Just these recorded counts differ from ours, each with the number that the convention makes, and the exit code is 0."""
    code, rows = _verified(name, tool, recorded_output(CASES[name], tool), tmp_path, capsys)
    assert code == 0
    assert {figure: row["theirs"] for figure, row in rows.items() if not row["equal"]} == explained
    assert all(row["explained"] and row["because"] for row in rows.values() if not row["equal"])


def test_a_count_that_no_convention_explains_is_named(tmp_path: Path, capsys: Capture) -> None:
    """One word more of W is shown, the other numbers stay explained, and the exit code is 1."""
    output = recorded_output(CASES["gemm_mn"], "zigzag").replace("73728", "73729")
    program = _replay(tmp_path, "zigzag", output)
    assert main([*_inputs("gemm_mn", "zigzag", tmp_path), "--binary", str(program)]) == 1
    out = capsys.readouterr().out
    assert "l1_fill_words.weight" in out
    assert "ZigZag reads partial sums back as often as it writes them" in out
    assert "1 layer, 12 numbers compared, 10 equal, 1 explained, 1 different" in out


@pytest.mark.parametrize(
    ("tool", "body", "told"),
    [
        ("accelforge", "sys.exit('ModuleNotFoundError: No module named accelforge')", "has not all of the package accelforge"),
        ("accelforge", "pass", "what AccelForge prints: must be JSON"),
        ("accelforge", "print('[' * 100000)", "what AccelForge prints: must be JSON"),
        ("accelforge", "print('[1]')", "what AccelForge prints: must be a mapping"),
        ("accelforge", 'print(\'{"cycles": "many"}\')', "cycles must be a number"),
        ("accelforge", "print('{\"cycles\": 1}')", "must tell MAC|None|compute, but tells only cycles"),
        ("zigzag", "import time; time.sleep(60)", "no answer in 0.5 s; give it longer by --timeout"),
        ("zigzag", "pass", "the result of ZigZag must be readable: No such file"),
        ("zigzag", "{write}('{{}}')", "inputs is missing; needed are inputs, outputs"),
        ("zigzag", "{write}('not')", "must be JSON, as ZigZag writes it"),
    ],
)
def test_a_program_that_fails_is_a_clear_error(tool: str, body: str, told: str, tmp_path: Path, capsys: Capture) -> None:
    """Missing packages, hanging, silent and garbling programs give one line that says which, and exit code 2."""
    write = "pathlib.Path('out').mkdir(); pathlib.Path('out/layer_complete.json').write_text"
    program = _python(tmp_path, tool, body.format(write=write) if "{write}" in body else body)
    timeout = "0.5" if "sleep" in body else "30"
    assert main([*_inputs("gemm_mn", tool, tmp_path), "--binary", str(program), "--timeout", timeout]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("levels", "told"), [(2, "each operand must have 3 memory levels, got 2, 2 and 2"), (0, "must have the operands")]
)
def test_results_of_other_machines_are_refused(levels: int, told: str, tmp_path: Path, capsys: Capture) -> None:
    """A result that has not our three memories, or not our operands, is none of our file's."""
    result = json.loads(recorded_output(CASES["gemm_mn"], "zigzag"))
    words = result["outputs"]["memory"]["word_accesses"]
    result["outputs"]["memory"]["word_accesses"] = {operand: rows[:levels] for operand, rows in words.items() if levels}
    program = _replay(tmp_path, "zigzag", json.dumps(result))
    assert main([*_inputs("gemm_mn", "zigzag", tmp_path), "--binary", str(program)]) == 2
    assert told in capsys.readouterr().err
