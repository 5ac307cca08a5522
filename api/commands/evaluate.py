"""`mapsearch evaluate`: what the mappings of a directive file cost."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers, add_hardware
from mapsearch.model.errors import InputError
from mapsearch.model.registry import COST_MODELS
from mapsearch.output import warn, write_json


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="what the mappings of a directive file cost",
        description="Evaluates each layer of a directive file as it is mapped there.",
    )
    parser.add_argument("file", metavar="FILE", help="a directive file, or - for standard input")
    add_hardware(parser)
    parser.add_argument("--model", default="exact", metavar="M", help=f"cost model: {', '.join(COST_MODELS)} (default: exact)")
    parser.add_argument("--json", action="store_true", help="print all figures as a JSON array with one object a layer")


def run(args: Namespace) -> int:
    """Print the costs of all layers, or raise InputError and print none."""
    from mapsearch.studies.evaluate import evaluate, evaluate_text
    from mapsearch.tables.evaluate import print_evaluation

    if args.file == "-":
        found = evaluate_text(_standard_input(), "<stdin>", args.hardware, args.model)
    else:
        found = evaluate(Path(args.file), args.hardware, args.model)
    costs = [each.to_dict() for each in found]
    if args.json:
        write_json(costs)
    else:
        print_evaluation(costs, args.hardware, args.model)
    for cost in costs:
        for warning in cost.get("warnings", ()):
            warn(f"layer {cost['layer']}: {warning}")
    return 0


def _standard_input() -> str:
    from mapsearch.formats.text import decode

    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] so it is where the shell closed it
        raise InputError("standard input is closed; give a file or pipe directive text in")
    return decode(sys.stdin.buffer.read(), "<stdin>", "directive file")
