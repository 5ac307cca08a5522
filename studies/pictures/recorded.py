"""What pictures take from a run's folder: config.json and results.json, checked as they come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)

from mapsearch.model.errors import InputError, show
from mapsearch.model.hardware import Hardware
from mapsearch.spaces.machines.space import KINDS
from mapsearch.studies.evaluate import machine
from mapsearch.studies.folder import CONFIG, RESULTS, RunFolder

_GO_ON = "go on with the run by mapsearch run --resume"
_ANEW = "mapsearch run --resume writes the results of an earlier version anew"
_Kind = TypeVar("_Kind")
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Step:
    """A better mapping that a search found, and after how much."""

    evaluations: PositiveInt
    seconds: NonNegativeFloat
    objective: FiniteFloat


@dataclass(frozen=True, slots=True)
class Point:
    """A mapping's place on a front."""

    runtime_cycles: PositiveInt
    energy_pj: FiniteFloat


@dataclass(frozen=True, slots=True)
class Words:
    """Words of the operands that are only read."""

    weight: NonNegativeInt
    input: NonNegativeInt


@dataclass(frozen=True, slots=True)
class Energy:
    """Energies in pJ; None for a part of which the run's cost model tells none."""

    total: FiniteFloat
    mac: FiniteFloat | None = None
    l1: FiniteFloat | None = None
    l2: FiniteFloat | None = None
    noc: FiniteFloat | None = None
    offchip: FiniteFloat | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of a layer's mapping, what `model.report.Report` tells; None where the run's cost model does not."""

    macs: PositiveInt
    runtime_cycles: PositiveInt
    energy_pj: Energy
    edp_pj_cycles: FiniteFloat
    utilization: FiniteFloat | None = None
    bound_by: Literal["compute", "ingress", "egress", "offchip"] | None = None
    throughput_macs_per_cycle: _Positive | None = None
    arithmetic_intensity_macs_per_byte: _Positive | None = None
    l2_to_l1_words: Words | None = None
    psum_read_words: NonNegativeInt = 0
    output_write_words: NonNegativeInt = 0


@dataclass(frozen=True, slots=True)
class LayerResult:
    """A layer's row of results.json, of which `found.Found.results` tells."""

    name: str
    count: PositiveInt
    objective: FiniteFloat
    gap: FiniteFloat | None
    evaluations: PositiveInt
    metrics: Metrics
    trace: list[Step]
    front: list[Point]


@dataclass(frozen=True, slots=True)
class Together:
    """The layers' mappings chosen together: for each layer the number of its front's point, from 1, and the network's own front."""

    runtime_cycles: PositiveInt
    energy_pj: FiniteFloat
    points: list[PositiveInt]
    front: list[Point] = field(default_factory=list[Point])


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the layers as often as they run."""

    layers: NonNegativeInt
    macs: NonNegativeInt
    runtime_cycles: NonNegativeInt
    runtime_ms: FiniteFloat
    energy_pj: Energy
    edp_pj_cycles: FiniteFloat
    utilization: FiniteFloat
    evaluations: NonNegativeInt
    seconds: NonNegativeFloat


@dataclass(frozen=True, slots=True)
class NetworkSums:
    """What all runs of one network add to the totals."""

    name: str
    weight: PositiveInt
    layers: NonNegativeInt
    macs: NonNegativeInt
    runtime_cycles: NonNegativeInt
    energy_pj: Energy
    edp_pj_cycles: FiniteFloat
    utilization: FiniteFloat


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A layer that has no mapping, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class MachinePoint:
    """A machine of a co-design with all layers mapped; values: by the keys of the hardware space's axes.

    runtime_ms: where machines of several clocks are compared.
    """

    values: dict[str, bool | int | float]
    area_mm2: FiniteFloat
    power_mw: FiniteFloat
    runtime_cycles: NonNegativeInt
    energy_pj: NonNegativeFloat
    runtime_ms: NonNegativeFloat | None = None


def _with_values(row: object) -> object:
    """A machine's row with the values of its axes, which stand there by their own keys, together."""
    if not isinstance(row, dict):
        return row
    known = cast("dict[str, object]", row)
    return {**known, "values": {key: value for key, value in known.items() if key in KINDS}}


_Machine = Annotated[MachinePoint, BeforeValidator(_with_values)]


@dataclass(frozen=True, slots=True)
class CoDesign:
    """What a co-design found: machines than which none is better in runtime, energy and area, and the best."""

    space: str
    front: list[_Machine]
    best: _Machine


@dataclass(frozen=True, slots=True)
class Results:
    """results.json."""

    complete: bool
    networks: list[NetworkSums]
    totals: Totals
    network: Together | None
    left_out: list[LeftOut]
    layers: list[LayerResult]
    co_design: CoDesign | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """config.json."""

    layer_set: dict[str, int] | str
    settings: dict[str, Any]
    versions: dict[str, str]
    hardware: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as its folder tells it, of one layer at least."""

    config: Config
    results: Results
    hardware: Hardware

    @property
    def layers(self) -> list[LayerResult]:
        """The layers that have a mapping."""
        return self.results.layers

    @property
    def model(self) -> str:
        """The name of the cost model."""
        return str(self.config.settings.get("model", "exact"))

    @property
    def title(self) -> str:
        """What was run, in one line."""
        objective, seed = self.config.settings.get("objective"), self.config.settings.get("seed")
        networks = ", ".join(f"{each.name} x{each.weight}" if each.weight > 1 else each.name for each in self.results.networks)
        return f"{networks} on {self.hardware.name}, objective {objective}, seed {seed}"


def read_run(path: Path) -> Recorded:
    """The run in a folder; InputError, one line, where there is none, or none of its layers has a mapping yet."""
    if not path.is_dir():
        raise InputError(f"{path}: must be a run's folder, as mapsearch run writes it, got {'a file' if path.exists() else 'none'}")
    folder = RunFolder(path)
    config = _checked(TypeAdapter(Config), folder.read(CONFIG, "name the folder of a run"), path / CONFIG)
    results = _checked(TypeAdapter(Results), folder.read(RESULTS, f"no layer has a mapping yet; {_GO_ON}"), path / RESULTS)
    if not results.layers:
        raise InputError(f"{path / RESULTS}: must hold a layer with a mapping, got none; {_GO_ON}")
    if results.network is not None:
        _check_points(results.network.points, results.layers, path / RESULTS)
    return Recorded(config, results, machine(config.hardware))


def _checked(kind: TypeAdapter[_Kind], data: Mapping[str, Any], path: Path) -> _Kind:
    try:
        return kind.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    law = (
        "is missing"
        if first["type"] == "missing"
        else f"{first['msg'].replace('Input should', 'must')}, got {show(first['input'])}"
    )
    raise InputError(f"{path}: {place} {law}; {_ANEW}")


def _check_points(points: list[int], layers: list[LayerResult], path: Path) -> None:
    if len(points) != len(layers) or any(point > len(layer.front) for point, layer in zip(points, layers, strict=True)):
        raise InputError(f"{path}: network.points must number a point of each layer's front, got {show(points)}")
