"""The suite of an FPGA design: times of AlexNet's layers on a VC707 board, and the DSPs and block RAMs that the design takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.measured import FpgaRow, read_measured
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.area import BRAM, DSP, taken
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.tensors import Dim
from mapsearch.studies.batch import evaluate_batch
from mapsearch.studies.validation.outcome import Column, Figure, Outcome, Table, mean_and_worst, missed, network_of, percent_off
from mapsearch.studies.validation.words import TOLD

SUITE = "zhang-fpga15"
_OUTPUT_CHANNELS, _INPUT_CHANNELS = 64, 7  # unrolled, Tm and Tn
_SIDE = 13  # of a tile of outputs, Tr and Tc


@dataclass(frozen=True, slots=True)
class FpgaLayer:
    """A row with the mapping of one of its halves, and that half's costs."""

    row: FpgaRow
    mapped: MappedLayer
    costs: CountedEvaluation

    @property
    def predicted_ms(self) -> float:
        """Of both halves."""
        return self.row.halves * self.costs.runtime_cycles / board().clock_mhz / 1000

    @property
    def error(self) -> float:
        """The time against the measured one, in percent."""
        return percent_off(self.predicted_ms, self.row.measured_ms)

    @property
    def unlike(self) -> float:
        """What measured time and rate make of the operations, against the layer's own, in percent."""
        operations = 2 * self.row.halves * self.mapped.layer.macs
        return percent_off(self.row.measured_ms * self.row.measured_gflops * 1e6, operations)


@cache
def board() -> Hardware:
    """The preset that stands for the design."""
    return load_hardware("vc707")


def mapped(row: FpgaRow) -> MappedLayer:
    """A half of the row's layer with the design's loops as directives.

    Level 0 walks over tiles: rows, columns, output and input channels. In a tile, for each place of the filter all outputs follow
    each other, one a cycle, on 64 output and 7 input channels at once.
    """
    extents = (1, 1, row.K, row.C, row.filter, row.filter, row.outputs, row.outputs)
    layer = Layer(row.layer, LayerType.CONV, extents, (row.stride, row.stride))
    tiles = ((Dim.Y, _SIDE), (Dim.X, _SIDE), (Dim.K, _OUTPUT_CHANNELS), (Dim.C, _INPUT_CHANNELS))
    outer = tuple(Directive(MapKind.TEMPORAL, size, dim) for dim, size in tiles if size < layer.extents[dim])
    within = (
        *(Directive(MapKind.TEMPORAL, 1, dim) for dim in (Dim.R, Dim.S, Dim.Y, Dim.X)),
        Directive(MapKind.SPATIAL, 1, Dim.K),
    )
    lanes = (Directive(MapKind.SPATIAL, 1, Dim.C),)
    return MappedLayer(layer, Mapping((outer, within, lanes), (_OUTPUT_CHANNELS, _INPUT_CHANNELS)))


def design(data: Path | None) -> Outcome:
    """The suite."""
    found = read_measured(FpgaRow, data)
    layers = [_costed(row) for row in found.rows]
    mean_error, worst = mean_and_worst([layer.error for layer in layers])
    measured, predicted = sum(layer.row.measured_ms for layer in layers), sum(layer.predicted_ms for layer in layers)
    dsp, bram = taken(board())[DSP], taken(board())[BRAM]
    first = found.rows[0]
    return Outcome(
        suite=SUITE,
        told=TOLD[SUITE].format(side=_SIDE),
        fitted="nothing",
        misses=missed(SUITE, {layer.row.layer: layer.error for layer in layers}),
        figures=(
            Figure("time, mean error", mean_error, "%", most=9.0),
            Figure("time, worst layer", worst, "%", most=12.0),
            Figure(
                "time of all layers, error", percent_off(predicted, measured), "%", beside=f"{predicted:.2f} of {measured:.2f} ms"
            ),
            Figure("DSPs", dsp, most=first.dsp, least=first.dsp, digits=0, beside=f"measured: {first.dsp:,}"),
            Figure("block RAMs, error", percent_off(bram, first.bram_18k), "%", beside=f"{bram:,} of {first.bram_18k:,}"),
            Figure(
                "time x rate against operations, worst",
                mean_and_worst([layer.unlike for layer in layers])[1],
                "%",
                most=0.3,
                digits=2,
            ),
        ),
        table=_table(layers),
        sources=((FpgaRow.file, found.head),),
        machine=board(),
        network=network_of(SUITE, [layer.mapped for layer in layers]),
    )


def _costed(row: FpgaRow) -> FpgaLayer:
    found = mapped(row)
    costs = evaluate_batch(found.layer, board(), [found.mapping], jobs=1).evaluation(0)
    assert isinstance(costs, CountedEvaluation)  # noqa: S101 the exact model's
    return FpgaLayer(row, found, costs)


def _table(layers: list[FpgaLayer]) -> Table:
    columns = (
        Column("layer", "layer"), Column("measured_ms", "measured [ms]", ".2f"), Column("predicted_ms", "predicted [ms]", ".2f"),
        Column("error_percent", "error [%]", "+.1f"), Column("bound_by", "bound by"),
        Column("measured_gflops", "measured [GFLOP/s]", ".2f"),
        Column("operations_error_percent", "time x rate, error [%]", "+.2f"),
    )  # fmt: skip
    rows = [
        (each.row.layer, each.row.measured_ms, each.predicted_ms, each.error, each.costs.bound_by, each.row.measured_gflops,
         each.unlike)
        for each in layers
    ]  # fmt: skip
    return Table(columns, rows)
