"""What the L2 keeps and what crosses to off-chip memory, for the best depth of residency of each tensor.

With depth h, the L2 keeps all that a tensor's axes cover while the outer h loops of level 0 stand still. To the L2 a level-0
loop is one holder's: a spatial loop's chunk is that of all units. A loop that does not iterate, or moves no axis of the tensor
and has no such loop inside it, changes nothing. So the depths to choose from end at a loop that moves the tensor.
"""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf, spliced
from mapsearch.model.exact.workspace import MOST_DEPTHS, Workspace
from mapsearch.model.tensors import TOUCHES
from mapsearch.model.windows import kept, needed

# How a dim's level-0 loop stands in a carry: it is not among the outer h loops (so the dim is whole), or it stands still,
# or it advances, or it goes back to index 0.
WHOLE = 0
STILL = 1
OWN = 2
RESET = 3

NEVER = MOST_DEPTHS  # the position of a loop that does not iterate


@inlined
def _status(position: int, depth: int, carry: int) -> int:
    """Status of a dim by its loop's position in level 0, in the carry at the loop in position `carry`."""
    if position >= depth:
        return WHOLE
    if position < carry:
        return STILL
    return OWN if position == carry else RESET


@inlined
def _steps(w: Workspace, dim: int, status: int) -> int:
    return int(1 if status in (WHOLE, RESET) else w.lasts[dim] + (1 if status == STILL else 0))


@inlined
def _case(w: Workspace, dim: int, status: int, edge: bool) -> tuple[int, int, int, int]:
    """Where a dim in a status may stand: (steps alike, length, length in the step before, how far it moved).

    edge: its last chunk, which advancing and standing still reach once, or its others (0 steps where there are none).
    """
    extent, chunk, last = w.extents[dim], w.chunks[dim], w.lasts[dim]
    if status == WHOLE:
        return int(edge), extent, extent, 0
    rest = extent - last * chunk
    if status == RESET:
        return int(edge), chunk, rest, -last * chunk
    if status == OWN:
        return (1, rest, chunk, chunk) if edge else (last - 1, chunk, chunk, chunk)
    return (1, rest, rest, 0) if edge else (last, chunk, chunk, 0)


@spliced
def _axis_sum(w: Workspace, axis: int, status_y: int, status_r: int, old: bool) -> int:
    """U, or V if `old`, of rows (axis 0) or columns (1) summed over the steps of a carry."""
    y, r = 6 + axis, 4 + axis
    a, b = w.windows[axis, 0], w.windows[axis, 1]
    moved = status_y >= OWN or status_r >= OWN
    apart = w.extents[y] <= a or w.extents[r] <= b  # no two pairs of y' and r meet
    if old and moved and apart:
        return 0
    total = 0
    for part in range(4):
        many_y, length_y, old_y, shift_y = _case(w, y, status_y, part % 2 == 0)
        many_r, length_r, old_r, shift_r = _case(w, r, status_r, part < 2)
        if many_y <= 0 or many_r <= 0:
            continue
        if apart:
            total += many_y * many_r * length_y * length_r
        elif old and moved:
            total += many_y * many_r * kept(length_y, length_r, old_y, old_r, shift_y, shift_r, a, b)
        else:
            total += many_y * many_r * needed(length_y, length_r, a, b)
    return total


@spliced
def _input_words(w: Workspace, depth: int) -> int:
    """Words of I that come into the L2 over the run: all U, less all V.

    V counts only where no other axis of I moves: in carries inside the last loop of G, N and C.
    """
    begin = 0
    for dim in (0, 1, 3):
        if w.positions[dim] < depth:
            begin = max(begin, w.positions[dim] + 1)
    alike = w.extents[0] * w.extents[1] * w.extents[3]
    words = 0
    for carry in range(depth, begin - 1, -1):
        old = carry < depth
        value = alike * _steps(w, 2, _status(w.positions[2], depth, carry))
        for axis in range(2):
            if value > 0:
                status_y, status_r = _status(w.positions[6 + axis], depth, carry), _status(w.positions[4 + axis], depth, carry)
                value *= _axis_sum(w, axis, status_y, status_r, old)
        words += -value if old else value
    return words


@inlined
def _footprint(w: Workspace, tensor: int, depth: int) -> int:
    """Words that the L2 keeps of a tensor."""
    words = 1
    for dim in range(8):
        if TOUCHES[tensor, dim] and (dim < 4 or tensor != 1):
            words *= w.chunks[dim] if w.positions[dim] < depth else w.extents[dim]
    if tensor == 1:
        for axis in range(2):
            y, r = 6 + axis, 4 + axis
            length_y = w.chunks[y] if w.positions[y] < depth else w.extents[y]
            length_r = w.chunks[r] if w.positions[r] < depth else w.extents[r]
            words *= needed(length_y, length_r, w.windows[axis, 0], w.windows[axis, 1])
    return words


@inlined
def _offer(w: Workspace, tensor: int, count: int, new_words: int, new_need: int) -> int:
    """Add a depth to those to choose from, unless it is no better than the last one; drop that one if it is worse."""
    while count > 0:
        less_words, less_need = w.words[tensor, count - 1] - new_words, w.need[tensor, count - 1] - new_need
        if less_words <= 0 and less_need <= 0:
            return count
        if less_words < 0 or less_need < 0:
            break
        count -= 1
    w.words[tensor, count] = new_words
    w.need[tensor, count] = new_need
    return count + 1


@leaf
def _depths(w: Workspace, tensor: int, outer: int) -> int:
    """Write w.words[tensor] that come into the L2 and w.need[tensor] in bytes, by depths worth a look; returns how many those are.

    outer: the loops of level 0 that iterate.
    """
    whole = _footprint(w, tensor, 0)
    count = _offer(w, tensor, 0, whole, (whole * w.machine.bits[tensor] + 7) // 8)
    again = 1  # times that all of the tensor passes: turns of the loops that do not move it
    for depth in range(1, outer + 1):
        dim = w.loops[depth - 1].dim
        if not TOUCHES[tensor, dim]:
            again *= _steps(w, dim, STILL)
            continue
        fetched = _input_words(w, depth) if tensor == 1 else whole * again
        resident = (_footprint(w, tensor, depth) * w.machine.bits[tensor] + 7) // 8 * w.machine.l2_copies
        count = _offer(w, tensor, count, fetched, resident)
    return count


@leaf
def best_residency(w: Workspace, outer: int) -> bool:
    """Write w.best.

    Returns whether any choice of depths fits; the least off-chip bits win, then the least need, then the smallest depths of
    W, I, O in this order. outer: the loops of level 0 that iterate.
    """
    n_w, n_i, n_o = _depths(w, 0, outer), _depths(w, 1, outer), _depths(w, 2, outer)
    least_traffic = np.iinfo(np.int64).max
    best = w.best
    best.need_bytes = best.least_need_bytes = least_traffic
    fits = False
    for p in range(n_w):
        for q in range(n_i):
            for r in range(n_o):
                size = w.need[0, p] + w.need[1, q] + w.need[2, r]
                best.least_need_bytes = min(best.least_need_bytes, size)
                if size > w.machine.l2_bytes:
                    continue
                traffic = w.words[0, p] * w.machine.bits[0] + w.words[1, q] * w.machine.bits[1]
                traffic += 2 * w.words[2, r] * w.machine.bits[2]
                if traffic < least_traffic or (traffic == least_traffic and size < best.need_bytes):
                    least_traffic = traffic
                    best.words[0], best.words[1], best.words[2] = w.words[0, p], w.words[1, q], w.words[2, r]
                    best.need_bytes = size
                    fits = True
    return fits
