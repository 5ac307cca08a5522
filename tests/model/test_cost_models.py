"""What every cost model must do, and that the exact one counts what a walk over the steps counts.

A new cost model joins the list MODELS, which keep `CostModelContract`; COUNTING are those that count words.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_hand import layer_of, spatial, temporal
from hypothesis import HealthCheck, example, given, settings
from rooms import L1_NEEDS, L2_NEEDS, holds, just, less, needs_of
from strategies import ample, cases

from mapsearch.model.cost import COUNTS, CostModel, Count, Fit
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.maestro.model import MaestroModel
from mapsearch.model.mapping import Directive, Mapping, encode
from mapsearch.model.reference.simulator import Simulator
from mapsearch.model.tensors import Dim
from mapsearch.testing.choosy_model import ChoosyModel
from mapsearch.testing.cost_models import MACHINE, SMALL, CostModelContract, machine_with

Case = tuple[Layer, Hardware, list[Mapping]]

EXACT, SIMULATOR = ExactModel(), Simulator()
COUNTING: list[ExactModel | Simulator] = [EXACT, SIMULATOR]
MODELS: list[CostModel] = [*COUNTING, ChoosyModel(), MaestroModel()]
counting_model = pytest.mark.parametrize("model", COUNTING, ids=[model.name for model in COUNTING])
SOME = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NEEDS = (Count.L1_NEED_BYTES, Count.L2_NEED_BYTES, *L1_NEEDS, *L2_NEEDS)
OFFCHIP = (Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE)

MAPPINGS = [
    Mapping(((spatial(1, Dim.K), temporal(2, Dim.X)), (spatial(1, Dim.C), temporal(1, Dim.S))), (2,)),
    Mapping(((temporal(1, Dim.C), spatial(4, Dim.X)), (spatial(3, Dim.X), temporal(2, Dim.K))), (2,)),
    Mapping(((spatial(1, Dim.C),), (spatial(2, Dim.K),)), (2,)),
]
BATCH = encode(MAPPINGS, SMALL, MACHINE.pes)


def as_lists(costs: CountedCosts) -> tuple[list[int], list[list[int]]]:
    return costs.fit.tolist(), costs.counts.tolist()


def test_models_are_told_apart_by_their_names() -> None:
    """Each model has a name of one word, and no two the same."""
    names = [model.name for model in MODELS]
    assert all(name.isidentifier() for name in names)
    assert len(set(names)) == len(names)


@counting_model
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_there_is_a_column_for_each_count(model: ExactModel | Simulator, rows: int) -> None:
    """The counts are int64[B, COUNTS], and no mapping that fits is refused."""
    costs = model.evaluate(SMALL, MACHINE, BATCH[:rows])
    assert costs.counts.dtype == np.int64
    assert costs.counts.shape == (rows, COUNTS)
    assert costs.fit.tolist() == [Fit.LEGAL] * rows


@counting_model
@SOME
@given(cases())
def test_the_counts_of_a_batch_are_those_of_its_mappings_alone(model: ExactModel | Simulator, case: Case) -> None:
    """No count depends on the mappings beside it, nor on their order."""
    layer, hardware, mappings = case
    batch = encode(mappings, layer, hardware.pes)
    fit, counts = as_lists(model.evaluate(layer, hardware, batch))
    alone = [as_lists(model.evaluate(layer, hardware, batch[row : row + 1])) for row in range(len(batch))]
    assert (fit, counts) == ([one[0][0] for one in alone], [one[1][0] for one in alone])
    assert as_lists(model.evaluate(layer, hardware, batch[::-1])) == (fit[::-1], counts[::-1])


@counting_model
@SOME
@given(cases())
@example((SMALL, machine_with(1, 2**16), MAPPINGS))
@example((SMALL, machine_with(2**10, 1), MAPPINGS))
@example((SMALL, machine_with(1, 1), MAPPINGS))
def test_fit_says_which_buffer_overflows(model: ExactModel | Simulator, case: Case) -> None:
    """An L1 need above the L1 is an L1 overflow, else an L2 need above the L2 one of L2; then all but the needs is 0."""
    layer, hardware, mappings = case
    costs = model.evaluate(layer, hardware, encode(mappings, layer, hardware.pes))
    for row, fit in enumerate(costs.fit):
        l1_needs, l2_needs = needs_of(costs, row, L1_NEEDS), needs_of(costs, row, L2_NEEDS)
        assert min(l1_needs) > 0
        assert [need > 0 for need in l2_needs] == [not passes for passes in hardware.l2.bypass]
        assert [int(costs[need][row]) for need in NEEDS[:2]] == [sum(l1_needs), sum(l2_needs)]
        over = [Fit.L1_OVERFLOW] * (not holds(hardware.l1, l1_needs)) + [Fit.L2_OVERFLOW] * (not holds(hardware.l2, l2_needs))
        assert fit == [*over, Fit.LEGAL][0]
        others = [int(costs[count][row]) for count in Count if count not in NEEDS]
        assert any(others) == (fit == Fit.LEGAL)
        assert costs[Count.STEPS][row] > 0 or fit != Fit.LEGAL


@counting_model
@SOME
@given(cases())
def test_rooms_of_just_the_need_fit(model: ExactModel | Simulator, case: Case) -> None:
    """Rooms of L1 of the need, and of L2 of the least need, fit; with a byte less they overflow and tell the same need."""
    layer, hardware, mappings = case
    batch = encode(mappings[:1], layer, hardware.pes)
    refused = model.evaluate(layer, replace(hardware, l1=just(hardware.l1, (1, 1, 1)), l2=just(hardware.l2, (1, 1, 1))), batch)
    l1, l2 = just(hardware.l1, needs_of(refused, 0, L1_NEEDS)), just(hardware.l2, needs_of(refused, 0, L2_NEEDS))

    def fit(l1: Buffer, l2: Buffer) -> Fit:
        costs = model.evaluate(layer, replace(hardware, l1=l1, l2=l2), batch)
        assert [int(costs[need][0]) for need in NEEDS] == [int(refused[need][0]) for need in NEEDS]
        return Fit(int(costs.fit[0]))

    assert fit(l1, l2) is Fit.LEGAL
    for buffer, over in ((l1, Fit.L1_OVERFLOW), (l2, Fit.L2_OVERFLOW)):
        smaller = less(buffer)
        if smaller is not None and not (buffer is l2 and any(hardware.l2.bypass)):
            assert fit(*((smaller, l2) if buffer is l1 else (l1, smaller))) is over


@counting_model
@SOME
@given(cases())
def test_the_residency_is_the_best_that_fits(model: ExactModel | Simulator, case: Case) -> None:
    """An L2 of what the best residency needs changes nothing; with a byte less, any other moves more bits."""
    layer, hardware, mappings = case
    hardware = ample(hardware)
    batch = encode(mappings[:1], layer, hardware.pes)
    roomy = model.evaluate(layer, hardware, batch)
    exactly = just(hardware.l2, needs_of(roomy, 0, L2_NEEDS))
    assert as_lists(model.evaluate(layer, replace(hardware, l2=exactly), batch)) == as_lists(roomy)
    costs = model.evaluate(layer, replace(hardware, l2=less(exactly) or exactly), batch)
    if costs.fit[0] == Fit.LEGAL and as_lists(costs) != as_lists(roomy):
        assert costs[Count.L2_NEED_BYTES][0] < roomy[Count.L2_NEED_BYTES][0]
        assert _offchip_bits(hardware, costs) > _offchip_bits(hardware, roomy)


def _offchip_bits(hardware: Hardware, costs: CountedCosts) -> int:
    weight, input_, output = hardware.bits
    bits = (weight, input_, output, output)
    return sum(int(costs[count][0]) * width for count, width in zip(OFFCHIP, bits, strict=True))


def _compare(case: Case) -> None:
    layer, hardware, mappings = case
    batch = encode(mappings, layer, hardware.pes)
    walked = SIMULATOR.evaluate(layer, hardware, batch)
    closed = EXACT.evaluate(layer, hardware, batch)
    assert [Fit(int(fit)).name for fit in closed.fit] == [Fit(int(fit)).name for fit in walked.fit]
    for row in range(len(batch)):
        differing = {
            count.name: (int(closed.counts[row, count]), int(walked.counts[row, count]))
            for count in Count
            if closed.counts[row, count] != walked.counts[row, count]
        }
        assert not differing, f"exact, simulated: {differing} of {mappings[row]}"


def _one_level(*directives: Directive, pes: int = 1, **extents: int) -> Case:
    return layer_of(**extents), replace(ample(MACHINE), pes=pes), [Mapping((directives,))]


# W whole and I moving take as many bits and bytes as I whole and W moving: the smaller depth of W decides.
TIE: Case = (
    layer_of(K=2, C=2, X=2),
    replace(MACHINE, pes=1, bits=(8, 8, 8), l2=Buffer(8)),
    [Mapping(((temporal(1, Dim.K), temporal(1, Dim.X), temporal(1, Dim.C)),))],
)
# Unit 1 has 3 of 9 columns, so that it is at its edge chunk one index before unit 0's last, and empty then.
EARLY_EDGE: Case = (
    layer_of(X=9, S=2),
    replace(ample(MACHINE), pes=2),
    [Mapping(((spatial(6, Dim.X),), (temporal(2, Dim.X),)), (1,))],
)
COMPARE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(COMPARE, max_examples=300)
@given(cases())
# Every step makes other outputs: they enter for the first time, and no partial sum is read.
@example(_one_level(temporal(1, Dim.G), G=2))
# The reduction is innermost: outputs enter once and stay until they are done.
@example(_one_level(temporal(1, Dim.K), temporal(1, Dim.C), K=2, C=3))
# The last step leaves a PE idle, which the next step finds with its old words.
@example(_one_level(temporal(1, Dim.N), spatial(1, Dim.K), pes=2, N=2, K=3))
# Neighbours on a sliding axis need each other's words, and get them again.
@example(_one_level(spatial(1, Dim.X), pes=2, X=4, S=2))
@example(TIE)
@example(EARLY_EDGE)
def test_the_exact_model_equals_the_simulator(case: Case) -> None:
    """Every integer of the closed form equals a walk over the steps with plain sets."""
    _compare(case)


@pytest.mark.nightly
@settings(COMPARE, max_examples=20_000)
@given(cases())
def test_the_exact_model_equals_the_simulator_at_length(case: Case) -> None:
    """The same over so many cases that rare meetings of edge chunks, strides and idle PEs come up."""
    _compare(case)


@pytest.mark.nightly
@settings(COMPARE, max_examples=20_000)
@given(cases(sparse=(True,)))
def test_the_exact_model_equals_the_simulator_on_sparse_layers_at_length(case: Case) -> None:
    """The same where all layers have densities or patterns, and all machines formats, zeros that they skip, or that they gate."""
    _compare(case)


class TestEveryModel(CostModelContract):
    """Each of MODELS keeps the contract of cost models."""

    @pytest.fixture(params=MODELS, ids=[model.name for model in MODELS])
    def model(self, request: pytest.FixtureRequest) -> CostModel:
        """Each in turn."""
        model: CostModel = request.param
        return model
