"""Energy and the report of one mapping: golden numbers with their arithmetic, and a slow, literal re-computation."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from pooled import POOLED

from mapsearch.formats.yaml.hardware import load_hardware, names
from mapsearch.model.area import area_by_part
from mapsearch.model.cost import COUNTS, Count, Fit
from mapsearch.model.counted_costs import CountedCosts
from mapsearch.model.energy import EnergyBreakdown, energy_coefficients
from mapsearch.model.errors import MappingError
from mapsearch.model.evaluation import evaluation
from mapsearch.model.hardware import Buffer, Buffering, Hardware, Part
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.sparsity import UNCODED, Coding, Format, Formats, Sparse, uniform
from mapsearch.model.technology import BufferTechnology
from mapsearch.model.tensors import Tensor

LAYER = Layer("conv1", LayerType.CONV, (1, 1, 4, 2, 3, 3, 5, 5))  # 4*2*3*3*5*5 = 1800 MACs
SPARSE = replace(LAYER, sparsity=uniform(0.5, 0.25, 0.75))
IDEAL: Formats = (Format(Coding.IDEAL), Format(Coding.IDEAL), Format(Coding.IDEAL))
COUNTED: dict[Count, int] = {
    Count.STEPS: 90,
    Count.RUNTIME_CYCLES: 1000,
    Count.ARRAY_CYCLES: 800,
    Count.OFFCHIP_CYCLES: 400,
    Count.FILL_CYCLES: 200,
    Count.ISSUE_CYCLES: 0,
    Count.L2_TO_L1_W: 144,
    Count.L2_TO_L1_I: 196,
    Count.L2_TO_L1_O: 200,
    Count.L1_FILL_W: 288,
    Count.L1_FILL_I: 392,
    Count.L1_FILL_O: 200,
    Count.PSUM_READ: 100,
    Count.OUTPUT_WRITE: 200,
    Count.L2_ADD_READ: 7,
    Count.OFFCHIP_READ_W: 72,
    Count.OFFCHIP_READ_I: 98,
    Count.OFFCHIP_READ_O: 10,
    Count.OFFCHIP_WRITE: 110,
    Count.L1_NEED_BYTES: 64,
    Count.L2_NEED_BYTES: 4096,
    Count.COMPUTE_BOUND_CYCLES: 500,
    Count.INGRESS_BOUND_CYCLES: 200,
    Count.EGRESS_BOUND_CYCLES: 100,
    Count.PEAK_NOC_WORDS: 30,
    Count.PEAK_NOC_CYCLES: 4,
    Count.L1_NEED_W: 20,
    Count.L1_NEED_I: 30,
    Count.L1_NEED_O: 14,
    Count.L2_NEED_W: 2048,
    Count.L2_NEED_I: 1024,
    Count.L2_NEED_O: 1024,
    Count.COMPUTE_CYCLES: 600,
    Count.L2_DEPTH_W: 3,
    Count.L2_DEPTH_I: 2,
    Count.L2_DEPTH_O: 0,
}


def _counts(*changes: dict[Count, int]) -> NDArray[np.int64]:
    """int64[changes, COUNTS], or one row where there are none."""
    return np.array([[{**COUNTED, **change}[count] for count in Count] for change in changes or ({},)], dtype=np.int64)


def _energy(layer: Layer, hardware: Hardware, counts: NDArray[np.int64]) -> EnergyBreakdown:
    return energy_coefficients(layer, hardware).energy_pj(counts)


def _literal(layer: Layer, hardware: Hardware, n: NDArray[np.int64]) -> dict[str, float]:
    """Section by section as the table of reads and writes says, one sum of words * energy each."""
    technology = hardware.technology

    def shrunk(tensor: int, level: int) -> float:
        return layer.density[tensor] if hardware.sparse.formats[level] == IDEAL else 1.0

    def words(tensor: int, level: int) -> float:
        return hardware.bits[tensor] * (shrunk(tensor, level) if tensor < 2 else 1.0)

    def saved(level: int) -> tuple[int, float]:
        """What the format saves of outputs, each of which leaves for good once."""
        return 2, layer.words(Tensor.OUTPUT) * (shrunk(2, level) - 1.0)

    def access(
        technology: BufferTechnology, buffer: Buffer, level: int, reads: list[tuple[int, float]], writes: list[tuple[int, float]]
    ) -> float:
        energy = 0.0
        for law, accesses in ((technology.read_pj, reads), (technology.write_pj, writes)):
            for t, k in accesses:
                part = buffer.parts[t]
                capacity = buffer.bytes if part is None else part.bytes
                if not buffer.bypass[t]:
                    energy += k * words(t, level) * law.factor * (capacity / 1024) ** law.exponent / technology.access_bits
        return energy

    macs = layer.macs
    of_w, of_i = (layer.density[t] if t in hardware.sparse.gate else 1.0 for t in range(2))
    effectual = of_w * of_i
    psums, outputs = int(n[Count.PSUM_READ]), int(n[Count.OUTPUT_WRITE])
    starts = int(n[Count.L1_FILL_O]) - psums
    fill_w, fill_i = int(n[Count.L1_FILL_W]), int(n[Count.L1_FILL_I])
    off_w, off_i, off_o = int(n[Count.OFFCHIP_READ_W]), int(n[Count.OFFCHIP_READ_I]), int(n[Count.OFFCHIP_READ_O])
    off_out = int(n[Count.OFFCHIP_WRITE])
    l2_reads: list[tuple[int, float]] = [
        (0, int(n[Count.L2_TO_L1_W])),
        (1, int(n[Count.L2_TO_L1_I])),
        (2, psums),
        (2, int(n[Count.L2_ADD_READ])),
        (2, off_out),
        saved(2),
    ]
    over_noc: list[tuple[int, float]] = [(0, fill_w), (1, fill_i), (2, psums), (2, outputs)]
    over_noc += [saved(1)] * hardware.noc.reduction
    width = hardware.bits[0] * hardware.bits[1] / technology.mac_bits**2
    return {
        "mac": macs * effectual * technology.mac_pj * width,
        "l1": access(
            technology.l1,
            hardware.l1,
            0,
            [(0, macs * of_i), (1, macs * of_w), (2, (macs - starts) * effectual), (2, outputs)],
            [(2, macs * effectual), (0, fill_w), (1, fill_i), (2, psums)],
        ),
        "noc": technology.noc_pj_per_bit * sum(k * words(t, 1) for t, k in over_noc),
        "l2": access(technology.l2, hardware.l2, 2, l2_reads, [(0, off_w), (1, off_i), (2, outputs), (2, off_o), saved(2)]),
        "offchip": technology.offchip_pj_per_bit
        * sum(k * words(t, 3) for t, k in [(0, off_w), (1, off_i), (2, off_o), (2, off_out), saved(3)]),
    }


def test_golden_energy_of_whole_numbers() -> None:
    """With MAC 1, L1 1, network 2, L2 6 and DRAM 200 a 16-bit word, the energies are whole numbers."""
    got = _energy(LAYER, POOLED, _counts())
    assert got.mac.tolist() == [1800.0]
    # 4 accesses a MAC, less the 200 - 100 fills that start at zero; 200 outputs read; fills 288 + 392 and 100 partial sums written
    assert got.l1.tolist() == [4 * 1800 - 100 + 200 + 288 + 392 + 100] == [8080.0]
    # reads 144 + 196 + 100 + 7 + 110; writes 72 + 98 + 200 + 10
    assert got.l2.tolist() == [6 * (557 + 380)] == [5622.0]
    assert got.noc.tolist() == [2 * (288 + 392 + 100 + 200)] == [1960.0]
    assert got.offchip.tolist() == [200 * (72 + 98 + 10 + 110)] == [58000.0]
    assert got.total.tolist() == [1800 + 8080 + 5622 + 1960 + 58000]


def test_golden_energy_of_cacti() -> None:
    """A word costs its share of a 64-bit access of the law at the buffer's capacity; here a single weight each."""
    edge = load_hardware("edge")
    none = dict.fromkeys(Count, 0)
    got = _energy(
        LAYER, edge, _counts(none, {**none, Count.OFFCHIP_READ_W: 1}, {**none, Count.L1_FILL_W: 1}, {**none, Count.L2_TO_L1_W: 1})
    )
    assert got.mac[0] == pytest.approx(1800 * 1.03, rel=1e-12)
    # 128 KiB written: 2.76 * 128**0.432 * 8/64 = 2.8061; off-chip 8 pJ * 8 bits
    assert got.l2[1] == pytest.approx(2.76 * 128**0.432 / 8, rel=1e-12) == pytest.approx(2.8061, rel=1e-4)
    assert got.offchip[1] == 64.0
    # 0.5 KiB written: 2.76 * 0.5**0.432 * 8/64 = 0.25573; network 0.121 pJ * 8 bits
    assert got.l1[2] - got.l1[0] == pytest.approx(0.25573, rel=1e-4)
    assert got.noc[2] == pytest.approx(0.968, rel=1e-12)
    # 128 KiB read: 1.75 * 128**0.557 = 1.75 * 2**3.899 = 1.75 * 14.918 = 26.107, * 8/64 = 3.2634
    assert got.l2[3] == pytest.approx(3.2634, rel=1e-4)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("layer", [LAYER, SPARSE], ids=["dense", "sparse"])
