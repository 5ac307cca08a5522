"""Hardware spaces: what ranges, choices and budgets mean, what is refused and how, and that nothing is lost on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import inf
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mapsearch.formats.yaml.hardware import (
    hardware_space_to_dict,
    hardware_to_dict,
    load_hardware,
    load_hardware_space,
    names,
    space_names,
    technology_sources,
)
from mapsearch.formats.yaml.ranges import limits_of
from mapsearch.model.area import area_by_part, leakage_by_part
from mapsearch.model.errors import HardwareError
from mapsearch.model.fpga import Fpga
from mapsearch.model.hardware import Hardware
from mapsearch.model.tensors import Tensor
from mapsearch.spaces.machines.space import KINDS, Axis, HardwareSpace, Kind, Limits

EYERISS = load_hardware("eyeriss")
WIDE = {"low": 1, "high": 10**7, "step": 1}


def _machines(space: HardwareSpace) -> Iterator[tuple[tuple[int, ...], Hardware]]:
    for places in product(*(range(len(axis.values)) for axis in space.axes)):
        yield places, space.at(places)


def _value(hardware: Hardware, key: str) -> object:
    """The value of a key of KINDS, by the file's keys; None where the machine has no such key."""
    data: Any = hardware_to_dict(hardware)
    *parts, name = key.split(".")
    for part in parts:
        data = data.get(part, {})
    if "buffer" not in name:
        return data.get(name)
    word = data.get("buffering", {True: "double", False: "single"}.get(data.get("double_buffered")))
    return word if name == "buffering" else word == "double"


def _refusal(data: dict[str, Any]) -> str:
    """The text of the error, which must be a HardwareError of one line."""
    with pytest.raises(HardwareError) as caught:
        load_hardware_space(data)
    text = str(caught.value)
    assert "\n" not in text
    return text


def _pes(given: object) -> tuple[object, ...]:
    (axis,) = load_hardware_space({"pes": given}).axes
    assert axis.key == "pes"
    return axis.values


@pytest.mark.parametrize("name", space_names())
def test_preset_space_is_complete_and_sourced(name: str) -> None:
    """A preset states every key itself, names its source, has a choice and a budget, and is no machine."""
    space, source = load_hardware_space(name), Path(__file__).parents[2] / "formats" / "data" / "hardware" / f"{name}.yaml"
    data = yaml.safe_load(source.read_text("utf-8"))
    assert {*data} == {*hardware_to_dict(space.base), "source", "budget"}
    assert space.name == name
    assert space.size > 1000
    with pytest.raises(HardwareError, match="must be one machine here"):
        load_hardware(name)


@pytest.mark.parametrize("name", names())
def test_a_machine_is_a_space_of_one(name: str) -> None:
    """A file without ranges is a space of its one machine, without limits."""
    machine, space = load_hardware(name), load_hardware_space(name)
    assert space == HardwareSpace(name, machine, (), Limits())
    assert space.is_one_machine
    assert space.size == 1
    assert space.at(()) == space.largest == machine
    assert space.allows(machine)


def test_edge_space() -> None:
    """16 to 1,024 PEs, 64 B to 4 KiB, 16 KiB to 2 MiB, both widths 4 to 256, all by doubling; 4 mm² and 500 mW."""
    space = load_hardware_space("edge_space")
    sizes = {"pes": (16, 1024), "l1.bytes": (64, 4096), "l2.bytes": (2**14, 2**21)}
    ends = {**sizes, "noc.bytes_per_cycle": (4, 256), "offchip.bytes_per_cycle": (4, 256)}
    assert {axis.key: (axis.values[0], axis.values[-1]) for axis in space.axes} == ends
    assert all(b == 2 * a for axis in space.axes for a, b in zip(axis.values, axis.values[1:], strict=False))
    assert space.limits == Limits(area_mm2=4.0, power_mw=500.0)
    assert space.size == 7 * 7 * 8 * 7 * 7
    edge = space.at((4, 3, 3, 3, 2))
    assert replace(edge, name="edge") == load_hardware("edge")
    assert space.allows(edge)
    assert not space.allows(space.largest)


