"""Random layers, machines and mappings, small enough to be walked step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from hypothesis import strategies as st

from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip, Part, Residency, Run
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.sparsity import Coding, Format, Level, Pattern, Sparse, Sparsities, Sparsity, Uniform
from mapsearch.model.tensors import TOUCHES, WINDOWS, Dim, Tensor
from mapsearch.testing.small import TECHNOLOGY

LARGEST_EXTENT = 6
LARGEST_MACS = 600
LARGEST_PES = 12
LARGEST_LEVELS = 4


# Dims whose coordinates slide over each other stay side by side, so that they are often large together.
_GROUPS: tuple[tuple[Dim, ...], ...] = ((Dim.Y, Dim.R), (Dim.X, Dim.S), (Dim.K,), (Dim.C,), (Dim.N,), (Dim.G,))


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """Layers of at most 600 MACs: three dims up to 6, the others up to 2; any dim may be one of the three."""
    extents = [1] * len(Dim)
    order = [dim for group in draw(st.permutations(_GROUPS)) for dim in draw(st.permutations(group))]
    for place, dim in enumerate(order):
        most: int = min(LARGEST_EXTENT if place < 3 else 2, LARGEST_MACS // prod(extents))
        extents[dim] = draw(st.integers(1, most))
    g, n, k, c, r, s, y, x = extents
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    return Layer("random", LayerType.CONV, (g, n, k, c, r, s, y, x), stride, dilation)


def _level(draw: st.DrawFn, tile: list[int], units: int) -> tuple[Directive, ...]:
    """One level over `tile`, which it shrinks to what it hands on; sizes reach one above the tile."""
    named: list[Dim] = draw(st.lists(st.sampled_from(Dim), min_size=min(units - 1, 1), unique=True))
    # Few of any eight dims have something to hand out, so some of those that do are named too.
    worthwhile = [dim for dim in Dim if tile[dim] > 1 and dim not in named]
    named += draw(st.permutations(worthwhile))[: draw(st.integers(0, len(worthwhile)))]
    may_be_spatial: list[Dim | None] = [*named] if units > 1 else [None, *named]
    spatial = draw(st.sampled_from(may_be_spatial))
    directives: list[Directive] = []
    for dim in named:
        size = draw(st.integers(1, tile[dim] + 1))
        directives.append(Directive(MapKind.SPATIAL if dim is spatial else MapKind.TEMPORAL, size, dim))
        tile[dim] = min(size, tile[dim])
    return tuple(directives)


@st.composite
def mappings(draw: st.DrawFn, layer: Layer, pes: int, levels: int) -> Mapping:
    """Mappings of so many levels that do every MAC of the layer once on at most `pes` PEs."""
    clusters: list[int] = []
    for _ in range(levels - 1):
        clusters.append(draw(st.integers(1, min(4, pes // prod(clusters)))))
    tile = list(layer.extents)
    return Mapping(tuple(_level(draw, tile, units) for units in (pes // prod(clusters), *clusters)), tuple(clusters))


DENSITIES = st.sampled_from((1.0, 0.5, 0.3, 0.9, 0.07))
CODES = [Format(), *map(Format, (Coding.IDEAL, Coding.BITMASK, Coding.CSR)), *(Format(Coding.RLE, n) for n in (1, 5))]
SKIPPED = st.frozensets(st.sampled_from((Tensor.WEIGHT, Tensor.INPUT)))


@st.composite
def sparsities(draw: st.DrawFn, layer: Layer) -> Sparsities:
    """Densities and patterns of the layer's tensors."""

    def of(tensor: Tensor) -> Sparsity:
        slides = {dim for pair in WINDOWS for dim in pair} if tensor is Tensor.INPUT else set[Dim]()
        along = draw(st.sampled_from([dim for dim in Dim if TOUCHES[tensor, dim] and dim not in slides]))
        groups = [size for size in range(2, layer.extents[along] + 1) if layer.extents[along] % size == 0]
        if not groups or draw(st.booleans()):
            return Uniform(draw(DENSITIES))
        group = draw(st.sampled_from(groups))
        return Pattern(draw(st.integers(1, group)), group, along)

    return of(Tensor.WEIGHT), of(Tensor.INPUT), of(Tensor.OUTPUT)


