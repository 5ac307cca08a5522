"""Area and power by parts: golden sums, MAESTRO's published fit against its own recorded runs, and the laws' shape."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maestro_rows import Row, equal, recorded_rows

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.area import area_by_part, dynamic_mw, leakage_by_part, power_mw
from mapsearch.model.hardware import Buffer, Hardware, Noc, Part
from mapsearch.model.technology import ArbiterLaw, BusLaw
from mapsearch.spaces.machines.space import Limits

EDGE = load_hardware("edge")
MAESTRO = load_hardware({"technology": "maestro_28nm", "bits": {"weight": 8, "input": 8, "output": 8}})
TECHNOLOGIES = ("cacti_22nm", "cacti_45nm", "eyeriss_65nm", "maestro_28nm")
MACHINES = {technology: load_hardware({"technology": technology}) for technology in TECHNOLOGIES}
PRICED = [row for row in recorded_rows() if row["csv_area"] and not row["ub_flag"]]


def test_golden_parts_of_edge() -> None:
    """Each part is its law at the machine's numbers; what the technology does not know is 0."""
    edge = replace(EDGE, simd=2)
    area, leakage = area_by_part(edge), leakage_by_part(edge)
    assert area.pes == pytest.approx(256 * 2 * 349e-6, rel=1e-12)
    assert area.l1 == pytest.approx(256 * 0.00349 * 0.5**0.98, rel=1e-12)
    assert area.l2 == pytest.approx(0.00349 * 128**0.98, rel=1e-12)
    # a multiplexer of 1.862 um2 for each bit, each way, at each PE
    assert area.noc_bus == pytest.approx(256 * 32 * 8 * 2 * 1.862e-6, rel=1e-12)
    assert area.noc_arbiter == 0.0
    assert area.total == pytest.approx(sum(astuple(area)))
    assert (leakage.pes, leakage.noc_bus, leakage.noc_arbiter) == (0.0, 0.0, 0.0)
    assert leakage.l1 == pytest.approx(256 * 1.30 * 0.5**0.96, rel=1e-12)
    assert leakage.l2 == pytest.approx(1.30 * 128**0.96, rel=1e-12)


def test_narrow_macs_take_the_product_of_their_widths() -> None:
    """4-bit weights on 8-bit inputs halve a MAC's area and leakage, and nothing else."""
    machine = replace(MAESTRO, bits=(4, 8, 16))
    for figure in (area_by_part, leakage_by_part):
        wide, narrow = figure(MAESTRO), figure(machine)
        assert narrow == replace(wide, pes=wide.pes / 2)


def _priced(row: Row) -> Hardware:
    """The machine that the program priced: with the buffers that the mapping needs."""
    l1, l2 = (max(1, int(row[f"csv_{level}_size_req"])) for level in ("l1", "l2"))
    pes, width, simd = int(row["num_pes"]), int(row["noc_bw"]), int(row["simd"])
    return replace(MAESTRO, pes=pes, simd=simd, l1=Buffer(l1), l2=Buffer(l2), noc=Noc(width))


def test_maestros_fit_gives_what_the_program_prints() -> None:
    """On every recorded run of defined behaviour, maestro_28nm has the area and power of the program's CSV, part by part."""
    assert len(PRICED) > 500
    for row in PRICED:
        machine = _priced(row)
        power = leakage_by_part(machine)
        assert equal(area_by_part(machine).total * 1e6, float(row["csv_area"])), row["id"]
        assert equal(power_mw(machine, 1e9, 1000), float(row["csv_power"])), row["id"]
        for part, ours in (("pe", power.pes), ("l1", power.l1), ("l2", power.l2), ("noc", power.noc_bus + power.noc_arbiter)):
            assert equal(ours, float(row[f"csv_{part}_power"])), (row["id"], part)


def test_golden_maestro_energies() -> None:
    """A MAC is 0.23 pJ, an L1 access 1.68 and an L2 access 18.61 times that, whatever the capacities."""
    technology = MAESTRO.technology
    assert technology.mac_pj == 0.23
    for buffer, macs in ((technology.l1, 1.68), (technology.l2, 18.61)):
        for law in (buffer.read_pj, buffer.write_pj):
            assert law.at(64) == law.at(2**20) == pytest.approx(0.23 * macs, rel=1e-12)


