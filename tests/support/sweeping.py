"""Designs of a hardware space as the sweep finds them, and one by one from the exact model, for the tests of sweeps."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import power_mw, taken
from mapsearch.model.cost import Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.search.designs.sweep import Counted, Stretch
from mapsearch.search.designs.walk import DESIGN
from mapsearch.spaces.machines.grid import HardwareGrid, sized
from mapsearch.spaces.machines.space import HardwareSpace, Limits
from mapsearch.spaces.mappings.sweep_variants import Variants


def swept(space: HardwareSpace, variants: Variants) -> tuple[NDArray[np.void], Counted]:
    """The designs within the limits, sorted, and what the sweep counted."""
    grid, counted = HardwareGrid(space), Counted()
    found = [
        block.copy()
        for number, (_, hardware) in enumerate(grid.settings)
        for block in Stretch(variants, number, hardware, grid.pes, grid.grid_of(hardware), space.limits).blocks(counted)
    ]
    return np.sort(np.concatenate([np.empty(0, DESIGN), *found])), counted


def one_by_one(space: HardwareSpace, variants: Variants) -> NDArray[np.void]:
    """The same designs from every machine of the space by itself."""
    settings = {_rest(hardware): number for number, (_, hardware) in enumerate(HardwareGrid(space).settings)}
    machines = [space.at(places) for places in product(*(range(len(axis.values)) for axis in space.axes))]
    rows = [(settings[_rest(machine)], *row) for machine in machines for row in _on(machine, space.limits, variants)]
    return np.sort(np.array(rows, DESIGN))


def _rest(hardware: Hardware) -> Hardware:
    """What of a machine is its setting: all but PEs, capacities and widths."""
    return replace(sized(hardware, 1, 1, 1, 1, 1), name="")


def _on(hardware: Hardware, limits: Limits, variants: Variants) -> list[tuple[float, ...]]:
    if not HardwareSpace("", hardware, (), limits).allows(hardware):
        return []
    of_chip = [taken(hardware).get(key, 0) for key in ("area_mm2", "dsp", "bram_18k")]
    batch, chosen = variants.on(hardware.pes)
    costs = ExactModel().evaluate(variants.layer, hardware, batch)
    energy = costs.energy_pj()
    sizes = (hardware.l1.bytes, hardware.l2.bytes, hardware.noc.bytes_per_cycle, hardware.offchip.bytes_per_cycle)
    rows: list[tuple[float, ...]] = []
    for row in np.flatnonzero(costs.fit == Fit.LEGAL):
        cycles = int(costs.runtime_cycles[row])
        power = power_mw(hardware, float(energy[row]), cycles)
        if power <= limits.power_mw:
            throughput = variants.layer.macs * hardware.clock_mhz / 1000 / cycles
            rows.append((int(chosen[row]), hardware.pes, *sizes, cycles, throughput, float(energy[row]), *of_chip, power))
    return rows


def unlimited(space: HardwareSpace) -> HardwareSpace:
    """The space without limits, where nothing is skipped for them."""
    return replace(space, limits=Limits(inf, inf, inf, inf))
