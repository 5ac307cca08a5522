"""Files for AccelForge and ZigZag: what they say, the counts that they promise, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml
from peers import hardware_of, mapped_layer, peer_cases, recorded_output

from mapsearch.formats.accelforge import conventions as accelforge
from mapsearch.formats.accelforge.out import case_of as accelforge_case
from mapsearch.formats.accelforge.out import write_case as write_accelforge
from mapsearch.formats.directives import MappedLayer, parse
from mapsearch.formats.nest.counts import Case, Convention, box_words, differences
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.formats.zigzag import conventions as zigzag
from mapsearch.formats.zigzag.out import case_of as zigzag_case
from mapsearch.formats.zigzag.out import write_case as write_zigzag
from mapsearch.model.errors import MappingError
from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip, Part, Residency
from mapsearch.model.tensors import Tensor

CASES = peer_cases()
CaseOf = Callable[[MappedLayer, Hardware], Case]
# The recorded runs on machines without multicast are of files that do not say so, since no file of these tools can.
COUNTED = [name for name, case in CASES.items() if "zigzag" in case and "nomc" not in name]
# AccelForge would fetch a tensor anew that stays in the L1s here.
NOT_IN_ACCELFORGE = {"found_res3x3": "keep weights over level 0: TemporalMap(4,4) Y'", "found_bert": "keep outputs over level 0"}


def _expected(case: Case, conventions: tuple[Convention, ...]) -> dict[str, int]:
    found = dict(case.counts)
    for convention in conventions:
        found |= differences(case, convention)
    return found


def _recorded(case: Case, recorded: Mapping[str, Any]) -> Case:
    """With the depths of the L2's tiles in the file that was counted, which are told in directives, iterating or not."""
    outer = [cut.directive for cut in case.nest.outer]
    level = case.nest.mapped.mapping.levels[0]
    return replace(case, depths=[sum(each in outer for each in level[:depth]) for depth in recorded["residency_depths"]])


@pytest.mark.parametrize("name", [name for name in COUNTED if name not in NOT_IN_ACCELFORGE])
def test_accelforge_counted_what_is_expected(name: str) -> None:
    """Each recorded count is ours, or what the conventions make of ours."""
    recorded = CASES[name]
    case = _recorded(accelforge_case(mapped_layer(recorded), hardware_of(recorded)), recorded["accelforge"])
    counts = accelforge.read_counts(recorded_output(recorded, "accelforge"), "recorded", case.hardware)
    assert counts == _expected(case, accelforge.CONVENTIONS)


@pytest.mark.parametrize("name", COUNTED)
def test_zigzag_counted_what_is_expected(name: str) -> None:
    """Each recorded count is ours, or what the conventions make of ours."""
    recorded = CASES[name]
    case = _recorded(zigzag_case(mapped_layer(recorded), hardware_of(recorded)), recorded["zigzag"])
    counts = zigzag.read_counts(recorded_output(recorded, "zigzag"), "recorded")
    assert counts == _expected(case, zigzag.CONVENTIONS)


@pytest.mark.parametrize("name", NOT_IN_ACCELFORGE)
def test_a_tensor_that_stays_in_the_l1s_is_refused(name: str) -> None:
    """AccelForge has no place for it: the nodes of the L1s stand inside those of the L2."""
    with pytest.raises(MappingError, match="AccelForge cannot express that L1s") as caught:
        write_accelforge(accelforge_case(mapped_layer(CASES[name]), hardware_of(CASES[name])))
    assert NOT_IN_ACCELFORGE[name] in str(caught.value)


@pytest.mark.parametrize("case_of", [accelforge_case, zigzag_case])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pw_tedge", "level 0: TemporalMap(4,4) Y': its chunks must divide the 13 indices of Y'"),
        ("conv_inner_edge", "level 1: SpatialMap(4,4) C: its chunks must divide their tiles of 6"),
        ("found_mb_dw", "128 chunks leave some of 6 units idle in a round"),
        ("pw_nomc", "a network without multicast, as hardware pw_nomc has"),
    ],
)
def test_what_is_no_product_of_whole_factors_is_refused(case_of: CaseOf, name: str, reason: str) -> None:
    """Edges, idle units, and networks of another kind, each with its reason and the place."""
    with pytest.raises(MappingError) as caught:
        case_of(mapped_layer(CASES[name]), hardware_of(CASES[name]))
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{name}:")


@pytest.mark.parametrize("case_of", [accelforge_case, zigzag_case])
def test_machines_that_differ_are_refused(case_of: CaseOf) -> None:
    """A network that does not reduce, a tensor that passes the L2 by, an L2 that keeps nothing."""
    mapped, hardware = mapped_layer(CASES["gemm_mn"]), hardware_of(CASES["gemm_mn"])
    machines = {
        "without reduction": replace(hardware, noc=replace(hardware.noc, reduction=False)),
        "pass the L2 by": replace(hardware, l2=replace(hardware.l2, bypass=(True, False, False))),
        "keeps no tile": replace(hardware, l2=replace(hardware.l2, residency=Residency.NONE)),
    }
    for reason, machine in machines.items():
        with pytest.raises(MappingError, match=reason):
            case_of(mapped, machine)


