"""Structures worth a first look: the classic dataflows on this machine, with the Clusters that use most of its PEs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod

from mapsearch.model.errors import InputError
from mapsearch.model.mapping import MappingBatch
from mapsearch.spaces.dataflow import Dataflow
from mapsearch.spaces.space import Space, Structure


@dataclass(frozen=True, slots=True)
class Starts:
    """What a search looks at first: structures to be sized, and whole mappings of the space, if any."""

    structures: tuple[Structure, ...] = ()
    mappings: MappingBatch | None = None


def classic_starts(space: Space, dataflows: Iterable[Dataflow]) -> tuple[Structure, ...]:
    """One structure for each dataflow that the space has room for, brought to the space's number of levels."""
    starts: list[Structure] = []
    for dataflow in dataflows:
        if len(dataflow.levels) > space.levels:
            continue
        try:
            clusters = space.dataflow_clusters(dataflow)
        except InputError:  # it has no place in the space
            continue
        structures = (_choosable(space, space.dataflow_structure(dataflow, choice)) for choice in clusters)
        starts.append(_deepen(max(structures, key=lambda structure: _busy_pes(space, structure)), space.levels))
    return tuple(starts)


def _choosable(space: Space, structure: Structure) -> Structure:
    """The structure with spatial dims of the space's choice: one that the layer has not gives way to its outermost loop."""
    spatial = (dim if dim in space.dims else order[0] for dim, order in zip(structure.spatial, structure.orders, strict=True))
    return replace(structure, spatial=tuple(spatial))


def _busy_pes(space: Space, structure: Structure) -> int:
    """PEs that can get a chunk of their level's spatial dim."""
    units = (space.hardware.pes // prod(structure.clusters), *structure.clusters)
    left = list(space.layer.extents)
    busy = 1
    for dim, count in zip(structure.spatial, units, strict=True):
        used = min(count, left[dim])
        left[dim] = -(-left[dim] // used)
        busy *= used
    return busy


def _deepen(structure: Structure, levels: int) -> Structure:
    """The same structure with levels of one unit added below."""
    more = levels - len(structure.orders)
    return Structure(
        structure.orders + structure.orders[-1:] * more,
        structure.spatial + structure.spatial[-1:] * more,
        structure.clusters + (1,) * more,
    )
