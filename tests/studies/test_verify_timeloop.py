"""`mapsearch verify --with timeloop`: a stand-in for Timeloop's model that replays its recorded counts, or fails as programs do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from peers import hardware_of, mapped_layer, peer_cases

from mapsearch.cli import main
from mapsearch.formats.nest.counts import Case
from mapsearch.formats.timeloop.conventions import ADDS, OF_READS, PADDED
from mapsearch.formats.timeloop.document import document, levels_of
from mapsearch.formats.timeloop.names import SPACES
from mapsearch.formats.timeloop.out import EXACT_SWITCHES, SWITCHES, case_of
from mapsearch.model.errors import MappingError
from mapsearch.model.tensors import Tensor

Capture = pytest.CaptureFixture[str]
CASES = peer_cases()
REFUSED = ("pw_edge", "conv_inner_edge", "found_mb_dw")
SLIDING, MULTICAST, SKIPPING = "r41_conv", "conv_y", "pw_s2"


def _case(name: str) -> Case:
    return case_of(mapped_layer(CASES[name]), hardware_of(CASES[name]))


def _statistics(name: str) -> str:
    """Timeloop's file of the recorded counts."""
    case, recorded = _case(name), CASES[name]["timeloop"]
    keys = document(case.nest, case.hardware, case.depths)
    lines: list[str] = []
    for place, level in enumerate(("L1", "L2", "DRAM")):
        units = case.nest.pes if place == 0 else 1
        for tensor in Tensor:
            lines += [f"=== {levels_of(keys, tensor)[place]} ===", "    STATS", "    Cycles               : 1"]
            lines += [f"    {SPACES[tensor]}:", f"        Utilized instances (max)                 : {units}"]
            counts = recorded["counts"][level][tensor.name[0]].items()
            lines += [f"        Scalar {access} (per-instance)              : {words // units}" for access, words in counts]
    return "\n".join([*lines, "Summary Stats", f"Cycles: {recorded['cycles']}", f"Computes = {recorded['macs']}", ""])


def _program(folder: Path, body: str) -> Path:
    path = folder / "timeloop-model"
    path.write_text(f"#!/bin/sh\ntest -s layer.yaml || exit 9\nenv > {folder}/environment\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def _replay(folder: Path, statistics: str) -> Path:
    (folder / "stats").write_text(statistics, encoding="utf-8")
    return _program(folder, f"cat {folder}/stats > timeloop-model.stats.txt")


def _command(name: str, folder: Path) -> list[str]:
    (folder / "case.m").write_text(CASES[name]["directives"], encoding="utf-8")
    (folder / "case.yaml").write_text(json.dumps(CASES[name]["hardware"]), encoding="utf-8")
    files = [str(folder / "case.m"), "--hardware", str(folder / "case.yaml")]
    return ["verify", *files, "--with", "timeloop", "--binary", str(folder / "timeloop-model")]


def _verified(name: str, folder: Path, capsys: Capture) -> tuple[int, list[dict[str, Any]]]:
    code = main([*_command(name, folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSED])
def test_recorded_counts_are_equal_or_explained(name: str, tmp_path: Path, capsys: Capture) -> None:
    """All words of W and O are equal, each count of the input is equal or as a convention makes it, and the exit code is 0."""
    _replay(tmp_path, _statistics(name))
    code, rows = _verified(name, tmp_path, capsys)
    assert code == 0
    assert len(rows) == 12
    for row in rows:
        assert row["equal"] or (row["explained"] and row["because"]), row
        assert row["equal"] or ".input" in row["figure"] or row["because"] in {PADDED, ADDS}, row


@pytest.mark.parametrize("name", REFUSED)
def test_what_timeloop_would_miscount_is_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    """Of recorded cases these are the ones whose MACs Timeloop loses, or that its factors cannot express."""
    _replay(tmp_path, "")
    assert main(_command(name, tmp_path)) == 2
    assert "Timeloop cannot express level" in capsys.readouterr().err
    with pytest.raises(MappingError, match=r"idle in a round|must divide their tiles"):
        _case(name)


@pytest.mark.parametrize(
    ("name", "applying"), [(SLIDING, [1]), (MULTICAST, [2]), (SKIPPING, [0]), ("r44_s2", [0, 1]), ("r59_s2", [0, 2]), ("pw_kc", [])]
)
def test_each_convention_is_named_where_it_applies(name: str, applying: Sequence[int], tmp_path: Path, capsys: Capture) -> None:
    """Windows that change direction, rows shared in part and strides that skip, alone and together."""
    _replay(tmp_path, _statistics(name))
    _, rows = _verified(name, tmp_path, capsys)
    [reads] = [row for row in rows if row["figure"] == "l2_to_l1_words.input"]
    assert reads["because"] == "; ".join(OF_READS[place][0] for place in applying)
    assert reads["explained"] == bool(applying)


def test_a_different_count_is_named(tmp_path: Path, capsys: Capture) -> None:
    """One count off by one is the one that is shown as different, beside those that a convention explains; the exit code is 1."""
    _replay(tmp_path, _statistics(SLIDING).replace("Computes = ", "Computes = 1"))
    assert main(_command(SLIDING, tmp_path)) == 1
    out = capsys.readouterr().out
    assert "1 layer, 12 numbers compared, 9 equal, 2 explained, 1 different" in out
    assert "Timeloop fetches a whole tile where the window changes its direction" in " ".join(out.split())


def test_it_extrapolates_only_where_that_is_right(tmp_path: Path, capsys: Capture) -> None:
    """Whole factors run fast first, and again without extrapolation where counts differ; edge chunks never extrapolate."""
    for name, switches in (("pw_kc", SWITCHES), ("pw_tedge", EXACT_SWITCHES)):
        _replay(tmp_path, _statistics(name))
        assert main(_command(name, tmp_path)) == 0
        variables = (tmp_path / "environment").read_text(encoding="utf-8").splitlines()
        assert {line for line in variables if line.startswith("TIMELOOP_")} == {f"{switch}=1" for switch in switches}
    _replay(tmp_path, _statistics("pw_kc"))
    (tmp_path / "wrong").write_text(_statistics("pw_kc").replace("Cycles: 1", "Cycles: 2"), encoding="utf-8")
    found = f'if test -n "${EXACT_SWITCHES[-1]}"; then cat {tmp_path}/stats; else cat {tmp_path}/wrong; fi'
    _program(tmp_path, f"{found} > timeloop-model.stats.txt")
    assert main(_command("pw_kc", tmp_path)) == 0
    assert "12 equal, 0 explained, 0 different" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("kill -ABRT $$", "layer pw: the program was ended by signal 6"),
        ("echo 'ERROR: mapping level L1' >&2; exit 1", "the program ended with code 1: ERROR: mapping level L1"),
        ("sleep 60", "no answer in 0.5 s; give it longer by --timeout"),
        ("true", "the program must write timeloop-model.stats.txt, and wrote none"),
        ("echo nothing > timeloop-model.stats.txt", "timeloop-model.stats.txt must tell Computes, and does not"),
        ("head -c 4000 /dev/urandom > timeloop-model.stats.txt", "timeloop-model.stats.txt must tell "),
    ],
)
def test_a_program_that_fails_is_a_clear_error(body: str, told: str, tmp_path: Path, capsys: Capture) -> None:
    """Crashing, failing, hanging, silent and garbling programs give one line that says which, and exit code 2."""
    _program(tmp_path, body)
    assert main([*_command("pw_kc", tmp_path), "--timeout", "0.5" if "sleep" in body else "30"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert captured.err.count("\n") == 1
