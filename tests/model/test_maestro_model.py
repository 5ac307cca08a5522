"""The model of MAESTRO: one count by two ways, what it refuses, what it warns of, and numbers worked out by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from math import prod

import numpy as np
import pytest
from by_hand import MACHINE, layer_of, spatial, temporal
from hypothesis import given, settings
from hypothesis import strategies as st
from maestro_rows import Row, recorded_rows
from maestro_rows import source_of as recorded_source
from strategies import ample

from mapsearch.formats.maestro.mappings_in import read_written
from mapsearch.formats.maestro.out import print_machine, print_sources
from mapsearch.model.cost import Fit
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.maestro.count.workspace import DONE
from mapsearch.model.maestro.figures import csv_parts_nj, printed
from mapsearch.model.maestro.levels import declared, tensors_of
from mapsearch.model.maestro.model import MaestroCosts, MaestroModel
from mapsearch.model.maestro.program import run_program
from mapsearch.model.maestro.report import report as told
from mapsearch.model.maestro.source import Source, SourceMachine, SourceMap
from mapsearch.model.maestro.translate import layer_macs, machine_of, source_dims, source_of
from mapsearch.model.mapping import Directive, MapKind, Mapping, MappingBatch, encode
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.space import Space

MODEL = MaestroModel()
FILTER = (Dim.R, Dim.S)
# The dims that a layer of each type may have; those of a batch and of groups stay small.
TYPES = {
    LayerType.CONV: (Dim.N, Dim.K, Dim.C, Dim.R, Dim.S, Dim.Y, Dim.X),
    LayerType.DSCONV: (Dim.N, Dim.G, Dim.R, Dim.S, Dim.Y, Dim.X),
    LayerType.NGCONV: (Dim.N, Dim.G, Dim.K, Dim.C, Dim.R, Dim.S, Dim.Y, Dim.X),
    LayerType.GEMM: (Dim.K, Dim.C, Dim.X),
}
MOST = {Dim.N: 2, Dim.G: 3, Dim.R: 3, Dim.S: 3}


def _costs(layer: Layer, hardware: Hardware, batch: MappingBatch) -> MaestroCosts:
    costs = MODEL.evaluate(layer, hardware, batch)
    assert isinstance(costs, MaestroCosts)
    return costs


def _cost(layer: Layer, mapping: Mapping, hardware: Hardware = MACHINE) -> MaestroCosts:
    return _costs(layer, hardware, encode([mapping], layer, hardware.pes))


# --- Two ways to one count

Case = tuple[Layer, Hardware, list[Mapping]]


@st.composite
def machines(draw: st.DrawFn) -> Hardware:
    """Machines with room for anything."""
    return replace(
        ample(MACHINE),
        pes=draw(st.sampled_from((1, 2, 4, 6, 8, 12, 24))),
        simd=draw(st.integers(1, 2)),
        noc=Noc(draw(st.integers(1, 16)), draw(st.integers(1, 3))),
        offchip=Offchip(draw(st.integers(1, 16)), 0),
    )


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    kind = draw(st.sampled_from(sorted(TYPES)))
    extents = [draw(st.integers(1, MOST.get(dim, 12))) if dim in TYPES[kind] else 1 for dim in Dim]
    g, n, k, c, r, s, y, x = extents
    return Layer("random", kind, (g, n, k, c, r, s, y, x))


@st.composite
def mappings(draw: st.DrawFn, layer: Layer, pes: int, levels: int) -> Mapping:
    """Mappings that MAESTRO takes; the chunks of one dim need not divide each other."""
    clusters: list[int] = []
    for _ in range(levels - 1):
        left = pes // prod(clusters)
        clusters.append(draw(st.sampled_from([size for size in range(1, left + 1) if left % size == 0])))
    tiled = [dim for dim in source_dims(layer) if dim not in FILTER]
    tile = list(layer.extents)
    found: list[tuple[Directive, ...]] = []
    for _ in range(levels):
        shared = draw(st.sampled_from(tiled))
        level: list[Directive] = []
        for dim in draw(st.permutations(list(source_dims(layer)))):
            if dim is shared or draw(st.booleans()):
                tile[dim] = tile[dim] if dim in FILTER else draw(st.integers(1, tile[dim]))
                level.append(Directive(MapKind.SPATIAL if dim is shared else MapKind.TEMPORAL, tile[dim], dim))
        found.append(tuple(level))
    return Mapping(tuple(found), tuple(clusters))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    layer, hardware = draw(layers()), draw(machines())
    levels = draw(st.integers(1, 4))
    return layer, hardware, draw(st.lists(mappings(layer, hardware.pes, levels), min_size=1, max_size=4))


def _assert_same(layer: Layer, hardware: Hardware, mapping: Mapping, costs: MaestroCosts, row: int) -> None:
    """A row's figures are those of the printed and re-read mapping, or both are errors."""
    source = source_of(layer, mapping, hardware.pes)
    [read] = read_written(print_sources("network", [source]), "text")
    assert read == source
    if costs.fates[row] != DONE:
        with pytest.raises(InputError, match="published program"):
            run_program(read, machine_of(hardware))
        assert costs.fit[row] == Fit.REFUSED
    else:
        assert costs.figures[row].tobytes() == run_program(read, machine_of(hardware)).tobytes()


