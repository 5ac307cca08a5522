"""Mappings as Timeloop's files: factors that multiply to the layer, the storage levels, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from math import prod
from typing import Any

import pytest
import yaml
from by_hand import MACHINE
from peers import hardware_of, mapped_layer, peer_cases

from mapsearch.formats.directives import Network, parse
from mapsearch.formats.nest.loop_nest import loop_nest
from mapsearch.formats.registry import FORMATS
from mapsearch.formats.timeloop.document import document
from mapsearch.formats.timeloop.names import LETTERS
from mapsearch.formats.timeloop.out import case_of
from mapsearch.model.errors import MappingError
from mapsearch.model.hardware import Buffer, Hardware, Noc, Part, Residency

CASES = peer_cases()
EXPORTED = [name for name in CASES if name not in {"pw_edge", "conv_inner_edge", "found_mb_dw"}]


def _text(directives: str, hardware: Hardware) -> str:
    [text] = FORMATS["timeloop"].write_network(parse(directives, "net.m"), hardware).values()
    return str(text)


def _keys(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any part of a machine
    case = case_of(mapped_layer(CASES[name]), replace(hardware_of(CASES[name]), **changes))
    return document(case.nest, case.hardware, case.depths)


def _loops(keys: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The loops of each level over time and over units, outermost first, but for those of one trip."""
    found: dict[tuple[str, str], str] = {}
    for row in keys["mapping"]:
        if row["type"] != "datatype":
            factors = dict(pair.split("=") for pair in row["factors"].split())
            order = [letter for letter in reversed(row["permutation"]) if factors[letter] != "1"]
            found[row["target"], row["type"]] = " ".join(letter + factors[letter] for letter in order)
    return found


@pytest.mark.parametrize("name", EXPORTED)
def test_factors_multiply_to_the_layer(name: str) -> None:
    """Over all levels the trips of a dim, with those of last tiles, cover its extent, and units are those that work."""
    keys, mapped = _keys(name), mapped_layer(CASES[name])
    most, least = Counter(dict.fromkeys(LETTERS.values(), 1)), Counter(dict.fromkeys(LETTERS.values(), 1))
    units = 1
    for row in (row for row in keys["mapping"] if row["type"] != "datatype"):
        assert sorted(row["permutation"]) == sorted(LETTERS.values())
        for letter, full, last in re.findall(r"(\w)=(\d+)(?:,(\d+))?", row["factors"]):
            most[letter] *= int(full)
            least[letter] *= int(last or full)
            units *= int(full) if row["type"] == "spatial" else 1
    for dim, letter in LETTERS.items():
        assert least[letter] <= mapped.layer.extents[dim] <= most[letter]
        assert keys["problem"][letter] == mapped.layer.extents[dim]
    assert units == loop_nest(mapped, hardware_of(CASES[name]).shape).pes
    instances = [level["instances"] for level in keys["arch"]["storage"]]
    assert instances[0] == units
    assert instances == sorted(instances, reverse=True)


def test_a_level_for_each_depth_of_the_l2() -> None:
    """Three depths are three levels, each with the loops between it and the level inside; the Cluster without loops has none."""
    assert _loops(_keys("gemm_spill")) == {
        ("L1", "temporal"): "K4 C16 Q8",
        ("L2_O", "spatial"): "K4 Q2",
        ("L2_O", "temporal"): "",
        ("L2_I", "temporal"): "K4",
        ("L2_W", "temporal"): "Q4",
        ("DRAM", "temporal"): "C4",
    }


def test_a_cluster_with_loops_is_a_level_that_keeps_nothing() -> None:
    """It has the units of the levels above it, and the loops in time of its members."""
    keys = _keys("conv_kc")
    loops = _loops(keys)
    assert (loops["Cluster1", "spatial"], loops["Cluster1", "temporal"]) == ("C4", "R3 K4")
    [cluster] = [level for level in keys["arch"]["storage"] if level["name"] == "Cluster1"]
    assert (cluster["instances"], cluster["vector_access_energy"]) == (4, 0)
    assert {"target": "Cluster1", "type": "datatype", "keep": [], "bypass": ["Weights", "Inputs", "Outputs"]} in keys["mapping"]


def test_edge_chunks_have_their_own_factors() -> None:
    """13 rows in chunks of 4 leave 1, and 30 channels in chunks of 8 leave 6."""
    loops = _loops(_keys("pw_tedge"))
    assert loops["L1", "temporal"] == "K4 C8,6 P4,1 Q13"


def test_words_of_several_widths_have_their_own_levels() -> None:
    """Each tensor has a level of its own in L1 and in L2, which holds as many of its words as the buffer's bytes do."""
    keys = _keys("pw_kc", bits=(8, 4, 16))
    levels = {level["name"]: level for level in keys["arch"]["storage"]}
    l1 = [f"L1_{tensor}" for tensor in "OIW"]
    assert list(levels)[:3] == l1
    assert [levels[name]["entries"] for name in l1] == [50_000, 200_000, 100_000]
    assert {levels[name]["instances"] for name in l1} == {32}
    assert _loops(keys)[l1[0], "temporal"] != ""
    assert all(_loops(keys)[name, "temporal"] == "" for name in l1[1:])
    assert not any((name, "spatial") in _loops(keys) for name in l1)


