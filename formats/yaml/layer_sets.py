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

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import cast

import yaml
from pydantic import TypeAdapter

from mapsearch.formats.complaint import checked
from mapsearch.formats.registry import Choices, take_no_choices
from mapsearch.formats.shipped import shipped
from mapsearch.formats.sources import find_layers, is_folder, layer_keys
from mapsearch.formats.text import decode
from mapsearch.formats.yaml.layer_rows import LayerFile, MappedRow, UnmappedRow, Weights, WindowRow
from mapsearch.formats.yaml.plain import parse_mapping
from mapsearch.model.errors import InputError, LayerError, did_you_mean, show
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.masks import Masks
from mapsearch.model.tensors import Dim, Tensor

_NO_CHOICES: Choices = MappingProxyType({})
_HERE = Path()


@dataclass(frozen=True, slots=True)
class Entry:
    """A layer that runs `count` times.

    weights: `parameters` if the layer has weights of its own; `shared` if they belong to another entry or to
    `other_parameters`; `activations` if the operand is computed, as in attention.
    weight_sets: how many different tensors of parameters the runs use: `count`, or fewer where an LSTM's steps share them, and 0
    for `shared` and `activations`.
    masks: where each zero is known; the layer has their densities.
    """

    layer: Layer
    count: int
    weights: Weights
    weight_sets: int
    masks: Masks | None = None

    def of_batch(self, inputs: int) -> Entry:
        """The layer on so many times its inputs, which have operands of their own where its weights are activations."""
        is_product = self.layer.type is LayerType.GEMM
        dim = Dim.N if not is_product else Dim.G if self.weights == "activations" else Dim.X
        g, n, k, c, r, s, y, x = (
            extent * inputs if each is dim else extent for each, extent in zip(Dim, self.layer.extents, strict=True)
        )
        layer = replace(self.layer, extents=(g, n, k, c, r, s, y, x), zero_macs=self.layer.zero_macs * inputs)
        return replace(self, layer=layer, masks=None)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A layer that is not mapped, such as a pooling or an element-wise one, which runs `count` times.

    output_words, input_words: that one run writes and reads, each word once; None where the file does not tell. operator: its name
    in the network's own language, "" where there is none. macs: of one run, of a layer whose MACs no layer type expresses; None
    where nobody knows.
    """

    name: str
    type: str
    output_words: int | None
    count: int
    input_words: int | None = None
    operator: str = ""
    macs: int | None = 0

    def of_batch(self, inputs: int) -> Unmapped:
        """The layer on so many times its inputs."""
        words = (self.output_words, self.input_words, self.macs)
        output_words, input_words, macs = (None if each is None else each * inputs for each in words)
        return replace(self, output_words=output_words, input_words=input_words, macs=macs)


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
    def left_out(self) -> tuple[float, float]:
        """The shares of the MACs and of the operands' words, each counted once a run, that are of layers that are not mapped.

        What the file does not tell counts as nothing.
        """
        macs = sum((each.macs or 0) * each.count for each in self.unmapped)
        words = sum(((each.input_words or 0) + (each.output_words or 0)) * each.count for each in self.unmapped)
        mapped = sum(sum(entry.layer.words(tensor) for tensor in Tensor) * entry.count for entry in self.entries)
        return macs / (macs + self.macs), words / (words + mapped)

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
        unmapped = tuple(each.of_batch(inputs) for each in self.unmapped)
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


def load_layer_set(name_or_path: str | Path, *, as_listed: bool = False, choices: Choices = _NO_CHOICES) -> LayerSet:
    """The set with a shipped name, in a file of any format, or in a folder of files (a path has a suffix or a slash).

    as_listed: take convolutions over the listed input without padding and with a stride of 1, as some tools do. choices: of what
    the file leaves open, such as {"batch": "1"} for a symbolic dim of an ONNX model.
    Raises InputError, whose one line names the file, the layer, the law and the value.
    """
    keys, where = layer_keys(name_or_path, choices)
    path = Path(name_or_path)
    folder = path if is_folder(name_or_path) else path.parent
    return layer_set_of(path.stem, where, keys, as_listed=as_listed, folder=folder)


def yaml_text(name_or_path: str | Path, choices: Choices = _NO_CHOICES) -> str:
    """The text of a layer set's YAML file: its own, with its comments, or one made from files of another format."""
    load_layer_set(name_or_path, choices=choices)  # refuses what is wrong
    if not is_folder(name_or_path):
        data, where, importer = find_layers(name_or_path)
        if importer.read_layers is read_layers:
            return decode(data, where, "layer set file")
    return text_of(layer_keys(name_or_path, choices)[0])


def text_of(keys: Mapping[str, object]) -> str:
    """The keys of a layer-set file as its text, each layer on a line."""
    head = {key: value for key, value in keys.items() if key != "layers"}
    rows = cast("Sequence[object]", keys["layers"])
    lines = (yaml.safe_dump(row, sort_keys=False, allow_unicode=True, default_flow_style=True, width=inf) for row in rows)
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True) + "layers:\n" + "".join(f"- {line}" for line in lines)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 any file may be meant as YAML
    """See `LayersImporter`."""
    return True


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    return parse_mapping(decode(data, where, "layer set file"), where, "title: A network")


_FILE = TypeAdapter(LayerFile)


def layer_set_of(name: str, where: str, keys: Mapping[str, object], *, as_listed: bool = False, folder: Path = _HERE) -> LayerSet:
    """The set of that name with the keys of a layer-set file; InputError, which begins with `where`, where they break a law.

    folder: that paths of masks are relative to.
    """
    file = checked(_FILE, keys, where)
    entries: list[Entry] = []
    unmapped: list[Unmapped] = []
    owners: dict[str, int] = {}
    for number, row in enumerate(file.layers, start=1):
        place = f"{where}: layer {number} ({row.name})"
        if isinstance(row, UnmappedRow):
            unmapped.append(Unmapped(row.name, row.type, row.outputs, row.count, row.inputs, row.operator, row.macs))
            made = [row.name]
        else:
            listed = row.as_listed() if as_listed and isinstance(row, WindowRow) else row
            added = list(_entries(place, listed, folder))
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


def _entries(place: str, row: MappedRow, folder: Path) -> Iterator[Entry]:
    try:
        layers = row.layers()
        masks = None if row.sparsity is None else row.sparsity.masks([made.layer for made in layers], folder)
    except LayerError as error:
        raise InputError(f"{place}: {str(error).partition(': ')[2]}") from error
    for layer, runs, sets in layers:
        sparse = layer if masks is None else replace(layer, sparsity=masks.densities)
        yield Entry(sparse, row.count * runs, row.weights, row.count * sets if row.weights == "parameters" else 0, masks)
