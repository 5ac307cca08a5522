"""Choosing mappings part by part reaches all that differ in some count, and leaves out only what costs the same as another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from every_mapping import as_batch, every_mapping
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from mapsearch.model.cost import Fit, Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Array, Buffer, Buffering, Hardware, Noc, Offchip, Residency, Run
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.sparsity import DENSE, NOTHING_SPARED, Pattern, Sparse, Uniform
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.spaces.mappings.completion import Completion
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.partial import Partial, join_parts
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.testing.small import TECHNOLOGY, layer_of

MACHINE = Hardware("machine", 4, 1, 1000.0, (8, 8, 16), Buffer(64), Buffer(1024), Noc(2), Offchip(2, 3), TECHNOLOGY)
MOST = 30_000  # mappings that a test costs one by one
DIMS = (Dim.N, Dim.K, Dim.C, Dim.R, Dim.S, Dim.Y, Dim.X)


def _completed(space: Space) -> MappingBatch:
    """All mappings that the completion makes."""
    completion = Completion(space)
    parts = completion.begin()
    whole: list[Partial] = []
    while len(parts):
        done = completion.whole(parts)
        whole.append(parts[done])
        parts = parts[~done]
        found = [children[np.arange(len(children))] for children in completion.children(parts)] if len(parts) else []
        parts = join_parts([parts[:0], *found])
    return join_parts(whole).batch


def _costs(space: Space, batch: MappingBatch) -> list[tuple[int, ...]]:
    """All counts of the mappings that fit."""
    costs = ExactModel().evaluate(space.layer, space.hardware, batch)
    return [tuple(row) for row in costs.counts[costs.fit == Fit.LEGAL].tolist()]


@st.composite
def _layers(draw: st.DrawFn) -> Layer:
    """Layers of few MACs, half of them with rows and columns alike."""
    extents = [1] * 8
    for dim in draw(st.lists(st.sampled_from(DIMS), min_size=1, max_size=4, unique=True)):
        extents[dim] = draw(st.integers(2, 6))
    down, across = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    if draw(st.booleans()):
        extents[Dim.S], extents[Dim.X], across = extents[Dim.R], extents[Dim.Y], down
    along = [dim for dim in (Dim.K, Dim.C, Dim.R) if extents[dim] % 2 == 0]
    weight = draw(st.sampled_from([DENSE[0], DENSE[0], Uniform(0.4), *(Pattern(1, 2, dim) for dim in along)]))
    g, n, k, c, r, s, y, x = extents
    return Layer("layer", LayerType.CONV, (g, n, k, c, r, s, y, x), (down, across), sparsity=(weight, *DENSE[1:]))


@st.composite
def _machines(draw: st.DrawFn) -> Hardware:
    pes = draw(st.integers(1, 8))
    array = draw(st.sampled_from([None, None, Array(2, 3), Array(2, 2)]))
    run = draw(st.sampled_from([None, None, Run(Dim.X, 2, 3), Run(Dim.K, 3, 2)]))
    residency = draw(st.sampled_from([Residency.BEST, Residency.BEST, Residency.NONE]))
    return replace(
        MACHINE,
        pes=pes if array is None else array.rows * array.columns,
        l1=Buffer(draw(st.sampled_from([12, 32, 64]))),
        l2=Buffer(
            draw(st.sampled_from([64, 128, 1024])),
            draw(st.sampled_from(list(Buffering))),
            residency=residency,
            tile_cycles=draw(st.sampled_from([0, 0, 20])),
        ),
        noc=Noc(draw(st.sampled_from([1, 8])), 1, draw(st.booleans()), draw(st.booleans())),
        array=array,
        run=run,
        sparse=draw(st.sampled_from([NOTHING_SPARED, NOTHING_SPARED, Sparse(skip=frozenset({Tensor.WEIGHT}))])),
    )


@st.composite
def _held(draw: st.DrawFn, levels: int) -> Constraints:
    """Constraints of all kinds, mostly few."""
    few = st.sampled_from([Sizes(), Sizes(most=2), Sizes(least=2), Sizes.of(1, 3), Sizes.of(2)])
    found: list[LevelConstraints] = []
    for level in range(levels):
        dims = tuple(draw(st.lists(st.sampled_from(DIMS), max_size=2, unique=True)))
        order = draw(st.sampled_from([(), (), (), (*dims, None), dims]))
        spatial = draw(st.sampled_from([(), (), (), dims]))
        tiles = tuple((dim, draw(few)) for dim in draw(st.lists(st.sampled_from(DIMS), max_size=2, unique=True)))
        cluster = (
            None if level == levels - 1 else draw(st.sampled_from([None, None, None, Sizes.of(2), Sizes(least=2), Sizes(most=2)]))
        )
        found.append(LevelConstraints(order, spatial, tiles, cluster))
    return Constraints("held", "held", tuple(found))


@st.composite
def _spaces(draw: st.DrawFn) -> Space:
    levels = draw(st.sampled_from([1, 2, 2, 2, 3]))
    constraints = draw(_held(levels)) if draw(st.booleans()) else Constraints()
    try:
        return Space(
            draw(_layers()),
            draw(_machines()),
            levels,
            draw(st.sampled_from(list(TileRule))),
            constraints,
            Restriction(even=draw(st.booleans())),
        )
    except InputError:  # nothing fits
        assume(False)  # noqa: FBT003 its only parameter
        raise


def _check(space: Space) -> None:
    assume(space.size() <= MOST)
    every, some = every_mapping(space), _completed(space)
    assert set(_costs(space, some)) == set(_costs(space, as_batch(space, every)))


# Three chunks on two of the three units that the last Cluster may have, beside three units of which level 0 could be all.
TWO_OF_THREE = Space(Layer("layer", LayerType.CONV, (1, 6, 1, 1, 1, 1, 1, 1)), replace(MACHINE, pes=6))
# Three chunks and one on three units, which is uneven where one level shares out all four.
NOT_EVEN = Space(layer_of(K=2, C=4), replace(MACHINE, pes=3, l1=Buffer(12)), tiles=TileRule.ALL, restriction=Restriction(even=True))
# Five over the two rows of an array, at most two at a time: uneven in any case, so there is no mapping.
AT_MOST_TWO = Constraints("held", "held", (LevelConstraints((), (), ((Dim.N, Sizes(most=2)),), None), LevelConstraints()))
IN_ROWS = replace(MACHINE, array=Array(2, 2))
NONE = Space(layer_of(N=5), IN_ROWS, constraints=AT_MOST_TWO, restriction=Restriction(even=True))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(_spaces())
@example(TWO_OF_THREE)
@example(NOT_EVEN)
@example(NONE)
def test_each_cost_of_the_space_is_reached(space: Space) -> None:
    """The mappings that are completed have all the counts that some mapping of the space has, and no others."""
    _check(space)


@pytest.mark.nightly
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(_spaces())
def test_each_cost_of_the_space_is_reached_at_length(space: Space) -> None:
    """The same, over many more spaces."""
    _check(space)
