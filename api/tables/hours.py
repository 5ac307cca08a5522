"""The tables of a service's hours: demand, machines, machine hours, unusual days, groups of cells."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.model.english import counted
from mapsearch.output import Cell, write_prose, write_table
from mapsearch.studies.serve.profile import CellGroups
from mapsearch.studies.serve.results import HourResult, MachineHours, ServeResults

_MOST_HOURS = 48  # that are shown one by one; of more, each day has a row
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def print_hours(results: ServeResults) -> None:
    """The machines that hours need, or days, and groups of cells."""
    found = results.hours
    if found is not None:
        names = [tenant.name for tenant in results.tenants]
        if len(found.hours) <= _MOST_HOURS:
            _print_hours(found.hours, names)
        else:
            _print_days(found.hours, names)
    for name, demand in (results.demand or {}).items():
        if demand.groups is not None:
            _print_groups(name, demand.groups)


def _print_hours(hours: Sequence[HourResult], names: Sequence[str]) -> None:
    rows: list[list[Cell]] = [
        [
            hour.start.replace("T", " "),
            *(hour.rate_per_s[name] for name in names),
            hour.load,
            *(hour.p99_ms.get(name, "") for name in names),
            _machines(hour.machines),
        ]
        for hour in hours
    ]
    columns = (*(f"{name} [1/s]" for name in names), "load", *(f"p99 {name} [ms]" for name in names), "machines")
    write_table("Machines that each hour needs, all tenants in turn on each", ("hour", *columns), rows)


def _print_days(hours: Sequence[HourResult], names: Sequence[str]) -> None:
    days: dict[str, list[HourResult]] = {}
    for hour in hours:
        days.setdefault(hour.start.partition("T")[0], []).append(hour)
    rows: list[list[Cell]] = []
    for date, its in days.items():
        peak = max(its, key=lambda hour: hour.load)
        means = [sum(hour.rate_per_s[name] for hour in its) / len(its) for name in names]
        machines = [hour.machines for hour in its]
        most = None if None in machines else max(each for each in machines if each is not None)
        hourly: Cell = "" if None in machines else sum(each for each in machines if each is not None)
        rows.append([date, *means, peak.start.partition("T")[2][:5], peak.load, _machines(most), hourly])
    columns = (*(f"{name} [1/s]" for name in names), "peak at", "load then", "machines", "machine\nhours")
    write_table("Machines that each day needs, all tenants in turn on each", ("day", *columns), rows)


def _machines(machines: int | None) -> Cell:
    return "none do" if machines is None else machines


def hour_lines(results: ServeResults) -> list[str]:
    """What following the demand saves, and unusual days."""
    found = results.hours
    if found is None:
        return []
    lines = ["hours:   in some no number of machines keeps the SLOs"]
    if found.machine_hours is not None:
        lines = [f"hours:   {_told(found.machine_hours)}"]
    if found.unusual is not None:
        day = found.unusual
        lines.append(f"         of {day.date}, the most unusual day of {day.tenant}: {_told(day.machine_hours)}")
    for name, demand in (results.demand or {}).items():
        days = demand.profile.unusual_days
        if days is None:
            lines.append(f"days:    {name}: its trace is too short to tell unusual days, which takes three weeks")
        else:
            told = ", ".join(f"{day.date} ({day.hours} h, {'more' if day.worst > 0 else 'less'} than usual)" for day in days)
            lines.append(f"days:    {name}: {'unusual are ' + told if told else 'none is unusual'}")
    return lines


def _told(its: MachineHours) -> str:
    return (
        f"{counted(its.hourly, 'machine hour')} if machines follow the demand, {its.peak_provisioned:,} with those of the peak at "
        f"all times: {its.saving:.1%} saved"
    )


def _print_groups(name: str, found: CellGroups) -> None:
    rows: list[list[Cell]] = []
    for number, group in enumerate(found.groups, start=1):
        day, hour = divmod(group.peak_hour, 24)
        first = ", ".join(map(str, group.cells[:8])) + (", ..." if len(group.cells) > 8 else "")
        rows.append([number, len(group.cells), group.mean_per_s, f"{_DAYS[day]} {hour:02}:00", group.peak_over_mean, first])
    columns = ("cells", "mean [1/s]", "peak at", "peak\nover mean", "")
    write_table(f"Cells of {name} by the shape of their week", ("group", *columns), rows)
    idle = f"; {counted(len(found.idle), 'cell')} without demand" if found.idle else ""
    write_prose(f"         all groups together peak at {100 * found.joint_peak:.3g}% of the sum of their peaks{idle}", indent=9)
