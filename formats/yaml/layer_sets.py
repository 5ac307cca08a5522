"""Layer sets from YAML files: the layers of a network and how often each runs.

The shipped sets are in `data/layer_sets`. A file looks like this; see `LayerSet` for the parts:

    title: A network
    source: who described it, and which implementation's numbers these are
    published: {macs: 12_345, parameters: 678, source: where the two figures are from}
    other_parameters: {biases: 90}
    layers:
      - {name: conv1, type: CONV, K: 64, C: 3, R: 7, S: 7, Y: 224, X: 224, stride: 2, padding: 3}
      - {name: pool1, type: POOL, outputs: 200704}
      - {name: fc, type: FC, K: 1000, C: 64}
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.registry import layers_importer
from mapsearch.formats.shipped import find_named, shipped
from mapsearch.formats.text import decode
from mapsearch.formats.yaml.layer_rows import LayerFile, MappedRow, UnmappedRow, Weights, WindowRow
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, LayerError, did_you_mean, show
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.tensors import Dim, Tensor


@dataclass(frozen=True, slots=True)
class Entry:
    """A layer that runs `count` times.

    weights: `parameters` if the layer has weights of its own; `shared` if they belong to another entry or to
    `other_parameters`; `activations` if the operand is computed, as in attention.
    weight_sets: how many different tensors of parameters the runs use: `count`, or fewer where an LSTM's steps share them, and 0
    for `shared` and `activations`.
    """

    layer: Layer
    count: int
    weights: Weights
    weight_sets: int

    def of_batch(self, inputs: int) -> Entry:
        """The layer on so many times its inputs, which have operands of their own where its weights are activations."""
        is_product = self.layer.type is LayerType.GEMM
        dim = Dim.N if not is_product else Dim.G if self.weights == "activations" else Dim.X
        g, n, k, c, r, s, y, x = (
            extent * inputs if each is dim else extent for each, extent in zip(Dim, self.layer.extents, strict=True)
        )
        layer = replace(self.layer, extents=(g, n, k, c, r, s, y, x), zero_macs=self.layer.zero_macs * inputs)
        return replace(self, layer=layer)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A pooling or element-wise layer, which has no MACs and is not mapped: `output_words` in each of `count` runs."""

    name: str
    type: str
    output_words: int
    count: int


@dataclass(frozen=True, slots=True)
class Published:
    """Figures that a source states for the network, rounded as in the source; None where it states none."""

    macs: int | None
    parameters: int | None
    source: str


