"""DSPs and block RAMs of FPGAs: by hand, by the laws of their growth, and in place of area wherever area is told or limited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mapsearch.formats.shipped import read_named
from mapsearch.formats.yaml.hardware import hardware_to_dict, load_hardware, load_hardware_space
from mapsearch.model.area import area_by_part, taken, taken_by_part
from mapsearch.model.errors import HardwareError
from mapsearch.model.fpga import Fpga

FPGA = {"dsp_per_mac": 1}


def test_a_published_design() -> None:
    """Zhang et al., FPGA 2015: 64 x 7 MACs of 5 DSPs; two halves each of 448, 7 and 64 banks."""
    vc707 = load_hardware("vc707")
    assert taken(vc707) == {"dsp": 2240, "bram_18k": 2 * 448 + 2 * 7 * 7 + 2 * 64}
    assert [taken_by_part(vc707)["bram_18k"].l1, taken_by_part(vc707)["bram_18k"].l2] == [0, 1122]


def test_presets_fit_their_boards() -> None:
    """Each takes no more than the chip of its board has."""
    for name, dsp, bram in (("vc707", 2800, 2060), ("zc706", 900, 1090)):
        used = taken(load_hardware(name))
        assert 0.5 * dsp < used["dsp"] <= dsp
        assert 0.5 * bram < used["bram_18k"] <= bram


@pytest.mark.parametrize(("macs", "per_mac", "packed", "dsps"), [(7, 5, 0, 35), (7, 1, 1, 4), (8, 1, 1, 4), (3, 3, 1, 5)])
def test_dsps(macs: int, per_mac: int, packed: int, dsps: int) -> None:
    """So many a MAC; half as many, rounded up, where two MACs share them."""
    assert Fpga(per_mac, int8_packed=packed == 1).dsps(macs) == dsps


@pytest.mark.parametrize(
    ("size", "copies", "banks", "bits", "blocks"),
    [
        (2304, 1, 1, 36, 1),  # 512 words
        (2305, 1, 1, 36, 2),
        (2048, 1, 1, 16, 1),  # 1,024 words of 18 bits
        (2049, 1, 1, 16, 2),
        (2048, 1, 1, 8, 1),  # 2,048 words of 9
        (2048, 1, 1, 1, 1),  # 16,384 of 1
        (2304, 1, 1, 64, 2),  # 288 words of 64, two beside each other
        (4608, 2, 1, 36, 2),  # each half a block
        (100, 2, 1, 36, 2),
        (100, 1, 8, 32, 8),  # each bank a block
        (99, 1, 8, 32, 0),  # of LUTs
        (16384, 2, 4, 16, 8),  # 1,024 words in each bank of each half
        (16400, 2, 4, 16, 16),
    ],
)
def test_block_rams(size: int, copies: int, banks: int, bits: int, blocks: int) -> None:
    """Banks and halves are memories of their own; a block RAM has the shape that takes the fewest; small memories take none."""
    assert Fpga(1, lutram_below=100).brams(size, copies, banks, bits) == blocks


@given(st.integers(1, 2**20), st.integers(1, 5000), st.integers(1, 9), st.integers(1, 64), st.integers(0, 2000))
def test_larger_memories_take_no_fewer(size: int, more: int, banks: int, bits: int, below: int) -> None:
    """Nor do two halves in place of one memory: spaces of machines rely on it."""
    fpga = Fpga(1, lutram_below=below)
    taken_by = fpga.brams(size, 1, banks, bits)
    assert taken_by <= fpga.brams(size + more, 1, banks, bits)
    assert taken_by <= fpga.brams(size, 2, banks, bits)
    assert 18432 * taken_by >= (8 * size if size >= below else 0)


def test_pools_have_the_most_banks_and_the_widest_words() -> None:
    """Of the tensors in them; L1s count once a PE, and a tensor's own part by itself."""
    keys: dict[str, Any] = {
        "pes": 3,
        "bits": {"weight": 8, "input": 8, "output": 32},
        "l1": {"bytes": 4096, "buffering": "single", "output": {"bytes": 2048}},
        "l2": {"bytes": 8192, "buffering": "stream"},
        "fpga": {"dsp_per_mac": 2, "l1_banks": {"weight": 2, "output": 4}, "l2_banks": 2},
    }
    parts = taken_by_part(load_hardware(keys))
    assert parts["dsp"].pes == parts["dsp"].total == 6
    # L1: 2 banks of 2,048 words of 8 bits; 4 of 128 words of 32. L2: 2 banks of 1,024 words of 32.
    assert (parts["bram_18k"].l1, parts["bram_18k"].l2) == (3 * (2 + 4), 4)
    assert parts["bram_18k"].total == 22


