"""Technology files: energies of actions, and areas and leakage of parts, in one process, each figure with its source.

A technology file states every figure of MACs, buffers and energies, since a mixture of two technologies would describe no machine.
The network's parts, the MACs' leakage and the idle power may be left out; they then count as 0. A technology that differs from
another in some keys may name that one (`like`) and state these keys alone.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.model.errors import HardwareError, show
from mapsearch.model.technology import ArbiterLaw, ArbiterTechnology, BufferTechnology, BusLaw, BusTechnology, PowerLaw, Technology

_EXAMPLE = "mac_bits: 8"
_FIGURES = ("mac_pj", "mac_area_mm2", "mac_leakage_mw", "noc_pj_per_bit", "offchip_pj_per_bit")

Line = Annotated[str, Field(pattern=r"^\S(.*\S)?$", description="one line of text without blanks at its ends")]
_Bits = Annotated[int, Field(ge=1, le=2**20)]
_Amount = Annotated[float, Field(ge=0, le=1e9)]
_Exponent = Annotated[float, Field(ge=-4, le=4)]
_Growth = Annotated[float, Field(ge=0, le=4)]


class _Figure(Keys):
    value: _Amount
    source: str = ""


class _EnergyLaw(Keys):
    factor: _Amount
    exponent: _Exponent
    source: str = ""

    def law(self) -> PowerLaw:
        return PowerLaw(self.factor, self.exponent)


class _SizeLaw(_EnergyLaw):
    """A law that never falls with size: a space of machines relies on the smallest machine to take and leak the least."""

    exponent: _Growth


class _BusLaw(Keys):
    per_pe_byte: _Amount
    per_byte: _Amount
    source: str = ""

    def law(self) -> BusLaw:
        return BusLaw(self.per_pe_byte, self.per_byte)


class _ArbiterLaw(Keys):
    per_pe_squared: _Amount
    per_pe: _Amount
    constant: Annotated[float, Field(ge=-1e9, le=1e9)]
    least: _Amount
    source: str = ""

    def law(self) -> ArbiterLaw:
        return ArbiterLaw(self.per_pe_squared, self.per_pe, self.constant, self.least)


class _BufferKeys(Keys):
    access_bits: _Bits
    read_pj: _EnergyLaw
    write_pj: _EnergyLaw
    area_mm2: _SizeLaw
    leakage_mw: _SizeLaw

    def laws(self) -> BufferTechnology:
        laws = (self.read_pj, self.write_pj, self.area_mm2, self.leakage_mw)
        return BufferTechnology(self.access_bits, *(each.law() for each in laws))


class _BusKeys(Keys):
    area_mm2: _BusLaw
    leakage_mw: _BusLaw


class _ArbiterKeys(Keys):
    area_mm2: _ArbiterLaw
    leakage_mw: _ArbiterLaw


_NOTHING = _Figure(value=0.0)
_NO_BUS = _BusLaw(per_pe_byte=0.0, per_byte=0.0)
_NO_ARBITER = _ArbiterLaw(per_pe_squared=0.0, per_pe=0.0, constant=0.0, least=0.0)


class _TechnologyKeys(Keys):
    name: Line
    mac_bits: _Bits
    mac_pj: _Figure
    mac_area_mm2: _Figure
    mac_leakage_mw: _Figure = _NOTHING
    l1: _BufferKeys
    l2: _BufferKeys
    noc_bus: _BusKeys = _BusKeys(area_mm2=_NO_BUS, leakage_mw=_NO_BUS)
    noc_arbiter: _ArbiterKeys = _ArbiterKeys(area_mm2=_NO_ARBITER, leakage_mw=_NO_ARBITER)
    leakage_includes_activity: bool = False
    noc_pj_per_bit: _Figure
    offchip_pj_per_bit: _Figure
    idle_mw: _Figure = _NOTHING


_FILE = TypeAdapter(_TechnologyKeys)


def load_technology(given: object, where: str, folder: Path) -> Technology:
    """The technology of a hardware file, given as a shipped name, a path relative to `folder`, or the keys themselves.

    Raises InputError; `where`: the hardware file's name in errors.
    """
    keys = _keys(given, where, folder)
    return Technology(
        name=keys.name,
        mac_bits=keys.mac_bits,
        mac_pj=keys.mac_pj.value,
        mac_area_mm2=keys.mac_area_mm2.value,
        l1=keys.l1.laws(),
        l2=keys.l2.laws(),
        noc_pj_per_bit=keys.noc_pj_per_bit.value,
        offchip_pj_per_bit=keys.offchip_pj_per_bit.value,
        mac_leakage_mw=keys.mac_leakage_mw.value,
        noc_bus=BusTechnology(keys.noc_bus.area_mm2.law(), keys.noc_bus.leakage_mw.law()),
        noc_arbiter=ArbiterTechnology(keys.noc_arbiter.area_mm2.law(), keys.noc_arbiter.leakage_mw.law()),
        leakage_includes_activity=keys.leakage_includes_activity,
        idle_mw=keys.idle_mw.value,
    )


def sources_by_part(given: object, where: str, folder: Path) -> dict[str, dict[str, str]]:
    """The sources of the technology's area and leakage: by figure, then by the fields of `model.area.Parts`; may be empty.

    Only where there is idle power, it is one of the parts, of the leakage.
    """
    keys = _keys(given, where, folder)
    others: dict[str, _BufferKeys | _BusKeys | _ArbiterKeys]
    others = {"l1": keys.l1, "l2": keys.l2, "noc_bus": keys.noc_bus, "noc_arbiter": keys.noc_arbiter}
    leakage = {"pes": keys.mac_leakage_mw.source, **{part: each.leakage_mw.source for part, each in others.items()}}
    return {
        "area_mm2": {"pes": keys.mac_area_mm2.source, **{part: each.area_mm2.source for part, each in others.items()}},
        "leakage_mw": {**leakage, **({"idle": keys.idle_mw.source} if keys.idle_mw.value else {})},
    }


def technology_to_dict(technology: Technology) -> dict[str, Any]:
    """The technology as the keys of a file, from which load_technology makes an equal one."""
    data = asdict(technology)
    for figure in _FIGURES:
        data[figure] = {"value": data[figure]}
    idle = data.pop("idle_mw")
    return {**data, **({"idle_mw": {"value": idle}} if idle else {})}


def _keys(given: object, where: str, folder: Path) -> _TechnologyKeys:
    if isinstance(given, str):
        text, place = read_named("technology", given, folder)
        stated, folder = parse_mapping(text, place, _EXAMPLE), (folder / given).parent
    elif isinstance(given, dict):
        stated, place = cast("dict[str, object]", given), f"{where}: technology"
    else:
        raise HardwareError(
            f"{where}: technology must be {', '.join(shipped('technology'))}, a path or a mapping, got {show(given)}"
        )
    if "like" in stated:
        other = stated["like"]
        if not isinstance(other, str):
            raise HardwareError(f"{place}: like must be {', '.join(shipped('technology'))} or a path, got {show(other)}")
        own = {key: value for key, value in stated.items() if key != "like"}
        stated = {**parse_mapping(*read_named("technology", other, folder), _EXAMPLE), **own}
    return checked(_FILE, stated, place)
