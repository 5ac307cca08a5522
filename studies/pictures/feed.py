"""The picture and the page of an input pipeline: what each of its stages can do."""

from __future__ import annotations

from collections.abc import Sequence

from mapsearch.studies.feed.feed import Feed, StorageCase
from mapsearch.studies.pictures.html import Shown, bullets, document, pairs, pictures, section, table
from mapsearch.studies.pictures.style import (
    BLACK,
    BLUE,
    ORANGE,
    ROW_INCHES,
    SKY,
    SMALL,
    TINY,
    Figure,
    as_png,
    as_svg,
    fitted,
    fix_layout,
    new_figure,
    tidy,
)
from mapsearch.studies.shown import number_text

_NAME = "rates"
_LONGEST = 5  # a bar, as a multiple of the throughput


def feed_files(found: Feed, lines: Sequence[str], suffix: str) -> dict[str, str | bytes]:
    """The picture, as a PNG or SVG file, and a page with it, by file name; lines: what the page says first."""
    figure = draw(found)
    fix_layout(figure)
    svg = as_svg(figure, _NAME)
    own, *_ = found.cases
    needed = {
        word: f"{number_text(each.needed)} {each.unit}" if each.needed is not None else f"none: {each.why}"
        for word, each in own.what_if.items()
    }
    parts = [
        bullets(lines),
        *pictures([Shown("What each stage can do", svg)]),
        section("Stages", table(("stage", "first epoch", "later"), _rows(own))),
        section("Needed to end the stall", pairs(needed)),
    ]
    content = svg if suffix == "svg" else as_png(figure)
    return {f"{_NAME}.{suffix}": content, "report.html": document(_title(found), parts)}


def draw(found: Feed) -> Figure:
    """Bars of the four rates, the fetch once for each storage and epoch, and a line at the throughput."""
    own, *_ = found.cases
    rates = own.steady.rates_per_s
    bars: list[tuple[str, float, str]] = []
    for case in found.cases:
        named = f"fetch from {fitted(case.storage, 30)}" if case.storage else "fetch"
        bars.append((f"{named}, first epoch", case.first.rates_per_s.fetch, SKY))
        bars.append((f"{named}, later", case.steady.rates_per_s.fetch, BLUE))
    bars += [("prep", rates.prep, BLUE), ("link", rates.link, BLUE), ("accelerator", rates.accelerator, BLUE)]
    longest = min(max(rate for _, rate, _ in bars), _LONGEST * own.steady.throughput_per_s)
    figure = new_figure(ROW_INCHES * 1.6 * len(bars) + 1.2, _title(found))
    axis = figure.subplots()
    for row, (name, rate, colour) in enumerate(bars):
        bound = rate == own.steady.throughput_per_s and colour == BLUE
        end, text = min(rate, longest), number_text(rate)
        axis.barh(row, end, color=ORANGE if bound else colour, height=0.75)
        text = text if end == rate else f"{text}, cut"
        axis.annotate(text, (end, row), (3, 0), textcoords="offset points", va="center", fontsize=TINY)
        bars[row] = (f"{name} (bound)" if bound else name, rate, colour)
    axis.axvline(own.steady.throughput_per_s, color=BLACK, linewidth=0.8, linestyle="--")
    axis.set_yticks(range(len(bars)), [name for name, *_ in bars])
    axis.set_ylim(len(bars) - 0.4, -0.6)
    axis.set_xlim(0, 1.1 * longest)
    axis.set_xlabel("samples a second; the line: what comes through after the first epoch", fontsize=SMALL)
    tidy(axis)
    axis.grid(visible=False, axis="y")
    return figure


def _title(found: Feed) -> str:
    return f"Input pipeline {found.pipeline}: {found.title}"


def _rows(case: StorageCase) -> list[list[str]]:
    first, later = case.first.rates_per_s.to_dict(), case.steady.rates_per_s.to_dict()
    return [[stage, number_text(first[stage]), number_text(later[stage])] for stage in first]
