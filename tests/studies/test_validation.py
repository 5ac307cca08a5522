"""The exact model held against measured chips: the bars, the page, the mappings that are built from the rows."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mapsearch.formats.directives import print_network
from mapsearch.formats.measured import ChipRow, EyerissRow, FpgaRow, GemminiRow, read_measured, rows_of
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Array
from mapsearch.model.layer import Layer
from mapsearch.studies.evaluate import evaluate
from mapsearch.studies.validation import SUITES, gemmini, kept_files, validate, zhang
from mapsearch.studies.validation.eyeriss import ALEXNET, VGG16, chip, layers_of
from mapsearch.studies.validation.outcome import Outcome, network_of
from mapsearch.studies.validation.page import page
from mapsearch.studies.validation.ranks import Pairs, ordered_pairs, rank_correlation
from mapsearch.studies.validation.row_stationary import Pass, mapped

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"
SHIPPED = [suite for suite in SUITES if suite != "tpu-v6e"]
GEMMINI = (
    "id,R,S,P,Q,C,K,N,stride,tile_R,tile_S,tile_P,tile_Q,tile_C,tile_K,timeloop_cycles,rtl_cycles\n"
    "a,1,1,8,8,32,32,1,1,1,1,8,4,16,32,256,600\nb,1,1,8,8,32,32,1,1,1,1,4,4,32,32,256,900\n"
)
TPU = "M,K,N,latency_ns\n128,256,512,2000\n4096,4096,4096,300000\n1,4096,4096,30000\n"


@pytest.fixture(name="outcomes", scope="module")
def all_outcomes() -> dict[str, Outcome]:
    """What all suites with shipped rows find."""
    return {outcome.suite: outcome for outcome in validate()}


@pytest.mark.parametrize("suite", SHIPPED)
def test_bars_are_met(outcomes: dict[str, Outcome], suite: str) -> None:
    """Each figure with a bar keeps to it, and each suite has at least two, but that of recorded searches."""
    missed = [f"{figure.metric}: {figure.shown}, {figure.bar}" for figure in outcomes[suite].figures if not figure.met]
    assert missed == []
    assert sum(bool(figure.bar) for figure in outcomes[suite].figures) >= (2 if suite != "eyeriss-search" else 0)


def test_the_page_is_what_would_be_written(outcomes: dict[str, Outcome]) -> None:
    """docs/validation.md is the page of the shipped rows, to the letter."""
    assert page([*outcomes.values()]) == PAGE.read_text(encoding="utf-8")


def test_cycles_of_some_rows() -> None:
    """The array's cycles of published mappings, as a calculation apart from the model has them."""
    cycles = {layer.row.layer: layer.costs.array_cycles for layer in layers_of(ALEXNET, None)}
    assert cycles == {"CONV1": 3125464, "CONV2": 7173388, "CONV3": 4374900, "CONV4": 3235064, "CONV5": 2156792}


def test_mappings_that_were_not_published_agree_with_the_chip() -> None:
    """Each VGG-16 layer has as many active PEs as the chip, and partial sums that make no more traffic than it had."""
    for layer in layers_of(VGG16, None):
        each, row = layer.chosen, layer.row
        assert row.filter * each.e * each.r * each.t == layer.chip.active_pes
        assert (layer.costs.psum_read_words + layer.costs.output_write_words) * 2 / 2**20 <= layer.chip.global_buffer_mb
        assert layer.agreeing is not None
        assert layer.agreeing > 1


def test_a_mapping_of_an_fpga() -> None:
    """The loops of the design: tiles, then the filter's places, then an output a cycle, 64 x 7 MACs at once."""
    row = next(row for row in read_measured(FpgaRow, None).rows if row.layer == "CONV2")
    (tiles, within, lanes) = zhang.mapped(row).mapping.levels
    assert [directive.text for directive in tiles] == [
        "TemporalMap(13,13) Y'", "TemporalMap(13,13) X'", "TemporalMap(64,64) K", "TemporalMap(7,7) C",
    ]  # fmt: skip
    assert [directive.text for directive in within] == [
        "TemporalMap(1,1) R", "TemporalMap(1,1) S", "TemporalMap(1,1) Y'", "TemporalMap(1,1) X'", "SpatialMap(1,1) K",
    ]  # fmt: skip
    assert [directive.text for directive in lanes] == ["SpatialMap(1,1) C"]


