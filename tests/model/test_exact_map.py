"""The example in the map of `model/exact` is true: each of its numbers is worked out here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
from by_hand import MACHINE, counts_of, layer_of, spatial, temporal
from numpy.typing import NDArray

from mapsearch.model import exact
from mapsearch.model.compiled import leaf
from mapsearch.model.cost import Count
from mapsearch.model.exact.count.chains import BEGUN, BETWEEN, FIRST, begin_chains, cut, end_chains
from mapsearch.model.exact.count.roles import write_states
from mapsearch.model.exact.workspace import WORKSPACE
from mapsearch.model.hardware import Buffer, Buffering
from mapsearch.model.mapping import Mapping
from mapsearch.model.tensors import Dim

LAYER = layer_of(K=4, C=2, Y=5, R=3)
MAPPING = Mapping(((spatial(1, Dim.K), temporal(1, Dim.C), temporal(2, Dim.Y)),))
HARDWARE = replace(MACHINE, pes=2)
Held = tuple[set[object], set[object], set[object]]


def _steps() -> Iterator[tuple[str, Held]]:
    """The carry that each step follows on, and all that the two PEs hold of W, I and O in it."""
    for k, c, y in product(range(2), range(2), range(3)):
        rows, channels = range(2 * y, min(2 * y + 2, 5)), (2 * k, 2 * k + 1)
        carry = "at y" if y else "at c" if c else "at k" if k else "(first)"
        weights: set[object] = {(channel, c, r) for channel in channels for r in range(3)}
        inputs: set[object] = {(c, row + r) for row in rows for r in range(3)}
        outputs: set[object] = {(channel, row) for channel in channels for row in rows}
        yield carry, (weights, inputs, outputs)


def test_the_table_of_words_is_what_a_walk_finds() -> None:
    """Words that enter in the steps of each carry, and the model's totals of them."""
    steps, words = Counter[str](), Counter[tuple[str, int]]()
    before: Held = (set(), set(), set())
    for carry, held in _steps():
        for row in (carry, "all"):
            steps[row] += 1
            for tensor in range(3):
                words[row, tensor] += len(held[tensor] - before[tensor])
        before = held
    for row in ("(first)", "at k", "at c", "at y", "all"):
        line = f"    {row:<8}{steps[row]:>8}" + "".join(f"{words[row, tensor]:>5}" for tensor in range(3))
        assert line in str(exact.__doc__).splitlines()
    counts = counts_of(LAYER, HARDWARE, MAPPING)
    assert counts[Count.STEPS] == steps["all"]
    assert [counts[each] for each in (Count.L2_TO_L1_W, Count.L2_TO_L1_I, Count.L2_TO_L1_O)] == [words["all", t] for t in range(3)]
    assert counts[Count.PSUM_READ] == 20


@leaf
def _write_states(work: NDArray[np.uint8], dim: int, size: int, units: int, stage: int) -> None:
    """The states of a dim that one level cuts, in a stage."""
    w = work.view(WORKSPACE)[0]
    for each in range(8):
        w.tiles[each] = w.sizes[0, each] = w.extents[each]
        w.shares[0, each] = 1
    w.sizes[0, dim], w.shares[0, dim] = size, units
    begin_chains(w)
    cut(w, 0)
    end_chains(w)
    w.chains.stage[dim] = stage
    write_states(w, dim, dim)


def _states(dim: Dim, stage: int, size: int, units: int) -> list[list[int]]:
    """(steps, new, old, shift, covered, active) of the states of a dim that one level cuts."""
    work = np.zeros(WORKSPACE.itemsize, np.uint8)
    w = work.view(WORKSPACE)[0]
    w["levels"], w["extents"] = 1, LAYER.extents
    _write_states(work, int(dim), size, units, stage)
    fields = ("steps", "new", "old", "shift", "covered", "active")
    return [[int(state[field]) for field in fields] for state in w["states"][dim][: int(w["n_states"][dim])]]


def test_the_states_are_those_that_the_kernel_finds() -> None:
    """The states of the carry at y, and that of Y' going back to its first chunk."""
    assert _states(Dim.Y, FIRST, 2, 1) == [[1, 2, 2, 2, 2, 1], [1, 1, 2, 2, 1, 1]]
    assert _states(Dim.K, BETWEEN, 1, 2) == [[2, 1, 1, 0, 2, 2]]
    assert _states(Dim.C, BETWEEN, 1, 1) == [[2, 1, 1, 0, 1, 1]]
    assert _states(Dim.Y, BEGUN, 2, 1) == [[1, 2, 1, -4, 2, 1]]


def test_the_depths_of_residency_fetch_what_is_said() -> None:
    """Beside 6 W and 10 O of two bytes, I is kept whole and fetched once where that fits; else 4 words are, and 28 fetched."""
    found: list[tuple[int, int]] = []
    for room in (6 + 14 + 20, 6 + 13 + 20):
        counts = counts_of(LAYER, replace(HARDWARE, l2=Buffer(room, Buffering.SINGLE)), MAPPING)
        found.append((counts[Count.L2_NEED_BYTES], counts[Count.OFFCHIP_READ_I]))
    assert found == [(6 + 14 + 20, 14), (6 + 4 + 20, 28)]
