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
from mapsearch.model.exact.bound.offchip import least_offchip, whole_offchip
from mapsearch.model.exact.bound.runtime import array_cycles, compute_cycles, measure, runtime_cycles, step_cycles, write_first_cycles
from mapsearch.model.exact.bound.state import BOUND_WORKSPACE, ROUNDING, BoundWorkspace, read
from mapsearch.model.exact.bound.tiles import chosen_sum, least_sum, prepare
from mapsearch.model.exact.bound.words import least_words
from mapsearch.model.limit import LimitArrays, is_beyond
from mapsearch.model.mapping import MappingArrays
from mapsearch.model.records import Floats


class Found(NamedTuple):
    """The mappings that are within the limit, and their least cycles and pJ: each as long as the batch."""

    rows: NDArray[np.intp]
    runtime_cycles: Floats
    energy_pj: Floats


@kernel
def bound_all(workspace: NDArray[np.uint8], batch: MappingArrays, limit: LimitArrays, found: Found) -> int:
    """Write what each mapping of a batch within the limit costs at least, open parts as in `BoundedModel`; returns how many."""
    w: BoundWorkspace = workspace.view(BOUND_WORKSPACE)[0]
    count, crossed = 0, -1  # the last mapping whose off-chip words are known
    for b in range(len(batch.units)):
        read(w, batch.units, batch.spatial, batch.order, batch.size, b)
        write_first_cycles(w)
        least_words(w, batch.size, b)
        array = array_cycles(w, 0.0, chosen_sum(w, w.per_word.fill_bits, w.per_word.multicast_bits))
        inside = chosen_sum(w, w.per_word.fill_pj, w.per_word.multicast_pj)
        if crossed < 0 or not _same_outer_level(batch, crossed, b):
            whole_offchip(w)
            crossed = -1
        if is_beyond(limit, runtime_cycles(w, array), energy_pj(w, inside)):
            continue
        if crossed < 0:
            least_offchip(w, batch.order, b)
            crossed = b
        energy = energy_pj(w, inside)
        if is_beyond(limit, runtime_cycles(w, array), energy):
            continue
        measure(w, batch.units, batch.spatial, batch.size, b)
        compute = compute_cycles(w)
        if is_beyond(limit, runtime_cycles(w, max(array, array_cycles(w, compute, 0.0))), energy):
            continue
        prepare(w, batch.units, batch.spatial, batch.size, b)
        energy = energy_pj(w, least_sum(w, w.per_word.fill_pj, w.per_word.multicast_pj))
        array = array_cycles(w, compute, least_sum(w, w.per_word.fill_bits, w.per_word.multicast_bits))
        if is_beyond(limit, runtime_cycles(w, array), energy):
            continue
        runtime = runtime_cycles(w, max(array, step_cycles(w, batch.order, b)))
        if not is_beyond(limit, runtime, energy):
            found.rows[count], found.runtime_cycles[count], found.energy_pj[count] = b, runtime, energy
            count += 1
    return count


@inlined
def _same_outer_level(batch: MappingArrays, a: int, b: int) -> bool:
    """Whether all that is chosen of level 0 is the same in two mappings, as in most children of one part."""
    same = batch.units[a, 0] == batch.units[b, 0] and batch.spatial[a, 0] == batch.spatial[b, 0]
    for dim in range(8):
        same &= batch.order[a, 0, dim] == batch.order[b, 0, dim] and batch.size[a, 0, dim] == batch.size[b, 0, dim]
    return bool(same)


@inlined
def energy_pj(w: BoundWorkspace, inside: float) -> float:
    """The least pJ, where fills and words cost so much."""
    return float((w.per_word.rest_pj + w.offchip[1] + inside) * ROUNDING)