@pytest.mark.parametrize("formats", [(UNCODED,) * 4, (IDEAL, UNCODED, IDEAL, UNCODED), (UNCODED, IDEAL, UNCODED, IDEAL)])
def test_energy_is_the_literal_sum(name: str, layer: Layer, formats: tuple[Formats, Formats, Formats, Formats]) -> None:
    """On any counts, each component is what the table of reads and writes adds up to, and the total is their sum."""
    hardware = load_hardware(name)
    hardware = replace(hardware, bits=(4, 8, 20), sparse=replace(hardware.sparse, formats=formats))
    counts = np.random.default_rng(1).integers(0, 10**9, (5, COUNTS), np.int64)
    got = _energy(layer, hardware, counts)
    for row in range(5):
        want = _literal(layer, hardware, counts[row])
        assert {part: getattr(got, part)[row] for part in want} == pytest.approx(want, rel=1e-12)
        assert got.total[row] == pytest.approx(sum(want.values()), rel=1e-12)


@pytest.mark.parametrize("gate", [(), (Tensor.WEIGHT,), (Tensor.INPUT,), (Tensor.WEIGHT, Tensor.INPUT)])
def test_energy_of_rooms_bypasses_and_gates_is_the_literal_sum(gate: tuple[Tensor, ...]) -> None:
    """Accesses cost what the tensor's own part does, none to an L2 that a tensor passes by; gates spare what a zero does."""
    edge = load_hardware("edge")
    counts = np.random.default_rng(2).integers(0, 10**6, (5, COUNTS), np.int64)
    for tensor in range(3):
        l1_parts = (Part(448) if tensor == 0 else None, Part(24) if tensor == 1 else None, Part(48) if tensor == 2 else None)
        l2 = replace(edge.l2, parts=(Part(1024), None, None), bypass=(tensor == 0, tensor == 1, tensor == 2))
        hardware = replace(edge, l1=replace(edge.l1, parts=l1_parts), l2=l2, sparse=Sparse(gate=frozenset(gate)))
        got = _energy(SPARSE, hardware, counts)
        for row in range(5):
            want = _literal(SPARSE, hardware, counts[row])
            assert {part: getattr(got, part)[row] for part in want} == pytest.approx(want, rel=1e-12)


