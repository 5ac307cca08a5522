"""The walk over all designs of a hardware space equals the exact model, design by design."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies import WIDTHS, layers, machines, mappings
from sweeping import one_by_one, swept, unlimited

from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.area import leakage_by_part, taken
from mapsearch.model.errors import InputError
from mapsearch.model.exact import Grid, cost_tables
from mapsearch.model.fpga import Fpga
from mapsearch.model.hardware import Hardware, Width
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.tensors import Dim
from mapsearch.search.designs.front import DesignFront
from mapsearch.search.designs.walk import DESIGN
from mapsearch.spaces.machines.space import Axis, HardwareSpace, Limits, Value
from mapsearch.spaces.mappings.sweep_variants import FixedVariants, ResizedVariants, mappings_as_they_are, template_variants

TECHNOLOGIES = ("maestro_28nm", "cacti_22nm")
CONV = Layer("conv", LayerType.CONV, (1, 1, 8, 6, 3, 3, 9, 9))
# More than one axis of flags and rates would make the spaces too large to be walked one by one.
OTHER_AXES = (
    Axis("simd", (1, 2)),
    Axis("clock_mhz", (500.0, 1000.0)),
    Axis("bits.weight", (4, 8)),
    Axis("noc.multicast", (False, True)),
    Axis("l1.double_buffered", (False, True)),
    Axis("offchip.latency_cycles", (0, 7)),
    Axis("l2.tile_cycles", (0, 30)),
)


BANKS = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


def fpgas() -> st.SearchStrategy[Fpga]:
    """FPGAs whose block RAMs are small enough for small memories to take several."""
    return st.builds(
        Fpga, st.integers(1, 5), st.just(value=False), st.sampled_from((512, 18432)), st.sampled_from((8, 36)), BANKS, BANKS,
        st.sampled_from((0, 64)),
    )  # fmt: skip


@st.composite
def spaces(draw: st.DrawFn) -> HardwareSpace:
    """Spaces of up to some hundred machines, with limits that some of them just keep and some do not."""
    technology = load_hardware({"technology": draw(st.sampled_from(TECHNOLOGIES))}).technology
    base = replace(draw(machines()), technology=technology, fpga=draw(st.none() | fpgas()))
    own_wires = base.noc.wires is not None
    if own_wires:
        base = replace(base, noc=replace(base.noc, bytes_per_cycle=9.4, wires=(4, 1.4, 4)))

    def some(key: str, values: st.SearchStrategy[Width], most: int = 2) -> Axis:
        return Axis(key, tuple(sorted(draw(st.sets(values, min_size=1, max_size=most)))))

    axes = (
        some("pes", st.integers(1, 12), 3),
        some("l1.bytes", st.just(2**16) | st.integers(8, 300)),
        some("l2.bytes", st.just(2**20) | st.integers(16, 1500), 3),
        Axis("noc.weight", (1, 4)) if own_wires else some("noc.bytes_per_cycle", WIDTHS, 3),
        some("offchip.bytes_per_cycle", WIDTHS, 3),
        draw(st.sampled_from([axis for axis in OTHER_AXES if base.fpga is None or axis.key != "bits.weight"])),
    )
    space = HardwareSpace("random", base, axes, Limits())
    middle = space.at([draw(st.integers(0, len(axis.values) - 1)) for axis in axes])
    limits = Limits(
        **{key: draw(st.sampled_from((1.0, most, 1e9))) for key, most in taken(middle).items()},
        power_mw=leakage_by_part(middle).total * draw(st.sampled_from((1.0, 1.001, 2.0, 1e9))),
        offchip_gb_per_s=draw(st.sampled_from((middle.offchip.bytes_per_cycle * middle.clock_mhz / 1e3, 1e9))),
        offchip_bytes_per_cycle=draw(st.sampled_from((middle.offchip.bytes_per_cycle, 1e9))),
        peak_gops=draw(st.sampled_from((2 * middle.pes * middle.simd * middle.clock_mhz / 1e3, 1e9))),
    )
    return replace(space, base=space.at([0] * len(axes)), limits=limits)


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[HardwareSpace, FixedVariants]:
    """A space, and up to three mappings of a random layer."""
    layer = draw(layers())
    levels = draw(st.integers(1, 3))
    found = draw(st.lists(mappings(layer, draw(st.integers(1, 12)), levels), min_size=1, max_size=3))
    return draw(spaces()), mappings_as_they_are(layer, found)


@given(sweeps())
@settings(max_examples=40, deadline=None)
def test_every_design_costs_what_the_exact_model_says(case: tuple[HardwareSpace, FixedVariants]) -> None:
    """Cycles, energy, area and power to the last digit; what is valid; and each design is counted once."""
    space, variants = case
    found, counted = swept(space, variants)
    np.testing.assert_array_equal(found, one_by_one(space, variants))
    assert counted.valid == len(found)
    assert counted.designs == space.size * variants.count == counted.valid + sum(counted.left_out.values())
    assert counted.valid <= counted.costed <= counted.valid + counted.left_out["power_mw"]


def _of_100_000_designs(technology: str) -> tuple[HardwareSpace, FixedVariants]:
    base = load_hardware({"technology": technology, "pes": 8})
    axes: list[tuple[str, tuple[Value, ...]]] = [
        ("pes", tuple(range(8, 168, 20))),
        ("l1.bytes", tuple(range(32, 544, 72))),
        ("l2.bytes", tuple(range(512, 33792, 4752))),
        ("noc.bytes_per_cycle", (2, 4, 8, 32)),
        ("offchip.bytes_per_cycle", (1, 3, 4, 16)),
    ]
    tiles = {Dim.K: (1, 2, 4), Dim.C: (1, 2, 6), Dim.X: (1, 3)}
    variants = template_variants(CONV, replace(base, pes=168), load_dataflow("yrp_rs"), tiles, ())
    space = HardwareSpace("large", base, tuple(Axis(*axis) for axis in axes), Limits())
    everything, _ = swept(space, variants)
    limits = Limits(float(np.median(everything["area_mm2"])), float(np.median(everything["power_mw"])))
    return replace(space, limits=limits), variants


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_valid_designs_of_a_large_space(technology: str) -> None:
    """Of over 100,000 designs the same are valid with skipping, without it, and one by one."""
    space, variants = _of_100_000_designs(technology)
    found, counted = swept(space, variants)
    assert counted.designs >= 100_000
    assert 1000 < counted.valid < 0.7 * counted.designs
    np.testing.assert_array_equal(found, one_by_one(space, variants))
    everything, unskipped = swept(unlimited(space), variants)
    assert unskipped.left_out["area_mm2"] == unskipped.left_out["power_mw"] == 0
    within = (everything["area_mm2"] <= space.limits.area_mm2) & (everything["power_mw"] <= space.limits.power_mw)
    np.testing.assert_array_equal(found, everything[within])


def test_what_cannot_be_within_the_limits_is_never_costed() -> None:
    """Where power does not depend on activity, all that is costed is valid; the rest is counted by its reason."""
    space, variants = _of_100_000_designs("maestro_28nm")
    _, counted = swept(space, variants)
    assert counted.costed == counted.valid
    assert counted.left_out["area_mm2"] > 0
    assert counted.left_out["power_mw"] > 0
    assert counted.left_out["l1"] > 0


def test_wires_of_each_tensor_have_no_width_together() -> None:
    """A grid of widths of the network is an error of one line where W, I and O have wires of their own."""
    hardware = load_hardware("eyeriss")
    batch = mappings_as_they_are(CONV, [Mapping(((Directive(MapKind.SPATIAL, 1, Dim.K),),))]).on(hardware.pes)[0]
    with pytest.raises(InputError, match=r"noc\.bytes_per_cycle must have one value where each tensor has wires of its own, got 2"):
        cost_tables(CONV, hardware, Grid((0,), (1024,), (18, 36), (2,)), batch)


designs = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)), max_size=40)


@given(st.lists(designs, max_size=4), st.randoms())
@settings(deadline=None)
def test_front_is_what_no_design_is_better_than(batches: list[list[tuple[int, int, int]]], rng: Random) -> None:
    """In whatever batches and order designs come, the front is that of all; of equal designs the first; fastest first."""
    front, found, blocks = DesignFront(), list[tuple[int, int, int]](), list[NDArray[np.void]]()
    for batch in batches:
        rows = np.zeros(len(batch), DESIGN)
        for row, (slowness, energy, area) in enumerate(batch):
            rows[row]["mapping"] = len(found) + row
            rows[row]["throughput_gmacs_per_s"], rows[row]["energy_pj"], rows[row]["area_mm2"] = 5 - slowness, energy, area
        blocks.append(rows)
        found += batch
    rng.shuffle(blocks)
    for rows in blocks:
        front.add(rows)
    best = {
        one for one in found if not any(other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in found)
    }
    assert front.designs["mapping"].tolist() == [found.index(one) for one in sorted(best)]


def _hardware(pes: int) -> Hardware:
    return load_hardware({"pes": pes})


def test_tiles_of_a_template() -> None:
    """Each combination of sizes stands once, a size above the extent means all of it, and the cluster shares a dim out whole."""
    tiles = {Dim.K: (1, 8, 100), Dim.C: (2,), Dim.Y: (1,), Dim.X: (4,)}
    variants = template_variants(CONV, _hardware(64), load_dataflow("yrp_rs"), tiles, ())
    batch, chosen = variants.on(11)
    assert chosen.tolist() == [0, 1]
    assert batch.units.tolist() == [[3, 3]] * 2
    assert [Dim(dim) for dim in batch.spatial[0]] == [Dim.Y, Dim.R]
    assert batch.size[:, 0].tolist() == [[1, 1, 1, 2, 3, 3, 1, 4], [1, 1, 8, 2, 3, 3, 1, 4]]
    assert batch.size[:, 1].tolist() == [[1, 1, 1, 2, 1, 3, 1, 4], [1, 1, 8, 2, 1, 3, 1, 4]]
    assert len(variants.on(2)[1]) == 0


def test_clusters_of_a_template() -> None:
    """A free Cluster has each of the sizes, and its level above the tile of all its units; too few PEs leave the others."""
    variants = template_variants(CONV, _hardware(64), load_dataflow("kcp_ws"), {}, (2, 4, 8))
    batch, chosen = variants.on(7)
    assert chosen.tolist() == [0, 1]
    assert batch.units.tolist() == [[3, 2], [1, 4]]
    assert batch.size[:, :, Dim.C].tolist() == [[2, 1], [4, 1]]


@pytest.mark.parametrize("pes", [1, 3, 12, 100])
def test_mappings_resized_fit_any_machine(pes: int) -> None:
    """A mapping made for 64 PEs has one like it on any number of them, with no more units than there are PEs."""
    wide = template_variants(CONV, _hardware(64), load_dataflow("kcp_ws"), {Dim.X: (9,)}, (4,)).on(64)[0].decode(0, CONV)
    batch, chosen = ResizedVariants(CONV, (wide,), _hardware(64)).on(pes)
    assert chosen.tolist() == [0]
    assert batch.units.prod() <= pes
    assert batch.decode(0, CONV).violation(pes) is None
