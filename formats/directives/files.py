"""Directive files as a format: one text for a network, and none for a machine."""

from __future__ import annotations

from mapsearch.formats.directives import Network, parse, print_network
from mapsearch.formats.registry import Files
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware


def recognises(name: str, data: bytes) -> bool:
    """Whether the file is called .m and has a Network, which a machine of MAESTRO's has not."""
    return name.endswith(".m") and b"Network" in data


def read_network(text: str, where: str) -> Network:
    """See `MappingsImporter`."""
    network = parse(text, where)
    if not network.layers:
        raise InputError(f"{where}: the Network must have at least one Layer, got none")
    return network


def write_network(network: Network, hardware: Hardware) -> Files:  # noqa: ARG001 the text is that of every machine
    """See `Exporter`."""
    return {"directives.m": print_network(network)}


def write_hardware(hardware: Hardware) -> Files:  # noqa: ARG001 there are none
    """See `Exporter`."""
    return {}
