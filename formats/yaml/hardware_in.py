"""The sources of hardware: presets by name, files and plain dicts, with what they leave out, and with single keys changed.

A user's file or dict may leave out keys, also single keys of l1, l2, noc and offchip; they take the values of the preset `edge`.
But `bits` must state all three widths, and a technology must be complete or name another file (`technology`). A missing `name` is
the file's stem, or "custom". Where tensors have parts of a buffer, or wires, of their own, what they share is not filled in. An
array's rows and columns say the number of PEs.

Files of other formats are turned into these keys (`registry.HardwareImporter`).

After a name or a path, single keys may be changed: `edge,pes=64,l1.bytes=256`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, cast

from mapsearch.formats.registry import hardware_importer
from mapsearch.formats.shipped import find_named, read_named
from mapsearch.formats.text import decode
from mapsearch.formats.yaml.hardware_keys import TENSORS
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, did_you_mean, short, show
from mapsearch.model.fpga import Fpga
from mapsearch.model.sparsity import Level
from mapsearch.spaces.machines.space import KINDS

_EXAMPLE = "pes: 256"
_DEFAULT = "edge"
_PARTS = ("l1", "l2", "noc", "offchip")
# The keys that may be changed after a name or a path.
_CHANGED = (
    "name",
    *KINDS,
    *(f"array.{key}" for key in ("rows", "columns", "run.dim", "run.longest", "run.least")),
    "l2.tensors",
    "l2.residency",
    "technology",
    *(f"fpga.{field.name}" for field in fields(Fpga)),
    "sparse.skip",
    "sparse.gate",
    "sparse.lanes.weight",
    "sparse.lanes.input",
    "sparse.balanced",
    *(f"sparse.format.{level.label}.{tensor}" for level in Level for tensor in TENSORS),
    *(f"budget.{key}" for key in ("area_mm2", "power_mw", "bandwidth", "peak_gops", "dsp", "bram_18k")),
)
# The keys of a source that a changed key takes the place of.
_REPLACED = {
    "noc.bytes_per_cycle": tuple(f"noc.{tensor}" for tensor in TENSORS),
    **dict.fromkeys((f"noc.{tensor}" for tensor in TENSORS), ("noc.bytes_per_cycle",)),
    **dict.fromkeys(("array.rows", "array.columns"), ("pes",)),
    **{f"{buffer}.buffering": (f"{buffer}.double_buffered",) for buffer in ("l1", "l2")},
    **{f"{buffer}.double_buffered": (f"{buffer}.buffering",) for buffer in ("l1", "l2")},
}
Source = str | Path | Mapping[str, object]


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 any file may be meant as YAML
    """See `HardwareImporter`."""
    return True


def read_hardware(data: bytes, where: str) -> dict[str, object]:
    """See `HardwareImporter`."""
    return parse_mapping(decode(data, where, "hardware file"), where, _EXAMPLE)


def read_source(source: Source) -> tuple[dict[str, Any], str, Path]:
    """The keys of a source with defaults filled in, its name in errors, and the folder that its paths are relative to."""
    if isinstance(source, Mapping):
        return with_defaults({"name": "custom", **source}), "hardware", Path()
    given, where, folder = given_keys(source)
    return with_defaults(given), where, folder


def given_keys(source: str | Path) -> tuple[dict[str, object], str, Path]:
    """As `_read`, but only with the keys that the source states, and its name."""
    file, changes = _changes(source)
    found, where = find_named("hardware", file, Path())
    data = {"name": Path(file).stem, **hardware_importer(str(file), found).read_hardware(found, where)}
    if changes:
        where = ",".join([where, *map(short, changes)])
        data = _changed(data, changes, where)
    return data, where, Path(file).parent


def _changes(source: object) -> tuple[Any, list[str]]:
    """A source without the changes after it, and the changes, such as `pes=64`; a text that is a file's path has none."""
    if not isinstance(source, str) or os.path.isfile(source):  # noqa: PTH113 Path.is_file raises where the text is too long for a path
        return source, []
    file, *changes = re.split(r",\s*(?=[A-Za-z_][\w.]*=)", source)
    return file, changes


