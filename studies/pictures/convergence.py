"""How the searches came to their best mappings: the best objective so far, over evaluations and over seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mapsearch.model.english import counted
from mapsearch.search.mappings.incumbent import Step
from mapsearch.studies.pictures.style import (
    BLACK,
    ROW_INCHES,
    SMALL,
    TINY,
    Axes,
    Drawing,
    fitted,
    new_figure,
    scale_log,
    tidy,
)
from mapsearch.studies.recorded import Recorded
from mapsearch.studies.results import LayerResult

# How far above the final objective, at most, with colour and label, from far to near.
_BANDS = (
    (float("inf"), "#FDE725", "more than 100 %"),
    (1.0, "#5DC863", "100 to 10 %"),
    (0.1, "#21908D", "10 to 1 %"),
    (0.01, "#3B528B", "1 to 0.1 %"),
    (0.001, "#440154", "less than 0.1 %"),
)
_LEAST_SECONDS = 1e-4  # clocks tell no less

_Along = Callable[[Step], float]


def draw(run: Recorded) -> Drawing:
    """A row for each layer, coloured by how far above its final objective the search still was."""
    layers = [layer for layer in run.layers if layer.trace and layer.trace[-1].objective > 0]
    if not layers:
        return Drawing(None, "convergence, as no layer has a trace that ends with an objective above 0")
    figure = new_figure(ROW_INCHES * len(layers) + 1.6, f"Convergence: {run.title}")
    sides: tuple[tuple[_Along, str, str], ...] = ((_evaluations, "mappings evaluated", ""), (_seconds, "time of the search", "s"))
    for axis, (along, label, unit) in zip(figure.subplots(1, len(sides), sharey=True), sides, strict=True):
        _rows(axis, layers, along)
        axis.set_xlabel(label, fontsize=SMALL)
        scale_log(axis.xaxis, unit)
    found = Line2D([], [], color=BLACK, marker="o", markersize=4, linestyle="none", label="the final one is found")
    figure.legend(
        handles=[*(Patch(color=colour, label=label) for _, colour, label in _BANDS), found], loc="outside lower center",
        ncols=len(_BANDS) + 1, fontsize=TINY, frameon=False, title="how far the best objective is above the layer's final one",
        title_fontsize=TINY,
    )  # fmt: skip
    left_out = len(run.layers) - len(layers)
    return Drawing(
        figure, f"convergence of {counted(left_out, 'layer')} without a trace or with an objective not above 0" if left_out else ""
    )


def _evaluations(step: Step) -> float:
    return step.evaluations


def _seconds(step: Step) -> float:
    return max(step.seconds, _LEAST_SECONDS)


def _excess(layer: LayerResult) -> list[float]:
    """The objective of each step over the final one, less 1."""
    return [step.objective / layer.trace[-1].objective - 1 for step in layer.trace]


def _rows(axis: Axes, layers: Sequence[LayerResult], along: _Along) -> None:
    stretches = [
        (row, excess, along(step), along(until))
        for row, layer in enumerate(layers)
        for (step, excess), (until, _) in pairwise(zip(layer.trace, _excess(layer), strict=True))
    ]
    for (most, colour, _), (least, _, _) in pairwise((*_BANDS, (0.0, "", ""))):
        some = [(row, begin, end) for row, excess, begin, end in stretches if least < excess <= most]
        if some:
            rows, begins, ends = zip(*some, strict=True)
            axis.hlines(rows, begins, ends, colors=colour, linewidth=6)
    axis.plot([along(layer.trace[-1]) for layer in layers], range(len(layers)), "o", color=BLACK, markersize=4)
    axis.set_yticks(range(len(layers)), [fitted(layer.name, 40) for layer in layers])
    axis.set_ylim(len(layers) - 0.4, -0.6)
    tidy(axis)
