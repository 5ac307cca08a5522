"""That a space holds what its rules say: every mapping drawn or varied is legal, and none is left out of the count."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import prod

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from every_mapping import Choice, every_mapping, smallest_for_its_trips
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import layers, machines

from mapsearch.formats.yaml.dataflows import classic_dataflows, load_dataflow
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.hardware import names as presets
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.cost import Fit, Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer, Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.choices import Choices
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.rules import MAX_LEVELS, TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.spaces.mappings.space_record import compiled_space
from mapsearch.spaces.mappings.tiles import settle_all

EXACT = ExactModel()
SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
REAL_LAYERS = [
    unique.layer
    for network in ("mobilenet", "resnet50", "bert_base", "dlrm")
    for unique in load_layer_set(network).unique[::4]
]  # fmt: skip
every_rule = pytest.mark.parametrize("rule", TileRule)
RESTRICTIONS = [
    Restriction(),
    Restriction((Dim.R, Dim.S)),
    Restriction(dividing=True),
    Restriction((Dim.K, Dim.R), dividing=True),
    Restriction(even=True),
    Restriction(perfect=True, even=True),
    Restriction(dividing=True, perfect=True, single=True),
]
rules, seeds, depths = st.sampled_from(TileRule), st.integers(0, 2**32), st.integers(1, MAX_LEVELS)


def rows_of(batch: MappingBatch) -> list[tuple[object, ...]]:
    return list(zip(batch.units.tolist(), batch.spatial.tolist(), batch.order.tolist(), batch.size.tolist(), strict=True))


def assert_all_are_legal(space: Space, batch: MappingBatch) -> None:
    """Every mapping fits by the exact model, covers each MAC once within the PEs, and has only sizes and units of the rules."""
    pes, untiled = space.hardware.pes, list(space.restriction.untiled)
    assert not np.isin(batch.spatial, untiled).any()
    assert (batch.size[:, :, untiled] == np.array(space.layer.extents)[untiled]).all()
    assert not space.restriction.dividing or (batch.units.prod(axis=1) == pes).all()
    assert EXACT.evaluate(space.layer, space.hardware, batch).fit.tolist() == [Fit.LEGAL] * len(batch)
    assert (np.sort(batch.order, axis=2) == np.arange(len(Dim))).all()
    for row in range(len(batch)):
        mapping = batch.decode(row, space.layer)
        mapping.check(space.layer, pes)
        assert batch.units[row].tolist() == list(mapping.units(pes))
        above = list(space.layer.extents)
        for tile in batch.size[row].tolist():
            for whole, size in zip(above, tile, strict=True):
                assert 1 <= size <= whole
                assert space.tiles is not TileRule.BALANCED or smallest_for_its_trips(whole, size)
                assert space.tiles is not TileRule.DIVISORS or whole % size == 0
            above = tile
    _assert_laws(space, batch)


def _assert_laws(space: Space, batch: MappingBatch) -> None:
    """Mappings fill the rounds of spatial loops, and have single outputs along strided axes, where the space asks for that."""
    extents = np.broadcast_to(np.array(space.layer.extents), (len(batch), 1, len(Dim)))
    above = np.concatenate([extents, batch.size[:, :-1]], axis=1)
    chunks = np.take_along_axis(-(-above // batch.size), batch.spatial[:, :, None].astype(np.int64), axis=2)[:, :, 0]
    assert not space.restriction.even or (chunks % np.minimum(batch.units, chunks) == 0).all()
    strided = [dim for dim, stride in zip((Dim.Y, Dim.X), space.layer.stride, strict=True) if stride > 1]
    assert not space.restriction.single or (batch.size[:, :, strided] == 1).all()


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Spaces of any rule, depth and restriction, or of a classic dataflow, that are not empty."""
    layer, hardware = draw(layers()), draw(machines())
    dataflow = draw(st.none() | st.sampled_from(classic_dataflows()))
    levels, held = (draw(depths), Constraints()) if dataflow is None else (len(dataflow.levels), dataflow)
    try:
        return Space(layer, hardware, levels, draw(rules), held, draw(st.sampled_from(RESTRICTIONS)))
    except InputError:
        assume(condition=False)
        raise


@SOME
@given(spaces(), seeds)
def test_all_that_is_drawn_and_varied_is_legal(space: Space, seed: int) -> None:
    """Draws, and changes of draws for generations, are legal mappings whose sizes keep the rule."""
    rng = np.random.default_rng(seed)
    batch = space.draw([space.fitting, space.random_structure(rng)], 4, rng)
    for _ in range(3):
        assert len(batch) > 0
        assert_all_are_legal(space, batch)
        batch = batch.join(space.vary(batch, 8, rng, structure=True))
    assert_all_are_legal(space, batch)


