"""Directive files as a format: one text for a network, and none for a machine."""

from __future__ import annotations

from pathlib import Path

from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
from mapsearch.formats.registry import Files
from mapsearch.formats.text import read_text
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware


def read_mappings(text: str, where: str) -> tuple[MappedLayer, ...]:
    """See `MappingsImporter`."""
    return _network(text, where).layers


def write_network(network: Network, hardware: Hardware) -> Files:  # noqa: ARG001 the text is that of every machine
    """See `Exporter`."""
    return {"directives.m": print_network(network)}


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 there are none
    """See `Exporter`."""
    return {}


def read_network(path: Path) -> Network:
    """The network of a directive file, which has at least one layer."""
    return _network(read_text(path, "directive file"), str(path))


def _network(text: str, where: str) -> Network:
    network = parse(text, where)
    if not network.layers:
        raise InputError(f"{where}: the Network must have at least one Layer, got none")
    return network
