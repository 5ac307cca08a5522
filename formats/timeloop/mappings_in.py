"""Timeloop's mapping files, as a user writes them or as its mapper does, each with the problem that is mapped.

    problem: {shape: ..., C: 64, ...}
    mapping:
      - {target: DRAM, type: temporal, factors: C=4 P=14, permutation: CP}      # outermost loop last
      - {target: GlobalBuffer, type: spatial, factors: K=16}
      - {target: RegisterFile, type: temporal, factors: R3 S3 C2,1, permutation: RSC}

The mapper writes levels innermost first; a list that begins with off-chip memory is outermost first. A PE's tile has the loops
inside all loops over units and all levels that keep nothing, or, if there are none, those of the innermost level. What else a level
keeps is passed over, as our L2 keeps the tiles that save the most.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import prod
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.einsums import NoLayerError, layer_of
from mapsearch.formats.nest.flat import FlatLoop, mapping_of
from mapsearch.formats.timeloop.problem_in import Keys, read_problem
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, short
from mapsearch.model.tensors import Dim

_MAPPING = re.compile(rb"^mapping\s*:", re.MULTILINE)
_ROW = re.compile(rb"\btarget\s*:")
_OFFCHIP = re.compile(r"dram|main|off.?chip", re.IGNORECASE)
_FACTOR = re.compile(r"([A-Za-z]\w*?)=?([1-9]\d{0,9})(?:,([1-9]\d{0,9}))?")


def _words(value: object) -> object:
    """A list as the text that it may stand for."""
    return " ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else value


_Text = Annotated[str, BeforeValidator(_words)]


class _Loops(Keys):
    """Loops of a level; or, by type datatype and such, the tensors that it keeps."""

    target: str
    type: Literal["temporal", "spatial", "datatype", "dataspace", "bypass"]
    factors: _Text = ""
    permutation: _Text = ""
    keep: list[str] | None = None


class _File(Keys):
    mapping: list[_Loops]


_FILE = TypeAdapter(_File)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the content tells
    """Whether the text has a mapping with targets."""
    return _MAPPING.search(data) is not None and _ROW.search(data) is not None


def read_network(text: str, where: str) -> Network:
    """See `MappingsImporter`: one layer, called like the file."""
    keys = parse_mapping(text, where, "mapping: [...]")
    if "problem" not in keys:
        raise InputError(
            f"{where}: must have the problem beside the mapping, which alone says nothing of the layer; write both in one file: "
            "cat problem.yaml timeloop-mapper.map.yaml > both.yaml"
        )
    problem = read_problem(keys, where)
    rows = checked(_FILE, keys, where).mapping
    nest = [(row, _loops(row, problem.sizes, where)) for row in _outermost_first(rows)]
    _check_sizes([loop for _, loops in nest for loop in loops], problem.sizes, where)
    try:
        layer, dims = layer_of(problem.structure, Path(where).stem, problem.shape)
    except NoLayerError as error:
        raise InputError(f"{where}: {error}") from None
    flat = [[FlatLoop(dims[dim], trips, row.type == "spatial") for dim, trips, _ in loops if dim in dims] for row, loops in nest]
    inside = _tile_begins([row for row, _ in nest], {row.target for row in rows if row.keep == []})
    tile = [prod(loop.trips for loops in flat[inside:] for loop in loops if loop.dim is dim) for dim in Dim]
    mapping = mapping_of(layer.extents, [loop for loops in flat[:inside] for loop in loops], tile)
    return Network(layer.name, (MappedLayer(layer, mapping),))


def _outermost_first(rows: Sequence[_Loops]) -> list[_Loops]:
    """The rows with loops from the outermost level inwards, a level's loops over time before those over units."""
    targets = list(dict.fromkeys(row.target for row in rows))
    if targets and not _OFFCHIP.search(targets[0]):
        targets.reverse()
    loops = [row for row in rows if row.type in ("temporal", "spatial")]
    return sorted(loops, key=lambda row: (targets.index(row.target), row.type == "spatial"))


def _tile_begins(rows: Sequence[_Loops], empty: AbstractSet[str]) -> int:
    """The number of the first row whose loops are inside a PE; empty: the levels that keep nothing."""
    outside = [place for place, row in enumerate(rows) if row.type == "spatial" or row.target in empty]
    return outside[-1] + 1 if outside else len(rows) - 1


def _loops(row: _Loops, sizes: Mapping[str, int], where: str) -> list[tuple[str, int, int]]:
    """The loops of a row, outermost first: dim, trips, and those in the last tile."""
    place = f"{where}: mapping: {short(row.target)}: {row.type}"
    found: dict[str, tuple[str, int, int]] = {}
    for word in row.factors.split():
        match = _FACTOR.fullmatch(word)
        if match is None or match[1] not in sizes or match[1] in found:
            law = f"a factor must be a dim of the problem and its trips, such as {next(iter(sizes))}=4, each dim once"
            raise InputError(f"{place}: {law}, got {short(word)}")
        dim, trips = match[1], int(match[2])
        found[dim] = dim, trips, int(match[3] or trips)
    spaced = row.permutation.replace(",", " ").split()
    order = spaced if len(spaced) > 1 else list(row.permutation)
    loops = [dim for dim, trips, _ in found.values() if trips > 1]
    free = [dim for dim in loops if dim not in order]
    if row.type == "temporal" and free and len(loops) > 1:
        raise InputError(f"{place}: permutation must name all of {', '.join(loops)}, got {short(row.permutation) or 'none'}")
    return [found[dim] for dim in (*free, *reversed(order)) if dim in found]


def _check_sizes(loops: Sequence[tuple[str, int, int]], sizes: Mapping[str, int], where: str) -> None:
    """The last index of a dim is where all its loops are in their last trip."""
    for dim, size in sizes.items():
        own = [(trips, last) for name, trips, last in loops if name == dim]
        found = 1 + sum((last - 1) * prod(trips for trips, _ in own[place + 1 :]) for place, (_, last) in enumerate(own))
        if found != size:
            raise InputError(f"{where}: mapping: the factors of {short(dim)} must cover its {size} indices, and cover {found}")
