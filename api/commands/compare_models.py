"""`mapsearch compare-models`: the exact figures of mappings beside MAESTRO's."""

from __future__ import annotations

from argparse import Namespace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers, add_mappings
from mapsearch.output import write, write_json, write_prose, write_table

if TYPE_CHECKING:
    from mapsearch.studies.compare.two_models import Figure


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "compare-models",
        help="the exact figures of mappings beside MAESTRO's",
        description="Shows each figure of each layer by the exact model and by MAESTRO's, their ratio, and what of MAESTRO's makes "
        "the difference, or why it does not take the mapping.",
    )
    add_mappings(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    """Print a table for each layer."""
    from mapsearch.studies.compare.two_models import compare_models

    found = compare_models(Path(args.file), args.hardware)
    if args.json:
        columns = ("layer", "metric", "exact", "maestro", "ratio", "cause")
        write_json([{column: getattr(one, column) for column in columns} for one in found])
        return 0
    for layer, figures in groupby(found, lambda one: one.layer):
        _write(layer, list(figures))
    return 0


def _write(layer: str, figures: list[Figure]) -> None:
    """A layer's figures, and below them the causes by the numbers that stand for them."""
    causes = dict.fromkeys(cause for one in figures for cause in one.causes)
    numbers = {cause: str(number) for number, cause in enumerate(causes, start=1)}
    rows = [
        (
            one.metric,
            f"{one.exact:,.10g}",
            "" if one.maestro is None else f"{one.maestro:,.10g}",
            "" if one.ratio is None else one.ratio,
            ", ".join(numbers[cause] for cause in one.causes),
        )
        for one in figures
    ]
    write_table(layer, ("figure", "exact", "MAESTRO", "MAESTRO / exact", "because"), rows)
    for cause, number in numbers.items():
        write_prose(f"{number:>2}  {cause}", indent=4)
    write("")
