"""Mappings of AccelForge and of ZigZag as ours: what their files say reads back with our counts, and what is no mapping of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from peers import hardware_of, mapped_layer, peer_cases

from mapsearch.cli import main
from mapsearch.formats.accelforge.out import case_of, write_case
from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.mappings import read_network
from mapsearch.formats.nest.counts import our_counts
from mapsearch.formats.nest.loop_nest import loop_nest
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.tensors import Dim

CASES = peer_cases()
Capture = pytest.CaptureFixture[str]


def _in_accelforge() -> list[str]:
    """The cases that AccelForge can express."""
    found: list[str] = []
    for name, case in CASES.items():
        try:
            write_case(case_of(mapped_layer(case), hardware_of(case)))
        except MappingError:
            continue
        found.append(name)
    return found


def _read(text: str, name: str = "layer.yaml") -> MappedLayer:
    [mapped] = read_network(text.encode(), name).layers
    return mapped


def _refusal(text: str, name: str = "layer.yaml") -> str:
    with pytest.raises(InputError) as caught:
        read_network(text.encode(), name)
    line = str(caught.value)
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    return line.removeprefix(f"{name}: ")


@pytest.mark.parametrize("name", _in_accelforge())
def test_accelforge_files_read_back(name: str) -> None:
    """The mapping of a file that we wrote has our counts, every one; it is called like the file."""
    hardware = hardware_of(CASES[name])
    case = case_of(mapped_layer(CASES[name]), hardware)
    back = _read(write_case(case))
    assert back.layer.name == "layer"
    assert our_counts(loop_nest(back, hardware.shape), hardware) == case.counts


ACCELFORGE = """
workload:
  rank_sizes: {M: 8, N: 6}
  iteration_space_shape: {k: 0 <= k < 4}
  einsums:
  - name: product
    tensor_accesses:
    - {name: A, projection: [m, k]}
    - {name: B, projection: {K: k, N: n}}
    - {name: C, projection: [m, n], output: True}
mapping:
  nodes:
  - !Storage {component: DRAM, tensors: [A, B, C]}
  - !Temporal {rank_variable: m, tile_shape: 4}
  - !Storage {component: L2, tensors: [A, B, C]}
  - !Spatial {rank_variable: n, tile_shape: 2, name: units, component: Array}
  - !Temporal {rank_variable: k, tile_shape: 2}
  - !Storage {component: L1, tensors: [A, B, C]}
  - !Temporal {rank_variable: m, tile_shape: 1}
  - !Temporal {rank_variable: n, tile_shape: 1}
  - !Temporal {rank_variable: k, tile_shape: 1}
  - !Compute {einsum: product, component: MAC}
"""


def test_an_accelforge_mapping() -> None:
    """The first operand is the input; loops inside the innermost storage are the tile, units a Cluster, sizes of ranks count."""
    mapped = _read(ACCELFORGE)
    extents = mapped.layer.extents
    assert (mapped.layer.type, extents[Dim.X], extents[Dim.K], extents[Dim.C]) == ("GEMM", 8, 6, 4)
    nest = loop_nest(mapped, 3)
    assert [(cut.dim.name, cut.units, cut.trips) for cut in nest.cuts] == [("X", 1, 2), ("C", 1, 2), ("K", 3, 1)]
    assert nest.tile == (1, 1, 2, 2, 1, 1, 1, 4)


def test_accelforge_nodes_without_tags() -> None:
    """AccelForge writes its own mappings without tags; they mean the same."""
    plain = ACCELFORGE
    for tag in ("Storage", "Temporal", "Spatial", "Compute"):
        plain = plain.replace(f"!{tag} ", "")
    assert _read(plain) == _read(ACCELFORGE)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("workload:", "work:", "must have the workload beside the mapping"),
        ("tile_shape: 4", "tile_shape: 3", "mapping: node 2: tile_shape must divide the 8 indices of m, got 3"),
        ("tile_shape: 4", "tile_shape: symbol", "mapping: node 2: tile_shape must be a whole number, got 'symbol'"),
        ("rank_variable: n, tile_shape: 1", "rank_variable: n, tile_shape: 2", "the loops of n must end at a tile_shape of 1"),
        ("rank_variable: n, tile_shape: 2", "rank_variable: z, tile_shape: 2", "rank_variable must be a dim of the einsum"),
        ("!Compute {einsum: product, component: MAC}", "!Pipeline {nodes: []}", "mapping: node 10: has nodes of its own"),
        ("0 <= k < 4", "1 <= k < 4", "the shape of k must be such as 0 <= k < 64"),
        ("{M: 8, N: 6}", "{M: 8}", "dim n must have a size in iteration_space_shape or rank_sizes"),
        ("[m, n], output: True", "[m, n]", "one of them with output: True"),
        ("projection: [m, k]", "projection: [m, 'k*k']", "a rank must be a sum of dims such as 2*p + r, got 'k*k'"),
        ("projection: [m, k]", "projection: [m]", "no layer type expresses it: dim k must stand in two operands"),
        ("[A, B, C]}\n  - !Temporal", "[A, B, C\n  - !Temporal", "must be YAML"),
    ],
)  # fmt: skip
def test_damaged_accelforge_files(old: str, new: str, told: str) -> None:
    """Each is one line that says where and what would be right."""
    assert old in ACCELFORGE
    assert told in _refusal(ACCELFORGE.replace(old, new))


def _result(**changes: Any) -> str:  # noqa: ANN401 any part of the JSON
    """ZigZag's result of the case conv_kc, as ZigZag 3.9.1 writes it, with only what is read."""
    inside = ["(OX, 8)", "(OY, 4)", "(FX, 3)", "(C, 2)"]
    outside = ["(K, 4)", "(FY, 3)", "(OX, 2)", "(C, 2)", "(K, 2)", "(OY, 4)"]
    units: list[list[str]] = [[], ["(K, 4)", "(C, 4)"], [], []]
    inputs: dict[str, Any] = {
        "layer": {
            "name": "conv",
            "equation": "O[g][b][k][oy][ox] = W[g][k][c][fy][fx] * I[g][b][c][iy][ix]",
            "equation_relations": ["IX = 1*OX + 1*FX", "IY = 1*OY + 1*FY"],
            "loop_dimensions": {"G": 1, "B": 1, "K": 32, "C": 16, "FY": 3, "FX": 3, "OY": 16, "OX": 16},
        },
        "spatial_mapping": {"O": units, "W": units, "I": units},
        "temporal_mapping": {
            "O": [inside, outside[:4], outside[4:]],
            "W": [inside, outside, []],
            "I": [[*inside, outside[0]], outside[1:5], outside[5:]],
        },
    }
    words = dict.fromkeys(("rd_out_to_low", "wr_in_by_low", "rd_out_to_high", "wr_in_by_high"), 0)
    outputs = {"memory": {"word_accesses": {operand: [words] * 3 for operand in "OWI"}}}
    return json.dumps({"inputs": inputs | changes, "outputs": outputs})


