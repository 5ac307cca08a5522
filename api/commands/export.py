"""`mapsearch export`: mappings as another tool reads them, or as code that computes their layers."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers, add_mappings, by_law
from mapsearch.formats.registry import EXPORTED
from mapsearch.output import write, write_json, write_prose
from mapsearch.studies.declared import FOLDER


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "export",
        help="write mappings as another tool reads them, or as code",
        description="Writes the mappings of a file or of a run, and the hardware, as files of another tool, or each layer's "
        "mapping as code that computes the layer (python, c). A layer that the tool cannot express, or would miscount, is left out "
        "with the reason, and the exit code is 1.",
    )
    add_mappings(parser)
    parser.add_argument("--to", choices=EXPORTED, required=True, metavar="FORMAT", help=", ".join(EXPORTED))
    parser.add_argument(
        "--nearest",
        action="store_true",
        help="in place of a mapping that the tool cannot express, write the most similar one that it can",
    )
    parser.add_argument(
        "--out",
        type=by_law(FOLDER),
        default=".",
        metavar="DIR",
        help="the folder to write to (default: the working directory)",
    )
    parser.add_argument("--json", action="store_true", help="print the files' names, and what is left out, as JSON")


def run(args: Namespace) -> int:
    """Write the files, and print their names and the layers that are left out; 0 where all layers are written, else 1."""
    from mapsearch.formats.text import write_files
    from mapsearch.spaces.mappings.rules import TOOLS
    from mapsearch.studies.export import export

    found = export(Path(args.file), args.to, args.hardware, nearest=args.nearest)
    written = [str(each) for each in write_files(Path(args.out), found.files)]
    mended, left_out = found.expressed.mended, found.expressed.left_out
    if args.json:
        layers = {"nearest": mended, "left_out": left_out}
        write_json({"written": written} | {name: [each.to_dict() for each in some] for name, some in layers.items()})
    else:
        for name in written:
            write(f"written: {name}")
        for each in mended:
            cost = f"{each.runtime_ratio:.4g} times the cycles, {each.energy_ratio:.4g} times the energy"
            write_prose(f"nearest: {cost}, since {each.reason}", indent=9)
        for layer in left_out:
            write_prose(f"left out: {layer.reason}", indent=10)
        if left_out and args.to in TOOLS:
            nearest = "" if args.nearest else f"--nearest writes the most similar mappings that {args.to} can express; "
            write_prose(f"          {nearest}mapsearch run --for {args.to} searches among those that it can", indent=10)
    return 1 if left_out else 0
