"""The command line: help, listings, one-line errors, exit codes, and that what is not needed is not loaded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from printed_tables import table_rows

import mapsearch
from mapsearch.cli import COMMANDS, main
from mapsearch.formats.yaml import hardware as hardware_files
from mapsearch.formats.yaml import layer_sets
from mapsearch.formats.yaml.dataflows import load_held
from mapsearch.model.area import area_by_part, leakage_by_part
from mapsearch.model.tensors import Dim, Tensor
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space

Capture = pytest.CaptureFixture[str]
Golden = Callable[[str, str], None]
HEAVY = ("numpy", "numba", "optuna", "yaml", "pydantic", "rich", "joblib")
FULL = Path("/dev/full")


def _output(capsys: Capture, *argv: str) -> str:
    """What a command prints, which must end well and leave standard error empty."""
    assert main(argv) == 0
    captured = capsys.readouterr()
    assert not captured.err
    return captured.out


def _json(capsys: Capture, *argv: str) -> Any:  # noqa: ANN401 whatever the command prints
    return json.loads(_output(capsys, *argv, "--json"))


def _error(capsys: Capture, *argv: str) -> str:
    """The one line on standard error of a command that fails as a user's error does and prints nothing else."""
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.startswith("mapsearch: error: ")
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("mapsearch: error: ").rstrip("\n")


def _process(code: Sequence[str], stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python process that does not get this one's unbuffered output, where failing writes show at once."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(  # noqa: S603 our own command
        [sys.executable, *code], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env={**inherited, **environment}
    )


# Help, version, and what gets loaded.


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys: Capture, command: str) -> None:
    """`mapsearch COMMAND --help` exits with 0, and the general help lists the command."""
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: mapsearch {command} ")
    assert "--json" in text
    with pytest.raises(SystemExit):
        main(["--help"])
    assert re.search(rf"\n    {command}\s", capsys.readouterr().out)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(capsys: Capture, option: str) -> None:
    """The command and the package tell the same version."""
    with pytest.raises(SystemExit) as caught:
        main([option])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"mapsearch {mapsearch.__version__}\n"


def test_import_is_light() -> None:
    """`import mapsearch` and every --help load none of the heavy packages, so that they answer at once."""
    code = f"""
import sys
from contextlib import suppress
import mapsearch
from mapsearch.cli import COMMANDS, main
for command in ("", *COMMANDS):
    with suppress(SystemExit):
        main([*filter(None, [command]), "--help"])
print([name for name in {HEAVY} if name in sys.modules])
"""
    assert _process(["-c", code]).stdout.splitlines()[-1] == "[]"


def test_package_offers_what_it_says() -> None:
    """Every name of `__all__` is there and listed, and any other is an AttributeError."""
    assert all(getattr(mapsearch, name) for name in mapsearch.__all__)
    assert set(mapsearch.__all__) <= set(dir(mapsearch))
    other = "evaluat"
    with pytest.raises(AttributeError, match="module 'mapsearch' has no attribute 'evaluat'"):
        getattr(mapsearch, other)


def test_runs_as_a_module() -> None:
    """`python -m mapsearch` is the command."""
    done = _process(["-m", "mapsearch", "--version"])
    assert (done.returncode, done.stdout) == (0, f"mapsearch {mapsearch.__version__}\n")


