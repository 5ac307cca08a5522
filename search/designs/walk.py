"""Every machine of a grid with every mapping of a batch, costed in full where the machine is within the limits.

Where the smallest machine of a part of the grid takes too much of a chip or of power, the whole part is left out and counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.compiled import inlined, leaf

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Design = Any  # one record of DESIGN, as compiled code sees it

# The fields of a design that follow from its mapping and its machine.
FIGURES = ("runtime_cycles", "throughput_gmacs_per_s", "energy_pj", "area_mm2", "dsp", "bram_18k", "power_mw")

# Counters: designs left out by reason, and designs costed; the first are also the rows of `Machines`.
AREA, POWER, DSP, BRAM, L1, L2, COSTED = range(7)
COUNTERS = 7

# One design within the limits; setting: the number of the hardware space's setting; mapping: the number of the layer's variant.
# An FPGA has an area of 0, other machines have no DSPs and block RAMs.
DESIGN = np.dtype(
    [
        ("setting", np.int32),
        ("mapping", np.int32),
        ("pes", np.int64),
        ("l1_bytes", np.int64),
        ("l2_bytes", np.int64),
        ("noc_bytes_per_cycle", np.float64),
        ("offchip_bytes_per_cycle", np.float64),
        ("runtime_cycles", np.int64),
        ("throughput_gmacs_per_s", np.float64),
        ("energy_pj", np.float64),
        ("area_mm2", np.float64),
        ("dsp", np.int64),
        ("bram_18k", np.int64),
        ("power_mw", np.float64),
    ],
    align=True,
)


_WIDTHS = ("noc_bytes_per_cycle", "offchip_bytes_per_cycle")


def fields_of(*, fpga: bool, fractions: bool) -> dict[str, np.dtype[Any]]:
    """The fields of DESIGN that tell something of an FPGA, or of other machines, and their types as results have them.

    fractions: whether some width is no whole number.
    """
    silent = ("area_mm2",) if fpga else ("dsp", "bram_18k")
    types = {key: DESIGN[key] for key in DESIGN.fields or () if key not in silent}
    return types if fractions else {**types, **dict.fromkeys(_WIDTHS, np.dtype(np.int64))}


class Machines(NamedTuple):
    """The parts of a grid's machines, for each of P PE counts: [0] area in mm2, [1] leakage in mW, of FPGAs [2] DSPs, [3] BRAMs.

    The last value of l2 and of noc_bus is the smallest of the others. R: rows.
    """

    pes: Floats  # [R, P]
    l1: Floats  # [R, P, l1]
    l2: Floats  # [R, l2 + 1]
    noc_bus: Floats  # [R, P, noc + 1]
    noc_arbiter: Floats  # [R, P]
    most: Floats  # [R]


class Mappings(NamedTuple):
    """B mappings and their costs, as in `CostTables`."""

    variant: Ints  # the number of the layer's variant
    place: Ints  # of its PE count in `Machines`
    pes: Ints
    l1_need: Ints
    l2_need: Ints
    array_cycles: Ints
    issue_cycles: Ints
    offchip_units: Ints
    waiting_units: Ints
    first_units: Ints
    l1_pj: Floats
    l2_pj: Floats
    noc_pj: Floats
    offchip_pj: Floats


class Sizes(NamedTuple):
    """The grid, and figures that all of its machines share."""

    l1_bytes: Ints
    l2_bytes: Ints
    noc_bytes: Floats  # per cycle
    offchip_bytes: Floats  # per cycle
    offchip_units: Ints  # per cycle
    offchip_latency_cycles: int
    mw_cycles_per_pj: float  # of dynamic power
    gmacs_per_s_cycles: float  # throughput x runtime
    setting: int


@inlined
def _taken(m: Machines, what: int, p: int, i: int, j: int, k: int) -> float:
    """What a machine takes by a row of `Machines`, its parts added in the order of `mapsearch.model.area.Parts`."""
    return float(m.pes[what, p] + m.l1[what, p, i] + m.l2[what, j] + m.noc_bus[what, p, k] + m.noc_arbiter[what, p])


@inlined
def _excess(m: Machines, p: int, i: int, j: int, k: int) -> int:
    """The first row of `Machines` of which a machine takes too much, else -1."""
    for what in range(len(m.most)):
        if _taken(m, what, p, i, j, k) > m.most[what]:
            return what
    return -1


@inlined
def _write(t: Mappings, s: Sizes, b: int, i: int, j: int, k: int, q: int, design: Design) -> None:
    """Write the fields of a design that identify it, from the indices of its mapping and of its sizes on the grid."""
    design.setting, design.mapping, design.pes = s.setting, t.variant[b], t.pes[b]
    design.l1_bytes, design.l2_bytes = s.l1_bytes[i], s.l2_bytes[j]
    design.noc_bytes_per_cycle, design.offchip_bytes_per_cycle = s.noc_bytes[k], s.offchip_bytes[q]


@inlined
def _walk_widths(
    m: Machines, t: Mappings, s: Sizes, b: int, i: int, j: int, designs: NDArray[np.void], count: int, counters: Ints
) -> int:
    """Cost one mapping with one pair of capacities on all widths, and write designs[count] and following; returns the new count."""
    p, n_offchip = t.place[b], len(s.offchip_bytes)
    energy = t.l1_pj[b, i] + t.l2_pj[b, j] + t.noc_pj[b] + t.offchip_pj[b, j]
    for k in range(len(s.noc_bytes)):
        excess = _excess(m, p, i, j, k)
        if excess >= 0:
            counters[excess] += n_offchip
            continue
        area, static = _taken(m, AREA, p, i, j, k), _taken(m, POWER, p, i, j, k)
        fpga = len(m.most) > BRAM
        dsp, brams = int(_taken(m, DSP, p, i, j, k)) if fpga else 0, int(_taken(m, BRAM, p, i, j, k)) if fpga else 0
        for q in range(n_offchip):
            width = s.offchip_units[q]
            fill = s.offchip_latency_cycles + (t.first_units[b] + width - 1) // width
            waits = (t.waiting_units[b, j] + width - 1) // width
            work = waits + max(t.array_cycles[b, k], (t.offchip_units[b, j] + width - 1) // width)
            runtime = fill + max(work, t.issue_cycles[b])
            power = static + s.mw_cycles_per_pj * energy / runtime
            counters[COSTED] += 1
            if power > m.most[POWER]:
                counters[POWER] += 1
                continue
            design = designs[count]
            _write(t, s, b, i, j, k, q, design)
            design.runtime_cycles, design.throughput_gmacs_per_s = runtime, s.gmacs_per_s_cycles / runtime
            design.energy_pj, design.power_mw = energy, power
            design.area_mm2, design.dsp, design.bram_18k = area, dsp, brams
            count += 1
    return count


@leaf
def walk(m: Machines, t: Mappings, s: Sizes, at: Ints, designs: NDArray[np.void], counters: Ints) -> int:
    """Write the designs within the limits, from mapping at[0] with L1 at[1] on; returns their number.

    designs: DESIGN[.]; stops where it has no room for all designs of one mapping with one L1. `at` becomes the place to go on from,
    [B, 0] in the end. Adds to counters: int64[COUNTERS].
    """
    n_l1, n_l2, n_noc = len(s.l1_bytes), len(s.l2_bytes), len(s.noc_bytes)
    widths = n_noc * len(s.offchip_bytes)
    count = 0
    while at[0] < len(t.place) and count + n_l2 * widths <= len(designs):
        b, i, p = int(at[0]), int(at[1]), int(t.place[at[0]])
        at[0], at[1] = (b, i + 1) if i + 1 < n_l1 else (b + 1, 0)
        excess = L1 if s.l1_bytes[i] < t.l1_need[b] else _excess(m, p, i, n_l2, n_noc)
        if excess >= 0:
            counters[excess] += n_l2 * widths
            continue
        for j in range(n_l2):
            excess = L2 if s.l2_bytes[j] < t.l2_need[b] else _excess(m, p, i, j, n_noc)
            if excess >= 0:
                counters[excess] += widths
                continue
            count = _walk_widths(m, t, s, b, i, j, designs, count, counters)
    return count
