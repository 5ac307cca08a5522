"""One mapping, start to end: its nest of loops, its footprints, its carries, its counts."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapsearch.model.cost import Count, Fit
from mapsearch.model.exact import residency, runtime
from mapsearch.model.compiled import OPTIONS
from mapsearch.model.exact.groups import COLUMNS, GROUP_OF_DIM, GROUPS, LEADING, SLIDING, pair_classes, single_classes
from mapsearch.model.exact.residency import best_depths, residency_table
from mapsearch.model.exact.runtime import KIND, TIMING, add_carry, add_sums, add_totals, first_step, kind_columns
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


@njit(**OPTIONS)
def _nest(extents: Ints, units: Ints, spatial: Bytes, order: Bytes, size: Ints, sizes: Ints, shares: Ints, loops: Ints) -> int:
    """Write sizes[dim, level], shares[dim, level] (units the dim is shared out over) and loops[j] = (level, dim) of the
    loops that iterate, outer to inner; returns their number."""
    levels = units.shape[0]
    count = 0
    for level in range(levels):
        for place in range(8):
            dim = order[level, place]
            tile = extents[dim] if level == 0 else size[level - 1, dim]
            share = units[level] if spatial[level] == dim else 1
            sizes[dim, level] = size[level, dim]
            shares[dim, level] = share
            if size[level, dim] * share < tile:
                loops[count, 0] = level
                loops[count, 1] = dim
                count += 1
    return count


@njit(**OPTIONS)
def _window_words(outputs: int, taps: int, a: int, b: int) -> int:
    """Distinct coordinates of a window; see `layer.window_words`."""
    return outputs * taps - max(outputs - a, 0) * max(taps - b, 0)


@njit(**OPTIONS)
def _tile_bits(tile: Ints, windows: Ints, machine: Ints, out: Ints) -> None:
    """Write to `out` [3] the bits that the operands of a tile of eight lengths take."""
    g, n, k, c, r, s, y, x = tile[0], tile[1], tile[2], tile[3], tile[4], tile[5], tile[6], tile[7]
    rows = _window_words(y, r, windows[0, 0], windows[0, 1])
    columns = _window_words(x, s, windows[1, 0], windows[1, 1])
    out[0] = g * k * c * r * s * machine[runtime.BITS]
    out[1] = n * g * c * rows * columns * machine[runtime.BITS + 1]
    out[2] = n * g * k * y * x * machine[runtime.BITS + 2]


@njit(**OPTIONS)
def _room(array: Ints, rows: int) -> Ints:
    """The array itself, or a larger copy where its second axis has less than `rows`."""
    if rows <= array.shape[1]:
        return array
    grown = np.empty((array.shape[0], 2 * rows, array.shape[2]), np.int64)
    grown[:, : array.shape[1]] = array
    return grown


@njit(**OPTIONS)
def _group_list(
    group: int, place: int, lead: int, slide: int, states: Ints, n: Ints, extents: Ints, sizes: Ints, shares: Ints,
    windows: Ints, chunks: Ints, pieces: Ints, slid: Ints, lists: Ints, counts: Ints, sums: Ints,
) -> Ints:  # fmt: skip
    """Write lists, counts and sums at `place` for a group, from states[lead] and states[slide]; returns `lists`, maybe grown."""
    if group < 4:
        lists = _room(lists, n[lead] + 1)
        counts[place] = single_classes(group, states, lead, n[lead], lists, place)
    else:
        lists = _room(lists, n[lead] * n[slide] + 1)
        counts[place] = pair_classes(
            group, states, lead, n[lead], slide, n[slide], extents, sizes, shares, windows, chunks, pieces, slid, lists, place
        )  # fmt: skip
    add_sums(lists, place, counts[place], sums)
    return lists


@njit(**OPTIONS)
def _residency(
    extents: Ints, chunk: Ints, loops: Ints, n_loops: int, machine: Ints, windows: Ints, work: Ints, pieces: Ints,
    words: Ints, best: Ints,
) -> None:  # fmt: skip
    """Write `best` (see `best_depths`) and words[tensor, depth]; chunk: [8], of all level-0 units together."""
    positions = np.full(8, -1, np.int64)
    count = 0
    for j in range(n_loops):
        if loops[j, 0] == 0:
            positions[loops[j, 1]] = count
            count += 1
    bits = machine[runtime.BITS : runtime.BITS + 3]
    need = np.empty((3, 9), np.int64)
    residency_table(extents, chunk, positions, count, bits, machine[runtime.L2_DOUBLED], windows, work, pieces, words, need)
    outputs = extents[0] * extents[1] * extents[2] * extents[6] * extents[7]
    best_depths(words, need, count + 1, bits, outputs, machine[runtime.L2_BYTES], best)


@njit(**OPTIONS)
def _walk(
    extents: Ints, sizes: Ints, shares: Ints, loops: Ints, n_loops: int, machine: Ints, columns: Ints, windows: Ints,
    states: Ints, chunks: Ints, pieces: Ints, lists: Ints, timing: Ints, totals: Ints,
) -> None:  # fmt: skip
    """Write `timing` and `totals` by going through the carries, outermost loop first.

    states: [10, capacity, columns]: of the eight dims as they stand in this carry, of the carry's own dim, and spare.
    Only the reduction dims C, R and S tell index 0 apart.
    """
    levels = sizes.shape[1]
    roles = np.full((8, levels), INNER, np.int64)
    n = np.empty(9, np.int64)
    work = np.empty((2, levels + 2), np.int64)
    counts = np.zeros(GROUPS + 1, np.int64)
    sums = np.empty((GROUPS + 1, COLUMNS), np.int64)
    kinds = np.empty((GROUPS + 1, KIND), np.int64)
    small = np.empty((3, GROUPS), np.int64)
    which, several, at = small[0], small[1], small[2]
    slid = np.empty(4, np.int64)
    for dim in range(8):
        n[dim] = classes(states, dim, SPARE, roles, dim, 3 <= dim <= 5, extents[dim], sizes, shares, work)
    for g in range(GROUPS):
        which[g] = g
        lists = _group_list(
            g, g, LEADING[g], SLIDING[g], states, n, extents, sizes, shares, windows, chunks, pieces, slid, lists, counts, sums
        )  # fmt: skip
    totals[:] = 0
    add_totals(sums, which, True, totals)
    first_step(lists, which, counts, columns, machine, kinds, several, timing)
    for j in range(n_loops):
        level, dim = loops[j, 0], loops[j, 1]
        g = GROUP_OF_DIM[dim]
        lead, slide = LEADING[g], SLIDING[g]
        roles[dim, level] = OWN
        n[MOVING] = classes(states, MOVING, SPARE, roles, dim, 3 <= dim <= 5, extents[dim], sizes, shares, work)
        own_lead, own_slide = MOVING if dim == lead else lead, MOVING if dim == slide else slide
        lists = _group_list(
            g, OWN_LIST, own_lead, own_slide, states, n, extents, sizes, shares, windows, chunks, pieces, slid, lists, counts, sums
        )  # fmt: skip
        which[g] = OWN_LIST
        add_totals(sums, which, False, totals)
        add_carry(lists, which, counts, columns, machine, kinds, several, at, timing)
        which[g] = g
        roles[dim, level] = OUTER
        n[dim] = classes(states, dim, SPARE, roles, dim, 3 <= dim <= 5, extents[dim], sizes, shares, work)
        lists = _group_list(
            g, g, lead, slide, states, n, extents, sizes, shares, windows, chunks, pieces, slid, lists, counts, sums
        )  # fmt: skip


@njit(**OPTIONS)
def _record(
    outputs: int, machine: Ints, words: Ints, best: Ints, first_bits: int, timing: Ints, totals: Ints, out: Ints
) -> None:
    """Write the row of counts of a legal mapping; first_bits: of the first level-0 working set of W and I."""
    reads_w, reads_i, writes = words[0, best[0]], words[1, best[1]], words[2, best[2]]
    multicast, reduction = machine[runtime.MULTICAST] == 1, machine[runtime.REDUCTION] == 1
    bits = reads_w * machine[runtime.BITS] + reads_i * machine[runtime.BITS + 1]
    bits += (2 * writes - outputs) * machine[runtime.BITS + 2]
    width = machine[runtime.OFFCHIP_BITS]
    offchip = (bits + width - 1) // width
    fill = machine[runtime.OFFCHIP_LATENCY] + (first_bits + width - 1) // width
    out[STEPS] = totals[0]
    out[RUNTIME] = fill + max(timing[runtime.CYCLES], offchip)
    out[ARRAY], out[OFFCHIP], out[FILL] = timing[runtime.CYCLES], offchip, fill
    out[L2_TO_L1] = totals[1] if multicast else totals[4]
    out[L2_TO_L1 + 1] = totals[2] if multicast else totals[5]
    out[L2_TO_L1 + 2] = totals[3]
    out[L1_FILL], out[L1_FILL + 1], out[L1_FILL + 2] = totals[4], totals[5], totals[6]
    out[PSUM_READ] = totals[3] - outputs if reduction else 0
    out[OUTPUT_WRITE] = totals[3] if reduction else totals[6]
    out[L2_ADD_READ] = 0 if reduction else totals[6] - outputs
    out[OFFCHIP_READ], out[OFFCHIP_READ + 1] = reads_w, reads_i
    out[OFFCHIP_READ + 2], out[OFFCHIP_WRITE] = writes - outputs, writes
    for part in range(5):
        out[BOUNDS + part] = timing[runtime.COMPUTE_BOUND + part]


@njit(**OPTIONS)
def _cost(
    extents: Ints, units: Ints, spatial: Bytes, order: Bytes, size: Ints, machine: Ints, columns: Ints, windows: Ints,
    states: Ints, chunks: Ints, pieces: Ints, lists: Ints, out: Ints,
) -> int:  # fmt: skip
    """Write the counts of one mapping to `out`; returns its `Fit`."""
    levels = units.shape[0]
    sizes = np.empty((8, levels), np.int64)
    shares = np.empty((8, levels), np.int64)
    loops = np.empty((8 * levels, 2), np.int64)
    bits = np.empty(3, np.int64)
    words = np.empty((3, 9), np.int64)
    best = np.empty(6, np.int64)
    n_loops = _nest(extents, units, spatial, order, size, sizes, shares, loops)
    out[:] = 0
    _tile_bits(size[levels - 1], windows, machine, bits)
    out[L1_NEED] = ((bits[0] + 7) // 8 + (bits[1] + 7) // 8 + (bits[2] + 7) // 8) * machine[runtime.L1_DOUBLED]
    chunk = np.minimum(sizes[:, 0] * shares[:, 0], extents)
    _residency(extents, chunk, loops, n_loops, machine, windows, chunks, pieces, words, best)
    out[L2_NEED] = best[3]
    if out[L1_NEED] > machine[runtime.L1_BYTES]:
        out[L2_NEED] = best[5]
        return L1_OVERFLOW
    if best[4] == 0:
        return L2_OVERFLOW
    timing = np.empty(TIMING, np.int64)
    totals = np.empty(7, np.int64)
    _walk(
        extents, sizes, shares, loops, n_loops, machine, columns, windows, states, chunks, pieces, lists, timing, totals
    )  # fmt: skip
    _tile_bits(chunk, windows, machine, bits)
    outputs = extents[0] * extents[1] * extents[2] * extents[6] * extents[7]
    _record(outputs, machine, words, best, bits[0] + bits[1], timing, totals, out)
    return LEGAL


@njit(**OPTIONS)
def evaluate(
    extents: Ints, units: Ints, spatial: Bytes, order: Bytes, size: Ints, machine: Ints, windows: Ints, rows: int,
    fit: Bytes, counts: Ints,
) -> None:  # fmt: skip
    """Write fit[b] and counts[b] of every mapping of a batch (arrays as in `MappingBatch`).

    machine: [MACHINE] as in `runtime`; windows: [2, 2], (a, b) of rows and columns; rows: most classes of a dim.
    """
    levels = units.shape[1]
    most_units = 1
    for b in range(units.shape[0]):
        product = 1
        for level in range(levels):
            product *= units[b, level]
        most_units = max(most_units, product)
    states = np.empty((10, rows, INDICES + 2 * levels), np.int64)
    chunks = np.empty((2, max(4, most_units), 5), np.int64)
    pieces = np.empty((2, 2 * most_units + 2, 2), np.int64)
    lists = np.empty((GROUPS + 1, 64, COLUMNS), np.int64)
    columns = kind_columns(machine)
    for b in range(units.shape[0]):
        fit[b] = _cost(
            extents, units[b], spatial[b], order[b], size[b], machine, columns, windows, states, chunks, pieces, lists, counts[b]
        )  # fmt: skip
