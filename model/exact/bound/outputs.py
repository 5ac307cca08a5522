"""What fills of O save: an L1 reads none of the outputs that it starts at zero, so PEs that sum up an output together read less.

With a reducing network a fill of O costs less than nothing, and the bound needs the most fills instead of the least: no more than
`summing` for each word of O, and no more than there are chunks of C, R and S. Two cases differ in these. Either no loop still open
of C, R or S turns outside one that moves O (STANDING); or one does, and moves W with it (TURNING).
"""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.bound.state import SLIDES, STANDING, STILL, TURNING, BoundWorkspace
from mapsearch.model.exact.bound.words import full_part, passes
from mapsearch.model.records import Floats


@inlined
def _may_move(w: BoundWorkspace, dim: int) -> bool:
    """Whether a loop of the dim may still be chosen that iterates."""
    return bool(w.known[dim] < w.levels and (w.known[dim] < w.chosen or w.tile[dim] > 1))


@inlined
def _may_move_outputs(w: BoundWorkspace) -> bool:
    moves = False
    for i in range(w.n_dims):
        moves = moves or (w.moved[2, w.dims[i]] != STILL and _may_move(w, w.dims[i]))
    return moves


@inlined
def _turn(w: BoundWorkspace, dim: int) -> None:
    """Lower w.turning_w to the words and fills of W if an open loop of a dim of W iterates: inside all loops that have a place."""
    turns, copies = passes(w, 0, min(w.known[dim], w.chosen - 1), 8)
    part = full_part(w, dim)
    w.turning_w[0] = min(w.turning_w[0], w.whole[0] * (1.0 - part + part * turns))
    w.turning_w[1] = min(w.turning_w[1], w.whole[0] * (1.0 - part + part * copies))


