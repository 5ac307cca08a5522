"""The six groups of dims that every sum over steps splits into, and the classes of a group in one carry.

G, N, K and C stand alone; Y' with R make the input's rows, X' with S its columns. A step's words are products over the
groups, U - V (section "Words that move" of docs/cost_model.md), so a group's class holds its factors of U and of V for
each tensor: by multicast (a word counted once) and by fills (counted at each PE).

A class is a row of float64, which holds integers up to 2^53 exactly and multiplies four to eight of them at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, spliced
from mapsearch.model.exact.count.rows import fill
from mapsearch.model.exact.count.union import union
from mapsearch.model.exact.count.unit_runs import R_NEW, R_OLD, chain_runs, lone_run, runs_of, units_in
from mapsearch.model.exact.count.zeros import OF_A_TENSOR
from mapsearch.model.exact.workspace import CLASS_COLUMNS, State, Workspace
from mapsearch.model.tensors import TOUCHES, Dim
from mapsearch.model.windows import kept, needed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# The leading dim of each group, and the dim that slides under it (itself: none). Arrays, since compiled code finds an element of a
# tuple by jumping.
LEADING = np.array((Dim.G, Dim.N, Dim.K, Dim.C, Dim.Y, Dim.X), np.int64)
SLIDING = np.array((Dim.G, Dim.N, Dim.K, Dim.C, Dim.R, Dim.S), np.int64)
GROUP_OF_DIM = np.array((0, 1, 2, 3, 4, 5, 4, 5), np.int64)

# Columns of a group's class. ZERO: of its steps, those with the reduction loops at index 0; MAC: MACs of unit 0, or as many as
# take the time that its instructions do.
# Then the factors of U and V of the tensors W, I, O, by multicast and by fills. PAD, always 1, fills up a cache line.
STEPS = 0
ZERO = 1
MAC = 2
PAD = 3
CAME = 4
KEPT = 7
FILLED = 10
FILL_KEPT = 13
COLUMNS = CLASS_COLUMNS
# The columns of a tile's row that stand for nothing.
_NO_MORE = (1.0,) * (CLASS_COLUMNS - 2 * OF_A_TENSOR)


@inlined
def _busy(w: Workspace, dim: int, length: int) -> float:
    """As many indices of a dim as take the time that its runs do."""
    run, least = w.machine.run_longest, w.machine.run_least
    if dim != w.machine.run_dim:
        return float(length)
    rest = length % run
    return float(length - rest + (max(rest, least) if rest > 0 else 0))


@inlined
def _single(w: Workspace, state: State, group: int, row: Floats, tile: Floats) -> None:
    """The class of a group of one dim, by which tensors have it; tile: see `zeros`, written where zeros are skipped."""
    covered, active, steps = float(state.covered), float(state.active), float(state.steps)
    stayed = covered if state.shift == 0 else 0.0
    start = float(state.start) if group == 3 else steps
    lead = LEADING[group]
    of_w, of_i, of_o = TOUCHES[0, lead], TOUCHES[1, lead], TOUCHES[2, lead]
    came = (covered if of_w else 1.0, covered if of_i else 1.0, covered if of_o else 1.0)
    kept = (stayed if of_w else 1.0, stayed if of_i else 1.0, stayed if of_o else 1.0)
    filled = (covered if of_w else active, covered if of_i else active, covered if of_o else active)
    fill_kept = (stayed if of_w else active, stayed if of_i else active, stayed if of_o else active)
    fill(row, (steps, start, _busy(w, lead, state.new), 1.0, *came, *kept, *filled, *fill_kept))
    if w.machine.skips:
        new, along = float(state.new), w.machine.zeros.along
        in_lanes_w, in_lanes_i = new if lead == Dim.K else 1.0, new if lead == Dim.N else 1.0
        of_tile_w = (new if of_w else 1.0, active if of_w else 1.0, new if lead == along[0] else 1.0, in_lanes_w)
        of_tile_i = (new if of_i else 1.0, active if of_i else 1.0, new if lead == along[1] else 1.0, in_lanes_i)
        fill(tile, (*of_tile_w, *of_tile_i, *_NO_MORE))


@inlined
def _pair(w: Workspace, group: int, y: State, r: State, row: Floats, tile: Floats) -> None:
    """The class of a sliding group: outputs have its leading dim y, weights its sliding dim r, inputs both (w.slid)."""
    slid = w.slid
    covered_y, active_y, steps = float(y.covered), float(y.active), float(y.steps)
    covered_r, active_r = float(r.covered), float(r.active)
    stayed_y = covered_y if y.shift == 0 else 0.0
    stayed_r = covered_r if r.shift == 0 else 0.0
    came, kept = (covered_r, float(slid[0]), covered_y), (stayed_r, float(slid[1]), stayed_y)
    filled = (covered_r * active_y, float(slid[2]), covered_y * active_r)
    fill_kept = (stayed_r * active_y, float(slid[3]), stayed_y * active_r)
    macs = _busy(w, LEADING[group], y.new) * _busy(w, SLIDING[group], r.new)
    fill(row, (steps * float(r.steps), steps * float(r.start), macs, 1.0, *came, *kept, *filled, *fill_kept))
    if w.machine.skips:
        words = float(needed(y.new, r.new, w.windows[group - 4, 0], w.windows[group - 4, 1]))
        length = float(r.new) if w.machine.zeros.along[0] == SLIDING[group] else 1.0
        fill(tile, (float(r.new), active_r, length, 1.0, words, active_y * active_r, 1.0, float(y.new), *_NO_MORE))


@inlined
def _merge(w: Workspace, rows: Floats, tiles: Floats, place: int, count: int) -> int:
    """Merge the row at `count` into an equal one before it, or keep it; returns the new count."""
    for k in range(count):
        same = True
        for column in range(MAC, COLUMNS):
            if rows[place, k, column] != rows[place, count, column]:
                same = False
                break
        for column in range(2 * OF_A_TENSOR if w.machine.skips else 0):
            same = same and tiles[place, k, column] == tiles[place, count, column]
        if same:
            rows[place, k, STEPS] += rows[place, count, STEPS]
            rows[place, k, ZERO] += rows[place, count, ZERO]
            return count
    return count + 1


@spliced
def single_classes(w: Workspace, group: int, slot: int, rows: Floats, tiles: Floats, place: int) -> int:
    """Write the classes of group 0..3 (G, N, K, C) to rows[place] and tiles[place]; returns their number."""
    count = 0
    for k in range(w.n_states[slot]):
        _single(w, w.states[slot][k], group, rows[place, count], tiles[place, count])
        count = _merge(w, rows, tiles, place, count)
    return count


@spliced
def _slide_units(w: Workspace, shift_y: int, shift_r: int, a: int, b: int, ny: int, nr: int, units: Ints, pieces: Ints) -> None:
    """Write to w.slid the input coordinates of one pair of states: U, V, and the same two counted at each PE.

    Its runs of y' are w.runs[0, :ny], those of r w.runs[1, :nr].
    """
    w.slid[2] = w.slid[3] = 0
    for m in range(ny):
        for n in range(nr):
            pes = units_in(w, 0, m) * units_in(w, 1, n)
            length_y, length_r = w.runs[0, m, R_NEW], w.runs[1, n, R_NEW]
            w.slid[2] += pes * needed(length_y, length_r, a, b)
            w.slid[3] += pes * kept(length_y, length_r, w.runs[0, m, R_OLD], w.runs[1, n, R_OLD], shift_y, shift_r, a, b)
    stays = shift_y == 0 and shift_r == 0
    fresh = 0  # what some unit needs and did not have
    for turn in range(1 if stays or w.slid[3] == 0 else 2):  # one call, as code that stands twice is compiled twice
        found = union(w, ny, nr, shift_y, shift_r, a, b, turn == 1, units, pieces)
        w.slid[0], fresh = (found, found) if turn == 0 else (w.slid[0], found)
    w.slid[1] = w.slid[0] if stays else w.slid[0] - fresh


@inlined
def _runs(w: Workspace, slot: int, k: int, dim: int, side: int) -> int:
    """Write to w.runs[side] the units of a dim in a state; returns how many runs they are."""
    if w.lone[dim] == 1:
        return int(lone_run(w, side, w.states[slot][k].new, w.states[slot][k].old))
    if w.chains.cuts[dim] <= 2:
        return int(chain_runs(w, slot, k, dim, side))
    return int(runs_of(w, slot, k, w.levels, dim, side))


@inlined
def _excess(length: int, piece: int, period: int) -> int:
    """What the pieces of a chunk are longer than a period, in all."""
    if length <= piece:
        return max(length - period, 0)
    whole = length // piece
    return whole * max(piece - period, 0) + max(length - whole * piece - period, 0)


@inlined
def _links(state: State, piece: int, period: int) -> int:
    """The same over all units of a dim in closed form."""
    return state.blocks * _excess(state.block, piece, period) + _excess(state.extra, piece, period)


@inlined
def _at_phase(length: int, phase: int, period: int) -> int:
    """How many of the first `length` indices are at a phase of a period."""
    return length if period == 1 else (length - phase + period - 1) // period


@inlined
def _spread(state: State, size: int, other: int, own_period: int, period: int) -> int:
    """Coordinates that blocks apart need with a range of `other` indices of the window's other dim.

    At each pair of phases they are intervals alike and evenly spaced, if the period divides the blocks' size. They come in order,
    and that of the shorter block ends last.
    """
    total = 0
    for own in range(own_period):
        block, extra = _at_phase(state.block, own, own_period), _at_phase(state.extra, own, own_period)
        for phase in range(period):
            more = _at_phase(other, phase, period) - 1
            if block <= 0 or more < 0:
                continue
            step = min(size // own_period, block + more)
            total += (state.blocks - 1) * step + (step + extra + more if extra > 0 else block + more)
    return total


@inlined
def _together(state: State, size: int) -> bool:
    """Whether what the units of a dim in closed form hold is one range."""
    return bool(state.block == size or (state.blocks == 1 and state.extra == 0))


@inlined
def _far(y: State, r: State, a: int, b: int) -> bool:
    """Whether no unit needs anything that it needed in the step before: unit 0, which has the longest chunks, does not."""
    back = b * y.shift + a * r.shift
    return bool(back > b * (y.old - 1) + a * (r.old - 1) or -back > b * (y.new - 1) + a * (r.new - 1))


@spliced
def _slide(w: Workspace, group: int, y: int, p: int, r: int, q: int, units: Ints, pieces: Ints) -> None:
    """Write w.slid of state p in slot y and state q in slot r."""
    lead, slide = LEADING[group], SLIDING[group]
    a, b = w.windows[group - 4, 0], w.windows[group - 4, 1]
    state_y, state_r, slid = w.states[y][p], w.states[r][q], w.slid
    stays = state_y.shift == 0 and state_r.shift == 0
    if w.extents[lead] <= a or w.extents[slide] <= b:  # no two pairs meet: each word belongs to one pair
        slid[0] = slid[2] = state_y.covered * state_r.covered
        slid[1] = slid[3] = slid[0] if stays else 0
        return
    if w.lone[lead] + w.lone[slide] == 2:
        slid[0] = slid[2] = slid[1] = slid[3] = needed(state_y.new, state_r.new, a, b)
        if not stays:
            slid[1] = slid[3] = kept(state_y.new, state_r.new, state_y.old, state_r.old, state_y.shift, state_r.shift, a, b)
        return
    chains = w.chains
    closed = chains.cuts[lead] <= 2 and chains.cuts[slide] <= 2 and (stays or _far(state_y, state_r, a, b))
    size_y, size_r = int(chains.size[lead]), int(chains.size[slide])
    one_y, one_r = _together(state_y, size_y), _together(state_r, size_r)
    if closed and ((one_y and (one_r or size_r % b == 0)) or (one_r and size_y % a == 0)):
        if one_y and one_r:
            slid[0] = needed(state_y.covered, state_r.covered, a, b)
        elif one_r:
            slid[0] = _spread(state_y, size_y, state_r.covered, a, b)
        else:
            slid[0] = _spread(state_r, size_r, state_y.covered, b, a)
        slid[2] = state_y.covered * state_r.covered
        slid[2] -= _links(state_y, int(chains.piece[lead]), a) * _links(state_r, int(chains.piece[slide]), b)
        slid[1], slid[3] = (slid[0], slid[2]) if stays else (0, 0)
        return
    ny, nr = _runs(w, y, p, lead, 0), _runs(w, r, q, slide, 1)
    _slide_units(w, state_y.shift, state_r.shift, a, b, ny, nr, units, pieces)


@spliced
def pair_classes(
    w: Workspace, group: int, y: int, r: int, units: Ints, pieces: Ints, rows: Floats, tiles: Floats, place: int
) -> int:  # fmt: skip
    """Write the classes of a sliding group likewise; returns their number. y, r: slots of the states of its two dims."""
    count = 0
    for p in range(w.n_states[y]):
        for q in range(w.n_states[r]):
            _slide(w, group, y, p, r, q, units, pieces)
            _pair(w, group, w.states[y][p], w.states[r][q], rows[place, count], tiles[place, count])
            count = _merge(w, rows, tiles, place, count)
    return count
