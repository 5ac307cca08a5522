"""How long the MACs of a step take where zeros of W or of I take no time.

All PEs end a step together, so the PE whose tile has the most non-zeros counts. Of non-zeros anywhere, each tile of t words has
X ~ Hypergeometric(words, non-zeros, t), and the most to be expected in Q tiles, taken as independent, are the sum over all j of
1 - P(X <= j)^Q. Non-zeros are density * words on average: the whole number below it or that above, each as often as that takes.
With a pattern n:m whole groups have n of m, and only what a tile cuts off of groups is left to chance.

Each weight of a tile serves as many MACs as each other, and PEs form a grid along whose axes W and I vary. So the MACs of a
step shrink by the shares of both.

Where words lie in lanes, as in a core of outer products, each reduction index takes a turn for every so many non-zeros of its slice
of W, times those of I; over many indices, turns come to their mean, on all PEs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.workspace import MAX_MAXIMA, Workspace
from mapsearch.model.records import SHARE_ROUNDING

Floats = NDArray[np.float64]

# Columns of a tile's row, of W and then of I: words on unit 0; tiles, of active units; length along a pattern's dim; words that lie
# in lanes, those of unit 0 of one reduction index.
WORDS, TILES, LENGTH, SLICE = 0, 1, 2, 3
OF_A_TENSOR = 4
NEGLIGIBLE = 1e-30  # of the likeliest number's weight


@inlined
def _ratio(words: float, nonzeros: float, tile: float, j: float) -> float:
    """How much likelier j + 1 non-zeros in a tile are than j."""
    return (nonzeros - j) * (tile - j) / ((j + 1.0) * (words - nonzeros - tile + j + 1.0))


@inlined
def _range(words: float, nonzeros: float, tile: float) -> tuple[float, float, float]:
    """The least, the most and the likeliest non-zeros of a tile."""
    least, most = max(0.0, tile - (words - nonzeros)), min(tile, nonzeros)
    return least, most, min(max(np.floor((tile + 1.0) * (nonzeros + 1.0) / (words + 2.0)), least), most)


@leaf
def _whole_most(words: float, nonzeros: float, tile: float, tiles: float) -> float:
    """As `expected_most`, of a whole number of non-zeros."""
    least, most, mode = _range(words, nonzeros, tile)
    total = weight = 1.0  # in weights of the mode
    j = mode
    while j > least and weight > NEGLIGIBLE:
        j -= 1.0
        weight /= _ratio(words, nonzeros, tile, j)
        total += weight
    weight, j = 1.0, mode
    while j < most and weight > NEGLIGIBLE:
        weight *= _ratio(words, nonzeros, tile, j)
        j += 1.0
        total += weight
    found, above = 0.0, 0.0  # from the top down, where all that is above is small
    while j > least:
        above += weight / total  # P(X >= j)
        j -= 1.0
        some = -np.expm1(tiles * np.log1p(-above)) if above < 1.0 else 1.0  # the chance that some tile has more than j
        found += some
        if some == 1.0:
            break
        weight /= _ratio(words, nonzeros, tile, j)
    return float(found + j)


@leaf
def expected_most(words: float, nonzeros: float, tile: float, tiles: float) -> float:
    """The most non-zeros to be expected in any of some tiles of so many words; nonzeros: of all words, on average."""
    if tiles == 1.0 or words in (nonzeros, tile):
        return tile * nonzeros / words
    below = float(np.floor(nonzeros))
    found = _whole_most(words, below, tile, tiles)
    rest = nonzeros - below
    return found + rest * (_whole_most(words, below + 1.0, tile, tiles) - found) if rest > 0.0 else found


@leaf
def _whole_turns(words: float, nonzeros: float, tile: float, lanes: float, sure: float) -> float:
    """As `expected_turns`, of a whole number of non-zeros."""
    least, most, mode = _range(words, nonzeros, tile)
    total, found = 1.0, np.ceil((sure + mode) / lanes)
    weight, j = 1.0, mode
    while j > least and weight > NEGLIGIBLE:
        j -= 1.0
        weight /= _ratio(words, nonzeros, tile, j)
        total += weight
        found += weight * np.ceil((sure + j) / lanes)
    weight, j = 1.0, mode
    while j < most and weight > NEGLIGIBLE:
        weight *= _ratio(words, nonzeros, tile, j)
        j += 1.0
        total += weight
        found += weight * np.ceil((sure + j) / lanes)
    return float(found / total)


@leaf
def expected_turns(words: float, nonzeros: float, tile: float, lanes: float, sure: float) -> float:
    """The turns in which so many lanes take the non-zeros of a tile, to be expected; sure: of them, those not left to chance."""
    below = np.floor(nonzeros)
    found, rest = _whole_turns(words, below, tile, lanes, sure), nonzeros - below
    return found + rest * (_whole_turns(words, below + 1.0, tile, lanes, sure) - found) if rest > 0.0 else found


@inlined
def _kept_most(w: Workspace, words: float, nonzeros: float, tile: float, tiles: float) -> float:
    """`expected_most` from w.maxima, which every use fills up; or where tiles are negative, so many lanes, `expected_turns`."""
    key = int(words) * 31 + int(nonzeros) * 17 + int(tile) * 0x9E3779B1 + int(tiles) * 0x85EBCA6B
    kept = w.maxima[(key ^ (key >> 17)) & (MAX_MAXIMA - 1)]
    if kept.words != words or kept.nonzeros != nonzeros or kept.tile != tile or kept.tiles != tiles:
        kept.words, kept.nonzeros, kept.tile, kept.tiles = words, nonzeros, tile, tiles
        if tiles > 0.0:
            kept.found = expected_most(words, nonzeros, tile, tiles)
        else:
            kept.found = expected_turns(words, nonzeros, tile, -tiles, 0.0)
    return float(kept.found)


@inlined
def _share(w: Workspace, tensor: int, row: Floats) -> float:
    """The part of a tensor's words that takes time, in the tile with the most non-zeros."""
    zeros, at = w.machine.zeros, tensor * OF_A_TENSOR
    words, tiles, length = row[at + WORDS], row[at + TILES], row[at + LENGTH]
    of, nonzeros = zeros.words[tensor], zeros.nonzeros[tensor]
    if zeros.along[tensor] < 0:
        return float(_kept_most(w, of, nonzeros, words, tiles) / words)
    rows, cut = words / length, length % of
    sure = rows * (length - cut) / of * nonzeros
    left = _kept_most(w, rows * of, rows * nonzeros, rows * cut, tiles) if cut > 0.0 else 0.0
    return float((sure + left) / words)


