"""Area, or DSPs and block RAMs, and power of a machine by its parts, and the power that a mapping draws.

    area = PEs * simd * MAC area + PEs * L1 area + L2 area + bus area + arbiter area

and leakage in the same five parts. A MAC's area and leakage grow with the product of its operands' widths (`mac_scale`); the laws
of the rest are the technology's (`mapsearch.model.hardware`). A buffer's pool and parts are memories of their own: their figures
add. Control, clock and pads are left out. A machine on an FPGA has no area but takes DSPs and block RAMs (`mapsearch.model.fpga`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.energy import mac_scale
from mapsearch.model.errors import HardwareError
from mapsearch.model.fpga import Banks, Fpga
from mapsearch.model.hardware import Buffer, Hardware, Part
from mapsearch.model.technology import PowerLaw
from mapsearch.model.tensors import Tensor


@dataclass(frozen=True, slots=True)
class Parts:
    """A figure of a whole machine by its parts.

    pes: the MAC units of all PEs, by pes, simd and bits. l1: all L1s, by pes and the bytes of the L1. l2: by its bytes.
    noc_bus: by pes and the network's width. noc_arbiter: by pes. idle: of power, what the technology states of no part.
    """

    pes: float
    l1: float
    l2: float
    noc_bus: float
    noc_arbiter: float
    idle: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the parts, one after the other: `sum` rounds less in later Pythons, and compiled code adds like this."""
        return self.pes + self.l1 + self.l2 + self.noc_bus + self.fixed

    @property
    def fixed(self) -> float:
        """What depends on no size but the PEs."""
        return self.noc_arbiter + self.idle


# What a machine takes of a chip: an area, or of an FPGA DSPs and block RAMs of 18 kbit.
AREA, DSP, BRAM = "area_mm2", "dsp", "bram_18k"


def taken_by_part(hardware: Hardware) -> dict[str, Parts]:
    """What the machine takes, by AREA, or by DSP and BRAM."""
    fpga = hardware.fpga
    if fpga is None:
        return {AREA: area_by_part(hardware)}
    l1, l2 = (
        _brams(fpga, hardware.bits, buffer, banks) for buffer, banks in ((hardware.l1, fpga.l1_banks), (hardware.l2, fpga.l2_banks))
    )
    return {
        DSP: Parts(pes=fpga.dsps(hardware.pes * hardware.simd), l1=0, l2=0, noc_bus=0, noc_arbiter=0),
        BRAM: Parts(pes=0, l1=hardware.pes * l1, l2=l2, noc_bus=0, noc_arbiter=0),
    }


def taken(hardware: Hardware) -> dict[str, Any]:
    """What the machine takes in all: AREA in mm², or whole numbers by DSP and BRAM."""
    parts = taken_by_part(hardware)
    return {name: each.total if name == AREA else int(each.total) for name, each in parts.items()}


def area_by_part(hardware: Hardware) -> Parts:
    """Areas in mm²; HardwareError where the machine has none."""
    if hardware.fpga is not None:
        raise HardwareError(
            f"hardware {hardware.name}: an FPGA has DSPs and block RAMs, no area; do without area_mm2, or leave fpga out"
        )
    technology, pes = hardware.technology, hardware.pes
    return Parts(
        pes=pes * hardware.simd * technology.mac_area_mm2 * mac_scale(hardware),
        l1=pes * _of_buffer(technology.l1.area_mm2, hardware.l1),
        l2=_of_buffer(technology.l2.area_mm2, hardware.l2),
        noc_bus=technology.noc_bus.area_mm2.at(pes, hardware.noc.mean_bytes_per_cycle),
        noc_arbiter=technology.noc_arbiter.area_mm2.at(pes),
    )


def leakage_by_part(hardware: Hardware) -> Parts:
    """Power in mW that flows whatever the mapping does."""
    technology, pes = hardware.technology, hardware.pes
    return Parts(
        pes=pes * hardware.simd * technology.mac_leakage_mw * mac_scale(hardware),
        l1=pes * _of_buffer(technology.l1.leakage_mw, hardware.l1),
        l2=_of_buffer(technology.l2.leakage_mw, hardware.l2),
        noc_bus=technology.noc_bus.leakage_mw.at(pes, hardware.noc.mean_bytes_per_cycle),
        noc_arbiter=technology.noc_arbiter.leakage_mw.at(pes),
        idle=technology.idle_mw,
    )


def _brams(fpga: Fpga, bits: tuple[int, int, int], buffer: Buffer, banks: Banks) -> int:
    """Block RAMs of a buffer; a pool is as wide, and has as many banks, as the tensor in it that asks for the most."""
    pooled = [tensor for tensor in Tensor if buffer.parts[tensor] is None and not buffer.bypass[tensor]]
    rooms = [(part, [tensor]) for tensor in Tensor if (part := buffer.parts[tensor]) is not None]
    if buffer.bytes:
        rooms.append((Part(buffer.bytes, buffer.buffering), pooled or [*Tensor]))
    return sum(
        fpga.brams(room.bytes, room.buffering.copies, max(banks[each] for each in tensors), max(bits[each] for each in tensors))
        for room, tensors in rooms
    )


def _of_buffer(law: PowerLaw, buffer: Buffer) -> float:
    return fsum(law.at(size) for size in buffer.sizes)


def dynamic_mw(hardware: Hardware, energy_pj: float, runtime_cycles: int) -> float:
    """The average dynamic power in mW of a mapping; 0 where the technology's leakage includes activity."""
    return _mw_cycles_per_pj(hardware) * energy_pj / runtime_cycles


@overload
def power_mw(hardware: Hardware, energy_pj: float, runtime_cycles: int) -> float: ...
@overload
def power_mw(hardware: Hardware, energy_pj: NDArray[np.float64], runtime_cycles: NDArray[np.int64]) -> NDArray[np.float64]: ...
def power_mw(
    hardware: Hardware, energy_pj: float | NDArray[np.float64], runtime_cycles: int | NDArray[np.int64]
) -> float | NDArray[np.float64]:
    """Leakage and dynamic power together in mW, of one mapping that fits, or of B: energies float64[B], cycles int64[B]."""
    return leakage_by_part(hardware).total + _mw_cycles_per_pj(hardware) * energy_pj / runtime_cycles


def least_cycles_within(hardware: Hardware, energy_pj: NDArray[np.float64], limit_mw: float) -> NDArray[np.int64]:
    """A lower bound, int64[B], on the cycles of mappings that take at least these energies and draw at most the limit.

    2^62 where leakage alone reaches the limit.
    """
    per_cycle = _mw_cycles_per_pj(hardware) * energy_pj
    left = limit_mw - leakage_by_part(hardware).total
    with np.errstate(divide="ignore", invalid="ignore"):
        cycles = np.where(per_cycle > 0, per_cycle / max(left, 0.0), 0.0 if left >= 0 else np.inf)
    return np.minimum(np.ceil(cycles * (1 - 1e-12)), 2.0**62).astype(np.int64)


def _mw_cycles_per_pj(hardware: Hardware) -> float:
    """PJ / (cycles / (MHz * 1e6 / s)) = 1e-6 W * pJ * MHz / cycles."""
    return 0.0 if hardware.technology.leakage_includes_activity else 1e-3 * hardware.clock_mhz
