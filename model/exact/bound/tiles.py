"""The least that words and fills come to where tiles are yet to be chosen: the best of what `bound_reuse` leaves."""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.outputs import fill_share, most_filled, outputs, worth_filling, worth_summing
from mapsearch.model.exact.bound.reuse import FIRST, KIND_DIMS, KINDS, SECOND, STAYING, gain
from mapsearch.model.exact.bound.state import SLIDES, STANDING, TURNING, BoundWorkspace
from mapsearch.model.records import Floats
from mapsearch.model.windows import tile_words

# Columns of what a word of a tensor serves: W, I, O; I where the innermost loop slides Y' (X'); I where it slides R (S).
BY_SLIDING, BY_TAPS, COLUMNS = 3, 4, 5
TENSOR = (0, 1, 2, 1, 1)
SLIDE_OF_ROWS, SLIDE_OF_COLUMNS = (0, 2, 0, 0, 1, 0, 0, 0), (0, 0, 2, 0, 0, 1, 0, 0)  # of a kind: of w.gains
SECOND_COLUMN = (1, BY_TAPS, BY_TAPS, 1, BY_SLIDING, BY_SLIDING, 2, 1)

# Groups of dims, by dim: those that W lacks, that I lacks, that O lacks; the filter's apart, whose units share rows of I.
GROUPS = 4
GROUP_OF_DIM = (-1, 0, 1, 2, 3, 3, 0, 0)
LACKING = (0, 1, 2, 2)  # the tensor without the group's dims
OVER_ROWS = (True, False, False, True)


@inlined
def _groups(w: BoundWorkspace) -> float:
    """Write w.box, w.spread[0, :3] as far as chosen, and w.more[group], units that a level to come may share a group out over.

    Returns over how many units rows and columns of I are shared out so far.
    """
    rows = 1.0
    for group in range(GROUPS):
        w.more[group] = 1
    for tensor in range(3):
        w.spread[0, tensor] = 1.0
    for dim in range(8):
        sized, group = w.sized[dim], GROUP_OF_DIM[dim]
        if w.extents[dim] == 1:
            w.box[dim] = 1
            continue
        w.box[dim] = abs(w.size[sized - 1, dim]) if sized > 0 else w.extents[dim]
        share = 1
        for level in range(w.chosen):
            if w.spatial[level] == dim:
                share *= w.share[dim, level] if level < sized else min(w.units[level], w.box[dim])
        if group >= 0:
            w.spread[0, LACKING[group]] *= share
            w.more[group] = max(w.more[group], min(w.open_units, w.box[dim]))
        if w.moved[1, dim] >= SLIDES:
            rows *= share
    return rows


@inlined
def _write_way(w: BoundWorkspace, way: int, of_w: float, of_i: float, of_o: float, rows: float) -> None:
    """Write w.spread[way]; rows: units over which rows and columns of I are shared out, which may have some of them in common."""
    w.spread[way, 0], w.spread[way, 2] = of_w, of_o
    w.spread[way, 1] = of_i * min(rows, w.common[0])
    w.spread[way, BY_SLIDING] = of_i * min(rows, w.common[1])
    w.spread[way, BY_TAPS] = of_i * rows


@inlined
def _ways(w: BoundWorkspace, rows: float) -> int:
    """Write w.spread[way], how many PEs a word of W, I, O serves in a step at most; returns the number of ways.

    A way: which group of dims the level to come shares out; where several levels are, each shares out all.
    """
    left = w.levels - w.chosen
    of_w, of_i, of_o = w.spread[0, 0], w.spread[0, 1], w.spread[0, 2]
    if left != 1:
        most = float(w.open_units)
        over_k, over_y, over_r = (
            min(most, float(w.more[1]) ** left),
            min(most, float(w.more[0]) ** left),
            min(most, float(w.more[3]) ** left),
        )
        over_c = min(most, float(max(w.more[2], w.more[3])) ** left)
        _write_way(w, 0, of_w * over_y, of_i * over_k, of_o * over_c, rows * max(over_y, over_r))
        return 1
    ways = 0
    for group in range(GROUPS):
        more = float(w.more[group])
        if more > 1.0 or (group == GROUPS - 1 and ways == 0):
            tensor = LACKING[group]
            _write_way(
                w, ways, of_w * (more if tensor == 0 else 1.0), of_i * (more if tensor == 1 else 1.0),
                of_o * (more if tensor == 2 else 1.0), rows * (more if OVER_ROWS[group] else 1.0),
            )  # fmt: skip
            ways += 1
    return ways