@given(cases())
@settings(max_examples=100, deadline=None)
def test_a_batch_counts_what_the_printed_mapping_counts(case: Case) -> None:
    """Every figure of a mapping in a batch is that of the same mapping printed, read back and run as the program runs files."""
    layer, hardware, many = case
    costs = _costs(layer, hardware, encode(many, layer, hardware.pes))
    for row, mapping in enumerate(many):
        _assert_same(layer, hardware, mapping, costs, row)


@given(layers(), machines(), st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_restricted_space_gives_only_what_the_program_takes(layer: Layer, hardware: Hardware, levels: int, seed: int) -> None:
    """Mappings of the space that the model asks for can be written as files, count the same there, and their reports agree."""
    batch = Space(layer, hardware, levels, restriction=MODEL.restriction).sample(4, np.random.default_rng(seed))
    costs = _costs(layer, hardware, batch)
    for row in range(len(batch)):
        _assert_same(layer, hardware, batch.decode(row, layer), costs, row)
        if costs.fit[row] == Fit.LEGAL:
            report = costs.report(row).to_dict()
            assert report["macs"] == report["layer_macs"] == layer.macs
            assert report["runtime_cycles"] == costs.runtime_cycles[row]
            assert report["energy_pj"]["total"] == costs.energy_pj()[row]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_layer_of_one_position_can_be_shared_out(kind: LayerType) -> None:
    """Where no dim but R and S iterates, the space's mappings share out a dim that the program has for the type, and are LEGAL."""
    taps = 1 if kind is LayerType.GEMM else 3
    layer = Layer("one", kind, (1, 1, 1, 1, taps, taps, 1, 1))
    space = Space(layer, ample(MACHINE), restriction=MODEL.restriction)
    assert space.dims == ((Dim.G,) if kind is LayerType.DSCONV else (Dim.K,))
    assert _costs(layer, ample(MACHINE), space.sample(4, np.random.default_rng(0))).fit.tolist() == [Fit.LEGAL] * 4


# --- What cannot be expressed

CONV = layer_of(K=8, C=4, R=3, S=3, Y=6, X=6)
SIX = replace(MACHINE, pes=6)
BY_K = Mapping(((spatial(1, Dim.K),),))


def test_tiles_of_the_filter_are_refused() -> None:
    """A mapping that tiles R is refused in both ways, and the reason names R."""
    mapping = Mapping(((spatial(1, Dim.K), temporal(1, Dim.R)),))
    with pytest.raises(MappingError, match="level 0: MAESTRO takes R only whole, 3, got chunks of 1"):
        source_of(CONV, mapping, MACHINE.pes)
    costs = _cost(CONV, mapping)
    assert costs.fit[0] == Fit.REFUSED
    assert costs.why_not(0) == "layer layer: MAESTRO takes R and S only whole"


@pytest.mark.parametrize("shared", [(), (spatial(1, Dim.N),)], ids=["none", "of a dim that the layer has not"])
def test_a_level_without_spatial_map_is_refused(shared: tuple[Directive, ...]) -> None:
    """A level whose one unit has no SpatialMap, or one of a batch of one, which is not declared, is refused in both ways."""
    mapping = Mapping(((spatial(1, Dim.K),), shared), (1,))
    with pytest.raises(MappingError, match="level 1: MAESTRO needs a SpatialMap of one of its dims, got none"):
        source_of(CONV, mapping, MACHINE.pes)
    costs = _cost(CONV, mapping)
    assert costs.fit[0] == Fit.REFUSED
    assert "MAESTRO needs a SpatialMap" in costs.why_not(0)


def test_clusters_that_leave_pes_over_are_refused() -> None:
    """A Cluster of 4 on 6 PEs is refused in both ways; on 8 it can be written."""
    mapping = Mapping(((spatial(1, Dim.K),), (spatial(1, Dim.C),)), (4,))
    with pytest.raises(MappingError, match="Clusters whose product divides the 6 PEs, got 4"):
        source_of(CONV, mapping, SIX.pes)
    costs = _cost(CONV, mapping, SIX)
    assert costs.fit[0] == Fit.REFUSED
    assert "divides the PEs" in costs.why_not(0)
    assert source_of(CONV, mapping, 8).clusters == (4,)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (Layer("fc", LayerType.FC, (1, 1, 8, 4, 1, 1, 1, 1)), "layer fc: MAESTRO has no layers of Type FC; there are CONV, TRCONV"),
        (layer_of((1, 1), (2, 1), K=8, R=3, Y=6), "layer layer: MAESTRO has no dilation, got 2, 1"),
        (layer_of(G=2, K=8), "layer layer: a CONV of MAESTRO has no G, and this one has 2"),
        (Layer("depthwise", LayerType.DSCONV, (8, 1, 2, 1, 3, 3, 6, 6)), "layer depthwise: a DSCONV of MAESTRO has no K"),
    ],
    ids=["FC", "dilation", "groups", "several filters of a channel"],
)
def test_layers_that_the_program_has_not_are_refused(layer: Layer, reason: str) -> None:
    """A layer that the program has not is an error of `takes` and of `source_of`, and the reason says what it lacks."""
    for refused in (lambda: MODEL.as_counted(layer), lambda: source_of(layer, BY_K, 256)):
        with pytest.raises(InputError, match=re.escape(reason)):
            refused()


