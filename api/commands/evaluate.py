"""`mapsearch evaluate`: what mappings cost."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers, add_mappings
from mapsearch.model.errors import InputError
from mapsearch.model.registry import COST_MODELS
from mapsearch.output import warn, write_json


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="what the mappings of a file or of a run cost",
        description="Evaluates each layer of a mapping file, or of a run, as it is mapped there.",
    )
    add_mappings(parser, ", or - for standard input")
    parser.add_argument("--model", default="exact", metavar="M", help=f"cost model: {', '.join(COST_MODELS)} (default: exact)")
    parser.add_argument("--json", action="store_true", help="print all figures as a JSON array with one object a layer")


def run(args: Namespace) -> int:
    """Print the costs of all layers, or raise InputError and print none."""
    from mapsearch.studies.evaluate import evaluate, evaluate_text, machine, mapping_files
    from mapsearch.tables.evaluate import print_evaluation

    if args.file == "-":
        target = machine(args.hardware)
        found = evaluate_text(_standard_input(), "<stdin>", target, args.model)
    else:
        files, target = mapping_files(Path(args.file), args.hardware)
        found = [each for file in files for each in evaluate(file, target, args.model)]
    costs = [each.to_dict() for each in found]
    if args.json:
        write_json(costs)
    else:
        print_evaluation(costs, args.hardware or target.name, args.model)
    for cost in costs:
        for warning in cost.get("warnings", ()):
            warn(f"layer {cost['layer']}: {warning}")
    return 0


def _standard_input() -> str:
    from mapsearch.formats.mappings import WHAT
    from mapsearch.formats.text import decode

    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] so it is where the shell closed it
        raise InputError("standard input is closed; give a file, or pipe the text of one in")
    return decode(sys.stdin.buffer.read(), "<stdin>", WHAT)
