"""The least words L2 -> L1 and fills of the L1s, from the loops that are chosen.

Each time that a loop which a tensor lacks turns outside a loop that moves the tensor, all of it passes again. A loop whose place is
still open may move it too, inside all that have a place: that of a dim which is shared out, if the units' chunks do not cover its
tile at once, and one loop or another where the tensor's tile does not fit the L1s of all PEs together.

Where windows slide, chunks of y' and r of some lengths need at least needed(y', r) / (y' r) rows for each pair (y', r): the longer
the chunks the fewer.
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.state import ANEW, SLIDES, STILL, BoundWorkspace
from mapsearch.model.windows import kept, needed


@inlined
def _moving_part(w: BoundWorkspace, dim: int, level: int) -> float:
    """The least part of a dim's coordinates that stand in tiles over which its loop at a level iterates."""
    tile, part = w.extents[dim], 1.0
    for above in range(level):
        chunk = w.size[above, dim]
        edge = tile % chunk
        if above < level - 1 or edge <= abs(w.size[level, dim]) * w.share[dim, level]:
            part *= (tile - edge) / tile
        tile = chunk
    return part


@leaf
def passes(w: BoundWorkspace, tensor: int, level: int, place: int) -> tuple[float, float]:
    """How often a tensor passes (turns; the same at each active unit) if the loop at a level and place moves it."""
    turns, copies = 1.0, 1.0
    for i in range(w.n_lacks[tensor]):
        dim = w.lacks[tensor, i]
        outer = level + 1 if level >= 0 and w.place[dim, level] < place else level
        outer = max(0, min(outer, w.known[dim]))
        turns *= w.outer_turns[dim, outer]
        copies *= w.outer_copies[dim, outer]
    return float(turns), float(copies)


@inlined
def _outer(w: BoundWorkspace, dim: int, level: int, place: int) -> int:
    """How many levels' loops of a dim turn outside or at a level and place, of those that are known."""
    return int(min(w.known[dim], level + 1 if w.place[dim, level] <= place else level))


@inlined
def _turns_outside(w: BoundWorkspace, dim: int, level: int) -> bool:
    """Whether a dim's loops iterate outside a level."""
    tile = w.extents[dim]
    for above in range(level):
        chunk = w.size[above, dim]
        if chunk * w.share[dim, above] < tile:
            return True
        tile = chunk
    return False


@inlined
def standing_times(w: BoundWorkspace, axis: int, y: int, r: int) -> float:
    """How many times the layer's rows come, one by one, if all chunks of at most y outputs and r taps come anew."""
    return float(w.per_row[axis] * needed(y, r, w.windows[axis, 0], w.windows[axis, 1]) / (y * r))


@leaf
def tapping_times(w: BoundWorkspace, axis: int, y: int, r: int, tile: int) -> float:
    """The same at least where chunks of r of a tile of R come in turn: of each but the first, what the one before had not."""
    whole_y, whole_r, a, b = w.extents[6 + axis], w.extents[4 + axis], w.windows[axis, 0], w.windows[axis, 1]
    steps = whole_r // tile * (tile // r - 1)
    new = needed(y, r, a, b) - kept(y, r, y, r, 0, r, a, b)
    return float(whole_y * steps * new) / (y * needed(whole_y, whole_r, a, b))


