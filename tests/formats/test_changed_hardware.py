"""Single keys after a machine's name or file: `edge,pes=64,l1.bytes=256`; and a machine as a YAML file to start from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mapsearch.cli import main
from mapsearch.formats.shipped import read_named
from mapsearch.formats.yaml.hardware import hardware_to_dict, load_hardware, load_hardware_space, names, space_names
from mapsearch.model.errors import HardwareError
from mapsearch.model.hardware import Array, Buffer, Buffering, Noc, Part, Residency, Run
from mapsearch.model.tensors import Dim
from mapsearch.spaces.machines.space import KINDS

Capture = pytest.CaptureFixture[str]


def test_keys_of_a_preset() -> None:
    """The machine is the preset but for the keys, and its name contains them."""
    edge = load_hardware("edge")
    found = load_hardware("edge,pes=64,l1.bytes=256")
    assert found == replace(edge, name="edge,pes=64,l1.bytes=256", pes=64, l1=Buffer(256))
    assert load_hardware("edge, noc.multicast=false").noc == Noc(32, 1, multicast=False)
    assert load_hardware("edge,bits.output=32").bits == (8, 8, 32)
    assert load_hardware("edge,name=mine,technology=cacti_22nm").technology.name == "cacti_22nm"
    assert load_hardware("edge,name=mine,pes=3").name == "mine"


PARTED = """
name: edge
array: {rows: 16, columns: 8, run: {dim: X', longest: 16, least: 4}}
l1:
  buffering: stream
  weight: {bytes: 64, buffering: single}
  input: {bytes: 32, buffering: single}
  output: {bytes: 48, buffering: double}
l2:
  buffering: single
  tile_cycles: 250
  weight: {bytes: 64, buffering: stream}
  input: {bytes: 32, buffering: stream}
  output: {bytes: 8, buffering: single}
noc: {weight: 8, input: 2.5, output: 8}
"""


@pytest.mark.parametrize("key", KINDS)
def test_every_key_may_be_given(key: str, tmp_path: Path) -> None:
    """Each figure of a machine can be changed by its dotted name to the value that it has."""
    file = tmp_path / "edge.yaml"
    for text in (read_named("hardware", "edge", Path())[0], PARTED):
        file.write_text(text)
        value: Any = yaml.safe_load(text)
        for name in key.split("."):
            value = value.get(name, {})
        if value != {}:
            break
    found = load_hardware(f"{file},{key}={json.dumps(value)}")
    assert replace(found, name="edge") == load_hardware(file)


def test_a_given_key_takes_the_place_of_others() -> None:
    """Own wires replace shared ones and shared ones own, buffering its short form, and rows and columns the number of PEs."""
    edge = load_hardware("edge,name=x")
    own = load_hardware("edge,name=x,noc.weight=8,noc.input=2.5,noc.output=8")
    assert own == replace(edge, noc=Noc(18.5, wires=(8, 2.5, 8)))
    assert load_hardware({**hardware_to_dict(own), "noc": {"bytes_per_cycle": 32}}) == edge
    assert load_hardware("edge,name=x,l1.buffering=stream").l1 == Buffer(512, Buffering.STREAM)
    assert load_hardware("edge,name=x,l1.weight.bytes=64").l1 == Buffer(512, parts=(Part(64), None, None))
    array = load_hardware("edge,name=x,array.rows=4,array.columns=8,array.run.dim=X',array.run.longest=4,array.run.least=2")
    assert array == replace(edge, pes=32, array=Array(4, 8), run=Run(Dim.X, 4, 2))
    assert load_hardware("edge,l2.tensors=[input],l2.residency=none").l2 == Buffer(
        131072, bypass=(True, False, True), residency=Residency.NONE
    )


def test_keys_of_files(tmp_path: Path) -> None:
    """A YAML file that leaves keys out, and one of MAESTRO's, take keys too; so does a path with commas."""
    (tmp_path / "a,b.yaml").write_text("pes: 8\ntechnology: tech.yaml\n")
    (tmp_path / "tech.yaml").write_text(read_named("technology", "cacti_22nm", Path())[0])
    (tmp_path / "hw.m").write_text("num_pes: 8\n")
    (tmp_path / "x,pes=1.yaml").write_text("pes: 5\n")
    found = load_hardware(f"{tmp_path}/a,b.yaml,l2.bytes=4096")
    assert (found.name, found.pes, found.l2.bytes, found.technology.name) == ("a,b,l2.bytes=4096", 8, 4096, "cacti_22nm")
    assert load_hardware(f"{tmp_path}/hw.m,l1.bytes=77").l1 == Buffer(77)
    assert load_hardware(f"{tmp_path}/x,pes=1.yaml").pes == 5


def test_keys_of_a_space() -> None:
    """A key of a space holds one axis fixed, opens another or sets a limit."""
    space = load_hardware_space("edge_space,pes=64,l1.bytes=[128, 256],budget.area_mm2=3")
    axes = {axis.key: axis.values for axis in space.axes}
    assert "pes" not in axes
    assert axes["l1.bytes"] == (128, 256)
    assert (space.base.pes, space.limits.area_mm2, space.limits.power_mw) == (64, 3.0, 500.0)
    ranged = load_hardware_space("edge,pes={low: 16, high: 64, factor: 2}")
    assert [axis.values for axis in ranged.axes] == [(16, 32, 64)]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("edge,pe=64", "hardware edge,pe=64: unknown key 'pe'; did you mean pes?; the keys are name, pes, simd, "),
        ("edge,l1.byte=64", "hardware edge,l1.byte=64: unknown key 'l1.byte'; did you mean l1.bytes?; the keys are "),
        ("edge,l1=64", "hardware edge,l1=64: unknown key 'l1'"),
        (
            "edge,leg=1",
            "hardware edge,leg=1: unknown key 'leg'; the keys are name, pes, simd, clock_mhz, technology, and those of bits, ",
        ),
        (
            "edge,l1.weights.bytes=64",
            "hardware edge,l1.weights.bytes=64: unknown key 'l1.weights.bytes'; did you mean l1.weight.bytes?",
        ),
        ("edge,l1.residency=none", "hardware edge,l1.residency=none: unknown key 'l1.residency'; did you mean l2.residency?"),
        ("edge,noc.weight=8", "hardware edge,noc.weight=8: noc.input, noc.output is missing: give the wires of each tensor, or "),
        ("edge,pes=1,pes=2", "hardware edge,pes=1,pes=2: a key must stand once; remove one"),
        ("edge,pes=many", "hardware edge,pes=many: pes must be a whole number, got 'many'"),
        ("edge,pes=", "hardware edge,pes=: pes must be a whole number, got None"),
        ("edge,pes=0", "hardware edge,pes=0: pes must be from 1 to 1048576, got 0"),
        ("edge,l2.tile_cycles=-1", "hardware edge,l2.tile_cycles=-1: l2.tile_cycles must be from 0 to 1073741824, got -1"),
        ("edge,l1.tile_cycles=1", "hardware edge,l1.tile_cycles=1: unknown key 'l1.tile_cycles'; did you mean l2.tile_cycles?"),
        ("edge,budget.dsp=3", "hardware edge,budget.dsp=3: budget.dsp and budget.bram_18k are limits of an FPGA; add fpga, or"),
        ("edge,pes=[", "hardware edge,pes=[: must be YAML: line "),
        ("edgy,pes=64", "no hardware is called 'edgy'; did you mean edge?; there are "),
        ("edge,pes", "no hardware is called 'edge,pes'; did you mean edge?; there are "),
        (f"edge,pes=1{'0' * 200}", "hardware edge,'pes=1000"),
    ],
)
def test_what_is_wrong_is_named(source: str, message: str) -> None:
    """One line says which key is wrong, and what would be right."""
    with pytest.raises(HardwareError) as caught:
        load_hardware(source)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_run_records_the_machine_that_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The folder is called by the keys, and holds the resulting machine; the run goes on from it."""
    monkeypatch.chdir(tmp_path)
    asked = "edge,pes=64,l1.bytes=256"
    options = ["--sampler", "random", "--evaluations", "20", "--jobs", "1"]
    assert main(["run", "--layer-set", "ncf", "--hardware", asked, *options]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert "edge_pes_64_l1.bytes_256" in folder.name
    recorded = json.loads((folder / "config.json").read_text())["hardware"]
    assert (recorded["name"], recorded["pes"], recorded["l1"]["bytes"]) == (asked, 64, 256)
    assert load_hardware(folder / "hardware.yaml") == load_hardware(asked)
    assert main(["run", "--out", str(folder), "--resume", "--hardware", asked]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("name", [*names(), *space_names()])
def test_a_preset_as_yaml(name: str, tmp_path: Path, capsys: Capture) -> None:
    """A preset is printed as its file stands, comments and source with it, and reads back as the same."""
    assert main(["hardware", name, "--yaml"]) == 0
    file = tmp_path / "mine.yaml"
    file.write_text(capsys.readouterr().out)
    assert file.read_text() == read_named("hardware", name, Path())[0]
    assert load_hardware_space(file) == load_hardware_space(name)


def test_other_machines_as_yaml(tmp_path: Path, capsys: Capture) -> None:
    """A changed preset, a file that leaves keys out and one of MAESTRO's are printed with all keys, wherever they are read."""
    (tmp_path / "part.yaml").write_text("pes: [8, 16]\ntechnology: tech.yaml\n")
    (tmp_path / "tech.yaml").write_text(read_named("technology", "cacti_22nm", Path())[0])
    (tmp_path / "hw.m").write_text("num_pes: 8\n")
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "mine.yaml"
    for source in ("edge,pes=64", "edge_space,pes=[4, 8]", f"{tmp_path}/part.yaml", f"{tmp_path}/hw.m"):
        assert main(["hardware", source, "--yaml"]) == 0
        file.write_text(capsys.readouterr().out)
        assert load_hardware_space(file) == load_hardware_space(source)
        assert ("source" in yaml.safe_load(file.read_text())) == source.startswith("edge")


@pytest.mark.parametrize("command", [["hardware", "--yaml"], ["layers", "--yaml"]])
def test_all_are_no_file(command: list[str], capsys: Capture) -> None:
    """Without a name there is no file to print."""
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--yaml" in error
