"""What evaluating takes of the machine: a second core, the first start, memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
from tables import table

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import MappingBatch
from mapsearch.studies.bench import HARDWARE, LAYERS, count_all, sample, seconds_of

LAYER = LAYERS[1]
SAMPLE = 2_000
DIRECTIVES = "Network n { Layer a { Type: GEMM Dimensions { M: 4, N: 2, K: 3 } Dataflow { SpatialMap(1,1) M } } }\n"


def two_processes(repeats: int, batches: int) -> str:
    """Batches a second of one process and of two side by side, each of which evaluates its own."""
    with _process() as first, _process() as second:
        for process in (first, second):
            process.submit(_evaluate, 1).result()  # starts it, compiles, draws
        alone = median(seconds_of(first.submit(_evaluate, batches).result) for _ in range(repeats))
        together = median(_side_by_side(first, second, batches) for _ in range(repeats))
    rows = [("one", 1, batches * SAMPLE / alone, 1.0), ("two", 2, 2 * batches * SAMPLE / together, 2 * alone / together)]
    return (
        "## Two processes\n\n"
        f"The same layer in each process ({LAYER.name}); {os.cpu_count()} cores, whose memory and clock the two share.\n\n"
        + table(("processes", "cores", "mappings /s", "speed-up"), rows)
    )


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"))


def _side_by_side(first: ProcessPoolExecutor, second: ProcessPoolExecutor, batches: int) -> float:
    def both() -> None:
        for future in [process.submit(_evaluate, batches) for process in (first, second)]:
            future.result()

    return seconds_of(both)


def _evaluate(batches: int) -> None:
    hardware, batch = _drawn()
    for _ in range(batches):
        count_all(ExactModel(), LAYER, hardware, batch)


@cache
def _drawn() -> tuple[Hardware, MappingBatch]:
    """The machine and a batch, made once in each process."""
    hardware = load_hardware(HARDWARE)
    return hardware, sample(LAYER, hardware, SAMPLE)


def memory(mappings: int) -> str:
    """The most memory that a process of its own had while it evaluated so many mappings in one batch."""
    with _process() as process:
        least, most = process.submit(_peak_mib, mappings).result()
    return (
        "## Memory\n\n"
        "Peak resident memory of a process, and that before the batch is made (the interpreter, numpy, numba and the kernels). The "
        "batch and its costs are arrays of some 410 bytes a mapping; the model itself takes the same for any batch.\n\n"
        + table(("mappings in one batch", "before, MiB", "peak, MiB"), [(f"{mappings:,}", least, most)])
    )


def _peak_mib(mappings: int) -> tuple[float, float]:
    _evaluate(1)
    before = _used_mib()
    hardware, few = _drawn()
    # The few, over and over: drawing a million would take longer than counting them.
    batch = few[np.arange(mappings) % len(few)]
    count_all(ExactModel(), LAYER, hardware, batch)
    return before, _used_mib()


def _used_mib() -> float:
    """Peak resident memory so far; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def start_up(repeats: int) -> str:
    """Seconds of a command whose kernels are compiled, and of the same once they are in numba's cache."""
    with tempfile.TemporaryDirectory() as folder:
        mapping = Path(folder) / "gemm.m"
        mapping.write_text(DIRECTIVES, "utf-8")
        rows = [
            ("`mapsearch evaluate`", *_first_and_later(["evaluate", str(mapping)], repeats)),
            (
                "`mapsearch run`",
                *_first_and_later(["run", "--sampler", "tpe", "--layer-set", "ncf", "--trials", "1", "--jobs", "1"], repeats),
            ),
        ]
    return (
        "## Start\n\n"
        "Seconds of a whole command on a tiny input. The first compiles its kernels, `run` in two processes at the same time, and "
        "caches them; those after it load them. Workers of a run are forked on Linux, with all kernels loaded, and begin at once; "
        "elsewhere, or from Python where the process has other threads, each starts anew in about a second.\n\n"
        + table(("command", "first time, s", "from then on, s"), rows)
    )


def _first_and_later(arguments: list[str], repeats: int) -> tuple[float, float]:
    """How long the command takes with an empty numba cache, and the median with the cache that this leaves."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        first, *later = (_command_seconds(arguments, environment) for _ in range(1 + repeats))
    return first, median(later)


def _command_seconds(arguments: list[str], environment: Mapping[str, str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        out = ["--out", f"{folder}/run"] if arguments[0] == "run" else []
        command = [sys.executable, "-m", "mapsearch", *arguments, *out]
        return seconds_of(partial(subprocess.run, command, check=True, capture_output=True, env=environment))
