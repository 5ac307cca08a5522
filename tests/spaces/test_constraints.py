"""Constraints hold exactly: what they leave is what filtering all mappings by their plain words leaves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_hand import layer_of
from every_mapping import Choice, as_batch, choices_of, every_mapping, sides_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import ample
from strategies_constraints import MACHINE, constrained_spaces, constraints, small_layers, small_machines

from mapsearch.formats.yaml.dataflows import classic_dataflows
from mapsearch.model.cost import Fit, Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.tensors import Dim
from mapsearch.search.mappings.branch_and_bound import branch_and_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.optuna_search import OptunaSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Limit
from mapsearch.search.mappings.seeds import Seeds, classic_seeds
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.choices import Choices, Lack
from mapsearch.spaces.mappings.constraints import WHOLE, Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space

G, _, K, C, R, S, Y, X = Dim
EXACT = ExactModel()
EDP = Objective.of("edp")
MOST = 20_000  # mappings that a test looks at one by one
NO_MAPPING = "no mapping fits the hardware machine: mine.yaml"
SMALLER = "use smaller sizes or a larger"
L2 = "L2, it has 128; use smaller sizes or a larger L2"
OTHERS = "use another cost model or other constraints"
seeds = st.integers(0, 2**32)
SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def _legal(space: Space, every: set[Choice]) -> set[Choice]:
    """Those that fit the machine."""
    listed = sorted(every)
    fit = EXACT.evaluate(space.layer, space.hardware, as_batch(space, listed)).fit
    return {choice for choice, each in zip(listed, fit.tolist(), strict=True) if each == Fit.LEGAL}


@SOME
@given(constrained_spaces(), seeds)
def test_all_that_is_drawn_and_varied_keeps_to_the_constraints(space: Space, seed: int) -> None:
    """Draws of the fitting, random and start structures, and changes of them for generations, are legal mappings of the space."""
    every = every_mapping(space)
    assume(len(every) <= MOST)
    legal = _legal(space, every)
    rng = np.random.default_rng(seed)
    structures = [space.fitting, *classic_seeds(space, classic_dataflows()), *(space.random_structure(rng) for _ in range(8))]
    batch = space.draw([space.fitting], 1, rng)
    assert len(batch) == 1
    batch = batch.join(space.draw(structures, 2, rng))
    for _ in range(4):
        batch = batch.join(space.vary(batch, 16, rng, structure=True))
    assert set(choices_of(space, batch)) <= legal


@SOME
@given(constrained_spaces())
def test_the_size_is_that_of_all_that_keeps_to_the_constraints(space: Space) -> None:
    """Space.size counts each mapping that keeps to the constraints once."""
    every = every_mapping(space)
    assume(len(every) <= MOST)
    assert space.size() == len(every)


@SOME
@given(constrained_spaces())
def test_the_optimum_is_that_of_all_that_keeps_to_the_constraints(space: Space) -> None:
    """The exact search proves the least objective of all mappings that keep to the constraints, with one that does."""
    every = every_mapping(space)
    assume(len(every) <= MOST)
    problem = Problem(space, EXACT, EDP)
    values = problem.score(as_batch(space, list(every))).values
    incumbent = Incumbent(problem)
    found = branch_and_bound(incumbent, Limit(), lambda: False)
    assert (found.proven, incumbent.value, found.lower_bound) == (True, values.min(), values.min())
    assert set(choices_of(space, incumbent.batch)) <= every


@SOME
@given(small_layers(), small_machines(), st.integers(1, 2), st.sampled_from(TileRule), st.data())
def test_a_space_is_refused_just_where_no_mapping_fits(
    layer: Layer, hardware: Hardware, levels: int, rule: TileRule, data: st.DataObject
) -> None:
    """Constraints are refused if and only if none of the mappings that keep to them fits, or their Cluster needs too many PEs."""
    held = data.draw(constraints(levels))
    try:
        roomy = Space(layer, ample(hardware), levels, rule, held)
    except InputError:
        cluster = held.levels[0].cluster
        assert cluster is not None
        assert _least_pes(layer, cluster) > max(sides_of(hardware))
        return
    every = every_mapping(roomy)
    assume(len(every) <= MOST)
    fit = EXACT.evaluate(layer, hardware, as_batch(roomy, every)).fit
    refused = isinstance(Choices(layer, hardware, levels, held, Restriction()).first(), Lack)
    assert refused == (fit != Fit.LEGAL).all()


def _least_pes(layer: Layer, cluster: Sizes | Dim) -> int:
    if isinstance(cluster, Dim):
        return layer.extents[G if layer.type is LayerType.DSCONV and cluster is C else cluster]
    return cluster.least


@settings(SOME, max_examples=200)
@given(small_layers(), small_machines(), st.integers(1, 3), st.data())
def test_a_refusal_names_what_is_in_the_way_and_no_more(layer: Layer, hardware: Hardware, levels: int, data: st.DataObject) -> None:
    """With just the constraints that the error names there is no mapping either, and without any one of those there is."""
    held = data.draw(constraints(levels))
    try:
        Space(layer, hardware, levels, constraints=held)
    except InputError as error:
        message = str(error)
    else:
        return
    assert "\n" not in message
    if "random.yaml" not in message:  # the machine has no room for any mapping
        with pytest.raises(InputError):
            Space(layer, hardware, levels)
        return
    named = held
    for part in held.parts():
        named = named if part.text in message else named.without(part)
    with pytest.raises(InputError):
        Space(layer, hardware, levels, constraints=named)
    for part in named.parts():
        assert Space(layer, hardware, levels, constraints=named.without(part)).fitting.orders


def _held(*levels: LevelConstraints) -> Constraints:
    return Constraints("mine", "", levels, "mine.yaml")


@pytest.mark.parametrize(
    ("held", "restriction", "message"),
    [
        (
            _held(LevelConstraints(tiles=((C, Sizes.of(8)), (K, Sizes.of(4)))), LevelConstraints(tiles=((C, Sizes.of(8)),))),
            Restriction(),
            f"{NO_MAPPING}, level 0, tiles: C: 8 and level 1, tiles: C: 8 need 36 bytes of L1, it has 32; {SMALLER} L1",
        ),
        (
            _held(LevelConstraints((C, K), (K, C), tiles=((X, WHOLE), (K, Sizes(least=8))))),
            Restriction(),
            f"{NO_MAPPING}, level 0, tiles: X': whole and level 0, tiles: K: {{min: 8}} need 160 bytes of {L2}",
        ),
        (
            _held(LevelConstraints(cluster=Sizes.of(9, 7))),
            Restriction(),
            f"{NO_MAPPING}, level 0, cluster: [7, 9] needs 7 PEs, it has 6; use smaller Clusters",
        ),
        (
            _held(LevelConstraints(cluster=Sizes.of(4))),
            Restriction(dividing=True),
            f"{NO_MAPPING}, level 0, cluster: 4 must divide its 6 PEs, as the cost model asks; use other Clusters",
        ),
        (
            _held(LevelConstraints(), LevelConstraints(spatial=(R, S))),
            Restriction((R, S)),
            f"the cost model takes no mapping that shares out R, as mine.yaml does at level 1; {OTHERS}",
        ),
        (
            _held(LevelConstraints(tiles=((R, Sizes.of(1)),))),
            Restriction((R, S)),
            f"the cost model takes no mapping that tiles R, as mine.yaml does at level 0; {OTHERS}",
        ),
    ],
)
def test_what_leaves_no_mapping_is_told_in_one_line(held: Constraints, restriction: Restriction, message: str) -> None:
    """The error names the layer, the constraints in the way, what they need and what there is.

    8 of C in a PE are 8 + 8 bytes of W and I and 2 of O, twice. 8 of K and all 8 columns, of one C, are 8 of W, 8 of I and all 128
    of O: 8 * 2 and 8 * 2, and O whole as it never moves.
    """
    machine = replace(MACHINE, pes=6, l1=Buffer(32), l2=Buffer(128))
    with pytest.raises(InputError) as caught:
        Space(layer_of(K=8, C=8, R=2, X=8), machine, 2, TileRule.BALANCED, held, restriction)
    assert str(caught.value) == f"layer layer: {message}"


@pytest.mark.parametrize(
    ("levels", "held", "message"),
    [
        (1, _held(LevelConstraints(), LevelConstraints()), "has 2 levels, more than the 1 of the mappings; use --levels 2"),
        (
            2,
            _held(LevelConstraints(), LevelConstraints(cluster=Sizes.of(2))),
            "level 1: cluster: the mappings have 2 levels, and no Cluster stands after the last; remove it or use more levels",
        ),
    ],
)
def test_constraints_of_levels_that_are_not_there_are_refused(levels: int, held: Constraints, message: str) -> None:
    """What stands below the mappings' last level is an error, not left out."""
    with pytest.raises(InputError) as caught:
        Space(layer_of(K=2), MACHINE, levels, constraints=held)
    assert str(caught.value) == f"mine.yaml: {message}"


