"""`mapsearch verify`: a stand-in for MAESTRO's program that replays what the published one printed, or fails as programs do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from maestro_rows import Row, recorded_rows, text_of

from mapsearch.cli import main

Capture = pytest.CaptureFixture[str]

# The columns of the published program's CSV after its two names, by the columns of the recorded rows.
COLUMNS = [
    "csv_num_pes", "csv_runtime", "csv_energy_nj", "csv_throughput", "csv_throughput_per_energy", "csv_area", "csv_power",
    "csv_noc_bw_req", "csv_avg_bw_req", "csv_peak_bw_req", "csv_vector_width", "csv_offchip_bw_req", "csv_l2_size_req",
    "csv_l1_size_req", "csv_mcast_weight", "csv_mcast_input", "csv_num_input_pixels", "csv_num_weight_pixels", "csv_ops_per_joule",
    "csv_num_macs", "csv_pe_power", "csv_l1_power", "csv_l2_power", "csv_noc_power",
    *(f"{tensor}_{part}" for tensor in ("input", "filter", "output")
      for part in ("l1_read", "l1_write", "l2_read", "l2_write", "reuse_factor")),
    *(f"{part}_{which}" for part in ("ingress", "egress", "compute") for which in ("min", "max", "avg")),
    "avg_utilized_pes", "arith_intensity",
]  # fmt: skip
ROWS = {row["id"]: row for row in recorded_rows()}
REPLAYED = ("1203", "1215", "1241", "1740")  # two levels each: convolutions, a depthwise one, a matrix product

_REPLAY = """#!{python}
import pathlib, sys
options = dict(word[2:].split("=", 1) for word in sys.argv[1:])
mapping, machine = pathlib.Path(options["Mapping_file"]).read_text(), pathlib.Path(options["HW_file"]).read_text()
assert "Dataflow" in mapping and "num_pes" in machine, (mapping, machine)
{body}
"""


def _cells(row: Row) -> list[str]:
    """A row of the program's CSV: six significant digits."""
    return ["recorded", "row", *(f"{float(row[column]):.6g}" for column in COLUMNS)]


def _program(folder: Path, body: str) -> Path:
    path = folder / "maestro"
    path.write_text(_REPLAY.format(python=sys.executable, body=body), encoding="utf-8")
    path.chmod(0o755)
    return path


def _replay(folder: Path, cells: list[str]) -> Path:
    lines = ",".join(f"column {k}" for k in range(len(cells))) + "\n" + ",".join(cells) + "\n"
    return _program(folder, f"pathlib.Path('layer.csv').write_text({lines!r})")


def _inputs(row: Row, folder: Path) -> list[str]:
    """The row's files, and the command that verifies them but for --binary."""
    mapping, hardware = folder / "row.m", folder / "hardware.yaml"
    mapping.write_text(text_of(row), encoding="utf-8")
    hardware.write_text(
        f"pes: {row['num_pes']}\nsimd: {row['simd']}\nl1: {{bytes: {row['l1_size']}}}\nl2: {{bytes: {row['l2_size']}}}\n"
        f"noc: {{bytes_per_cycle: {row['noc_bw']}, latency_cycles: {row['noc_latency']}}}\n"
        f"offchip: {{bytes_per_cycle: {row['offchip_bw']}}}\n",
        encoding="utf-8",
    )
    return ["verify", str(mapping), "--with", "maestro", "--hardware", str(hardware)]


@pytest.mark.parametrize("identity", REPLAYED)
def test_recorded_output_is_found_equal(identity: str, tmp_path: Path, capsys: Capture) -> None:
    """The exported file gives the recorded run's numbers, every one, and the exit code is 0."""
    row = ROWS[identity]
    code = main([*_inputs(row, tmp_path), "--binary", str(_replay(tmp_path, _cells(row))), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert len(found) == 45
    assert all(one["equal"] for one in found)


def test_a_different_number_is_named(tmp_path: Path, capsys: Capture) -> None:
    """One number off by a thousandth is the one that is shown, and the exit code is 1."""
    row = ROWS[REPLAYED[0]]
    cells = _cells(row)
    runtime = 2 + COLUMNS.index("csv_runtime")
    cells[runtime] = f"{float(row['csv_runtime']) * 1.001:.6g}"
    assert main([*_inputs(row, tmp_path), "--binary", str(_replay(tmp_path, cells))]) == 1
    out = capsys.readouterr().out
    assert "runtime_cycles" in out
    assert "1 layer, 45 numbers compared, 44 equal, 0 explained, 1 different" in out


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGFPE)", "the program was ended by signal 8"),
        ("print('bad file', file=sys.stderr); sys.exit(255)", "the program ended with code 255: bad file"),
        ("import time; time.sleep(60)", "no answer in 0.5 s; give it longer by --timeout"),
        ("pass", "the program must write one CSV file, wrote 0"),
        ("pathlib.Path('a.csv').write_text('only a header\\n')", "its CSV must have a header and one row, got 1 line"),
        ("pathlib.Path('a.csv').write_text('a,b\\n1,2\\n')", "its CSV must have 52 columns, got 2; is it commit 4eb08d17?"),
        ("pathlib.Path('a.csv').write_bytes(bytes(range(256)))", "its CSV must have a header and one row"),
        (
            "pathlib.Path('a.csv').write_text('h\\n' + ','.join(['x'] * 52) + '\\n')",
            "runtime_cycles in its CSV must be a number, got 'x'",
        ),
    ],
)
def test_a_program_that_fails_is_a_clear_error(body: str, told: str, tmp_path: Path, capsys: Capture) -> None:
    """Crashing, failing, hanging, silent and garbling programs give one line that says which, and exit code 2."""
    command = [*_inputs(ROWS[REPLAYED[0]], tmp_path), "--binary", str(_program(tmp_path, body))]
    assert main([*command, "--timeout", "0.5" if "sleep" in body else "30"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert captured.err.count("\n") == 1


def test_a_missing_program_is_a_clear_error(tmp_path: Path, capsys: Capture) -> None:
    """A path that is no file, and a file that is no program, are errors of their own, other than those of failing programs."""
    command = _inputs(ROWS[REPLAYED[0]], tmp_path)
    assert main([*command, "--binary", str(tmp_path / "none")]) == 2
    assert "no such program; give MAESTRO's executable by --binary" in capsys.readouterr().err
    assert main([*command, "--binary", str(tmp_path / "row.m")]) == 2
    assert "cannot be run: Permission denied" in capsys.readouterr().err


def test_the_program_is_sought_on_the_search_path(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --binary the program of the tool's name runs, and where there is none the error says what to give."""
    row = ROWS[REPLAYED[0]]
    command = _inputs(row, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(command) == 2
    assert "maestro: no such program on the search path; give MAESTRO's executable by --binary" in capsys.readouterr().err
    _replay(tmp_path, _cells(row))
    assert main(command) == 0


def test_the_timeout_must_be_positive(tmp_path: Path, capsys: Capture) -> None:
    """No program answers in no time."""
    assert main([*_inputs(ROWS[REPLAYED[0]], tmp_path), "--timeout", "0"]) == 2
    assert "argument --timeout: must be above 0 and below 1e9, got 0" in capsys.readouterr().err
