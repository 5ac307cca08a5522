"""Hardware and technology files: what loads, what is refused and how, and that nothing is lost on the way out and in."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from mapsearch.formats.yaml.hardware import hardware_to_dict, load_hardware, names, technology_sources, yaml_text
from mapsearch.model.area import area_by_part, leakage_by_part
from mapsearch.model.errors import HardwareError
from mapsearch.model.hardware import Array, Buffer, Buffering, Noc, Offchip, Part, Residency, Run
from mapsearch.model.sparsity import UNCODED, Coding, Format, Sparse
from mapsearch.model.tensors import Dim, Tensor

RLE = Format(Coding.RLE, 5)

DATA = files("mapsearch.formats") / "data"
TECHNOLOGIES = ("cacti_22nm", "cacti_45nm", "eyeriss_65nm", "maestro_28nm")


def _file(folder: Path, text: str, name: str = "chip.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _shipped(kind: str, name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((DATA / kind / f"{name}.yaml").read_text(encoding="utf-8"))
    return data


def _technology(**changes: object) -> dict[str, Any]:
    return {**_shipped("technology", "cacti_45nm"), **changes}


def _refusal(source: str | Path | dict[str, Any]) -> str:
    """The text of the error, which must be a HardwareError of one line."""
    with pytest.raises(HardwareError) as caught:
        load_hardware(source)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_presets_are_listed() -> None:
    """The presets' names come sorted."""
    assert " ".join(names()) == "cloud edge eyeriss gemmini nvdla_large shidiannao simba_chiplet tpu_v1 vc707 zc706"


@pytest.mark.parametrize("name", names())
def test_preset_is_complete_and_sourced(name: str) -> None:
    """A preset states every key itself, names its source, and its L1 has room for a word of each tensor with its copies."""
    data = _shipped("hardware", name)
    assert set(data) - {"array", "fpga", "sparse"} == {*_shipped("hardware", "edge")}
    assert data["source"]
    hardware = load_hardware(name)
    assert hardware.name == name
    for tensor in Tensor:
        room = hardware.l1.room(tensor)
        assert 8 * room.bytes >= hardware.bits[tensor] * room.buffering.copies


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_every_figure_of_a_technology_has_a_source(name: str) -> None:
    """Each value and each law of a shipped technology says where it comes from."""
    data = _shipped("technology", name)
    figures = [data[key] for key in ("mac_pj", "mac_area_mm2", "mac_leakage_mw", "noc_pj_per_bit", "offchip_pj_per_bit")]
    laws = [data[level][law] for level in ("l1", "l2") for law in ("read_pj", "write_pj", "area_mm2", "leakage_mw")]
    laws += [data[part][law] for part in ("noc_bus", "noc_arbiter") for law in ("area_mm2", "leakage_mw")]
    assert all(len(figure["source"]) > 20 for figure in figures + laws)


def test_eyeriss_has_its_papers_figures() -> None:
    """The preset has the figures of Chen et al., JSSC 2017, and the normalised energies of Chen et al., ISCA 2016."""
    hardware = load_hardware("eyeriss")
    assert (hardware.pes, sum(hardware.l1.sizes), sum(hardware.l2.sizes)) == (168, 2 * (224 + 12 + 24), 108 * 1024)
    assert (hardware.noc.wires, hardware.offchip.bytes_per_cycle) == ((8, 2, 8), 2.4)
    assert (hardware.bits, hardware.clock_mhz) == ((16, 16, 16), 200.0)
    technology = hardware.technology
    assert technology.mac_pj == technology.l1.read_pj.at(512) == technology.l1.write_pj.at(512) == 1.0
    assert 16 * technology.noc_pj_per_bit == 2.0
    assert technology.l2.read_pj.at(110592) == technology.l2.write_pj.at(110592) == 6.0
    assert 16 * technology.offchip_pj_per_bit == 200.0


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("how", ["dict", "json", "yaml"])
def test_plain_data_gives_back_the_same_hardware(name: str, how: str) -> None:
    """Hardware survives its way through plain data, JSON and YAML exactly."""
    hardware = load_hardware(name)
    data = hardware_to_dict(hardware)
    if how == "json":
        data = json.loads(json.dumps(data))
    if how == "yaml":
        data = yaml.safe_load(yaml.safe_dump(data))
    assert load_hardware(data) == hardware


