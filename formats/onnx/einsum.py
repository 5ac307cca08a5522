"""Einsum, where it is a matrix product; any other is left out, with its MACs."""

from __future__ import annotations

import re
from math import prod

from mapsearch.formats.einsums import NoLayerError, row_of, structure_of
from mapsearch.formats.onnx.graph import Node
from mapsearch.formats.onnx.matmul import first_is_weights
from mapsearch.formats.rows import Row, compact

_EQUATION = re.compile(r"[a-zA-Z.]*(?:,[a-zA-Z.]*)*(?:->[a-zA-Z.]*)?")
_REST = 0x100  # the first of the letters that name the dims of an ellipsis, the last dim first


def einsum(node: Node) -> list[Row]:
    """The product of two operands over what they share."""
    terms, result, sizes = _read(node)
    if len(terms) == 1:
        return [{"type": "OTHER", "operator": "Einsum"}]
    left_out: Row = {"type": "OTHER", "operator": "Einsum", "macs": prod(sizes.values()) * (len(terms) - 1)}
    if len(terms) > 2:
        return [left_out]
    shared = set(terms[0]) & set(terms[1]) & set(result)
    if all(dim in result for dim, size in sizes.items() if size > 1):  # a product without a sum
        return [{"type": "ELEMENTWISE", "operator": "Einsum"}]
    batches = [prod(sizes[dim] for dim in term if dim in shared) for term in terms]
    weights = 0 if first_is_weights(node, (0, 1), (batches[0], batches[1])) else 1
    try:
        row = row_of(structure_of(sizes, *([[(dim, 1)] for dim in each] for each in (terms[weights], terms[1 - weights], result))))
    except NoLayerError:
        return [left_out]
    return [compact(row | {"weights": node.weights(weights)})]


def _read(node: Node) -> tuple[list[str], str, dict[str, int]]:
    """The dims of each operand and of the result, each a letter, and their sizes."""
    equation = node.text("equation", "").replace(" ", "")
    if not _EQUATION.fullmatch(equation):
        raise node.error(f"the equation must be such as `bik,bkj->bij`, got {equation[:60]!r}")
    left, arrow, result = equation.partition("->")
    shapes = [node.shape(index) for index in range(len(node.inputs))]
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise node.error(f"the equation must have a term for each of {len(shapes)} operands, got {equation[:60]!r}")
    widest = ""
    for number, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        rest = max(len(shape) - len(term.replace("...", "")), 0) if "..." in term else 0
        dims = "".join(chr(_REST + rest - 1 - place) for place in range(rest))  # of an ellipsis, aligned at its end
        widest = max(widest, dims, key=len)
        terms[number] = term.replace("...", dims)
    once = sorted(dim for dim in set("".join(terms)) if "".join(terms).count(dim) == 1 and dim.isascii())
    result = result.replace("...", widest) if arrow else widest + "".join(once)
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        if len(term) != len(shape):
            raise node.error(f"the equation's term {term[:20]!r} must have {len(shape)} dims")
        for dim, size in zip(term, shape, strict=True):
            if sizes.setdefault(dim, size) not in (size, 1) and size != 1:
                raise node.error(f"dim {dim} must have one size, got {sizes[dim]} and {size}")
            sizes[dim] = max(sizes[dim], size)
    return terms, result, sizes


OPERATORS = {"Einsum": einsum}
