"""Layers from einsums: the eight dims found by the structure of the operands, whatever their names.

An operand is a list of ranks, and a rank is a sum of terms, each a dim times a coefficient: the input of a convolution has the
rank `2*p + r`. A dim plays the part that its operands give it: in all three it is a group, in weights and output it is K, in input
and output it is of the batch, in weights and input it is C; the dims of a sum are an output's and a filter's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from mapsearch.formats.rows import Row, compact, convolution_type, pair
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.tensors import Dim

Rank = Sequence[tuple[str, int]]
Operand = Sequence[Rank]


class NoLayerError(Exception):
    """An einsum that no layer type expresses; the text says why."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rank of the input over which a filter slides; tap: "" for a filter of one word."""

    output: str
    stride: int
    tap: str
    dilation: int


@dataclass(frozen=True, slots=True)
class Structure:
    """How dims stand in an einsum.

    sizes: of all dims. parts: G, K, N or C, of the dims of several indices that do not slide. windows: none, that of the columns,
    or those of rows and columns.
    """

    sizes: Mapping[str, int]
    parts: Mapping[str, str]
    windows: Sequence[Window]

    @property
    def rows_and_columns(self) -> tuple[Window, Window]:
        """Both windows; one that is missing has no dims."""
        rows, columns = (Window("", 1, "", 1), Window("", 1, "", 1), *self.windows)[-2:]
        return rows, columns


def structure_of(sizes: Mapping[str, int], weights: Operand, inputs: Operand, output: Operand) -> Structure:
    """The parts that an einsum's operands give its dims, of which all have sizes; NoLayerError where no layer type has them.

    The operand with sums is the input, whichever of the two it is.
    """
    if any(_slides(rank) for rank in weights):
        weights, inputs = inputs, weights
    in_weights, in_output = _plain(weights), _plain(output)
    sums = [rank for rank in inputs if _slides(rank)]
    in_input = _plain([rank for rank in inputs if not _slides(rank)])
    windows = [_window(rank, in_weights, in_output) for rank in sums]
    slid = [dim for each in windows for dim in (each.output, each.tap) if dim]
    if len(windows) > 2 or len(set(slid)) < len(slid) or in_input & set(slid):
        raise NoLayerError("at most two ranks of the input may be sums, each of dims of its own")
    parts: dict[str, str] = {}
    for dim in (dim for dim, size in sizes.items() if dim not in slid and size > 1):
        part = _PARTS.get((dim in in_weights, dim in in_input, dim in in_output))
        if part is None:
            raise NoLayerError(f"dim {dim} must stand in two operands, or in all three")
        parts[dim] = part
    return Structure(sizes, parts, windows)


def row_of(structure: Structure) -> Row:
    """The keys of a layer, but for its name."""
    sizes = dict.fromkeys("GKNC", 1)
    for dim, part in structure.parts.items():
        sizes[part] *= structure.sizes[dim]
    if not structure.windows:
        return compact({"type": "GEMM", "M": sizes["N"], "N": sizes["K"], "K": sizes["C"], "batch": sizes["G"]})
    rows, columns = structure.rows_and_columns
    both = {"R": (rows.tap, columns.tap), "Y'": (rows.output, columns.output)}
    (r, s), (y, x) = ([structure.sizes.get(dim, 1) for dim in dims] for dims in both.values())
    slide: Row = {
        "R": r, "S": s, "Y'": y, "X'": x, "batch": sizes["N"],
        "stride": pair(rows.stride, columns.stride), "dilation": pair(rows.dilation, columns.dilation),
    }  # fmt: skip
    return compact(convolution_type(sizes["G"], sizes["K"], sizes["C"]) | slide)


def layer_of(structure: Structure, name: str, kind: str = "") -> tuple[Layer, dict[str, Dim]]:
    """The layer, and which of the eight dims each dim of the einsum is.

    kind: the layer's type, if it is one. Raises NoLayerError where two dims play one part, as a loop over both would be no loop.
    """
    rows, columns = structure.rows_and_columns
    slid = ((rows.output, Dim.Y), (rows.tap, Dim.R), (columns.output, Dim.X), (columns.tap, Dim.S))
    dims = {dim: of for dim, of in slid if dim}
    free = {part: [Dim[part]] for part in "GKNC"} | ({} if structure.windows else {"N": [Dim.X, Dim.N, Dim.Y]})
    for dim, part in structure.parts.items():
        if not free[part]:
            others = " and ".join(other for other, of in structure.parts.items() if of == part)
            raise NoLayerError(f"dims {others} both play the part of {part}, which only one loop may")
        dims[dim] = free[part].pop(0)
    g, n, k, c, r, s, y, x = (prod(structure.sizes[dim] for dim, of in dims.items() if of is each) for each in Dim)
    types = {each.value: each for each in LayerType}
    default = LayerType.CONV if structure.windows else LayerType.GEMM
    pairs = (rows.stride, columns.stride), (rows.dilation, columns.dilation)
    return Layer(name, types.get(kind, default), (g, n, k, c, r, s, y, x), *pairs), dims


# The part of a dim, by whether it stands in the weights, the input and the output.
_PARTS = {(True, True, True): "G", (True, False, True): "K", (False, True, True): "N", (True, True, False): "C"}


def _slides(rank: Rank) -> bool:
    return len(rank) > 1 or any(coefficient != 1 for _, coefficient in rank)


def _plain(operand: Operand) -> set[str]:
    """The dims of an operand without sums; each may stand once."""
    dims = [dim for rank in operand for dim, _ in rank]
    if any(_slides(rank) for rank in operand):
        raise NoLayerError("only the input's ranks may be sums or have coefficients")
    if len(set(dims)) < len(dims):
        raise NoLayerError("a dim must stand once in an operand")
    return set(dims)


def _window(rank: Rank, in_weights: set[str], in_output: set[str]) -> Window:
    outputs = [(dim, step) for dim, step in rank if dim in in_output]
    taps = [(dim, step) for dim, step in rank if dim not in in_output]
    if len(outputs) != 1 or len(taps) > 1 or outputs[0][0] in in_weights or any(dim not in in_weights for dim, _ in taps):
        raise NoLayerError("a sum must be of a dim of the output and a dim of the weights, each times a number")
    [(output, stride)], (tap, dilation) = outputs, (taps or [("", 1)])[0]
    if min(stride, dilation) < 1:
        raise NoLayerError(f"strides and dilations must be at least 1, got {min(stride, dilation)}")
    return Window(output, stride, tap, dilation)
