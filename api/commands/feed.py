"""`mapsearch feed`: does an input pipeline keep accelerators busy, and what limits it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mapsearch.arguments import Subparsers, by_law
from mapsearch.studies.declared import FOLDER, some_of, whole

_QUESTIONS = ("cache", "cores", "storage")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "feed",
        help="whether an input pipeline keeps accelerators busy with a run's network",
        description="Sets the rate at which accelerators take samples, with the runtime of a run's network, beside what storage "
        "and cache, cores and link bring them: the throughput, what bounds it, the stalls, and what would end them. Also tells the "
        "runtime below which a faster mapping gains nothing.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that mapsearch run wrote, of one network")
    parser.add_argument("--pipeline", required=True, metavar="P", help="a shipped pipeline, imagenet, or a YAML file")
    parser.add_argument(
        "--what-if",
        type=by_law(some_of(*_QUESTIONS)),
        default=",".join(_QUESTIONS),
        metavar="W[,W]",
        help="tell how much of these ends a stall: cache, cores, storage (default: all)",
    )
    parser.add_argument(
        "--batch",
        type=by_law(whole(1)),
        metavar="N",
        help="samples of an accelerator's step (default: the pipeline's, or the run's)",
    )
    parser.add_argument(
        "--out",
        type=by_law(FOLDER),
        metavar="DIR",
        help="a folder for a picture of the rates, a page and feed.json; needs matplotlib",
    )
    parser.add_argument(
        "--format", choices=("png", "svg"), default="png", metavar="F", help="the picture's: png or svg (default: png)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def run(args: Namespace) -> int:
    """Print the rates and what they come to, and write the picture."""
    from mapsearch.model.extras import require
    from mapsearch.output import write, write_json
    from mapsearch.studies.feed.feed import feed
    from mapsearch.tables.feed import print_feed, told

    if args.out is not None:
        require("a picture", "plots", "matplotlib")
    found = feed(args.run, args.pipeline, batch=args.batch, what_if=args.what_if.split(","))
    if args.json:
        write_json(found.to_dict())
    else:
        print_feed(found)
    if args.out is not None:
        import json

        from mapsearch.formats.text import write_files
        from mapsearch.studies.pictures.feed import feed_files

        files = {**feed_files(found, told(found), args.format), "feed.json": json.dumps(found.to_dict(), indent=1) + "\n"}
        for path in write_files(Path(args.out), files):
            if not args.json:
                write(f"written: {path}")
    return 0
