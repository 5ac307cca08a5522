"""Buffers split by tensor: a mapping is in the space just where each room holds what its tensors need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import layers

from mapsearch.model.cost import Restriction
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Array, Buffer, Buffering, Hardware, Part, Residency
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.spaces.mappings.choices import Choices, Lack
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.rules import MAX_LEVELS, TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.spaces.mappings.space_record import compiled_space
from mapsearch.spaces.mappings.tiles import settle_all

SOME = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
seeds, levels_of = st.integers(0, 2**32), st.integers(1, MAX_LEVELS)
ROOMY = replace(MACHINE, l1=Buffer(2**30), l2=Buffer(2**30))
NO_BYPASS = (False, False, False)


@st.composite
def buffers(draw: st.DrawFn, sizes: st.SearchStrategy[int], *, is_l2: bool) -> Buffer:
    """Buffers of a pool, parts, or both, and of the L2 some that tensors pass by or that keep no tile."""
    part = st.none() | st.builds(Part, sizes, st.sampled_from(Buffering))
    parts = (draw(part), draw(part), draw(part))
    bypass = (draw(st.booleans()), draw(st.booleans()), draw(st.booleans())) if is_l2 and draw(st.booleans()) else NO_BYPASS
    residency = draw(st.sampled_from(Residency)) if is_l2 else Residency.BEST
    return Buffer(draw(sizes), draw(st.sampled_from(Buffering)), parts, bypass, residency)


@st.composite
def machines(draw: st.DrawFn) -> Hardware:
    """Machines of up to 12 PEs, some in rows and columns, with split buffers that are often small."""
    array = draw(st.none() | st.builds(Array, st.integers(1, 4), st.integers(1, 3)))
    return replace(
        MACHINE,
        pes=draw(st.integers(1, 12)) if array is None else array.rows * array.columns,
        array=array,
        bits=(draw(st.sampled_from((4, 8))), draw(st.sampled_from((8, 12))), draw(st.sampled_from((12, 16)))),
        l1=draw(buffers(st.integers(1, 60), is_l2=False)),
        l2=draw(buffers(st.integers(1, 400), is_l2=True)),
    )


def _bytes(layer: Layer, hardware: Hardware, tile: list[int], tensor: Tensor) -> int:
    g, n, k, c, r, s, y, x = tile
    part = replace(layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0)
    return -(-part.words(tensor) * hardware.bits[tensor] // 8)


def _holds(buffer: Buffer, needs: list[int]) -> bool:
    """Whether each tensor's own part holds it, and the pool all tensors without one."""
    own = all(part is None or need <= part.bytes for part, need in zip(buffer.parts, needs, strict=True))
    return own and sum(need for part, need in zip(buffer.parts, needs, strict=True) if part is None) <= buffer.bytes


def fits(layer: Layer, hardware: Hardware, batch: MappingBatch, row: int) -> bool:
    """Whether a mapping fits, by the plain words of the laws."""
    l1, l2 = hardware.l1, hardware.l2
    inner, outer = batch.size[row, -1].tolist(), batch.size[row, 0].tolist()
    needs = [_bytes(layer, hardware, inner, each) * (2 if l1.room(each).buffering is Buffering.DOUBLE else 1) for each in Tensor]
    dim = int(batch.spatial[row, 0])
    if dim >= 0:
        outer[dim] = min(layer.extents[dim], outer[dim] * int(batch.units[row, 0]))
    working: list[int] = []
    for each in Tensor:
        moving = _bytes(layer, hardware, outer, each) * (2 if l2.room(each).buffering is Buffering.DOUBLE else 1)
        staying = _bytes(layer, hardware, list(layer.extents), each)
        need = moving if l2.residency is Residency.NONE else min(moving, staying)
        working.append(0 if l2.bypass[each] else need)
    return _holds(l1, needs) and _holds(l2, working)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    try:
        return Space(draw(layers()), draw(machines()), draw(levels_of), draw(st.sampled_from(TileRule)))
    except InputError:
        assume(condition=False)
        raise


@SOME
@given(spaces(), seeds)
def test_all_that_is_drawn_and_varied_fits_every_room(space: Space, seed: int) -> None:
    """Draws, and changes of draws for generations, fit; of a structure for which sizes fit no draw is lost."""
    rng = np.random.default_rng(seed)
    batch = space.draw([space.fitting], 6, rng)
    assert len(batch) == 6
    batch = batch.join(space.sample(6, rng))
    for _ in range(3):
        batch = batch.join(space.vary(batch, 12, rng, structure=True))
    assert all(fits(space.layer, space.hardware, batch, row) for row in range(len(batch)))


