"""A small machine, and layers and directives written out by hand, for tests."""

from __future__ import annotations

from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Directive, MapKind
from mapsearch.model.technology import BufferTechnology, PowerLaw, Technology
from mapsearch.model.tensors import Dim

_LAW = PowerLaw(1.0, 0.5)
_BUFFER = BufferTechnology(access_bits=8, read_pj=_LAW, write_pj=_LAW, area_mm2=_LAW, leakage_mw=_LAW)
TECHNOLOGY = Technology("unit", 8, 1.0, 1.0, _BUFFER, _BUFFER, noc_pj_per_bit=1.0, offchip_pj_per_bit=1.0)
"""A technology without meaning, where a machine must have one and counts don't depend on it."""

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
