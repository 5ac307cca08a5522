"""Random networks: layers of every type, and mappings of one to four levels that are legal on some machine."""

from __future__ import annotations

from hypothesis import strategies as st

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.model.layer import MAX_EXTENT, Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.sparsity import Pattern, Sparsity, Uniform
from mapsearch.model.tensors import Dim

NAMES = st.text(max_size=8) | st.sampled_from(["conv-1.a/b", "a->b", "a//b", "{", "Layer", "7", "Y'", "\ud800", 'say "x"\n'])
SHARES = st.floats(0.0, 1.0, exclude_min=True)
SHORT = st.integers(1, 3)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """Layers of every type; a TRCONV has stride 1 and a DSCONV one input channel in each group, by their laws."""
    kind = draw(st.sampled_from(LayerType))
    g, n, k, c, r, s, y, x = (draw(st.just(1) | st.integers(1, 40)) for _ in Dim)
    if kind is LayerType.DSCONV:
        c = 1
    stride = (1, 1) if kind is LayerType.TRCONV else (draw(SHORT), draw(SHORT))
    dilation = (draw(SHORT), draw(SHORT))
    extents = (g, n, k, c, r, s, y, x)
    w, i, o = (draw(_sparsities(extents, dims)) for dims in ("GKCRS", "GNC", "GNKYX"))
    zero_macs = draw(st.integers(0, g * n * k * c * r * s * y * x))
    return Layer(draw(NAMES), kind, extents, stride, dilation, zero_macs, (w, i, o))


@st.composite
def _sparsities(draw: st.DrawFn, extents: tuple[int, ...], dims: str) -> Sparsity:
    """A density, or a pattern along one of the dims."""
    if draw(st.booleans()):
        return Uniform(draw(SHARES))
    along = Dim[draw(st.sampled_from(dims))]
    group = draw(st.sampled_from([size for size in range(1, 41) if extents[along] % size == 0]))
    return Pattern(draw(st.integers(1, group)), group, along)


@st.composite
def levels(draw: st.DrawFn) -> tuple[Directive, ...]:
    """A level that maps any dims, at most one of them over its units."""
    dims = draw(st.lists(st.sampled_from(Dim), unique=True))
    spatial = draw(st.sampled_from([None, *dims]))
    sizes = st.integers(1, 50) | st.just(MAX_EXTENT)
    return tuple(Directive(MapKind.SPATIAL if dim is spatial else MapKind.TEMPORAL, draw(sizes), dim) for dim in dims)


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    """Mappings that are legal on some machine."""
    clusters = draw(st.lists(st.integers(1, 64), max_size=3))
    return Mapping(tuple(draw(levels()) for _ in range(len(clusters) + 1)), tuple(clusters))


def networks() -> st.SearchStrategy[Network]:
    """Networks of up to two layers."""
    mapped = st.builds(MappedLayer, layers(), mappings())
    return st.builds(Network, NAMES, st.lists(mapped, max_size=2).map(tuple))
