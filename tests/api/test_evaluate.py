"""`mapsearch evaluate` and `mapsearch.evaluate`: figures worked out by hand, both cost models, and every way to be refused."""

from __future__ import annotations

import doctest
import io
import json
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from printed_tables import table_rows

import mapsearch
from mapsearch.cli import main
from mapsearch.formats.yaml.hardware import hardware_to_dict, load_hardware
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.registry import COST_MODELS, cost_model
from mapsearch.studies import evaluate as evaluation

Capture = pytest.CaptureFixture[str]
NETWORK = Path(__file__).parents[1] / "golden" / "directives" / "kc_p.printed.m"
TWO_PES = {"name": "two", "pes": 2}
# (4 x 3)(3 x 2): each of two PEs has a column of the weights; in each step it does one MAC.
GEMM = """Network n {
    Layer product {
        Type: GEMM
        Dimensions { M: 4, N: 2, K: 3 }
        Dataflow {
            TemporalMap(1,1) M;
            TemporalMap(1,1) K;
            SpatialMap(1,1) N;
        }
    }
}
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "net.m"
    path.write_text(text, "utf-8")
    return path


def _hardware(folder: Path, text: str) -> str:
    path = folder / "chip.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def _conv(dataflow: str, dimensions: str = "K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10", items: str = "") -> str:
    """A layer whose `items` are line 4 and whose `dataflow` starts on line 6."""
    return f"Network n {{\nLayer conv1 {{\nType: CONV Dimensions {{ {dimensions} }}\n{items}\nDataflow {{\n{dataflow}\n}} }} }}\n"


def _error(capsys: Capture, *argv: str) -> str:
    assert main(["evaluate", *argv]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("mapsearch: error: ").rstrip("\n")


# Figures.


def test_by_hand() -> None:
    """Twelve steps (M, K) move two weights and one multicast input each; the two sums of a row stay in the PEs.

    Runtime: fill 100 + ceil(3 bytes / 16); the first step's ingress, compute and egress and 11 further steps, a cycle each;
    off-chip 6 weights, 12 inputs and 8 outputs of two bytes are 34 bytes.
    """
    cost = mapsearch.evaluate(GEMM, hardware=TWO_PES)[0].to_dict()
    assert cost["layer"] == "product"
    assert (cost["macs"], cost["steps"]) == (24, 12)
    assert cost["l2_to_l1_words"] == {"weight": 24, "input": 12, "output": 8}
    assert cost["l1_fill_words"] == {"weight": 24, "input": 24, "output": 8}
    assert (cost["psum_read_words"], cost["output_write_words"]) == (0, 8)
    assert cost["offchip_read_words"] == {"weight": 6, "input": 12, "output": 0}
    assert cost["offchip_write_words"] == 8
    assert (cost["fill_cycles"], cost["array_cycles"], cost["offchip_cycles"]) == (101, 14, 3)
    assert cost["runtime_cycles"] == 115
    assert cost["l1_need_bytes"] == 2 * (1 + 1 + 2)
    assert cost["utilization"] == 24 / (115 * 2)
    assert cost["arithmetic_intensity_macs_per_byte"] == 24 / 34


def test_the_docstring_is_right() -> None:
    """The example in the docstring gives what it says."""
    done = doctest.testmod(evaluation, extraglobs={"mapsearch": mapsearch})
    assert (done.attempted, done.failed) == (3, 0)


def test_models_agree(capsys: Capture, tmp_path: Path) -> None:
    """The simulator prints what the exact model prints, to the last digit."""
    path, hardware = str(_file(tmp_path, GEMM)), _hardware(tmp_path, "pes: 2\n")
    texts: list[str] = []
    for model in ("exact", "simulate"):
        assert main(["evaluate", path, "--hardware", hardware, "--model", model, "--json"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_models_go_by_their_own_names() -> None:
    """A cost model is selected by the name that it calls itself."""
    assert all(cost_model(name).name == name for name in COST_MODELS)


def test_table(capsys: Capture, golden: Callable[[str, str], None]) -> None:
    """The tables have a row a layer; those of costs, sizes and energies also one for all layers, each once."""
    assert main(["evaluate", str(NETWORK)]) == 0
    golden("cli/evaluate.txt", capsys.readouterr().out)


def test_what_all_layers_come_to_once(capsys: Capture) -> None:
    """Cycles and energies are sums, the EDP is their product, PE use is an average over the time, and needs are the most."""
    assert main(["evaluate", str(NETWORK)]) == 0
    text = capsys.readouterr().out
    costs = mapsearch.evaluate(NETWORK)
    cycles, energy_pj = sum(cost.runtime_cycles for cost in costs), sum(cost.energy_pj.total for cost in costs)
    shown = [[float(cell.replace(",", "")) for cell in table_rows(text, table)[-1][1:]] for table in range(3)]
    used = sum((cost.utilization or 0.0) * cost.runtime_cycles for cost in costs) / cycles
    assert shown[0][:3] == pytest.approx([cycles, energy_pj / 1e6, energy_pj * cycles], rel=1e-3)
    assert shown[0][-1] == pytest.approx(100 * used, rel=1e-3)
    assert shown[1] == [sum(cost.macs for cost in costs), sum(cost.to_dict()["steps"] for cost in costs), 40, 107_696]
    assert sum(shown[2]) == pytest.approx(energy_pj / 1e6, rel=1e-3)
    assert [table_rows(text, table)[-1][0] for table in range(3)] == ["each layer once"] * 3
    assert "each layer once: a directive file does not say how often" in text


def test_one_layer_is_a_figure_a_line(capsys: Capture, tmp_path: Path) -> None:
    """Of a single layer each figure has a line, with its unit; the parts of the energy are among them."""
    assert main(["evaluate", str(_file(tmp_path, GEMM)), "--hardware", _hardware(tmp_path, "pes: 2\n")]) == 0
    rows = {row[0]: row[1:] for row in table_rows(capsys.readouterr().out)}
    [cost] = mapsearch.evaluate(GEMM, hardware=TWO_PES)
    assert (rows["cycles"], rows["steps"], rows["MACs"]) == (["115"], ["12"], ["24"])
    for part, name in (("mac", "MAC"), ("noc", "NoC"), ("offchip", "off-chip")):
        value, unit = rows[f"energy of {name}"]
        assert unit == "µJ"
        assert float(value) == pytest.approx(cost.energy_pj.parts[part] / 1e6, rel=1e-3)


def test_what_the_issue_of_tiles_bounds(capsys: Capture, tmp_path: Path) -> None:
    """12 tiles, of each M and K, of 50 cycles each take longer than the 14 cycles of the array, after a fill of 101."""
    asked = ["evaluate", str(_file(tmp_path, GEMM)), "--hardware", _hardware(tmp_path, "pes: 2\nl2: {tile_cycles: 50}\n")]
    assert main(asked) == 0
    rows = {row[0]: row[1] for row in table_rows(capsys.readouterr().out)}
    assert (rows["cycles"], rows["bound by"]) == (str(101 + 12 * 50), "issue")
    assert main([*asked, "--json"]) == 0
    [cost] = json.loads(capsys.readouterr().out)
    assert (cost["issue_cycles"], cost["bound_share"]["issue"]) == (600, 1.0)
    assert main(["hardware", asked[-1]]) == 0
    assert ["issue of a tile", "50", "cycles"] in table_rows(capsys.readouterr().out)


def test_json_is_the_report(capsys: Capture) -> None:
    """The JSON has one object a layer in the file's order: the name, then its fields in order, but those of other machines."""
    assert main(["evaluate", str(NETWORK), "--json"]) == 0
    costs: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [cost["layer"] for cost in costs] == ["CONV1", "DEPTH-WISE"]
    names = [field.name for field in fields(CountedEvaluation) if field.name not in CountedEvaluation.optional - {"area_mm2"}]
    assert all(list(cost) == names for cost in costs)
    assert costs == [each.to_dict() for each in mapsearch.evaluate(NETWORK)]