@pytest.mark.parametrize("preset", presets())
def test_real_layers_lose_no_draw(preset: str) -> None:
    """On the presets every draw for a real layer fits, at each number of levels and with each dataflow whose Clusters fit."""
    hardware = load_hardware(preset)
    sides = (hardware.pes,) if hardware.array is None else (hardware.array.rows, hardware.array.columns)
    for layer in REAL_LAYERS:
        free = [Space(layer, hardware, levels) for levels in range(1, MAX_LEVELS + 1)]
        dataflows = [each for each in classic_dataflows() if each.name != "yrp_rs" or layer.extents[Dim.R] <= max(sides)]
        held = [Space(layer, hardware, len(dataflow.levels), constraints=dataflow) for dataflow in dataflows]
        for space in free + held:
            batch = space.sample(20, np.random.default_rng(0))
            assert len(batch) == 20
            assert EXACT.evaluate(layer, hardware, batch).fit.tolist() == [Fit.LEGAL] * 20


@SOME
@given(spaces(), seeds)
def test_a_seed_gives_the_same_draws(space: Space, seed: int) -> None:
    """Samples and variations depend on the seed alone."""

    def drawn() -> list[tuple[object, ...]]:
        rng = np.random.default_rng(seed)
        batch = space.draw([space.fitting], 2, rng).join(space.sample(4, rng))
        return rows_of(batch.join(space.vary(batch, 8, rng, structure=True)))

    assert drawn() == drawn()


@SOME
@given(spaces(), seeds)
def test_sizes_alone_leave_the_structure(space: Space, seed: int) -> None:
    """Without `structure` a variation changes neither units nor spatial dims nor orders."""
    rng = np.random.default_rng(seed)
    parent = space.draw([space.fitting], 1, rng)
    children = space.vary(parent, 8, rng, structure=False)
    for child in range(len(children)):
        assert children.units[child].tolist() == parent.units[0].tolist()
        assert children.spatial[child].tolist() == parent.spatial[0].tolist()
        assert children.order[child].tolist() == parent.order[0].tolist()


def test_variations_reach_every_part_of_a_mapping() -> None:
    """Generations of children change orders, spatial dims, cluster sizes and tile sizes, and stay within the PEs."""
    space = Space(layer_of(K=6, C=6, X=6), MACHINE, 3)
    rng = np.random.default_rng(0)
    parents = space.draw([space.fitting], 1, rng)
    children = parents
    spatial: set[int] = set()
    for _ in range(8):
        children = space.vary(children, 64, rng, structure=True)
        spatial |= set(children.spatial[:, 0].tolist())
    assert (children.order[:, 0] != parents.order[0, 0]).any()
    assert spatial == {Dim.K, Dim.C, Dim.X}
    assert len(np.unique(children.units[:, 1:])) > 5
    assert len(np.unique(children.size.reshape(len(children), -1), axis=0)) > 32
    assert (children.units.prod(axis=1) <= MACHINE.pes).all()


@settings(max_examples=300, deadline=None)
@given(layers(), machines(), depths, st.data())
def test_a_chain_is_settled_just_where_the_model_says_that_it_fits(
    layer: Layer, hardware: Hardware, levels: int, data: st.DataObject
) -> None:
    """The rule of fitting is the exact model's: sizes are left alone if and only if the model finds the mapping legal."""
    roomy = replace(hardware, l1=Buffer(2**30), l2=Buffer(2**30))
    rng = np.random.default_rng(data.draw(seeds))
    before = Space(layer, roomy, levels, TileRule.ALL).sample(1, rng)
    legal = EXACT.evaluate(layer, hardware, before).fit.tolist() == [Fit.LEGAL]
    after, ok = before[np.zeros(1, np.intp)], np.empty(1, np.int8)
    choices = Choices(layer, hardware, levels, Constraints(), Restriction())
    settle_all(compiled_space(choices, TileRule.ALL), after.arrays, rng, ok)
    assert (ok[0] == 1 and after.size.tolist() == before.size.tolist()) == legal


