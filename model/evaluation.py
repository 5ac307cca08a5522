"""What a cost model says of one mapping of one layer on one machine: counts, energy, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import dynamic_mw, leakage_by_part, power_mw, taken
from mapsearch.model.cost import Count
from mapsearch.model.energy import energy_coefficients
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.moved_bits import energy_of_moved
from mapsearch.model.plain import Plain, plain
from mapsearch.model.sparse_figures import SparseFigures, offchip_parts, sparse_figures
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import PARTS


@dataclass(frozen=True, slots=True)
class TensorWords(Plain):
    """Words of each tensor."""

    weight: int
    input: int
    output: int


@dataclass(frozen=True, slots=True)
class TensorDepths(Plain):
    """A depth in a nest of loops for each tensor."""

    weight: int
    input: int
    output: int


@dataclass(frozen=True, slots=True)
class TensorReuse(Plain):
    """A ratio of each tensor; 0 where nothing moved."""

    weight: float
    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Energy(Plain):
    """Energies in pJ: of each part by its name (such as mac, l1, l2, noc, offchip), and their total."""

    parts: Mapping[str, float]
    total: float

    def to_dict(self) -> dict[str, Any]:
        """The parts, then the total."""
        return {**self.parts, "total": self.total}

    @classmethod
    def of(cls, data: Mapping[str, float]) -> Self:
        """The energies from what `to_dict` gave."""
        return cls({part: pj for part, pj in data.items() if part != "total"}, data["total"])


class Evaluation(Protocol):
    """The figures that every cost model gives for a mapping; `to_dict` has these and the model's own."""

    @property
    def layer(self) -> str:
        """The layer's name."""
        ...

    @property
    def macs(self) -> int:
        """Multiply-accumulates, zeros included."""
        ...

    @property
    def runtime_cycles(self) -> int:
        """Cycles of the whole layer."""
        ...

    @property
    def energy_pj(self) -> Energy:
        """Energies in pJ."""
        ...

    @property
    def edp_pj_cycles(self) -> float:
        """Total energy times runtime."""
        ...

    @property
    def utilization(self) -> float | None:
        """MACs over what all PEs could do in the runtime, in 0..1; None where the model does not say."""
        ...

    @property
    def bound_by(self) -> str | None:
        """The part that the run waits for most: compute, ingress, egress or offchip; None where the model does not say."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """All of the model's figures as plain data, under names that end in units."""
        ...


@dataclass(frozen=True, slots=True)
class NamedFigures(Plain):
    """The `Evaluation` of a model with figures by name, at least macs, runtime_cycles, energy_pj and edp_pj_cycles."""

    layer: str
    figures: Mapping[str, Any]

    @property
    def macs(self) -> int:
        """See `Evaluation`."""
        return int(self.figures["macs"])

    @property
    def runtime_cycles(self) -> int:
        """See `Evaluation`."""
        return int(self.figures["runtime_cycles"])

    @property
    def energy_pj(self) -> Energy:
        """See `Evaluation`."""
        return Energy.of(self.figures["energy_pj"])

    @property
    def edp_pj_cycles(self) -> float:
        """See `Evaluation`."""
        return float(self.figures["edp_pj_cycles"])

    @property
    def utilization(self) -> float | None:
        """See `Evaluation`."""
        return self.figures.get("utilization")

    @property
    def bound_by(self) -> str | None:
        """See `Evaluation`."""
        return self.figures.get("bound_by")

    def to_dict(self) -> dict[str, Any]:
        """The layer's name and the figures."""
        return {"layer": self.layer, **plain(self.figures)}


@dataclass(frozen=True, slots=True)
class BoundShare(Plain):
    """What a run waits for, as shares in 0..1.

    compute, ingress, egress: the share of the array cycles in which a step waits for that part.
    offchip, issue: the share of the run after its fill in which the off-chip memory is busy, or the control; 1 where it bounds a
    run that it overlaps. issue: None where the machine's control takes no time.
    """

    compute: float
    ingress: float
    egress: float
    offchip: float
    issue: float | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"issue"})


@dataclass(frozen=True, slots=True)
class NocWords(Plain):
    """Words in and out per cycle: averaged over the array's cycles, and in the step that moves the most."""

    average: float
    peak: float