@dataclass(frozen=True, slots=True)
class UniqueLayer:
    """Entries of equal shape as one: the first entry's layer, how often each network of a mix runs it, and all names."""

    layer: Layer
    runs: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of runs over all networks."""
        return sum(self.runs)


@dataclass(frozen=True, slots=True)
class LayerSet:
    """The layers of a network.

    entries, unmapped: in the file's order, names unique.
    other_parameters: parameters outside the layers' weights (biases, batch norm, embeddings), by kind.
    """

    name: str
    title: str
    source: str
    entries: tuple[Entry, ...]
    unmapped: tuple[Unmapped, ...]
    other_parameters: dict[str, int]
    published: Published | None

    @property
    def macs(self) -> int:
        """MACs of one run of the network, zeros included."""
        return sum(entry.layer.macs * entry.count for entry in self.entries)

    @property
    def parameters(self) -> int:
        """The number of parameters: words of weights that belong to the network, each once, and `other_parameters`."""
        weights = sum(entry.layer.words(Tensor.WEIGHT) * entry.weight_sets for entry in self.entries)
        return weights + sum(self.other_parameters.values())

    @property
    def unique(self) -> tuple[UniqueLayer, ...]:
        """The layers that a search has to map: the entries, with those of equal `Layer.shape` merged, in first-seen order."""
        return merge([self.entries])

    def of_batch(self, inputs: int) -> LayerSet:
        """The set on so many times its inputs at once; MACs are published for the inputs of the file alone."""
        if inputs == 1:
            return self
        entries = tuple(entry.of_batch(inputs) for entry in self.entries)
        unmapped = tuple(replace(each, output_words=each.output_words * inputs) for each in self.unmapped)
        published = self.published and replace(self.published, macs=None)
        return replace(self, entries=entries, unmapped=unmapped, published=published)

    def only(self, names: Collection[str]) -> LayerSet:
        """The set with only the layers of these names; InputError where it has no layer of a name."""
        known = [entry.layer.name for entry in self.entries]
        for name in names:
            if name not in known:
                raise InputError(
                    f"layer set {self.name} has no layer {show(name)}{did_you_mean(name, known)}; its are {', '.join(known)}"
                )
        chosen = tuple(entry for entry in self.entries if entry.layer.name in names)
        name = f"{self.name}:{','.join(entry.layer.name for entry in chosen)}"
        return replace(self, name=name, entries=chosen, unmapped=(), other_parameters={}, published=None)


def merge(networks: Sequence[Sequence[Entry]]) -> tuple[UniqueLayer, ...]:
    """The entries of all networks with those of equal `Layer.shape` merged, in first-seen order."""
    merged: dict[tuple[object, ...], UniqueLayer] = {}
    for number, entries in enumerate(networks):
        for entry in entries:
            seen = merged.get(entry.layer.shape, UniqueLayer(entry.layer, (0,) * len(networks), ()))
            runs = tuple(count + entry.count * (other == number) for other, count in enumerate(seen.runs))
            merged[entry.layer.shape] = UniqueLayer(seen.layer, runs, (*seen.names, entry.layer.name))
    return tuple(merged.values())


def names() -> tuple[str, ...]:
    """Names of the shipped sets, sorted."""
    return tuple(shipped("layer_sets"))


def load_layer_set(name_or_path: str | Path, *, as_listed: bool = False) -> LayerSet:
    """The set with a shipped name or in a file (a path has a suffix or a slash).

    as_listed: take convolutions over the listed input without padding and with a stride of 1, as some tools do.
    Raises InputError, whose one line names the file, the layer, the law and the value.
    """
    data, where = find_named("layer_sets", name_or_path, Path())
    keys = layers_importer(str(name_or_path), data).read_layers(data, where)
    return _layer_set(Path(name_or_path).stem, where, keys, as_listed=as_listed)


def yaml_text(name_or_path: str) -> str:
    """The text of a layer set's YAML file: its own, with its comments, or one made from a file of another format."""
    load_layer_set(name_or_path)  # refuses what is wrong
    data, where = find_named("layer_sets", name_or_path, Path())
    importer = layers_importer(name_or_path, data)
    if importer.read_layers is read_layers:
        return decode(data, where, "layer set file")
    return yaml.safe_dump(importer.read_layers(data, where), sort_keys=False, allow_unicode=True)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 any file may be meant as YAML
    """See `LayersImporter`."""
    return True


def read_layers(data: bytes, where: str) -> dict[str, object]:
    """See `LayersImporter`."""
    return parse_mapping(decode(data, where, "layer set file"), where, "title: A network")


_FILE = TypeAdapter(LayerFile)


def _layer_set(name: str, where: str, keys: dict[str, object], *, as_listed: bool) -> LayerSet:
    file = checked(_FILE, keys, where)
    entries: list[Entry] = []
    unmapped: list[Unmapped] = []
    owners: dict[str, int] = {}
    for number, row in enumerate(file.layers, start=1):
        place = f"{where}: layer {number} ({row.name})"
        if isinstance(row, UnmappedRow):
            unmapped.append(Unmapped(row.name, row.type, row.outputs, row.count))
            made = [row.name]
        else:
            listed = row.as_listed() if as_listed and isinstance(row, WindowRow) else row
            added = list(_entries(place, listed))
            entries += added
            made = [entry.layer.name for entry in added]
        for each in made:
            if each in owners:
                raise InputError(f"{place}: names must be unique, and layer {owners[each]} has {each} already")
            owners[each] = number
    if not entries:
        raise InputError(f"{where}: layers must have at least one layer with MACs, got only {len(unmapped)} without")
    published = Published(file.published.macs, file.published.parameters, file.published.source) if file.published else None
    return LayerSet(name, file.title, file.source, tuple(entries), tuple(unmapped), file.other_parameters, published)


def _entries(place: str, row: MappedRow) -> Iterator[Entry]:
    try:
        layers = row.layers()
    except LayerError as error:
        raise InputError(f"{place}: {str(error).partition(': ')[2]}") from error
    for layer, runs in layers:
        yield Entry(layer, row.count * runs, row.weights, row.count if row.weights == "parameters" else 0)
