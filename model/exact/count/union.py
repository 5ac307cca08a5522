"""The coordinates of a sliding axis that all units together need, or need and did not have: a union over PEs (see `windows`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.count.unit_runs import R_NEW, R_OLD, R_SPACING, R_START, units_in
from mapsearch.model.exact.workspace import Workspace
from mapsearch.model.windows import first_index

Ints = NDArray[np.int64]

NOT_SORTED = -1  # what a union cannot be found from without looking at every unit


@inlined
def _interval(
    w: Workspace, p: int, q: int, shift_y: int, shift_r: int, a: int, b: int, cy: int, cr: int, fresh: bool
) -> tuple[int, int, bool]:
    """In a pair of phases, what the first units of two runs need or, if `fresh`, need and did not have: (low, high, one piece)."""
    y, r = w.runs[0, p, R_START], w.runs[1, q, R_START]
    i, i_end = first_index(y, cy, a), first_index(y + w.runs[0, p, R_NEW], cy, a)
    j, j_end = first_index(r, cr, b), first_index(r + w.runs[1, q, R_NEW], cr, b)
    if i_end <= i or j_end <= j:
        return 0, 0, True
    low, high = i + j, i_end + j_end - 1
    if not fresh:
        return low, high, True
    old_i, old_i_end = first_index(y - shift_y, cy, a), first_index(y - shift_y + w.runs[0, p, R_OLD], cy, a)
    old_j, old_j_end = first_index(r - shift_r, cr, b), first_index(r - shift_r + w.runs[1, q, R_OLD], cr, b)
    if old_i_end <= old_i or old_j_end <= old_j:
        return low, high, True
    old_low, old_high = old_i + old_j, old_i_end + old_j_end - 1
    if old_high <= low or old_low >= high:
        return low, high, True
    if old_low > low:
        return low, min(high, old_low), old_high >= high
    return min(high, old_high), high, True


@inlined
def _merged(
    w: Workspace, p: int, n: int, swapped: bool, shift_y: int, shift_r: int, a: int, b: int, cy: int, cr: int, fresh: bool
) -> tuple[int, int, bool]:
    """The pieces of one run of the outer dim with all n runs of the inner one as one: (low, high, whether they are one)."""
    low, high = 0, 0
    inner, period = (0, a) if swapped else (1, b)
    for q in range(n):
        one = q if swapped else p
        other = p if swapped else q
        start, end, single = _interval(w, one, other, shift_y, shift_r, a, b, cy, cr, fresh)
        if not single:
            return 0, 0, False
        if start >= end:
            if units_in(w, inner, q) > 1 and period > 1:  # other units of the run may need something in this phase
                return 0, 0, False
            continue
        for level in range(w.levels - 1, -1, -1):
            spacing, count = w.runs[inner, q, R_SPACING + 2 * level], w.runs[inner, q, R_SPACING + 2 * level + 1]
            if count > 1:
                if spacing % period != 0 or spacing // period > end - start:
                    return 0, 0, False
                end += (count - 1) * (spacing // period)
        if low == high:
            low, high = start, end
        elif start > high or end < low:
            return 0, 0, False
        else:
            low, high = min(low, start), max(high, end)
    return low, high, True


@inlined
def _progression(w: Workspace, side: int, p: int, period: int, low: int, high: int) -> tuple[int, int, int]:
    """[low, high) of the first unit of a run, repeated for the others: (end of the first piece, distance, number of pieces).

    Neighbours that touch become one piece; NOT_SORTED pieces where two levels leave gaps.
    """
    step, many = 1, 1
    for level in range(w.levels - 1, -1, -1):
        spacing, count = w.runs[side, p, R_SPACING + 2 * level], w.runs[side, p, R_SPACING + 2 * level + 1]
        if count > 1:
            if spacing % period != 0 or many > 1:
                return high, 1, NOT_SORTED
            if spacing // period <= high - low:
                high += (count - 1) * (spacing // period)
            else:
                step, many = spacing // period, count
    return high, step, many


@leaf
def _phase_union(
    w: Workspace, ny: int, nr: int, swapped: bool, shift_y: int, shift_r: int, a: int, b: int, cy: int, cr: int, fresh: bool
) -> int:
    """Size of the union of all units' intervals in a pair of phases, or NOT_SORTED.

    Runs of the outer dim (y', or r if `swapped`) make one progression of equal intervals each, which must come in order.
    """
    outer, n, inner, period = (1, nr, ny, b) if swapped else (0, ny, nr, a)
    total = 0
    reached = np.iinfo(np.int64).min  # end of what is counted
    latest = reached  # the last interval's start
    for p in range(n):
        low, high, single = _merged(w, p, inner, swapped, shift_y, shift_r, a, b, cy, cr, fresh)
        if not single:
            return NOT_SORTED
        if low == high:
            if units_in(w, outer, p) > 1 and period > 1:
                return NOT_SORTED
            continue
        high, step, many = _progression(w, outer, p, period, low, high)
        if many == NOT_SORTED or low < latest:
            return NOT_SORTED
        latest = low + (many - 1) * step
        passed = 0 if high > reached else min(many, (reached - high) // step + 1)
        if passed < many:
            low, high = low + passed * step, high + passed * step
            total += high - max(low, reached) + (many - passed - 1) * min(step, high - low)
            reached = high + (many - passed - 1) * step
    return total


@leaf
def _expand(w: Workspace, side: int, n: int, units: Ints) -> int:
    """Write (start, length, old length) of every unit of n runs to units[side]; returns how many there are."""
    count = 0
    for run in range(n):
        first = count
        units[side, count, 0] = w.runs[side, run, R_START]
        units[side, count, 1], units[side, count, 2] = w.runs[side, run, R_NEW], w.runs[side, run, R_OLD]
        count += 1
        for level in range(w.levels):
            spacing, times = w.runs[side, run, R_SPACING + 2 * level], w.runs[side, run, R_SPACING + 2 * level + 1]
            so_far = count - first
            for copy in range(1, times):
                for k in range(so_far):
                    units[side, count, 0] = units[side, first + k, 0] + copy * spacing
                    units[side, count, 1], units[side, count, 2] = units[side, first + k, 1], units[side, first + k, 2]
                    count += 1
    return count


@leaf
def _add_piece(pieces: Ints, count: int, low: int, high: int) -> int:
    """Insert [low, high) where the pieces before it keep the order of their starts, unless it is empty."""
    if low >= high:
        return count
    place = count
    while place > 0 and pieces[place - 1, 0] > low:
        pieces[place, 0], pieces[place, 1] = pieces[place - 1, 0], pieces[place - 1, 1]
        place -= 1
    pieces[place, 0], pieces[place, 1] = low, high
    return count + 1


@leaf
def _walked_union(
    units: Ints, ny: int, nr: int, shift_y: int, shift_r: int, a: int, b: int, cy: int, cr: int, fresh: bool, pieces: Ints
) -> int:
    """The same as `_phase_union`, from every pair of units, for whatever arrangement they have."""
    count = 0
    for p in range(ny):
        y, y_end, old_y_end = units[0, p, 0], units[0, p, 0] + units[0, p, 1], units[0, p, 0] + units[0, p, 2] - shift_y
        i, i_end, old_i, old_i_end = (
            first_index(y, cy, a),
            first_index(y_end, cy, a),
            first_index(y - shift_y, cy, a),
            first_index(old_y_end, cy, a),
        )
        for q in range(nr):
            r, r_end, old_r_end = units[1, q, 0], units[1, q, 0] + units[1, q, 1], units[1, q, 0] + units[1, q, 2] - shift_r
            j, j_end, old_j, old_j_end = (
                first_index(r, cr, b),
                first_index(r_end, cr, b),
                first_index(r - shift_r, cr, b),
                first_index(old_r_end, cr, b),
            )
            if i_end <= i or j_end <= j:
                continue
            low, high = i + j, i_end + j_end - 1
            if fresh and old_i_end > old_i and old_j_end > old_j:
                count = _add_piece(pieces, count, low, min(high, old_i + old_j))
                low = max(low, old_i_end + old_j_end - 1)
            count = _add_piece(pieces, count, low, high)
    total = 0
    reached = np.iinfo(np.int64).min
    for k in range(count):
        if pieces[k, 1] > reached:
            total += pieces[k, 1] - max(pieces[k, 0], reached)
            reached = pieces[k, 1]
    return total


@leaf
def union(
    w: Workspace, ny: int, nr: int, shift_y: int, shift_r: int, a: int, b: int, fresh: bool, units: Ints, pieces: Ints
) -> int:
    """Coordinates that some PE, a unit of y' with one of r, needs or, if `fresh`, needs and did not have.

    runs: of y' in w.runs[0, :ny], of r in w.runs[1, :nr]; units: [2, >= units of a dim, 3] and pieces: [>= 2 * PEs, 2], work space.
    """
    swapped = ny == 1 and units_in(w, 0, 0) == 1
    total = 0
    walked_y, walked_r = 0, 0
    for cy in range(a):
        for cr in range(b):
            found = _phase_union(w, ny, nr, swapped, shift_y, shift_r, a, b, cy, cr, fresh)
            if found == NOT_SORTED:
                if walked_y == 0:
                    walked_y, walked_r = _expand(w, 0, ny, units), _expand(w, 1, nr, units)
                found = _walked_union(units, walked_y, walked_r, shift_y, shift_r, a, b, cy, cr, fresh, pieces)
            total += found
    return total
