"""Cycles and energy of one layer over the density of an operand, and what of the cycles is lost to load imbalance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.ticker import EngFormatter

from mapsearch.studies.density import DensityStudy, Likeness, Point
from mapsearch.studies.pictures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    SMALL,
    TINY,
    Axes,
    Drawing,
    new_figure,
    tidy,
)
from mapsearch.studies.shown import ENERGY

_LINES = {
    Likeness.DENSE: ("dense: zeros are words like any other", BLACK, "--", ""),
    Likeness.GATING: ("gating: zeros take time, but no energy", SKY, "-", "s"),
    Likeness.SKIPPING: ("skipping: zeros take neither time nor energy", BLUE, "-", "o"),
}
_TOLD = (0.5, 0.25)  # densities whose gain stands beside the line


def draw(study: DensityStudy) -> Drawing:
    """Two panels, of cycles and of energy, with a line for each machine, and what of the cycles is lost to load imbalance."""
    title = f"{study.layer} on {study.hardware}: best mappings found for {study.objective}, over the density of {study.operand}s"
    figure = new_figure(4.4, title)
    cycles, energy = figure.subplots(1, 2)
    _panel(cycles, study, "cycles", lambda point: float(point.runtime_cycles))
    _panel(energy, study, ENERGY, lambda point: point.energy_pj / 1e6)
    told = [point for point in study.lines.get(Likeness.SKIPPING, ()) if point.balanced_runtime_cycles is not None]
    if told:
        densities, balanced = _densities(told), [point.balanced_runtime_cycles for point in told]
        cycles.plot(
            densities, balanced, color=GREEN, marker="^", markersize=4, linewidth=1.5, label="skipping, if PEs were balanced"
        )
        lost = (balanced, [point.runtime_cycles for point in told])
        cycles.fill_between(densities, *lost, color=ORANGE, alpha=0.35, linewidth=0, label="lost to load imbalance")
    figure.legend(*cycles.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False)
    return Drawing(figure)


def _panel(axis: Axes, study: DensityStudy, label: str, figure_of: Callable[[Point], float]) -> None:
    """A line for each machine, and how many times less than the first the last of them takes."""
    for likeness, points in study.lines.items():
        name, colour, line, mark = _LINES[Likeness(likeness)]
        values = [figure_of(point) for point in points]
        axis.plot(_densities(points), values, line, marker=mark, markersize=4, color=colour, linewidth=1.5, label=name)
    dense, *_, own = study.lines.values()
    for before, point in zip(dense, own, strict=True):
        if point.density in _TOLD:
            gain = f"{figure_of(before) / figure_of(point):.2g}x less"
            place = (point.density, figure_of(point))
            axis.annotate(gain, place, (4, 7), textcoords="offset points", fontsize=TINY, color=GREY, ha="right")
    axis.yaxis.set_major_formatter(EngFormatter())
    axis.set_xlim(0, 1.02)
    axis.set_ylim(bottom=0)
    axis.set_xlabel(f"density: share of {study.operand}s that are not zero", fontsize=SMALL)
    axis.set_ylabel(label, fontsize=SMALL)
    tidy(axis)


def _densities(points: Sequence[Point]) -> list[float]:
    return [point.density for point in points]
