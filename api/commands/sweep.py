"""`mapsearch sweep`: every design of a hardware space on fixed dataflows."""

from __future__ import annotations

from argparse import Namespace

from mapsearch.arguments import Subparsers, add_dims, given, named_as_typed
from mapsearch.studies.sweep.options import SweepOptions


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "sweep",
        help="every design of a hardware space on fixed dataflows",
        description="Costs every design of a hardware space on fixed dataflows: PEs, buffers, widths, tile sizes. Those within the "
        "budget go to a folder as Parquet, with the optima, the Pareto front and pictures. Ctrl-C keeps what is done; --resume "
        "goes on.",
    )
    parser.add_settings(SweepOptions, "what is swept")
    add_dims(parser)
    shown = parser.add_argument_group("what is printed")
    shown.add_argument("--quiet", action="store_true", help="no progress and no notices, results as usual")
    shown.add_argument("--json", action="store_true", help="print the summary as JSON instead of a table")


def run(args: Namespace) -> int:
    """Sweep, and print what was found."""
    from contextlib import nullcontext

    from mapsearch.output import write_json
    from mapsearch.progress import SweepProgress
    from mapsearch.studies.drawn_sweep import sweep
    from mapsearch.studies.saving import UnsavedRunError
    from mapsearch.tables.sweep import print_summary

    asked = given(args, SweepOptions)
    if args.dim:
        from mapsearch.formats.mixes import with_choices

        asked["layers"] = with_choices(asked.get("layers", ""), args.dim)
    failure: UnsavedRunError | None = None
    with named_as_typed(SweepOptions), nullcontext() if args.quiet else SweepProgress() as progress:
        try:
            summary = sweep(watcher=progress, **asked)
        except UnsavedRunError as error:
            failure, summary = error, error.results
    if args.json:
        write_json(summary.to_dict())
    else:
        print_summary(summary, saved=failure is None or failure.folder is not None)
    if failure is not None:
        raise failure
    return 0 if summary.complete else 130
