"""Directive text to a network; the grammar is in the package's docstring."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from mapsearch.formats.directives.layer_blocks import WINDOWS, check_type, dim_names, extents, is_windowed
from mapsearch.formats.directives.network import MappedLayer, Network
from mapsearch.formats.directives.tokens import Cursor, use_one_of
from mapsearch.formats.directives.translate import LevelText, Statement, translate
from mapsearch.model.errors import LayerError, short
from mapsearch.model.layer import MAX_MACS, Layer, LayerType
from mapsearch.model.mapping import MapKind
from mapsearch.model.sparsity import DENSE, Pattern, Uniform
from mapsearch.model.tensors import Dim

_ITEMS = ("Type", "Stride", "Dilation", "Density", "Pattern", "ZeroMacs", "Dimensions", "Dataflow")
_BLOCKS = ("Stride", "Dilation", "Density", "Pattern", "Dimensions", "Dataflow")
_TENSORS = ("W", "I", "O")
_NO_MACS = "does no MACs and is not mapped; remove the layer"
_UNMAPPED_TYPES = {
    "LSTM": "is not mapped as one layer; write its matrix products as layers of Type GEMM",
    "POOL": _NO_MACS,
    "RESIDUAL": _NO_MACS,
    "RESIDUAL_IDENTITY": _NO_MACS,
}

Value = TypeVar("Value", int, Uniform, Pattern)


def parse(text: str, source: str = "<text>") -> Network:
    """The network of a directive file; `source` names the file in errors.

    Raises DirectiveError where the text does not follow the grammar, LayerError where a layer's shape breaks a law, and
    MappingError where a mapping is legal on no machine, each with file and line.
    """
    cursor = Cursor(text, source)
    network: Network | None = None
    while cursor.token.kind != "end":
        keyword = cursor.take_word("keyword", ("Network", "Constant", "Accelerator"))
        match keyword.text:
            case "Constant":
                _constant(cursor)
            case "Network" if network is None:
                network = _network(cursor)
            case "Network":
                raise cursor.error(keyword, "a second Network; a file holds one, so put it in a file of its own")
            case _:
                if cursor.token.kind != "brace":
                    cursor.take_name("Accelerator")
                cursor.skip_block()
    if network is None:
        raise cursor.error(cursor.token, "no Network; write Network NAME { Layer … }")
    return network


def _constant(cursor: Cursor) -> None:
    token = cursor.token
    name = cursor.take_name("Constant")
    if name in cursor.constants:
        raise cursor.error(token, f"Constant {short(name)} is defined twice; remove one of the two")
    cursor.constants[name] = cursor.take_count(f"Constant {name}")


def _network(cursor: Cursor) -> Network:
    name = "" if cursor.token.kind == "brace" else cursor.take_name("Network")
    layers: list[MappedLayer] = []
    cursor.take_brace("{")
    while cursor.token.text != "}":
        layers.append(_layer(cursor))
        cursor.context = ""
    cursor.take_brace("}")
    return Network(name, tuple(layers))


def _layer(cursor: Cursor) -> MappedLayer:
    """One layer. Its items are first located and then read, so that they may come in any order."""
    line = cursor.take_word("keyword", ("Layer",)).line
    name = cursor.take_name("Layer")
    cursor.context = f"layer {short(name)}: "
    if cursor.token.text != "{":
        raise cursor.error(
            cursor.token, f"expected '{{' after the name, got {cursor.token.shown}; quote a name that has separators"
        )
    items = _item_positions(cursor)
    end = cursor.position
    try:
        layer, names, sizes = _shape(cursor, name, items)
    except LayerError as error:
        raise LayerError(f"{cursor.source}:{line}: {error}") from None
    _seek(cursor, items, "Dataflow")
    levels, clusters = _dataflow(cursor, sizes)
    cursor.position = end
    return translate(cursor.source, line, layer, names, levels=levels, clusters=clusters)


def _item_positions(cursor: Cursor) -> dict[str, int]:
    """The position after the keyword of each item, and of the layer's own brace; the cursor passes the layer."""
    positions = {"Layer": cursor.position}
    cursor.take_brace("{")
    while cursor.token.text != "}":
        item = cursor.take_word("layer item", _ITEMS)
        if item.text in positions:
            raise cursor.error(item, f"{item.text} is given twice; remove one of the two")
        positions[item.text] = cursor.position
        if item.text in _BLOCKS:
            cursor.skip_block()
        else:
            cursor.take_name(item.text)
    cursor.take_brace("}")
    return positions


def _seek(cursor: Cursor, items: dict[str, int], item: str) -> None:
    """Go to the position after an item's keyword."""
    if item not in items:
        cursor.position = items["Layer"]
        raise cursor.error(cursor.token, f"the layer has no {item}; every layer needs one")
    cursor.position = items[item]


