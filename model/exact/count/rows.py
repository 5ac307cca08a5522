"""Arithmetic on rows of CLASS_COLUMNS floats, a row at a time.

Written as loops they would be sixteen scalar operations each: the compiler cannot know that the rows do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs] it has none
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from mapsearch.model.exact.workspace import CLASS_COLUMNS

_TYPES: Any = types  # numba's stubs lack what is used here
_CGUTILS: Any = cgutils
_INTRINSIC: Any = intrinsic
_IR: Any = ir
_ROW = _IR.VectorType(_IR.DoubleType(), CLASS_COLUMNS)
Floats = NDArray[np.float64]
Typed = tuple[Any, Callable[..., Any]]
Builder = Any


def _at(context: Any, builder: Builder, kind: Any, row: Any) -> Any:  # noqa: ANN401 llvmlite's values
    """The address of a row."""
    data = _CGUTILS.create_struct_proxy(kind)(context, builder, value=row).data
    return builder.bitcast(data, _ROW.as_pointer())


def _spread(builder: Builder, factor: Any) -> Any:  # noqa: ANN401
    """A row of which every column is the factor."""
    lane = _IR.IntType(32)
    one = builder.insert_element(_IR.Constant(_ROW, _IR.Undefined), factor, lane(0))
    return builder.shuffle_vector(one, one, _IR.Constant(_IR.VectorType(lane, CLASS_COLUMNS), [0] * CLASS_COLUMNS))


def _fill(typing: object, row: Any, columns: Any) -> Typed:  # noqa: ANN401, ARG001
    """Row = a tuple of so many floats, written at once: what reads a row as one would wait for separate writes."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Any:  # noqa: ANN401
        value = _IR.Constant(_ROW, _IR.Undefined)
        for k in range(CLASS_COLUMNS):
            value = builder.insert_element(value, builder.extract_value(args[1], k), _IR.Constant(_IR.IntType(32), k))
        builder.store(value, _at(context, builder, signature.args[0], args[0]), align=8)
        return context.get_dummy_value()

    return _TYPES.void(row, columns), generate


def _multiply(typing: object, left: Any, right: Any, product: Any) -> Typed:  # noqa: ANN401, ARG001
    """Product = left * right, column by column."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Any:  # noqa: ANN401
        one, other, target = (_at(context, builder, kind, row) for kind, row in zip(signature.args, args, strict=True))
        builder.store(builder.fmul(builder.load(one, align=8), builder.load(other, align=8)), target, align=8)
        return context.get_dummy_value()

    return _TYPES.void(left, right, product), generate


def _multiply_by(typing: object, row: Any, factor: Any, product: Any) -> Typed:  # noqa: ANN401, ARG001
    """Product = factor * row."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Any:  # noqa: ANN401
        one, target = (_at(context, builder, signature.args[k], args[k]) for k in (0, 2))
        builder.store(builder.fmul(builder.load(one, align=8), _spread(builder, args[1])), target, align=8)
        return context.get_dummy_value()

    return _TYPES.void(row, factor, product), generate


def _add_times(typing: object, total: Any, row: Any, factor: Any) -> Typed:  # noqa: ANN401, ARG001
    """Total += factor * row."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Any:  # noqa: ANN401
        target, one = (_at(context, builder, signature.args[k], args[k]) for k in (0, 1))
        product = builder.fmul(builder.load(one, align=8), _spread(builder, args[2]))
        builder.store(builder.fadd(builder.load(target, align=8), product), target, align=8)
        return context.get_dummy_value()

    return _TYPES.void(total, row, factor), generate


fill: Callable[[Floats, tuple[float, ...]], None] = _INTRINSIC(_fill)
multiply: Callable[[Floats, Floats, Floats], None] = _INTRINSIC(_multiply)
multiply_by: Callable[[Floats, float, Floats], None] = _INTRINSIC(_multiply_by)
add_times: Callable[[Floats, Floats, float], None] = _INTRINSIC(_add_times)
