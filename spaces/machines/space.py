"""A space of machines: a base machine, several values for some of its numbers and flags, and limits on area, power and speed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from math import inf, prod
from typing import Any, Final

from mapsearch.model.area import area_by_part, leakage_by_part
from mapsearch.model.errors import HardwareError
from mapsearch.model.hardware import Buffering, Hardware

Value = int | float | bool

# The keys that may be axes, in the order of a hardware file, and the types of their values.
KINDS: Final[dict[str, type[Value]]] = {
    "pes": int,
    "simd": int,
    "clock_mhz": float,
    "bits.weight": int,
    "bits.input": int,
    "bits.output": int,
    "l1.bytes": int,
    "l1.double_buffered": bool,
    "l2.bytes": int,
    "l2.double_buffered": bool,
    "noc.bytes_per_cycle": int,
    "noc.latency_cycles": int,
    "noc.multicast": bool,
    "noc.reduction": bool,
    "offchip.bytes_per_cycle": int,
    "offchip.latency_cycles": int,
}


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of one number or flag, ascending; key: one of KINDS, such as `pes` or `l1.bytes`."""

    key: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest figures that a machine may have; infinite where there is no limit.

    power_mw: leakage and dynamic power. offchip_gb_per_s, offchip_bytes_per_cycle: bandwidth of the off-chip memory, in 10^9 bytes
    a second or in bytes a cycle. peak_gops: 10^9 operations a second, where a MAC is two.
    """

    area_mm2: float = inf
    power_mw: float = inf
    offchip_gb_per_s: float = inf
    offchip_bytes_per_cycle: float = inf
    peak_gops: float = inf

    @classmethod
    def met_by(cls, hardware: Hardware) -> Limits:
        """The tightest limits that the idle machine meets."""
        width = hardware.offchip.bytes_per_cycle
        return cls(
            area_mm2=area_by_part(hardware).total,
            power_mw=leakage_by_part(hardware).total,
            offchip_gb_per_s=width * hardware.clock_mhz / 1000,
            offchip_bytes_per_cycle=width,
            peak_gops=2 * hardware.pes * hardware.simd * hardware.clock_mhz / 1000,
        )


@dataclass(frozen=True, slots=True)
class HardwareSpace:
    """All machines that have one of the values of each axis and are otherwise like `base`.

    base: the machine with the first value of each axis. axes: those with more than one value, in the order of a hardware file.
    """

    name: str
    base: Hardware
    axes: tuple[Axis, ...]
    limits: Limits

    def __post_init__(self) -> None:
        if self.base.array is not None and any(axis.key == "pes" for axis in self.axes):
            raise HardwareError(
                f"hardware {self.name}: pes must be one number, as array has the PEs in rows and columns; leave one out"
            )

    @property
    def is_one_machine(self) -> bool:
        """Whether it has no choice and no limit."""
        return not self.axes and self.limits == Limits()

    @property
    def size(self) -> int:
        """The number of machines, within the limits or not."""
        return prod(len(axis.values) for axis in self.axes)

    @property
    def clocks_mhz(self) -> tuple[float, ...]:
        """The clocks of its machines, the slowest first."""
        return next((tuple(map(float, axis.values)) for axis in self.axes if axis.key == "clock_mhz"), (self.base.clock_mhz,))

    @property
    def largest(self) -> Hardware:
        """The machine with the last value of each axis; `base` is the smallest, since no figure of Limits falls along an axis."""
        return self.at([len(axis.values) - 1 for axis in self.axes])

    def at(self, point: Sequence[int]) -> Hardware:
        """The machine at a point (an index on each axis); its name ends with the values: edge_space-128-64-32768-32-32."""
        values = [axis.values[place] for axis, place in zip(self.axes, point, strict=True)]
        hardware = self.base
        for axis, value in zip(self.axes, values, strict=True):
            hardware = _with(hardware, axis.key, value)
        return replace(hardware, name="-".join([self.name, *map(str, values)]))

    def allows(self, hardware: Hardware) -> bool:
        """Whether the idle machine is within the limits: of its power, only the leakage counts."""
        taken = Limits.met_by(hardware)
        return all(getattr(taken, each.name) <= getattr(self.limits, each.name) for each in fields(Limits))

    def within_limits(self) -> Iterator[tuple[tuple[int, ...], Hardware]]:
        """The points and machines that the limits allow, the last point first."""
        for point in product(*(reversed(range(len(axis.values))) for axis in self.axes)):
            hardware = self.at(point)
            if self.allows(hardware):
                yield point, hardware


def value_text(value: Value) -> str:
    """A value as people read it: 32,768, or true."""
    return str(value).lower() if isinstance(value, bool) else f"{value:,}"


def machine_text(values: Mapping[str, Value]) -> str:
    """A machine of a space by what its axes say of it."""
    return ", ".join(f"{key} {value_text(value)}" for key, value in values.items()) or "the only one"


def _with(hardware: Hardware, key: str, value: Value) -> Hardware:
    part, dot, name = key.partition(".")
    new: Any = value
    if part == "bits":
        place = ("weight", "input", "output").index(name)
        new = (*hardware.bits[:place], value, *hardware.bits[place + 1 :])
    elif dot:
        if name == "double_buffered":
            name, new = "buffering", Buffering.DOUBLE if value else Buffering.SINGLE
        new = replace(getattr(hardware, part), **{name: new})
    return replace(hardware, **{part: new})
