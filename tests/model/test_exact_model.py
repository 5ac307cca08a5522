"""The exact model on layers too large to walk: laws that must hold, and limits that must be errors."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from by_hand import MACHINE, counts_of, layer_of, spatial, temporal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mapsearch.model.cost import Count, Fit, Wanted
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.errors import InputError
from mapsearch.model.exact.model import MAX_PHASES, ExactModel
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip, Part, Run
from mapsearch.model.layer import MAX_EXTENT, MAX_MACS, Layer
from mapsearch.model.mapping import DIMS, Mapping, MappingBatch, encode
from mapsearch.model.reference.simulator import Simulator
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.spaces.mappings.space import Space

EXACT, SIMULATOR = ExactModel(), Simulator()

# --- Layers of some size, still short enough to walk

WALKS: dict[str, tuple[Layer, Mapping]] = {
    "four levels": (
        layer_of(K=6, C=5, R=3, X=9),
        Mapping(
            (
                (temporal(4, Dim.K), temporal(5, Dim.X)),
                (spatial(2, Dim.X), temporal(3, Dim.C)),
                (temporal(2, Dim.K), spatial(1, Dim.C), temporal(2, Dim.R)),
                (spatial(1, Dim.K), temporal(1, Dim.X)),
            ),
            (2, 2, 2),
        ),
    ),
    "7x7 of stride 2": (
        layer_of((2, 2), K=4, C=3, R=7, S=7, Y=6, X=6),
        Mapping(
            (
                (temporal(3, Dim.R), spatial(1, Dim.K), temporal(2, Dim.Y), temporal(4, Dim.X)),
                (temporal(2, Dim.S), spatial(1, Dim.X)),
            ),
            (4,),
        ),
    ),
    "row-stationary": (
        layer_of(K=3, C=2, R=3, S=3, Y=10, X=7),
        Mapping(
            ((temporal(1, Dim.K), spatial(1, Dim.Y), temporal(1, Dim.X)), (temporal(1, Dim.C), spatial(1, Dim.R))),
            (3,),
        ),
    ),
    "dilation 2 and stride 3": (
        layer_of((3, 3), (2, 2), C=3, R=5, S=4, Y=7, X=8),
        Mapping(
            ((temporal(2, Dim.Y), spatial(2, Dim.X), temporal(2, Dim.C)), (spatial(2, Dim.R), temporal(1, Dim.S))),
            (3,),
        ),
    ),
    "one dim over two levels of units": (
        layer_of(K=5, S=4, X=23),
        Mapping(((spatial(5, Dim.X), temporal(2, Dim.K)), (temporal(3, Dim.S), spatial(2, Dim.X))), (2,)),
    ),
}


@pytest.mark.parametrize("flags", [(True, True), (False, False)], ids=["multicast", "unicast"])
@pytest.mark.parametrize("name", WALKS)
def test_the_closed_form_equals_a_walk(name: str, flags: tuple[bool, bool]) -> None:
    """Each count of a layer of some thousand MACs equals the simulator's, with the least L2 that it needs and with a large one."""
    layer, mapping = WALKS[name]
    multicast, reduction = flags
    hardware = replace(MACHINE, pes=12, noc=Noc(4, 3, multicast=multicast, reduction=reduction))
    batch = encode([mapping], layer, hardware.pes)
    least = int(EXACT.evaluate(layer, replace(hardware, l2=Buffer(1)), batch)[Count.L2_NEED_BYTES][0])
    for l2 in (Buffer(least), hardware.l2):
        walked = SIMULATOR.evaluate(layer, replace(hardware, l2=l2), batch)
        closed = EXACT.evaluate(layer, replace(hardware, l2=l2), batch)
        assert closed.fit.tolist() == walked.fit.tolist() == [Fit.LEGAL]
        assert {count: int(closed[count][0]) for count in Count} == {count: int(walked[count][0]) for count in Count}


# --- Laws on layers of real networks

LARGE = (
    layer_of((2, 2), K=64, C=3, R=7, S=7, Y=112, X=112),
    layer_of(K=64, C=64, R=3, S=3, Y=56, X=56),
    layer_of((2, 2), K=128, C=64, R=3, S=3, Y=28, X=28),
    layer_of((2, 2), K=128, C=64, Y=28, X=28),
    layer_of((1, 1), (2, 2), K=32, C=48, R=3, S=3, Y=33, X=61),
    layer_of(G=32, R=3, S=3, Y=112, X=112),
    layer_of(K=768, C=768, X=512),
)
MACHINES = tuple(
    replace(
        MACHINE,
        pes=pes,
        l1=Buffer(512, Buffering.DOUBLE if multicast else Buffering.SINGLE),
        noc=Noc(32, 2, multicast=multicast, reduction=reduction),
    )
    for pes, multicast, reduction in ((256, True, True), (168, False, True), (60, True, False))
)
Drawn = tuple[Layer, Hardware, MappingBatch]