def test_more_than_three_clusters_are_refused() -> None:
    """A mapping of five levels is an error in both ways."""
    mapping = Mapping(((spatial(1, Dim.K),),) * 5, (1, 1, 1, 1))
    with pytest.raises(MappingError, match="MAESTRO takes at most 3 Clusters, got 4"):
        source_of(CONV, mapping, MACHINE.pes)
    with pytest.raises(InputError, match="at most 4 levels, got 5"):
        _cost(CONV, mapping)


def test_a_strided_layer_is_counted_only_without_its_stride() -> None:
    """A strided layer is an error; `takes` gives it as the program can count it: all positions of the same input."""
    strided = layer_of((2, 2), K=8, C=4, R=3, S=3, Y=6, X=6)
    with pytest.raises(InputError, match=r"MAESTRO counts strides wrong; give the layer with stride 1, got \(2, 2\)"):
        _cost(strided, BY_K)
    taken = MODEL.as_counted(strided)
    assert (taken.stride, taken.input_rows, taken.extents[Dim.Y]) == ((1, 1), strided.input_rows, 11)
    assert _cost(taken, BY_K, ample(MACHINE)).fit[0] == Fit.LEGAL
    assert MODEL.as_counted(taken) == taken


# --- The guard

PARTIAL = Layer("partial", LayerType.GEMM, (1, 1, 1, 1, 1, 1, 1, 512))
TENS = Mapping(((spatial(10, Dim.X),),))


def test_what_is_miscounted_is_refused() -> None:
    """M = 512 in tiles of 10 over 4 units: the program loses a full tile at the edge, and the refusal says both counts."""
    costs = _cost(PARTIAL, TENS, replace(MACHINE, pes=4))
    assert costs.fit[0] == Fit.REFUSED
    assert "MAESTRO counts 502 MACs of 512" in costs.why_not(0)
    with pytest.raises(MappingError, match="502 MACs of 512"):
        costs.report(0)
    found = told(source_of(PARTIAL, TENS, 4), machine_of(replace(MACHINE, pes=4))).figures
    assert (found["macs"], found["layer_macs"]) == (502, 512)
    assert "counts 502 MACs and the layer has 512: the figures are not the layer's" in found["warnings"]


