"""What the L2 keeps and what crosses to off-chip memory, for the best depth of residency of each tensor.

With depth h, the L2 keeps all that a tensor's axes cover while the outer h loops of level 0 stand still. To the L2 a level-0
loop is one holder's: a spatial loop's chunk is that of all units. A loop that does not iterate, or moves no axis of the tensor
and has no such loop inside it, changes nothing. So the depths to choose from end at a loop that moves the tensor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf, spliced
from mapsearch.model.exact.workspace import MOST_DEPTHS, Workspace
from mapsearch.model.records import Rooms
from mapsearch.model.rooms import bytes_for
from mapsearch.model.tensors import TOUCHES
from mapsearch.model.windows import kept, tile_words

Ints = NDArray[np.int64]

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
def _turns(w: Workspace, dim: int, status: int) -> int:
    """Steps of a dim's loop in a status."""
    return int(w.lasts[dim] + (1 if status == STILL else 0) if status in (STILL, OWN) else 1)


@inlined
def _case(w: Workspace, dim: int, status: int, edge: bool) -> tuple[int, int, int]:
    """How a dim in a status may stand: (steps alike, length, length in the step before).

    edge: its last chunk, which advancing and standing still reach once, or its others (0 steps where there are none).
    """
    extent, chunk, last = w.extents[dim], w.chunks[dim], w.lasts[dim]
    if status == WHOLE:
        return int(edge), extent, extent
    rest = extent - last * chunk
    if status == RESET:
        return int(edge), chunk, rest
    if status == OWN:
        return (1, rest, chunk) if edge else (last - 1, chunk, chunk)
    return (1, rest, rest) if edge else (last, chunk, chunk)


@spliced
def _write_links(w: Workspace) -> None:
    """Write w.links: what the chunks of a dim exceed its window's period by, of the whole dim and over all chunks."""
    for dim in range(4, 8):
        period = w.windows[dim % 2, 0 if dim >= 6 else 1]
        last, chunk, extent = w.lasts[dim], w.chunks[dim], w.extents[dim]
        w.links[WHOLE, dim] = max(extent - period, 0)
        w.links[STILL, dim] = last * max(chunk - period, 0) + max(extent - last * chunk - period, 0)


@inlined
def _standing(w: Workspace, axis: int, status_y: int, status_r: int) -> int:
    """Coordinates of rows (axis 0) or columns (1) over all steps in which y' and r are whole or stand still: U, and V."""
    y, r = 6 + axis, 4 + axis
    return int(w.extents[y] * w.extents[r] - w.links[status_y, y] * w.links[status_r, r])


@spliced
def _moving(w: Workspace, axis: int, status_y: int, status_r: int) -> int:
    """V over the steps of a carry in which y' or r advances or goes back."""
    y, r = 6 + axis, 4 + axis
    a, b = w.windows[axis, 0], w.windows[axis, 1]
    shift_y = 0 if status_y < OWN else w.chunks[y] * (1 if status_y == OWN else -w.lasts[y])
    shift_r = 0 if status_r < OWN else w.chunks[r] * (1 if status_r == OWN else -w.lasts[r])
    length_y = w.extents[y] if status_y == WHOLE else w.chunks[y]
    length_r = w.extents[r] if status_r == WHOLE else w.chunks[r]
    reach = b * (length_y - 1) + a * (length_r - 1)
    if abs(b * shift_y + a * shift_r) > reach or w.extents[y] <= a or w.extents[r] <= b:
        return 0  # too far for any chunks, or no two pairs of y' and r meet
    total = 0
    for part in range(4):
        many_y, new_y, old_y = _case(w, y, status_y, part % 2 == 0)
        many_r, new_r, old_r = _case(w, r, status_r, part < 2)
        if many_y > 0 and many_r > 0:
            total += many_y * many_r * kept(new_y, new_r, old_y, old_r, shift_y, shift_r, a, b)
    return total


