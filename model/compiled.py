"""How every kernel is compiled: once, cached beside the package, without the interpreter's lock.

A process that compiles says so at once on the logger of this module, so that nobody takes the wait for a hang.
"""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import EnumType
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numba import njit, types

P = ParamSpec("P")
R = TypeVar("R")

_LOG = logging.getLogger(__name__)
_LOGGED: list[str] = []  # what this process has logged
# About the size of the cache of all kernels.
CACHE_BYTES = 2**23
_TYPES: Any = types  # numba's stubs lack what is used here
Dispatcher = Any  # and the class of a compiled function

# error_model="numpy": no check for division by zero (sizes are at least 1).
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# _nrt is in no stub of numba's, hence the untyped dicts.
_WITHOUT_COUNTS: dict[str, Any] = {**_OPTIONS, "_nrt": False}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes arrays, takes a random generator, or calls a kernel that does."""
    return _compile(function, _OPTIONS)


def leaf(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes no arrays, without reference counts.

    Their atomic updates at every call and slice cost several times what a small kernel does: the classes of one dim took
    300 ns with them and 73 ns without.
    """
    return _compile(function, _WITHOUT_COUNTS)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a leaf into its callers, for one with few callers or less work than a call: this saves a fifth of the time."""
    return _compile(function, {**_WITHOUT_COUNTS, "forceinline": True})


def spliced(function: Callable[P, R]) -> Callable[P, R]:
    """Put a kernel's body into that of its only caller before either is compiled.

    Compiling a function compiles its callees again, so each link in a chain of large functions takes about two seconds.
    """
    return _compile(function, {**_WITHOUT_COUNTS, "inline": "always"})


def _compile(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    try:
        compiled: Callable[P, R] = _guarded(_once(njit(**options)(function)))
    except RuntimeError:  # numba finds no folder to write its cache to: neither the package's nor the user's
        uncached: dict[str, Any] = {**options, "cache": False}
        uncachable = _once(njit(**uncached)(function))
        compiled = _with_notice(uncachable, lambda: "at every start; set NUMBA_CACHE_DIR to a folder that can be written")
    return compiled


def _guarded(dispatcher: Dispatcher) -> Dispatcher:
    """The compiled function, cached by the content of the kernel; a fault of the cache never stops a run.

    By itself numba compares the time stamp of the function's own file: it would keep code that was compiled from old kernels
    of other files, and compile again after an edited docstring.
    """
    cache = dispatcher._cache
    files = type(cache._cache_file)(cache.cache_path, re.sub(r"-\d+\.", ".", cache._impl.filename_base), "")
    cache._cache_file = _healing(files)
    load, save = cache.load_overload, cache.save_overload

    def load_or_forget(signature: object, context: object) -> object:
        files._source_stamp = _digest(dispatcher)
        try:
            return load(signature, context)
        except Exception:  # noqa: BLE001 numba may raise anything where it cannot use a file
            return None

    def save_if_possible(signature: object, compiled: object) -> None:
        with suppress(OSError):  # a full disk, say: the next process compiles again
            save(signature, compiled)

    cache.load_overload, cache.save_overload = load_or_forget, save_if_possible
    full = "at every start; free the disk or set NUMBA_CACHE_DIR to a folder of another"
    return _with_notice(dispatcher, lambda: "once after an install" if _has_room(cache.cache_path) else full)


def _healing(files: Any) -> Any:  # noqa: ANN401 numba's files of one kernel
    """The same files; a damaged one counts as missing and is written again."""
    load_index = files._load_index

    def load_sound_index() -> dict[Any, str]:
        try:
            found: dict[Any, str] = load_index()
        except Exception:  # noqa: BLE001 unpickling a damaged file may raise anything
            return {}
        return found

    def save_data(name: str, data: object) -> None:
        saved: bytes = files._dump(data)
        with files._open_for_write(files._data_path(name)) as file:
            file.write(sha256(saved).digest() + saved)

    def load_sound_data(name: str) -> object:
        saved = Path(files._data_path(name)).read_bytes()
        if sha256(saved[32:]).digest() != saved[:32]:  # damaged machine code would crash
            raise OSError(name)
        return pickle.loads(saved[32:])  # noqa: S301 a cache of code is trusted in any case

    files._load_index, files._save_data, files._load_data = load_sound_index, save_data, load_sound_data
    return files


def _has_room(folder: str) -> bool:
    """Whether the folder has room for the cache of all kernels."""
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(bytes(CACHE_BYTES))
    except OSError:
        return False
    return True


def _with_notice(dispatcher: Dispatcher, when: Callable[[], str]) -> Dispatcher:
    """The compiled function; the first one that a process compiles logs the wait, and when it will come again."""
    cache = dispatcher._cache
    load = cache.load_overload

    def load_or_log(signature: object, context: object) -> object:
        found = load(signature, context)
        if found is None and not _LOGGED:
            _LOGGED.append(when())
            _LOG.info("compiling (%s); this takes about half a minute", *_LOGGED)
        return found

    cache.load_overload = load_or_log
    return dispatcher


def _digest(dispatcher: Dispatcher) -> str:
    """A digest of a kernel's content: its code, the kernels that it calls, and the constants that they use."""
    found: dict[Dispatcher, str] = {}
    left = [dispatcher]
    while left:
        each = left.pop()
        if each not in found:
            found[each], called = _content(each)
            left += called
    return sha256("\n".join(sorted(found.values())).encode()).hexdigest()


