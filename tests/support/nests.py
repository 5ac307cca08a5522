"""Exported nests, run in this process."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.registry import FORMATS
from mapsearch.model.cost import Count
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping as LoopMapping
from mapsearch.model.tensors import Dim

Ints = NDArray[np.int64]
COMPILER = shutil.which("cc")


@dataclass(frozen=True, slots=True)
class Computed:
    """What a nest gives: its output, and the words that it counts as a cost model does."""

    output: Ints
    words: dict[Count, int]


def text_of(language: str, layer: Layer, hardware: Hardware, mapping: LoopMapping) -> str:
    """The file of one layer."""
    files = FORMATS[language].write_network(Network("net", (MappedLayer(layer, mapping),)), hardware)
    [text] = files.values()
    return str(text)


def operands(layer: Layer, seed: int) -> tuple[Ints, Ints]:
    """Random weights and a random padded input."""
    g, n, k, c, r, s, _, _ = layer.extents
    random = np.random.default_rng(seed)
    return (
        random.integers(-100, 100, (g, k, c, r, s)),
        random.integers(-100, 100, (n, g, c, layer.input_rows, layer.input_columns)),
    )


def convolved(layer: Layer, weight: Ints, input_: Ints) -> Ints:
    """The direct convolution: every window of the input that a stride reaches, times the filters."""
    (sy, sx), (dy, dx) = layer.stride, layer.dilation
    reach = (layer.extents[Dim.R] - 1) * dy + 1, (layer.extents[Dim.S] - 1) * dx + 1
    windows = sliding_window_view(input_, reach, axis=(3, 4))[:, :, :, ::sy, ::sx, ::dy, ::dx]
    output: Ints = np.einsum("gkcrs,ngcyxrs->ngkyx", weight, windows)
    return output


def names_of(text: str) -> dict[str, Any]:
    """The names of an exported Python file."""
    names: dict[str, Any] = {"__name__": "nest"}
    exec(compile(text, "nest.py", "exec"), names)  # noqa: S102 it is our own text, which is tested
    return names


def run_python(text: str, weight: Ints, input_: Ints) -> Computed:
    """What an exported Python file computes."""
    moved: dict[str, Any] = {}
    output = names_of(text)["run"](weight, input_, moved)
    return Computed(output, _words(moved))


_BY_TENSOR = ("l1_fill_words", "l2_to_l1_words", "offchip_read_words")


class _Moved(ctypes.Structure):
    _fields_ = (*((name, ctypes.c_long * 3) for name in _BY_TENSOR), ("offchip_write_words", ctypes.c_long))


def run_c(text: str, folder: Path, weight: Ints, input_: Ints, shape: tuple[int, ...]) -> Computed:
    """What an exported C file computes, compiled as a library in the folder."""
    assert COMPILER is not None
    library = compiled(text, folder, "-O1", "-shared", "-fPIC", "-DNO_MAIN")
    output = np.full(shape, -1, np.int64)
    moved = _Moved()
    run: Callable[..., object] = ctypes.CDLL(str(library)).run
    run(*(ctypes.c_void_p(each.ctypes.data) for each in (weight, input_, output)), ctypes.byref(moved))
    found = {name: dict(zip(("weight", "input", "output"), getattr(moved, name), strict=True)) for name in _BY_TENSOR}
    return Computed(output, _words({**found, "offchip_write_words": moved.offchip_write_words}))


def compiled(text: str, folder: Path, *options: str) -> Path:
    """A file in the folder that a C file compiles to, without a warning."""
    assert COMPILER is not None
    number = len(list(folder.iterdir()))
    source, target = folder / f"{number}.c", folder / f"{number}.out"
    source.write_text(text)
    strict = ("-std=c99", "-Wall", "-Wextra", "-Werror")
    subprocess.run((COMPILER, *strict, *options, "-o", str(target), str(source)), check=True)  # noqa: S603 the compiler, on our own text
    return target


def _words(moved: Mapping[str, Any]) -> dict[Count, int]:
    fills, entered, read = moved["l1_fill_words"], moved["l2_to_l1_words"], moved["offchip_read_words"]
    return {
        Count.L1_FILL_W: fills["weight"],
        Count.L1_FILL_I: fills["input"],
        Count.L1_FILL_O: fills["output"],
        Count.L2_TO_L1_W: entered["weight"],
        Count.L2_TO_L1_I: entered["input"],
        Count.L2_TO_L1_O: entered["output"],
        Count.OFFCHIP_READ_W: read["weight"],
        Count.OFFCHIP_READ_I: read["input"],
        Count.OFFCHIP_READ_O: read["output"],
        Count.OFFCHIP_WRITE: moved["offchip_write_words"],
    }