def test_plain_data_keeps_odd_values() -> None:
    """Flags, compression and floats without a short decimal form come back as they were."""
    edge = load_hardware("edge")
    odd = replace(
        edge,
        name="odd",
        clock_mhz=1e3 / 3,
        l1=Buffer(96, Buffering.SINGLE),
        noc=Noc(8, 3, multicast=False, reduction=False),
        technology=replace(edge.technology, idle_mw=0.1),
        sparse=Sparse(gate=frozenset({Tensor.INPUT}), formats=(UNCODED, (RLE, Format(), RLE), UNCODED, (RLE, RLE, RLE))),
    )
    data = hardware_to_dict(odd)
    formats = {"noc": {"weight": "rle5", "output": "rle5"}, "offchip": dict.fromkeys(("weight", "input", "output"), "rle5")}
    assert data["sparse"] == {"gate": ["input"], "format": formats}
    assert data["technology"]["idle_mw"] == {"value": 0.1}
    assert load_hardware(yaml.safe_load(yaml.safe_dump(data))) == odd


def test_left_out_keys_are_edges() -> None:
    """A mapping that names only what differs is edge with these differences, also inside l1, l2, noc and offchip."""
    edge = load_hardware("edge")
    got = load_hardware({"pes": 64, "l1": {"bytes": 256}, "offchip": {"latency_cycles": 0}})
    assert got == replace(edge, name="custom", pes=64, l1=Buffer(256), offchip=Offchip(16, 0))


def test_file_takes_its_stem_as_name_and_a_technology_beside_it(tmp_path: Path) -> None:
    """A file without a name is called by its stem; a technology's path is relative to the file; paths may be text."""
    _file(tmp_path, yaml.safe_dump(_technology(name="mine", mac_bits=4)), "mine.yaml")
    path = _file(tmp_path, "pes: 16\ntechnology: mine.yaml\n")
    hardware = load_hardware(path)
    assert (hardware.name, hardware.pes, hardware.technology.name, hardware.technology.mac_bits) == ("chip", 16, "mine", 4)
    assert load_hardware(str(path)) == hardware


def test_inline_technology_needs_no_sources() -> None:
    """A technology may stand in the hardware, and sources are optional there."""
    inline = hardware_to_dict(load_hardware("edge"))["technology"]
    assert load_hardware({"name": "edge", "technology": inline}) == load_hardware("edge")


def test_a_technology_like_another(tmp_path: Path) -> None:
    """It has the other's keys but for those that it states, in the hardware and in a file, whose paths lead from its own folder."""
    edge = load_hardware("edge")
    idle = {"name": "mine", "idle_mw": {"value": 7.5, "source": "measured"}}
    mine = replace(edge, name="x", technology=replace(edge.technology, name="mine", idle_mw=7.5))
    assert load_hardware({"name": "x", "technology": {"like": "cacti_45nm", **idle}}) == mine
    assert technology_sources({"technology": {"like": "cacti_45nm", **idle}})["leakage_mw"]["idle"] == "measured"
    (tmp_path / "technologies").mkdir()
    _file(tmp_path, yaml.safe_dump(_technology()), "technologies/other.yaml")
    _file(tmp_path, yaml.safe_dump({"like": "other.yaml", **idle}), "technologies/mine.yaml")
    assert load_hardware(_file(tmp_path, "name: x\ntechnology: technologies/mine.yaml\n")) == mine
    path = _file(tmp_path, "name: x\ntechnology: {like: technologies/other.yaml, name: y}\n")
    assert load_hardware(yaml.safe_load(yaml_text(path))) == load_hardware(path)


