"""The engines that run searches side by side: forked workers, those that joblib starts, and none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_run import layer_file, results_in, same_for_all

FIXTURES = (layer_file,)  # pytest finds it here, as layers
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are forked on Linux alone")

# Jobs of a program whose linear algebra has no threads: what each does is filled in, with its number as self.number.
PROGRAM = """
import os, signal, sys, threading, time
from dataclasses import dataclass
from mapsearch.model.errors import InputError
from mapsearch.search.engine import run_tasks
from mapsearch.search.processes import Processes, may_fork

@dataclass
class Work:
    number: int
    def prepare(self):
        pass
    def run(self, tick):
        {work}

assert may_fork()
try:
    for index, result in run_tasks([Work(number) for number in range(4)], Processes(2), None):
        print(index, result, flush=True)
except InputError as error:
    print(error)
except KeyboardInterrupt:
    from multiprocessing import active_children
    print("interrupted", active_children())
"""


def _started(work: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    program = PROGRAM.format(work=work)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 our own


def _run(layers: Path, out: Path, jobs: str, threads: str) -> dict[str, Any]:
    words = ["run", "--layer-set", str(layers), "--jobs", jobs, "--trials", "3", "--out", str(out), "--quiet"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
    subprocess.run([sys.executable, "-m", "mapsearch", *words], check=True, capture_output=True, env=environment)  # noqa: S603 our own command
    return dict(same_for_all(results_in(out)))


def test_whoever_starts_the_workers_the_results_are_the_same(layers: Path, tmp_path: Path) -> None:
    """Forked workers, joblib's, which there are where linear algebra has threads, and one process give the same results."""
    alone = _run(layers, tmp_path / "alone", "1", "1")
    assert _run(layers, tmp_path / "forked", "2", "1") == alone
    assert _run(layers, tmp_path / "joblib", "2", "2") == alone


def test_workers_have_what_their_parent_made() -> None:
    """A forked worker gives the results of its tasks, and is a process of its own."""
    process = _started("return self.number, os.getpid() != os.getppid()")
    out, _ = process.communicate()
    assert sorted(out.splitlines()) == [f"{number} ({number}, True)" for number in range(4)]


def test_no_fork_beside_another_thread() -> None:
    """A process with a second thread does not fork; once that has ended, it may."""
    program = (
        "import threading; from mapsearch.search.processes import may_fork\n"
        "asked = threading.Event(); other = threading.Thread(target=asked.wait); other.start()\n"
        "print(may_fork()); asked.set(); other.join(); print(may_fork())\n"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)  # noqa: S603 our own
    assert done.stdout == "False\nTrue\n"


def test_a_killed_worker_is_told() -> None:
    """Where a worker is killed, the run ends with one line that says so."""
    out, _ = _started("os.kill(os.getpid(), signal.SIGKILL)").communicate()
    assert out.startswith("a worker process was killed, perhaps for want of memory")


def test_a_second_interrupt_ends_workers_that_do_not_hear() -> None:
    """After the first Ctrl-C a search that never asks goes on; the second ends it with its process."""
    with _started('os.write(1, b"under way\\n"); time.sleep(1000)') as process:  # in one piece, as two workers write
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["under way\n"] * 2
        for number in (signal.SIGINT, signal.SIGTERM):  # two of a kind at once may come as one
            process.send_signal(number)
        assert process.communicate()[0] == "interrupted []\n"


def test_interrupts_while_workers_begin_leave_none_behind() -> None:
    """Two signals that come before the parent has started all tasks end the workers too."""
    work = "self.number or [os.kill(os.getppid(), number) for number in (signal.SIGINT, signal.SIGTERM)]; time.sleep(1000)"
    out, _ = _started(work).communicate()
    assert out == "interrupted []\n"
