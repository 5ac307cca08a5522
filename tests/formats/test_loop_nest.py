"""The loops of a mapping as other tools state them: lengths of tiles, imperfections, and where the L2's tiles change."""

from __future__ import annotations

import pytest
from peers import hardware_of, mapped_layer, peer_cases

from mapsearch.formats.directives import parse
from mapsearch.formats.nest.buffers import l2_depths, outermost_l2_depths
from mapsearch.formats.nest.loop_nest import Imperfection, LoopNest, loop_nest
from mapsearch.model.errors import MappingError

CASES = peer_cases()


def _nest(directives: str, extents: str = "M: 12, N: 10, K: 9", pes: int = 8) -> LoopNest:
    text = f"Network n {{ Layer a {{ Type: GEMM Dimensions {{ {extents} }} Dataflow {{ {directives} }} }} }}"
    [mapped] = parse(text, "a.m").layers
    return loop_nest(mapped, pes)


def _kinds(nest: LoopNest) -> list[Imperfection]:
    return [kind for kind, _ in nest.imperfections()]


def test_whole_factors_have_no_imperfection() -> None:
    """Chunks that divide, on units that all work in each round: trips are extents over spans."""
    nest = _nest("TemporalMap(3,3) M; SpatialMap(5,5) N; Cluster(3,P); SpatialMap(3,3) K; TemporalMap(1,1) M")
    assert _kinds(nest) == []
    assert [(cut.level, cut.dim.name, cut.units, cut.span, cut.trips) for cut in nest.cuts] == [
        (0, "X", 1, 3, 4),
        (0, "K", 2, 10, 1),
        (1, "C", 3, 9, 1),
        (1, "X", 1, 1, 3),
    ]
    assert nest.pes == 6
    assert nest.tile == nest.last_tile == (1, 1, 5, 3, 1, 1, 1, 1)


def test_an_edge_chunk_has_its_own_length_and_trips() -> None:
    """12 rows in chunks of 8 leave 4, which 2 chunks of 2 take, where the full tile takes 4."""
    nest = _nest("TemporalMap(8,8) M; SpatialMap(10,10) N; Cluster(8,P); SpatialMap(9,9) K; TemporalMap(2,2) M")
    outer, inner = nest.cuts
    assert (outer.trips, outer.last_trips, outer.last_chunk) == (2, 2, 4)
    assert (inner.full, inner.trips, inner.last, inner.last_trips) == (8, 4, 4, 2)
    assert _kinds(nest) == [Imperfection.EDGE]


@pytest.mark.parametrize(
    ("directives", "kinds", "told"),
    [
        ("SpatialMap(5,5) M", {Imperfection.EDGE}, "level 0: SpatialMap(5,5) X': its chunks must divide the 12 indices of X'"),
        ("SpatialMap(1,1) M", {Imperfection.IDLE}, "level 0: SpatialMap(1,1) X': 12 chunks leave some of 8 units idle in a round"),
        (
            "TemporalMap(6,6) M; SpatialMap(10,10) N; Cluster(8,P); TemporalMap(4,4) M; SpatialMap(9,9) K",
            {Imperfection.INNER_EDGE},
            "level 1: TemporalMap(4,4) X': its chunks must divide their tiles of 6",
        ),
    ],
)
def test_each_imperfection_is_refused_by_name(directives: str, kinds: set[Imperfection], told: str) -> None:
    """A tool that cannot express it refuses it with file, line, layer and the directive."""
    nest = _nest(directives)
    assert set(_kinds(nest)) == kinds
    with pytest.raises(MappingError) as caught:
        nest.check("the tool", *kinds)
    assert str(caught.value) == f"a.m:1: layer a: the tool cannot express {told}"
    nest.check("the tool", *set(Imperfection) - kinds)


def test_a_last_tile_that_leaves_units_idle_is_one() -> None:
    """20 columns in chunks of 16: the full tile gives 4 units 4 each, the last gives one unit 4."""
    nest = _nest("TemporalMap(16,16) N; SpatialMap(12,12) M; Cluster(4,P); SpatialMap(4,4) N", "M: 12, N: 20, K: 9")
    assert _kinds(nest) == [Imperfection.EDGE, Imperfection.IDLE]


def _iterating(nest: LoopNest, recorded: list[int]) -> list[int]:
    """Recorded depths, which count each directive of level 0, as numbers of loops that iterate."""
    outer = {cut.directive for cut in nest.outer}
    return [len(outer.intersection(nest.mapped.mapping.levels[0][:depth])) for depth in recorded]


@pytest.mark.parametrize("name", CASES)
def test_depths_are_those_recorded(name: str) -> None:
    """The model's own choice, and the outermost one of equal bits, are those of a walk over all steps by another program."""
    case, hardware = CASES[name], hardware_of(CASES[name])
    nest = loop_nest(mapped_layer(case), hardware.shape)
    assert l2_depths(nest, hardware) == _iterating(nest, case["mapsearch"]["residency_depths"])
    if case.get("accelforge"):
        assert outermost_l2_depths(nest, hardware) == _iterating(nest, case["accelforge"]["residency_depths"])


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name]["mapsearch"]["compute_cycles"] is not None])
def test_cycles_of_a_mac_at_a_time_are_those_recorded(name: str) -> None:
    """Over all steps unit 0 has the MACs that a walk finds, with edges anywhere."""
    case = CASES[name]
    assert loop_nest(mapped_layer(case), hardware_of(case).shape).mac_cycles == case["mapsearch"]["compute_cycles"]
