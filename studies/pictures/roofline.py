"""The roofline of Williams, Waterman and Patterson (2009): what the machine allows, and where each layer's mapping stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.english import counted
from mapsearch.model.evaluation import CountedEvaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.tensors import Tensor
from mapsearch.studies.pictures.numbers import number_points
from mapsearch.studies.pictures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    ROW_INCHES,
    SMALL,
    TINY,
    Axes,
    Drawing,
    Told,
    fitted,
    fix_layout,
    new_figure,
    scale_log,
    tidy,
)
from mapsearch.studies.recorded import Recorded
from mapsearch.studies.shown import bound_text

_BOUNDS = {"compute": (BLUE, "o"), "ingress": (GREEN, "^"), "egress": (PURPLE, "v"), "offchip": (RED, "s"), "issue": (ORANGE, "D")}
_COLUMNS = 4


class _Layer(NamedTuple):
    """A layer in the picture: its number, from 1, its name and what its mapping comes to."""

    number: int
    name: str
    metrics: CountedEvaluation


def draw(run: Recorded) -> Drawing:
    """Points with numbers, a colour and a shape for what bounds each, and the numbers' names below."""
    layers = [
        _Layer(number, layer.name, layer.metrics)
        for number, layer in enumerate(run.layers, start=1)
        if isinstance(layer.metrics, CountedEvaluation)
    ]
    if not layers:
        return Drawing(None, f"the roofline, as the cost model {run.model} tells no off-chip bytes and no bounds")
    rows = -(-len(layers) // _COLUMNS)
    names = ROW_INCHES * rows + 0.2
    figure = new_figure(5.6 + names, f"Roofline: {run.title}")
    axis, table = figure.subplots(2, 1, height_ratios=[5.2, names])
    every = [layer.metrics for layer in layers]
    places = np.array([(each.arithmetic_intensity_macs_per_byte, each.throughput_macs_per_cycle) for each in every], np.float64)
    _roofs(axis, run.hardware, places[:, 0])
    _noc_roofs(axis, every, run.hardware)
    for bound, (colour, shape) in _BOUNDS.items():
        some = places[[each.bound_by == bound for each in every]]
        if len(some):
            axis.plot(some[:, 0], some[:, 1], shape, color=colour, markersize=6, label=f"bound by {bound_text(bound)}", zorder=3)
    axis.set_ylim(top=2 * run.hardware.pes * run.hardware.simd)
    axis.set_xlabel("MACs per off-chip byte", fontsize=SMALL)
    axis.set_ylabel("MACs per cycle", fontsize=SMALL)
    tidy(axis)
    axis.legend(fontsize=SMALL, loc="best")
    _name(table, layers, rows)
    fix_layout(figure)  # and with it the points' places
    number_points(axis, [layer.number for layer in layers], places)
    told = [
        Told(axis, x, y, f"{each.number}  {each.name}\n{y:.4g} MACs per cycle, {x:.4g} per off-chip byte\nbound by {_bound(each)}")
        for each, (x, y) in zip(layers, places.tolist(), strict=True)
    ]
    return Drawing(figure, told=tuple(told))


def _bound(layer: _Layer) -> str:
    return bound_text(layer.metrics.bound_by)


def _roofs(axis: Axes, hardware: Hardware, intensities: NDArray[np.float64]) -> None:
    """The PEs' peak, and what the off-chip memory's width allows at each intensity."""
    peak, width = hardware.pes * hardware.simd, hardware.offchip.bytes_per_cycle
    ends = [min(float(intensities.min()), peak / width) / 2, max(float(intensities.max()), peak / width) * 2]
    xs = [ends[0], peak / width, ends[1]]
    label = f"{counted(hardware.pes, 'PE')} x {counted(hardware.simd, 'MAC')}, {width} off-chip bytes per cycle"
    axis.plot(xs, [min(peak, x * width) for x in xs], color=BLACK, linewidth=1.5, label=label)
    scale_log(axis.xaxis)
    scale_log(axis.yaxis)
    axis.set_xlim(*ends)


def _noc_roofs(axis: Axes, every: Sequence[CountedEvaluation], hardware: Hardware) -> None:
    """What the NoC allows each mapping, where that is less than the roof above it."""
    roofs = [(each.arithmetic_intensity_macs_per_byte, _noc_roof(each, hardware)) for each in every]
    peak, width = hardware.pes * hardware.simd, hardware.offchip.bytes_per_cycle
    lower = [(x, roof) for x, roof in roofs if roof < min(peak, x * width)]
    if lower:
        axis.plot(
            *zip(*lower, strict=True),
            "_",
            color=GREY,
            markersize=12,
            markeredgewidth=1.5,
            label="roof of the mapping's NoC traffic",
        )


def _noc_roof(metrics: CountedEvaluation, hardware: Hardware) -> float:
    """MACs per cycle whose operands and outputs the NoC can move in its busier direction, or on its busiest wires."""
    weight, input_, output = hardware.bits
    words, noc = metrics.l2_to_l1_words, hardware.noc
    bits_in = (weight * words.weight, input_ * words.input, output * metrics.psum_read_words)
    bits_out = output * metrics.output_write_words
    if noc.wires is None:
        cycles = max(sum(bits_in), bits_out) / (8 * noc.bytes_per_cycle)
    else:
        widths = (*noc.wires, noc.wires[Tensor.OUTPUT])
        cycles = max(bits / (8 * width) for bits, width in zip((*bits_in, bits_out), widths, strict=True))
    return metrics.macs / cycles if cycles else float("inf")


def _name(axis: Axes, layers: Sequence[_Layer], rows: int) -> None:
    """The numbers with their layers' names, column after column."""
    axis.set_axis_off()
    for place, layer in enumerate(layers):
        column, row = divmod(place, rows)
        text = f"{layer.number}  {fitted(layer.name, 34)}"
        colour = _BOUNDS[layer.metrics.bound_by][0]
        axis.text(
            column / _COLUMNS, 1 - (row + 0.5) / rows, text, color=colour, fontsize=TINY, va="center", transform=axis.transAxes
        )
