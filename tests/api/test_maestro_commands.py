"""MAESTRO at the command line: files that are evaluated by its numbers, and compared with the exact ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from maestro_commands import GEMM, STRIDED, Capture, error_of, file_of, hardware_of, json_of
from printed_tables import table_rows

from mapsearch.cli import main

# --- evaluate


def test_the_tables_of_an_evaluation(tmp_path: Path, capsys: Capture, golden: Callable[[str, str], None]) -> None:
    """They have the program's figures in its units, and what it would warn of is a line on standard error."""
    path, chip = file_of(tmp_path, STRIDED), hardware_of(tmp_path)
    assert main(["evaluate", path, "--hardware", chip, "--model", "maestro"]) == 0
    captured = capsys.readouterr()
    golden("cli/evaluate_maestro.txt", captured.out.replace(chip, "chip.yaml"))
    warning = "mapsearch: warning: layer strided: counts 2,592 MACs and the layer has 1,152: the figures are not the layer's\n"
    assert captured.err == warning


def test_both_counts_of_macs_are_told(tmp_path: Path, capsys: Capture) -> None:
    """`macs` is what the program counts, 3 outputs for each 2 of a tile in both directions, and `layer_macs` what the layer has."""
    [cost] = json_of(capsys, "evaluate", file_of(tmp_path, STRIDED), "--hardware", hardware_of(tmp_path), "--model", "maestro")
    assert cost["layer_macs"] == 4 * 2 * 9 * 4 * 4
    assert cost["macs"] == 4 * 2 * 9 * (2 * 3) * (2 * 3)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_filter_larger_than_its_input_has_no_macs(rows: int, tmp_path: Path, capsys: Capture) -> None:
    """The program prints figures of nothing for it, nan and negative ones too: the layer has no MACs, and we warn."""
    command = ["evaluate", file_of(tmp_path, STRIDED.replace("Y: 9", f"Y: {rows}")), "--hardware", hardware_of(tmp_path)]
    [cost] = json_of(capsys, *command, "--model", "maestro")
    assert (cost["macs"], cost["layer_macs"]) == (0, 0)
    assert cost["throughput_macs_per_cycle"] is None  # nan: 0 MACs in 0 cycles
    assert main([*command, "--model", "maestro"]) == 0
    assert "warning: layer strided: its filter is larger than its input, so it has no MACs\n" in capsys.readouterr().err


def test_declared_outputs_are_the_layers(tmp_path: Path, capsys: Capture) -> None:
    """4 strided outputs a side are the layer's, whatever the program makes of them: 6 x 6 inputs, and of those 2 outputs a side."""
    text = STRIDED.replace("Y: 9, X: 9", "Y': 4, X': 4").replace("TemporalMap(5,4)", "TemporalMap(3,2)")
    chip = hardware_of(tmp_path)
    [cost] = json_of(capsys, "evaluate", file_of(tmp_path, text), "--hardware", chip, "--model", "maestro")
    assert cost["layer_macs"] == 4 * 2 * 9 * 4 * 4
    assert cost["macs"] == 4 * 2 * 9 * 2 * 2
    assert cost["warnings"] == [
        "counts 288 MACs and the layer has 1,152: the figures are not the layer's",
        "74 cycles are fewer than the 288 in which all PEs could do the layer's MACs",
    ]
    assert _figures(capsys, tmp_path, text, "pes: 4\n")["MACs"] == (1152, 288, "strides are counted wrong")


