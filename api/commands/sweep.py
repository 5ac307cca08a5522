"""`mapsearch sweep`: every design of a hardware space on fixed dataflows."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace

from mapsearch.arguments import Subparsers

# Options that go to `studies.sweep.sweep` by their names, where the user gives them.
OPTIONS = ("study", "layers", "dataflows", "hardware", "out", "resume", "designs_at_most")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command; an option that is not given leaves no trace, so that a study's or a resumed sweep's own stands."""
    parser = subparsers.add_parser(
        "sweep",
        help="every design of a hardware space on fixed dataflows",
        description="Cost every design of a hardware space on fixed dataflows: PEs, buffers, widths, tile sizes. Those within the "
        "budget go to a folder as Parquet, with the optima, the Pareto front and pictures. Ctrl-C keeps what is done; --resume "
        "goes on.",
        argument_default=SUPPRESS,
    )
    add = parser.add_argument
    add("study", nargs="?", metavar="STUDY", help="a shipped sweep (maestro_paper) or a YAML file")
    add("--layers", metavar="SET[:NAME,..]", help="a layer set, or some of its layers (default: the study's)")
    add(
        "--dataflow",
        action="append",
        dest="dataflows",
        metavar="D",
        help="a template, a directive file (its mappings as they are) or a run's folder (its mappings resized); may stand more "
        "than once (default: the study's, or all templates)",
    )
    add("--hardware", metavar="SPACE", help="a hardware space (default: the study's, or edge_space)")
    add("--designs-at-most", type=int, metavar="N", help="refuse to start with more designs (default: 10^10)")
    add("--out", metavar="DIR", help="the folder to write (default: a new one under runs/)")
    add("--resume", action="store_true", help="go on with the sweep in --out")
    add("--json", action="store_true", help="print the summary as JSON instead of a table")
    parser.set_defaults(json=False)


def run(args: Namespace) -> int:
    """Sweep, and print what was found."""
    from mapsearch.output import write_json
    from mapsearch.studies.drawn_sweep import sweep
    from mapsearch.studies.saving import UnsavedRunError
    from mapsearch.tables.sweep import SweepProgress, print_summary

    failure: UnsavedRunError | None = None
    with SweepProgress() as progress:
        try:
            summary = sweep(watcher=progress, **{key: value for key, value in vars(args).items() if key in OPTIONS})
        except UnsavedRunError as error:
            failure, summary = error, error.results
    if args.json:
        write_json(summary)
    else:
        print_summary(summary, saved=failure is None or failure.folder is not None)
    if failure is not None:
        raise failure
    return 0 if summary["complete"] else 130
