"""Where the energy goes: the parts of each layer's, in one run of it and in all that the network makes."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.studies.pictures.style import (
    BLUE,
    GREEN,
    RED,
    ROW_INCHES,
    SKY,
    SMALL,
    TINY,
    YELLOW,
    Axes,
    Drawing,
    fitted,
    new_figure,
    tidy,
)
from mapsearch.studies.recorded import Recorded
from mapsearch.studies.results import LayerResult
from mapsearch.studies.shown import PARTS

_COLOURS = dict(zip(PARTS, (BLUE, SKY, GREEN, YELLOW, RED), strict=True))

# Energies in pJ as pictures state them.
_UNITS = ((1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"))


def draw(run: Recorded) -> Drawing:
    """Stacked bars, a row for each layer: the shares of its parts, and what all its runs add to the network."""
    layers = run.layers
    parts = [part for part in PARTS if all(part in layer.metrics.energy_pj.parts for layer in layers)]
    if not parts:
        return Drawing(None, f"energy by part, as the cost model {run.model} tells no parts that all layers have")
    one_pj = [layer.metrics.energy_pj.total for layer in layers]
    all_pj = [layer.count * energy for layer, energy in zip(layers, one_pj, strict=True)]
    unit_pj, unit = next(((pj, unit) for pj, unit in _UNITS if max(all_pj) >= pj), (1.0, "pJ"))
    figure = new_figure(ROW_INCHES * len(layers) + 1.6, f"Energy by part: {run.title}")
    one, all_runs = figure.subplots(1, 2, sharey=True)
    _bars(one, layers, parts, [100 / energy if energy else 0.0 for energy in one_pj], [energy / unit_pj for energy in one_pj])
    _bars(all_runs, layers, parts, [layer.count / unit_pj for layer in layers], [energy / unit_pj for energy in all_pj])
    one.set_xlabel(f"share of its parts [%], and the energy of one run [{unit}]", fontsize=SMALL)
    all_runs.set_xlabel(f"energy of all its runs in the network [{unit}]", fontsize=SMALL)
    one.set_yticks(range(len(layers)), [f"{fitted(layer.name, 40)} x{layer.count}" for layer in layers])
    one.set_ylim(len(layers) - 0.4, -0.6)
    figure.legend(*one.get_legend_handles_labels(), loc="outside lower center", ncols=len(parts), fontsize=SMALL, frameon=False)
    missing = [name for part, name in PARTS.items() if part not in parts]
    return Drawing(figure, f"energy of {', '.join(missing)}, as the cost model {run.model} tells none" if missing else "")


def _bars(axis: Axes, layers: Sequence[LayerResult], parts: Sequence[str], per_pj: Sequence[float], sums: Sequence[float]) -> None:
    """The bars, each part as long as its energy times `per_pj` of its layer, and the layer's sum written at the end."""
    ends = [0.0] * len(layers)
    for part in parts:
        lengths = [layer.metrics.energy_pj.parts[part] * scale for layer, scale in zip(layers, per_pj, strict=True)]
        axis.barh(range(len(layers)), lengths, left=ends, color=_COLOURS[part], label=PARTS[part], height=0.75)
        ends = [end + length for end, length in zip(ends, lengths, strict=True)]
    axis.set_xlim(0, 1.15 * max(*ends, 1e-9))
    tidy(axis)
    axis.grid(visible=False, axis="y")
    for row, (end, value) in enumerate(zip(ends, sums, strict=True)):
        axis.annotate(f"{value:.3g}", (end, row), (3, 0), textcoords="offset points", va="center", fontsize=TINY)
