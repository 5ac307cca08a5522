"""A file for each layer of a network, and what all languages write alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.nest.loops import Body, Loop, Nest, Statement, nest_of
from mapsearch.formats.registry import Files
from mapsearch.formats.text import in_file_name
from mapsearch.model.hardware import Hardware, pes_text
from mapsearch.model.layer import Layer
from mapsearch.model.tensors import Dim

_INDENT = "    "


def layer_files(network: Network, suffix: str, write: Callable[[MappedLayer], str]) -> Files:
    """The files of all layers, numbered as in a run folder; see `Exporter`."""
    return {
        f"{number:02d}_{in_file_name(mapped.layer.name)}{suffix}": write(mapped) for number, mapped in enumerate(network.layers, 1)
    }


def write_layers(network: Network, hardware: Hardware, suffix: str, write: Callable[[MappedLayer, Nest, Hardware], str]) -> Files:
    """The files of all layers as code."""
    return layer_files(network, suffix, lambda mapped: write(mapped, nest_of(mapped, hardware), hardware))


def title(mapped: MappedLayer, hardware: Hardware) -> str:
    """What a file is, on one line, whatever the names are."""
    return (
        f"Layer {json.dumps(mapped.layer.name)} ({mapped.layer.type}) as mapped on the {pes_text(hardware.shape)} of "
        f"{json.dumps(hardware.name)}, written by mapsearch."
    )


def directive_lines(mapped: MappedLayer, hardware: Hardware) -> Iterator[str]:
    """The mapping, a directive a line, with the units of each level."""
    for level, units in enumerate(mapped.mapping.units(hardware.shape)):
        if level:
            yield f"Cluster({units}, P)"
        yield f"level {level}, units: {units}"
        yield from (f"{_INDENT}{directive.text}" for directive in mapped.mapping.levels[level])


def layer_constants(layer: Layer) -> dict[str, int]:
    """The layer's sizes by name; ROWS and COLUMNS are those of the padded input."""
    (stride_y, stride_x), (dilation_y, dilation_x) = layer.stride, layer.dilation
    windows = {"STRIDE_Y": stride_y, "STRIDE_X": stride_x, "DILATION_Y": dilation_y, "DILATION_X": dilation_x}
    sizes = {dim.name: extent for dim, extent in zip(Dim, layer.extents, strict=True)}
    return {**sizes, **windows, "ROWS": layer.input_rows, "COLUMNS": layer.input_columns}


def body_lines(body: Body, line: Callable[[Statement], str], close: str, depth: int = 1) -> Iterator[str]:
    """A nest in a language's lines; line: of one statement; close: what ends a loop, "" for nothing; depth: of indentation."""
    for each in body:
        yield _INDENT * depth + line(each)
        if isinstance(each, Loop):
            yield from body_lines(each.body, line, close, depth + 1)
            if close:
                yield _INDENT * depth + close