def test_sources_of_text_and_hardware(tmp_path: Path) -> None:
    """Text, a path and a path's text are the same; so are a preset, its keys, the Hardware and a file with it."""
    path = _file(tmp_path, GEMM)
    assert mapsearch.evaluate(GEMM) == mapsearch.evaluate(path) == mapsearch.evaluate(str(path))
    assert mapsearch.evaluate(GEMM.replace("\n", " ")) == mapsearch.evaluate(GEMM)
    chip = Path(_hardware(tmp_path, "name: edge\n"))
    edge = load_hardware("edge")
    for hardware in (edge, hardware_to_dict(edge), chip, str(chip)):
        assert mapsearch.evaluate(NETWORK, hardware) == mapsearch.evaluate(NETWORK)


def test_standard_input(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads directive text from standard input, with or without a byte order mark, and errors call it <stdin>."""
    for start in (b"", b"\xef\xbb\xbf"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(start + GEMM.encode())))
        assert main(["evaluate", "-", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["macs"] == 24
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert _error(capsys, "-") == "<stdin>:1:1: no Network; write Network NAME { Layer … }"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert _error(capsys, "-") == "<stdin>: the mapping file must be UTF-8 text, got byte 0xff at offset 0"
    monkeypatch.setattr(sys, "stdin", None)
    assert _error(capsys, "-") == "standard input is closed; give a file, or pipe the text of one in"


def test_interrupt(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while reading ends the command with 130 and without a word."""

    class Interrupted(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: object, /) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Interrupted())))
    assert main(["evaluate", "-"]) == 130
    assert capsys.readouterr() == ("", "")


