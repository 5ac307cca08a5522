"""`mapsearch show`: the loop nest of a mapping, and what the PEs hold in its first steps."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers, add_mappings, by_law
from mapsearch.output import write, write_json
from mapsearch.studies.declared import whole

_SUFFIXES = (".png", ".svg")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "show",
        help="the loop nest of a mapping, as text and as a picture",
        description="Shows how layers are mapped: per level the loops with their trips and what is shared out over units, and the "
        "tiles that L2 and L1 keep, with words, bytes and the loops over which they stay. A picture, and --json, also show which "
        "PE holds which part of W, I and O in the first steps. A picture needs matplotlib (pip install '.[plots]').",
    )
    add_mappings(parser)
    parser.add_argument("--layer", metavar="L", help="the layer, by name or by number from 1 (default: all)")
    parser.add_argument("--out", metavar="FILE", help="draw the layer as a picture, a .png or .svg file")
    parser.add_argument(
        "--steps", type=by_law(whole(1, 48)), default=12, metavar="N", help="first steps to show, 1 to 48 (default: 12)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array with one object a layer")


def run(args: Namespace) -> int:
    """Print the nests, and draw the one that is asked for."""
    from mapsearch.model.errors import InputError, show
    from mapsearch.model.extras import require
    from mapsearch.studies.show.lines import nest_text
    from mapsearch.studies.show.nest import shown_layers

    if args.out is not None:
        require("a picture", "plots", "matplotlib")
        if Path(args.out).suffix not in _SUFFIXES:
            raise InputError(f"out must name a file that ends in {' or '.join(_SUFFIXES)}, got {show(args.out)}")
    out = None if args.out is None else Path(args.out)
    nests = shown_layers(Path(args.file), args.layer, args.hardware, args.steps if args.json or out is not None else 0)
    if out is not None:
        if len(nests) > 1:
            raise InputError(f"a picture is of one layer and {args.file} has {len(nests)}; name one by --layer")
        from mapsearch.formats.text import write_files
        from mapsearch.studies.pictures.nest import nest_picture

        write_files(out.parent, {out.name: nest_picture(nests[0], out.suffix)})
    if args.json:
        write_json([nest.to_dict() for nest in nests])
        return 0
    for number, nest in enumerate(nests):
        for line in ([""] if number else []) + nest_text(nest).splitlines():
            write(line)
    if out is not None:
        write(f"written: {args.out}")
    return 0
