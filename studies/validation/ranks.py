"""Whether predictions order things as measurements do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

from mapsearch.model.extras import require

_APART = 1.05  # two measurements that differ by more count as a pair
_TIED = 1.005  # two predictions that differ by less do not tell which is larger


class Pairs(NamedTuple):
    """Pairs of measurements that lie apart: those whose predictions have the right order, the wrong one, and hardly differ."""

    right: int
    wrong: int
    tied: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)

    def share(self, count: int) -> float:
        """A count of them in percent; not a number where there are no pairs."""
        return 100 * count / self.total if self.total else float("nan")


def rank_correlation(predicted: Sequence[float], measured: Sequence[float]) -> float:
    """Spearman's rho; not a number where either side has fewer than two values."""
    require("rank correlation", "validate", "scipy")
    from scipy.stats import spearmanr  # type: ignore[import-untyped]  # noqa: PLC0415 slow, and for some suites only

    if min(len(set(predicted)), len(set(measured))) < 2:
        return float("nan")
    found: Any = spearmanr(predicted, measured)  # scipy has no types
    return float(found.statistic)


def ordered_pairs(groups: Sequence[Sequence[tuple[float, float]]]) -> Pairs:
    """How predictions order the pairs within each group of (predicted, measured)."""
    counts = [0, 0, 0]
    for group in groups:
        for (one, time), (other, other_time) in combinations(group, 2):
            if max(time, other_time) > _APART * min(time, other_time):
                tied = max(one, other) < _TIED * min(one, other)
                counts[2 if tied else int((one > other) != (time > other_time))] += 1
    return Pairs(*counts)
