"""`mapsearch plot`: pictures of a run."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers
from mapsearch.output import write, write_json


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "plot",
        help="pictures of a run: fronts, convergence, energy, roofline",
        description="Draws the run in a folder, done or not: energy by part, roofline, Pareto fronts and convergence as PNG or SVG "
        "files, and report.html, a page that holds them with a table of the layers. Needs matplotlib (pip install '.[plots]').",
    )
    parser.add_argument("folder", metavar="RUN_FOLDER", help="the folder that mapsearch run wrote")
    parser.add_argument("--out", metavar="DIR", help="the folder to write to (default: pictures/ in the run's folder)")
    parser.add_argument("--format", choices=("png", "svg"), default="png", metavar="F", help="png or svg (default: png)")
    parser.add_argument("--json", action="store_true", help="print the files' names, and what is left out, as JSON")


def run(args: Namespace) -> int:
    """Write the pictures and print their names, and a line for what is left out."""
    from mapsearch.model.errors import InputError
    from mapsearch.model.extras import require

    require("a picture", "plots", "matplotlib")
    if args.out is not None and not args.out:
        raise InputError("out must name a folder, got an empty text")

    from mapsearch.studies.pictures.album import draw_album

    album = draw_album(Path(args.folder), Path(args.out) if args.out is not None else None, args.format)
    if args.json:
        write_json({"written": [str(path) for path in album.paths], "left_out": album.left_out})
        return 0
    for line in album.left_out:
        write(f"left out: {line}")
    for path in album.paths:
        write(f"written: {path}")
    return 0