@cache
def _space(layer: Layer, hardware: Hardware, levels: int) -> Space:
    return Space(layer, hardware, levels)


@st.composite
def batches(draw: st.DrawFn) -> Drawn:
    """A large layer, a machine, and some twenty random mappings that fit it."""
    layer, hardware = draw(st.sampled_from(LARGE)), draw(st.sampled_from(MACHINES))
    space = _space(layer, hardware, draw(st.integers(1, 3)))
    return layer, hardware, space.sample(20, np.random.default_rng(draw(st.integers(0, 2**32 - 1))))


MANY = settings(max_examples=60, deadline=None)


def _equal(first: CountedCosts, second: CountedCosts) -> bool:
    return bool((first.fit == second.fit).all() and (first.counts == second.counts).all())


def _among_idle_loops(layer: Layer, batch: MappingBatch, rng: np.random.Generator) -> MappingBatch:
    """The batch with the loops of one trip moved anywhere, the others left in their order."""
    order = batch.order.copy()
    for row, level in np.ndindex(batch.units.shape):
        tile = np.array(layer.extents) if level == 0 else batch.size[row, level - 1]
        share = np.where(np.arange(DIMS) == batch.spatial[row, level], batch.units[row, level], 1)
        iterates = batch.size[row, level] * share < tile
        old = [dim for dim in order[row, level] if iterates[dim]]
        idle = list(rng.permutation(np.flatnonzero(~iterates)))
        order[row, level] = [(old if busy else idle).pop(0) for busy in rng.permutation(iterates)]
    return replace(batch, order=order)


@MANY
@given(batches(), st.integers(0, 2**32 - 1))
def test_the_place_of_a_loop_of_one_trip_does_not_matter(drawn: Drawn, seed: int) -> None:
    """Moving loops that do not iterate to other places of the order changes no count."""
    layer, hardware, batch = drawn
    moved = _among_idle_loops(layer, batch, np.random.default_rng(seed))
    assert _equal(EXACT.evaluate(layer, hardware, batch), EXACT.evaluate(layer, hardware, moved))


@MANY
@given(batches(), st.integers(0, 2**32 - 1))
def test_costs_follow_the_order_of_the_batch(drawn: Drawn, seed: int) -> None:
    """Nothing of one mapping is left over in the work space for the next: a batch in any order has its costs in that order."""
    layer, hardware, batch = drawn
    rows = np.random.default_rng(seed).permutation(len(batch))
    costs = EXACT.evaluate(layer, hardware, batch)
    assert _equal(EXACT.evaluate(layer, hardware, batch[rows]), replace(costs, fit=costs.fit[rows], counts=costs.counts[rows]))


@MANY
@given(batches(), st.integers(0, 2))
def test_a_level_of_one_unit_that_takes_all_whole_changes_nothing(drawn: Drawn, place: int) -> None:
    """A level may be split in two, the inner of which hands on what it gets."""
    layer, hardware, batch = drawn
    above = min(place, batch.units.shape[1] - 1)
    split = MappingBatch(
        np.insert(batch.units, above + 1, 1, axis=1),
        np.insert(batch.spatial, above + 1, -1, axis=1),
        np.insert(batch.order, above + 1, batch.order[:, above], axis=1),
        np.insert(batch.size, above + 1, batch.size[:, above], axis=1),
    )
    assert _equal(EXACT.evaluate(layer, hardware, batch), EXACT.evaluate(layer, hardware, split))


@MANY
@given(batches(), st.integers(8, 17))
def test_a_larger_l2_never_moves_more_off_chip(drawn: Drawn, exponent: int) -> None:
    """A mapping that fits an L2 fits one of twice the bytes, and moves at most as many bits, in at most as many cycles."""
    layer, hardware, batch = drawn
    small, large = (EXACT.evaluate(layer, replace(hardware, l2=Buffer(2**power)), batch) for power in (exponent, exponent + 1))
    fits = small.fit == Fit.LEGAL
    assert (large.fit[fits] == Fit.LEGAL).all()
    assert (_offchip_bits(hardware, large)[fits] <= _offchip_bits(hardware, small)[fits]).all()
    assert (large[Count.RUNTIME_CYCLES][fits] <= small[Count.RUNTIME_CYCLES][fits]).all()


def _offchip_bits(hardware: Hardware, costs: CountedCosts) -> NDArray[np.int64]:
    weight, input_, output = hardware.bits
    outputs = costs[Count.OFFCHIP_READ_O] + costs[Count.OFFCHIP_WRITE]
    return costs[Count.OFFCHIP_READ_W] * weight + costs[Count.OFFCHIP_READ_I] * input_ + outputs * output


