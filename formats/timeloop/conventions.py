"""What Timeloop's model counts where it does not count as mapsearch does, and by which of its conventions.

Timeloop holds boxes: of the input, all rows and columns from the first to the last of a tile. Of the next box it fetches what the
one before lacked, but only while boxes go on in one direction: another shift than the last one fetches the whole box, and forgets
the direction. It multicasts what is new in a PE's box only to PEs with the same box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import product
from math import prod

from mapsearch.formats.nest.buffers import evaluation_of
from mapsearch.formats.nest.counts import Case, Convention, Counts
from mapsearch.formats.nest.loop_nest import Cut, Imperfection, LoopNest
from mapsearch.formats.timeloop.document import spatial_groups
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import WINDOWS, Dim, Tensor, window_words

_Shift = tuple[int, ...]  # along the input's axes: N, G, C, rows, columns
_AXES = 5


@dataclass(frozen=True)
class Inputs:
    """The boxes of the input that come to a level.

    lengths: indices of the eight dims in a tile. loops: those outside the tile, outermost first. groups: of the cuts whose units
    have the tiles, those that are one spatial loop of Timeloop's.
    """

    layer: Layer
    lengths: Sequence[int]
    loops: Sequence[Cut]
    groups: Sequence[Sequence[Cut]] = ()

    @cached_property
    def box(self) -> _Shift:
        """Its lengths."""
        return tuple(last + 1 for last in self._along([length - 1 for length in self.lengths]))

    @cached_property
    def fetched(self) -> int:
        """Words that come to one unit."""
        return self._fetched(directed=True)

    @cached_property
    def boxes(self) -> int:
        """How many units have boxes that Timeloop takes for different."""
        return prod(len(self._starts(axis, [cut])) for axis in range(_AXES) for cut in self.groups)

    @property
    def skips(self) -> bool:
        """Whether a box has words that its tile does not need."""
        needed = prod(self.lengths[dim] for dim in (Dim.N, Dim.G, Dim.C))
        for (output, tap), stride, dilation in zip(WINDOWS, self.layer.stride, self.layer.dilation, strict=True):
            needed *= window_words(self.lengths[output], self.lengths[tap], stride, dilation)
        return prod(self.box) > needed

    @property
    def turns(self) -> bool:
        """Whether a change of direction fetches words again."""
        return self.fetched > self._fetched(directed=False)

    @property
    def overlaps(self) -> bool:
        """Whether boxes that it takes for different share words."""
        return prod(self._covered(axis) for axis in range(_AXES)) < self.boxes * prod(self.box)

    def _along(self, indices: Sequence[int]) -> _Shift:
        """Indices of the eight dims as words along the input's axes."""
        (sy, sx), (dy, dx) = self.layer.stride, self.layer.dilation
        g, n, _, c, r, s, y, x = indices
        return n, g, c, sy * y + dy * r, sx * x + dx * s

    def _fetched(self, *, directed: bool) -> int:
        whole = prod(self.box)
        shifts = [self._shift(place) for place in range(len(self.loops))]

        def step(shift: _Shift, direction: _Shift | None) -> tuple[int, _Shift | None]:
            if not any(shift):
                return 0, direction
            if directed and direction is not None and direction != shift:
                return whole, None
            kept = prod(max(length - abs(by), 0) for length, by in zip(self.box, shift, strict=True))
            return whole - kept, shift

        @cache
        def walk(place: int, direction: _Shift | None) -> tuple[int, _Shift | None]:
            """What the loops from `place` inwards fetch after their first box, and the direction after them."""
            if place == len(self.loops):
                return 0, direction
            total, direction = walk(place + 1, direction)
            for _ in range(self.loops[place].trips - 1):
                words, direction = step(shifts[place], direction)
                more, direction = walk(place + 1, direction)
                total += words + more
            return total, direction

        return whole + walk(0, None)[0]

    def _shift(self, place: int) -> _Shift:
        """From the last box of the loops inside to the one after a step of the loop at `place`."""
        indices = [0] * len(Dim)
        for cut, steps in ((self.loops[place], 1), *((cut, 1 - cut.trips) for cut in self.loops[place + 1 :])):
            indices[cut.dim] += steps * cut.span
        return self._along(indices)

    def _starts(self, axis: int, groups: Iterable[Sequence[Cut]]) -> set[int]:
        """Where the boxes of units begin along an axis."""
        found = {0}
        for cut in (cut for group in groups for cut in group):
            indices = [0] * len(Dim)
            indices[cut.dim] = cut.chunk
            step = self._along(indices)[axis]
            found = {start + unit * step for start, unit in product(found, range(cut.units))} if step else found
        return found

    def _covered(self, axis: int) -> int:
        """Words along an axis that the boxes of all units cover."""
        covered, end = 0, 0
        for start in sorted(self._starts(axis, self.groups)):
            covered += self.box[axis] - max(end - start, 0)
            end = start + self.box[axis]
        return covered


