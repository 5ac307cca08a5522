"""Random constraints on the mappings of small layers, and the spaces that they leave."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from mapsearch.model.cost import Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Array, Buffer, Buffering, Hardware, Noc, Offchip
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import WHOLE, Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.testing.small import TECHNOLOGY

MACHINE = Hardware("machine", 4, 1, 1000.0, (8, 8, 16), Buffer(64), Buffer(1024), Noc(2), Offchip(2, 3), TECHNOLOGY)
# Dims that a small layer may have more than one index of.
_DIMS = {LayerType.CONV: (Dim.N, Dim.K, Dim.C, Dim.R, Dim.Y, Dim.X), LayerType.DSCONV: (Dim.G, Dim.R, Dim.Y, Dim.X)}
_some_dims = st.lists(st.sampled_from(Dim), max_size=3, unique=True)


@st.composite
def _sizes(draw: st.DrawFn) -> Sizes:
    sizes = draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))
    kinds = [
        Sizes.of(*sizes),
        Sizes.of(sizes[0]),
        Sizes(min(sizes), max(sizes)),
        Sizes(least=sizes[0]),
        Sizes(most=sizes[0]),
        WHOLE,
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def _level(draw: st.DrawFn, *, last: bool) -> LevelConstraints:
    named: list[Dim | None] = [*draw(_some_dims)]
    if draw(st.booleans()):
        named.insert(draw(st.integers(0, len(named))), None)
    tiles = draw(st.dictionaries(st.sampled_from(Dim), _sizes(), max_size=3))
    cluster = draw(st.none() | _sizes() | st.sampled_from(Dim)) if not last else None
    if cluster == WHOLE:  # is no size of a Cluster
        cluster = None
    return LevelConstraints(tuple(named), tuple(draw(st.just([]) | _some_dims)), tuple(tiles.items()), cluster)


@st.composite
def constraints(draw: st.DrawFn, levels: int) -> Constraints:
    """Constraints for mappings of so many levels."""
    held = [draw(_level(last=index == levels - 1)) for index in range(draw(st.integers(1, levels)))]
    return Constraints("random", "", tuple(held), "random.yaml")


@st.composite
def small_layers(draw: st.DrawFn) -> Layer:
    """Convolutions, also depthwise ones, of one to three dims of up to five indices."""
    kind = draw(st.sampled_from(sorted(_DIMS)))
    extents = [1] * len(Dim)
    for dim in draw(st.lists(st.sampled_from(_DIMS[kind]), min_size=1, max_size=3, unique=True)):
        extents[dim] = draw(st.integers(2, 5))
    g, n, k, c, r, s, y, x = extents
    return Layer("layer", kind, (g, n, k, c, r, s, y, x), draw(st.sampled_from([(1, 1), (2, 1)])))


@st.composite
def small_machines(draw: st.DrawFn) -> Hardware:
    """Machines of up to six PEs, which may be in rows and columns, often with little room."""
    array = draw(st.none() | st.builds(Array, st.integers(1, 3), st.integers(1, 2)))
    return replace(
        MACHINE,
        pes=draw(st.integers(1, 6)) if array is None else array.rows * array.columns,
        array=array,
        l1=Buffer(draw(st.sampled_from([12, 32, 64])), draw(st.sampled_from([Buffering.DOUBLE, Buffering.SINGLE]))),
        l2=Buffer(draw(st.sampled_from([32, 64, 1024])), draw(st.sampled_from([Buffering.DOUBLE, Buffering.SINGLE]))),
    )


@st.composite
def constrained_spaces(draw: st.DrawFn) -> Space:
    """Spaces that constraints leave of a small layer's mappings, which are not empty."""
    levels = draw(st.integers(1, 2))
    restriction = draw(st.sampled_from([Restriction(), Restriction(), Restriction((Dim.R,), dividing=True)]))
    rule, held = draw(st.sampled_from(TileRule)), draw(constraints(levels))
    try:
        return Space(draw(small_layers()), draw(small_machines()), levels, rule, held, restriction)
    except InputError:
        assume(condition=False)
        raise
