"""The units of a dim in one step as few runs: units alike in the lengths of their chunks, new and old, and evenly spaced.

A run is a row of int64: the columns below, then for each level the distance between neighbours and how many there are (1
where the level does not share out the dim). Its units are all combinations, the outermost level's first.
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.exact.workspace import RUN_HEAD, RUN_ROWS, Workspace

R_NEW = 0  # length of the units' chunks
R_OLD = 1  # the same in the step before, 0 where they were idle
R_START = 2  # of the first unit's chunk, counted from unit 0's
LAST = RUN_ROWS - 1  # a run to copy from
R_SPACING = RUN_HEAD  # of level 0; then its number of units; then those of level 1 and so on


@inlined
def units_in(w: Workspace, side: int, k: int) -> int:
    """Units of a run."""
    count = 1
    for level in range(w.levels):
        count *= w.runs[side, k, R_SPACING + 2 * level + 1]
    return count


@inlined
def lone_run(w: Workspace, side: int, new: int, old: int) -> int:
    """Write to w.runs[side] the one run of one unit with chunks of these lengths; returns 1."""
    run = w.runs[side, 0]
    run[R_NEW], run[R_OLD], run[R_START] = new, old, 0
    for level in range(w.levels):
        run[R_SPACING + 2 * level + 1] = 1
    return 1


@inlined
def _copy(w: Workspace, side: int, source: int, target: int) -> None:
    for column in range(RUN_HEAD + 2 * w.levels):
        w.runs[side, target, column] = w.runs[side, source, column]


@inlined
def _shorten(w: Workspace, side: int, n: int, level: int, size: int, back: int, old_back: int) -> int:
    """Put a chunk in place of each tile of n runs at a level that does not share out the dim; returns how many are not empty."""
    kept = 0
    for k in range(n):
        new = w.runs[side, k, R_NEW] - back
        if new <= 0:
            continue
        if k > kept:
            _copy(w, side, k, kept)
        run = w.runs[side, kept]
        run[R_NEW] = min(size, new)
        run[R_OLD] = min(size, max(0, run[R_OLD] - old_back))
        run[R_SPACING + 2 * level + 1] = 1
        kept += 1
    return kept


@inlined
def _split(w: Workspace, side: int, k: int, end: int, level: int, size: int, units: int, new_left: int, old_left: int) -> int:
    """Append after `end` the runs that run k falls into as each of its units is shared out over `units`; returns the new end.

    new_left, old_left: what of its chunks is left from this step's first chunk on.
    """
    unit = 0
    while unit < units and unit * size < new_left:
        rest, old_rest = new_left - unit * size, max(0, old_left - unit * size)
        last = unit + 1
        if rest >= size and units > 1 and not 0 < old_rest < size:
            last = min(units, unit + rest // size)
            if old_rest >= size:
                last = min(last, unit + old_rest // size)
        _copy(w, side, k, end)
        run = w.runs[side, end]
        run[R_NEW] = min(size, rest)
        run[R_OLD] = min(size, old_rest)
        run[R_START] += unit * size
        run[R_SPACING + 2 * level] = size
        run[R_SPACING + 2 * level + 1] = last - unit
        end += 1
        unit = last
    return end


@leaf
def runs_of(w: Workspace, slot: int, k: int, levels: int, dim: int, side: int) -> int:
    """Write to w.runs[side] the tiles of a dim that the outer `levels` levels hand out in a state; returns how many runs."""
    tile = w.extents[dim]
    n = lone_run(w, side, tile, tile)
    for level in range(levels):
        size, share = w.sizes[level, dim], w.shares[level, dim]
        if size == tile:
            continue
        tile = size
        back = w.states[slot][k].indices[level] * size * share
        old_back = w.states[slot][k].old_indices[level] * size * share
        if share == 1:
            n = _shorten(w, side, n, level, size, back, old_back)
            continue
        end = n
        for run in range(n):
            left, old_left = w.runs[side, run, R_NEW] - back, w.runs[side, run, R_OLD] - old_back
            end = _split(w, side, run, end, level, size, share, left, old_left)
        for run in range(n, end):
            _copy(w, side, run, run - n)
        n = end - n
    return n


@inlined
def chain_runs(w: Workspace, slot: int, k: int, dim: int, side: int) -> int:
    """The same of a dim in closed form: of its blocks, one after another, each cut into pieces."""
    state, size, piece = w.states[slot][k], w.chains.size[dim], w.chains.piece[dim]
    blocks = state.blocks + (1 if state.extra > 0 else 0)
    first, end = 0, 0
    while first < blocks:
        if first < state.old_blocks:
            old, next_old = state.old_block, state.old_blocks
        else:
            old, next_old = (state.old_extra, first + 1) if first == state.old_blocks else (0, blocks)
        new, after = (state.block, min(state.blocks, next_old)) if first < state.blocks else (state.extra, blocks)
        run = w.runs[side, LAST]
        run[R_NEW], run[R_OLD], run[R_START] = new, min(piece, old), first * size
        for level in range(w.levels):
            run[R_SPACING + 2 * level + 1] = 1
        run[R_SPACING], run[R_SPACING + 1] = size, after - first
        if new > piece:
            end = _split(w, side, LAST, end, 1, piece, (new + piece - 1) // piece, new, old)
        else:
            _copy(w, side, LAST, end)
            end += 1
        first = after
    return end
