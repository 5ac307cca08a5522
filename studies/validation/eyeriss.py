"""The layers of the Eyeriss chip with their mappings and costs, and the suites of processing latency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.measured import ChipRow, EyerissRow, read_measured
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
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
from mapsearch.studies.validation.row_stationary import consistent_passes, layer_of, mapped, published_pass
from mapsearch.studies.validation.words import BESIDE, TOLD

ALEXNET, VGG16 = "alexnet", "vgg16"
MB = 2**20


@dataclass(frozen=True, slots=True)
class ChipLayer:
    """A layer of the chip, its mapping, and what the model says of it.

    fits: where the mapping was not published, the array cycles of all mappings that agree with what was measured, else empty.
    """

    row: EyerissRow
    chip: ChipRow
    mapped: MappedLayer
    costs: CountedEvaluation
    fits: tuple[int, ...]

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
    layer, published = layer_of(row, measured.ifmap_zeros_percent), published_pass(row)
    if published is None:
        return _fastest(row, measured, layer)
    found = mapped(layer, published, chip())
    return ChipLayer(row, measured, found, _costs(layer, [found])[0], ())


def _fastest(row: EyerissRow, measured: ChipRow, layer: Layer) -> ChipLayer:
    """The layer with the fastest of the mappings that agree with what was measured; the measured latency is not looked at."""
    by_levels: dict[int, list[MappedLayer]] = {}
    for each in consistent_passes(row, measured, chip()):
        try:
            found = mapped(layer, each, chip())
        except InputError:
            continue
        by_levels.setdefault(len(found.mapping.levels), []).append(found)
    costed = [(costs, found[index]) for found in by_levels.values() for index, costs in _costs(layer, found).items()]
    if not costed:
        raise InputError(
            f"layer {row.layer}: no mapping on {chip().name} has the {measured.active_pes} active PEs and the partial sums of "
            f"{measured.global_buffer_mb:g} MB that were measured; give n, e, p, q, r and t"
        )
    costs, best = min(costed, key=lambda each: each[0].array_cycles)
    return ChipLayer(row, measured, best, costs, tuple(costs.array_cycles for costs, _ in costed))


def _costs(layer: Layer, found: list[MappedLayer]) -> Mapping[int, CountedEvaluation]:
    """The costs of the mappings that fit the chip, by their places; MappingError where there is one that does not."""
    costs = evaluate_batch(layer, chip(), [each.mapping for each in found], jobs=1)
    rows = np.flatnonzero(costs.legal) if len(found) > 1 else [0]
    evaluations = {int(row): costs.evaluation(int(row)) for row in rows}
    return {row: costs for row, costs in evaluations.items() if isinstance(costs, CountedEvaluation)}


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
            Figure("processing latency, mean error", mean_error, "%", most=most_mean, beside=BESIDE[suite]),
            Figure("processing latency, worst layer", worst, "%", most=most),
        ),
        table=_table(layers),
        sources=heads(data),
        machine=chip(),
        network=network_of(suite, [layer.mapped for layer in layers]),
    )


def _table(layers: tuple[ChipLayer, ...]) -> Table:
    columns = [
        Column("layer", "layer"), Column("measured_cycles", "measured [cycles]"), Column("array_cycles", "predicted [cycles]"),
        Column("error_percent", "error [%]", "+.1f"), Column("bound_by", "most bound by"),
        Column("total_ms", "total, measured [ms]", ",.1f"), Column("total_from_ms", "from [ms]", ",.1f"),
        Column("total_to_ms", "to [ms]", ",.1f"),
    ]  # fmt: skip
    rows = [_row(layer) for layer in layers]
    if any(layer.fits for layer in layers):
        columns += [
            Column("mappings", "mappings"),
            Column("fastest_percent", "fastest [%]", "+.1f"),
            Column("slowest_percent", "slowest [%]", "+.1f"),
        ]
        rows = [(*row, *_spread(layer)) for row, layer in zip(rows, layers, strict=True)]
    return Table(tuple(columns), rows)


def _row(layer: ChipLayer) -> tuple[Value, ...]:
    costs, share = layer.costs, layer.costs.bound_share
    parts = {"compute": share.compute, "ingress": share.ingress, "egress": share.egress}
    bound = max(parts, key=lambda part: parts[part])
    processing_ms = costs.array_cycles / chip().clock_mhz / 1000
    offchip_ms = layer.chip.dram_mb * MB / float(chip().offchip.bytes_per_cycle) / chip().clock_mhz / 1000
    return (
        layer.row.layer, layer.row.measured_processing_cycles, costs.array_cycles, layer.error, f"{bound}, {parts[bound]:.0%}",
        layer.chip.total_ms, processing_ms, processing_ms + offchip_ms,
    )  # fmt: skip


def _spread(layer: ChipLayer) -> tuple[Value, ...]:
    """How many mappings agree with the chip, and the errors of the fastest and of the slowest."""
    if not layer.fits:
        return None, None, None
    off = [percent_off(cycles, layer.row.measured_processing_cycles) for cycles in (min(layer.fits), max(layer.fits))]
    return len(layer.fits), *off
