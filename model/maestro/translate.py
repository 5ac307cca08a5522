"""Our layers, mappings and machines in the published program's terms, as far as it has them."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.hardware import Buffering, Hardware, Pes, Residency, number_of, pes_text
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.maestro.source import MAX_CLUSTERS, SLIDING, Source, SourceDim, SourceMachine, SourceMap
from mapsearch.model.mapping import MapKind, Mapping
from mapsearch.model.sparsity import NOTHING_SPARED
from mapsearch.model.tensors import Dim, Tensor

_CONVOLUTION = {dim: SourceDim[dim.name] for dim in (Dim.N, Dim.K, Dim.C, Dim.R, Dim.S, Dim.Y, Dim.X)}
_DEPTHWISE = {dim: SourceDim[dim.name] for dim in (Dim.N, Dim.R, Dim.S, Dim.Y, Dim.X)} | {Dim.G: SourceDim.C}
# The program's dim of each of our dims, for each layer type that it has.
_DIMS = {
    LayerType.CONV: _CONVOLUTION,
    LayerType.TRCONV: _CONVOLUTION,
    LayerType.NGCONV: _CONVOLUTION | {Dim.G: SourceDim.G},
    LayerType.DSCONV: _DEPTHWISE,
    LayerType.GEMM: {Dim.X: SourceDim.M, Dim.K: SourceDim.N, Dim.C: SourceDim.K},
}


def source_dims(layer: Layer) -> dict[Dim, SourceDim]:
    """The program's dim of each of the layer's; InputError where it has no such layer. A batch of one is not declared."""
    where = f"layer {layer.name}"
    if layer.type not in _DIMS:
        raise InputError(f"{where}: MAESTRO has no layers of Type {layer.type}; there are {', '.join(_DIMS)}")
    dims = {dim: name for dim, name in _DIMS[layer.type].items() if dim is not Dim.N or layer.extents[Dim.N] > 1}
    for dim in Dim:
        if dim not in dims and layer.extents[dim] > 1:
            raise InputError(f"{where}: a {layer.type} of MAESTRO has no {dim.label}, and this one has {layer.extents[dim]}")
    if not layer.is_dense:
        zeros = ", ".join(f"{each} of {tensor.label}" for tensor, each in zip(Tensor, layer.sparsity, strict=True))
        raise InputError(f"{where}: MAESTRO has no sparsity, got {zeros}; leave it out")
    if layer.dilation != (1, 1):
        raise InputError(f"{where}: MAESTRO has no dilation, got {layer.dilation[0]}, {layer.dilation[1]}")
    return dims


def counted_layer(layer: Layer) -> Layer:
    """The layer as the program counts it: with a stride of 1 over the same input; InputError where it has no such layer."""
    source_dims(layer)
    if layer.type is LayerType.GEMM:
        return layer
    extents = list(layer.extents)
    extents[Dim.Y] = layer.input_rows - layer.extents[Dim.R] + 1
    extents[Dim.X] = layer.input_columns - layer.extents[Dim.S] + 1
    g, n, k, c, r, s, y, x = extents
    return replace(layer, extents=(g, n, k, c, r, s, y, x), stride=(1, 1), zero_macs=0)


def machine_of(hardware: Hardware) -> SourceMachine:
    """The hardware in the program's terms: its widths are taken in words per cycle, its buffers in words.

    InputError where the program has no such machine.
    """
    noc, offchip = hardware.noc, hardware.offchip
    key = next((key for key, stated in _unknown_keys(hardware).items() if stated), None)
    if key is not None:
        raise InputError(
            f"hardware {hardware.name}: MAESTRO has nothing like its {key}; use the cost model exact, or a machine without, "
            "such as edge"
        )
    return SourceMachine(
        pes=hardware.pes,
        noc_words=int(noc.bytes_per_cycle),
        noc_latency_cycles=noc.latency_cycles,
        offchip_words=int(offchip.bytes_per_cycle),
        l1_words=hardware.l1.bytes,
        l2_words=hardware.l2.bytes,
        simd=hardware.simd,
    )


def _unknown_keys(hardware: Hardware) -> dict[str, bool]:
    """What the program has not, by the keys of a hardware file, and whether the machine has it."""
    buffers, noc, offchip = {"l1": hardware.l1, "l2": hardware.l2}, hardware.noc, hardware.offchip
    return {
        "array.run": hardware.run is not None,
        "fpga": hardware.fpga is not None,
        "sparse": hardware.sparse != NOTHING_SPARED,
        **{f"parts of {name} for single tensors": any(buffer.parts) for name, buffer in buffers.items()},
        **{f"{name}.buffering: stream": buffer.buffering is Buffering.STREAM for name, buffer in buffers.items()},
        "l2.tensors": any(hardware.l2.bypass),
        "l2.residency: none": hardware.l2.residency is Residency.NONE,
        "l2.tile_cycles": hardware.l2.tile_cycles > 0,
        "wires for single tensors": noc.wires is not None,
        "fraction in noc.bytes_per_cycle": noc.bytes_per_cycle != int(noc.bytes_per_cycle),
        "fraction in offchip.bytes_per_cycle": offchip.bytes_per_cycle != int(offchip.bytes_per_cycle),
    }


def source_of(layer: Layer, mapping: Mapping, pes: Pes) -> Source:
    """The mapping as directives that the program counts right; MappingError with the reason where there are none.

    pes: of the machine, which the Clusters must divide. Every level names all dims, R and S whole.
    """
    dims = source_dims(layer)
    where = f"layer {layer.name}"
    if len(mapping.clusters) > MAX_CLUSTERS:
        raise MappingError(f"{where}: MAESTRO takes at most {MAX_CLUSTERS} Clusters, got {len(mapping.clusters)}")
    if prod(mapping.units(pes)) != number_of(pes):
        raise MappingError(
            f"{where}: MAESTRO needs Clusters whose product divides the {pes_text(pes)}, got {prod(mapping.clusters)}; "
            "use other Clusters or another number of PEs"
        )
    tile = list(layer.extents)
    levels: list[tuple[SourceMap, ...]] = []
    for level, directives in enumerate(mapping.levels):
        spatial = [one.dim for one in directives if one.kind is MapKind.SPATIAL]
        if not spatial or spatial[0] not in dims:
            what = f"of {spatial[0].label}" if spatial else "at all"
            raise MappingError(f"{where}, level {level}: MAESTRO needs a SpatialMap of one of its dims, got none {what}")
        for one in directives:
            tile[one.dim] = min(one.size, tile[one.dim])
        for dim in (Dim.R, Dim.S):
            if tile[dim] != layer.extents[dim]:
                raise MappingError(
                    f"{where}, level {level}: MAESTRO takes {dim.label} only whole, {layer.extents[dim]}, got chunks of {tile[dim]}"
                )
        named = [one.dim for one in directives if one.dim in dims]
        order = [*named, *(dim for dim in dims if dim not in named)]
        levels.append(tuple(_map(layer, dims[dim], dim in spatial, tile[dim]) for dim in order))
    stride = {axis: step for axis, step in zip("YX", layer.stride, strict=True) if step > 1}
    return Source(layer.name, str(layer.type), _sizes(layer, dims), stride, tuple(levels), mapping.clusters)


def _map(layer: Layer, dim: SourceDim, spatial: bool, size: int) -> SourceMap:  # noqa: FBT001 a field of SourceMap
    """A directive, in terms of Y' and X', or of Y and X where there is a stride, which the program applies only to these."""
    if dim not in SLIDING:
        return SourceMap(spatial, size, size, dim.name)
    axis = int(dim is SourceDim.X)
    stride, taps = layer.stride[axis], layer.extents[Dim.S if axis else Dim.R]
    if stride == 1:
        return SourceMap(spatial, size, size, f"{dim.name}'")
    return SourceMap(spatial, (size - 1) * stride + taps, size * stride, dim.name)


def _sizes(layer: Layer, dims: dict[Dim, SourceDim]) -> dict[str, int]:
    """The declared sizes by name: inputs, which the program derives its outputs from."""
    inputs = {SourceDim.Y: layer.input_rows, SourceDim.X: layer.input_columns}
    return {name.name: inputs.get(name, layer.extents[dim]) for dim, name in dims.items()}


def layer_macs(source: Source, sizes: dict[SourceDim, int]) -> int:
    """The MACs of a layer that is declared as `sizes`, 0 where its filter is larger than its input.

    Strides count correctly. Declared outputs count as declared, although the program takes them for those of a stride of 1.
    """
    macs = 1
    for dim, size in sizes.items():
        steps = size
        if source.type != "GEMM" and dim in SLIDING:
            strided = (size - sizes[SLIDING[dim]]) // source.stride.get(dim.name, 1) + 1
            steps = strided if dim.name in source.dims else source.dims[f"{dim.name}'"]
        macs *= max(steps, 0)
    return macs
