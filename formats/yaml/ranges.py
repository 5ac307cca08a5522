"""Ranges and lists of choices in place of one value of a hardware file, and its budget.

A range is `{low: 16, high: 1024, factor: 2}` or `{low: 100, high: 500, step: 50}`: from `low` up to `high`, which is included if a
step ends on it. A list holds choices. Both become the ascending values of an axis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from math import floor, inf, log
from typing import Annotated, Any, TypeVar, cast

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.yaml.plain import Keys
from mapsearch.model.errors import HardwareError, show
from mapsearch.model.hardware import Buffering, width
from mapsearch.spaces.machines.space import KINDS, Kind, Limits, Value

MAX_VALUES = 10**6
_EXAMPLE = "{low: 16, high: 1024, factor: 2}"
_MOST = 2**53  # beyond it, not every whole number is a float
_WORDS = tuple(str(each) for each in (Buffering.SINGLE, Buffering.STREAM, Buffering.DOUBLE))  # ascending
_NOUNS = {
    Kind.WHOLE: "whole numbers up to 2^53",
    Kind.NUMBER: "numbers up to 2^53",
    Kind.WIDTH: "numbers up to 2^53",
    Kind.FLAG: "true and false",
    Kind.BUFFERING: ", ".join(_WORDS),
}
_BANDWIDTH = re.compile(r"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(GB/s|bytes/cycle)\s*", re.ASCII)
_UNITS = {"area_mm2": "mm²", "power_mw": "mW", "peak_gops": "GOPS", "dsp": "DSPs", "bram_18k": "block RAMs"}
_Number = TypeVar("_Number", int, float)
_Whole = Annotated[int, Field(ge=-_MOST, le=_MOST)]
_Float = Annotated[float, Field(ge=-_MOST, le=_MOST)]


class _WholeRange(Keys):
    low: _Whole
    high: _Whole
    step: _Whole | None = None
    factor: _Whole | None = None


class _NumberRange(Keys):
    low: _Float
    high: _Float
    step: _Float | None = None
    factor: _Float | None = None


class _Budget(Keys):
    area_mm2: object = None
    power_mw: object = None
    bandwidth: object = None
    peak_gops: object = None
    dsp: object = None
    bram_18k: object = None


_WHOLE_RANGE, _NUMBER_RANGE, _BUDGET = TypeAdapter(_WholeRange), TypeAdapter(_NumberRange), TypeAdapter(_Budget)


def values_of(given: list[object] | Mapping[str, object], key: str, where: str) -> tuple[Value, ...]:
    """The values of a range or of a list for a key of KINDS, ascending, each once; HardwareError where one is wrong."""
    place, kind = f"{where}: {key}", KINDS[key]
    if isinstance(given, list):
        return _choice(given, kind, place)
    if kind is Kind.FLAG:
        raise HardwareError(f"{place} must be true, false or a list of both, got {show(given)}")
    if kind is Kind.BUFFERING:
        raise HardwareError(f"{place} must be one or a list of {_NOUNS[kind]}, got {show(given)}")
    if kind is Kind.WHOLE or (kind is Kind.WIDTH and not any(isinstance(each, float) for each in given.values())):
        whole = checked(_WHOLE_RANGE, given, place)
        return _range(whole.low, whole.high, whole.step, whole.factor, place)
    number = checked(_NUMBER_RANGE, given, place)
    values = _range(number.low, number.high, number.step, number.factor, place)
    return values if kind is Kind.NUMBER else tuple(sorted({width(round(each, 3)) for each in values}))


def _choice(given: list[object], kind: Kind, place: str) -> tuple[Value, ...]:
    if not given:
        raise HardwareError(f"{place} must have at least one value, got []")
    _check_number_of_values(len(given), place, "leave some out")
    values = sorted((_value(each, kind, place) for each in given), key=_place_of)
    for value, following in pairwise(values):
        if value == following:
            raise HardwareError(f"{place} must have each value once, got {show(value)} twice")
    return tuple(values)


def _place_of(value: Value) -> float:
    return _WORDS.index(value) if isinstance(value, str) else value


def _value(given: object, kind: Kind, place: str) -> Value:
    match given:
        case str() if kind is Kind.BUFFERING and given in _WORDS:
            return given
        case bool() if kind is Kind.FLAG:
            return given
        case int() | float() if not isinstance(given, bool) and abs(given) <= _MOST:
            if kind is Kind.WIDTH:
                return width(given)
            if kind is Kind.NUMBER:
                return float(given)
            if kind is Kind.WHOLE and isinstance(given, int):
                return given
        case _:
            pass
    raise HardwareError(f"{place} must be a list of {_NOUNS[kind]}, got {show(given)} in it")


def _range(low: _Number, high: _Number, step: _Number | None, factor: _Number | None, place: str) -> tuple[_Number, ...]:
    if low > high:
        raise HardwareError(f"{place}: low must be at most high, got low {low} and high {high}")
    if factor is None and step is not None:
        return _stepwise(low, high, step, place)
    if step is None and factor is not None:
        return _by_factor(low, high, factor, place)
    got = "neither" if step is None else "both"
    raise HardwareError(f"{place} must have a step or a factor, such as {_EXAMPLE}, got {got}")


def _stepwise(low: _Number, high: _Number, step: _Number, place: str) -> tuple[_Number, ...]:
    if step <= 0:
        raise HardwareError(f"{place}: step must be above 0, got {step}")
    _check_number_of_values((high - low) / step + 1, place, "take a larger step")
    # 1e-9 is for the rounding of floats, such as (0.3 - 0.1) / 0.1; steps that vanish in it give each value once.
    steps = (high - low) // step if isinstance(step, int) else floor((high - low) / step + 1e-9)
    return tuple(sorted({min(low + number * step, high) for number in range(int(steps) + 1)}))


def _by_factor(low: _Number, high: _Number, factor: _Number, place: str) -> tuple[_Number, ...]:
    if factor <= 1:
        raise HardwareError(f"{place}: factor must be above 1, got {factor}")
    if low <= 0:
        raise HardwareError(f"{place}: low must be above 0 where a factor is given, got {low}")
    _check_number_of_values((log(high) - log(low)) / log(factor) + 1, place, "take a larger factor")
    slack = 0.0 if isinstance(factor, int) else 1e-9 * high  # a power's rounding
    values: list[_Number] = []
    value = low
    while value <= high + slack:
        values.append(min(value, high))
        value *= factor
    return tuple(sorted(set(values)))


def _check_number_of_values(number: float, place: str, remedy: str) -> None:
    if number > MAX_VALUES:
        raise HardwareError(f"{place} must have at most {MAX_VALUES} values, got {number:.0f}; {remedy}")


def limits_of(budget: object, where: str) -> Limits:
    """The limits of a `budget:` block; HardwareError where it is wrong."""
    place = f"{where}: budget"
    if not isinstance(budget, Mapping):
        raise HardwareError(f"{place} must be a mapping with the keys {', '.join(_Budget.model_fields)}, got {show(budget)}")
    keys = checked(_BUDGET, cast("Mapping[str, object]", budget), place)
    amounts = {key: _amount(getattr(keys, key), unit, f"{place}.{key}") for key, unit in _UNITS.items()}
    return Limits(**amounts, **_bandwidth(keys.bandwidth, f"{place}.bandwidth"))


def budget_of(limits: Limits) -> dict[str, Any]:
    """The `budget:` block that sets these limits."""
    amounts = {key: getattr(limits, key) for key in _UNITS}
    budget: dict[str, Any] = {key: value for key, value in amounts.items() if value < inf}
    if limits.offchip_gb_per_s < inf:
        budget["bandwidth"] = f"{limits.offchip_gb_per_s!r} GB/s"
    if limits.offchip_bytes_per_cycle < inf:
        budget["bandwidth"] = f"{limits.offchip_bytes_per_cycle!r} bytes/cycle"
    return budget


def _amount(given: object, unit: str, place: str) -> float:
    if given is None:
        return inf
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise HardwareError(f"{place} is in {unit} and must be a number, such as 4, got {show(given)}")
    if _MOST < given < inf:
        raise HardwareError(f"{place} must be at most 2^53 {unit}, got {show(given)}; leave it out for no limit")
    return _positive(given, unit, place)


def _bandwidth(given: object, place: str) -> dict[str, float]:
    if given is None:
        return {}
    match = _BANDWIDTH.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise HardwareError(f"{place} must be a text with its unit, '16 GB/s' or '16 bytes/cycle', got {show(given)}")
    number, unit = match.groups()
    try:
        value = float(number)
    except ValueError:
        raise HardwareError(f"{place} must begin with a number, such as '16 {unit}', got {show(given)}") from None
    key = "offchip_gb_per_s" if unit == "GB/s" else "offchip_bytes_per_cycle"
    return {key: _positive(value, unit, place)}


def _positive(value: float, unit: str, place: str) -> float:
    if not 0 < value < inf:
        raise HardwareError(f"{place} must be above 0 {unit} and finite, got {value}; leave it out for no limit")
    return float(value)