@cache
def _content(dispatcher: Dispatcher) -> tuple[str, list[Dispatcher]]:
    """A kernel's own code and constants, and the kernels that it calls."""
    function = dispatcher.py_func
    names, known = function.__code__.co_names, function.__globals__
    used = {name: known[name] for name in names if name in known}
    for module in [value for value in used.values() if isinstance(value, ModuleType)]:
        if module.__name__.partition(".")[0] == function.__module__.partition(".")[0]:  # of numpy and the like numba knows
            used |= {f"{module.__name__}.{name}": getattr(module, name) for name in names if hasattr(module, name)}
    called = [value for value in used.values() if hasattr(value, "py_func")]
    parts = {name: _text(value) for name, value in used.items() if not hasattr(value, "py_func")}
    options = sorted(dispatcher.targetoptions.items())
    return f"{function.__module__} {function.__qualname__} {options} {_text(function)} {sorted(parts.items())}", called


def _text(value: object) -> str:
    """The text of a value that compiled code depends on."""
    match value:
        case FunctionType():
            return f"{_text(value.__code__)} {value.__defaults__}"
        case CodeType():  # strings are docstrings or errors' texts
            constants = [_text(None if isinstance(each, str) else each) for each in value.co_consts]
            return f"{value.co_code.hex()} {value.co_names} {value.co_varnames} {constants}"
        case np.ndarray():
            return f"{value.dtype} {value.tolist()}"
        case EnumType():
            return str(list[object](value))
        case type() | BuiltinFunctionType() | ModuleType():
            return f"{value.__name__} {getattr(value, '_fields', '')}"
        case _:
            return _text(value._defn) if hasattr(value, "_defn") else repr(value)  # a kernel's own instruction, see `rows`


def _once(dispatcher: Dispatcher) -> Dispatcher:
    """The compiled function, compiled once for each set of argument types.

    By itself numba also compiles a function again for each constant that a caller passes, which takes twice as long.
    """
    template = dispatcher.get_call_template

    def for_types(args: Sequence[Any], kws: Mapping[str, Any]) -> object:
        return template(tuple(_TYPES.unliteral(arg) for arg in args), {key: _TYPES.unliteral(arg) for key, arg in kws.items()})

    dispatcher.get_call_template = for_types
    return dispatcher
