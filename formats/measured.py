"""Measured figures of chips: CSV files whose head, lines that begin with #, says where they come from.

Files are shipped in `data/validation`; a file of the same name and columns in a user's folder takes the place of a shipped one.
Columns may stand in any order, and further ones are ignored.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.text import decode, read_text
from mapsearch.model.english import counted
from mapsearch.model.errors import InputError, show

_DATA = files("mapsearch.formats") / "data" / "validation"

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Cycles = Annotated[int, Field(ge=1, le=2**62)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=100)]
Name = Annotated[str, Field(min_length=1)]


class Row(BaseModel):
    """A row of a file; a subclass names the file and has a field for each column that is read."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)
    file: ClassVar[str]


class EyerissRow(Row):
    """A layer that the Eyeriss chip ran, and its mapping, n to t, where it was published."""

    file: ClassVar[str] = "eyeriss_mappings.csv"
    network: Name
    layer: Name
    batch: Count
    groups: Count
    K: Count
    C: Count
    outputs: Count
    filter: Count
    stride: Count
    n: Count | None = None
    e: Count | None = None
    p: Count | None = None
    q: Count | None = None
    r: Count | None = None
    t: Count | None = None
    measured_processing_cycles: Cycles


class ChipRow(Row):
    """What the Eyeriss chip's paper tells of a layer, the whole batch together."""

    file: ClassVar[str] = "eyeriss_chip.csv"
    network: Name
    layer: Name
    power_mw: Positive
    total_ms: Positive
    active_pes: Count
    ifmap_zeros_percent: Share
    global_buffer_mb: Positive
    dram_mb: Positive


class OptimumRow(Row):
    """What a search found for a layer on the machine that stands for the Eyeriss chip: its fastest mapping, and a lower bound."""

    file: ClassVar[str] = "eyeriss_optima.csv"
    network: Name
    layer: Name
    runtime_cycles: Cycles
    lower_bound_cycles: Cycles
    bound_by: Name
    sums_mb: Positive


class GemminiRow(Row):
    """A layer that Gemmini's RTL ran in tiles; names are Timeloop's (P and R: output and filter columns; Q and S: rows)."""

    file: ClassVar[str] = "gemmini_rtl.csv"
    id: Name
    R: Count
    S: Count
    P: Count
    Q: Count
    C: Count
    K: Count
    N: Count
    stride: Count
    tile_r: Count = Field(alias="tile_R")
    tile_s: Count = Field(alias="tile_S")
    tile_p: Count = Field(alias="tile_P")
    tile_q: Count = Field(alias="tile_Q")
    tile_c: Count = Field(alias="tile_C")
    tile_k: Count = Field(alias="tile_K")
    timeloop_cycles: Cycles
    rtl_cycles: Cycles


class FpgaRow(Row):
    """A layer that an FPGA ran as so many equal halves, one after the other, and what the whole design takes of the chip."""

    file: ClassVar[str] = "zhang_fpga15.csv"
    layer: Name
    halves: Count
    K: Count
    C: Count
    outputs: Count
    filter: Count
    stride: Count
    measured_ms: Positive
    measured_gflops: Positive
    dsp: Count
    bram_18k: Count


class TpuRow(Row):
    """A GEMM, (M x K)(K x N) in bfloat16, timed on a TPU v6e."""

    file: ClassVar[str] = "tpu_v6e_gemm.csv"
    M: Count
    K: Count
    N: Count
    latency_ns: Positive


class EnergyRow(Row):
    """A mapping whose energy or power was measured; `mapping`: a directive file, relative to the folder of the rows."""

    file: ClassVar[str] = "a file of rows"
    layer: Name
    mapping: Name
    energy_uj: Positive | None = None
    power_mw: Positive | None = None
    time_ms: Positive | None = None


_R = TypeVar("_R", bound=Row)


@dataclass(frozen=True, slots=True)
class Measured(Generic[_R]):
    """The rows of a file, and its head, which says where they come from."""

    head: str
    rows: tuple[_R, ...]


def shipped_machine(name: str) -> Path:
    """The hardware file of a machine that rows were measured on."""
    return Path(str(_DATA / f"{name}.yaml"))


def read_measured(kind: type[_R], folder: Path | None) -> Measured[_R]:
    """The rows of the kind's file in a user's folder, or else of the shipped one; InputError where neither is there."""
    path = folder / kind.file if folder is not None else None
    if path is not None and path.is_file():
        return rows_of(kind, read_text(path, "file of rows"), str(path))
    entry = _DATA / kind.file
    if not entry.is_file():
        missing = f"{path}: no such file; it" if path is not None else kind.file
        raise InputError(f"{missing} is not shipped; give a folder that has {kind.file} by --data")
    return rows_of(kind, decode(entry.read_bytes(), kind.file, "file of rows"), kind.file)


def rows_of(kind: type[_R], text: str, where: str) -> Measured[_R]:
    """The rows of a text; InputError with the line where one breaks a law."""
    lines = text.splitlines()
    head = [line[1:].strip() for line in lines if line.startswith("#")]
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    if len(numbered) < 2:
        raise InputError(f"{where}: must have a line of column names and at least one row, got {counted(len(numbered), 'line')}")
    (_, columns), *others = ((number, next(csv.reader([line]))) for number, line in numbered)
    adapter = TypeAdapter[_R](kind)
    return Measured(" ".join(head), tuple(_row(adapter, columns, cells, f"{where}:{number}") for number, cells in others))


def _row(adapter: TypeAdapter[_R], columns: list[str], cells: list[str], where: str) -> _R:
    if len(cells) != len(columns):
        raise InputError(
            f"{where}: must have a cell for each of the {len(columns)} columns, got {len(cells)}: {show(','.join(cells))}"
        )
    given: dict[str, Any] = {name.strip(): cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    return checked(adapter, given, where)