def test_a_zigzag_result_reads_back() -> None:
    """The mapping that ZigZag evaluated has our counts, also where an operand's tile holds a loop more that does not move it."""
    case = CASES["conv_kc"]
    hardware = hardware_of(case)
    back = _read(_result(), "conv_complete.json")
    assert back.layer.name == "conv"
    expected = our_counts(loop_nest(mapped_layer(case), hardware.shape), hardware)
    assert our_counts(loop_nest(back, hardware.shape), hardware) == expected


def _temporal(**operands: list[list[str]]) -> str:
    """The result with other loops over time of some operands."""
    loops = json.loads(_result())["inputs"]["temporal_mapping"]
    return _result(temporal_mapping=loops | operands)


_FLAT = ["(OX, 8)", "(OY, 4)", "(FX, 3)", "(C, 2)", "(K, 4)", "(FY, 3)", "(OX, 2)", "(C, 2)", "(K, 2)", "(OY, 4)"]


def test_tiles_of_zigzag_may_end_apart_where_as_many_words_are_fetched() -> None:
    """W may stay in a PE over loops that all move it, and then over none: each of its words is fetched once either way."""
    inside, outside = _FLAT[:4], ["(OX, 2)", "(OY, 4)", "(K, 4)", "(K, 2)", "(C, 2)", "(FY, 3)"]
    apart = {"W": [[*inside, *outside], [], []], "O": [inside, outside, []], "I": [inside, outside, []]}
    assert _read(_temporal(**apart)) == _read(_temporal(**apart | {"W": [inside, outside, []]}))


def test_operands_of_zigzag_without_a_memory_in_a_pe() -> None:
    """An operand whose first memory is outside of spatial loops that move it has no tile in a PE, so others say where tiles end."""
    inside, beyond = _FLAT[:4], _FLAT[4:]
    units = ["(K, 4)", "(C, 4)"]
    levels = {"O": [[], units, [], []], "W": [[], units, [], []], "I": [units, [], []]}
    loops = {"O": [inside, beyond, []], "W": [inside, beyond, []], "I": [_FLAT, []]}
    assert _read(_result(spatial_mapping=levels, temporal_mapping=loops)) == _read(_result())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_temporal(W=[_FLAT[:6], _FLAT[6:], []]), "must fetch no more words than ZigZag's, which end of W behind 6 loops"),
        (_temporal(I=[_FLAT[1:5], [_FLAT[0], *_FLAT[5:]], []]), "the loops of W, I, O must come in one order"),
        (_temporal(**{key: [_FLAT[:9], []] for key in "WIO"}), "the loops over Y' must cover its 16 indices, and cover 4"),
        (_temporal(O=[["OX 8"], [], []]), "temporal_mapping.O: a loop must be such as (K, 4), got 'OX 8'"),
        (_temporal(O=[["(Z, 8)"], [], []]), "a loop must be over a dim of the layer"),
        (_result(temporal_mapping={"O": []}), "inputs.temporal_mapping must have the operands W, I, O, got ['O']"),
        (_result(layer={"name": "a", "equation": "O[k]", "loop_dimensions": {}}), "equation must be of three operands"),
        (_result()[:-5] + "!", "must be JSON, as ZigZag writes it"),
    ],
)  # fmt: skip
def test_damaged_zigzag_results(text: str, told: str) -> None:
    """Each is one line that says where and what would be right; so is a mapping that has several tiles in a PE."""
    assert told in _refusal(text, "conv_complete.json")


@pytest.mark.parametrize(("name", "text"), [("gemm.yaml", ACCELFORGE), ("conv_complete.json", _result())])
def test_commands_take_them(name: str, text: str, tmp_path: Path, capsys: Capture) -> None:
    """`evaluate` takes the files as it takes directive files."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert main(["evaluate", str(path), "--hardware", "edge,l1.bytes=4096", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["macs"] == _read(text, name).layer.macs
