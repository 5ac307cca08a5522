"""PEs in rows and columns: each level's units lie along one of both, and level 0 has as many as then fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from every_mapping import lies_on, units_on
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import layers, machines

from mapsearch.formats.yaml.dataflows import classic_dataflows
from mapsearch.model.cost import Restriction
from mapsearch.model.errors import HardwareError, InputError, MappingError
from mapsearch.model.hardware import Array, Hardware, outer_units
from mapsearch.model.layer import Layer
from mapsearch.model.maestro.translate import source_of
from mapsearch.model.mapping import Directive, MapKind, Mapping, MappingBatch
from mapsearch.model.mapping_laws import check_batch, units_beside
from mapsearch.model.tensors import Dim
from mapsearch.search.mappings.seeds import classic_seeds
from mapsearch.spaces.machines.space import Axis, HardwareSpace, Limits
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.rules import MAX_LEVELS
from mapsearch.spaces.mappings.space import Space
from mapsearch.spaces.mappings.sweep_variants import FixedVariants, ResizedVariants

SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
EYERISS = replace(MACHINE, pes=168, array=Array(12, 14))
seeds = st.integers(0, 2**32)
sides = st.integers(1, 16)


def in_array(hardware: Hardware, rows: int, columns: int) -> Hardware:
    return replace(hardware, pes=rows * columns, array=Array(rows, columns))


@given(sides, sides, st.lists(st.integers(1, 9), max_size=3))
def test_level_0_has_the_most_units_that_find_a_place(rows: int, columns: int, clusters: list[int]) -> None:
    """Of all numbers of units that lie beside the Clusters it is the largest, one mapping at a time as for many."""
    hardware = in_array(MACHINE, rows, columns)
    most = units_on(hardware, tuple(clusters))[0]
    assert outer_units(hardware.shape, clusters) == most
    assert units_beside(hardware.shape, np.array([clusters, clusters], np.int64)).tolist() == [most] * 2


@given(st.integers(1, 256), st.lists(st.integers(1, 9), max_size=3))
def test_one_column_of_pes_forms_any_cluster(pes: int, clusters: list[int]) -> None:
    """An array of one column, or of one row, has the units of PEs that are in no array."""
    assert outer_units(Array(pes, 1), clusters) == outer_units(Array(1, pes), clusters) == outer_units(pes, clusters)


@given(st.lists(st.sampled_from([1, 2, 3]), max_size=40))
def test_many_levels_of_clusters_end_soon(clusters: list[int]) -> None:
    """A mapping of any number of levels is told to fit or not, though there are 2^levels ways to lay it."""
    units = outer_units(Array(1024, 1024), clusters)
    assert (units > 0) <= (np.prod(clusters, dtype=float) <= 2**20)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Spaces on arrays, some of a model that asks for all PEs."""
    hardware = in_array(draw(machines()), draw(st.integers(1, 6)), draw(st.integers(1, 6)))
    restriction = draw(st.sampled_from([Restriction(), Restriction((Dim.R, Dim.S), dividing=True)]))
    try:
        return Space(draw(layers()), hardware, draw(st.integers(1, MAX_LEVELS)), restriction=restriction)
    except InputError:
        assume(condition=False)
        raise


@SOME
@given(spaces(), seeds)
def test_all_that_is_drawn_and_varied_lies_on_the_array(space: Space, seed: int) -> None:
    """Draws, seeds, and changes of them for generations lie along rows and columns, with as many units as then fit."""
    hardware, rng = space.hardware, np.random.default_rng(seed)
    structures = [space.fitting, *classic_seeds(space, classic_dataflows()), *(space.random_structure(rng) for _ in range(4))]
    batch = space.draw(structures, 2, rng)
    for _ in range(4):
        batch = batch.join(space.vary(batch, 24, rng, structure=True))
    check_batch(batch, space.layer, hardware.shape)
    for row, units in enumerate(batch.units.tolist()):
        assert tuple(units) == units_on(hardware, tuple(units[1:]))
        assert not space.restriction.dividing or np.prod(units) == hardware.pes
        batch.decode(row, space.layer).check(space.layer, hardware.shape)


@SOME
@given(layers(), st.integers(1, 12), st.integers(1, MAX_LEVELS), seeds)
def test_one_column_has_the_draws_of_free_pes(layer: Layer, pes: int, levels: int, seed: int) -> None:
    """An array of one column changes nothing."""
    drawn: list[MappingBatch] = []
    for hardware in (replace(MACHINE, pes=pes), in_array(MACHINE, pes, 1)):
        space, rng = Space(layer, hardware, levels), np.random.default_rng(seed)
        batch = space.sample(8, rng)
        drawn.append(batch.join(space.vary(batch, 32, rng, structure=True)))
    for one, other in zip(drawn[0].arrays, drawn[1].arrays, strict=True):
        np.testing.assert_array_equal(one, other)


