"""Files that the published program accepts and counts right: mappings, and its hardware file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.registry import Files
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.report import report
from mapsearch.model.maestro.source import Source, SourceMachine
from mapsearch.model.maestro.translate import machine_of, source_of

_INDENT = "    "
_INT_MAX = 2**31 - 1
# The program splits a name at these, and takes only its last part.
_SEPARATORS = re.compile(r"[^A-Za-z0-9_.]+")


def write_network(network: Network, hardware: Hardware) -> Files:
    """See `Exporter`; MappingError also where the program would miscount a mapping."""
    return {"maestro.m": print_sources(network.name, maestro_sources(network, hardware))}


def write_hardware(hardware: Hardware) -> Files:
    """See `Exporter`."""
    return {"maestro_hw.m": print_machine(machine_of(hardware), f"hardware {hardware.name}")}


def maestro_sources(network: Network, hardware: Hardware) -> list[Source]:
    """The layers as MAESTRO takes them; MappingError, with file and line if known, where it cannot or would miscount them."""
    machine = machine_of(hardware)
    return [_source(mapped, hardware, machine) for mapped in network.layers]


def _source(mapped: MappedLayer, hardware: Hardware, machine: SourceMachine) -> Source:
    mapped.check(hardware.shape)
    try:
        source = source_of(mapped.layer, mapped.mapping, hardware.shape)
        found = report(source, machine).figures
    except InputError as error:
        raise MappingError(f"{mapped.place}{error}") from None
    if found["macs"] != found["layer_macs"]:
        raise mapped.refusal(
            f"MAESTRO would count {found['macs']:,} MACs of its {found['layer_macs']:,}; "
            + ("it counts strides wrong" if source.stride else "use chunks that divide their tiles")
        )
    return source


def print_sources(name: str, layers: Iterable[Source]) -> str:
    """A mapping file; names lose the characters at which the program would split them."""
    lines = [f"Network {_word(name)} {{"]
    for layer in layers:
        lines += (_INDENT + line for line in _layer_lines(layer))
    return "\n".join([*lines, "}", ""])


def print_machine(machine: SourceMachine, where: str) -> str:
    """A hardware file, without SIMD lanes, which the program takes by --num_simd_lanes; InputError for values over 2^31 - 1."""
    keys = {
        "num_pes": machine.pes,
        "l1_size_cstr": machine.l1_words,
        "l2_size_cstr": machine.l2_words,
        "noc_bw_cstr": machine.noc_words,
        "offchip_bw_cstr": machine.offchip_words,
        "NoC_NumHops": machine.noc_latency_cycles,
    }
    for key, value in keys.items():
        if value > _INT_MAX:
            raise InputError(f"{where}: MAESTRO's {key} must be at most {_INT_MAX}, got {value}")
    return "".join(f"{key}: {value}\n" for key, value in keys.items())


def _layer_lines(layer: Source) -> Iterator[str]:
    yield f"Layer {_word(layer.name)} {{"
    yield f"{_INDENT}Type: {layer.type}"
    if layer.stride:
        yield f"{_INDENT}Stride {_block(layer.stride.items())}"
    yield f"{_INDENT}Dimensions {_block(layer.dims.items())}"
    yield f"{_INDENT}Dataflow {{"
    for index, maps in enumerate(layer.levels):
        if index:
            yield f"{_INDENT * 2}Cluster({layer.clusters[index - 1]}, P);"
        for each in maps:
            yield f"{_INDENT * 2}{each.text};"
    yield f"{_INDENT}}}"
    yield "}"


def _word(name: str) -> str:
    return _SEPARATORS.sub("_", name) or "_"


def _block(pairs: Iterable[tuple[str, int]]) -> str:
    return "{ " + ", ".join(f"{name}: {value}" for name, value in pairs) + " }"  # braces apart: it reads them only so