def test_a_gate_spares_the_input_zeros() -> None:
    """With three quarters of I zero, a gated MAC takes a quarter, whatever W is; reads of W and O and writes of O likewise."""
    gated = replace(POOLED, sparse=Sparse(gate=frozenset({Tensor.INPUT})))
    got = _energy(SPARSE, gated, _counts())
    assert got.mac.tolist() == [1800 / 4]
    # I is read for each MAC; W read, O read but for its 100 starts, and O written, for one in four
    assert got.l1.tolist() == [1800 + (1800 + 1700 + 1800) / 4 + 200 + 288 + 392 + 100]


def test_energy_does_not_depend_on_the_batch() -> None:
    """A mapping has the same energy to the last digit alone and in any batch; an empty batch has none."""
    edge = load_hardware("edge")
    counts = np.random.default_rng(2).integers(0, 10**12, (257, COUNTS), np.int64)
    together = _energy(SPARSE, edge, counts).total
    alone = [float(_energy(SPARSE, edge, counts[[row]]).total[0]) for row in range(257)]
    assert together.tolist() == alone
    assert _energy(LAYER, edge, counts[:0]).total.shape == (0,)


def test_density_saves_nothing_unless_the_machine_makes_use_of_it() -> None:
    """A machine that neither gates nor compresses takes the energy of a dense layer; words cost less only where compressed."""
    dense, sparse = (_energy(layer, POOLED, _counts()) for layer in (LAYER, SPARSE))
    assert sparse == dense
    both = replace(POOLED, sparse=Sparse(gate=frozenset({Tensor.WEIGHT, Tensor.INPUT})))
    assert _energy(SPARSE, both, _counts()).mac[0] == dense.mac[0] / 8
    packed = replace(POOLED, sparse=Sparse(formats=(UNCODED, UNCODED, UNCODED, IDEAL)))
    # Each of the 100 outputs leaves for good once; what else crosses of them is partial sums.
    assert _energy(SPARSE, packed, _counts()).offchip[0] == 200 * (72 * 0.5 + 98 * 0.25 + (10 + 110 - 100 + 100 * 0.75))


