"""`mapsearch export`: a directive file as another tool reads it, or as code that computes its layers."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers, add_hardware
from mapsearch.formats.registry import EXPORTED, FORMATS
from mapsearch.output import write, write_json


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "export",
        help="write a directive file as another tool reads it, or as code",
        description="Writes the mappings of a directive file, and the hardware, as files of another tool, or each layer's mapping "
        "as code that computes the layer (python, c). A mapping that the tool cannot express, or would miscount, is refused with "
        "the reason.",
    )
    parser.add_argument("file", metavar="FILE", help="a directive file")
    parser.add_argument("--to", choices=EXPORTED, required=True, metavar="FORMAT", help=", ".join(EXPORTED))
    add_hardware(parser)
    parser.add_argument("--out", default=".", metavar="DIR", help="the folder to write to (default: the working directory)")
    parser.add_argument("--json", action="store_true", help="print the files' names as JSON")


def run(args: Namespace) -> int:
    """Write the files and print their names."""
    from mapsearch.formats.directives.files import read_network
    from mapsearch.formats.text import write_files
    from mapsearch.model.errors import InputError
    from mapsearch.studies.evaluate import machine

    if not args.out:
        raise InputError("out must name a folder, got an empty text")
    path, hardware, target = Path(args.file), machine(args.hardware), FORMATS[args.to]
    files = target.write_network(read_network(path), hardware) | target.write_hardware(hardware)
    named = {f"{path.stem}_{name}": content for name, content in files.items()}
    written = [str(each) for each in write_files(Path(args.out), named)]
    if args.json:
        write_json(written)
    else:
        for name in written:
            write(f"written: {name}")
    return 0
