"""The states that a level's directives go through, and what each multiplies a case's volumes by.

A case is one state of each directive. What comes into a unit depends on the innermost directive that is past its first state,
the one that changes last: those before it count in full, those after it stand at their first state. A directive that has more
than one state is a turning one; the others are multiplied into the next turning one's factors, or into products[0].
"""

from __future__ import annotations

from mapsearch.model.compiled import inlined, leaf
from mapsearch.model.maestro.count.workspace import (
    EDGE,
    INIT,
    KINDS,
    MAPPED,
    MAPPED_EDGE,
    OUTPUT,
    STATES,
    STEADY,
    UNIQUE,
    UNIQUE_EDGE,
    Product,
    Workspace,
)


@inlined
def _write_state(w: Workspace, i: int, kind: int, times: float, edge: int, double: int) -> None:
    s = w.states[i]
    w.kind[i, s], w.times[i, s], w.edge[i, s], w.double_edge[i, s] = kind, times, edge, double
    w.states[i] = s + 1


@inlined
def _temporal_states(w: Workspace, level: int, i: int) -> None:
    size, offset, extent = w.size[level, i], w.offset[level, i], w.actual[w.dim[level, i]]
    w.unrolled[i] = int(extent <= size)
    _write_state(w, i, INIT, 1.0, int(extent < size), 0)
    if extent <= size:
        return
    steady = (extent - size) // offset
    if steady > 0:
        _write_state(w, i, STEADY, float(steady), 0, 0)
    if steady * offset + size < extent:
        _write_state(w, i, EDGE, 1.0, 1, 0)


