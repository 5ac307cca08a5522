"""ZigZag's mappings, from the result that it writes of a layer as `..._complete.json`.

The layer stands there with the loops of each operand in each memory, innermost first, and the loops over units. The memories inside
the loops over units are those of a PE; which other memories there are is passed over, as our L2 keeps the tiles that save the most.
A mapping of ours has one tile of all operands in a PE. ZigZag's may end behind different loops, as long as a PE fetches as many
words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.einsums import NoLayerError, layer_of
from mapsearch.formats.nest.flat import FlatLoop, mapping_of
from mapsearch.formats.zigzag.conventions import OPERANDS
from mapsearch.formats.zigzag.equation import read_equation
from mapsearch.formats.zigzag.result import loops_of, read_result
from mapsearch.model.errors import InputError, short
from mapsearch.model.layer import Layer
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
    inside = _tile_ends(layer, loops, [_private(*each) for each in zip(Tensor, temporal, spatial, strict=True)], where)
    tile = _tile(loops[:inside])
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


def _private(tensor: Tensor, temporal: _Levels, spatial: _Levels) -> int | None:
    """How many loops an operand has in the memories of a PE; None where it has no memory there.

    Those memories are inside the spatial loops that move the operand; PEs share its words over the others.
    """
    apart = (number for number, loops in enumerate(spatial) if any(TOUCHES[tensor, loop.dim] for loop in loops))
    memories = next(apart, 1)
    return sum(map(len, temporal[:memories])) if memories else None


def _tile(loops: Sequence[FlatLoop]) -> list[int]:
    """Indices of the eight dims in a tile with these loops."""
    return [prod(loop.trips for loop in loops if loop.dim is dim) for dim in Dim]


def _tile_ends(layer: Layer, loops: Sequence[FlatLoop], private: Sequence[int | None], where: str) -> int:
    """How many loops one tile of all operands can have, so that a PE fetches as many words as with the tiles of their own.

    private: the loops of each of those, None where an operand has none. Most of them end there, or else the smallest tile does.
    """

    def fetched(tensor: Tensor, end: int) -> int:
        g, n, k, c, r, s, y, x = _tile(loops[:end])
        words = replace(layer, extents=(g, n, k, c, r, s, y, x), zero_macs=0).words(tensor)
        moving = next((place for place, loop in enumerate(loops[end:], end) if TOUCHES[tensor, loop.dim]), len(loops))
        return words * prod(loop.trips for loop in loops[moving:])

    own = [(tensor, fetched(tensor, end)) for tensor, end in zip(Tensor, private, strict=True) if end is not None]
    ends = sorted({end for end in private if end is not None} or {0}, key=lambda end: (-private.count(end), end))
    found = next((end for end in ends if all(fetched(tensor, end) == words for tensor, words in own)), None)
    if found is None:
        ends_at = (f"of {operand} behind {end} loops" for operand, end in zip(OPERANDS, private, strict=True) if end is not None)
        raise InputError(
            f"{where}: one tile of W, I and O in a PE must fetch no more words than ZigZag's, which end {', '.join(ends_at)}; "
            'evaluate it on a machine with one memory in each PE and temporal_mapping_type="even"'
        )
    return found
