"""Tasks side by side in processes of this host.

There are three ways, functions of the same parameters. Where forking is sound (`may_fork`), workers are forked: they begin at once,
with the kernels loaded and the tasks at hand. Everywhere else joblib starts them, and each imports and loads everything again. One
job needs no worker.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, cast

from mapsearch.model.errors import InputError
from mapsearch.search.board import END, POLL_SECONDS, STOP, Board, board_in_file, board_in_memory
from mapsearch.search.engine import AHEAD, Job, Outcomes, Tasks, run_task, until_stopped
from mapsearch.search.interrupts import STOPS, stops_handled, stops_held
from mapsearch.search.locks import let_go_of_locks

R = TypeVar("R")


def usable_cores() -> int:
    """The cores that this process may use."""
    import joblib  # type: ignore[import-untyped]  # noqa: PLC0415 takes time, and forked workers have no need of it

    return int(joblib.cpu_count())


def may_fork() -> bool:
    """Whether workers can be forked from this process, and soundly: it has one thread, and that is ours.

    A fork copies memory and only the thread that forks. Whatever lock another thread holds in that moment, one of Python, of a
    library or of malloc, would stay locked in the copy for good. With one thread there is no such lock, and what is compiled stays
    usable: numba and LLVM have no threads of their own here, nor has Optuna. The system's list also shows threads that Python does
    not know, such as those of NumPy's linear algebra, which the command line does not start. Where there are any, as in a notebook,
    or where there is no such list (macOS, Windows), the answer is no.
    """
    for _ in range(20):  # a thread that has been joined may be listed for a moment
        try:
            threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 only their number is wanted
        except OSError:
            return False
        if threads == 1 or threading.active_count() > 1:
            return threads == 1
        time.sleep(POLL_SECONDS / 100)
    return False


@dataclass(frozen=True, slots=True)
class Processes:
    """The `Engine` of this host: up to `jobs` processes, this one alone where one is enough."""

    jobs: int

    @contextmanager
    def begin(self, tasks: Tasks[R]) -> Generator[tuple[Board, Callable[[], Outcomes[R]]]]:
        """See `Engine`."""
        if len(tasks):
            tasks[0].prepare()
        jobs = min(self.jobs, len(tasks))
        forks = jobs > 1 and may_fork()
        start = _here if jobs <= 1 else _forked if forks else _started_by_joblib
        with (board_in_memory if jobs <= 1 or forks else board_in_file)(len(tasks)) as board:
            yield board, lambda: _told(start(tasks, jobs, board), board)


def _told(outcomes: Outcomes[R], board: Board) -> Outcomes[R]:
    """The same, with an error that tells of a killed worker."""
    try:
        yield from outcomes
    except BrokenExecutor:
        if board[-1] == END:
            raise KeyboardInterrupt from None
        raise InputError(
            "a worker process was killed, perhaps for want of memory; what was found is saved: "
            "go on with --resume, with fewer --jobs"
        ) from None


def _here(tasks: Tasks[R], jobs: int, board: Board) -> Outcomes[R]:  # noqa: ARG001 a way's parameters
    """The outcomes of tasks that run in this process, one after another."""
    return ((index, run_task(tasks[index], index, board)) for index in until_stopped(len(tasks), board))


def _forked(tasks: Tasks[R], jobs: int, board: Board) -> Outcomes[R]:
    """The outcomes of tasks for workers that are copies of this process."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 takes time
    from multiprocessing import get_context  # noqa: PLC0415

    def begin() -> None:
        let_go_of_locks()
        _leave_stops_to(parent, board)
        _INHERITED[:] = tasks, board

    parent = os.getpid()
    executor = ProcessPoolExecutor(jobs, get_context("fork"), begin)
    with stops_held():  # so that a worker never gets one, and this process none before it has all workers
        left = until_stopped(len(tasks), board)
        under_way = {executor.submit(_run_inherited, index) for index in islice(left, AHEAD * jobs)}
    return _taken(executor, under_way, left, board)


# In a forked worker, the tasks and the board of its parent.
_INHERITED: list[Any] = []


def _run_inherited(index: int) -> tuple[int, object]:
    tasks, board = _INHERITED
    return index, run_task(tasks[index], index, board)


def _taken(executor: Executor, under_way: set[Future[Any]], left: Iterator[int], board: Board) -> Outcomes[Any]:
    try:
        while under_way:
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            while ended:
                yield ended.pop().result()
                under_way |= {executor.submit(_run_inherited, index) for index in islice(left, 1)}
    finally:
        board[-1] = max(board[-1], STOP)  # or it would wait for all that is still under way
        executor.shutdown()


def _started_by_joblib(tasks: Tasks[R], jobs: int, board: Board) -> Outcomes[R]:
    """The outcomes of tasks for workers that joblib starts."""
    import joblib  # pyright: ignore[reportMissingTypeStubs]  # noqa: PLC0415 takes time

    delayed = cast("Callable[..., object]", joblib.delayed(_run_indexed))  # pyright: ignore[reportUnknownMemberType] no types
    calls = (delayed(tasks[index], index, board) for index in until_stopped(len(tasks), board))
    with stops_handled(signal.SIG_IGN):  # which the workers inherit as they start
        parallel = joblib.Parallel(
            jobs,
            return_as="generator_unordered",
            pre_dispatch=f"{AHEAD} * n_jobs",
            initializer=_leave_stops_to,
            initargs=(os.getpid(),),
        )
        return cast("Outcomes[R]", parallel(calls))


def _run_indexed(task: Job[R], index: int, board: Board) -> tuple[int, R | None]:
    return index, run_task(task, index, board)


def _leave_stops_to(parent: int, board: Board | None = None) -> None:
    """Leave the STOPS to the parent, and end the worker when the parent ends, however that happens, or the board says END."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    end_with(parent, board)


def end_with(parent: int, board: Board | None = None) -> None:
    """Let this process end when its parent ends, however that happens, or the board says END."""

    def watch() -> None:
        while os.getppid() == parent and (board is None or board[-1] != END):
            time.sleep(POLL_SECONDS)
        os._exit(1)  # nobody is left to report to; joblib would keep a killed run's workers for minutes

    threading.Thread(target=watch, daemon=True).start()
