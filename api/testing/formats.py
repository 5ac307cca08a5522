"""What each file format must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mapsearch.formats.directives.network import Network
from mapsearch.formats.mappings import read_network
from mapsearch.formats.registry import FORMATS, Files, Format, hardware_importer
from mapsearch.formats.yaml.hardware import load_hardware, load_hardware_space
from mapsearch.formats.yaml.layer_sets import LayerSet, load_layer_set
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware

_NO_TEXT = b"\xff\xfe\x00\xc3\x28"


class FormatContract:
    """Tests of a format of `formats.registry.FORMATS`: subclass it, name the format, and give an example of all that it does.

    name: of the format. networks, machines: what it can express, to be written. unwritable: networks that it cannot, each with a
    machine and the law that the error tells. mappings, layers, hardware: files by name, to be read. damaged_mappings,
    damaged_layers, damaged_hardware: texts that it refuses, by the law that the error tells.

        class TestOurs(FormatContract):
            name = "ours"
            layers = {"net.ours": b"..."}
            damaged_layers = {"K must be >= 1": b"..."}
    """

    name: ClassVar[str]
    networks: ClassVar[Sequence[tuple[Network, Hardware]]] = ()
    machines: ClassVar[Sequence[Hardware]] = ()
    unwritable: ClassVar[Sequence[tuple[Network, Hardware, str]]] = ()
    mappings: ClassVar[Mapping[str, bytes]] = {}
    layers: ClassVar[Mapping[str, bytes]] = {}
    hardware: ClassVar[Mapping[str, bytes]] = {}
    damaged_mappings: ClassVar[Mapping[str, bytes]] = {}
    damaged_layers: ClassVar[Mapping[str, bytes]] = {}
    damaged_hardware: ClassVar[Mapping[str, bytes]] = {}

    def expressed(self, network: Network, hardware: Hardware) -> Sequence[Any]:  # noqa: ARG002 another format may need it
        """What must be read back of a network that was written: where a format loses something, say here what is left."""
        return network.layers

    def machine(self, hardware: Hardware) -> Hardware:
        """What must be read back of a machine that was written, but for its name."""
        return hardware

    def layer_set(self, name: str, layers: LayerSet) -> None:
        """Assert what must be read from the file of `layers` of that name: at least what its figures are."""
        raise NotImplementedError

    @property
    def format(self) -> Format:
        """The one that is tested."""
        return FORMATS[self.name]

    def test_an_example_of_all_that_it_does(self) -> None:
        """There are examples and refusals of each part that the format has, and of no other."""
        does = self.format
        assert bool(self.networks) == bool(self.unwritable) == bool(does.exporter)
        assert bool(self.mappings) == bool(self.damaged_mappings) == bool(does.mappings or does.written)
        assert bool(self.layers) == bool(self.damaged_layers) == bool(does.layers)
        assert bool(self.hardware) == bool(self.damaged_hardware) == bool(does.hardware)

    def test_files_end_in_its_suffixes(self) -> None:
        """Names of files that are written or read end in the format's suffixes, and lie in no folder."""
        assert all(suffix.startswith(".") for suffix in self.format.suffixes)
        written = [self._write(network, hardware) for network, hardware in self.networks]
        for files in (*written, self.mappings, self.layers, self.hardware):
            for name in files:
                assert name.endswith(self.format.suffixes)
                assert Path(name).name == name

    def test_what_is_written_reads_back(self) -> None:
        """Mappings are what they were, as far as the format can express them, and are written the same again."""
        if self.mappings:
            for network, hardware in self.networks:
                files = self.format.write_network(network, hardware).items()
                read = [each for name, text in files if self._takes(name, str(text)) for each in self._read(str(text), "text")]
                assert read == [*self.expressed(network, hardware)]

    def test_machines_read_back(self, tmp_path: Path) -> None:
        """A machine that is written and read is the same, but for its name."""
        for hardware in self.machines:
            for name, content in self.format.write_hardware(hardware).items():
                file = _file(tmp_path, name, content)
                expected = self.machine(hardware)
                assert load_hardware({**_keys(file), "name": expected.name}) == expected

    def test_its_files_are_read(self, tmp_path: Path) -> None:
        """Each example loads, whatever other formats there are."""
        for name, content in self.mappings.items():
            found = self._read(content.decode(), name)
            assert found
            if self.format.mappings:
                assert [*read_network(content, name).layers] == found
        for name, content in self.layers.items():
            self.layer_set(name, load_layer_set(_file(tmp_path, name, content)))
        for name, content in self.hardware.items():
            assert load_hardware_space(_file(tmp_path, name, content)).size >= 1

    def test_what_it_cannot_express_is_refused(self) -> None:
        """The error is one line with the layer's name and the law."""
        for network, hardware, law in self.unwritable:
            text = _refusal(partial(self.format.write_network, network, hardware))
            assert law in text
            assert any(mapped.layer.name in text for mapped in network.layers)

    def test_damaged_files_are_refused(self, tmp_path: Path) -> None:
        """The error is one line that begins with the file and tells the law."""
        suffix = self.format.suffixes[0]
        for law, content in self.damaged_mappings.items():
            text = _refusal(partial(self._read, content.decode(), "file"))
            assert text.startswith("file:")
            assert law in text
        for load, damaged in ((load_layer_set, self.damaged_layers), (load_hardware_space, self.damaged_hardware)):
            for law, content in damaged.items():
                file = _file(tmp_path, f"damaged{suffix}", content)
                text = _refusal(partial(load, file))
                assert text.startswith(f"{file}:")
                assert law in text

    def test_bytes_that_are_none_of_its(self) -> None:
        """Bytes that are no file of the format are refused in one line that begins with the file."""
        readers: list[Callable[[bytes, str], object]] = []
        if self.format.layers:
            read_layers = self.format.layers_importer.read_layers
            readers.append(lambda data, where: read_layers(data, where, {}))
        readers += [self.format.hardware_importer.read_hardware] if self.format.hardware else []
        for read in readers:
            assert _refusal(partial(read, _NO_TEXT, "file")).startswith("file: ")

    def _takes(self, name: str, text: str) -> bool:
        """Whether a file that was written has mappings to be read."""
        return not self.format.mappings or self.format.mappings_importer.recognises(name, text.encode())

    def _read(self, text: str, where: str) -> list[Any]:
        """The layers of a text with mappings."""
        if self.format.written:
            return [*self.format.written_importer.read_written(text, where)]
        return [*self.format.mappings_importer.read_network(text, where).layers]

    def _write(self, network: Network, hardware: Hardware) -> Files:
        mappings, machine = self.format.write_network(network, hardware), self.format.write_hardware(hardware)
        assert not mappings.keys() & machine.keys()
        return mappings | machine


def _refusal(action: Callable[[], object]) -> str:
    """The line of the error that it ends with."""
    with pytest.raises(InputError) as caught:
        action()
    text = str(caught.value)
    assert "\n" not in text
    return text


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _keys(file: Path) -> dict[str, Any]:
    """The keys of our hardware files that a file stands for."""
    data = file.read_bytes()
    return hardware_importer(file.name, data).read_hardware(data, str(file))
