"""The exact search finds the optimum that looking at every mapping finds, and its lower bound never lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from itertools import pairwise
from math import isfinite

import numpy as np
import pytest
from every_mapping import as_batch, every_mapping
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.cost import Costs, Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Noc, Offchip
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.tensors import Dim
from mapsearch.search.mappings.anytime import TO_PROVE, AnytimeSearcher
from mapsearch.search.mappings.branch_and_bound import branch_and_bound, least_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Certificate, Limit, Outcome
from mapsearch.search.mappings.searchers import searcher_of
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.orders import interchangeable
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.testing.choosy_model import ChoosyModel
from mapsearch.testing.small import TECHNOLOGY

EXACT = ExactModel()
MACHINE = Hardware("machine", 4, 1, 1000.0, (8, 8, 16), Buffer(64), Buffer(1024), Noc(2), Offchip(2, 3), TECHNOLOGY)
LAYER = Layer("layer", LayerType.CONV, (1, 1, 6, 5, 1, 1, 4, 6))
# Which dims of a type may have more than one index in a small layer.
DIMS = {
    LayerType.CONV: (Dim.N, Dim.K, Dim.C, Dim.R, Dim.Y, Dim.X),
    LayerType.DSCONV: (Dim.G, Dim.R, Dim.Y, Dim.X),
    LayerType.GEMM: (Dim.K, Dim.C, Dim.X),
}
# What may be asked of a space's mappings.
LAWS = [Restriction(), Restriction(), Restriction(even=True), Restriction(dividing=True, perfect=True, even=True, single=True)]
MOST = 60_000  # mappings that a test looks at one by one


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Proof:
    """What a search from nothing, or from a mapping, ended with."""

    batch: MappingBatch
    value: float
    certificate: Certificate


def _proof(problem: Problem, limit: Limit, stop: Callable[[], bool], known: MappingBatch | None = None) -> Proof:
    incumbent = Incumbent(problem)
    if known is not None:
        incumbent.score(known)
    certificate = branch_and_bound(incumbent, limit, stop)
    return Proof(incumbent.batch, incumbent.value, certificate)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    kind = draw(st.sampled_from(sorted(DIMS)))
    extents = [1] * 8
    for dim in draw(st.lists(st.sampled_from(DIMS[kind]), min_size=1, max_size=3, unique=True)):
        extents[dim] = draw(st.integers(2, 6))
    stride = draw(st.sampled_from([(1, 1), (2, 2), (1, 2)])) if kind is not LayerType.GEMM else (1, 1)
    g, n, k, c, r, s, y, x = extents
    layer = Layer("layer", kind, (g, n, k, c, r, s, y, x), stride)
    hardware = replace(
        MACHINE,
        pes=draw(st.integers(1, 6)),
        l1=Buffer(draw(st.sampled_from([12, 32, 64])), draw(st.sampled_from([Buffering.DOUBLE, Buffering.SINGLE]))),
        l2=Buffer(draw(st.sampled_from([64, 128, 1024])), draw(st.sampled_from([Buffering.DOUBLE, Buffering.SINGLE]))),
        noc=Noc(draw(st.sampled_from([1, 2, 8])), 1, draw(st.booleans()), draw(st.booleans())),
        offchip=Offchip(draw(st.sampled_from([1, 4])), draw(st.sampled_from([0, 5]))),
    )
    try:
        space = Space(
            layer, hardware, draw(st.integers(1, 2)), draw(st.sampled_from(list(TileRule))), restriction=draw(st.sampled_from(LAWS))
        )
    except InputError:  # nothing fits
        assume(False)  # noqa: FBT003 its only parameter
        raise
    return Problem(space, EXACT, Objective.of(draw(st.sampled_from(["latency", "energy", "edp"]))))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(problems())
def test_the_optimum_is_that_of_all_mappings(problem: Problem) -> None:
    """On small layers and machines the exact search proves the least objective of all mappings of the space."""
    choices = every_mapping(problem.space)
    assume(len(choices) <= MOST)
    least = float(problem.score(as_batch(problem.space, choices)).values.min())
    assume(isfinite(least))
    found = _proof(problem, Limit(), _never)
    assert found.certificate.proven
    assert (found.value, found.certificate.lower_bound) == (least, least)
    assert problem.score(found.batch).values.tolist() == [least]
    at_once = least_bound(problem)
    assert at_once is not None
    assert at_once <= least


@pytest.mark.nightly
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(problems())
def test_the_optimum_is_that_of_all_mappings_at_length(problem: Problem) -> None:
    """The same, over many more layers and machines."""
    choices = every_mapping(problem.space)
    assume(len(choices) <= MOST)
    least = float(problem.score(as_batch(problem.space, choices)).values.min())
    found = _proof(problem, Limit(), _never)
    assert (found.certificate.proven, found.value, found.certificate.lower_bound) == (True, least, least)


@pytest.mark.parametrize(("layer_set", "name", "parts"), [("resnet18", "conv5_shortcut", 700_000), ("alexnet", "conv2", 3_000_000)])
def test_real_convolutions_are_proven(layer_set: str, name: str, parts: int) -> None:
    """A 1x1 and a 5x5 convolution are proven from no start, with some room for more parts than it took when this was written."""
    layer = next(unique.layer for unique in load_layer_set(layer_set).unique if unique.layer.name == name)
    problem = Problem(Space(layer, load_hardware("edge")), EXACT, Objective.of("edp"))
    found = _proof(problem, Limit(parts=parts), _never)
    assert found.certificate.proven
    assert found.value == found.certificate.lower_bound == float(problem.score(found.batch).values[0])


def test_what_does_not_fit_is_counted() -> None:
    """Where all fits nothing is counted as unfit; with smaller buffers some choices are."""
    roomy = replace(MACHINE, l1=Buffer(2**20), l2=Buffer(2**20))
    large, small = (
        _proof(Problem(Space(LAYER, machine), EXACT, Objective.of("edp")), Limit(), _never).certificate
        for machine in (roomy, MACHINE)
    )
    assert large.unfit == 0 < small.unfit


def test_a_known_mapping_is_a_start() -> None:
    """With the optimum given, the search proves it and gives it back, with fewer parts opened."""
    problem = Problem(Space(LAYER, MACHINE), EXACT, Objective.of("edp"))
    cold = _proof(problem, Limit(), _never)
    warm = _proof(problem, Limit(), _never, cold.batch)
    assert warm.certificate.proven
    assert (warm.value, warm.certificate.lower_bound) == (cold.value, cold.value)
    assert warm.certificate.opened <= cold.certificate.opened


def test_a_search_that_is_stopped_still_bounds() -> None:
    """Without time, or stopped, it ends at once with what it was given and a bound below it."""
    problem = Problem(Space(LAYER, MACHINE), EXACT, Objective.of("edp"))
    optimum = _proof(problem, Limit(), _never)
    for found in (
        _proof(problem, Limit(seconds=0.0), _never, optimum.batch),
        _proof(problem, Limit(), lambda: True, optimum.batch),
    ):
        assert not found.certificate.proven
        assert found.certificate.left > 0
        assert found.certificate.lower_bound <= optimum.value == found.value
        assert found.certificate.lower_bound == least_bound(problem)
    few = _proof(problem, Limit(parts=1000), _never, optimum.batch)
    assert few.certificate.bounded >= 1000
    assert few.certificate.left > 0
    assert few.certificate.lower_bound <= optimum.value
    calls = iter([False] * 5 + [True])
    part = _proof(problem, Limit(), lambda: next(calls), optimum.batch)
    assert part.certificate.lower_bound <= optimum.value


@pytest.mark.parametrize("name", ["kcp_ws", "yxp_os"])
def test_a_dataflow_is_held(name: str) -> None:
    """In the space of a dataflow only its orders and shared dims occur, and the optimum is that of its mappings."""
    space = Space(LAYER, replace(MACHINE, pes=8), constraints=load_dataflow(name))
    problem = Problem(space, EXACT, Objective.of("edp"))
    found = _proof(problem, Limit(), _never)
    assert found.certificate.proven
    sampled = space.sample(5000, np.random.default_rng(0))
    assert found.value <= float(problem.score(sampled).values.min())
    assert found.batch.spatial[0].tolist() == sampled.spatial[0].tolist()


def _counts(costs: Costs) -> list[object]:
    return [costs.runtime_cycles.tolist(), costs.energy_pj().tolist(), costs.fit.tolist()]


def test_interchangeable_loops_cost_the_same() -> None:
    """Two iterating neighbours that `interchangeable` names may change places: cycles, energy and fit stay what they are."""
    layer = Layer("layer", LayerType.NGCONV, (3, 2, 5, 6, 1, 2, 9, 4), (2, 2))
    assert interchangeable(layer, Dim.N, Dim.Y)
    assert interchangeable(layer, Dim.C, Dim.R)
    assert not interchangeable(layer, Dim.Y, Dim.X)  # X slides
    assert not interchangeable(layer, Dim.K, Dim.C)
    space = Space(layer, replace(MACHINE, pes=12, l1=Buffer(200), l2=Buffer(3000)), tiles=TileRule.ALL)
    batch = space.sample(3000, np.random.default_rng(1))
    swapped = batch.order.copy()
    changed = 0
    for row in range(len(batch)):
        tile = np.array(layer.extents)
        for level in range(2):
            order, size = swapped[row, level], batch.size[row, level]
            shared = np.where(np.arange(8) == batch.spatial[row, level], batch.units[row, level], 1)
            loops = [place for place in range(8) if size[order[place]] * shared[order[place]] < tile[order[place]]]
            for outer, inner in pairwise(loops):
                if interchangeable(layer, Dim(int(order[outer])), Dim(int(order[inner]))):
                    order[outer], order[inner] = order[inner], order[outer]
                    changed += 1
                    break
            tile = size
    assert changed > 500
    other = MappingBatch(batch.units, batch.spatial, swapped, batch.size)
    assert _counts(EXACT.evaluate(layer, space.hardware, batch)) == _counts(EXACT.evaluate(layer, space.hardware, other))


def test_what_cannot_be_bounded_is_refused() -> None:
    """A model without a bound, or an objective that may fall as energy grows, has no exact search, and one line says why."""
    space = Space(LAYER, MACHINE)
    for problem, told in (
        (Problem(space, ChoosyModel(), Objective.of("edp")), "has no lower bound, which an exact search needs"),
        (Problem(space, EXACT, Objective.of("runtime_cycles / energy_pj")), "is not proven to grow with runtime and energy"),
    ):
        assert least_bound(problem) is None
        with pytest.raises(InputError, match=told):
            _proof(problem, Limit(), _never)


def _found(outcome: Outcome) -> tuple[object, ...]:
    """All of an outcome but its seconds."""
    batch = outcome.batch
    arrays = [array.tolist() for array in (batch.units, batch.spatial, batch.order, batch.size)]
    trace = [replace(step, seconds=0.0) for step in outcome.trace]
    return (*arrays, outcome.value, outcome.lower_bound, outcome.evaluations, outcome.dropped, outcome.finished, *trace)


def test_the_searcher_gives_the_optimum_with_its_proof() -> None:
    """`exact` is a searcher whose outcome is the proven optimum, the same for any seed's start, and whose trace ends there."""
    problem = Problem(Space(LAYER, MACHINE), EXACT, Objective.of("edp"))
    searcher = searcher_of(Sampler.EXACT, (problem.objective,))
    assert isinstance(searcher, AnytimeSearcher)
    optimum = _proof(problem, Limit(), _never).value
    one, again, other = (searcher.search(problem, Budget(2, 8), seed, Seeds(), lambda _: False) for seed in ((0,), (0,), (1,)))
    assert _found(one) == _found(again)
    for outcome in (one, other):
        assert outcome.value == outcome.lower_bound == optimum
        assert outcome.finished
        evaluations, dropped, _, _, values = zip(*map(astuple, outcome.trace), strict=True)
        assert list(evaluations) == sorted(evaluations)
        assert list(dropped) == sorted(dropped)
        assert list(values) == sorted(values, reverse=True)
        assert values[-1] == optimum