def test_names_show_no_control_characters(capsys: Capture, tmp_path: Path) -> None:
    """A name is data: neither its escape sequences nor what looks like markup reach the terminal as such."""
    path = _file(tmp_path, GEMM.replace("product", r'"[red]a\u001b[31m\n"'))
    assert main(["evaluate", str(path)]) == 0
    assert capsys.readouterr().out.count(r"[red]a\x1b[31m\n ") == 2


# Refusals.


def test_unreadable_files(capsys: Capture, tmp_path: Path) -> None:
    """A missing file, a folder, an empty file and one that is no text are one line each."""
    missing = tmp_path / "none.m"
    assert _error(capsys, str(missing)) == f"{missing}: the mapping file must be readable: No such file or directory"
    assert _error(capsys, str(tmp_path)) == f"{tmp_path / 'config.json'}: does not exist; name the folder of a run"
    empty = _file(tmp_path, "")
    assert _error(capsys, str(empty)) == f"{empty}:1:1: no Network; write Network NAME {{ Layer … }}"
    binary = tmp_path / "binary.m"
    binary.write_bytes(b"Network\xff\x00")
    assert _error(capsys, str(binary)) == f"{binary}: the mapping file must be UTF-8 text, got byte 0xff at offset 7"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Network n { }", ": the Network must have at least one Layer, got none"),
        (
            "Network n {\nLayer a { Type: GEMM Dimensions { M: 4, N: 2, K: 3 } } }",
            ":2:9: layer a: the layer has no Dataflow; every",
        ),
        (_conv("SpatialMap(1,1) Q"), ":6: layer conv1, level 0: SpatialMap(1,1) Q: Type CONV has no dim Q; use one of"),
        (_conv("SpatialMap(0,1) K"), ":6:12: layer conv1, level 0: SpatialMap: the size must be from 1 to 2147483647, got '0'"),
        (_conv("SpatialMap(1,2) K"), ":6: layer conv1, level 0: SpatialMap(1,2) K: "),
        (_conv("TemporalMap(1,1) K"), ":5: layer conv1, level 0: its 256 units have no SpatialMap"),
        (
            _conv("SpatialMap(1,1) K\nCluster(512, P)\nSpatialMap(1,1) C"),
            ":2: layer conv1: the Clusters need 512 PEs and the hardware",
        ),
        (_conv("SpatialMap(1,1) K\nSpatialMap(1,1) C"), ":7: layer conv1, level 0: SpatialMap(1,1) C: a level has at most one"),
        (
            _conv("SpatialMap(1,1) K", items="Stride { Y: -1, X: 1 }"),
            ":4:13: layer conv1: Stride Y must be from 1 to 2147483647, got",
        ),
        (_conv("SpatialMap(1,1) K", "K: 0, C: 4, R: 3, S: 3, Y: 10, X: 10"), ":3:28: layer conv1: Dimensions K must be from 1 to"),
        (_conv("SpatialMap(1,1) K", "K: 8, C: 4, R: 3, S: 3, Y: 2, X: 10"), ":2: layer conv1: "),
        (
            _conv("SpatialMap(1,1) K", "K: 99999999999, C: 4, R: 3, S: 3, Y: 10, X: 10"),
            ":3:28: layer conv1: Dimensions K must be from",
        ),
        (
            _conv("SpatialMap(1,1) K", "K: 2000000000, C: 2000000000, R: 3, S: 3, Y: 10, X: 10"),
            ":2: layer conv1: MACs and operands must",
        ),
        (
            _conv("SpatialMap(1,1) K"),
            ":5: layer conv1, innermost level: L1 needs 1128 bytes (2 x for double buffering), the hardware edge has 512; use",
        ),
    ],
)
def test_refusals(capsys: Capture, tmp_path: Path, text: str, message: str) -> None:
    """What is no directive text, no layer or no legal mapping is refused by file, line, layer, level, reason and remedy."""
    path = _file(tmp_path, text)
    assert _error(capsys, str(path), "--json").startswith(f"{path}{message}")


