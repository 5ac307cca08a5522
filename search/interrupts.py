"""Ctrl-C and its like: signals that end work and lose no result.

A study raises KeyboardInterrupt on them (`StudyFolder.at_work`). While searches run side by side, the first signal ends them with
their best so far, and KeyboardInterrupt is raised once all of that is taken (`engine.run_tasks`). The study then saves what it
has and returns it as incomplete, and the command line ends with code 130.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

# Signals that end work with its results so far: Ctrl-C, SIGTERM of `kill` and batch systems, and a closed terminal's SIGHUP, which
# some systems lack.
STOPS = tuple(number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP"))


@contextmanager
def stops_handled(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Generator[None]:
    """Set a handler for the STOPS in the main thread. Ignored ones stay ignored: SIGINT in a background job, SIGHUP under nohup."""
    main = threading.current_thread() is threading.main_thread()
    numbers = [number for number in STOPS if main and signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


@contextmanager
def stops_held() -> Generator[None]:
    """Hold the STOPS back until the end; a process that is forked meanwhile never gets them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