def _shared(*dims: Dim, clusters: tuple[int, ...]) -> Mapping:
    return Mapping(tuple((Directive(MapKind.SPATIAL, 1, dim),) for dim in dims), clusters)


def test_a_mapping_that_does_not_lie_on_the_array_is_refused() -> None:
    """The one line names rows and columns and the Clusters; on as many free PEs the mapping is legal."""
    layer, mapping = layer_of(K=16, C=16, X=16), _shared(Dim.K, Dim.C, Dim.X, clusters=(16, 5))
    mapping.check(layer, 168)
    with pytest.raises(MappingError) as caught:
        mapping.check(layer, EYERISS.shape)
    assert str(caught.value) == (
        "layer layer: Clusters of 16 and 5 do not fit the 12 x 14 PEs (rows x columns), as each must lie along the rows or along "
        "the columns; make a Cluster smaller"
    )
    assert _shared(Dim.K, Dim.C, Dim.X, clusters=(12, 7)).units(EYERISS.shape) == (2, 12, 7)


def test_maestro_takes_clusters_that_use_all_of_the_array() -> None:
    """It forms PEs / Clusters units of level 0: 28 of Clusters of 6, where 14 lie on the array."""
    layer = layer_of(K=16, C=16)
    assert source_of(layer, _shared(Dim.K, Dim.C, clusters=(12,)), EYERISS.shape).clusters == (12,)
    with pytest.raises(MappingError) as caught:
        source_of(layer, _shared(Dim.K, Dim.C, clusters=(6,)), EYERISS.shape)
    assert str(caught.value) == (
        "layer layer: MAESTRO needs Clusters whose product divides the 12 x 14 PEs (rows x columns), got 6; use other Clusters or "
        "another number of PEs"
    )


def test_arrays_of_units_that_do_not_lie_on_the_array_are_refused() -> None:
    """13 units beside 12 do; 13 beside 13 do not."""
    space = Space(layer_of(K=16, C=16), replace(MACHINE, pes=2**10))
    batch = space.sample(1, np.random.default_rng(0)).join(space.sample(1, np.random.default_rng(1)))
    batch.units[:] = [(13, 12), (13, 13)]
    check_batch(batch, space.layer, 169)
    with pytest.raises(MappingError) as caught:
        check_batch(batch, space.layer, EYERISS.shape)
    assert str(caught.value) == (
        "layer layer, mapping 1 of the batch: the levels' units must lie along rows and columns of the 12 x 14 PEs (rows x columns)"
    )


@pytest.mark.parametrize(
    ("levels", "size", "restriction", "message"),
    [
        (
            2, 15, Restriction(),
            (
                "mine.yaml, level 0, cluster: 15 must fit its 12 x 14 PEs (rows x columns), each Cluster along the rows or along "
                "the columns; use smaller Clusters"
            ),
        ),
        (
            2, 6, Restriction(dividing=True),
            (
                "mine.yaml, level 0, cluster: 6 must use all of its 12 x 14 PEs (rows x columns), as the cost model asks; use "
                "other Clusters"
            ),
        ),
        (
            1, None, Restriction(dividing=True),
            "none of 1 level uses all of its 12 x 14 PEs (rows x columns), as the cost model asks; use more levels",
        ),
    ],
)  # fmt: skip
def test_what_leaves_no_mapping_is_told_in_one_line(levels: int, size: int | None, restriction: Restriction, message: str) -> None:
    """The error names the Clusters and the array."""
    held = () if size is None else (LevelConstraints(cluster=Sizes.of(size)),)
    with pytest.raises(InputError) as caught:
        Space(layer_of(K=64), EYERISS, levels, constraints=Constraints("", "", held, "mine.yaml"), restriction=restriction)
    assert str(caught.value) == f"layer layer: no mapping fits the hardware machine: {message}"


def test_a_space_of_machines_has_one_array() -> None:
    """PE counts beside rows and columns are an error of one line."""
    with pytest.raises(HardwareError) as caught:
        HardwareSpace("chips", EYERISS, (Axis("pes", (168, 336)),), Limits())
    assert str(caught.value) == ("pes must be one number, as array has the PEs in rows and columns; leave one out")


def test_a_sweep_takes_the_mappings_that_lie_on_the_array() -> None:
    """Fixed ones as they are, where they fit; resized ones with smaller Clusters."""
    layer, mapping = layer_of(K=16, C=16, X=16), _shared(Dim.K, Dim.C, Dim.X, clusters=(16, 5))
    wide = Space(layer, replace(MACHINE, pes=1024), 3).adopt([mapping])
    fixed = FixedVariants(layer, wide)
    assert [len(fixed.on(pes)[1]) for pes in (168, Array(12, 14), Array(16, 8), Array(80, 1))] == [1, 0, 1, 1]
    resized, chosen = ResizedVariants(layer, (mapping,), replace(MACHINE, pes=1024)).on(Array(12, 14))
    assert chosen.tolist() == [0]
    assert lies_on(EYERISS, tuple(resized.units[0].tolist()))