def test_each_limit_of_the_machine_is_a_warning(tmp_path: Path, capsys: Capture) -> None:
    """An L1, L2, NoC and off-chip memory that the program finds too small are a line each, and the figures are printed."""
    chip = hardware_of(
        tmp_path, "pes: 2\nl1: {bytes: 13}\nl2: {bytes: 21}\nnoc: {bytes_per_cycle: 1}\noffchip: {bytes_per_cycle: 1}\n"
    )
    assert main(["evaluate", file_of(tmp_path, GEMM), "--hardware", chip, "--model", "maestro"]) == 0
    captured = capsys.readouterr()
    start = "mapsearch: warning: layer product: needs "
    assert [line.removeprefix(start) for line in captured.err.splitlines()] == [
        "14 words of L1, the machine has 13",
        "22 words of L2, the machine has 21",
        "3 words per cycle of the NoC, the machine has 1",
        "3 words per cycle of off-chip memory, the machine has 1",
    ]
    assert "product" in captured.out


def test_a_file_with_gaps_is_evaluated_as_it_stands(tmp_path: Path, capsys: Capture) -> None:
    """Every other row of a product is left out: illegal to the exact model, and 12 of 24 MACs to MAESTRO, with a warning."""
    path, chip = file_of(tmp_path, GEMM.replace("SpatialMap(1,1)", "SpatialMap(1,2)")), hardware_of(tmp_path, "pes: 2\n")
    assert error_of(capsys, "evaluate", path, "--hardware", chip).startswith(
        f"{path}:6: layer product, level 0: SpatialMap(1,2) M: "
    )
    [cost] = json_of(capsys, "evaluate", path, "--hardware", chip, "--model", "maestro")
    assert (cost["macs"], cost["layer_macs"]) == (12, 24)
    assert cost["warnings"][0] == "counts 12 MACs and the layer has 24: the figures are not the layer's"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            GEMM.replace("SpatialMap(1,1) M;", "SpatialMap(1,1) M; Cluster(1,P); " * 4),
            ":2: layer product: at most 3 Clusters, got 4",
        ),
        (GEMM.replace("GEMM", "FC"), ":3:7: layer product: the published program knows the name FC but makes no such layer"),
        (STRIDED.replace("Sz(R),Sz(R)", "1,1"), ":11:1: layer strided: TemporalMap(1,1) R: size and offset must be the whole R, 3"),
        (GEMM.replace("SpatialMap", "TemporalMap"), ":2: layer product: level 0: the published program stops with 'No spatial map"),
        (GEMM.replace("M: 4", "M: 0"), ":4:17: layer product: Dimensions M must be from 1 to "),
        (STRIDED.replace("K: 4, C: 2", "K: 2147483647, C: 2147483647"), ":2: layer strided: a case has 2^31 steps or more"),
        ("Network n { }", ":1:14: the Network must have at least one Layer, got none"),
        ("", ":1:1: the Network must have at least one Layer, got none"),
    ],
    ids=["Clusters", "FC", "R", "no SpatialMap", "M of 0", "huge", "no layer", "empty"],
)
def test_a_file_that_the_program_rejects_is_one_line(text: str, message: str, tmp_path: Path, capsys: Capture) -> None:
    """The line has file, line and reason, and the exit code is 2."""
    path = file_of(tmp_path, text)
    found = error_of(capsys, "evaluate", path, "--hardware", hardware_of(tmp_path), "--model", "maestro")
    assert found.startswith(f"{path}{message}")


# --- compare-models


def _figures(capsys: Capture, tmp_path: Path, text: str, hardware: str) -> dict[str, tuple[float, float, str]]:
    """Exact figure, MAESTRO's and the cause, by metric."""
    found = json_of(capsys, "compare-models", file_of(tmp_path, text), "--hardware", hardware_of(tmp_path, hardware))
    for one in found:
        assert one["ratio"] == (one["maestro"] / one["exact"] if one["exact"] else None)
        assert bool(one["cause"]) == (one["exact"] != one["maestro"])
    return {one["metric"]: (one["exact"], one["maestro"], one["cause"]) for one in found}


