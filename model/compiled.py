"""How every kernel is compiled: once, cached beside the package, without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")

# error_model="numpy": no check for division by zero (sizes are at least 1).
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# _nrt is in no stub of numba's, hence the untyped dicts.
_WITHOUT_COUNTS: dict[str, Any] = {**_OPTIONS, "_nrt": False}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes arrays."""
    compiled: Callable[P, R] = njit(**_OPTIONS)(function)
    return compiled


def leaf(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes no arrays, without reference counts.

    Their atomic updates at every call and slice cost several times what a small kernel does: the classes of one dim took
    300 ns with them and 73 ns without.
    """
    compiled: Callable[P, R] = njit(**_WITHOUT_COUNTS)(function)
    return compiled