# Errors.


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ("", "the following arguments are required: COMMAND; see mapsearch --help"),
        ("layer", f"no command is called 'layer'; did you mean layers?; there are {', '.join(COMMANDS)}; see mapsearch --help"),
        ("a" * 3000, f"no command is called '{'a' * 27}...{'a' * 28}'; there are {', '.join(COMMANDS)}; see mapsearch --help"),
        ("--jsn", "the following arguments are required: COMMAND; see mapsearch --help"),
        ("layers --jsn", "unknown option --jsn; did you mean --json?; see mapsearch layers --help"),
        ("layers --jso", "unknown option --jso; did you mean --json?; see mapsearch layers --help"),
        ("layers -x", "unknown option -x; see mapsearch layers --help"),
        ("layers ncf edge", "unexpected argument 'edge'; see mapsearch layers --help"),
        ("layers --json=yes", "argument --json: ignored explicit argument 'yes'; see mapsearch layers --help"),
        ("layers resnet5", "no layer set is called 'resnet5'; did you mean resnet50?; there are "),
        ("layers zzz", "no layer set is called 'zzz'; there are alexnet, "),
        ("layers none.yaml", "none.yaml: the layer set file must be readable: No such file or directory; shipped are "),
        ("hardware edeg", "no hardware is called 'edeg'; did you mean edge?; there are "),
        ("hardware none.yaml", "none.yaml: the hardware file must be readable: No such file or directory; shipped are "),
        ("space", "the following arguments are required: SET|FILE; see mapsearch space --help"),
        ("space ncf --levels 4", "levels must be from 1 to 3, got 4"),
        ("space ncf --levels 0", "levels must be from 1 to 3, got 0"),
        ("space ncf --levels two", "argument --levels: invalid int value: 'two'; see mapsearch space --help"),
        ("space ncf --levels", "argument --levels: expected one argument; see mapsearch space --help"),
        (
            "space ncf --tiles divisor",
            "argument --tiles: must be one of balanced, divisors, all, got 'divisor'; did you mean divisors?",
        ),
        ("space ncf --dataflow kcp", "no dataflow is called 'kcp'; did you mean kcp_ws?"),
        ("space ncf --levels 2 --dataflow kcp_ws", "argument --dataflow: not allowed with argument --levels"),
        ("space ncf --hardware edg", "no hardware is called 'edg'; did you mean edge?"),
    ],
)
def test_errors_are_one_line(capsys: Capture, argv: str, text: str) -> None:
    """A wrong command line is one line that names the wrong word and what would be right, and exit code 2."""
    assert _error(capsys, *argv.split()).startswith(text)


def test_errors_show_no_control_characters(capsys: Capture) -> None:
    """Line ends and escape sequences of an argument don't reach the terminal."""
    assert "\x1b" not in _error(capsys, "layers", "a\n\x1b[31mb")
    assert "\\x1b" in _error(capsys, "layers", "--\x1b[31m")


def test_no_space_for_any_mapping(capsys: Capture, tmp_path: Path) -> None:
    """A machine whose L1 holds no word is an error of the space, not a size."""
    machine = tmp_path / "tiny.yaml"
    machine.write_text("l1: {bytes: 1}\n", "utf-8")
    assert "no mapping fits" in _error(capsys, "space", "ncf", "--hardware", str(machine))


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["hardware"], ["layers", "ncf", "--json"]])
def test_full_disk(argv: list[str], environment: dict[str, str]) -> None:
    """Output that cannot be written is one line and exit code 2, whether it fails at once or at the end."""
    with FULL.open("w") as full:
        done = _process(["-m", "mapsearch", *argv], full.fileno(), **environment)
    assert (done.returncode, done.stderr) == (2, "mapsearch: error: output: No space left on device\n")


@pytest.mark.parametrize("argv", [["--help"], ["hardware"], ["layers", "ncf", "--json"]])
def test_broken_pipe(argv: list[str]) -> None:
    """A reader that goes away ends the command without a word."""
    reader, writer = os.pipe()
    os.close(reader)
    done = _process(["-m", "mapsearch", *argv], writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_closed_output() -> None:
    """A closed standard output is one line and exit code 2."""
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'mapsearch', 'hardware'])"
    done = _process(["-c", code])
    assert (done.returncode, done.stderr) == (2, "mapsearch: error: standard output is closed\n")


def test_terminal_without_the_characters(tmp_path: Path) -> None:
    """Characters that the output's encoding lacks have plain ones in their place, of the same width; others are escaped."""
    done = _process(["-m", "mapsearch", "hardware"], PYTHONIOENCODING="ascii")
    whole = _process(["-m", "mapsearch", "hardware"], PYTHONIOENCODING="utf-8")
    assert (done.returncode, whole.returncode) == (0, 0)
    assert done.stdout == whole.stdout.replace("²", "2").replace("─", "-")
    path = tmp_path / "ü.yaml"
    path.write_text("pes: 4\n", "utf-8")
    assert "\\xfc" in _process(["-m", "mapsearch", "hardware", str(path)], PYTHONIOENCODING="ascii").stdout


# Listings.


def test_layer_sets_are_listed(capsys: Capture) -> None:
    """Every shipped set is listed, as a table and as JSON, with its figures."""
    listed = _json(capsys, "layers")
    assert [each["name"] for each in listed] == list(layer_sets.names())
    resnet = next(each for each in listed if each["name"] == "resnet50")
    assert (resnet["layers"], resnet["parameters"]) == (54, 25_557_032)  # 53 convolutions and a classifier; torchvision
    lines = _output(capsys, "layers").splitlines()  # of some, the title goes on below
    assert [line.split()[0] for line in lines[3:-1] if not line.startswith(" ")] == list(layer_sets.names())


