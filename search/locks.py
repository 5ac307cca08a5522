"""A lock on a folder, for one process at a time. The operating system releases it however the process ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


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
        os.close(handle)
