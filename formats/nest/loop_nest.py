"""The loops of a mapping on a machine, with the lengths of full tiles and of the last ones: what every other tool's file states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from math import prod

from mapsearch.formats.directives import MappedLayer
from mapsearch.model.hardware import Pes
from mapsearch.model.mapping import Directive, MapKind
from mapsearch.model.tensors import Dim


@dataclass(frozen=True, slots=True)
class Cut:
    """A directive that cuts its tiles into more than one chunk.

    units: those that ever get a chunk; 1 where it is temporal. lengths: of unit 0's tiles. full, last: the lengths of its full
    tiles, and of the tile at the end of the dim.
    """

    level: int
    directive: Directive
    units: int
    lengths: frozenset[int]
    full: int
    last: int

    @property
    def dim(self) -> Dim:
        """The dim that it cuts."""
        return self.directive.dim

    @property
    def chunk(self) -> int:
        """Indices in a full chunk of a unit."""
        return self.directive.size

    @property
    def span(self) -> int:
        """Indices in the full chunks of all units."""
        return self.chunk * self.units

    @property
    def trips(self) -> int:
        """Rounds of the units in a full tile."""
        return -(-self.full // self.span)

    @property
    def last_trips(self) -> int:
        """Rounds of the units in the tile at the end of the dim."""
        return -(-self.last // self.span)

    @property
    def loops(self) -> bool:
        """Whether there is more than one round."""
        return self.trips > 1

    @property
    def last_chunk(self) -> int:
        """Indices in the chunk at the end of the dim."""
        return (self.last - 1) % self.chunk + 1

    @property
    def text(self) -> str:
        """Where the directive stands, and itself."""
        return f"level {self.level}: {self.directive.text}"


class Imperfection(Enum):
    """What keeps a cut from being a product of whole factors.

    EDGE: a shorter chunk at the end of the dim. INNER_EDGE: shorter chunks elsewhere too, at the ends of full tiles. IDLE: units
    without a chunk in some round.
    """

    EDGE = auto()
    INNER_EDGE = auto()
    IDLE = auto()


@dataclass(frozen=True, slots=True)
class LoopNest:
    """The loops of a mapping.

    cuts: outermost first. tile, last_tile: indices of the eight dims in a PE's full tile, and in the one at the end of each dim.
    """

    mapped: MappedLayer
    cuts: tuple[Cut, ...]
    tile: tuple[int, ...]
    last_tile: tuple[int, ...]

    @property
    def outer(self) -> list[Cut]:
        """The loops of level 0 that iterate; those of the L2."""
        return [cut for cut in self.cuts if cut.level == 0 and cut.loops]

    @property
    def spatial(self) -> list[Cut]:
        """The cuts that several units share."""
        return [cut for cut in self.cuts if cut.units > 1]

    @property
    def pes(self) -> int:
        """How many PEs ever work."""
        return prod(cut.units for cut in self.cuts)

    @property
    def mac_cycles(self) -> int:
        """MACs of unit 0, which always has the largest chunks: cycles of a PE that does one at a time."""
        lengths = {dim: Counter({extent: 1}) for dim, extent in zip(Dim, self.mapped.layer.extents, strict=True)}
        for cut in self.cuts:
            inner: Counter[int] = Counter()
            for length, count in lengths[cut.dim].items():
                whole, rest = divmod(length, cut.span)
                inner[cut.chunk] += whole * count
                inner[min(rest, cut.chunk)] += count
            lengths[cut.dim] = inner
        return prod(sum(length * count for length, count in each.items()) for each in lengths.values())

    def footprint(self, depth: int) -> list[int]:
        """The most indices of the eight dims in the L2's tile while the outer `depth` loops of level 0 stand still."""
        lengths = list(self.mapped.layer.extents)
        for cut in self.outer[:depth]:
            lengths[cut.dim] = cut.span
        return lengths

    def imperfections(self) -> Iterator[tuple[Imperfection, str]]:
        """What keeps the mapping from being one of whole factors, each with the reason as an error tells it."""
        for cut in self.cuts:
            tiles = {cut.full, cut.last}
            extent = self.mapped.layer.extents[cut.dim]
            if cut.full < extent and cut.full % cut.chunk:
                yield Imperfection.INNER_EDGE, f"{cut.text}: its chunks must divide their tiles of {cut.full}"
            elif any(tile % cut.chunk for tile in tiles):
                yield Imperfection.EDGE, f"{cut.text}: its chunks must divide the {extent} indices of {cut.dim.label}"
            chunks = {-(-tile // cut.chunk) for tile in tiles}
            for idle in (each for each in sorted(chunks, reverse=True) if each % cut.units):
                yield Imperfection.IDLE, f"{cut.text}: {idle} chunks leave some of {cut.units} units idle in a round"

    def check(self, tool: str, *refused: Imperfection) -> None:
        """Raise MappingError, with file and line where known, at the first imperfection of these kinds."""
        for kind, reason in self.imperfections():
            if kind in refused:
                raise self.mapped.refusal(f"{tool} cannot express {reason}")


def loop_nest(mapped: MappedLayer, pes: Pes) -> LoopNest:
    """The loops of a legal mapping on these PEs; MappingError, with file and line where known, where it is not legal."""
    mapped.check(pes)
    extents = mapped.layer.extents
    lengths = [frozenset({extent}) for extent in extents]
    tile, last_tile = list(extents), list(extents)
    cuts: list[Cut] = []
    for level, units in enumerate(mapped.mapping.units(pes)):
        for directive in mapped.mapping.levels[level]:
            dim, size = directive.dim, directive.size
            if size < tile[dim]:
                share = min(units, -(-tile[dim] // size)) if directive.kind is MapKind.SPATIAL else 1
                cut = Cut(level, directive, share, lengths[dim], tile[dim], last_tile[dim])
                # Unit 0 has whole chunks, but for the last one of a tile.
                lasts = {min((length - 1) % cut.span + 1, size) for length in lengths[dim]}
                lengths[dim] = frozenset(lasts | {min(length, size) for length in lengths[dim]})
                tile[dim], last_tile[dim] = size, cut.last_chunk
                cuts.append(cut)
    return LoopNest(mapped, tuple(cuts), tuple(tile), tuple(last_tile))
