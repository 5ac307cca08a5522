"""Arrivals of requests at rates that change over time."""

from __future__ import annotations

import numpy as np
import pytest

from mapsearch.model.errors import InputError
from mapsearch.studies.serve.arrivals import Arrivals


def test_times_of_requests_follow_the_rates() -> None:
    """Each bin has its Poisson number within 5 standard deviations, uniform in it, and all times ascend."""
    arrivals = Arrivals.binned([10_000, 0, 40_000], 100.0)
    times = arrivals.sample(np.random.default_rng(1))
    assert (np.diff(times) >= 0).all()
    numbers, _ = np.histogram(times, arrivals.edges_s)
    assert abs(numbers[0] - 10_000) < 500
    assert numbers[1] == 0
    assert abs(numbers[2] - 40_000) < 1000
    assert abs(times[times > 200].mean() - 250) < 5 * 100 / np.sqrt(12 * 40_000)


def test_same_seed_same_times() -> None:
    """The times depend on the generator alone."""
    arrivals = Arrivals.steady(3.0, 50.0)
    first, again, other = (arrivals.sample(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (first == again).all()
    assert first.tolist() != other.tolist()


def test_a_day_has_the_mean_rate_and_the_shares() -> None:
    """The hours' rates are in proportion to the shares, and their mean is the given rate."""
    shares = [1, *[2] * 22, 3]
    day = Arrivals.daily(shares, 7.0)
    assert day.end_s == 86_400
    assert day.mean_per_s == pytest.approx(7.0)
    assert day.rates_per_s / day.rates_per_s[0] == pytest.approx(shares)
    assert day.rates_at(np.array([0.0, 3600.0, 86_399.0])) == pytest.approx(day.rates_per_s[[0, 1, 23]])
    assert day.scaled(2).expected == pytest.approx(2 * day.expected)
    assert day.at_most(5.0).rates_per_s.max() == 5.0


@pytest.mark.parametrize(
    ("shares", "complaint"),
    [
        ([1.0] * 23, "a day must have 24 shares, one an hour, got 23"),
        ([0.0] * 24, "the shares of a day must be at least 0, and not all 0"),
        ([1.0] * 23 + [-1.0], "the shares of a day must be at least 0, and not all 0"),
    ],
)
def test_shares_that_are_no_day(shares: list[float], complaint: str) -> None:
    """A day has 24 shares, none negative, not all zero."""
    with pytest.raises(InputError, match=complaint):
        Arrivals.daily(shares, 1.0)


@pytest.mark.parametrize(
    ("starts", "rates", "end", "complaint"),
    [
        ([0.0, 1.0], [1.0, -2.0], 2.0, "rates must be finite and at least 0, got -2"),
        ([0.0, 1.0], [1.0], 2.0, "one rate for each start, got 2 starts, 1 rates"),
        ([0.0, 1.0], [1.0, 1.0], 1.0, "must ascend from 0 to a finite end"),
        ([1.0], [1.0], 2.0, "must ascend from 0 to a finite end"),
    ],
)
def test_rates_that_are_none(starts: list[float], rates: list[float], end: float, complaint: str) -> None:
    """Bins ascend from 0 to a finite end, and no rate is negative."""
    with pytest.raises(InputError, match=complaint):
        Arrivals(np.array(starts), np.array(rates), end)