def test_parts_of_a_buffer_are_levels() -> None:
    """A tensor with a part of the L1 alone has a level of that size."""
    parts = Buffer(4096, parts=(Part(512), None, None))
    levels = {level["name"]: level for level in _keys("pw_kc", l1=parts)["arch"]["storage"]}
    assert {name: levels[name]["entries"] for name in ("L1_O", "L1_I", "L1_W")} == {"L1_O": 4096, "L1_I": 4096, "L1_W": 512}


def test_a_network_without_multicast_or_reduction() -> None:
    """Tensors whose words each PE gets, or gives, by itself are named at each loop over units."""
    for multicast, reduction, alone in ((False, True, ["Weights", "Inputs"]), (True, False, ["Outputs"]), (True, True, None)):
        rows = _keys("pw_kc", noc=Noc(64, 1, multicast, reduction))["mapping"]
        assert [row.get("no_reuse") for row in rows if row["type"] == "spatial"] == [alone] * 2


def test_energies_are_those_of_the_technology() -> None:
    """In femtojoules, those of a word: an L2's read and write cost as the technology says, and DRAM by the bit."""
    hardware = hardware_of(CASES["pw_kc"])
    keys = _keys("pw_kc")
    levels = {level["name"]: level["vector_access_energy"] for level in keys["arch"]["storage"]}
    assert levels["DRAM"] == pytest.approx(hardware.technology.offchip_pj_per_bit * 8 * 1000)
    l2 = hardware.technology.l2
    mean = (l2.read_pj.at(hardware.l2.bytes) + l2.write_pj.at(hardware.l2.bytes)) / 2
    assert levels["L2_O"] == pytest.approx(mean / l2.access_bits * 8 * 1000, rel=1e-5)
    assert isinstance(keys["arch"]["arithmetic"]["energy"], int)


def test_the_head_says_how_to_run_it_and_what_differs() -> None:
    """The file is YAML below a comment with the command, the directives, and the conventions that change the input's words."""
    text = _text(CASES["conv_kc"]["directives"], hardware_of(CASES["conv_kc"]))
    head = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")]
    assert "TIMELOOP_DISABLE_LINK_TRANSFERS=1 timeloop-model FILE" in head
    assert "SpatialMap(4,4) K" in head
    assert "l2_to_l1_words.input 14848" in head
    exception = head.index("except that Timeloop fetches a whole tile where the window changes its direction:")
    assert head[exception + 1 : exception + 3] == ["l2_to_l1_words.input 15360", "l1_fill_words.input 61440"]
    assert list(yaml.safe_load(text)) == ["problem", "arch", "mapping"]
    assert "except that" not in _text(CASES["gemm_mn"]["directives"], hardware_of(CASES["gemm_mn"]))


@pytest.mark.parametrize(
    ("items", "dataflow", "changes", "told"),
    [
        ("", "TemporalMap(6,6) M; Cluster(1,P); TemporalMap(4,4) M", {}, "must divide their tiles of 6"),
        ("", "SpatialMap(1,1) M", {}, "12 chunks leave some of 5 units idle in a round"),
        (
            "Density { W: 0.5 }",
            "TemporalMap(6,6) M",
            {},
            "Timeloop's files are written for dense layers; give no Density or Pattern",
        ),
        ("", "TemporalMap(6,6) M", {"l2": Buffer(10**6, bypass=(True, False, False))}, "let none pass it by"),
        ("", "TemporalMap(6,6) M", {"l2": Buffer(10**6, residency=Residency.NONE)}, "an L2 that keeps tiles of all tensors"),
        ("", "TemporalMap(6,6) M", {"l1": Buffer(8)}, "L1 needs"),
    ],
)
def test_what_it_cannot_express_is_refused(items: str, dataflow: str, changes: dict[str, Any], told: str) -> None:
    """The error has file, line and layer, and says why."""
    pes = 5 if "Spatial" in dataflow else 1
    text = f"Network n {{ Layer a {{ Type: GEMM Dimensions {{ M: 12, N: 4, K: 3 }} {items} Dataflow {{ {dataflow} }} }} }}"
    with pytest.raises(MappingError) as caught:
        _text(text, replace(MACHINE, pes=pes, **changes))
    assert str(caught.value).startswith("net.m:1: layer a")
    assert told in str(caught.value)


def test_each_layer_has_a_file() -> None:
    """Numbered as in a run folder, in the network's order."""
    layers = tuple(mapped_layer(CASES[name]) for name in ("pw_idle", "pw_tedge"))
    files = FORMATS["timeloop"].write_network(Network("net", layers), hardware_of(CASES["pw_idle"]))
    assert list(files) == [f"{number:02d}_{mapped.layer.name}.yaml" for number, mapped in enumerate(layers, 1)]
    sizes = [yaml.safe_load(text)["problem"] for text in files.values()]
    assert [prod(each[letter] for letter in LETTERS.values()) for each in sizes] == [mapped.layer.macs for mapped in layers]


def test_a_level_has_room_for_boxes() -> None:
    """With a stride, a tile's words may fit where the box around them does not: 4 x 4 words of each channel are 7 x 7."""
    text = (
        "Network n { Layer a { Type: CONV Stride { Y: 2, X: 2 } Dimensions { K: 2, C: 3, R: 1, S: 1, Y': 8, X': 8 } "
        "Dataflow { TemporalMap(4,4) Y'; TemporalMap(4,4) X' } } }"
    )
    for size, entries in ((180, 185), (200, 200)):
        machine = replace(MACHINE, pes=1, bits=(8, 8, 8), l1=Buffer(size))
        assert yaml.safe_load(_text(text, machine))["arch"]["storage"][0]["entries"] == entries