@st.composite
def sparse_machines(draw: st.DrawFn, hardware: Hardware, layer: Layer) -> Hardware:
    """The machine with any formats that the layer may have, and with zeros of W and I that it skips or gates, in lanes or not."""

    def code(tensor: Tensor) -> Format:
        has_pattern = not isinstance(layer.sparsity[tensor], Uniform)
        return draw(st.sampled_from([*CODES, Format(Coding.COORDINATE, 3), *([Format(Coding.NM)] * 4 if has_pattern else [])]))

    w, i, o = Tensor
    of_l1, of_noc, of_l2, of_offchip = ((code(w), code(i), code(o)) for _ in Level)
    skip, lanes = draw(SKIPPED), draw(st.sampled_from((None, None, None, (1, 1), (2, 1), (2, 3))))
    balanced = bool(skip) and draw(st.booleans())
    sparse = Sparse(skip, draw(SKIPPED) - skip, (of_l1, of_noc, of_l2, of_offchip), balanced, lanes)
    if lanes is not None:
        return replace(hardware, simd=prod(lanes), run=None, sparse=sparse)
    return replace(hardware, sparse=sparse)


BITS = st.sampled_from((8, 4, 12, 16))
WIDTHS = st.integers(1, 8) | st.sampled_from((0.5, 2.4, 0.125, 1.001, 3.333))
BUFFERINGS = st.sampled_from(Buffering)
L1_BYTES = st.just(2**16) | st.integers(8, 300)
L2_BYTES = st.just(2**20) | st.integers(16, 1500)


@st.composite
def plain_machines(draw: st.DrawFn) -> Hardware:
    """Machines of up to 12 PEs, all flags free, of one pool a buffer and shared wires; most mappings fit, and some just don't."""
    whole_widths = st.integers(1, 8)
    old = st.sampled_from([Buffering.DOUBLE, Buffering.SINGLE])
    return Hardware(
        name="random",
        pes=draw(st.integers(1, LARGEST_PES)),
        simd=draw(st.integers(1, 3)),
        clock_mhz=1000.0,
        bits=(draw(BITS), draw(BITS), draw(BITS)),
        l1=Buffer(draw(L1_BYTES), draw(old)),
        l2=Buffer(draw(L2_BYTES), draw(old)),
        noc=Noc(draw(whole_widths), draw(st.integers(1, 4)), draw(st.booleans()), draw(st.booleans())),
        offchip=Offchip(draw(whole_widths), draw(st.integers(0, 5))),
        technology=TECHNOLOGY,
    )


def _part(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[Part | None]:
    return st.none() | st.builds(Part, sizes, BUFFERINGS)


@st.composite
def machines(draw: st.DrawFn) -> Hardware:
    """The same with any of a machine's further keys: parts of buffers, wires of tensors, fractions, bypass, tile cycles, runs."""
    plain = draw(plain_machines())
    l1 = Buffer(plain.l1.bytes, draw(BUFFERINGS), (draw(_part(L1_BYTES)), draw(_part(L1_BYTES)), draw(_part(L1_BYTES))))
    l2 = Buffer(
        plain.l2.bytes,
        draw(BUFFERINGS),
        (draw(_part(L2_BYTES)), draw(_part(L2_BYTES)), draw(_part(L2_BYTES))),
        draw(st.just((False, False, False)) | st.tuples(st.booleans(), st.booleans(), st.booleans())),
        draw(st.sampled_from(Residency)),
        draw(st.just(0) | st.integers(0, 40)),
    )
    wires = draw(st.none() | st.tuples(WIDTHS, WIDTHS, WIDTHS))
    longest = draw(st.integers(1, LARGEST_EXTENT))
    run = Run(draw(st.sampled_from(Dim)), longest, draw(st.integers(1, longest)))
    return replace(
        plain,
        l1=l1,
        l2=l2,
        noc=replace(plain.noc, bytes_per_cycle=draw(WIDTHS), wires=wires),
        offchip=replace(plain.offchip, bytes_per_cycle=draw(WIDTHS)),
        run=draw(st.sampled_from((None, run))),
    )


def ample(hardware: Hardware) -> Hardware:
    """The machine with room for anything."""
    return replace(hardware, l1=_ample(hardware.l1), l2=_ample(hardware.l2))


def _ample(buffer: Buffer) -> Buffer:
    w, i, o = (part and replace(part, bytes=2**30) for part in buffer.parts)
    return replace(buffer, bytes=2**30, parts=(w, i, o))


@st.composite
def cases(
    draw: st.DrawFn, of: st.SearchStrategy[Hardware] | None = None, sparse: Sequence[bool] = (False, True)
) -> tuple[Layer, Hardware, list[Mapping]]:
    """A layer, a machine, and one to three mappings of equally many levels that suit both; of: the machines to draw from.

    Without `of`, half of the layers have zeros, of which the machine makes use; sparse: whether it may be.
    """
    layer = draw(layers())
    hardware = draw(plain_machines() | machines() if of is None else of)
    if of is None and draw(st.sampled_from(sparse)):
        layer = replace(layer, sparsity=draw(sparsities(layer)))
        hardware = draw(sparse_machines(hardware, layer))
    levels = draw(st.integers(1, LARGEST_LEVELS))
    return layer, hardware, draw(st.lists(mappings(layer, hardware.pes, levels), min_size=1, max_size=3))
