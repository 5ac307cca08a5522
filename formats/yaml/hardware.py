"""Hardware files, of one machine or of a space of machines: presets by name, YAML files, and plain dicts.

A user's file or dict may leave out keys, also single keys of l1, l2, noc and offchip; they take the values of the preset `edge`.
But `bits` must state all three widths, and a technology must be complete or name another file (`technology`). A missing `name` is
the file's stem, or "custom".

Any number may be a range or a list of choices, any flag a list (`ranges`), and a `budget:` may set limits: such a file describes a
space of machines. Files of other formats are turned into these keys (`registry.HardwareImporter`).

After a name or a path, single keys may be changed: `edge,pes=64,l1.bytes=256`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.registry import hardware_importer
from mapsearch.formats.shipped import find_named, read_named, shipped
from mapsearch.formats.text import decode
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.formats.yaml.ranges import budget_of, limits_of, values_of
from mapsearch.formats.yaml.technology import Line, load_technology, sources_by_part, technology_to_dict
from mapsearch.model.errors import HardwareError, InputError, did_you_mean, short, show
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip
from mapsearch.spaces.machines.space import KINDS, Axis, HardwareSpace, Limits

_EXAMPLE = "pes: 256"
_DEFAULT = "edge"
_PARTS = ("l1", "l2", "noc", "offchip")
_TENSORS = ("weight", "input", "output")
# The keys that may be changed after a name or a path.
_CHANGED = ("name", *KINDS, "technology", *(f"budget.{key}" for key in ("area_mm2", "power_mw", "bandwidth", "peak_gops")))
_SPACE = "_space"  # the end of the names of presets that are spaces
_TAKEN = {
    "area_mm2": ("", "mm²"),
    "power_mw": (" of leakage", "mW"),
    "offchip_gb_per_s": (" of bandwidth", "GB/s"),
    "offchip_bytes_per_cycle": (" of bandwidth", "bytes/cycle"),
    "peak_gops": (" at its peak", "GOPS"),
}
Source = str | Path | Mapping[str, object]


def names() -> list[str]:
    """The names of the presets that are one machine."""
    return [name for name in shipped("hardware") if not name.endswith(_SPACE)]


def space_names() -> list[str]:
    """The names of the presets that are a space of machines."""
    return [name for name in shipped("hardware") if name.endswith(_SPACE)]


def load_hardware(source: Source) -> Hardware:
    """The machine that a preset's name, a file's path or the keys of a file describe.

    A text is a path if it has a suffix or a slash, else a preset's name. A technology's path is relative to the hardware file's
    folder, or to the working directory where keys are given. Raises HardwareError, also for several values of a key or a budget.
    """
    with _hardware_errors():
        data, where, folder = _read(source)
        space = _space(data, where, folder)
        if not space.is_one_machine:
            many = [*(axis.key for axis in space.axes), *(["budget"] if space.limits != Limits() else [])]
            raise HardwareError(
                f"{where}: must be one machine here, but is a space of them by its {', '.join(many)}; give single values and no "
                "budget, or use a command that takes spaces: mapsearch hardware, mapsearch run, mapsearch sweep"
            )
        return space.base


def load_hardware_space(source: Source) -> HardwareSpace:
    """The machines of a source, as for `load_hardware` but with ranges, lists of choices and a budget allowed.

    Raises HardwareError, also where no machine is within the budget.
    """
    with _hardware_errors():
        data, where, folder = _read(source)
        space = _space(data, where, folder)
        _check_budget(space, where)
        return space


def technology_sources(source: Source) -> dict[str, dict[str, str]]:
    """The sources of the figures of a hardware's technology: see `technology.sources_by_part`."""
    with _hardware_errors():
        data, where, folder = _read(source)
        return sources_by_part(data["technology"], where, folder)


