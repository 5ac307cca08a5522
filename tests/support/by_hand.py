"""Layers, directives and a machine written out by hand, and what the exact model counts for them."""

from __future__ import annotations

from mapsearch.model.cost import Count, Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.testing.small import MACHINE, layer_of, spatial, temporal

__all__ = ["MACHINE", "counts_of", "layer_of", "spatial", "temporal"]


def counts_of(layer: Layer, hardware: Hardware, mapping: Mapping) -> dict[Count, int]:
    """What the exact model counts for one mapping, which must fit."""
    costs = ExactModel().evaluate(layer, hardware, encode([mapping], layer, hardware.pes))
    assert costs.fit.tolist() == [Fit.LEGAL]
    return {count: int(costs[count][0]) for count in Count}