def test_draws_and_variations_reach_all_that_is_left() -> None:
    """In a small space each legal mapping is drawn, and each is reached by variation from a single one."""
    outer = LevelConstraints((C, None, X), (K, C), ((K, Sizes.of(1, 3)), (C, Sizes(2, 3))), Sizes(2, 3))
    inner = LevelConstraints((X, K), (K,), ((X, Sizes.of(1)), (C, Sizes.of(1)), (K, Sizes(most=1))))
    space = Space(layer_of(K=4, C=4, X=2), replace(MACHINE, pes=6), constraints=_held(outer, inner))
    legal = _legal(space, every_mapping(space))
    assert len(legal) > 50
    rng = np.random.default_rng(0)
    assert set(choices_of(space, space.sample(3000, rng))) == legal
    parents = space.draw([space.fitting], 1, rng)
    reached: set[Choice] = set()
    for _ in range(120):
        if reached == legal:
            break
        children = space.vary(parents, 200, rng, structure=True)
        reached |= set(choices_of(space, children))
        parents = children[rng.permutation(len(children))]
    assert reached == legal


@pytest.mark.parametrize("sampler", [Sampler.TPE, Sampler.GENETIC, Sampler.RANDOM])
@pytest.mark.parametrize("fixed", [True, False])
def test_a_search_has_parameters_for_what_is_free_alone(sampler: Sampler, fixed: bool) -> None:  # noqa: FBT001 a case
    """A search in a constrained space finds a mapping that keeps to it, also where no parameter is left; tiles may be all fixed."""
    whole = tuple((dim, WHOLE) for dim in (K, C))
    level = LevelConstraints(tuple(Dim), (K,), (*whole, (X, Sizes.of(2))), Sizes.of(2))
    last = LevelConstraints(tuple(Dim), (C,), (*whole, (X, Sizes.of(1))))
    space = Space(
        layer_of(K=2, C=2, X=4), MACHINE, constraints=_held(level, last) if fixed else _held(replace(level, order=(C, K)))
    )
    outcome = OptunaSearcher(sampler).search(
        Problem(space, EXACT, EDP), Budget(6, 20), (0,), Seeds((space.fitting,)), lambda _: False
    )
    every = every_mapping(space)
    assert set(choices_of(space, outcome.batch)) <= every
    assert (len(every) == 1) == fixed


def test_orders_that_cost_the_same_count_once() -> None:
    """Rows and columns under no filter may change places: of the six orders of K, Y', X' two pairs are one each."""
    free = Space(layer_of(K=2, Y=2, X=2), replace(MACHINE, pes=1), 1)
    held = replace(free, constraints=_held(LevelConstraints(tiles=tuple((dim, Sizes.of(1)) for dim in (K, Y, X)))))
    assert held.size() == 3 * 4  # spatial dims and orders
    in_order = replace(held, constraints=_held(replace(held.constraints.levels[0], order=(Y, X))))
    assert in_order.size() == 3 * 3  # Y' X' K, K Y' X', Y' K X'
    assert {choice.orders for choice in every_mapping(in_order)} == {((Y, X, K),), ((K, Y, X),), ((Y, K, X),)}
