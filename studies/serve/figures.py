"""Means and percentiles of response times, with intervals by batch means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.plain import Plain

BATCHES = 20
ENOUGH = 20_000  # requests from which on percentiles are trusted
_T = 2.0930  # Student's t for 95 % and BATCHES - 1 degrees of freedom
SHOWN = (50.0, 95.0, 99.0)

Interval = tuple[float, float]


def percentile_name(percentile: float) -> str:
    """Its key in results, such as p99."""
    return f"p{percentile:g}"


@dataclass(frozen=True, slots=True)
class Response(Plain):
    """Response times of a tenant's requests in ms.

    values: by `mean`, p50, p95, p99 and the percentile of the objective. interval: 95 % of each; None of fewer requests than
    BATCHES. wide: whether there are fewer than ENOUGH requests.
    """

    requests: int
    values: dict[str, float]
    interval: dict[str, Interval] | None
    wide: bool

    def of(self, percentile: float) -> float:
        """A percentile; 0 where there are no requests."""
        return self.values.get(percentile_name(percentile), 0.0)

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; the values stand beside the intervals."""
        intervals = None if self.interval is None else {name: list(ends) for name, ends in self.interval.items()}
        return {**self.values, "interval": intervals, "wide": self.wide}


def response_of(responses_ms: NDArray[np.float64], percentile: float = 99.0) -> Response:
    """The figures of response times, (N,) in the order of arrival; percentile: of the objective, in %."""
    count = len(responses_ms)
    shown = sorted({*SHOWN, percentile})
    if count == 0:
        return Response(0, {}, None, wide=True)

    def figures(part: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.append(part.mean(), np.percentile(part, shown))

    names = ("mean", *map(percentile_name, shown))
    values = figures(responses_ms)
    interval = None
    if count >= BATCHES:
        half = half_widths(responses_ms, figures)
        interval = {name: (float(value - h), float(value + h)) for name, value, h in zip(names, values, half, strict=True)}
    return Response(count, dict(zip(names, values.tolist(), strict=True)), interval, wide=count < ENOUGH)


def half_widths(values: NDArray[np.float64], figures: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Half of the 95 % interval of each figure, from its values over BATCHES parts of a series of at least as many."""
    parts: Sequence[NDArray[np.float64]] = np.array_split(values, BATCHES)
    found = np.stack([figures(part) for part in parts])
    half: NDArray[np.float64] = _T * found.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    return half
