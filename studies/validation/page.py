"""The outcomes of suites as a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill

from mapsearch.studies.validation.outcome import Outcome
from mapsearch.studies.validation.words import TITLES, flowing

_WIDTH = 130  # of lines
_HEAD = """# Checked against silicon

What the exact model says of mappings that real chips ran, beside what was measured there. This page is written by `mapsearch
validate --out docs/validation.md`; `mapsearch validate --check` ends with exit code 1 where a bar is missed or the page is not
what it would write. Rows of your own, in files with the names and columns of the shipped ones, are read by `--data DIR`;
`--keep DIR` writes the mappings as directive files, with their machines, for `mapsearch evaluate`.

An error is predicted / measured - 1. The model is that of [cost_model.md](cost_model.md); the machines are described by papers
and RTL ([hardware.md](hardware.md)). No constant has been fitted to the rows but where it says so.
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """The page: all figures and their bars, then each suite with its rows, then where the rows come from."""
    return "\n".join(
        [_HEAD, *_summary(outcomes), *(line for outcome in outcomes for line in _section(outcome)), *_sources(outcomes)]
    )


def _summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## Figures and bars\n"
    rows = [
        (
            outcome.suite,
            figure.metric,
            figure.shown,
            figure.bar,
            "" if not figure.bar else "yes" if figure.met else "**no**",
            figure.beside,
        )
        for outcome in outcomes
        for figure in outcome.figures
    ]
    yield _markdown(("suite", "figure", "value", "bar", "met", "beside it"), "llrlll", rows)
    yield "What is fitted:\n"
    yield from (_item(f"{outcome.suite}: {outcome.fitted}") for outcome in outcomes)
    yield ""


def _section(outcome: Outcome) -> Iterator[str]:
    yield f"## {TITLES[outcome.suite]}\n"
    yield f"{_filled(flowing(outcome.told))}\n"
    if outcome.misses:
        yield "Known misses:\n"
        yield from map(_item, outcome.misses)
        yield ""
    table = outcome.table
    sides = ["r" if numeric else "l" for numeric in table.numeric]
    yield _markdown([column.title for column in table.columns], sides, table.shown())


def _sources(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## Sources\n"
    yield "Machines: `formats/data/hardware/eyeriss.yaml` and those in `formats/data/validation/`, each value with its source."
    yield "Rows, by the heads of their files in `formats/data/validation/`:\n"
    yield from (
        _item(f"`{name}`: {head}") for name, head in dict.fromkeys(source for outcome in outcomes for source in outcome.sources)
    )
    yield ""


def _item(text: str) -> str:
    """An item of a list, in lines."""
    return _filled(text, "- ", "  ")


def _filled(text: str, first: str = "", others: str = "") -> str:
    return fill(text, _WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False)


def _markdown(columns: Sequence[str], sides: Iterable[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; sides: l or r for each column."""
    rule = [{"l": "---", "r": "---:"}[side] for side in sides]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (columns, rule, *rows))
