"""The layers of a network from a file of any format, or from a folder of such files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mapsearch.formats.registry import LAYERS, Choices, LayersImporter, layers_importer
from mapsearch.formats.shipped import find_named
from mapsearch.formats.text import MOST_BYTES
from mapsearch.model.errors import InputError

Keys = dict[str, Any]


def find_layers(source: object) -> tuple[bytes, str, LayersImporter]:
    """The bytes of a shipped set or a user's file of layers, its name in errors, and its reader; raises InputError."""
    suffix = Path(source).suffix if isinstance(source, str | Path) else ""
    most = max((each.most_bytes for each in LAYERS if suffix in each.suffixes), default=MOST_BYTES)
    data, where = find_named("layer_sets", source, Path(), most)
    return data, where, layers_importer(str(source), data)


def is_folder(source: object) -> bool:
    """Whether the source of a network is a folder of files."""
    return isinstance(source, str | Path) and any(mark in str(source) for mark in "./\\") and Path(source).is_dir()


def layer_keys(source: object, choices: Choices) -> tuple[Keys, str]:
    """The keys of our layer-set file for a network, and the source's name in errors; raises InputError.

    source: a shipped name, the path of a file of any format, or the path of a folder, whose files are read in the order of their
    names as parts of one network.
    """
    if is_folder(source):
        folder = Path(str(source))
        return _joined(folder, [layer_keys(file, choices)[0] for file in _files(folder)]), str(folder)
    data, where, importer = find_layers(source)
    return importer.read_layers(data, where, choices), where


def _files(folder: Path) -> Iterator[Path]:
    suffixes = sorted({suffix for each in LAYERS for suffix in each.suffixes})
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix in suffixes and not each.is_dir())
    except OSError as error:
        raise InputError(f"{folder}: the folder must be readable: {error.strerror}") from None
    if not files:
        raise InputError(f"{folder}: the folder must hold files of layers, {', '.join(suffixes)}, and holds none")
    yield from files


def _joined(folder: Path, parts: list[Keys]) -> Keys:
    """The parts as one network; a part whose layers are no list is refused where the keys are checked."""
    others: Counter[str] = Counter()
    layers: list[object] = []
    for part in parts:
        rows = part.get("layers")
        layers += rows if isinstance(rows, list) else [rows]
        others.update(part.get("other_parameters", {}))
    name = folder.resolve().name
    head: Keys = {"title": name, "source": f"{len(parts)} files of the folder {name}"}
    return head | ({"other_parameters": dict(others)} if others else {}) | {"layers": layers}