def _changed(data: dict[str, object], changes: list[str], where: str) -> dict[str, object]:
    """The keys after the changes, whose values are YAML; the changes are added to the name."""
    stated = dict(change.split("=", 1) for change in changes)
    if len(stated) < len(changes):
        raise InputError(f"{where}: a key must stand once; remove one")
    unknown = next((key for key in stated if key not in _CHANGED), None)
    if unknown is not None:
        raise InputError(
            f"{where}: unknown key {show(unknown)}{did_you_mean(unknown, _CHANGED)}; the keys are {_keys_like(unknown)}"
        )
    changed = {**data, "name": ",".join([str(data["name"]), *(" ".join(each.split()) for each in changes)])}
    for key in (each for changing in stated for each in _REPLACED.get(changing, ())):
        changed = _without(changed, key.split("."))
    for key, text in stated.items():
        value = parse_mapping(f"{key}: {text}", where, _EXAMPLE)[key]
        if key == "technology" and isinstance(value, str):
            value = found_from(value, Path())
        if key.startswith("bits."):  # which a source states whole or not at all
            changed = {"bits": _default()["bits"], **changed}
        changed = _put(changed, key.split("."), value)
    return changed


def _keys_like(key: str) -> str:
    """The keys that may be changed: those of the same part, or else those of no part and the parts."""
    part = f"{key.partition('.')[0]}."
    alike = [each for each in _CHANGED if each.startswith(part)]
    parts = dict.fromkeys(each.partition(".")[0] for each in _CHANGED if "." in each)
    alone = [each for each in _CHANGED if "." not in each]
    return ", ".join(alike) if alike else f"{', '.join(alone)}, and those of {', '.join(parts)}, such as l1.bytes"


def _put(data: Mapping[str, object], path: Sequence[str], value: object) -> dict[str, object]:
    """A copy with the value at a path of keys."""
    first, *rest = path
    return {**data, first: _put(_mapping(data.get(first)), rest, value) if rest else value}


def _without(data: Mapping[str, object], path: Sequence[str]) -> dict[str, object]:
    """A copy without the value at a path of keys, if there is one."""
    first, *rest = path
    if rest and isinstance(data.get(first), Mapping):
        return {**data, first: _without(_mapping(data[first]), rest)}
    return {key: value for key, value in data.items() if rest or key != first}


def _mapping(data: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", data) if isinstance(data, Mapping) else {}


def found_from(word: str, folder: Path) -> str:
    """A path, with the changes after it, made absolute; a shipped name unchanged."""
    file, changes = _changes(word)
    return ",".join([str((folder / file).resolve()) if any(char in file for char in "./\\") else file, *changes])


def with_defaults(data: Mapping[str, object]) -> dict[str, Any]:
    """A copy of the keys, with those of `edge` where they are left out."""
    default = _default()
    merged: dict[str, Any] = deepcopy({**default, **data})
    for part in _PARTS:
        if isinstance(merged[part], Mapping):
            given = _mapping(merged[part])
            merged[part] = {**_usual(given, _mapping(default[part])), **given}
    rows, columns = (_mapping(data.get("array")).get(side) for side in ("rows", "columns"))
    if "pes" not in data and type(rows) is int and type(columns) is int and min(rows, columns) > 0:
        merged["pes"] = rows * columns
    return merged


def _usual(given: Mapping[str, object], usual: Mapping[str, object]) -> Mapping[str, object]:
    """The keys that a part of a machine has where they are not given, without those that what is given takes the place of."""
    replaced = {"bytes", "bytes_per_cycle"} if any(given.get(tensor) is not None for tensor in TENSORS) else set[str]()
    if given.get("buffering") is not None:
        replaced.add("double_buffered")
    return {key: value for key, value in usual.items() if key not in replaced}


@cache
def _default() -> Mapping[str, object]:
    return parse_mapping(*read_named("hardware", _DEFAULT, Path()), _EXAMPLE)
