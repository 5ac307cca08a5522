"""Layers from einsums: the eight dims found by the structure of the operands, whatever their names.

An operand is a list of ranks, and a rank is a sum of terms, each a dim times a coefficient: the input of a convolution has the
rank `2*p + r`. A dim plays the part that its operands give it: in all three it is a group, in weights and output it is K, in input
and output it is of the batch, in weights and input it is C; the dims of a sum are an output's and a filter's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mapsearch.formats.rows import Row, compact, convolution_type, pair

Rank = Sequence[tuple[str, int]]
Operand = Sequence[Rank]


class NoLayerError(Exception):
    """An einsum that no layer type expresses; the text says why."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A rank of the input over which a filter slides; tap: "" for a filter of one word."""

    output: str
    stride: int
    tap: str
    dilation: int


def row_of(sizes: Mapping[str, int], weights: Operand, inputs: Operand, output: Operand) -> Row:
    """The keys of a layer, but for its name; sizes: of all dims. Raises NoLayerError.

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
    parts = {"G": 1, "K": 1, "N": 1, "C": 1}
    for dim, size in sizes.items():
        part = _PARTS.get((dim in in_weights, dim in in_input, dim in in_output))
        if dim in slid or size == 1:
            continue
        if part is None:
            raise NoLayerError(f"dim {dim} must stand in two operands, or in all three")
        parts[part] *= size
    if not windows:
        return compact({"type": "GEMM", "M": parts["N"], "N": parts["K"], "K": parts["C"], "batch": parts["G"]})
    return _convolution(sizes, parts, windows)


# The part of a dim, by whether it stands in the weights, the input and the output.
_PARTS = {(True, True, True): "G", (True, False, True): "K", (False, True, True): "N", (True, True, False): "C"}


def _convolution(sizes: Mapping[str, int], parts: Mapping[str, int], windows: list[_Window]) -> Row:
    lone = _Window("", 1, "", 1)
    rows, columns = windows if len(windows) == 2 else (lone, windows[0])
    both = {"R": (rows.tap, columns.tap), "Y'": (rows.output, columns.output)}
    (r, s), (y, x) = ([sizes.get(dim, 1) for dim in dims] for dims in both.values())
    slide: Row = {
        "R": r, "S": s, "Y'": y, "X'": x, "batch": parts["N"],
        "stride": pair(rows.stride, columns.stride), "dilation": pair(rows.dilation, columns.dilation),
    }  # fmt: skip
    return compact(convolution_type(parts["G"], parts["K"], parts["C"]) | slide)


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


def _window(rank: Rank, in_weights: set[str], in_output: set[str]) -> _Window:
    outputs = [(dim, step) for dim, step in rank if dim in in_output]
    taps = [(dim, step) for dim, step in rank if dim not in in_output]
    if len(outputs) != 1 or len(taps) > 1 or outputs[0][0] in in_weights or any(dim not in in_weights for dim, _ in taps):
        raise NoLayerError("a sum must be of a dim of the output and a dim of the weights, each times a number")
    [(output, stride)], (tap, dilation) = outputs, (taps or [("", 1)])[0]
    if min(stride, dilation) < 1:
        raise NoLayerError(f"strides and dilations must be at least 1, got {min(stride, dilation)}")
    return _Window(output, stride, tap, dilation)
