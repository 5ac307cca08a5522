"""Traces of demand: plain tables and Milan's form, and one line for what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from milan_week import BINS_A_DAY, DAYS, HOME, OFFICE, internet, week

from mapsearch.formats.traces import read_milan, read_table, seconds_of, time_text
from mapsearch.model.errors import InputError


def _table(folder: Path, times: Sequence[str], numbers: Sequence[object] | None = None, head: str = "start,requests") -> Path:
    file = folder / "hours.csv"
    given = range(1, len(times) + 1) if numbers is None else numbers
    file.write_text("\n".join([head, *(f"{time},{number}" for time, number in zip(times, given, strict=True))]) + "\n")
    return file


def _hours(begins: str, count: int, minutes: int = 60) -> list[str]:
    return [(datetime.fromisoformat(begins) + timedelta(minutes=minutes * step)).isoformat() for step in range(count)]


@pytest.fixture(name="milan", scope="module")
def milan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic week."""
    file = tmp_path_factory.mktemp("milan") / "week.txt"
    file.write_text(week())
    return file


def test_a_table_gives_its_numbers(tmp_path: Path) -> None:
    """Columns may stand in any order, with others beside them; a larger bin adds up."""
    file = tmp_path / "t.csv"
    file.write_text(
        "note,requests,start\n" + "".join(f"x,{n},{time}\n" for n, time in enumerate(_hours("2013-11-04T00:00", 8, 15)))
    )
    found = read_table(file, "start", "requests")
    assert (found.bin_s, found.begins, found.cells) == (900, datetime.fromisoformat("2013-11-04T00:00"), ())
    assert found.numbers.tolist() == [list(range(8))]
    assert read_table(file, "start", "requests", 3600).numbers.tolist() == [[0 + 1 + 2 + 3, 4 + 5 + 6 + 7]]


def test_a_zone_carries_over_changed_clocks(tmp_path: Path) -> None:
    """In local time of a zone the spring's hour may be left out and the autumn's stand twice; offsets in the times do the same."""
    spring = ["2014-03-30T00:00", "2014-03-30T01:00", "2014-03-30T03:00", "2014-03-30T04:00"]
    assert read_table(_table(tmp_path, spring), "start", "requests", zone="Europe/Rome").numbers.shape == (1, 4)
    autumn = ["2014-10-26T01:00", "2014-10-26T02:00", "2014-10-26T02:00", "2014-10-26T03:00"]
    assert read_table(_table(tmp_path, autumn), "start", "requests", zone="Europe/Rome").numbers.shape == (1, 4)
    stated = ["2014-10-26T02:00+02:00", "2014-10-26T02:00+01:00", "2014-10-26T03:00+01:00"]
    assert read_table(_table(tmp_path, stated), "start", "requests").numbers.shape == (1, 3)


@pytest.mark.parametrize(
    ("times", "numbers", "message"),
    [
        (
            ["2013-11-04T00:00", "2013-11-04T01:00", "2013-11-04T04:00"],
            None,
            "hours.csv:4: 2013-11-04T04:00:00 is 3h after the row before, and rows are 1h apart; a table must have every bin",
        ),
        (
            ["2014-03-30T00:00", "2014-03-30T01:00", "2014-03-30T03:00"],
            None,
            "with 0 where nothing was asked for; if clocks were changed there, name the zone (zone: Europe/Rome)",
        ),
        (
            ["2014-10-26T01:00", "2014-10-26T02:00", "2014-10-26T02:00"],
            None,
            "is 0s after the row before, and rows are 1h apart; a table must have every bin",
        ),
        (["2013-11-04T00:00", "2013-11-04T01:00"], [1, -2], "hours.csv:3: requests must be a number from 0 to 1e+15, got '-2'"),
        (["2013-11-04T00:00", "2013-11-04T01:00"], [1, "nan"], "requests must be a number from 0 to 1e+15, got 'nan'"),
        (["2013-11-04T00:00", "2013-11-04T01:00"], [1, "1e300"], "requests must be a number from 0 to 1e+15, got '1e300'"),
        (["2013-11-04T00:00", "2013-11-04T01:00"], ["", 1], "hours.csv:2: requests must be a number from 0 to 1e+15, got ''"),
        (
            ["2013-11-04T00:00:00", "2013-11-04T00:00:30"],
            None,
            "hours.csv:3: rows must be whole seconds and at least 1min apart, got 30s",
        ),
        (["2013-11-04T00:00", "2013-11-03T00:00"], None, "at least 1min apart, got -1d"),
        (["4.11.2013 9:00", "4.11.2013 10:00"], None, "start must be an ISO time such as 2013-11-04T09:00, got '4.11.2013 9:00'"),
        (["2013-11-04T00:00", "2013-11-04T01:00+01:00"], None, "hours.csv:3: times must all have a zone"),
        (["2013-11-04T00:00"], None, "at least two rows, got 1"),
        (["2013-11-04T00:00", "2013-11-04T01:00,5"], None, "hours.csv:3: must have a cell for each of the 2 columns, got 3"),
    ],
)
def test_a_table_that_breaks_a_law(tmp_path: Path, times: list[str], numbers: list[object] | None, message: str) -> None:
    """The line of the first row that does, and what would be right."""
    with pytest.raises(InputError) as caught:
        read_table(_table(tmp_path, times, numbers), "start", "requests")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_asked_of_a_table(tmp_path: Path) -> None:
    """Columns, bins and zones that do not fit, and files that are not there."""
    file = _table(tmp_path, _hours("2013-11-04T00:00", 5))
    asked: list[tuple[str, tuple[Any, ...]]] = [
        ("has no column 'request'; did you mean requests?; its columns are start, requests", ("start", "request")),
        ("bin must be a multiple of the 1h between rows, got 90min", ("start", "requests", 5400)),
        ("its 5 rows of 1h are no whole number of bins of 2h; cut the rest off", ("start", "requests", 7200)),
        ("zone must be a time zone's name, such as Europe/Rome, got 'Rome'", ("start", "requests", None, "Rome")),
    ]
    for message, arguments in asked:
        with pytest.raises(InputError) as caught:
            read_table(file, *arguments)
        assert message in str(caught.value)
    with pytest.raises(InputError, match="the trace must be readable"):
        read_table(tmp_path / "none.csv", "start", "requests")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="has no column 'start'"):
        read_table(tmp_path / "empty.csv", "start", "requests")


