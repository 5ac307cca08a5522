"""One mapping, start to end: its nest of loops, its footprints, its carries, its counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel, leaf, spliced
from mapsearch.model.cost import COUNTS, Count, Fit
from mapsearch.model.exact import machine as hw
from mapsearch.model.exact.count.classes import COLUMNS, GROUP_OF_DIM, LEADING, SLIDING, pair_classes, single_classes
from mapsearch.model.exact.count.residency import NEVER, best_residency
from mapsearch.model.exact.count.roles import INNER, MOVING, OUTER, OWN, write_states
from mapsearch.model.exact.count.timing import COMPUTE_BOUND, CYCLES, add_carry, add_sums, add_totals, first_step
from mapsearch.model.exact.workspace import GROUPS, WORKSPACE, Workspace
from mapsearch.model.windows import tile_words

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]

OWN_LIST = GROUPS  # the classes of the group that the carry's loop belongs to

# Columns of the result: compiled code indexes with plain integers, so those used are spelled out here.
STEPS, RUNTIME, ARRAY = int(Count.STEPS), int(Count.RUNTIME_CYCLES), int(Count.ARRAY_CYCLES)
OFFCHIP, FILL = int(Count.OFFCHIP_CYCLES), int(Count.FILL_CYCLES)
L2_TO_L1, L1_FILL = int(Count.L2_TO_L1_W), int(Count.L1_FILL_W)
PSUM_READ, OUTPUT_WRITE, L2_ADD_READ = int(Count.PSUM_READ), int(Count.OUTPUT_WRITE), int(Count.L2_ADD_READ)
OFFCHIP_READ, OFFCHIP_WRITE = int(Count.OFFCHIP_READ_W), int(Count.OFFCHIP_WRITE)
L1_NEED, L2_NEED = int(Count.L1_NEED_BYTES), int(Count.L2_NEED_BYTES)
BOUNDS = int(Count.COMPUTE_BOUND_CYCLES)
PEAK_WORDS, PEAK_CYCLES = int(Count.PEAK_NOC_WORDS), int(Count.PEAK_NOC_CYCLES)
LEGAL, L1_OVERFLOW, L2_OVERFLOW = int(Fit.LEGAL), int(Fit.L1_OVERFLOW), int(Fit.L2_OVERFLOW)
MORE_ROOM = -1  # not a `Fit`: the lists of classes were too short


class Room(NamedTuple):
    """Work space whose size depends on the batch."""

    rows: Floats  # [GROUPS + 1, room, COLUMNS], see `groups`
    units: Ints  # [2, units, 3], see `window.union`
    pieces: Ints  # [2*units, 2]


@inlined
def _nest(w: Workspace, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int) -> int:
    """Write the sizes, shares and loops of mapping b; returns how many loops iterate."""
    for dim in range(8):
        w.positions[dim] = NEVER
        w.lone[dim] = 1
    count = 0
    for level in range(w.levels):
        for place in range(8):
            dim = order[b, level, place]
            tile = w.extents[dim] if level == 0 else size[b, level - 1, dim]
            chunk = size[b, level, dim]
            w.sizes[dim, level] = chunk
            w.shares[dim, level] = 1
            if chunk < tile and spatial[b, level] == dim:  # units past the last chunk stay idle
                share = min(units[b, level], (tile + chunk - 1) // chunk)
                w.shares[dim, level] = share
                if share > 1:
                    w.lone[dim] = 0
                chunk *= share
            if level == 0:
                w.chunks[dim] = min(tile, chunk)
                w.lasts[dim] = (tile - 1) // chunk
            if chunk < tile:
                if level == 0:
                    w.positions[dim] = count
                w.loops[count, 0] = level
                w.loops[count, 1] = dim
                count += 1
    return count


@leaf
def _tile_bits(w: Workspace, tile: Ints) -> None:
    """Write to w.bits what the operands of a tile of eight lengths take."""
    words = tile_words(tile, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])
    w.bits[0], w.bits[1], w.bits[2] = words[0], words[1], words[2]
    for tensor in range(3):
        w.bits[tensor] *= w.machine[hw.BITS + tensor]


@leaf
def _write_classes(w: Workspace, room: Room, group: int, place: int, lead: int, slide: int) -> bool:
    """Write the classes of a group to rows[place], from the states in slots `lead` and `slide`; False where too long."""
    rows = room.rows
    if group < 4:
        if w.n_states[lead] >= rows.shape[1]:
            return False
        w.counts[place] = single_classes(w, group, lead, rows, place)
    else:
        if w.n_states[lead] * w.n_states[slide] >= rows.shape[1]:
            return False
        w.counts[place] = pair_classes(w, group, lead, slide, room.units, room.pieces, rows, place)
    if w.worded == 1:
        add_sums(w, rows, place)
    return True


@leaf
def _reset(w: Workspace) -> None:
    """The states of all dims before their loops turn; those of dims with one index never change."""
    for dim in range(8):
        if w.extents[dim] > 1:
            for level in range(w.levels):
                w.roles[dim, level] = INNER
            write_states(w, dim, dim)


@spliced
def _begin(w: Workspace, room: Room, n_loops: int) -> int:
    """Step 0: everything stands at index 0, and all of it is new; returns how many groups iterate, or MORE_ROOM.

    The iterating groups get their classes and w.places[0]; the others are one factor, w.base.
    """
    _reset(w)
    for c in range(COLUMNS):
        w.base[c] = 1.0
    iterates = 0
    for j in range(n_loops):
        iterates |= 1 << GROUP_OF_DIM[int(w.loops[j, 1])]
    groups = 0
    for g in range(GROUPS):
        if w.extents[LEADING[g]] == 1 and w.extents[SLIDING[g]] == 1:
            continue  # all its factors are 1
        if not _write_classes(w, room, g, g, LEADING[g], SLIDING[g]):
            return MORE_ROOM
        if (iterates >> g) % 2 == 1:
            w.places[0, groups] = g
            groups += 1
        else:
            for c in range(COLUMNS):
                w.base[c] *= room.rows[g, 0, c]
    for t in range(7):
        w.totals[t] = 0.0
    if w.worded == 1:
        add_totals(w, groups, True)
    first_step(w, room.rows, groups)
    return groups


@spliced
def _walk(w: Workspace, room: Room, n_loops: int) -> bool:
    """Write w.timing and w.totals by going through the carries, outermost loop first; False where lists are short."""
    groups = _begin(w, room, n_loops)
    if groups == MORE_ROOM:
        return False
    for j in range(n_loops):
        level, dim = int(w.loops[j, 0]), int(w.loops[j, 1])
        g = int(GROUP_OF_DIM[dim])
        lead, slide = LEADING[g], SLIDING[g]
        at = 0
        while w.places[0, at] != g:
            at += 1
        w.roles[dim, level] = OWN
        write_states(w, dim, MOVING)
        own_lead, own_slide = MOVING if dim == lead else lead, MOVING if dim == slide else slide
        if not _write_classes(w, room, g, OWN_LIST, own_lead, own_slide):
            return False
        w.places[0, at] = OWN_LIST
        if w.worded == 1:
            add_totals(w, groups, False)
        if w.timed == 1:
            add_carry(w, room.rows, groups)
        w.places[0, at] = g
        if j == n_loops - 1:
            break
        w.roles[dim, level] = OUTER
        write_states(w, dim, dim)
        if not _write_classes(w, room, g, g, lead, slide):
            return False
    return True


@leaf
def _record(w: Workspace, rows: Ints) -> None:
    """Write the counts of a legal mapping to rows[width]."""
    e, machine, best = w.extents, w.machine, w.best
    outputs = e[0] * e[1] * e[2] * e[6] * e[7]
    reads_w, reads_i, writes = best[0], best[1], best[2]
    bits = reads_w * machine[hw.BITS] + reads_i * machine[hw.BITS + 1] + (2 * writes - outputs) * machine[hw.BITS + 2]
    offchip_width = machine[hw.OFFCHIP_BITS]
    offchip = (bits + offchip_width - 1) // offchip_width
    _tile_bits(w, w.chunks)  # the first level-0 working set of W and I must be there to begin
    fill = machine[hw.OFFCHIP_LATENCY] + (w.bits[0] + w.bits[1] + offchip_width - 1) // offchip_width
    for width in range(w.widths):
        row, timing = rows[width], w.timing[width]
        row[OFFCHIP], row[FILL] = offchip, fill
        row[L2_NEED] = best[3]
        row[OFFCHIP_READ], row[OFFCHIP_READ + 1] = reads_w, reads_i
        row[OFFCHIP_READ + 2], row[OFFCHIP_WRITE] = writes - outputs, writes
        if w.timed == 1:
            row[RUNTIME], row[ARRAY] = fill + max(timing[CYCLES], offchip), timing[CYCLES]
            for part in range(3):
                row[BOUNDS + part] = timing[COMPUTE_BOUND + part]
            row[PEAK_WORDS], row[PEAK_CYCLES] = np.int64(w.peak[width, 0]), np.int64(w.peak[width, 1])
        if w.worded == 1:
            _record_words(w, outputs, row)


@leaf
def _record_words(w: Workspace, outputs: int, row: Ints) -> None:
    """Write the words of a legal mapping."""
    totals = w.totals
    multicast, reduction = w.machine[hw.MULTICAST] == 1, w.machine[hw.REDUCTION] == 1
    entrances, entered_pes = np.int64(totals[3]), np.int64(totals[6])
    row[STEPS] = np.int64(totals[0])
    row[L2_TO_L1] = np.int64(totals[1] if multicast else totals[4])
    row[L2_TO_L1 + 1] = np.int64(totals[2] if multicast else totals[5])
    row[L2_TO_L1 + 2] = entrances
    row[L1_FILL], row[L1_FILL + 1], row[L1_FILL + 2] = np.int64(totals[4]), np.int64(totals[5]), entered_pes
    row[PSUM_READ] = entrances - outputs if reduction else 0
    row[OUTPUT_WRITE] = entrances if reduction else entered_pes
    row[L2_ADD_READ] = 0 if reduction else entered_pes - outputs


@leaf
def _cost(w: Workspace, room: Room, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int, rows: Ints) -> int:
    """Write the counts of mapping b to rows[width]; returns its `Fit`, or MORE_ROOM."""
    n_loops = _nest(w, units, spatial, order, size, b)
    _tile_bits(w, size[b, w.levels - 1])
    need_l1 = ((w.bits[0] + 7) // 8 + (w.bits[1] + 7) // 8 + (w.bits[2] + 7) // 8) * w.machine[hw.L1_DOUBLED]
    outer = 0
    while outer < n_loops and w.loops[outer, 0] == 0:
        outer += 1
    fits = best_residency(w, outer)
    for width in range(w.widths):
        for column in range(COUNTS):
            rows[width, column] = 0
        rows[width, L1_NEED], rows[width, L2_NEED] = need_l1, w.best[4]
    if need_l1 > w.machine[hw.L1_BYTES]:
        return L1_OVERFLOW
    if not fits:
        return L2_OVERFLOW
    if not _walk(w, room, n_loops):
        return MORE_ROOM
    _record(w, rows)
    return LEGAL


@kernel
def evaluate(work: NDArray[np.uint8], units: Ints, spatial: Bytes, order: Bytes, size: Ints, fit: Bytes, counts: Ints) -> None:
    """Write fit[b] and counts[b, width] of every mapping of a batch (arrays as in `MappingBatch`); work: of `make_workspace`."""
    w = work.view(WORKSPACE)[0]
    most_units = 1
    for b in range(units.shape[0]):
        product = 1
        for level in range(w.levels):
            product *= units[b, level]
        most_units = max(most_units, product)
    room = Room(
        rows=np.empty((GROUPS + 1, 64, COLUMNS), np.float64),
        units=np.empty((2, most_units, 3), np.int64),
        pieces=np.empty((2 * most_units, 2), np.int64),
    )
    for dim in range(8):
        if w.extents[dim] == 1:  # these never change
            w.lone[dim] = 1
            for level in range(w.levels):
                w.sizes[dim, level] = 1
            write_states(w, dim, dim)
    for b in range(units.shape[0]):
        found = MORE_ROOM
        while found == MORE_ROOM:
            found = _cost(w, room, units, spatial, order, size, b, counts[b])
            if found == MORE_ROOM:
                room = Room(np.empty((GROUPS + 1, 4 * room.rows.shape[1], COLUMNS), np.float64), room.units, room.pieces)
        fit[b] = found


@kernel
def evaluate_capacities(
    work: NDArray[np.uint8], units: Ints, spatial: Bytes, order: Bytes, size: Ints, l2_bytes: Ints, words: Ints, own: Ints
) -> None:
    """Write what crosses to off-chip memory for each capacity of the L2, of every mapping of a batch.

    words[b, capacity]: those of W, I and O that come into the L2, 0 where no choice of depths fits. own[b]: the least capacity
    that any choice needs, and the bits of the first level-0 working set of W and I. Other arrays as in `evaluate`.
    """
    w = work.view(WORKSPACE)[0]
    for b in range(units.shape[0]):
        n_loops = _nest(w, units, spatial, order, size, b)
        outer = 0
        while outer < n_loops and w.loops[outer, 0] == 0:
            outer += 1
        for k in range(len(l2_bytes)):
            w.machine[hw.L2_BYTES] = l2_bytes[k]
            fits = best_residency(w, outer)
            for tensor in range(3):
                words[b, k, tensor] = w.best[tensor] if fits else 0
        _tile_bits(w, w.chunks)
        own[b, 0], own[b, 1] = w.best[4], w.bits[0] + w.bits[1]
