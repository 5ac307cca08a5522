"""Traces of demand: how much was asked for in each bin of time, as a plain table or in the form of Telecom Italia's Milan records.

A plain table is a CSV file with a line of column names, and rows of an ISO time, at which a bin begins, and a number. A Milan file
has no names, and tab-separated rows: square, start of a 10-minute bin in ms since 1970 (UTC), country, then the activity of sms-in,
sms-out, call-in, call-out and internet, empty where there was none (Barlacchi et al., Scientific Data 2, 150055, 2015).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mapsearch.formats.text import read_text
from mapsearch.model.errors import InputError, did_you_mean, show
from mapsearch.model.extras import require

MILAN_VALUES = ("sms-in", "sms-out", "call-in", "call-out", "internet")
MILAN_BIN_S = 600
LEAST_BIN_S = 60
_MILAN_AHEAD_S = 3600  # of UTC, in all records, which are of November to January; bins begin at full hours and days there
_MILAN_TIME = timezone(timedelta(seconds=_MILAN_AHEAD_S), "CET")
_MOST = 1e15  # asked for in a bin
_MOST_BINS = 2 * 10**8  # of all cells together
_UNITS_S = {"d": 86400, "h": 3600, "min": 60, "s": 1}
_HOUR_S = 3600
_SQUARES = 2**20  # more than there are


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What was asked for.

    cells: by number; none where the trace has no cells. numbers: float64[max(1, cells), bins], at least 0. begins: the start of the
    first bin, with a zone where the trace has one.
    """

    cells: tuple[int, ...]
    numbers: NDArray[np.float64]
    bin_s: int
    begins: datetime


def seconds_of(text: str, what: str = "bin") -> int:
    """A length of time such as 10min or 1h, in seconds; InputError where it is none, or below a minute."""
    for unit, seconds in _UNITS_S.items():
        number = text.removesuffix(unit)
        if number != text and number.strip().isdecimal():
            found = int(number) * seconds
            if not LEAST_BIN_S <= found <= 7 * _UNITS_S["d"]:
                raise InputError(f"{what} must be from 1min to 7d, got {text}")
            return found
    raise InputError(f"{what} must be a whole number of min, h or d, such as 10min or 1h, got {show(text)}")


def time_text(seconds: float) -> str:
    """A length of time as people read it."""
    unit, size = next(((unit, size) for unit, size in _UNITS_S.items() if seconds and seconds % size == 0), ("s", 1))
    return f"{seconds / size:g}{unit}"


def read_table(path: Path, time: str, value: str, bin_s: int | None = None, zone: str | None = None) -> Counts:
    """A plain table whose rows are equally far apart; time, value: the columns' names.

    bin_s: a multiple of that distance, over which numbers are added up (default: the distance). zone: of times without one, such
    as Europe/Rome. Raises InputError with the line of the first row that breaks a law.
    """
    rows = list(_rows(path, time, value))
    if len(rows) < 2:
        raise InputError(f"{path}: must have a line of column names and at least two rows, got {len(rows)}")
    times = _in_zone([row.time for row in rows], None if zone is None else _zone(zone))
    step_s = _step(path, times, [row.line for row in rows])
    size_s = step_s if bin_s is None else bin_s
    if size_s % step_s:
        raise InputError(f"{path}: bin must be a multiple of the {time_text(step_s)} between rows, got {time_text(size_s)}")
    each = size_s // step_s
    if len(rows) % each:
        raise InputError(
            f"{path}: its {len(rows)} rows of {time_text(step_s)} are no whole number of bins of {time_text(size_s)}; cut the rest "
            "off"
        )
    numbers = np.array([row.number for row in rows]).reshape(1, -1, each).sum(axis=2)
    return Counts((), numbers, size_s, times[0])


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    time: datetime
    number: float


def _rows(path: Path, time: str, value: str) -> Iterator[_Row]:
    reader = csv.reader(read_text(path, "trace").splitlines())
    names = [name.strip() for name in next(reader, list[str]())]
    for name in (time, value):
        if name not in names:
            raise InputError(f"{path}: has no column {show(name)}{did_you_mean(name, names)}; its columns are {', '.join(names)}")
    for cells in reader:
        if not any(cells):
            continue
        where = f"{path}:{reader.line_num}"
        if len(cells) != len(names):
            raise InputError(f"{where}: must have a cell for each of the {len(names)} columns, got {len(cells)}")
        at, number = cells[names.index(time)].strip(), cells[names.index(value)].strip()
        try:
            begins = datetime.fromisoformat(at)
        except ValueError:
            raise InputError(f"{where}: {time} must be an ISO time such as 2013-11-04T09:00, got {show(at)}") from None
        yield _Row(reader.line_num, begins, _number(number, f"{where}: {value}"))


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _MOST:
        raise InputError(f"{where} must be a number from 0 to {_MOST:g}, got {show(text)}")
    return number


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        raise InputError(f"zone must be a time zone's name, such as Europe/Rome, got {show(name)}") from None


def _in_zone(times: Sequence[datetime], zone: tzinfo | None) -> list[datetime]:
    """The times, those without a zone in the given one; of an hour that a clock shows twice, the second time counts as later."""
    found: list[datetime] = []
    for time in times:
        here = time.replace(tzinfo=zone) if time.tzinfo is None and zone is not None else time
        if found and here.tzinfo is not None and found[-1].tzinfo is not None and here.timestamp() <= found[-1].timestamp():
            here = here.replace(fold=1)
        found.append(here)
    return found


