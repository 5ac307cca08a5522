"""The arrivals of requests: rates that are constant in each bin of time, and times drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import InputError, show

HOUR_S = 3600.0
HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """A Poisson process whose rate is constant in each of B bins.

    starts_s: (B,) ascending from 0; bin i ends where bin i + 1 starts, the last at end_s. rates_per_s: (B,) at least 0.
    begins: the date and time of second 0, where the arrivals have one. Raises InputError where these break a law.
    """

    starts_s: NDArray[np.float64]
    rates_per_s: NDArray[np.float64]
    end_s: float
    begins: datetime | None = None

    def __post_init__(self) -> None:
        edges = self.edges_s
        if len(self.rates_per_s) == 0 or len(self.starts_s) != len(self.rates_per_s):
            raise InputError(
                f"arrivals need one rate for each start, got {len(self.starts_s)} starts, {len(self.rates_per_s)} rates"
            )
        if edges[0] != 0 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
            raise InputError(f"the starts of arrivals must ascend from 0 to a finite end, got {show(edges.tolist())}")
        wrong = self.rates_per_s[~(np.isfinite(self.rates_per_s) & (self.rates_per_s >= 0))]
        if len(wrong):
            raise InputError(f"rates must be finite and at least 0, got {wrong[0]:g}")

    @classmethod
    def steady(cls, rate_per_s: float, end_s: float) -> Arrivals:
        """One rate from 0 to end_s."""
        return cls(np.zeros(1), np.array([rate_per_s], np.float64), end_s)

    @classmethod
    def binned(cls, numbers: Sequence[float] | NDArray[np.float64], bin_s: float, begins: datetime | None = None) -> Arrivals:
        """Bins of equal length, with the expected number of requests in each."""
        rates = np.asarray(numbers, np.float64) / bin_s
        return cls(np.arange(len(rates), dtype=np.float64) * bin_s, rates, len(rates) * bin_s, begins)

    @classmethod
    def daily(cls, shares: Sequence[float], mean_per_s: float) -> Arrivals:
        """A day of 24 hours, whose rates are in proportion to the shares and have the given mean."""
        if len(shares) != HOURS_A_DAY:
            raise InputError(f"a day must have {HOURS_A_DAY} shares, one an hour, got {len(shares)}")
        total = sum(shares)
        if min(shares) < 0 or not 0 < total < np.inf:
            raise InputError(f"the shares of a day must be at least 0, and not all 0, got {show(list(shares))}")
        return cls.binned([mean_per_s * HOUR_S * HOURS_A_DAY * share / total for share in shares], HOUR_S)

    @property
    def edges_s(self) -> NDArray[np.float64]:
        """(B + 1,) the starts of the bins and the end of the last."""
        return np.append(self.starts_s, self.end_s)

    @property
    def expected(self) -> NDArray[np.float64]:
        """(B,) the expected number of requests in each bin."""
        return self.rates_per_s * np.diff(self.edges_s)

    @property
    def mean_per_s(self) -> float:
        """The mean rate from 0 to end_s."""
        return float(self.expected.sum() / self.end_s)

    def rate_at(self, time_s: float) -> float:
        """The rate at a time from 0 to end_s."""
        return float(self.rates_at(np.array([time_s]))[0])

    def rates_at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rates at times from 0 to end_s."""
        return self.rates_per_s[np.searchsorted(self.starts_s, times_s, side="right") - 1]

    def scaled(self, factor: float) -> Arrivals:
        """All rates times a factor."""
        return replace(self, rates_per_s=self.rates_per_s * factor)

    def at_most(self, rate_per_s: float) -> Arrivals:
        """No rate above a limit."""
        return replace(self, rates_per_s=np.minimum(self.rates_per_s, rate_per_s))

    def sample(self, generator: np.random.Generator) -> NDArray[np.float64]:
        """The times of requests in seconds, ascending: a Poisson number in each bin, uniform within the bin."""
        numbers = generator.poisson(self.expected)
        starts, lengths = np.repeat(self.starts_s, numbers), np.repeat(np.diff(self.edges_s), numbers)
        return np.sort(starts + lengths * generator.random(len(starts)))
