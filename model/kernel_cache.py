"""The cache of compiled kernels: files beside the package, by the content of the kernels; no fault of them stops a run.

A process that compiles says so at once on its logger, so that nobody takes the wait for a hang.
"""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from enum import EnumType
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core import caching, runtime

_LOG = logging.getLogger(__name__)
_LOGGED: list[str] = []  # what this process has logged
_ONCE = "each kernel once after an install"
_LOADING: list[bool] = []  # not empty within `loading`
# About the size of the cache of all kernels.
CACHE_BYTES = 2**22
Dispatcher = Any  # the class of a compiled function
# What numba's stubs lack.
_FunctionCache: Any = caching.FunctionCache
_NullCache: Any = caching.NullCache
_RUNTIME: Any = runtime


class NotCompiledError(Exception):
    """A kernel is not in the cache, and what is compiled would be saved there."""


@contextmanager
def loading() -> Generator[None]:
    """While it lasts, a call of a kernel that would have to be compiled, and could be saved, raises NotCompiledError."""
    _LOADING.append(True)
    try:
        yield
    finally:
        _LOADING.pop()


class KernelCache(_NullCache):  # type: ignore[misc] # any
    """The files of one kernel beside its module, or where numba finds room for them; looked for when the kernel is first called.

    By itself numba compares the time stamp of the function's own file: it would keep code that was compiled from old kernels
    of other files, and compile again after an edited docstring.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    @property
    def cache_path(self) -> str | None:
        """The folder of the files; None where no folder can be written: neither the package's nor the user's."""
        return None if self._files is None else self._files.cache_path

    def load_overload(self, signature: object, context: Any) -> object:  # noqa: ANN401 numba's
        """The compiled kernel for these types, or None, which the first time is logged.

        What numba itself would do first, to load all that it can compile, takes a third of a second and is not needed to run what
        is compiled.
        """
        found = None
        if self._files is not None:
            _RUNTIME.rtsys.initialize(context)
            with suppress(Exception):  # numba may raise anything where it cannot use a file
                found = self._files._load_overload(signature, context)
        if found is None:
            if not _LOGGED:
                _LOGGED.append(self._when_again())
                _LOG.info("compiling (%s); this takes about half a minute", *_LOGGED)
            if _LOADING and _LOGGED[0] == _ONCE:
                raise NotCompiledError
        return found

    def save_overload(self, signature: object, compiled: object) -> None:
        """Save a compiled kernel, if that can be done."""
        if self._files is not None:
            with suppress(OSError):  # a full disk, say: the next process compiles again
                self._files.save_overload(signature, compiled)

    @property
    def _files(self) -> Any:  # noqa: ANN401 numba's cache of the function
        return _files_of(self._dispatcher)

    def _when_again(self) -> str:
        if self.cache_path is None:
            return "at every start; set NUMBA_CACHE_DIR to a folder that can be written"
        if not _has_room(self.cache_path):
            return "at every start; free the disk or set NUMBA_CACHE_DIR to a folder of another"
        return _ONCE


@cache
def _files_of(dispatcher: Dispatcher) -> Any:  # noqa: ANN401 numba's cache of one kernel
    try:
        numbas = _FunctionCache(dispatcher.py_func)
    except RuntimeError:  # no folder can be written
        return None
    name = re.sub(r"-\d+\.", ".", numbas._impl.filename_base)
    numbas._impl = _lean(numbas._impl)
    numbas._cache_file = _healing(type(numbas._cache_file)(numbas.cache_path, name, _digest(dispatcher)))
    return numbas


def _lean(of_kernel: Any) -> Any:  # noqa: ANN401 numba's ways with one kernel
    """The same, but of the environments that a kernel refers to only those are saved that hold something.

    The others only name the modules of numba where functions stand that were compiled into the kernel, which takes long to import.
    """
    reduce = of_kernel.reduce

    def reduce_to_needed(compiled: object) -> tuple[object, ...]:
        *most, environments = reduce(compiled)
        return *most, [each for each in environments if each.consts]

    of_kernel.reduce = reduce_to_needed
    return of_kernel


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
    value = getattr(value, "__wrapped__", value)  # the function that `functools.cache` has wrapped
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
            return repr(value) if (made_by := getattr(value, "_defn", None)) is None else _text(made_by)  # an instruction of `rows`
