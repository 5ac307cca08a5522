"""Tasks side by side on the workers of a Dask cluster.

Dask repeats the tasks of a worker that dies. What it leaves to its users is done here: workers whose versions differ are refused;
the first worker of a host compiles the kernels, while the others wait; progress, and the word to stop, are exchanged with all
workers now and then; a task that nobody wants any more, as its client is gone, ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import count, islice
from logging import getLogger
from pathlib import Path
from platform import python_version
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import uuid4

import numpy as np

from mapsearch.model.errors import InputError
from mapsearch.search.board import POLL_SECONDS, Board, board_in_memory
from mapsearch.search.engine import AHEAD, Job, Outcomes, Tasks, run_task, until_stopped
from mapsearch.search.locks import locked
from mapsearch.search.progress import Tick

if TYPE_CHECKING:
    from distributed import Client, Future

R = TypeVar("R")
_LOG = getLogger(__name__)
SAME = ("python", "mapsearch", "numpy", "numba")  # what the results depend on
EXCHANGE_SECONDS = 0.5
CONNECT_SECONDS, WORKER_SECONDS = 10, 30
# A scheduler gives a task up once 4 of its workers have died, unless it is set otherwise.
MOST_REPEATS = 5
_MISSING = "missing"


@contextmanager
def connected(cluster: str | Client, *packages: str) -> Generator[Cluster]:
    """The engine of a cluster: the address of its scheduler, or a client; InputError where none answers, or it is not fit.

    packages: further ones on which the results depend.
    """
    from distributed import Client  # noqa: PLC0415 takes time, and may be missing

    if not isinstance(cluster, str):
        given = cast("Any", cluster)  # it may be anything, and most of a client's attributes have no types
        if not isinstance(given, Client) or given.status != "running" or given.asynchronous:
            raise InputError(f"cluster: must be a Dask client that is connected and not asynchronous, got {cluster}")
        yield Cluster(cluster, packages)
        return
    _check_certificates(cluster)
    for name in ("distributed.client", "distributed.core", "distributed.batched", "distributed.comm"):
        getLogger(name).setLevel("CRITICAL")  # what they tell is told here, in one line
    try:
        client: Any = cast("Any", Client)(cluster, timeout=CONNECT_SECONDS, set_as_default=False)  # it has no types
    except OSError:
        raise InputError(
            f"cluster {cluster}: no scheduler answers there within {CONNECT_SECONDS} s; `dask scheduler` starts one"
        ) from None
    try:
        yield Cluster(client, packages)
    finally:
        with suppress(Exception):  # where the scheduler is gone
            client.close(timeout=CONNECT_SECONDS)


def _check_certificates(address: str) -> None:
    """Raise InputError where the client's TLS certificates cannot be read, or an address that needs them has none."""
    from distributed import Security  # noqa: PLC0415 takes time

    try:
        context = cast("Any", Security)().get_connection_args("client").get("ssl_context")  # it has no types
    except OSError as error:
        raise InputError(f"cluster {address}: the TLS certificates of Dask's configuration cannot be read: {error}") from None
    if context is None and address.startswith(("tls:", "wss:")):
        raise InputError(f"cluster {address}: needs TLS certificates; Dask's configuration, distributed.comm.tls, must name them")


