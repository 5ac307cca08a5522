"""How every kernel is compiled: once, cached beside the package, without the interpreter's lock.

Python calls a few kernels, the entries, which call all others. Only an entry becomes machine code: what it calls is typed and
lowered to LLVM's code as it is met, linked to the entry, and optimized there, once. By itself numba optimizes each function with
all that it calls, and so a function far down a chain of calls as often as the chain is long; that takes twice as long.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# numba has no types for what is used here.

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ParamSpec, TypeVar, cast

from mapsearch.model.kernel_cache import KernelCache

P = ParamSpec("P")
R = TypeVar("R")

_CODEGEN, _COMPILER, _DISPATCHER, _LOCK, _REGISTRY, _SIGNATURES, _SPLICING, _TYPES, _TYPING = (
    cast("Any", import_module(f"numba.core.{name}"))
    for name in (
        "codegen",
        "compiler",
        "dispatcher",
        "compiler_lock",
        "registry",
        "sigutils",
        "inline_closurecall",
        "types",
        "typing",
    )
)
_BINDING: Any = import_module("llvmlite.binding")
_JITCodeLibrary: Any = _CODEGEN.JITCodeLibrary
_FunctionCompiler: Any = _DISPATCHER._FunctionCompiler
_CPUDispatcher: Any = _REGISTRY.CPUDispatcher

# error_model="numpy": no check for division by zero (sizes are at least 1).
_OPTIONS: dict[str, Any] = {"nopython": True, "nogil": True, "error_model": "numpy", "boundscheck": None}
# _nrt is in no stub of numba's, hence the untyped dicts.
_WITHOUT_COUNTS: dict[str, Any] = {**_OPTIONS, "_nrt": False}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes arrays, takes a random generator, or calls a kernel that does."""
    return _compiled(function, _OPTIONS)


def leaf(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that makes no arrays, without reference counts.

    Their atomic updates at every call and slice cost several times what a small kernel does: the classes of one dim took
    300 ns with them and 73 ns without.
    """
    return _compiled(function, _WITHOUT_COUNTS)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a leaf into its callers, for one with few callers or less work than a call: this saves a fifth of the time."""
    return _compiled(function, {**_WITHOUT_COUNTS, "forceinline": True})


def spliced(function: Callable[P, R]) -> Callable[P, R]:
    """Put a kernel's body into that of its only caller before either is compiled."""
    return _compiled(function, {**_WITHOUT_COUNTS, "inline": "always"})


def _compiled(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    found: Callable[P, R] = _Kernel(function, options)
    return found


class _Kernel(_CPUDispatcher):  # type: ignore[misc] # any
    """A compiled function: an entry where Python calls it, a part where kernels do."""

    def __init__(self, function: Callable[..., object], options: dict[str, Any]) -> None:
        super().__init__(function, targetoptions=options)
        self._cache = KernelCache(self)
        self._parts: dict[tuple[Any, ...], Any] = {}

    def compile(self, sig: Any) -> Any:  # noqa: ANN401 numba's, like all below
        """See numba: the machine code for these types of arguments."""
        with _LOCK.global_compiler_lock, _linked_late(self.targetctx.codegen()):
            return super().compile(sig)

    def get_call_template(self, args: Sequence[Any], kws: Mapping[str, Any]) -> tuple[Any, ...]:
        """See numba: how a kernel calls this one; one part for each set of types, whatever constants it passes."""
        signature, folded = self._compiler.fold_argument_types(args, kws)
        types_of = tuple(_TYPES.unliteral(each) for each in folded)
        if types_of not in self._parts:
            self._parts[types_of] = self._make_part(types_of)
        name = self.py_func.__name__
        template = _TYPING.make_concrete_template(f"CallTemplate({name})", key=name, signatures=[self._parts[types_of].signature])
        return template, signature, types_of, {}

    def get_overload(self, sig: Any) -> Any:  # noqa: ANN401
        """See numba: the key by which a caller's code finds the part."""
        arguments, _ = _SIGNATURES.normalize_signature(sig)
        return self._parts[tuple(arguments)].library

    def _make_part(self, types_of: tuple[Any, ...]) -> Any:  # noqa: ANN401
        compiler = _PartCompiler(self.py_func, self.targetdescr, self.targetoptions, self.locals, _COMPILER.Compiler)
        part = compiler.compile(types_of, None)
        self.targetctx.insert_user_function(part.library, part.fndesc, [part.library])
        return part


@contextmanager
def _linked_late(codegen: Any) -> Generator[None]:  # noqa: ANN401
    """Let what is compiled meanwhile go to libraries of our kind, and leave the garbage, which takes a tenth of the time."""
    before, codegen._library_class = codegen._library_class, _Library
    collecting = gc.isenabled()
    gc.disable()
    _SPLICING.copy = _Blocks
    try:
        yield
    finally:
        codegen._library_class = before
        _SPLICING.copy = copy
        if collecting:
            gc.enable()


class _Blocks:
    """How numba copies the blocks of a function that it splices into another: in place of the module `copy`.

    By itself numba copies the function's scope, all its variables, with each block: a fifteenth of the time.
    """

    @staticmethod
    def deepcopy(block: Any) -> Any:  # noqa: ANN401
        """A block whose variables stay in the scope that they are in."""
        return copy.deepcopy(block, {id(block.scope): block.scope})


class _PartCompiler(_FunctionCompiler):  # type: ignore[misc] # any
    """Compiles to LLVM's code only."""

    def _customize_flags(self, flags: Any) -> Any:  # noqa: ANN401
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        return flags


class _Library(_JITCodeLibrary):  # type: ignore[misc] # any
    """LLVM's code of one function; what it calls is linked, and all of it optimized, when its machine code is asked for."""

    _is_machine_code = False

    def finalize(self) -> None:
        """See numba: nothing is added to the function any more."""
        self._raise_if_finalized()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """See numba: the address of the machine code."""
        if not self._is_machine_code:
            self._link(self._final_module)
            self._optimize_final_module()
            self._final_module.verify()
            self._finalize_final_module()
        address: int = super().get_pointer_to_function(name)
        return address

    def _get_module_for_linking(self) -> Any:  # noqa: ANN401
        """See numba: for code of others, which does not link what is called itself."""
        module = super()._get_module_for_linking()
        if not self._is_machine_code:
            module = module.clone()
            self._link(module)
        return module

    def _link(self, module: Any) -> None:  # noqa: ANN401
        """Link all that the function calls; each caller before what it calls, as LLVM leaves out what nobody has called yet."""
        for each in reversed(self._called({})):
            self._reload_init.update(each._reload_init)
            alone = _JITCodeLibrary._get_module_for_linking(each) if isinstance(each, _Library) else each._get_module_for_linking()
            module.link_in(alone, preserve=True)

    def _called(self, found: dict[Any, None]) -> list[Any]:
        """The libraries of what the function calls, directly or not, each after what it calls itself; found: known already."""
        for each in self._linking_libraries:
            if each not in found:
                if isinstance(each, _Library):
                    each._called(found)
                found[each] = None
        return list(found)

    def serialize_using_object_code(self) -> tuple[object, ...]:
        """See numba: machine code for the cache, with the names of its functions in place of LLVM's code, which nobody links."""
        names = [function.name for function in self.get_defined_functions()]
        named = "\n".join(f'define void @"{name}"() {{ ret void }}' for name in names)
        return self.name, "object", (self._get_compiled_object(), _BINDING.parse_assembly(named).as_bitcode())

    def _finalize_final_module(self) -> None:
        self._is_machine_code = True
        super()._finalize_final_module()
