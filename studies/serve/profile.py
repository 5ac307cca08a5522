"""The shape of demand: by the hour, by the hour of the week, days that are unlike others of their weekday, cells of like shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.traces import Counts
from mapsearch.model.errors import InputError
from mapsearch.model.extras import require
from mapsearch.model.plain import Plain
from mapsearch.studies.serve.arrivals import HOUR_S, Arrivals

WEEK = 168  # hours
LEAST_WEEKS = 3  # of an hour of the week, to tell the unusual from the usual
_OF_NORMAL = 1.4826  # the standard deviation of a normal distribution over its MAD
_LEAST_SPREAD = 0.01  # of the overall median
_UNUSUAL_SCORE, _UNUSUAL_HOURS = 6.0, 3

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class UnusualDay(Plain):
    """A day of which `hours` hours are far from the median of their hour of the week; worst: the score farthest from 0."""

    date: str
    hours: int
    worst: float


@dataclass(frozen=True, slots=True)
class Profile(Plain):
    """The demand of a trace. week_per_s: the median rate by hour of the week from Monday 0:00, None for hours that are not there.

    unusual_days: None where no hour of the week is there LEAST_WEEKS times.
    """

    hours: int
    week_per_s: tuple[float | None, ...]
    unusual_days: tuple[UnusualDay, ...] | None


@dataclass(frozen=True, slots=True)
class CellGroup(Plain):
    """Cells whose demand has a like shape. peak_hour: of the week, from Monday 0:00; peak_over_mean: of the group's median week."""

    cells: tuple[int, ...]
    mean_per_s: float
    peak_hour: int
    peak_over_mean: float


@dataclass(frozen=True, slots=True)
class CellGroups(Plain):
    """The groups, the largest demand first; idle: cells without any. joint_peak: the peak of all over the sum of groups' peaks."""

    groups: tuple[CellGroup, ...]
    idle: tuple[int, ...]
    joint_peak: float


def hourly_rates(arrivals: Arrivals) -> Floats:
    """The mean rate in each hour from the beginning; the last may be cut short."""
    edges = np.append(np.arange(0.0, arrivals.end_s, HOUR_S), arrivals.end_s)
    so_far = np.append(0.0, np.cumsum(arrivals.expected))
    found: Floats = np.diff(np.interp(edges, arrivals.edges_s, so_far)) / np.diff(edges)
    return found


def start_of(begins: datetime, hour: int) -> datetime:
    """The start of an hour since the beginning, as clocks show it there."""
    if begins.tzinfo is None:
        return begins + timedelta(hours=hour)
    return datetime.fromtimestamp(begins.timestamp() + HOUR_S * hour, begins.tzinfo)


def _week_hours(begins: datetime, hours: int) -> Places:
    starts = (start_of(begins, hour) for hour in range(hours))
    return np.array([24 * start.weekday() + start.hour for start in starts], np.int64)


def profile_of(arrivals: Arrivals) -> Profile | None:
    """The profile of arrivals that have a date; None of others."""
    if arrivals.begins is None:
        return None
    rates = hourly_rates(arrivals)
    of_week = _week_hours(arrivals.begins, len(rates))
    medians = _medians(rates[None], of_week)[0]
    week = tuple(None if np.isnan(median) else float(median) for median in medians)
    days = None
    if np.bincount(of_week).max() >= LEAST_WEEKS:
        days = _unusual(arrivals.begins, scores_of(rates, of_week))
    return Profile(len(rates), week, days)


def _medians(rates: Floats, of_week: Places) -> Floats:
    """(cells, WEEK) medians of (cells, hours) rates by hour of the week; NaN where there is none."""
    medians = np.full((len(rates), WEEK), np.nan)
    for hour in np.unique(of_week):
        medians[:, hour] = np.median(rates[:, of_week == hour], axis=1)
    return medians


def scores_of(rates: Floats, of_week: Places) -> Floats:
    """How far each hour is from the median of its hour of the week, in robust standard deviations; 0 where weeks are too few.

    Such a deviation is 1.4826 times the MAD, which counts as at least 1 % of the overall median, or mean where that is 0.
    """
    floor = _LEAST_SPREAD * float(np.median(rates) or rates.mean())
    scores = np.zeros(len(rates))
    for hour in np.unique(of_week):
        its = rates[of_week == hour]
        if len(its) >= LEAST_WEEKS and floor > 0:
            apart = its - np.median(its)
            scores[of_week == hour] = apart / (_OF_NORMAL * max(float(np.median(np.abs(apart))), floor))
    return scores


def _unusual(begins: datetime, scores: Floats) -> tuple[UnusualDay, ...]:
    by_day: dict[str, list[float]] = {}
    for hour, score in enumerate(scores.tolist()):
        by_day.setdefault(start_of(begins, hour).date().isoformat(), []).append(score)
    far = {date: [score for score in its if abs(score) > _UNUSUAL_SCORE] for date, its in by_day.items()}
    return tuple(UnusualDay(date, len(its), max(its, key=abs)) for date, its in far.items() if len(its) >= _UNUSUAL_HOURS)


def cell_groups(counts: Counts, requests_per_unit: float, groups: int, seed: int) -> CellGroups:
    """So many groups of cells by the shape of their median weeks; InputError where there are fewer cells with demand."""
    require("groups of cells", "serve", "sklearn")
    cells = np.array(counts.cells)
    hourly = np.stack([hourly_rates(Arrivals.binned(requests_per_unit * each, counts.bin_s)) for each in counts.numbers])
    weeks = _medians(hourly, _week_hours(counts.begins, hourly.shape[1]))
    weeks = weeks[:, ~np.isnan(weeks[0])]
    hours = np.unique(_week_hours(counts.begins, hourly.shape[1]))
    means = weeks.mean(axis=1)
    active = means > 0
    if int(active.sum()) < groups:
        raise InputError(f"groups must be at most the {int(active.sum())} cells with demand, got {groups}")
    labels = _labels(weeks[active] / means[active, None], groups, seed)
    found: list[CellGroup] = []
    peaks = 0.0
    for label in range(groups):
        curve = weeks[active][labels == label].sum(axis=0)
        peak = int(np.argmax(curve))
        peaks += float(curve[peak])
        its = tuple(cells[active][labels == label].tolist())
        found.append(CellGroup(its, float(curve.mean()), int(hours[peak]), float(curve[peak] / curve.mean())))
    found.sort(key=lambda group: -group.mean_per_s)
    return CellGroups(tuple(found), tuple(cells[~active].tolist()), float(weeks.sum(axis=0).max() / peaks))


def _labels(shapes: Floats, groups: int, seed: int) -> Places:
    clusters: Any = import_module("sklearn.cluster")  # which has no types
    found: Places = clusters.KMeans(groups, n_init=10, random_state=seed).fit_predict(shapes).astype(np.int64)
    return found
