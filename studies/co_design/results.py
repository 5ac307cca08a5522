"""What a co-design found, as typed data: keys of results.json, and the columns of machines.csv."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import FiniteFloat

from mapsearch.model.plain import Plain
from mapsearch.spaces.machines.space import Value
from mapsearch.studies.result_fields import Count, Positive


def by_objective(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """One key, or numbered keys for several objectives."""
    return {name: values[0]} if len(values) == 1 else {f"{name}_{number}": value for number, value in enumerate(values, start=1)}


@dataclass(frozen=True, slots=True)
class MachineRow(Plain):
    """A machine of a co-design, as machines.csv has it; None for what is not known.

    values: by the keys of the hardware space's axes. area_mm2: None on an FPGA, which has dsp and bram_18k.
    power_mw: the most that any of its mappings draws.
    runtime_cycles, energy_pj, objectives: of the network; runtime_ms: where clock_mhz is an axis.
    lower_bounds: of the objectives. stage: how thoroughly it was mapped.
    status: mapped, dropped, open, or no mapping.
    """

    values: dict[str, Value]
    area_mm2: FiniteFloat | None = field(default=None, kw_only=True)
    dsp: Count | None = field(default=None, kw_only=True)
    bram_18k: Count | None = field(default=None, kw_only=True)
    power_mw: FiniteFloat | None
    runtime_cycles: Count | None
    runtime_ms: FiniteFloat | None = field(default=None, kw_only=True)
    energy_pj: FiniteFloat | None
    objectives: tuple[FiniteFloat | None, ...]
    lower_bounds: tuple[FiniteFloat | None, ...]
    stage: str
    status: str

    def to_dict(self) -> dict[str, Any]:
        """See `Plain`; each axis, objective and bound under a key of its own."""
        timed = ("runtime_ms",) if "clock_mhz" in self.values else ()
        taken = ("area_mm2",) if self.dsp is None else ("dsp", "bram_18k")
        figures = {key: getattr(self, key) for key in (*taken, "power_mw", "runtime_cycles", *timed, "energy_pj")}
        objectives = by_objective("objective", self.objectives) | by_objective("lower_bound", self.lower_bounds)
        return {**self.values, **figures, **objectives, "stage": self.stage, "status": self.status}


@dataclass(frozen=True, slots=True)
class BaselineResult(Plain):
    """A machine that co-design is compared with: how it was chosen, its hardware and figures.

    way: preset or hardware_first. gain: its objective over the best machine's - 1, None where it has no mapping.
    """

    way: Literal["preset", "hardware_first"]
    chosen: str
    hardware: dict[str, Any]
    power_mw: FiniteFloat | None
    runtime_cycles: Count | None
    runtime_ms: FiniteFloat | None = field(default=None, kw_only=True)
    energy_pj: FiniteFloat | None
    objective: FiniteFloat | None
    gain: FiniteFloat | None

    optional: ClassVar[frozenset[str]] = frozenset({"runtime_ms"})


@dataclass(frozen=True, slots=True)
class CoDesignProgress:
    """How far the search for a machine is after a stage's batch; the counts are those of `CoDesignResult`."""

    stage: str
    machines: int
    over: int
    no_mapping: int
    dropped: dict[str, int]
    mapped: dict[str, int]
    open: int
    proven: bool
    best: MachineRow | None


@dataclass(frozen=True, slots=True)
class CoDesignResult(Plain):
    """What a co-design found.

    machines: of the whole space; over: those beyond the budget, which were not mapped; no_mapping: those on which a layer has none.
    dropped: by the last stage before, mapped: by stage, how many. open: neither dropped nor mapped fully; proven: whether none is.
    clock_mhz: of several clocks, the one whose cycles objectives count. front: machines than which no other mapped one has less
    runtime, energy and area.
    """

    space: str
    machines: Positive
    over: Count
    no_mapping: Count
    dropped: dict[str, Count]
    mapped: dict[str, Count]
    open: Count
    proven: bool
    objectives: tuple[str, ...]
    clock_mhz: FiniteFloat | None = field(default=None, kw_only=True)
    best: MachineRow
    front: tuple[MachineRow, ...]
    comparison: tuple[BaselineResult, ...]

    optional: ClassVar[frozenset[str]] = frozenset({"clock_mhz"})