@inlined
def _may_stay_whole(w: BoundWorkspace) -> bool:
    """Whether the L1s may hold all that w.box says, so that no loop that is open need iterate."""
    l1, left = w.machine.l1, w.open_units if w.chosen < w.levels else 1
    for level in range(w.chosen):
        dim = w.spatial[level]
        if dim >= 0 and level >= w.sized[dim]:
            left *= w.units[level]
    words = tile_words(w.box, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])
    fits = True
    for room in range(3):
        need = 0.0
        for tensor in range(3):
            if l1.of[tensor] == room:
                need += float(words[tensor]) * l1.word_units[tensor] * l1.copies[tensor]
        fits = fits and need <= float(l1.bytes[room] << l1.byte_shift) * left
    return fits


@inlined
def _part(w: BoundWorkspace, dim: int, may_stay: bool) -> float:
    """The least part of the MACs in tiles over which a dim's loop iterates, if that is the innermost; 0 where it cannot be.

    A loop does not iterate in an edge chunk of those further out, which may be nearly half of each level still open.
    """
    part, tile = 1.0, w.extents[dim]
    is_open = (w.box[dim] > 1 and w.chosen < w.levels) or w.known[dim] < w.chosen
    if not (is_open or (may_stay and w.deep >= 0 and w.deep % 8 == dim)):
        return 0.0
    for level in range(w.known[dim] if is_open else w.deep // 64):
        chunk = w.size[level, dim]
        part *= (tile - tile % chunk) / tile
        tile = chunk
    if is_open:
        for _ in range(w.levels - 1 - w.known[dim]):
            part *= 0.5
    return part


@inlined
def _limits(w: BoundWorkspace) -> None:
    """Write w.kinds, the kinds of loops that the layer has, their w.part, and w.limits: least words a MAC of their tensors."""
    for axis in range(2):
        y, r, a, c = w.box[6 + axis], w.box[4 + axis], w.windows[axis, 0], w.windows[axis, 1]
        w.gains[axis, 0] = gain(y, r, a, c)
        w.gains[axis, 1] = w.gains[axis, 2] = 1.0
        if w.moved[1, 6 + axis] == SLIDES:
            w.gains[axis, 1], w.gains[axis, 2] = 2.0 * r / min(c, r), 2.0 * y / min(a, y)
    of_w, of_o = 1.0 / (w.box[1] * w.box[6] * w.box[7]), 1.0 / (w.box[3] * w.box[4] * w.box[5])
    w.n_kinds, may_stay = 0, _may_stay_whole(w)
    for kind in range(KINDS):
        dim = KIND_DIMS[kind]
        if w.extents[dim] > 1:
            gains = w.gains[0, SLIDE_OF_ROWS[kind]] * w.gains[1, SLIDE_OF_COLUMNS[kind]]
            w.part[kind], w.fill_share[kind], w.filled[kind] = _part(w, dim, may_stay), fill_share(w, dim), most_filled(w, dim)
            w.limits[kind, 0] = of_w if FIRST[kind] == 0 else of_o
            w.limits[kind, 1] = of_o if SECOND[kind] == 2 else 1.0 / (w.box[2] * gains)
            _choose_points(w, kind)
            w.kinds[w.n_kinds] = kind
            w.n_kinds += 1


@inlined
def _choose_points(w: BoundWorkspace, kind: int) -> None:
    """Write w.from_point and w.to_point, without the points that the limits leave no better than others.

    Along the points the words of the first tensor rise, and those of the second fall.
    """
    first, last = 0, w.n_points[kind] - 1
    while first < last and w.points[kind, first + 1, 0] <= w.limits[kind, 0]:
        first += 1
    end = first
    while end < last and w.points[kind, end, 1] > w.limits[kind, 1]:
        end += 1
    w.from_point[kind], w.to_point[kind] = first, end + 1 if last >= 0 else 0


@leaf
def prepare(w: BoundWorkspace) -> None:
    """Write what `least_sum` takes of mapping b; of a whole one the fills and words by its loops say nearly all."""
    w.n_ways = w.n_kinds = 0
    if not w.is_whole:
        w.n_ways = _ways(w, _groups(w))
        _limits(w)


@inlined
def _cases(w: BoundWorkspace, per_fill: Floats, per_word: Floats) -> int:
    """The number of cases that differ: 1 where fills of O cost something, or the most of them make no difference."""
    if per_fill[2] >= 0.0 or w.most_fills[STANDING] >= w.most_fills[TURNING]:
        return 1
    is_enough = w.most_fills[STANDING] >= w.summing * w.words[2] and per_word[2] + per_fill[2] * w.summing >= 0.0
    return 1 if is_enough else 2


@inlined
def _sum_of_case(w: BoundWorkspace, per_fill: Floats, per_word: Floats, case: int) -> float:
    """Write w.cost of W and I, and return the least sum of fills and words that the chosen loops move, each times its weight."""
    fills, words = (w.turning_w[1], w.turning_w[0]) if case == TURNING else (w.fills[0], w.words[0])
    w.cost[0] = per_fill[0] * fills + per_word[0] * words
    w.cost[1] = per_fill[1] * w.fills[1] + per_word[1] * w.words[1]
    together = worth_summing(w, per_fill, per_word)
    return float(w.cost[0] + w.cost[1] + outputs(w, per_fill[2], per_word[2], together, w.most_fills[case]))


@leaf
def chosen_sum(w: BoundWorkspace, per_fill: Floats, per_word: Floats) -> float:
    """The sum of the fills and words of W, I and O that the chosen loops move at least, each times its weight."""
    least = np.inf
    for case in range(_cases(w, per_fill, per_word)):
        least = min(least, _sum_of_case(w, per_fill, per_word, case))
    return float(least)


@leaf
def least_sum(w: BoundWorkspace, per_fill: Floats, per_word: Floats) -> float:
    """The least sum of fills and words of W, I and O, each times its weight, whatever is chosen further."""
    for way in range(w.n_ways):
        for column in range(COLUMNS):
            tensor = TENSOR[column]
            w.per_mac[way, column] = w.macs * (per_fill[tensor] + per_word[tensor] / w.spread[way, column])
    least = np.inf
    for case in range(_cases(w, per_fill, per_word)):
        least = min(least, _least_of_case(w, per_fill, per_word, case))
    return float(least)


@leaf
def _least_of_case(w: BoundWorkspace, per_fill: Floats, per_word: Floats, case: int) -> float:
    """The least sum in one case.

    Edge chunks may leave several kinds of loops innermost, in turn. So it is no less than the tiles' words of the best kind, nor
    than those of the best that may be innermost, in its part, with all that the chosen loops move at least.
    """
    chosen = _sum_of_case(w, per_fill, per_word, case)
    alone, together = np.inf, np.inf
    for i in range(w.n_kinds):
        kind = int(w.kinds[i])
        for way in range(w.n_ways):
            if w.per_mac[way, 2] >= 0.0:
                one, two = _least_of_kind(w, kind, way, outputs(w, per_fill[2], per_word[2], w.spread[way, 2], w.most_fills[case]))
            else:
                one, two = _least_of_summed(w, kind, way, per_fill[2], per_word[2], w.most_fills[case])
            alone, together = min(alone, one), min(together, two)
        if alone <= chosen and together <= chosen:
            return chosen
    least = chosen
    if alone < np.inf:
        least = max(least, alone)
    return float(max(least, together) if together < np.inf else least)


@inlined
def _least_of_kind(w: BoundWorkspace, kind: int, way: int, of_outputs: float) -> tuple[float, float]:
    """What the words of tiles come to at least, if all are of one kind; and if it has its part, with what the chosen loops move."""
    w.cost[2] = of_outputs
    one, two, part = FIRST[kind], SECOND[kind], w.part[kind]
    alone, together = np.inf, np.inf
    for point in range(w.from_point[kind], w.to_point[kind]):
        of_one = w.per_mac[way, one] * max(w.points[kind, point, 0], w.limits[kind, 0])
        of_two = w.per_mac[way, SECOND_COLUMN[kind]] * max(w.points[kind, point, 1], w.limits[kind, 1])
        alone = min(alone, of_one + of_two)
        if part > 0.0:
            moved = max(w.cost[one], part * of_one) + max(w.cost[two], part * of_two)
            together = min(together, w.cost[STAYING[kind]] + moved)
    return float(alone), float(together)


@leaf
def _least_of_summed(
    w: BoundWorkspace, kind: int, way: int, per_fill: float, per_word: float, limit: float
) -> tuple[float, float]:  # fmt: skip
    """The same where so many PEs sum up an output together that its words come to less than nothing, and the more the better."""
    column, part, summing = SECOND_COLUMN[kind], w.part[kind], w.spread[way, 2]
    per_w = w.per_mac[way, 0] if FIRST[kind] == 0 else 0.0
    per_i = w.per_mac[way, column] if SECOND[kind] == 1 else 0.0
    most, each = min(limit, w.macs * w.fill_share[kind]), per_i / (w.macs * w.filled[kind])  # each: of I for a fill of O
    is_open = limit >= w.macs  # else the kinds share in the limit, and none has one of its own
    others = (1.0 - part) * w.macs
    alone, together = np.inf, np.inf
    for point in range(w.from_point[kind], w.to_point[kind]):
        of_w = per_w * max(w.points[kind, point, 0], w.limits[kind, 0])
        of_i = per_i * max(w.points[kind, point, 1], w.limits[kind, 1])
        fills = worth_filling(per_fill, per_word, each, of_i, most, 0.0, summing) if is_open else limit
        alone = min(alone, fills * w.per_mac[way, 2] / w.macs + of_w + max(of_i, each * fills if is_open else 0.0))
        if part > 0.0:
            of_i = max(w.cost[1], part * of_i)
            fills = worth_filling(per_fill, per_word, each, of_i + each * others, most, w.words[2], summing)
            of_i = max(of_i, each * (fills - others))
            together = min(together, max(w.cost[0], part * of_w) + of_i + outputs(w, per_fill, per_word, summing, fills))
    return float(alone), float(together)
