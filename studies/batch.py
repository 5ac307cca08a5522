"""Costs of many mappings of one layer on one machine at the kernels' speed, for searches that users write themselves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import CostModel, Fit
from mapsearch.model.errors import InputError, show
from mapsearch.model.evaluation import Evaluation
from mapsearch.model.hardware import Hardware, Pes
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, MappingBatch, encode
from mapsearch.model.mapping_laws import check_batch
from mapsearch.model.registry import cost_model
from mapsearch.studies.evaluate import HardwareSource, machine

# Mappings costed at a time by a thread: their counts take three megabytes.
BLOCK = 2**14


@dataclass(frozen=True, slots=True)
class BatchCosts:
    """The costs of B mappings of a layer on a machine; figures of rows that are not legal mean nothing.

    legal:          bool[B], whether the mapping fits the machine's L1 and L2, and the model vouches for it
    runtime_cycles: int64[B]
    energy_pj:      float64[B], the total of each
    """

    layer: Layer
    hardware: Hardware
    batch: MappingBatch
    model: CostModel
    legal: NDArray[np.bool_]
    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.legal)

    @property
    def edp_pj_cycles(self) -> NDArray[np.float64]:
        """float64[B]; infinite where a mapping is not legal, so that the least is the best."""
        return np.where(self.legal, self.energy_pj * self.runtime_cycles, np.inf)

    def mapping(self, row: int) -> Mapping:
        """One of the mappings."""
        return self.batch.decode(row, self.layer)

    def evaluation(self, row: int) -> Evaluation:
        """All figures of one mapping; MappingError with the reason where it is not legal."""
        return self.model.evaluate(self.layer, self.hardware, self.batch[row : row + 1]).report(0)


def evaluate_batch(
    layer: Layer,
    hardware: HardwareSource,
    mappings: MappingBatch | Sequence[Mapping],
    *,
    model: str = "exact",
    jobs: int | None = None,
) -> BatchCosts:
    """Runtime and energy of mappings of a layer, given as arrays or one by one; jobs: threads (default: one a core).

    hardware: as `evaluate` takes it. Mappings one by one must all have the same number of levels. Raises InputError where the
    layer, the machine or a mapping breaks a law; a mapping that does not fit L1 or L2 is no error (see `BatchCosts.legal`).
    """
    counter, target = cost_model(model), machine(hardware)
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise InputError(f"jobs must be a whole number of at least 1, got {show(jobs)}")
    counted = counter.as_counted(layer)
    batch = mappings if isinstance(mappings, MappingBatch) else _encoded(mappings, counted, target.shape)
    check_batch(batch, counted, target.shape)
    legal, runtime, energy = np.empty(len(batch), np.bool_), np.empty(len(batch), np.int64), np.empty(len(batch))
    starts = range(0, len(batch), BLOCK)
    with ThreadPoolExecutor(jobs or os.cpu_count()) as threads:
        list(threads.map(partial(_cost, counter, counted, target, batch, legal, runtime, energy), starts))
    return BatchCosts(counted, target, batch, counter, legal, runtime, energy)


def _encoded(mappings: Sequence[Mapping], layer: Layer, pes: Pes) -> MappingBatch:
    levels = {len(mapping.levels) for mapping in mappings}
    if len(levels) != 1:
        got = f"mappings of {' and '.join(map(str, sorted(levels)))} levels" if levels else "no mapping"
        raise InputError(f"layer {layer.name}: a batch holds mappings of one number of levels, got {got}")
    return encode(mappings, layer, pes)


def _cost(
    model: CostModel, layer: Layer, hardware: Hardware, batch: MappingBatch,
    legal: NDArray[np.bool_], runtime_cycles: NDArray[np.int64], energy_pj: NDArray[np.float64], start: int,
) -> None:  # fmt: skip
    """Write the figures of a block."""
    rows = slice(start, start + BLOCK)
    costs = model.evaluate(layer, hardware, batch[rows])
    legal[rows], runtime_cycles[rows], energy_pj[rows] = costs.fit == Fit.LEGAL, costs.runtime_cycles, costs.energy_pj()
