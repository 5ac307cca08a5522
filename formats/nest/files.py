"""A file for each layer of a network, and what stands at its top."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.registry import Files
from mapsearch.formats.text import in_file_name
from mapsearch.model.hardware import Hardware, pes_text

INDENT = "    "


def layer_files(network: Network, suffix: str, write: Callable[[MappedLayer], str]) -> Files:
    """The files of all layers, numbered as in a run folder; see `Exporter`."""
    return {
        f"{number:02d}_{in_file_name(mapped.layer.name)}{suffix}": write(mapped) for number, mapped in enumerate(network.layers, 1)
    }


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
        yield from (f"{INDENT}{directive.text}" for directive in mapped.mapping.levels[level])
