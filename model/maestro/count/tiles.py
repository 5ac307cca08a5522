"""What a level's directives are before any case: tile numbers from the full tiles of the level above, and units at the edge."""

from __future__ import annotations

from mapsearch.model.compiled import inlined, spliced
from mapsearch.model.maestro.count.workspace import (
    KINDS,
    MAPPED,
    MAPPED_EDGE,
    OPERANDS,
    UNIQUE,
    UNIQUE_EDGE,
    Workspace,
)
from mapsearch.model.maestro.source import SourceDim

R, S, Y, X = int(SourceDim.R), int(SourceDim.S), int(SourceDim.Y), int(SourceDim.X)


@inlined
def _units_at_edge(extent: int, size: int, offset: int, units: int) -> int:
    """Units that have a chunk in the last turn of a SpatialMap, as the program counts them."""
    if extent > offset * (units - 1) + size:
        turns = ((extent - size) // offset + 1) // units
        rest = extent - turns * offset * units
        return int(1 if rest < size else (rest - size) // offset + 1)
    if extent > size:
        found = (extent - size) // offset + 1
        return int(found + 1 if offset * (found - 1) + size < extent else found)
    return 1


@inlined
def _write_tile(w: Workspace, level: int, i: int, like: int) -> None:
    """Write the tile of directive i, which is that of the last directive of its dim."""
    size, offset, extent = w.size[level, like], w.offset[level, like], w.static[level, w.dim[level, i]]
    tile = w.tiles[level, i]
    steady = max((extent - size) // offset, 0)
    last = extent - (steady + 1) * offset
    if last < 0:
        last = extent
    edge = last if steady * offset + size < extent or size > extent else size
    tile[MAPPED], tile[MAPPED_EDGE] = size, edge
    tile[UNIQUE] = 0 if w.spatial[level, like] == 0 and extent <= size else min(size, offset)
    tile[UNIQUE_EDGE] = max(offset - (size - last), 0)
    for kind in range(KINDS):
        w.made[level, i, kind] = tile[kind]


@inlined
def _write_outputs_tile(w: Workspace, level: int, i: int) -> None:
    """Write the tile of a directive of Y or X as outputs count it."""
    tap = 0
    while w.dim[level, tap] != (R if w.dim[level, i] == Y else S):
        tap += 1
    tile, taps, made = w.tiles[level, i], w.tiles[level, tap], w.made[level, i]
    made[MAPPED] = tile[MAPPED] - taps[MAPPED] + 1
    made[MAPPED_EDGE] = tile[MAPPED_EDGE] - taps[MAPPED_EDGE] + 1
    made[UNIQUE] = min(w.size[level, i], w.offset[level, i])
    made[UNIQUE_EDGE] = min(w.offset[level, i], made[MAPPED_EDGE])


@inlined
def _write_shared(w: Workspace, level: int) -> None:
    """Write the level's shared, edge_units and carrier."""
    found = 0
    w.shared[level, 0] = w.shared[level, 1] = -1
    for i in range(w.count[level]):
        if w.spatial[level, i] == 1:
            w.shared[level, found] = i
            found += 1
    i = w.shared[level, 0]
    w.edge_units[level] = _units_at_edge(w.static[level, w.dim[level, i]], w.size[level, i], w.offset[level, i], w.units[level])
    for tensor in range(OPERANDS):
        carrier, best = -1, -1
        for k in range(2):
            i = w.shared[level, k]
            if i >= 0 and w.rank[tensor, w.dim[level, i]] > best:
                carrier, best = w.like[level, i], w.rank[tensor, w.dim[level, i]]
        w.carrier[level, tensor] = carrier


@spliced
def write_tiles(w: Workspace, level: int) -> None:
    """Write the level's tiles, like, edge_units, shared and carrier."""
    for i in range(w.count[level]):
        last = w.count[level] - 1
        while w.dim[level, last] != w.dim[level, i]:
            last -= 1
        w.like[level, i] = last
        _write_tile(w, level, i, last)
    for i in range(w.count[level]):
        if w.dim[level, i] in (Y, X):
            _write_outputs_tile(w, level, i)
    _write_shared(w, level)
