"""The laws of a batch of mappings: what kernels assume, and arrays that a user gives may break."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import MappingError
from mapsearch.model.hardware import Array, Pes, outer_units, pes_text
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import DIMS, MappingBatch
from mapsearch.model.tensors import Dim


def check_batch(batch: MappingBatch, layer: Layer, pes: Pes) -> None:
    """Raise MappingError, with the first row that breaks a law, unless the arrays are mappings of the layer on these PEs."""
    _check_arrays(batch)
    units, spatial, order, size = batch.units, batch.spatial, batch.order, batch.size
    where = f"layer {layer.name}, mapping"
    _refuse(where, np.any(units < 1, axis=1), "units must be at least 1 at each level")
    law = f"lie along rows and columns of the {pes_text(pes)}" if isinstance(pes, Array) else f"multiply to at most {pes_text(pes)}"
    _refuse(where, units[:, 0] > units_beside(pes, units[:, 1:]), f"the levels' units must {law}")
    _refuse(where, np.any((spatial < -1) | (spatial >= DIMS), axis=1), "spatial must be a dim from 0 to 7, or -1")
    _refuse(where, np.any((units > 1) & (spatial < 0), axis=1), "a level of several units needs a spatial dim")
    _refuse(
        where, (np.sort(order, axis=2) != np.arange(DIMS)).any(axis=(1, 2)), "each level's order must have each dim 0 to 7 once"
    )
    above = np.concatenate([np.broadcast_to(np.array(layer.extents), (len(size), 1, DIMS)), size[:, :-1]], axis=1)
    wrong: NDArray[np.bool_] = np.any((size < 1) | (size > above), axis=1)
    for dim in Dim:
        law = f"sizes of {dim.label} must be from 1 to the extent {layer.extents[dim]}, and not grow from level to level"
        _refuse(where, wrong[:, dim], law)


def units_beside(pes: Pes, clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64[B], `outer_units` for each row of clusters, int64[B, levels - 1]."""
    if not isinstance(pes, Array):
        formed: NDArray[np.float64] = pes // clusters.prod(axis=1, dtype=np.float64)
        return formed.astype(np.int64)
    kinds, kind = np.unique(clusters, axis=0, return_inverse=True)
    return np.array([outer_units(pes, each) for each in kinds.tolist()], np.int64)[kind.ravel()]


def _check_arrays(batch: MappingBatch) -> None:
    if batch.units.ndim != 2 or batch.units.shape[1] < 1:
        raise MappingError(f"units must be an array [B, levels] of at least one level, got the shape {batch.units.shape}")
    rows, levels = batch.units.shape
    given: tuple[tuple[str, NDArray[np.generic], tuple[int, ...], type[np.generic]], ...] = (
        ("units", batch.units, (rows, levels), np.int64),
        ("spatial", batch.spatial, (rows, levels), np.int8),
        ("order", batch.order, (rows, levels, DIMS), np.int8),
        ("size", batch.size, (rows, levels, DIMS), np.int64),
    )
    for name, array, shape, kind in given:
        if array.shape != shape:
            raise MappingError(
                f"{name} must have the shape {shape}, as units has {rows} mappings of {levels} levels, got {array.shape}"
            )
        if array.dtype != kind:
            raise MappingError(f"{name} must be an array of {kind.__name__}, got {array.dtype}")


def _refuse(where: str, broken: NDArray[np.bool_], law: str) -> None:
    if broken.any():
        raise MappingError(f"{where} {int(broken.argmax())} of the batch: {law}")