@MANY
@given(batches())
def test_a_wider_network_is_never_slower(drawn: Drawn) -> None:
    """Twice the bytes per cycle never take longer, and move the same words."""
    layer, hardware, batch = drawn
    wide = EXACT.evaluate(layer, replace(hardware, noc=replace(hardware.noc, bytes_per_cycle=64)), batch)
    narrow = EXACT.evaluate(layer, hardware, batch)
    assert (wide[Count.RUNTIME_CYCLES] <= narrow[Count.RUNTIME_CYCLES]).all()
    words = slice(Count.L2_TO_L1_W, Count.L2_NEED_BYTES + 1)
    assert (wide.counts[:, words] == narrow.counts[:, words]).all()


@MANY
@given(batches())
def test_every_word_moves_at_least_once(drawn: Drawn) -> None:
    """No count is negative, no tensor moves fewer words than it has, and no time is shorter than the MACs take."""
    layer, hardware, batch = drawn
    costs = EXACT.evaluate(layer, hardware, batch)
    assert (costs.fit == Fit.LEGAL).all()
    assert (costs.counts >= 0).all()
    assert (costs[Count.ARRAY_CYCLES] * hardware.pes * hardware.simd >= layer.macs).all()
    columns = (Count.L2_TO_L1_W, Count.L1_FILL_W), (Count.L2_TO_L1_I, Count.L1_FILL_I), (Count.L2_TO_L1_O, Count.L1_FILL_O)
    offchip = (Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_WRITE)
    for tensor, (words, fills), fetched in zip(Tensor, columns, offchip, strict=True):
        assert (costs[fetched] >= layer.words(tensor)).all()
        assert (costs[words] >= costs[fetched]).all()
        assert (layer.macs >= costs[fills]).all()
        assert (costs[fills] >= costs[words]).all()


# --- Limits


def test_counts_hold_the_largest_layer() -> None:
    """2^52 MACs one by one, in 64-bit words a byte at a time, are counted without overflow.

    2^26 by 2^26 weights on one PE, C outside K. Step 0: in W + I = 16, compute 1, out 8. After: W is new, 8; I where C moves,
    8; the sum comes back where C is not 0, 8; out 8. So 8 at each k of c = 0, 24 at k = 0 of each c, 16 at the rest.
    """
    n = 2**26
    layer = layer_of(K=n, C=n)
    assert layer.macs == MAX_MACS
    hardware = replace(
        MACHINE, pes=1, bits=(64, 64, 64), l2=Buffer(2**50), noc=Noc(bytes_per_cycle=1), offchip=Offchip(1, latency_cycles=0)
    )
    found = counts_of(layer, hardware, Mapping(((temporal(1, Dim.C), temporal(1, Dim.K)),)))
    assert found[Count.STEPS] == found[Count.L1_FILL_W] == found[Count.OUTPUT_WRITE] == n * n
    assert found[Count.L2_TO_L1_I] == n
    assert found[Count.PSUM_READ] == n * n - n
    assert found[Count.ARRAY_CYCLES] == 25 + (8 + 24) * (n - 1) + 16 * (n - 1) ** 2
    assert found[Count.OFFCHIP_CYCLES] == 8 * (n * n + n + n)


def test_counts_hold_the_longest_dim() -> None:
    """A window of 3 over 2^31 - 1 columns, column by column, brings in each input once."""
    found = counts_of(layer_of(S=3, X=MAX_EXTENT), replace(MACHINE, pes=1), Mapping(((temporal(1, Dim.X),),)))
    assert found[Count.L2_TO_L1_I] == found[Count.OFFCHIP_READ_I] == MAX_EXTENT + 2


def test_strides_and_dilations_of_any_size_count_where_windows_do_not_meet() -> None:
    """With the largest stride and dilation no two of 3 x 2 windows share an input, which takes no longer to find."""
    layer = layer_of((1, MAX_EXTENT), (1, MAX_EXTENT - 1), S=2, X=3)
    found = counts_of(layer, replace(MACHINE, pes=1), Mapping(((temporal(1, Dim.X),),)))
    assert found[Count.L2_TO_L1_I] == found[Count.OFFCHIP_READ_I] == 6


def test_a_machine_may_have_a_million_pes() -> None:
    """2^20 PEs with a channel each do 2^20 channels in one step."""
    hardware = replace(MACHINE, pes=2**20, l2=Buffer(2**30))
    found = counts_of(layer_of(G=2**20, X=2), hardware, Mapping(((spatial(1, Dim.G),),)))
    assert (found[Count.STEPS], found[Count.L1_FILL_O]) == (1, 2**21)