def test_what_a_technology_does_not_know_is_not_counted() -> None:
    """A technology may say nothing of its network's parts and its MACs' leakage: they are 0, and leakage is no activity."""
    inline = hardware_to_dict(load_hardware({"technology": "maestro_28nm"}))["technology"]
    for key in ("mac_leakage_mw", "noc_bus", "noc_arbiter", "leakage_includes_activity"):
        del inline[key]
    hardware = load_hardware({"technology": inline})
    assert not hardware.technology.leakage_includes_activity
    area, leakage = area_by_part(hardware), leakage_by_part(hardware)
    assert (area.noc_bus, area.noc_arbiter, leakage.pes, leakage.noc_bus, leakage.noc_arbiter) == (0.0,) * 5
    assert area.total == area.pes + area.l1 + area.l2


def test_maestro_file(tmp_path: Path) -> None:
    """MAESTRO's keys load as one-byte elements, hops as latency, and no off-chip latency; the rest is edge's."""
    text = "num_pes: 256 // PEs\nl1_size_cstr: 100\nl2_size_cstr: 3000\nnoc_bw_cstr: 1000\noffchip_bw_cstr: 50\nNoC_NumHops: 2\n"
    assert load_hardware(_file(tmp_path, text, "accelerator.m")) == replace(
        load_hardware("edge"),
        name="accelerator",
        pes=256,
        bits=(8, 8, 8),
        l1=Buffer(100),
        l2=Buffer(3000),
        noc=Noc(1000, 2),
        offchip=Offchip(50, 0),
    )


def test_maestro_file_without_constraints_is_unlimited(tmp_path: Path) -> None:
    """What a MAESTRO file leaves out has MAESTRO's defaults: one PE, one hop, INT_MAX elsewhere."""
    hardware = load_hardware(_file(tmp_path, "noc_bw_cstr: 8\n", "a.m"))
    assert (hardware.pes, hardware.noc) == (1, Noc(8, 1))
    assert (hardware.l1.bytes, hardware.l2.bytes, hardware.offchip.bytes_per_cycle) == (2**31 - 1,) * 3


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("num_pes: 4\nl1_size: 3\n", "unknown key 'l1_size'; did you mean l1_size_cstr?"),
        ("num_pes: 4\nnum_pes: 5\n", "num_pes must stand once"),
        ("num_pes: 0\n", "num_pes must be a whole number from 1 to 2147483647, got '0'"),
        ("num_pes: 2147483648\n", "got '2147483648'"),
        ("num_pes: -4\n", "got '-4'"),
        ("num_pes: 3.7\n", "got '3.7'"),
        ("num_pes:\n", "num_pes must be a whole number from 1 to 2147483647, got ''"),
    ],
)
def test_maestro_file_refusals(tmp_path: Path, text: str, part: str) -> None:
    """A wrong MAESTRO file is refused by its file, key and value."""
    message = _refusal(_file(tmp_path, text, "a.m"))
    assert message.startswith(f"{tmp_path / 'a.m'}: ")
    assert part in message


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"pe": 3}, "hardware: unknown key pe; did you mean pes?"),
        ({"frequency": 3}, "hardware: unknown key frequency; the keys are name, source, pes,"),
        ({"l1": {"byte": 3}}, "hardware: unknown key l1.byte; did you mean bytes?; the keys are bytes, double_buffered"),
        ({1: 2}, "hardware: 1 must be a text key"),
        ({"pes": 3.7}, "hardware: pes must be a whole number, got 3.7"),
        ({"pes": 4.0}, "hardware: pes must be a whole number, got 4.0"),
        ({"pes": True}, "hardware: pes must be a whole number, got True"),
        ({"pes": "256"}, "hardware: pes must be a whole number, got '256'"),
        ({"pes": None}, "hardware: pes must be a whole number, got None"),
        ({"pes": 0}, "hardware: pes must be from 1 to 1048576, got 0"),
        ({"l2": {"bytes": 2**51}}, "l2.bytes must be from 1 to"),
        ({"offchip": {"latency_cycles": -1}}, "offchip.latency_cycles must be from 0 to"),
        ({"noc": {"multicast": 1}}, "hardware: noc.multicast must be true or false, got 1"),
        ({"noc": {"multicast": "yes"}}, "hardware: noc.multicast must be true or false, got 'yes'"),
        (
            {"l1": 512},
            "hardware: l1 must be a mapping with the keys bytes, double_buffered, buffering, weight, input, output, got 512",
        ),
        ({"bits": {"weight": 8}}, "hardware: bits.input is missing; needed are weight, input, output"),
        ({"bits": {"weight": 0, "input": 8, "output": 8}}, "bits.weight must be from 1 to 64, got 0"),
        ({"clock_mhz": "1e3"}, "hardware: clock_mhz must be a number, such as 1000 or 1.0e+3, got '1e3'"),
        ({"clock_mhz": float("nan")}, "hardware: clock_mhz must be finite, got nan"),
        ({"clock_mhz": 0}, "clock_mhz must be above 0"),
        ({"name": "a\nb"}, "hardware: name must be one line of text"),
        ({"name": 7}, "hardware: name must be text, got 7"),
        ({"technology": 45}, "eyeriss_65nm, fpga_28nm, maestro_28nm, a path or a mapping, got 45"),
        ({"technology": "cacti_45"}, "no technology is called 'cacti_45'; did you mean cacti_45nm?"),
        ({"technology": "none/such.yaml"}, "the technology file must be readable: No such file"),
        ({"technology": {"name": "t"}}, "hardware: technology: mac_bits is missing"),
        ({"technology": _technology(mac_bit=8)}, "hardware: technology: unknown key mac_bit; did you mean mac_bits?"),
        ({"technology": _technology(mac_pj=1.0)}, "technology: mac_pj must be a mapping with the keys value, source, got 1.0"),
        ({"technology": _technology(mac_pj={"value": -1.0})}, "mac_pj.value must be >= 0.0, got -1.0"),
    ],
)
def test_refusals(data: dict[Any, Any], text: str) -> None:
    """A wrong key or value is refused by where it stands, the law and the value."""
    assert text in _refusal(data)


