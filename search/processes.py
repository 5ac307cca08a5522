"""Searches side by side: joblib processes, a board that they and the parent share, and a stop that loses nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Protocol, TypeVar, cast

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import InputError
from mapsearch.search.progress import Tick

POLL_SECONDS = 0.2
# Signals that end searches with what they have: Ctrl-C, and what `kill` and batch systems send.
STOPS = (signal.SIGINT, signal.SIGTERM)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Job(Protocol[R_co]):
    """What a worker does at a time."""

    def prepare(self) -> None:
        """Call every kernel that the work does, once, so that the workers find them in numba's cache."""
        ...

    def run(self, tick: Tick) -> R_co:
        """Do it; tick: called now and then with how far it is, ends it with what it has once it returns True."""
        ...


def run_tasks(tasks: Sequence[Job[R]], jobs: int, watch: Callable[[NDArray[np.int64]], None] | None) -> Generator[tuple[int, R]]:
    """Yield (index of the task, what it came to) as the tasks end, in any order, from `jobs` processes.

    watch: called now and then, from a thread of its own, with int64[tasks], how far each is, as it ticks.
    The first Ctrl-C makes the running tasks end with what they have and the others not start; a second one interrupts.
    """
    with tempfile.TemporaryDirectory(prefix="mapsearch-") as folder, _watched(Path(folder) / "board", len(tasks), watch) as board:
        if jobs == 1:
            with _stop_on_interrupt(board):
                for index, task in enumerate(tasks):
                    outcome = _run_task(task, index, board)
                    if outcome is not None:
                        yield index, outcome
            return
        tasks[0].prepare()
        with _interrupts_ignored():  # which the workers inherit as they start
            parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="all")
            delayed = cast("Callable[..., object]", joblib.delayed(_run_indexed))  # pyright: ignore[reportUnknownMemberType] no types
            calls = (delayed(task, index, board) for index, task in enumerate(tasks))
            outcomes = cast("Iterator[tuple[int, R | None]]", parallel(calls))
        with _stop_on_interrupt(board):
            try:
                for index, outcome in outcomes:
                    if outcome is not None:
                        yield index, outcome
            except BrokenExecutor:
                raise InputError(
                    "a worker process was killed, perhaps for want of memory; what was found is saved: "
                    "go on with --resume, with fewer --jobs"
                ) from None
            finally:  # joblib cancels, with a warning, what is under way when its outcomes are not taken
                board[-1] = 1
                deque(outcomes, maxlen=0)


def _run_indexed(task: Job[R], index: int, board: NDArray[np.int64]) -> tuple[int, R | None]:
    _prepare_worker()
    return index, _run_task(task, index, board)


@cache
def _prepare_worker() -> None:
    """Once in each worker: leave Ctrl-C to the parent, and end with it, however it ends."""
    if threading.current_thread() is threading.main_thread():
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
    parent = os.getppid()

    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)  # nothing is left to report to; joblib would keep a killed run's workers for minutes

    threading.Thread(target=end_with_parent, daemon=True).start()


def _run_task(task: Job[R], index: int, board: NDArray[np.int64]) -> R | None:
    """What a task came to, or None where all were told to stop before it began."""
    if board[-1]:
        return None

    def tick(done: int) -> bool:
        board[index] = done
        return bool(board[-1])

    return task.run(tick)


@contextlib.contextmanager
def _watched(path: Path, tasks: int, watch: Callable[[NDArray[np.int64]], None] | None) -> Generator[NDArray[np.int64]]:
    """The board: int64[tasks + 1] in a file that all processes map, how far each task is and, last, 1 to stop."""
    board = np.memmap(path, np.int64, "w+", shape=(tasks + 1,))
    ended = threading.Event()

    def poll() -> None:
        while watch is not None and not ended.wait(POLL_SECONDS):
            watch(np.array(board[:-1]))

    poller = threading.Thread(target=poll, daemon=True)
    poller.start()
    try:
        yield board
    finally:
        board[-1] = 1
        ended.set()
        poller.join()


@contextlib.contextmanager
def _interrupts_ignored() -> Generator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _stop_on_interrupt(board: NDArray[np.int64]) -> Generator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 a signal handler's parameters
        if board[-1]:
            raise KeyboardInterrupt
        board[-1] = 1

    before = {number: signal.signal(number, stop) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
