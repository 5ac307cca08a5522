"""What the published program counts for a mapping: the cases of its levels, each level's cases once.

A level is asked by the one above for the cases in which some of that level's directives are at an edge; the sizes of its dims
are those directives' full or edge tiles. So there is one run of a level for each set of directives at an edge, and the sets that
can occur are known before: the levels are run from the innermost outwards.
"""

from __future__ import annotations

import numpy as np

from mapsearch.model.compiled import inlined, leaf, spliced
from mapsearch.model.maestro.count.cases import multiply, write_factors, write_states
from mapsearch.model.maestro.count.step import count_case
from mapsearch.model.maestro.count.tiles import write_tiles
from mapsearch.model.maestro.count.workspace import (
    DONE,
    INPUT,
    MAPPED,
    MAPPED_EDGE,
    NOTHING_NEW,
    OPERANDS,
    OUTPUT,
    STATES,
    WEIGHT,
    Delay,
    Figures,
    Workspace,
)
from mapsearch.model.maestro.source import DIMS, SourceDim

R, S, Y, X = int(SourceDim.R), int(SourceDim.S), int(SourceDim.Y), int(SourceDim.X)


@leaf
def _write_actual(w: Workspace, level: int, case: int) -> None:
    """Write the sizes of the level's dims in a case: bits of the directives above that are at an edge."""
    for dim in range(DIMS):
        w.actual[dim] = w.extents[dim]
    if level == 0:
        return
    for i in range(w.count[level - 1]):
        size = w.tiles[level - 1, i, MAPPED_EDGE if case >> i & 1 else MAPPED]
        w.actual[w.dim[level - 1, i]] = np.int64(size)


@inlined
def _ask(w: Workspace, level: int, case: int) -> None:
    if w.stamp[level, case] != w.now:
        w.stamp[level, case] = w.now
        w.reached[level, w.n_reached[level]] = case
        w.n_reached[level] += 1


@leaf
def _reach(w: Workspace, level: int) -> None:
    """Ask the next level for all sets of directives that may be at an edge together."""
    always, sometimes = 0, 0
    for i in range(w.count[level]):
        some, none = False, False
        for s in range(w.states[i]):
            edge = w.edge[i, s] == 1
            if w.spatial[level, i] == 1:
                some |= edge and (w.edge_units[level] == 1 or w.double_edge[i, s] == 1)
                none |= not edge or w.edge_units[level] > 1
            else:
                some |= edge
                none |= not edge
        if some and none:
            sometimes |= 1 << i
        elif some:
            always |= 1 << i
    part = sometimes
    while True:
        _ask(w, level + 1, always | part)
        if part == 0:
            return
        part = (part - 1) & sometimes


@inlined
def _clear_delay(delay: Delay) -> None:
    delay.least, delay.most, delay.average = np.inf, -np.inf, 0.0


@leaf
def clear(figures: Figures) -> None:
    """Make all figures what they are before the first case."""
    figures.macs = figures.runtime_cycles = figures.active_pes = figures.intensity = 0.0
    figures.peak_bandwidth = figures.average_bandwidth = figures.offchip_bandwidth = 0.0
    for tensor in range(OPERANDS):
        figures.l2_size[tensor] = figures.l2_write[tensor] = figures.l2_read[tensor] = 0.0
        figures.l1_size[tensor] = figures.l1_write[tensor] = figures.l1_read[tensor] = 0.0
    _clear_delay(figures.ingress)
    _clear_delay(figures.egress)
    _clear_delay(figures.compute)


@spliced
def _begin(w: Workspace) -> None:
    """Ask each level for the cases that the one above may need."""
    w.now += 1
    for level in range(w.levels):
        w.n_reached[level] = 0
        write_tiles(w, level)
    _ask(w, 0, 0)
    for level in range(w.levels - 1):
        for k in range(w.n_reached[level]):
            _write_actual(w, level, w.reached[level, k])
            write_states(w, level)
            _reach(w, level)
    clear(w.figures)


@inlined
def _put(w: Workspace, turn: int, s: int) -> None:
    """Put a turning directive into a state."""
    w.at[w.turning[turn]] = s
    multiply(w.products[turn], w.factors[turn * STATES + s], w.products[turn + 1])
    w.masks[turn + 1] = w.masks[turn] | w.bits[turn, s]


