"""A technology: energies of actions, and areas and leakage of parts, as functions of their sizes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """value = factor * KiB**exponent, as a function of a buffer's capacity."""

    factor: float
    exponent: float

    def at(self, capacity_bytes: int) -> float:
        """The value for a buffer of `capacity_bytes`."""
        return float(self.factor * (capacity_bytes / 1024) ** self.exponent)


@dataclass(frozen=True, slots=True)
class BufferTechnology:
    """A buffer's laws: energies per access of `access_bits`, area and leakage of the whole buffer."""

    access_bits: int
    read_pj: PowerLaw
    write_pj: PowerLaw
    area_mm2: PowerLaw
    leakage_mw: PowerLaw


@dataclass(frozen=True, slots=True)
class BusLaw:
    """value = (per_pe_byte * PEs + per_byte) * bytes per cycle: wires of the network's width, which lead to all PEs."""

    per_pe_byte: float = 0.0
    per_byte: float = 0.0

    def at(self, pes: int, bytes_per_cycle: float) -> float:
        """The value for a bus of this width between the L2 and `pes` PEs."""
        return (self.per_pe_byte * pes + self.per_byte) * bytes_per_cycle


@dataclass(frozen=True, slots=True)
class ArbiterLaw:
    """value = max(per_pe_squared * PEs**2 + per_pe * PEs + constant, least): the arbiter compares each PE with each other."""

    per_pe_squared: float = 0.0
    per_pe: float = 0.0
    constant: float = 0.0
    least: float = 0.0

    def at(self, pes: int) -> float:
        """The value for an arbiter of `pes` PEs."""
        return max(self.per_pe_squared * pes**2 + self.per_pe * pes + self.constant, self.least)


@dataclass(frozen=True, slots=True)
class BusTechnology:
    """Area and leakage of the network's bus."""

    area_mm2: BusLaw = BusLaw()
    leakage_mw: BusLaw = BusLaw()


@dataclass(frozen=True, slots=True)
class ArbiterTechnology:
    """Area and leakage of the network's arbiter."""

    area_mm2: ArbiterLaw = ArbiterLaw()
    leakage_mw: ArbiterLaw = ArbiterLaw()


@dataclass(frozen=True, slots=True)
class Technology:
    """Energies of actions, and areas and leakage of parts, in one process.

    mac_pj, mac_area_mm2, mac_leakage_mw: one multiply-accumulate of `mac_bits` operands, and the unit that does it.
    noc_pj_per_bit, offchip_pj_per_bit: moving one bit over the network, and to or from off-chip memory.
    noc_bus, noc_arbiter: the network's two parts; figures that the technology's source does not give are 0.
    leakage_includes_activity: whether the leakage is all the power that a working machine draws.
    idle_mw: power that flows whatever the mapping does and that no part's size explains, such as that of the clock.
    """

    name: str
    mac_bits: int
    mac_pj: float
    mac_area_mm2: float
    l1: BufferTechnology
    l2: BufferTechnology
    noc_pj_per_bit: float
    offchip_pj_per_bit: float
    mac_leakage_mw: float = 0.0
    noc_bus: BusTechnology = BusTechnology()
    noc_arbiter: ArbiterTechnology = ArbiterTechnology()
    leakage_includes_activity: bool = False
    idle_mw: float = 0.0
