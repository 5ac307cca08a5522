"""ZigZag's mappings, from the result that it writes of a layer as `..._complete.json`.

The layer stands there with the loops of each operand in each memory, innermost first, and the loops over units. The memories inside
the loops over units are those of a PE; which other memories there are is passed over, as our L2 keeps the tiles that save the most.
A mapping of ours has one tile of all operands in a PE. ZigZag's may end at different loops, as long as none of the loops between
moves the operand; `temporal_mapping_type="even"` makes them end at one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.einsums import NoLayerError, layer_of
from mapsearch.formats.nest.flat import FlatLoop, mapping_of
from mapsearch.formats.zigzag.conventions import OPERANDS
from mapsearch.formats.zigzag.equation import read_equation
from mapsearch.formats.zigzag.result import loops_of, read_result
from mapsearch.model.errors import InputError, short
from mapsearch.model.tensors import TOUCHES, Dim, Tensor

_MARK = re.compile(rb'\A\s*\{.*"temporal_mapping"\s*:', re.DOTALL)
_Levels = list[list[FlatLoop]]  # of each memory, innermost memory and loop first


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the content tells
    """Whether the text is a mapping of keys, among them a temporal mapping."""
    return _MARK.match(data) is not None


def read_network(text: str, where: str) -> Network:
    """See `MappingsImporter`: one layer, with its name in the result."""
    result = read_result(text, where)
    stated = result.inputs.layer
    structure = read_equation(where, stated.equation, stated.equation_relations, stated.loop_dimensions).structure()
    try:
        layer, dims = layer_of(structure, stated.name)
    except NoLayerError as error:
        raise InputError(f"{where}: {error}") from None
    inputs = result.inputs
    temporal = [_levels(inputs.temporal_mapping[operand], dims, f"{where}: temporal_mapping.{operand}") for operand in OPERANDS]
    spatial = [_levels(inputs.spatial_mapping[operand], dims, f"{where}: spatial_mapping.{operand}") for operand in OPERANDS]
    loops, units = _one_order(temporal, where), [loop for level in spatial[Tensor.OUTPUT] for loop in level]
    for dim, size in zip(Dim, layer.extents, strict=True):
        covered = prod(loop.trips for loop in (*loops, *units) if loop.dim is dim)
        if covered != size:
            raise InputError(f"{where}: the loops over {dim.label} must cover its {size} indices, and cover {covered}")
    inside = _tile_ends(loops, [_private(*each) for each in zip(temporal, spatial, strict=True)], where)
    tile = [prod(loop.trips for loop in loops[:inside] if loop.dim is dim) for dim in Dim]
    shared = [FlatLoop(loop.dim, loop.trips, spatial=True) for loop in units]
    mapping = mapping_of(layer.extents, [*reversed(loops[inside:]), *reversed(shared)], tile)
    return Network(layer.name, (MappedLayer(layer, mapping),))


def _levels(levels: list[list[str]], dims: Mapping[str, Dim], where: str) -> _Levels:
    """The loops of several trips in each memory."""
    found: _Levels = []
    for level in loops_of(levels, where):
        for dim, trips in level:
            if trips > 1 and dim.lower() not in dims:
                raise InputError(f"{where}: a loop must be over a dim of the layer, one of {', '.join(dims)}, got {short(dim)}")
        found.append([FlatLoop(dims[dim.lower()], trips) for dim, trips in level if trips > 1])
    return found


def _one_order(temporal: Sequence[_Levels], where: str) -> list[FlatLoop]:
    """The loops over time, innermost first, which are the same for all operands."""
    orders = [[loop for level in levels for loop in level] for levels in temporal]
    if any(order != orders[0] for order in orders):
        raise InputError(f"{where}: the loops of {', '.join(OPERANDS)} must come in one order, and come in several")
    return orders[0]


def _private(temporal: _Levels, spatial: _Levels) -> int | None:
    """How many loops an operand has in the memories of a PE; None where it has no memory there."""
    memories = next((number for number, loops in enumerate(spatial) if loops), 1)
    return sum(map(len, temporal[:memories])) if memories else None


def _tile_ends(loops: Sequence[FlatLoop], private: Sequence[int | None], where: str) -> int:
    """The first loop at which one tile of all operands can end: from there to where its own ends, none moves the operand."""

    def fits(end: int, tensor: Tensor, own: int | None) -> bool:
        between = () if own is None else loops[min(end, own) : max(end, own)]
        return not any(TOUCHES[tensor, loop.dim] for loop in between)

    pairs = [*zip(Tensor, private, strict=True)]
    end = next((end for end in range(len(loops) + 1) if all(fits(end, *pair) for pair in pairs)), None)
    if end is None:
        told = ", ".join(
            f"of {operand} behind {own} loops" for operand, own in zip(OPERANDS, private, strict=True) if own is not None
        )
        raise InputError(
            f"{where}: the tiles of a PE must end behind one loop, as where it has one memory and temporal_mapping_type is "
            f'"even", and end {told}, which move them'
        )
    return end
