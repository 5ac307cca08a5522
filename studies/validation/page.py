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


_OWN = """## A chip of your own

`mapsearch validate ROWS.csv --fit technology --hardware H` fits the prices of H's technology to energies that were measured on
a chip. ROWS.csv has a row for each measurement: `layer`, the name of a layer in the directive file `mapping`, a path beside
ROWS.csv, and either `energy_uj`, or `power_mw` with the layer's `time_ms` (left out: the model's runtime on H).

```text
layer,mapping,power_mw,time_ms
conv1,chip.m,278,4.1
conv2,chip.m,251,10.3
```

An energy is the sum of the counted actions at their prices (MACs, L1 and L2 accesses, network, off-chip memory), of leakage,
and of a constant power over the time. Nonnegative least squares of the relative errors give each price a factor, and the
constant. Fewer than twice as many rows as coefficients are refused. Beside each row's error stands its error by the fit to all
other rows, which says how far the fit can be trusted. `--out FILE` writes the fitted technology, which a hardware file names by
its key `technology`.
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """The page: all figures and their bars, then each suite with its rows, then where the rows come from."""
    sections = [line for outcome in outcomes for line in _section(outcome)]
    return "\n".join([_HEAD, *_summary(outcomes), *sections, _OWN, *_sources(outcomes)])


FIGURES = ("suite", "figure", "value", "bar", "met", "beside it")


def figure_rows(outcomes: Sequence[Outcome], missed: str) -> list[tuple[str, ...]]:
    """A row of FIGURES for each figure; missed: what stands for a bar that is not met."""
    return [
        (
            outcome.suite,
            figure.metric,
            figure.shown,
            figure.bar,
            "" if not figure.bar else "yes" if figure.met else missed,
            figure.beside,
        )
        for outcome in outcomes
        for figure in outcome.figures
    ]


def _summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## Figures and bars\n"
    rows = figure_rows(outcomes, "**no**")
    yield _markdown(FIGURES, "llrlll", rows)
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
    yield "Machines: `eyeriss.yaml` and `vc707.yaml` in `formats/data/hardware/`, and those in `formats/data/validation/`, each"
    yield "value with its source."
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
