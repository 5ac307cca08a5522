"""A server and its queues, simulated event by event with simpy.

The times of all requests are drawn beforehand, so that the only events are those at which the server looks for work: the end of a
batch, a layer border at which a more urgent batch takes over, the moment at which a batch becomes ready while the server is idle.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import simpy


class Order(StrEnum):
    """What a free server takes first.

    FIFO: the oldest request. PRIORITY: the smallest priority number, then the oldest; work is never interrupted. PREEMPTIVE: the
    same, and a smaller number takes over at the next layer border of the work under way, which goes on later from there.
    """

    FIFO = "fifo"
    PRIORITY = "priority"
    PREEMPTIVE = "preemptive"


@dataclass(frozen=True, slots=True)
class Stream:
    """The requests of one tenant at a server.

    times_s: (N,) ascending. borders_s: for a batch of n requests the seconds of work until the end of each layer, ascending; the
    last is the service time. A batch is ready once `batch_max` requests wait, or the oldest has waited `wait_s`.
    """

    times_s: NDArray[np.float64]
    borders_s: Callable[[int], Sequence[float]]
    batch_max: int = 1
    wait_s: float = 0.0
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """What became of a stream's N requests: (N,) the second at which each was done, and the size of the batch that it was in."""

    done_s: NDArray[np.float64]
    batch: NDArray[np.int64]


@dataclass(slots=True)
class _Work:
    """A batch under way: its stream, the requests from `first` on, and the seconds of it that are done."""

    stream: int
    first: int
    size: int
    borders_s: Sequence[float]
    done_s: float = 0.0


class _Server:
    """One server, its streams, and the seconds [from, to) in which it was busy."""

    def __init__(self, streams: Sequence[Stream], order: Order, switch_s: float) -> None:
        self._streams, self._switch_s, self._order = streams, switch_s, order
        self._times: list[list[float]] = [stream.times_s.tolist() for stream in streams]
        self._heads = [0] * len(streams)
        self._ready = [self._ready_at(stream) for stream in range(len(streams))]
        self._ranks = [0 if order is Order.FIFO else stream.priority for stream in streams]
        self._paused: list[_Work] = []  # interrupted, the most urgent last
        self._last = -1  # the stream of the last work, if any
        self.busy_s: list[tuple[float, float]] = []
        self.done_s: list[list[float]] = [[] for _ in streams]
        self.batches: list[list[int]] = [[] for _ in streams]

    def work(self, env: simpy.Environment) -> Generator[simpy.Event, Any, None]:
        """The server's life, until all requests are done."""
        while True:
            work = self._next(env.now)
            if work is None:
                earliest = min(self._ready)
                if earliest == inf:
                    return
                yield env.timeout(earliest - env.now)
                continue
            began = env.now
            if work.stream != self._last:
                self._last = work.stream
                if self._switch_s:
                    yield env.timeout(self._switch_s)
            until_s = self._stretch(work, env.now)
            yield env.timeout(until_s - work.done_s)
            self.busy_s.append((began, env.now))
            work.done_s = until_s
            if until_s < work.borders_s[-1]:
                self._paused.append(work)
            else:
                self.done_s[work.stream] += [env.now] * work.size
                self.batches[work.stream] += [work.size] * work.size

    def _next(self, now: float) -> _Work | None:
        """The work that a server takes that is free now."""
        best, key = -1, (0, inf)
        for stream, ready in enumerate(self._ready):
            if ready <= now:
                its = (self._ranks[stream], self._times[stream][self._heads[stream]])
                if best < 0 or its < key:
                    best, key = stream, its
        if self._paused and (best < 0 or self._ranks[self._paused[-1].stream] <= key[0]):
            return self._paused.pop()
        return None if best < 0 else self._begin(best, now)

    def _begin(self, stream: int, now: float) -> _Work:
        times, first = self._times[stream], self._heads[stream]
        end, most = first + 1, min(first + self._streams[stream].batch_max, len(times))
        while end < most and times[end] <= now:
            end += 1
        self._heads[stream] = end
        self._ready[stream] = self._ready_at(stream)
        return _Work(stream, first, end - first, self._streams[stream].borders_s(end - first))

    def _ready_at(self, stream: int) -> float:
        """The time from which the next batch of a stream may begin."""
        times, head, its = self._times[stream], self._heads[stream], self._streams[stream]
        if head == len(times):
            return inf
        if its.batch_max == 1 or its.wait_s == 0:
            return times[head]
        last = head + its.batch_max - 1
        waited = times[head] + its.wait_s
        return min(waited, times[last]) if last < len(times) else waited

    def _stretch(self, work: _Work, now: float) -> float:
        """Of a batch's seconds, those after which the server looks again for more urgent work."""
        if self._order is not Order.PREEMPTIVE:
            return work.borders_s[-1]
        rank = self._ranks[work.stream]
        urgent = min((ready for ready, its in zip(self._ready, self._ranks, strict=True) if its < rank), default=inf)
        border = bisect_left(work.borders_s, max(work.done_s + urgent - now, work.done_s))
        if border < len(work.borders_s) and work.borders_s[border] == work.done_s:  # no layer may be done twice
            border += 1
        return work.borders_s[min(border, len(work.borders_s) - 1)]


def simulate(
    streams: Sequence[Stream], order: Order = Order.FIFO, switch_s: float = 0.0
) -> tuple[list[Served], NDArray[np.float64]]:
    """Serve all requests; what became of each stream's, and (B, 2) the stretches of time in which the server was busy.

    switch_s: what the server takes to turn from one stream to another.
    """
    import simpy  # noqa: PLC0415 takes time, and may be missing

    env = simpy.Environment()
    server = _Server(streams, order, switch_s)
    env.process(server.work(env))
    env.run()
    served = [
        Served(np.array(done, np.float64), np.array(batches, np.int64))
        for done, batches in zip(server.done_s, server.batches, strict=True)
    ]
    return served, np.array(server.busy_s, np.float64).reshape(-1, 2)