def test_ranges_by_hand() -> None:
    """A step ends below or on `high`, a factor likewise, a list is sorted; one value is no axis."""
    assert _pes({"low": 3, "high": 11, "step": 4}) == (3, 7, 11)
    assert _pes({"low": 3, "high": 10, "step": 4}) == (3, 7)
    assert _pes({"low": 3, "high": 26, "factor": 3}) == (3, 9)
    assert _pes([64, 16, 256]) == (16, 64, 256)
    assert len(_pes({"low": 1, "high": 10**6, "step": 1})) == 10**6
    clocks = load_hardware_space({"clock_mhz": {"low": 0.1, "high": 0.3, "step": 0.1}}).axes[0].values
    assert clocks == (0.1, 0.2, 0.3)
    assert load_hardware_space({"clock_mhz": {"low": 1, "high": 1.331, "factor": 1.1}}).axes[0].values[-1] == 1.331
    assert load_hardware_space({"clock_mhz": [500, 250.5]}).axes == (Axis("clock_mhz", (250.5, 500.0)),)
    assert load_hardware_space({"noc": {"multicast": [True, False]}}).axes == (Axis("noc.multicast", (False, True)),)
    assert load_hardware({"pes": [16], "l1": {"bytes": {"low": 64, "high": 100, "step": 50}}}).pes == 16
    assert load_hardware({"pes": {"low": 16, "high": 17, "step": 2}}) == load_hardware({"pes": 16})


def test_limits_by_hand() -> None:
    """Each limit is held against its figure: 256 PEs at 1 GHz peak at 512 GOPS, 16 bytes a cycle are 16 GB/s; ends count."""
    edge = load_hardware("edge")
    assert Limits.met_by(edge) == Limits(
        area_by_part(edge).total, leakage_by_part(edge).total, offchip_gb_per_s=16.0, offchip_bytes_per_cycle=16.0, peak_gops=512.0
    )
    assert Limits.met_by(replace(edge, clock_mhz=200.0, simd=2)).peak_gops == 204.8
    for budget, allowed in (
        ({"bandwidth": "16 GB/s"}, True),
        ({"bandwidth": "15.9GB/s"}, False),
        ({"bandwidth": "16 bytes/cycle"}, True),
        ({"bandwidth": "1.5e1 bytes/cycle"}, False),
        ({"peak_gops": 512}, True),
        ({"peak_gops": 511.9}, False),
        ({"area_mm2": 1.2}, True),
        ({"area_mm2": 1.19}, False),
        ({"power_mw": 308.2}, True),
        ({"power_mw": 308}, False),
    ):
        space = load_hardware_space({"pes": [1, 256], "l1": {"bytes": [8, 512]}, "l2": {"bytes": [64, 131072]}, "budget": budget,
                                     "offchip": {"bytes_per_cycle": [1, 16]}})  # fmt: skip
        assert space.allows(edge) == allowed, budget


def test_technology_sources_are_by_figure_and_part() -> None:
    """The sources of a preset's technology are given for each part; of one that is stated in the hardware, as far as it has any."""
    sources = technology_sources("eyeriss")
    assert "FITTED" in sources["leakage_mw"].pop("idle")
    assert set(sources) == {"area_mm2", "leakage_mw"}
    assert all(list(by_part) == ["pes", "l1", "l2", "noc_bus", "noc_arbiter"] for by_part in sources.values())
    assert "Horowitz" in sources["area_mm2"]["pes"]
    inline = technology_sources({"technology": hardware_to_dict(load_hardware("edge"))["technology"]})
    assert set(inline["leakage_mw"].values()) == {""}


# Random spaces: few values of few keys.


def _whole_range(low: int, more: int, factor: int) -> dict[str, int]:
    return {"low": low, "high": min(low + more, 64), "factor": factor}


