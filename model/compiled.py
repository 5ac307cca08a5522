"""How every kernel is compiled: once, cached beside the package, without the interpreter's lock.

A process that compiles says so at once on the logger of this module, so that nobody takes the wait for a hang.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from numba import njit, types

P = ParamSpec("P")
R = TypeVar("R")

_LOG = logging.getLogger(__name__)
_TYPES: Any = types  # numba's stubs say nothing of what is used here
Dispatcher = Any  # nor of the class of a compiled function

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


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a leaf into its callers: for what is called from few places, or is smaller than a call. A fifth of the time."""
    return _compile(function, {**_WITHOUT_COUNTS, "forceinline": True})


def spliced(function: Callable[P, R]) -> Callable[P, R]:
    """Put a kernel's body into its one caller's before either is compiled.

    A function compiles all that it calls once more, so a chain of large ones takes about two seconds a link.
    """
    return _compile(function, {**_WITHOUT_COUNTS, "inline": "always"})


def _compile(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    try:
        compiled: Callable[P, R] = _guarded(_once(njit(**options)(function)), Path(function.__code__.co_filename).parent)
    except RuntimeError:  # numba finds no folder to write its cache to: neither the package's nor the user's
        uncached: dict[str, Any] = {**options, "cache": False}
        compiled = _told(_once(njit(**uncached)(function)), "at every start; set NUMBA_CACHE_DIR to a folder that can be written")
    return compiled


def _guarded(dispatcher: Dispatcher, folder: Path) -> Dispatcher:
    """The compiled function, whose cache goes with the sources of its folder, and whose cache's faults never stop a run.

    By itself numba looks at the function's own file, and so goes on with what it compiled from another file's former kernels;
    and it fails on a file that a crash left cut off.
    """
    files = dispatcher._cache  # noqa: SLF001 numba has no public way to any of this
    load, save = files.load_overload, files.save_overload
    files._cache_file._source_stamp = _sources(folder)  # noqa: SLF001 likewise

    def load_or_forget(signature: object, context: object) -> object:
        try:
            return load(signature, context)
        except Exception:  # noqa: BLE001 what unpickling a damaged file raises can be anything
            try:
                files.flush()
            except OSError:
                files.disable()
            return None

    def save_if_possible(signature: object, compiled: object) -> None:
        with suppress(OSError):  # a full disk, say: the next process compiles again
            save(signature, compiled)

    files.load_overload, files.save_overload = load_or_forget, save_if_possible
    return _told(dispatcher, "once after an install")


def _told(dispatcher: Dispatcher, when: str) -> Dispatcher:
    """The compiled function, which says that it compiles before it does."""
    files = dispatcher._cache  # noqa: SLF001 as above
    load = files.load_overload

    def load_or_tell(signature: object, context: object) -> object:
        found = load(signature, context)
        if found is None:
            _tell(when)
        return found

    files.load_overload = load_or_tell
    return dispatcher


@cache  # once in a process
def _tell(when: str) -> None:
    _LOG.info("compiling (%s); this takes about half a minute", when)


@cache
def _sources(folder: Path) -> str:
    """A digest of all that kernels in a folder may be made of: its modules, and those of the model."""
    files = sorted({*folder.glob("*.py"), *Path(__file__).parent.rglob("*.py")})
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


def _once(dispatcher: Dispatcher) -> Dispatcher:
    """The compiled function, compiled for types only.

    By itself numba compiles a function anew for each constant that a caller passes, which doubles the time to compile.
    """
    template = dispatcher.get_call_template

    def for_types(args: Sequence[Any], kws: Mapping[str, Any]) -> object:
        return template(tuple(_TYPES.unliteral(arg) for arg in args), {key: _TYPES.unliteral(arg) for key, arg in kws.items()})

    dispatcher.get_call_template = for_types
    return dispatcher