OWN = {"weight": {"bytes": 448}, "input": {"bytes": 24}, "output": {"bytes": 48}}
WIRES = {"weight": 8, "input": 2, "output": 8}
RUN = {"dim": "X'", "longest": 16, "least": 4}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"l1": {"weight": {"bytes": 448}}},
            "hardware: input must have a place in l1, which has neither bytes nor a part of",
        ),
        ({"l2": {"weight": {"bytes": 448}, "tensors": ["input"]}}, "input must have a place in l2, which has neither bytes nor"),
        ({"l1": {**OWN, "bytes": 512}}, "hardware: l1.bytes must be left out or 0, as no tensor shares it, got 512"),
        ({"l1": {"weight": {"buffering": "single"}}}, "hardware: l1.weight.bytes is missing; needed are bytes"),
        ({"l1": {"weight": 448}}, "hardware: l1.weight must be a mapping with the keys bytes, buffering, got 448"),
        ({"l1": {**OWN, "output": {"bytes": 0}}}, "hardware: l1.output.bytes must be from 1 to 1125899906842624, got 0"),
        ({"l1": {"buffering": "triple"}}, "hardware: l1.buffering must be 'double', 'stream' or 'single', got 'triple'"),
        ({"l1": {"buffering": "single", "double_buffered": False}}, "l1.buffering and l1.double_buffered say the same; give one"),
        ({"l1": {"residency": "none"}}, "hardware: unknown key l1.residency; the keys are bytes, double_buffered, buffering,"),
        ({"l1": {"weights": {"bytes": 4}}}, "hardware: unknown key l1.weights; did you mean weight?"),
        ({"l1": {"tile_cycles": 9}}, "hardware: unknown key l1.tile_cycles; the keys are bytes, double_buffered, buffering,"),
        ({"l2": {"tile_cycles": 2.5}}, "hardware: l2.tile_cycles must be a whole number, got 2.5"),
        ({"l2": {"tile_cycles": -1}}, "hardware: l2.tile_cycles must be from 0 to 1073741824, got -1"),
        ({"l2": {"residency": "all"}}, "hardware: l2.residency must be 'best' or 'none', got 'all'"),
        ({"l2": {"tensors": ["inputs"]}}, "l2.tensors.0 must be 'weight', 'input' or 'output', got 'inputs'; did you mean input?"),
        ({"l2": {"tensors": "input"}}, "hardware: l2.tensors must be a list such as [input, output], got 'input'"),
        ({"l2": {"tensors": []}}, "l2.tensors must name at least one tensor where none has a part of its own, got []"),
        ({"l2": {"bytes": 64, "tensors": ["input"], "input": {"bytes": 8}}}, "l2.tensors names input, which has a part of its own"),
        (
            {"noc": {"weight": 8, "output": 8}},
            "hardware: noc.input is missing: give the wires of each tensor, or noc.bytes_per_cycle",
        ),
        (
            {"noc": {**WIRES, "bytes_per_cycle": 18}},
            "noc.bytes_per_cycle is of wires that all tensors share; remove it, or noc.weight",
        ),
        (
            {"noc": {**WIRES, "input": -2}},
            "hardware: noc.input must be above 0 and at most 1125899906842624, with at most three",
        ),
        (
            {"noc": {**WIRES, "input": 0.0625}},
            "noc.input must be above 0 and at most 1048576, with at most three decimals, got 0.0625",
        ),
        ({"noc": {**WIRES, "input": "2"}}, "hardware: noc.input must be a number, such as 1000 or 1.0e+3, got '2'"),
        ({"noc": {**WIRES, "inputs": 2}}, "hardware: unknown key noc.inputs; did you mean input?"),
        ({"offchip": {"bytes_per_cycle": True}}, "offchip.bytes_per_cycle must be a number, such as 1000 or 1.0e+3, got True"),
        ({"offchip": {"bytes_per_cycle": 0}}, "offchip.bytes_per_cycle must be above 0 and at most"),
        ({"pes": 168, "array": {"rows": 12, "columns": 12}}, "array.rows x array.columns must be the 168 PEs, got 12 x 12"),
        ({"array": {"rows": 12}}, "hardware: array.columns is missing; give both rows and columns"),
        ({"array": {"rows": -12, "columns": -14}}, "array.rows must be from 1 to 1048576, got -12"),
        ({"array": {"rows": 12, "columns": 14.0}}, "hardware: array.columns must be a whole number, got 14.0"),
        ({"array": {"run": {**RUN, "dim": "x"}}}, "hardware: array.run.dim must be one of G, N, K, C, R, S, Y', X', got 'x'"),
        ({"array": {"run": {**RUN, "least": 17}}}, "array.run.least must be at most array.run.longest, 16, got 17"),
        ({"array": {"run": {"dim": "K", "longest": 3}}}, "hardware: array.run.least is missing; needed are dim, longest, least"),
        (
            {"technology": {"like": 3}},
            "hardware: technology: like must be cacti_22nm, cacti_45nm, eyeriss_65nm, fpga_28nm, maestro_28nm or a path",
        ),
        ({"technology": {"like": "cacti_45"}}, "no technology is called 'cacti_45'; did you mean cacti_45nm?"),
        ({"technology": {"like": "cacti_45nm", "mac": 1}}, "hardware: technology: unknown key mac; did you mean"),
        ({"technology": _technology(idle_mw={"value": -1.0})}, "technology: idle_mw.value must be >= 0.0, got -1.0"),
    ],
)
def test_refusals_of_parts(data: dict[str, Any], text: str) -> None:
    """A wrong part of a buffer, wire, array or gate is refused by where it stands, the law and the value."""
    assert text in _refusal(data)