def _shape(cursor: Cursor, name: str, items: dict[str, int]) -> tuple[Layer, dict[str, Dim], dict[str, int]]:
    """The layer, its loop dims by name, and the sizes that `Sz` may refer to."""

    def block(item: str, legal: Collection[str], take: Callable[[str], Value]) -> dict[str, Value]:
        if item not in items and item != "Dimensions":
            return {}
        _seek(cursor, items, item)
        return _pairs(cursor, item, legal, take)

    _seek(cursor, items, "Type")
    kind = _type(cursor)
    windows = tuple(WINDOWS) if is_windowed(kind) else ()
    declared = block("Dimensions", (*dim_names(kind, grouped=True), *windows), cursor.take_count)
    strides, dilations = (block(item, tuple(WINDOWS), cursor.take_count) for item in ("Stride", "Dilation"))
    stride = (strides.get("Y", 1), strides.get("X", 1))
    dilation = (dilations.get("Y", 1), dilations.get("X", 1))
    names = dim_names(kind, grouped="G" in declared)
    density = block("Density", _TENSORS, lambda item: Uniform(cursor.take_share(item)))
    pattern = block("Pattern", _TENSORS, lambda item: _pattern(cursor, item, names))
    twice = next((letter for letter in density if letter in pattern), None)
    if twice is not None:
        raise LayerError(f"layer {name}: {twice} has both a Density and a Pattern; remove one of the two")
    sparsity = {"W": DENSE[0], "I": DENSE[1], "O": DENSE[2], **density, **pattern}
    zero_macs = 0
    if "ZeroMacs" in items:
        _seek(cursor, items, "ZeroMacs")
        zero_macs = cursor.take_count("ZeroMacs", 0, MAX_MACS)
    layer = Layer(
        name,
        kind,
        extents(f"layer {name}", kind, declared, stride, dilation),
        stride,
        dilation,
        zero_macs,
        (sparsity["W"], sparsity["I"], sparsity["O"]),
    )
    check_type(layer)
    inputs = {"Y": layer.input_rows, "X": layer.input_columns} if windows else {}
    return layer, names, {dim_name: layer.extents[dim] for dim_name, dim in names.items()} | inputs | declared


def _pattern(cursor: Cursor, item: str, names: dict[str, Dim]) -> Pattern:
    kept, group = (cursor.take_count(f"{item}: {part} of n:m") for part in ("n", "m"))
    return Pattern(kept, group, names[cursor.take_word("dim", names).text])


def _type(cursor: Cursor) -> LayerType:
    token = cursor.take()
    if token.text in _UNMAPPED_TYPES:
        raise cursor.error(token, f"Type {token.text} {_UNMAPPED_TYPES[token.text]}")
    if token.text not in tuple(LayerType):
        raise cursor.error(token, f"unknown Type {token.shown}; {use_one_of(tuple(LayerType), token.text)}")
    return LayerType(token.text)


def _pairs(cursor: Cursor, item: str, legal: Collection[str], take: Callable[[str], Value]) -> dict[str, Value]:
    """A block of names with values; `take` reads a value and gets its name for errors."""
    pairs: dict[str, Value] = {}
    cursor.take_brace("{")
    while cursor.token.text != "}":
        token = cursor.take_word(f"name in {item}", legal)
        if token.text in pairs:
            raise cursor.error(token, f"{item} give {token.text} twice; remove one of the two")
        pairs[token.text] = take(f"{item} {token.text}")
    cursor.take_brace("}")
    return pairs


def _dataflow(cursor: Cursor, sizes: dict[str, int]) -> tuple[list[LevelText], list[int]]:
    """The levels as written, and the Clusters between them."""
    layer_context, start = cursor.context.removesuffix(": "), cursor.token.line
    levels: list[LevelText] = []
    clusters: list[int] = []
    statements: list[Statement] = []
    cursor.take_brace("{")
    while True:
        cursor.context = f"{layer_context}, level {len(levels)}: "
        if cursor.token.text == "}":
            levels.append(LevelText(start, tuple(statements)))
            return levels, clusters
        keyword = cursor.take_word("directive", ("TemporalMap", "SpatialMap", "Cluster"))
        if keyword.text != "Cluster":
            size, offset = (cursor.take_size(f"{keyword.text}: the {part}", sizes) for part in ("size", "offset"))
            statements.append(Statement(MapKind(keyword.text), size, offset, cursor.take_name("dim"), keyword.line))
            continue
        clusters.append(cursor.take_size("Cluster: the size", sizes))
        cursor.take_word("Cluster's kind", ("P", "L"))
        levels.append(LevelText(start, tuple(statements)))
        start, statements = keyword.line, []