@every_rule
@pytest.mark.parametrize(
    ("levels", "pes", "layer"),
    [
        (1, 4, layer_of(K=6, C=5, X=4)),
        (1, 1, layer_of()),
        (2, 6, layer_of(K=6, C=3)),
        (2, 4, layer_of(K=2, C=2, X=3)),
        (3, 5, layer_of(K=5, R=2)),
        (3, 1, layer_of(X=7)),
    ],
)
def test_the_size_is_what_a_list_of_all_mappings_holds(rule: TileRule, levels: int, pes: int, layer: Layer) -> None:
    """Space.size counts each mapping once, as listing them does."""
    space = Space(layer, replace(MACHINE, pes=pes), levels, rule)
    assert space.size() == len(every_mapping(space))


@every_rule
@pytest.mark.parametrize("dataflow", classic_dataflows(), ids=lambda dataflow: dataflow.name)
def test_the_size_of_a_dataflow_is_that_of_its_tile_and_cluster_sizes(rule: TileRule, dataflow: Constraints) -> None:
    """A dataflow leaves open its tile sizes and some cluster sizes."""
    space = Space(layer_of(K=4, C=3, R=3, Y=2), replace(MACHINE, pes=6), len(dataflow.levels), rule, dataflow)
    every = every_mapping(space)
    assert space.size() == len(every)
    assert len({(choice.units, choice.sizes) for choice in every}) == len(every)


def _keeps(choice: Choice, space: Space, restriction: Restriction) -> bool:
    """Whether a mapping of an unrestricted space is one of the restricted space."""
    sizes = dict(zip(space.dims, choice.sizes, strict=True))
    untiled = [dim for dim in restriction.untiled if dim in sizes]
    whole = all(size == space.layer.extents[dim] for dim in untiled for size in sizes[dim])
    divides = not restriction.dividing or space.hardware.pes % prod(choice.units[1:]) == 0
    chunks = {dim: list(pairwise((space.layer.extents[dim], *chain))) for dim, chain in sizes.items()}
    perfect = not restriction.perfect or all(tile % size == 0 for each in chunks.values() for tile, size in each)
    even = not restriction.even or all(
        _fills_rounds(*chunks[dim][level], units)
        for level, (dim, units) in enumerate(zip(choice.spatial, choice.units, strict=True))
        if dim in chunks
    )
    strided = [dim for dim, stride in zip((Dim.Y, Dim.X), space.layer.stride, strict=True) if stride > 1 and restriction.single]
    single = all(size == 1 for dim in strided for size in sizes.get(dim, ()))
    return whole and divides and perfect and even and single and not set(untiled) & set(choice.spatial)


