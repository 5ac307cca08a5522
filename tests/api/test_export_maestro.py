"""Mappings and machines exported to MAESTRO at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from maestro_commands import GEMM, NETWORK, SIXTEEN, STRIDED, Capture, error_of, file_of, hardware_of, json_of

from mapsearch.cli import main
from mapsearch.formats.maestro.mappings_in import read_written


def test_an_exported_network(tmp_path: Path, capsys: Capture, golden: Callable[[str, str], None]) -> None:
    """The text names every dim at every level, R and S whole, strided tiles by their inputs; the machine is in its terms."""
    chip = hardware_of(tmp_path, SIXTEEN)
    written = json_of(capsys, "export", str(NETWORK), "--to", "maestro", "--hardware", chip, "--out", str(tmp_path / "out"))
    names = ["maestro_network_maestro.m", "maestro_network_maestro_hw.m"]
    assert written == {"written": [str(tmp_path / "out" / name) for name in names], "nearest": [], "left_out": []}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    golden("cli/export_maestro.m", (tmp_path / "out" / names[0]).read_text())
    keys = dict(line.split(": ") for line in (tmp_path / "out" / names[1]).read_text().splitlines())
    assert (keys["num_pes"], keys["l1_size_cstr"], keys["NoC_NumHops"]) == ("16", "512", "1")


def test_an_exported_file_is_the_same_network(tmp_path: Path, capsys: Capture) -> None:
    """MAESTRO counts all MACs of each layer, and the exact model finds the same figures as in the original."""
    chip = hardware_of(tmp_path, SIXTEEN)
    assert main(["export", str(NETWORK), "--to", "maestro", "--hardware", chip, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(f"written: {tmp_path / 'maestro_network_maestro.m'}\n")
    exported = str(tmp_path / "maestro_network_maestro.m")
    for cost in json_of(capsys, "evaluate", exported, "--hardware", chip, "--model", "maestro"):
        assert cost["macs"] == cost["layer_macs"]
    costs = [json_of(capsys, "evaluate", file, "--hardware", chip) for file in (exported, str(NETWORK))]
    assert costs[0] == costs[1]


@pytest.mark.parametrize(
    ("old", "new", "layer", "message"),
    [
        (
            "TemporalMap(2,2) C",
            "TemporalMap(1,1) R",
            "conv1",
            ":2: layer conv1, level 0: MAESTRO takes R only whole",
        ),
        (
            "Cluster(4, P)",
            "Cluster(3, P)",
            "conv1",
            ":2: layer conv1: MAESTRO needs Clusters whose product divides",
        ),
        (
            "TemporalMap(1,1) Y'",
            "TemporalMap(2,2) Y'",
            "depthwise",
            ":14: layer depthwise: MAESTRO would count 1,728 MACs of its 1,152; it counts strides wrong",
        ),
        (
            "Stride { Y: 2, X: 2 }",
            "Dilation { Y: 2, X: 2 }",
            "depthwise",
            ":14: layer depthwise: MAESTRO has no dilation",
        ),
    ],
    ids=["R tiled", "Clusters", "strides", "dilation"],
)
def test_what_maestro_would_not_count_is_left_out(
    old: str, new: str, layer: str, message: str, tmp_path: Path, capsys: Capture
) -> None:
    """The other layers are written; the reason has the file and the layer's line, and the exit code is 1."""
    path = file_of(tmp_path, NETWORK.read_text().replace(old, new, 1))
    command = ["export", path, "--to", "maestro", "--hardware", hardware_of(tmp_path, SIXTEEN), "--out", str(tmp_path / "out")]
    assert main([*command, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    [left_out] = found["left_out"]
    assert left_out["name"] == layer
    assert left_out["reason"].startswith(path + message)
    assert [mapped.name for mapped in read_written(Path(found["written"][0]).read_text(), "out")] == [
        each for each in ("conv1", "depthwise", "product") if each != layer
    ]
    assert main(command) == 1
    assert "\nleft out: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GEMM.replace("GEMM", "FOO"), ":3:7: layer product: "),
        (STRIDED, ":2: layer strided: MAESTRO would count 2,592 MACs of its 1,152; it counts strides wrong"),
        (
            STRIDED.replace("\n}\n}\n}", "}}") + STRIDED.split("\n", 1)[1].replace("Layer strided", "Layer two"),
            ":2: layer strided: MAESTRO would count 2,592 MACs of its 1,152; it counts strides wrong; nor can maestro",
        ),
    ],
    ids=["no such type", "one layer", "two layers"],
)
def test_where_nothing_can_be_exported(text: str, message: str, tmp_path: Path, capsys: Capture) -> None:
    """The line has the file, the line and the reason, and nothing is written, no folder either."""
    path, out = file_of(tmp_path, text), tmp_path / "out"
    found = error_of(capsys, "export", path, "--to", "maestro", "--hardware", hardware_of(tmp_path), "--out", str(out))
    assert found.startswith(path + message)
    assert not out.exists()


def test_a_machine_too_wide_is_not_exported(tmp_path: Path, capsys: Capture) -> None:
    """Widths over an int are one line, and nothing is written."""
    wide, out = hardware_of(tmp_path, "pes: 4\nnoc: {bytes_per_cycle: 2147483648}\n"), tmp_path / "out"
    reason = "hardware chip: MAESTRO's noc_bw_cstr must be at most 2147483647, got 2147483648"
    path = file_of(tmp_path, GEMM)
    assert error_of(capsys, "export", path, "--to", "maestro", "--hardware", wide, "--out", str(out)) == reason
    assert not out.exists()


def test_a_machine_with_other_keys_is_refused_by_each_command(tmp_path: Path, capsys: Capture) -> None:
    """A machine with wires for single tensors is one line wherever MAESTRO would take it, whatever the mapping."""
    chip, out, path = hardware_of(tmp_path, "noc: {weight: 8, input: 2, output: 8}\n"), tmp_path / "out", file_of(tmp_path, GEMM)
    for command in (
        ("export", path, "--to", "maestro", "--out", str(out)),
        ("evaluate", path, "--model", "maestro"),
        ("compare-models", path),
        ("run", "--layer-set", "alexnet:conv3", "--model", "maestro", "--out", str(out), "--jobs", "1"),
    ):
        found = error_of(capsys, *command, "--hardware", chip)
        assert found.removeprefix(f"{path}:2: ").startswith(
            "hardware chip: MAESTRO has nothing like its wires for single tensors; use"
        )
        assert not out.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: Capture) -> None:
    """A folder in place of which, or above which, a file stands is one line, with the option that names another."""
    path = file_of(tmp_path, GEMM)
    for out, reason in ((path, "File exists"), (f"{path}/out", "Not a directory")):
        found = error_of(capsys, "export", path, "--to", "maestro", "--out", out)
        assert found == f"{out}: the folder must be writable: {reason}; name another by --out"


def test_an_empty_folder_name_is_no_folder(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out ""` is an error that says so, instead of writing to the working directory."""
    monkeypatch.chdir(tmp_path)
    assert error_of(capsys, "export", str(NETWORK), "--to", "maestro", "--out", "") == (
        "argument --out: must name a folder, got ''; see mapsearch export --help"
    )
    assert not list(tmp_path.iterdir())
