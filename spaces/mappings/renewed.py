"""The law that L1s get new tiles as often as the L2, which AccelForge's order of nodes asks for.

It depends on the depths at which the L2's tiles change, which the exact model chooses. So choices cannot hold it: whole mappings
are looked at, and those that break it are not scored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Count, Wanted
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

_DEPTHS = (Count.L2_DEPTH_W, Count.L2_DEPTH_I, Count.L2_DEPTH_O)
_MOVES = np.array([[TOUCHES[tensor, dim] for tensor in Tensor] for dim in Dim], np.bool_)


def renews_tiles(layer: Layer, hardware: Hardware, batch: MappingBatch) -> NDArray[np.bool_]:
    """Whether each mapping's L1s get other tiles of each tensor in each trip of the last loop outside an L2's tile, bool[B]."""
    counts = ExactModel().evaluate(layer, hardware, batch, Wanted.RUNTIME)
    deepest = np.max([counts[depth] for depth in _DEPTHS], axis=0)
    rows = np.arange(len(batch))
    tile = np.broadcast_to(np.array(layer.extents), (len(batch), DIMS))
    moves = np.ones((len(batch), len(Tensor)), np.bool_)  # by the last loop outside, or by one inside
    for level in range(batch.units.shape[1]):
        size, shared = batch.size[:, level], batch.spatial[:, level]
        trips = -(-tile // size)
        spatial = rows[shared >= 0]
        trips[spatial, shared[spatial]] = -(-trips[spatial, shared[spatial]] // batch.units[spatial, level])
        depth = np.zeros(len(batch), np.int64)
        for place in range(DIMS):
            dim = batch.order[:, level, place]
            iterates = trips[rows, dim] > 1
            depth += iterates
            outside = iterates & (depth <= deepest) & (level == 0)
            moves = np.where(outside[:, None], _MOVES[dim], moves | _MOVES[dim] & iterates[:, None])
        tile = size
    lawful: NDArray[np.bool_] = np.all(moves, axis=1)
    return lawful