def test_a_file_says_it_all() -> None:
    """The machine as keys of a file is the machine; keys may be changed after its name."""
    zc706 = load_hardware("zc706")
    assert load_hardware(hardware_to_dict(zc706)) == zc706
    assert load_hardware("zc706,fpga.l1_banks=3,fpga.lutram_below=0").fpga == replace(
        zc706.fpga or Fpga(1), l1_banks=(3, 3, 3), lutram_below=0
    )
    assert load_hardware("edge").fpga is None


def test_budgets() -> None:
    """A machine that just reaches a limit is within it, and of a space only those within it are left."""
    space = load_hardware_space({"pes": [2, 4, 8], "fpga": FPGA, "budget": {"dsp": 4, "bram_18k": 10**6}})
    assert [machine.pes for _, machine in space.within_limits()] == [4, 2]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"budget": {"dsp": 4}}, "budget.dsp and budget.bram_18k are limits of an FPGA; add fpga, or give budget.area_mm2"),
        (
            {"fpga": FPGA, "budget": {"area_mm2": 4}},
            "budget.area_mm2 is no limit of an FPGA, which takes DSPs and block RAMs; give ",
        ),
        ({"fpga": FPGA, "budget": {"dsp": 4}}, "the smallest machine needs 256 DSPs, the budget is 4 DSPs; allow more, or"),
        (
            {"fpga": FPGA, "budget": {"lut": 4}},
            "budget: unknown key lut; the keys are area_mm2, power_mw, bandwidth, peak_gops, dsp, ",
        ),
        ({"fpga": {}}, "fpga.dsp_per_mac is missing; needed are dsp_per_mac"),
        ({"fpga": {"dsp_per_mac": 0}}, "fpga.dsp_per_mac must be from 1 to 1048576, got 0"),
        ({"fpga": {**FPGA, "l2_banks": {"input": 0}}}, "fpga.l2_banks.input must be from 1 to 1048576, got 0"),
        ({"fpga": {**FPGA, "l2_banks": [4]}}, "fpga.l2_banks must be a whole number or a mapping with the keys weight, input, "),
        ({"fpga": {**FPGA, "lutram_below": -1}}, "fpga.lutram_below must be from 0 to 1125899906842624, got -1"),
        ({"fpga": {**FPGA, "bram_bits": 16}}, "fpga.bram_width must be at most fpga.bram_bits, 16, got 36"),
        (
            {"fpga": {**FPGA, "int8_packed": True}, "bits": {"weight": 8, "input": 16, "output": 16}},
            "fpga.int8_packed takes weights and inputs of at most 8 bits, got 16",
        ),
        (
            {"fpga": FPGA, "bits": {"weight": [4, 8], "input": 8, "output": 16}},
            "bits.weight must be one number, as fpga.dsp_per_mac is of one width of words",
        ),
    ],
)
def test_refusals(keys: dict[str, object], said: str) -> None:
    """One line says what is wrong and what would be right."""
    with pytest.raises(HardwareError) as error:
        load_hardware_space(keys)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_fpga_has_no_area() -> None:
    """Whoever asks for it gets one line."""
    with pytest.raises(HardwareError, match=r"^hardware vc707: an FPGA has DSPs and block RAMs, no area; do without area_mm2"):
        area_by_part(load_hardware("vc707"))


def test_energies_of_an_fpga_are_marked_as_estimates() -> None:
    """No source gives them; areas and leakage are 0, which is said too."""
    data: dict[str, Any] = yaml.safe_load(read_named("technology", "fpga_28nm", Path())[0])
    energies = [data[key] for key in ("mac_pj", "noc_pj_per_bit", "offchip_pj_per_bit")]
    energies += [data[level][law] for level in ("l1", "l2") for law in ("read_pj", "write_pj")]
    assert all(energy["source"].startswith("ESTIMATE: ") for energy in energies)
    others = [data["mac_area_mm2"], data["mac_leakage_mw"]]
    others += [data[level][law] for level in ("l1", "l2") for law in ("area_mm2", "leakage_mw")]
    assert all(other["source"] and other.get("value", other.get("factor")) == 0 for other in others)
