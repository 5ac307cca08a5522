"""What a cost model is: a batch of mappings in, a batch of costs out, which knows how it is priced and told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, IntEnum, auto
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch

if TYPE_CHECKING:  # it is made of the counts that stand here
    from mapsearch.model.evaluation import Evaluation
from mapsearch.model.tensors import Dim


class Fit(IntEnum):
    """Whether a mapping fits the hardware's buffers, which one it overflows, or that the model does not vouch for its figures."""

    LEGAL = 0
    L1_OVERFLOW = 1
    L2_OVERFLOW = 2
    REFUSED = 3


class Wanted(Flag):
    """What of the costs a caller wants; what it does not may be 0."""

    RUNTIME = auto()  # cycles
    WORDS = auto()  # STEPS and the columns of words, and energy, which follows from them
    ALL = RUNTIME | WORDS


class Count(IntEnum):
    """The columns of `CountedCosts.counts`. Words are tensor elements; W, I, O are weight, input, output.

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


class Costs(Protocol):
    """The costs of B mappings; figures of rows whose fit is not LEGAL, and those that were not wanted, mean nothing."""

    @property
    def fit(self) -> NDArray[np.int8]:
        """int8[B], a `Fit` each."""
        ...

    @property
    def runtime_cycles(self) -> NDArray[np.int64]:
        """int64[B]."""
        ...

    def energy_pj(self) -> NDArray[np.float64]:
        """float64[B], the total of each; the same to the last digit in any batch."""
        ...

    def report(self, row: int) -> Evaluation:
        """All that is told about one mapping; MappingError with `why_not` where it is not LEGAL."""
        ...

    def why_not(self, row: int) -> str:
        """One line on why a mapping is not LEGAL, which begins with the layer's name."""
        ...


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a model asks of the mappings that it vouches for.

    untiled: dims that no level tiles or shares out; dividing: whether the product of the Clusters must divide the PEs;
    as_listed: whether it takes windows on the input as a layer set lists it, without padding and with a stride of 1.
    """

    untiled: tuple[Dim, ...] = ()
    dividing: bool = False
    as_listed: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """What B mappings cost at least on a machine that they fit; where one does not fit, the figures mean nothing.

    runtime_cycles: int64[B]; energy_pj: float64[B]
    """

    runtime_cycles: NDArray[np.int64]
    energy_pj: NDArray[np.float64]


class CostModel(Protocol):
    """Anything that can count what mappings cost; `mapsearch.testing.CostModelContract` is what each must pass."""

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
        """What mappings it vouches for; it refuses others one by one."""
        ...

    def as_counted(self, layer: Layer) -> Layer:
        """The layer as the model counts it, its name kept and taken as it is; InputError where it has no such layer."""
        ...

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> Costs:
        """The costs of each mapping of the batch for the layer, one of `takes`, on the hardware; pure, any batch size >= 0."""
        ...


@runtime_checkable
class BoundedModel(CostModel, Protocol):
    """A cost model that also says, much faster than it counts, what mappings cost at least."""

    def bound(self, layer: Layer, hardware: Hardware, batch: MappingBatch) -> Bound:
        """Never more than what `evaluate` finds for the mapping, or for any that fits and fills in its open parts.

        Open are sizes of 0, whose loops stand inside the others of their level, the places there of loops of negative sizes, and
        levels of 0 units with all that stands there. What is open of a level or a dim is open further in.
        """
        ...


@runtime_checkable
class ToolModel(CostModel, Protocol):
    """A cost model of another tool, which also counts the layers of that tool's files as they are written, legal or not."""

    def report_written(self, written: Any, hardware: Hardware) -> Evaluation:  # noqa: ANN401 what its format reads
        """As `Costs.report`, of a layer that `read_mappings` of its format gives; InputError where the tool does not take it."""
        ...
