"""A mapping from one list of loops, over time and over units, as other tools' files have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.tensors import Dim


@dataclass(frozen=True, slots=True)
class FlatLoop:
    """A loop of `trips` over a dim; spatial: over units."""

    dim: Dim
    trips: int
    spatial: bool = False


@dataclass(slots=True)
class _Level:
    """A level that is being filled: its units, and its directives by dim, outermost loop first."""

    units: int = 1
    directives: dict[Dim, Directive] = field(default_factory=dict[Dim, Directive])

    @property
    def spatial(self) -> Dim | None:
        """The dim of its SpatialMap."""
        return next((dim for dim, each in self.directives.items() if each.kind is MapKind.SPATIAL), None)


def mapping_of(extents: Sequence[int], loops: Iterable[FlatLoop], tile: Sequence[int]) -> Mapping:
    """The mapping whose steps are those of the loops, outermost first; tile: indices of the eight dims in a PE's tile.

    Level 0 has as many loops over time as it can, so that the L2 may keep a tile at any of them, and is of one unit: others that
    the machine has stay idle. A loop over units is a Cluster, and a dim that has a loop in a level already begins another.
    """
    flat = [loop for loop in loops if loop.trips > 1]
    chunk = list(tile)
    for loop in flat:
        chunk[loop.dim] *= loop.trips
    levels = [_Level()]
    for loop in flat:
        chunk[loop.dim] //= loop.trips
        level = _level(levels, loop)
        level.directives[loop.dim] = Directive(MapKind.SPATIAL if loop.spatial else MapKind.TEMPORAL, chunk[loop.dim], loop.dim)
        level.units *= loop.trips if loop.spatial else 1
    idle = next((dim for dim in Dim if dim not in levels[0].directives), None)
    whole = () if idle is None else (Directive(MapKind.SPATIAL, extents[idle], idle),)
    first, *others = (tuple(level.directives.values()) for level in levels)
    return Mapping(((*whole, *first), *others), tuple(level.units for level in levels[1:]))


def _level(levels: list[_Level], loop: FlatLoop) -> _Level:
    """The level that takes a loop: the last one, if it can, or else a new one."""
    last = levels[-1]
    if loop.spatial:
        taken = len(levels) > 1 and last.spatial in (None, loop.dim)
    else:
        again = loop.dim in last.directives and loop.dim != next(reversed(last.directives))
        taken = last.spatial is None and not again  # a dim's next loop right inside its last one is one loop with it
    if not taken:
        levels.append(_Level())
    return levels[-1]
