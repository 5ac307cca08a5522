"""`mapsearch verify`: another tool's own program run on exported mappings, its numbers beside ours."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers, add_hardware
from mapsearch.model.errors import InputError
from mapsearch.output import write, write_json, write_table
from mapsearch.studies.compare import VERIFIERS

if TYPE_CHECKING:
    from mapsearch.studies.compare.published_maestro import Comparison


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "verify",
        help="run another tool's program on exported mappings and compare its numbers",
        description="Exports the mappings of a directive file, runs the published MAESTRO on each, and compares number by number. "
        "Exit code 1 where one differs.",
    )
    parser.add_argument("file", metavar="FILE", help="a directive file")
    parser.add_argument("--with", choices=tuple(VERIFIERS), required=True, dest="tool", metavar="TOOL", help=", ".join(VERIFIERS))
    parser.add_argument("--binary", required=True, metavar="PATH", help="the program's executable")
    add_hardware(parser)
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="for each layer (default: 60)")
    parser.add_argument("--json", action="store_true", help="print every number as JSON")


def run(args: Namespace) -> int:
    """Print the comparison; 0 where all numbers are equal, else 1."""
    from importlib import import_module

    if not args.timeout > 0.0:
        raise InputError(f"timeout must be above 0 seconds, got {args.timeout:g}")
    verify = import_module(VERIFIERS[args.tool]).verify
    found = verify(Path(args.file), args.hardware, Path(args.binary), args.timeout)
    if args.json:
        write_json([_plain(one) for one in found])
    else:
        _print(found)
    return 0 if all(one.equal for one in found) else 1


def _plain(one: Comparison) -> dict[str, object]:
    ours, theirs = (value if abs(value) < float("inf") else None for value in (one.ours, one.theirs))
    return {"layer": one.layer, "figure": one.figure, "ours": ours, "theirs": theirs, "equal": one.equal}


def _print(found: list[Comparison]) -> None:
    different = [one for one in found if not one.equal]
    if different:
        rows = [(one.layer, one.figure, f"{one.ours:.10g}", f"{one.theirs:.10g}") for one in different]
        write_table("Numbers that differ", ("layer", "figure", "mapsearch", "MAESTRO"), rows)
    layers = len({one.layer for one in found})
    write(f"{layers} layers, {len(found)} numbers compared, {len(found) - len(different)} equal, {len(different)} different")
