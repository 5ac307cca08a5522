"""The simulator against counts made by hand.

The cases are small enough to follow with a pencil; each is one where a number could be read in two ways.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mapsearch.model.cost import COUNTS, Count, Fit
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping, MappingBatch, encode
from mapsearch.model.reference.simulator import Simulator
from mapsearch.model.reference.walk import WALK_LIMIT
from mapsearch.model.tensors import Dim
from mapsearch.testing.small import TECHNOLOGY

SIMULATOR = Simulator()


def temporal(size: int, dim: Dim) -> Directive:
    return Directive(MapKind.TEMPORAL, size, dim)


def spatial(size: int, dim: Dim) -> Directive:
    return Directive(MapKind.SPATIAL, size, dim)


def layer_of(**extents: int) -> Layer:
    g, n, k, c, r, s, y, x = (extents.get(dim.name, 1) for dim in Dim)
    return Layer("small", LayerType.CONV, (g, n, k, c, r, s, y, x))


# Single buffers, a byte a word, a byte a cycle and no waiting, so that a case says only what it is about.
PLAIN = Hardware(
    name="plain",
    pes=1,
    simd=1,
    clock_mhz=1000.0,
    bits=(8, 8, 8),
    l1=Buffer(2**16, Buffering.SINGLE),
    l2=Buffer(2**20, Buffering.SINGLE),
    noc=Noc(bytes_per_cycle=1, latency_cycles=1),
    offchip=Offchip(bytes_per_cycle=1, latency_cycles=0),
    technology=TECHNOLOGY,
)
DOUBLE_BUFFERED = replace(PLAIN, l1=Buffer(2**16), l2=Buffer(2**20))


def simulate(layer: Layer, hardware: Hardware, *levels: list[Directive], clusters: tuple[int, ...] = ()) -> CountedCosts:
    mapping = Mapping(tuple(tuple(level) for level in levels), clusters)
    return SIMULATOR.evaluate(layer, hardware, encode([mapping], layer, hardware.pes))


def found(costs: CountedCosts, *counts: Count) -> tuple[int, ...]:
    assert costs.fit[0] == Fit.LEGAL
    return tuple(int(costs[count][0]) for count in counts)


WORDS = (Count.L2_TO_L1_W, Count.L2_TO_L1_I, Count.L2_TO_L1_O)
FILLS = (Count.L1_FILL_W, Count.L1_FILL_I, Count.L1_FILL_O)
OFFCHIP = (Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE)
BOUNDS = (Count.COMPUTE_BOUND_CYCLES, Count.INGRESS_BOUND_CYCLES, Count.EGRESS_BOUND_CYCLES)
PEAK = (Count.PEAK_NOC_WORDS, Count.PEAK_NOC_CYCLES)

SLIDING = layer_of(X=5, S=3)
SLIDING_HARDWARE = replace(
    DOUBLE_BUFFERED, noc=Noc(bytes_per_cycle=2, latency_cycles=3), offchip=Offchip(bytes_per_cycle=4, latency_cycles=10)
)


def test_sliding_window_fetches_only_what_is_new() -> None:
    """A window that slides over the input brings in each input column once.

    X'=5, S=3 in chunks of 2 output columns, on one PE:
    step 0: x' 0-1, input 0-3 | step 1: x' 2-3, input 2-5 | step 2: x' 4, input 4-6.
    W: 3 + 0 + 0. I: 4 + 2 + 1. O: 2 + 2 + 1. L1, twice for the double buffer: 2 * (3 + 4 + 2).
    """
    costs = simulate(SLIDING, SLIDING_HARDWARE, [temporal(2, Dim.X)])
    assert found(costs, Count.STEPS, *WORDS) == (3, 3, 7, 5)
    assert found(costs, *FILLS) == (3, 7, 5)
    assert found(costs, Count.PSUM_READ, Count.OUTPUT_WRITE, Count.L2_ADD_READ) == (0, 5, 0)
    assert found(costs, Count.L1_NEED_BYTES) == (18,)


def test_sliding_window_overlaps_all_but_step_0() -> None:
    """Step 0's parts add up, a later step costs the longest of them, and equal parts count as compute.

    The sliding window above, 2 bytes a cycle after a head latency of 3, so n bytes take ceil(n / 2) + 2:
    step 0: in 7 bytes = 6, compute 6, out 2 bytes = 3; all three = 15
    step 1: in 2 bytes = 3, compute 6, out 2 bytes = 3; longest = 6
    step 2: in 1 byte = 3, compute 3, out 1 byte = 3; longest = 3, compute's.
    Words per cycle: 9/15, 4/6, 2/3; of the two equal ones that of the fewest words.
    """
    costs = simulate(SLIDING, SLIDING_HARDWARE, [temporal(2, Dim.X)])
    assert found(costs, Count.ARRAY_CYCLES, *BOUNDS) == (24, 6 + 6 + 3, 6, 3)
    assert found(costs, *PEAK) == (2, 3)


def test_sliding_window_off_chip() -> None:
    """A footprint that moves needs room twice in a double-buffered L2, so keeping a whole tensor may need less.

    The sliding window above moves 3 + 7 + 5 words off-chip at any depth, so the least need decides:
    W 3 (it never moves), I 7 whole or 2 * 4 moving, O 5 whole or 2 * 2 moving: 3 + 7 + 4.
    Off-chip: ceil(15 / 4) cycles. Fill: 10 + ceil((3 + 4) / 4), the first chunk's columns. Runtime: 12 + max(24, 4).
    """
    costs = simulate(SLIDING, SLIDING_HARDWARE, [temporal(2, Dim.X)])
    assert found(costs, *OFFCHIP, Count.L2_NEED_BYTES) == (3, 7, 0, 5, 14)
    assert found(costs, Count.OFFCHIP_CYCLES, Count.FILL_CYCLES, Count.RUNTIME_CYCLES) == (4, 12, 36)


def test_single_buffered_l1_overlaps_nothing() -> None:
    """Without a second L1 half every step costs the sum of its parts, and L1 needs room once.

    The sliding window above: 15, then 3 + 6 + 3, then 3 + 3 + 3.
    """
    hardware = replace(SLIDING_HARDWARE, l1=Buffer(9, Buffering.SINGLE))
    costs = simulate(SLIDING, hardware, [temporal(2, Dim.X)])
    assert found(costs, Count.ARRAY_CYCLES, *BOUNDS) == (36, 6 + 6 + 3, 6 + 3 + 3, 3 + 3 + 3)
    assert found(costs, Count.L1_NEED_BYTES) == (9,)


GEMM = layer_of(X=2, C=2, K=2)
WEIGHT_STATIONARY = [temporal(1, Dim.K), temporal(1, Dim.C), temporal(1, Dim.X)]


def test_output_stationary_gemm_reads_no_partial_sums() -> None:
    """With the reduction innermost each output enters once.

    Order X', K, C, each 2 steps of 1: (k, c) and (x', c) change at all 8 steps, (x', k) at 4.
    """
    costs = simulate(GEMM, PLAIN, [temporal(1, Dim.X), temporal(1, Dim.K), temporal(1, Dim.C)])
    assert found(costs, Count.STEPS, *WORDS) == (8, 8, 8, 4)
    assert found(costs, Count.PSUM_READ, Count.OUTPUT_WRITE) == (0, 4)


def test_weight_stationary_gemm_reads_partial_sums() -> None:
    """With the reduction outside the outputs each output enters once per c, and reads its sum back but the first time.

    Order K, C, X': (k, c) changes at 4 of the 8 steps, (c, x') and (k, x') at all.
    """
    costs = simulate(GEMM, PLAIN, WEIGHT_STATIONARY)
    assert found(costs, Count.STEPS, *WORDS) == (8, 4, 8, 8)
    assert found(costs, Count.PSUM_READ, Count.OUTPUT_WRITE) == (4, 8)


@pytest.mark.parametrize(
    ("l2_bytes", "offchip", "need"),
    [(10, (4, 4, 0, 4), 10), (9, (4, 8, 0, 4), 8), (7, (4, 8, 4, 8), 6)],
    ids=["all", "inputs-twice", "outputs-twice"],
)
def test_residency_gives_up_what_costs_least(l2_bytes: int, offchip: tuple[int, ...], need: int) -> None:
    """A smaller L2 keeps less, and gives up first what costs the fewest off-chip words.

    The weight-stationary GEMM, words and bytes (double-buffered) by depth 0 (all), 1 (a k), 2 (a k and c), 3 (a step):
    W 4 words at any depth: 4, 4, 2, 2 bytes
    I 4, 4, 8, 8 words: 4, 4 (k does not move it), 4, 2 bytes
    O 4, 4, 4, 8 entrances, that cost 2 * 8 - 4 = 12 words at depth 3: 4, 4, 4, 2 bytes.
    Best with all: 2 + 4 + 4 = 10 bytes. In 9, the inputs go (4 words more, not 8); in 7, both.
    """
    costs = simulate(GEMM, replace(PLAIN, l2=Buffer(l2_bytes)), WEIGHT_STATIONARY)
    assert found(costs, *OFFCHIP, Count.L2_NEED_BYTES) == (*offchip, need)


def test_l2_overflow_tells_the_least_need() -> None:
    """Where no residency fits, the mapping is illegal, both needs are reported, and nothing else is counted.

    The GEMM above needs 2 + 2 + 2 bytes at the least; L1, once: 1 + 1 + 1.
    """
    costs = simulate(GEMM, replace(PLAIN, l2=Buffer(5)), WEIGHT_STATIONARY)
    assert costs.fit.tolist() == [Fit.L2_OVERFLOW]
    expected = np.zeros((1, COUNTS), np.int64)
    expected[0, [Count.L1_NEED_BYTES, Count.L2_NEED_BYTES]] = 3, 6
    expected[0, Count.L1_NEED_W : Count.COMPUTE_CYCLES] = 1, 1, 1, 2, 2, 2
    assert costs.counts.tolist() == expected.tolist()


def test_l1_overflow_comes_before_l2_overflow() -> None:
    """A mapping that fits neither buffer overflows L1, and reports the least L2 need too."""
    hardware = replace(PLAIN, l1=Buffer(2, Buffering.SINGLE), l2=Buffer(5))
    costs = simulate(GEMM, hardware, WEIGHT_STATIONARY)
    assert costs.fit.tolist() == [Fit.L1_OVERFLOW]
    assert (costs[Count.L1_NEED_BYTES][0], costs[Count.L2_NEED_BYTES][0]) == (3, 6)


@pytest.mark.parametrize(("reduced", "kept"), [(Dim.C, Dim.X), (Dim.R, Dim.X), (Dim.S, Dim.Y)])
@pytest.mark.parametrize(
    ("reduction", "array", "bounds", "sums"),
    [(True, 10, (2, 7, 1), (2, 4, 0)), (False, 8, (3, 4, 1), (0, 4, 2))],
    ids=["reduction", "l2-adds"],
)
def test_partial_sums_cross_the_network_only_with_reduction(
    *, reduced: Dim, kept: Dim, reduction: bool, array: int, bounds: tuple[int, ...], sums: tuple[int, ...]
) -> None:
    """With reduction the sums come back to the PEs and delay the steps that read them; without, the L2 adds.

    Order C, X' of 2 each (or R, X'; or S, Y': all alike), on one PE, compute 1 and out 1 at each step:
    step 0: in W + I = 2; step 1: in I = 1; step 2: W + I + sum = 3; step 3: I + sum = 2.
    With: (2 + 1 + 1) + 1 + 3 + 2. Without the sums: (2 + 1 + 1) + 1 + 2 + 1.
    """
    hardware = replace(DOUBLE_BUFFERED, noc=Noc(1, 1, reduction=reduction))
    layer = layer_of(**{reduced.name: 2, kept.name: 2})
    costs = simulate(layer, hardware, [temporal(1, reduced), temporal(1, kept)])
    assert found(costs, Count.ARRAY_CYCLES, *BOUNDS) == (array, *bounds)
    assert found(costs, Count.PSUM_READ, Count.OUTPUT_WRITE, Count.L2_ADD_READ) == sums


@pytest.mark.parametrize(("multicast", "crossing"), [(True, (2, 6)), (False, (4, 8))], ids=["multicast", "unicast"])
def test_a_word_crosses_again_for_a_pe_that_lacks_it(*, multicast: bool, crossing: tuple[int, int]) -> None:
    """A word that a neighbour holds crosses the network all the same if the PE that needs it does not.

    X'=4, S=2 over two PEs, one output column each:
    step 0: PE 0 has input 0-1, PE 1 has 1-2; step 1: PE 0 has 2-3, PE 1 has 3-4.
    Multicast: {0, 1, 2}, then {2, 3, 4}: column 2 twice, so 6 words of a 5-word input. Fills: 2 at each PE and step.
    """
    hardware = replace(PLAIN, pes=2, noc=Noc(1, 1, multicast=multicast))
    costs = simulate(layer_of(X=4, S=2), hardware, [spatial(1, Dim.X)])
    assert found(costs, *WORDS) == (*crossing, 4)
    assert found(costs, *FILLS) == (4, 8, 4)


def test_outputs_use_the_multicast_rule_whatever_the_flags() -> None:
    """Several PEs' partial sums of one output are one entrance, even where multicast and reduction are missing.

    C=2 over two PEs: one output, that enters at both. Without reduction both leave, and the L2 reads one to add.
    """
    hardware = replace(PLAIN, pes=2, noc=Noc(1, 1, multicast=False, reduction=False))
    costs = simulate(layer_of(C=2), hardware, [spatial(1, Dim.C)])
    assert found(costs, Count.L2_TO_L1_O, Count.L1_FILL_O) == (1, 2)
    assert found(costs, Count.OUTPUT_WRITE, Count.L2_ADD_READ) == (2, 1)


def test_a_chunk_that_was_empty_leaves_nothing_behind() -> None:
    """A PE whose own chunk of a tensor was empty must get its old words again.

    N=2 outside K=3 over two PEs: (k 0, k 1), (k 2, idle), and again for the second n.
    W: 2 + 1 + 2 + 1, with PE 1 getting k = 1 twice. I: both PEs at the first step of each n, PE 0 keeps it.
    The second step of an n leaves PE 1 idle, but the input's own dims still give it that n: 2 + 0 + 2 + 0.
    """
    costs = simulate(layer_of(N=2, K=3), replace(PLAIN, pes=2), [temporal(1, Dim.N), spatial(1, Dim.K)])
    assert found(costs, *FILLS) == (6, 4, 6)
    assert found(costs, *WORDS) == (6, 2, 6)


def test_an_idle_pe_receives_nothing() -> None:
    """A PE that one dim leaves idle gets no words of a tensor without that dim either.

    K=3 over two PEs, C=2 inside: inputs go to two PEs at (k 0 and 1, c 0) and at c 1, then to PE 0 alone: 2 + 2 + 1 + 1.
    """
    costs = simulate(layer_of(K=3, C=2), replace(PLAIN, pes=2), [spatial(1, Dim.K), temporal(1, Dim.C)])
    assert found(costs, *FILLS) == (6, 6, 3)


def test_a_pe_idle_in_another_dim_keeps_its_words() -> None:
    """A PE that another dim leaves idle still holds what the tensor's own dims give it.

    R=2 outside C=3 over two PEs: (c 0, c 1), (c 2, idle), and again for the second r; one output.
    O: both PEs at step 0, and never again, though PE 1 idles in between. W and I: each PE's word is new at each step.
    """
    costs = simulate(layer_of(R=2, C=3), replace(PLAIN, pes=2), [temporal(1, Dim.R), spatial(1, Dim.C)])
    assert found(costs, *FILLS) == (6, 6, 2)
    assert found(costs, Count.L2_TO_L1_O, Count.PSUM_READ, Count.OUTPUT_WRITE) == (1, 0, 1)


def test_inner_trip_counts_shrink_in_an_edge_chunk() -> None:
    """An inner loop takes as many steps as the tile at hand has chunks: 3 + 2 for X'=5 in 3s in 1s, not 3 + 3."""
    costs = simulate(layer_of(X=5), PLAIN, [temporal(3, Dim.X)], [temporal(1, Dim.X)], clusters=(1,))
    assert found(costs, Count.STEPS) == (5,)


def test_unit_0_sets_the_trip_counts_of_all() -> None:
    """Units run in lockstep with unit 0: X'=5 in 3s over two units is 3 steps, the last with unit 1 idle.

    Then each PE gets a new output, input and no weight at each of its steps: 3 + 2; W at its first.
    """
    layer, hardware = layer_of(X=5), replace(PLAIN, pes=2)
    costs = simulate(layer, hardware, [spatial(3, Dim.X)], [temporal(1, Dim.X)], clusters=(1,))
    assert found(costs, Count.STEPS, *FILLS) == (3, 2, 5, 5)


def test_compute_is_that_of_unit_0_in_whole_cycles() -> None:
    """A step computes for as long as PE 0 does, rounded up: X'=5 in 3s, 2 MACs a cycle: ceil(3 / 2) + ceil(2 / 2)."""
    costs = simulate(layer_of(X=5), replace(PLAIN, simd=2), [temporal(3, Dim.X)])
    assert found(costs, Count.COMPUTE_BOUND_CYCLES) == (3,)


def test_bits_are_added_up_before_they_are_rounded() -> None:
    """Narrow words share bytes within a tensor's need and on the network, but double buffering doubles whole bytes.

    C=3, 4-bit weights and inputs, 16-bit output: L1 needs 2 * (ceil(12 / 8) + ceil(12 / 8) + 2).
    L2 needs the same once, since nothing moves. In: (12 + 12) bits = 3 cycles, not 2 + 2; out: 16 bits = 2; compute 3.
    """
    costs = simulate(layer_of(C=3), replace(DOUBLE_BUFFERED, bits=(4, 4, 16)), [])
    assert found(costs, Count.L1_NEED_BYTES, Count.L2_NEED_BYTES) == (12, 6)
    assert found(costs, Count.ARRAY_CYCLES, *BOUNDS) == (8, 3, 3, 2)
    assert found(costs, Count.OFFCHIP_CYCLES, Count.FILL_CYCLES, Count.RUNTIME_CYCLES) == (5, 3, 11)


def test_a_footprint_is_that_of_all_units() -> None:
    """What stands still in a level-0 SpatialMap's step is the chunks of all units together.

    K=4 over two PEs: W and O 2 words a step, I 1; the smallest residency of equal traffic is 2 + 1 + 2 bytes.
    The first working set is 2 + 1 words.
    """
    streaming = replace(PLAIN, pes=2, l2=Buffer(2**20, Buffering.STREAM))
    costs = simulate(layer_of(K=4), streaming, [spatial(1, Dim.K)])
    assert found(costs, *OFFCHIP, Count.L2_NEED_BYTES) == (4, 1, 0, 4, 5)
    assert found(costs, Count.FILL_CYCLES) == (3,)


def test_a_size_above_the_tile_is_the_whole_tile() -> None:
    """A chunk larger than its tile, and a dim that is not named, both mean the whole tile in one step."""
    layer = layer_of(K=3, X=4, S=2)
    named = simulate(layer, PLAIN, [temporal(9, Dim.K), temporal(2, Dim.X), temporal(7, Dim.S)])
    unnamed = simulate(layer, PLAIN, [temporal(2, Dim.X)])
    assert named.counts.tolist() == unnamed.counts.tolist()


def test_stride_and_dilation_leave_columns_out() -> None:
    """Input columns that no tap meets are not moved: X'=2, S=2, stride 3, dilation 2 touches 0, 2, 3, 5 of 0-5."""
    layer = replace(layer_of(X=2, S=2), stride=(1, 3), dilation=(1, 2))
    assert found(simulate(layer, PLAIN, [temporal(1, Dim.X)]), Count.L2_TO_L1_I, Count.OFFCHIP_READ_I) == (4, 4)


def test_repeated_macs_are_refused() -> None:
    """Arrays that make two units repeat the same MACs, which no checked mapping does, stop the walk."""
    layer = layer_of(K=2)
    batch = encode([Mapping(((temporal(1, Dim.K),),))], layer, 1)
    repeating = MappingBatch(batch.units * 2, batch.spatial, batch.order, batch.size)
    with pytest.raises(AssertionError, match="each MAC must be done exactly once, got 2 to 2 times"):
        SIMULATOR.evaluate(layer, replace(PLAIN, pes=2), repeating)


def test_a_long_walk_is_refused_before_it_starts() -> None:
    """A layer too large to walk is an input error that states the limit, the length, and what to do."""
    layer = layer_of(K=1000, X=1000)
    with pytest.raises(
        InputError, match=rf"at most {WALK_LIMIT} steps x PEs \+ MACs, got 4000000 \+ 1000000; use the model 'exact'"
    ):
        simulate(layer, replace(PLAIN, pes=4), [temporal(1, Dim.K), temporal(1, Dim.X), spatial(1, Dim.C)])


def test_an_empty_batch_costs_nothing() -> None:
    """No mappings in, no costs out, with the columns in place."""
    batch = encode([Mapping(((),))], GEMM, 1)
    costs = SIMULATOR.evaluate(GEMM, PLAIN, batch[:0])
    assert costs.fit.shape == (0,)
    assert costs.counts.shape == (0, COUNTS)
