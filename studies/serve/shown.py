"""What the ways of sharing a service give, as rows that tables and pages show."""

from __future__ import annotations

from mapsearch.studies.serve.results import WAYS, ServeResults

WAYS_TITLE = "What each way gives"


def ways_table(results: ServeResults) -> tuple[tuple[str, ...], list[list[str | float]]]:
    """The columns, with units, and a row for each way: machines, utilization, throughput, power, cost, saving, load, SLOs."""
    priced = any(each.cost_per_million is not None for each in results.sharing.values())
    asked = any(each.capacity is not None for each in results.sharing.values())
    rows: list[list[str | float]] = []
    for way, each in results.sharing.items():
        row: list[str | float] = [WAYS[way], each.machines, 100 * each.utilization, each.throughput_per_s, each.power_w]
        if priced:
            saving = "" if each.saving is None else f"{100 * each.saving:.1f}"
            row += ["" if each.cost_per_million is None else each.cost_per_million, saving]
        if asked:
            row.append("" if each.capacity is None else each.capacity.max_load_factor)
        rows.append([*row, "all hold" if each.slos_met else "BROKEN"])
    more = (("cost [per million]", "saving [%]") if priced else ()) + (("rates at most [times]",) if asked else ())
    return ("sharing", "machines", "busy [%]", "done [1/s]", "power [W]", *more, "SLOs"), rows
