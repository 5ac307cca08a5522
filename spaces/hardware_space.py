"""Machines to choose from: a machine with several values for some of its numbers and flags, and what it may take at the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, prod
from typing import Any

from mapsearch.model.hardware import Hardware

Value = int | float | bool


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of one number or flag, ascending; key: as in a hardware file, with a dot for what lies deeper (`l1.bytes`)."""

    key: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a machine may take at the most, each end included; infinite where there is no limit.

    offchip_gb_per_s: of the off-chip memory. peak_gops: 10^9 multiplications and additions a second, two for each MAC.
    """

    area_mm2: float = inf
    power_mw: float = inf
    offchip_gb_per_s: float = inf
    peak_gops: float = inf


@dataclass(frozen=True, slots=True)
class HardwareSpace:
    """All machines that have one of the values of each axis and are otherwise like `base`.

    base: the machine with the first value of each axis. axes: those with more than one value, in the order of a hardware file.
    """

    name: str
    base: Hardware
    axes: tuple[Axis, ...]
    limits: Limits

    @property
    def size(self) -> int:
        """Machines, whether within the limits or not."""
        return prod(len(axis.values) for axis in self.axes)

    def at(self, places: Sequence[int]) -> Hardware:
        """The machine with these places' values of the axes."""
        hardware = self.base
        for axis, place in zip(self.axes, places, strict=True):
            hardware = _with(hardware, axis.key, axis.values[place])
        return hardware


def _with(hardware: Hardware, key: str, value: Value) -> Hardware:
    part, dot, name = key.partition(".")
    new: Any = value
    if part == "bits":
        place = ("weight", "input", "output").index(name)
        new = (*hardware.bits[:place], value, *hardware.bits[place + 1 :])
    elif dot:
        new = replace(getattr(hardware, part), **{name: new})
    return replace(hardware, **{part: new})
