"""Energy: counts times what one action costs in the hardware's technology.

A word of b bits costs access energy * b / access_bits. The reads and writes that are counted:

| buffer | reads | writes |
|---|---|---|
| L1 | MACs of W, of I, of O, but no start at zero; outputs written back | MACs of O; fills of W, I; partial sums read back |
| L2 | W, I, partial sums on their way to L1; reads for adding; O going off-chip | W, I, O from off-chip; outputs from L1 |

An output starts at zero where it enters a PE and brings no partial sum back, so starts are fills of O less partial sums read.

The network carries the fills of W and I, partial sums read back, and outputs written. b is the average in the tensor's format at
that level (`word_bits`). Each output has its format's once, where it leaves for good; partial sums, and so all outputs in the L1,
have all of their bits. A zero of an operand that the machine skips or gates spares the MAC, and in the L1 the accesses to the other
operand and to O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import kernel
from mapsearch.model.cost import COUNTS, Count
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.records import Floats, Ints
from mapsearch.model.sparsity import Level
from mapsearch.model.technology import BufferTechnology
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import PARTS, word_bits


@dataclass(frozen=True, slots=True)
class EnergyBreakdown:
    """Energies of B mappings in pJ, float64[B] each; a row that does not fit the hardware means nothing."""

    mac: NDArray[np.float64]
    l1: NDArray[np.float64]
    l2: NDArray[np.float64]
    noc: NDArray[np.float64]
    offchip: NDArray[np.float64]
    total: NDArray[np.float64]


@dataclass(frozen=True)
class EnergyCoefficients:
    """Energy as an affine function of a mapping's counts, for one layer on one hardware; shared, so not to be changed.

    constant_pj:  float64[5]          pJ that every mapping of the layer costs; rows are mac, l1, l2, noc, offchip
    per_count_pj: float64[5, COUNTS]  pJ that each count adds; rows likewise, columns as in `Count`
    """

    constant_pj: NDArray[np.float64]
    per_count_pj: NDArray[np.float64]

    def energy_pj(self, counts: NDArray[np.int64]) -> EnergyBreakdown:
        """The energies of mappings with these counts, int64[B, COUNTS]."""
        of_part, of_count = self.terms
        parts = np.empty((len(self.constant_pj) + 1, len(counts)))
        _price(self.constant_pj, self.per_count_pj, of_part, of_count, np.ascontiguousarray(counts), parts)
        return EnergyBreakdown(*parts)

    @cached_property
    def terms(self) -> tuple[Ints, Ints]:
        """The rows and columns of `per_count_pj` that are not 0."""
        rows, columns = np.nonzero(self.per_count_pj)
        return rows.astype(np.int64), columns.astype(np.int64)


@kernel
def _price(constant_pj: Floats, per_count_pj: Floats, of_part: Ints, of_count: Ints, counts: Ints, parts: Floats) -> None:
    """Write parts, float64[6, B]: of each part, and their total.

    Term by term instead of as a matrix product: a mapping's last digit must not depend on the batch that it came in.
    """
    last = len(constant_pj)
    for part in range(last):
        for b in range(len(counts)):
            parts[part, b] = constant_pj[part]
    for term in range(len(of_part)):
        part, count = of_part[term], of_count[term]
        price, energies = per_count_pj[part, count], parts[part]
        for b in range(len(counts)):
            energies[b] += price * counts[b, count]
    for b in range(len(counts)):  # not by slices, which take ten times as long to compile
        total = 0.0
        for part in range(last):
            total += parts[part, b]
        parts[last, b] = total


@lru_cache(maxsize=256)  # needed for every batch
def energy_coefficients(layer: Layer, hardware: Hardware) -> EnergyCoefficients:
    """The energy of the layer's mappings on the hardware as a function of their counts."""
    technology = hardware.technology
    w, i, o = Tensor
    bits_o, outputs = hardware.bits[o], layer.words(o)
    stored = word_bits(layer, hardware)
    at_l1, at_noc, at_l2, at_offchip = ([*(each / PARTS for each in bits[:2]), bits_o] for bits in stored)
    l1_read, l1_write = _access_pj(technology.l1, hardware.l1, at_l1)
    l2_read, l2_write = _access_pj(technology.l2, hardware.l2, at_l2)
    # Of each output's words, one is final and has the bits of its format; the others are partial sums.
    more_noc, more_l2, more_offchip = (outputs * (bits[o] / PARTS - bits_o) for bits in stored[Level.NOC :])
    more_noc *= hardware.noc.reduction  # else all that leaves the array is partial sums, which the L2 adds
    spared = hardware.sparse.spared
    opened = layer.part_done(spared)  # the part of the MACs that is done, for which O is read and written
    macs_pj = layer.macs * opened * technology.mac_pj * mac_scale(hardware)
    of_w, of_i = layer.part_done(spared - {i}), layer.part_done(spared - {w})  # those for which the other operand is read
    operands_pj = layer.macs * (of_i * l1_read[w] + of_w * l1_read[i] + opened * l1_read[o] + opened * l1_write[o])
    l1 = {
        Count.OUTPUT_WRITE: l1_read[o],
        Count.L1_FILL_W: l1_write[w],
        Count.L1_FILL_I: l1_write[i],
        Count.L1_FILL_O: -opened * l1_read[o],
        Count.PSUM_READ: l1_write[o] + opened * l1_read[o],
    }
    l2 = {
        Count.L2_TO_L1_W: l2_read[w],
        Count.L2_TO_L1_I: l2_read[i],
        Count.PSUM_READ: l2_read[o],
        Count.L2_ADD_READ: l2_read[o],
        Count.OFFCHIP_WRITE: l2_read[o],
        Count.OFFCHIP_READ_W: l2_write[w],
        Count.OFFCHIP_READ_I: l2_write[i],
        Count.OFFCHIP_READ_O: l2_write[o],
        Count.OUTPUT_WRITE: l2_write[o],
    }
    noc = {
        Count.L1_FILL_W: technology.noc_pj_per_bit * at_noc[w],
        Count.L1_FILL_I: technology.noc_pj_per_bit * at_noc[i],
        Count.PSUM_READ: technology.noc_pj_per_bit * at_noc[o],
        Count.OUTPUT_WRITE: technology.noc_pj_per_bit * at_noc[o],
    }
    offchip = {
        Count.OFFCHIP_READ_W: technology.offchip_pj_per_bit * at_offchip[w],
        Count.OFFCHIP_READ_I: technology.offchip_pj_per_bit * at_offchip[i],
        Count.OFFCHIP_READ_O: technology.offchip_pj_per_bit * at_offchip[o],
        Count.OFFCHIP_WRITE: technology.offchip_pj_per_bit * at_offchip[o],
    }
    per_count = np.zeros((5, COUNTS))
    for part, terms in enumerate((l1, l2, noc, offchip), start=1):
        per_count[part, list(terms)] = list(terms.values())
    finals_pj = (
        more_l2 * (l2_read[o] + l2_write[o]) / bits_o,
        more_noc * technology.noc_pj_per_bit,
        more_offchip * technology.offchip_pj_per_bit,
    )
    return EnergyCoefficients(np.array([macs_pj, operands_pj, *finals_pj]), per_count)


def mac_scale(hardware: Hardware) -> float:
    """The factor from energy and area of the technology's MAC to those of the hardware's.

    An array multiplier has one cell per pair of operand bits, so both grow with the product of the operands' widths.
    """
    weight_bits, input_bits, _ = hardware.bits
    return weight_bits * input_bits / hardware.technology.mac_bits**2


def _access_pj(technology: BufferTechnology, buffer: Buffer, bits: Sequence[float]) -> tuple[list[float], list[float]]:
    """Energy of reading and of writing a word of W, I, O, which have so many bits; nothing for one that passes the buffer by."""
    read, write = [0.0] * 3, [0.0] * 3
    for tensor in Tensor:
        if not buffer.bypass[tensor]:
            capacity = buffer.room(tensor).bytes
            read[tensor] = technology.read_pj.at(capacity) / technology.access_bits * bits[tensor]
            write[tensor] = technology.write_pj.at(capacity) / technology.access_bits * bits[tensor]
    return read, write
