"""The published program on one layer as written: its figures, or the error that it ends with."""

from __future__ import annotations

from typing import Any

import numpy as np

from mapsearch.model.maestro.count.mapping import count
from mapsearch.model.maestro.count.workspace import DIVIDES_BY_ZERO, NOTHING_NEW, OVERFLOWS, WORKSPACE
from mapsearch.model.maestro.levels import Level, Tensors, levels_of, tensors_of
from mapsearch.model.maestro.source import Source, SourceDim, SourceMachine

# How the program ends without figures.
ENDS = {
    DIVIDES_BY_ZERO: "a step without MACs: the published program divides by its cycles and crashes (SIGFPE)",
    NOTHING_NEW: "a TemporalMap that advances brings nothing new: the published program exits silently (code 255)",
    OVERFLOWS: "a case has 2^31 steps or more: the published program's counter overflows and it aborts (SIGABRT)",
}


def run_program(source: Source, machine: SourceMachine) -> Any:  # noqa: ANN401 a record
    """One FIGURES; InputError where the published program rejects the mapping or crashes on it."""
    levels = levels_of(source, machine.pes)
    work: Any = np.zeros(1, WORKSPACE)[0]  # numpy's types know nothing of a record's fields
    fill_machine(work, machine)
    fill_tensors(work, tensors_of(source))
    _fill_levels(work, levels)
    fate = count(work)
    if fate in ENDS:
        raise source.error(ENDS[fate])
    return work["figures"].copy()


def fill_machine(work: Any, machine: SourceMachine) -> None:  # noqa: ANN401 a record
    """Write a machine to a WORKSPACE."""
    work["pes"] = machine.pes
    work["simd"], work["noc_words"], work["noc_latency"] = machine.simd, machine.noc_words, machine.noc_latency_cycles
    work["offchip_words"] = machine.offchip_words


def fill_tensors(work: Any, tensors: Tensors) -> None:  # noqa: ANN401 a record
    """Write the dims of input, weight and output to a WORKSPACE."""
    for tensor, dims in enumerate(tensors):
        work["rank"][tensor] = [dims.index(dim) if dim in dims else -1 for dim in SourceDim]


def _fill_levels(work: Any, levels: list[Level]) -> None:  # noqa: ANN401 a record
    work["levels"] = len(levels)
    for at, level in enumerate(levels):
        work["units"][at], work["count"][at] = level.units, len(level.maps)
        work["static"][at] = [level.dims.get(dim, 1) for dim in SourceDim]
        for i, one in enumerate(level.maps):
            work["spatial"][at, i], work["dim"][at, i] = one.spatial, one.dim
            work["size"][at, i], work["offset"][at, i] = one.size, one.offset
    work["extents"] = work["static"][0]