@inlined
def _first_units(w: BoundWorkspace, dim: int, tile: int, outer: int) -> float:
    """Units that have some of a tile of a dim while the loops of its inner levels, as far as they are known, stand at index 0."""
    units, more = 0.0, 1.0  # of the units that the levels so far left with an edge chunk there is one
    for level in range(outer, w.known[dim]):
        more *= w.share[dim, level]
    for level in range(outer, w.known[dim]):
        chunk, share = w.size[level, dim], w.share[dim, level]
        if tile >= chunk * share:
            return float(units + more)
        more /= share
        units += more * (tile // chunk)
        tile %= chunk
        if tile == 0:
            return float(units)
    return float(units + 1.0)


@leaf
def _write_most_copies(w: BoundWorkspace, dim: int) -> None:
    """Write w.most_copies of a dim, from its chunks of each length and the units that share out each of them."""
    w.edges[0], w.many[0] = w.extents[dim], 1.0
    lengths = 1
    for outer in range(w.known[dim] + 1):
        copies = 0.0
        for i in range(lengths):
            if w.many[i] > 0.0:
                copies += w.many[i] * _first_units(w, dim, int(w.edges[i]), outer)
        w.most_copies[dim, outer] = copies
        if outer < w.known[dim]:
            chunk, whole = w.size[outer, dim], 0.0
            for i in range(lengths):
                whole += w.many[i] * (w.edges[i] // chunk)
                w.edges[i] %= chunk
                w.many[i] = w.many[i] if w.edges[i] > 0 else 0.0
            w.edges[lengths], w.many[lengths] = chunk, whole
            lengths += 1


@leaf
def _limit_fills(w: BoundWorkspace, further: float) -> None:
    """Write w.most_fills and w.turning_w; further: PEs at the levels to come that sum up an output together at most."""
    level, place = w.last[2] // 64, w.last[2] // 8 % 8
    moves = _may_move_outputs(w)
    most, standing, turning = 1.0, further, 1.0 if moves else further
    w.turning_w[0] = w.turning_w[1] = 1e300
    for i in range(w.n_lacks[2]):
        dim = w.lacks[2, i]
        known = w.known[dim]
        if w.uncounted >> dim & 1:
            _write_most_copies(w, dim)
        outer = known
        if not moves:
            outer = max(0, min(known, level + 1 if level >= 0 and w.place[dim, level] < place else level))
        copies = w.most_copies[dim, outer] * w.shares[dim, 1]
        standing *= copies
        turning *= w.extents[dim] if moves and known < w.levels else copies
        if moves and _may_move(w, dim):
            _turn(w, dim)
        most *= w.extents[dim]
    w.uncounted = 0
    w.most_fills[STANDING] = w.whole[2] * min(most, standing)
    w.most_fills[TURNING] = w.whole[2] * min(most, turning)
    w.turning_w[0], w.turning_w[1] = max(w.words[0], w.turning_w[0]), max(w.fills[0], w.turning_w[1])


@leaf
def limit_outputs(w: BoundWorkspace) -> None:
    """Write how many PEs sum up an output together at most, and the most fills of O."""
    summing, over_c, tiles, most = 1.0, 1.0, 1.0, 1.0
    for i in range(w.n_lacks[2]):
        dim = w.lacks[2, i]
        if w.moved[1, dim] < SLIDES:
            over_c *= w.shares[dim, 0] * (min(w.open_units, w.tile[dim]) if w.chosen < w.levels else 1)
        summing *= w.shares[dim, 0]
        tiles *= w.tile[dim]
        most *= w.extents[dim]
    further = min(float(w.open_units), float(tiles)) if w.chosen < w.levels else 1.0
    w.summing, w.summing_c = float(min(summing * further, most)), float(over_c)
    if w.summing > 1.0:
        _limit_fills(w, further)
    else:  # as many as words
        w.most_fills[STANDING] = w.most_fills[TURNING] = w.whole[2] * most


@inlined
def outputs(w: BoundWorkspace, per_fill: float, per_word: float, together: float, most: float) -> float:
    """The least that fills and words of O come to, if at most so many PEs sum up an output together, and fills are `most` in all.

    Where a fill costs less than nothing, the more the better.
    """
    if per_fill >= 0.0:
        return float(per_fill * w.fills[2] + per_word * w.words[2])
    words = w.words[2]
    if per_word + per_fill * together < 0.0:
        words = max(words, most / together)
    return float(per_word * words + per_fill * min(words * together, most))


@inlined
def worth_summing(w: BoundWorkspace, per_fill: Floats, per_word: Floats) -> float:
    """How many PEs may sum up an output together so that it pays: those of R and S fill I anew, one by one."""
    gain = -per_fill[2] * w.summing_c * w.words[2]
    if gain > 0.0 and per_word[2] + per_fill[2] * w.summing >= 0.0 and gain <= per_fill[1] * w.apart:
        return float(min(w.summing, w.summing_c * w.fills[1] / w.apart))
    return w.summing


@inlined
def fill_share(w: BoundWorkspace, dim: int) -> float:
    """The most fills of O for each MAC where a dim has the innermost loop that iterates: 1 unless O lacks it.

    All of a tile of the dim comes to the outputs of one fill of the units that share it out, which are fewer than its length as the
    loop iterates. In edge chunks of the levels further out there may be a fill for each MAC. Only of the innermost level.
    """
    level = w.levels - 1
    if w.moved[2, dim] != STILL or w.known[dim] != level or w.deep < 0 or w.deep % 8 == dim:
        return 1.0
    part, tile = 1.0, w.extents[dim]
    for above in range(level):
        chunk = w.size[above, dim]
        part *= (tile - tile % chunk) / tile
        tile = chunk
    units = 1
    if w.chosen == level:
        units = w.open_units
    elif w.spatial[level] == dim:
        units = w.units[level]
    return float(1.0 - part + part * min(units, tile - 1) / tile) if tile > 1 else 1.0


@inlined
def most_filled(w: BoundWorkspace, dim: int) -> float:
    """The most fills of O for each of I where N, Y' or X' has the innermost loop, which moves both; without limit for other dims.

    A word of I serves all of K of a tile. Where R (S) iterates further out, its steps may lend half of each pass of Y' (X'), and
    more in the edge chunks of each level.
    """
    if dim != 1 and dim < 6:
        return np.inf
    most = float(w.box[2])
    if w.moved[1, dim] != SLIDES:
        return most
    levels, tile = 0, w.extents[dim - 2]
    for level in range(w.known[dim - 2]):
        chunk = w.size[level, dim - 2]
        levels += chunk * w.share[dim - 2, level] < tile
        tile = chunk
    if w.known[dim - 2] < w.levels and tile > 1:
        levels += w.levels - w.known[dim - 2]
    return most * max(1, 2 * levels)


@inlined
def worth_filling(
    per_fill: float, per_word: float, each: float, paid: float, most: float, words: float, summing: float
) -> float:  # fmt: skip
    """How many fills of O pay, of `most`, if each costs `each` elsewhere, of which `paid` comes anyway.

    More of them, up to `summing` for each word of O, save per_fill; still more come with words of their own.
    """
    if each >= -per_fill:
        return min(paid / each, most)
    if each >= -per_fill - per_word / summing:
        return min(max(paid / each, words * summing), most)
    return most
