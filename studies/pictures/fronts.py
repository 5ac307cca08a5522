"""Pareto fronts of runtime and energy: of each layer, and of the network where the run has several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.ticker import EngFormatter, MaxNLocator

from mapsearch.model.english import counted
from mapsearch.studies.pictures.style import (
    BLUE,
    GREY,
    RED,
    SMALL,
    TINY,
    Axes,
    Drawing,
    Told,
    fitted,
    new_figure,
    tidy,
)
from mapsearch.studies.recorded import Recorded
from mapsearch.studies.results import FrontPoint, NetworkPoint

_COLUMNS = 5
_NEAR = 1.01
_LETTERS = 26  # in a line above a small picture
_CHOSEN, _OWN = "chosen for the network's sums", "the layer's own best"


class _Point(NamedTuple):
    """Cycles and energy of a mapping."""

    runtime_cycles: int
    energy_pj: float


def draw(run: Recorded) -> Drawing:
    """A small picture for each layer, with its own best mapping and the network's choice marked."""
    layers = [(number, layer) for number, layer in enumerate(run.layers) if layer.front]
    if not layers:
        return Drawing(None, "the layers' fronts, as the objective is not of both runtime and energy")
    rows, columns = -(-len(layers) // _COLUMNS), min(_COLUMNS, len(layers))
    title = f"Pareto fronts, energy over runtime in cycles, and how far each spans: {run.title}"
    figure = new_figure(1.65 * rows + 1.0 + 0.8 * (rows == 1), title)
    panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    told: list[Told] = []
    for axis, (number, layer) in zip(panels, layers, strict=False):
        _front(axis, layer.front)
        told += _told(axis, layer.front, layer.name)
        if run.results.network is not None:
            _mark(axis, layer.front[run.results.network.points[number] - 1], chosen=True)
        _mark(axis, _Point(layer.metrics.runtime_cycles, layer.metrics.energy_pj.total), chosen=False)
        axis.set_title(f"{_heading(layer.name)}\n{_span(layer.front)}", fontsize=TINY)
    for axis in panels[len(layers) :]:
        axis.remove()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False)
    return Drawing(figure, told=tuple(told))


def draw_network(run: Recorded) -> Drawing:
    """The sums of the network's choices, without the ends that gain less than 1 %, which would take most of the room."""
    network = run.results.network
    if network is None or not network.front:
        return Drawing(None, "the network's front, as the run has one objective or layers without a front")
    figure = new_figure(4.0, f"Pareto front of the network: {run.title}")
    axis = figure.subplots()
    _front(axis, network.front)
    _mark(axis, _Point(network.runtime_cycles, network.energy_pj), chosen=True)
    axis.xaxis.set_major_locator(MaxNLocator(8))
    middle = _middle(network.front)
    _show(axis, [*middle, _Point(network.runtime_cycles, network.energy_pj)])
    outside = len(network.front) - len(middle)
    beyond = (
        f"; not shown: {counted(outside, 'point')} at the ends, where cycles or energy change by less than 1 %" if outside else ""
    )
    axis.set_xlabel(f"runtime [cycles]{beyond}", fontsize=SMALL)
    axis.set_ylabel("energy", fontsize=SMALL)
    axis.legend(fontsize=SMALL)
    return Drawing(figure, told=tuple(_told(axis, network.front, "network")))


def _middle(front: Sequence[NetworkPoint]) -> Sequence[NetworkPoint]:
    """A front from the last point within 1 % of the fewest cycles to the first within 1 % of the least energy."""
    first = max(place for place, point in enumerate(front) if point.runtime_cycles <= _NEAR * front[0].runtime_cycles)
    last = min(place for place, point in enumerate(front) if point.energy_pj <= _NEAR * front[-1].energy_pj)
    return front[first : last + 1] if first < last else front


def _show(axis: Axes, points: Sequence[NetworkPoint | _Point]) -> None:
    """Limit an axis to points, with some room around them."""
    for limit, values in (
        (axis.set_xlim, [point.runtime_cycles for point in points]),
        (axis.set_ylim, [1e-12 * point.energy_pj for point in points]),
    ):
        least, most = min(values), max(values)
        room = 0.08 * (most - least) or 0.01 * most
        limit(least - room, most + room)


def _span(front: Sequence[FrontPoint]) -> str:
    """How much more cycles, and energy, the points of a front have than its least."""
    if len(front) == 1:
        return "one mapping"
    spans: list[str] = []
    for name, values in (("cycles", [point.runtime_cycles for point in front]), ("energy", [point.energy_pj for point in front])):
        ratio = max(values) / min(values) if min(values) > 0 else 1.0
        spans.append(f"{name} x{ratio:.3g}" if ratio >= 1.5 else f"{name} {100 * (ratio - 1):.2g} %")
    return ", ".join(spans)


def _heading(name: str) -> str:
    """A layer's name, its network's on a line of its own where both are too long for one."""
    network, slash, layer = name.partition("/")
    if len(name) > _LETTERS and slash:
        return f"{fitted(network + slash, _LETTERS)}\n{fitted(layer, _LETTERS)}"
    return fitted(name, _LETTERS)


def _front(axis: Axes, front: Sequence[FrontPoint | NetworkPoint]) -> None:
    xs, ys = [point.runtime_cycles for point in front], [1e-12 * point.energy_pj for point in front]
    axis.plot(xs, ys, ".-", color=GREY, markersize=4, linewidth=0.8, drawstyle="steps-post", label="front")
    axis.margins(0.12)
    axis.xaxis.set_major_locator(MaxNLocator(3))
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.yaxis.set_major_formatter(EngFormatter("J"))
    tidy(axis)
    axis.tick_params(labelsize=TINY)


def _told(axis: Axes, front: Sequence[FrontPoint | NetworkPoint], name: str) -> list[Told]:
    """What a page tells of each point of a front."""
    return [
        Told(axis, point.runtime_cycles, joules, f"{name}, point {number}\n{point.runtime_cycles:,} cycles, {joules * 1e6:,.5g} µJ")
        for number, point in enumerate(front, start=1)
        for joules in [1e-12 * point.energy_pj]
    ]


def _mark(axis: Axes, point: FrontPoint | _Point, *, chosen: bool) -> None:
    place = ([point.runtime_cycles], [1e-12 * point.energy_pj])
    if chosen:
        axis.plot(*place, "o", color=BLUE, markersize=9, fillstyle="none", markeredgewidth=1.5, label=_CHOSEN)
    else:
        axis.plot(*place, "*", color=RED, markersize=8, label=_OWN)