@inlined
def _spatial_states(w: Workspace, level: int, i: int) -> None:
    size, offset, extent, units = w.size[level, i], w.offset[level, i], w.actual[w.dim[level, i]], w.units[level]
    covered = size + offset * (units - 1)
    w.unrolled[i] = int(extent <= covered)
    _write_state(w, i, INIT, 1.0, int(extent < covered), int(extent < covered))
    if extent <= covered:
        return
    steady = ((extent - size) // offset + 1) // units - 1
    if steady > 0:
        _write_state(w, i, STEADY, float(steady), 0, 0)
    turn = offset * units
    if (steady + 1) * turn + covered > extent and steady * turn + covered != extent:
        rest = extent - (steady + 1) * turn
        found = 1 if rest < size else (rest - size) // offset + 1
        _write_state(w, i, EDGE, 1.0, 1, int((found - 1) * offset + size < rest))


@leaf
def write_states(w: Workspace, level: int) -> None:
    """Write the states of the level's directives for the sizes in w.actual."""
    for i in range(w.count[level]):
        w.states[i] = 0
        if w.spatial[level, i] == 1:
            _spatial_states(w, level, i)
        else:
            _temporal_states(w, level, i)


@inlined
def _held(w: Workspace, level: int, i: int, s: int, kind: int) -> float:
    """What a directive before the one that changes last contributes to what a unit holds."""
    if w.spatial[level, i] == 1:
        return float(w.tiles[level, i, kind % 2])
    return float(w.tiles[level, i, MAPPED_EDGE if s == 0 and w.edge[i, 0] == 1 else MAPPED])


@inlined
def _new_after(w: Workspace, level: int, i: int, kind: int) -> float:
    """What a directive after the one that changes last contributes to what comes in."""
    if w.spatial[level, i] == 1:
        return float(w.tiles[level, i, kind])
    return _held(w, level, i, 0, kind)


@inlined
def _changed(w: Workspace, level: int, i: int, again: int, kind: int) -> float:
    """What the directive that changes last contributes; again: directives after it that start again, so all of it comes in."""
    if w.spatial[level, i] == 1:
        return float(w.tiles[level, i, kind % 2 if again > 0 else kind])
    return float(w.tiles[level, i, MAPPED] if again > 0 else max(w.tiles[level, i, UNIQUE], 1.0))


@inlined
def _shared_out(w: Workspace, level: int, i: int, s: int, kind: int, overlapping: int) -> float:
    """What a SpatialMap contributes to a unit's outputs or MACs.

    overlapping: what a unit at an edge has of outputs in the first state, of those that overlap with its neighbour's.
    """
    coupled = w.rank[OUTPUT, w.dim[level, i]] >= 0
    tile = w.made[level, i] if coupled else w.tiles[level, i]
    last, alone = kind % 2 == 1, w.edge_units[level] == 1
    usual = tile[MAPPED] if kind < UNIQUE else (tile[UNIQUE] if tile[UNIQUE] != 0.0 else 1.0)
    if w.kind[i, s] == EDGE:
        if alone:  # of inputs, not of outputs: the published program's slip
            return float(w.tiles[level, i, MAPPED_EDGE] if kind < UNIQUE or last else 1.0)
        return float(tile[UNIQUE_EDGE] if last else usual)
    if w.kind[i, s] == INIT and w.edge[i, s] == 1 and last:
        return float(tile[MAPPED_EDGE if alone or not coupled else overlapping])
    return float(usual)


@leaf
def _multiply(w: Workspace, level: int, i: int, s: int, row: Product) -> None:
    """Multiply a product by what directive i in its state s contributes."""
    row.times *= w.times[i, s]
    dim = w.dim[level, i]
    for tensor in range(2):
        if w.rank[tensor, dim] >= 0:
            row.held[tensor, 0] *= _held(w, level, i, s, MAPPED)
            row.held[tensor, 1] *= _held(w, level, i, s, MAPPED_EDGE)
    coupled = w.rank[OUTPUT, dim] >= 0
    if w.spatial[level, i] == 0:
        kind = MAPPED_EDGE if w.edge[i, s] == 1 else MAPPED
        made = w.made[level, i, kind] if coupled else w.tiles[level, i, kind]
        if coupled:
            for unit in range(KINDS):
                row.written[unit] *= made
        for unit in range(3):
            row.macs[unit] *= made
        return
    if coupled:
        for kind in range(KINDS):
            row.written[kind] *= _shared_out(w, level, i, s, kind, UNIQUE_EDGE)
    row.macs[0] *= _shared_out(w, level, i, s, MAPPED, UNIQUE_EDGE)
    row.macs[1] *= _shared_out(w, level, i, s, MAPPED_EDGE, UNIQUE_EDGE)
    row.macs[2] *= _shared_out(w, level, i, s, UNIQUE_EDGE, MAPPED_EDGE)


@inlined
def _write_change(w: Workspace, level: int, i: int, turn: int, s: int, gap: Product) -> bool:
    """Write w.change of a turning directive; False where the program exits, as it finds nothing new."""
    fine = True
    for tensor in range(2):
        if w.rank[tensor, w.dim[level, i]] < 0:
            for kind in range(KINDS):
                w.change[turn, s, tensor, kind] = 0.0
            continue
        again = 0
        for j in range(i + 1, w.count[level]):
            again += w.rank[tensor, w.dim[level, j]] >= 0 and w.unrolled[j] == 0
        if again == 0 and w.spatial[level, i] == 0 and w.tiles[level, i, UNIQUE] == 0.0:
            fine = False
        for kind in range(KINDS):
            new = gap.held[tensor, kind % 2] * _changed(w, level, i, again, kind)
            for j in range(i + 1, w.count[level]):
                if w.rank[tensor, w.dim[level, j]] >= 0:
                    new *= _new_after(w, level, j, kind)
            w.change[turn, s, tensor, kind] = new
    return fine


@inlined
def _at_first(w: Workspace, level: int, i: int, kind: int) -> float:
    """What a directive contributes to what comes in with the first case of all."""
    if w.edge[i, 0] == 0:
        return float(w.tiles[level, i, MAPPED])
    if w.spatial[level, i] == 0:
        return float(w.tiles[level, i, MAPPED_EDGE])
    if w.edge_units[level] == 1:
        return float(w.tiles[level, i, MAPPED_EDGE] if kind != UNIQUE else 1.0)
    return float(w.tiles[level, i, kind % 2])


@inlined
def _write_first(w: Workspace, level: int) -> None:
    for tensor in range(2):
        for kind in range(KINDS):
            new = 1.0
            for i in range(w.count[level]):
                if w.rank[tensor, w.dim[level, i]] >= 0:
                    new *= _at_first(w, level, i, kind)
            w.first[tensor, kind] = new


@inlined
def _clear_held(product: Product) -> None:
    product.times = 1.0
    for tensor in range(2):
        product.held[tensor, 0] = product.held[tensor, 1] = 1.0


@inlined
def _clear(product: Product) -> None:
    _clear_held(product)
    for kind in range(KINDS):
        product.written[kind] = 1.0
    for unit in range(3):
        product.macs[unit] = 1.0


@inlined
def multiply(one: Product, other: Product, out: Product) -> None:
    """Write the product of two."""
    out.times = one.times * other.times
    for tensor in range(2):
        for last in range(2):
            out.held[tensor, last] = one.held[tensor, last] * other.held[tensor, last]
    for kind in range(KINDS):
        out.written[kind] = one.written[kind] * other.written[kind]
    for unit in range(3):
        out.macs[unit] = one.macs[unit] * other.macs[unit]


@inlined
def _edge_bit(w: Workspace, level: int, i: int, s: int) -> int:
    """The bit of a TemporalMap at an edge."""
    return int((1 - w.spatial[level, i]) * w.edge[i, s]) << i


@inlined
def _write_turn(w: Workspace, level: int, i: int, bits: int, gap: Product) -> bool:
    """Write the factors, bits and change of a turning directive; gap, bits: of those since the last turning one.

    Returns as `_write_change`.
    """
    fine = True
    turn = w.n_turning
    w.turning[turn] = i
    w.n_turning = turn + 1
    for s in range(w.states[i]):
        w.factors[turn * STATES + s] = gap
        _multiply(w, level, i, s, w.factors[turn * STATES + s])
        w.bits[turn, s] = bits | _edge_bit(w, level, i, s)
        if s > 0:
            fine &= _write_change(w, level, i, turn, s, gap)
    return fine


@leaf
def write_factors(w: Workspace, level: int) -> bool:
    """Write turning, factors, change, first, bits and the beginning of products; False where the program exits."""
    fine = True
    w.n_turning = 0
    gap = w.products[0]
    _clear(gap)
    bits = 0
    for i in range(w.count[level]):
        w.at[i] = 0
        if w.states[i] == 1:
            _multiply(w, level, i, 0, gap)
            bits |= _edge_bit(w, level, i, 0)
        else:
            fine &= _write_turn(w, level, i, bits, gap)
            _clear(gap)
            bits = 0
    _clear_held(gap)  # what the directives after the last turning one hold is in `change`
    w.masks[0] = bits
    _write_first(w, level)
    return fine
