"""`mapsearch export`: a directive file as another tool reads it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers
from mapsearch.output import write, write_json


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "export",
        help="write a directive file as another tool reads it",
        description="Writes the mappings of a directive file, and the hardware, as files of another tool. A mapping that it cannot "
        "express, or would miscount, is refused with the reason.",
    )
    parser.add_argument("file", metavar="FILE", help="a directive file")
    parser.add_argument("--to", choices=("maestro",), required=True, metavar="TOOL", help="maestro")
    parser.add_argument("--hardware", default="edge", metavar="H", help="a preset's name or a hardware file (default: edge)")
    parser.add_argument("--out", default=".", metavar="DIR", help="the folder to write to (default: the working directory)")
    parser.add_argument("--json", action="store_true", help="print the files' names as JSON")


def run(args: Namespace) -> int:
    """Write the files and print their names."""
    from mapsearch.formats.exporters import MaestroExporter, export
    from mapsearch.model.errors import InputError
    from mapsearch.studies.evaluate import machine

    if not args.out:
        raise InputError("out must name a folder, got an empty text")
    paths = export(Path(args.file), MaestroExporter(), args.to, machine(args.hardware), Path(args.out))
    written = [str(path) for path in paths]
    if args.json:
        write_json(written)
    else:
        for name in written:
            write(f"written: {name}")
    return 0
