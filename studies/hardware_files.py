"""Hardware and technology files: presets by name, YAML files, plain dicts, and MAESTRO's own hardware files.

A user's file or dict may leave out keys; they take the values of the preset `edge`, also single keys of l1, l2, noc and
offchip. What belongs together is given together: `bits` names all three widths, and a technology is another file or stands whole
(`technology_files`). `name` is the file's stem or "custom" where it is left out.

MAESTRO's files (`num_pes: 256`, `l1_size_cstr: 512`, ...; github.com/maestro-project/maestro, `--HW_file`) are recognised
by their keys. Their sizes are elements of one byte, their buffers are double-buffered, and a constraint left out is
unlimited (the largest int32), whose energies and areas then mean nothing; the rest is `edge`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mapsearch.model.errors import HardwareError, InputError, did_you_mean
from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip
from mapsearch.studies.technology_files import Keys, Line, load_technology, technology_to_dict
from mapsearch.studies.yaml_files import parse_mapping, read_named, shipped, show, validate

_EXAMPLE = "pes: 256"
_DEFAULT = "edge"
_PARTS = ("l1", "l2", "noc", "offchip")
_TENSORS = ("weight", "input", "output")
_INT_MAX = 2**31 - 1
# MAESTRO's keys and the values that they have where a file leaves them out.
_MAESTRO_DEFAULTS = {
    "num_pes": 1,
    "l1_size_cstr": _INT_MAX,
    "l2_size_cstr": _INT_MAX,
    "noc_bw_cstr": _INT_MAX,
    "offchip_bw_cstr": _INT_MAX,
    "NoC_NumHops": 1,
}
_MAESTRO_FILE = re.compile(rf"^\s*(?:{'|'.join(_MAESTRO_DEFAULTS)})\b", re.MULTILINE)


def names() -> list[str]:
    """The presets' names."""
    return shipped("hardware")


def load_hardware(source: str | Path | Mapping[str, object]) -> Hardware:
    """The hardware of a preset's name, a file's path or a mapping of a file's keys.

    A text is a path where it has a suffix or a slash, else a preset's name. A relative path of a technology is taken from
    the hardware file's folder (from the working directory where a mapping is given). Raises HardwareError.
    """
    try:
        return _load(source)
    except InputError as error:
        raise HardwareError(str(error)) from None


def _load(source: str | Path | Mapping[str, object]) -> Hardware:
    if isinstance(source, Mapping):
        return _hardware({"name": "custom", **source}, "hardware", Path())
    text, where = read_named("hardware", source, Path())
    data = _maestro(text, where) if _MAESTRO_FILE.search(text) else parse_mapping(text, where, _EXAMPLE)
    return _hardware({"name": Path(source).stem, **data}, where, Path(source).parent)


def hardware_to_dict(hardware: Hardware) -> dict[str, Any]:
    """The hardware as plain data of a file's keys, the technology inline: load_hardware gives back an equal hardware."""
    data = asdict(hardware)
    data["bits"] = dict(zip(_TENSORS, hardware.bits, strict=True))
    data["technology"] = technology_to_dict(hardware.technology)
    return data


# What a file may say: types and keys here, ranges of the hardware in its dataclass.


class _BitsKeys(Keys):
    weight: int
    input: int
    output: int


class _BufferKeys(Keys):
    bytes: int
    double_buffered: bool


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


def _hardware(data: Mapping[str, object], where: str, folder: Path) -> Hardware:
    keys = validate(_HardwareKeys, _with_defaults(data), where)
    technology = load_technology(keys.technology, where, folder)
    try:
        return Hardware(
            name=keys.name,
            pes=keys.pes,
            simd=keys.simd,
            clock_mhz=keys.clock_mhz,
            bits=(keys.bits.weight, keys.bits.input, keys.bits.output),
            l1=Buffer(**dict(keys.l1)),
            l2=Buffer(**dict(keys.l2)),
            noc=Noc(**dict(keys.noc)),
            offchip=Offchip(**dict(keys.offchip)),
            technology=technology,
        )
    except HardwareError as error:
        raise HardwareError(f"{where}: {error}") from None


def _with_defaults(data: Mapping[str, object]) -> dict[str, object]:
    default = parse_mapping(*read_named("hardware", _DEFAULT, Path()), _EXAMPLE)
    merged = {**default, **data}
    for part in _PARTS:
        given, usual = merged[part], default[part]
        if isinstance(given, Mapping) and isinstance(usual, Mapping):
            merged[part] = {**usual, **given}
    return merged


def _maestro(text: str, where: str) -> dict[str, object]:
    """A file's keys from MAESTRO's: each key is followed by an integer, `//` starts a comment."""
    words = re.split(r"[\s:;,]+", re.sub(r"//.*", "", text).strip(" \t\r\n:;,"))
    values: dict[str, int] = {}
    for key, value in zip(words[::2], [*words[1::2], ""], strict=False):
        if key not in _MAESTRO_DEFAULTS:
            raise HardwareError(
                f"{where}: unknown key {show(key)}{did_you_mean(key, _MAESTRO_DEFAULTS)}; MAESTRO's keys are "
                f"{', '.join(_MAESTRO_DEFAULTS)}"
            )
        if key in values:
            raise HardwareError(f"{where}: {key} must stand once, but stands twice; remove one")
        if not re.fullmatch(r"[0-9]{1,10}", value) or not 1 <= int(value) <= _INT_MAX:
            raise HardwareError(f"{where}: {key} must be a whole number from 1 to {_INT_MAX}, got {show(value)}")
        values[key] = int(value)
    values = {**_MAESTRO_DEFAULTS, **values}
    return {
        "pes": values["num_pes"],
        "bits": dict.fromkeys(_TENSORS, 8),
        "l1": {"bytes": values["l1_size_cstr"], "double_buffered": True},
        "l2": {"bytes": values["l2_size_cstr"], "double_buffered": True},
        "noc": {
            "bytes_per_cycle": values["noc_bw_cstr"],
            "latency_cycles": values["NoC_NumHops"],
            "multicast": True,
            "reduction": True,
        },
        "offchip": {"bytes_per_cycle": values["offchip_bw_cstr"], "latency_cycles": 0},
    }
