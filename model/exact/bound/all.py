"""What a mapping costs at least: from its loops' trip counts alone, and for mappings of which only parts are chosen yet.

Compute: unit 0's MACs summed over the steps are a product over the dims (`bound_runtime`). Words: each time that a loop which a
tensor lacks turns outside a loop that moves the tensor, all of it passes again (`bound_words`). Off-chip: the same with the loops
outside the depth at which the L2 keeps the tensor (`bound_offchip`). Open parts count as the best that could be chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import kernel
from mapsearch.model.exact.bound.offchip import least_offchip
from mapsearch.model.exact.bound.runtime import least_cycles
from mapsearch.model.exact.bound.state import BOUND_WORKSPACE, Bytes, read
from mapsearch.model.exact.bound.tiles import least_sum, prepare
from mapsearch.model.exact.bound.words import least_words
from mapsearch.model.records import Floats, Ints

# Sums and products of some ten float64 are off by less.
ROUNDING = 1 - 1e-13


@kernel
def bound_all(
    workspace: NDArray[np.uint8], units: Ints, spatial: Bytes, order: Bytes, size: Ints, runtime: Floats, energy: Floats
) -> None:
    """Write the least cycles and pJ of every mapping of a batch (arrays as in `MappingBatch`, open parts as in `BoundedModel`)."""
    w = workspace.view(BOUND_WORKSPACE)[0]
    for b in range(units.shape[0]):
        read(w, units, spatial, order, size, b)
        least_words(w, size, b)
        least_offchip(w, order, b)
        prepare(w, units, spatial, size, b)
        runtime[b] = np.ceil(least_cycles(w, units, spatial, order, size, b) * ROUNDING)
        total = w.per_word.rest_pj + w.offchip[1] + least_sum(w, w.per_word.fill_pj, w.per_word.multicast_pj)
        energy[b] = total * ROUNDING
