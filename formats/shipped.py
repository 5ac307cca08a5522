"""Shipped files by name, a user's by path."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from mapsearch.formats.text import MOST_BYTES, decode, read_bytes
from mapsearch.model.errors import InputError, did_you_mean, show

_DATA = files("mapsearch.formats") / "data"


def shipped(kind: str) -> list[str]:
    """The names of the shipped files of a kind; a kind is a folder of `data`, such as `layer_sets`."""
    return sorted(entry.name.removesuffix(".yaml") for entry in (_DATA / kind).iterdir())


def read_named(kind: str, source: object, folder: Path) -> tuple[str, str]:
    """The text of a shipped file or of a user's, and its name in errors; source: a name, or a path relative to `folder`.

    A source is a path if it has a suffix or a slash, else a name; where no file is there, NAME.yaml is the shipped one. Raises
    InputError.
    """
    data, where = find_named(kind, source, folder)
    return decode(data, where, f"{_word(kind)} file"), where


def find_named(kind: str, source: object, folder: Path, most: int = MOST_BYTES) -> tuple[bytes, str]:
    """As `read_named`, for a file that need not be text; most: bytes that it may have."""
    names, word = shipped(kind), _word(kind)
    if not isinstance(source, str | Path):
        raise InputError(f"a {word} must be a name, one of {', '.join(names)}, or a file's path, got {show(source)}")
    if isinstance(source, str):
        if source in names:
            return (_DATA / kind / f"{source}.yaml").read_bytes(), f"{word} {source}"
        if not re.search(r"[./\\]", source):
            hint = did_you_mean(source, names)
            raise InputError(f"no {word} is called {show(source)}{hint}; there are {', '.join(names)}, or give a file's path")
    path = folder / source
    known = str(source).removesuffix(".yaml")
    if known in names and not path.exists():
        return find_named(kind, known, folder, most)
    return read_bytes(path, f"{word} file", f"; shipped are {', '.join(names)}", most), str(path)


def _word(kind: str) -> str:
    return kind.removesuffix("s").replace("_", " ")
