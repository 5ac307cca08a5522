"""The six groups of dims that every sum over steps splits into, and the classes of a group in one carry.

G, N, K and C stand alone; Y' with R make the input's rows, X' with S its columns. A step's words are products over the
groups, U - V (section "Words that move" of docs/cost_model.md), so a group's class holds its factors of U and of V for
each tensor: by multicast (a word counted once) and by fills (counted at each PE).

A class is a row of float64, which holds integers up to 2^53 exactly and multiplies four to eight of them at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf, spliced
from mapsearch.model.exact.count.roles import ACTIVE, COVERED, NEW, OLD, REDUCTION_START, SHIFT, STATE_STEPS
from mapsearch.model.exact.count.union import union
from mapsearch.model.exact.count.unit_runs import R_NEW, R_OLD, lone_run, runs_of, units_in
from mapsearch.model.exact.workspace import CLASS_COLUMNS, Workspace
from mapsearch.model.tensors import TOUCHES, Dim
from mapsearch.model.windows import kept, needed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# The leading dim of each group, and the dim that slides under it (itself: none).
LEADING = (int(Dim.G), int(Dim.N), int(Dim.K), int(Dim.C), int(Dim.Y), int(Dim.X))
SLIDING = (int(Dim.G), int(Dim.N), int(Dim.K), int(Dim.C), int(Dim.R), int(Dim.S))
GROUP_OF_DIM = (0, 1, 2, 3, 4, 5, 4, 5)

# Columns of a group's class. ZERO: of its steps, those with the reduction loops at index 0; MAC: MACs of unit 0.
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


@inlined
def _single(w: Workspace, slot: int, k: int, group: int, rows: Floats, place: int, row: int) -> None:
    """The class of a group of one dim, by which tensors have it."""
    covered, active = float(w.states[slot, k, COVERED]), float(w.states[slot, k, ACTIVE])
    stayed = covered if w.states[slot, k, SHIFT] == 0 else 0.0
    rows[place, row, STEPS] = w.states[slot, k, STATE_STEPS]
    rows[place, row, ZERO] = w.states[slot, k, REDUCTION_START if group == 3 else STATE_STEPS]
    rows[place, row, MAC] = w.states[slot, k, NEW]
    rows[place, row, PAD] = 1.0
    for t in range(3):
        has = TOUCHES[t, LEADING[group]]
        rows[place, row, CAME + t] = covered if has else 1.0
        rows[place, row, KEPT + t] = stayed if has else 1.0
        rows[place, row, FILLED + t] = covered if has else active
        rows[place, row, FILL_KEPT + t] = stayed if has else active


@inlined
def _pair(w: Workspace, y: int, p: int, r: int, q: int, rows: Floats, place: int, row: int) -> None:
    """The class of a sliding group: outputs have its leading dim y, weights its sliding dim r, inputs both (w.slid)."""
    covered_y, active_y = float(w.states[y, p, COVERED]), float(w.states[y, p, ACTIVE])
    covered_r, active_r = float(w.states[r, q, COVERED]), float(w.states[r, q, ACTIVE])
    stayed_y = covered_y if w.states[y, p, SHIFT] == 0 else 0.0
    stayed_r = covered_r if w.states[r, q, SHIFT] == 0 else 0.0
    rows[place, row, STEPS] = float(w.states[y, p, STATE_STEPS]) * float(w.states[r, q, STATE_STEPS])
    rows[place, row, ZERO] = float(w.states[y, p, STATE_STEPS]) * float(w.states[r, q, REDUCTION_START])
    rows[place, row, MAC] = float(w.states[y, p, NEW]) * float(w.states[r, q, NEW])
    rows[place, row, PAD] = 1.0
    rows[place, row, CAME], rows[place, row, CAME + 1], rows[place, row, CAME + 2] = covered_r, w.slid[0], covered_y
    rows[place, row, KEPT], rows[place, row, KEPT + 1], rows[place, row, KEPT + 2] = stayed_r, w.slid[1], stayed_y
    rows[place, row, FILLED], rows[place, row, FILL_KEPT] = covered_r * active_y, stayed_r * active_y
    rows[place, row, FILLED + 1], rows[place, row, FILL_KEPT + 1] = w.slid[2], w.slid[3]
    rows[place, row, FILLED + 2], rows[place, row, FILL_KEPT + 2] = covered_y * active_r, stayed_y * active_r


@inlined
def _merge(rows: Floats, place: int, count: int) -> int:
    """Merge the row at `count` into an equal one before it, or keep it; returns the new count."""
    for k in range(count):
        same = True
        for column in range(MAC, COLUMNS):
            if rows[place, k, column] != rows[place, count, column]:
                same = False
                break
        if same:
            rows[place, k, STEPS] += rows[place, count, STEPS]
            rows[place, k, ZERO] += rows[place, count, ZERO]
            return count
    return count + 1


@inlined
def single_classes(w: Workspace, group: int, slot: int, rows: Floats, place: int) -> int:
    """Write the classes of group 0..3 (G, N, K, C) to rows[place]; returns their number."""
    count = 0
    for k in range(w.n_states[slot]):
        _single(w, slot, k, group, rows, place, count)
        count = _merge(rows, place, count)
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
    w.slid[0] = union(w, ny, nr, shift_y, shift_r, a, b, False, units, pieces)
    if shift_y == 0 and shift_r == 0:
        w.slid[1] = w.slid[0]
    elif w.slid[3] == 0:
        w.slid[1] = 0
    else:
        w.slid[1] = w.slid[0] - union(w, ny, nr, shift_y, shift_r, a, b, True, units, pieces)


@inlined
def _runs(w: Workspace, slot: int, k: int, dim: int, side: int) -> int:
    """Write to w.runs[side] the units of a dim in a state; returns how many runs they are."""
    if w.lone[dim] == 1:
        return int(lone_run(w, side, w.states[slot, k, NEW], w.states[slot, k, OLD]))
    return int(runs_of(w, slot, k, w.levels, dim, side))


@leaf
def pair_classes(w: Workspace, group: int, y: int, r: int, units: Ints, pieces: Ints, rows: Floats, place: int) -> int:
    """Write the classes of a sliding group to rows[place]; returns their number. y, r: slots of the states of its two dims."""
    lead, slide = LEADING[group], SLIDING[group]
    a, b = w.windows[group - 4, 0], w.windows[group - 4, 1]
    apart = w.extents[lead] <= a or w.extents[slide] <= b  # no two pairs meet: each word belongs to one pair
    lone = w.lone[lead] == 1 and w.lone[slide] == 1
    count, ny = 0, 0
    for p in range(w.n_states[y]):
        if not apart and not lone:
            ny = _runs(w, y, p, lead, 0)
        for q in range(w.n_states[r]):
            state_y, state_r = w.states[y, p], w.states[r, q]
            shift_y, shift_r = state_y[SHIFT], state_r[SHIFT]
            if apart:
                covered = state_y[COVERED] * state_r[COVERED]
                w.slid[0] = w.slid[2] = covered
                w.slid[1] = w.slid[3] = covered if shift_y == 0 and shift_r == 0 else 0
            elif lone:
                w.slid[0] = w.slid[2] = needed(state_y[NEW], state_r[NEW], a, b)
                w.slid[1] = w.slid[3] = kept(state_y[NEW], state_r[NEW], state_y[OLD], state_r[OLD], shift_y, shift_r, a, b)
            else:
                nr = _runs(w, r, q, slide, 1)
                _slide_units(w, shift_y, shift_r, a, b, ny, nr, units, pieces)
            _pair(w, y, p, r, q, rows, place, count)
            count = _merge(rows, place, count)
    return count
