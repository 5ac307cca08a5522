"""A command line whose errors are one line, with the word that was probably meant; options made from declared settings."""

from __future__ import annotations

import re
import sys
from argparse import (
    SUPPRESS,
    Action,
    ArgumentError,
    ArgumentParser,
    ArgumentTypeError,
    HelpFormatter,
    Namespace,
    _SubParsersAction,  # pyright: ignore[reportPrivateUsage] argparse's only name for the type
)
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from mapsearch.model.errors import did_you_mean
from mapsearch.studies.declared import FLAG, Law, Setting, SettingError, declared, one_of, whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance, SupportsWrite

# What other tools call a machine's figures on their command lines, as hardware files do.
_FIGURES = {
    **dict.fromkeys(("pes", "num_pes", "num_pe"), "pes"),
    **dict.fromkeys(("l1", "l1_size", "l1_bytes"), "l1.bytes"),
    **dict.fromkeys(("l2", "l2_size", "l2_bytes"), "l2.bytes"),
    **dict.fromkeys(("nocbw", "noc_bw", "noc"), "noc.bytes_per_cycle"),
    **dict.fromkeys(("offchip_bw", "offchip"), "offchip.bytes_per_cycle"),
    **dict.fromkeys(("clock", "clock_mhz"), "clock_mhz"),
}


class UsageError(Exception):
    """A command line that breaks a law; its text is one line."""


class Help(HelpFormatter):
    """Fills paragraphs, and leaves lines that are indented as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (line if line.startswith(" ") else super(Help, self)._fill_text(line, width, indent) for line in text.split("\n"))
        return "\n".join(lines)


class Parser(ArgumentParser):
    """An ArgumentParser that raises UsageError, and takes no abbreviated options."""

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401 those of ArgumentParser
        super().__init__(allow_abbrev=False, formatter_class=Help, **keywords)

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Write the help; argparse's own would not tell where that fails."""
        (file or sys.stdout).write(self.format_help())

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Leave after --help or --version, with all of it written."""
        sys.stdout.flush()
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError, pointing at the help of the command."""
        raise UsageError(f"{message}; see {self.prog} --help")

    def unknown(self, argv: Sequence[str]) -> list[str]:
        """The long options of a command line that the command does not take."""
        words = (word for word in takewhile(lambda word: word != "--", argv) if re.fullmatch(r"--\S+", word))
        return [word for word in words if word.partition("=")[0] not in self._option_string_actions]

    def refuse(self, extra: Sequence[str], argv: Sequence[str]) -> None:
        """Raise UsageError where there are arguments of a command line, `argv`, that the command does not take."""
        for word in extra:
            if word.startswith("-"):
                options = re.findall(r"--[a-z0-9-]+", self.format_help())
                option, _, value = word.partition("=")
                figure = _FIGURES.get(option.strip("-").replace("-", "_").lower())
                if figure is not None and "--hardware" in options:
                    value = value or next(iter(argv[argv.index(word) + 1 :]), "N")
                    self.error(f"unknown option {option}; change a machine's figure by --hardware edge,{figure}={value}")
                self.error(f"unknown option {word}{did_you_mean(option, options)}")
        if extra:
            self.error(f"unexpected argument {extra[0]!r}")

    def add_settings(self, kind: type[DataclassInstance], title: str) -> None:
        """Add the options of the settings that a dataclass declares, under a title; one that is not given leaves no trace."""
        group = self.add_argument_group(title)
        for each in declared(kind):
            words = _parsing_of(each)
            names = [name for name in each.options if name.startswith("-")]
            place = group
            if len(names) < len(each.options):
                place = group.add_mutually_exclusive_group() if names else group
                alone: dict[str, Any] = {**words, "nargs": "?", "help": f"as {names[0]}" if names else words["help"]}
                place.add_argument(each.name, **alone)
            if names:
                place.add_argument(*names, dest=each.name, **words)

    def _check_value(self, action: Action, value: Any) -> None:  # noqa: ANN401 as argparse has it
        if action.choices is not None:
            broken = one_of(*map(str, action.choices)).broken(value)
            if broken is not None:
                raise ArgumentError(action, broken)


Subparsers: TypeAlias = "_SubParsersAction[Parser]"


def by_law(law: Law) -> Callable[[str], object]:
    """The `type` of an argument whose value keeps to a law."""

    def read(word: str) -> object:
        value = law.read(word)
        broken = law.broken(value)
        if broken is not None:
            raise ArgumentTypeError(broken)
        return value

    return read


@contextmanager
def named_as_typed(*kinds: type[DataclassInstance]) -> Generator[None]:
    """Let errors of these settings call them by their options."""
    try:
        yield
    except SettingError as error:
        spelling = {each.name: each.spelling for kind in kinds for each in declared(kind)}
        raise UsageError(error.sentence(spelling.__getitem__)) from None


def given(args: Namespace, *kinds: type[DataclassInstance]) -> dict[str, Any]:
    """The settings that the command line gives, by their names."""
    names = {each.name for kind in kinds for each in declared(kind)}
    return {name: value for name, value in vars(args).items() if name in names}


def _parsing_of(each: Setting) -> dict[str, Any]:
    """What argparse is told of a setting, besides its names; without a default one that is not given leaves no trace."""
    default = "" if each.default is None or each.law is FLAG or each.default == () else f" (default: {each.default})"
    words: dict[str, Any] = {"help": f"{each.help}{default}".replace("%", "%%"), "default": SUPPRESS}
    if each.law is FLAG:
        return {**words, "action": "store_true"}
    words |= {"metavar": each.metavar, **({"action": "append"} if each.default == () else {})}
    return {**words, **({"choices": each.law.choices} if each.law.choices else {"type": by_law(each.law)})}


def add_batch(parser: ArgumentParser) -> None:
    """Declare --batch, for commands on layer sets."""
    help_ = "every layer on so many inputs at once (default: as the layer set has it)"
    parser.add_argument("--batch", type=by_law(whole(1)), metavar="N", help=help_)


def add_dims(parser: ArgumentParser) -> None:
    """Declare --dim, for commands on networks."""
    parser.add_argument(
        "--dim",
        action="append",
        metavar="NAME=SIZE",
        help="the size of a symbolic dim of an ONNX model, such as batch=1; may be repeated",
    )


def add_hardware(parser: ArgumentParser) -> None:
    """Declare --hardware, for commands on one machine."""
    parser.add_argument("--hardware", default="edge", metavar="H", help=f"{_MACHINE} (default: edge)")


_MACHINE = "a preset or a hardware file, or one with changes: edge,pes=64"


def add_mappings(parser: ArgumentParser, more: str = "") -> None:
    """Declare FILE, and --hardware, for commands on mappings; more: than a mapping file or a run's folder."""
    parser.add_argument("file", metavar="FILE", help=f"a directive file or another tool's mapping file, or a run's folder{more}")
    parser.add_argument("--hardware", metavar="H", help=f"{_MACHINE} (default: the run's, or edge)")
