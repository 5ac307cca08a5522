"""One interface to engines that run tasks side by side: as processes of this host (`processes`) or elsewhere (`cluster`)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, suppress
from itertools import takewhile
from types import FrameType
from typing import Protocol, TypeVar

from mapsearch.search.board import END, STOP, Board, watched
from mapsearch.search.interrupts import stops_handled
from mapsearch.search.progress import Tick

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Outcomes = Iterator[tuple[int, R | None]]

# Tasks that each worker of an engine has at a time: one runs, and one waits.
AHEAD = 2


class Job(Protocol[R_co]):
    """A piece of work for a worker process."""

    def prepare(self) -> None:
        """Call every kernel of the work once, so that the workers have it, or find it in numba's cache."""
        ...

    def run(self, tick: Tick) -> R_co | None:
        """The result of the work, or None; tick: called now and then with its progress, ends it early once it returns True."""
        ...


class Tasks(Protocol[R_co]):
    """Jobs by their index: a list, or what makes each job when it is asked for."""

    def __len__(self) -> int:
        """The number of jobs."""
        ...

    def __getitem__(self, index: int, /) -> Job[R_co]:
        """A job, from 0 on; the same each time."""
        ...


class Engine(Protocol):
    """What runs tasks; `mapsearch.testing.EngineContract` tests one."""

    @property
    def jobs(self) -> int:
        """The tasks that run at the same time."""
        ...

    def begin(self, tasks: Tasks[R]) -> AbstractContextManager[tuple[Board, Callable[[], Outcomes[R]]]]:
        """A board for the tasks, and the function that starts them.

        It returns (index, result) of each task as it ends, in any order, or None for one that was stopped before it began. Tasks
        are handed out in their order, AHEAD for each worker at a time, so that memory does not grow with their number, and no more
        once the board has a word. What tasks tell of their progress comes to the board soon, and they soon hear the board's word.
        """
        ...


def run_tasks(tasks: Tasks[R], engine: Engine, watch: Callable[[Board], None] | None) -> Generator[tuple[int, R]]:
    """Yield (index of the task, its result) as the tasks end, in any order.

    watch: called now and then, from another thread, with the tasks' progress, int64[tasks].
    The first of the STOPS ends the running tasks with their best so far and starts no others; KeyboardInterrupt is raised when all
    results are yielded. A second signal raises it at once or, while the engine starts its workers, once they have started.
    """
    asked, begun = threading.Event(), threading.Event()
    with engine.begin(tasks) as (board, start):

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 a signal handler's parameters
            if not asked.is_set():
                asked.set()
                board[-1] = STOP
                return
            board[-1] = END
            if begun.is_set():  # earlier, nobody would wait for the workers
                raise KeyboardInterrupt

        with stops_handled(stop):
            outcomes = start()
            try:
                begun.set()
                if board[-1] == END:
                    raise KeyboardInterrupt
                with watched(board, watch):  # only now, as its thread must not be there when workers are forked
                    for index, outcome in outcomes:
                        if outcome is not None:
                            yield index, outcome
            finally:  # joblib cancels running tasks, with a warning, when their outcomes are not taken
                board[-1] = max(board[-1], STOP)
                with suppress(KeyboardInterrupt):  # the one that is raised already
                    deque(outcomes, maxlen=0)
    if asked.is_set():  # also by a signal after the last tick of the last task
        raise KeyboardInterrupt


def until_stopped(tasks: int, board: Board) -> Iterator[int]:
    """The indices of tasks, as long as the board has no word."""
    return takewhile(lambda _: not board[-1], range(tasks))


def run_task(task: Job[R], index: int, board: Board) -> R | None:
    """The result of a task, or None where all were stopped before it began."""
    if board[-1]:
        return None

    def tick(done: int) -> bool:
        board[index] = done
        return bool(board[-1])

    return task.run(tick)