def test_an_fpgas_macs_never_wait(outcomes: dict[str, Outcome]) -> None:
    """The array's cycles are one for each output, place of the filter, and group of 64 and 7 channels, and a few at the start."""
    outcome = outcomes["zhang-fpga15"]
    assert outcome.network is not None
    for each, row in zip(outcome.network.layers, outcome.table.to_dict(), strict=True):
        _, _, filters, channels, rows, columns, height, width = each.layer.extents
        macs = height * width * rows * columns * -(-filters // 64) * -(-channels // 7)
        predicted = row["predicted_ms"]
        assert isinstance(predicted, float)
        assert macs < predicted * 1e5 / 2 < 1.005 * macs


def test_the_constant_of_the_machine_is_the_fitted_one(outcomes: dict[str, Outcome]) -> None:
    """The preset's idle power is the constant that the five layers of AlexNet set, within 1 mW."""
    (constant,) = (
        figure.value for figure in outcomes["eyeriss-power"].figures if figure.metric == "constant power, set on AlexNet"
    )
    assert chip().technology.idle_mw == pytest.approx(constant, abs=1)


def test_searches_lie_between_their_bounds_and_the_chip(outcomes: dict[str, Outcome]) -> None:
    """For each layer of VGG-16, the mapping found is no slower than the chip's, and no faster than the bound allows."""
    rows = outcomes["eyeriss-search"].table.to_dict()
    assert [row["layer"] for row in rows] == [layer.row.layer for layer in layers_of(VGG16, None)]
    for row in rows:
        ratio, bound = row["ratio"], row["bound_ratio"]
        assert isinstance(ratio, float)
        assert isinstance(bound, float)
        assert 1 <= ratio <= bound


def test_kept_files_evaluate_to_the_same_digits(outcomes: dict[str, Outcome], tmp_path: Path) -> None:
    """The directive files and machines that --keep writes give the cycles of the page."""
    for name, text in kept_files([outcomes["eyeriss-alexnet"], outcomes["gemmini"]]).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for suite, machine, key in (("eyeriss-alexnet", "eyeriss", "array_cycles"), ("gemmini", "gemmini_rtl", "array_cycles")):
        found = evaluate(tmp_path / f"{suite}.m", tmp_path / f"{machine}.yaml")
        rows = outcomes[suite].table.to_dict()
        assert [costs.array_cycles for costs in found if isinstance(costs, CountedEvaluation)] == [row[key] for row in rows]


def test_a_row_stationary_mapping() -> None:
    """A pass of sets over channels and filters, as directives."""
    row = next(row for row in read_measured(EyerissRow, None).rows if row.layer == "CONV4")
    layers = [layer.mapped for layer in layers_of(ALEXNET, None) if layer.row.layer == "CONV4"]
    assert (row.n, row.e, row.p, row.q, row.r, row.t) == (4, 13, 16, 3, 2, 2)
    assert re.findall(r"(?:Map|Cluster)\(.*;", print_network(network_of("n", layers))) == [
        "Map(1,1) G;", "Map(4,4) N;", "Map(13,13) Y';", "Map(16,16) K;", "Map(6,6) C;", "Cluster(2, P);", "Map(3,3) C;",
        "Cluster(13, P);", "Map(1,1) Y';", "Cluster(3, P);", "Map(1,1) R;", "Map(1,1) N;", "Map(1,1) X';",
    ]  # fmt: skip


def test_output_rows_beyond_the_columns_are_folded() -> None:
    """CONV2 has 27 output rows on 14 columns, in two folds of the array."""
    (layer,) = (layer for layer in layers_of(ALEXNET, None) if layer.row.layer == "CONV2")
    assert layer.mapped.mapping.clusters == (14, 5)
    assert layer.mapped.mapping.units(chip().shape)[0] == 2


def test_a_pass_that_does_not_fill_the_array() -> None:
    """Sets other than the most that fit beside each other are an error that names the pass."""
    layer: Layer = layers_of(ALEXNET, None)[2].mapped.layer
    with pytest.raises(
        InputError, match=r"^layer CONV3: 1 x 2 sets of 3 x 13 PEs must be the most that fit the 168 PEs of eyeriss"
    ):
        mapped(layer, Pass(4, 13, 16, 4, 1, 2), chip())
    with pytest.raises(InputError, match="must be the most that fit"):
        mapped(layer, Pass(4, 13, 16, 4, 1, 4), replace(chip(), array=Array(14, 12)))


def test_a_mapping_of_gemmini() -> None:
    """Loops over tiles in the driver's order, then blocks of 16 x 16 weights."""
    row = next(row for row in read_measured(GemminiRow, None).rows if row.id == "11")
    (level, blocks, lanes) = gemmini.mapped(row).mapping.levels
    assert [directive.text for directive in level] == ["TemporalMap(14,14) Y'", "TemporalMap(7,7) X'", "TemporalMap(64,64) K"]
    assert [directive.text for directive in blocks] == [
        "SpatialMap(1,1) K", "TemporalMap(1,1) R", "TemporalMap(1,1) S", "TemporalMap(16,16) C",
    ]  # fmt: skip
    assert [directive.text for directive in lanes] == ["SpatialMap(1,1) C"]


def test_rows_of_a_user(tmp_path: Path) -> None:
    """A file in the user's folder takes the place of the shipped one; the others are the shipped ones."""
    (tmp_path / "gemmini_rtl.csv").write_text(f"# mine\n{GEMMINI}")
    (tmp_path / "tpu_v6e_gemm.csv").write_text(TPU)
    found = {outcome.suite: outcome for outcome in validate((), tmp_path)}
    assert list(found) == list(SUITES)
    assert [row["row"] for row in found["gemmini"].table.to_dict()] == ["a", "b"]
    assert found["gemmini"].sources == (("gemmini_rtl.csv", "mine"),)
    assert len(found["tpu-v6e"].table.rows) == 3
    assert len(found["eyeriss-vgg16"].table.rows) == 13


def test_bounds_of_gemms(tmp_path: Path) -> None:
    """The bound of a large product is its MACs at the peak rate; of a vector times a matrix, its bytes at the full rate."""
    (tmp_path / "tpu_v6e_gemm.csv").write_text(TPU)
    rows = validate(["tpu-v6e"], tmp_path)[0].table.to_dict()
    assert rows[1]["bound_ns"] == pytest.approx(2 * 4096**3 / 918e12 * 1e9, rel=0.01)
    assert rows[2]["bound_ns"] == pytest.approx(2 * 4096**2 / 1640e9 * 1e9, rel=0.01)


@pytest.mark.parametrize(
    ("suites", "message"),
    [
        (["gemini"], r"no suite is called 'gemini'; did you mean gemmini\?; there are eyeriss-alexnet, "),
        (["tpu-v6e"], r"tpu_v6e_gemm.csv is not shipped; give a folder that has tpu_v6e_gemm.csv by --data"),
    ],
)
def test_suites_that_cannot_be_run(suites: list[str], message: str) -> None:
    """One line says which suites there are, or which file is missing."""
    with pytest.raises(InputError, match=message):
        validate(suites)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# only a head\n", "x.csv: must have a line of column names and at least one row, got 0 lines"),
        (GEMMINI.replace(",600", ",fast"), "x.csv:2: rtl_cycles must be a whole number, got 'fast'"),
        (GEMMINI.replace("b,1", "b,0"), "x.csv:3: R must be >= 1, got '0'"),
        (GEMMINI.replace(",900", ""), "x.csv:3: must have a cell for each of the 17 columns, got 16"),
        (GEMMINI.replace("tile_R", "tile_T"), "x.csv:2: tile_R is missing"),
    ],
)
def test_rows_that_break_a_law(text: str, message: str) -> None:
    """The error names the line, the column, the law and the value."""
    with pytest.raises(InputError, match=re.escape(message)):
        rows_of(GemminiRow, text, "x.csv")