def test_a_product_by_both_models(tmp_path: Path, capsys: Capture) -> None:
    """Four steps of three cycles, worked out by hand for both: the rows by pairs, and for each pair both columns of the weights.

    Exact: fill 100 + ceil(9 bytes / 16), one cycle in and out around the steps; the weights are sent in each step, to two PEs. The
    L2 keeps all weights, and a pair's rows and the two outputs of a step twice.
    MAESTRO: one cycle in, no fill, and weights miss the third step, when the pair of rows advances and the columns start again.
    """
    assert _figures(capsys, tmp_path, GEMM, "pes: 2\n") | {"energy [pJ]": (0.0, 0.0, "")} == {
        "MACs": (24, 24, ""),
        "runtime [cycles]": (101 + 1 + 4 * 3 + 1, 1 + 4 * 3, "the first fill from off-chip is left out"),
        "energy [pJ]": (0, 0, ""),
        "weight L2 -> L1 [words]": (12, 9, "reloads after an outer loop's step are missed"),
        "weight into L1s [words]": (
            24, 9, "reloads after an outer loop's step are missed; copies made by multicast are not counted",
        ),
        "weight from off-chip [words]": (6, 6, ""),
        "input L2 -> L1 [words]": (12, 12, ""),
        "input into L1s [words]": (12, 12, ""),
        "input from off-chip [words]": (12, 12, ""),
        "output L1 -> L2 [words]": (8, 8, ""),
        "partial sums read [words]": (0, 0, ""),
        "L1 need [bytes]": (2 * (3 + 3 + 2), 2 * (3 + 3 + 1), "a word of any width counts as a byte"),
        "L2 need [bytes]": (
            6 + 2 * 6 + 2 * (2 * 2), 22, "twice the words of the first step; a word of any width counts as a byte",
        ),
    }  # fmt: skip


def test_a_narrow_way_off_chip_is_a_cause(tmp_path: Path, capsys: Capture) -> None:
    """MAESTRO charges one byte a cycle in every step; the exact model waits for the traffic where it is longer than the array."""
    narrow = "pes: 2\noffchip: {bytes_per_cycle: 1}\n"
    exact, maestro, cause = _figures(capsys, tmp_path, GEMM, narrow)["runtime [cycles]"]
    assert exact == 100 + 9 + (6 + 12 + 2 * 8)
    assert maestro > 1 + 4 * 3
    assert cause == (
        "off-chip words are charged in every step; traffic off-chip is not waited for; the first fill from off-chip is left out"
    )


def test_strides_and_partial_sums_are_causes(tmp_path: Path, capsys: Capture) -> None:
    """A strided file has MACs, outputs and words of a layer that it is not; sums over two channels are read back by one model."""
    found = _figures(capsys, tmp_path, STRIDED, "pes: 4\n")
    assert found["MACs"] == (1152, 2592, "strides are counted wrong")
    assert found["partial sums read [words]"] == (4 * 4 * 4, 0, "partial sums are never read back")
    assert found["output L1 -> L2 [words]"] == (
        2 * 4 * 4 * 4, 2 * 4 * 6 * 6, "strides are counted wrong; outputs are written in every step",
    )  # fmt: skip
    assert found["input into L1s [words]"][2].startswith("strides are counted wrong; ")
    assert found["input into L1s [words]"][2].endswith("; copies made by multicast are not counted")
    assert found["runtime [cycles]"][2].startswith("strides are counted wrong; partial sums are never read back")
    assert found["weight L2 -> L1 [words]"] == (72, 72, "")
    assert found["L1 need [bytes]"] == (
        2 * (9 + 25 + 2 * 4), 2 * (9 + 25 + 25), "outputs take the input's rows and columns; a word of any width counts as a byte",
    )  # fmt: skip


