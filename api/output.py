"""Results on standard output: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import StringIO
from typing import TypeVar

Cell = str | int | float
Row = TypeVar("Row")

SHOWN = 12  # points of a front


def write(text: str) -> None:
    """A line, its unprintable characters escaped, on standard output."""
    sys.stdout.write(printable(text) + "\n")


def write_file(text: str) -> None:
    """The content of a file on standard output, to the letter, in UTF-8 as files are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())


def warn(text: str) -> None:
    """A line on standard error, for what a reader of the figures should know."""
    sys.stderr.write(f"mapsearch: warning: {printable(text)}\n")


def printable(text: str) -> str:
    """The text with line ends, escape sequences and their like as backslash escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def write_json(data: object) -> None:
    """The data as indented JSON."""
    import json

    json.dump(data, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def write_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Rows under headers, numbers to the right, in full width: a figure folded to a narrow terminal would mislead."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numbers = all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    # Its own file: where the reader of standard output has gone, a console that flushes that would leave with code 1.
    drawn = StringIO()
    Console(file=drawn, force_terminal=terminal, width=10_000, markup=False, emoji=False, highlight=False).print(table)
    if title:
        write(title)
    for line in drawn.getvalue().splitlines():
        sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.write("\n")


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
            return f"{cell:.4g}"
