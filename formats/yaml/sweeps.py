"""Sweeps from YAML files: which layers, which dataflows with which tiles, on which machines.

name: small
source: made up
hardware: edge_space            # a preset or a file of a hardware space, or its keys
layers: {set: vgg16, names: [conv1_2]}
dataflows:
  - {dataflow: kcp_ws, clusters: [16, 64], tiles: {X': [1, 4, 16], R: whole}}
  - {mappings: best.m}          # a directive file's, as they are
  - {resized: runs/vgg16-edp}   # a run's best, adopted to each number of PEs
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict

from mapsearch.formats.complaint import validate
from mapsearch.formats.shipped import read_named, shipped
from mapsearch.formats.yaml.constraints import dim_of
from mapsearch.formats.yaml.dataflows import names as dataflow_names
from mapsearch.formats.yaml.hardware import Source
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, did_you_mean, show
from mapsearch.model.layer import MAX_EXTENT, Layer
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.sweep_variants import CLUSTERS

_KIND = "sweeps"
_WHOLE = "whole"
Kind = Literal["dataflow", "mappings", "resized"]


@dataclass(frozen=True, slots=True)
class Dataflow:
    """Where the mappings come from: a template with its free sizes, a directive file, or a run's mappings resized.

    source: a template's name, or a path. tiles, clusters: see `template_variants`; only a template has them.
    """

    kind: Kind
    source: str
    tiles: tuple[tuple[Dim, tuple[int, ...]], ...] = ()
    clusters: tuple[int, ...] = CLUSTERS

    @classmethod
    def of(cls, word: str) -> Dataflow:
        """What a command line means: a folder or a `.m` file are a run's or somebody's mappings, anything else a template."""
        if not word:
            raise InputError("a dataflow must be a template's name or file, a .m file or a run's folder, got ''")
        if word in dataflow_names():
            return cls("dataflow", word)
        if word.endswith(".m"):
            return cls("mappings", str(Path(word).resolve()))
        return cls("resized", str(Path(word).resolve())) if Path(word).is_dir() else cls("dataflow", _found_from(word, Path()))

    @property
    def name(self) -> str:
        """What designs are called by: the template's name or the path's last part."""
        return Path(self.source).name if self.kind == "resized" and not self.source.endswith(".m") else Path(self.source).stem

    def to_dict(self) -> dict[str, Any]:
        """As a file states it."""
        if self.kind != "dataflow":
            return {self.kind: self.source}
        tiles = {dim.label: [_WHOLE if size == MAX_EXTENT else size for size in sizes] for dim, sizes in self.tiles}
        return {"dataflow": self.source, "tiles": tiles, "clusters": list(self.clusters)}


@dataclass(frozen=True, slots=True)
class Study:
    """A sweep as it is asked for. hardware: as `load_hardware_space` takes it. names: of layers; empty for all of the set."""

    name: str
    hardware: Source
    layer_set: str
    names: tuple[str, ...]
    dataflows: tuple[Dataflow, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, each shape once; InputError where the set has none of a name."""
        unique = load_layer_set(self.layer_set).unique
        known = [name for each in unique for name in each.names]
        for name in self.names:
            if name not in known:
                raise InputError(
                    f"layer set {self.layer_set} has no layer {name}{did_you_mean(name, known)}; its are {', '.join(known)}"
                )
        if not self.names:
            return tuple(each.layer for each in unique)
        asked = [(each.layer, [name for name in self.names if name in each.names]) for each in unique]
        return tuple(replace(layer, name=own[0]) for layer, own in asked if own)

    def with_layers(self, word: str) -> Study:
        """With the layers that a command line names: SET, or SET:NAME,NAME."""
        layer_set, _, names = word.rpartition(":") if ":" in word else (word, "", "")
        return replace(self, layer_set=_found_from(layer_set, Path()), names=tuple(name for name in names.split(",") if name))


class _LayerKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    set: str
    names: list[str] = []


