"""Results on standard output, tables for people and JSON for programs; and what is said of the work on standard error."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from io import StringIO, TextIOBase, TextIOWrapper
from shutil import get_terminal_size
from typing import TextIO, TypeVar, cast

from mapsearch.studies.shown import number_text, shortened

Cell = str | int | float
Row = TypeVar("Row")

SHOWN = 12  # points of a front
WIDTH = 100  # columns of a table or a line of prose at the most
_TIED = "\N{NO-BREAK SPACE}"
_GAP = 2  # spaces between columns
_LEAST_PROSE, _LEAST_NAME = 24, 16  # letters that a narrow terminal leaves of them
PLAIN = "plain"  # the error handler of encodings that lack some of our characters
_PLAIN = str.maketrans("─━…→·²³µ", "--.>*23u")


class _Errors(TextIOBase):
    """Standard error that may be closed, full or gone: what cannot be written there is let go, and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattribute__(self, name: str) -> object:  # TextIOBase has an encoding of its own, which cannot be set
        return self._stream.encoding if name == "encoding" else super().__getattribute__(name)

    def write(self, text: str) -> int:
        """Write the text, if that can be done."""
        try:
            self._stream.write(text)
        except (OSError, ValueError):  # full, or closed since
            self._let_go()
        return len(text)

    def flush(self) -> None:
        """Flush, if that can be done."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._let_go()

    def isatty(self) -> bool:
        """As of the stream."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """As of the stream."""
        return self._stream.fileno()

    def _let_go(self) -> None:
        """Put nothing in the place of the descriptor: the interpreter would fail on it again when it ends."""
        with suppress(OSError, ValueError):
            replace_by_nothing(self._stream.fileno())


@contextmanager
def errors_let_go() -> Generator[None]:
    """While it lasts, no write to standard error fails, whoever writes."""
    before = sys.stderr
    if before is None:  # pyright: ignore[reportUnnecessaryComparison] so it is where the shell closed it
        replace_by_nothing(2)  # else the next file that is opened would be taken for it, and worker processes would have none
    elif hasattr(before, "reconfigure"):
        cast("TextIOWrapper", before).reconfigure(errors=PLAIN)
    with open(2, "w", encoding="utf-8", closefd=False) if before is None else nullcontext(before) as stream:
        sys.stderr = cast("TextIO", _Errors(stream))
        try:
            yield
        finally:
            sys.stderr = before


def replace_by_nothing(descriptor: int) -> None:
    """Let what is written to the descriptor from now on, here and in child processes, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 takes it by place only


def plain(error: UnicodeError) -> tuple[str, int]:
    """The handler PLAIN: for characters that an encoding lacks the likes of `mm2`, and else backslash escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode(), error.end


codecs.register_error(PLAIN, plain)


def write(text: str) -> None:
    """A line, its unprintable characters escaped, on standard output."""
    sys.stdout.write(printable(text) + "\n")


def write_file(text: str) -> None:
    """The content of a file on standard output, to the letter, in UTF-8 as files are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())


def say(text: str) -> None:
    """A line of the program's own on standard error."""
    sys.stderr.write(f"mapsearch: {printable(text)}\n")


def warn(text: str) -> None:
    """A line on standard error, for what a reader of the figures should know."""
    say(f"warning: {text}")


def printable(text: str) -> str:
    """The text with line ends, escape sequences and their like as backslash escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def write_json(data: object) -> None:
    """The data as indented JSON."""
    import json

    json.dump(data, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def write_prose(text: str, indent: int = 0) -> None:
    """Text on standard output, wrapped at spaces to the width of the terminal, or WIDTH; further lines begin after `indent`."""
    from re import sub
    from textwrap import wrap

    whole = sub(r"(?<=\d) (?=\S)", _TIED, printable(text))  # a number and its unit stay together
    lines = wrap(whole, _width(), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    sys.stdout.write("\n".join(lines).replace(_TIED, " ") + "\n")


def write_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Rows under headers, whose units have a line of their own, numbers to the right.

    In a table too wide for the terminal, or WIDTH, text in the last column is wrapped and names in the first lose their middle. No
    number is ever cut or folded, as it would mislead.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    headers = [column.replace(" [", "\n[") for column in columns]
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(cell_len(line) for text in column for line in text.split("\n")) for column in zip(headers, *texts, strict=True)]
    beyond = sum(widths) + _GAP * (len(widths) - 1) - _width()
    last = max(widths[-1] - max(beyond, 0), min(widths[-1], _LEAST_PROSE))
    name = max(widths[0] - max(beyond - (widths[-1] - last), 0), _LEAST_NAME)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, _GAP - 1, 0, 0))
    for index, header in enumerate(headers):
        cells = [row[index] for row in rows if row[index] != ""]
        numbers = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        wrapped = last if index == len(headers) - 1 and not numbers else None
        table.add_column(header, justify="right" if numbers else "left", max_width=wrapped)
    for first, *others in texts:
        table.add_row(shortened(first, name), *others)
    # Its own file: where the reader of standard output has gone, a console that flushes that would leave with code 1.
    drawn = StringIO()
    # Without a height, rich takes a dumb terminal for one of 80 columns.
    console = Console(file=drawn, force_terminal=terminal, width=10_000, height=100, markup=False, emoji=False, highlight=False)
    console.print(table)
    if title:
        write(title)
    for line in drawn.getvalue().splitlines():
        sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.write("\n")


def _width() -> int:
    """The columns for tables and prose: those of the terminal, WIDTH at the most."""
    return min(get_terminal_size().columns, WIDTH) if sys.stdout.isatty() else WIDTH


def spread(rows: Sequence[Row]) -> list[Row]:
    """At most SHOWN of many rows, the first, the last and some from all over between."""
    steps = max(1, min(SHOWN, len(rows)) - 1)
    return [rows[round(step * (len(rows) - 1) / steps)] for step in range(min(SHOWN, len(rows)))]


def _text(cell: Cell) -> str:
    match cell:
        case str():
            return printable(cell)
        case int():
            return f"{cell:,}"
        case float():
            return number_text(cell)
