"""What branch and bound has chosen of a mapping after each of its choices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch, join_all

DIMS = 8


def prefixes(batch: MappingBatch, layer: Layer) -> tuple[NDArray[np.intp], MappingBatch]:
    """(The mapping of each, the partly open mappings).

    Chosen are, level by level, what is shared out, then the loops that iterate, outermost first, and then that no other does.
    """
    found = [(row, each) for row in range(len(batch)) for each in _of_one(batch[row : row + 1], layer)]
    return np.array([row for row, _ in found], np.intp), join_all([each for _, each in found])


def _of_one(mapping: MappingBatch, layer: Layer) -> Iterator[MappingBatch]:
    tile = np.array(layer.extents)
    for level in range(mapping.units.shape[1]):
        chunk, order = mapping.size[0, level], mapping.order[0, level]
        units, shared = int(mapping.units[0, level]), int(mapping.spatial[0, level])
        share = np.ones(DIMS, np.int64)
        if shared >= 0:
            share[shared] = min(units, -(-tile[shared] // chunk[shared]))
        loops = [int(dim) for dim in order if chunk[dim] * share[dim] < tile[dim]]
        sizes = np.where(tile > 1, 0, tile)
        if share[shared] > 1:
            sizes[shared] = -chunk[shared]
        for placed in range(len(loops) + 1):
            now = sizes.copy()
            now[loops[:placed]] = chunk[loops[:placed]]
            yield _opened(mapping, level, now, loops[:placed], shared if share[shared] > 1 else -1)
        yield _opened(mapping, level, chunk, loops, shared)
        tile = chunk


def _opened(mapping: MappingBatch, level: int, sizes: NDArray[np.int64], outer: list[int], shared: int) -> MappingBatch:
    """The mapping with these sizes at a level, whose order begins with `outer`, and all further in open."""
    units, spatial, order, size = mapping.units.copy(), mapping.spatial.copy(), mapping.order.copy(), mapping.size.copy()
    units[0, level + 1 :], size[0, level + 1 :] = 0, 0
    size[0, level], spatial[0, level] = sizes, shared
    order[0, level] = outer + [dim for dim in range(DIMS) if dim not in outer]
    return MappingBatch(units, spatial, order, size)
