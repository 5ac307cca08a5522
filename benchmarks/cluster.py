"""How long a run takes with one worker and with two: processes of this computer, and workers of a Dask scheduler on it.

Run as `python benchmarks/cluster.py`; `--help` shows what may be chosen. Processes are those of the command, which forks them, and
those that joblib starts where forking is not sound, as in a notebook. The ways take turns, so that a computer that slows down slows
all of them. A scheduler and its workers are there before a run, with the kernels of a small one that does not count, and end with
it, as idle ones take time too. Dask's profiler is off (docs/cluster.md).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from tables import table

WORKERS = (1, 2)
FORKED, JOBLIB, DASK = ENGINES = ("forked processes", "joblib's processes", "Dask")
WARMING = "ncf"
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
COMMAND = ("-m", "mapsearch")
# With a second thread, forking is not sound.
BESIDE_A_THREAD = (
    "-c",
    (
        "import sys, threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "from mapsearch.cli import main; sys.exit(main())"
    ),
)


def main() -> None:
    """Run all ways in turn; print the medians, and what follows from them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer-set", default="resnet50")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    ways = [(engine, number) for number in WORKERS for engine in ENGINES]
    rounds = [{way: _seconds(args.layer_set, *way) for way in ways} for _ in range(args.rounds)]
    seconds = {way: median(each[way] for each in rounds) for way in ways}
    rows = [(engine, seconds[engine, 1], seconds[engine, 2], seconds[engine, 1] / seconds[engine, 2]) for engine in ENGINES]
    print(table((f"{args.layer_set}, s", "one worker", "two", "times as fast"), rows))
    for other in (FORKED, JOBLIB):
        over = [seconds[DASK, number] / seconds[other, number] - 1 for number in WORKERS]
        print(f"Dask takes {over[0]:+.1%} against {other} with one worker, {over[1]:+.1%} with two")


def _seconds(layer_set: str, engine: str, number: int) -> float:
    """The seconds of one run from an empty cache."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        folder = Path(name)
        words = ["--jobs", str(number)]
        program = BESIDE_A_THREAD if engine == JOBLIB else COMMAND
        if engine == DASK:
            words = ["--cluster", held.enter_context(_cluster(folder, number))]
            _run(program, WARMING, words, folder / "warming")
        began = time.monotonic()
        _run(program, layer_set, words, folder / "run")
        return time.monotonic() - began


def _run(program: Sequence[str], layer_set: str, words: Sequence[str], out: Path) -> None:
    command = [sys.executable, *program, "run", "--layer-set", layer_set, "--no-cache", "--quiet", *words]
    subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)  # noqa: S603 our own command


@contextmanager
def _cluster(folder: Path, workers: int) -> Generator[str]:
    """The address of a scheduler with so many workers."""
    file = folder / "scheduler.json"
    with ExitStack() as held:
        _started(held, folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        address = str(json.loads(file.read_text())["address"])
        _started(held, folder, "worker", address, "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard")
        yield address


def _started(held: ExitStack, folder: Path, *words: str) -> None:
    command, silent = [sys.executable, "-m", "dask", *words], subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, stdout=silent, stderr=silent, env=ENVIRONMENT)  # noqa: S603 our own command
    held.callback(process.wait)
    held.callback(process.terminate)


if __name__ == "__main__":
    main()
