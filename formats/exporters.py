"""Mappings and machines as files: one exporter for each file format."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.formats.maestro.out import print_machine, print_sources
from mapsearch.formats.text import read_text, write_whole
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.report import report
from mapsearch.model.maestro.source import Source
from mapsearch.model.maestro.translate import machine_of, source_of


class Exporter(Protocol):
    """A file format of another tool, or our own."""

    def mapping_text(self, network: Network, hardware: Hardware) -> str:
        """The mapping file of a network; MappingError with the reason where the format cannot express a mapping."""
        ...

    def hardware_texts(self, hardware: Hardware) -> dict[str, str]:
        """Hardware files by name, besides our own YAML."""
        ...


class DirectiveExporter:
    """Our directive files."""

    def mapping_text(self, network: Network, hardware: Hardware) -> str:  # noqa: ARG002 the text is that of every machine
        """See `Exporter`."""
        return print_network(network)

    def hardware_texts(self, hardware: Hardware) -> dict[str, str]:  # noqa: ARG002 there are none
        """See `Exporter`."""
        return {}


class MaestroExporter:
    """Files that the published MAESTRO accepts and counts right."""

    def mapping_text(self, network: Network, hardware: Hardware) -> str:
        """See `Exporter`; a mapping that MAESTRO would miscount is refused too."""
        return print_sources(network.name, maestro_sources(network, hardware))

    def hardware_texts(self, hardware: Hardware) -> dict[str, str]:
        """See `Exporter`."""
        return {"maestro_hw.m": print_machine(machine_of(hardware), f"hardware {hardware.name}")}


def maestro_sources(network: Network, hardware: Hardware) -> list[Source]:
    """The layers as MAESTRO takes them; MappingError, with file and line where known, where it can't, or would miscount."""
    return [_source(mapped, hardware) for mapped in network.layers]


def read_network(path: Path) -> Network:
    """The network of a directive file, of one layer at least."""
    network = parse(read_text(path, "directive file"), str(path))
    if not network.layers:
        raise InputError(f"{path}: the Network must have at least one Layer, got none")
    return network


def export(path: Path, exporter: Exporter, tool: str, hardware: Hardware, folder: Path) -> list[Path]:
    """Write a directive file and a hardware to a folder in a tool's format; the files' paths, whose names begin as the file's.

    Raises InputError where the format cannot express a mapping, and nothing is written then, or the folder is not writable.
    """
    texts = {f"{path.stem}_{tool}.m": exporter.mapping_text(read_network(path), hardware)}
    texts |= {f"{path.stem}_{name}": text for name, text in exporter.hardware_texts(hardware).items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text)
    except OSError as error:
        raise InputError(f"{folder}: the folder must be writable: {error.strerror}; name another by --out") from None
    return [folder / name for name in texts]


def _source(mapped: MappedLayer, hardware: Hardware) -> Source:
    mapped.check(hardware.pes)
    try:
        source = source_of(mapped.layer, mapped.mapping, hardware.pes)
        found = report(source, machine_of(hardware)).figures
    except InputError as error:
        raise MappingError(f"{mapped.place}{error}") from None
    if found["macs"] != found["layer_macs"]:
        raise MappingError(
            f"{mapped.place}layer {mapped.layer.name}: MAESTRO would count {found['macs']:,} MACs of its {found['layer_macs']:,}; "
            + ("it counts strides wrong" if source.stride else "use chunks that divide their tiles")
        )
    return source
