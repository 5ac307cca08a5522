"""`mapsearch evaluate`: what mappings cost."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers, add_mappings
from mapsearch.model.errors import InputError
from mapsearch.model.registry import COST_MODELS
from mapsearch.output import warn, write_json

if TYPE_CHECKING:
    from mapsearch.model.evaluation import Evaluation
    from mapsearch.model.hardware import Hardware
    from mapsearch.studies.gaps import MappingGap


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="what the mappings of a file or of a run cost",
        description="Evaluates each layer of a mapping file, or of a run, as it is mapped there.",
    )
    add_mappings(parser, ", or - for standard input")
    parser.add_argument("--model", default="exact", metavar="M", help=f"cost model: {', '.join(COST_MODELS)} (default: exact)")
    parser.add_argument("--masks", metavar="SET", help="count a layer's zeros by the masks that it has in this layer set")
    parser.add_argument("--gap", action="store_true", help="prove how much a better mapping of each layer could gain at the most")
    parser.add_argument(
        "--objective", default="edp", metavar="O", help="of --gap: latency, energy, edp, ed2p or an expression (default: edp)"
    )
    parser.add_argument("--json", action="store_true", help="print all figures as a JSON array with one object a layer")


def run(args: Namespace) -> int:
    """Print the costs of all layers, or raise InputError and print none."""
    from mapsearch.formats.mappings import WHAT
    from mapsearch.formats.text import read_text
    from mapsearch.studies.evaluate import evaluate_texts, machine, mapping_files
    from mapsearch.tables.evaluate import print_evaluation, print_gaps

    if args.gap and args.masks is not None:
        raise InputError("--gap is proven for densities, not for masks; leave --masks out")
    if args.file == "-":
        texts, target = {"<stdin>": _standard_input()}, machine(args.hardware)
    else:
        files, target = mapping_files(Path(args.file), args.hardware)
        texts = {str(file): read_text(file, WHAT) for file in files}
    found = evaluate_texts(texts, target, args.model, args.masks)
    costs, gaps = [each.to_dict() for each in found], _gaps(texts, found, target, args) if args.gap else []
    if args.json:
        write_json([cost | gap.to_dict() for cost, gap in zip(costs, gaps, strict=True)] if gaps else costs)
    else:
        print_evaluation(costs, args.hardware or target.name, args.model)
        if gaps:
            print_gaps([cost["layer"] for cost in costs], gaps, args.objective)
    for cost in costs:
        for warning in cost.get("warnings", ()):
            warn(f"layer {cost['layer']}: {warning}")
    return 0


def _gaps(texts: Mapping[str, str], costs: Sequence[Evaluation], target: Hardware, args: Namespace) -> list[MappingGap]:
    from mapsearch.formats.mappings import read_network
    from mapsearch.studies.gaps import mapping_gaps

    layers = [mapped for name, text in texts.items() for mapped in read_network(text.encode(), name).layers]
    return mapping_gaps(layers, costs, target, args.model, args.objective)


def _standard_input() -> str:
    from mapsearch.formats.mappings import WHAT
    from mapsearch.formats.text import decode

    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] so it is where the shell closed it
        raise InputError("standard input is closed; give a file, or pipe the text of one in")
    return decode(sys.stdin.buffer.read(), "<stdin>", WHAT)
