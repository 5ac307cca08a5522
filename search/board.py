"""The board that a parent and its searches share: the progress of each search, and a flag that stops all."""

from __future__ import annotations

import contextlib
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

Board = NDArray[np.int64]


@contextlib.contextmanager
def board_of(tasks: int, watch: Callable[[Board], None] | None, *, shared: bool) -> Generator[Board]:
    """A board, int64[tasks + 1]: the progress of each task and, last, 1 to stop; shared: in a file that other processes map.

    watch: called now and then, from another thread, with the progress, int64[tasks].
    """
    with _in_file(tasks + 1) if shared else contextlib.nullcontext(np.zeros(tasks + 1, np.int64)) as board:
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
def _in_file(size: int) -> Generator[Board]:
    """A board in a folder whose lock shows other processes that it is in use."""
    _remove_orphans(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder, locked(Path(folder)):
        yield np.memmap(Path(folder) / "board", np.int64, "w+", shape=(size,))


def _remove_orphans(parent: Path) -> None:
    """Remove the boards of killed processes."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, gone meanwhile, or another user's
            if time.time() - folder.stat().st_mtime > YOUNG_SECONDS:
                with locked(folder) as held:
                    if held:
                        shutil.rmtree(folder)
