"""MAESTRO's numbers as a cost model, with a guard: mappings that MAESTRO miscounts are refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import Costs, Fit, Restriction, Wanted
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.evaluation import NamedFigures
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.maestro.batch import NO_SPATIAL_MAP, TILED_FILTER, UNEVEN_CLUSTERS, count_batch
from mapsearch.model.maestro.count.workspace import DONE, FIGURES, MAX_LEVELS, WORKSPACE
from mapsearch.model.maestro.figures import csv_parts_nj, needs_words
from mapsearch.model.maestro.levels import tensor_dims
from mapsearch.model.maestro.program import ENDS, fill_machine, fill_tensors
from mapsearch.model.maestro.report import report
from mapsearch.model.maestro.source import DIMS, SLIDING, Source
from mapsearch.model.maestro.translate import counted_layer, machine_of, source_dims, source_of
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.records import Floats, Ints
from mapsearch.model.tensors import Dim

_REASONS = {
    **ENDS,
    NO_SPATIAL_MAP: "MAESTRO needs a SpatialMap of one of its dims at each level",
    TILED_FILTER: "MAESTRO takes R and S only whole",
    UNEVEN_CLUSTERS: "MAESTRO needs Clusters whose product divides the PEs",
}


@dataclass(frozen=True, slots=True)
class MaestroCosts:
    """The `Costs` of B mappings as MAESTRO counts them.

    fit: int8[B]; REFUSED where the program would not take the mapping, counts another number of MACs than the layer has, or fewer
    cycles than all PEs need. figures: FIGURES[B]; fates: int64[B], see `count/workspace`.
    """

    layer: Layer
    hardware: Hardware
    batch: MappingBatch
    fit: NDArray[np.int8]
    figures: NDArray[np.void]
    fates: Ints

    @property
    def runtime_cycles(self) -> Ints:
        """See `Costs`."""
        cycles: Ints = self.figures["runtime_cycles"].astype(np.int64)
        return cycles

    def energy_pj(self) -> Floats:
        """The energies of the program's CSV."""
        l1, l2 = csv_parts_nj(self.figures, self.batch.units.shape[1])
        return 1e3 * l1 + 1e3 * l2

    def report(self, row: int) -> NamedFigures:
        """See `report.report`; MappingError where the mapping is not legal."""
        if self.fit[row] != Fit.LEGAL:
            raise MappingError(self.why_not(row))
        mapping = self.batch.decode(row, self.layer)
        return report(source_of(self.layer, mapping, self.hardware.shape), machine_of(self.hardware))

    def why_not(self, row: int) -> str:
        """See `Costs`."""
        where = f"layer {self.layer.name}"
        if int(self.fates[row]) != DONE:
            return f"{where}: {_REASONS[int(self.fates[row])]}"
        needs = [int(need[row]) for need in needs_words(self.figures)]
        for fit, name, need, has in (
            (Fit.L1_OVERFLOW, "L1", needs[0], self.hardware.l1.bytes),
            (Fit.L2_OVERFLOW, "L2", needs[1], self.hardware.l2.bytes),
        ):
            if self.fit[row] == fit:
                return f"{where}: {name} needs {need} words, as MAESTRO counts, the hardware {self.hardware.name} has {has}"
        macs, runtime = int(self.figures["macs"][row]), int(self.figures["runtime_cycles"][row])
        return f"{where}: MAESTRO counts {macs} MACs of {self.layer.macs}, in {runtime} cycles on {self.hardware.pes} PEs"


class MaestroModel:
    """The cost model of the open-source MAESTRO; see the package."""

    name = "maestro"
    format = "maestro"
    restriction = Restriction(untiled=(Dim.R, Dim.S), dividing=True, as_listed=True)

    def as_counted(self, layer: Layer) -> Layer:
        """See `CostModel`."""
        return counted_layer(layer)

    def evaluate(self, layer: Layer, hardware: Hardware, batch: MappingBatch, wanted: Wanted = Wanted.ALL) -> Costs:  # noqa: ARG002 all at once
        """The costs of each mapping; InputError where the program has no such layer or not so many levels."""
        levels = batch.units.shape[1]
        if levels > MAX_LEVELS:
            raise InputError(f"layer {layer.name}: a mapping of MAESTRO has at most {MAX_LEVELS} levels, got {levels}")
        if layer.stride != (1, 1):
            raise InputError(f"layer {layer.name}: MAESTRO counts strides wrong; give the layer with stride 1, got {layer.stride}")
        figures, fates = np.zeros(len(batch), FIGURES), np.empty(len(batch), np.int64)
        count_batch(_prepared(layer, hardware, levels).copy(), batch.arrays, figures, fates)
        return MaestroCosts(layer, hardware, batch, _fits(layer, hardware, figures, fates), figures, fates)

    def report_written(self, written: Source, hardware: Hardware) -> NamedFigures:
        """See `ToolModel` and `report.report`."""
        return report(written, machine_of(hardware))


def _fits(layer: Layer, hardware: Hardware, figures: NDArray[np.void], fates: Ints) -> NDArray[np.int8]:
    l1, l2 = needs_words(figures)
    fit = np.full(len(figures), int(Fit.LEGAL), np.int8)
    fit[l2 > hardware.l2.bytes] = Fit.L2_OVERFLOW
    fit[l1 > hardware.l1.bytes] = Fit.L1_OVERFLOW
    too_fast = figures["runtime_cycles"] * hardware.pes * hardware.simd < layer.macs
    fit[(fates != DONE) | (figures["macs"] != layer.macs) | too_fast] = Fit.REFUSED
    return fit


@lru_cache(maxsize=256)
def _prepared(layer: Layer, hardware: Hardware, levels: int) -> NDArray[np.uint8]:
    """The bytes of a WORKSPACE for the layer on the hardware."""
    named = source_dims(layer)
    buffer = np.zeros(WORKSPACE.itemsize, np.uint8)
    work: Any = buffer.view(WORKSPACE)[0]  # numpy's types know nothing of a record's fields
    fill_machine(work, machine_of(hardware))
    fill_tensors(work, tensor_dims(str(layer.type), batched=Dim.N in named))
    work["levels"] = levels
    extents = np.ones(DIMS, np.int64)
    for dim, name in named.items():
        extents[name] = layer.extents[dim]
    for slid, tap in SLIDING.items():
        if slid in named.values():
            extents[slid] += extents[tap] - 1
    work["extents"] = work["static"][0] = extents
    work["source_dims"] = [named.get(dim, -1) for dim in Dim]
    return buffer