def hardware_to_dict(hardware: Hardware) -> dict[str, Any]:
    """The hardware as the keys of a file, the technology inline, from which load_hardware makes an equal one."""
    data = asdict(hardware)
    data["bits"] = dict(zip(_TENSORS, hardware.bits, strict=True))
    for name, buffer in (("l1", hardware.l1), ("l2", hardware.l2)):
        data[name] = {"bytes": buffer.bytes, "double_buffered": buffer.buffering is Buffering.DOUBLE}
    del data["noc"]["wires"], data["array"], data["run"]
    data["technology"] = technology_to_dict(hardware.technology)
    return data


def hardware_space_to_dict(space: HardwareSpace) -> dict[str, Any]:
    """The space as the keys of a file, axes as lists, from which load_hardware_space makes an equal one."""
    data = hardware_to_dict(space.base)
    for axis in space.axes:
        part, name = _place(data, axis.key)
        part[name] = list(axis.values)
    budget = budget_of(space.limits)
    return {**data, "budget": budget} if budget else data


def yaml_text(source: str | Path) -> str:
    """The text of a YAML file: of a preset its own file with its comments, of any other source one with all of its keys."""
    with _hardware_errors():
        if source in shipped("hardware"):
            return read_named("hardware", source, Path())[0]
        given, where, folder = _given(source)
        data = _with_defaults(given)
        _space(deepcopy(data), where, folder)  # refuses what is wrong
        if isinstance(data["technology"], str):
            data["technology"] = found_from(data["technology"], folder)
        if "source" not in given:
            del data["source"]
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


@contextmanager
def _hardware_errors() -> Generator[None, None, None]:
    """Raise every InputError as a HardwareError."""
    try:
        yield
    except InputError as error:
        raise HardwareError(str(error)) from None


def _read(source: Source) -> tuple[dict[str, Any], str, Path]:
    """The keys of a source with defaults filled in, its name in errors, and the folder that its paths are relative to."""
    if isinstance(source, Mapping):
        return _with_defaults({"name": "custom", **source}), "hardware", Path()
    given, where, folder = _given(source)
    return _with_defaults(given), where, folder


def _given(source: str | Path) -> tuple[dict[str, object], str, Path]:
    """As `_read`, but only with the keys that the source states, and its name."""
    file, changes = _changes(source)
    found, where = find_named("hardware", file, Path())
    data = {"name": Path(file).stem, **hardware_importer(str(file), found).read_hardware(found, where)}
    if changes:
        where = ",".join([where, *map(short, changes)])
        data = _changed(data, changes, where)
    return data, where, Path(file).parent


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 any file may be meant as YAML
    """See `HardwareImporter`."""
    return True


def read_hardware(data: bytes, where: str) -> dict[str, object]:
    """See `HardwareImporter`."""
    return parse_mapping(decode(data, where, "hardware file"), where, _EXAMPLE)


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
    changed: dict[str, Any] = {**data, "name": ",".join([str(data["name"]), *(" ".join(each.split()) for each in changes)])}
    for key, text in stated.items():
        if key not in _CHANGED:
            raise InputError(f"{where}: unknown key {show(key)}{did_you_mean(key, _CHANGED)}; the keys are {', '.join(_CHANGED)}")
        part, dot, inner = key.partition(".")
        value = parse_mapping(f"{key}: {text}", where, _EXAMPLE)[key]
        if key == "technology" and isinstance(value, str):
            value = found_from(value, Path())
        if dot:
            value = {**_part(changed, part), inner: value}
        changed[part] = value
    return changed


def _part(data: Mapping[str, Any], part: str) -> Mapping[str, object]:
    """The keys that a file states of a part; of a part that is stated whole, all of them."""
    given = data.get(part, _default()["bits"] if part == "bits" else {})
    return cast("Mapping[str, object]", given) if isinstance(given, Mapping) else {}


def found_from(word: str, folder: Path) -> str:
    """A path, with the changes after it, made absolute; a shipped name unchanged."""
    file, changes = _changes(word)
    return ",".join([str((folder / file).resolve()) if any(char in file for char in "./\\") else file, *changes])