def test_milans_form_adds_countries_and_fills_gaps(milan: Path) -> None:
    """Each bin has the sum of its rows, 0 where there is none, and begins at the full hour of Milan's time."""
    found = read_milan(milan, "internet")
    assert (found.cells, found.bin_s) == ((OFFICE, HOME), 600)
    assert found.begins.isoformat() == "2013-11-04T00:00:00+01:00"
    for cell, numbers in zip(found.cells, found.numbers, strict=True):
        expected = [internet(cell, *divmod(step, BINS_A_DAY)) for step in range(DAYS * BINS_A_DAY)]
        np.testing.assert_allclose(numbers, expected, atol=1e-9)
    hours = read_milan(milan, "internet", [HOME], 3600)
    np.testing.assert_allclose(hours.numbers, found.numbers[1:].reshape(1, -1, 6).sum(axis=2))
    assert read_milan(milan, "sms-in", [OFFICE]).numbers.sum() == 0
    assert read_milan(milan, "internet", None, 86400).numbers.shape == (2, 7)


def test_several_files_are_one_trace(milan: Path, tmp_path: Path) -> None:
    """A pattern takes all files that it fits, in any order of their rows."""
    rows = milan.read_text().splitlines(keepends=True)
    (tmp_path / "mi-1.txt").write_text("".join(reversed(rows[700:])))
    (tmp_path / "mi-2.txt").write_text("".join(rows[:700]))
    np.testing.assert_allclose(read_milan(tmp_path / "mi-*.txt", "internet").numbers, read_milan(milan, "internet").numbers)


def test_what_is_asked_of_milans_form(milan: Path, tmp_path: Path) -> None:
    """Cells that are not there, values, bins, and files of another form."""
    asked: list[tuple[str, tuple[Any, ...]]] = [
        (f"has no cell 4300; the nearest is {OFFICE}", ("internet", [4300])),
        (
            "value must be one of sms-in, sms-out, call-in, call-out, internet, got 'internett'; did you mean internet?",
            ("internett",),
        ),
        ("bin must be a multiple of the 10min of these records, got 15min", ("internet", None, 900)),
    ]
    for message, arguments in asked:
        with pytest.raises(InputError) as caught:
            read_milan(milan, *arguments)
        assert message in str(caught.value)
    for text, message in (
        ("4259\t1383606000000\t39\t\t\t\t\t-1\n", "internet must be numbers from 0 to 1e+15, got -1"),
        ("4259,1383606000000,39\n", "must have tab-separated rows of square, time, country"),
        ("4259\tnoon\t39\t\t\t\t\t1\n", "must have tab-separated rows of square, time, country"),
        ("4259\t1383606000\t39\t\t\t\t\t1\n4259\t1383606000000\t39\t\t\t\t\t1\n4260\t1383606000000\t39\t\t\t\t\t1\n", ""),
        ("", "must"),
    ):
        file = tmp_path / "bad.txt"
        file.write_text(text)
        if message:
            with pytest.raises(InputError) as caught:
                read_milan(file, "internet")
            assert message in str(caught.value)
            assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no file has such a name"):
        read_milan(tmp_path / "mi-*.txt", "internet")
    with pytest.raises(InputError, match="the trace must be readable: No such file"):
        read_milan(tmp_path / "none.txt", "internet")


@pytest.mark.parametrize(("text", "seconds"), [("1h", 3600), ("10min", 600), ("60s", 60), ("1d", 86400)])
def test_lengths_of_time(text: str, seconds: int) -> None:
    """They are read as they are written."""
    assert seconds_of(text) == seconds
    assert seconds_of(time_text(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30s", "bin must be from 1min to 7d, got 30s"),
        ("0h", "bin must be from 1min to 7d, got 0h"),
        ("hour", "bin must be a whole number of min, h or d, such as 10min or 1h, got 'hour'"),
        ("1.5h", "bin must be a whole number of min, h or d"),
        ("", "bin must be a whole number of min, h or d"),
    ],
)
def test_lengths_that_are_none(text: str, message: str) -> None:
    """Bins below a minute, and what is no length of time."""
    with pytest.raises(InputError, match=message):
        seconds_of(text)
