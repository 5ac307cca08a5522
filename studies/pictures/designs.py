"""A sweep's designs as pictures: size and power coloured by throughput, and energy against throughput with the optima marked."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.text import write_whole
from mapsearch.model.english import counted
from mapsearch.studies.pictures.style import (
    BLACK,
    GREY,
    PALE,
    PURPLE,
    RED,
    SMALL,
    Axes,
    Figure,
    as_png,
    colour_bar,
    fitted,
    new_figure,
    tidy,
)
from mapsearch.studies.sweep.parquet import part_paths, read_designs, read_names
from mapsearch.studies.sweep.summary import SweepSummary, SweptPair

# Points of a panel at the most, and what draws them where there are more designs.
POINTS = 10_000
SEED = 0
_SIZES = {"area_mm2": "area [mm²]", "dsp": "DSPs", "bram_18k": "block RAMs"}
_SHOWN = ("throughput_gmacs_per_s", "energy_pj", *_SIZES, "power_mw")
# Of different colours and forms, one inside the other, as one design may be best in all.
_MARKS = {"throughput": ("^", 9, PURPLE), "energy": ("s", 14, BLACK), "energy-delay": ("o", 21, RED)}


def draw(summary: SweepSummary) -> None:
    """Write area_power.png and energy_throughput.png to the sweep's folder, with a panel for each pair of the summary.

    Of an FPGA: dsp_power.png and bram_power.png in place of the first.
    """
    folder, pairs = Path(summary.folder), summary.pairs
    with (folder / "front.csv").open(encoding="utf-8", newline="") as file:
        fronts = list(csv.DictReader(file))
    named = [(read_names(path), path) for path in part_paths(folder)]
    names = ({"dataflow": pair.dataflow, "layer": pair.layer} for pair in pairs)
    shown = [sample([path for of, path in named if of == own], pair.valid) for own, pair in zip(names, pairs, strict=True)]
    panels: list[tuple[str, str, Panel]] = [("energy_throughput", "throughput and energy", _energy_throughput)]
    panels += [
        (f"{key.partition('_')[0]}_power", f"{_SIZES[key].partition(' [')[0]} and power", partial(_power, key))
        for key in summary.sizes
    ]
    for name, by, panel in panels:
        write_whole(folder / f"{name}.png", as_png(_picture(f"Valid designs by {by}", panel, pairs, shown, fronts)))


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


Front = Sequence[Mapping[str, str]]
Panel = Callable[[Figure, Axes, SweptPair, NDArray[np.void], Front], None]


def _picture(title: str, panel: Panel, pairs: Sequence[SweptPair], shown: Sequence[NDArray[np.void]], fronts: Front) -> Figure:
    columns = min(2, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = new_figure(3.6 * rows, title)
    panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axes, pair, designs in zip(panels, pairs, shown, strict=False):
        number = counted(pair.valid, "design") + (f", {len(designs):,} shown" if len(designs) < pair.valid else "")
        axes.set_title(f"{fitted(pair.dataflow, 30)}, {fitted(pair.layer, 30)}: {number}", fontsize=SMALL)
        tidy(axes)
        front = [design for design in fronts if (design["dataflow"], design["layer"]) == (pair.dataflow, pair.layer)]
        panel(figure, axes, pair, designs, front)
    for axes in panels[len(pairs) :]:
        axes.set_visible(False)
    marked = next((axes for axes, pair in zip(panels, pairs, strict=False) if pair.optima), None)
    if marked is not None:  # below the panels, as it would cover designs inside
        figure.legend(*marked.get_legend_handles_labels(), loc="outside lower center", ncols=1 + len(_MARKS), fontsize=SMALL)
    return figure


def _power(key: str, figure: Figure, axes: Axes, pair: SweptPair, designs: NDArray[np.void], _: Front) -> None:
    points = axes.scatter(designs[key], designs["power_mw"], c=designs["throughput_gmacs_per_s"], s=2, cmap="viridis")
    colour_bar(figure, points, axes, "throughput [GMAC/s]")
    _label(axes, _SIZES[key], "power [mW]")
    _mark(axes, pair, key, "power_mw", 1.0)


def _energy_throughput(_: Figure, axes: Axes, pair: SweptPair, designs: NDArray[np.void], front: Front) -> None:
    axes.scatter(designs["throughput_gmacs_per_s"], designs["energy_pj"] / 1e9, s=2, color=PALE)
    throughputs, energies = zip(*undominated(front), strict=True) if front else ((), ())
    axes.plot(throughputs, [energy / 1e9 for energy in energies], ".-", color=GREY, drawstyle="steps-pre", label="Pareto front")
    _label(axes, "throughput [GMAC/s]", "energy [mJ]")
    _mark(axes, pair, "throughput_gmacs_per_s", "energy_pj", 1e-9)


def undominated(front: Front) -> list[tuple[float, float]]:
    """Throughput and energy of the designs of a front of three figures than which none is better in both, the slowest first."""
    points = sorted((-float(design["throughput_gmacs_per_s"]), float(design["energy_pj"])) for design in front)
    lowest = accumulate((energy for _, energy in points), min)
    falls = [True, *(after < before for before, after in pairwise(lowest))]
    return [(-slowness, energy) for (slowness, energy), better in zip(points, falls, strict=True) if better][::-1]


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=SMALL)
    axes.set_ylabel(y, fontsize=SMALL)
    axes.set(xlim=(0, None), ylim=(0, None))


def _mark(axes: Axes, pair: SweptPair, x: str, y: str, scale: float) -> None:
    for name, design in pair.optima.items():
        mark, size, colour = _MARKS[name]
        style = {"color": colour, "markersize": size, "markerfacecolor": "none", "markeredgewidth": 1.6, "linestyle": "none"}
        axes.plot(getattr(design, x), getattr(design, y) * scale, mark, label=f"best {name}", **style)
