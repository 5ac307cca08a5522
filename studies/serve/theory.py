"""Closed forms of queueing theory: the mean waits at a server of Poisson arrivals without batches."""

from __future__ import annotations

from collections.abc import Sequence


def mean_waits(
    rates: Sequence[float], means: Sequence[float], squares: Sequence[float], priorities: Sequence[int] | None = None
) -> list[float]:
    """The mean wait before service of each class of requests (Cobham 1954), whose work is never interrupted.

    rates: of the classes. means, squares: of their service times, the first and second moments. priorities: the smallest number
    first, the oldest among equals; None for the order of arrival, where all wait alike (Pollaczek and Khinchine). Time in any unit.
    The load must be below 1.
    """
    ranks = [0] * len(rates) if priorities is None else priorities
    residual = sum(rate * square for rate, square in zip(rates, squares, strict=True)) / 2

    def left(most: float) -> float:
        """The share of time that is left by classes of a priority number up to `most`."""
        return 1 - sum(rate * mean for rate, mean, rank in zip(rates, means, ranks, strict=True) if rank <= most)

    return [residual / (left(rank - 1) * left(rank)) for rank in ranks]
