"""The simulator against laws that hold for every mapping that fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from strategies import ample, cases, plain_machines

from mapsearch.model.cost import Count, Fit
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.model.records import least_part, machine_record
from mapsearch.model.reference.simulator import Simulator
from mapsearch.model.tensors import Tensor

SIMULATOR = Simulator()
WORDS = (Count.L2_TO_L1_W, Count.L2_TO_L1_I, Count.L2_TO_L1_O)
FILLS = (Count.L1_FILL_W, Count.L1_FILL_I, Count.L1_FILL_O)
SOME = settings(max_examples=60, deadline=None)


@SOME
@given(cases())
def test_outputs_that_enter_again_are_read_back(case: tuple[Layer, Hardware, list[Mapping]]) -> None:
    """Partial sums read are the entrances less the outputs with reduction, and without it the L2 reads what it adds."""
    layer, hardware, mappings = case
    costs = SIMULATOR.evaluate(layer, ample(hardware), encode(mappings, layer, hardware.pes))
    outputs = layer.words(Tensor.OUTPUT)
    again, added = costs[Count.L2_TO_L1_O] - outputs, costs[Count.L1_FILL_O] - outputs
    if hardware.noc.reduction:
        assert costs[Count.PSUM_READ].tolist() == again.tolist()
        assert costs[Count.OUTPUT_WRITE].tolist() == costs[Count.L2_TO_L1_O].tolist()
        assert not costs[Count.L2_ADD_READ].any()
    else:
        assert not costs[Count.PSUM_READ].any()
        assert costs[Count.OUTPUT_WRITE].tolist() == costs[Count.L1_FILL_O].tolist()
        assert costs[Count.L2_ADD_READ].tolist() == added.tolist()


@SOME
@given(cases())
def test_no_word_is_missing(case: tuple[Layer, Hardware, list[Mapping]]) -> None:
    """Each element crosses the network at least once, and PEs receive at least the words that cross."""
    layer, hardware, mappings = case
    costs = SIMULATOR.evaluate(layer, ample(hardware), encode(mappings, layer, hardware.pes))
    for tensor, words, fills in zip(Tensor, WORDS, FILLS, strict=True):
        assert (costs[words] >= layer.words(tensor)).all()
        assert (costs[fills] >= costs[words]).all()
        if not hardware.noc.multicast and tensor is not Tensor.OUTPUT:
            assert costs[fills].tolist() == costs[words].tolist()


@SOME
@given(cases())
def test_cycles_add_up(case: tuple[Layer, Hardware, list[Mapping]]) -> None:
    """Bounds add up to the array's cycles, runtime is fill and the longest of array, off-chip, issue, and no peak is below average.

    Where the L2 is single-buffered the array and off-chip add up; where only some tensors are, runtime lies between the two.
    """
    layer, hardware, mappings = case
    costs = SIMULATOR.evaluate(layer, ample(hardware), encode(mappings, layer, hardware.pes))
    array, offchip = costs[Count.ARRAY_CYCLES], costs[Count.OFFCHIP_CYCLES]
    bounds = (Count.COMPUTE_BOUND_CYCLES, Count.INGRESS_BOUND_CYCLES, Count.EGRESS_BOUND_CYCLES)
    assert costs.counts[:, bounds].sum(axis=1).tolist() == array.tolist()
    after_fill = costs[Count.RUNTIME_CYCLES] - costs[Count.FILL_CYCLES]
    waits = machine_record(layer, hardware)["l2"]["apart"].tolist()
    issue, longer = costs[Count.ISSUE_CYCLES], np.maximum(array, offchip)
    assert (after_fill >= np.maximum(longer, issue)).all()
    assert (after_fill <= np.maximum(array + offchip, issue)).all()
    if waits in ([0, 0, 0], [1, 1, 1]):
        assert after_fill.tolist() == np.maximum(array + offchip if waits[0] else longer, issue).tolist()
    assert (issue <= hardware.l2.tile_cycles * costs[Count.STEPS]).all()
    least = layer.macs * least_part(machine_record(layer, hardware))
    assert (array * hardware.pes * hardware.simd >= least).all()
    moved = costs.counts[:, (Count.L2_TO_L1_W, Count.L2_TO_L1_I, Count.PSUM_READ, Count.OUTPUT_WRITE)].sum(axis=1)
    assert (costs[Count.PEAK_NOC_WORDS] * array >= costs[Count.PEAK_NOC_CYCLES] * moved).all()


@SOME
@given(cases(plain_machines()))
def test_an_l2_without_bounds_fetches_each_word_once(case: tuple[Layer, Hardware, list[Mapping]]) -> None:
    """With room for all, the best residency moves every element off-chip once, and no partial sum."""
    layer, hardware, mappings = case
    costs = SIMULATOR.evaluate(layer, ample(hardware), encode(mappings, layer, hardware.pes))
    weights, inputs, outputs = (layer.words(tensor) for tensor in Tensor)
    offchip = (Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE)
    once = [[weights, inputs, 0, outputs]] * len(mappings)
    assert costs.counts[:, offchip].tolist() == once


@SOME
@given(cases(plain_machines()))
def test_buffers_of_just_the_need_fit(case: tuple[Layer, Hardware, list[Mapping]]) -> None:
    """Buffers of exactly the needs fit and change nothing; with one L1 byte less the mapping overflows L1."""
    layer, hardware, mappings = case
    batch = encode(mappings[:1], layer, hardware.pes)
    roomy = SIMULATOR.evaluate(layer, ample(hardware), batch)
    l1_need, l2_need = int(roomy[Count.L1_NEED_BYTES][0]), int(roomy[Count.L2_NEED_BYTES][0])
    l1, l2 = replace(hardware.l1, bytes=l1_need), replace(hardware.l2, bytes=l2_need)
    assert SIMULATOR.evaluate(layer, replace(hardware, l1=l1, l2=l2), batch).counts.tolist() == roomy.counts.tolist()
    small = replace(hardware, l1=replace(l1, bytes=l1_need - 1), l2=l2)
    assert SIMULATOR.evaluate(layer, small, batch).fit.tolist() == [Fit.L1_OVERFLOW]


@SOME
@given(cases(plain_machines()))
def test_a_smaller_l2_never_moves_less(case: tuple[Layer, Hardware, list[Mapping]]) -> None:
    """Where the mapping fits, a need stays within its buffer, and off-chip cycles are at least those of an L2 without bounds."""
    layer, hardware, mappings = case
    batch = encode(mappings, layer, hardware.pes)
    costs, roomy = SIMULATOR.evaluate(layer, hardware, batch), SIMULATOR.evaluate(layer, ample(hardware), batch)
    legal = costs.fit == Fit.LEGAL
    assert (costs[Count.L2_NEED_BYTES][legal] <= hardware.l2.bytes).all()
    assert (costs[Count.OFFCHIP_CYCLES][legal] >= roomy[Count.OFFCHIP_CYCLES][legal]).all()
    assert (costs[Count.L2_NEED_BYTES][costs.fit == Fit.L2_OVERFLOW] > hardware.l2.bytes).all()
