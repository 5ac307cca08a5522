"""The progress of a run as a page for a browser: `mapsearch run --serve`.

A process of its own serves the page, so that the run keeps its one thread until its workers are forked (`processes.may_fork`).
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.arguments import UsageError
from mapsearch.model.english import counted
from mapsearch.output import say
from mapsearch.studies.co_design.results import CoDesignProgress
from mapsearch.studies.pictures.html import document
from mapsearch.studies.results import LayerResult, RunResults
from mapsearch.studies.run.settings import UNLIMITED_TRIALS
from mapsearch.studies.shown import ENERGY, gap_text, number_text
from mapsearch.tables.co_design import progress_line

_ALL_HOSTS = ("", "0.0.0.0", "::")  # noqa: S104 they are only compared
_SECONDS = 0.5  # between two statuses at least
_COLUMNS = ("layer", "state", "time left", "objective", "lower bound", "gap", "cycles", ENERGY, "evaluations")
_PARTS = '<p id="state"></p><p id="layers"></p><p id="network"></p><div class="wide"><table></table></div>\n'
_SCRIPT = """\
"use strict";
const row = (cells, kind) => {
  const line = document.createElement("tr");
  for (const cell of cells) line.appendChild(document.createElement(kind)).textContent = cell;
  return line;
};
const look = async () => {
  let ended = false;
  try {
    const answer = await fetch("status.json" + location.search);
    const status = await answer.json();
    for (const part of ["state", "layers", "network"]) document.getElementById(part).textContent = status[part];
    document.querySelector("h1").textContent = document.title = status.title;
    const rows = status.rows.map((cells) => row(cells, "td"));
    document.querySelector("table").replaceChildren(row(status.columns, "th"), ...rows);
    ended = status.ended;
  } catch {
    document.getElementById("state").textContent = "Nobody answers: the run has ended, or cannot be reached.";
  }
  if (!ended) setTimeout(look, 1000);
};
look();
"""


@contextmanager
def serving(host: str, port: int, timeout: float | None) -> Generator[Live]:
    """A watcher whose run is shown at the port, 0 for any that is free; UsageError where it cannot be had.

    Where others than this computer can reach it, only who knows the token may look. timeout: seconds that the run may take.
    """
    token = "" if _is_loopback(host) else secrets.token_urlsafe(16)
    with subprocess.Popen(  # noqa: S603 our own module
        [sys.executable, "-I", str(Path(__file__).with_name("live_server.py")), host, str(port), token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,  # what ends the run by its terminal leaves the page, which tells so
    ) as server:
        began, told = _pipes(server)
        answer: dict[str, Any] = json.loads(told.readline() or '{"error": "its process has ended"}')
        if "error" in answer:
            raise UsageError(f"--serve: {host}:{port} cannot be had: {answer['error']}; name another port, or 0 for a free one")
        named = socket.gethostname() if host in _ALL_HOSTS else f"[{host}]" if ":" in host else host
        live = Live(began, f"http://{named}:{answer['port']}/{f'?token={token}' if token else ''}", timeout)
        try:
            yield live
        except BaseException as error:
            live.end(f"ended: {error}" if isinstance(error, Exception) else "interrupted")
            raise


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process has pipes")
    return process.stdin, process.stdout


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Live:
    """A `RunWatcher` that sends what it knows to the process that serves the page."""

    def __init__(self, server: IO[str], url: str, timeout: float | None) -> None:
        """Send the page; timeout: see `serving`."""
        self._server, self._url, self._timeout = server, url, timeout
        self._began, self._next, self._lock = time.monotonic(), 0.0, Lock()
        self._title, self._machines = "mapsearch", ""
        # Never changed but replaced, as two threads use them.
        self._names: dict[str, None] = {}  # in their order
        self._rows: dict[str, LayerResult] = {}
        self._done: frozenset[str] = frozenset()
        self._clock = _Clock((), 0)
        self._send(document(self._title, [_PARTS], _SCRIPT))
        self._tell()

    def opened(self, folder: Path) -> None:
        """See `RunWatcher`."""
        self._title, self._began = str(folder), time.monotonic()  # a cluster may have been waited for
        say(f"progress: {self._url}")

    def began(self, searches: Sequence[str], ticks: int) -> None:
        """See `RunWatcher`."""
        self._clock = _Clock(searches, ticks)
        self._names = dict.fromkeys(searches) if self._machines else self._names | dict.fromkeys(searches)
        self._tell_again()

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """See `RunWatcher`."""
        self._clock.advance(ticks)
        self._tell_again()

    def compared(self, progress: CoDesignProgress) -> None:
        """See `RunWatcher`."""
        self._machines = progress_line(progress)
        self._tell_again()

    def answered(self, results: RunResults) -> None:
        """See `RunWatcher`."""
        self._take(results)
        self._tell_again()

    def found(self, result: LayerResult) -> None:
        """See `RunWatcher`."""
        self._rows = {**self._rows, result.name: result}
        self._done |= {result.name} if result.finished else set()  # else a smaller gap may follow
        self._tell_again()

    def finished(self, results: RunResults) -> None:
        """The run has ended with these results."""
        self._names = dict.fromkeys(row.name for row in results.layers) if results.complete else self._names
        self._take(results)
        self.end("done" if results.complete else "stopped, with the best so far saved")

    def end(self, state: str) -> None:
        """Tell how the run has ended; the server leaves those who look a moment to see it."""
        self._tell(state, ended=True)
        with suppress(OSError):
            self._server.close()

    def _take(self, results: RunResults) -> None:
        self._rows = {row.name: row for row in results.layers}
        self._done = frozenset(row.name for row in results.layers if row.finished)
        self._names = dict.fromkeys(self._rows) | self._names

    def _tell_again(self) -> None:
        """Tell, but not so often that it would take more than a tenth of the time."""
        began = time.monotonic()
        if began >= self._next:
            self._tell()
            self._next = time.monotonic() + max(_SECONDS, 9 * (time.monotonic() - began))

    def _tell(self, state: str = "searching", *, ended: bool = False) -> None:
        self._send({"title": self._title, "ended": ended, "state": self._state(state, ended=ended), **self._layers()})

    def _send(self, what: object) -> None:
        """A line of JSON for the server."""
        with self._lock, suppress(OSError, ValueError):  # of a server that somebody has killed
            self._server.write(json.dumps(what) + "\n")
            self._server.flush()

    def _state(self, state: str, *, ended: bool) -> str:
        passed = time.monotonic() - self._began
        ends = [] if ended else [self._clock.left, None if self._timeout is None else self._timeout - passed]
        left = min((each for each in ends if each is not None and each >= 0), default=None)
        return f"{state}, after {_duration(passed)}" + ("" if left is None else f"; about {_duration(left)} left")

    def _layers(self) -> dict[str, Any]:
        rows = [row for name, row in self._rows.items() if name in self._names]
        cycles = sum(row.count * row.metrics.runtime_cycles for row in rows)
        energy = sum(row.count * row.metrics.energy_pj.total for row in rows) / 1e6
        gaps = [row.gap for row in rows if row.gap is not None]
        largest = f"; the largest gap of a layer: {gap_text(max(gaps))}" if gaps else ""
        best = f"best so far: {cycles:,} cycles, {number_text(energy)} µJ{largest}" if rows else ""
        done = f"{len(self._done & self._names.keys()):,} of {counted(len(self._names), 'layer')} done"
        return {
            "layers": self._machines or done,
            "network": best,
            "columns": _COLUMNS,
            "rows": [self._row(name) for name in self._names],
        }

    def _row(self, name: str) -> list[str]:
        share, left = self._clock.of(name)
        is_done = name in self._done or (self._machines and share == 1)
        state = "done" if is_done else f"{share:.0%}" if 0 < share < 1 else "waits"
        shown = [name, state, "" if left is None or is_done else _duration(left)]
        row = self._rows.get(name)
        if row is None:
            return [*shown, *[""] * (len(_COLUMNS) - len(shown))]
        bound = "" if row.lower_bound is None else number_text(row.lower_bound)
        costs = [f"{row.metrics.runtime_cycles:,}", number_text(row.metrics.energy_pj.total / 1e6), f"{row.evaluations:,}"]
        return [*shown, number_text(row.objective), bound, gap_text(row.gap), *costs]


class _Clock:
    """The shares done of a round of searches, by layer, and about how long they will take yet."""

    def __init__(self, searches: Sequence[str], ticks: int) -> None:
        """No progress yet; see `Watcher.began`."""
        self._searches, self._ticks = searches, ticks
        self._numbers = Counter(searches)  # a layer's restarts count together
        self._done: Counter[str] = Counter()
        self._began = self._last = time.monotonic()
        self._first: dict[str, float] = {}  # when each was seen for the last time without progress

    def advance(self, ticks: NDArray[np.int64]) -> None:
        """Take the progress of each search."""
        done: Counter[str] = Counter()
        for name, number in zip(self._searches, ticks.tolist(), strict=True):
            done[name] += number
            if number:
                self._first.setdefault(name, self._last)
        self._done, self._last = done, time.monotonic()

    @property
    def left(self) -> float | None:
        """About how many seconds are left of the round; None where that cannot be told."""
        return self._left(self._share(self._done.total(), len(self._searches)), self._began)

    def of(self, name: str) -> tuple[float, float | None]:
        """The share done of a layer, and about how many seconds are left of it."""
        share = self._share(self._done[name], self._numbers[name])
        return share, self._left(share, self._first.get(name, self._began))

    def _share(self, done: int, searches: int) -> float:
        return min(1.0, done / (self._ticks * searches)) if self._ticks * searches else 0.0

    def _left(self, share: float, since: float) -> float | None:
        if share == 0 or self._ticks >= UNLIMITED_TRIALS:  # the clock ends the search, not the trials
            return None
        return (time.monotonic() - since) * (1 - share) / share


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
