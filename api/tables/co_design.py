"""What `mapsearch run` shows of a search for a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mapsearch.output import Cell, spread, write, write_table
from mapsearch.spaces.machines.space import value_text

_WAYS = {
    "preset": "the best preset within the budget, {} (its sizes in the space's technology)",
    "hardware_first": "hardware first, chosen for {} and then mapped freely",
}
_STAGES = {"bounded": "before any mapping", "quick": "once mapped quickly", "refined": "once refined"}


def progress(state: Mapping[str, Any]) -> str:
    """One line on how far a search is."""
    best: Mapping[str, Any] = state["best"] or {}
    mapped = state["mapped"]
    values = [f"{value:.5g}" for key, value in best.items() if key.startswith("objective")]
    found = ", ".join(values) or "none yet"
    dropped = sum(state["dropped"].values())
    return f"{state['stage']}: {mapped['quick']:,} machines mapped, {dropped:,} dropped, {state['open']:,} open; best: {found}"


def print_co_design(told: Mapping[str, Any]) -> None:
    """The machines that were looked at, the best one, the front and the comparison."""
    write(f"space:   {told['space']}, {told['machines']:,} machines, {told['over']:,} of them over the budget")
    dropped = ", ".join(f"{count:,} {_STAGES[stage]}" for stage, count in told["dropped"].items() if count)
    write(f"dropped: {sum(told['dropped'].values()):,} by lower bounds{f' ({dropped})' if dropped else ''}")
    mapped = ", ".join(f"{count:,} {stage}" for stage, count in told["mapped"].items())
    without = f"; {told['no_mapping']:,} have no mapping within the budget" if told["no_mapping"] else ""
    write(f"mapped:  {mapped}{without}")
    proof = "none is left that could do better" if told["proven"] else f"{told['open']:,} are open that might do better"
    if "clock_mhz" in told:
        write(f"clocks:  machines are compared by time; objectives count cycles of {told['clock_mhz']:,g} MHz")
    write(f"best:    {_machine(told['best'])}; {proof}")
    front = told["front"]
    rows = [_row(machine) for machine in spread(front)]
    columns = ("machine", "cycles", *(["runtime [ms]"] if "clock_mhz" in told else []), "energy [uJ]", "area [mm²]", "power [mW]")
    write_table(f"Front of machines, {len(rows)} of {len(front)}", columns, rows)
    for baseline in told["comparison"]:
        way = _WAYS[baseline["way"]].format(baseline["chosen"])
        value = "has no mapping" if baseline["objective"] is None else f"objective {baseline['objective']:.5g}"
        gain = "" if baseline["gain"] is None else f"; co-design is {1 + baseline['gain']:.4g} x better"
        write(f"against: {way}: {value}{gain}")


def _machine(row: Mapping[str, Any]) -> str:
    keys = list(row)
    axes = keys[: keys.index("area_mm2")]
    return ", ".join(f"{key} {value_text(row[key])}" for key in axes) or "the only one"


def _row(row: Mapping[str, Any]) -> list[Cell]:
    runtime = [row["runtime_cycles"], *([row["runtime_ms"]] if "runtime_ms" in row else [])]
    return [_machine(row), *runtime, row["energy_pj"] / 1e6, row["area_mm2"], row["power_mw"]]
