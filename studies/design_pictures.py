"""A sweep's designs as pictures: area and power coloured by throughput, and energy against throughput with the optima marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsearch.studies.design_files import read_designs

# Points of a panel at the most, and what draws them where there are more designs.
POINTS = 10_000
SEED = 0
_SHOWN = ("throughput_gmacs_per_s", "energy_pj", "area_mm2", "power_mw")
# Of different forms and sizes, as one design may be best in all.
_MARKS = {"throughput": ("^", 9), "energy": ("v", 9), "energy-delay": ("o", 13)}


def draw(summary: Mapping[str, Any], parts: Sequence[Sequence[Path]], folder: Path) -> None:
    """Write area_power.png and energy_throughput.png with a panel for each pair of the summary; parts: the files of each."""
    pairs = summary["pairs"]
    shown = [sample(files, pair["valid"]) for files, pair in zip(parts, pairs, strict=True)]
    for name, panel in (("area_power", _area_power), ("energy_throughput", _energy_throughput)):
        _picture(folder / f"{name}.png", panel, pairs, shown)


def sample(files: Sequence[Path], valid: int) -> NDArray[np.void]:
    """Of the designs of the parts, `valid` in all, POINTS at random, each as likely; all where there are not more."""
    chosen = (
        np.sort(np.random.default_rng(SEED).choice(valid, min(POINTS, valid), replace=False)) if valid else np.empty(0, np.int64)
    )
    rows: list[NDArray[np.void]] = [np.empty(0, [(key, np.float64) for key in _SHOWN])]
    before = 0
    for file in files:
        for designs in read_designs(file, _SHOWN):
            here = chosen[(chosen >= before) & (chosen < before + len(designs))]
            rows.append(designs[here - before])
            before += len(designs)
    return np.concatenate(rows)


def _picture(path: Path, panel: Any, pairs: Sequence[Mapping[str, Any]], shown: Sequence[NDArray[np.void]]) -> None:  # noqa: ANN401 see above
    figures: Any = import_module("matplotlib.figure")
    columns = min(2, len(pairs))
    rows = -(-len(pairs) // columns)
    width, height = 6 * columns, 4.5 * rows
    figure = figures.Figure(figsize=(width, height))
    # Inches for the labels; a layout that measures the texts takes as long as all the drawing.
    figure.subplots_adjust(0.7 / width, 0.55 / height, 1 - 0.2 / width, 1 - 0.4 / height, wspace=0.2, hspace=0.3)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, pair, designs in zip(panels, pairs, shown, strict=False):
        number = f"{pair['valid']:,} designs" + (f", {len(designs):,} shown" if len(designs) < pair["valid"] else "")
        axes.set_title(f"{pair['dataflow']}, {pair['layer']}: {number}", fontsize=10)
        panel(figure, axes, pair, designs)
    for axes in panels[len(pairs) :]:
        axes.set_visible(False)
    figure.savefig(path, dpi=120)


def _area_power(figure: Any, axes: Any, pair: Mapping[str, Any], designs: NDArray[np.void]) -> None:  # noqa: ANN401 matplotlib's
    points = axes.scatter(designs["area_mm2"], designs["power_mw"], c=designs["throughput_gmacs_per_s"], s=3, cmap="viridis")
    figure.colorbar(points, ax=axes, label="throughput [GMAC/s]")
    axes.set(xlabel="area [mm²]", ylabel="power [mW]", xlim=(0, None), ylim=(0, None))
    _mark(axes, pair, "area_mm2", "power_mw", 1.0)


def _energy_throughput(_: Any, axes: Any, pair: Mapping[str, Any], designs: NDArray[np.void]) -> None:  # noqa: ANN401 matplotlib's
    axes.scatter(designs["throughput_gmacs_per_s"], designs["energy_pj"] / 1e9, s=3, color="0.6")
    axes.set(xlabel="throughput [GMAC/s]", ylabel="energy [mJ]", xlim=(0, None), ylim=(0, None))
    _mark(axes, pair, "throughput_gmacs_per_s", "energy_pj", 1e-9)


def _mark(axes: Any, pair: Mapping[str, Any], x: str, y: str, scale: float) -> None:  # noqa: ANN401 matplotlib's
    for name, design in pair["optima"].items():
        mark, size = _MARKS[name]
        style = {"color": "crimson", "markersize": size, "markerfacecolor": "none", "markeredgewidth": 1.6}
        axes.plot(design[x], design[y] * scale, mark, label=f"best {name}", **style)
    if pair["optima"]:
        axes.legend(fontsize=8)
