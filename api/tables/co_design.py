"""What `mapsearch run` shows of a search for a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mapsearch.model.english import counted
from mapsearch.output import Cell, spread, write, write_prose, write_table
from mapsearch.spaces.machines.space import machine_text
from mapsearch.studies.co_design.results import BaselineResult, CoDesignProgress, CoDesignResult, MachineRow
from mapsearch.studies.shown import ENERGY

_WAYS = {
    "preset": "the best preset within the budget, {} (its sizes in the space's technology)",
    "hardware_first": "hardware first, chosen for {} and then mapped freely",
}
_STAGES = {"bounded": "before any mapping", "quick": "once mapped quickly", "refined": "once refined"}


def progress_line(state: CoDesignProgress) -> str:
    """One line on how far a search is."""
    values = [] if state.best is None else [f"{value:.5g}" for value in state.best.objectives]
    found = ", ".join(values) or "none yet"
    mapped, dropped = counted(state.mapped["quick"], "machine"), sum(state.dropped.values())
    return f"{state.stage}: {mapped} mapped, {dropped:,} dropped, {state.open:,} open; best: {found}"


def print_co_design(result: CoDesignResult) -> None:
    """The machines that were looked at, the best one, the front and the comparison."""
    write_prose(
        f"space:   {result.space}, {counted(result.machines, 'machine')}, {result.over:,} of them over the budget", indent=9
    )
    dropped = ", ".join(f"{count:,} {_STAGES[stage]}" for stage, count in result.dropped.items() if count)
    write_prose(f"dropped: {sum(result.dropped.values()):,} by lower bounds{f' ({dropped})' if dropped else ''}", indent=9)
    mapped = ", ".join(f"{count:,} {stage}" for stage, count in result.mapped.items())
    without = f"; {result.no_mapping:,} have no mapping within the budget" if result.no_mapping else ""
    write_prose(f"mapped:  {mapped}{without}", indent=9)
    proof = "no other machine is left that could do better" if result.proven else f"{result.open:,} are open that might do better"
    if result.clock_mhz is not None:
        write_prose(f"clocks:  machines are compared by time; objectives count cycles of {result.clock_mhz:,g} MHz", indent=9)
    write_prose(f"best:    {machine_text(result.best.values)}; {proof}", indent=9)
    write("")
    rows = [_row(machine) for machine in spread(result.front)]
    timed = [] if result.clock_mhz is None else ["runtime [ms]"]
    size = ("area [mm²]",) if result.best.dsp is None else ("DSPs", "block RAMs")
    columns = ("cycles", *timed, ENERGY, *size, "power [mW]", "machine")
    write_table(f"Front of machines, {len(rows)} of {len(result.front)}", columns, rows)
    for baseline in result.comparison:
        way = _WAYS[baseline.way].format(baseline.chosen)
        value = "has no mapping" if baseline.objective is None else f"objective {baseline.objective:.5g}"
        write_prose(f"against: {way}: {value}{_gain(baseline, result.best)}", indent=9)


def _gain(baseline: BaselineResult, best: MachineRow) -> str:
    """How much better the machine of a co-design is than a baseline."""
    if baseline.gain is None:
        return ""
    if baseline.gain == 0:
        same = all(_at(baseline.hardware, key) == value for key, value in best.values.items())
        return "; the same machine" if same else "; another machine, as good"
    return f"; co-design is {1 + baseline.gain:.4g} x better"


def _at(hardware: Mapping[str, Any], key: str) -> object:
    """What a hardware file has at an axis's key, which has dots between nested ones."""
    at: Any = hardware
    for part in key.split("."):
        at = at[part]
    return at


def _row(row: MachineRow) -> list[Cell]:
    energy_uj = (row.energy_pj or 0.0) / 1e6
    runtime: list[Cell] = [row.runtime_cycles or 0, *([] if row.runtime_ms is None else [row.runtime_ms])]
    size = [each for each in (row.area_mm2, row.dsp, row.bram_18k) if each is not None]
    return [*runtime, energy_uj, *size, row.power_mw or 0.0, machine_text(row.values)]