_WHOLE = st.integers(1, 64)
_WORDS = ("single", "stream", "double")
_VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.WHOLE: _WHOLE,
    Kind.NUMBER: st.floats(0.5, 2000.0),
    Kind.WIDTH: _WHOLE | st.integers(1, 64000).map(lambda number: number / 1000),
    Kind.FLAG: st.booleans(),
    Kind.BUFFERING: st.sampled_from(_WORDS),
}
_TYPES: dict[Kind, set[type]] = {
    Kind.WHOLE: {int},
    Kind.NUMBER: {float},
    Kind.WIDTH: {int, float},
    Kind.FLAG: {bool},
    Kind.BUFFERING: {str},
}
_AMOUNTS = {"area_mm2": st.floats(0.001, 1.5), "power_mw": st.floats(1, 600), "peak_gops": st.floats(0.1, 2000)}
_BUDGETS = st.fixed_dictionaries(
    {}, optional={**_AMOUNTS, "bandwidth": st.builds("{} {}".format, st.floats(0.1, 100), st.sampled_from(("GB/s", "bytes/cycle")))}
)
_TECHNOLOGY = hardware_to_dict(load_hardware("edge"))["technology"]


@st.composite
def _buffers(draw: st.DrawFn) -> dict[str, Any]:
    """A buffer's keys: a pool, or parts of some or all tensors, beside which there is a pool for the others."""
    own = draw(st.lists(st.sampled_from(("weight", "input", "output")), max_size=3, unique=True))
    parts = {tensor: {"bytes": 32, "buffering": draw(st.sampled_from(_WORDS))} for tensor in own}
    buffering = draw(st.sampled_from(({}, *({"buffering": word} for word in _WORDS))))
    return {**parts, **buffering, **({} if len(own) % 3 == 0 else {"bytes": 64})}


_BUFFERS = _buffers()


@st.composite
def _files(draw: st.DrawFn) -> dict[str, Any]:
    """A file's keys with choices and ranges for up to four keys."""
    data: dict[str, Any] = {"technology": _TECHNOLOGY, "bits": {"weight": 8, "input": 8, "output": 16}, "offchip": {}}
    data["noc"] = draw(st.sampled_from(({}, {"weight": 8, "input": 2.5, "output": 8})))
    data |= {buffer: draw(_BUFFERS) for buffer in ("l1", "l2")}
    for key in draw(st.lists(st.sampled_from([key for key in KINDS if _has(data, key)]), max_size=4, unique=True)):
        kinds: st.SearchStrategy[Any] = st.lists(_VALUES[KINDS[key]], min_size=1, max_size=3, unique=True)
        if KINDS[key] in (Kind.WHOLE, Kind.WIDTH):
            kinds |= st.builds(_whole_range, _WHOLE, _WHOLE, st.integers(2, 9))
        *parts, name = key.split(".")
        part = data
        for each in parts:
            part = part[each]
        part[name] = draw(kinds)
    return data


def _has(data: dict[str, Any], key: str) -> bool:
    """Whether a machine of these keys can have one more."""
    part, _, inner = key.partition(".")
    stated, (name, *more) = data.get(part, {}), inner.split(".")
    own = [tensor for tensor in ("weight", "input", "output") if tensor in stated]
    shares = len(own) < 3 and not (part == "noc" and own)
    if part == "bits" or not inner:
        return True
    if name in ("bytes", "bytes_per_cycle"):
        return shares
    if "buffer" in name:
        return ("buffering" in stated) == (name == "buffering")
    return name in own if more or (part == "noc" and name in ("weight", "input", "output")) else True


