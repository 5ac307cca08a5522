"""A sweep's work: all designs of one layer's mappings on some PE counts, in blocks, and the number left out for each reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import AREA, BRAM, DSP, Parts, dynamic_mw, leakage_by_part, taken_by_part
from mapsearch.model.exact import Grid, cost_tables
from mapsearch.model.hardware import Hardware, Width
from mapsearch.model.mapping import MappingBatch, join_all
from mapsearch.model.records import together_per_cycle
from mapsearch.model.word_bits import units_of_a_bit
from mapsearch.search.designs.walk import COSTED, COUNTERS, DESIGN, L1, L2, Machines, Mappings, Sizes, walk
from mapsearch.spaces.machines.grid import sized
from mapsearch.spaces.machines.space import Limits
from mapsearch.spaces.mappings.sweep_variants import Variants

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# The fewest designs of a block: some 2 MB, which stay in the cache until they are saved, and let an interrupt end the work soon.
BLOCK = 2**15

# The rows of `Machines` as the limits call them, and the reasons why designs are left out.
_ROWS = (AREA, "power_mw", DSP, BRAM)
REASONS = ("bandwidth", "peak_gops", "pes", "l1", "l2", *_ROWS)


@dataclass(slots=True)
class Counted:
    """Numbers of designs: all, costed, valid (costed and within the limits), and left out by reason."""

    designs: int = 0
    costed: int = 0
    valid: int = 0
    left_out: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))

    def add(self, other: Counted) -> None:
        """Add the numbers of another."""
        self.designs += other.designs
        self.costed += other.costed
        self.valid += other.valid
        for reason, count in other.left_out.items():
            self.left_out[reason] += count


_NOTHING = Parts(pes=0.0, l1=0.0, l2=0.0, noc_bus=0.0, noc_arbiter=0.0)


@lru_cache(maxsize=64)  # all layers and dataflows need the same tables
def machine_tables(hardware: Hardware, pes: tuple[int, ...], grid: Grid, limits: Limits) -> Machines:
    """What machines like `hardware` take with these PE counts and the grid's sizes; shared, so not to be changed."""
    rows = _ROWS[: 2 if hardware.fpga is None else 4]
    tables = (_parts_of(row, hardware, pes, grid) for row in rows)
    by_pes, l1, l2, noc_bus, noc_arbiter = (np.stack(each) for each in zip(*tables, strict=True))
    return Machines(by_pes, l1, l2, noc_bus, noc_arbiter, np.array([getattr(limits, row) for row in rows]))


def _parts_of(row: str, hardware: Hardware, pes: tuple[int, ...], grid: Grid) -> tuple[Floats, ...]:
    """What each part takes, as arrays over the sizes that the part depends on: the fields of `Machines`."""

    def part(name: str, count: int, l1: int = grid.l1[0], l2: int = grid.l2[0], noc: Width = grid.noc[0]) -> float:
        machine = sized(hardware, count, l1, l2, noc, grid.offchip[0])
        parts = leakage_by_part(machine) if row == "power_mw" else taken_by_part(machine).get(row, _NOTHING)
        return float(getattr(parts, name))

    return (
        np.array([part("pes", count) for count in pes]),
        np.array([[part("l1", count, l1=size) for size in grid.l1] for count in pes]),
        _with_least(np.array([part("l2", pes[0], l2=size) for size in grid.l2])),
        _with_least(np.array([[part("noc_bus", count, noc=width) for width in grid.noc] for count in pes])),
        np.array([part("fixed", count) for count in pes]),
    )


def _with_least(values: Floats) -> Floats:
    return np.concatenate([values, values.min(axis=-1, keepdims=True)], axis=-1)


def least_taken(machines: Machines) -> Floats:
    """float64[R, P]: what the smallest machine of each PE count takes, see `Machines`."""
    least_l1: Floats = machines.l1.min(axis=2)
    return machines.pes + least_l1 + machines.l2[:, -1:] + machines.noc_bus[:, :, -1] + machines.noc_arbiter


