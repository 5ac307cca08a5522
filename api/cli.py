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
from io import TextIOWrapper
from typing import Protocol, cast

from mapsearch.arguments import Parser, Subparsers, UsageError
from mapsearch.commands import (
    bench,
    cache,
    compare,
    compare_models,
    evaluate,
    export,
    feed,
    hardware,
    layers,
    plot,
    run,
    serve,
    show,
    space,
    sweep,
    validate,
    verify,
)
from mapsearch.commands.examples import help_end
from mapsearch.model.errors import InputError, did_you_mean
from mapsearch.model.errors import show as shown_value
from mapsearch.output import PLAIN, errors_let_go, replace_by_nothing, say, write


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
    "feed": feed,
    "sweep": sweep,
    "serve": serve,
    "evaluate": evaluate,
    "show": show,
    "compare": compare,
    "compare-models": compare_models,
    "export": export,
    "verify": verify,
    "validate": validate,
    "layers": layers,
    "space": space,
    "hardware": hardware,
    "bench": bench,
    "cache": cache,
}


class _Notices(logging.Handler):
    """Writes what the package has to say while it works to standard error, above the bars that may stand there."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


_NOTICES = _Notices(logging.INFO)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (that of the process where None is given); the exit code."""
    # Before NumPy is loaded, whose linear algebra would start threads that nothing here has work for (`processes.may_fork`).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with errors_let_go():
        try:
            code = _main(sys.argv[1:] if argv is None else argv)
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


def _main(argv: Sequence[str]) -> int:
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] so it is where the shell closed it
        raise UsageError("standard output is closed")
    if hasattr(sys.stdout, "reconfigure"):
        cast("TextIOWrapper", sys.stdout).reconfigure(errors=PLAIN)
    args = _parse(argv)
    logger = logging.getLogger("mapsearch")
    logger.addHandler(_NOTICES)
    logger.setLevel(logging.WARNING if getattr(args, "quiet", False) else logging.INFO)
    code = COMMANDS[args.command].run(args)
    sys.stdout.flush()
    return code


class _Version(Action):
    """Prints the version, which takes reading the package's metadata, only when it is asked for."""

    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        import mapsearch

        write(f"mapsearch {mapsearch.__version__}")
        parser.exit()


class _Completion(Action):
    """Prints a script with which a shell completes commands, options and their words."""

    def __call__(self, parser: ArgumentParser, _: Namespace, shell: object, __: str | None = None) -> None:
        from mapsearch.model.extras import require

        require("completion", "completion", "shtab")
        import shtab

        sys.stdout.write(shtab.complete(parser, str(shell)))
        parser.exit()


def make_parser() -> tuple[Parser, Subparsers]:
    """The parser of the command line, and those of its commands."""
    parser = Parser(
        prog="mapsearch",
        description="Finds how the layers of a neural network run best on a spatial accelerator.",
        epilog=help_end(""),
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version and exit")
    parser.add_argument(
        "--print-completion",
        action=_Completion,
        choices=("bash", "zsh", "tcsh"),
        metavar="SHELL",
        help="print a script that completes commands and options in bash, zsh or tcsh, and exit",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.add_parser(subparsers)
        subparsers.choices[name].epilog = help_end(name)
    return parser, subparsers


def _parse(argv: Sequence[str]) -> Namespace:
    parser, subparsers = make_parser()
    argv = list(argv)
    while argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    first = next((word for word in argv if not word.startswith("-")), None)
    if first is not None and first not in COMMANDS and "--print-completion" not in argv:
        parser.error(f"no command is called {shown_value(first)}{did_you_mean(first, COMMANDS)}; there are {', '.join(COMMANDS)}")
    if first in COMMANDS:
        command = subparsers.choices[first]
        # Before all else: the value of a misspelt option would be taken for an argument.
        command.refuse(command.unknown(argv[argv.index(first) + 1 :]), argv)
    args, extra = parser.parse_known_args(argv)
    subparsers.choices[args.command].refuse(extra, argv)
    return args


def _fail(message: str) -> int:
    say(f"error: {' '.join(message.split())}")
    return 2


def _drop_output() -> None:
    """Write what is still buffered, or else let it go: the interpreter would fail on it again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        replace_by_nothing(1)