@settings(max_examples=60, deadline=None)
@given(_files())
def test_spaces_are_what_their_files_say(data: dict[str, Any]) -> None:
    """Axes ascend; each combination is another machine, which has the axes' values there and in its name and all else from base."""
    space = load_hardware_space(data)
    for axis in space.axes:
        assert len(axis.values) > 1
        assert list(axis.values) == sorted(set(axis.values), key=lambda value: _WORDS.index(value) if value in _WORDS else value)
        assert {type(value) for value in axis.values} <= _TYPES[KINDS[axis.key]]
    machines = dict(_machines(space))
    assert len(set(machines.values())) == len(machines) == space.size
    choices = {key for axis in space.axes for key in (axis.key, axis.key.replace(".buffering", ".double_buffered"))}
    choices |= {key.replace(".double_buffered", ".buffering") for key in choices}
    for places, machine in machines.items():
        for axis, place in zip(space.axes, places, strict=True):
            assert _value(machine, axis.key) == axis.values[place]
        assert machine.name == "-".join([space.name, *(str(_value(machine, axis.key)) for axis in space.axes)])
        assert all(_value(machine, key) == _value(space.base, key) for key in KINDS if key not in choices)
        assert machine.technology == space.base.technology
    assert replace(machines[(0,) * len(space.axes)], name=space.base.name) == space.base


@settings(max_examples=60, deadline=None)
@given(_files(), _BUDGETS)
def test_spaces_survive_plain_data(data: dict[str, Any], budget: dict[str, Any]) -> None:
    """A space goes through plain data, JSON and YAML, and comes back equal."""
    space = replace(load_hardware_space(data), limits=limits_of(budget, "here"))
    assume(space.allows(space.base))
    plain = hardware_space_to_dict(space)
    assert load_hardware_space(json.loads(json.dumps(plain))) == space
    assert load_hardware_space(yaml.safe_load(yaml.safe_dump(plain))) == space


@settings(max_examples=60, deadline=None)
@given(_files(), _BUDGETS)
def test_a_budget_is_refused_where_no_machine_meets_it(data: dict[str, Any], budget: dict[str, Any]) -> None:
    """A file loads exactly where some machine of the space, each tried, is within the budget; `allows` says which."""
    within = {places: _within(machine, budget) for places, machine in _machines(load_hardware_space(data))}
    if any(within.values()):
        space = load_hardware_space({**data, "budget": budget})
        assert {places: space.allows(machine) for places, machine in _machines(space)} == within
    else:
        assert "hardware: the smallest machine needs" in _refusal({**data, "budget": budget})