# By what the input's words change, and whether they do at a level.
_Reasons = tuple[tuple[str, Callable[[Inputs], bool]], ...]
OF_FILLS: _Reasons = (
    ("Timeloop fetches and keeps boxes, with rows and columns that a stride skips", lambda inputs: inputs.skips),
    ("Timeloop fetches a whole tile where the window changes its direction", lambda inputs: inputs.turns),
)
OF_READS: _Reasons = (
    *OF_FILLS,
    ("Timeloop multicasts a PE's words only to PEs that need all of them", lambda inputs: inputs.overlaps),
)
ADDS = "Timeloop reads a sum from the L2 to add to it, where there is no reduction, as it does a partial sum for a PE"
PADDED = "Timeloop counts the cycles of an edge chunk as those of a full one"


def comparable(nest: LoopNest, counts: Counts) -> Counts:
    """Those of our counts of which it is known what Timeloop makes of them.

    They lack the input's words where tiles do not all shift alike, since chunks are of several lengths, and windows share words, or
    a stride skips some.
    """
    pairs = zip(WINDOWS, nest.mapped.layer.stride, strict=True)
    extents = nest.mapped.layer.extents
    slides = any(extents[output] > 1 and (extents[tap] > 1 or stride > 1) for (output, tap), stride in pairs)
    if slides and has_edges(nest):
        return {figure: count for figure, count in counts.items() if not figure.endswith(f".{Tensor.INPUT.label}")}
    return counts


def has_edges(nest: LoopNest) -> bool:
    """Whether there are chunks of several lengths."""
    return any(kind is Imperfection.EDGE for kind, _ in nest.imperfections())


def conventions_of(case: Case) -> list[Convention]:
    """How Timeloop counts otherwise in this mapping: several of its conventions may change one count together."""
    nest = case.nest
    padded = prod(nest.tile) * prod(cut.trips for cut in nest.cuts)
    adds = evaluation_of(nest, case.hardware).l2_add_read_words
    fixed = {PADDED: {"mac_cycles": padded}, ADDS: {"psum_read_words": case.counts["psum_read_words"] + adds}}
    words = {} if has_edges(nest) else _of_inputs(case)
    return [Convention(because, partial(_told, counts)) for because, counts in (fixed | words).items()]


def _told(counts: Counts, _: Case) -> Counts:
    return counts


def _of_inputs(case: Case) -> dict[str, dict[str, int]]:
    """What Timeloop counts of the input's words, by the reasons."""
    nest, depth = case.nest, case.depths[Tensor.INPUT]
    layer, loops = nest.mapped.layer, [cut for cut in nest.cuts if cut.loops]
    groups = [[cut for cut in nest.spatial if cut.level in group] for group in spatial_groups(nest)]
    l1 = Inputs(layer, nest.tile, loops, groups)
    l2 = Inputs(layer, nest.footprint(depth), nest.outer[:depth])
    multicast = case.hardware.noc.multicast
    figures = {
        "l2_to_l1_words.input": (l1.fetched * (l1.boxes if multicast else nest.pes), l1, OF_READS if multicast else OF_FILLS),
        "l1_fill_words.input": (l1.fetched * nest.pes, l1, OF_FILLS),
        "offchip_read_words.input": (l2.fetched, l2, OF_FILLS),
    }
    found: dict[str, dict[str, int]] = {}
    for figure, (words, inputs, conventions) in figures.items():
        because = "; ".join(because for because, applies in conventions if applies(inputs))
        found.setdefault(because, {})[figure] = words
    return found