def test_narrow_macs_cost_the_product_of_their_widths() -> None:
    """4-bit weights on 8-bit inputs halve the energy of an 8-bit MAC."""
    narrow = replace(load_hardware("edge"), bits=(4, 8, 16))
    assert _energy(LAYER, narrow, _counts()).mac[0] == pytest.approx(1800 * 1.03 / 2)


def test_golden_report() -> None:
    """Every field of the report, with its arithmetic, on the energies of the golden test above."""
    got = evaluation(SPARSE, POOLED, _counts()[0]).to_dict()
    energy = {"mac": 1800.0, "l1": 8080.0, "l2": 5622.0, "noc": 1960.0, "offchip": 58000.0, "total": 75462.0}
    assert got == {
        "layer": SPARSE.name,
        "legal": True,
        "macs": 1800,
        "steps": 90,
        "runtime_cycles": 1000,
        "array_cycles": 800,
        "compute_cycles": 600,
        "offchip_cycles": 400,
        "fill_cycles": 200,
        "l2_to_l1_words": {"weight": 144, "input": 196, "output": 200},
        "l1_fill_words": {"weight": 288, "input": 392, "output": 200},
        "l1_start_words": 100,
        "psum_read_words": 100,
        "output_write_words": 200,
        "l2_add_read_words": 7,
        "offchip_read_words": {"weight": 72, "input": 98, "output": 10},
        "offchip_write_words": 110,
        "l1_need_bytes": 64,
        "l2_need_bytes": 4096,
        "l2_depths": {"weight": 3, "input": 2, "output": 0},
        "energy_pj": energy,
        "edp_pj_cycles": 75462.0 * 1000,
        "area_mm2": area_by_part(POOLED).total,
        # 75462 pJ in 1000 cycles / 200 MHz = 5 us
        "power_mw": pytest.approx(75462e-12 / 5e-6 * 1e3),
        "leakage_mw": 0.0,
        "dynamic_mw": pytest.approx(75462e-12 / 5e-6 * 1e3),
        "throughput_macs_per_cycle": 1.8,
        "utilization": 1800 / (1000 * 168),
        "bound_by": "compute",
        "bound_share": {"compute": 500 / 800, "ingress": 200 / 800, "egress": 100 / 800, "offchip": 400 / 800},
        # 72 + 98 + 10 + 110 = 290 words of 2 bytes
        "arithmetic_intensity_macs_per_byte": 1800 / 580,
        "l1_reuse": {"weight": 1800 / 288, "input": 1800 / 392, "output": 1800 / 200},
        "l2_reuse": {"weight": 2.0, "input": 2.0, "output": 200 / 110},
        # 144 + 196 + 100 + 200 = 640 words in 800 cycles
        "noc_words_per_cycle": {"average": 0.8, "peak": 7.5},
        "zero_macs": 0,
        "effectual_macs": 225.0,
    }


def test_report_is_plain_data() -> None:
    """Counts are Python ints and measures are floats, so that JSON gives back the same object."""
    got = evaluation(LAYER, load_hardware("edge"), _counts()[0]).to_dict()
    assert json.loads(json.dumps(got)) == got
    floats = {
        "edp_pj_cycles",
        "area_mm2",
        "power_mw",
        "leakage_mw",
        "dynamic_mw",
        "throughput_macs_per_cycle",
        "utilization",
        "effectual_macs",
    }
    floats.add("arithmetic_intensity_macs_per_byte")
    groups = {"energy_pj", "bound_share", "l1_reuse", "l2_reuse", "noc_words_per_cycle"}
    tensors = {"l2_to_l1_words", "l1_fill_words", "offchip_read_words", "l2_depths"}
    for key, value in got.items():
        kind = float if key in floats | groups else str if key in ("layer", "bound_by") else bool if key == "legal" else int
        each = list(value.values()) if key in groups | tensors else [value]
        assert {type(one) for one in each} == {kind}, key