def _step(path: Path, times: Sequence[datetime], lines: Sequence[int]) -> int:
    """The seconds between two rows; InputError where they are not the same everywhere."""
    mixed = next(
        (line for time, line in zip(times, lines, strict=True) if (time.tzinfo is None) != (times[0].tzinfo is None)), None
    )
    if mixed is not None:
        raise InputError(f"{path}:{mixed}: times must all have a zone, as in 2013-11-04T09:00+01:00, or none")
    seconds = [(time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp() for time in times]
    step = seconds[1] - seconds[0]
    if step < LEAST_BIN_S or step % 1:
        raise InputError(f"{path}:{lines[1]}: rows must be whole seconds and at least 1min apart, got {time_text(step)}")
    for number, (before, after) in enumerate(pairwise(seconds), start=1):
        if after - before == step:
            continue
        told, apart = f"{path}:{lines[number]}: {times[number].isoformat()}", after - before
        law = f"is {time_text(apart)} after the row before, and rows are {time_text(step)} apart"
        clocks = "; if clocks were changed there, name the zone (zone: Europe/Rome)"
        zone = clocks if times[0].tzinfo is None and abs(apart - step) == _HOUR_S else ""
        raise InputError(f"{told} {law}; a table must have every bin, in order, with 0 where nothing was asked for{zone}")
    return int(step)


def read_milan(pattern: Path, value: str, cells: Sequence[int] | None = None, bin_s: int = MILAN_BIN_S) -> Counts:
    """Files of Milan's form together; cells: squares (default: all).

    pattern: a file, or several by * and ?. value: one of MILAN_VALUES, all countries added up. bin_s: a multiple of 10 minutes. A
    bin without a row has 0. Raises InputError where a file, a cell or a number breaks a law.
    """
    require("a trace of this form", "serve", "pyarrow")
    if value not in MILAN_VALUES:
        raise InputError(f"value must be one of {', '.join(MILAN_VALUES)}, got {show(value)}{did_you_mean(value, MILAN_VALUES)}")
    if bin_s % MILAN_BIN_S:
        raise InputError(f"bin must be a multiple of the 10min of these records, got {time_text(bin_s)}")
    paths = sorted(pattern.parent.glob(pattern.name)) if any(char in pattern.name for char in "*?[") else [pattern]
    if not paths:
        raise InputError(f"{pattern}: no file has such a name")
    parts = [part for path in paths for part in _milan_parts(path, value, bin_s)]
    if not parts:
        raise InputError(f"{pattern}: must have at least one row")
    keys = np.concatenate([key for key, _ in parts])
    sums = np.concatenate([numbers for _, numbers in parts])
    squares, bins = keys % _SQUARES, keys // _SQUARES
    known = np.unique(squares)
    wanted = known if cells is None else np.array(sorted({*cells}), np.int64)
    for cell in wanted:
        if cell not in known:
            nearest = known[np.argmin(np.abs(known - cell))]
            raise InputError(f"{pattern}: has no cell {cell}; the nearest is {nearest}")
    first, last = int(bins.min()), int(bins.max())
    if len(wanted) * (last - first + 1) > _MOST_BINS:
        days = (last - first + 1) * bin_s / _UNITS_S["d"]
        raise InputError(f"{pattern}: {len(wanted):,} cells over {days:,.0f} days are too many bins; are all times in ms?")
    numbers = np.zeros((len(wanted), last - first + 1))
    chosen = np.isin(squares, wanted)
    np.add.at(numbers, (np.searchsorted(wanted, squares[chosen]), bins[chosen] - first), sums[chosen])
    begins = datetime.fromtimestamp(first * bin_s - _MILAN_AHEAD_S, _MILAN_TIME)
    return Counts(tuple(wanted.tolist()), numbers, bin_s, begins)


def _milan_parts(path: Path, value: str, bin_s: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Sums of a file's values by bin and square, as bin * _SQUARES + square, a part of the file at a time."""
    arrow: Any = import_module("pyarrow")  # which has no types
    reading: Any = import_module("pyarrow.csv")
    columns = ("square", "time", "country", *MILAN_VALUES)
    types = {"square": arrow.int64(), "time": arrow.int64(), value: arrow.float64()}
    try:
        with path.open("rb") as file:
            batches = reading.open_csv(
                file,
                reading.ReadOptions(column_names=columns),
                reading.ParseOptions(delimiter="\t"),
                reading.ConvertOptions(include_columns=list(types), column_types=types),
            )
            for batch in batches:
                table = arrow.Table.from_batches([batch])
                square, time = (table[name].to_numpy() for name in ("square", "time"))
                numbers = table[value].fill_null(0.0).to_numpy()
                _check_milan(path, value, square, numbers)
                keys = (time // 1000 + _MILAN_AHEAD_S) // bin_s * _SQUARES + square
                unique, place = np.unique(keys, return_inverse=True)
                yield unique.astype(np.int64), np.bincount(place, numbers).astype(np.float64)
    except OSError as error:
        raise InputError(f"{path}: the trace must be readable: {error.strerror or error}") from None
    except arrow.ArrowInvalid as error:
        told = " ".join(str(error).split())
        raise InputError(f"{path}: must have tab-separated rows of {', '.join(columns)}: {told}") from None


def _check_milan(path: Path, value: str, square: NDArray[np.int64], numbers: NDArray[np.float64]) -> None:
    wrong = numbers[~((numbers >= 0) & (numbers <= _MOST))]
    if len(wrong):
        raise InputError(f"{path}: {value} must be numbers from 0 to {_MOST:g}, got {wrong[0]:g}")
    if len(square) and not 0 <= square.min() <= square.max() < _SQUARES:
        raise InputError(f"{path}: squares must be from 0 to {_SQUARES - 1:,}, got {square.min()} to {square.max()}")