def test_layers_of_a_set(capsys: Capture, golden: Golden) -> None:
    """The table of a set shows every layer, also those without MACs, the totals and what they are published as."""
    golden("cli/layers_alexnet.txt", _output(capsys, "layers", "alexnet"))


@pytest.mark.parametrize("name", layer_sets.names())
def test_layers_as_json(capsys: Capture, name: str) -> None:
    """The JSON of a set has its layers' figures, which add up to its totals."""
    data, layers = _json(capsys, "layers", name), layer_sets.load_layer_set(name)
    assert sum(entry["macs"] * entry["count"] for entry in data["entries"]) == data["macs"] == layers.macs
    assert sum(entry["count"] for entry in data["entries"]) == data["layers"]
    weights = sum(entry["words"]["weight"] * entry["weight_sets"] for entry in data["entries"])
    assert weights + sum(data["other_parameters"].values()) == data["parameters"] == layers.parameters
    assert [unmapped["name"] for unmapped in data["unmapped"]] == [unmapped.name for unmapped in layers.unmapped]
    first = layers.entries[0].layer
    assert data["entries"][0]["dims"] == {dim.label: first.extents[dim] for dim in Dim}
    assert data["entries"][0]["words"] == {tensor.label: first.words(tensor) for tensor in Tensor}


def test_layers_of_a_batch(capsys: Capture) -> None:
    """Layers and spaces are those of so many inputs."""
    one, three = _json(capsys, "layers", "ncf"), _json(capsys, "layers", "ncf", "--batch", "3")
    assert (three["macs"], three["parameters"]) == (3 * one["macs"], one["parameters"])
    assert three["entries"][0]["dims"]["N"] == 3 * one["entries"][0]["dims"]["N"]
    sizes = [_json(capsys, "space", "ncf", "--batch", batch)[0]["mappings"] for batch in ("1", "3")]
    assert sizes[0] < sizes[1]
    assert _error(capsys, "layers", "--batch", "3").endswith("--batch needs one layer set; name it")
    assert _error(capsys, "layers", "ncf", "--yaml", "--batch", "3").endswith("--yaml prints the file as it is; leave --batch out")