def _within(machine: Hardware, budget: dict[str, Any]) -> bool:
    """Whether a machine is within a budget block, limit by limit."""
    bandwidth, unit = str(budget.get("bandwidth", "inf GB/s")).split()
    bytes_per_cycle = machine.offchip.bytes_per_cycle
    return (
        area_by_part(machine).total <= budget.get("area_mm2", inf)
        and leakage_by_part(machine).total <= budget.get("power_mw", inf)
        and 2 * machine.pes * machine.simd * machine.clock_mhz / 1000 <= budget.get("peak_gops", inf)
        and (bytes_per_cycle * machine.clock_mhz / 1000 if unit == "GB/s" else bytes_per_cycle) <= float(bandwidth)
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"pes": {"low": 8, "high": 4, "step": 1}}, "hardware: pes: low must be at most high, got low 8 and high 4"),
        ({"pes": {"low": 1, "high": 4, "step": 0}}, "hardware: pes: step must be above 0, got 0"),
        ({"pes": {"low": 1, "high": 4, "step": -1}}, "pes: step must be above 0, got -1"),
        ({"pes": {"low": 1, "high": 4, "factor": 1}}, "pes: factor must be above 1, got 1"),
        ({"pes": {"low": 0, "high": 4, "factor": 2}}, "pes: low must be above 0 where a factor is given, got 0"),
        ({"pes": {"low": 1, "high": 4, "factor": 1.5}}, "pes: factor must be a whole number, got 1.5"),
        (
            {"pes": {"low": 1, "high": 4}},
            "pes must have a step or a factor, such as {low: 16, high: 1024, factor: 2}, got neither",
        ),
        ({"pes": {"low": 1, "high": 4, "step": 1, "factor": 2}}, "factor: 2}, got both"),
        (
            {"pes": {"low": 1, "hihg": 4, "step": 1}},
            "pes: unknown key hihg; did you mean high?; the keys are low, high, step, factor",
        ),
        ({"pes": {"high": 4, "step": 1}}, "pes: low is missing; needed are low, high"),
        ({"pes": {"low": "1", "high": 4, "step": 1}}, "pes: low must be a whole number, got '1'"),
        ({"pes": {"low": 1, "high": 10**400, "step": 1}}, "pes: high must be <= 9007199254740992, got 1000"),
        ({"pes": WIDE}, "hardware: pes must have at most 1000000 values, got 10000000; take a larger step"),
        ({"clock_mhz": {"low": 1, "high": 2, "factor": 1 + 1e-9}}, "clock_mhz must have at most 1000000 values, got 693"),
        ({"clock_mhz": {"low": 1, "high": 2, "step": 1e-320}}, "clock_mhz must have at most 1000000 values, got inf"),
        ({"clock_mhz": {"low": 1, "high": 2, "step": float("nan")}}, "clock_mhz: step must be finite, got nan"),
        ({"clock_mhz": {"low": 1, "high": float("inf"), "factor": 2}}, "clock_mhz: high must be finite, got inf"),
        ({"pes": []}, "hardware: pes must have at least one value, got []"),
        ({"pes": [16, 32, 16]}, "hardware: pes must have each value once, got 16 twice"),
        ({"clock_mhz": [16, 16.0]}, "clock_mhz must have each value once, got 16.0 twice"),
        ({"pes": [16, 32.0]}, "hardware: pes must be a list of whole numbers up to 2^53, got 32.0 in it"),
        ({"pes": [16, True]}, "pes must be a list of whole numbers up to 2^53, got True in it"),
        ({"pes": [16, "32"]}, "got '32' in it"),
        ({"pes": [16, None]}, "got None in it"),
        ({"pes": [[16]]}, "got [16] in it"),
        ({"pes": [10**400]}, "whole numbers up to 2^53, got 1000"),
        ({"clock_mhz": [1, float("nan")]}, "clock_mhz must be a list of numbers up to 2^53, got nan in it"),
        ({"clock_mhz": [1, False]}, "clock_mhz must be a list of numbers up to 2^53, got False in it"),
        ({"noc": {"multicast": [True, 1]}}, "noc.multicast must be a list of true and false, got 1 in it"),
        ({"noc": {"multicast": {"low": 0, "high": 1, "step": 1}}}, "noc.multicast must be true, false or a list of both, got {"),
        ({"pes": [0, 4]}, "hardware: pes must be from 1 to 1048576, got 0"),
        ({"pes": {"low": 1, "high": 2**21, "factor": 2}}, "hardware: pes must be from 1 to 1048576, got 2097152"),
        ({"bits": {"weight": [4, 128], "input": 8, "output": 8}}, "bits.weight must be from 1 to 64, got 128"),
        ({"bits": [8, 16]}, "bits must be a mapping with the keys weight, input, output, got [8, 16]"),
        ({"l1": {"byte": [64, 128]}}, "unknown key l1.byte; did you mean bytes?"),
        ({"technology": ["cacti_22nm", "cacti_45nm"]}, "technology must be cacti_22nm, "),
        (
            {"budget": 4},
            "hardware: budget must be a mapping with the keys area_mm2, power_mw, bandwidth, peak_gops, dsp, bram_18k, got 4",
        ),
        ({"budget": {"area": 4}}, "hardware: budget: unknown key area; did you mean area_mm2?; the keys are area_mm2, power_mw,"),
        ({"budget": {"area_mm2": "4 um2"}}, "hardware: budget.area_mm2 is in mm² and must be a number, such as 4, got '4 um2'"),
        ({"budget": {"power_mw": [1]}}, "budget.power_mw is in mW and must be a number, such as 4, got [1]"),
        ({"budget": {"peak_gops": True}}, "budget.peak_gops is in GOPS and must be a number, such as 4, got True"),
        ({"budget": {"area_mm2": 0}}, "budget.area_mm2 must be above 0 mm² and finite, got 0; leave it out for no limit"),
        ({"budget": {"power_mw": -1.5}}, "budget.power_mw must be above 0 mW and finite, got -1.5"),
        ({"budget": {"power_mw": float("nan")}}, "budget.power_mw must be above 0 mW and finite, got nan"),
        ({"budget": {"peak_gops": float("inf")}}, "budget.peak_gops must be above 0 GOPS and finite, got inf"),
        ({"budget": {"bandwidth": 16}}, "budget.bandwidth must be a text with its unit, '16 GB/s' or '16 bytes/cycle', got 16"),
        ({"budget": {"bandwidth": "16"}}, "'16 GB/s' or '16 bytes/cycle', got '16'"),
        ({"budget": {"bandwidth": "16 Gb/s"}}, "'16 GB/s' or '16 bytes/cycle', got '16 Gb/s'"),
        ({"budget": {"bandwidth": "-1 GB/s"}}, "'16 GB/s' or '16 bytes/cycle', got '-1 GB/s'"),
        ({"budget": {"bandwidth": "1.2.3 GB/s"}}, "budget.bandwidth must begin with a number, such as '16 GB/s', got '1.2.3 GB/s'"),
        ({"budget": {"bandwidth": "0 GB/s"}}, "budget.bandwidth must be above 0 GB/s and finite, got 0.0"),
        ({"budget": {"bandwidth": "1e999 GB/s"}}, "budget.bandwidth must be above 0 GB/s and finite, got inf"),
        (
            {"budget": {"area_mm2": 0.5}},
            "hardware: the smallest machine needs 1.19176 mm², the budget is 0.5 mm²; allow more, or let the ranges begin lower",
        ),
        ({"pes": [256, 512], "budget": {"power_mw": 100}}, "needs 308.124 mW of leakage, the budget is 100 mW"),
        ({"budget": {"bandwidth": "8 GB/s"}}, "needs 16 GB/s of bandwidth, the budget is 8 GB/s"),
        ({"budget": {"bandwidth": "8 bytes/cycle"}}, "needs 16 bytes/cycle of bandwidth, the budget is 8 bytes/cycle"),
        ({"budget": {"peak_gops": 500}}, "needs 512 GOPS at its peak, the budget is 500 GOPS"),
    ],
)
def test_refusals(data: dict[str, Any], text: str) -> None:
    """A wrong range, choice or budget is refused by where it stands, the law, the value and what would be right."""
    assert text in _refusal(data)


