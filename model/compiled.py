"""How every kernel is compiled: once, cached beside the package, without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from numba import njit, types

P = ParamSpec("P")
R = TypeVar("R")

_TYPES: Any = types  # numba's stubs say nothing of what is used here

# error_model="numpy": no check for division by zero (sizes are at least 1).
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# _nrt is in no stub of numba's, hence the untyped dicts.
_WITHOUT_COUNTS: dict[str, Any] = {**_OPTIONS, "_nrt": False}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes arrays, takes a random generator, or is called by one that does."""
    return _compile(function, _OPTIONS)


def leaf(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes no arrays, without reference counts.

    Their atomic updates at every call and slice cost several times what a small kernel does: the classes of one dim took
    300 ns with them and 73 ns without.
    """
    return _compile(function, _WITHOUT_COUNTS)


def _compile(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    try:
        compiled: Callable[P, R] = _once(njit(**options)(function))
    except RuntimeError:  # numba finds no folder to write its cache to: neither the package's nor the user's
        uncached: dict[str, Any] = {**options, "cache": False}
        compiled = _once(njit(**uncached)(function))
    return compiled


def _once(dispatcher: Any) -> Any:  # noqa: ANN401 a class that numba's stubs do not show
    """The compiled function, compiled for types only.

    By itself numba compiles a function anew for each constant that a caller passes, which doubles the time to compile.
    """
    template = dispatcher.get_call_template

    def for_types(args: Sequence[Any], kws: Mapping[str, Any]) -> Any:  # noqa: ANN401
        return template(tuple(_TYPES.unliteral(arg) for arg in args), {key: _TYPES.unliteral(arg) for key, arg in kws.items()})

    dispatcher.get_call_template = for_types
    return dispatcher
