"""A network as directive text, in output terms, one directive a line."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from mapsearch.formats.directives.layer_blocks import check_type, dim_names, needed_dims
from mapsearch.formats.directives.network import MappedLayer, Network
from mapsearch.formats.directives.tokens import quoted_name
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Mapping
from mapsearch.model.sparsity import Pattern, Uniform
from mapsearch.model.tensors import Dim

_INDENT = "    "


def print_network(network: Network) -> str:
    """The network's text, which parses to an equal network.

    The units of level 0 depend on the machine and are not in the text. Raises MappingError for a mapping that is legal on no
    machine, and LayerError for a layer that breaks a law of its type.
    """
    lines = [f"Network {quoted_name(network.name)} {{"]
    for mapped in network.layers:
        lines += (_INDENT + line for line in _layer_lines(mapped))
    return "\n".join([*lines, "}", ""])


def _layer_lines(mapped: MappedLayer) -> Iterator[str]:
    layer = mapped.layer
    check_type(layer)
    mapped.check()
    used = {directive.dim for level in mapped.mapping.levels for directive in level}
    used |= {each.along for each in layer.sparsity if isinstance(each, Pattern)}
    # A depthwise layer's channels are called C, as in MAESTRO, unless a directive names the one input channel of its groups.
    grouped = layer.type is not LayerType.DSCONV or Dim.C in used
    names = {dim: name for name, dim in dim_names(layer.type, grouped=grouped).items()}
    needed = needed_dims(layer.type, grouped=grouped)
    sizes = {names[dim]: layer.extents[dim] for dim in names if layer.extents[dim] > 1 or dim in used or names[dim] in needed}
    yield f"Layer {quoted_name(layer.name)} {{"
    yield f"{_INDENT}Type: {layer.type}"
    yield from (_INDENT + line for line in _optional_items(layer, names))
    yield f"{_INDENT}Dimensions {_block(sizes)}"
    yield f"{_INDENT}Dataflow {{"
    yield from (_INDENT * 2 + line for line in _directive_lines(mapped.mapping, names))
    yield f"{_INDENT}}}"
    yield "}"


def _optional_items(layer: Layer, names: dict[Dim, str]) -> Iterator[str]:
    for item, pair in (("Stride", layer.stride), ("Dilation", layer.dilation)):
        if pair != (1, 1):
            yield f"{item} {_block(dict(zip('YX', pair, strict=True)))}"
    shares = {letter: each.share for letter, each in zip("WIO", layer.sparsity, strict=True) if isinstance(each, Uniform)}
    if min(shares.values(), default=1.0) < 1.0:
        yield f"Density {_block(shares)}"
    patterns = {letter: each for letter, each in zip("WIO", layer.sparsity, strict=True) if isinstance(each, Pattern)}
    if patterns:
        yield f"Pattern {_block({letter: f'{each.kept}:{each.group} {names[each.along]}' for letter, each in patterns.items()})}"
    if layer.zero_macs:
        yield f"ZeroMacs {layer.zero_macs}"


def _directive_lines(mapping: Mapping, names: dict[Dim, str]) -> Iterator[str]:
    for index, level in enumerate(mapping.levels):
        if index:
            yield f"Cluster({mapping.clusters[index - 1]}, P);"
        for directive in level:
            yield f"{directive.kind}({directive.size},{directive.size}) {names[directive.dim]};"


def _block(pairs: dict[str, int] | dict[str, float | Fraction] | dict[str, str]) -> str:
    # MAESTRO reads a brace only where it stands apart.
    return "{ " + ", ".join(f"{name}: {value}" for name, value in pairs.items()) + " }"