def test_a_mapping_in_part_and_a_layer_without_figures(tmp_path: Path) -> None:
    """The columns n to t come together, and each layer of the Eyeriss suites needs the chip's figures."""
    head = "network,layer,batch,groups,K,C,outputs,filter,stride,n,e,p,q,r,t,measured_processing_cycles\n"
    (tmp_path / "eyeriss_mappings.csv").write_text(f"{head}alexnet,CONV3,4,1,384,256,13,3,1,4,,16,4,1,4,4360000\n")
    with pytest.raises(InputError, match="layer CONV3: e is missing; give all of n, e, p, q, r, t, or none"):
        validate(["eyeriss-alexnet"], tmp_path)
    with pytest.raises(InputError, match=r"need a layer of the network vgg16 in eyeriss_mappings.csv"):
        validate(["eyeriss-vgg16"], tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "eyeriss_mappings.csv").write_text(f"{head}alexnet,CONV9,4,1,384,256,13,3,1,4,13,16,4,1,4,4360000\n")
    with pytest.raises(InputError, match=r"need layer CONV9 of alexnet in eyeriss_chip.csv"):
        validate(["eyeriss-alexnet"], other)


def test_shipped_rows_say_where_they_come_from() -> None:
    """Each file's head names its source, and where rows are another project's, the licence."""
    for kind in (ChipRow, EyerissRow, GemminiRow):
        assert re.search(r"JSSC 52\(1\), 2017|ucb-bar/dosa", read_measured(kind, None).head)
    assert "BSD-2-Clause" in read_measured(GemminiRow, None).head


def test_pairs_and_ranks() -> None:
    """Pairs less than 5 % apart do not count, predictions less than 0.5 % apart decide nothing, groups are apart."""
    group = [(100.0, 100.0), (100.4, 200.0), (90.0, 300.0), (50.0, 104.0)]
    assert ordered_pairs([group, [(1.0, 1000.0)]]) == Pairs(right=2, wrong=2, tied=1)
    assert rank_correlation([1, 2, 3], [10, 30, 20]) == pytest.approx(0.5)
    assert rank_correlation([1], [1]) != rank_correlation([1], [1])
