"""A mapping file as the published program reads it: directives as written, whether or not they cover the layer.

The grammar is that of `mapsearch.formats.directives` without our additions. Files that the program accepts and miscounts are
accepted here too; files that it rejects are errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mapsearch.formats.directives.tokens import Cursor, Token, use_one_of
from mapsearch.model.errors import DirectiveError, short
from mapsearch.model.maestro.source import TENSORS, Source, SourceMap

T = TypeVar("T")

_ITEMS = ("Type", "Stride", "Dimensions", "Dataflow")
_OURS = ("Dilation", "Density", "Pattern", "ZeroMacs")
_DIRECTIVES = ("TemporalMap", "SpatialMap", "Cluster")
_NEVER_MADE = ("FC", "POOL", "LSTM")


def read_written(text: str, where: str) -> list[Source]:
    """The layers of a mapping file; DirectiveError, with file and line, where the published program rejects it."""
    return read_networks(Cursor(text, where), _layer)


def read_networks(cursor: Cursor, read_layer: Callable[[Cursor], T]) -> list[T]:
    """What `read_layer` makes of each layer of a text, in which constants and machines may stand; at least one."""
    layers: list[T] = []
    while cursor.token.kind != "end":
        match cursor.take_word("keyword", ("Network", "Constant", "Accelerator")).text:
            case "Constant":
                name = cursor.take_name("Constant")
                cursor.constants[name] = cursor.take_count(f"Constant {name}")
            case "Network":
                layers += _network(cursor, read_layer)
            case _:
                if cursor.token.kind != "brace":
                    cursor.take_name("Accelerator")
                cursor.skip_block()
    if not layers:
        raise cursor.error(cursor.token, "the Network must have at least one Layer, got none")
    return layers


def _network(cursor: Cursor, read_layer: Callable[[Cursor], T]) -> list[T]:
    if cursor.token.kind != "brace":
        cursor.take_name("Network")
    layers: list[T] = []
    cursor.take_brace("{")
    while cursor.token.text != "}":
        layers.append(read_layer(cursor))
        cursor.context = ""
    cursor.take_brace("}")
    return layers


def _layer(cursor: Cursor) -> Source:
    layer = read_layer(cursor, _dataflow)
    if layer.dataflow is None:
        raise _lacks(cursor, layer.start, "Dataflow")
    levels, clusters = layer.dataflow
    return Source(layer.name, layer.kind, layer.dims, layer.stride, tuple(levels), tuple(clusters), f"{layer.place}: ")


@dataclass(frozen=True, slots=True)
class WrittenLayer(Generic[T]):
    """A layer of a file. start: its first token; place: its file and line; dataflow: what was made of its mapping, if any."""

    name: str
    start: Token
    place: str
    kind: str
    dims: dict[str, int]
    stride: dict[str, int]
    dataflow: T | None


def read_layer(cursor: Cursor, read_dataflow: Callable[[Cursor, dict[str, int]], T]) -> WrittenLayer[T]:
    """Pass a layer; read_dataflow: passes its mapping, and is given the dims so far."""
    start = cursor.take_word("keyword", ("Layer",))
    name = cursor.take_name("Layer")
    cursor.context = f"layer {short(name)}: "
    kind, dims, stride, dataflow = "", dict[str, int](), dict[str, int](), None
    cursor.take_brace("{")
    while cursor.token.text != "}":
        token = cursor.take()
        match token.text:
            case "Type":
                kind = _type_name(cursor)
            case "Stride":
                stride = _pairs(cursor, "Stride")
            case "Dimensions":
                dims = _pairs(cursor, "Dimensions")
            case "Dataflow":
                dataflow = read_dataflow(cursor, dims)
            case _:
                ours = token.text in _OURS
                why = "is ours; MAESTRO has no such item" if ours else f"is no layer item; {use_one_of(_ITEMS, token.text)}"
                raise cursor.error(token, f"{token.shown} {why}")
    cursor.take_brace("}")
    for item, given in (("Type", kind), ("Dimensions", dims)):
        if not given:
            raise _lacks(cursor, start, item)
    return WrittenLayer(name, start, f"{cursor.source}:{start.line}", kind, dims, stride, dataflow)


def _lacks(cursor: Cursor, start: Token, item: str) -> DirectiveError:
    return cursor.error(start, f"the layer has no {item}; every layer needs one")


def _type_name(cursor: Cursor) -> str:
    """Pass the name of a layer type that the published program makes."""
    token = cursor.take()
    if token.text in _NEVER_MADE:
        raise cursor.error(
            token, f"the published program knows the name {token.text} but makes no such layer; {use_one_of(TENSORS, '')}"
        )
    if token.text not in TENSORS:
        raise cursor.error(token, f"MAESTRO has no Type {token.shown}; {use_one_of(TENSORS, token.text)}")
    return token.text


def _pairs(cursor: Cursor, item: str) -> dict[str, int]:
    """Pass the sizes by name of an item in braces."""
    sizes: dict[str, int] = {}
    cursor.take_brace("{")
    while cursor.token.text != "}":
        name = cursor.take_name(f"dim in {item}")
        size = cursor.take_count(f"{item} {name}")
        sizes.setdefault(name, size)  # the first of two counts
    cursor.take_brace("}")
    return sizes


def _dataflow(cursor: Cursor, dims: dict[str, int]) -> tuple[list[tuple[SourceMap, ...]], list[int]]:
    levels: list[tuple[SourceMap, ...]] = []
    clusters: list[int] = []
    maps: list[SourceMap] = []
    cursor.take_brace("{")
    while cursor.token.text != "}":
        keyword = cursor.take_word("directive", _DIRECTIVES)
        if keyword.text == "Cluster":
            clusters.append(cursor.take_size("Cluster: the size", dims))
            letter = cursor.take()
            if letter.text not in ("P", "L"):
                raise cursor.error(
                    letter, f"a Cluster is of kind P or L, got {letter.shown}: the published program crashes (SIGSEGV)"
                )
            levels.append(tuple(maps))
            maps = []
            continue
        size, offset = (cursor.take_size(f"{keyword.text}: the {part}", dims) for part in ("size", "offset"))
        found = SourceMap(keyword.text == "SpatialMap", size, offset, cursor.take_name("dim"))
        if not found.spatial and found.dim in ("R", "S") and not found.size == found.offset == dims.get(found.dim):
            raise cursor.error(
                keyword,
                f"{found.text}: size and offset must be the whole {found.dim}, {dims.get(found.dim)}; write Sz({found.dim})",
            )
        maps.append(found)
    cursor.take_brace("}")
    return [*levels, tuple(maps)], clusters
