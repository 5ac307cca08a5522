"""One mapping, start to end: its nest of loops, its footprints, its carries, its counts."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel, leaf, spliced
from mapsearch.model.cost import Fit
from mapsearch.model.exact.count.chains import begin_chains, cut, end_chains
from mapsearch.model.exact.count.classes import (
    COLUMNS,
    FILL_KEPT,
    GROUP_OF_DIM,
    KEPT,
    LEADING,
    SLIDING,
    pair_classes,
    single_classes,
)
from mapsearch.model.exact.count.residency import NEVER, best_residency, first_units, left_in, write_held
from mapsearch.model.exact.count.roles import INNER, MOVING, OUTER, OWN, write_states
from mapsearch.model.exact.count.rows import multiply
from mapsearch.model.exact.count.timing import (
    COMPUTE,
    COMPUTE_BOUND,
    CYCLES,
    EGRESS_BOUND,
    INGRESS_BOUND,
    ONES,
    OWN_LIST,
    add_carry,
    add_sums,
    clear,
    set_rates,
    time_kinds,
)
from mapsearch.model.exact.workspace import GROUPS, WORKSPACE, Workspace
from mapsearch.model.records import Counts, Floats, Ints
from mapsearch.model.rooms import bytes_for

Bytes = NDArray[np.int8]

LEGAL, L1_OVERFLOW, L2_OVERFLOW = int(Fit.LEGAL), int(Fit.L1_OVERFLOW), int(Fit.L2_OVERFLOW)
MORE_ROOM = -1  # not a `Fit`: the lists of classes were too short


class Room(NamedTuple):
    """Work space whose size depends on the batch."""

    rows: Floats  # [GROUPS + 2, room, COLUMNS], see `timing`
    tiles: Floats  # likewise, see `zeros`
    units: Ints  # [2, units, 3], see `union`
    pieces: Ints  # [2*units, 2]


@inlined
def _share(w: Workspace, level: int, dim: int, units: int) -> None:
    """Share a dim out over the units of a level; those past its last chunk stay idle."""
    tile, size = w.tiles[dim], w.sizes[level, dim]
    share = min(units, (tile + size - 1) // size)
    if share > 1:
        w.shares[level, dim], w.spans[dim] = share, size * share
        w.lone[dim] = 0


@inlined
def _nest(w: Workspace, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int) -> None:
    """Write the sizes, shares and loops of mapping b."""
    for dim in range(8):
        w.positions[dim], w.lone[dim] = NEVER, 1
        w.tiles[dim] = w.extents[dim]
    begin_chains(w)
    count = w.outer = 0
    for level in range(w.levels):
        for dim in range(8):
            w.sizes[level, dim] = w.spans[dim] = size[b, level, dim]
            w.shares[level, dim] = 1
        if spatial[b, level] >= 0:
            _share(w, level, spatial[b, level], units[b, level])
        cut(w, level)
        for place in range(8):
            dim = order[b, level, place]
            loop = w.loops[count]
            loop.level, loop.dim, loop.span = level, dim, int(w.spans[dim])
            count += int(w.spans[dim] < w.tiles[dim])
        if level == 0:
            w.outer = count
            for dim in range(8):
                w.chunks[dim] = min(w.tiles[dim], w.spans[dim])
        for dim in range(8):
            w.tiles[dim] = w.sizes[level, dim]
    w.n_loops = count
    end_chains(w)
    for j in range(w.outer):
        loop = w.loops[j]
        w.positions[loop.dim] = j
        w.lasts[loop.dim] = (w.extents[loop.dim] - 1) // loop.span


@spliced
def _write_classes(w: Workspace, room: Room, group: int, place: int, lead: int, slide: int) -> bool:
    """Write the classes of a group to rows[place], from the states in slots `lead` and `slide`; False where too long."""
    rows, tiles = room.rows, room.tiles
    if group < 4:
        if w.n_states[lead] >= rows.shape[1]:
            return False
        w.counts[place] = single_classes(w, group, lead, rows, tiles, place)
    else:
        if w.n_states[lead] * w.n_states[slide] >= rows.shape[1]:
            return False
        w.counts[place] = pair_classes(w, group, lead, slide, room.units, room.pieces, rows, tiles, place)
    if w.worded and (place == OWN_LIST or w.counts[place] > 1):
        add_sums(w, rows, place)
    return True


@spliced
def _begin(w: Workspace, rows: Floats, tiles: Floats) -> None:
    """Before step 0 nothing was there: in it, everything comes."""
    w.counts[OWN_LIST] = w.counts[ONES] = 1
    for c in range(COLUMNS):
        w.base[c] = rows[ONES, 0, c] = 1.0
        rows[OWN_LIST, 0, c] = w.sums[OWN_LIST, c] = 0.0 if KEPT <= c < KEPT + 3 or c >= FILL_KEPT else 1.0
    for c in range(COLUMNS if w.machine.skips else 0):
        w.base_tile[c] = tiles[ONES, 0, c] = tiles[OWN_LIST, 0, c] = 1.0
    w.iterates = 0
    for j in range(w.n_loops):
        w.iterates |= 1 << GROUP_OF_DIM[w.loops[j].dim]
    clear(w)


@spliced
def _take_turn(w: Workspace, turn: int) -> None:
    """Write the states of the dim whose turn it is, see `_walk`."""
    if turn < 0:
        dim = slot = turn + GROUPS + 8
        if w.extents[dim] == 1 and w.n_states[dim] == 1:
            return  # for dims with one index once is enough
        for level in range(w.levels):
            w.roles[dim, level] = INNER
    else:
        level, dim = w.loops[turn // 2].level, w.loops[turn // 2].dim
        slot = MOVING if turn % 2 == 0 else dim
        w.roles[dim, level] = OWN if turn % 2 == 0 else OUTER
        w.chains.stage[dim] += 1
    write_states(w, dim, slot)


@inlined
def _place(w: Workspace, room: Room, group: int, groups: int) -> int:
    """Give a group a place among those that iterate, or else multiply its one class to w.base; returns how many have a place."""
    if (w.iterates >> group) % 2 == 0:
        multiply(w.base, room.rows[group, 0], w.base)
        if w.machine.skips:
            multiply(w.base_tile, room.tiles[group, 0], w.base_tile)
        return groups
    w.places[0, groups] = group
    return groups + 1


@spliced
def _walk(w: Workspace, room: Room) -> bool:
    """Write w.timing and w.totals by going through the carries, outermost loop first; False where lists are short.

    First each dim gets its states of step 0, and each group its classes. Then each loop has two turns: it advances, and it stands
    still while those inside it do. All are turns of one loop, as code that stands twice is compiled twice.
    """
    _begin(w, room.rows, room.tiles)
    run_group = GROUP_OF_DIM[w.machine.run_dim] if w.machine.run_least > 1 else -1
    groups = 0
    for turn in range(-GROUPS - 8, max(2 * w.n_loops - 1, 0)):
        if turn < -GROUPS or turn >= 0:
            _take_turn(w, turn)
        if turn < -GROUPS:
            continue
        advances = turn >= 0 and turn % 2 == 0
        dim = w.loops[turn // 2].dim if turn >= 0 else 0
        g = GROUP_OF_DIM[dim] if turn >= 0 else turn + GROUPS
        lead, slide = LEADING[g], SLIDING[g]
        there = w.extents[lead] > 1 or w.extents[slide] > 1 or g == run_group  # else all factors are 1
        if advances:
            lead, slide = MOVING if dim == lead else lead, MOVING if dim == slide else slide
        if there and not _write_classes(w, room, g, OWN_LIST if advances else g, lead, slide):
            return False
        if there and turn < 0:
            groups = _place(w, room, g, groups)
        if advances or turn == -1:
            add_carry(w, room.rows, room.tiles, groups, g if advances else OWN_LIST)
    if w.timed:
        time_kinds(w)
    return True


@inlined
def _offchip_cycles(w: Workspace, units: int) -> int:
    """Cycles of the off-chip memory."""
    width = w.machine.offchip_units
    return int((units + width - 1) // width)


@leaf
def _record(w: Workspace, rows: MutableSequence[Counts]) -> None:
    """Write the counts of a legal mapping to rows[width], of which the first holds its needs."""
    e, row = w.extents, rows[0]
    if w.worded:
        _record_words(w, e[0] * e[1] * e[2] * e[6] * e[7], row)
    alone = _record_offchip(w, e[0] * e[1] * e[2] * e[6] * e[7], row)
    depths = w.best.depths
    row.l2_depth_w, row.l2_depth_i, row.l2_depth_o = depths[0], depths[1], depths[2]
    row.issue_cycles = w.machine.tile_cycles
    for j in range(w.outer):
        row.issue_cycles *= w.lasts[w.loops[j].dim] + 1
    for width in range(1, w.widths):
        rows[width] = row
    for width in range(w.widths if w.timed else 0):
        row, timing = rows[width], w.timing[width]
        work = alone + max(timing[CYCLES], row.offchip_cycles - alone)
        row.runtime_cycles = row.fill_cycles + max(work, row.issue_cycles)
        row.array_cycles, row.compute_bound_cycles = timing[CYCLES], timing[COMPUTE_BOUND]
        row.compute_cycles = timing[COMPUTE]
        row.ingress_bound_cycles, row.egress_bound_cycles = timing[INGRESS_BOUND], timing[EGRESS_BOUND]
        row.peak_noc_words, row.peak_noc_cycles = int(w.peak[width, 0]), int(w.peak[width, 1])


@leaf
def _record_words(w: Workspace, outputs: int, row: Counts) -> None:
    """Write the words of a legal mapping."""
    totals, multicast, reduction = w.totals, w.machine.multicast, w.machine.reduction
    entrances, entered_pes = int(totals.multicast[2]), int(totals.fills[2])
    row.steps = int(totals.steps)
    row.l2_to_l1_w = int(totals.multicast[0] if multicast else totals.fills[0])
    row.l2_to_l1_i = int(totals.multicast[1] if multicast else totals.fills[1])
    row.l2_to_l1_o = entrances
    row.l1_fill_w, row.l1_fill_i, row.l1_fill_o = int(totals.fills[0]), int(totals.fills[1]), entered_pes
    row.psum_read = entrances - outputs if reduction else 0
    row.output_write = entrances if reduction else entered_pes
    row.l2_add_read = 0 if reduction else entered_pes - outputs


@leaf
def _record_offchip(w: Workspace, outputs: int, row: Counts) -> int:
    """Write what crosses to off-chip memory and its cycles; returns those of it that nothing else goes on beside."""
    l2, units, best = w.machine.l2, w.machine.offchip_word_units, w.best
    row.offchip_read_w = best.words[0] if l2.copies[0] > 0 else row.l2_to_l1_w
    row.offchip_read_i = best.words[1] if l2.copies[1] > 0 else row.l2_to_l1_i
    row.offchip_read_o = best.words[2] - outputs if l2.copies[2] > 0 else row.psum_read + row.l2_add_read
    row.offchip_write = best.words[2] if l2.copies[2] > 0 else row.output_write
    of_w, of_i = row.offchip_read_w * units[0], row.offchip_read_i * units[1]
    of_o = outputs * units[2] + (row.offchip_read_o + row.offchip_write - outputs) * w.machine.offchip_sum_units
    apart = of_w * l2.apart[0] + of_i * l2.apart[1] + of_o * l2.apart[2]
    alone = _offchip_cycles(w, apart)
    row.offchip_cycles = alone + _offchip_cycles(w, of_w + of_i + of_o - apart)
    row.fill_cycles = w.machine.offchip_latency + _offchip_cycles(w, first_units(w))
    return alone


@spliced
def _record_needs(w: Workspace, row: Counts, legal: bool) -> None:
    """Write the bytes that a mapping needs: of the L2, what the best residency does, or else the least of any."""
    needs_l1, needs_l2 = w.needs_l1, w.best.needs if legal else w.least
    row.l1_need_w, row.l1_need_i, row.l1_need_o = needs_l1[0], needs_l1[1], needs_l1[2]
    row.l2_need_w, row.l2_need_i, row.l2_need_o = needs_l2[0], needs_l2[1], needs_l2[2]
    row.l1_need_bytes = needs_l1[0] + needs_l1[1] + needs_l1[2]
    row.l2_need_bytes = needs_l2[0] + needs_l2[1] + needs_l2[2]


@spliced
def _fits_l1(w: Workspace) -> bool:
    """Write w.needs_l1; returns whether each room holds what its tensors need."""
    l1 = w.machine.l1
    write_held(w, w.tiles)
    for tensor in range(3):
        w.needs_l1[tensor] = bytes_for(l1, tensor, w.held[tensor]) * l1.copies[tensor]
    left_w, left_i, left_o = left_in(l1, w.needs_l1[0], w.needs_l1[1], w.needs_l1[2])
    return bool(min(left_w, left_i, left_o) >= 0)


@spliced
def _cost(
    w: Workspace, room: Room, units: Ints, spatial: Bytes, order: Bytes, size: Ints, b: int, rows: MutableSequence[Counts]
) -> int:
    """Write the counts of mapping b to rows[width], which are 0; returns its `Fit`, or MORE_ROOM."""
    _nest(w, units, spatial, order, size, b)
    found = LEGAL if _fits_l1(w) else L1_OVERFLOW
    if not best_residency(w) and found == LEGAL:
        found = L2_OVERFLOW
    _record_needs(w, rows[0], found == LEGAL)
    if found == LEGAL:
        if not _walk(w, room):
            return MORE_ROOM
        _record(w, rows)
    else:
        for width in range(1, w.widths):
            rows[width] = rows[0]
    return found


@leaf
def _cost_from(
    work: NDArray[np.uint8],
    room: Room,
    units: Ints,
    spatial: Bytes,
    order: Bytes,
    size: Ints,
    b: int,
    fit: Bytes,
    counts: NDArray[np.void],
) -> int:
    """Cost the mappings from b on; returns the first for which the room is too small, or their number."""
    w = work.view(WORKSPACE)[0]
    set_rates(w)
    for dim in range(8):
        w.n_states[dim] = 0
    while b < len(fit):
        found = _cost(w, room, units, spatial, order, size, b, counts[b])
        if found == MORE_ROOM:
            break
        fit[b] = found
        b += 1
    return b


def evaluate(
    work: NDArray[np.uint8], units: Ints, spatial: Bytes, order: Bytes, size: Ints, fit: Bytes, counts: NDArray[np.void]
) -> None:
    """Write fit[b] and counts[b, width], which are 0, of every mapping of a batch (arrays as in `MappingBatch`).

    work: of `make_workspace`.
    """
    most_units = int(units.prod(axis=1).max(initial=1))
    listed, pieces = np.empty((2, most_units, 3), np.int64), np.empty((2 * most_units, 2), np.int64)
    classes, done = 64, 0
    while done < len(fit):
        rows = np.empty((GROUPS + 2, classes, COLUMNS))
        room = Room(rows, np.empty_like(rows), listed, pieces)
        done = _cost_from(work, room, units, spatial, order, size, done, fit, counts)
        classes *= 4


@kernel
def evaluate_capacities(
    work: NDArray[np.uint8],
    units: Ints,
    spatial: Bytes,
    order: Bytes,
    size: Ints,
    pooled: Ints,
    l2_bytes: Ints,
    words: Ints,
    own: Ints,
) -> None:
    """Write what comes into the L2 for each capacity of its pool, of every mapping of a batch.

    pooled: 1 for those of W, I, O that share it, else 0. words[b, capacity]: those of W, I and O, 0 where no choice of depths fits.
    own[b]: the least needs of W, I and O, and the off-chip units of the first level-0 working set of W and I that come while others
    are worked on. Other arrays as in `evaluate`.
    """
    w = work.view(WORKSPACE)[0]
    for b in range(units.shape[0]):
        _nest(w, units, spatial, order, size, b)
        for k in range(len(l2_bytes)):
            for tensor in range(3):
                if pooled[tensor] > 0:
                    w.machine.l2.sizes[tensor] = l2_bytes[k]
            fits = best_residency(w)
            for tensor in range(3):
                words[b, k, tensor] = w.best.words[tensor] if fits else 0
        for tensor in range(3):
            own[b, tensor] = w.least[tensor]
        own[b, 3] = first_units(w)
