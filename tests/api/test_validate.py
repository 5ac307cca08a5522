"""`mapsearch validate`: figures, bars, the page, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from printed_tables import table_rows

from mapsearch.cli import main
from mapsearch.formats.measured import EyerissRow, read_measured
from mapsearch.studies.validation import SUITES

Capture = pytest.CaptureFixture[str]
ALEXNET = "network,layer,batch,groups,K,C,outputs,filter,stride,n,e,p,q,r,t,measured_processing_cycles\n"
CONV3 = "alexnet,CONV3,4,1,384,256,13,3,1,4,13,16,4,1,4,{}\n"


def _folder(tmp_path: Path, cycles: int) -> str:
    (tmp_path / "eyeriss_mappings.csv").write_text(ALEXNET + CONV3.format(cycles))
    return str(tmp_path)


def test_a_suite_by_name(capsys: Capture) -> None:
    """The figures with their bars, the rows of the suite that was named, and how many bars are met."""
    assert main(["validate", "eyeriss-alexnet"]) == 0
    text = capsys.readouterr().out
    figures, rows = table_rows(text), table_rows(text, 1)
    assert figures[0][:2] == ["eyeriss-alexnet", "latency, mean error"]
    assert [row[0] for row in rows] == [row.layer for row in read_measured(EyerissRow, None).rows if row.network == "alexnet"]
    assert text.endswith("2 bars, 2 met, 0 missed\n")
    assert max(map(len, text.splitlines())) <= 120


def test_help_names_all_suites(capsys: Capture) -> None:
    """The help of the command lists each suite."""
    with pytest.raises(SystemExit):
        main(["validate", "--help"])
    text = "".join(capsys.readouterr().out.split())
    assert all(suite in text for suite in SUITES)


def test_json_has_all_rows(capsys: Capture) -> None:
    """Figures with their bars, and an object a row, with the unit in each key."""
    assert main(["validate", "eyeriss-alexnet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (suite,) = told["suites"]
    assert told["met"] is suite["met"] is True
    assert suite["figures"][0]["most"] == 5.0
    assert suite["rows"][1]["layer"] == "CONV2"
    assert suite["rows"][1]["error_percent"] == pytest.approx(100 * (suite["rows"][1]["array_cycles"] / 7840000 - 1))


def test_check_fails_where_a_bar_is_missed(tmp_path: Path, capsys: Capture) -> None:
    """Exit code 1 with --check where the model is too far off, 0 without it or where it is near."""
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    assert main(["validate", "eyeriss-alexnet", "--check", "--data", _folder(near, 4360000)]) == 0
    assert main(["validate", "eyeriss-alexnet", "--data", _folder(far, 3000000)]) == 0
    assert main(["validate", "eyeriss-alexnet", "--check", "--data", _folder(far, 3000000)]) == 1
    assert capsys.readouterr().out.endswith("2 bars, 0 met, 2 missed\n")


def test_out_writes_the_page_and_check_compares_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The page is written where --out says; --check compares it and writes nothing; without a page only bars count."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "new" / "page.md"
    assert main(["validate", "--out", str(path)]) == 0
    written = path.read_text(encoding="utf-8")
    assert written.startswith("# Checked against silicon\n")
    assert main(["validate", "--check", "--out", str(path)]) == 0
    path.write_text(written.replace("CONV1", "CONV0"), encoding="utf-8")
    assert main(["validate", "--check", "--out", str(path)]) == 1
    assert "CONV0" in path.read_text(encoding="utf-8")
    assert f"{path} is not what would be written" in capsys.readouterr().err
    assert main(["validate", "--check"]) == 0
    assert "no docs/validation.md here to compare with" in capsys.readouterr().err


def test_mappings_are_kept(tmp_path: Path) -> None:
    """--keep writes each suite's mappings and its machine."""
    assert main(["validate", "eyeriss-alexnet", "gemmini", "--keep", str(tmp_path / "kept")]) == 0
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "eyeriss-alexnet.m", "eyeriss.yaml", "gemmini.m", "gemmini_rtl.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["validate", "gemini"], "no suite is called 'gemini'; did you mean gemmini?"),
        (["validate", "--data", "nowhere"], "nowhere: the data must be a folder of files of rows"),
        (["validate", "--hardware", "edge"], "--hardware is the machine of a --fit"),
        (["validate", "--fit", "technology"], "--fit takes one file of rows, got 0"),
        (["validate", "rows.csv", "--fit", "technology", "--check"], "--fit takes --hardware, --out and --json"),
        (["validate", "rows.csv", "--fit", "technology"], "rows.csv: the file of rows must be readable: No such file"),
    ],
)
def test_one_line_for_what_is_wrong(argv: list[str], message: str, capsys: Capture) -> None:
    """Exit code 2 and one line."""
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"mapsearch: error: {message}")
    assert said.count("\n") == 1


def test_a_fit_from_the_command_line(tmp_path: Path, capsys: Capture) -> None:
    """Factors, a row a layer with its held-out error, and a technology that a machine may name."""
    layers = [
        f"Layer l{n} {{ Type: GEMM Dimensions {{ M: {8 + n}, N: {4 + 3 * n}, K: {16 + n * n} }} Dataflow {{ SpatialMap(1,1) M; "
        f"TemporalMap({1 + n % 3},{1 + n % 3}) K; }} }}"
        for n in range(12)
    ]
    (tmp_path / "chip.m").write_text("Network chip {" + "\n".join(layers) + "}")
    rows = "".join(f"l{n},chip.m,{0.01 * (n + 1)}\n" for n in range(12))
    (tmp_path / "rows.csv").write_text("# my chip\nlayer,mapping,energy_uj\n" + rows)
    out = tmp_path / "fitted.yaml"
    assert (
        main(["validate", str(tmp_path / "rows.csv"), "--fit", "technology", "--hardware", "edge,pes=16", "--out", str(out)]) == 0
    )
    text = capsys.readouterr().out
    assert len(table_rows(text, 1)) == 12
    assert "held out, each row by the fit to all others: mean error" in text
    machine = tmp_path / "machine.yaml"
    machine.write_text("pes: 16\ntechnology: fitted.yaml\n")
    assert main(["evaluate", str(tmp_path / "chip.m"), "--hardware", str(machine)]) == 0
    capsys.readouterr()
    assert main(["validate", str(tmp_path / "rows.csv"), "--fit", "technology", "--hardware", "edge,pes=16", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["held_out"]["worst_error_percent"] >= told["held_out"]["mean_error_percent"] >= 0
    assert [row["layer"] for row in told["rows"]] == [f"l{n}" for n in range(12)]
