"""The figures that the published program prints of a mapping, derived from its counts.

Energies are multiples of one MAC's (0.00023 nJ in its CSV): an L1 access costs 1.68 and an L2 access 18.61, whatever the buffers'
sizes. Area and power are fits over the PEs and the words that the mapping needs in each buffer. All constants are the program's.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.maestro.count.workspace import INPUT, OUTPUT, WEIGHT
from mapsearch.model.maestro.levels import Tensors
from mapsearch.model.maestro.source import Source, SourceMachine
from mapsearch.model.records import Floats

Number = float | Floats
Records = NDArray[np.void]  # FIGURES[...]

_WORDS = ("l2_size", "l1_size", "l2_write", "l2_read", "l1_write", "l1_read")
L1_ACCESS_MACS = 1.68
L2_ACCESS_MACS = 18.61
MAC_NJ = 0.00023


def _sum(figures: Records, *names: str) -> Floats:
    """Sums over the three tensors, of one figure or several."""
    total: Floats = np.concatenate([figures[name] for name in names], axis=-1).sum(axis=-1)
    return total


def needs_words(figures: Records) -> tuple[Floats, Floats]:
    """Words that the mapping needs in an L1 and in the L2."""
    return _sum(figures, "l1_size"), _sum(figures, "l2_size")


def csv_parts_nj(figures: Records, levels: int) -> tuple[Floats, Floats]:
    """The CSV's energies of L1 and of L2 accesses in nJ, float64[...]: without MACs, without outputs read from L2.

    For a mapping of two levels or more the program prints the L1 accesses of the layer before in its file. These figures are for
    a layer alone in its file, which then has none.
    """
    l1 = _sum(figures, "l1_read", "l1_write") if levels == 1 else np.zeros(figures.shape)
    l2: Floats = _sum(figures, "l2_write") + figures["l2_read"][..., INPUT] + figures["l2_read"][..., WEIGHT]
    return MAC_NJ * L1_ACCESS_MACS * l1, MAC_NJ * L2_ACCESS_MACS * l2


def printed_energy_macs(figures: Records) -> Floats:
    """The total energy that is printed, in energies of one MAC."""
    accesses = L2_ACCESS_MACS * _sum(figures, "l2_read", "l2_write") + L1_ACCESS_MACS * _sum(figures, "l1_read", "l1_write")
    total: Floats = accesses + figures["macs"]
    return total


def area_um2(figures: Records, machine: SourceMachine) -> Floats:
    """Area of PEs, L1s, L2, bus and arbiter in um^2; the buffers' sizes are what the mapping needs."""
    l1, l2 = needs_words(figures)
    pes = float(machine.pes)
    logic = pes * (283.0 * machine.simd + 0.104 * np.maximum(1.0, l1)) + 0.104 * np.maximum(1.0, l2)
    area: Floats = logic + 101.7938 * (14.662 * pes + 28.895) * machine.noc_words + max(395.473 * _arbiter(pes), 395.473)
    return area


def power_parts_mw(figures: Records, machine: SourceMachine) -> tuple[float, Floats, Floats, float]:
    """Power of PEs, L1s, L2 and network in mW, which does not depend on their activity."""
    l1, l2 = needs_words(figures)
    pes = float(machine.pes)
    network = 0.8 * (14.662 * pes + 28.895) / 1000.0 * machine.noc_words + max(0.34 * _arbiter(pes) / 1000.0, 0.34)
    return pes * 1.2223 * machine.simd, pes * 0.00345 * np.maximum(1.0, l1), 0.00345 * np.maximum(1.0, l2), network


def _arbiter(pes: float) -> float:
    return 1.2886 * pes**2 + 5.5814 * pes - 23.711


def printed(figures: Records, source: Source, tensors: Tensors, machine: SourceMachine) -> dict[str, float]:
    """All numbers that the program prints for one layer, by name; figures: one FIGURES.

    Names end in units: words, cycles, macs (energies of one MAC), nj, um2, mw. Ratios of nothing to nothing are nan.
    """
    found = {
        "macs": figures["macs"],
        "runtime_cycles": figures["runtime_cycles"],
        **_words(figures),
        **_energies(figures, len(source.levels)),
        "area_um2": area_um2(figures, machine),
        **_powers(figures, machine),
        "peak_noc_words_per_cycle": figures["peak_bandwidth"],
        "average_noc_words_per_cycle": figures["average_bandwidth"],
        "offchip_words_per_cycle": figures["offchip_bandwidth"],
        "active_pes": figures["active_pes"],
        "arithmetic_intensity_macs_per_word": figures["intensity"],
    }
    for name in ("ingress", "egress", "compute"):
        for which, field in (("min", "least"), ("max", "most"), ("average", "average")):
            found[f"{name}_{which}_cycles"] = figures[name][field]
    for name, tensor in (("input", INPUT), ("weight", WEIGHT)):
        found[f"{name}_pixels"] = prod(source.dims.get(dim.name, 1) for dim in tensors[tensor])
    return {name: float(value) for name, value in found.items()}


def _words(figures: Records) -> dict[str, Number]:
    found: dict[str, Number] = {}
    for tensor, name in ((INPUT, "input"), (WEIGHT, "weight"), (OUTPUT, "output")):
        found |= {f"{name}_{column}_words": figures[column][tensor] for column in _WORDS}
        found[f"{name}_reuse"] = _ratio(figures["l1_read"][tensor], figures["l1_write"][tensor])
    found["overall_reuse"] = _ratio(_sum(figures, "l1_read"), _sum(figures, "l1_write"))
    found["l1_need_words"], found["l2_need_words"] = needs_words(figures)
    return found


def _energies(figures: Records, levels: int) -> dict[str, Number]:
    l1_nj, l2_nj = csv_parts_nj(figures, levels)
    energy_macs, energy_nj = printed_energy_macs(figures), l1_nj + l2_nj
    throughput = _ratio(figures["macs"], figures["runtime_cycles"])
    return {
        "l2_read_energy_macs": L2_ACCESS_MACS * _sum(figures, "l2_read"),
        "l2_write_energy_macs": L2_ACCESS_MACS * _sum(figures, "l2_write"),
        "l1_read_energy_macs": L1_ACCESS_MACS * _sum(figures, "l1_read"),
        "l1_write_energy_macs": L1_ACCESS_MACS * _sum(figures, "l1_write"),
        "energy_macs": energy_macs,
        "throughput_macs_per_cycle": throughput,
        "throughput_per_energy": _ratio(throughput, energy_macs),
        "energy_nj": energy_nj,
        "throughput_per_joule": _ratio(throughput * 1e9, energy_nj),
        "macs_per_joule": _ratio(figures["macs"] * 1e9, energy_nj),
    }


def _powers(figures: Records, machine: SourceMachine) -> dict[str, Number]:
    pe, l1, l2, noc = power_parts_mw(figures, machine)
    return {"pe_power_mw": pe, "l1_power_mw": l1, "l2_power_mw": l2, "noc_power_mw": noc, "power_mw": pe + l1 + l2 + noc}


def _ratio(value: Number, per: Number) -> float:
    """A quotient as C prints it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(value) / np.float64(per))
