"""What is chosen of a mapping, read into the workspace of the bound.

Of a batch that branch and bound makes each mapping has most in common with the one before it, so only what differs is worked out.
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.state import ANEW, SLIDES, STILL, TAPS, BoundWorkspace, fresh_part
from mapsearch.model.mapping import MappingArrays
from mapsearch.model.windows import tile_words

# The least part of a pass that is fresh for the loop to count as one that moves I (see `fresh_part`).
ENOUGH = 0.5


@inlined
def _taps_at(w: BoundWorkspace, dim: int, level: int, place: int) -> int:
    """How far R (S) steps while a level's loop at a place turns, as far as is known: its chunk there, if no units share it out."""
    taps = w.extents[dim]
    for above in range(min(w.known[dim], level + 1)):
        if w.share[dim, above] > 1:
            return int(w.extents[dim])
        if above < level or w.place[dim, level] < place:
            taps = w.size[above, dim]
    return int(taps)


@inlined
def _note_slide(w: BoundWorkspace, dim: int) -> None:
    """Note the innermost loop of Y' or X' that slides I so far that a pass of it is fresh enough."""
    tile, units = int(w.extents[dim]), 1
    for level in range(w.turning[dim] + 1):
        chunk, share, place = w.size[level, dim], w.share[dim, level], w.place[dim, level]
        units *= share
        loop = (level * 8 + place) * 8 + dim
        if chunk * share < tile and loop > w.slid:
            part = fresh_part(w, dim, chunk, chunk * share, tile, _taps_at(w, dim - 2, level, place), units)
            if part >= ENOUGH:
                w.slid, w.fresh = loop, part
        tile = chunk


@inlined
def _note_loops(w: BoundWorkspace) -> None:
    """Write which loops move what, of those that iterate."""
    w.last[0] = w.last[1] = w.last[2] = w.slid = w.tapped = w.deep = -1
    for i in range(w.n_dims):
        dim = w.dims[i]
        level = w.turning[dim]
        if level < 0:
            continue
        loop = (level * 8 + w.place[dim, level]) * 8 + dim
        w.deep = max(w.deep, loop)
        for tensor in range(3):
            if w.moved[tensor, dim] == ANEW:
                w.last[tensor] = max(w.last[tensor], loop)
        if w.moved[1, dim] == TAPS:
            w.tapped = max(w.tapped, loop)
        elif w.moved[1, dim] == SLIDES:
            _note_slide(w, dim)


@inlined
def _note_pending(w: BoundWorkspace) -> None:
    """Note the loop of the dim that the innermost chosen level shares out, if it will iterate, inside those that have a place."""
    w.pending = -1
    level = w.chosen - 1
    dim = int(w.spatial[level]) if level >= 0 else -1
    if dim >= 0 and w.size[level, dim] < 0:
        tile = w.extents[dim] if level == 0 else w.size[level - 1, dim]
        if w.tile[dim] * w.share[dim, level] < tile:
            w.pending = (level * 8 + 7) * 8 + dim


