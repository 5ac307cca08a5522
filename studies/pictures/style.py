"""What all pictures share: sizes, colours that colour-blind people can tell apart, labels, and a figure as SVG and PNG."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from io import BytesIO, StringIO
from typing import Any, TypeAlias

import matplotlib as mpl
from matplotlib import figure as figures
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from mapsearch.studies.shown import shortened

# matplotlib's types are partly unknown, so the checkers are told nothing of them.
Axes: TypeAlias = Any
Figure: TypeAlias = Any
_mpl: Any = mpl
_figures: Any = figures

WIDTH_INCHES = 10.0
DPI = 100
SMALL, TINY = 8.0, 7.0  # points
ROW_INCHES = 0.18  # a row of text

# The palette of Okabe and Ito, "Color universal design" (2008).
BLUE, SKY, GREEN, YELLOW, ORANGE, RED, PURPLE = "#0072B2", "#56B4E9", "#009E73", "#F0E442", "#E69F00", "#D55E00", "#CC79A7"
BLACK, GREY, PALE = "#000000", "#777777", "#CCCCCC"


@dataclass(frozen=True, slots=True)
class Told:
    """A point of a picture, on one of its axes, and what a page tells of it."""

    axis: Axes
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture, or None where the run has no figures for it.

    note: what is left out, and why, in one line. told: what a page tells of points.
    """

    figure: Figure | None
    note: str = ""
    told: tuple[Told, ...] = ()


def new_figure(height_inches: float, title: str, width_inches: float = WIDTH_INCHES) -> Figure:
    """An empty figure, laid out so that nothing overlaps."""
    figure = _figures.Figure(figsize=(width_inches, height_inches), dpi=DPI, layout="constrained")
    figure.suptitle(fitted(title, 120), fontsize=SMALL + 1)
    return figure


def fitted(text: str, most: int) -> str:
    """A text as it is drawn in a place for `most` letters; dollars begin no formula."""
    return shortened(text, most).replace("$", r"\$")


def tidy(axis: Axes) -> None:
    """Small ticks, faint lines behind, and no box."""
    axis.tick_params(labelsize=SMALL)
    axis.grid(visible=True, color=PALE, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def scale_log(line: Any, unit: str = "") -> None:  # noqa: ANN401 an axis of matplotlib's
    """Give an x or a y axis a log scale, with few ticks that say the unit."""
    line.axes.set(**{f"{line.axis_name}scale": "log"})
    line.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    line.set_major_formatter(EngFormatter(unit, sep=" " if unit else ""))
    line.set_minor_formatter(NullFormatter())


def colour_bar(figure: Figure, points: Any, axis: Axes, label: str) -> None:  # noqa: ANN401 a collection of matplotlib's
    """A bar beside an axis that says what its points' colours are."""
    bar = figure.colorbar(points, ax=axis)
    bar.set_label(label, fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)


def fix_layout(figure: Figure) -> None:
    """Lay the figure out, which takes longest of all, and leave it so."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def as_png(figure: Figure) -> bytes:
    """The picture as a PNG file."""
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def with_told(svg: str, figure: Figure, told: Iterable[Told]) -> str:
    """An SVG file of a figure, whose layout is fixed, with a spot over each point within its axis, that tells its text."""
    spots: list[str] = []
    for each in told:
        x, y = each.axis.transData.transform((each.x, each.y))
        if each.axis.bbox.padded(1.0).contains(x, y):
            place = f'cx="{x * 72 / DPI:.2f}" cy="{(figure.bbox.height - y) * 72 / DPI:.2f}" r="5"'
            spots.append(f'<circle class="told" {place} data-told="{escape(each.text)}"/>\n')
    return svg.replace("</svg>", f"{''.join(spots)}</svg>")


def as_svg(figure: Figure, name: str) -> str:
    """The picture as an SVG file whose text is text, the same for the same run.

    name: of the picture; it begins all ids, so that several pictures may stand in one page.
    """
    file = StringIO()
    with _mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", file.getvalue())