def test_layers_of_a_file(capsys: Capture, tmp_path: Path) -> None:
    """A file without published figures, with a layer of ones and unequal strides, is listed too."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: Mine\nsource: me\nlayers:\n"
        "- {name: one, type: FC, K: 1, C: 1}\n"
        "- {name: wide, type: CONV, K: 2, C: 1, R: 1, S: 1, Y: 4, X: 4, stride: [1, 2]}\n",
        "utf-8",
    )
    text = _output(capsys, "layers", str(path))
    assert "1x2" in text
    assert "total: 17 MACs, 3 parameters\n" in text
    assert "published" not in text


def test_hardware_is_listed(capsys: Capture, golden: Golden) -> None:
    """Every preset is listed with its figures, spaces apart."""
    text = _output(capsys, "hardware")
    machines, spaces = text.split("\nSpaces\n")
    assert [row[0] for place in (0, 1) for row in table_rows(machines + "\n\n", place)] == hardware_files.names()
    assert [row[0] for row in table_rows(spaces) if len(row) > 1] == hardware_files.space_names()
    golden("cli/hardware.txt", text)


def test_one_machine(capsys: Capture, golden: Golden) -> None:
    """A machine shows its figures, what an access costs, and its area and leakage by parts with their sources."""
    golden("cli/hardware_eyeriss.txt", _output(capsys, "hardware", "eyeriss"))


def test_one_fpga(capsys: Capture, golden: Golden) -> None:
    """An FPGA shows what a MAC and a block RAM are, and its DSPs and block RAMs by parts in place of area."""
    golden("cli/hardware_vc707.txt", _output(capsys, "hardware", "vc707"))


@pytest.mark.parametrize("name", hardware_files.names())
def test_hardware_as_json(capsys: Capture, name: str) -> None:
    """The JSON of a machine loads as that machine, and is the one in the list."""
    data = _json(capsys, "hardware", name)
    assert hardware_files.load_hardware(data["hardware"]) == hardware_files.load_hardware(name)
    sources = data.pop("sources")
    parts = {
        "area_mm2": "area_by_part_mm2",
        "dsp": "dsp_by_part",
        "bram_18k": "bram_18k_by_part",
        "leakage_mw": "leakage_by_part_mw",
    }
    told = {figure: by_part for figure, by_part in parts.items() if figure in data}
    assert set(sources) == told.keys() - {"dsp", "bram_18k"}
    assert set(told) in ({"area_mm2", "leakage_mw"}, {"dsp", "bram_18k", "leakage_mw"})
    assert all(set(by_part) == set(data[parts[figure]]) for figure, by_part in sources.items())
    for figure, by_part in told.items():
        assert data[figure] == pytest.approx(sum(data[by_part].values()))
    assert data in _json(capsys, "hardware")["machines"]


def test_one_space(capsys: Capture, golden: Golden) -> None:
    """A space shows its axes, its limits, and what its smallest and its largest machine take."""
    golden("cli/hardware_edge_space.txt", _output(capsys, "hardware", "edge_space"))


@pytest.mark.parametrize("name", hardware_files.space_names())
def test_space_as_json(capsys: Capture, name: str) -> None:
    """The JSON of a space loads as that space, and is the one in the list; its ends are those of its axes."""
    data, space = _json(capsys, "hardware", name), hardware_files.load_hardware_space(name)
    assert hardware_files.load_hardware_space(data["hardware"]) == space
    assert data["machines"] == space.size
    assert data["smallest"]["area_mm2"] == area_by_part(space.base).total
    assert data["largest"]["leakage_by_part_mw"]["l2"] == leakage_by_part(space.largest).l2
    del data["sources"]
    assert data in _json(capsys, "hardware")["spaces"]


def test_a_space_of_a_file(capsys: Capture, tmp_path: Path) -> None:
    """A file with long axes, flags and one kind of each limit is shown in short; commands that take one machine refuse it."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "pes: {low: 1, high: 1000, step: 1}\nclock_mhz: [500.5, 1000]\nl1: {double_buffered: [true, false]}\n"
        "budget: {bandwidth: 16 GB/s, peak_gops: 1000}\n",
        "utf-8",
    )
    text = _output(capsys, "hardware", str(path))
    assert "mine: 4,000 machines, limits: off-chip 16 GB/s, peak 1000 GOPS; technology cacti_45nm\n" in text
    axes = [line.split() for line in text.splitlines()[5:8]]
    assert axes[0] == ["pes", "1,000", "1", "2", "3", "...", "1,000"]
    assert axes[1:] == [["clock_mhz", "2", "500.5", "1,000.0"], ["l1.double_buffered", "2", "false", "true"]]
    assert main(["space", "ncf", "--hardware", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"mapsearch: error: {path}: must be one machine here, but is a space of them by its pes, clock_mhz, l1.double_buffered, "
        "budget; give single values and no budget, or use a command that takes spaces: mapsearch hardware, mapsearch run, "
        "mapsearch sweep\n"
    )


def test_energies_of_eyeriss(capsys: Capture) -> None:
    """A MAC and an L1 access are 1, an L2 access 6 (normalised energies of Chen et al., ISCA 2016, table 4)."""
    energy = _json(capsys, "hardware", "eyeriss")["energy"]
    assert energy["mac_pj"] == energy["l1"]["weight"]["read_pj"] == energy["l1"]["output"]["write_pj"] == 1.0
    assert energy["l2"]["input"]["read_pj"] == pytest.approx(6.0)


def test_space_table(capsys: Capture, golden: Golden) -> None:
    """The space of each different layer has a row."""
    golden("cli/space_ncf.txt", _output(capsys, "space", "ncf"))


@pytest.mark.parametrize(
    ("options", "levels", "tiles", "dataflow"),
    [
        ([], 2, TileRule.BALANCED, None),
        (["--levels", "1"], 1, TileRule.BALANCED, None),
        (["--tiles", "divisors"], 2, TileRule.DIVISORS, None),
        (["--tiles", "all", "--levels", "1"], 1, TileRule.ALL, None),
        (["--dataflow", "kcp_ws"], 2, TileRule.BALANCED, "kcp_ws"),
    ],
)
def test_space_sizes(capsys: Capture, options: list[str], levels: int, tiles: TileRule, dataflow: str | None) -> None:
    """The sizes are those of the Space with the same choices, one a different layer."""
    hardware = hardware_files.load_hardware("shidiannao")
    held, levels = load_held(dataflow, None, levels)
    expected = [Space(unique.layer, hardware, levels, tiles, held).size() for unique in layer_sets.load_layer_set("ncf").unique]
    sizes = _json(capsys, "space", "ncf", "--hardware", "shidiannao", *options)
    assert [size["mappings"] for size in sizes] == expected
    assert [size["layer"] for size in sizes] == ["mlp1", "mlp2", "mlp3", "predict"]