def test_inner_levels_are_a_cause(tmp_path: Path, capsys: Capture) -> None:
    """A second level is filled anew in each step, and its L1 accesses are in no energy; outputs leave in every step of K."""
    text = GEMM.replace("TemporalMap(1,1) N;", "TemporalMap(1,1) N; TemporalMap(1,1) K; Cluster(2,P); SpatialMap(1,1) N;")
    found = _figures(capsys, tmp_path, text, "pes: 4\n")
    assert found["runtime [cycles]"][2].startswith("inner levels fill anew in each step, not overlapped; ")
    assert found["energy [pJ]"][2].endswith("; no L1 accesses with two levels or more")
    assert found["output L1 -> L2 [words]"] == (8, 3 * 8, "outputs are written in every step")


def test_words_of_one_byte_are_no_cause(tmp_path: Path, capsys: Capture) -> None:
    """Where every word is a byte, the L1 needs of a product are equal."""
    found = _figures(capsys, tmp_path, GEMM, "pes: 2\nbits: {weight: 8, input: 8, output: 8}\n")
    assert found["L1 need [bytes]"] == (14, 14, "")


def test_the_table_has_a_row_for_each_figure(tmp_path: Path, capsys: Capture) -> None:
    """Without --json each layer is a table of the same figures, causes by number below; over an exact 0 there is no ratio."""
    path, chip = file_of(tmp_path, GEMM), hardware_of(tmp_path, "pes: 2\n")
    found = json_of(capsys, "compare-models", path, "--hardware", chip)
    assert main(["compare-models", path, "--hardware", chip]) == 0
    text = capsys.readouterr().out
    assert text.startswith("product\nfigure  ")
    rows = table_rows(text)
    notes = dict(line.split(maxsplit=1) for line in text.split("\n\n")[1].splitlines())
    assert len(rows) == len(found) == 13
    for row, one in zip(rows, found, strict=True):
        assert row[0] == one["metric"]
        causes = row[-1].split(", ") if one["cause"] else []
        assert "; ".join(notes[number] for number in causes) == one["cause"]
    [sums] = [row for row in rows if row[0].startswith("partial sums")]
    assert sums[1:] == ["0", "0"]


def test_what_maestro_does_not_take_is_told_beside_the_exact_figures(tmp_path: Path, capsys: Capture) -> None:
    """Of a layer that MAESTRO has not, its side is missing, and the cause is the reason; other layers have both."""
    chip = hardware_of(tmp_path)
    layer = GEMM.removeprefix("Network n {").removesuffix("}\n")
    dense = layer.replace("GEMM", "FC").replace("M: 4, N: 2, K: 3", "K: 4, C: 3").replace(") M", ") K").replace(") N", ") C")
    path = file_of(tmp_path, f"Network n {{ {dense.replace('product', 'dense')} {layer} }}")
    found = json_of(capsys, "compare-models", path, "--hardware", chip)
    costs = {cost["layer"]: cost for cost in json_of(capsys, "evaluate", path, "--hardware", chip)}
    missing, both = ([one for one in found if one["layer"] == name] for name in ("dense", "product"))
    assert [one["metric"] for one in missing] == [one["metric"] for one in both]
    reason = "layer dense: MAESTRO has no layers of Type FC; there are CONV, TRCONV, NGCONV, DSCONV, GEMM"
    assert {(one["maestro"], one["ratio"], one["cause"]) for one in missing} == {(None, None, reason)}
    assert [missing[place]["exact"] for place in (0, 1)] == [costs["dense"][name] for name in ("macs", "runtime_cycles")]
    assert all(one["maestro"] is not None for one in both)
    assert main(["compare-models", path, "--hardware", chip]) == 0
    assert f"\n 1  {reason[:60]}" in capsys.readouterr().out


def test_what_the_exact_model_does_not_take_cannot_be_compared(tmp_path: Path, capsys: Capture) -> None:
    """An illegal mapping is one line with file and line."""
    chip = hardware_of(tmp_path)
    path = file_of(tmp_path, GEMM.replace("SpatialMap(1,1)", "SpatialMap(1,2)"))
    assert error_of(capsys, "compare-models", path, "--hardware", chip).startswith(f"{path}:6: layer product, level 0: ")
