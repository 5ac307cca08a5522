"""How much longer computing takes at least because PEs wait for the one with the most non-zeros (see `count.zeros`).

The larger a tile, the closer its non-zeros come to their mean: the most of Q tiles of t words is at most the mean, over the word
left out, of the most of their parts of t - 1 words. So a step takes longer by what the largest tile that may be says, on the units
that are known to share the tensor out. How many those are depends on the step, as chunks at an edge leave some idle.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor, log2

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
    octaves = min(log2(max(most, 1)), MOST_OCTAVES)
    tiles: Floats = np.ceil(np.exp2(np.arange(ceil(octaves * PER_TILE_OCTAVE) + 1) / PER_TILE_OCTAVE))
    counts: Floats = np.exp2(np.arange(floor(log2(pes) * PER_COUNT_OCTAVE) + 1) / PER_COUNT_OCTAVE)
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
def _note_open(w: BoundWorkspace, dim: int, at: int, units: int, total: float) -> None:
    """Write number `at` of the dims that are shared out, of which sizes are open: over so many units at most, `total` of unit 0.

    Unit 0's chunks are the largest. So the units that work in a step are `extent / total` on average, however sizes are chosen. As
    what one more unit adds is less and less, it adds least if either all work or only one.
    """
    full = min(1.0, (w.extents[dim] / total - 1.0) / (units - 1.0))
    w.shared_dims[at], w.is_open[at] = dim, 1
    w.steps_part[at, FULL], w.steps_part[at, EDGE], w.steps_part[at, REST] = full, 0.0, 1.0 - full
    w.steps_octaves[at, FULL], w.steps_octaves[at, EDGE], w.steps_octaves[at, REST] = np.log2(float(units)), 0.0, 0.0


@inlined
def _note_sized(w: BoundWorkspace, dim: int, at: int, deep: int) -> None:
    """The same of a dim that no level below `deep` shares out, all of whose sizes are chosen down to there."""
    tile, many, octaves, edge, total = int(w.extents[dim]), 1.0, 0.0, 0, w.unit0[0, dim]
    for level in range(deep + 1):
        share, chunk = w.share[dim, level], min(tile, abs(w.size[level, dim]))
        whole = tile // (share * chunk)
        if level == deep:
            edge = tile - whole * share * chunk
            w.steps_part[at, EDGE] = many * min(chunk, edge) / total
            w.steps_octaves[at, EDGE] = octaves + np.log2(float(max(1, edge // chunk)))
        many, octaves, tile = many * whole, octaves + np.log2(float(share)), chunk
    w.shared_dims[at], w.is_open[at] = dim, 0
    w.steps_part[at, FULL], w.steps_octaves[at, FULL] = many * tile / total, octaves
    w.steps_part[at, REST] = max(0.0, 1.0 - w.steps_part[at, FULL] - w.steps_part[at, EDGE])
    w.steps_octaves[at, REST] = 0.0


@inlined
def _units(w: BoundWorkspace, dim: int) -> int:
    """The units that share a dim out at the levels whose units are chosen, at most."""
    units = 1
    for level in range(w.chosen):
        if level < w.sized[dim]:
            units *= w.share[dim, level]
        elif w.spatial[level] == dim:
            units *= w.units[level]
    return int(units)


@inlined
def _tells(w: BoundWorkspace, tables: Floats, dim: int) -> bool:
    """Whether units that share a dim out have different zeros. A dim of runs counts as none: its steps' times are others."""
    last = tables.shape[2] - 1
    differs = (TOUCHES[0, dim] and tables[0, 0, last] > 1.0) or (TOUCHES[1, dim] and tables[1, 0, last] > 1.0)
    return bool(differs and dim != w.machine.run_dim)


@inlined
def _note_units(w: BoundWorkspace, dim: int, at: int) -> bool:
    """Write number `at` of the dims that are shared out, by the levels whose units are chosen; False where none shares it out.

    w.steps_part: of unit 0's work, in steps of each kind; w.steps_octaves: log2 of the units that work in them at least.
    """
    units, sized, deep = _units(w, dim), 1, -1
    if units == 1:
        return False
    for level in range(w.sized[dim]):
        sized *= w.share[dim, level]
        deep = level if w.share[dim, level] > 1 else deep
    if units > sized:
        _note_open(w, dim, at, units, w.unit0[0, dim])
    else:
        _note_sized(w, dim, at, deep)
    return True


@inlined
def _longer(w: BoundWorkspace, tables: Floats, shared: int) -> float:
    """How many times what it is otherwise unit 0's work takes, over all steps: each dim of w.shared_dims has steps of each kind."""
    words_w, words_i, _ = tile_words(w.tile, w.windows[0, 0], w.windows[0, 1], w.windows[1, 0], w.windows[1, 1])
    longer, is_of_w = 1.0, tables[0, 0, tables.shape[2] - 1] > 1.0
    for mix in range(3**shared):
        part, of_w, of_i, kinds = 1.0, 0.0, 0.0, mix
        for at in range(shared):
            kind, dim = kinds % 3, w.shared_dims[at]
            part *= w.steps_part[at, kind]
            of_w += w.steps_octaves[at, kind] if TOUCHES[0, dim] else 0.0
            if TOUCHES[1, dim] and not (w.is_open[at] and is_of_w and TOUCHES[0, dim]):  # or two units might add more than one
                of_i += w.steps_octaves[at, kind]
            kinds //= 3
        if part > 0.0:
            longer += part * (_at(tables, 0, words_w, of_w) * _at(tables, 1, words_i, of_i) - 1.0)
    return longer


@inlined
def _least_of_last(w: BoundWorkspace, tables: Floats, shared: int, longer: float) -> float:
    """How many times what it is otherwise unit 0's work takes, whatever dim the one level to come shares out."""
    least = longer
    for i in range(w.n_dims):
        dim, at = w.dims[i], shared
        if w.faster[dim] == 1.0:
            continue
        if not _tells(w, tables, dim):
            least = min(least, float(longer / w.faster[dim]))
            continue
        for other in range(shared):
            at = other if w.shared_dims[other] == dim else at
        units = _units(w, dim) * min(w.open_units, int(w.tile[dim]))
        _note_open(w, dim, at, units, w.unit0[0, dim] / w.faster[dim])
        least = min(least, float(_longer(w, tables, max(shared, at + 1)) / w.faster[dim]))
        if at < shared:
            _note_units(w, dim, at)
    return least


@leaf
def note_imbalance(w: BoundWorkspace, tables: Floats) -> None:
    """Write w.imbalance, after `measure`: how many times what it is if PEs were balanced computing takes at least."""
    w.imbalance = 1.0
    if tables.shape[1] == 1:
        return
    shared = 0
    for i in range(w.n_dims):
        if _tells(w, tables, w.dims[i]) and _note_units(w, w.dims[i], shared):
            shared += 1
    longer = _longer(w, tables, shared)
    if w.chosen == w.levels:
        w.imbalance = longer
    elif w.chosen == w.levels - 1:
        w.imbalance = _least_of_last(w, tables, shared, longer) * w.gain
    else:  # levels to come shorten the steps of a kind so many times at most
        w.imbalance = 1.0 + (longer - 1.0) * w.gain / w.open_units
