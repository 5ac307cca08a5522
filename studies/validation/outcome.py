"""What a suite of the validation found: figures held against bars, tables of rows, and the mappings behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.model.hardware import Hardware
from mapsearch.studies.validation.words import MISSES, TITLES, flowing

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a suite and its bar: `most` or `least`, both None where it has none.

    digits: after the point, as shown; the bar is held against the figure itself. beside: what others reach, or how it came about.
    """

    metric: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    digits: int = 1
    beside: str = ""

    @property
    def met(self) -> bool:
        """Whether the figure keeps to its bar; a figure that is no number does not."""
        above = self.most is None or self.value <= self.most
        return above and (self.least is None or self.value >= self.least)

    @property
    def shown(self) -> str:
        """The figure with its unit."""
        return f"{self.value:,.{self.digits}f}{' ' * bool(self.unit)}{self.unit}"

    @property
    def bar(self) -> str:
        """The bar in words, or nothing."""
        sign, limit = ("≤", self.most) if self.most is not None else ("≥", self.least)
        sign = "=" if self.most == self.least else sign
        return "" if limit is None else f"{sign} {limit:g}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; None in place of a figure that is no number."""
        value = None if isnan(self.value) else self.value
        bars = {"most": self.most, "least": self.least}
        return {"metric": self.metric, "value": value, "unit": self.unit, **bars, "met": self.met, "beside": self.beside}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its key in JSON, its title, and how its fractions are shown."""

    key: str
    title: str
    form: str = ".1f"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; a value of None is blank."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[Value, ...]]

    def shown(self) -> list[tuple[str, ...]]:
        """The rows as they are shown."""
        return [tuple(map(_shown, self.columns, row)) for row in self.rows]

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers."""
        return [all(value is None or isinstance(value, int | float) for value in column) for column in zip(*self.rows, strict=True)]

    def to_dict(self) -> list[dict[str, Value]]:
        """As JSON has it: an object a row."""
        return [{column.key: value for column, value in zip(self.columns, row, strict=True)} for row in self.rows]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a suite found.

    told: what is compared with what. fitted: what was set by measured rows, and by which. misses: known ones, by name. sources:
    the files of the rows, and what their heads say. network: the mappings that were evaluated on the machine, None where
    another suite has them.
    """

    suite: str
    told: str
    fitted: str
    misses: tuple[str, ...]
    figures: tuple[Figure, ...]
    table: Table
    sources: tuple[tuple[str, str], ...]
    machine: Hardware
    network: Network | None = None

    @property
    def met(self) -> bool:
        """Whether all bars are met."""
        return all(figure.met for figure in self.figures)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "suite": self.suite,
            "title": TITLES[self.suite],
            "met": self.met,
            "fitted": self.fitted,
            "figures": [figure.to_dict() for figure in self.figures],
            "rows": self.table.to_dict(),
        }


def network_of(name: str, layers: Sequence[MappedLayer]) -> Network:
    """The mapped layers as a directive file has them."""
    return Network(name.replace("-", "_"), tuple(layers))


def missed(suite: str, errors: Mapping[str, float]) -> tuple[str, ...]:
    """The known misses of a suite, given the error of each row in percent by its name; rows of one reason together."""
    found: dict[str, list[str]] = {}
    for row, why in MISSES[suite].items():
        if row in errors:
            found.setdefault(flowing(why), []).append(f"{row} ({errors[row]:+.1f} %)")
    return tuple(f"{', '.join(rows)}: {why}" for why, rows in found.items())


def percent_off(predicted: float, measured: float) -> float:
    """The error of a prediction in percent, below 0 where it is too low."""
    return 100 * (predicted / measured - 1)


def mean_and_worst(errors: Sequence[float]) -> tuple[float, float]:
    """The mean and the largest of the absolute errors."""
    sizes = [abs(error) for error in errors]
    return sum(sizes) / len(sizes), max(sizes)


def _shown(column: Column, value: Value) -> str:
    match value:
        case None:
            return ""
        case float():
            return format(value, column.form)
        case int():
            return f"{value:,}"
        case _:
            return value
