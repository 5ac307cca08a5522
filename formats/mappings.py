"""Networks with their mappings, from text or from a file of any format that has mappings."""

from __future__ import annotations

from pathlib import Path

from mapsearch.formats.directives.network import Network
from mapsearch.formats.registry import FORMATS, MAPPINGS, mappings_importer
from mapsearch.formats.text import decode, read_bytes

WHAT = "mapping file"


def load_network(path: Path) -> Network:
    """The network in a file, which has at least one layer; InputError where there is none."""
    return read_network(read_bytes(path, WHAT), str(path))


def read_network(data: bytes, where: str) -> Network:
    """The network in a file's content, which is directive text unless it is recognised; where: its name, also in errors."""
    importer = mappings_importer(where, data) or FORMATS["directives"].mappings_importer
    return importer.read_network(decode(data, where, WHAT), where)


def files_in(folder: Path) -> list[Path]:
    """The mapping files in a folder and below it, by name."""
    suffixes = {suffix for each in MAPPINGS for suffix in each.suffixes}
    files = sorted(file for file in folder.rglob("*") if file.suffix in suffixes and file.is_file())
    return [file for file in files if mappings_importer(str(file), read_bytes(file, WHAT)) is not None]
