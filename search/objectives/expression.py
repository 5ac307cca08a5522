"""Expressions of metrics: text to a tree by Python's own parser, and the tree's value over arrays; nothing is ever eval'ed.

    expression := number | metric | - expression | ( expression ) | expression {+ | - | * | /} expression
                | expression ** number | {min | max}( expression, expression, ... ) | {sqrt | log | abs}( expression )

with Python's precedence. The exponent may be an expression of numbers, as in `(1/3)`, but holds no metric.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import isfinite
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import InputError, did_you_mean

Floats: TypeAlias = NDArray[np.float64]

METRICS: Final = ("runtime_cycles", "energy_pj", "area_mm2", "macs")
# The metrics that differ between mappings of a layer.
CHANGING: Final = frozenset({"runtime_cycles", "energy_pj"})
# The objectives that have a name.
NAMED: Final = {
    "latency": "runtime_cycles",
    "energy": "energy_pj",
    "edp": "energy_pj * runtime_cycles",
    "ed2p": "energy_pj * runtime_cycles**2",
    "area-delay": "area_mm2 * runtime_cycles",
}
MAX_CHARACTERS = 500
MAX_DEPTH = 100  # operations inside one another; the walks over a tree are recursive


@dataclass(frozen=True, slots=True)
class Number:
    """A finite constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Metric:
    """One of METRICS."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or a function, by its name in OPERATIONS, of its arguments."""

    name: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = Number | Metric | Operation


def _least(*arguments: Floats) -> Floats:
    return reduce(np.minimum, arguments)


def _most(*arguments: Floats) -> Floats:
    return reduce(np.maximum, arguments)


OPERATIONS: Final[Mapping[str, Callable[..., Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "negative": np.negative,
    "min": _least,
    "max": _most,
    "sqrt": np.sqrt,
    "log": np.log,
    "abs": np.abs,
}
_OPERATORS: Final[Mapping[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_FUNCTIONS = ("min", "max", "sqrt", "log", "abs")
_OF_SEVERAL = ("min", "max")
_GRAMMAR = f"an expression has numbers, metrics, + - * / ** ( ) and {', '.join(_FUNCTIONS)}"


def evaluate(expression: Expression, metrics: Mapping[str, Floats]) -> Floats:
    """The expression's value, given the metrics that it uses as arrays of one shape; not finite where it is not defined."""
    with np.errstate(all="ignore"):
        return _value(expression, metrics)


def _value(expression: Expression, metrics: Mapping[str, Floats]) -> Floats:
    match expression:
        case Number(value):
            return np.asarray(value)
        case Metric(name):
            return metrics[name]
        case Operation(name, arguments):
            return OPERATIONS[name](*(_value(each, metrics) for each in arguments))


def metrics_in(expression: Expression) -> frozenset[str]:
    """The metrics that an expression uses."""
    match expression:
        case Number():
            return frozenset()
        case Metric(name):
            return frozenset({name})
        case Operation(_, arguments):
            return frozenset[str]().union(*map(metrics_in, arguments))


def degree(expression: Expression) -> float | None:
    """The sum of the powers of cycles and energy, if the expression is a product of such powers and of constants; else None."""
    match expression:
        case Number(value):
            return 0.0 if value > 0 else None
        case Metric(name):
            return 1.0 if name in CHANGING else 0.0 if name == "area_mm2" else None
        case Operation("*", (one, other)):
            degrees = (degree(one), degree(other))
            return None if degrees[0] is None or degrees[1] is None else degrees[0] + degrees[1]
        case Operation("**", (base, exponent)):
            of_base = degree(base)
            return None if of_base is None else of_base * float(evaluate(exponent, {}))
        case _:
            return None


def parse(text: str) -> Expression:
    """The expression of a text, or of a named objective; InputError, one line with the column, where it is none."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"objective: must be at most {MAX_CHARACTERS} characters long, got {len(text)}")
    expression = _Reader(NAMED.get(text, text)).read()
    if not metrics_in(expression) & CHANGING:
        raise InputError(f"objective: must use {' or '.join(sorted(CHANGING))}, else all mappings are equal, got {text!r}")
    return expression


class _Reader:
    """Reads one text as an expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._source = text.lstrip(" ")

    def read(self) -> Expression:
        stray = re.search(r"[^A-Za-z0-9_ .,+*/()-]", self._source)
        if stray is not None:
            raise self._error(repr(stray.group()), stray.start(), f"cannot stand; {_GRAMMAR}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Python's parser, about texts that are refused below
                tree = ast.parse(self._source, mode="eval")
        except SyntaxError as error:
            offset = error.offset - 1 if error.offset else len(self._source)  # the parser has none for the end
            raise self._error(error.msg, offset, f"in {self._text!r}") from None
        return self._node(tree.body, 1)

    def _error(self, what: str, offset: int, why: str) -> InputError:
        """The error at an offset of the source."""
        column = len(self._text) - len(self._source) + offset + 1
        return InputError(f"objective: {what} at column {column} {why}")

    def _error_at(self, tree: ast.expr, why: str) -> InputError:
        return self._error(repr(ast.get_source_segment(self._source, tree)), tree.col_offset, why)

    def _node(self, tree: ast.expr, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise InputError(f"objective: operations must be at most {MAX_DEPTH} inside one another; use fewer terms")
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(tree, value)
            case ast.Name(id=name):
                return self._metric(tree, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._operation(tree, "negative", [operand], depth)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._operation(tree, _OPERATORS[type(op)], [left, right], depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._operation(tree, self._function(tree, name, arguments), arguments, depth)
            case _:
                raise self._error_at(tree, f"cannot stand; {_GRAMMAR}")

    def _number(self, tree: ast.expr, value: float) -> Number:
        if not -1e300 < value < 1e300:
            raise self._error_at(tree, "must be a number between -1e300 and 1e300")
        return Number(float(value))

    def _metric(self, tree: ast.expr, name: str) -> Metric:
        if name not in METRICS:
            whole = self._text.strip()
            hint = did_you_mean(whole, NAMED) if re.fullmatch(r"[\w-]+", whole) else ""
            known = f"there are {', '.join(METRICS)}, and the objectives {', '.join(NAMED)}"
            raise self._error(repr(name), tree.col_offset, f"is no metric{hint or did_you_mean(name, METRICS)}; {known}")
        return Metric(name)

    def _function(self, tree: ast.expr, name: str, arguments: list[ast.expr]) -> str:
        if name not in _FUNCTIONS:
            known = f"there are {', '.join(_FUNCTIONS)}"
            raise self._error(repr(name), tree.col_offset, f"is no function{did_you_mean(name, _FUNCTIONS)}; {known}")
        right = len(arguments) >= 2 if name in _OF_SEVERAL else len(arguments) == 1
        if not right:
            law = "two arguments or more" if name in _OF_SEVERAL else "one argument"
            raise self._error(repr(name), tree.col_offset, f"takes {law}, got {len(arguments)}")
        return name

    def _operation(self, tree: ast.expr, name: str, operands: list[ast.expr], depth: int) -> Expression:
        """The operation, or its value where all operands are numbers."""
        made = Operation(name, tuple(self._node(each, depth + 1) for each in operands))
        if all(isinstance(each, Number) for each in made.arguments):
            value = float(evaluate(made, {}))
            if not isfinite(value):
                raise self._error_at(tree, f"must be finite, got {value}")
            return Number(value)
        if name == "**" and not isinstance(made.arguments[1], Number):
            raise self._error_at(operands[1], "is an exponent and must hold no metric")
        return made