@leaf
def _input_words(w: Workspace, depth: int, begin: int) -> int:
    """Words of I that come into the L2 over the run: all U, less all V.

    V counts only where no other axis of I moves: in carries at position `begin` or later, inside the last loop of G, N and C.
    """
    at_k, alike = w.positions[2], w.extents[0] * w.extents[1] * w.extents[3]
    words = alike * _turns(w, 2, _status(at_k, depth, depth))
    for axis in range(2):
        words *= _standing(w, axis, _status(w.positions[6 + axis], depth, depth), _status(w.positions[4 + axis], depth, depth))
    for carry in range(begin, depth):
        value = alike * _turns(w, 2, _status(at_k, depth, carry))
        for axis in range(2):
            status_y, status_r = _status(w.positions[6 + axis], depth, carry), _status(w.positions[4 + axis], depth, carry)
            moves = status_y >= OWN or status_r >= OWN
            value *= _moving(w, axis, status_y, status_r) if moves else _standing(w, axis, status_y, status_r)
            if value == 0:
                break
        words -= value
    return int(words)


@inlined
def _offer(w: Workspace, tensor: int, depth: int, new_words: int, new_need: int) -> None:
    """Add a depth to those to choose from, unless it is no better than the last one; drop that one if it is worse."""
    count = w.depths[tensor]
    while count > 0:
        less_words, less_need = w.words[tensor, count - 1] - new_words, w.need[tensor, count - 1] - new_need
        if less_words <= 0 and less_need <= 0:
            return
        if less_words < 0 or less_need < 0:
            break
        count -= 1
    w.words[tensor, count] = new_words
    w.need[tensor, count], w.depth[tensor, count] = new_need, depth
    w.depths[tensor] = count + 1


@inlined
def write_held(w: Workspace, tile: Ints) -> None:
    """Write to w.held the words of W, I and O of a tile of eight lengths."""
    w.held[0], w.held[1], w.held[2] = tile_words(tile, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])


@leaf
def first_units(w: Workspace) -> int:
    """Off-chip units of the first level-0 working set that must be in the L2 to begin: of W and I kept beside what is worked on."""
    l2, units = w.machine.l2, w.machine.offchip_word_units
    write_held(w, w.chunks)
    of_w = w.held[0] * units[0] if l2.copies[0] > 0 and l2.apart[0] == 0 else 0
    of_i = w.held[1] * units[1] if l2.copies[1] > 0 and l2.apart[1] == 0 else 0
    return int(of_w + of_i)


@inlined
def left_in(rooms: Rooms, w: int, i: int, o: int) -> tuple[int, int, int]:
    """The bytes that the needs of W, I and O leave of the room of each."""
    sizes, w_i, w_o, i_o = rooms.sizes, rooms.joint[0], rooms.joint[1], rooms.joint[2]
    return sizes[0] - w - w_i * i - w_o * o, sizes[1] - i - w_i * w - i_o * o, sizes[2] - o - w_o * w - i_o * i


@spliced
def _write_needs(w: Workspace) -> None:
    """Write w.least and w.needs: the bytes that the L2 needs by tensor, at the least and by depth, and w.slack."""
    l2 = w.machine.l2
    for dim in range(8):
        w.resident[dim] = w.extents[dim]
    for depth in range(w.outer + 1):
        if depth > 0:
            dim = w.loops[depth - 1].dim
            w.resident[dim] = w.chunks[dim]
        write_held(w, w.resident)
        moves = depth > 0 or not w.machine.keeps
        for tensor in range(3):
            need = bytes_for(l2, tensor, w.held[tensor]) * (l2.copies[tensor] if moves else min(l2.copies[tensor], 1))
            w.needs[depth, tensor] = need
            w.least[tensor] = need if depth == 0 else min(w.least[tensor], need)
    w.slack[0], w.slack[1], w.slack[2] = left_in(l2, w.least[0], w.least[1], w.least[2])


