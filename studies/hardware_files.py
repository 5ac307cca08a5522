"""Hardware and technology files: presets by name, YAML files, plain dicts, and MAESTRO's own hardware files.

A user's file or dict may leave out keys; they take the values of the preset `edge`, also single keys of l1, l2, noc and
offchip. What belongs together is given together: `bits` names all three widths, and a technology states every figure, as
a mixture of two would describe no machine. `name` is the file's stem or "custom" where it is left out.

MAESTRO's files (`num_pes: 256`, `l1_size_cstr: 512`, ...; github.com/maestro-project/maestro, `--HW_file`) are recognised
by their keys. Their sizes are elements of one byte, their buffers are double-buffered, and a constraint left out is
unlimited (the largest int32), whose energies and areas then mean nothing; the rest is `edge`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from reprlib import Repr
from typing import Annotated, Any, Literal, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mapsearch.model.errors import HardwareError
from mapsearch.model.hardware import Buffer, BufferTechnology, Hardware, Noc, Offchip, PowerLaw, Technology

_DATA = files("mapsearch.studies") / "data"
_DEFAULT = "edge"
_PARTS = ("l1", "l2", "noc", "offchip")
_TENSORS = ("weight", "input", "output")
_LEVELS = ("l1", "noc", "l2", "offchip")  # the order of Technology.compressed
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
    return _shipped("hardware")


def load_hardware(source: str | Path | Mapping[str, object]) -> Hardware:
    """The hardware of a preset's name, a file's path or a mapping of a file's keys.

    A text is a path where it has a suffix or a slash, else a preset's name. A relative path of a technology is taken from
    the hardware file's folder (from the working directory where a mapping is given). Raises HardwareError.
    """
    if isinstance(source, Mapping):
        return _hardware({"name": "custom", **source}, "hardware", Path())
    text, where = _read("hardware", source, Path())
    data = _maestro(text, where) if _MAESTRO_FILE.search(text) else _parse(text, where)
    return _hardware({"name": Path(source).stem, **data}, where, Path(source).parent)


def hardware_to_dict(hardware: Hardware) -> dict[str, Any]:
    """The hardware as plain data of a file's keys, the technology inline: load_hardware gives back an equal hardware."""
    data = asdict(hardware)
    data["bits"] = dict(zip(_TENSORS, hardware.bits, strict=True))
    technology = data["technology"]
    for figure in ("mac_pj", "mac_area_mm2", "noc_pj_per_bit", "offchip_pj_per_bit"):
        technology[figure] = {"value": technology[figure]}
    technology["compressed"] = [level for level, yes in zip(_LEVELS, hardware.technology.compressed, strict=True) if yes]
    return data


# What a file may say: types and keys here, ranges of the hardware in its dataclass.

_Line = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]
_Bits = Annotated[int, Field(ge=1, le=2**20)]
_Amount = Annotated[float, Field(ge=0, le=1e9)]
_Exponent = Annotated[float, Field(ge=-4, le=4)]


