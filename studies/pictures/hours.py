"""The load and the machines of a service over the hours of its traces."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mapsearch.studies.pictures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    SMALL,
    YELLOW,
    Axes,
    Figure,
    fitted,
    new_figure,
    tidy,
)
from mapsearch.studies.serve.results import HourResult, HoursResult, ServeResults

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED, BLACK)
_TICKS = 15  # at the most


def draw_hours(results: ServeResults, found: HoursResult) -> Figure:
    """Steps over the hours: each tenant's rate, one machine's load with all of them, the machines; unusual days are shaded."""
    hours = found.hours
    unusual_dates = {day.date for each in (results.demand or {}).values() for day in each.profile.unusual_days or ()}
    edges = [*range(len(hours) + 1)]
    figure = new_figure(6.0, f"Load and machines over the hours: {results.name} on {results.hardware}")
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    for number, name in enumerate(hours[0].rate_per_s):
        colour = _COLOURS[number % len(_COLOURS)]
        rates = [hour.rate_per_s[name] for hour in hours]
        top.stairs(rates, edges, baseline=None, color=colour, label=fitted(name, 40), linewidth=1.5)
    top.set_ylabel("requests a second", fontsize=SMALL)
    top.legend(fontsize=SMALL, frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))
    middle.stairs([hour.load for hour in hours], edges, color=BLUE, fill=True, alpha=0.5)
    middle.axhline(1.0, color=BLACK, linewidth=0.8, linestyle="--")
    middle.set_ylabel("load of one machine", fontsize=SMALL)
    _machines(bottom, hours)
    for axis in (top, middle, bottom):
        tidy(axis)
        axis.set_ylim(bottom=0)
        for start in _days(hours, unusual_dates):
            axis.axvspan(start, start + 24, color=YELLOW, alpha=0.3, linewidth=0, zorder=0)
    bottom.set_xlim(0, len(hours))
    step = max(1, next((each for each in (1, 3, 6, 12, 24, 168) if len(hours) / each <= _TICKS), len(hours) // _TICKS))
    bottom.set_xticks(
        range(0, len(hours), step), [_label(hours[at].start, days=len(hours) > 24) for at in range(0, len(hours), step)]
    )
    return figure


def _machines(axis: Axes, hours: Sequence[HourResult]) -> None:
    """The machines of each hour, those of the peak as a line, and crosses where no number of machines does."""
    numbers = [hour.machines or 0 for hour in hours]
    axis.stairs(numbers, range(len(hours) + 1), color=GREEN, fill=True, alpha=0.6, label="as each hour needs")
    axis.axhline(max(numbers), color=GREY, linewidth=1.0, label="as the peak needs")
    none = [number + 0.5 for number, hour in enumerate(hours) if hour.machines is None]
    if none:
        axis.plot(none, [0.0] * len(none), "x", color=RED, label="no number keeps the SLOs", clip_on=False)
    axis.set_ylabel("machines", fontsize=SMALL)
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.legend(fontsize=SMALL, frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))


def _days(hours: Sequence[HourResult], dates: Collection[str]) -> list[int]:
    """The first hours of days."""
    found: dict[str, int] = {}
    for number, hour in enumerate(hours):
        found.setdefault(hour.start[:10], number)
    return [number for date, number in found.items() if date in dates]


def _label(start: str, *, days: bool) -> str:
    """The time, or in a trace of several days the month and day at midnight."""
    date, _, time = start.rpartition("T")
    return date[5:] if days and time.startswith("00:00") else time[:5]