class Cluster:
    """The `Engine` of a Dask client's workers."""

    def __init__(self, client: Client, packages: Sequence[str] = ()) -> None:
        self._client = cast("Any", client)  # most of its methods have no types
        self._where = str(self._client.scheduler.address)
        self._id, self._rounds = uuid4().hex, count()
        self._versions = versions((*SAME, *packages))
        self._check()
        self._workers = self.jobs  # that have answered last

    @property
    def jobs(self) -> int:
        """See `Engine`; at least one, as workers may come and go."""
        return max(1, len(self._client.nthreads()))

    def _check(self) -> None:
        """Wait for a worker; InputError where there is none, or one is not fit."""
        client, where = self._client, self._where
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError:
            raise InputError(
                f"cluster {where}: no worker has come in {WORKER_SECONDS} s; `dask worker {where} --nthreads 1` starts one"
            ) from None
        for address, threads in client.nthreads().items():
            if threads > 1:
                raise InputError(
                    f"{address}: has {threads} threads, of which searches use one; start workers with --nthreads 1, "
                    "and more of them with --nworkers"
                )
        there = client.get_versions(packages=list(self._versions)[1:])  # it tells Python's in any case
        for who, told in {"the scheduler": there["scheduler"], **there["workers"]}.items():  # it too reads the tasks
            packages = told["packages"]
            packages["python"] = ".".join(packages["python"].split(".")[:3])
            check_versions(who, {name: packages[name] or _MISSING for name in self._versions}, self._versions)

    @contextmanager
    def begin(self, tasks: Tasks[R]) -> Generator[tuple[Board, Callable[[], Outcomes[R]]]]:
        """See `Engine`."""
        round_ = (self._id, next(self._rounds))
        with board_in_memory(len(tasks)) as board, self._exchanging(round_, board):
            yield board, lambda: self._taken(tasks, round_, board)

    def _submit(self, task: Job[R], round_: Round, index: int, tasks: int, repeats: int = 0) -> _Asked:
        key = ("mapsearch", *round_, index, repeats)
        future = self._client.submit(_run_there, task, key, tasks, self._versions, key=key, priority=-index)
        return _Asked(task, index, repeats, future)

    def _taken(self, tasks: Tasks[R], round_: Round, board: Board) -> Outcomes[R]:
        """The outcomes of the tasks."""
        from distributed import KilledWorker, as_completed  # noqa: PLC0415 takes time
        from distributed.client import ClosedClientError  # noqa: PLC0415

        under_way: dict[Any, _Asked] = {}
        ended: Any = cast("Any", as_completed)(loop=self._client.loop)  # it has no types

        def ask(asked: _Asked) -> None:
            under_way[asked.future.key] = asked
            ended.add(asked.future)

        left = until_stopped(len(tasks), board)
        try:
            while True:
                for index in islice(left, max(0, AHEAD * self._workers - len(under_way))):
                    ask(self._submit(tasks[index], round_, index, len(tasks)))
                future = next(ended, None)
                if future is None:
                    return
                asked = under_way.pop(future.key)
                try:
                    outcome = future.result()
                except (KilledWorker, UnwantedError):
                    if asked.repeats == MOST_REPEATS:
                        raise InputError(
                            "the workers of one task died again and again, perhaps for want of memory; what was found is saved: "
                            "go on with --resume, with fewer workers on a host"
                        ) from None
                    ask(self._submit(asked.task, round_, asked.index, len(tasks), asked.repeats + 1))
                else:
                    yield asked.index, outcome
        except (CancelledError, ClosedClientError):  # the second where the scheduler ended while nobody asked for an outcome
            raise InputError(
                f"cluster {self._where}: its scheduler has ended or cannot be reached; what was found is saved: go on with --resume"
            ) from None
        finally:
            with suppress(Exception):  # where the scheduler is gone
                self._client.cancel([asked.future for asked in under_way.values()], force=True)

    @contextmanager
    def _exchanging(self, round_: Round, board: Board) -> Generator[None]:
        """Meanwhile, keep the board and those of the workers alike."""
        ended = Event()

        def ask(function: Callable[..., Any], *args: object) -> dict[str, Any]:
            with suppress(Exception):  # of a scheduler that is gone the futures tell
                return dict(self._client.run(function, *args, on_error="ignore"))
            return {}

        def exchange() -> None:
            silent = 0.0
            while not ended.wait(EXCHANGE_SECONDS):
                told = ask(_exchange, round_, len(board), int(board[-1]))
                for ticks in told.values():
                    for index, done in ticks.items():
                        board[index] = done
                self._workers = len(told) or self._workers
                silent = 0.0 if told else silent + EXCHANGE_SECONDS
                if silent == WORKER_SECONDS:
                    _LOG.info("no worker is left at the cluster; the run waits for one")

        thread = Thread(target=exchange, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            ask(_forget, round_)


Round = tuple[str, int]  # a client's engine, and the number of its `begin`


@dataclass(frozen=True, slots=True)
class _Asked:
    """A task that the cluster is asked to run."""

    task: Job[Any]
    index: int
    repeats: int
    future: Future[Any]


@cache
def versions(names: tuple[str, ...]) -> dict[str, str]:
    """The versions of Python and of packages here."""
    return {name: python_version() if name == "python" else _version(name) for name in names}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return _MISSING


def check_versions(who: str, there: dict[str, str], here: dict[str, str]) -> None:
    """Raise InputError where the versions of a worker, or of the scheduler, are not the client's."""
    for name, own in here.items():
        if there[name] != own:
            raise InputError(f"{who}: has {name} {there[name]}, and this client {own}; both need the same {', '.join(here)}")


class UnwantedError(Exception):
    """A task was running when its client, or its link to the scheduler, was lost."""


# In a worker: the boards of rounds under way, and the kinds of jobs of an engine whose kernels it has.
_BOARDS: dict[Round, Board] = {}
_WARM: set[tuple[str, str]] = set()


def _run_there(task: Job[R], key: tuple[Any, ...], tasks: int, asked: dict[str, str]) -> R | None:
    """In a worker, the result of a task, or None where all were stopped before it began."""
    from distributed import get_worker  # noqa: PLC0415 of a worker

    worker = get_worker()
    try:
        check_versions(worker.address, versions(tuple(asked)), asked)
    except InputError as error:  # a worker that came late
        raise InputError(f"{error}; what was found is saved: go on with --resume") from None
    _, engine, number, index, _ = key

    def is_unwanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is None or state.state == "cancelled"

    return run_task(_There(task, engine, is_unwanted), index, _board((engine, number), tasks + 1))


@dataclass(frozen=True, slots=True)
class _There:
    """A job in a worker, which ends where it is unwanted."""

    task: Job[Any]
    engine: str
    is_unwanted: Callable[[], bool]

    def prepare(self) -> None:
        """See `Job`: the first worker of a host compiles, and the others find what it has saved."""
        kind = (self.engine, type(self.task).__name__)
        if kind in _WARM:
            return
        folder = Path(__file__).parent
        try:
            with locked(folder):
                self.task.prepare()
        except BlockingIOError:
            while _is_locked(folder):
                time.sleep(POLL_SECONDS)
            self.task.prepare()
        _WARM.add(kind)

    def run(self, tick: Tick) -> Any:  # noqa: ANN401 any job's result
        """See `Job`."""
        self.prepare()

        def asked(done: int) -> bool:
            if self.is_unwanted():
                raise UnwantedError
            return tick(done)

        return self.task.run(asked)


def _is_locked(folder: Path) -> bool:
    try:
        with locked(folder):
            return False
    except BlockingIOError:
        return True


def _board(round_: Round, length: int) -> Board:
    return _BOARDS.setdefault(round_, np.zeros(length, np.int64))


def _exchange(round_: Round, length: int, word: int) -> dict[int, int]:
    """In a worker, hear the client's word, and tell the progress of the worker's tasks by their numbers."""
    board = _board(round_, length)
    board[-1] = word
    return {index: int(board[index]) for index in np.flatnonzero(board[:-1]).tolist()}


def _forget(round_: Round) -> None:
    """In a worker, forget a round that has ended."""
    _BOARDS.pop(round_, None)