class _DataflowKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    dataflow: str | None = None
    mappings: str | None = None
    resized: str | None = None
    tiles: dict[str, object] = {}
    clusters: list[int] | None = None


class _StudyKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    title: str = ""
    source: str = ""
    hardware: object
    layers: object
    dataflows: list[object]


def names() -> list[str]:
    """The shipped sweeps' names."""
    return shipped(_KIND)


def load_study(source: str | Path) -> Study:
    """The sweep of a shipped name or a file's path; paths in it are taken from its folder. Raises InputError."""
    text, where = read_named(_KIND, source, Path())
    return study_of(parse_mapping(text, where, "name: my_sweep"), where, Path(source).parent)


def study_of(data: dict[str, object], where: str, folder: Path) -> Study:
    """The sweep of a file's keys."""
    keys = validate(_StudyKeys, data, where)
    layers = validate(_LayerKeys, _mapping(keys.layers, f"{where}: layers", "{set: vgg16, names: [conv1_2]}"), f"{where}: layers")
    if not keys.dataflows:
        raise InputError(f"{where}: dataflows must have at least one, got []")
    dataflows = tuple(_dataflow(each, f"{where}: dataflow {number}", folder) for number, each in enumerate(keys.dataflows))
    hardware: Source
    if isinstance(keys.hardware, str):
        hardware = _found_from(keys.hardware, folder)
    else:
        hardware = dict(_mapping(keys.hardware, f"{where}: hardware", "that of a hardware file, if no name or path"))
        if isinstance(hardware.get("technology"), str):
            hardware["technology"] = _found_from(str(hardware["technology"]), folder)
    return Study(keys.name, hardware, _found_from(layers.set, folder), tuple(layers.names), dataflows)


def _mapping(given: object, where: str, example: str) -> dict[str, object]:
    if not isinstance(given, dict):
        raise InputError(f"{where} must be a mapping such as {example}, got {show(given)}")
    return cast("dict[str, object]", given)


def _found_from(word: str, folder: Path) -> str:
    """A path as it is found from anywhere, a shipped name as it is."""
    return str((folder / word).resolve()) if any(char in word for char in "./\\") else word


def _dataflow(given: object, where: str, folder: Path) -> Dataflow:
    keys = validate(_DataflowKeys, _mapping(given, where, "{dataflow: kcp_ws}"), where)
    sources: dict[Kind, str | None] = {"dataflow": keys.dataflow, "mappings": keys.mappings, "resized": keys.resized}
    named: list[tuple[Kind, str]] = [(kind, word) for kind, word in sources.items() if word is not None]
    if len(named) != 1:
        raise InputError(f"{where}: must have one of dataflow, mappings and resized, got {len(named)} of them")
    (kind, word), *_ = named
    if kind != "dataflow":
        if keys.tiles or keys.clusters is not None:
            raise InputError(f"{where}: tiles and clusters are a template's; mappings have their own")
        return Dataflow(kind, str((folder / word).resolve()))
    clusters = _sizes(keys.clusters, f"{where}: clusters") if keys.clusters is not None else CLUSTERS
    tiles = tuple((dim_of(word, f"{where}: tiles"), _sizes(sizes, f"{where}: tiles: {word}")) for word, sizes in keys.tiles.items())
    return Dataflow(kind, _found_from(word, folder), tiles, clusters)


def _sizes(given: object, where: str) -> tuple[int, ...]:
    values = cast("list[object]", given) if isinstance(given, list) else [given]
    sizes = [MAX_EXTENT if value == _WHOLE else value for value in values]
    if not sizes or not all(type(size) is int and 1 <= size <= MAX_EXTENT for size in sizes):  # True is an int too
        law = "must be a list of whole numbers of at least 1, or whole, such as [1, 4, whole]"
        raise InputError(f"{where}: {law}, got {show(values)}")
    return tuple(sorted({cast("int", size) for size in sizes}))
