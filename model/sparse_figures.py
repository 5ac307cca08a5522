"""What an evaluation says of zeros, on a machine that makes something of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Count
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.moved_bits import Moved
from mapsearch.model.plain import Plain
from mapsearch.model.sparsity import NOTHING_SPARED, Level, Pattern
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import PARTS, word_bits


@dataclass(frozen=True, slots=True)
class TensorBits(Plain):
    """Bits of a word of each tensor, on average."""

    weight: float
    input: float
    output: float


@dataclass(frozen=True, slots=True)
class LevelBits(Plain):
    """The same at each level."""

    l1: TensorBits
    noc: TensorBits
    l2: TensorBits
    offchip: TensorBits


@dataclass(frozen=True, slots=True)
class SparseFigures(Plain):
    """What zeros change.

    bits_per_word  of words as they are stored or sent; partial sums have all of their bits
    noc_bits       bits of the words between L2 and PEs, partial sums and outputs included
    offchip_bits   bits of all off-chip reads and writes
    skipped_macs   MACs that take no time: expected, unless masks tell
    gated_macs     of the others, those that take no energy
    imbalance      compute cycles over those where each PE has the layer's share of MACs to do
    balanced_runtime_cycles  the runtime in that case: what the runtime is above it is lost to load imbalance; None where the
                   machine skips no zeros, or where it was not asked for
    source         what is known of W and I: "mask", "pattern" if either has one, else "uniform"
    """

    bits_per_word: LevelBits
    noc_bits: float
    offchip_bits: float
    skipped_macs: float
    gated_macs: float
    imbalance: float
    balanced_runtime_cycles: int | None = field(default=None, kw_only=True)
    source: str

    optional: ClassVar[frozenset[str]] = frozenset({"balanced_runtime_cycles"})


@dataclass(frozen=True, slots=True)
class SparseSums(Plain):
    """The same summed over layers, each as often as it runs.

    imbalance: compute cycles over those of balanced PEs. balanced_runtime_cycles: None where the machine skips no zeros.
    """

    skipped_macs: float
    gated_macs: float
    imbalance: float
    balanced_runtime_cycles: int | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"balanced_runtime_cycles"})


def sparse_figures(
    layer: Layer, hardware: Hardware, count: Mapping[Count, int], moved: NDArray[np.int64] | None
) -> SparseFigures | None:
    """The figures of a mapping with these counts, and `Moved` bits if known; None where the machine makes nothing of zeros."""
    if hardware.sparse == NOTHING_SPARED:
        return None
    stored, sparse = word_bits(layer, hardware), hardware.sparse
    left, done = (layer.macs * layer.part_done(spared) for spared in (sparse.skip, sparse.spared))
    balanced = count[Count.BALANCED_CYCLES]
    return SparseFigures(
        LevelBits(*(TensorBits(*(bits / PARTS for bits in stored[level])) for level in Level)),
        noc_bits=_noc_parts(layer, hardware, count, moved) / PARTS,
        offchip_bits=offchip_parts(layer, hardware, count, moved) / PARTS,
        skipped_macs=layer.macs - left,
        gated_macs=left - done,
        imbalance=count[Count.COMPUTE_CYCLES] / balanced if balanced else 1.0,
        source=_source(layer),
    )


def _source(layer: Layer) -> str:
    if layer.effectual is not None:
        return "mask"
    return "pattern" if any(isinstance(each, Pattern) for each in layer.sparsity[:2]) else "uniform"


def offchip_parts(layer: Layer, hardware: Hardware, count: Mapping[Count, int], moved: NDArray[np.int64] | None) -> int:
    """All that is read and written off-chip, in 1/64 of a bit."""
    of_w, of_i, of_o = word_bits(layer, hardware)[Level.OFFCHIP]
    outputs = layer.words(Tensor.OUTPUT)
    sums = count[Count.OFFCHIP_READ_O] + count[Count.OFFCHIP_WRITE] - outputs
    of_operands = of_w * count[Count.OFFCHIP_READ_W] + of_i * count[Count.OFFCHIP_READ_I]
    if moved is not None:
        of_operands = PARTS * int(moved[Moved.OFFCHIP].sum())
    return of_operands + of_o * outputs + PARTS * hardware.bits[Tensor.OUTPUT] * sums


def _noc_parts(layer: Layer, hardware: Hardware, count: Mapping[Count, int], moved: NDArray[np.int64] | None) -> int:
    of_w, of_i, of_o = word_bits(layer, hardware)[Level.NOC]
    final = layer.words(Tensor.OUTPUT) if hardware.noc.reduction else 0
    sums = count[Count.PSUM_READ] + count[Count.OUTPUT_WRITE] - final
    of_operands = of_w * count[Count.L2_TO_L1_W] + of_i * count[Count.L2_TO_L1_I]
    if moved is not None:
        of_operands = PARTS * int(moved[Moved.NOC].sum())
    return of_operands + of_o * final + PARTS * hardware.bits[Tensor.OUTPUT] * sums
