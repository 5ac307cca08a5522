"""What fills of O save: an L1 reads none of the outputs that it starts at zero, so PEs that sum up an output together read less.

With a reducing network a fill of O costs less than nothing, and the bound needs the most fills instead of the least: no more than
`summing` for each word of O, and no more than chunks of C, R and S. Two cases differ in these. Either no loop still open of C, R or S
turns outside one that moves O (STANDING); or one does, and moves W with it (TURNING).
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
    for i in range(w.n_dims):
        if w.moved[2, w.dims[i]] != STILL and _may_move(w, w.dims[i]):
            return True
    return False


@inlined
def _known_shares(w: BoundWorkspace, dim: int, first: int) -> float:
    """The most units that share the dim out at the levels from `first` on whose units are chosen."""
    shares = 1.0
    for level in range(first, w.chosen):
        if w.spatial[level] == dim:
            shares *= w.share[dim, level] if level < w.sized[dim] else min(w.units[level], w.tile[dim])
    return shares


@inlined
def _turn(w: BoundWorkspace, dim: int) -> None:
    """Lower w.turning_w to the words and fills of W if an open loop of a dim of W iterates: inside all loops that have a place."""
    turns, copies = passes(w, 0, min(w.known[dim], w.chosen - 1), 8)
    part = full_part(w, dim)
    w.turning_w[0] = min(w.turning_w[0], w.whole[0] * (1.0 - part + part * turns))
    w.turning_w[1] = min(w.turning_w[1], w.whole[0] * (1.0 - part + part * copies))


@leaf
def limit_outputs(w: BoundWorkspace) -> None:
    """Write w.summing, w.summing_c, w.most_fills and w.turning_w."""
    level, place = w.last[2] // 64, w.last[2] // 8 % 8
    moves = _may_move_outputs(w)
    most, standing, turning, summing, over_c, tiles = 1.0, 1.0, 1.0, 1.0, 1.0, 1.0
    w.turning_w[0] = w.turning_w[1] = 1e300
    for i in range(w.n_lacks[2]):
        dim = w.lacks[2, i]
        known = w.known[dim]
        shares = _known_shares(w, dim, 0)
        outer = known
        if not moves:
            outer = max(0, min(known, level + 1 if level >= 0 and w.place[dim, level] < place else level))
        copies = w.most_copies[dim, outer] * _known_shares(w, dim, known)
        standing *= copies
        turning *= w.extents[dim] if moves and known < w.levels else copies
        if moves and _may_move(w, dim):
            _turn(w, dim)
        if w.moved[1, dim] < SLIDES:
            over_c *= shares * (min(w.open_units, w.tile[dim]) if w.chosen < w.levels else 1)
        summing *= shares
        tiles *= w.tile[dim]
        most *= w.extents[dim]
    further = min(float(w.open_units), tiles) if w.chosen < w.levels else 1.0
    w.summing, w.summing_c = min(summing * further, most), over_c
    w.most_fills[STANDING] = w.whole[2] * min(most, standing * further)
    w.most_fills[TURNING] = w.whole[2] * min(most, turning * further)
    w.turning_w[0], w.turning_w[1] = max(w.words[0], w.turning_w[0]), max(w.fills[0], w.turning_w[1])


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
    """The most fills of O for each of I where N, Y' or X' has the innermost loop that iterates, which moves both; else without limit.

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
