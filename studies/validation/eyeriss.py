"""The layers of the Eyeriss chip with their mappings and costs, and the suites of processing latency."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.measured import ChipRow, EyerissRow, read_measured
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Count, Fit
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import encode
from mapsearch.model.sparsity import DENSE
from mapsearch.studies.batch import evaluate_batch
from mapsearch.studies.validation.outcome import (
    Column,
    Figure,
    Outcome,
    Table,
    Value,
    mean_and_worst,
    missed,
    network_of,
    percent_off,
)
from mapsearch.studies.validation.row_stationary import Pass, agreeing_passes, layer_of, mapped, published_pass
from mapsearch.studies.validation.words import BESIDE, TOLD

ALEXNET, VGG16 = "alexnet", "vgg16"
MB = 2**20


@dataclass(frozen=True, slots=True)
class ChipLayer:
    """A layer of the chip, its mapping, and what the model says of it.

    agreeing: how many mappings agree with what was measured, where the chip's was not published; else None.
    """

    row: EyerissRow
    chip: ChipRow
    chosen: Pass
    mapped: MappedLayer
    costs: CountedEvaluation
    agreeing: int | None = None

    @property
    def error(self) -> float:
        """The array's cycles against the measured ones, in percent."""
        return percent_off(self.costs.array_cycles, self.row.measured_processing_cycles)


@cache
def chip() -> Hardware:
    """The preset that stands for the chip."""
    return load_hardware("eyeriss")


@cache
def layers_of(network: str, data: Path | None) -> tuple[ChipLayer, ...]:
    """The layers of a network in the order of the rows; InputError where there are none, or one is not among the chip's figures."""
    chips = {(row.network, row.layer): row for row in read_measured(ChipRow, data).rows}
    rows = [row for row in read_measured(EyerissRow, data).rows if row.network == network]
    missing = [row.layer for row in rows if (network, row.layer) not in chips]
    if missing or not rows:
        what = (
            f"layer {missing[0]} of {network} in {ChipRow.file}"
            if missing
            else f"a layer of the network {network} in {EyerissRow.file}"
        )
        raise InputError(f"the Eyeriss suites need {what}; give a folder that has it by --data")
    return tuple(_layer(row, chips[network, row.layer]) for row in rows)


def heads(data: Path | None) -> tuple[tuple[str, str], ...]:
    """The files of the Eyeriss suites and their heads."""
    return ((ChipRow.file, read_measured(ChipRow, data).head), (EyerissRow.file, read_measured(EyerissRow, data).head))


def _layer(row: EyerissRow, measured: ChipRow) -> ChipLayer:
    layer, chosen, agreeing = layer_of(row, measured.ifmap_zeros_percent), published_pass(row), None
    if chosen is None:
        alike = replace(layer, name="", sparsity=DENSE)  # zeros cost no time
        chosen, agreeing = _fastest(alike, measured.active_pes, measured.global_buffer_mb)
    if chosen is None:
        raise InputError(
            f"layer {row.layer}: no mapping on {chip().name} has the {measured.active_pes} active PEs and the partial sums of "
            f"{measured.global_buffer_mb:g} MB that were measured; give n, e, p, q, r and t"
        )
    found = mapped(layer, chosen, chip())
    costs = evaluate_batch(layer, chip(), [found.mapping], jobs=1).evaluation(0)
    assert isinstance(costs, CountedEvaluation)  # noqa: S101 the exact model's
    return ChipLayer(row, measured, chosen, found, costs, agreeing)


@cache
def _fastest(layer: Layer, active_pes: int, buffer_mb: float) -> tuple[Pass | None, int]:
    """The pass of the fastest mapping, of all that fit the chip and agree with what was measured of it, and how many these are."""
    by_levels: dict[int, list[tuple[Pass, MappedLayer]]] = {}
    for each in agreeing_passes(layer, active_pes, buffer_mb, chip()):
        with suppress(InputError):  # its sets do not fit the array
            found = mapped(layer, each, chip())
            by_levels.setdefault(len(found.mapping.levels), []).append((each, found))
    best, least, agreeing = None, 0, 0
    for passes in by_levels.values():
        costs = ExactModel().evaluate(layer, chip(), encode([found.mapping for _, found in passes], layer, chip().shape))
        for place in np.flatnonzero(costs.fit == Fit.LEGAL):
            cycles = int(costs[Count.ARRAY_CYCLES][place])
            if best is None or cycles < least:
                best, least = passes[place][0], cycles
            agreeing += 1
    return best, agreeing


_BARS = MappingProxyType({ALEXNET: (5.0, 9.0), VGG16: (4.0, 6.0)})  # of the mean and of the worst layer


def latency(network: str, data: Path | None) -> Outcome:
    """The suite of a network's processing latency."""
    suite, layers = f"eyeriss-{network}", layers_of(network, data)
    mean_error, worst = mean_and_worst([layer.error for layer in layers])
    most_mean, most = _BARS[network]
    return Outcome(
        suite=suite,
        told=TOLD[suite],
        fitted="nothing",
        misses=missed(suite, {layer.row.layer: layer.error for layer in layers}),
        figures=(
            Figure("latency, mean error", mean_error, "%", most=most_mean, beside=BESIDE[suite]),
            Figure("latency, worst layer", worst, "%", most=most),
        ),
        table=_table(layers),
        sources=heads(data),
        machine=chip(),
        network=network_of(suite, [layer.mapped for layer in layers]),
    )


def _table(layers: tuple[ChipLayer, ...]) -> Table:
    columns = (
        Column("layer", "layer"), Column("pass", "n e p q r t"), Column("mappings", "mappings"),
        Column("measured_cycles", "measured [cycles]"), Column("array_cycles", "predicted [cycles]"),
        Column("error_percent", "error [%]", "+.1f"), Column("bound_by", "most bound by"),
        Column("total_ms", "total [ms]", ",.1f"), Column("total_from_ms", "from [ms]", ",.1f"),
        Column("total_to_ms", "to [ms]", ",.1f"),
    )  # fmt: skip
    return Table(columns, [_row(layer) for layer in layers])


def _row(layer: ChipLayer) -> tuple[Value, ...]:
    costs, share = layer.costs, layer.costs.bound_share
    parts = {"compute": share.compute, "ingress": share.ingress, "egress": share.egress}
    bound = max(parts, key=lambda part: parts[part])
    processing_ms = costs.array_cycles / chip().clock_mhz / 1000
    offchip_ms = layer.chip.dram_mb * MB / float(chip().offchip.bytes_per_cycle) / chip().clock_mhz / 1000
    return (
        layer.row.layer, " ".join(map(str, astuple(layer.chosen))), layer.agreeing, layer.row.measured_processing_cycles,
        costs.array_cycles, layer.error, f"{bound} {parts[bound]:.0%}", layer.chip.total_ms, processing_ms,
        processing_ms + offchip_ms,
    )  # fmt: skip
