"""The Pareto front of the machines that a co-design mapped, over runtime, energy and size."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import EngFormatter

from mapsearch.spaces.machines.space import machine_text
from mapsearch.studies.co_design.results import MachineRow
from mapsearch.studies.pictures.numbers import number_points
from mapsearch.studies.pictures.style import GREY, RED, SMALL, TINY, Drawing, Told, colour_bar, fix_layout, new_figure, tidy
from mapsearch.studies.recorded import Recorded

_NAMED = 20  # machines at the most that have a number
# What sizes are called together, and the fields and labels of the one that is a colour and the one that is a height.
_AREA = ("area", ("area_mm2", "area [mm²]"), ("area_mm2", "area [mm²]"))
_FPGA = ("resources", ("dsp", "DSPs"), ("bram_18k", "block RAMs"))


def draw(run: Recorded) -> Drawing:
    """Energy over runtime, coloured by area, and area over runtime; the best machine marked, the machines named below.

    On an FPGA, the colours are DSPs, and block RAMs stand over runtime.
    """
    found = run.results.co_design
    if found is None:
        return Drawing(None)
    front = found.front
    named = min(len(front), _NAMED)
    best = found.best
    size, colour, height = _AREA if best.dsp is None else _FPGA
    title = f"Machines of the space {found.space}, the Pareto front of runtime, energy and {size}: {run.networks}, {run.search}"
    figure = new_figure(4.2 + 0.16 * named, title)
    left, right = figure.subplots(1, 2)
    xs = [_runtime(point) for point in front]
    heights = [getattr(point, height[0]) for point in front]
    energies = [1e-12 * (point.energy_pj or 0.0) for point in front]
    dots = left.scatter(xs, energies, c=[getattr(point, colour[0]) for point in front], cmap="viridis", s=30, zorder=3)
    colour_bar(figure, dots, left, colour[1])
    right.scatter(xs, heights, color=GREY, s=30, zorder=3)
    for axis, own in ((left, 1e-12 * (best.energy_pj or 0.0)), (right, getattr(best, height[0]))):
        axis.plot([_runtime(best)], [own], "o", color=RED, markersize=12, fillstyle="none", label="best")
        axis.set_xlabel("runtime [cycles]" if best.runtime_ms is None else "runtime [ms]", fontsize=SMALL)
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.margins(0.12)
        axis.legend(fontsize=SMALL)
        tidy(axis)
    left.yaxis.set_major_formatter(EngFormatter("J"))
    left.set_ylabel("energy", fontsize=SMALL)
    right.set_ylabel(height[1], fontsize=SMALL)
    text = "\n".join(f"{number}  {_told(point)}" for number, point in enumerate(front[:named], start=1))
    figure.supxlabel(text, fontsize=TINY, ha="left", x=0.05)
    fix_layout(figure)  # and with it the points' places
    for axis, ys in ((left, energies), (right, heights)):
        number_points(axis, range(1, named + 1), np.column_stack([xs, ys])[:named])
    told = [
        Told(axis, x, y, f"{number}  {_told(point)}")
        for axis, ys in ((left, energies), (right, heights))
        for number, (x, y, point) in enumerate(zip(xs, ys, front, strict=True), start=1)
    ]
    return Drawing(figure, told=tuple(told))


def _runtime(point: MachineRow) -> float:
    """In cycles; of several clocks, in ms."""
    return (point.runtime_cycles or 0) if point.runtime_ms is None else point.runtime_ms


def _told(point: MachineRow) -> str:
    return f"{machine_text(point.values)}: {point.power_mw:.4g} mW"