def test_power_is_leakage_and_activity() -> None:
    """1000 pJ in 100 cycles of 1 ns are 10 mW on top of the leakage; where leakage includes activity, nothing comes on top."""
    assert dynamic_mw(EDGE, 1000.0, 100) == pytest.approx(10.0)
    assert dynamic_mw(replace(EDGE, clock_mhz=200.0), 1000.0, 100) == pytest.approx(2.0)
    leakage = leakage_by_part(EDGE).total
    assert power_mw(EDGE, 1000.0, 100) == pytest.approx(leakage + 10)
    many = power_mw(EDGE, np.array([1000.0, 0.0]), np.array([100, 7], np.int64))
    assert many.tolist() == [power_mw(EDGE, 1000.0, 100), leakage]
    assert power_mw(MAESTRO, 1000.0, 100) == leakage_by_part(MAESTRO).total


GROWTHS = {
    "pes": ("pes", "l1", "noc_bus", "noc_arbiter"),
    "simd": ("pes",),
    "l1": ("l1",),
    "l2": ("l2",),
    "noc": ("noc_bus",),
}


def _grown(machine: Hardware, axis: str, times: int) -> Hardware:
    match axis:
        case "pes":
            return replace(machine, pes=machine.pes * times)
        case "simd":
            return replace(machine, simd=machine.simd * times)
        case "l1":
            return replace(machine, l1=Buffer(machine.l1.bytes * times))
        case "l2":
            return replace(machine, l2=Buffer(machine.l2.bytes * times))
        case _:
            return replace(machine, noc=Noc(machine.noc.bytes_per_cycle * times))


@given(
    technology=st.sampled_from(TECHNOLOGIES),
    axis=st.sampled_from(list(GROWTHS)),
    pes=st.integers(1, 300),
    times=st.integers(2, 9),
)
def test_parts_depend_on_their_own_numbers(technology: str, axis: str, pes: int, times: int) -> None:
    """A number that grows makes no part smaller, and changes no part but those that are said to depend on it."""
    machine = replace(MACHINES[technology], pes=pes)
    for figure in (area_by_part, leakage_by_part):
        before, after = figure(machine), figure(_grown(machine, axis, times))
        for part in ("pes", "l1", "l2", "noc_bus", "noc_arbiter"):
            old, new = getattr(before, part), getattr(after, part)
            assert new >= old if part in GROWTHS[axis] else new == old


def test_laws_by_hand() -> None:
    """A bus of 4 bytes to 10 PEs takes (2 * 10 + 3) * 4; an arbiter takes its polynomial, or its least where that is more."""
    assert BusLaw(2.0, 3.0).at(10, 4) == 92.0
    arbiter = ArbiterLaw(2.0, 1.0, -20.0, 5.0)
    assert (arbiter.at(3), arbiter.at(10)) == (5.0, 190.0)


def test_a_buffers_memories_add_and_a_bus_is_the_mean_of_its_two_ways() -> None:
    """The pool and each part have their own area and leakage; wires that lead one way alone count half."""
    edge = load_hardware("edge")
    law, parts = edge.technology.l1, (Part(448), None, Part(48))
    area = area_by_part(replace(edge, l1=Buffer(24, parts=parts), noc=Noc(18, wires=(8, 2, 8))))
    assert area.l1 == pytest.approx(256 * sum(law.area_mm2.at(size) for size in (24, 448, 48)))
    assert area.noc_bus == edge.technology.noc_bus.area_mm2.at(256, (18 + 8) / 2)
    leakage = leakage_by_part(replace(edge, l2=Buffer(0, parts=(Part(1024), Part(2048), Part(512)))))
    assert leakage.l2 == pytest.approx(sum(edge.technology.l2.leakage_mw.at(size) for size in (1024, 2048, 512)))


def test_idle_power_flows_whatever_the_mapping_does() -> None:
    """It adds to leakage, and so to the power of a mapping and to what the idle machine takes of a budget; it has no area."""
    edge = load_hardware("edge")
    idle = replace(edge, technology=replace(edge.technology, idle_mw=50.0))
    assert leakage_by_part(idle).total == pytest.approx(leakage_by_part(edge).total + 50)
    assert power_mw(idle, 1e6, 1000) == pytest.approx(power_mw(edge, 1e6, 1000) + 50)
    assert Limits.met_by(idle).power_mw == leakage_by_part(idle).total
    assert area_by_part(idle) == area_by_part(edge)
