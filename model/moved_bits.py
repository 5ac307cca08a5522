"""Bits of the words of W and I that move, where masks tell each zero: counts beside those of words."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Count
from mapsearch.model.energy import EnergyBreakdown, EnergyCoefficients, energy_coefficients
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.sparsity import Level
from mapsearch.model.tensors import Tensor
from mapsearch.model.word_bits import PARTS, word_bits

OPERANDS = (Tensor.WEIGHT, Tensor.INPUT)


class Moved(IntEnum):
    """The columns of moved bits, int64[.., 6, 2], of W and of I; each in the format of its level.

    OFFCHIP: read off-chip. L2_WRITE: the same as they enter the L2. L2_READ: as they leave it. NOC: as they cross the network.
    NOC_FILL, L1_WRITE: as each PE receives them, over the network and in its L1.
    """

    OFFCHIP = 0
    L2_WRITE = 1
    L2_READ = 2
    NOC = 3
    NOC_FILL = 4
    L1_WRITE = 5


# What moves at which price: a row of `EnergyCoefficients`, the level of the format, and the words that move, of W.
_PRICED = {
    Moved.OFFCHIP: (4, Level.OFFCHIP, Count.OFFCHIP_READ_W),
    Moved.L2_WRITE: (2, Level.L2, Count.OFFCHIP_READ_W),
    Moved.L2_READ: (2, Level.L2, Count.L2_TO_L1_W),
    Moved.NOC_FILL: (3, Level.NOC, Count.L1_FILL_W),
    Moved.L1_WRITE: (1, Level.L1, Count.L1_FILL_W),
}


def energy_of_moved(layer: Layer, hardware: Hardware, counts: NDArray[np.int64], moved: NDArray[np.int64]) -> EnergyBreakdown:
    """The energies of one mapping, counts int64[COUNTS], whose words of W and I have these bits, int64[6, 2]."""
    average, stored = energy_coefficients(layer, hardware), word_bits(layer, hardware)
    per_count = average.per_count_pj.copy()
    for use, (row, level, words_of_w) in _PRICED.items():
        for tensor in OPERANDS:
            words = counts[words_of_w + tensor]
            if words:
                per_count[row, words_of_w + tensor] *= moved[use, tensor] * PARTS / (words * stored[level][tensor])
    return EnergyCoefficients(average.constant_pj, per_count).energy_pj(counts[None])
