"""An accelerator: PEs with private L1s, a shared L2, a network between them, off-chip memory, and a technology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import prod

from mapsearch.model.errors import HardwareError, show
from mapsearch.model.fpga import Fpga
from mapsearch.model.sparsity import NOTHING_SPARED, Sparse
from mapsearch.model.technology import Technology
from mapsearch.model.tensors import Dim, Tensor

Width = int | float  # bytes per cycle; a fraction has at most three decimals
Wires = tuple[Width, Width, Width]  # of W, I, O

MOST_WIDTH = 2**50  # a whole number
MOST_FRACTION = 2**20


class Buffering(StrEnum):
    """How a buffer, or a tensor's part of it, is filled.

    DOUBLE: one half fills while the other is worked on, so that both take time together and need twice the bytes. STREAM: words
    arrive in place while others are worked on, as in a FIFO. SINGLE: nobody works while it fills.
    """

    DOUBLE = "double"
    STREAM = "stream"
    SINGLE = "single"

    @property
    def copies(self) -> int:
        """How often each word takes up space."""
        return 2 if self is Buffering.DOUBLE else 1


class Residency(StrEnum):
    """Which tiles the L2 keeps from one step of level 0 to the next: those that save the most off-chip bits, or none."""

    BEST = "best"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor's own part of a buffer."""

    bytes: int
    buffering: Buffering = Buffering.DOUBLE


@dataclass(frozen=True, slots=True)
class Buffer:
    """A buffer: a pool of `bytes` that tensors share, and parts, of W, I and O, that belong to one tensor alone.

    bytes: 0 where no tensor shares the pool. parts: None where a tensor has none.
    bypass, residency, tile_cycles: of the L2 alone. bypass: whether W, I, O pass it by, straight between off-chip memory and the
    PEs. tile_cycles: that the control takes to issue a tile, which is a step of level 0, while others are worked on.
    """

    bytes: int
    buffering: Buffering = Buffering.DOUBLE
    parts: tuple[Part | None, Part | None, Part | None] = (None, None, None)
    bypass: tuple[bool, bool, bool] = (False, False, False)
    residency: Residency = Residency.BEST
    tile_cycles: int = 0

    def room(self, tensor: Tensor) -> Part:
        """Where a tensor's words are: its own part, or else the pool."""
        return self.parts[tensor] or Part(self.bytes, self.buffering)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bytes of the pool, if any tensor shares it, and of each part."""
        return (*([self.bytes] if self.bytes else []), *(part.bytes for part in self.parts if part is not None))


@dataclass(frozen=True, slots=True)
class Noc:
    """The network L2 -> PEs and the one back, with a head latency of `latency_cycles`.

    bytes_per_cycle: of wires that all tensors share, so many each way. wires: where W, I and O have wires of their own; those of O
    exist twice, to the PEs and back. `bytes_per_cycle` is then their sum to the PEs.
    """

    bytes_per_cycle: Width
    latency_cycles: int = 1
    multicast: bool = True
    reduction: bool = True
    wires: Wires | None = None

    @property
    def mean_bytes_per_cycle(self) -> float:
        """Of the two ways, on which the network's area depends."""
        return self.bytes_per_cycle if self.wires is None else (self.bytes_per_cycle + self.wires[Tensor.OUTPUT]) / 2


@dataclass(frozen=True, slots=True)
class Offchip:
    """Off-chip memory: width and latency of the first access."""

    bytes_per_cycle: Width
    latency_cycles: int


@dataclass(frozen=True, slots=True)
class Run:
    """Instructions of a PE array, each of up to `longest` indices of a dim; one takes as long as `least` of them at least."""

    dim: Dim
    longest: int
    least: int


@dataclass(frozen=True, slots=True)
class Array:
    """PEs in rows and columns: the units of each level lie along the rows or along the columns."""

    rows: int
    columns: int


Pes = int | Array  # so many PEs, any of which may form a Cluster, or rows and columns of them


def rows_and_columns(pes: Pes) -> tuple[int, int]:
    """The sides along which units lie; PEs of which any may form a Cluster are one column."""
    return (pes.rows, pes.columns) if isinstance(pes, Array) else (pes, 1)


def number_of(pes: Pes) -> int:
    """How many PEs they are."""
    return prod(rows_and_columns(pes))


def pes_text(pes: Pes) -> str:
    """PEs as errors name them."""
    return f"{pes.rows} x {pes.columns} PEs (rows x columns)" if isinstance(pes, Array) else f"{pes} PEs"


