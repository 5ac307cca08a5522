"""Directive text of one layer, for the tests of the directive language."""

from __future__ import annotations

from by_hand import spatial, temporal

from mapsearch.formats.directives import MappedLayer, parse

__all__ = ["CONV", "parse_layer", "spatial", "temporal"]

CONV = "Type: CONV Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10 }"


def parse_layer(dataflow: str, items: str = CONV) -> MappedLayer:
    """The one layer, conv1, of a text "net.m"; the first line of `items` is line 3 and that of `dataflow` line 5."""
    text = f"Network n {{\nLayer conv1 {{\n{items}\nDataflow {{\n{dataflow}\n}} }} }}\n"
    (layer,) = parse(text, "net.m").layers
    return layer
