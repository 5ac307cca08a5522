"""Mappings of a search written as the published program's directives, and the program's counts of them.

Every level names all dims of the layer's type, takes R and S whole, and names inputs in place of outputs. Mappings that cannot be
written so are refused here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, kernel
from mapsearch.model.maestro.count.mapping import count
from mapsearch.model.maestro.count.workspace import DONE, WORKSPACE, Workspace
from mapsearch.model.maestro.source import SourceDim
from mapsearch.model.mapping import MappingArrays
from mapsearch.model.records import Ints

Bytes = NDArray[np.int8]

# Fates of a mapping, besides those in `count/workspace`.
NO_SPATIAL_MAP, TILED_FILTER, UNEVEN_CLUSTERS = 4, 5, 6

R, S, Y, X = int(SourceDim.R), int(SourceDim.S), int(SourceDim.Y), int(SourceDim.X)


@inlined
def _taps(w: Workspace, dim: int) -> int:
    """Input rows (columns) that one output row (column) needs, less one."""
    if dim in (Y, X):
        return int(w.extents[R if dim == Y else S] - 1)
    return 0


@inlined
def _write_level(w: Workspace, level: int, spatial: int, order: Bytes, size: Ints) -> int:
    """Write a level's directives; returns the reason why that cannot be done, or DONE."""
    found = 0
    shared = False
    for place in range(8):
        dim = int(w.source_dims[order[place]])
        if dim < 0:
            continue
        chunk = size[order[place]]
        if dim in (R, S) and chunk != w.extents[dim]:
            return TILED_FILTER
        more = _taps(w, dim)
        w.dim[level, found], w.spatial[level, found] = dim, int(order[place] == spatial)
        w.size[level, found], w.offset[level, found] = chunk + more, chunk
        shared |= order[place] == spatial
        above = w.extents[dim] if level == 0 else w.static[level, dim]
        if level + 1 < w.levels:
            w.static[level + 1, dim] = min(chunk + more, above)
        found += 1
    w.count[level] = found
    return DONE if shared else NO_SPATIAL_MAP


@inlined
def _write_mapping(w: Workspace, batch: MappingArrays, b: int) -> int:
    """Write a mapping's directives; returns the reason why that cannot be done, or DONE."""
    product = 1
    for level in range(w.levels):
        w.units[level] = batch.units[b, level]
        product *= batch.units[b, level]
        bar = _write_level(w, level, batch.spatial[b, level], batch.order[b, level], batch.size[b, level])
        if bar != DONE:
            return bar
    return UNEVEN_CLUSTERS if product != w.pes else DONE


@kernel
def count_batch(work: NDArray[np.uint8], batch: MappingArrays, figures: NDArray[np.void], fates: Ints) -> None:
    """Count each mapping of a batch, and write its figures, FIGURES[B] (0 at first), and its fate, int64[B].

    work: the bytes of a WORKSPACE with the machine, the layer's extents and tensors.
    """
    w: Workspace = work.view(WORKSPACE)[0]
    for b in range(len(batch.units)):
        fates[b] = _write_mapping(w, batch, b)
        if fates[b] == DONE:
            fates[b] = count(w)
            figures[b] = w.figures
