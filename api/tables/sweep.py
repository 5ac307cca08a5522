"""What `mapsearch sweep` shows: tables of the optima, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mapsearch.output import Cell, write, write_prose, write_table
from mapsearch.spaces.machines.space import machine_text
from mapsearch.studies.shown import ENERGY
from mapsearch.studies.sweep.summary import SweepSummary, SweptDesign

# What leaves designs out, by its name in a summary.
_REASONS = {
    "bandwidth": "the off-chip bandwidth",
    "peak_gops": "the peak rate",
    "pes": "the number of PEs",
    "l1": "the L1's size",
    "l2": "the L2's size",
    "area_mm2": "area",
    "dsp": "DSPs",
    "bram_18k": "block RAMs",
    "power_mw": "power",
}
# Columns with the keys of a design, and their scales.
_MACHINE = {
    "PEs": ("pes", 1),
    "L1 [B]": ("l1_bytes", 1),
    "L2 [B]": ("l2_bytes", 1),
    "NoC [B/cycle]": ("noc_bytes_per_cycle", 1),
    "off-chip [B/cycle]": ("offchip_bytes_per_cycle", 1),
}
_COSTS = {
    "cycles": ("runtime_cycles", 1),
    "throughput [GMAC/s]": ("throughput_gmacs_per_s", 1),
    ENERGY: ("energy_pj", 1e-6),
    "area [mm²]": ("area_mm2", 1),
    "DSPs": ("dsp", 1),
    "block RAMs": ("bram_18k", 1),
    "power [mW]": ("power_mw", 1),
}
_SIZES = ("area_mm2", "dsp", "bram_18k")  # of which a machine has some


def print_summary(summary: SweepSummary, *, saved: bool = True) -> None:
    """The optima of each dataflow and layer, what was left out and why, the rates, and where everything is, if it was saved."""
    shown = {header: column for header, column in _COSTS.items() if column[0] not in _SIZES or column[0] in summary.sizes}
    axes = any(design.values for pair in summary.pairs for design in pair.optima.values())
    which: list[list[Cell]] = []
    costs: list[list[Cell]] = []
    for pair in summary.pairs:
        none: dict[str, SweptDesign | None] = {"none valid" if pair.done else "not done": None}
        for name, design in (pair.optima or none).items():
            where = [pair.dataflow, pair.layer, name]
            further = [machine_text(design.values) if design is not None else ""] if axes else []
            which.append([*where, *_cells(design, _MACHINE), *further])
            costs.append([*where, *_cells(design, shown)])
    labels = ("dataflow", "layer", "best")
    write_table("Best designs", (*labels, *_MACHINE, *(["further"] if axes else [])), which)
    write_table("What they cost", (*labels, *shown), costs)
    write_prose(
        f"designs: {summary.done:,} of {summary.designs:,}; {summary.valid:,} valid, {summary.costed:,} costed in full",
        indent=9,
    )
    left_out = ", ".join(f"{count:,} by {_REASONS[reason]}" for reason, count in summary.left_out.items() if count)
    if left_out:
        write_prose(f"         left out: {left_out}", indent=9)
    rate, valid = summary.designs_per_second, summary.valid_per_second
    write_prose(
        f"rate:    {rate:,.0f} designs/s, of which {valid:,.0f} valid ones costed and saved; {summary.seconds:.1f} s", indent=9
    )
    if not saved:
        return
    pictures = [f"{name}.png" for name in ("area_power", "dsp_power", "bram_power", "energy_throughput")]
    names = ("summary.json", "front.csv", "designs/", "mappings/", *pictures)
    write(f"written: {summary.folder} ({', '.join(name for name in names if (Path(summary.folder) / name).exists())})")
    if not summary.complete:
        write(f"stopped before the end; go on with: mapsearch sweep --out {summary.folder} --resume")


def _cells(design: SweptDesign | None, columns: Mapping[str, tuple[str, float]]) -> list[Cell]:
    """A design's figures in the columns; nothing where there is none."""
    if design is None:
        return [""] * len(columns)
    figures = ((getattr(design, key), scale) for key, scale in columns.values())
    return [figure if scale == 1 else figure * scale for figure, scale in figures]
