"""The counts of a tool's program beside ours, with what its conventions explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mapsearch.formats.nest.counts import Case, Convention, differences
from mapsearch.studies.compare.comparison import Comparison


def compared(case: Case, conventions: Sequence[Convention], theirs: Mapping[str, float]) -> Iterator[Comparison]:
    """A row for each count of the layer."""
    explained = {
        figure: (number, convention.because)
        for convention in conventions
        for figure, number in differences(case, convention).items()
    }
    for figure, ours in case.counts.items():
        expected, because = explained.get(figure, (None, ""))
        yield Comparison(case.nest.mapped.layer.name, figure, ours, theirs[figure], expected, because)
