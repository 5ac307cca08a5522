"""What a cost model is: a batch of mappings in, a batch of costs out, as integer counts with one column a name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, IntEnum, auto
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch


class Fit(IntEnum):
    """Whether a mapping fits the hardware's buffers, or which one it overflows."""

    LEGAL = 0
    L1_OVERFLOW = 1
    L2_OVERFLOW = 2


class Wanted(Flag):
    """What of the costs a caller wants; what it does not may be 0."""

    RUNTIME = auto()  # the columns of cycles
    WORDS = auto()  # STEPS and the columns of words, which energy follows from
    ALL = RUNTIME | WORDS


class Count(IntEnum):
    """The columns of `Costs.counts`. Words are tensor elements; W, I, O are weight, input, output.

    L2_TO_L1_*: words(step) summed over the steps, by multicast (W, I without multicast: the fills); O: its entrances.
    L1_FILL_*: words that the active PEs' L1s receive; O: the PEs' entrances.
    PSUM_READ: partial sums L2 -> L1. OUTPUT_WRITE: outputs L1 -> L2. L2_ADD_READ: L2 reads for adding.
    OFFCHIP_READ_O: partial sums that come back into L2.
    *_BOUND_CYCLES: the array cycles in which that part is what a step waits for (in this order where equal).
    PEAK_NOC_*: words in and out, and cycles, of the step that moves the most words per cycle.
    """

    STEPS = 0
    RUNTIME_CYCLES = 1
    ARRAY_CYCLES = 2
    OFFCHIP_CYCLES = 3
    FILL_CYCLES = 4
    L2_TO_L1_W = 5
    L2_TO_L1_I = 6
    L2_TO_L1_O = 7
    L1_FILL_W = 8
    L1_FILL_I = 9
    L1_FILL_O = 10
    PSUM_READ = 11
    OUTPUT_WRITE = 12
    L2_ADD_READ = 13
    OFFCHIP_READ_W = 14
    OFFCHIP_READ_I = 15
    OFFCHIP_READ_O = 16
    OFFCHIP_WRITE = 17
    L1_NEED_BYTES = 18
    L2_NEED_BYTES = 19
    COMPUTE_BOUND_CYCLES = 20
    INGRESS_BOUND_CYCLES = 21
    EGRESS_BOUND_CYCLES = 22
    PEAK_NOC_WORDS = 23
    PEAK_NOC_CYCLES = 24


COUNTS = len(Count)


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of B mappings.

    fit:    int8[B]           a `Fit`; where not LEGAL, only L1_NEED_BYTES and L2_NEED_BYTES (the least that any
                              residency needs) are counted, and the rest are 0
    counts: int64[B, COUNTS]  columns as in `Count`
    """

    fit: NDArray[np.int8]
    counts: NDArray[np.int64]

    def __getitem__(self, count: Count) -> NDArray[np.int64]:
        return self.counts[:, count]


@dataclass(frozen=True, slots=True)
class Bound:
    """What B mappings cost at least on a machine that they fit; where one does not fit, the figures mean nothing.

    runtime_cycles: int64[B]; energy_pj: float64[B]
    """

    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64]


class CostModel(Protocol):
    """Anything that can count what mappings cost; `tests/test_cost_models.py` is what each must pass."""

    @property
    def name(self) -> str:
        """The name that users select it by."""
        ...

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> Costs:
        """The costs of each mapping of the batch for the layer on the hardware; pure, and any batch size >= 0."""
        ...


@runtime_checkable
class BoundedModel(CostModel, Protocol):
    """A cost model that also says, much faster than it counts, what mappings cost at least."""

    def bound(self, layer: Layer, hardware: Hardware, batch: MappingBatch) -> Bound:
        """Never more than what `evaluate` finds for the mapping, or for any that fits and fills in its open parts.

        Open are sizes of 0, and levels of 0 units with all that stands there.
        """
        ...
