"""The file formats by the names that users give, with what each reads and writes.

A format is a folder beside this file and a line in FORMATS. Its readers and its writer are modules of that folder with the
functions of the protocols below. Each is imported when it is first used, so heavy imports belong there and not in this file.
Readers of layers and of hardware return the keys of our own YAML files, which are then checked and loaded like those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from mapsearch.formats.text import MOST_BYTES
from mapsearch.model.errors import InputError, short

if TYPE_CHECKING:  # the command line needs the formats' names before it knows what to load
    from mapsearch.formats.directives.network import Network
    from mapsearch.model.hardware import Hardware

# Contents by file name.
Files = dict[str, str | bytes]
# What a file leaves open, by name, such as the size of a symbolic dim; as `mixes` reads them.
Choices = Mapping[str, str]


class LayersImporter(Protocol):
    """Reads the layers of a network."""

    def recognises(self, name: str, data: bytes) -> bool:
        """Whether a file of that name is of the format, by its name or by its content."""
        ...

    def read_layers(self, data: bytes, where: str, choices: Choices) -> dict[str, object]:
        """The keys of a layer-set file.

        choices: of what the file leaves open; `take_no_choices` where the format leaves nothing open. Raises InputError, which
        begins with `where`, where the data is not of the format, or a choice is missing or not open.
        """
        ...


class HardwareImporter(Protocol):
    """Reads a machine, or a space of machines."""

    def recognises(self, name: str, data: bytes) -> bool:
        """Whether a file of that name is of the format, by its name or by its content."""
        ...

    def read_hardware(self, data: bytes, where: str) -> dict[str, object]:
        """The keys of a hardware file; InputError, which begins with `where`, where the data is not of the format."""
        ...


class MappingsImporter(Protocol):
    """Reads layers with their mappings."""

    def recognises(self, name: str, data: bytes) -> bool:
        """Whether a file of that name is of the format, by its name or by its content."""
        ...

    def read_network(self, text: str, where: str) -> Network:
        """The layers of a text, one or more; InputError, which begins with `where` and, if there are any, the line."""
        ...


class WrittenImporter(Protocol):
    """Reads layers as the files of a cost model's tool write them, legal or not."""

    def read_written(self, text: str, where: str) -> Sequence[Any]:
        """The layers of a text, one or more, as `ToolModel.report_written` takes them; InputError as in `read_network`."""
        ...


class Exporter(Protocol):
    """Writes mappings and machines, each as one or several files, whose names end in the format's suffixes."""

    def write_network(self, network: Network, hardware: Hardware) -> Files:
        """The files of the mappings; MappingError with the reason where the format cannot express one.

        The format of a cost model writes one text, which is read back by `read_network`, or by `read_written` of a `ToolModel`.
        """
        ...

    def write_hardware(self, hardware: Hardware) -> Files:
        """The files of the machine, in addition to our own YAML file."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A file format.

    name: for users; its folder has an underscore for a hyphen. suffixes: of its files. layers, mappings, written, hardware,
    exporter: the module of the folder that reads or writes them, "" where there is none. most_bytes: of a file.
    """

    name: str
    suffixes: tuple[str, ...]
    layers: str = ""
    mappings: str = ""
    written: str = ""
    hardware: str = ""
    exporter: str = ""
    most_bytes: int = MOST_BYTES

    @property
    def folder(self) -> str:
        """The folder beside this file that has its modules."""
        return self.name.replace("-", "_")

    @property
    def layers_importer(self) -> LayersImporter:
        """The reader of layers."""
        importer: LayersImporter = self._module(self.layers)
        return importer

    @property
    def mappings_importer(self) -> MappingsImporter:
        """The reader of mappings."""
        importer: MappingsImporter = self._module(self.mappings)
        return importer

    @property
    def written_importer(self) -> WrittenImporter:
        """The reader of layers as a cost model's tool takes them."""
        importer: WrittenImporter = self._module(self.written)
        return importer

    @property
    def hardware_importer(self) -> HardwareImporter:
        """The reader of hardware."""
        importer: HardwareImporter = self._module(self.hardware)
        return importer

    def write_network(self, network: Network, hardware: Hardware) -> Files:
        """See `Exporter`."""
        exporter: Exporter = self._module(self.exporter)
        return exporter.write_network(network, hardware)

    def write_hardware(self, hardware: Hardware) -> Files:
        """See `Exporter`."""
        exporter: Exporter = self._module(self.exporter)
        return exporter.write_hardware(hardware)

    def mapping_text(self, network: Network, hardware: Hardware) -> str:
        """The one text of the mappings, in the format of a cost model."""
        [text] = self.write_network(network, hardware).values()
        return str(text)

    def hardware_texts(self, hardware: Hardware) -> dict[str, str]:
        """The texts of the machine, in the format of a cost model."""
        return {name: str(text) for name, text in self.write_hardware(hardware).items()}

    def _module(self, module: str) -> Any:  # noqa: ANN401 a module as one of the protocols
        return import_module(f"mapsearch.formats.{self.folder}.{module}")


# A file that several formats recognise belongs to the first of them; YAML takes any file that no other does.
FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format("directives", (".m",), mappings="files", exporter="files"),
        Format("maestro", (".m",), layers="layers_in", written="mappings_in", hardware="hardware_in", exporter="out"),
        Format("onnx", (".onnx",), layers="layers_in", most_bytes=2**31 - 1),  # the most that protobuf reads; weights may be within
        Format("scalesim-topology", (".csv",), layers="layers_in", exporter="out"),
        Format("gamma", (".csv",), layers="layers_in"),
        Format("timeloop", (".yaml", ".yml"), layers="layers_in", mappings="mappings_in", exporter="out"),
        Format("zigzag", (".yaml", ".yml", ".json"), layers="layers_in", mappings="mappings_in", exporter="out"),
        Format("accelforge", (".yaml", ".yml"), mappings="mappings_in", exporter="out"),
        Format("python", (".py",), exporter="out"),
        Format("c", (".c",), exporter="out"),
        Format("yaml", (".yaml", ".yml"), layers="layer_sets", hardware="hardware_in"),
    )
}
EXPORTED = tuple(name for name, each in FORMATS.items() if each.exporter)  # the formats with a writer


LAYERS = tuple(each for each in FORMATS.values() if each.layers)  # the formats with a reader of layers
MAPPINGS = tuple(each for each in FORMATS.values() if each.mappings)  # and of mappings


def layers_importer(name: str, data: bytes) -> LayersImporter:
    """The reader of a file of layers."""
    return next(one for each in LAYERS if (one := each.layers_importer).recognises(name, data))


def take_no_choices(choices: Choices, where: str) -> None:
    """Raise InputError if any choice is made of a file that leaves nothing open."""
    for name in choices:
        raise InputError(f"{where}: leaves nothing open, so {short(name)} cannot be chosen; leave it out")


def hardware_importer(name: str, data: bytes) -> HardwareImporter:
    """The reader of a hardware file."""
    return next(one for each in FORMATS.values() if each.hardware and (one := each.hardware_importer).recognises(name, data))


def mappings_importer(name: str, data: bytes) -> MappingsImporter | None:
    """The reader of a file of mappings, or None where no format recognises it."""
    return next((one for each in MAPPINGS if (one := each.mappings_importer).recognises(name, data)), None)
