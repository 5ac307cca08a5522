"""`mapsearch run` from the command line: what it prints, its exit codes, and that an interrupted run goes on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from printed_tables import table_rows
from small_run import NAMES, layer_file, results_in, same_for_all

from mapsearch.cli import main
from mapsearch.studies.shown import gap_text

Capture = pytest.CaptureFixture[str]
FIXTURES = (layer_file,)  # pytest finds it here, as layers
# Enough trials that a signal, sent once the first layer is done, comes before the last one is.
LONG = "60"
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Printed:
    """A finished run and what its command printed."""

    results: dict[str, Any]
    out: str
    err: str


def _command(layers: Path, out: Path, trials: str = "2") -> list[str]:
    return ["run", "--layer-set", str(layers), "--jobs", "1", "--sampler", "tpe", "--trials", trials, "--out", str(out)]


@pytest.fixture(name="printed")
def finished_command(layers: Path, tmp_path: Path, capsys: Capture) -> Printed:
    assert main(_command(layers, tmp_path / "run")) == 0
    captured = capsys.readouterr()
    return Printed(results_in(tmp_path / "run"), captured.out, captured.err)


def test_the_table_shows_the_results(printed: Printed) -> None:
    """Each layer's row, in order, has the figures of results.json."""
    rows = table_rows(printed.out)
    assert [row[0] for row in rows] == NAMES
    for row, layer in zip(rows, printed.results["layers"], strict=True):
        metrics = layer["metrics"]
        assert [int(cell.replace(",", "")) for cell in row[1:3]] == [layer["count"], metrics["runtime_cycles"]]
        assert float(row[3]) == pytest.approx(metrics["energy_pj"]["total"] / 1e6, rel=1e-3)
        assert float(row[4].replace(",", "")) == pytest.approx(metrics["edp_pj_cycles"], rel=1e-3)
        assert row[5] == gap_text(layer["gap"])
        assert float(row[6]) == pytest.approx(metrics["utilization"] * 100, rel=1e-3)
        assert row[7] == metrics["bound_by"].replace("offchip", "off-chip")


def test_the_lines_below_show_the_totals(printed: Printed) -> None:
    """After the network's totals stand what choosing together gives, the gap, the effort and the folder, and nothing else."""
    totals = printed.results["totals"]
    above, below = printed.out.split("\n\n", 1)[1].split("\nsearch:  ")
    network, edp, *together, gap = above.splitlines()
    *search, written = below.splitlines()
    assert len(together) == (printed.results["network"]["gain"] > 0)
    assert gap.strip() == f"gap of the network to its lower bound: {gap_text(printed.results['network']['gap'])}"
    figures = re.findall(r"(\d[\d.,]*(?:e[+-]\d+)?) ([A-Za-zµ]+)", network + edp)
    shown = {unit: float(number.replace(",", "")) for number, unit in figures}
    assert (shown["layers"], shown["MACs"], shown["cycles"]) == (totals["layers"], totals["macs"], totals["runtime_cycles"])
    assert shown["ms"] == pytest.approx(totals["runtime_ms"], rel=1e-3)
    assert shown["µJ"] == pytest.approx(totals["energy_pj"]["total"] / 1e6, rel=1e-4)
    assert shown["pJ"] == pytest.approx(totals["edp_pj_cycles"], rel=1e-4)
    assert network.endswith(f"PE use {totals['utilization']:.1%}")
    assert edp.endswith(f"own EDPs add up to {totals['sum_of_layer_edps_pj_cycles']:.5g}")
    assert search[0].startswith(f"{totals['evaluations']:,} mappings evaluated, ")
    assert search[-1].endswith(" s over all processes")
    assert written.startswith(f"written: {printed.results['folder']} (")


def test_progress_is_a_line_for_each_layer(printed: Printed) -> None:
    """Where standard error is no terminal, each layer that is done is a line with its figures and how many are left."""
    expected = [
        f"{layer['name']}: {layer['metrics']['runtime_cycles']:,} cycles, .+, {layer['evaluations']:,} evaluations; {left} to go"
        for layer, left in zip(printed.results["layers"], (2, 1, 0), strict=True)
    ]
    lines = printed.err.splitlines()
    assert len(lines) == 3
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line)