@pytest.mark.parametrize(
    ("change", "bound"),
    [
        ({Count.OFFCHIP_CYCLES: 801}, "offchip"),
        ({Count.OFFCHIP_CYCLES: 800}, "compute"),
        ({Count.INGRESS_BOUND_CYCLES: 500}, "compute"),
        ({Count.INGRESS_BOUND_CYCLES: 501}, "ingress"),
        ({Count.COMPUTE_BOUND_CYCLES: 100, Count.INGRESS_BOUND_CYCLES: 350, Count.EGRESS_BOUND_CYCLES: 350}, "ingress"),
        ({Count.EGRESS_BOUND_CYCLES: 501}, "egress"),
        ({Count.ISSUE_CYCLES: 799}, "compute"),
        ({Count.ISSUE_CYCLES: 800}, "issue"),
        ({Count.ISSUE_CYCLES: 900, Count.OFFCHIP_CYCLES: 850, Count.RUNTIME_CYCLES: 1100}, "issue"),
    ],
)
def test_what_bounds_the_run(change: dict[Count, int], bound: str) -> None:
    """Issue where it takes all of the run after its fill; else off-chip where it exceeds the array; else the first largest part."""
    assert evaluation(LAYER, load_hardware("edge"), _counts(change)[0]).to_dict()["bound_by"] == bound


def test_offchip_share_is_one_where_it_bounds() -> None:
    """The off-chip memory is busy all the time, after the fill, of a run that it bounds, and half of it where the array waits."""
    bound = _counts(
        {Count.OFFCHIP_CYCLES: 900, Count.RUNTIME_CYCLES: 1100}, {Count.OFFCHIP_CYCLES: 800, Count.RUNTIME_CYCLES: 1800}
    )
    shares = [evaluation(LAYER, load_hardware("edge"), counts).bound_share.offchip for counts in bound]
    assert shares == [1.0, 0.5]


def test_a_control_that_takes_time_is_told() -> None:
    """Its cycles and its share of the run after the fill, which others do not have."""
    got = evaluation(LAYER, load_hardware("edge"), _counts({Count.ISSUE_CYCLES: 600})[0])
    assert (got.to_dict()["issue_cycles"], got.to_dict()["bound_share"]["issue"]) == (600, 600 / 800)


def test_nothing_moved_gives_no_reuse() -> None:
    """A ratio over nothing is 0, so that every report is plain JSON."""
    idle: dict[Count, int] = dict.fromkeys((Count.L1_FILL_W, Count.OFFCHIP_READ_W, Count.PEAK_NOC_CYCLES), 0)
    got = evaluation(LAYER, load_hardware("edge"), _counts(idle)[0]).to_dict()
    assert (got["l1_reuse"]["weight"], got["l2_reuse"]["weight"], got["noc_words_per_cycle"]["peak"]) == (0.0, 0.0, 0.0)


def test_zero_macs_are_reported() -> None:
    """The MACs with an inserted zero of a transposed convolution stand apart."""
    assert evaluation(replace(LAYER, zero_macs=600), load_hardware("edge"), _counts()[0]).to_dict()["zero_macs"] == 600


def test_overflow_says_what_is_needed() -> None:
    """A mapping that does not fit is an error of one line with the need, the capacity and the way out; a report raises it."""
    edge = load_hardware("edge")
    l1_needs = {Count.L1_NEED_W: 600, Count.L1_NEED_I: 10, Count.L1_NEED_O: 30}
    l2_needs = {Count.L2_NEED_W: 100000, Count.L2_NEED_I: 90000, Count.L2_NEED_O: 10000}
    counts = _counts({Count.L1_NEED_BYTES: 640, Count.L2_NEED_BYTES: 200000, **l1_needs, **l2_needs})
    costs = CountedCosts(LAYER, edge, np.array([Fit.L1_OVERFLOW], np.int8), counts)
    text = costs.why_not(0)
    assert text == (
        "layer conv1, innermost level: L1 needs 640 bytes (2 x for double buffering), the hardware edge has 512; "
        "use smaller chunks there or a larger L1"
    )
    with pytest.raises(MappingError) as caught:
        costs.report(0)
    assert str(caught.value) == text
    single = replace(edge, l2=replace(edge.l2, buffering=Buffering.SINGLE))
    over = replace(costs, fit=np.array([Fit.L2_OVERFLOW], np.int8))
    assert replace(over, hardware=single).why_not(0) == (
        "layer conv1, level 0: L2 needs 200000 bytes, the hardware edge has 131072; use smaller chunks there or a larger L2"
    )
    assert "(2 x for double buffering of what moves)" in over.why_not(0)
    own = replace(edge, name="own", l1=Buffer(64, Buffering.STREAM, (Part(512), None, None)))
    assert replace(costs, hardware=own).why_not(0) == (
        "layer conv1, innermost level: the weight part of L1 needs 600 bytes (2 x for double buffering), the hardware own has 512; "
        "use smaller chunks there or a larger weight part of L1"
    )
    pool = replace(edge, l1=Buffer(32, Buffering.STREAM, (Part(640), None, None)))
    assert "innermost level: L1 needs 40 bytes, the hardware edge has 32;" in replace(costs, hardware=pool).why_not(0)
