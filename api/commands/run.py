"""`mapsearch run`: search the best mapping of every layer of a set, and write them out."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import Any

from mapsearch.arguments import Subparsers, add_dims, by_law, given, named_as_typed
from mapsearch.studies.declared import Law
from mapsearch.studies.run.options import Inputs, SearchOptions


def _read_address(word: str) -> object:
    """A host and a port, or the word itself where it is none."""
    host, colon, port = word.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535 or (colon and not host):
        return word
    return host.strip("[]") or "127.0.0.1", int(port)


_ADDRESS = Law("must be a port from 0 to 65535, or HOST:PORT", lambda value: isinstance(value, tuple), _read_address)


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "run",
        help="search the best mapping of every layer of a network",
        description="Searches the best mapping of every layer of a layer set on a hardware, and writes each as a directive file, "
        "with results.json and results.csv, to a folder. Ctrl-C ends with the best so far written; --resume goes on.",
    )
    parser.add_settings(Inputs, "what is run")
    add_dims(parser)
    parser.add_settings(SearchOptions, "how it is searched")
    shown = parser.add_argument_group("what is printed")
    shown.add_argument("--dry-run", action="store_true", help="tell what would be searched, where and for how long; write nothing")
    shown.add_argument(
        "--serve",
        type=by_law(_ADDRESS),
        metavar="PORT",
        help="show the progress on a page for browsers of this computer, at http://127.0.0.1:PORT/ (0: any port that is free); "
        "HOST:PORT shows it to others too, by an address with a secret that is printed",
    )
    shown.add_argument("--quiet", action="store_true", help="no progress and no notices, results as usual")
    shown.add_argument("--json", action="store_true", help="print the results as JSON instead of tables")


def run(args: Namespace) -> int:
    """Run the search and print what it found, or tell what it would search."""
    asked = given(args, Inputs, SearchOptions)
    if args.dim:
        from mapsearch.formats.mixes import with_choices

        asked["layer_set"] = with_choices(asked.get("layer_set", ""), args.dim)
    with named_as_typed(Inputs, SearchOptions):
        return _forecast(asked, as_json=args.json) if args.dry_run else _search(asked, args)


def _forecast(asked: dict[str, Any], *, as_json: bool) -> int:
    from dataclasses import asdict

    from mapsearch.output import write_json
    from mapsearch.studies.forecast import forecast
    from mapsearch.tables.forecast import print_forecast

    found = forecast(**asked)
    if as_json:
        write_json(asdict(found))
    else:
        print_forecast(found)
    return 0


def _search(asked: dict[str, Any], args: Namespace) -> int:
    from contextlib import ExitStack

    from mapsearch.live import Live, serving
    from mapsearch.output import write_json
    from mapsearch.progress import RunProgress
    from mapsearch.studies.saving import UnsavedRunError
    from mapsearch.studies.start import run as search
    from mapsearch.studies.watching import RunWatcher, RunWatchers
    from mapsearch.tables.run import print_results

    failure: UnsavedRunError | None = None
    with ExitStack() as held:
        watchers: list[RunWatcher] = []
        live: Live | None = None
        if args.serve is not None:
            host, port = args.serve
            live = held.enter_context(serving(host, port, asked.get("timeout_seconds")))
            watchers.append(live)
        if not args.quiet:
            watchers.append(held.enter_context(RunProgress()))
        try:
            results = search(watcher=RunWatchers(watchers) if watchers else None, **asked)
        except UnsavedRunError as error:
            failure, results = error, error.results
        if live is not None:
            live.finished(results)
    if args.json:
        write_json(results.to_dict())
    else:
        print_results(results, saved=failure is None or failure.folder is not None)
    if failure is not None:
        raise failure
    return 0 if results.complete else 130