@dataclass(frozen=True, slots=True)
class CountedEvaluation(Plain):
    """The `Evaluation` of a model that counts words and cycles, of a mapping that fits.

    layer                     the layer's name
    legal                     True
    macs                      multiply-accumulates, zeros included
    steps                     time steps
    runtime_cycles            fill + max(array, off-chip, issue); off-chip cycles of what is single-buffered in L2 add to array
    array_cycles              cycles of the PEs with their network
    compute_cycles            cycles of the PEs' MACs alone
    offchip_cycles            cycles of the off-chip memory's traffic
    fill_cycles               cycles until the first working set is in L2
    issue_cycles              cycles in which the control issues the steps of level 0; None where it takes no time
    l2_to_l1_words            words L2 -> L1; output: outputs that enter the array
    l1_fill_words             words that the L1s receive; output: outputs that enter each PE
    l1_start_words            of these outputs, those that a PE begins to sum up at zero
    psum_read_words           partial sums L2 -> L1
    output_write_words        outputs L1 -> L2
    l2_add_read_words         L2 reads for adding, where the network does not reduce
    offchip_read_words        words off-chip -> L2; output: partial sums that come back
    offchip_write_words       outputs L2 -> off-chip
    l1_need_bytes             of one PE, double buffering included
    l2_need_bytes             double buffering included
    l2_depths                 how many of the loops of level 0 that iterate, outermost first, stand still while the L2 keeps a tile
    energy_pj                 pJ by component
    edp_pj_cycles             total energy * runtime
    area_mm2                  MACs, L1s, L2 and network; None on an FPGA, which has
    dsp, bram_18k             the DSPs of the MACs and the block RAMs of L1s and L2; else None
    power_mw                  leakage and dynamic power
    leakage_mw                power that flows whatever the mapping does
    dynamic_mw                total energy over the runtime at the hardware's clock
    throughput_macs_per_cycle MACs / runtime
    utilization               MACs / (runtime * PEs * simd), in 0..1, or more where zeros are skipped
    bound_by                  issue if it takes all of the run after its fill, else offchip if its cycles exceed the array's, else
                              the largest of compute, ingress, egress
    bound_share               shares of what the run waits for
    arithmetic_intensity_macs_per_byte  MACs per off-chip byte
    l1_reuse                  MACs per word that the L1s receive
    l2_reuse                  weight, input: words L2 -> L1 per word read off-chip; output: L1 -> L2 per word written off-chip
    noc_words_per_cycle       words L2 -> L1 and L1 -> L2 per cycle
    zero_macs                 of the MACs, those with an inserted zero (transposed convolution)
    effectual_macs            MACs without a zero operand: MACs * density of weight * density of input, or as masks tell
    sparse                    what zeros change; None where the machine makes nothing of them
    """

    layer: str
    legal: bool
    macs: int
    steps: int
    runtime_cycles: int
    array_cycles: int
    compute_cycles: int
    offchip_cycles: int
    fill_cycles: int
    issue_cycles: int | None = field(default=None, kw_only=True)
    l2_to_l1_words: TensorWords
    l1_fill_words: TensorWords
    l1_start_words: int
    psum_read_words: int
    output_write_words: int
    l2_add_read_words: int
    offchip_read_words: TensorWords
    offchip_write_words: int
    l1_need_bytes: int
    l2_need_bytes: int
    l2_depths: TensorDepths
    energy_pj: Energy
    edp_pj_cycles: float
    area_mm2: float | None = field(default=None, kw_only=True)
    dsp: int | None = field(default=None, kw_only=True)
    bram_18k: int | None = field(default=None, kw_only=True)
    power_mw: float
    leakage_mw: float
    dynamic_mw: float
    throughput_macs_per_cycle: float
    utilization: float
    bound_by: str
    bound_share: BoundShare
    arithmetic_intensity_macs_per_byte: float
    l1_reuse: TensorReuse
    l2_reuse: TensorReuse
    noc_words_per_cycle: NocWords
    zero_macs: int
    effectual_macs: float
    sparse: SparseFigures | None = field(default=None, kw_only=True)

    optional: ClassVar[frozenset[str]] = frozenset({"issue_cycles", "area_mm2", "dsp", "bram_18k", "sparse"})


