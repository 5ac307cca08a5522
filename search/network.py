"""One mapping for each layer of a network, chosen for the best objective of the whole network.

A network's cycles and energy are sums over its layers. A selection picks a point of each layer's front. The selections on the lower
left hull of the sums are found by going from every layer's fastest point towards its point of least energy, each time along the
edge of a layer's hull that saves most energy per cycle. An objective such as cycles x energy, or any other product of powers of the
two,
has its least value on that hull: such a function is quasi-concave, and has its least value over a hull at one of its corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Selections:
    """M selections of a point for each of L layers, the fastest first.

    points: int64[M, L], indices into each layer's front; runtime_cycles: int64[M] and energy_pj: float64[M], of the network.
    """

    points: Ints
    runtime_cycles: Ints
    energy_pj: Floats


def select(runtime_cycles: Sequence[Ints], energy_pj: Sequence[Floats], counts: Sequence[int]) -> Selections:
    """The selections on the hull of all sums.

    runtime_cycles, energy_pj: of each layer's front, which is not empty, cycles ascending and energy falling; counts: how often
    each layer runs.
    """
    hulls = [_hull(cycles, energy) for cycles, energy in zip(runtime_cycles, energy_pj, strict=True)]
    edges = [
        ((energy[a] - energy[b]) / float(cycles[b] - cycles[a]), layer, b)
        for layer, (hull, cycles, energy) in enumerate(zip(hulls, runtime_cycles, energy_pj, strict=True))
        for a, b in pairwise(hull)
    ]
    edges.sort(key=lambda edge: (-edge[0], edge[1], edge[2]))
    points = np.zeros((len(edges) + 1, len(hulls)), np.int64)
    for row, (_, layer, point) in enumerate(edges, start=1):
        points[row] = points[row - 1]
        points[row, layer] = point
    columns = range(len(hulls))
    runtime = sum((counts[i] * runtime_cycles[i][points[:, i]] for i in columns), np.zeros(len(points), np.int64))
    energy = sum((counts[i] * energy_pj[i][points[:, i]] for i in columns), np.zeros(len(points)))
    return Selections(points, runtime, energy)


def _hull(runtime_cycles: Ints, energy_pj: Floats) -> list[int]:
    """The points of a front on its lower left hull, in order."""
    hull: list[int] = []
    for point in range(len(runtime_cycles)):
        while len(hull) > 1 and not _turns_left(runtime_cycles, energy_pj, hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_left(runtime_cycles: Ints, energy_pj: Floats, a: int, b: int, c: int) -> bool:
    """Whether b lies below the line from a to c."""
    ab, ac = float(runtime_cycles[b] - runtime_cycles[a]), float(runtime_cycles[c] - runtime_cycles[a])
    return bool((energy_pj[a] - energy_pj[b]) * ac > (energy_pj[a] - energy_pj[c]) * ab)


def network_bound(bounds: Sequence[float], counts: Sequence[int], degree: float) -> float:
    """A lower bound of the network's objective, a product of powers of cycles and energy, from the layers' own lower bounds.

    degree: the sum of the powers, above 0. By Hoelder's inequality, with x and y a layer's cycles and energy and a + b = degree,
    (sum x)^a (sum y)^b >= (sum (x^a y^b)^(1/degree))^degree.
    """
    total = sum(count * bound ** (1 / degree) for count, bound in zip(counts, bounds, strict=True))
    rounding = 1 - 1e-12  # for the rounding errors of some hundred additions and powers
    return float(total**degree * rounding)
