"""Numbers beside points, none on another."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from mapsearch.studies.pictures.style import DPI, GREY, TINY, Axes

_PIXELS = DPI / 72  # of a point
_BESIDE = 16  # pixels; a number further off gets a line
_TO_POINT = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0}
_BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.7}

_Box = tuple[float, float, float, float]  # left, bottom, right, top


def number_points(axis: Axes, numbers: Sequence[int], places: NDArray[np.float64]) -> None:
    """Write each point's number as near to it as there is room, with a line to it where that is not beside it.

    places: float64[n, 2], on the axes, whose layout no longer changes (`fix_layout`).
    """
    points: NDArray[np.float64] = axis.transData.transform(places)
    taken: list[_Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in points.tolist()]
    for number, (x, y), place in zip(numbers, points.tolist(), places.tolist(), strict=True):
        box, dx, dy = _free_place(x, y, 3.5 * len(str(number)) + 1, 6.0, taken)
        taken.append(box)
        far = hypot(dx, dy) > _BESIDE
        axis.annotate(
            str(number), place, (dx / _PIXELS, dy / _PIXELS), textcoords="offset points", ha="center", va="center", fontsize=TINY,
            arrowprops=_TO_POINT if far else None, bbox=_BEHIND, zorder=4,
        )  # fmt: skip


def _free_place(x: float, y: float, across: float, up: float, taken: Sequence[_Box]) -> tuple[_Box, float, float]:
    """A box of 2 * across by 2 * up pixels near a point, the nearest that overlaps none, and the offsets to its middle."""
    box, dx, dy = (x, y, x, y), 0.0, 0.0
    for radius in range(12, 240, 8):
        for turn in range(16):
            angle = 2 * pi * turn / 16
            dx, dy = radius * cos(angle), radius * sin(angle)
            box = (x + dx - across, y + dy - up, x + dx + across, y + dy + up)
            if not any(_overlap(box, other) for other in taken):
                return box, dx, dy
    return box, dx, dy


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
