"""Rooms, wires, waiting, runs, tiles, bypass and fractions, against counts made by hand, by every model that counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from by_hand import MACHINE, layer_of, temporal

from mapsearch.model.cost import Count, Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip, Part, Residency, Run
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Directive, Mapping, encode
from mapsearch.model.reference.numpy_model import NumpyModel
from mapsearch.model.reference.simulator import Simulator
from mapsearch.model.tensors import Dim

SINGLE, STREAM = Buffering.SINGLE, Buffering.STREAM
BOUNDS = (Count.COMPUTE_BOUND_CYCLES, Count.INGRESS_BOUND_CYCLES, Count.EGRESS_BOUND_CYCLES)
OFFCHIP = (Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE)
TIMES = (Count.FILL_CYCLES, Count.OFFCHIP_CYCLES, Count.RUNTIME_CYCLES)

# A byte a word; nothing waits and nothing needs two copies.
PLAIN = replace(
    MACHINE,
    pes=1,
    bits=(8, 8, 8),
    l1=Buffer(2**16, STREAM),
    l2=Buffer(2**20, STREAM),
    noc=Noc(1),
    offchip=Offchip(1, 0),
)
# Each channel has three weights. In step 0 come 3 of W and 3 of I; in step 1, the other channel's, 3 of W.
CHANNELS = layer_of(K=2, C=3)
# Images outside channels: W comes again for each image, I stays for both of its channels.
IMAGES = layer_of(N=2, K=2)
IMAGES_FIRST = (temporal(1, Dim.N), temporal(1, Dim.K))


def found(hardware: Hardware, layer: Layer, loops: tuple[Directive, ...], *counts: Count) -> tuple[int, ...]:
    """These counts of a mapping of one level, which all models agree on."""
    batch = encode([Mapping((loops,))], layer, hardware.pes)
    first, *others = (model.evaluate(layer, hardware, batch) for model in (Simulator(), ExactModel(), NumpyModel()))
    assert [other.counts.tolist() for other in others] == [first.counts.tolist()] * 2
    assert first.fit.tolist() == [Fit.LEGAL]
    return tuple(int(first[count][0]) for count in counts)


def test_tensors_with_wires_of_their_own_come_at_once() -> None:
    """The longest of them counts.

    A byte a cycle for all: step 0 takes 3 to compute, 6 for what comes in and 1 for what goes out; step 1 waits for 3 weights.
    Wires of 1, 3 and 2 bytes: step 0 takes 3 + max(3, 1) + 1, step 1 max(3, 3, 1), which counts as compute.
    """
    loops = (temporal(1, Dim.K),)
    assert found(PLAIN, CHANNELS, loops, Count.ARRAY_CYCLES, *BOUNDS) == (10 + 3, 3 + 3, 6, 1)
    own = replace(PLAIN, noc=Noc(6, wires=(1, 3, 2)))
    assert found(own, CHANNELS, loops, Count.ARRAY_CYCLES, *BOUNDS) == (7 + 3, 3 + 3, 3, 1)


def test_what_is_single_buffered_in_l1_comes_while_nothing_else_goes_on() -> None:
    """Weights wait, inputs and outputs stream.

    On wires of their own step 0 takes 3 for W, 1 for I, 3 to compute and 1 for O, step 1 3 for W and then max(3, 0, 1).
    On shared wires it is 3 for W and 3 for I in step 0. Where O waits too, its last byte leaves after each step.
    """
    loops = (temporal(1, Dim.K),)
    waiting = replace(PLAIN, l1=Buffer(2**16, STREAM, (Part(64, SINGLE), None, None)))
    own = replace(waiting, noc=Noc(6, wires=(1, 3, 2)))
    assert found(own, CHANNELS, loops, Count.ARRAY_CYCLES, *BOUNDS) == (8 + 6, 3 + 3, 3 + 1 + 3, 1)
    assert found(waiting, CHANNELS, loops, Count.ARRAY_CYCLES, *BOUNDS) == (10 + 6, 3 + 3, 3 + 3 + 3, 1)
    outputs_too = replace(own, l1=replace(own.l1, parts=(Part(64, SINGLE), None, Part(64, SINGLE))))
    assert found(outputs_too, CHANNELS, loops, Count.ARRAY_CYCLES, *BOUNDS) == (8 + 7, 3 + 3, 3 + 1 + 3, 1 + 1)


def test_what_is_single_buffered_in_l2_adds_its_time() -> None:
    """6 weights, 3 inputs and 2 outputs cross, a byte a cycle; the array takes 13 cycles.

    All beside it: 3 + 3 of the first working set come first. All apart: nothing comes first, and 11 cycles are added.
    Weights apart: 3 inputs come first, 6 cycles are added, and the other 5 are hidden.
    """
    loops = (temporal(1, Dim.K),)
    assert found(PLAIN, CHANNELS, loops, *TIMES) == (6, 11, 6 + 13)
    assert found(replace(PLAIN, l2=Buffer(2**20, SINGLE)), CHANNELS, loops, *TIMES) == (0, 11, 11 + 13)
    weights = replace(PLAIN, l2=Buffer(2**20, STREAM, (Part(64, SINGLE), None, None)))
    assert found(weights, CHANNELS, loops, *TIMES) == (3, 11, 3 + 6 + 13)


def test_a_link_may_pass_a_fraction_of_a_byte() -> None:
    """11 bytes at 2.2 take 5 cycles, at 2.199 6; 6 bytes to the PEs at half a byte 12, and a byte back 2."""
    loops = (temporal(1, Dim.K),)
    for width, cycles in ((2.2, 5), (2.199, 6)):
        assert found(replace(PLAIN, offchip=Offchip(width, 0)), CHANNELS, loops, Count.OFFCHIP_CYCLES) == (cycles,)
    halves = replace(PLAIN, noc=Noc(0.5))
    assert found(halves, CHANNELS, loops, Count.ARRAY_CYCLES, *BOUNDS) == ((3 + 12 + 2) + 6, 3, 12 + 6, 2)


def test_what_passes_the_l2_by_crosses_as_often_as_the_network() -> None:
    """W of 2 channels comes for each of 2 images; it needs no place in the L2, and none of it is there to begin."""
    assert found(PLAIN, IMAGES, IMAGES_FIRST, *OFFCHIP, Count.L2_NEED_W, Count.FILL_CYCLES) == (2, 2, 0, 4, 2, 2)
    passing = replace(PLAIN, l2=Buffer(2**20, SINGLE, bypass=(True, False, False)))
    assert found(passing, IMAGES, IMAGES_FIRST, *OFFCHIP, Count.L2_NEED_W, Count.FILL_CYCLES) == (4, 2, 0, 4, 0, 0)


@pytest.mark.parametrize("reduction", [True, False])
def test_outputs_that_pass_the_l2_by_are_added_off_chip(reduction: bool) -> None:  # noqa: FBT001 a parameter
    """Each of 2 outputs leaves the array for each of 2 channels of C and is read back once, by the PE or to be added to."""
    passing = replace(PLAIN, l2=Buffer(2**20, STREAM, bypass=(False, False, True)), noc=Noc(1, reduction=reduction))
    layer, loops = layer_of(C=2, X=2), (temporal(1, Dim.C), temporal(1, Dim.X))
    assert found(passing, layer, loops, *OFFCHIP, Count.L2_NEED_O) == (2, 4, 2, 4, 0)


def test_an_l2_that_keeps_no_tile_fetches_each_footprint_anew() -> None:
    """In each of 4 steps a word of W and one of I, though I is the same in two of them; outputs leave once.

    Over a window of 2 that slides over 4 outputs it fetches 2 columns for each, and keeps none of them. Two copies of each tensor.
    """
    forgetful = replace(PLAIN, l2=Buffer(2**20, residency=Residency.NONE))
    assert found(forgetful, IMAGES, IMAGES_FIRST, *OFFCHIP, Count.L2_NEED_BYTES) == (4, 4, 0, 4, 2 * 3)
    window = layer_of(X=4, S=2)
    assert found(forgetful, window, (temporal(1, Dim.X),), *OFFCHIP, Count.L2_NEED_W) == (8, 8, 0, 4, 2 * 2)


def test_the_control_issues_each_tile_while_others_are_worked_on() -> None:
    """A tile for each of 2 channels, or for each 2 of 5 columns; the array's 13 cycles hide no more than 13 of issuing.

    The fill comes first. The loops of inner levels make no tile of their own.
    """
    loops = (temporal(1, Dim.K),)
    for tile_cycles, runtime in ((6, 6 + 13), (7, 6 + 14), (10, 6 + 20)):
        hardware = replace(PLAIN, l2=Buffer(2**20, STREAM, tile_cycles=tile_cycles))
        assert found(hardware, CHANNELS, loops, Count.ISSUE_CYCLES, *TIMES) == (2 * tile_cycles, 6, 11, runtime)
    waiting = replace(PLAIN, l2=Buffer(2**20, SINGLE, tile_cycles=13))
    assert found(waiting, CHANNELS, loops, Count.ISSUE_CYCLES, *TIMES) == (26, 0, 11, 26)
    assert found(waiting, layer_of(X=5), (temporal(2, Dim.X),), Count.ISSUE_CYCLES) == (3 * 13,)
    assert found(waiting, layer_of(X=5), (), Count.ISSUE_CYCLES) == (13,)
    inner = Mapping(((temporal(2, Dim.X),), (temporal(1, Dim.X),)), (1,))
    batch = encode([inner], layer_of(X=5), 1)
    for model in (Simulator(), ExactModel(), NumpyModel()):
        assert model.evaluate(layer_of(X=5), waiting, batch)[Count.ISSUE_CYCLES].tolist() == [3 * 13]


def test_a_short_run_takes_its_least_time() -> None:
    """5 columns are a run of 4 and one of 1, which takes as long as 3; a dim of one index is a run too."""
    hardware = replace(PLAIN, run=Run(Dim.X, 4, 3))
    assert found(hardware, layer_of(X=5, K=2), (), Count.COMPUTE_BOUND_CYCLES) == (2 * (4 + 3),)
    assert found(hardware, layer_of(X=5), (temporal(2, Dim.X),), Count.COMPUTE_BOUND_CYCLES) == (3 + 3 + 3,)
    assert found(hardware, layer_of(K=7), (), Count.COMPUTE_BOUND_CYCLES) == (7 * 3,)
    assert found(replace(hardware, simd=2), layer_of(X=5), (), Count.COMPUTE_BOUND_CYCLES) == (4,)


@pytest.mark.parametrize("place", range(3))
def test_each_part_holds_its_own_tensor(place: int) -> None:
    """Room in one part does not help another: L1 and L2 each need 6 bytes of W, 3 of I and 2 of O, and overflow with one less."""
    layer, need = layer_of(K=4, C=3), (6, 3, 2)[place]
    batch = encode([Mapping(((temporal(2, Dim.K),),))], layer, 1)
    for size, missing in ((need, False), (need - 1, True)):
        w, i, o = (Part(size if other == place else 1000, STREAM) for other in range(3))
        parts = Buffer(0, STREAM, (w, i, o))
        for hardware, over in ((replace(PLAIN, l1=parts), Fit.L1_OVERFLOW), (replace(PLAIN, l2=parts), Fit.L2_OVERFLOW)):
            for model in (Simulator(), ExactModel(), NumpyModel()):
                assert model.evaluate(layer, hardware, batch).fit.tolist() == [over if missing else Fit.LEGAL]


def test_the_l2_weighs_its_rooms_together() -> None:
    """A part of W for one channel fetches it again for each image; a pool of 10 bytes keeps both, and one image and output."""
    loops = (temporal(1, Dim.N), temporal(1, Dim.K))
    layer = layer_of(N=2, K=2, C=3)
    small = replace(PLAIN, l2=Buffer(1000, STREAM, (Part(3, STREAM), None, None)))
    assert found(small, layer, loops, *OFFCHIP) == (12, 6, 0, 4)
    pooled = replace(PLAIN, l2=Buffer(10, STREAM))
    assert found(pooled, layer, loops, *OFFCHIP, Count.L2_NEED_BYTES) == (6, 6, 0, 4, 6 + 3 + 1)
