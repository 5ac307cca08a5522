"""Pareto fronts: mappings over cycles and energy, kept up to date during a search, and points over any objectives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.mapping import MappingBatch


@dataclass(frozen=True, slots=True)
class Front:
    """F non-dominated mappings: runtime_cycles, int64[F], ascending, energy_pj, float64[F], falling; of equal ones the first."""

    batch: MappingBatch
    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64]

    @classmethod
    def empty(cls, levels: int) -> Front:
        """A front without mappings."""
        return cls(MappingBatch.empty(levels), np.empty(0, np.int64), np.empty(0))

    def __len__(self) -> int:
        return len(self.runtime_cycles)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Front:
        return Front(self.batch[rows], self.runtime_cycles[rows], self.energy_pj[rows])

    def join(self, batch: MappingBatch, runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64]) -> Front:
        """The front of these mappings and those of a batch, whose figures are int64[B] and float64[B]."""
        # most of a batch is dominated by the front, and is left out before anything is copied
        faster = np.searchsorted(self.runtime_cycles, runtime_cycles, side="right") - 1
        better = np.flatnonzero((faster < 0) | (energy_pj < np.append(self.energy_pj, np.inf)[faster]))
        if len(better) == 0:
            return self
        both = Front(
            self.batch.join(batch[better]),
            np.concatenate([self.runtime_cycles, runtime_cycles[better]]),
            np.concatenate([self.energy_pj, energy_pj[better]]),
        )
        ordered = both[np.lexsort((both.energy_pj, both.runtime_cycles))]
        least_before = np.minimum.accumulate(np.append(np.inf, ordered.energy_pj[:-1]))
        return ordered[ordered.energy_pj < least_before]


def non_dominated(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """The indices of the non-dominated points among F points with m objectives, float64[F, m]; of equal points, the first."""
    order = np.lexsort(values.T[::-1])  # no point is dominated by a later one
    at = 0
    while at < len(order):
        later = order[at + 1 :]
        order = np.concatenate([order[: at + 1], later[(values[later] < values[order[at]]).any(axis=1)]])
        at += 1
    return np.sort(order)
