"""How the searches came to their best mappings: the best objective so far, over evaluations and over seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from matplotlib.patches import Patch

from mapsearch.search.mappings.incumbent import Step
from mapsearch.studies.pictures.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PALE,
    PURPLE,
    RED,
    ROW_INCHES,
    SKY,
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

_NAMED = ((BLUE, "-"), (RED, "-"), (GREEN, "-"), (PURPLE, "-"), (SKY, "--"), (ORANGE, "--"))
_CLOSE = 0.01
_EXPLAINED = """\
Curves in colour: the last to be within 1 % of their final objective, whose names have the same colour
Rows: above the final objective by at most so much; a dot where the final one was found"""
# How far above the final objective, at most, and the colour of it, from far to near.
_BANDS = (
    (float("inf"), "#FDE725", "more than 100 %"),
    (1.0, "#5DC863", "100 %"),
    (0.1, "#21908D", "10 %"),
    (0.01, "#3B528B", "1 %"),
    (0.001, "#440154", "0.1 %"),
)
_LEAST_SECONDS = 1e-4  # clocks tell no less

_Along = Callable[[Step], float]


def draw(run: Recorded) -> Drawing:
    """Curves of all layers, in colour those that took longest, above a row for each layer."""
    layers = [layer for layer in run.layers if layer.trace and layer.trace[-1].objective > 0]
    if not layers:
        return Drawing(None, "convergence, as no layer has a trace that ends with an objective above 0")
    rows = ROW_INCHES * len(layers) + 0.6
    figure = new_figure(rows + 4.6, f"Convergence: {run.title}")
    axes = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=[3.2, rows])
    sides: tuple[tuple[_Along, str, str], ...] = ((_evaluations, "mappings evaluated", ""), (_seconds, "time of the search", "s"))
    for column, (along, label, unit) in enumerate(sides):
        _curves(axes[0, column], layers, along)
        _rows(axes[1, column], layers, along)
        axes[1, column].set_xlabel(label, fontsize=SMALL)
        scale_log(axes[1, column].xaxis, unit)
    named = _named(layers)
    for layer, label in zip(layers, axes[1, 0].get_yticklabels(), strict=True):
        if layer.name in named:
            label.set(color=named[layer.name][0], fontweight="bold")
    axes[0, 0].set_ylabel("objective above the layer's final one [%]", fontsize=SMALL)
    patches = [Patch(color=colour, label=label) for _, colour, label in _BANDS]
    figure.legend(
        handles=patches, loc="outside lower center", ncols=len(_BANDS), fontsize=TINY, frameon=False,
        title=_EXPLAINED, title_fontsize=TINY,
    )  # fmt: skip
    left_out = len(run.layers) - len(layers)
    return Drawing(figure, f"convergence of {left_out} layers, which have no trace or an objective not above 0" if left_out else "")


def _evaluations(step: Step) -> float:
    return step.evaluations


def _seconds(step: Step) -> float:
    return max(step.seconds, _LEAST_SECONDS)


def _excess(layer: LayerResult) -> list[float]:
    """The objective of each step over the final one, less 1."""
    return [step.objective / layer.trace[-1].objective - 1 for step in layer.trace]


def _close_after(layer: LayerResult) -> int:
    """The evaluations that the search took to be within 1 % of its final objective."""
    return next(step.evaluations for step, excess in zip(layer.trace, _excess(layer), strict=True) if excess <= _CLOSE)


def _named(layers: Sequence[LayerResult]) -> dict[str, tuple[str, str]]:
    """Colour and line, by name, of the layers that took longest to be close to their final objective."""
    last = sorted(layers, key=_close_after)[-len(_NAMED) :]
    return {layer.name: look for layer, look in zip(last, _NAMED, strict=False)}


def _curves(axis: Axes, layers: Sequence[LayerResult], along: _Along) -> None:
    named = _named(layers)
    for layer in layers:
        xs, ys = [along(step) for step in layer.trace], [100 * excess for excess in _excess(layer)]
        if layer.name in named:
            colour, line = named[layer.name]
            axis.step(xs, ys, line, where="post", color=colour, linewidth=1.5, zorder=3)
        else:
            axis.step(xs, ys, where="post", color=PALE, linewidth=0.8)
    axis.set_yscale("symlog", linthresh=0.1, linscale=0.5)
    axis.set_ylim(bottom=0)
    tidy(axis)


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
