"""Cluster files: workers on this computer and those of a batch system do the run and end with it; what is wrong is one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dask_cluster import ended, started
from process_list import is_alive, with_variable
from small_run import finished_run, layer_file, results_in, same_for_all

from mapsearch.cli import main

FIXTURES = (layer_file, finished_run)  # pytest finds them here, as layers and done
FEW = ["--trials", "3", "--sampler", "tpe"]
# A batch system of one computer: its jobs run at once, in a group of their own that ends with the job.
SBATCH = """#!/bin/sh
cp "$1" {folder}/job
setsid sh {folder}/job > {folder}/log 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = '#!/bin/sh\nkill -- -"$1"\n'
# A command that is interrupted as its workers begin.
INTERRUPTED = """
import signal, sys, time
from pathlib import Path
import distributed
from mapsearch.studies.deployed import deployed

if __name__ == "__main__":
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with deployed(Path(sys.argv[1])):
            time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted")
"""


def _workers(folder: Path) -> list[int]:
    """Workers that are alive, once those that end have had time to do so."""
    deadline = time.monotonic() + 30
    while (alive := [pid for pid in with_variable("TMPDIR", str(folder)) if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return alive


@pytest.mark.parametrize("kind", ["local", "slurm"])
def test_the_workers_of_a_file_do_a_run_and_end_with_it(
    kind: str, layers: Path, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results are those of one process, and no worker is left; nor is one after Ctrl-C, when the best so far is saved."""
    for name, text in {"sbatch": SBATCH, "scancel": SCANCEL}.items():
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # by which workers are found
    options = f"options: {{cores: 2, memory: 2GB, local_directory: {tmp_path}}}\n" if kind == "slurm" else ""
    (tmp_path / "c.yaml").write_text(f"kind: {kind}\nworkers: 2\n{options}")
    words = ["--layer-set", str(layers), "--cluster", str(tmp_path / "c.yaml")]
    assert ended(started("run", "--quiet", *words, *FEW, "--out", str(tmp_path / "run"))) == (0, "")
    assert same_for_all(results_in(tmp_path / "run")) == same_for_all(results_in(done))
    assert _workers(tmp_path) == []
    stopped = started("run", "--quiet", *words, "--sampler", "tpe", "--trials", "99999", "--out", str(tmp_path / "stopped"))
    while not list((tmp_path / "stopped").glob("config.json")):
        assert stopped.poll() is None
    stopped.send_signal(signal.SIGINT)
    assert ended(stopped) == (130, "")
    assert _workers(tmp_path) == []


def test_an_interrupt_as_local_workers_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the process and its workers, and nothing else is said."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "workers.yaml").write_text("kind: local\nworkers: 2\n")
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    command = [sys.executable, str(tmp_path / "interrupted.py"), str(tmp_path / "workers.yaml")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 our own command
    assert (told.returncode, told.stdout, told.stderr) == (0, "interrupted\n", "")
    assert _workers(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must state at least one key, such as `kind: local`"),
        ("kind: lokal\nworkers: 2\n", "kind must be 'local', "),
        ("kind: local\nworkers: 0\n", "workers must be >= 1"),
        ("kind: local\n", "workers is missing"),
        ("kind: local\nworkers: 2\noptions: {queue: short}\n", "options are of a batch system, and kind local has none"),
        ("kind: local\nworkers: 2\nqueue: short\n", "unknown key queue; the keys are kind, workers, options"),
        ("kind: slurm\nworkers: 2\n", "kind slurm needs the command sbatch, which is not found here"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    text: str, told: str, layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong keys and a batch system that is not there: one line that names the file, exit code 2, and no folder."""
    (tmp_path / "c.yaml").write_text(text)
    assert main(["run", str(layers), "--cluster", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "run")]) == 2
    line = capsys.readouterr().err
    assert told in line
    assert str(tmp_path / "c.yaml") in line
    assert line.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_jobs_that_are_refused_are_told(layers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the batch system says of a job that it does not take, and an option that its class does not know, are one line each."""
    (tmp_path / "sbatch").write_text("#!/bin/sh\necho 'no such queue' >&2; exit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for options, told in {
        "memory: 2GB": "the jobs are refused",
        "quue: short": "options: Got unexpected keyword argument 'quue'",
    }.items():
        (tmp_path / "c.yaml").write_text(f"kind: slurm\nworkers: 2\noptions: {{{options}}}\n")
        status, line = ended(started("run", "--quiet", "--layer-set", str(layers), "--cluster", str(tmp_path / "c.yaml")))
        assert status == 2
        assert f"{tmp_path}/c.yaml: {told}" in line
        assert "no such queue" in line or options not in line
        assert line.count("\n") == 1