@inlined
def _put_all(w: Workspace, s: int) -> None:
    for turn in range(w.n_turning):
        _put(w, turn, s)


@inlined
def _advance(w: Workspace, turn: int) -> int:
    """Go from the case in which `turn` is the one that changes last to the next; returns the `turn` of that, or -1 at the end."""
    i = w.turning[turn]
    _put(w, turn, int(w.at[i] + 1) if w.at[i] + 1 < w.states[i] else 0)
    for inner in range(turn + 1, w.n_turning):
        _put(w, inner, 1)
    last = w.n_turning - 1
    while last >= 0 and w.at[w.turning[last]] == 0:
        last -= 1
    return last


@spliced
def _run(w: Workspace, level: int, case: int) -> int:
    """Write the runtime and the PEs at work of a level in a case; returns what becomes of the mapping.

    The cases come in the program's order, which two of its figures depend on: all directives at their first state, then the
    others, the innermost directive changing fastest and its first state last.
    """
    _write_actual(w, level, case)
    write_states(w, level)
    if not write_factors(w, level):
        return NOTHING_NEW
    run = w.run
    run.steps = run.cycles = run.busy = run.cases = 0.0
    w.skipped[level, case], w.below[level, case] = 0, -1
    _put_all(w, 0)
    fate = count_case(w, level, case, -1)
    _put_all(w, 1)
    turn = w.n_turning - 1
    while turn >= 0 and fate == DONE:
        fate = count_case(w, level, case, turn)
        turn = _advance(w, turn)
    w.runtime[level, case] = run.cycles
    w.active[level, case] = run.busy / run.steps if run.steps > 0.0 else 0.0
    return fate


@inlined
def _size(w: Workspace, tensor: int) -> float:
    """Words of a tensor; outputs have their own rows and columns."""
    words = 1.0
    for dim in range(DIMS):
        if w.rank[tensor, dim] >= 0:
            extent = w.extents[dim]
            if tensor == OUTPUT and dim in (Y, X):
                extent += 1 - w.extents[R if dim == Y else S]
            words *= extent
    return words


@inlined
def _write_l1_sizes(w: Workspace) -> None:
    """Write what the first tiles of the innermost level that is asked for need, twice; of the output, input's rows and columns."""
    level, case = 0, 0
    while level < w.levels - 1 and w.below[level, case] >= 0:
        case = w.below[level, case]
        level += 1
    for tensor in range(OPERANDS):
        words = 2.0
        for dim in range(DIMS):
            if w.rank[tensor, dim] >= 0:
                i = 0
                while w.dim[level, i] != dim:
                    i += 1
                words *= w.tiles[level, i, MAPPED]
        w.figures.l1_size[tensor] = words * (1.0 if tensor == OUTPUT else 1.0 + w.skipped[level, case])


@inlined
def _average(delay: Delay, steps: float) -> None:
    delay.average = np.trunc(delay.average / steps) if steps > 0.0 else 0.0


@spliced
def _finish(w: Workspace) -> None:
    """Write what is reported once the cases of level 0 are counted."""
    steps, figures = w.run.steps, w.figures
    figures.runtime_cycles, figures.active_pes = w.run.cycles, w.active[0, 0]
    figures.average_bandwidth = figures.average_bandwidth / steps if steps > 0.0 else 0.0
    _average(figures.ingress, steps)
    _average(figures.egress, steps)
    _average(figures.compute, steps)
    figures.l2_write[INPUT], figures.l2_write[WEIGHT] = _size(w, INPUT), _size(w, WEIGHT)
    figures.l2_read[OUTPUT] = _size(w, OUTPUT)
    _write_l1_sizes(w)


@leaf
def count(w: Workspace) -> int:
    """Write w.figures for the mapping in w; returns what becomes of it."""
    _begin(w)
    fate = DONE
    for back in range(w.levels):
        level = w.levels - 1 - back
        for k in range(w.n_reached[level]):
            if fate == DONE:
                fate = _run(w, level, w.reached[level, k])
    _finish(w)
    return fate
