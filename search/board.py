"""The board that a parent and its searches share, int64[tasks + 1]: the progress of each task and, last, a word to all of them."""

from __future__ import annotations

import contextlib
import mmap
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapsearch.search.locks import locked

POLL_SECONDS = 0.2
PREFIX = "mapsearch-board-"
# A younger folder may be one that its process is about to lock.
YOUNG_SECONDS = 60

# The words: end with the best so far, and end at once.
STOP, END = 1, 2

Board = NDArray[np.int64]


@contextlib.contextmanager
def board_in_memory(tasks: int) -> Generator[Board]:
    """A board for this process and those that are forked from it."""
    yield np.frombuffer(mmap.mmap(-1, 8 * (tasks + 1)), np.int64)


@contextlib.contextmanager
def board_in_file(tasks: int) -> Generator[Board]:
    """A board for any processes, in a folder whose lock shows others that it is in use."""
    _remove_orphans(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder, locked(Path(folder)):
        yield np.memmap(Path(folder) / "board", np.int64, "w+", shape=(tasks + 1,))


@contextlib.contextmanager
def watched(board: Board, watch: Callable[[Board], None] | None) -> Generator[None]:
    """Call `watch` now and then, from another thread, with the progress, int64[tasks]; nobody watches where it is None."""
    ended = threading.Event()

    def poll() -> None:
        while watch is not None and not ended.wait(POLL_SECONDS):
            watch(np.array(board[:-1]))

    poller = threading.Thread(target=poll, daemon=True)
    poller.start()
    try:
        yield
    finally:
        ended.set()
        poller.join()


def _remove_orphans(parent: Path) -> None:
    """Remove the boards of killed processes."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, gone meanwhile, or another user's
            if time.time() - folder.stat().st_mtime > YOUNG_SECONDS:
                with locked(folder) as held:
                    if held:
                        shutil.rmtree(folder)
