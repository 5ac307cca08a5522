"""The shape of demand: hours, weeks, unusual days, groups of cells, and the requests that are drawn from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mapsearch.formats.traces import Counts
from mapsearch.model.errors import InputError
from mapsearch.studies.serve.arrivals import Arrivals
from mapsearch.studies.serve.profile import WEEK, cell_groups, hourly_rates, profile_of, start_of

Floats = NDArray[np.float64]
MONDAY = datetime(2013, 11, 4)  # noqa: DTZ001 as in a table without zones
_AT = np.arange(WEEK, dtype=np.float64)
WEEK_SIGNAL: Floats = np.where(_AT >= 120, 800, 1000) + 400 * np.cos(2 * np.pi * (_AT - 13) / 24)


def _weeks(*factors: float) -> Arrivals:
    """So many weeks of hours, each the signal times a factor."""
    numbers: Floats = np.concatenate([factor * WEEK_SIGNAL for factor in factors])
    return Arrivals.binned(numbers, 3600, MONDAY)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 500), min_size=1, max_size=60), st.integers(0, 2**32))
def test_as_many_requests_are_drawn_as_are_expected(numbers: list[float], seed: int) -> None:
    """Their sum is within 3 sigma of the bins' sum in all but few of many draws, and each lies in its bin."""
    arrivals = Arrivals.binned(numbers, 600)
    generator, expected = np.random.default_rng(seed), sum(numbers)
    sums = np.array([len(arrivals.sample(generator)) for _ in range(40)])
    assert (np.abs(sums - expected) <= 3 * np.sqrt(expected) + 1).mean() >= 0.9
    times = arrivals.sample(generator)
    assert (np.diff(times) >= 0).all()
    drawn = np.bincount((times // 600).astype(int), minlength=len(numbers))
    assert (drawn[np.array(numbers) == 0] == 0).all()


def test_a_constant_trace_is_the_rate() -> None:
    """Its requests are, to the digit, those of the rate form at the same random numbers; its hours all have the rate."""
    trace, rate = Arrivals.binned([7200.0] * 24, 3600), Arrivals.steady(2.0, 24 * 3600)
    assert trace.mean_per_s == rate.mean_per_s == 2.0
    np.testing.assert_array_equal(hourly_rates(trace), hourly_rates(rate))
    one = Arrivals.binned([24 * 7200.0], 24 * 3600)
    np.testing.assert_array_equal(one.sample(np.random.default_rng(1)), rate.sample(np.random.default_rng(1)))


@pytest.mark.parametrize("bin_s", [600, 1800, 3600, 7200, 86400])
def test_hours_keep_the_sum(bin_s: int) -> None:
    """Whatever the bins, the hours' rates add up to the same number of requests."""
    numbers = np.random.default_rng(3).uniform(0, 100, 2 * 86400 // bin_s)
    rates = hourly_rates(Arrivals.binned(numbers, bin_s))
    assert rates.shape == (48,)
    assert 3600 * rates.sum() == pytest.approx(numbers.sum())


def test_the_profile_recovers_a_weekly_signal() -> None:
    """From eight weeks with noise of 0.5 %, and a week of thrice the demand, the medians are within 1 % of the signal."""
    rng = np.random.default_rng(0)
    weeks = [WEEK_SIGNAL * rng.normal(1, 0.005, WEEK) * (3 if week == 4 else 1) for week in range(9)]
    found = profile_of(Arrivals.binned(np.concatenate(weeks), 3600, MONDAY))
    assert found is not None
    assert found.hours == 9 * WEEK
    np.testing.assert_allclose(3600 * np.array(found.week_per_s), WEEK_SIGNAL, rtol=0.01)


def test_equal_days_are_usual_and_one_of_thrice_the_demand_is_not() -> None:
    """Three equal weeks have no unusual day; with one Wednesday scaled by 3, that day is named, and none else."""
    equal = profile_of(_weeks(1, 1, 1))
    assert equal is not None
    assert equal.unusual_days == ()
    numbers: Floats = np.tile(WEEK_SIGNAL, 3)
    numbers[WEEK + 48 : WEEK + 72] *= 3
    found = profile_of(Arrivals.binned(numbers, 3600, MONDAY))
    assert found is not None
    assert found.unusual_days is not None
    [day] = found.unusual_days
    assert (day.date, day.hours) == ("2013-11-13", 24)
    assert day.worst > 6
    assert day.to_dict()["date"] == "2013-11-13"


def test_two_hours_make_no_unusual_day_and_two_weeks_none_at_all() -> None:
    """A day is unusual from three hours on; with two weeks nothing can be told, and the answer is None."""
    numbers: Floats = np.tile(WEEK_SIGNAL, 3)
    numbers[50:52] *= 3
    found = profile_of(Arrivals.binned(numbers, 3600, MONDAY))
    assert found is not None
    assert found.unusual_days == ()
    two = profile_of(_weeks(1, 3))
    assert two is not None
    assert two.unusual_days is None


def test_an_empty_trace_has_no_unusual_day() -> None:
    """Where nothing was asked for nothing is unusual, and nothing is divided by 0."""
    found = profile_of(Arrivals.binned(np.zeros(3 * WEEK), 3600, MONDAY))
    assert found is not None
    assert found.unusual_days == ()


def test_a_part_of_a_week_and_a_day_without_date() -> None:
    """Hours of the week that are not there are None; arrivals without a date have no profile."""
    found = profile_of(Arrivals.binned(np.ones(30), 3600, MONDAY + timedelta(days=6)))
    assert found is not None
    there = [hour for hour, rate in enumerate(found.week_per_s) if rate is not None]
    assert there == [*range(6), *range(144, 168)]
    assert profile_of(Arrivals.daily([1.0] * 24, 5.0)) is None


def test_clocks_that_change_keep_hours_of_the_week() -> None:
    """Over the end of summer time an hour stands twice, and later hours are those that clocks show."""
    begins = datetime(2014, 10, 26, tzinfo=ZoneInfo("Europe/Rome"))
    shown = [start_of(begins, hour).hour for hour in range(6)]
    assert shown == [0, 1, 2, 2, 3, 4]


def _cells(shapes: list[Floats], scales: list[float]) -> Counts:
    numbers = np.stack([scale * shapes[number % len(shapes)] for number, scale in enumerate(scales)])
    return Counts(tuple(range(100, 100 + len(scales))), numbers, 3600, MONDAY)


def test_cells_of_a_like_shape_are_a_group() -> None:
    """Whatever their scale, cells that peak at noon and cells that peak at night fall apart; idle cells are named."""
    hours = np.arange(2 * WEEK)
    noon, night = (2 + np.cos(2 * np.pi * (hours - peak) / 24) for peak in (12, 0))
    counts = _cells([noon, night], [1, 5, 10, 2, 0.3, 0, 4, 1])
    found = cell_groups(counts, 3600, 2, 0)
    assert {group.cells for group in found.groups} == {(100, 102, 104, 106), (101, 103, 107)}
    assert found.idle == (105,)
    assert [group.mean_per_s for group in found.groups] == sorted((group.mean_per_s for group in found.groups), reverse=True)
    assert {group.peak_hour % 24 for group in found.groups} == {0, 12}
    assert 0.5 < found.joint_peak < 1
    assert found == cell_groups(counts, 3600, 2, 0)


def test_more_groups_than_cells() -> None:
    """One line says how many there may be."""
    counts = _cells([np.ones(WEEK)], [1, 0, 1])
    with pytest.raises(InputError, match="groups must be at most the 2 cells with demand, got 3"):
        cell_groups(counts, 1, 3, 0)