class _Keys(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class _Figure(_Keys):
    value: _Amount
    source: str = ""


class _Law(_Keys):
    factor: _Amount
    exponent: _Exponent
    source: str = ""


class _BufferTechnologyKeys(_Keys):
    access_bits: _Bits
    read_pj: _Law
    write_pj: _Law
    area_mm2: _Law
    leakage_mw: _Law


class _TechnologyKeys(_Keys):
    name: _Line
    mac_bits: _Bits
    mac_pj: _Figure
    mac_area_mm2: _Figure
    l1: _BufferTechnologyKeys
    l2: _BufferTechnologyKeys
    noc_pj_per_bit: _Figure
    offchip_pj_per_bit: _Figure
    compressed: list[Literal["l1", "noc", "l2", "offchip"]] = []


class _BitsKeys(_Keys):
    weight: int
    input: int
    output: int


class _BufferKeys(_Keys):
    bytes: int
    double_buffered: bool


class _NocKeys(_Keys):
    bytes_per_cycle: int
    latency_cycles: int
    multicast: bool
    reduction: bool


class _OffchipKeys(_Keys):
    bytes_per_cycle: int
    latency_cycles: int


class _HardwareKeys(_Keys):
    name: _Line
    source: str = ""
    pes: int
    simd: int
    clock_mhz: float
    bits: _BitsKeys
    l1: _BufferKeys
    l2: _BufferKeys
    noc: _NocKeys
    offchip: _OffchipKeys
    technology: object  # a name, a path or a mapping, told apart in _technology


_Model = TypeVar("_Model", bound=BaseModel)


def _hardware(data: Mapping[str, object], where: str, folder: Path) -> Hardware:
    keys = _validate(_HardwareKeys, _with_defaults(data), where)
    technology = _technology(keys.technology, where, folder)
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
    default = _parse(*_read("hardware", _DEFAULT, Path()))
    merged = {**default, **data}
    for part in _PARTS:
        given, usual = merged[part], default[part]
        if isinstance(given, Mapping) and isinstance(usual, Mapping):
            merged[part] = {**usual, **given}
    return merged


def _technology(given: object, where: str, folder: Path) -> Technology:
    if isinstance(given, str):
        text, where = _read("technology", given, folder)
        data = _parse(text, where)
    elif isinstance(given, dict):
        data, where = cast("dict[str, object]", given), f"{where}: technology"
    else:
        raise HardwareError(
            f"{where}: technology must be {', '.join(_shipped('technology'))}, a path or a mapping, got {_show(given)}"
        )
    keys = _validate(_TechnologyKeys, data, where)
    at_l1, at_noc, at_l2, at_offchip = (level in keys.compressed for level in _LEVELS)
    return Technology(
        name=keys.name,
        mac_bits=keys.mac_bits,
        mac_pj=keys.mac_pj.value,
        mac_area_mm2=keys.mac_area_mm2.value,
        l1=_buffer_technology(keys.l1),
        l2=_buffer_technology(keys.l2),
        noc_pj_per_bit=keys.noc_pj_per_bit.value,
        offchip_pj_per_bit=keys.offchip_pj_per_bit.value,
        compressed=(at_l1, at_noc, at_l2, at_offchip),
    )


def _buffer_technology(keys: _BufferTechnologyKeys) -> BufferTechnology:
    laws = (keys.read_pj, keys.write_pj, keys.area_mm2, keys.leakage_mw)
    read_pj, write_pj, area_mm2, leakage_mw = (PowerLaw(law.factor, law.exponent) for law in laws)
    return BufferTechnology(keys.access_bits, read_pj, write_pj, area_mm2, leakage_mw)


# Text in.


def _shipped(kind: str) -> list[str]:
    return sorted(entry.name.removesuffix(".yaml") for entry in (_DATA / kind).iterdir())


def _read(kind: str, source: str | Path, folder: Path) -> tuple[str, str]:
    """The text of a shipped name or of a path, and how errors call it."""
    shipped = _shipped(kind)
    if isinstance(source, str):
        if source in shipped:
            return (_DATA / kind / f"{source}.yaml").read_text(encoding="utf-8"), f"{kind} {source}"
        if not re.search(r"[./\\]", source):
            hint = _did_you_mean(source, shipped)
            raise HardwareError(f"no {kind} is called {_show(source)}{hint}; there are {', '.join(shipped)}, or give a file's path")
    path = folder / source
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except OSError as error:
        raise HardwareError(
            f"{path}: the {kind} file must be readable: {error.strerror}; shipped are {', '.join(shipped)}"
        ) from None
    except ValueError as error:
        raise HardwareError(f"{str(path)!r}: the {kind} file must be UTF-8 text: {error}") from None


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, where YAML's usual loader would keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: the key {key.value} stands twice; remove one")
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _parse(text: str, where: str) -> dict[str, object]:
    try:
        data: object = yaml.load(text, _UniqueKeys)  # noqa: S506 a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise HardwareError(f"{where}: must be YAML: {' '.join(str(error).split())}") from None
    if data is None:
        raise HardwareError(f"{where}: must state at least one key, such as `pes: 256`, but is empty")
    if not isinstance(data, dict):
        raise HardwareError(f"{where}: must be a mapping of keys such as `pes: 256`, got {_show(data)}")
    return cast("dict[str, object]", data)


def _maestro(text: str, where: str) -> dict[str, object]:
    """A file's keys from MAESTRO's: each key is followed by an integer, `//` starts a comment."""
    words = re.split(r"[\s:;,]+", re.sub(r"//.*", "", text).strip(" \t\r\n:;,"))
    values: dict[str, int] = {}
    for key, value in zip(words[::2], [*words[1::2], ""], strict=False):
        if key not in _MAESTRO_DEFAULTS:
            raise HardwareError(
                f"{where}: unknown key {_show(key)}{_did_you_mean(key, _MAESTRO_DEFAULTS)}; MAESTRO's keys are "
                f"{', '.join(_MAESTRO_DEFAULTS)}"
            )
        if key in values:
            raise HardwareError(f"{where}: {key} must stand once, but stands twice; remove one")
        if not re.fullmatch(r"[0-9]{1,10}", value) or not 1 <= int(value) <= _INT_MAX:
            raise HardwareError(f"{where}: {key} must be a whole number from 1 to {_INT_MAX}, got {_show(value)}")
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


# Complaints.

_LAWS = {
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "float_type": "must be a number, such as 1000 or 1.0e+3",
    "finite_number": "must be finite",
    "string_type": "must be text",
    "string_pattern_mismatch": "must be one line of text without blanks at its ends",
    "invalid_key": "must be a text key",
    "list_type": "must be a list, such as [offchip]",
}
_repr = Repr()
_repr.maxstring = _repr.maxlong = _repr.maxother = 60


def _show(value: object) -> str:
    return " ".join(_repr.repr(value).split())


def _did_you_mean(word: str, known: Mapping[str, object] | list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _validate(model: type[_Model], data: dict[str, object], where: str) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A mistyped key is often also a missing one: name the typo.
        first = min(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
    raise HardwareError(f"{where}: {_complaint(model, first['type'], first['loc'], first['input'], first['msg'])}")


def _complaint(model: type[BaseModel], kind: str, place: tuple[int | str, ...], value: object, text: str) -> str:
    path = ".".join(str(part) for part in place)
    if kind in ("extra_forbidden", "missing"):
        keys = list(_keys_at(model, place[:-1]))
        if kind == "missing":
            return f"{path} is missing; needed are {', '.join(keys)}"
        return f"unknown key {path}{_did_you_mean(str(place[-1]), keys)}; the keys are {', '.join(keys)}"
    if kind == "model_type":
        return f"{path} must be a mapping with the keys {', '.join(_keys_at(model, place))}, got {_show(value)}"
    return f"{path} {_LAWS.get(kind, text.replace('Input should be', 'must be'))}, got {_show(value)}"


def _keys_at(model: type[BaseModel], place: tuple[int | str, ...]) -> Mapping[str, object]:
    for part in place:
        model = cast("type[BaseModel]", model.model_fields[str(part)].annotation)
    return model.model_fields
