"""What a mapping costs at least: from its loops' trip counts alone, and for mappings of which only parts are chosen yet.

Compute: unit 0's MACs summed over the steps are a product over the dims (`bound_runtime`). Words: each time that a loop which a
tensor lacks turns outside a loop that moves the tensor, all of it passes again (`bound_words`). Off-chip: the same with the loops
outside the depth at which the L2 keeps the tensor (`bound_offchip`). Open parts count as the best that could be chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import kernel
from mapsearch.model.cost import Count
from mapsearch.model.energy import energy_coefficients
from mapsearch.model.exact.bound.offchip import least_offchip
from mapsearch.model.exact.bound.runtime import least_cycles
from mapsearch.model.exact.bound.state import BOUND_WORKSPACE, Bytes, Floats, Ints, read
from mapsearch.model.exact.bound.tiles import least_sum, prepare
from mapsearch.model.exact.bound.words import least_words
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import Tensor

# Sums and products of some ten float64 are off by less.
ROUNDING = 1 - 1e-13


def energy_terms(layer: Layer, hardware: Hardware) -> Floats:
    """float64[7, 3] of each word of W, I, O, as follows; [3, 0] and [6, 0] of the rest, once.

    [0] to [2]: pJ into the L1s, by multicast from L2 to L1, into the L2. [4], [5]: bits that [0], [1] bring in over the network.
    """
    coefficients = energy_coefficients(layer, hardware)
    per = coefficients.per_count_pj.sum(axis=0)
    multicast, reduction = hardware.noc.multicast, hardware.noc.reduction
    terms = np.zeros((7, 3))
    terms[0, :2] = per[[Count.L1_FILL_W, Count.L1_FILL_I]]
    terms[1 if multicast else 0, :2] += per[[Count.L2_TO_L1_W, Count.L2_TO_L1_I]]
    terms[1 if reduction else 0, 2] = per[Count.OUTPUT_WRITE] + per[Count.PSUM_READ if reduction else Count.L2_ADD_READ]
    terms[2] = per[[Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O]]
    terms[2, 2] += per[Count.OFFCHIP_WRITE]
    not_read = per[Count.PSUM_READ if reduction else Count.L2_ADD_READ] + per[Count.OFFCHIP_READ_O]  # outputs begin at zero
    terms[3, 0] = coefficients.constant_pj.sum() - layer.words(Tensor.OUTPUT) * not_read
    terms[5 if multicast else 4, :2] = hardware.bits[:2]
    if reduction:
        terms[5, 2] = hardware.bits[2]
        terms[6, 0] = -float(layer.words(Tensor.OUTPUT) * hardware.bits[2])
    return terms


@kernel
def bound_all(
    workspace: NDArray[np.uint8], units: Ints, spatial: Bytes, order: Bytes, size: Ints, terms: Floats, runtime: Floats,
    energy: Floats,
) -> None:  # fmt: skip
    """Write the least cycles and pJ of every mapping of a batch (arrays as in `MappingBatch`, open parts as in `BoundedModel`).

    terms: see `energy_terms`.
    """
    w = workspace.view(BOUND_WORKSPACE)[0]
    for b in range(units.shape[0]):
        read(w, units, spatial, order, size, b)
        least_words(w, size, b)
        least_offchip(w, order, b, terms[2])
        prepare(w, units, spatial, size, b)
        runtime[b] = np.ceil(least_cycles(w, units, spatial, order, size, b, terms[4:]) * ROUNDING)
        total = terms[3, 0] + w.offchip[1] + least_sum(w, terms[0], terms[1])
        energy[b] = total * ROUNDING