@settings(SOME, max_examples=300)
@given(layers(), machines(), levels_of, seeds)
def test_a_chain_that_fits_is_left_alone_and_another_is_made_to_fit(
    layer: Layer, hardware: Hardware, levels: int, seed: int
) -> None:
    """Sizes stay just where each room holds them; else they become sizes that it holds, unless not even the least are."""
    rng = np.random.default_rng(seed)
    roomy = replace(hardware, l1=ROOMY.l1, l2=ROOMY.l2)
    before = Space(layer, roomy, levels, TileRule.ALL).sample(1, rng)
    least = before[np.zeros(1, np.intp)]
    least.size[:] = 1
    after, ok = before[np.zeros(1, np.intp)], np.empty(1, np.int8)
    choices = Choices(layer, hardware, levels, Constraints(), Restriction())
    settle_all(compiled_space(choices, TileRule.ALL), after.arrays, rng, ok)
    assert ok[0] == fits(layer, hardware, least, 0)
    assert (ok[0] == 1 and after.size.tolist() == before.size.tolist()) == fits(layer, hardware, before, 0)
    assert ok[0] == 0 or fits(layer, hardware, after, 0)


@settings(SOME, max_examples=300)
@given(layers(), machines(), levels_of, st.data())
def test_a_space_is_refused_just_where_no_mapping_of_least_sizes_fits(
    layer: Layer, hardware: Hardware, levels: int, data: st.DataObject
) -> None:
    """Of all structures' mappings of the least sizes none fits, or the space has a structure whose mapping does."""
    tiles = data.draw(st.dictionaries(st.sampled_from(Dim), st.builds(Sizes, st.integers(1, 4)), max_size=2))
    held = Constraints("some", "", (LevelConstraints(tiles=tuple(tiles.items())),), "some.yaml")
    choices = Choices(layer, hardware, levels, held, Restriction())
    found = choices.first()
    size = np.array(layer.extents)
    size = np.minimum(size, [tiles[dim].least if dim in tiles else 1 for dim in Dim])
    chains = np.stack([size, *[np.ones_like(size)] * (levels - 1)])
    structures = [(choices.units(clusters), dim) for clusters in choices.clusters for dim in choices.spatial[0]]
    batch = MappingBatch(
        np.array([units for units, _ in structures], np.int64),
        np.array([[dim] * levels for _, dim in structures], np.int8),
        np.tile(np.arange(len(Dim), dtype=np.int8), (len(structures), levels, 1)),
        np.tile(chains, (len(structures), 1, 1)),
    )
    assert isinstance(found, Lack) != any(fits(layer, hardware, batch, row) for row in range(len(batch)))
    if not isinstance(found, Lack):
        space = Space(layer, hardware, levels, constraints=held)
        assert len(space.draw([space.fitting], 4, np.random.default_rng(0))) == 4


def test_only_what_a_room_holds_shrinks() -> None:
    """Where the weights' part is the one that is too small, dims that no weight has keep their sizes."""
    parts = (Part(1, Buffering.SINGLE), None, None)
    space = Space(layer_of(K=8, C=8, X=8), replace(ROOMY, pes=1, l1=replace(ROOMY.l1, parts=parts)), 1)
    batch = space.sample(64, np.random.default_rng(0))
    assert (batch.size[:, 0, [Dim.K, Dim.C]] == 1).all()
    assert set(batch.size[:, 0, Dim.X].tolist()) == {1, 2, 3, 4, 8}


def _split(l1: Buffer = ROOMY.l1, l2: Buffer = ROOMY.l2) -> Hardware:
    return replace(ROOMY, l1=l1, l2=l2)


@pytest.mark.parametrize(
    ("hardware", "size", "message"),
    [
        (
            _split(l1=Buffer(64, parts=(Part(1), None, None))), None,
            "one word of weight needs 2 bytes of the weight part of L1, it has 1; use a larger weight part of L1",
        ),
        (
            _split(l1=Buffer(5, parts=(Part(2), None, None))), None,
            "one word of input and output needs 6 bytes of L1, it has 5; use a larger L1",
        ),
        (
            _split(l2=Buffer(64, parts=(None, Part(1), None), residency=Residency.NONE)), None,
            "tiles of 1 need more than its 1 bytes of the input part of L2; use a larger input part of L2",
        ),
        (
            _split(l1=Buffer(64, parts=(Part(8, Buffering.SINGLE), None, None))), 9,
            (
                "some.yaml, level 0, tiles: C: 9 needs 9 bytes of the weight part of L1, it has 8; use smaller sizes or a larger "
                "weight part of L1"
            ),
        ),
    ],
)  # fmt: skip
def test_an_error_names_the_room_that_is_too_small(hardware: Hardware, size: int | None, message: str) -> None:
    """One line says which tensor's part, or which buffer, has less than it needs."""
    level = LevelConstraints(tiles=() if size is None else ((Dim.C, Sizes.of(size)),))
    with pytest.raises(InputError) as caught:
        Space(layer_of(K=16, C=16), hardware, 1, constraints=Constraints("some", "", (level,), "some.yaml"))
    assert str(caught.value) == f"layer layer: no mapping fits the hardware machine: {message}"