@inlined
def _slid(w: BoundWorkspace, loop: int) -> tuple[float, float]:
    """How many times the rows and columns of I come, to all units together and to one, by the loops down to one."""
    level, place, moving = loop // 64, loop // 8 % 8, loop % 8
    together, alone = 1.0, 1.0
    for axis in range(2):
        y, r = 6 + axis, 4 + axis
        if w.moved[1, y] != SLIDES:
            continue
        outer_y, outer_r = _outer(w, y, level, place), _outer(w, r, level, place)
        all_y, one_y, all_r, one_r = w.reach[y, outer_y], w.each[y, outer_y], w.reach[r, outer_r], w.each[r, outer_r]
        if moving == r:
            tile = w.extents[r] if level == 0 else w.size[level - 1, r]
            shared = all_r != one_r or w.extents[r] != tile
            together *= 0.0 if shared else tapping_times(w, axis, all_y, all_r, tile)
            alone *= 0.0 if shared else tapping_times(w, axis, one_y, one_r, tile)
            continue
        if moving == y:
            all_y = one_y = w.extents[y]
            if _turns_outside(w, y, level):
                all_r = one_r = w.extents[r]
        times = standing_times(w, axis, all_y, all_r)
        together *= times
        alone *= times if all_y == one_y and all_r == one_r else standing_times(w, axis, one_y, one_r)
    if moving >= 6 and loop == w.slid:
        together *= w.fresh
        alone *= w.fresh
    return together, alone


@leaf
def _offer(w: BoundWorkspace, tensor: int, loop: int) -> None:
    """Raise a tensor's words and fills to the least that they are if a loop moves it."""
    level, place = loop // 64, loop // 8 % 8
    turns, copies = passes(w, tensor, level, place)
    part = _moving_part(w, loop % 8, level) if level > 0 else 1.0
    rest = 1.0 - part
    if tensor == 1:
        together, alone = _slid(w, loop)
        turns *= together
        copies *= alone
        rest = 0.0 if loop % 8 >= 4 else rest
    w.words[tensor] = max(w.words[tensor], w.whole[tensor] * (rest + part * turns))
    w.fills[tensor] = max(w.fills[tensor], w.whole[tensor] * (rest + part * copies))


@leaf
def full_part(w: BoundWorkspace, dim: int) -> float:
    """The part of a dim in full tiles, in all units, of its innermost chosen size."""
    part, tile = 1.0, w.extents[dim]
    for level in range(w.sized[dim]):
        step = abs(w.size[level, dim]) * w.share[dim, level]
        if step < tile or w.share[dim, level] > 1:
            part *= tile // step * step / tile
        tile = abs(w.size[level, dim])
    return part


@inlined
def _offer_inside(w: BoundWorkspace, tensor: int) -> None:
    """Raise the words of W or O where its tile does not fit the L1s of all PEs of a unit at once, so that a loop inside moves it.

    All units move on where unit 0 does: in full tiles. The loop is open, so it is inside those that have a place.
    """
    words, level = 1.0, w.chosen - 1
    for i in range(w.n_dims):
        dim = w.dims[i]
        if w.moved[tensor, dim] != STILL:
            words *= w.tile[dim]
            level = min(level, int(w.known[dim]))
    l1 = w.machine.l1
    room = float(l1.bytes[l1.of[tensor]] << l1.byte_shift) / l1.copies[tensor]
    if level >= 0 and words * l1.word_units[tensor] > room * w.open_units:
        turns, _ = passes(w, tensor, level, 8)
        part = 1.0
        for i in range(w.n_dims):
            if w.moved[tensor, w.dims[i]] != STILL:
                part *= full_part(w, w.dims[i])
        w.words[tensor] = max(w.words[tensor], w.whole[tensor] * (1.0 - part + part * turns))


@inlined
def least_words(w: BoundWorkspace) -> None:
    """Write the least words and fills of W, I and O."""
    for tensor in range(3):
        w.words[tensor] = w.fills[tensor] = w.whole[tensor]
        if w.last[tensor] >= 0:
            _offer(w, tensor, w.last[tensor])
        elif tensor != 1 or w.slid < 0:
            _, copies = passes(w, tensor, -1, -1)
            w.fills[tensor] *= copies
    if w.slid >= 0:
        _offer(w, 1, w.slid)
    if w.tapped >= 0:
        _offer(w, 1, w.tapped)
    if w.pending >= 0:
        for tensor in range(3):
            if w.moved[tensor, w.pending % 8] == ANEW:
                _offer(w, tensor, w.pending)
    if not w.is_whole:
        _offer_inside(w, 0)
        _offer_inside(w, 2)
