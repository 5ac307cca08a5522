"""Row-stationary mappings of the Eyeriss chip as directives, from the parameters of its paper.

A PE makes one output row at a time from one filter row: R and the e output rows of a pass are shared out over the PEs of a set.
There are r x t such sets, over channels and filters. Passes go over images, output rows, filters and channels, these innermost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.measured import EyerissRow
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping
from mapsearch.model.sparsity import uniform
from mapsearch.model.tensors import Dim, Tensor

_TEMPORAL, _SPATIAL = MapKind.TEMPORAL, MapKind.SPATIAL


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass works on: n images, e output rows, p filters and q channels of a PE, r and t sets over channels and filters."""

    n: int
    e: int
    p: int
    q: int
    r: int
    t: int


def published_pass(row: EyerissRow) -> Pass | None:
    """The pass of a row, or None where it is blank; InputError where only a part of it is."""
    values = {name: getattr(row, name) for name in Pass.__slots__}
    missing = [name for name, value in values.items() if value is None]
    if missing and len(missing) < len(values):
        raise InputError(f"layer {row.layer}: {', '.join(missing)} is missing; give all of n, e, p, q, r, t, or none")
    return None if missing else Pass(**values)


def layer_of(row: EyerissRow, zeros_percent: float) -> Layer:
    """The layer of a row, with this share of zeros in its input."""
    kind = LayerType.NGCONV if row.groups > 1 else LayerType.CONV
    extents = (row.groups, row.batch, row.K, row.C, row.filter, row.filter, row.outputs, row.outputs)
    sparsity = uniform(input_=1 - zeros_percent / 100)
    return Layer(row.layer, kind, extents, (row.stride, row.stride), sparsity=sparsity)


def mapped(layer: Layer, each: Pass, machine: Hardware) -> MappedLayer:
    """The layer with the directives of a pass; InputError where the pass does not fit the rows and columns of the PEs.

    Output rows beyond the columns of the array are folded: level 0 shares them out over the folds.
    """
    columns = machine.pes if machine.array is None else machine.array.columns
    folds = -(-each.e // columns)
    high = -(-each.e // folds)  # output rows of a fold
    passes = [
        Directive(_TEMPORAL, 1, Dim.G),
        Directive(_TEMPORAL, each.n, Dim.N),
        Directive(_TEMPORAL, each.e, Dim.Y) if folds == 1 else Directive(_SPATIAL, high, Dim.Y),
        Directive(_SPATIAL if folds == 1 else _TEMPORAL, each.p, Dim.K),
        Directive(_TEMPORAL, each.q * each.r, Dim.C),
    ]
    channels = [(each.r, [Directive(_SPATIAL, each.q, Dim.C)])] if each.r > 1 else []
    rows = [Directive(_SPATIAL, 1, Dim.R), Directive(_TEMPORAL, 1, Dim.N), Directive(_TEMPORAL, 1, Dim.X)]
    inner = [*channels, (high, [Directive(_SPATIAL, 1, Dim.Y)]), (layer.extents[Dim.R], rows)]
    mapping = Mapping(tuple(map(tuple, (passes, *(level for _, level in inner)))), tuple(members for members, _ in inner))
    sets = mapping.units(machine.shape)[0]
    if sets != (each.t if folds == 1 else folds) or (folds > 1 and each.r * each.t > 1):
        raise InputError(
            f"layer {layer.name}: {each.r} x {each.t} sets of {layer.extents[Dim.R]} x {each.e} PEs must be the most that fit the "
            f"{machine.pes} PEs of {machine.name}, got a pass of {', '.join(map(str, astuple(each)))} (n, e, p, q, r, t)"
        )
    return MappedLayer(layer, mapping)


def agreeing_passes(layer: Layer, active_pes: int, buffer_mb: float, machine: Hardware) -> Iterator[Pass]:
    """The passes with these active PEs and this traffic of partial sums; not all of them fit the machine.

    Each of the q x r channels of a pass saves the partial sums a way to the global buffer and back: q x r is the least divisor of C
    with which they alone make no more than `buffer_mb`, of 2^20 bytes.
    """
    sums_mb = 2 * layer.words(Tensor.OUTPUT) * layer.extents[Dim.C] * machine.bits[Tensor.OUTPUT] / 8 / 2**20
    channels, height = layer.extents[Dim.C], layer.extents[Dim.R]
    together = next((c for c in range(1, channels + 1) if channels % c == 0 and sums_mb / c <= buffer_mb), channels)
    sets = [
        (e, r, active_pes // (height * e * r))
        for e in range(1, layer.extents[Dim.Y] + 1)
        for r in range(1, together + 1)
        if active_pes % (height * e * r) == 0 and together % r == 0
    ]
    most_sums = machine.l1.room(Tensor.OUTPUT).bytes * 8 // machine.bits[Tensor.OUTPUT]  # of a PE, one for each filter
    for e, r, t in sets:
        for p in range(1, min(layer.extents[Dim.K] // t, most_sums) + 1):
            yield from (Pass(n, e, p, together // r, r, t) for n in range(1, layer.extents[Dim.N] + 1))
