"""Text files: read as UTF-8, and written whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from mapsearch.model.errors import InputError

_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}")  # the names that `write_whole` gives
MOST_BYTES = 2**28  # of a user's file


def read_text(path: Path, what: str, hint: str = "") -> str:
    """The text of a user's file; InputError, which names its kind `what` and ends with `hint`, where it cannot be read."""
    return decode(read_bytes(path, what, hint), str(path), what)


def read_bytes(path: Path, what: str, hint: str = "", most: int = MOST_BYTES) -> bytes:
    """The content of a user's file, as `read_text`; most: bytes that it may have."""
    try:
        with path.open("rb") as file:  # a pipe, or a device that never ends, too
            size = os.fstat(file.fileno()).st_size
            content = file.read(most + 1) if size <= most else b""
    except OSError as error:
        raise InputError(f"{path}: the {what} must be readable: {error.strerror}{hint}") from None
    except ValueError as error:
        raise InputError(f"{str(path)!r}: a path must be UTF-8 text without zero bytes: {error}") from None
    if max(size, len(content)) > most:
        raise InputError(f"{path}: the {what} must have at most {most:,} bytes, got more")
    return content


def decode(data: bytes, where: str, what: str) -> str:
    """The text of a file's bytes; raises InputError unless they are UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{where}: the {what} must be UTF-8 text, got byte {byte:#04x} at offset {error.start}") from None


def in_file_name(text: str) -> str:
    """The text as part of a file's name: unsuitable characters become underscores, and it is cut to a legal length."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text)[:80]


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file (a text as UTF-8) by a temporary file beside it, so that no reader ever sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)  # less the umask, as any new file
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> list[Path]:
    """Write files by name to a folder, which is made if need be, and return their paths; InputError where it is not writable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise InputError(f"{folder}: the folder must be writable: {error.strerror}; name another by --out") from None
    return [folder / name for name in files]


def remove_leftovers(*folders: Path) -> None:
    """Remove the temporary files of killed writers; no other process may be writing to these folders."""
    for folder in folders:
        for path in folder.glob(".*"):
            if _TEMPORARY.fullmatch(path.name):
                path.unlink(missing_ok=True)
