"""Files for the published MAESTRO: mapping files as it counts them right, and its hardware file beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapsearch.model.directives import MappedLayer, parse
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.printer import print_machine, print_sources
from mapsearch.model.maestro.reader import read_sources
from mapsearch.model.maestro.source import Machine, Source
from mapsearch.model.maestro.told import told
from mapsearch.model.maestro.translate import machine_of, source_of
from mapsearch.studies.evaluation import HardwareSource, machine
from mapsearch.studies.files import write_whole
from mapsearch.studies.yaml_files import read_text


@dataclass(frozen=True, slots=True)
class Exported:
    """A directive file's layers as MAESTRO takes them, and the machine in its terms."""

    network: str
    layers: tuple[Source, ...]
    machine: Machine
    hardware: Hardware


def evaluate_as_written(text: str, source: str, hardware: HardwareSource) -> list[dict[str, Any]]:
    """What the published program prints for each layer of a mapping file, taken as it is written there.

    The dicts are `mapsearch.model.maestro.told.told`'s with the layer's name first. Raises InputError, with file and line,
    where the program rejects a layer or crashes on it.
    """
    target = machine_of(machine(hardware))
    return [{"layer": layer.name, **told(layer, target)} for layer in read_sources(text, source)]


def exported(path: Path, hardware: HardwareSource) -> Exported:
    """The layers of a directive file for MAESTRO.

    Raises InputError with file, line and reason where MAESTRO cannot express a mapping, or would miscount it.
    """
    target = machine(hardware)
    network = parse(read_text(path, "directive file"), str(path))
    if not network.layers:
        raise InputError(f"{path}: the Network must have at least one Layer, got none")
    layers = tuple(_source(mapped, target, str(path)) for mapped in network.layers)
    return Exported(network.name, layers, machine_of(target), target)


def export(path: Path, hardware: HardwareSource, folder: Path) -> list[Path]:
    """Write `<stem>_maestro.m` and `<stem>_maestro_hw.m` for a directive file to a folder; returns their paths."""
    found = exported(path, hardware)
    texts = {
        f"{path.stem}_maestro.m": print_sources(found.network, found.layers),
        f"{path.stem}_maestro_hw.m": print_machine(found.machine, f"hardware {found.hardware.name}"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def _source(mapped: MappedLayer, target: Hardware, where: str) -> Source:
    mapped.check(target.pes)
    place = f"{where}:{mapped.places.layer}: " if mapped.places else ""
    try:
        source = source_of(mapped.layer, mapped.mapping, target.pes)
        found = told(source, machine_of(target))
    except InputError as error:
        raise MappingError(f"{place}{error}") from None
    if found["macs"] != found["layer_macs"]:
        raise MappingError(
            f"{place}layer {mapped.layer.name}: MAESTRO would count {found['macs']:,} MACs of its {found['layer_macs']:,}; "
            + ("it counts strides wrong" if source.stride else "use chunks that divide their tiles")
        )
    return source
