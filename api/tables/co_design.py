"""What `mapsearch run` shows of a search for a machine."""

from __future__ import annotations

from mapsearch.output import Cell, spread, write, write_table
from mapsearch.spaces.machines.space import value_text
from mapsearch.studies.results import CoDesignProgress, CoDesignResult, MachineRow

_WAYS = {
    "preset": "the best preset within the budget, {} (its sizes in the space's technology)",
    "hardware_first": "hardware first, chosen for {} and then mapped freely",
}
_STAGES = {"bounded": "before any mapping", "quick": "once mapped quickly", "refined": "once refined"}


def progress_line(state: CoDesignProgress) -> str:
    """One line on how far a search is."""
    values = [] if state.best is None else [f"{value:.5g}" for value in state.best.objectives]
    found = ", ".join(values) or "none yet"
    dropped = sum(state.dropped.values())
    return f"{state.stage}: {state.mapped['quick']:,} machines mapped, {dropped:,} dropped, {state.open:,} open; best: {found}"


def print_co_design(result: CoDesignResult) -> None:
    """The machines that were looked at, the best one, the front and the comparison."""
    write(f"space:   {result.space}, {result.machines:,} machines, {result.over:,} of them over the budget")
    dropped = ", ".join(f"{count:,} {_STAGES[stage]}" for stage, count in result.dropped.items() if count)
    write(f"dropped: {sum(result.dropped.values()):,} by lower bounds{f' ({dropped})' if dropped else ''}")
    mapped = ", ".join(f"{count:,} {stage}" for stage, count in result.mapped.items())
    without = f"; {result.no_mapping:,} have no mapping within the budget" if result.no_mapping else ""
    write(f"mapped:  {mapped}{without}")
    proof = "none is left that could do better" if result.proven else f"{result.open:,} are open that might do better"
    if result.clock_mhz is not None:
        write(f"clocks:  machines are compared by time; objectives count cycles of {result.clock_mhz:,g} MHz")
    write(f"best:    {_machine(result.best)}; {proof}")
    rows = [_row(machine) for machine in spread(result.front)]
    timed = [] if result.clock_mhz is None else ["runtime [ms]"]
    columns = ("machine", "cycles", *timed, "energy [uJ]", "area [mm²]", "power [mW]")
    write_table(f"Front of machines, {len(rows)} of {len(result.front)}", columns, rows)
    for baseline in result.comparison:
        way = _WAYS[baseline.way].format(baseline.chosen)
        value = "has no mapping" if baseline.objective is None else f"objective {baseline.objective:.5g}"
        write(f"against: {way}: {value}{_gain(baseline.gain)}")


def _gain(gain: float | None) -> str:
    """How much better the machine of a co-design is than a baseline."""
    return "" if gain is None else f"; co-design is {1 + gain:.4g} x better"


def _machine(row: MachineRow) -> str:
    return ", ".join(f"{key} {value_text(value)}" for key, value in row.values.items()) or "the only one"


def _row(row: MachineRow) -> list[Cell]:
    energy_uj = (row.energy_pj or 0.0) / 1e6
    runtime: list[Cell] = [row.runtime_cycles or 0, *([] if row.runtime_ms is None else [row.runtime_ms])]
    return [_machine(row), *runtime, energy_uj, row.area_mm2, row.power_mw or 0.0]