@spliced
def _write_depths(w: Workspace) -> None:
    """Write w.words that come into the L2 and w.need in bytes, by tensor and by depths worth a look: those that may fit."""
    for tensor in range(3):
        w.depths[tensor] = 0
        if w.needs[0, tensor] - w.least[tensor] <= w.slack[tensor]:
            _offer(w, tensor, 0, w.passes[tensor], w.needs[0, tensor])
    begin = 0
    for depth in range(1, w.outer + 1):
        dim = w.loops[depth - 1].dim
        if dim < 4 and TOUCHES[1, dim]:
            begin = depth
        for tensor in range(3):
            if not TOUCHES[tensor, dim]:
                w.passes[tensor] *= w.lasts[dim] + 1
            elif w.needs[depth, tensor] - w.least[tensor] <= w.slack[tensor]:
                words_in = _input_words(w, depth, begin) if tensor == 1 else w.passes[tensor]
                _offer(w, tensor, depth, words_in, w.needs[depth, tensor])


@spliced
def _write_full_depth(w: Workspace) -> None:
    """Write the same where the L2 keeps no tile: the one depth, of all loops, with all footprints of W and I fetched anew.

    A tensor needs, and then at the least, what it does at the innermost loop that moves it.
    """
    for tensor in range(3):
        w.words[tensor, 0], w.least[tensor], w.depths[tensor] = w.passes[tensor], w.needs[0, tensor], 1
    for depth in range(w.outer):
        dim = w.loops[depth].dim
        for tensor in range(3):
            if TOUCHES[tensor, dim]:
                w.least[tensor] = w.needs[depth + 1, tensor]
        if not TOUCHES[0, dim]:
            w.words[0, 0] *= w.lasts[dim] + 1
        if TOUCHES[2, dim]:
            w.words[2, 0] = w.passes[2]
        else:
            w.passes[2] *= w.lasts[dim] + 1
    w.words[1, 0] = w.extents[0] * w.extents[1] * w.extents[3] * _turns(w, 2, _status(w.positions[2], NEVER, NEVER))
    for axis in range(2):
        status_y, status_r = _status(w.positions[6 + axis], NEVER, NEVER), _status(w.positions[4 + axis], NEVER, NEVER)
        w.words[1, 0] *= _standing(w, axis, status_y, status_r)
    for tensor in range(3):
        w.need[tensor, 0], w.depth[tensor, 0] = w.least[tensor], w.outer


@leaf
def best_residency(w: Workspace) -> bool:
    """Write w.best.

    Returns whether any choice of depths fits; the least off-chip bits win, then the least need, then the smallest depths of
    W, I, O in this order.
    """
    _write_needs(w)
    w.passes[0], w.passes[1], w.passes[2] = tile_words(
        w.extents, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1]
    )
    _write_links(w)
    if w.machine.keeps:
        _write_depths(w)
    else:
        _write_full_depth(w)
    best, units, l2 = w.best, w.machine.offchip_word_units, w.machine.l2
    best.need_bytes = least_traffic = np.iinfo(np.int64).max
    fits = False
    n_w, n_i, n_o = w.depths[0], w.depths[1], w.depths[2]
    for p in range(n_w):
        for q in range(n_i):
            need_w, need_i = w.need[0, p], w.need[1, q]
            left_w, left_i, room = left_in(l2, need_w, need_i, 0)
            r = 0
            while r < n_o and w.need[2, r] > room:  # of those that fit, the first has the least words
                r += 1
            if r == n_o or min(left_w, left_i) < 0:
                continue
            size = need_w + need_i + w.need[2, r]
            traffic = w.words[0, p] * units[0] + w.words[1, q] * units[1] + 2 * w.words[2, r] * w.machine.offchip_sum_units
            if traffic < least_traffic or (traffic == least_traffic and size < best.need_bytes):
                least_traffic = traffic
                best.words[0], best.words[1], best.words[2] = w.words[0, p], w.words[1, q], w.words[2, r]
                best.needs[0], best.needs[1], best.needs[2] = need_w, need_i, w.need[2, r]
                best.depths[0], best.depths[1], best.depths[2] = w.depth[0, p], w.depth[1, q], w.depth[2, r]
                best.need_bytes = size
                fits = True
    return fits
