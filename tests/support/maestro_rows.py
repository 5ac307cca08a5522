"""Recorded runs of the published MAESTRO: a row's input as we read it, and its numbers by our names."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from mapsearch.formats.maestro.mappings_in import read_written
from mapsearch.model.maestro.figures import printed
from mapsearch.model.maestro.levels import tensors_of
from mapsearch.model.maestro.program import run_program
from mapsearch.model.maestro.source import Source, SourceMachine

Row = dict[str, str]

RECORDED = Path(__file__).parents[1] / "data" / "maestro_runs.csv"
TOLERANCE = 1e-9

_TENSORS = {"input": "input", "filter": "weight", "output": "output"}
# Our name of each recorded column that holds a number which the program printed.
COLUMNS = {
    "num_macs": "macs",
    "runtime": "runtime_cycles",
    "throughput": "throughput_macs_per_cycle",
    "overall_reuse_factor": "overall_reuse",
    "total_l2_size_req": "l2_need_words",
    "total_l1_size_req": "l1_need_words",
    "l2_write_energy": "l2_write_energy_macs",
    "l2_read_energy": "l2_read_energy_macs",
    "l1_write_energy": "l1_write_energy_macs",
    "l1_read_energy": "l1_read_energy_macs",
    "mac_energy": "macs",
    "peak_bw_req": "peak_noc_words_per_cycle",
    "avg_bw_req": "average_noc_words_per_cycle",
    "total_energy_mac": "energy_macs",
    "perf_per_mac_energy": "throughput_per_energy",
    "avg_utilized_pes": "active_pes",
    "arith_intensity": "arithmetic_intensity_macs_per_word",
    "csv_runtime": "runtime_cycles",
    "csv_energy_nj": "energy_nj",
    "csv_throughput": "throughput_macs_per_cycle",
    "csv_throughput_per_energy": "throughput_per_joule",
    "csv_area": "area_um2",
    "csv_power": "power_mw",
    "csv_noc_bw_req": "peak_noc_words_per_cycle",
    "csv_avg_bw_req": "average_noc_words_per_cycle",
    "csv_peak_bw_req": "peak_noc_words_per_cycle",
    "csv_offchip_bw_req": "offchip_words_per_cycle",
    "csv_l2_size_req": "l2_need_words",
    "csv_l1_size_req": "l1_need_words",
    "csv_num_input_pixels": "input_pixels",
    "csv_num_weight_pixels": "weight_pixels",
    "csv_ops_per_joule": "macs_per_joule",
    "csv_num_macs": "macs",
    "csv_pe_power": "pe_power_mw",
    "csv_l1_power": "l1_power_mw",
    "csv_l2_power": "l2_power_mw",
    "csv_noc_power": "noc_power_mw",
    **{f"{theirs}_{part}_size_req": f"{ours}_{part}_size_words" for theirs, ours in _TENSORS.items() for part in ("l1", "l2")},
    **{
        f"{theirs}_{access}": f"{ours}_{access}_words"
        for theirs, ours in _TENSORS.items()
        for access in ("l1_read", "l1_write", "l2_read", "l2_write")
    },
    **{f"{theirs}_reuse_factor": f"{ours}_reuse" for theirs, ours in _TENSORS.items()},
    **{
        f"{part}_{theirs}": f"{part}_{ours}_cycles"
        for part in ("ingress", "egress", "compute")
        for theirs, ours in (("min", "min"), ("max", "max"), ("avg", "average"))
    },
}


def recorded_rows(path: Path = RECORDED) -> Iterator[Row]:
    """The rows of a file of recorded runs."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def text_of(row: Row) -> str:
    """The mapping file of a row."""
    sizes = {name.replace("p", "'"): row[name] for name in ("N", "G", "K", "C", "R", "S", "Y", "X", "M", "Yp", "Xp") if row[name]}
    strides = {axis: row[f"stride_{axis.lower()}"] for axis in "YX" if row[f"stride_{axis.lower()}"]}
    blocks = [f"Type: {row['layer_type']}"]
    if strides:
        blocks.append("Stride { " + ", ".join(f"{axis}: {stride}" for axis, stride in strides.items()) + " }")
    blocks.append("Dimensions { " + ", ".join(f"{name}: {size}" for name, size in sizes.items()) + " }")
    return f"Network recorded {{ Layer row {{ {' '.join(blocks)} Dataflow {{ {row['dataflow']} }} }} }}"


def source_of(row: Row) -> Source:
    """The layer and mapping of a row as the program reads them."""
    [source] = read_written(text_of(row), f"row {row['id']}")
    return source


def machine_of(row: Row) -> SourceMachine:
    """The machine of a row."""
    names = ("num_pes", "noc_bw", "noc_latency", "offchip_bw", "l1_size", "l2_size", "simd")
    pes, noc, latency, offchip, l1, l2, simd = (int(row[name]) for name in names)
    return SourceMachine(pes, noc, latency, offchip, l1, l2, simd)


def figures_of(row: Row) -> dict[str, float]:
    """Our numbers for a row, by our names; InputError where the program would not give any."""
    source, machine = source_of(row), machine_of(row)
    return printed(run_program(source, machine), source, tensors_of(source), machine)


def compared(row: Row) -> dict[str, tuple[float, float]]:
    """(Ours, recorded) for each number that the row holds, by the recorded column."""
    ours = figures_of(row)
    return {column: (ours[name], float(row[column])) for column, name in COLUMNS.items() if row[column] != ""}


def equal(ours: float, recorded: float) -> bool:
    """Whether two numbers are equal to a relative 1e-9; no number equals no number."""
    if math.isnan(recorded):
        return math.isnan(ours)
    return ours == recorded or abs(ours - recorded) <= TOLERANCE * max(abs(ours), abs(recorded))
