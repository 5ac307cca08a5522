"""Layer shapes in directive text: the dims of each layer type, and loop extents from declared sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mapsearch.model.errors import LayerError
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.tensors import Dim

Extents = tuple[int, int, int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """An input-centric dim: the two loops whose window slides over it, the index of its stride and dilation, and its unit."""

    output: Dim
    filter: Dim
    axis: int
    unit: str


WINDOWS = {"Y": Window(Dim.Y, Dim.R, 0, "row"), "X": Window(Dim.X, Dim.S, 1, "column")}

_CONVOLUTION = {dim.label: dim for dim in Dim}
_DEPTHWISE = {"N": Dim.N, "K": Dim.K, "C": Dim.G, "R": Dim.R, "S": Dim.S, "Y'": Dim.Y, "X'": Dim.X}
_GEMM = {"G": Dim.G, "B": Dim.N, "M": Dim.X, "N": Dim.K, "K": Dim.C, "R": Dim.R, "S": Dim.S, "Y'": Dim.Y}

# The dims that a layer must declare; Y' and X' may be declared as Y and X.
_CONVOLUTION_NEEDS = ("K", "C", "R", "S", "Y'", "X'")
NEEDED = {
    LayerType.CONV: _CONVOLUTION_NEEDS,
    LayerType.TRCONV: _CONVOLUTION_NEEDS,
    LayerType.NGCONV: ("G", *_CONVOLUTION_NEEDS),
    LayerType.DSCONV: ("C", "R", "S", "Y'", "X'"),
    LayerType.FC: ("K", "C"),
    LayerType.GEMM: ("M", "N", "K"),
}


def is_windowed(kind: LayerType) -> bool:
    """Whether the type's text has the input-centric dims Y and X."""
    return kind is not LayerType.GEMM


def dim_names(kind: LayerType, *, grouped: bool) -> dict[str, Dim]:
    """The loop dims by their names in the text of a layer; `grouped`: whether its Dimensions declare G.

    A depthwise layer's C is its channels, which are its groups; with G declared, its dims have the names of a grouped
    convolution's.
    """
    if kind is LayerType.GEMM:
        return _GEMM
    return _DEPTHWISE if kind is LayerType.DSCONV and not grouped else _CONVOLUTION


def needed_dims(kind: LayerType, *, grouped: bool) -> tuple[str, ...]:
    """The dims that the text of a layer must declare."""
    needed = NEEDED[kind]
    return ("G", *needed[1:]) if kind is LayerType.DSCONV and grouped else needed


def check_type(layer: Layer) -> None:
    """Raise LayerError where a layer breaks a law of its type, since its text would read back as another layer or an error."""
    if layer.type is LayerType.TRCONV and layer.stride != (1, 1):
        raise LayerError(
            f"layer {layer.name}: a TRCONV is the stride-1 convolution over its zero-inserted input, got stride "
            f"{layer.stride[0]}, {layer.stride[1]}; leave Stride out and give the Dimensions of that convolution"
        )
    if layer.type is LayerType.DSCONV and layer.extents[Dim.C] != 1:
        raise LayerError(
            f"layer {layer.name}: a DSCONV with G declared has 1 input channel in each group, got C {layer.extents[Dim.C]}; "
            "leave G or C out, or make it an NGCONV"
        )


def extents(where: str, kind: LayerType, declared: Mapping[str, int], stride: Iterable[int], dilation: Iterable[int]) -> Extents:
    """The loop extents of a layer that declares these sizes by name; raises LayerError starting with `where`."""
    grouped = "G" in declared
    names = dim_names(kind, grouped=grouped)
    sizes = {names[name]: size for name, size in declared.items() if name in names}
    inputs = [(name, WINDOWS[name]) for name in WINDOWS if name in declared]
    for name, window in inputs:
        if window.output in sizes:
            raise LayerError(f"{where}: Dimensions declare both {name} and {name}'; keep one of the two")
        if kind is LayerType.FC:
            sizes.setdefault(window.filter, declared[name])
    steps, gaps = tuple(stride), tuple(dilation)
    for name, window in inputs:
        reach = (sizes.get(window.filter, 1) - 1) * gaps[window.axis] + 1
        if declared[name] < reach:
            unit = window.unit
            raise LayerError(f"{where}: {name} must be at least {reach}, the {unit}s under the filter, got {declared[name]}")
        sizes[window.output] = (declared[name] - reach) // steps[window.axis] + 1
    for name in needed_dims(kind, grouped=grouped):
        if names[name] not in sizes:
            raise LayerError(f"{where}: Type {kind} needs {name}{f' or {name[0]}' if name[1:] else ''} in its Dimensions")
    g, n, k, c, r, s, y, x = (sizes.get(dim, 1) for dim in Dim)
    return g, n, k, c, r, s, y, x
