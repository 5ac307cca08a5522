"""A space of machines: a base machine, several values for some of its figures, and limits on size, power and speed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum, auto
from itertools import product
from math import inf, prod
from typing import Any, Final, TypeVar, cast

from mapsearch.model.area import leakage_by_part, taken
from mapsearch.model.errors import HardwareError
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Part, total_width
from mapsearch.model.tensors import Tensor

Value = int | float | bool | str
_Item = TypeVar("_Item")


class Kind(Enum):
    """What the values of a key are."""

    WHOLE = auto()
    NUMBER = auto()
    WIDTH = auto()  # a whole number, or one with at most three decimals
    FLAG = auto()
    BUFFERING = auto()  # a word


_TENSORS: Final = tuple(tensor.label for tensor in Tensor)
# The keys that may be axes, in the order of a hardware file.
KINDS: Final[dict[str, Kind]] = {
    "pes": Kind.WHOLE,
    "simd": Kind.WHOLE,
    "clock_mhz": Kind.NUMBER,
    **dict.fromkeys((f"bits.{tensor}" for tensor in _TENSORS), Kind.WHOLE),
    **{
        key: kind
        for buffer in ("l1", "l2")
        for key, kind in (
            (f"{buffer}.bytes", Kind.WHOLE),
            (f"{buffer}.double_buffered", Kind.FLAG),
            (f"{buffer}.buffering", Kind.BUFFERING),
            *((f"{buffer}.{tensor}.bytes", Kind.WHOLE) for tensor in _TENSORS),
            *((f"{buffer}.{tensor}.buffering", Kind.BUFFERING) for tensor in _TENSORS),
        )
    },
    "l2.tile_cycles": Kind.WHOLE,
    "noc.bytes_per_cycle": Kind.WIDTH,
    **dict.fromkeys((f"noc.{tensor}" for tensor in _TENSORS), Kind.WIDTH),
    "noc.latency_cycles": Kind.WHOLE,
    "noc.multicast": Kind.FLAG,
    "noc.reduction": Kind.FLAG,
    "offchip.bytes_per_cycle": Kind.WIDTH,
    "offchip.latency_cycles": Kind.WHOLE,
}
# Those of them that only take time: no mapping costs more where they are wider.
WIDTHS: Final = tuple(key for key, kind in KINDS.items() if kind is Kind.WIDTH)


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of one number, flag or word, ascending (words: single, stream, double); key: one of KINDS, such as `l1.bytes`."""

    key: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest figures that a machine may have; infinite where there is no limit.

    power_mw: leakage and dynamic power. offchip_gb_per_s, offchip_bytes_per_cycle: bandwidth of the off-chip memory, in 10^9 bytes
    a second or in bytes a cycle. peak_gops: 10^9 operations a second, where a MAC is two. dsp, bram_18k: of an FPGA, which has no
    area.
    """

    area_mm2: float = inf
    power_mw: float = inf
    offchip_gb_per_s: float = inf
    offchip_bytes_per_cycle: float = inf
    peak_gops: float = inf
    dsp: float = inf
    bram_18k: float = inf

    @classmethod
    def met_by(cls, hardware: Hardware) -> Limits:
        """The tightest limits that the idle machine meets; none on what it has not."""
        width = hardware.offchip.bytes_per_cycle
        return cls(
            **taken(hardware),
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
            raise HardwareError("pes must be one number, as array has the PEs in rows and columns; leave one out")
        self._check_size()

    def _check_size(self) -> None:
        """Refuse limits on what the machines have not, and words of several widths where a MAC takes a given number of DSPs."""
        if self.base.fpga is None and min(self.limits.dsp, self.limits.bram_18k) < inf:
            raise HardwareError("budget.dsp and budget.bram_18k are limits of an FPGA; add fpga, or give budget.area_mm2")
        if self.base.fpga is not None and self.limits.area_mm2 < inf:
            raise HardwareError(
                "budget.area_mm2 is no limit of an FPGA, which takes DSPs and block RAMs; give budget.dsp or budget.bram_18k"
            )
        wide = next((axis.key for axis in self.axes if axis.key.startswith("bits.")), None)
        if self.base.fpga is not None and wide is not None:
            raise HardwareError(f"{wide} must be one number, as fpga.dsp_per_mac is of one width of words")

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
    """A value as people read it: 32,768, true or stream."""
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else f"{value:,}"


def machine_text(values: Mapping[str, Value]) -> str:
    """A machine of a space by what its axes say of it."""
    return ", ".join(f"{key} {value_text(value)}" for key, value in values.items()) or "the only one"


def _with(hardware: Hardware, key: str, value: Value) -> Hardware:
    part, dot, inner = key.partition(".")
    new: Any = _part_with(getattr(hardware, part), inner, value) if dot else value
    return replace(hardware, **{part: new})


def _part_with(part: Any, key: str, value: Any) -> Any:  # noqa: ANN401 a part of a machine and a value of any of its fields
    tensor, _, inner = key.partition(".")
    place = _TENSORS.index(tensor) if tensor in _TENSORS else -1
    match part:
        case tuple():  # bits
            return _put(cast("tuple[int, int, int]", part), place, value)
        case Noc(wires=tuple(old)) if place >= 0:
            wires = _put(old, place, value)
            return replace(part, bytes_per_cycle=total_width(wires), wires=wires)
        case Buffer(parts=parts) if place >= 0:
            return replace(part, parts=_put(parts, place, _part_with(parts[place], inner, value)))
        case Buffer() | Part() if key == "double_buffered":
            return replace(part, buffering=Buffering.DOUBLE if value else Buffering.SINGLE)
        case Buffer() | Part() if key == "buffering":
            return replace(part, buffering=Buffering(value))
        case _:
            return replace(part, **{key: value})


def _put(items: tuple[_Item, _Item, _Item], place: int, item: _Item) -> tuple[_Item, _Item, _Item]:
    first, second, third = (item if at == place else old for at, old in enumerate(items))
    return first, second, third