@pytest.mark.parametrize(
    ("layer", "hardware", "levels", "message"),
    [
        (layer_of(K=2), MACHINE, 5, "layer layer: a mapping has at most 4 levels, got 5"),
        (
            layer_of(K=2**26, C=2**26),
            replace(MACHINE, noc=Noc(1, latency_cycles=1000)),
            1,
            "layer layer: MACs x (2 x NoC latency + 200) must be below 2^62 cycles, got 4503599627370496 x (2 x 1000 + 200); use",
        ),
        (
            layer_of(K=2**26, C=2**24),
            replace(MACHINE, l1=Buffer(2, parts=(Part(2, Buffering.SINGLE), None, None)), noc=Noc(0.001, latency_cycles=1000)),
            1,
            "layer layer: MACs x (3 x NoC latency + 25000) must be below 2^62 cycles, got 1125899906842624 x (3 x 1000 + ",
        ),
        (
            layer_of(K=2**26, C=2**26),
            replace(MACHINE, run=Run(Dim.K, 2, 2)),
            1,
            "layer layer: MACs x array.run.least must be below 2^53, got 4503599627370496 x 2; use a smaller least",
        ),
        (
            layer_of(K=2**26, C=2**26),
            replace(MACHINE, l2=Buffer(2**20, tile_cycles=1000)),
            1,
            "layer layer: MACs x (2 x NoC latency + 1200) must be below 2^62 cycles, got 4503599627370496 x (2 x 1 + 1200); use",
        ),
        (
            layer_of(K=2**26, C=2**26),
            replace(MACHINE, pes=2**20, l1=Buffer(2**24), noc=Noc(0.001)),
            1,
            (
                "layer layer: the L1s of all PEs must hold less than 2^50 bytes / 125 (widths or bits of words are fractions), got "
                "1048576 x 167"
            ),
        ),
        (
            layer_of((1, 64), (1, 65), S=70, X=70),
            MACHINE,
            1,
            f"layer layer: dilation x stride of X, without their common factors, must be at most {MAX_PHASES}, got 65 x 64; the",
        ),
    ],
    ids=["levels", "cycles", "slow", "runs", "tiles", "fraction", "phases"],
)
def test_what_exceeds_the_limits_is_refused(layer: Layer, hardware: Hardware, levels: int, message: str) -> None:
    """Levels, cycles and phases beyond the model's limits are an error of one line that states the law and the value."""
    batch = encode([Mapping(((spatial(1, Dim.K),),) + ((),) * (levels - 1), (1,) * (levels - 1))], layer, hardware.pes)
    with pytest.raises(InputError) as caught:
        EXACT.evaluate(layer, hardware, batch)
    assert str(caught.value).startswith(message)


def test_a_layer_costs_the_same_whatever_was_costed_before() -> None:
    """The work space that batches share holds nothing of the layer before: here its dims were large that now have one index."""
    hardware = replace(MACHINE, pes=16)
    before, layer = layer_of((2, 2), K=64, C=16, R=7, S=7, Y=56, X=56), layer_of(K=3, X=5)
    batch = Space(layer, hardware, 2).sample(5, np.random.default_rng(0))
    first = EXACT.evaluate(layer, hardware, batch)
    EXACT.evaluate(before, hardware, Space(before, hardware, 3).sample(20, np.random.default_rng(0)))
    again, walked = EXACT.evaluate(layer, hardware, batch), SIMULATOR.evaluate(layer, hardware, batch)
    assert first.counts.tolist() == again.counts.tolist() == walked.counts.tolist()


def test_who_wants_a_part_gets_the_same_part() -> None:
    """The columns of cycles, or those of words, are the same whether the others are counted or not."""
    passing = replace(MACHINES[1], l2=replace(MACHINES[1].l2, bypass=(True, False, True)))  # whose words take time off-chip
    cycles = [count for count in Count if "CYCLES" in count.name or count is Count.PEAK_NOC_WORDS]
    words = [count for count in Count if count not in cycles]
    for layer, hardware in product(LARGE, (MACHINES[1], passing)):
        batch = _space(layer, hardware, 2).sample(50, np.random.default_rng(3))
        whole = EXACT.evaluate(layer, hardware, batch)
        for wanted, columns in ((Wanted.RUNTIME, cycles), (Wanted.WORDS, words)):
            part = EXACT.evaluate(layer, hardware, batch, wanted)
            assert part.fit.tolist() == whole.fit.tolist()
            assert part.counts[:, columns].tolist() == whole.counts[:, columns].tolist()


def test_a_machine_whose_steps_are_too_large_to_count_is_refused() -> None:
    """Where the L1s hold 2^50 bytes or more, and the layer might use them, the error says so."""
    layer, hardware = layer_of(K=2**20, C=2**20, X=2**8), replace(MACHINE, pes=4, l1=Buffer(2**48))
    batch = encode([Mapping(((spatial(2**18, Dim.K),),))], layer, hardware.pes)
    with pytest.raises(InputError, match=r"the L1s of all PEs must hold less than 2\^50 bytes, got 4 x 281474976710656"):
        EXACT.evaluate(layer, hardware, batch)
