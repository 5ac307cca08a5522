"""Layers, directives and a machine written out by hand, and what the exact model counts for them."""

from __future__ import annotations

from strategies import TECHNOLOGY

from mapsearch.model.cost import Count, Fit
from mapsearch.model.exact.model import ExactModel
from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind, Mapping, encode
from mapsearch.model.tensors import Dim

MACHINE = Hardware(
    name="machine",
    pes=256,
    simd=1,
    clock_mhz=1000.0,
    bits=(8, 8, 16),
    l1=Buffer(512),
    l2=Buffer(2**17),
    noc=Noc(bytes_per_cycle=32, latency_cycles=1),
    offchip=Offchip(bytes_per_cycle=16, latency_cycles=100),
    technology=TECHNOLOGY,
)


def temporal(size: int, dim: Dim) -> Directive:
    return Directive(MapKind.TEMPORAL, size, dim)


def spatial(size: int, dim: Dim) -> Directive:
    return Directive(MapKind.SPATIAL, size, dim)


def layer_of(stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1), /, **extents: int) -> Layer:
    g, n, k, c, r, s, y, x = (extents.get(dim.name, 1) for dim in Dim)
    return Layer("layer", LayerType.CONV, (g, n, k, c, r, s, y, x), stride, dilation)


def counts_of(layer: Layer, hardware: Hardware, mapping: Mapping) -> dict[Count, int]:
    """What the exact model counts for one mapping, which must fit."""
    costs = ExactModel().evaluate(layer, hardware, encode([mapping], layer, hardware.pes))
    assert costs.fit.tolist() == [Fit.LEGAL]
    return {count: int(costs[count][0]) for count in Count}
