"""How every kernel is compiled: once, cached beside the package, without the interpreter's lock.

Python calls a few kernels, the entries, which call all others. Only an entry becomes machine code: what it calls is typed and lowered
to LLVM's code as it is met, linked to the entry, and optimized there, once. By itself numba optimizes each function with all that it
calls, and a function far down a chain of calls as often as the chain is long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from numba import types as numba_types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import _FunctionCompiler
from numba.core.registry import CPUDispatcher
from numba.core.sigutils import normalize_signature
from numba.core.typing import make_concrete_template

from mapsearch.model.kernel_cache import KernelCache

P = ParamSpec("P")
R = TypeVar("R")

types: Any = numba_types  # numba's stubs lack what is used here

# error_model="numpy": no check for division by zero (sizes are at least 1).
_OPTIONS: dict[str, Any] = {"nopython": True, "nogil": True, "error_model": "numpy", "boundscheck": None}
# _nrt is in no stub of numba's, hence the untyped dicts.
_WITHOUT_COUNTS: dict[str, Any] = {**_OPTIONS, "_nrt": False}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes arrays, takes a random generator, or calls a kernel that does."""
    return _Kernel(function, _OPTIONS)


def leaf(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes no arrays, without reference counts.

    Their atomic updates at every call and slice cost several times what a small kernel does: the classes of one dim took
    300 ns with them and 73 ns without.
    """
    return _Kernel(function, _WITHOUT_COUNTS)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a leaf into its callers, for one with few callers or less work than a call: this saves a fifth of the time."""
    return _Kernel(function, {**_WITHOUT_COUNTS, "forceinline": True})


def spliced(function: Callable[P, R]) -> Callable[P, R]:
    """Put a kernel's body into that of its only caller before either is compiled."""
    return _Kernel(function, {**_WITHOUT_COUNTS, "inline": "always"})


class _Kernel(CPUDispatcher):
    """A compiled function: an entry where Python calls it, a part where kernels do."""

    def __init__(self, function: Callable[..., object], options: dict[str, Any]) -> None:
        super().__init__(function, targetoptions=options)
        self._cache = KernelCache(self)
        self._parts: dict[tuple[Any, ...], Any] = {}

    def compile(self, sig: Any) -> Any:
        """The machine code for these types of arguments; see numba."""
        codegen = self.targetctx.codegen()
        with global_compiler_lock:
            before, codegen._library_class = codegen._library_class, _Library
            try:
                return super().compile(sig)
            finally:
                codegen._library_class = before

    def get_call_template(self, args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
        """See numba: how a kernel calls this one; one part for each set of types, whatever constants it passes."""
        signature, folded = self._compiler.fold_argument_types(args, kws)
        types_of = tuple(types.unliteral(each) for each in folded)
        if types_of not in self._parts:
            self._parts[types_of] = self._make_part(types_of)
        name = self.py_func.__name__
        template = make_concrete_template(f"CallTemplate({name})", key=name, signatures=[self._parts[types_of].signature])
        return template, signature, types_of, {}

    def get_overload(self, sig: Any) -> Any:
        """See numba: the key by which a caller's code finds the part."""
        arguments, _ = normalize_signature(sig)
        return self._parts[tuple(arguments)].library

    def _make_part(self, types_of: tuple[Any, ...]) -> Any:
        part = _PartCompiler(self.py_func, self.targetdescr, self.targetoptions, self.locals, Compiler).compile(types_of, None)
        self.targetctx.insert_user_function(part.library, part.fndesc, [part.library])
        return part


class _PartCompiler(_FunctionCompiler):
    """Compiles to LLVM's code only."""

    def _customize_flags(self, flags: Any) -> Any:
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        return flags


class _Library(JITCodeLibrary):
    """LLVM's code of one function, which is linked and optimized when its machine code is asked for."""

    _ready = False

    def finalize(self) -> None:
        """Only close it: no function is added any more."""
        self._raise_if_finalized()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> Any:
        """The address of the machine code."""
        if not self._ready:
            self._link()
            self._optimize_final_module()
            self._final_module.verify()
            self._finalize_final_module()
        return super().get_pointer_to_function(name)

    def _link(self) -> None:
        """Link what the function calls, and what that calls, each once."""
        found: dict[Any, None] = {}
        left = list(self._linking_libraries)
        while left:
            each = left.pop(0)
            if each not in found:
                found[each] = None
                self._reload_init.update(each._reload_init)
                if isinstance(each, _Library):
                    left += each._linking_libraries
        for each in found:
            self._final_module.link_in(each._own_code() if isinstance(each, _Library) else each._get_module_for_linking(), preserve=True)

    def _own_code(self) -> Any:
        return super()._get_module_for_linking()

    def _get_module_for_linking(self) -> Any:
        if not self._ready: raise NotImplementedError
        return super()._get_module_for_linking()

    def _finalize_final_module(self) -> None:
        self._ready = True
        super()._finalize_final_module()