def test_a_strided_file_as_written_counts_other_macs() -> None:
    """Two strided outputs of a tile are counted as three: 72 MACs of 48, with a warning."""
    # K=4, R=3; Y=9 with stride 2 has (9 - 3) // 2 + 1 = 4 outputs, so 4 x 3 x 4 = 48 MACs. A map of 5 rows becomes 2 outputs' rows,
    # size 5 and offset 4; the program takes each such tile for 5 - 3 + 1 = 3 outputs, and there are two: 4 x 3 x 6 = 72.
    text = """Network strided { Layer one { Type: CONV  Stride { Y: 2 } Dimensions { K: 4, C: 1, R: 3, S: 1, Y: 9, X: 1 }
    Dataflow { SpatialMap(1,1) K; TemporalMap(5,5) Y; TemporalMap(Sz(R),Sz(R)) R; } } }"""
    [source] = read_written(text, "text")
    found = told(source, machine_of(replace(MACHINE, pes=4))).figures
    assert (found["macs"], found["layer_macs"]) == (72, 48)
    assert any("the figures are not the layer's" in warning for warning in found["warnings"])


def test_strided_tiles_of_one_output_are_counted_right() -> None:
    """A strided layer in tiles of one output, with a filter no smaller than the stride, has the MACs that the program counts."""
    strided = layer_of((2, 1), K=4, R=3, Y=4)
    found = told(
        source_of(strided, Mapping(((spatial(1, Dim.K), temporal(1, Dim.Y)),)), 4), machine_of(replace(MACHINE, pes=4))
    ).figures
    assert found["macs"] == found["layer_macs"] == strided.macs


def _layer_is_declared(row: Row) -> bool:
    return row["true_macs"] != "" and row["group"] != "odd"


def test_the_macs_of_recorded_layers_are_the_true_ones() -> None:
    """`layer_macs` counts what the record says that each layer has, strides and all."""
    rows = [row for row in recorded_rows() if _layer_is_declared(row)]
    sources = [recorded_source(row) for row in rows]
    assert len(rows) > 500
    assert [layer_macs(source, declared(source)) for source in sources] == [int(row["true_macs"]) for row in rows]


# --- Room


@pytest.mark.parametrize(
    ("hardware", "fit", "reason"),
    [
        (replace(MACHINE, l1=Buffer(99)), Fit.L1_OVERFLOW, "L1 needs 232 words, as MAESTRO counts, the hardware machine has 99"),
        (replace(MACHINE, l2=Buffer(99)), Fit.L2_OVERFLOW, "L2 needs"),
        (replace(MACHINE, l1=Buffer(99), l2=Buffer(99)), Fit.L1_OVERFLOW, "L1 needs"),
    ],
    ids=["L1", "L2", "both"],
)
def test_what_needs_more_room_is_an_overflow(hardware: Hardware, fit: Fit, reason: str) -> None:
    """A mapping that fits elsewhere overflows a smaller L1 or L2, the L1 first, and the reason says need and room."""
    # Twice what a unit has: 4 x 4 x 4 inputs (C, rows, columns), 4 x 3 x 3 weights, 4 x 4 outputs (the program's slip: rows and
    # columns of inputs), so 2 x (64 + 36 + 16) = 232.
    mapping = Mapping(((spatial(1, Dim.K), temporal(2, Dim.Y), temporal(2, Dim.X)),))
    assert _cost(CONV, mapping).fit[0] == Fit.LEGAL
    costs = _cost(CONV, mapping, hardware)
    assert costs.fit[0] == fit
    assert reason in costs.why_not(0)


# --- Numbers by hand


