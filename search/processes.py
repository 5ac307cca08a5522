"""Searches side by side in joblib's processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from types import FrameType
from typing import Protocol, TypeVar, cast

import joblib  # type: ignore[import-untyped]

from mapsearch.model.errors import InputError
from mapsearch.search.board import POLL_SECONDS, Board, board_of
from mapsearch.search.interrupts import STOPS, stops_handled
from mapsearch.search.progress import Tick

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Job(Protocol[R_co]):
    """A piece of work for a worker process."""

    def prepare(self) -> None:
        """Call every kernel of the work once, so that the workers find it in numba's cache."""
        ...

    def run(self, tick: Tick) -> R_co | None:
        """The result of the work, or None; tick: called now and then with its progress, ends it early once it returns True."""
        ...


def run_tasks(tasks: Sequence[Job[R]], jobs: int, watch: Callable[[Board], None] | None) -> Generator[tuple[int, R]]:
    """Yield (index of the task, its result) as the tasks end, in any order, from `jobs` processes.

    watch: called now and then, from another thread, with the tasks' progress, int64[tasks].
    The first of the STOPS ends the running tasks with their best so far and starts no others; KeyboardInterrupt is raised when all
    results are yielded. A second signal raises it at once.
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
            finally:  # joblib cancels running tasks, with a warning, when their outcomes are not taken
                board[-1] = 1
                deque(outcomes, maxlen=0)
    if asked.is_set():  # also by a signal after the last tick of the last task
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
    """Leave the STOPS to the parent, and end the worker when the parent ends, however that happens."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)

    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(1)  # nobody is left to report to; joblib would keep a killed run's workers for minutes

    threading.Thread(target=end_with_parent, daemon=True).start()


def _run_indexed(task: Job[R], index: int, board: Board) -> tuple[int, R | None]:
    return index, _run_task(task, index, board)


def _run_task(task: Job[R], index: int, board: Board) -> R | None:
    """The result of a task, or None where all were stopped before it began."""
    if board[-1]:
        return None

    def tick(done: int) -> bool:
        board[index] = done
        return bool(board[-1])

    return task.run(tick)
