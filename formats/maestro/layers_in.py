"""MAESTRO's network files (`data/model/*.m` of github.com/maestro-project/maestro): layers, with mappings or without.

Y and X are the input as the file lists it, without padding: the published networks, which list unpadded inputs, have smaller
outputs than the networks that they are named after. A mapping that a layer has is passed over.
"""

from __future__ import annotations

from pathlib import Path

from mapsearch.formats.directives import extents
from mapsearch.formats.directives.tokens import Cursor
from mapsearch.formats.maestro.mappings_in import read_layer, read_networks
from mapsearch.formats.registry import Choices, take_no_choices
from mapsearch.formats.rows import Row, compact, convolution_type, named, pair
from mapsearch.formats.text import decode
from mapsearch.model.errors import short
from mapsearch.model.layer import LayerType
from mapsearch.model.tensors import Dim


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 the name tells
    """Whether the file is called .m."""
    return name.endswith(".m")


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    rows = read_networks(Cursor(decode(data, where, "layer set file"), where), _layer)
    return {"title": Path(where).stem, "source": f"{Path(where).name}, a network file of MAESTRO's", "layers": named(rows)}


def _layer(cursor: Cursor) -> Row:
    layer = read_layer(cursor, lambda cursor, _: cursor.skip_block())
    stride = layer.stride.get("Y", 1), layer.stride.get("X", 1)
    return {"name": layer.name} | _row(f"{layer.place}: layer {short(layer.name)}", LayerType(layer.kind), layer.dims, stride)


def _row(place: str, kind: LayerType, dims: dict[str, int], stride: tuple[int, int]) -> Row:
    sizes = dict(zip(Dim, extents(place, kind, dims, stride, (1, 1)), strict=True))
    if kind is LayerType.GEMM:
        keys = {"type": "GEMM", "M": sizes[Dim.X], "N": sizes[Dim.K], "K": sizes[Dim.C], "batch": sizes[Dim.G]}
        return compact(keys)
    filters: Row = {"R": sizes[Dim.R], "S": sizes[Dim.S], "batch": sizes[Dim.N]}
    groups, k, c = sizes[Dim.G], sizes[Dim.K], sizes[Dim.C]
    if kind is LayerType.TRCONV:  # the convolution at stride 1 that the file lists, as a transposed one without inserted zeros
        image: Row = {"Y": sizes[Dim.Y] + sizes[Dim.R] - 1, "X": sizes[Dim.X] + sizes[Dim.S] - 1}
        keys = {"type": "TRCONV", "K": groups * k, "C": groups * c, "groups": groups} | image
        return compact(keys | filters | {"padding": pair(sizes[Dim.R] - 1, sizes[Dim.S] - 1)})
    image = {"Y'": sizes[Dim.Y], "X'": sizes[Dim.X], "stride": pair(*stride)}
    return compact(convolution_type(groups, k, c) | filters | image)
