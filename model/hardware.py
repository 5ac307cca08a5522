"""An accelerator: PEs with private L1s, a shared L2, a network between them, off-chip memory, and a technology."""

from __future__ import annotations

from dataclasses import dataclass

from mapsearch.model.errors import HardwareError, show
from mapsearch.model.technology import Technology


@dataclass(frozen=True, slots=True)
class Buffer:
    """A buffer's capacity in bytes, and whether one half fills while the other works."""

    bytes: int
    double_buffered: bool = True


@dataclass(frozen=True, slots=True)
class Noc:
    """The network L2 -> PEs and the one back, each `bytes_per_cycle` wide with a head latency of `latency_cycles`."""

    bytes_per_cycle: int
    latency_cycles: int = 1
    multicast: bool = True
    reduction: bool = True


@dataclass(frozen=True, slots=True)
class Offchip:
    """Off-chip memory: width and latency of the first access."""

    bytes_per_cycle: int
    latency_cycles: int


@dataclass(frozen=True, slots=True)
class Hardware:
    """One machine; bits are the word widths of weight, input, output (partial sums have the output's)."""

    name: str
    pes: int
    simd: int
    clock_mhz: float
    bits: tuple[int, int, int]
    l1: Buffer
    l2: Buffer
    noc: Noc
    offchip: Offchip
    technology: Technology

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, int, int], ...] = (
            ("pes", self.pes, 2**20),
            ("simd", self.simd, 2**20),
            *((f"bits.{tensor}", bits, 64) for tensor, bits in zip(("weight", "input", "output"), self.bits, strict=True)),
            ("l1.bytes", self.l1.bytes, 2**50),
            ("l2.bytes", self.l2.bytes, 2**50),
            ("noc.bytes_per_cycle", self.noc.bytes_per_cycle, 2**50),
            ("noc.latency_cycles", self.noc.latency_cycles, 2**30),
            ("offchip.bytes_per_cycle", self.offchip.bytes_per_cycle, 2**50),
        )
        for key, value, most in limits:
            if not 1 <= value <= most:
                raise HardwareError(f"hardware {self.name}: {key} must be from 1 to {most}, got {show(value)}")
        if not 0 <= self.offchip.latency_cycles <= 2**30:
            raise HardwareError(
                f"hardware {self.name}: offchip.latency_cycles must be from 0 to {2**30}, got {show(self.offchip.latency_cycles)}"
            )
        if not 0.0 < self.clock_mhz < 1e6:
            raise HardwareError(f"hardware {self.name}: clock_mhz must be above 0 and below 1e6, got {show(self.clock_mhz)}")