def evaluation(
    layer: Layer, hardware: Hardware, counts: NDArray[np.int64], moved: NDArray[np.int64] | None = None
) -> CountedEvaluation:
    """The evaluation of one mapping that fits, from its counts, int64[COUNTS], and where masks tell them its `Moved` bits."""
    count = {name: int(counts[name]) for name in Count}
    runtime = count[Count.RUNTIME_CYCLES]
    energy, offchip = _energy(layer, hardware, counts, moved), offchip_parts(layer, hardware, count, moved)
    return CountedEvaluation(
        layer=layer.name,
        legal=True,
        macs=layer.macs,
        steps=count[Count.STEPS],
        runtime_cycles=runtime,
        array_cycles=count[Count.ARRAY_CYCLES],
        compute_cycles=count[Count.COMPUTE_CYCLES],
        offchip_cycles=count[Count.OFFCHIP_CYCLES],
        fill_cycles=count[Count.FILL_CYCLES],
        issue_cycles=count[Count.ISSUE_CYCLES] or None,
        l2_to_l1_words=TensorWords(count[Count.L2_TO_L1_W], count[Count.L2_TO_L1_I], count[Count.L2_TO_L1_O]),
        l1_fill_words=TensorWords(count[Count.L1_FILL_W], count[Count.L1_FILL_I], count[Count.L1_FILL_O]),
        l1_start_words=count[Count.L1_FILL_O] - count[Count.PSUM_READ],
        psum_read_words=count[Count.PSUM_READ],
        output_write_words=count[Count.OUTPUT_WRITE],
        l2_add_read_words=count[Count.L2_ADD_READ],
        offchip_read_words=TensorWords(count[Count.OFFCHIP_READ_W], count[Count.OFFCHIP_READ_I], count[Count.OFFCHIP_READ_O]),
        offchip_write_words=count[Count.OFFCHIP_WRITE],
        l1_need_bytes=count[Count.L1_NEED_BYTES],
        l2_need_bytes=count[Count.L2_NEED_BYTES],
        l2_depths=TensorDepths(count[Count.L2_DEPTH_W], count[Count.L2_DEPTH_I], count[Count.L2_DEPTH_O]),
        energy_pj=energy,
        edp_pj_cycles=energy.total * runtime,
        **taken(hardware),
        power_mw=power_mw(hardware, energy.total, runtime),
        leakage_mw=leakage_by_part(hardware).total,
        dynamic_mw=dynamic_mw(hardware, energy.total, runtime),
        throughput_macs_per_cycle=_ratio(layer.macs, runtime),
        utilization=_ratio(layer.macs, runtime * hardware.pes * hardware.simd),
        bound_by=_bound_by(count),
        bound_share=_bound_share(count),
        arithmetic_intensity_macs_per_byte=_ratio(layer.macs, offchip / (8 * PARTS)),
        l1_reuse=_l1_reuse(layer, count),
        l2_reuse=_l2_reuse(count),
        noc_words_per_cycle=_noc_words(count),
        zero_macs=layer.zero_macs,
        effectual_macs=layer.macs * layer.part_done((Tensor.WEIGHT, Tensor.INPUT)),
        sparse=sparse_figures(layer, hardware, count, moved),
    )


def _ratio(value: float, per: float) -> float:
    return value / per if per else 0.0


def _energy(layer: Layer, hardware: Hardware, counts: NDArray[np.int64], moved: NDArray[np.int64] | None) -> Energy:
    average = energy_coefficients(layer, hardware)
    one = average.energy_pj(counts[None]) if moved is None else energy_of_moved(layer, hardware, counts, moved)
    parts = {"mac": one.mac, "l1": one.l1, "l2": one.l2, "noc": one.noc, "offchip": one.offchip}
    return Energy({name: float(pj[0]) for name, pj in parts.items()}, float(one.total[0]))


def _bound_by(count: dict[Count, int]) -> str:
    if 0 < count[Count.ISSUE_CYCLES] == count[Count.RUNTIME_CYCLES] - count[Count.FILL_CYCLES]:
        return "issue"
    if count[Count.OFFCHIP_CYCLES] > count[Count.ARRAY_CYCLES]:
        return "offchip"
    parts = {
        "compute": count[Count.COMPUTE_BOUND_CYCLES],
        "ingress": count[Count.INGRESS_BOUND_CYCLES],
        "egress": count[Count.EGRESS_BOUND_CYCLES],
    }
    return max(parts, key=lambda part: parts[part])


def _bound_share(count: dict[Count, int]) -> BoundShare:
    array, after_fill = count[Count.ARRAY_CYCLES], count[Count.RUNTIME_CYCLES] - count[Count.FILL_CYCLES]
    return BoundShare(
        compute=_ratio(count[Count.COMPUTE_BOUND_CYCLES], array),
        ingress=_ratio(count[Count.INGRESS_BOUND_CYCLES], array),
        egress=_ratio(count[Count.EGRESS_BOUND_CYCLES], array),
        offchip=_ratio(count[Count.OFFCHIP_CYCLES], after_fill),
        issue=_ratio(count[Count.ISSUE_CYCLES], after_fill) or None,
    )


def _l1_reuse(layer: Layer, count: dict[Count, int]) -> TensorReuse:
    return TensorReuse(
        weight=_ratio(layer.macs, count[Count.L1_FILL_W]),
        input=_ratio(layer.macs, count[Count.L1_FILL_I]),
        output=_ratio(layer.macs, count[Count.L1_FILL_O]),
    )


def _l2_reuse(count: dict[Count, int]) -> TensorReuse:
    return TensorReuse(
        weight=_ratio(count[Count.L2_TO_L1_W], count[Count.OFFCHIP_READ_W]),
        input=_ratio(count[Count.L2_TO_L1_I], count[Count.OFFCHIP_READ_I]),
        output=_ratio(count[Count.OUTPUT_WRITE], count[Count.OFFCHIP_WRITE]),
    )


def _noc_words(count: dict[Count, int]) -> NocWords:
    words = count[Count.L2_TO_L1_W] + count[Count.L2_TO_L1_I] + count[Count.PSUM_READ] + count[Count.OUTPUT_WRITE]
    return NocWords(
        average=_ratio(words, count[Count.ARRAY_CYCLES]),
        peak=_ratio(count[Count.PEAK_NOC_WORDS], count[Count.PEAK_NOC_CYCLES]),
    )