def test_parts_are_what_their_keys_say() -> None:
    """A machine as built: parts of buffers with their buffering, what shares a pool, what passes the L2 by, wires and an array."""
    l2 = {"bytes": 102400, "tensors": ["input"], "buffering": "single", "weight": {"bytes": 8192, "buffering": "stream"}}
    found = load_hardware(
        {
            "array": {"rows": 12, "columns": 14, "run": RUN},
            "l1": {"buffering": "stream", **OWN, "weight": {"bytes": 448, "buffering": "single"}},
            "l2": {**l2, "residency": "none", "tile_cycles": 250},
            "noc": {"weight": 0.1, "input": 0.2, "output": 8.0},
            "offchip": {"bytes_per_cycle": 2.4},
        }
    )
    assert found == replace(
        load_hardware("edge"),
        name="custom",
        pes=168,
        array=Array(12, 14),
        run=Run(Dim.X, 16, 4),
        l1=Buffer(0, Buffering.STREAM, (Part(448, Buffering.SINGLE), Part(24, Buffering.STREAM), Part(48, Buffering.STREAM))),
        l2=Buffer(102400, Buffering.SINGLE, (Part(8192, Buffering.STREAM), None, None), (False, False, True), Residency.NONE, 250),
        noc=Noc(8.3, wires=(0.1, 0.2, 8)),
        offchip=Offchip(2.4, 100),
    )
    assert load_hardware(json.loads(json.dumps(hardware_to_dict(found)))) == found
    assert load_hardware(yaml.safe_load(yaml.safe_dump(hardware_to_dict(found)))) == found
    bypassed = load_hardware({"l2": {"tensors": ["input", "output"]}})
    assert bypassed.l2 == Buffer(131072, bypass=(True, False, False))
    assert load_hardware(hardware_to_dict(bypassed)) == bypassed


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "must state at least one key, such as `pes: 256`, but is empty"),
        ("# nothing\n", "but is empty"),
        ("- pes\n", "must be a mapping of keys such as `pes: 256`, got ['pes']"),
        ("pes: [1\n", "must be YAML: "),
        ("pes: 1\npes: 2\n", "must be YAML: line 2: the key pes stands twice; remove one"),
        ("l1:\n  bytes: 1\n  bytes: 2\n", "line 3: the key bytes stands twice"),
        ("pes: " + "9" * 5000, "must be YAML: "),
        ("[" * 5000, "must be YAML: "),
        ("pes: 2.5\n", "pes must be a whole number, got 2.5"),
    ],
)
def test_file_refusals(tmp_path: Path, text: str, part: str) -> None:
    """A file that says nothing, is not YAML or says a key twice is refused by its path."""
    message = _refusal(_file(tmp_path, text))
    assert message.startswith(f"{tmp_path / 'chip.yaml'}: ")
    assert part in message


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    """A missing file, a directory and a file that is no text are refused by path and reason."""
    missing = tmp_path / "none.yaml"
    assert _refusal(str(missing)).startswith(
        f"{missing}: the hardware file must be readable: No such file or directory; shipped are"
    )
    assert _refusal(tmp_path).startswith(f"{tmp_path}: the hardware file must be readable: Is a directory")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "must be UTF-8 text" in _refusal(binary)
    assert "must be UTF-8 text" in _refusal("a\0b.yaml")


def test_unknown_preset_is_refused_with_the_nearest() -> None:
    """A name without a suffix or slash is a preset's; an unknown one gets the nearest and all others."""
    assert _refusal("eyeris").startswith("no hardware is called 'eyeris'; did you mean eyeriss?; there are cloud, edge,")
    assert _refusal("zzz") == (
        "no hardware is called 'zzz'; there are cloud, edge, edge_space, eyeriss, gemmini, nvdla_large, shidiannao, "
        "simba_chiplet, tpu_v1, vc707, zc706, or give a file's path"
    )
