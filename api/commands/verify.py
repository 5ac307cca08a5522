"""`mapsearch verify`: another tool's own program run on exported mappings, its numbers beside ours."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from mapsearch.arguments import Subparsers, add_mappings, by_law
from mapsearch.model.english import counted
from mapsearch.model.errors import InputError
from mapsearch.output import warn, write, write_json, write_prose, write_table
from mapsearch.studies.compare import VERIFIERS, Verifier
from mapsearch.studies.declared import SECONDS

if TYPE_CHECKING:
    from mapsearch.studies.compare.comparison import Comparison


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "verify",
        help="run another tool's program on exported mappings and compare its numbers",
        description="Exports the mappings of a file or of a run, runs another tool's own program on each, and compares number by "
        "number. A number that differs by a known convention of the tool is explained. Exit code 1 where one differs otherwise, or "
        "a layer cannot be exported.",
    )
    add_mappings(parser)
    parser.add_argument("--with", choices=tuple(VERIFIERS), required=True, dest="tool", metavar="TOOL", help=", ".join(VERIFIERS))
    programs = ", ".join(dict.fromkeys(each.program for each in VERIFIERS.values()))
    parser.add_argument("--binary", metavar="PATH", help=f"the program (default: the one on the search path: {programs})")
    parser.add_argument("--timeout", type=by_law(SECONDS), default=60.0, metavar="SECONDS", help="for each layer (default: 60)")
    parser.add_argument("--json", action="store_true", help="print every number as JSON")


def run(args: Namespace) -> int:
    """Print the comparison; 0 where all layers are compared and all numbers equal or explained, else 1."""
    from importlib import import_module

    from mapsearch.formats.registry import FORMATS
    from mapsearch.studies.evaluate import load_mapped
    from mapsearch.studies.export import expressible

    tool = VERIFIERS[args.tool]
    verify = import_module(tool.module).verify
    network, hardware = load_mapped(Path(args.file), args.hardware)
    expressed = expressible(network, hardware, FORMATS[args.tool])
    found: list[Comparison] = verify(expressed.network, hardware, _program(args.binary, tool), args.timeout)
    if args.json:
        write_json([_plain(one) for one in found])
    else:
        _print(found, tool.title)
    for layer in expressed.left_out:
        warn(f"not compared: {layer.reason}")
    return 0 if not expressed.left_out and all(one.equal or one.explained for one in found) else 1


def _program(given: str | None, tool: Verifier) -> Path:
    from shutil import which

    path = which(tool.program) if given is None else given
    if path is None:
        raise InputError(f"{tool.program}: no such program on the search path; give {tool.title}'s executable by --binary")
    if not Path(path).is_file():
        raise InputError(f"{path}: no such program; give {tool.title}'s executable by --binary")
    return Path(path).absolute()  # not resolved: a virtual environment's Python knows its packages by its own path


def _plain(one: Comparison) -> dict[str, object]:
    numbers = {"ours": one.ours, "theirs": one.theirs, "expected": one.expected}
    finite = {name: None if value is None or not abs(value) < float("inf") else value for name, value in numbers.items()}
    told = {"equal": one.equal, "explained": one.explained, "because": one.because}
    return {"layer": one.layer, "figure": one.figure, **finite, **told}


def _print(found: list[Comparison], title: str) -> None:
    """The numbers that differ, the conventions that explain them by the numbers that stand for them, and how many are equal."""
    different = [one for one in found if not one.equal]
    reasons = dict.fromkeys(one.because for one in different if one.explained)
    numbers = {reason: str(number) for number, reason in enumerate(reasons, start=1)}
    if different:
        rows = [
            (one.layer, one.figure, f"{one.ours:.10g}", f"{one.theirs:.10g}", numbers[one.because] if one.explained else "")
            for one in different
        ]
        write_table("Numbers that differ", ("layer", "figure", "mapsearch", title, "because"), rows)
        for reason, number in numbers.items():
            write_prose(f"{number:>2}  {reason}", indent=4)
    layers, explained = len({one.layer for one in found}), sum(one.explained for one in different)
    write(
        f"{counted(layers, 'layer')}, {counted(len(found), 'number')} compared, {len(found) - len(different)} equal, "
        f"{explained} explained, {len(different) - explained} different"
    )
