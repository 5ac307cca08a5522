"""What a mapping costs at least: from its loops' trip counts alone, and for mappings of which only parts are chosen yet.

Compute: unit 0's MACs summed over the steps are a product over the dims (`runtime`). Words: each time that a loop which a tensor
lacks turns outside a loop that moves the tensor, all of it passes again (`words`). Off-chip: the same with the loops outside the
depth at which the L2 keeps the tensor (`offchip`). Open parts count as the best that could be chosen (`tiles`).

Each of these only raises what those before it found, so a mapping that is beyond the limit already needs none of the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel
from mapsearch.model.exact.bound.chosen import read
from mapsearch.model.exact.bound.imbalance import note_imbalance
from mapsearch.model.exact.bound.offchip import least_offchip, whole_offchip
from mapsearch.model.exact.bound.outputs import limit_outputs
from mapsearch.model.exact.bound.runtime import (
    array_cycles,
    chosen_ingress,
    compute_cycles,
    measure,
    raise_ingress,
    runtime_cycles,
    step_cycles,
)
from mapsearch.model.exact.bound.state import BOUND_WORKSPACE, ROUNDING, BoundWorkspace
from mapsearch.model.exact.bound.tiles import chosen_sum, least_sum, prepare
from mapsearch.model.exact.bound.words import least_words
from mapsearch.model.limit import RUNTIME_BITS, LimitArrays
from mapsearch.model.mapping import MappingArrays
from mapsearch.model.records import Floats


class Found(NamedTuple):
    """The mappings that are within the limit, and their least cycles and pJ: each as long as the batch."""

    rows: NDArray[np.intp]
    runtime_cycles: Floats
    energy_pj: Floats


@kernel
def bound_all(workspace: NDArray[np.uint8], tables: Floats, batch: MappingArrays, limit: LimitArrays, found: Found) -> int:
    """Write what each mapping of a batch within the limit costs at least, open parts as in `BoundedModel`; returns how many.

    tables: see `share_tables`.
    """
    w: BoundWorkspace = workspace.view(BOUND_WORKSPACE)[0]
    count = 0
    for b in range(len(batch.units)):
        read(w, batch, b)
        least_words(w)
        limit_outputs(w)
        chosen_ingress(w)
        inside = chosen_sum(w, w.per_word.fill_pj, w.per_word.multicast_pj)
        if not w.is_crossed:
            whole_offchip(w)
        energy = energy_pj(w, inside)
        if is_beyond(limit, runtime_cycles(w, array_cycles(w, 0.0)), energy):
            continue
        measure(w)
        note_imbalance(w, tables)
        compute = compute_cycles(w)
        array = array_cycles(w, compute)
        if is_beyond(limit, runtime_cycles(w, array), energy):
            continue
        if not w.is_crossed:
            least_offchip(w)
        if is_beyond(limit, runtime_cycles(w, array), energy_pj(w, inside)):
            continue
        prepare(w)
        energy = energy_pj(w, least_sum(w, w.per_word.fill_pj, w.per_word.multicast_pj))
        raise_ingress(w, least_sum(w, w.per_word.fill_cycles, w.per_word.multicast_cycles))
        array = array_cycles(w, compute)
        if is_beyond(limit, runtime_cycles(w, array), energy):
            continue
        runtime = runtime_cycles(w, max(array, step_cycles(w)))
        if not is_beyond(limit, runtime, energy):
            found.rows[count], found.runtime_cycles[count], found.energy_pj[count] = b, runtime, energy
            count += 1
    return count


@inlined
def is_beyond(limit: LimitArrays, runtime: float, energy: float) -> bool:
    """Whether costs of at least so much are of no use."""
    step = int(np.float64(runtime).view(np.int64) >> RUNTIME_BITS) - limit.first
    return bool(step >= 0 and energy > limit.most_pj[min(step, len(limit.most_pj) - 1)])


@inlined
def energy_pj(w: BoundWorkspace, inside: float) -> float:
    """The least pJ, where fills and words cost so much."""
    return float((w.per_word.rest_pj + w.offchip[2] + inside) * ROUNDING)