def outer_units(pes: Pes, clusters: Sequence[int]) -> int:
    """Units of level 0 of a mapping with these Clusters: as many as fit beside them; 0 where the Clusters do not fit."""
    if not isinstance(pes, Array):
        return pes // prod(clusters)
    left = {(pes.rows, pes.columns)}  # for each way to lay the Clusters: beside the units of a level, what fits along both sides
    for size in clusters:
        ways = {way for rows, columns in left for way in ((rows // size, columns), (rows, columns // size))}
        left = {way for way in ways if min(way) > 0}
    return max(map(max, left), default=0)


@dataclass(frozen=True, slots=True)
class Hardware:
    """One machine; HardwareError with a law that it breaks.

    bits: word widths of weight, input, output (partial sums have the output's).
    array: None where any PEs may form a Cluster. run: None where a tile takes no longer than its MACs. fpga: None where the machine
    is a chip of its own, which has an area.
    """

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
    array: Array | None = None
    run: Run | None = None
    fpga: Fpga | None = None
    sparse: Sparse = NOTHING_SPARED

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, int, int], ...] = (
            ("pes", self.pes, 2**20),
            ("simd", self.simd, 2**20),
            *((f"bits.{tensor}", bits, 64) for tensor, bits in zip(_TENSORS, self.bits, strict=True)),
            *_rooms("l1", self.l1),
            *_rooms("l2", self.l2),
            ("noc.latency_cycles", self.noc.latency_cycles, 2**30),
            *_counts("array", {} if self.array is None else {"rows": self.array.rows, "columns": self.array.columns}),
            *(
                ()
                if self.run is None
                else (("array.run.longest", self.run.longest, 2**31), ("array.run.least", self.run.least, 2**20))
            ),
            *(() if self.fpga is None else _of_fpga(self.fpga)),
        )
        for key, value, most in limits:
            if not 1 <= value <= most:
                raise HardwareError(f"{key} must be from 1 to {most}, got {show(value)}")
        for key, value in (("l2.tile_cycles", self.l2.tile_cycles), ("offchip.latency_cycles", self.offchip.latency_cycles)):
            if not 0 <= value <= 2**30:
                raise HardwareError(f"{key} must be from 0 to {2**30}, got {show(value)}")
        if not 0.0 < self.clock_mhz < 1e6:
            raise HardwareError(f"clock_mhz must be above 0 and below 1e6, got {show(self.clock_mhz)}")
        self._check_widths()
        self._check_tensors()
        self._check_fpga()
        if self.array is not None and self.array.rows * self.array.columns != self.pes:
            raise HardwareError(
                f"array.rows x array.columns must be the {self.pes} PEs, got {self.array.rows} x {self.array.columns}"
            )
        if self.sparse.lanes is not None and prod(self.sparse.lanes) != self.simd:
            lanes = " x ".join(map(str, self.sparse.lanes))
            raise HardwareError(f"sparse.lanes of weight x input must be simd, {self.simd}, got {lanes}")
        if self.sparse.lanes is not None and self.run is not None:
            raise HardwareError("sparse.lanes are not filled by instructions; leave array.run out, or sparse.lanes")
        if self.run is not None and self.run.least > self.run.longest:
            raise HardwareError(f"array.run.least must be at most array.run.longest, {self.run.longest}, got {self.run.least}")

    def _check_widths(self) -> None:
        wires = self.noc.wires or ()
        widths = {"noc.bytes_per_cycle": self.noc.bytes_per_cycle, "offchip.bytes_per_cycle": self.offchip.bytes_per_cycle}
        for key, width in (*((f"noc.{tensor}", width) for tensor, width in zip(_TENSORS, wires, strict=False)), *widths.items()):
            whole = width == int(width) if abs(width) < 2**52 else True
            most = MOST_WIDTH if whole else MOST_FRACTION
            if not 0 < width <= most or 1000 % ratio(width).denominator:
                raise HardwareError(f"{key} must be above 0 and at most {most}, with at most three decimals, got {show(width)}")

    def _check_tensors(self) -> None:
        """Each tensor has a place in the L1, and one in the L2 unless it passes it by."""
        for name, buffer in (("l1", self.l1), ("l2", self.l2)):
            for tensor in Tensor:
                if not buffer.bypass[tensor] and buffer.room(tensor).bytes == 0:
                    raise HardwareError(
                        f"{_TENSORS[tensor]} must have a place in {name}, which has neither bytes nor a part of its own for it; "
                        f"give {name}.bytes or {name}.{_TENSORS[tensor]}"
                    )

    def _check_fpga(self) -> None:
        fpga = self.fpga
        if fpga is None:
            return
        if not 0 <= fpga.lutram_below <= 2**50:
            raise HardwareError(f"fpga.lutram_below must be from 0 to {2**50}, got {show(fpga.lutram_below)}")
        if fpga.bram_width > fpga.bram_bits:
            raise HardwareError(f"fpga.bram_width must be at most fpga.bram_bits, {fpga.bram_bits}, got {fpga.bram_width}")
        wide = max(self.bits[Tensor.WEIGHT], self.bits[Tensor.INPUT])
        if fpga.int8_packed and wide > 8:
            raise HardwareError(f"fpga.int8_packed takes weights and inputs of at most 8 bits, got {wide}")

    @property
    def shape(self) -> Pes:
        """The PEs as mappings use them: in rows and columns, or else so many."""
        return self.array or self.pes


_TENSORS = ("weight", "input", "output")


def _rooms(name: str, buffer: Buffer) -> list[tuple[str, int, int]]:
    shared = [("" if buffer.bytes == 0 else name, buffer.bytes)]
    own = [(f"{name}.{_TENSORS[tensor]}", part.bytes) for tensor, part in enumerate(buffer.parts) if part is not None]
    return [(f"{key}.bytes", size, 2**50) for key, size in (*shared, *own) if key]


def ratio(width: Width) -> Fraction:
    """A width as the fraction that its decimals say."""
    return Fraction(str(width)) if isinstance(width, float) else Fraction(width)


def width(number: float | Fraction) -> Width:
    """A number as a width: an int where it is whole."""
    return int(number) if number == int(number) else float(number)


def total_width(wires: Wires) -> Width:
    """What the wires of all tensors carry to the PEs in a cycle."""
    return width(sum(map(ratio, wires), Fraction()))


def _counts(name: str, values: dict[str, int]) -> list[tuple[str, int, int]]:
    return [(f"{name}.{key}", value, 2**20) for key, value in values.items()]


def _of_fpga(fpga: Fpga) -> list[tuple[str, int, int]]:
    counts = {"dsp_per_mac": fpga.dsp_per_mac, "bram_bits": fpga.bram_bits, "bram_width": fpga.bram_width}
    banks = (
        (f"{name}_banks.{tensor}", value)
        for name in ("l1", "l2")
        for tensor, value in zip(_TENSORS, getattr(fpga, f"{name}_banks"), strict=True)
    )
    return _counts("fpga", {**counts, **dict(banks)})
