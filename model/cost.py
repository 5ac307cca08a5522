"""What a cost model is: it takes a batch of mappings and gives their costs, from which any mapping's evaluation can be made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Flag, IntEnum, auto
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.limit import NO_LIMIT, CostLimit
from mapsearch.model.mapping import MappingBatch

if TYPE_CHECKING:  # that module imports this one
    from mapsearch.model.evaluation import Evaluation
from mapsearch.model.tensors import Dim


class Fit(IntEnum):
    """Whether a mapping fits the hardware, which buffer it overflows, or that the model refuses it as beyond its guarantee."""

    LEGAL = 0
    L1_OVERFLOW = 1
    L2_OVERFLOW = 2
    REFUSED = 3


class Wanted(Flag):
    """The costs that a caller wants; the others may be 0."""

    RUNTIME = auto()  # cycles
    WORDS = auto()  # STEPS and the columns of words, and energy, which follows from them
    ALL = RUNTIME | WORDS


class Count(IntEnum):
    """The columns of `CountedCosts.counts`. Words are tensor elements; W, I, O are weight, input, output.

    L2_TO_L1_*: of W and I, the words that the L2 sends; a multicast word counts once, without multicast once for each L1.
        Of O, the outputs that enter the array.
    L1_FILL_*: words that the active PEs' L1s receive; of O, the outputs that enter each PE.
    PSUM_READ: partial sums L2 -> L1. OUTPUT_WRITE: outputs L1 -> L2. L2_ADD_READ: L2 reads for adding.
    OFFCHIP_READ_O: partial sums that come back into L2.
    ISSUE_CYCLES: in which the control issues the steps of level 0.
    *_BOUND_CYCLES: the array cycles in which a step waits for that part (of equal parts, for the first in this order).
    PEAK_NOC_*: words in and out, and cycles, of the step that moves the most words per cycle.
    L1_NEED_*, L2_NEED_*: bytes; those of W, I and O add up to *_NEED_BYTES.
    COMPUTE_CYCLES: the sum of the steps' computes, whatever they wait for. BALANCED_CYCLES: the same if each PE had the
        layer's share of MACs to do.
    L2_DEPTH_*: how many of the loops of level 0 that iterate, outermost first, stand still while the L2 keeps a tile.
    """

    STEPS = 0
    RUNTIME_CYCLES = 1
    ARRAY_CYCLES = 2
    OFFCHIP_CYCLES = 3
    FILL_CYCLES = 4
    ISSUE_CYCLES = 5
    L2_TO_L1_W = 6
    L2_TO_L1_I = 7
    L2_TO_L1_O = 8
    L1_FILL_W = 9
    L1_FILL_I = 10
    L1_FILL_O = 11
    PSUM_READ = 12
    OUTPUT_WRITE = 13
    L2_ADD_READ = 14
    OFFCHIP_READ_W = 15
    OFFCHIP_READ_I = 16
    OFFCHIP_READ_O = 17
    OFFCHIP_WRITE = 18
    L1_NEED_BYTES = 19
    L2_NEED_BYTES = 20
    COMPUTE_BOUND_CYCLES = 21
    INGRESS_BOUND_CYCLES = 22
    EGRESS_BOUND_CYCLES = 23
    PEAK_NOC_WORDS = 24
    PEAK_NOC_CYCLES = 25
    L1_NEED_W = 26
    L1_NEED_I = 27
    L1_NEED_O = 28
    L2_NEED_W = 29
    L2_NEED_I = 30
    L2_NEED_O = 31
    COMPUTE_CYCLES = 32
    L2_DEPTH_W = 33
    L2_DEPTH_I = 34
    L2_DEPTH_O = 35
    BALANCED_CYCLES = 36


COUNTS = len(Count)


class Costs(Protocol):
    """The costs of B mappings; figures mean nothing in rows whose fit is not LEGAL, or where they were not wanted."""

    @property
    def fit(self) -> NDArray[np.int8]:
        """int8[B], the `Fit` of each."""
        ...

    @property
    def runtime_cycles(self) -> NDArray[np.int64]:
        """int64[B]."""
        ...

    def energy_pj(self) -> NDArray[np.float64]:
        """float64[B], the total of each; the same to the last digit in any batch."""
        ...

    def report(self, row: int) -> Evaluation:
        """The evaluation of one mapping; MappingError with `why_not` where it is not LEGAL."""
        ...

    def why_not(self, row: int) -> str:
        """One line on why a mapping is not LEGAL, which begins with the layer's name."""
        ...


