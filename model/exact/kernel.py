"""One mapping, start to end: its nest of loops, its footprints, its carries, its counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import kernel, leaf
from mapsearch.model.cost import Count, Fit
from mapsearch.model.exact import machine as hw
from mapsearch.model.exact.groups import COLUMNS, GROUP_OF_DIM, GROUPS, LEADING, SLIDING, pair_classes, single_classes
from mapsearch.model.exact.residency import STATUSES, best_depths, residency_table
from mapsearch.model.exact.runtime import COMPUTE_BOUND, CYCLES, KIND, TIMING, add_carry, add_sums, add_totals, first_step
from mapsearch.model.exact.states import INDICES, INNER, OUTER, OWN, classes

Ints = NDArray[np.int64]
Bytes = NDArray[np.int8]

OWN_LIST = GROUPS  # the list of the group that the carry's loop belongs to
MOVING = 8  # the states of the dim of that loop
SPARE = 9

# Columns of the result: compiled code indexes with plain integers, so those used are spelled out here.
STEPS, RUNTIME, ARRAY = int(Count.STEPS), int(Count.RUNTIME_CYCLES), int(Count.ARRAY_CYCLES)
OFFCHIP, FILL = int(Count.OFFCHIP_CYCLES), int(Count.FILL_CYCLES)
L2_TO_L1, L1_FILL = int(Count.L2_TO_L1_W), int(Count.L1_FILL_W)
PSUM_READ, OUTPUT_WRITE, L2_ADD_READ = int(Count.PSUM_READ), int(Count.OUTPUT_WRITE), int(Count.L2_ADD_READ)
OFFCHIP_READ, OFFCHIP_WRITE = int(Count.OFFCHIP_READ_W), int(Count.OFFCHIP_WRITE)
L1_NEED, L2_NEED = int(Count.L1_NEED_BYTES), int(Count.L2_NEED_BYTES)
BOUNDS = int(Count.COMPUTE_BOUND_CYCLES)
LEGAL, L1_OVERFLOW, L2_OVERFLOW = int(Fit.LEGAL), int(Fit.L1_OVERFLOW), int(Fit.L2_OVERFLOW)
MORE_ROOM = -1  # not a `Fit`: the lists of classes were too short


class Case(NamedTuple):
    """What all mappings of a batch share."""

    extents: Ints  # [8]
    machine: Ints  # see `machine`
    windows: Ints  # [2, 2] phases of rows and columns, see `machine.window_phases`
    columns: Ints  # [KIND] where a class has the columns of a kind of step


class Work(NamedTuple):
    """Arrays that are made once for a batch and overwritten by every mapping."""

    sizes: Ints  # [8, levels] chunk of a dim at a level
    shares: Ints  # [8, levels] units that a dim is shared out over at a level
    loops: Ints  # [8*levels, 2] level and dim of the loops that iterate, outer to inner
    roles: Ints  # [8, levels] see `states`
    states: Ints  # [10, capacity, columns] of the eight dims, of the carry's own dim, and spare
    n_states: Ints  # [9]
    lengths: Ints  # [2, levels + 2]
    chunks: Ints  # [2, units, 4] see `window`
    pieces: Ints  # [2, 2*units, 2]
    slid: Ints  # [4]
    counts: Ints  # [GROUPS + 1] classes in each list
    sums: Ints  # [GROUPS + 1, COLUMNS]
    kinds: Ints  # [GROUPS + 1, KIND]
    places: Ints  # [3, GROUPS] see `runtime`
    cases: Ints  # [2, 2, 5] and the next four: see `residency`
    lone: Ints  # [8, STATUSES, 3]
    slides: Ints  # [2, STATUSES, STATUSES, 2]
    vectors: Ints  # [4, 8]; the last is the level-0 chunk of all units
    tables: Ints  # [3, 3, 9] words, need, and work space, per tensor and depth
    best: Ints  # [6]
    bits: Ints  # [3]
    timing: Ints  # [TIMING]
    totals: Ints  # [7]


@kernel
def _work(levels: int, units: int, capacity: int) -> Work:
    return Work(
        sizes=np.empty((8, levels), np.int64),
        shares=np.empty((8, levels), np.int64),
        loops=np.empty((8 * levels, 2), np.int64),
        roles=np.empty((8, levels), np.int64),
        states=np.empty((10, capacity, INDICES + 2 * levels), np.int64),
        n_states=np.empty(9, np.int64),
        lengths=np.empty((2, levels + 2), np.int64),
        chunks=np.empty((2, units, 4), np.int64),
        pieces=np.empty((2, 2 * units, 2), np.int64),
        slid=np.empty(4, np.int64),
        counts=np.empty(GROUPS + 1, np.int64),
        sums=np.empty((GROUPS + 1, COLUMNS), np.int64),
        kinds=np.empty((GROUPS + 1, KIND), np.int64),
        places=np.empty((3, GROUPS), np.int64),
        cases=np.empty((2, 2, 5), np.int64),
        lone=np.empty((8, STATUSES, 3), np.int64),
        slides=np.empty((2, STATUSES, STATUSES, 2), np.int64),
        vectors=np.empty((4, 8), np.int64),
        tables=np.empty((3, 3, 9), np.int64),
        best=np.empty(6, np.int64),
        bits=np.empty(3, np.int64),
        timing=np.empty(TIMING, np.int64),
        totals=np.empty(7, np.int64),
    )


@leaf
def _nest(
    extents: Ints, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int, sizes: Ints, shares: Ints, loops: Ints
) -> int:
    """Write the sizes, shares and loops of mapping b; returns how many loops iterate."""
    count = 0
    for level in range(units.shape[1]):
        for place in range(8):
            dim = order[b, level, place]
            tile = extents[dim] if level == 0 else size[b, level - 1, dim]
            share = 1
            if spatial[b, level] == dim:  # units past the last chunk stay idle
                share = min(units[b, level], (tile + size[b, level, dim] - 1) // size[b, level, dim])
            sizes[dim, level] = size[b, level, dim]
            shares[dim, level] = share
            if size[b, level, dim] * share < tile:
                loops[count, 0] = level
                loops[count, 1] = dim
                count += 1
    return count


@leaf
def _tile_bits(tile: Ints, windows: Ints, machine: Ints, out: Ints) -> None:
    """Write to `out` [3] the bits that the operands of a tile of eight lengths take; windows: see `layer.window_words`."""
    g, n, k, c, r, s, y, x = tile[0], tile[1], tile[2], tile[3], tile[4], tile[5], tile[6], tile[7]
    rows = y * r - max(y - windows[0, 0], 0) * max(r - windows[0, 1], 0)
    columns = x * s - max(x - windows[1, 0], 0) * max(s - windows[1, 1], 0)
    out[0] = g * k * c * r * s * machine[hw.BITS]
    out[1] = n * g * c * rows * columns * machine[hw.BITS + 1]
    out[2] = n * g * k * y * x * machine[hw.BITS + 2]


@leaf
def _group_list(case: Case, work: Work, lists: Ints, group: int, place: int, lead: int, slide: int) -> bool:
    """Write the classes of a group to lists[place], from the states in slots `lead` and `slide`; False where too long."""
    n = work.n_states
    if group < 4:
        if n[lead] >= lists.shape[1]:
            return False
        work.counts[place] = single_classes(group, work.states, lead, n[lead], lists, place)
    else:
        if n[lead] * n[slide] >= lists.shape[1]:
            return False
        work.counts[place] = pair_classes(
            group, work.states, lead, n[lead], slide, n[slide], case.extents, work.sizes, work.shares, case.windows,
            work.chunks, work.pieces, work.slid, lists, place,
        )  # fmt: skip
    add_sums(lists, place, work.counts[place], work.sums)
    return True


@leaf
def _dim_states(case: Case, work: Work, dim: int, slot: int) -> None:
    """Write the states of a dim under its roles to a slot; only the reduction dims C, R and S tell index 0 apart."""
    reduction = 3 <= dim <= 5
    work.n_states[slot] = classes(
        work.states, slot, SPARE, work.roles, dim, reduction, case.extents[dim], work.sizes, work.shares, work.lengths
    )  # fmt: skip


@leaf
def _begin(case: Case, work: Work, lists: Ints) -> bool:
    """Step 0: everything stands at index 0, and all of it is new."""
    work.roles[:] = INNER
    for dim in range(8):
        _dim_states(case, work, dim, dim)
    for g in range(GROUPS):
        work.places[0, g] = g
        if not _group_list(case, work, lists, g, g, LEADING[g], SLIDING[g]):
            return False
    work.totals[:] = 0
    add_totals(work.sums, work.places, True, work.totals)
    first_step(lists, work.places, work.counts, case.columns, case.machine, work.kinds, work.timing)
    return True


@leaf
def _walk(case: Case, work: Work, lists: Ints, n_loops: int) -> bool:
    """Write work.timing and work.totals by going through the carries, outermost loop first; False where lists are short."""
    if not _begin(case, work, lists):
        return False
    for j in range(n_loops):
        level, dim = int(work.loops[j, 0]), int(work.loops[j, 1])
        g = GROUP_OF_DIM[dim]
        lead, slide = LEADING[g], SLIDING[g]
        work.roles[dim, level] = OWN
        _dim_states(case, work, dim, MOVING)
        own_lead, own_slide = MOVING if dim == lead else lead, MOVING if dim == slide else slide
        if not _group_list(case, work, lists, g, OWN_LIST, own_lead, own_slide):
            return False
        work.places[0, g] = OWN_LIST
        add_totals(work.sums, work.places, False, work.totals)
        add_carry(lists, work.places, work.counts, case.columns, case.machine, work.kinds, work.timing)
        work.places[0, g] = g
        work.roles[dim, level] = OUTER
        _dim_states(case, work, dim, dim)
        if not _group_list(case, work, lists, g, g, lead, slide):
            return False
    return True


@leaf
def _record(
    machine: Ints, outputs: int, words: Ints, best: Ints, first_bits: int, timing: Ints, totals: Ints, b: int, out: Ints
) -> None:
    """Write row b of the counts of a legal mapping; first_bits: of the first level-0 working set of W and I."""
    reads_w, reads_i, writes = words[0, best[0]], words[1, best[1]], words[2, best[2]]
    multicast, reduction = machine[hw.MULTICAST] == 1, machine[hw.REDUCTION] == 1
    bits = reads_w * machine[hw.BITS] + reads_i * machine[hw.BITS + 1] + (2 * writes - outputs) * machine[hw.BITS + 2]
    width = machine[hw.OFFCHIP_BITS]
    offchip = (bits + width - 1) // width
    fill = machine[hw.OFFCHIP_LATENCY] + (first_bits + width - 1) // width
    out[b, STEPS] = totals[0]
    out[b, RUNTIME] = fill + max(timing[CYCLES], offchip)
    out[b, ARRAY], out[b, OFFCHIP], out[b, FILL] = timing[CYCLES], offchip, fill
    out[b, L2_TO_L1] = totals[1] if multicast else totals[4]
    out[b, L2_TO_L1 + 1] = totals[2] if multicast else totals[5]
    out[b, L2_TO_L1 + 2] = totals[3]
    out[b, L1_FILL], out[b, L1_FILL + 1], out[b, L1_FILL + 2] = totals[4], totals[5], totals[6]
    out[b, PSUM_READ] = totals[3] - outputs if reduction else 0
    out[b, OUTPUT_WRITE] = totals[3] if reduction else totals[6]
    out[b, L2_ADD_READ] = 0 if reduction else totals[6] - outputs
    out[b, OFFCHIP_READ], out[b, OFFCHIP_READ + 1] = reads_w, reads_i
    out[b, OFFCHIP_READ + 2], out[b, OFFCHIP_WRITE] = writes - outputs, writes
    for part in range(5):
        out[b, BOUNDS + part] = timing[COMPUTE_BOUND + part]


@leaf
def _cost(case: Case, work: Work, lists: Ints, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int, out: Ints) -> int:
    """Write row b of the counts; returns the mapping's `Fit`, or MORE_ROOM."""
    extents, machine = case.extents, case.machine
    words, need, kept = work.tables[0], work.tables[1], work.tables[2]
    n_loops = _nest(extents, units, spatial, order, size, b, work.sizes, work.shares, work.loops)
    out[b] = 0
    _tile_bits(size[b, units.shape[1] - 1], case.windows, machine, work.bits)
    need_l1 = (work.bits[0] + 7) // 8 + (work.bits[1] + 7) // 8 + (work.bits[2] + 7) // 8
    out[b, L1_NEED] = need_l1 * machine[hw.L1_DOUBLED]
    chunk = work.vectors[3]
    for dim in range(8):
        chunk[dim] = min(extents[dim], work.sizes[dim, 0] * work.shares[dim, 0])
    outputs = extents[0] * extents[1] * extents[2] * extents[6] * extents[7]
    depths = residency_table(
        extents, chunk, work.loops, n_loops, machine, case.windows, work.cases, work.chunks, work.pieces, work.slid,
        work.lone, work.slides, work.vectors, words, need,
    )  # fmt: skip
    best_depths(words, need, depths, machine, outputs, kept, work.best)
    out[b, L2_NEED] = work.best[5]
    if out[b, L1_NEED] > machine[hw.L1_BYTES]:
        return L1_OVERFLOW
    if work.best[4] == 0:
        return L2_OVERFLOW
    if not _walk(case, work, lists, n_loops):
        return MORE_ROOM
    out[b, L2_NEED] = work.best[3]
    _tile_bits(chunk, case.windows, machine, work.bits)
    _record(machine, outputs, words, work.best, work.bits[0] + work.bits[1], work.timing, work.totals, b, out)
    return LEGAL


@kernel
def evaluate(case: Case, units: Ints, spatial: Bytes, order: Bytes, size: Ints, capacity: int, fit: Bytes, counts: Ints) -> None:
    """Write fit[b] and counts[b] of every mapping of a batch (arrays as in `MappingBatch`).

    capacity: the most classes that a dim may have.
    """
    most_units = 1
    for b in range(units.shape[0]):
        product = 1
        for level in range(units.shape[1]):
            product *= units[b, level]
        most_units = max(most_units, product)
    work = _work(units.shape[1], most_units, capacity)
    lists = np.empty((GROUPS + 1, 64, COLUMNS), np.int64)
    for b in range(units.shape[0]):
        found = _cost(case, work, lists, units, spatial, order, size, b, counts)
        while found == MORE_ROOM:
            lists = np.empty((GROUPS + 1, 4 * lists.shape[1], COLUMNS), np.int64)
            found = _cost(case, work, lists, units, spatial, order, size, b, counts)
        fit[b] = found
