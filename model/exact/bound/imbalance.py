"""How much longer computing takes at least because PEs wait for the one with the most non-zeros (see `count.zeros`).

The larger a tile, the closer its non-zeros come to their mean: the most of Q tiles of t words is at most the mean, over the word
left out, of the most of their parts of t - 1 words. So a step takes longer by what the largest tile that may be says, on the units
that are known to share the tensor out. How many those are depends on the step, as chunks at an edge leave some idle.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mapsearch.model.compiled import inlined, kernel, leaf
from mapsearch.model.exact.bound.state import BoundWorkspace
from mapsearch.model.exact.count.zeros import expected_most
from mapsearch.model.records import Floats
from mapsearch.model.tensors import TOUCHES
from mapsearch.model.windows import tile_words

# Tables have tiles of 2^(0/8), 2^(1/8), ... words, rounded up, and 2^(0/2), 2^(1/2), ... of them.
PER_TILE_OCTAVE, PER_COUNT_OCTAVE = 8, 2
MOST_OCTAVES = 20  # larger tiles have hardly any imbalance
# Sums of some thousand float64 are off by less.
ROUNDING = 1 - 1e-11
# Which steps a dim has: those in which all units that share it out work, those of the edge chunk they share, all others.
FULL, EDGE, REST = 0, 1, 2

NO_TABLES: Floats = np.ones((2, 1, 1))


def share_tables(machine: np.void, whole: tuple[int, ...], pes: int) -> Floats:
    """How many times the mean the most non-zeros of W and of I are, by tile and number of tiles: float64[2, tiles, counts].

    1 where a tensor's zeros take their time, or where all tiles have equally many. machine: a MACHINE; whole: words of W, I, O.
    """
    zeros, l1 = machine["zeros"], machine["l1"]
    tables: list[Floats] = []
    for tensor in range(2):
        by_chance = zeros["skipped"][tensor] == 1 and zeros["along"][tensor] < 0 and zeros["lanes"][tensor] == 0
        units, room = int(l1["word_units"][tensor] * l1["copies"][tensor]), int(l1["of"][tensor])
        held = (int(l1["bytes"][room]) << int(l1["byte_shift"])) // units if units > 0 else whole[tensor]
        nonzeros = float(zeros["nonzeros"][tensor])
        tables.append(_table(whole[tensor], nonzeros, min(held, whole[tensor]), pes) if by_chance else NO_TABLES[tensor])
    found = np.ones((2, *np.max([table.shape for table in tables], axis=0)))
    for tensor, table in enumerate(tables):
        found[tensor, : table.shape[0], : table.shape[1]] = table
    return found


@lru_cache(maxsize=256)
def _table(words: int, nonzeros: float, most: int, pes: int) -> Floats:
    """The table of one tensor; most: words of a tile."""
    octaves = min(float(np.log2(max(most, 1))), MOST_OCTAVES)
    tiles = np.ceil(2.0 ** (np.arange(np.ceil(octaves * PER_TILE_OCTAVE) + 1) / PER_TILE_OCTAVE))
    counts = 2.0 ** (np.arange(np.floor(np.log2(pes) * PER_COUNT_OCTAVE) + 1) / PER_COUNT_OCTAVE)
    table = np.ones((len(tiles), len(counts)))
    _fill(float(words), nonzeros, tiles, counts, table)
    return table


@kernel
def _fill(words: float, nonzeros: float, tiles: Floats, counts: Floats, table: Floats) -> None:
    for k in range(len(tiles)):
        tile = min(tiles[k], words)
        for q in range(len(counts)):
            table[k, q] = max(1.0, ROUNDING * expected_most(words, nonzeros, tile, counts[q]) * words / (tile * nonzeros))


@inlined
def _at(tables: Floats, tensor: int, words: int, count_octaves: float) -> float:
    """The least that a table says of tiles of at most so many words, at least 2 to this power of them."""
    k = min(int(np.ceil(np.log2(float(words)) * PER_TILE_OCTAVE)), tables.shape[1] - 1)
    q = min(int(count_octaves * PER_COUNT_OCTAVE), tables.shape[2] - 1)
    return float(tables[tensor, k, q])


@inlined
def _note_units(w: BoundWorkspace, dim: int, at: int) -> bool:
    """Write w.part and w.octaves of a dim as number `at` of those that are shared out; False where it is not.

    part: of unit 0's work, in the dim's steps of each kind; octaves: log2 of the units that work in them at least.
    """
    deep = -1
    for level in range(w.sized[dim]):
        deep = level if w.share[dim, level] > 1 else deep
    if deep < 0:
        return False
    below = 1
    for level in range(w.sized[dim], w.chosen):
        below *= w.units[level] if w.spatial[level] == dim else 1
    tile, many, octaves, edge = int(w.extents[dim]), 1.0, 0.0, 0
    for level in range(deep + 1):
        share, chunk = w.share[dim, level], min(tile, abs(w.size[level, dim]))
        whole = tile // (share * chunk)
        if level == deep:
            edge = tile - whole * share * chunk
            w.steps_part[at, EDGE] = many * ((min(chunk, edge) + below - 1) // below)
            w.steps_octaves[at, EDGE] = octaves + np.log2(float(max(1, edge // chunk)))
        many, octaves, tile = many * whole, octaves + np.log2(float(share)), chunk
    w.steps_part[at, FULL], w.steps_octaves[at, FULL] = many * ((tile + below - 1) // below), octaves
    w.steps_octaves[at, REST] = 0.0
    total = w.unit0[0, dim]
    w.steps_part[at, FULL] /= total
    w.steps_part[at, EDGE] /= total
    w.steps_part[at, REST] = max(0.0, 1.0 - w.steps_part[at, FULL] - w.steps_part[at, EDGE])
    return True


@inlined
def _longer(w: BoundWorkspace, tables: Floats, shared: int) -> float:
    """By what part of itself unit 0's work takes longer, over all steps: each dim of w.shared_dims has steps of each kind."""
    words_w, words_i, _ = tile_words(w.tile, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])
    longer = 0.0
    for mix in range(3**shared):
        part, of_w, of_i, kinds = 1.0, 0.0, 0.0, mix
        for at in range(shared):
            kind, dim = kinds % 3, w.shared_dims[at]
            part *= w.steps_part[at, kind]
            of_w += w.steps_octaves[at, kind] if TOUCHES[0, dim] else 0.0
            of_i += w.steps_octaves[at, kind] if TOUCHES[1, dim] else 0.0
            kinds //= 3
        if part > 0.0:
            longer += part * (_at(tables, 0, words_w, of_w) * _at(tables, 1, words_i, of_i) - 1.0)
    return longer


@leaf
def note_imbalance(w: BoundWorkspace, tables: Floats) -> None:
    """Write w.imbalance, after `measure`: how many times what it is if PEs were balanced computing takes at least."""
    w.imbalance = 1.0
    if tables.shape[1] == 1:
        return
    shared = 0
    for i in range(w.n_dims):
        dim = w.dims[i]
        if (TOUCHES[0, dim] or TOUCHES[1, dim]) and dim != w.machine.run_dim and _note_units(w, dim, shared):
            w.shared_dims[shared] = dim
            shared += 1
    if shared > 0:
        most = float(w.open_units if w.chosen < w.levels else 1)  # times that levels to come shorten the steps of a kind
        w.imbalance = 1.0 + _longer(w, tables, shared) * w.gain / most