def test_a_small_gemm_costs_what_the_rules_say() -> None:
    """Every figure of 4 x 2 x 3 MACs on two PEs is what the program's rules give on paper."""
    # SpatialMap(1,1) M takes two turns of two units, TemporalMap(1,1) N two steps, K is whole. Four cases of a step each, in the
    # order (M first, N first), (M second, N second), (M second, N first), (M first, N second). Each has 2 units x 3 = 6 MACs,
    # takes 3 cycles to compute, and writes 2 outputs.
    # In the first, inputs 2 x 3 and weights 3 come in; in the second and fourth N changes last: weights 3, no inputs; in the
    # third M changes last: inputs 6 and, since weights have no M, none of those although N starts again.
    # Over a network of a word a cycle, latency 1: 9 + 3 cycles, for the first is not overlapped, then 3, 6 and 3.
    maps = (SourceMap(spatial=True, size=1, offset=1, dim="M"), SourceMap(spatial=False, size=1, offset=1, dim="N"))
    source = Source("gemm", "GEMM", {"M": 4, "N": 2, "K": 3}, {}, (maps,), ())
    machine = SourceMachine(pes=2, noc_words=1, noc_latency_cycles=1, offchip_words=100, l1_words=14, l2_words=21)
    figures = run_program(source, machine)
    found = printed(figures, source, tensors_of(source), machine)
    expected = {
        "macs": 24,
        "runtime_cycles": 12 + 3 + 6 + 3,
        "input_l2_read_words": 6 + 0 + 6 + 0,
        "weight_l2_read_words": 3 + 3 + 0 + 3,
        "output_l2_write_words": 4 * 2,
        "input_l2_write_words": 12,  # the whole tensor once
        "weight_l2_write_words": 6,
        "output_l2_read_words": 8,
        "input_l1_write_words": 12,  # as L2's reads
        "weight_l1_write_words": 9,
        "output_l1_write_words": 24,  # a MAC each
        "input_l1_read_words": 24,
        "weight_l1_read_words": 24,
        "output_l1_read_words": 24,
        "l1_need_words": 2 * (3 + 3 + 1),  # of a unit's tiles
        "l2_need_words": 2 * (6 + 3 + 2),  # of the first case
        "peak_noc_words_per_cycle": 9 // 3,
        "average_noc_words_per_cycle": (3 + 1 + 2 + 1) / 4,
        "offchip_words_per_cycle": 3,  # 18 // 3, halved; then max(3, 6) // 2 each time
        "ingress_min_cycles": 3,
        "ingress_max_cycles": 9,
        "ingress_average_cycles": (9 + 3 + 6 + 3) // 4,
        "egress_average_cycles": 2,
        "compute_average_cycles": 3,
        "active_pes": 2,
        "arithmetic_intensity_macs_per_word": 6 / 3,  # of the last case
        "input_pixels": 12,
        "weight_pixels": 6,
    }
    assert {name: found[name] for name in expected} == expected
    l1_nj, l2_nj = csv_parts_nj(figures, 1)
    assert l1_nj == pytest.approx(0.00023 * 1.68 * (12 + 9 + 24 + 3 * 24))
    assert l2_nj == pytest.approx(0.00023 * 18.61 * (12 + 12 + 9 + 6 + 8))
    assert found["energy_macs"] == pytest.approx(18.61 * (12 + 9 + 8 + 12 + 6 + 8) + 1.68 * (45 + 72) + 24)
    assert told(source, machine).figures["warnings"] == [
        "needs 22 words of L2, the machine has 21",
        "needs 3 words per cycle of the NoC, the machine has 1",
    ]


# --- The hardware file


def test_the_hardware_file_holds_the_machine() -> None:
    """Each of the program's keys stands on a line of its own, with its unit's number."""
    text = print_machine(SourceMachine(168, 32, 2, 16, 512, 108000, simd=2), "hardware edge")
    keys = "num_pes: 168\nl1_size_cstr: 512\nl2_size_cstr: 108000\nnoc_bw_cstr: 32\noffchip_bw_cstr: 16\nNoC_NumHops: 2\n"
    assert text == keys


def test_a_hardware_file_has_no_number_over_an_int() -> None:
    """2^31 - 1 is printed; one more is an error that names the place, the key, the limit and the value."""
    largest = SourceMachine(1, 2**31 - 1, 1, 1, 1, 1)
    assert "noc_bw_cstr: 2147483647\n" in print_machine(largest, "hardware edge")
    with pytest.raises(InputError, match="hardware edge: MAESTRO's noc_bw_cstr must be at most 2147483647, got 2147483648"):
        print_machine(replace(largest, noc_words=2**31), "hardware edge")
