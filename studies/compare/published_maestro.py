"""Runs the published MAESTRO on exported mappings and compares its numbers with ours, one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mapsearch.formats.directives import Network
from mapsearch.formats.maestro.out import maestro_sources, print_machine, print_sources
from mapsearch.model.english import counted
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.figures import printed
from mapsearch.model.maestro.levels import tensors_of
from mapsearch.model.maestro.program import run_program
from mapsearch.model.maestro.source import Source, SourceMachine
from mapsearch.model.maestro.translate import machine_of
from mapsearch.studies.compare.comparison import Comparison
from mapsearch.studies.compare.program import run_in

# The program prints six significant digits.
TOLERANCE = 1e-5

# Our names of its CSV's columns, in its order; None where a column says nothing about the mapping.
_TENSORS = ("input", "weight", "output")
_ACCESSES = ("l1_read_words", "l1_write_words", "l2_read_words", "l2_write_words", "reuse")
_COLUMNS: tuple[str | None, ...] = (
    None, None, None, "runtime_cycles", "energy_nj", "throughput_macs_per_cycle", "throughput_per_joule", "area_um2", "power_mw",
    "peak_noc_words_per_cycle", "average_noc_words_per_cycle", "peak_noc_words_per_cycle", None, "offchip_words_per_cycle",
    "l2_need_words", "l1_need_words", None, None, "input_pixels", "weight_pixels", "macs_per_joule", "macs",
    "pe_power_mw", "l1_power_mw", "l2_power_mw", "noc_power_mw",
    *(f"{tensor}_{access}" for tensor in _TENSORS for access in _ACCESSES),
    *(f"{part}_{which}_cycles" for part in ("ingress", "egress", "compute") for which in ("min", "max", "average")),
    "active_pes", "arithmetic_intensity_macs_per_word",
)  # fmt: skip


def verify(network: Network, hardware: Hardware, binary: Path, timeout_seconds: float) -> list[Comparison]:
    """Every number that the program prints for the layers of a network, beside ours.

    Each layer runs in a process of its own, since the program's CSV mixes the energies of layers. Raises InputError where a mapping
    cannot be exported, or the program cannot be run, takes longer than `timeout_seconds`, fails, or writes no table of its numbers.
    """
    target = machine_of(hardware)
    return [row for layer in maestro_sources(network, hardware) for row in _compare(layer, target, binary, timeout_seconds)]


def _compare(layer: Source, target: SourceMachine, binary: Path, timeout_seconds: float) -> list[Comparison]:
    with tempfile.TemporaryDirectory(prefix="mapsearch-verify-") as name:
        folder = Path(name)
        mappings = folder / "data" / "mapping"  # the program cuts two folders off a mapping's path to name its CSV
        mappings.mkdir(parents=True)
        (mappings / "layer.m").write_text(print_sources("verified", [layer]), encoding="utf-8")
        (folder / "hw.m").write_text(print_machine(target, "the hardware"), encoding="utf-8")
        arguments = [
            "--HW_file=hw.m",
            "--Mapping_file=data/mapping/layer.m",
            "--print_res=true",
            "--print_res_csv_file=true",
            f"--num_simd_lanes={target.simd}",
        ]
        run_in(folder, [str(binary), *arguments], f"{binary}: layer {layer.name}", timeout_seconds)
        theirs = _read_csv(folder, binary, layer)
    ours = printed(run_program(layer, target), layer, tensors_of(layer), target)
    return [Comparison(layer.name, name, ours[name], value, tolerance=TOLERANCE) for name, value in theirs.items()]


def _read_csv(folder: Path, binary: Path, layer: Source) -> dict[str, float]:
    where = f"{binary}: layer {layer.name}"
    files = sorted(folder.glob("*.csv"))
    if len(files) != 1:
        raise InputError(f"{where}: the program must write one CSV file, wrote {len(files)}")
    lines = files[0].read_bytes().decode(errors="replace").splitlines()
    if len(lines) != 2:
        raise InputError(f"{where}: its CSV must have a header and one row, got {counted(len(lines), 'line')}")
    cells = [cell.strip() for cell in lines[1].split(",")]
    while cells and cells[-1] == "":
        cells.pop()
    if len(cells) != len(_COLUMNS):
        raise InputError(f"{where}: its CSV must have {len(_COLUMNS)} columns, got {len(cells)}; is it commit 4eb08d17?")
    found: dict[str, float] = {}
    for name, cell in zip(_COLUMNS, cells, strict=True):
        if name is not None:
            try:
                found[name] = float(cell)
            except ValueError:
                raise InputError(f"{where}: {name} in its CSV must be a number, got {cell[:40]!r}") from None
    return found
