"""One machine with a mapping for each layer of a network: costs, and lower bounds on the costs of any mappings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.area import least_cycles_within, power_mw
from mapsearch.model.cost import BoundedModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import DIMS, Mapping, MappingBatch, encode
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.network import network_bound

Floats = NDArray[np.float64]
SeedMappings = tuple[tuple[Mapping, ...], ...]  # for each layer, the mappings that its search starts from


@dataclass(frozen=True, slots=True)
class MappedNetwork:
    """A machine with a mapping for each of L layers, and their costs.

    mappings: None for a layer without one. runtime_cycles, energy_pj: float64[L], infinite there.
    lower_bounds: float64[L], of each layer's objective; -inf where none is known.
    """

    hardware: Hardware
    mappings: tuple[Mapping | None, ...]
    runtime_cycles: Floats
    energy_pj: Floats
    lower_bounds: Floats

    @classmethod
    def of(cls, job: LayersJob, hardware: Hardware, mappings: tuple[Mapping | None, ...], lower_bounds: Floats) -> Self:
        """The mappings with their figures on the machine."""
        figures = [_figures(job, index, hardware, mapping) for index, mapping in enumerate(mappings)]
        runtime, energy = np.array(figures, np.float64).reshape(-1, 2).T
        return cls(hardware, mappings, runtime, energy, lower_bounds)

    def better_of(self, other: MappedNetwork, job: LayersJob) -> MappedNetwork:
        """The better mapping of each layer (of equal ones, this one's), and the larger bounds.

        Where one of the two as a whole has better network objectives than this mixture, all mappings are that one's.
        """
        one, two = ([_layer_value(job, i, each) for i in range(len(job.layers))] for each in (self, other))
        chosen = tuple(b if y < x else a for a, b, x, y in zip(self.mappings, other.mappings, one, two, strict=True))
        bounds = np.maximum(self.lower_bounds, other.lower_bounds)
        both = MappedNetwork.of(job, self.hardware, chosen, bounds)
        if len(job.objectives) > 1:
            return both
        return replace(min((both, self, other), key=lambda mapped: float(mapped.values(job)[0])), lower_bounds=bounds)

    def sums(self, job: LayersJob) -> tuple[float, float]:
        """Cycles and pJ of the network; infinite where a layer has no mapping."""
        counts = np.array(job.counts, np.float64)
        return float(counts @ self.runtime_cycles), float(counts @ self.energy_pj)

    def values(self, job: LayersJob) -> Floats:
        """The network's objectives, float64[m]; infinite where a layer has no mapping."""
        runtime, energy = self.sums(job)
        if not isfinite(runtime):
            return np.full(len(job.objectives), inf)
        return network_values(job, self.hardware, runtime, energy)

    def power_mw(self) -> float:
        """The largest power of any of the mappings, each averaged over its run."""
        return float(power_mw(self.hardware, self.energy_pj, self.runtime_cycles.astype(np.int64)).max())


def _figures(job: LayersJob, index: int, hardware: Hardware, mapping: Mapping | None) -> tuple[float, float]:
    if mapping is None:
        return inf, inf
    layer = job.layers[index]
    costs = job.model.evaluate(layer, hardware, encode([mapping], layer, hardware.shape))
    return float(costs.runtime_cycles[0]), float(costs.energy_pj()[0])


def _layer_value(job: LayersJob, index: int, mapped: MappedNetwork) -> float:
    runtime, energy = mapped.runtime_cycles[index : index + 1], mapped.energy_pj[index : index + 1]
    if not np.isfinite(runtime[0]):
        return inf
    return float(job.objective.value(runtime.astype(np.int64), energy, job.layers[index].macs, mapped.hardware)[0])


def network_values(job: LayersJob, hardware: Hardware, runtime_cycles: float, energy_pj: float) -> Floats:
    """The objectives, float64[m], of a network with these sums; infinite where an objective has no finite value."""
    macs = sum(count * layer.macs for count, layer in zip(job.counts, job.layers, strict=True))
    figures = np.array([min(runtime_cycles, 2.0**62)]).astype(np.int64), np.array([energy_pj])
    values = np.array([float(each.value(*figures, macs, hardware)[0]) for each in job.objectives])
    return np.where(np.isfinite(values), values, inf)


@dataclass(frozen=True, slots=True)
class Least:
    """Lower bounds on the costs of any mappings of L layers on a machine: float64[L] cycles and pJ."""

    runtime_cycles: Floats
    energy_pj: Floats

    @classmethod
    def on(cls, job: LayersJob, hardware: Hardware) -> Self:
        """The bounds on a machine, whatever power the mappings draw; 0 where the model has none."""
        shape, model = (1, job.levels), job.model
        if not isinstance(model, BoundedModel):
            return cls(np.zeros(len(job.layers)), np.zeros(len(job.layers)))
        order = np.tile(np.arange(DIMS, dtype=np.int8), (*shape, 1))
        nothing = MappingBatch(np.zeros(shape, np.int64), np.zeros(shape, np.int8), order, np.zeros((*shape, DIMS), np.int64))
        bounds = [model.bound(layer, hardware, nothing) for layer in job.layers]
        return cls(np.array([float(each.runtime_cycles[0]) for each in bounds]), np.array([each.energy_pj[0] for each in bounds]))

    def values(self, job: LayersJob, hardware: Hardware, lower_bounds: Floats | None = None) -> Floats:
        """Lower bounds of the network's objectives on a machine, float64[m]; -inf where none is known.

        lower_bounds: of the layers' own objective on it, float64[L], if known. A bound follows from the sums of the least figures,
        where cycles are at least those in which the least energy stays within the power limit, or from Hoelder's inequality
        (`network_bound`), whichever is larger.
        """
        if not isinstance(job.model, BoundedModel):
            return np.full(len(job.objectives), -inf)
        runtime, counts = self.runtime_cycles, np.array(job.counts, np.float64)
        if job.power_mw < inf:
            runtime = np.maximum(runtime, least_cycles_within(hardware, self.energy_pj, job.power_mw))
        rounding = 1 - 1e-12  # for the rounding errors of some hundred additions
        sums = float(counts @ runtime) * rounding, float(counts @ self.energy_pj) * rounding
        found = network_values(job, hardware, *sums)
        never_fall = np.array([objective.never_falls for objective in job.objectives])
        found = np.where(never_fall & np.isfinite(found), found, -inf)
        degree = job.objective.degree
        if lower_bounds is not None and len(found) == 1 and degree and (lower_bounds > 0).all():
            found = np.maximum(found, network_bound(lower_bounds.tolist(), job.counts, degree))
        return found
