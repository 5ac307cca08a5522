"""`mapsearch compare-models`: the exact figures of a directive file beside MAESTRO's."""

from __future__ import annotations

from argparse import Namespace
from itertools import groupby
from pathlib import Path

from mapsearch.arguments import Subparsers
from mapsearch.output import write_json, write_table


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "compare-models",
        help="the exact figures of a directive file beside MAESTRO's",
        description="Shows each figure of each layer by the exact model and by MAESTRO's, their ratio, and what of MAESTRO's makes "
        "the difference.",
    )
    parser.add_argument("file", metavar="FILE", help="a directive file")
    parser.add_argument("--hardware", default="edge", metavar="H", help="a preset's name or a hardware file (default: edge)")
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
        rows = [
            (one.metric, f"{one.exact:,.10g}", f"{one.maestro:,.10g}", "" if one.ratio is None else f"{one.ratio:.4g}", one.cause)
            for one in figures
        ]
        write_table(layer, ("figure", "exact", "MAESTRO", "MAESTRO / exact", "because"), rows)
    return 0
