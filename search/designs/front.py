"""The Pareto front of designs over throughput, energy and size, kept up to date while designs come in.

Size: the area, or of an FPGA DSPs and block RAMs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf
from mapsearch.search.designs.walk import DESIGN, Design

Ints = NDArray[np.int64]


@inlined
def _compare(one: Design, other: Design) -> int:
    """1 where one is as good as the other in all figures and better in some, 0 where they are equal, else -1."""
    faster = one.throughput_gmacs_per_s - other.throughput_gmacs_per_s
    larger = one.area_mm2 > other.area_mm2 or one.dsp > other.dsp or one.bram_18k > other.bram_18k
    if faster < 0 or one.energy_pj > other.energy_pj or larger:
        return -1
    smaller = one.area_mm2 < other.area_mm2 or one.dsp < other.dsp or one.bram_18k < other.bram_18k
    return 1 if faster > 0 or one.energy_pj < other.energy_pj or smaller else 0


@inlined
def _place(design: Design) -> tuple[float, ...]:
    """What grows from one design of a sweep to the next: the loops of `walk`, of its stretches and of their parts."""
    machine = (design.l1_bytes, design.l2_bytes, design.noc_bytes_per_cycle, design.offchip_bytes_per_cycle)
    return (design.setting, design.pes, design.mapping, *machine)


@leaf
def _keep_front(designs: NDArray[np.void], known: int, kept: Ints) -> int:
    """Write to kept[:n] the rows of the non-dominated designs, of equal ones the first of the sweep; returns n.

    The first `known` rows are a front already. Rows are taken last to first, since of designs that differ only in a width the
    widest is the fastest. A design that dominated one row is compared with the next row first.
    """
    for row in range(known):
        kept[row] = row
    count = known
    for row in range(len(designs) - 1, known - 1, -1):
        beaten = False
        for place in range(count):
            other = kept[place]
            compared = _compare(designs[other], designs[row])
            if compared >= 0:
                kept[place] = kept[0]
                kept[0] = row if compared == 0 and _place(designs[row]) < _place(designs[other]) else other
                beaten = True
                break
        if beaten:
            continue
        left = 0
        for place in range(count):
            if _compare(designs[row], designs[kept[place]]) < 1:
                kept[left] = kept[place]
                left += 1
        kept[left] = row
        count = left + 1
    return count


class DesignFront:
    """The front of the designs added so far, in whatever order; memory grows with the front alone."""

    def __init__(self) -> None:
        self._found = np.empty(0, DESIGN)

    def add(self, designs: NDArray[np.void]) -> None:
        """Add DESIGN[D] to the front; of designs with equal figures the first of the sweep stays."""
        together = np.concatenate([self._found, designs])
        kept = np.empty(len(together), np.int64)
        count = _keep_front(together, len(self._found), kept)
        self._found = together[np.sort(kept[:count])]

    @property
    def designs(self) -> NDArray[np.void]:
        """DESIGN[F], fastest first."""
        figures = [*sizes(self._found), self._found["energy_pj"], -self._found["throughput_gmacs_per_s"]]
        return self._found[np.lexsort(figures)]


def sizes(designs: NDArray[np.void]) -> tuple[NDArray[np.generic], ...]:
    """The sizes of designs, the most important one last, as `np.lexsort` takes them."""
    return designs["bram_18k"], designs["dsp"], designs["area_mm2"]
