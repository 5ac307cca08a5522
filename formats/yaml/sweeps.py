"""Sweeps from YAML files: layers, dataflows with their tile sizes, and machines.

name: small
source: made up
hardware: edge_space            # a preset or a file of a hardware space, or its keys
layers: {set: vgg16, names: [conv1_2]}
dataflows:
  - {dataflow: kcp_ws, clusters: [16, 64], tiles: {X': [1, 4, 16], R: whole}}
  - {mappings: best.m}          # the mappings of a directive file, unchanged
  - {resized: runs/vgg16-edp}   # the best mappings of a run, resized for each number of PEs
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.mixes import NetworkSource
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.constraints import DimLabel, Size, Whole
from mapsearch.formats.yaml.dataflows import names as dataflow_names
from mapsearch.formats.yaml.hardware_in import Source, found_from
from mapsearch.formats.yaml.plain import Keys, parse_mapping
from mapsearch.model.errors import InputError
from mapsearch.model.layer import MAX_EXTENT, Layer
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.sweep_variants import CLUSTERS

_KIND = "sweeps"
_WHOLE = "whole"
Kind = Literal["dataflow", "mappings", "resized"]


@dataclass(frozen=True, slots=True)
class Dataflow:
    """The source of a sweep's mappings: a template with its free sizes, a directive file, or a run's mappings resized.

    source: a template's name, or a path. tiles, clusters: see `template_variants`; only a template has them.
    """

    kind: Kind
    source: str
    tiles: tuple[tuple[Dim, tuple[int, ...]], ...] = ()
    clusters: tuple[int, ...] = CLUSTERS

    @classmethod
    def of(cls, word: str) -> Dataflow:
        """The dataflow of a command line's word: a folder is a run, a `.m` file holds mappings, anything else is a template."""
        if not word:
            raise InputError("a dataflow must be a template's name or file, a .m file or a run's folder, got ''")
        if word in dataflow_names():
            return cls("dataflow", word)
        if word.endswith(".m"):
            return cls("mappings", str(Path(word).resolve()))
        return cls("resized", str(Path(word).resolve())) if Path(word).is_dir() else cls("dataflow", found_from(word, Path()))

    @property
    def name(self) -> str:
        """The name of its designs: the template's name or the path's last part."""
        return Path(self.source).name if self.kind == "resized" and not self.source.endswith(".m") else Path(self.source).stem

    def to_dict(self) -> dict[str, Any]:
        """The keys of a file that state it."""
        if self.kind != "dataflow":
            return {self.kind: self.source}
        tiles = {dim.label: [_WHOLE if size == MAX_EXTENT else size for size in sizes] for dim, sizes in self.tiles}
        return {"dataflow": self.source, "tiles": tiles, "clusters": list(self.clusters)}


@dataclass(frozen=True, slots=True)
class Study:
    """A sweep to be done. hardware: as `load_hardware_space` takes it. network: without a layer set while there is none."""

    name: str
    hardware: Source
    network: NetworkSource
    dataflows: tuple[Dataflow, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, each shape once; InputError where the set has no layer of a name."""
        return tuple(each.layer for each in self.network.load().unique)

    def with_layers(self, word: str) -> Study:
        """The sweep with the layers that a command line names: SET, or SET:WORD,WORD."""
        return replace(self, network=NetworkSource.of(word).found_from(Path()))


class _LayerKeys(Keys):
    set: str
    names: list[str] = []
    choices: list[str] = []


_Sizes = Size | Whole | Annotated[list[Size | Whole], Field(min_length=1)]


class _DataflowKeys(Keys):
    dataflow: str | None = None
    mappings: str | None = None
    resized: str | None = None
    tiles: dict[DimLabel, _Sizes] = {}
    clusters: Annotated[list[Size], Field(min_length=1)] | None = None


class _FileKeys(Keys):
    name: str
    title: str = ""
    source: str = ""
    hardware: str | dict[str, object]
    layers: _LayerKeys
    dataflows: Annotated[list[_DataflowKeys], Field(min_length=1)]


_FILE = TypeAdapter(_FileKeys)


def names() -> list[str]:
    """The shipped sweeps' names."""
    return shipped(_KIND)


def load_study(source: str | Path) -> Study:
    """The sweep with a shipped name or in a file; paths in it are relative to its folder. Raises InputError."""
    text, where = read_named(_KIND, source, Path())
    return study_of(parse_mapping(text, where, "name: my_sweep"), where, Path(source).parent)


def study_of(data: dict[str, object], where: str, folder: Path) -> Study:
    """The sweep that a file's keys state."""
    keys = checked(_FILE, data, where)
    dataflows: list[Dataflow] = []
    for number, each in enumerate(keys.dataflows, start=1):
        dataflow = _dataflow(each, f"{where}: dataflow {number}", folder)
        if dataflow in dataflows:
            raise InputError(f"{where}: dataflow {number}: {dataflow.name} stands twice; name each once")
        dataflows.append(dataflow)
    hardware = keys.hardware
    if isinstance(hardware, str):
        hardware = found_from(hardware, folder)
    elif isinstance(hardware.get("technology"), str):
        hardware = {**hardware, "technology": found_from(str(hardware["technology"]), folder)}
    network = NetworkSource(keys.layers.set, tuple(keys.layers.names), tuple(keys.layers.choices)).found_from(folder)
    return Study(keys.name, hardware, network, tuple(dataflows))


def _dataflow(keys: _DataflowKeys, where: str, folder: Path) -> Dataflow:
    sources: dict[Kind, str | None] = {"dataflow": keys.dataflow, "mappings": keys.mappings, "resized": keys.resized}
    named: list[tuple[Kind, str]] = [(kind, word) for kind, word in sources.items() if word is not None]
    if len(named) != 1:
        raise InputError(f"{where}: must have one of dataflow, mappings and resized, got {len(named)} of them")
    (kind, word), *_ = named
    if kind != "dataflow":
        if keys.tiles or keys.clusters is not None:
            raise InputError(f"{where}: tiles and clusters are a template's; mappings have their own")
        return Dataflow(kind, str((folder / word).resolve()))
    try:
        read_named("dataflow", found_from(word, folder), Path())
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    clusters = CLUSTERS if keys.clusters is None else tuple(sorted({*keys.clusters}))
    tiles = tuple((dim, _sizes(given)) for dim, given in keys.tiles.items())
    return Dataflow(kind, found_from(word, folder), tiles, clusters)


def _sizes(given: int | str | list[int | Whole]) -> tuple[int, ...]:
    values = given if isinstance(given, list) else [given]
    return tuple(sorted({value if isinstance(value, int) else MAX_EXTENT for value in values}))
