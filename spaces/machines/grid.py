"""A hardware space for a sweep: PE counts, a grid of capacities and widths, and the combinations of all other axes' values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import cast

from mapsearch.model.exact import Grid
from mapsearch.model.hardware import Hardware, Width
from mapsearch.spaces.machines.space import HardwareSpace, Value

_GRID = ("l1.bytes", "l2.bytes", "noc.bytes_per_cycle", "offchip.bytes_per_cycle")
_PES = "pes"


@dataclass(frozen=True)
class HardwareGrid:
    """The machines of a space: each combination of a setting, a PE count and a point of the grid."""

    space: HardwareSpace

    @cached_property
    def grid(self) -> Grid:
        """The values of each capacity and width: those of its axis, or the base machine's one value."""
        base = self.space.base
        l1, l2 = self._whole("l1.bytes", base.l1.bytes), self._whole("l2.bytes", base.l2.bytes)
        noc = self._values("noc.bytes_per_cycle", base.noc.bytes_per_cycle)
        return Grid(l1, l2, noc, self._values("offchip.bytes_per_cycle", base.offchip.bytes_per_cycle))

    def grid_of(self, hardware: Hardware) -> Grid:
        """The grid of a setting's machine: where each tensor has wires of its own, the network is as wide as all of these."""
        return self.grid if hardware.noc.wires is None else replace(self.grid, noc=(hardware.noc.bytes_per_cycle,))

    @cached_property
    def pes(self) -> tuple[int, ...]:
        """The PE counts, ascending."""
        return self._whole(_PES, self.space.base.pes)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of the other axes."""
        return tuple(axis.key for axis in self.space.axes if axis.key not in (*_GRID, _PES))

    @cached_property
    def settings(self) -> tuple[tuple[tuple[Value, ...], Hardware], ...]:
        """Every combination of the other axes' values, and a machine that has them."""
        ranges = [range(len(axis.values)) if axis.key in self.keys else range(1) for axis in self.space.axes]
        others = [place for place, axis in enumerate(self.space.axes) if axis.key in self.keys]
        return tuple(
            (tuple(self.space.axes[other].values[chosen[other]] for other in others), self.space.at(chosen))
            for chosen in product(*ranges)
        )

    @cached_property
    def has_fractions(self) -> bool:
        """Whether some width is no whole number."""
        grids = [self.grid_of(hardware) for _, hardware in self.settings]
        return any(isinstance(width, float) for grid in grids for width in (*grid.noc, *grid.offchip))

    def _values(self, key: str, own: Width) -> tuple[Width, ...]:
        values = next((axis.values for axis in self.space.axes if axis.key == key), (own,))
        return cast("tuple[Width, ...]", values)

    def _whole(self, key: str, own: int) -> tuple[int, ...]:
        return tuple(int(value) for value in self._values(key, own))


def sized(hardware: Hardware, pes: int, l1: int, l2: int, noc: Width, offchip: Width) -> Hardware:
    """The machine with these numbers of PEs, bytes of L1 and L2, and bytes per cycle of NoC and off-chip memory."""
    return replace(
        hardware,
        pes=pes,
        l1=replace(hardware.l1, bytes=l1),
        l2=replace(hardware.l2, bytes=l2),
        noc=replace(hardware.noc, bytes_per_cycle=noc),
        offchip=replace(hardware.offchip, bytes_per_cycle=offchip),
    )
