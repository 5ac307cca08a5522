"""The keys of a hardware file of one machine, checked, as a `Hardware`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.yaml.constraints import DimLabel
from mapsearch.formats.yaml.plain import Keys
from mapsearch.formats.yaml.sparse_keys import SparseKeys
from mapsearch.formats.yaml.technology import Line, load_technology
from mapsearch.model.errors import HardwareError
from mapsearch.model.fpga import BRAM_BITS, BRAM_WIDTH, Banks, Fpga
from mapsearch.model.hardware import (
    Array,
    Buffer,
    Buffering,
    Hardware,
    Noc,
    Offchip,
    Part,
    Residency,
    Run,
    total_width,
    width,
)
from mapsearch.model.tensors import Tensor

TENSORS = tuple(tensor.label for tensor in Tensor)

# The types and keys of a file; the dataclasses of the hardware check the ranges.

_Buffering = Literal["double", "stream", "single"]
_TensorLabel = Literal["weight", "input", "output"]
_Tensors = Annotated[list[_TensorLabel], Field(examples=["[input, output]"])]


class _BitsKeys(Keys):
    weight: int
    input: int
    output: int


class _PartKeys(Keys):
    bytes: int
    buffering: _Buffering | None = None  # that of the buffer where left out


class _BufferKeys(Keys):
    """Of the L1, and of the L2, which has three keys more."""

    bytes: int = 0
    double_buffered: bool | None = None
    buffering: _Buffering | None = None
    weight: _PartKeys | None = None
    input: _PartKeys | None = None
    output: _PartKeys | None = None

    def buffer(self, name: str, shared: list[_TensorLabel] | None = None) -> Buffer:
        """The buffer; shared: the tensors in its pool, or None for all that have no part of their own."""
        if self.buffering is not None and self.double_buffered is not None:
            raise HardwareError(f"{name}.buffering and {name}.double_buffered say the same; give one of them")
        buffering = Buffering(self.buffering or ("single" if self.double_buffered is False else "double"))
        owned = {label: part for label in TENSORS if (part := getattr(self, label)) is not None}
        twice = next((label for label in shared or () if label in owned), None)
        if twice is not None:
            raise HardwareError(f"{name}.tensors names {twice}, which has a part of its own; remove one of them")
        pooled = [label for label in TENSORS if label not in owned] if shared is None else shared
        if not pooled and not owned:
            raise HardwareError(f"{name}.tensors must name at least one tensor where none has a part of its own, got []")
        if self.bytes and not pooled:
            raise HardwareError(f"{name}.bytes must be left out or 0, as no tensor shares it, got {self.bytes}")
        weight, input_, output = (
            Part(part.bytes, Buffering(part.buffering or buffering)) if (part := owned.get(label)) is not None else None
            for label in TENSORS
        )
        past = [label not in owned and label not in pooled for label in TENSORS]
        return Buffer(self.bytes, buffering, (weight, input_, output), (past[0], past[1], past[2]))


class _L2Keys(_BufferKeys):
    tensors: _Tensors | None = None
    residency: Literal["best", "none"] = "best"
    tile_cycles: int = 0

    def l2(self) -> Buffer:
        return replace(self.buffer("l2", self.tensors), residency=Residency(self.residency), tile_cycles=self.tile_cycles)


class _NocKeys(Keys):
    bytes_per_cycle: float | None = None
    latency_cycles: int
    multicast: bool
    reduction: bool
    weight: float | None = None
    input: float | None = None
    output: float | None = None

    def noc(self) -> Noc:
        own = {label: width(wires) for label in TENSORS if (wires := getattr(self, label)) is not None}
        if own and self.bytes_per_cycle is not None:
            raise HardwareError(f"noc.bytes_per_cycle is of wires that all tensors share; remove it, or noc.{', noc.'.join(own)}")
        if own and len(own) < len(TENSORS):
            missing = ", ".join(f"noc.{label}" for label in TENSORS if label not in own)
            raise HardwareError(f"{missing} is missing: give the wires of each tensor, or noc.bytes_per_cycle alone")
        wires = (own["weight"], own["input"], own["output"]) if own else None
        shared = width(self.bytes_per_cycle) if self.bytes_per_cycle is not None else 0
        return Noc(total_width(wires) if wires else shared, self.latency_cycles, self.multicast, self.reduction, wires)


class _OffchipKeys(Keys):
    bytes_per_cycle: float
    latency_cycles: int


class _RunKeys(Keys):
    dim: DimLabel
    longest: int
    least: int


class _ArrayKeys(Keys):
    rows: int | None = None
    columns: int | None = None
    run: _RunKeys | None = None

    def array(self) -> Array | None:
        if self.rows is None and self.columns is None:
            return None
        if self.rows is None or self.columns is None:
            raise HardwareError(f"array.{'rows' if self.rows is None else 'columns'} is missing; give both rows and columns")
        return Array(self.rows, self.columns)


class _BankKeys(Keys):
    weight: int = 1
    input: int = 1
    output: int = 1


class _FpgaKeys(Keys):
    dsp_per_mac: int
    int8_packed: bool = False
    bram_bits: int = BRAM_BITS
    bram_width: int = BRAM_WIDTH
    l1_banks: int | _BankKeys = 1
    l2_banks: int | _BankKeys = 1
    lutram_below: int = 0

    def fpga(self) -> Fpga:
        return Fpga(
            self.dsp_per_mac,
            self.int8_packed,
            self.bram_bits,
            self.bram_width,
            _banks(self.l1_banks),
            _banks(self.l2_banks),
            self.lutram_below,
        )


def _banks(given: int | _BankKeys) -> Banks:
    return (given, given, given) if isinstance(given, int) else (given.weight, given.input, given.output)


def fpga_to_dict(fpga: Fpga) -> dict[str, Any]:
    """The FPGA as the keys of a file."""
    banks = {key: dict(zip(TENSORS, getattr(fpga, key), strict=True)) for key in ("l1_banks", "l2_banks")}
    return {**asdict(fpga), **banks}


class _HardwareKeys(Keys):
    name: Line
    source: str = ""
    pes: int
    simd: int
    clock_mhz: float
    bits: _BitsKeys
    array: _ArrayKeys = _ArrayKeys()
    l1: _BufferKeys
    l2: _L2Keys
    noc: _NocKeys
    offchip: _OffchipKeys
    fpga: _FpgaKeys | None = None
    sparse: SparseKeys = SparseKeys()
    technology: object  # a name, a path or a mapping, told apart in load_technology
    budget: object = None  # a space's, see limits_of


_FILE = TypeAdapter(_HardwareKeys)


def machine_of(data: Mapping[str, object], where: str, folder: Path) -> Hardware:
    """The machine of these keys, of which none is left out; InputError where they are wrong."""
    keys = checked(_FILE, data, where)
    technology = load_technology(keys.technology, where, folder)
    run = keys.array.run
    try:
        return Hardware(
            name=keys.name,
            pes=keys.pes,
            simd=keys.simd,
            clock_mhz=keys.clock_mhz,
            bits=(keys.bits.weight, keys.bits.input, keys.bits.output),
            l1=keys.l1.buffer("l1"),
            l2=keys.l2.l2(),
            noc=keys.noc.noc(),
            offchip=Offchip(width(keys.offchip.bytes_per_cycle), keys.offchip.latency_cycles),
            technology=technology,
            array=keys.array.array(),
            run=None if run is None else Run(run.dim, run.longest, run.least),
            fpga=None if keys.fpga is None else keys.fpga.fpga(),
            sparse=keys.sparse.sparse(),
        )
    except HardwareError as error:
        raise HardwareError(f"{where}: {error}") from None
