"""Seeds: structures to try first, from the classic dataflows on this machine, with the Clusters that use most of its PEs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mapsearch.model.errors import InputError
from mapsearch.model.mapping import MappingBatch
from mapsearch.spaces.mappings.constraints import Constraints
from mapsearch.spaces.mappings.space import Space, Structure


@dataclass(frozen=True, slots=True)
class Seeds:
    """The starting points of a search: structures, whose sizes are to be searched, and whole mappings of the space, if any."""

    structures: tuple[Structure, ...] = ()
    mappings: MappingBatch | None = None


def classic_seeds(space: Space, dataflows: Iterable[Constraints]) -> tuple[Structure, ...]:
    """For each dataflow, the structure of the space that is most like it; none for one that layer and machine have no room for."""
    seeds: list[Structure] = []
    for dataflow in dataflows:
        if len(dataflow.levels) > space.levels:
            continue
        try:
            held = replace(space, levels=len(dataflow.levels), constraints=dataflow)
        except InputError:  # the layer or the machine has no room for it
            continue
        structures = [replace(held.fitting, clusters=clusters) for clusters in held.choices.clusters]
        found = (space.nearest(_deepen(structure, space.levels)) for structure in structures)
        seeds.append(max(found, key=lambda structure: _busy_pes(space, structure)))
    return tuple(seeds)


def _busy_pes(space: Space, structure: Structure) -> int:
    """The number of PEs that can get a chunk of their level's spatial dim."""
    units = space.choices.units(structure.clusters)
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
