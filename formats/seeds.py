"""Earlier mappings that a search starts from, read from a mapping file or from all of them in a folder, such as a run's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.mappings import files_in, load_network
from mapsearch.model.errors import InputError
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import Mapping
from mapsearch.model.sparsity import DENSE


def load_seeds(path: Path) -> list[MappedLayer]:
    """The mappings of a file, or of every mapping file in a folder and below it; InputError where there are none."""
    seeds = [mapped for file in (files_in(path) if path.is_dir() else [path]) for mapped in load_network(file).layers]
    if not seeds:
        raise InputError(f"{path}: must hold mapping files to start from, got none")
    return seeds


def seeds_of(layer: Layer, seeds: Sequence[MappedLayer]) -> list[Mapping]:
    """The mappings of layers of the same shape, whatever their names, types and densities."""
    return [each.mapping for each in seeds if _shape(each.layer) == _shape(layer)]


def _shape(layer: Layer) -> Layer:
    return replace(layer, name="", type=LayerType.CONV, sparsity=DENSE, zero_macs=0)


def seeds_network(name: str, layers: Sequence[Layer], seeds: Sequence[MappedLayer]) -> Network:
    """The mappings of the layers as one network, each with its number, from 1, in its layer's name."""
    found = [(layer, mapping) for layer in layers for mapping in seeds_of(layer, seeds)]
    named = [MappedLayer(replace(layer, name=f"{layer.name}_{n}"), mapping) for n, (layer, mapping) in enumerate(found, start=1)]
    return Network(name, tuple(named))


def check_any_seed(path: Path, layers: Sequence[Layer], seeds: Sequence[MappedLayer]) -> None:
    """Raise InputError unless there is a mapping for at least one of the layers."""
    if not any(seeds_of(layer, seeds) for layer in layers):
        names = ", ".join(sorted({mapped.layer.name for mapped in seeds})[:5])
        raise InputError(f"{path}: must hold a mapping of a layer of the set, of the same shape, got those of {names}")