def _fills_rounds(tile: int, size: int, units: int) -> bool:
    """Whether the last round has as many chunks as the first."""
    chunks = -(-tile // size)
    return chunks % min(units, chunks) == 0


@every_rule
@pytest.mark.parametrize("restriction", RESTRICTIONS)
@pytest.mark.parametrize(
    ("levels", "pes", "layer"),
    [(1, 4, layer_of(K=4, C=2, R=3)), (2, 6, layer_of(C=4, R=3)), (2, 7, layer_of(K=3, X=2)), (3, 6, layer_of(X=3, S=2))],
)
def test_the_size_of_a_restricted_space(rule: TileRule, restriction: Restriction, levels: int, pes: int, layer: Layer) -> None:
    """A restricted space counts, and holds, just the mappings of the whole space that keep to the restriction."""
    whole = Space(layer, replace(MACHINE, pes=pes), levels, rule)
    kept = [choice for choice in every_mapping(whole) if _keeps(choice, whole, restriction)]
    space = replace(whole, restriction=restriction)
    assert space.size() == len(every_mapping(space)) == len(kept) > 0


@pytest.mark.parametrize(("extents", "dim"), [({"R": 5, "S": 3}, Dim.K), ({"K": 6, "R": 5}, Dim.G)])
def test_a_layer_of_nothing_but_untiled_dims_has_a_mapping(extents: dict[str, int], dim: Dim) -> None:
    """Where no dim may be tiled, one of a single index that may be is the spatial one."""
    space = Space(layer_of(**extents), MACHINE, restriction=Restriction((Dim.R, Dim.S) if dim is Dim.K else (Dim.K, Dim.R)))
    batch = space.sample(3, np.random.default_rng(0))
    assert len(batch) == 3
    assert_all_are_legal(space, batch.join(space.vary(batch, 8, np.random.default_rng(0), structure=True)))
    assert (batch.spatial == dim).all()


def test_too_many_tile_sizes_are_not_counted() -> None:
    """Where all sizes of a long dim would be listed one by one, the error says what can be counted."""
    space = Space(layer_of(K=100_000), MACHINE, 2, TileRule.ALL)
    with pytest.raises(InputError) as caught:
        space.size()
    assert str(caught.value) == (
        "layer layer: an extent of 100000 has 5000050000 chains of 2 tile sizes and at most 10000000 are counted; "
        "count balanced sizes or divisors"
    )


LARGE_CLUSTER = Constraints("two", "", (LevelConstraints(cluster=Sizes.of(300)), LevelConstraints()), "dataflow two")


@pytest.mark.parametrize(
    ("hardware", "levels", "held", "message"),
    [
        (
            replace(MACHINE, l1=Buffer(7)), 2, None,
            (
                "layer layer: no mapping fits the hardware machine: one word of each operand needs 8 bytes of L1, it has 7; "
                "use a larger L1"
            ),
        ),
        (
            replace(MACHINE, l2=Buffer(7)), 2, None,
            "layer layer: no mapping fits the hardware machine: tiles of 1 need more than its 7 bytes of L2; use a larger L2",
        ),
        (
            replace(MACHINE, l2=Buffer(8)), 1, None,
            "layer layer: no mapping fits the hardware machine: tiles of 1 need more than its 8 bytes of L2; use a larger L2",
        ),
        (MACHINE, 4, None, "levels must be from 1 to 3, got 4"),
        (MACHINE, 0, None, "levels must be from 1 to 3, got 0"),
        (
            MACHINE, 2, LARGE_CLUSTER,
            (
                "layer layer: no mapping fits the hardware machine: dataflow two, level 0, cluster: 300 needs 300 PEs, it has 256; "
                "use smaller Clusters"
            ),
        ),
    ],
)  # fmt: skip
def test_an_impossible_space_is_refused(hardware: Hardware, levels: int, held: Constraints | None, message: str) -> None:
    """A space without a mapping is an error of one line that says which limit is in the way."""
    with pytest.raises(InputError) as caught:
        Space(layer_of(K=8, C=8), hardware, levels, constraints=held or Constraints())
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("hardware", "restriction", "dataflow", "message"),
    [
        (
            replace(MACHINE, l1=Buffer(39)), Restriction((Dim.R, Dim.S)), None,
            (
                "layer layer: no mapping fits the hardware machine: one word of each operand, of all R and S, needs 40 bytes of "
                "L1, it has 39; use a larger L1"
            ),
        ),
        (
            replace(MACHINE, l2=Buffer(30)), Restriction((Dim.R, Dim.S)), None,
            (
                "layer layer: no mapping fits the hardware machine: tiles of 1, of all R and S, need more than its 30 bytes of L2; "
                "use a larger L2"
            ),
        ),
        (
            MACHINE, Restriction((Dim.R, Dim.S)), "yrp_rs",
            (
                "layer layer: the cost model takes no mapping that shares out R, as dataflow yrp_rs does at level 1; "
                "use another cost model or other constraints"
            ),
        ),
        (
            MACHINE, Restriction(dividing=True), "yrp_rs",
            (
                "layer layer: no mapping fits the hardware machine: dataflow yrp_rs, level 0, cluster: R must divide its 256 PEs, "
                "as the cost model asks; use other Clusters"
            ),
        ),
    ],
)  # fmt: skip
def test_what_a_restriction_leaves_no_room_for_is_refused(
    hardware: Hardware, restriction: Restriction, dataflow: str | None, message: str
) -> None:
    """A restricted space without a mapping, or a dataflow against the restriction, is an error that says what is in the way.

    The least tile has 9 + 9 bytes of W and I and 2 of O, which the L1 holds twice; the L2 holds 9 of I, which never moves, and the
    other two once more.
    """
    held = load_dataflow(dataflow) if dataflow else Constraints()
    with pytest.raises(InputError) as caught:
        Space(layer_of(K=2, R=3, S=3), hardware, 2, TileRule.BALANCED, held, restriction)
    assert str(caught.value) == message


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_machine_that_just_holds_one_word_of_each_has_its_mapping(levels: int) -> None:
    """Where only tiles of 1 fit, the space has them, whatever the odds of a random structure."""
    small = replace(MACHINE, pes=1 if levels == 1 else 256, l1=Buffer(8), l2=Buffer(8))
    space = Space(layer_of(K=8, C=8, X=8), small, levels)
    batch = space.draw([space.fitting], 5, np.random.default_rng(0))
    assert len(batch) == 5
    assert_all_are_legal(space, batch)
    assert (batch.size[:, -1] == 1).all()
