"""The suites of the Eyeriss chip that compare counts: traffic of the global buffer, and power, which follows from the counts."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median

from mapsearch.formats.measured import OptimumRow, read_measured
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.tensors import Tensor
from mapsearch.studies.shown import bound_text
from mapsearch.studies.validation.eyeriss import ALEXNET, MB, VGG16, ChipLayer, chip, heads, layers_of
from mapsearch.studies.validation.outcome import Column, Figure, Outcome, Table, Value, mean_and_worst, missed, percent_off
from mapsearch.studies.validation.words import BESIDE, TOLD

_ON_CHIP = ("mac", "l1", "l2", "noc")  # off-chip memory draws its power elsewhere
_NETWORK, _LAYER, _ERROR = Column("network", "network"), Column("layer", "layer"), Column("error_percent", "error [%]", "+.1f")


def buffer_mb(layer: ChipLayer) -> float:
    """The traffic of the global buffer in MB of 2^20 bytes: all that goes to the PEs and comes back, weights included."""
    sent, bits = layer.costs.l2_to_l1_words, chip().bits
    return (sent.weight * bits[Tensor.WEIGHT] + sent.input * bits[Tensor.INPUT]) / 8 / MB + sums_mb(layer.costs)


def sums_mb(costs: CountedEvaluation) -> float:
    """What partial sums and outputs move between the global buffer and the PEs, both ways, in MB of 2^20 bytes."""
    words = costs.psum_read_words + costs.output_write_words + costs.l2_add_read_words
    return words * chip().bits[Tensor.OUTPUT] / 8 / MB


def traffic(data: Path | None) -> Outcome:
    """The suite of the global buffer's traffic."""
    layers = (*layers_of(ALEXNET, data), *layers_of(VGG16, data))
    errors = [percent_off(buffer_mb(layer), layer.chip.global_buffer_mb) for layer in layers]
    named = {layer.row.layer: error for layer, error in zip(layers, errors, strict=True)}
    alexnet = [
        error for layer, error in zip(layers, errors, strict=True) if layer.row.network == ALEXNET and layer.row.layer != "CONV3"
    ]
    columns = (
        _NETWORK,
        _LAYER,
        Column("measured_mb", "measured [MB]", ",.1f"),
        Column("counted_mb", "counted [MB]", ",.1f"),
        _ERROR,
    )
    rows = [
        (layer.row.network, layer.row.layer, layer.chip.global_buffer_mb, buffer_mb(layer), error)
        for layer, error in zip(layers, errors, strict=True)
    ]
    return Outcome(
        suite="eyeriss-traffic",
        told=TOLD["eyeriss-traffic"],
        fitted="nothing. Of VGG-16, how many channels a pass has follows from its traffic; the size of the traffic does not.",
        misses=missed("eyeriss-traffic", named),
        figures=(
            Figure("traffic, median error", median(map(abs, errors)), "%", most=2.0),
            Figure("traffic, worst of AlexNet", mean_and_worst(alexnet)[1], "%", most=6.0),
        ),
        table=Table(columns, rows),
        sources=heads(data),
        machine=chip(),
    )


def activity_mw(layer: ChipLayer, parts: tuple[str, ...] = _ON_CHIP) -> float:
    """The power of the counted actions over the layer's measured time."""
    return sum(layer.costs.energy_pj.parts[part] for part in parts) * 1e-6 / layer.chip.total_ms


def power(data: Path | None) -> Outcome:
    """The suite of power: a constant that AlexNet sets, and VGG-16 predicted with it."""
    alexnet, vgg16 = layers_of(ALEXNET, data), layers_of(VGG16, data)
    idle_mw = mean(layer.chip.power_mw - activity_mw(layer) for layer in alexnet)

    def error(layer: ChipLayer) -> float:
        return percent_off(idle_mw + activity_mw(layer), layer.chip.power_mw)

    (own, _), (predicted, worst) = (mean_and_worst([error(layer) for layer in layers]) for layers in (alexnet, vgg16))
    columns = (
        _NETWORK, _LAYER, Column("zeros_percent", "zeros of input [%]"), Column("measured_mw", "measured [mW]", ".0f"),
        Column("predicted_mw", "predicted [mW]", ".0f"), _ERROR,
        *(Column(f"{part}_mw", f"{name} [mW]", ".0f") for part, name in zip(_ON_CHIP, ("MAC", "L1", "L2", "NoC"), strict=True)),
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (
            layer.row.network, layer.row.layer, layer.chip.ifmap_zeros_percent, layer.chip.power_mw, idle_mw + activity_mw(layer),
            error(layer), *(activity_mw(layer, (part,)) for part in _ON_CHIP),
        )
        for layer in (*alexnet, *vgg16)
    ]  # fmt: skip
    return Outcome(
        suite="eyeriss-power",
        told=TOLD["eyeriss-power"],
        fitted=f"one constant, {idle_mw:.0f} mW, on the {len(alexnet)} layers of AlexNet: the mean of what the counts leave open.",
        misses=(),
        figures=(
            Figure(
                "power of VGG-16, mean error", predicted, "%", most=6.0,
                beside=BESIDE["eyeriss-power"],
            ),
            Figure("power of VGG-16, worst layer", worst, "%", most=15.0),
            Figure("power of AlexNet, mean error", own, "%"),
            Figure("constant power, set on AlexNet", idle_mw, "mW", digits=0),
        ),
        table=Table(columns, rows),
        sources=heads(data),
        machine=chip(),
    )  # fmt: skip


def search(data: Path | None) -> Outcome:
    """The suite of searches, whose results are recorded: the chip's mappings beside the fastest that were found."""
    found = read_measured(OptimumRow, data)
    layers = {(layer.row.network, layer.row.layer): layer for network in (ALEXNET, VGG16) for layer in layers_of(network, data)}
    optima = [(layers[row.network, row.layer], row) for row in found.rows if (row.network, row.layer) in layers]
    columns = (
        _NETWORK, _LAYER, Column("chip_cycles", "chip's mapping [cycles]"), Column("best_cycles", "best found [cycles]"),
        Column("ratio", "times as fast", ".2f"), Column("bound_ratio", "at most", ".2f"), Column("bound_by", "bound by"),
        Column("chip_sums_mb", "chip's sums [MB]", ",.1f"), Column("best_sums_mb", "sums [MB]", ",.1f"),
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = [
        (
            row.network, row.layer, layer.costs.runtime_cycles, row.runtime_cycles, layer.costs.runtime_cycles / row.runtime_cycles,
            layer.costs.runtime_cycles / row.lower_bound_cycles, bound_text(row.bound_by), sums_mb(layer.costs), row.sums_mb,
        )
        for layer, row in optima
    ]  # fmt: skip
    return Outcome(
        suite="eyeriss-search",
        told=TOLD["eyeriss-search"],
        fitted="nothing",
        misses=(),
        figures=(),
        table=Table(columns, rows),
        sources=((OptimumRow.file, found.head),),
        machine=chip(),
    )
