"""The layers of a network as a topology of SCALE-Sim's, which chooses its mappings by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.registry import Files
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import LayerType
from mapsearch.model.tensors import Dim

_CONVOLUTIONS = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides"
_PRODUCTS = "Layer, M, N, K"


def write_network(network: Network, hardware: Hardware) -> Files:  # noqa: ARG001 a topology has no mappings and no machine
    """See `Exporter`."""
    products = all(_is_product(mapped) for mapped in network.layers)
    header, row = (_PRODUCTS, _product) if products else (_CONVOLUTIONS, _convolution)
    rows = [", ".join(map(str, row(mapped))) for mapped in network.layers]
    return {"topology.csv": "".join(f"{line},\n" for line in (header, *rows))}  # SCALE-Sim cuts off what is behind the last comma


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 see above
    """See `Exporter`."""
    return {}


def _is_product(mapped: MappedLayer) -> bool:
    layer = mapped.layer
    return layer.type is LayerType.GEMM and layer.macs == layer.extents[Dim.X] * layer.extents[Dim.K] * layer.extents[Dim.C]


def _product(mapped: MappedLayer) -> Sequence[object]:
    extents = mapped.layer.extents
    return _name(mapped), extents[Dim.X], extents[Dim.K], extents[Dim.C]


def _convolution(mapped: MappedLayer) -> Sequence[object]:
    """The row; a matrix product is a convolution of one column of its rows."""
    layer = mapped.layer
    groups, batch, k, c, r, s, _, _ = layer.extents
    stride, of_columns = layer.stride
    for differs, what in (
        (batch > 1, f"a batch of {batch}"),
        (groups > 1 and c > 1, f"{groups} groups of several channels"),
        (stride != of_columns, f"strides of {stride} and {of_columns}"),
        (layer.dilation != (1, 1), "dilation"),
        (not layer.is_dense, "densities"),
    ):
        if differs:
            raise mapped.refusal(f"a topology of SCALE-Sim's cannot express {what}")
    channels = groups if groups > 1 else c
    return _name(mapped), layer.input_rows, layer.input_columns, r, s, channels, k, stride


def _name(mapped: MappedLayer) -> str:
    """The layer's name without commas; DP in a name, of any case but this, says that a layer is depthwise."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", mapped.layer.name).replace("DP", "dp")
    return f"{name}_DP" if mapped.layer.extents[Dim.G] > 1 else name
