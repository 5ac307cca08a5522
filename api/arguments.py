"""A command line whose errors are one line, with the word that was probably meant."""

from __future__ import annotations

import re
import sys
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    _SubParsersAction,  # pyright: ignore[reportPrivateUsage] argparse's only name for the type
)
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from mapsearch.model.errors import did_you_mean


class UsageError(Exception):
    """A command line that breaks a law; its text is one line."""


class Parser(ArgumentParser):
    """An ArgumentParser that raises UsageError, and takes no abbreviated options."""

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401 those of ArgumentParser
        super().__init__(allow_abbrev=False, **keywords)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Leave after --help or --version, with all of it written."""
        sys.stdout.flush()
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError, pointing at the help of the command."""
        raise UsageError(f"{message}; see {self.prog} --help")

    def refuse(self, extra: list[str]) -> NoReturn:
        """Raise UsageError for arguments that the command does not take."""
        for word in extra:
            if word.startswith("-"):
                options = re.findall(r"--[a-z0-9-]+", self.format_help())
                self.error(f"unknown option {word}{did_you_mean(word.split('=')[0], options)}")
        self.error(f"unexpected argument {extra[0]!r}")


Subparsers: TypeAlias = "_SubParsersAction[Parser]"


def one_of(*choices: str) -> Callable[[str], str]:
    """The `type` of an argument that must be one of the choices."""

    def check(word: str) -> str:
        if word not in choices:
            raise ArgumentTypeError(f"must be one of {', '.join(choices)}, got {word!r}{did_you_mean(word, choices)}")
        return word

    return check
