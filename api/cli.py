"""The command `mapsearch`: finds the subcommand, runs it, and turns what goes wrong into one line and an exit code.

Exit codes: 0 done; 1 a comparison found a difference; 2 a user's error, one line on standard error;
130 interrupted; 141 the reader of the output went away.
A command is a module with `add_parser(subparsers)` and `run(args) -> int`, whose heavy imports stand inside `run`.
"""

from __future__ import annotations

import logging
import os
import sys
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol, cast

from mapsearch.arguments import Parser, Subparsers, UsageError
from mapsearch.commands import bench, compare_models, evaluate, export, hardware, layers, plot, run, space, sweep, verify
from mapsearch.model.errors import InputError, did_you_mean
from mapsearch.output import printable, write


class Command(Protocol):
    """A subcommand's module."""

    def add_parser(self, subparsers: Subparsers) -> None:
        """Declare the command with its help and arguments."""
        ...

    def run(self, args: Namespace) -> int:
        """Do the command; the exit code."""
        ...


COMMANDS: dict[str, Command] = {
    "run": run,
    "plot": plot,
    "sweep": sweep,
    "evaluate": evaluate,
    "compare-models": compare_models,
    "export": export,
    "verify": verify,
    "layers": layers,
    "space": space,
    "hardware": hardware,
    "bench": bench,
}


class _Notices(logging.Handler):
    """Writes what the package has to say while it works to standard error, above the bars that may stand there."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(AttributeError, OSError):  # standard error is closed or full: a notice is no reason to stop
            sys.stderr.write(f"mapsearch: {record.getMessage()}\n")


_NOTICES = _Notices(logging.INFO)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (that of the process where None is given); the exit code."""
    try:
        if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] so it is where the shell closed it
            return _fail("standard output is closed")
        if hasattr(sys.stdout, "reconfigure"):
            # A terminal that lacks a character is no error.
            cast("TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
        args = _parse(sys.argv[1:] if argv is None else argv)
        logger = logging.getLogger("mapsearch")
        logger.addHandler(_NOTICES)
        logger.setLevel(logging.INFO)
        code = COMMANDS[args.command].run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()
        return 141
    except (UsageError, InputError) as error:
        return _fail(str(error))
    except OSError as error:
        _drop_output()
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    else:
        return code


class _Version(Action):
    """Prints the version, which takes reading the package's metadata, only when it is asked for."""

    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        import mapsearch

        write(f"mapsearch {mapsearch.__version__}")
        parser.exit()


def _parse(argv: Sequence[str]) -> Namespace:
    parser = Parser(prog="mapsearch", description="Finds how the layers of a neural network run best on a spatial accelerator.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS.values():
        command.add_parser(subparsers)
    first = next((word for word in argv if not word.startswith("-")), None)
    if first is not None and first not in COMMANDS:
        parser.error(f"no command is called {first!r}{did_you_mean(first, COMMANDS)}; there are {', '.join(COMMANDS)}")
    args, extra = parser.parse_known_args(argv)
    if extra:
        subparsers.choices[args.command].refuse(extra)
    return args


def _fail(message: str) -> int:
    sys.stderr.write(f"mapsearch: error: {printable(' '.join(message.split()))}\n")
    return 2


def _drop_output() -> None:
    """Write what is still buffered, or else let it go: the interpreter would fail on it again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