@dataclass(frozen=True, slots=True)
class Restriction:
    """The mappings that a model vouches for, or that a tool can express.

    untiled: dims that every level must take whole; dividing: whether the product of the Clusters must divide the PEs;
    as_listed: whether the model counts the unpadded input as a layer set lists it, with a stride of 1.
    perfect: whether all chunks must divide their tiles; even: whether a spatial loop must use equally many units in each round;
    single: whether tiles must have one output along an axis with a stride above 1. renewed: whether L1s must get another tile of
    each tensor in each trip of the last loop outside an L2's tile.
    """

    untiled: tuple[Dim, ...] = ()
    dividing: bool = False
    as_listed: bool = False
    perfect: bool = False
    even: bool = False
    single: bool = False
    renewed: bool = False

    def __or__(self, other: Restriction) -> Restriction:
        """What both ask."""
        untiled = tuple(sorted({*self.untiled, *other.untiled}))
        others = (each.name for each in fields(self) if each.name != "untiled")
        return Restriction(untiled, **{name: getattr(self, name) or getattr(other, name) for name in others})


@dataclass(frozen=True, slots=True)
class Bound:
    """Lower bounds on the costs of N mappings of a batch; of a mapping that does not fit the machine they mean nothing.

    rows: intp[N], which mappings, ascending; runtime_cycles: int64[N]; energy_pj: float64[N]
    """

    rows: NDArray[np.intp]
    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64]


class CostModel(Protocol):
    """Anything that can count what mappings cost and passes the tests of `mapsearch.testing.CostModelContract`."""

    @property
    def name(self) -> str:
        """The name that users select it by."""
        ...

    @property
    def format(self) -> str:
        """The file format that its mappings are written in and read from, a name of `formats.registry.FORMATS`."""
        ...

    @property
    def restriction(self) -> Restriction:
        """The mappings that it vouches for; it refuses any other."""
        ...

    def as_counted(self, layer: Layer) -> Layer:
        """The layer as the model counts it, of the same name; of that layer, itself. InputError where it has no such layer."""
        ...

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> Costs:
        """The costs of each mapping on the hardware, for a layer from `as_counted`; pure, for any batch size >= 0."""
        ...


@runtime_checkable
class BoundedModel(CostModel, Protocol):
    """A cost model that also has a lower bound on costs, much faster than counting them."""

    def bound(self, layer: Layer, hardware: Hardware, batch: MappingBatch, limit: CostLimit = NO_LIMIT) -> Bound:
        """Lower bounds on what `evaluate` gives for each mapping; of a partly open one, for every completion that fits.

        A mapping whose lower bound is beyond the limit may be left out; those of the others do not depend on the limit.
        Open parts of a mapping: the size of a loop of size 0, which stands inside the others of its level; the place within its
        level of a loop of negative size; and all of a level of 0 units. What is open at a level is open further in too.
        """
        ...


@runtime_checkable
class ToolModel(CostModel, Protocol):
    """The cost model of another tool, which also counts layers as that tool's files write them, legal or not."""

    def report_written(self, written: Any, hardware: Hardware) -> Evaluation:  # noqa: ANN401 what its format reads
        """The evaluation of a layer that `read_written` of its format gives; InputError where the tool does not take it."""
        ...
