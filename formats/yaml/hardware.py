"""Hardware files, of one machine or of a space of machines: presets by name, YAML files, and plain dicts.

Any number, flag or buffering may be a range or a list of choices (`ranges`), and a `budget:` may set limits: such a file describes
a space of machines. `hardware_in` reads the sources, and `hardware_keys` checks the keys of one machine.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import yaml

from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.hardware_in import Source, found_from, given_keys, read_source, with_defaults
from mapsearch.formats.yaml.hardware_keys import TENSORS, fpga_to_dict, machine_of
from mapsearch.formats.yaml.ranges import budget_of, limits_of, values_of
from mapsearch.formats.yaml.sparse_keys import sparse_to_dict
from mapsearch.formats.yaml.technology import sources_by_part, technology_to_dict
from mapsearch.model.errors import HardwareError, InputError
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Residency
from mapsearch.spaces.machines.space import KINDS, Axis, HardwareSpace, Limits

_SPACE = "_space"  # the end of the names of presets that are spaces
_TAKEN = {
    "area_mm2": ("", "mm²"),
    "power_mw": (" of leakage", "mW"),
    "offchip_gb_per_s": (" of bandwidth", "GB/s"),
    "offchip_bytes_per_cycle": (" of bandwidth", "bytes/cycle"),
    "peak_gops": (" at its peak", "GOPS"),
    "dsp": ("", "DSPs"),
    "bram_18k": ("", "block RAMs"),
}


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
        data, where, folder = read_source(source)
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
        data, where, folder = read_source(source)
        space = _space(data, where, folder)
        _check_budget(space, where)
        return space


def technology_sources(source: Source) -> dict[str, dict[str, str]]:
    """The sources of the figures of a hardware's technology: see `technology.sources_by_part`."""
    with _hardware_errors():
        data, where, folder = read_source(source)
        return sources_by_part(data["technology"], where, folder)


def hardware_to_dict(hardware: Hardware) -> dict[str, Any]:
    """The hardware as the keys of a file, the technology inline, from which load_hardware makes an equal one."""
    array, run = hardware.array, hardware.run
    shape = {**(asdict(array) if array else {}), **({"run": {**asdict(run), "dim": run.dim.label}} if run else {})}
    return {
        "name": hardware.name,
        "pes": hardware.pes,
        "simd": hardware.simd,
        "clock_mhz": hardware.clock_mhz,
        "bits": dict(zip(TENSORS, hardware.bits, strict=True)),
        **({"array": shape} if shape else {}),
        "l1": _buffer_to_dict(hardware.l1),
        "l2": _buffer_to_dict(hardware.l2),
        "noc": _noc_to_dict(hardware.noc),
        "offchip": asdict(hardware.offchip),
        "technology": technology_to_dict(hardware.technology),
        **({"sparse": sparse} if (sparse := sparse_to_dict(hardware.sparse)) else {}),
        **({} if hardware.fpga is None else {"fpga": fpga_to_dict(hardware.fpga)}),
    }


def hardware_space_to_dict(space: HardwareSpace) -> dict[str, Any]:
    """The space as the keys of a file, axes as lists, from which load_hardware_space makes an equal one."""
    data = hardware_to_dict(space.base)
    for axis in space.axes:
        part, name = _place(data, axis.key)
        if name in ("double_buffered", "buffering"):
            for either in ("double_buffered", "buffering"):  # which say the same
                part.pop(either, None)
        part[name] = list(axis.values)
    budget = budget_of(space.limits)
    return {**data, "budget": budget} if budget else data


def yaml_text(source: str | Path) -> str:
    """The text of a YAML file: of a preset its own file with its comments, of any other source one with all of its keys."""
    with _hardware_errors():
        if source in shipped("hardware"):
            return read_named("hardware", source, Path())[0]
        given, where, folder = given_keys(source)
        data = with_defaults(given)
        _space(deepcopy(data), where, folder)  # refuses what is wrong
        technology = data["technology"]
        if isinstance(technology, str):
            data["technology"] = found_from(technology, folder)
        elif "like" in technology:
            technology["like"] = found_from(technology["like"], folder)
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


def _buffer_to_dict(buffer: Buffer) -> dict[str, Any]:
    parts = {label: part for label, part in zip(TENSORS, buffer.parts, strict=True) if part is not None}
    plain = not parts and buffer.buffering is not Buffering.STREAM
    pooled = [label for label, past in zip(TENSORS, buffer.bypass, strict=True) if label not in parts and not past]
    return {
        **({"bytes": buffer.bytes} if buffer.bytes else {}),
        **({"double_buffered": buffer.buffering is Buffering.DOUBLE} if plain else {"buffering": str(buffer.buffering)}),
        **({"tensors": pooled} if any(buffer.bypass) else {}),
        **{label: {"bytes": part.bytes, "buffering": str(part.buffering)} for label, part in parts.items()},
        **({} if buffer.residency is Residency.BEST else {"residency": str(buffer.residency)}),
        **({"tile_cycles": buffer.tile_cycles} if buffer.tile_cycles else {}),
    }


def _noc_to_dict(noc: Noc) -> dict[str, Any]:
    data = asdict(noc)
    wires = data.pop("wires")
    if wires is not None:
        del data["bytes_per_cycle"]
        data = {**dict(zip(TENSORS, wires, strict=True)), **data}
    return data


def _place(data: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """The mapping that holds a key of KINDS, empty where there is none, and the key's name in it."""
    *parts, name = key.split(".")
    for part in parts:
        inner = data.get(part)
        data = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    return data, name


def _space(data: dict[str, Any], where: str, folder: Path) -> HardwareSpace:
    budget = data.get("budget")
    axes: list[Axis] = []
    for key in KINDS:
        part, name = _place(data, key)
        if isinstance(part.get(name), list | dict):
            values = values_of(part[name], key, where)
            part[name] = values[0]
            if len(values) > 1:
                _check_parts(part, key, where)
                axes.append(Axis(key, values))
    limits = Limits() if budget is None else limits_of(budget, where)
    base = machine_of(data, where, folder)
    try:
        space = HardwareSpace(base.name, base, tuple(axes), limits)
        _ = space.largest  # checks the other end of each axis; this is enough, as each law of a machine is about one key
    except HardwareError as error:
        raise HardwareError(f"{where}: {error}") from None
    return space


def _check_parts(buffer: Mapping[str, object], key: str, where: str) -> None:
    """Refuse several bufferings of a buffer where a part of it has the buffer's: an axis changes one value alone."""
    if key.endswith(("buffering", "double_buffered")):
        for tensor in TENSORS:
            part = buffer.get(tensor)
            if isinstance(part, Mapping) and "buffering" not in part:
                inner = f"{key.partition('.')[0]}.{tensor}.buffering"
                raise HardwareError(f"{where}: {inner} is missing, which is needed where {key} has several values")


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
