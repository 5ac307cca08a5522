"""Mappings and their machine as files of another tool, all that it can express of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mapsearch.formats.directives import Network
from mapsearch.formats.registry import FORMATS, Files, Format
from mapsearch.model.errors import MappingError
from mapsearch.model.hardware import Hardware
from mapsearch.studies.evaluate import HardwareSource, load_mapped
from mapsearch.studies.results import LeftOut


@dataclass(frozen=True, slots=True)
class Exported:
    """The files by name, and the layers that the tool cannot express."""

    files: Files
    left_out: tuple[LeftOut, ...]


def export(source: Path, to: str, hardware: HardwareSource | None = None) -> Exported:
    """The files of a format for the layers of a mapping file or of a run, and its machine.

    hardware: see `load_mapped`. Raises MappingError with the reason where no layer can be expressed.
    """
    (network, target), form = load_mapped(source, hardware), FORMATS[to]
    taken, left_out = expressible(network, target, form)
    files = form.write_network(taken, target) | form.write_hardware(target)
    stem = source.resolve().stem
    return Exported({f"{stem}_{name}": content for name, content in files.items()}, left_out)


def expressible(network: Network, hardware: Hardware, form: Format) -> tuple[Network, tuple[LeftOut, ...]]:
    """The layers that a format can express, and the others; MappingError where it can express none."""
    reasons = [_why_not(Network(network.name, (mapped,)), hardware, form) for mapped in network.layers]
    if all(reasons):
        more = f"; nor can {form.name} express any other of the {len(reasons)} layers" if len(reasons) > 1 else ""
        raise MappingError(f"{reasons[0]}{more}")
    taken = [mapped for mapped, reason in zip(network.layers, reasons, strict=True) if not reason]
    left_out = [LeftOut(mapped.layer.name, reason) for mapped, reason in zip(network.layers, reasons, strict=True) if reason]
    return Network(network.name, tuple(taken)), tuple(left_out)


def _why_not(network: Network, hardware: Hardware, form: Format) -> str:
    """Why a format cannot express a network of one layer; "" where it can."""
    try:
        form.write_network(network, hardware)
    except MappingError as error:
        return str(error)
    return ""