def test_a_proof_is_told_as_it_goes() -> None:
    """The progress of a proven search never goes back; it begins with the trials and ends with all ticks."""
    problem = Problem(Space(LAYER, MACHINE), EXACT, Objective.of("edp"))
    searcher, budget = searcher_of(Sampler.EXACT, (problem.objective,)), Budget(2, 8)
    told: list[int] = []

    def tell(done: int) -> bool:
        told.append(done)
        return False

    searcher.search(problem, budget, (0,), Seeds(), tell)
    assert told[0] == 1
    assert told == sorted(told)
    assert told[-1] == searcher.ticks(budget) > 2


def test_the_searcher_ends_when_told() -> None:
    """A timeout that is up at once leaves a bound below the value; a stop leaves an unfinished search."""
    problem = Problem(Space(LAYER, MACHINE), EXACT, Objective.of("edp"))
    late = AnytimeSearcher(0.0, TO_PROVE).search(problem, Budget(2, 8, timeout_seconds=1e-9), (0,), Seeds(), lambda _: False)
    assert late.finished
    assert late.lower_bound is not None
    assert late.lower_bound < late.value
    stopped = AnytimeSearcher(0.0, TO_PROVE).search(problem, Budget(2, 8), (0,), Seeds(), lambda done: done >= 2)
    assert not stopped.finished
    assert stopped.lower_bound is not None
    assert stopped.lower_bound < stopped.value


def test_auto_is_the_start_where_nothing_can_be_bounded() -> None:
    """With an objective that may fall as energy grows, `auto` ends with its start, within its budget, without a bound."""
    problem = Problem(Space(LAYER, MACHINE), EXACT, Objective.of("runtime_cycles / energy_pj"))
    budget = Budget(4, 8)
    auto = searcher_of(Sampler.AUTO, (problem.objective,)).search(problem, budget, (0,), Seeds(), lambda _: False)
    assert (auto.lower_bound, auto.proof, auto.finished) == (None, None, True)
    assert 4 <= auto.evaluations <= budget.evaluations + 1  # the best of the one half is looked at again in the other
    assert np.isfinite(auto.value)