def test_l2_too_small(capsys: Capture, tmp_path: Path) -> None:
    """A mapping whose working set the L2 does not hold is refused."""
    path, hardware = _file(tmp_path, GEMM), _hardware(tmp_path, "pes: 2\nl2: {bytes: 4}\n")
    assert _error(capsys, str(path), "--hardware", hardware).startswith(f"{path}:5: layer product, level 0: L2 needs ")


def test_the_last_layer_is_checked_before_anything_is_printed(capsys: Capture, tmp_path: Path) -> None:
    """A legal layer before one that isn't prints nothing."""
    second = GEMM.split("\n", 1)[1].replace("product", "second").replace("SpatialMap", "TemporalMap")
    path = _file(tmp_path, GEMM.rstrip().removesuffix("}") + second)
    assert "layer second, level 0: its 256 units have no SpatialMap" in _error(capsys, str(path))


def test_walk_too_long_for_the_simulator(capsys: Capture, tmp_path: Path) -> None:
    """The simulator refuses what it cannot walk, by file, line and layer, and says what can."""
    path = _file(tmp_path, GEMM.replace("M: 4", "M: 40000000"))
    message = _error(capsys, str(path), "--model", "simulate")
    assert message.startswith(f"{path}:2: layer product: the simulator walks at most ")
    assert message.endswith("use the model 'exact' instead")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "exat"], "no cost model is called 'exat'; use one of exact, maestro, simulate; did you mean exact?"),
        (["--hardware", "edg"], "no hardware is called 'edg'; did you mean edge?; there are "),
        (["--hardware", "none.yaml"], "none.yaml: the hardware file must be readable: No such file or directory"),
        (["--hardware"], "argument --hardware: expected one argument; see mapsearch evaluate --help"),
    ],
)
def test_wrong_options(capsys: Capture, options: list[str], message: str) -> None:
    """A name that is not known gets those that are."""
    assert _error(capsys, str(NETWORK), *options).startswith(message)


def test_python_raises_what_the_command_prints() -> None:
    """From Python the same line comes as an InputError, which is a ValueError."""
    with pytest.raises(InputError, match=r"^<text>:5: layer product, level 0: its 256 units have no SpatialMap"):
        mapsearch.evaluate(GEMM.replace("SpatialMap", "TemporalMap"))
    with pytest.raises(ValueError, match=r"^hardware: unknown key pe; did you mean pes\?"):
        mapsearch.evaluate(GEMM, {"pe": 2})
