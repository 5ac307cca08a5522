"""A limit on costs: the runtimes and energies that are of no use to a search, so that a bound need not be worked out further."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.records import Floats, Ints

# Bits of a float64 below those that tell figures apart: 256 runtimes an octave, and 4,096 energies.
RUNTIME_BITS, ENERGY_BITS = 44, 40
# Runtimes that a limit tells apart: 12 octaves.
STEPS = 12 * 256
# What rounding may do to an objective is far less than this share of an energy.
ROUNDING = 1e-9


class LimitArrays(NamedTuple):
    """A limit as kernels take it."""

    first: int
    most_pj: Floats


@dataclass(frozen=True, slots=True)
class CostLimit:
    """The most energy that may be of use at each runtime; falls as the runtime grows.

    most_pj: float64[N], of the runtimes whose bits as float64, without the last RUNTIME_BITS, are first, first + 1, ...; the last
    one holds for all longer runtimes too. Below the first runtime all energies are of use.
    """

    first: int
    most_pj: Floats

    @classmethod
    def where(cls, useless: Callable[[Ints, Floats], NDArray[np.bool_]], least_cycles: float) -> Self:
        """The limit beyond which costs are useless, rounded so that nothing else is; least_cycles: of the layer, or about.

        useless: bool[N] of runtimes in cycles, int64[N], and energies in pJ, float64[N]; must never turn false as either grows.
        """
        first = int(np.float64(max(1.0, least_cycles)).view(np.int64)) >> RUNTIME_BITS
        runtimes = np.ceil(np.minimum((np.arange(first, first + STEPS) << RUNTIME_BITS).view(np.float64), 2.0**62)).astype(np.int64)
        low, high = np.zeros(STEPS, np.int64), np.full(STEPS, np.float64(np.inf).view(np.int64) >> ENERGY_BITS)
        while (low < high).any():
            energies = (low + high) // 2
            beyond = useless(runtimes, (energies << ENERGY_BITS).view(np.float64))
            low, high = np.where(beyond, low, np.minimum(energies + 1, high)), np.where(beyond, energies, high)
        return cls(first, (high << ENERGY_BITS).view(np.float64) * (1 + ROUNDING))

    @property
    def arrays(self) -> LimitArrays:
        """For kernels."""
        return LimitArrays(self.first, self.most_pj)


NO_LIMIT = CostLimit(0, np.full(1, np.inf))