def _with_defaults(data: Mapping[str, object]) -> dict[str, Any]:
    """The keys, with those of `edge` where they are left out; parts are copied, so that a caller's dict does not change."""
    default = _default()
    merged: dict[str, Any] = {**default, **data}
    for part in _PARTS:
        given, usual = merged[part], default[part]
        if isinstance(given, Mapping) and isinstance(usual, Mapping):
            merged[part] = {**usual, **given}
    if isinstance(merged["bits"], Mapping):
        merged["bits"] = {**merged["bits"]}
    return merged


@cache
def _default() -> Mapping[str, object]:
    return parse_mapping(*read_named("hardware", _DEFAULT, Path()), _EXAMPLE)


def _place(data: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """The mapping that holds a key of KINDS, empty where there is none, and the key's name in it."""
    part, dot, name = key.partition(".")
    if not dot:
        return data, part
    return (data[part] if isinstance(data[part], dict) else {}), name


# The types and keys of a file; the dataclass of the hardware checks the ranges.


class _BitsKeys(Keys):
    weight: int
    input: int
    output: int


class _BufferKeys(Keys):
    bytes: int
    double_buffered: bool

    def buffer(self) -> Buffer:
        return Buffer(self.bytes, Buffering.DOUBLE if self.double_buffered else Buffering.SINGLE)


class _NocKeys(Keys):
    bytes_per_cycle: int
    latency_cycles: int
    multicast: bool
    reduction: bool


class _OffchipKeys(Keys):
    bytes_per_cycle: int
    latency_cycles: int


class _HardwareKeys(Keys):
    name: Line
    source: str = ""
    pes: int
    simd: int
    clock_mhz: float
    bits: _BitsKeys
    l1: _BufferKeys
    l2: _BufferKeys
    noc: _NocKeys
    offchip: _OffchipKeys
    technology: object  # a name, a path or a mapping, told apart in load_technology
    budget: object = None  # a space's, see limits_of


_FILE = TypeAdapter(_HardwareKeys)


def _space(data: dict[str, Any], where: str, folder: Path) -> HardwareSpace:
    budget = data.get("budget")
    axes: list[Axis] = []
    for key in KINDS:
        part, name = _place(data, key)
        if isinstance(part.get(name), list | dict):
            values = values_of(part[name], key, where)
            part[name] = values[0]
            if len(values) > 1:
                axes.append(Axis(key, values))
    limits = Limits() if budget is None else limits_of(budget, where)
    base = _machine(data, where, folder)
    try:
        space = HardwareSpace(base.name, base, tuple(axes), limits)
        _ = space.largest  # checks the other end of each axis; this is enough, as each law of a machine is about one key
    except HardwareError as error:
        raise HardwareError(f"{where}: {error}") from None
    return space


def _machine(data: Mapping[str, object], where: str, folder: Path) -> Hardware:
    keys = checked(_FILE, data, where)
    technology = load_technology(keys.technology, where, folder)
    try:
        return Hardware(
            name=keys.name,
            pes=keys.pes,
            simd=keys.simd,
            clock_mhz=keys.clock_mhz,
            bits=(keys.bits.weight, keys.bits.input, keys.bits.output),
            l1=keys.l1.buffer(),
            l2=keys.l2.buffer(),
            noc=Noc(**dict(keys.noc)),
            offchip=Offchip(**dict(keys.offchip)),
            technology=technology,
        )
    except HardwareError as error:
        raise HardwareError(f"{where}: {error}") from None


def _check_budget(space: HardwareSpace, where: str) -> None:
    """Refuse a budget that the smallest machine exceeds, since then all machines do."""
    least = Limits.met_by(space.base)
    for key, (what, unit) in _TAKEN.items():
        taken, limit = getattr(least, key), getattr(space.limits, key)
        if taken > limit:
            raise HardwareError(
                f"{where}: the smallest machine needs {taken:.6g} {unit}{what}, the budget is {limit:.6g} {unit}; allow more, or "
                "let the ranges begin lower"
            )
