"""`mapsearch cache`: the proven searches that are kept for later runs."""

from __future__ import annotations

from argparse import Namespace

from mapsearch.arguments import Subparsers
from mapsearch.model.english import counted
from mapsearch.output import write, write_json


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "cache",
        help="the proven searches that are kept for later runs",
        description="Shows the folder in which mapsearch run keeps the layers that it has proven, for later runs of equal layers "
        "on equal machines. The environment variable MAPSEARCH_CACHE_DIR names another folder.",
    )
    parser.add_argument("--clear", action="store_true", help="remove all that is kept")
    parser.add_argument("--json", action="store_true", help="print the folder and the counts as JSON")


def run(args: Namespace) -> int:
    """Print the folder, and how much is in it."""
    from mapsearch.studies.proofs import Proofs

    proofs = Proofs.of_user()
    if args.clear:
        proofs.trim(0)
    files = proofs.entries()
    size = sum(file.stat().st_size for file in files)
    if args.json:
        write_json({"folder": str(proofs.folder), "searches": len(files), "bytes": size})
    else:
        write(f"{proofs.folder}: {counted(len(files), 'proven search', 'proven searches')}, {counted(size, 'byte')}")
    return 0
