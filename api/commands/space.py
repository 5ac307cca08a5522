"""`mapsearch space`: how many mappings there are to choose from, layer by layer."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from mapsearch.arguments import Subparsers, add_batch, add_dims, add_hardware
from mapsearch.model.english import counted
from mapsearch.output import write, write_json, write_table


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "space",
        help="how many mappings of each layer a search may choose from",
        description="Counts the mappings of each different layer of a set, before L1 and L2 refuse any.",
    )
    parser.add_argument(
        "set", metavar="SET|FILE", help="a layer set's name or a file, some of its layers (vgg16:conv1_2), or several sets"
    )
    add_batch(parser)
    add_dims(parser)
    add_hardware(parser)
    structure = parser.add_mutually_exclusive_group()
    structure.add_argument("--levels", type=int, metavar="L", help="cluster levels of a mapping (default: 2)")
    structure.add_argument("--dataflow", metavar="NAME", help="a dataflow template's name or file, which holds the structure")
    parser.add_argument(
        "--constraints", metavar="NAME", help="a constraint file or the name of a shipped one, which mappings keep to"
    )
    rules = ("balanced", "divisors", "all")
    parser.add_argument(
        "--tiles",
        choices=rules,
        default="balanced",
        metavar="RULE",
        help=f"tile sizes: {', '.join(rules)} (default: balanced)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    """Print the sizes."""
    from mapsearch.formats.mixes import load_mix, with_choices
    from mapsearch.formats.yaml.dataflows import load_held
    from mapsearch.formats.yaml.hardware import load_hardware
    from mapsearch.spaces.mappings.rules import TileRule
    from mapsearch.spaces.mappings.space import Space

    held, levels = load_held(args.dataflow, args.constraints, 2 if args.levels is None else args.levels)
    hardware, tiles = load_hardware(args.hardware), TileRule[args.tiles.upper()]
    sizes: list[dict[str, Any]] = []
    for unique in load_mix(with_choices(args.set, args.dim)).of_batch(args.batch or 1).unique:
        space = Space(unique.layer, hardware, levels, tiles, held)
        sizes.append({"layer": unique.layer.name, "names": unique.names, "count": unique.count, "mappings": space.size()})
    if args.json:
        write_json(sizes)
        return 0
    structure = f"dataflow {held.name}" if args.dataflow else f"{counted(levels, 'level')}"
    structure += f", constraints {held.name}" if args.constraints else ""
    write(f"hardware {hardware.name}, {structure}, {args.tiles} tile sizes")
    write("")
    rows = [(size["layer"], len(size["names"]), size["count"], size["mappings"]) for size in sizes]
    write_table("", ("layer", "entries of its shape", "count", "mappings"), rows)
    return 0