def _small(bits: tuple[int, int, int] = (8, 8, 16)) -> Hardware:
    return replace(
        load_hardware("edge"), name="small", pes=4, bits=bits, l1=Buffer(64, parts=(None, None, Part(32))), l2=Buffer(512),
        noc=Noc(8), offchip=Offchip(4, 0),
    )  # fmt: skip


SMALL = parse(
    "Network n { Layer a { Type: CONV Dimensions { K: 4, C: 2, R: 1, S: 3, Y': 1, X': 4 } Dataflow {"
    " TemporalMap(2,2) X'; SpatialMap(2,2) K; TemporalMap(1,1) C; Cluster(2,P); SpatialMap(1,1) X'; } } }"
).layers[0]


def test_an_accelforge_file() -> None:
    """Workload, machine and mapping of a small layer: loops and storage in their order, words of other widths, a part of an L1."""
    text = write_accelforge(accelforge_case(SMALL, _small()))
    data: dict[str, Any] = parse_mapping(text, "text", "a: b", tagged=True)
    workload, arch = data["workload"], data["arch"]
    assert workload["iteration_space_shape"]["q"] == "0 <= q < 4"
    assert workload["bits_per_value"] == {"Weights": 8, "Inputs": 8, "Outputs": 16}
    memories = {keys["name"]: keys["size"] for keys in arch["nodes"] if "size" in keys}
    assert memories == {"DRAM": "inf", "L2": 8 * 512, "L1": 8 * 64, "L1_Outputs": 8 * 32}
    assert text[text.index("mapping:") :].splitlines()[2:] == [
        "  - !Storage {component: DRAM, tensors: [Weights, Inputs, Outputs]}",
        "  - !Storage {component: L2, tensors: [Weights]}",
        "  - !Storage {component: L2, tensors: [Inputs]}",
        "  - !Storage {component: L2, tensors: [Outputs]}",
        "  - !Spatial {rank_variable: k, tile_shape: 2, name: units, component: Level0}",
        "  - !Spatial {rank_variable: q, tile_shape: 2, name: units, component: Level1}",
        "  - !Temporal {rank_variable: q, tile_shape: 1}",
        "  - !Storage {component: L1_Outputs, tensors: [Outputs]}",
        "  - !Temporal {rank_variable: c, tile_shape: 1}",
        "  - !Storage {component: L1, tensors: [Weights]}",
        "  - !Storage {component: L1, tensors: [Inputs]}",
        "  - !Temporal {rank_variable: k, tile_shape: 1}",
        "  - !Temporal {rank_variable: s, tile_shape: 1}",
        "  - !Compute {einsum: layer, component: MAC}",
    ]


def test_zigzag_files() -> None:
    """Memories have the sizes of just their tiles, ports those of a word; loops stand innermost first."""
    workload, hardware, mapping = (yaml.safe_load(text) for text in write_zigzag(zigzag_case(SMALL, _small())).values())
    assert workload[0]["loop_sizes"] == [1, 1, 4, 2, 1, 3, 1, 4]
    assert workload[0]["dimension_relations"] == ["ix=1*ox+1*fx", "iy=1*oy+1*fy"]
    sizes = {name: memory["size"] for name, memory in hardware["memories"].items() if "dram" not in name}
    # A PE: weights of 2 K and 3 S, inputs of 3 columns, outputs of 2 K; the L2: all that there is.
    assert sizes == {"l1_W": 6 * 8, "l1_I": 3 * 8, "l1_O": 2 * 16, "l2_W": 24 * 8, "l2_I": 12 * 8, "l2_O": 16 * 16}
    assert {port["bandwidth_max"] for port in hardware["memories"]["l1_O"]["ports"]} == {16}
    assert hardware["operational_array"]["sizes"] == [2, 2]
    assert mapping[0]["spatial_mapping"] == {"D1": ["K, 2"], "D2": ["OX, 2"]}
    assert mapping[0]["temporal_ordering"] == [["FX", 3], ["K", 2], ["C", 2], ["OX", 2]]


@pytest.mark.parametrize(
    "text", [write_accelforge(accelforge_case(SMALL, _small())), *write_zigzag(zigzag_case(SMALL, _small())).values()]
)
def test_the_head_tells_the_command_and_the_counts(text: str) -> None:
    """The counts to expect are ours, and those of the conventions that apply; a window slides here over equal rows."""
    case = zigzag_case(SMALL, _small())
    assert "python -c " in text
    for figure, number in case.counts.items():
        assert f"#     {figure} {number}\n" in text
    assert "except that" in text


def test_words_of_a_dilated_tile() -> None:
    """ZigZag's words of a window have no floor at 0, unlike ours: 2 outputs and 2 taps, 3 apart, are 5 words, not 4."""
    layer = (
        parse(
            "Network n { Layer a { Type: CONV Dilation { Y: 1, X: 3 } Dimensions { K: 1, C: 1, R: 1, S: 2, Y': 1, X': 2 }"
            " Dataflow { TemporalMap(1,1) K } } }"
        )
        .layers[0]
        .layer
    )
    assert layer.words(Tensor.INPUT) == 4
    assert zigzag.tile_words(layer, Tensor.INPUT, layer.extents) == 5
    assert box_words(layer, layer.extents) == 5
