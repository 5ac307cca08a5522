"""From directives as written to directives as the published program completes them, level by level, outermost first.

At each level, primed dims become Y and X, missing dims are inherited from the level above or taken whole, and strides replace the
sizes and offsets of Y and X.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from mapsearch.model.maestro.count.workspace import MAX_DIRECTIVES
from mapsearch.model.maestro.source import MAX_CLUSTERS, SLIDING, TENSORS, Source, SourceDim, SourceMap

Sizes = dict[SourceDim, int]
Tensors = tuple[tuple[SourceDim, ...], tuple[SourceDim, ...], tuple[SourceDim, ...]]


@dataclass(frozen=True, slots=True)
class Map:
    """A directive of a level; sizes and offsets in the program's terms."""

    spatial: bool
    size: int
    offset: int
    dim: SourceDim


@dataclass(frozen=True, slots=True)
class Level:
    """A level: its directives, its units, and the sizes of the dims that each unit gets from the level above."""

    maps: tuple[Map, ...]
    units: int
    dims: Mapping[SourceDim, int]


def tensors_of(source: Source) -> Tensors:
    """The dims of input, weight and output."""
    return tensor_dims(source.type, batched="N" in source.dims)


def tensor_dims(kind: str, *, batched: bool) -> Tensors:
    """The dims of input, weight and output of a layer type; batched: whether N is declared, which in a GEMM is no batch."""
    inputs, weights, outputs = TENSORS[kind]
    if batched and kind != "GEMM":
        return (*inputs, SourceDim.N), weights, (*outputs, SourceDim.N)
    return inputs, weights, outputs


def declared(source: Source) -> Sizes:
    """The sizes of the layer's dims, Y and X from Y' and X' where those are declared."""
    sizes = {SourceDim[name]: size for name, size in source.dims.items() if name in SourceDim.__members__}
    for dim, tap in SLIDING.items():
        if f"{dim.name}'" in source.dims and dim not in sizes:
            sizes[dim] = source.dims[f"{dim.name}'"] + sizes.get(tap, 1) - 1
    for dim in dict.fromkeys(dim for tensor in TENSORS[source.type] for dim in tensor):
        if dim not in sizes:
            raise source.error(f"Type {source.type} needs {dim.name} in its Dimensions")
    return sizes


def levels_of(source: Source, pes: int) -> list[Level]:
    """The levels of a mapping on a machine of `pes` PEs; InputError where the published program rejects it or crashes."""
    members = prod(source.clusters)
    if len(source.clusters) > MAX_CLUSTERS:
        raise source.error(
            f"at most {MAX_CLUSTERS} Clusters, got {len(source.clusters)}: "
            "the published program ends with std::out_of_range (SIGABRT)"
        )
    if members > pes:
        raise source.error(f"its Clusters need {members} PEs of {pes}: the published program divides by zero (SIGFPE)")
    inputs, weights, _ = tensors_of(source)
    sizes = declared(source)
    levels: list[Level] = []
    for index, written in enumerate(source.levels):
        above = levels[-1].maps if levels else ()
        maps = _completed(_as_inputs(source, written), above, {dim: sizes[dim] for dim in {*inputs, *weights} if dim in sizes})
        maps = [_strided(source, each, inner=index > 0) for each in maps]
        _check(source, index, maps, sizes)
        levels.append(Level(tuple(maps), pes // members if index == 0 else source.clusters[index - 1], sizes))
        handed: Sizes = {}
        for each in maps:
            if each.dim in (*inputs, *weights):
                handed.setdefault(each.dim, min(each.size, sizes[each.dim]))
        sizes = handed
    return levels


def _completed(maps: list[Map], above: Sequence[Map], sizes: Sizes) -> list[Map]:
    """The directives, preceded by those inherited from the level above, and by the remaining dims of `sizes`, taken whole."""
    named = {each.dim for each in maps}
    inherited = [replace(each, spatial=False) for each in reversed(above) if each.dim not in named]
    left = sizes.keys() - named - {each.dim for each in inherited}
    whole = [Map(spatial=False, size=sizes[dim], offset=sizes[dim], dim=dim) for dim in sorted(left, key=lambda dim: dim.name)]
    return [*inherited, *maps, *whole]


def _as_inputs(source: Source, written: Sequence[SourceMap]) -> list[Map]:
    """The directives with Y' and X' as Y and X."""
    names = {each.dim for each in written}
    maps: list[Map] = []
    for each in written:
        base = each.dim.removesuffix("'")
        primed = base != each.dim
        if base not in SourceDim.__members__ or (primed and (base not in ("Y", "X") or base in names)):
            raise source.error(f"{each.text}: the published program stops with 'Dimension {each.dim} not found'")
        dim, size = SourceDim[base], each.size
        if primed:
            tap = SLIDING[dim].name
            taps = next((other.size for other in written if other.dim == tap), None)
            if taps is None:
                raise source.error(
                    f"{each.text}: needs a map of {tap} at the same level: the published program reads memory that was never set"
                )
            size += taps - 1
        maps.append(Map(each.spatial, size, each.offset, dim))
    return maps


def _strided(source: Source, one: Map, *, inner: bool) -> Map:
    """The directive after the program's rule for strides."""
    stride = source.stride.get(one.dim.name, 1)
    if one.dim not in SLIDING or stride == 1:
        return one
    taps = declared(source)[SLIDING[one.dim]]
    if one.size < taps:
        return one
    outputs = (one.size + stride - taps) // stride
    offset = outputs * (taps if inner and taps < stride else stride)
    return replace(one, size=outputs * min(stride, taps) + max(taps - stride, 0), offset=offset)


def _check(source: Source, level: int, maps: Sequence[Map], sizes: Sizes) -> None:
    for each in maps:
        if each.dim not in sizes:
            raise source.error(f"level {level}: the published program stops with 'Dimension {each.dim.name} not found'")
    spatial = sum(each.spatial for each in maps)
    if spatial == 0:
        raise source.error(f"level {level}: the published program stops with 'No spatial map in a cluster'; write one SpatialMap")
    if spatial > 2:  # two are co-mapped
        raise source.error(
            f"level {level}: the published program stops with 'Found too many spatial maps', got {spatial}; write one SpatialMap"
        )
    if len(maps) > MAX_DIRECTIVES:
        raise source.error(f"level {level}: at most {MAX_DIRECTIVES} directives are modelled, got {len(maps)}")
