"""Measured rows kept as CSV, so that a measurement that was broken off goes on and a page is made again without measuring."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

import joblib  # type: ignore[import-untyped]

from mapsearch.formats.text import write_whole

Row = TypeVar("Row")
Case = TypeVar("Case")


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """The rows of a file as dataclasses of a kind, whose fields are the columns; none where there is no file."""
    if not path.exists():
        return []
    types: dict[str, Callable[[str], object]] = get_type_hints(kind)
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [kind(**{name: _value(types[name], text) for name, text in row.items()}) for row in rows]


def _value(kind: Callable[[str], object], text: str) -> object:
    return text == "True" if kind is bool else kind(text)


def measure(path: Path, kind: type[Row], cases: Iterable[Case], work: Callable[[Case], Row | None], jobs: int) -> Iterator[Row]:
    """Yield the row of each case, measured in `jobs` processes, and keep all rows in the file as they come."""
    rows = read_rows(path, kind)
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator")
    delayed = cast("Callable[..., object]", joblib.delayed(work))  # pyright: ignore[reportUnknownMemberType] no types
    for row in cast("Iterable[Row | None]", parallel(delayed(case) for case in cases)):
        if row is not None:
            rows.append(row)
            write_whole(path, _as_csv(rows, kind))
            yield row


def _as_csv(rows: Iterable[object], kind: Any) -> str:  # noqa: ANN401 a dataclass
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(kind))
    writer.writerows(astuple(cast("Any", row)) for row in rows)
    return text.getvalue()
