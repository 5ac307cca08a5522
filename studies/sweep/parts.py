"""The parts of a sweep: how its designs are cut, and the job that costs one part."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.text import in_file_name
from mapsearch.search.designs.front import DesignFront
from mapsearch.search.designs.sweep import Counted, Stretch
from mapsearch.search.designs.walk import DESIGN
from mapsearch.search.progress import Tick
from mapsearch.spaces.machines.grid import HardwareGrid
from mapsearch.spaces.machines.space import Limits
from mapsearch.spaces.mappings.sweep_variants import SomeVariants, Variants
from mapsearch.studies.sweep.parquet import Columns, part_bytes

# Designs of a part. With more than so many parts, parts are larger, up to a limit that bounds the memory of a worker.
PART, MOST_OF_PART = 2**24, 2**26
PARTS = 2000
# Mappings times NoC widths in tables at a time, some 400 bytes each.
TABLED = 2**19


@dataclass(frozen=True, slots=True)
class Pair:
    """A dataflow on a layer."""

    dataflow: str
    variants: Variants

    @property
    def names(self) -> dict[str, str]:
        """The labels of its designs."""
        return {"dataflow": self.dataflow, "layer": self.variants.layer.name}

    def file_name(self, number: int) -> str:
        """The name of the file of its mappings."""
        return in_file_name(f"{number:02d}_{self.dataflow}_{self.variants.layer.name}") + ".m"


@dataclass(frozen=True, slots=True)
class Part:
    """The designs that are saved in one file."""

    number: int
    pair: int
    stretches: tuple[Stretch, ...]

    @property
    def designs(self) -> int:
        """The number of designs."""
        return sum(stretch.designs for stretch in self.stretches)


@dataclass(frozen=True, slots=True)
class _Cut:
    """How the designs of a pair are cut: the PE counts, variants and L1s of a stretch at the most, and the stretches of a part."""

    lengths: tuple[int, int, int]
    joined: int
    shape: tuple[int, int, int, int]  # stretches by setting, PE counts, variants and L1s

    @classmethod
    def of(cls, variants: int, grid: HardwareGrid, most: int) -> _Cut:
        """most: designs of a part; one stretch has more only where one mapping on one PE count with one L1 has more."""
        of_mapping, of_l1 = prod(grid.grid.shape), prod(grid.grid.shape[1:])
        tabled = TABLED // len(grid.grid.noc)
        some = max(1, min(variants, most // of_mapping, tabled))
        pes = max(1, min(most // (variants * of_mapping), tabled // variants, len(grid.pes)))
        l1 = max(1, min(most // of_l1, len(grid.grid.l1)))
        shape = (
            len(grid.settings), ceil(len(grid.pes) / pes), ceil(variants / some), ceil(len(grid.grid.l1) / l1),
        )  # fmt: skip
        return cls((pes, some, l1), max(1, most // (pes * some * l1 * of_l1)), shape)

    @property
    def parts(self) -> int:
        """The number of parts."""
        return ceil(prod(self.shape) / self.joined)


class Parts:
    """The parts of a sweep, in the order of its designs; each is made when it is asked for, as there may be many."""

    def __init__(self, grid: HardwareGrid, limits: Limits, pairs: Sequence[Pair]) -> None:
        self._grid, self._limits, self._pairs = grid, limits, pairs
        designs = grid.space.size * sum(pair.variants.count for pair in pairs)
        most = min(max(PART, designs // PARTS), MOST_OF_PART)
        self._cuts = [_Cut.of(pair.variants.count, grid, most) for pair in pairs]
        self._first = list(accumulate((cut.parts for cut in self._cuts), initial=0))

    def __len__(self) -> int:
        """Their number."""
        return self._first[-1]

    def __getitem__(self, number: int) -> Part:
        """A part by its number, from 0 on."""
        if number >= len(self):
            raise IndexError(number)
        pair = bisect_right(self._first, number) - 1
        cut = self._cuts[pair]
        first = (number - self._first[pair]) * cut.joined
        places = range(first, min(first + cut.joined, prod(cut.shape)))
        return Part(number, pair, tuple(self._stretch(self._pairs[pair].variants, cut, place) for place in places))

    def __iter__(self) -> Iterator[Part]:
        """All of them."""
        return (self[number] for number in range(len(self)))

    def _stretch(self, variants: Variants, cut: _Cut, place: int) -> Stretch:
        setting, *chunks = (int(index) for index in np.unravel_index(place, cut.shape))
        pes, some, l1 = (slice(chunk * length, (chunk + 1) * length) for chunk, length in zip(chunks, cut.lengths, strict=True))
        _, hardware = self._grid.settings[setting]
        grid = self._grid.grid_of(hardware)
        if cut.lengths[1] < variants.count:
            variants = SomeVariants(variants, range(variants.count)[some])
        return Stretch(variants, setting, hardware, self._grid.pes[pes], replace(grid, l1=grid.l1[l1]), self._limits)


@dataclass(frozen=True, slots=True)
class Costed:
    """A part that is costed: its counts, its front, DESIGN[F], and the content of its Parquet file."""

    pair: int
    counted: Counted
    front: NDArray[np.void]
    file: bytes


@dataclass(frozen=True, slots=True)
class CostPart:
    """The `Job` of a part, whose result does not depend on where it runs; names: of its pair."""

    part: Part
    names: dict[str, str]
    columns: Columns

    def prepare(self) -> None:
        """See `Job`: cost some mappings on one machine."""
        stretch, front = self.part.stretches[-1], DesignFront()
        grid, some = stretch.grid, range(stretch.variants.count)[:8]
        one = replace(grid, l1=grid.l1[-1:], l2=grid.l2[-1:], noc=grid.noc[-1:], offchip=grid.offchip[-1:])
        small = replace(stretch, variants=SomeVariants(stretch.variants, some), pes=stretch.pes[-1:], grid=one, limits=Limits())
        front.add(np.empty(0, DESIGN))  # perhaps there is no other
        for block in small.blocks(Counted()):
            front.add(block)

    def run(self, tick: Tick) -> Costed | None:
        """See `Job`; None where it is stopped, as a part is saved whole. It tells no progress: parts are counted instead."""
        counted, front = Counted(), DesignFront()
        file = part_bytes(self.names, self.columns, self._blocks(tick, counted, front), counted, front)
        return None if tick(0) else Costed(self.part.pair, counted, front.designs, file)

    def _blocks(self, tick: Tick, counted: Counted, front: DesignFront) -> Iterator[NDArray[np.void]]:
        """The designs within the limits, see `Stretch.blocks`, until it is stopped; the front gets each too."""
        for stretch in self.part.stretches:
            if tick(0):
                return
            for block in stretch.blocks(counted):
                if tick(0):
                    return
                front.add(block)
                yield block


@dataclass(frozen=True, slots=True)
class PartTasks:
    """The `Tasks` of some parts, by their numbers."""

    parts: Parts
    numbers: Sequence[int]
    pairs: Sequence[Pair]
    columns: Columns

    def __len__(self) -> int:
        """Their number."""
        return len(self.numbers)

    def __getitem__(self, index: int) -> CostPart:
        """The job of one of them."""
        part = self.parts[self.numbers[index]]
        return CostPart(part, self.pairs[part.pair].names, self.columns)
