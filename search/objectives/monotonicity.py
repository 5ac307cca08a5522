"""Whether an expression rises or falls as runtime or energy grows, derived from its structure.

The rules are theorems of real arithmetic. In floating point, + - * / min max sqrt keep them exactly; log and ** may err in the last
digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf, isnan, log, sqrt
from typing import Final

import numpy as np

from mapsearch.search.objectives.expression import CHANGING, Expression, Metric, Number, Operation


@dataclass(frozen=True, slots=True)
class Monotonicity:
    """The known monotonicity of a value as runtime or energy grows and all else stays.

    never_falls, never_rises: both for a constant, neither where it is not known. least, most: the range of the value wherever it
    is defined.
    """

    never_falls: bool
    never_rises: bool
    least: float
    most: float

    @property
    def stays(self) -> bool:
        """Whether the value is the same for all mappings."""
        return self.never_falls and self.never_rises


_UNKNOWN = Monotonicity(never_falls=False, never_rises=False, least=-inf, most=inf)


def monotonicity(expression: Expression) -> Monotonicity:
    """The monotonicity of an expression, given that metrics are 0 or more."""
    match expression:
        case Number(value):
            return Monotonicity(never_falls=True, never_rises=True, least=value, most=value)
        case Metric(name):
            return Monotonicity(never_falls=True, never_rises=name not in CHANGING, least=0.0, most=inf)
        case Operation(name, arguments):
            parts = [monotonicity(each) for each in arguments]
            found = _RULES[name](*parts)
            return replace(found, never_falls=True, never_rises=True) if all(part.stays for part in parts) else found


def _together(parts: tuple[Monotonicity, ...], least: float, most: float) -> Monotonicity:
    """The monotonicity of a value that rises and falls with its parts; a limit that is not a number becomes infinite."""
    return Monotonicity(
        never_falls=all(part.never_falls for part in parts),
        never_rises=all(part.never_rises for part in parts),
        least=-inf if isnan(least) else least,
        most=inf if isnan(most) else most,
    )


def _sum(a: Monotonicity, b: Monotonicity) -> Monotonicity:
    return _together((a, b), a.least + b.least, a.most + b.most)


def _negative(a: Monotonicity) -> Monotonicity:
    return Monotonicity(never_falls=a.never_rises, never_rises=a.never_falls, least=-a.most, most=-a.least)


def _difference(a: Monotonicity, b: Monotonicity) -> Monotonicity:
    return _sum(a, _negative(b))


def _product(a: Monotonicity, b: Monotonicity) -> Monotonicity:
    """A product of factors of 0 or more has their common monotonicity; a constant factor of 0 or more keeps the other's."""
    if a.least < 0 and a.most <= 0:
        return _negative(_product(_negative(a), b))
    if b.least < 0 and b.most <= 0:
        return _negative(_product(a, _negative(b)))
    if a.least >= 0 and b.least >= 0:
        return _together((a, b), a.least * b.least, a.most * b.most)
    for factor, other in ((a, b), (b, a)):
        if factor.stays and factor.least >= 0:
            return replace(other, least=-inf, most=inf)
    return _UNKNOWN


def _reciprocal(a: Monotonicity) -> Monotonicity:
    if a.least >= 0:
        least, most = (inf if limit == 0 else 1 / limit for limit in (a.most, a.least))
        return Monotonicity(never_falls=a.never_rises, never_rises=a.never_falls, least=least, most=most)
    return _negative(_reciprocal(_negative(a))) if a.most <= 0 else _UNKNOWN


def _quotient(a: Monotonicity, b: Monotonicity) -> Monotonicity:
    return _product(a, _reciprocal(b))


def _power(a: Monotonicity, exponent: Monotonicity) -> Monotonicity:
    if a.least < 0:
        return _UNKNOWN
    if exponent.least < 0:
        return _reciprocal(_power(a, _negative(exponent)))
    with np.errstate(over="ignore"):
        least, most = (float(np.power(limit, exponent.least)) for limit in (a.least, a.most))
    return _together((a,), least, most)


def _least(*parts: Monotonicity) -> Monotonicity:
    return _together(parts, min(part.least for part in parts), min(part.most for part in parts))


def _most(*parts: Monotonicity) -> Monotonicity:
    return _together(parts, max(part.least for part in parts), max(part.most for part in parts))


def _sqrt(a: Monotonicity) -> Monotonicity:
    return _together((a,), sqrt(max(a.least, 0.0)), sqrt(max(a.most, 0.0)))


def _log(a: Monotonicity) -> Monotonicity:
    least, most = (log(limit) if limit > 0 else -inf for limit in (a.least, a.most))
    return _together((a,), least, most)


def _abs(a: Monotonicity) -> Monotonicity:
    if a.least >= 0:
        return a
    return _negative(a) if a.most <= 0 else replace(_UNKNOWN, least=0.0)


_RULES: Final[Mapping[str, Callable[..., Monotonicity]]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
    "**": _power,
    "negative": _negative,
    "min": _least,
    "max": _most,
    "sqrt": _sqrt,
    "log": _log,
    "abs": _abs,
}
