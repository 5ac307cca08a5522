"""How one dim stands in a step and how it got there, as few states with the number of steps in each.

The loops of all levels form one nest. A *carry* at loop j leaves the loops outside j as they are, advances j and resets
the loops inside j to 0. For one dim this fixes the *role* of its loop at each level: OUTER (stands still, anywhere),
OWN (is j, advances), INNER (goes from its last index to 0). All steps of a state have the same chunk lengths on every
unit, so the lengths and indices of one step stand for them all.

Most dims have closed forms, see `chains`; what follows is for those that have none, and works its way from level to level.
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined, leaf, spliced
from mapsearch.model.exact.count.chains import chain_states
from mapsearch.model.exact.count.unit_runs import R_NEW, lone_run, runs_of, units_in
from mapsearch.model.exact.workspace import STATE_SLOTS, State, Workspace

OUTER = 0
OWN = 1
INNER = 2

MOVING = 8  # the slot of the carry's own dim; the dims' own slots come before it
SPARE = STATE_SLOTS - 1


@inlined
def _write(state: State, steps: int, start: int, shift: int, new: int, old: int) -> None:
    state.steps, state.start, state.shift, state.new, state.old = steps, start, shift, new, old


@inlined
def _next_break(w: Workspace, index: int, trips: int, n: int, chunk: int) -> int:
    """First index after `index` at which the chunk of some unit, of n runs, may change in length."""
    stop = trips
    for k in range(n):
        edge = w.runs[0, k, R_NEW] // chunk
        if index < edge < stop:
            stop = edge
        elif index == edge and edge + 1 < stop:
            stop = edge + 1
    return stop


@inlined
def _append(w: Workspace, slot: int, k: int, target: int, count: int, level: int, steps: int, new: int, old: int) -> None:
    """Copy a state to states[target, count] with the indices of one more level; `steps` of them are alike."""
    w.states[target][count] = w.states[slot][k]
    state = w.states[target][count]
    state.steps *= steps
    state.indices[level], state.old_indices[level] = new, old
    if new > 0:
        state.start = 0


@leaf
def _expand(w: Workspace, slot: int, k: int, target: int, count: int, level: int, dim: int, shared: bool) -> int:
    """Append to states[target] the states that one state of the levels outside `level` falls into; returns the new count.

    shared: whether one of those levels shares out the dim; where none does, `covered` and `active` are written too.
    """
    size, chunk = w.sizes[level, dim], w.sizes[level, dim] * w.shares[level, dim]
    tile = w.states[slot][k].new
    if w.roles[dim, level] == INNER:
        old = w.states[slot][k].old
        last = (old - 1) // chunk
        _append(w, slot, k, target, count, level, 1, 0, last)
        state = w.states[target][count]
        state.new = min(size, tile)
        state.old = min(size, old - last * chunk)
        state.shift -= last * chunk
        state.covered = min(chunk, tile)
        state.active = (state.covered + size - 1) // size
        return count + 1
    n = runs_of(w, slot, k, level, dim, 0) if shared else lone_run(w, 0, tile, tile)
    trips = (tile + chunk - 1) // chunk
    own = 1 if w.roles[dim, level] == OWN else 0
    index = own
    while index < trips:
        stop = _next_break(w, index, trips, n, chunk)
        _append(w, slot, k, target, count, level, stop - index, index, index - own)
        state = w.states[target][count]
        left = tile - index * chunk
        state.new = min(size, left)
        state.old = min(size, left + own * chunk)
        state.shift += own * chunk
        state.covered = min(chunk, left)
        state.active = (state.covered + size - 1) // size
        count += 1
        index = stop
    return count


@spliced
def _write_covered(w: Workspace, slot: int, count: int, dim: int) -> None:
    """Write `covered` and `active` of a dim that is split further inside the level that shares it out."""
    for k in range(count):
        n = runs_of(w, slot, k, w.levels, dim, 0)
        covered, active = 0, 0
        for m in range(n):
            units = units_in(w, 0, m)
            covered += units * w.runs[0, m, R_NEW]
            active += units
        w.states[slot][k].covered, w.states[slot][k].active = covered, active


@leaf
def _uneven_states(w: Workspace, slot: int, dim: int) -> int:
    """The states of a dim that more than two levels cut."""
    here, there = slot, SPARE
    _write(w.states[here][0], 1, 1, 0, w.extents[dim], w.extents[dim])
    for level in range(w.levels):
        w.states[here][0].indices[level] = w.states[here][0].old_indices[level] = 0
    count, tile = 1, w.extents[dim]
    shared, unknown = False, False
    for level in range(w.levels):
        size = w.sizes[level, dim]
        if size == tile:
            continue
        tile = size
        unknown = shared
        grown = 0
        for k in range(count):
            grown = _expand(w, here, k, there, grown, level, dim, shared)
        shared |= w.shares[level, dim] > 1
        count = grown
        here, there = there, here
    if here != slot:
        for k in range(count):
            w.states[slot][k] = w.states[here][k]
    if unknown:
        _write_covered(w, slot, count, dim)
    return count


@inlined
def write_states(w: Workspace, dim: int, slot: int) -> None:
    """Write to w.states[slot] the states of a dim whose loops have w.roles[dim], and to w.n_states[slot] how many there are."""
    if w.chains.cuts[dim] <= 2:
        w.n_states[slot] = chain_states(w, dim, slot)
    else:
        w.n_states[slot] = _uneven_states(w, slot, dim)