def test_a_technology_whose_larger_buffers_are_smaller_is_refused() -> None:
    """Area and leakage do not fall with capacity: the smallest machine of a space is that with the smallest numbers."""
    technology = hardware_to_dict(load_hardware("edge"))["technology"]
    technology["l2"]["area_mm2"]["exponent"] = -0.5
    assert "technology: l2.area_mm2.exponent must be >= 0.0, got -0.5" in _refusal({"technology": technology})


def test_a_callers_mapping_stays_as_it_is() -> None:
    """Loading changes nothing in the mapping that it is given."""
    data = {"pes": [16, 32], "bits": {"weight": [4, 8], "input": 8, "output": 8}, "l1": {"bytes": [64, 128]}, "budget": {}}
    before = json.dumps(data)
    assert load_hardware_space(data).size == 8
    assert json.dumps(data) == before


def test_examples_of_the_hardware_page_load() -> None:
    """Each hardware file of docs/hardware.md loads, and the one whose machines the page counts has so many."""
    page = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text("utf-8")
    examples = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    zeros, fpga = load_hardware(examples.pop(2)), examples.pop(2)
    machine, built, space, mine = (load_hardware_space(example) for example in examples)
    assert machine.is_one_machine
    by_hand = replace(built.base, name="eyeriss", clock_mhz=200.0, bits=(16,) * 3)
    assert replace(by_hand, technology=EYERISS.technology, sparse=EYERISS.sparse) == EYERISS
    assert (mine.base.technology.idle_mw, *zeros.sparse.gate) == (20, Tensor.INPUT)
    assert f"{space.size:,} machines" in page
    assert load_hardware(fpga).fpga == replace(Fpga(5, lutram_below=64), l2_banks=(448, 7, 64))
