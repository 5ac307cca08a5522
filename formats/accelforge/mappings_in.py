"""AccelForge's mappings of one einsum, with the workload in the same file.

    workload: {einsums: ...}
    mapping:
      nodes:
      - !Storage {component: DRAM, tensors: [A, B, C]}
      - !Temporal {rank_variable: m, tile_shape: 16}
      - !Spatial {rank_variable: n, tile_shape: 4, name: units, component: Array}
      - !Storage {component: L1, tensors: [A, B, C]}
      - !Compute {einsum: product, component: MAC}

Nodes are told apart by their keys, as AccelForge itself writes them without tags. A PE's tile has the loops inside the innermost
place that keeps a tensor and inside all spatial loops. Where else tensors are kept is passed over, as our L2 keeps the tiles that
save the most. Units get their chunks in turn, where AccelForge's order of loops gives them blocks: it counts the same for both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mapsearch.formats.accelforge.workload_in import read_workload
from mapsearch.formats.complaint import checked
from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.einsums import NoLayerError, layer_of
from mapsearch.formats.nest.flat import FlatLoop, mapping_of
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, short
from mapsearch.model.tensors import Dim

_MARK = re.compile(rb"^mapping\s*:[^\n]*\n(?:\s*#[^\n]*\n)*\s+nodes\s*:", re.MULTILINE)


class _Node(BaseModel):
    """A loop, a place that keeps tensors, or the compute; other keys are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)
    rank_variable: str | None = None
    tile_shape: Annotated[int, Field(ge=1)] | None = None
    component: str | None = None
    tensors: list[str] | None = None
    nodes: list[object] | None = None


class _Mapping(BaseModel):
    nodes: list[_Node]


_NODES = TypeAdapter(_Mapping)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the content tells
    """Whether the text has a mapping with nodes."""
    return _MARK.search(data) is not None


def read_network(text: str, where: str) -> Network:
    """See `MappingsImporter`: one layer, called like the file."""
    keys = parse_mapping(text, where, "mapping: {nodes: [...]}", tagged=True)
    if "workload" not in keys:
        raise InputError(
            f"{where}: must have the workload beside the mapping, which alone says nothing of the layer; write both in one file"
        )
    structure = read_workload(keys["workload"], f"{where}: workload")
    try:
        layer, dims = layer_of(structure, Path(where).stem)
    except NoLayerError as error:
        raise InputError(f"{where}: {error}") from None
    nodes = checked(_NODES, keys.get("mapping"), f"{where}: mapping").nodes
    found = [*_loops(nodes, structure.sizes, dims, where)]
    inside = 1 + max((place for place, loop in enumerate(found) if loop is None or loop.spatial), default=-1)
    outer, inner = ([loop for loop in part if loop is not None] for part in (found[:inside], found[inside:]))
    tile = [prod(loop.trips for loop in inner if loop.dim is dim) for dim in Dim]
    mapping = mapping_of(layer.extents, sorted(outer, key=lambda loop: loop.spatial), tile)
    return Network(layer.name, (MappedLayer(layer, mapping),))


def _loops(nodes: Sequence[_Node], sizes: Mapping[str, int], dims: Mapping[str, Dim], where: str) -> Iterator[FlatLoop | None]:
    """The loops, outermost first, with None for places that keep tensors; dims: those of several indices."""
    left = dict(sizes)
    for number, node in enumerate(nodes, start=1):
        place, dim, shape = f"{where}: mapping: node {number}", node.rank_variable, node.tile_shape
        if node.nodes is not None:
            raise InputError(
                f"{place}: has nodes of its own; take a mapping of one einsum, with loops and places that keep tensors"
            )
        if node.tensors is not None:
            yield None
        elif dim is not None:
            if dim not in left:
                raise InputError(f"{place}: rank_variable must be a dim of the einsum, one of {', '.join(left)}, got {short(dim)}")
            if shape is None or left[dim] % shape:
                got = "none" if shape is None else str(shape)
                raise InputError(f"{place}: tile_shape must divide the {left[dim]} indices of {short(dim)}, got {got}")
            if shape < left[dim]:
                yield FlatLoop(dims[dim], left[dim] // shape, node.component is not None)
            left[dim] = shape
    for dim, size in left.items():
        if size > 1:
            raise InputError(f"{where}: mapping: the loops of {short(dim)} must end at a tile_shape of 1, and end at {size}")
