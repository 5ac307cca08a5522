"""A lock on a folder, for one process at a time. The operating system releases it however the process ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_HANDLES: set[int] = set()


def let_go_of_locks() -> None:
    """In a forked process, let go of the locks that its parent holds and keeps: they would outlive a killed parent with it."""
    while _HANDLES:
        os.close(_HANDLES.pop())


@contextmanager
def locked(folder: Path) -> Generator[bool]:
    """Lock a folder, without any file in it; yields False where the system or the file system has no such locks.

    Raises BlockingIOError where another process has the lock, and OSError where the folder cannot be read.
    """
    if sys.platform == "win32":
        yield False
        return
    import fcntl  # noqa: PLC0415 which Windows lacks

    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    _HANDLES.add(handle)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            held = False
        else:
            held = True
        yield held
    finally:
        _HANDLES.remove(handle)
        os.close(handle)