@inlined
def _share_of_lanes(w: Workspace, tensor: int, row: Floats) -> float:
    """The turns of a tensor's lanes, over those of its words if all lanes were full."""
    zeros, at = w.machine.zeros, tensor * OF_A_TENSOR
    held, lanes, of, nonzeros = row[at + SLICE], float(zeros.lanes[tensor]), zeros.words[tensor], zeros.nonzeros[tensor]
    if zeros.skipped[tensor] == 0:
        turns = float(np.ceil(held / lanes))
    elif zeros.along[tensor] < 0:
        turns = _kept_most(w, of, nonzeros, held, -lanes)
    else:
        rows, cut = held / row[at + LENGTH], row[at + LENGTH] % of
        sure = rows * (row[at + LENGTH] - cut) / of * nonzeros
        turns = expected_turns(rows * of, rows * nonzeros, rows * cut, lanes, sure)
    return float(turns * lanes / held)


@leaf
def part_left(w: Workspace, row: Floats) -> float:
    """The part of a step's MACs that takes time, of which a row tells the tiles."""
    zeros, part = w.machine.zeros, SHARE_ROUNDING
    for tensor in range(2):
        if zeros.lanes[tensor] > 0:
            part *= _share_of_lanes(w, tensor, row)
        elif zeros.skipped[tensor] == 1:
            part *= _share(w, tensor, row)
    return float(part)
