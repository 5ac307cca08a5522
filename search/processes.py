"""Searches side by side in joblib's processes, and the signals that end them without a loss."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Protocol, TypeVar, cast

import joblib  # type: ignore[import-untyped]

from mapsearch.model.errors import InputError
from mapsearch.search.board import POLL_SECONDS, Board, board_of
from mapsearch.search.progress import Tick

# What ends work with what it has: Ctrl-C, what `kill` and batch systems send, and a closed terminal; some systems have no SIGHUP.
STOPS = tuple(number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP"))

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Job(Protocol[R_co]):
    """What a worker does at a time."""

    def prepare(self) -> None:
        """Call every kernel that the work does, once, so that the workers find them in numba's cache."""
        ...

    def run(self, tick: Tick) -> R_co | None:
        """Do it; tick: called now and then with how far it is, ends it with what it has once it returns True; None if nothing."""
        ...


@contextmanager
def stops_handled(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Generator[None]:
    """Give the STOPS a handler, in the main thread. What is ignored stays so: SIGINT in a background job, SIGHUP under nohup."""
    main = threading.current_thread() is threading.main_thread()
    numbers = [number for number in STOPS if main and signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def run_tasks(tasks: Sequence[Job[R]], jobs: int, watch: Callable[[Board], None] | None) -> Generator[tuple[int, R]]:
    """Yield (index of the task, what it came to) as the tasks end, in any order, from `jobs` processes.

    watch: called now and then, from a thread of its own, with int64[tasks], how far each is, as it ticks.
    The first of the STOPS makes the running tasks end with what they have and the others not start, and raises KeyboardInterrupt
    once all is yielded; a second one raises it at once.
    """
    asked = threading.Event()
    with board_of(len(tasks), watch, shared=jobs > 1) as board:

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 a signal handler's parameters
            if asked.is_set():
                raise KeyboardInterrupt
            asked.set()
            board[-1] = 1

        outcomes: Iterator[tuple[int, R | None]]
        if jobs == 1:
            outcomes = ((index, _run_task(task, index, board)) for index, task in enumerate(tasks))
        else:
            outcomes = _started(tasks, jobs, board)
        with stops_handled(stop):
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
    if asked.is_set():  # by a signal that came when the last task had had its last tick, too
        raise KeyboardInterrupt


def _started(tasks: Sequence[Job[R]], jobs: int, board: Board) -> Iterator[tuple[int, R | None]]:
    """The outcomes of tasks that have been given to worker processes."""
    tasks[0].prepare()
    delayed = cast("Callable[..., object]", joblib.delayed(_run_indexed))  # pyright: ignore[reportUnknownMemberType] no types
    calls = (delayed(task, index, board) for index, task in enumerate(tasks))
    with stops_handled(signal.SIG_IGN):  # which the workers inherit as they start
        parallel = joblib.Parallel(
            jobs, return_as="generator_unordered", pre_dispatch="all", initializer=_prepare_worker, initargs=(os.getpid(),)
        )
        return cast("Iterator[tuple[int, R | None]]", parallel(calls))


def _prepare_worker(parent: int) -> None:
    """Leave the STOPS to the parent, and end with it, however and whenever it ends."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)

    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)  # nothing is left to report to; joblib would keep a killed run's workers for minutes

    threading.Thread(target=end_with_parent, daemon=True).start()


def _run_indexed(task: Job[R], index: int, board: Board) -> tuple[int, R | None]:
    return index, _run_task(task, index, board)


def _run_task(task: Job[R], index: int, board: Board) -> R | None:
    """What a task came to, or None where all were told to stop before it began."""
    if board[-1]:
        return None

    def tick(done: int) -> bool:
        board[index] = done
        return bool(board[-1])

    return task.run(tick)