@inlined
def _read_dim(w: BoundWorkspace, dim: int) -> None:
    """Write what is chosen of a dim: `known`, `sized`, `share`, `turning`, `tile` and `chunk`."""
    w.known[dim] = w.sized[dim] = 0
    w.chunk[dim], w.turning[dim] = 1, -1
    tile = w.tile[dim] = int(w.extents[dim])
    for level in range(w.chosen):
        chunk = abs(w.size[level, dim])
        if chunk == 0:
            return
        w.sized[dim] = level + 1
        share = 1
        if w.spatial[level] == dim and chunk < tile:
            share = min(w.units[level], (tile + chunk - 1) // chunk)
        w.share[dim, level] = share
        w.tile[dim] = chunk
        if level == 0:
            w.chunk[dim] = min(chunk * share, tile)
        if w.size[level, dim] < 0:
            return
        w.known[dim] = level + 1
        if chunk * share < tile:
            w.turning[dim] = level
        tile = chunk


@inlined
def _write_turns(w: BoundWorkspace, dim: int) -> None:
    """Write w.outer_turns and w.outer_copies of a dim, as far as its loops are known."""
    tile = w.extents[dim]
    turns, full, chunks, whole = 1.0, 1.0, 1.0, 1.0
    for outer in range(w.known[dim] + 1):
        copies, units = chunks, whole
        for level in range(outer, w.known[dim]):
            copies += units * (w.share[dim, level] - 1)
            units *= max(1, w.share[dim, level] - 1)
        w.outer_turns[dim, outer], w.outer_copies[dim, outer] = turns, copies
        if outer < w.known[dim]:
            chunk, share = w.size[outer, dim], w.share[dim, outer]
            if chunk < tile:
                pieces = (tile + chunk - 1) // chunk
                trips = pieces if share == 1 else (pieces + share - 1) // share
                turns += full * (trips - 1)
                full *= trips if tile == trips * chunk * share else trips - 1
                chunks += whole * (pieces - 1)
                whole *= pieces if tile == pieces * chunk else pieces - 1
            tile = chunk


@inlined
def _write_shares(w: BoundWorkspace, dim: int) -> None:
    """Write w.shares of a dim."""
    w.shares[dim, 0] = w.shares[dim, 1] = 1.0
    for level in range(w.chosen):
        if w.spatial[level] == dim:
            share = w.share[dim, level] if level < w.sized[dim] else min(w.units[level], w.tile[dim])
            w.shares[dim, 0] *= share
            w.shares[dim, 1] *= share if level >= w.known[dim] else 1


@inlined
def _write_lengths(w: BoundWorkspace, dim: int) -> None:
    """Write w.reach and w.each of Y', X', R or S, as far as its loops are known."""
    phases = w.windows[dim % 2, 0 if dim >= 6 else 1]  # of the axis's other dim
    for outer in range(w.known[dim] + 1):
        tile, copies, reach, apart = w.extents[dim], 1, w.extents[dim], False
        for level in range(w.known[dim]):
            chunk, share = w.size[level, dim], w.share[dim, level]
            if level >= outer:
                if chunk * share < tile:
                    break
            elif chunk < tile:
                apart = apart or copies > 1
                reach = min(copies * chunk * share, w.extents[dim])
                copies *= share
            tile = chunk
        w.reach[dim, outer] = w.extents[dim] if apart and phases > 1 else reach
        w.each[dim, outer] = tile


@inlined
def _copy(w: BoundWorkspace, batch: MappingArrays, b: int) -> int:
    """Copy a mapping, and note whether its level 0 or an order differs from the one before it.

    Returns the dims, as bits, of which other sizes are chosen, or all where units differ.
    """
    changed = 0
    for level in range(w.levels):
        differs = w.units[level] != batch.units[b, level] or w.spatial[level] != batch.spatial[b, level]
        w.units[level], w.spatial[level] = batch.units[b, level], batch.spatial[b, level]
        changed |= -1 if differs else 0
        sizes = 0
        for dim in range(8):
            sizes |= (w.size[level, dim] != batch.size[b, level, dim]) << dim
            w.size[level, dim] = batch.size[b, level, dim]
        changed |= sizes
        moved = False
        for place in range(8):
            moved |= w.order[level, place] != batch.order[b, level, place]
            w.order[level, place] = batch.order[b, level, place]
        w.is_ordered = w.is_ordered and not moved
        if level == 0:
            w.is_crossed = w.is_crossed and not (differs or moved or sizes != 0)
    return changed


@inlined
def _count_levels(w: BoundWorkspace) -> None:
    """Write w.chosen and w.open_units."""
    w.chosen, w.open_units = 0, w.pes
    while w.chosen < w.levels and w.units[w.chosen] > 0:
        w.open_units //= w.units[w.chosen]
        w.chosen += 1


@inlined
def _place_loops(w: BoundWorkspace) -> None:
    """Write where the loops stand, which of them move what, and whether nothing is open."""
    w.is_whole, w.is_ordered = w.chosen == w.levels, True
    for level in range(w.chosen):
        for place in range(8):
            w.place[w.order[level, place], level] = place
    for i in range(w.n_dims):
        w.is_whole = w.is_whole and w.known[w.dims[i]] == w.levels
    _note_loops(w)


@inlined
def _write_first_and_issue(w: BoundWorkspace) -> None:
    """Write w.first_cycles and w.issue_cycles."""
    machine = w.machine
    words_w, words_i, _ = tile_words(w.chunk, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])
    l2, units = machine.l2, machine.offchip_word_units
    first = float(words_w * units[0]) if l2.copies[0] > 0 and l2.apart[0] == 0 else 0.0
    first += float(words_i * units[1]) if l2.copies[1] > 0 and l2.apart[1] == 0 else 0.0
    w.first_cycles = machine.offchip_latency + first / machine.offchip_units
    issue = float(machine.tile_cycles)
    for i in range(w.n_dims if machine.tile_cycles > 0 else 0):
        dim = w.dims[i]
        issue *= (w.extents[dim] + w.chunk[dim] - 1) // w.chunk[dim] if w.sized[dim] > 0 else 1
    w.issue_cycles = float(issue)


@leaf
def read(w: BoundWorkspace, batch: MappingArrays, b: int) -> None:
    """Write what is chosen of mapping b: all from `units` to `issue_cycles`, of which only what differs from the one before it."""
    changed = _copy(w, batch, b)
    if b == 0:
        changed, w.is_crossed = -1, False
    if changed < 0:
        _count_levels(w)
        w.is_ordered = False
    w.stale |= changed
    w.uncounted |= changed
    for i in range(w.n_dims):
        dim = w.dims[i]
        if changed >> dim & 1:
            known, turning = w.known[dim], w.turning[dim]
            _read_dim(w, dim)
            _write_turns(w, dim)
            if w.moved[2, dim] == STILL:
                _write_shares(w, dim)
            if w.moved[1, dim] >= SLIDES:
                _write_lengths(w, dim)
            as_before = w.moved[1, dim] < SLIDES and known == w.known[dim] and turning == w.turning[dim]
            w.is_ordered = w.is_ordered and as_before
    if not w.is_ordered:
        _place_loops(w)
    _note_pending(w)
    _write_first_and_issue(w)