def test_json_is_what_is_written(layers: Path, tmp_path: Path, capsys: Capture) -> None:
    """With --json standard output holds exactly the data of results.json."""
    assert main([*_command(layers, tmp_path / "run"), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results == results_in(tmp_path / "run")
    assert results["complete"]


def test_an_interrupted_command_goes_on(layers: Path, tmp_path: Path, capsys: Capture) -> None:
    """Ctrl-C ends with 130 and says how to go on; doing so ends with 0 and the figures of a run that was never stopped."""
    stopped = tmp_path / "stopped"
    with subprocess.Popen(  # noqa: S603 our own command
        [sys.executable, "-m", "mapsearch", *_command(layers, stopped, LONG)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not (stopped / "results.json").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            text, _ = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 130
    assert text.splitlines()[-1] == f"stopped before the end; go on with: mapsearch run --out {stopped} --resume"
    assert not results_in(stopped)["complete"]
    assert main(["run", "--out", str(stopped), "--resume", "--jobs", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"written: {stopped} (")
    assert main(_command(layers, tmp_path / "whole", LONG)) == 0
    assert same_for_all(results_in(stopped)) == same_for_all(results_in(tmp_path / "whole"))


def test_a_run_within_evaluations(layers: Path, tmp_path: Path) -> None:
    """With --evaluations no layer takes more of them, over all its restarts."""
    command = ["run", "--layer-set", str(layers), "--jobs", "1", "--evaluations", "100", "--restarts", "2"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    rows = results_in(tmp_path / "run")["layers"]
    assert all(row["evaluations"] + row["dropped"] > 50 for row in rows)
    assert all(row["evaluations"] <= 100 for row in rows)


def test_a_run_of_a_batch(layers: Path, tmp_path: Path, capsys: Capture) -> None:
    """--batch maps layers of so many inputs, which config.json records; going on takes the recorded batch and refuses another."""
    out = tmp_path / "run"
    command = ["run", "--layer-set", str(layers), "--jobs", "1", "--evaluations", "100", "--out", str(out)]
    assert main([*command, "--batch", "3"]) == 0
    assert "N: 3" in (out / "mappings/01_conv_1.m").read_text()
    config = json.loads((out / "config.json").read_text())
    assert (config["settings"]["batch"], config["layers"][0]["extents"][1]) == (3, 3)
    assert main(["run", "--resume", "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["run", "--resume", "--out", str(out), "--batch", "4"]) == 2
    assert capsys.readouterr().err == (
        f"mapsearch: error: {out}: resuming needs the same settings, but batch was 3 and is now 4; resume with the recorded one, "
        "or start anew in another folder\n"
    )


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ("run --layer-set resnet5 --out new", "no layer set is called 'resnet5'; did you mean resnet50?; there are "),
        ("run --layer-set ncf --trails 2 --out new", "unknown option --trails; did you mean --trials?; see mapsearch run --help"),
        (
            "run --layer-set ncf --sampler tp --out new",
            "argument --sampler: must be one of auto, exact, genetic, tpe, random, nsgaii, cmaes, qmc, bruteforce, got 'tp'",
        ),
        ("run --layer-set ncf --trials 0 --out new", "argument --trials: must be a whole number from 1 to 1000000000, got 0; see "),
        ("run ncf --trials two --out new", "argument --trials: must be a whole number from 1 to 1000000000, got 'two'; see "),
        ("run ncf --timeout nan --out new", "argument --timeout: must be above 0 and below 1e9, got nan; see mapsearch run --help"),
        (
            "run ncf --evaluations 9 --sampler exact --out new",
            "--sampler exact ends with its proof, not after --evaluations; use an",
        ),
        ("run ncf --trials 9 --evaluations 9 --out new", "--trials and --evaluations are two ways to say how long a search is; "),
        ("run ncf --layer-set ncf --out new", "argument --layer-set: not allowed with argument SET; see mapsearch run --help"),
        ("run ncf resnet18 --out new", "unexpected argument 'resnet18'; see mapsearch run --help"),
        ("run ncf --pes 64", "unknown option --pes; change a machine's figure by --hardware edge,pes=64; see mapsearch run --help"),
        ("run ncf --l1_size=512", "unknown option --l1_size; change a machine's figure by --hardware edge,l1.bytes=512; see "),
        ("run ncf --resume", "--resume needs the run's folder; name it by --out"),
        ("run ncf --resume --out new --dry-run", "a run that goes on (--resume) cannot be told of before; give a new run's inputs"),
        ("run --layer-set ncf --out file/new", "file/new: the run's folder must be writable: Not a directory; name another folder"),
        ("run --out new --resume", "new/config.json: does not exist; no run to resume here; start one without --resume"),
    ],
)
def test_a_wrong_command_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, argv: str, text: str
) -> None:
    """What cannot be run is one line on standard error and exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert main(argv.split()) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.startswith(f"mapsearch: error: {text}")
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
