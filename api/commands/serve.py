"""`mapsearch serve`: several networks on one machine, under load."""

from __future__ import annotations

from argparse import Namespace

from mapsearch.arguments import Subparsers, given, named_as_typed
from mapsearch.studies.serve.options import ServeOptions


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "serve",
        help="several networks on one machine: latencies under load, shares, costs",
        description="Tells how one machine serves several networks that share it in time or in parts, against a machine for each: "
        "response times under load, whether the SLOs hold, utilization, power and cost. The networks are mapped by runs, their "
        "queues simulated. Ctrl-C keeps the runs that are done; --resume goes on. Needs simpy (pip install '.[serve]').",
    )
    parser.add_settings(ServeOptions, "what is served")
    shown = parser.add_argument_group("what is printed")
    shown.add_argument("--quiet", action="store_true", help="no progress and no notices, results as usual")
    shown.add_argument(
        "--format", choices=("png", "svg"), default="png", metavar="F", help="the pictures': png or svg (default: png)"
    )
    shown.add_argument("--json", action="store_true", help="print the results as JSON instead of tables")


def run(args: Namespace) -> int:
    """Work out the study, and print what was found."""
    from contextlib import nullcontext
    from importlib.util import find_spec
    from pathlib import Path

    from mapsearch.output import write_json
    from mapsearch.progress import ServeProgress
    from mapsearch.studies.saving import UnsavedRunError
    from mapsearch.studies.serve.serve import serve
    from mapsearch.tables.serve import lines, print_service

    failure: UnsavedRunError | None = None
    with named_as_typed(ServeOptions), nullcontext() if args.quiet else ServeProgress() as progress:
        try:
            results = serve(watcher=progress, **given(args, ServeOptions))
        except UnsavedRunError as error:
            failure, results = error, error.results
    pictures: dict[str, str | bytes] = {}
    if results.complete and failure is None and find_spec("matplotlib") is not None:
        from mapsearch.formats.text import write_files
        from mapsearch.studies.pictures.serve import serve_files

        pictures = serve_files(results, list(lines(results)), args.format)
        write_files(Path(results.folder), pictures)
    if args.json:
        write_json(results.to_dict())
    else:
        print_service(results, pictures, saved=failure is None or failure.folder is not None)
    if failure is not None:
        raise failure
    return 0 if results.complete else 130