def share_allowed(hardware: Hardware, pes: tuple[int, ...], grid: Grid, limits: Limits) -> float:
    """The share of the machines that are within the limits of their size and of leakage."""
    m = machine_tables(hardware, pes, grid, limits)
    allowed = 0
    for p in range(len(pes)):
        taken = (
            m.pes[:, p, None, None, None]
            + m.l1[:, p, :, None, None]
            + m.l2[:, None, :-1, None]
            + m.noc_bus[:, p, None, None, :-1]
            + m.noc_arbiter[:, p, None, None, None]
        )
        allowed += int((taken <= m.most[:, None, None, None]).all(axis=0).sum())
    return allowed / (len(pes) * len(grid.l1) * len(grid.l2) * len(grid.noc))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Designs that are costed together: a layer's variants on some PE counts of a setting, with every machine of the grid.

    setting: its number in the hardware space. hardware: a machine of the setting.
    """

    variants: Variants
    setting: int
    hardware: Hardware
    pes: tuple[int, ...]
    grid: Grid
    limits: Limits

    @property
    def designs(self) -> int:
        """The number of designs."""
        return self.variants.count * len(self.pes) * int(np.prod(self.grid.shape, dtype=object))

    def blocks(self, counted: Counted) -> Iterator[NDArray[np.void]]:
        """Yield the designs within the limits in blocks, DESIGN[.], in a fixed order; `counted` is complete after the last block.

        Each block is overwritten by the next one.
        """
        counted.designs += self.designs
        usable = tuple(width for width in self.grid.offchip if self._allows(width))
        per_mapping = int(np.prod(self.grid.shape[:3], dtype=object)) * len(usable)
        counted.left_out["bandwidth"] += self.designs - self.variants.count * len(self.pes) * per_mapping
        if not usable:
            return
        grid = Grid(self.grid.l1, self.grid.l2, self.grid.noc, usable)
        machines = machine_tables(self.hardware, self.pes, grid, self.limits)
        places = self._small_enough(machines, per_mapping * self.variants.count, counted)
        found = [self.variants.on(self.hardware.array or self.pes[place]) for place in places]
        variant = [chosen for _, chosen in found]
        number = sum(len(chosen) for chosen in variant)
        counted.left_out["pes"] += (self.variants.count * len(places) - number) * per_mapping
        if number:
            place = np.repeat(np.array(places, np.int64), [len(chosen) for chosen in variant])
            batch = join_all([batch for batch, _ in found])
            yield from self._walk(machines, grid, batch, place, np.concatenate(variant).astype(np.int64), counted)

    def _allows(self, offchip_bytes_per_cycle: Width) -> bool:
        """Whether the limits allow this width of off-chip memory."""
        gb_per_s = offchip_bytes_per_cycle * self.hardware.clock_mhz / 1000
        return offchip_bytes_per_cycle <= self.limits.offchip_bytes_per_cycle and gb_per_s <= self.limits.offchip_gb_per_s

    def _small_enough(self, machines: Machines, designs: int, counted: Counted) -> list[int]:
        """The indices of the PE counts for which some machine is within the limits; designs: the number for one PE count."""
        least = least_taken(machines)
        found: list[int] = []
        for place, count in enumerate(self.pes):
            # Two operations a MAC.
            if 2 * count * self.hardware.simd * self.hardware.clock_mhz / 1000 > self.limits.peak_gops:
                counted.left_out["peak_gops"] += designs
                continue
            excess = np.flatnonzero(least[:, place] > machines.most)
            if len(excess):
                counted.left_out[_ROWS[excess[0]]] += designs
            else:
                found.append(place)
        return found

    def _walk(
        self, machines: Machines, grid: Grid, batch: MappingBatch, place: Ints, variant: Ints, counted: Counted
    ) -> Iterator[NDArray[np.void]]:
        """Yield the designs of the mappings; place: the index of each mapping's PE count; variant: its number."""
        hardware = sized(self.hardware, self.pes[-1], grid.l1[-1], grid.l2[-1], grid.noc[0], grid.offchip[0])
        t = cost_tables(self.variants.layer, hardware, grid, batch)
        units, _ = together_per_cycle(grid.offchip, units_of_a_bit(self.variants.layer, hardware))
        mappings = Mappings(
            variant, place, np.array(self.pes, np.int64)[place],
            t.l1_need, t.l2_need, t.array_cycles, t.issue_cycles,
            t.offchip_units, t.waiting_units, t.first_units,
            t.l1_pj, t.l2_pj, t.noc_pj, t.offchip_pj,
        )  # fmt: skip
        l1, l2, offchip_units = (np.array(values, np.int64) for values in (grid.l1, grid.l2, units))
        noc, offchip = np.array(grid.noc, np.float64), np.array(grid.offchip, np.float64)
        gmacs_per_s_cycles = self.variants.layer.macs * hardware.clock_mhz / 1000
        per_pj = dynamic_mw(hardware, 1.0, 1)
        sizes = Sizes(
            l1, l2, noc, offchip, offchip_units, hardware.offchip.latency_cycles, per_pj, gmacs_per_s_cycles, self.setting
        )
        room = np.empty(BLOCK + int(np.prod(grid.shape[1:])), DESIGN)
        counters, at = np.zeros(COUNTERS, np.int64), np.zeros(2, np.int64)
        while at[0] < len(batch):
            count = walk(machines, mappings, sizes, at, room, counters)
            counted.valid += count
            if count:
                yield room[:count]
        counted.costed += int(counters[COSTED])
        for counter, reason in (*enumerate(_ROWS), (L1, "l1"), (L2, "l2")):
            counted.left_out[reason] += int(counters[counter])
