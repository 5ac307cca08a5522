"""`mapsearch layers`: the layer sets shipped, or the layers of one."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from mapsearch.arguments import Subparsers, add_batch
from mapsearch.model.errors import InputError
from mapsearch.output import write, write_file, write_json, write_prose, write_table

if TYPE_CHECKING:
    from mapsearch.formats.yaml.layer_sets import Entry, LayerSet


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "layers",
        help="the layer sets shipped, or the layers of one",
        description="Lists the layer sets shipped, or the layers of one set with their sizes.",
    )
    parser.add_argument(
        "set", nargs="?", metavar="SET[:NAME,..]", help="a layer set's name or a file, and which of its layers (default: all)"
    )
    add_batch(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--yaml", action="store_true", help="print the set as a YAML file, to start your own from")


def run(args: Namespace) -> int:
    """Print all sets, or one."""
    from mapsearch.formats.mixes import load_network
    from mapsearch.formats.yaml.layer_sets import load_layer_set, names, yaml_text

    if args.set is None and args.batch is not None:
        raise InputError("--batch is of one layer set; name it")
    if args.yaml:
        if args.set is None:
            raise InputError("--yaml prints one file; name a layer set")
        if args.batch is not None:
            raise InputError("--yaml prints the file as it is; leave --batch out")
        write_file(yaml_text(args.set))
        return 0
    if args.set is None:
        sets = [_summary(load_layer_set(name)) for name in names()]
        if args.json:
            write_json(sets)
        else:
            _write_sets(sets)
        return 0
    layers = load_network(args.set).of_batch(args.batch or 1)
    data = {**_summary(layers), **_contents(layers)}
    if args.json:
        write_json(data)
    else:
        _write_set(data)
    return 0


def _summary(layers: LayerSet) -> dict[str, Any]:
    return {
        "name": layers.name,
        "title": layers.title,
        "layers": sum(entry.count for entry in layers.entries),
        "unique_layers": len(layers.unique),
        "macs": layers.macs,
        "parameters": layers.parameters,
    }


def _contents(layers: LayerSet) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "source": layers.source,
        "other_parameters": layers.other_parameters,
        "published": asdict(layers.published) if layers.published else None,
        "entries": [_entry(entry) for entry in layers.entries],
        "unmapped": [asdict(unmapped) for unmapped in layers.unmapped],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    from mapsearch.model.tensors import Dim, Tensor

    layer = entry.layer
    return {
        "name": layer.name,
        "type": str(layer.type),
        "count": entry.count,
        "dims": {dim.label: layer.extents[dim] for dim in Dim},
        "stride": layer.stride,
        "dilation": layer.dilation,
        "macs": layer.macs,
        "zero_macs": layer.zero_macs,
        "density": {tensor.label: layer.density[tensor] for tensor in Tensor},
        "words": {tensor.label: layer.words(tensor) for tensor in Tensor},
        "weights": entry.weights,
        "weight_sets": entry.weight_sets,
    }


def _write_sets(sets: list[dict[str, Any]]) -> None:
    rows = [
        (each["name"], each["layers"], each["unique_layers"], each["macs"] / 1e9, each["parameters"] / 1e6, each["title"])
        for each in sets
    ]
    write_table("", ("name", "layers", "unique", "MACs [10^9]", "parameters [10^6]", "title"), rows)


def _write_set(data: dict[str, Any]) -> None:
    write_prose(f"{data['name']}: {data['title']}")
    write("")
    shape = ("layer", "type", "count", "dims, strides and dilations above 1")
    write_table("Layers", shape, [_shape_row(entry) for entry in data["entries"]])
    sizes = ("layer", "MACs", "weights [words]", "inputs [words]", "outputs [words]", "weights are")
    write_table("One run of each layer", sizes, [_size_row(entry) for entry in data["entries"]])
    if data["unmapped"]:
        rows = [(each["name"], each["type"], each["count"], each["output_words"]) for each in data["unmapped"]]
        write_table("Without MACs, not mapped", ("layer", "type", "count", "outputs [words]"), rows)
    write(f"{data['layers']:,} layers, {data['unique_layers']:,} of different shape")
    others = "".join(f", {words:,} {kind}" for kind, words in data["other_parameters"].items())
    write_prose(
        f"total: {data['macs']:,} MACs, {data['parameters']:,} parameters{' with' + others[1:] if others else ''}", indent=7
    )
    published = data["published"]
    if published:
        figures = [f"{published[key]:,} {word}" for key, word in _PUBLISHED if published[key] is not None]
        write_prose(f"published: {', '.join(figures)} ({published['source']})", indent=4)
    write_prose(f"source: {data['source']}", indent=4)


_PUBLISHED = (("macs", "MACs"), ("parameters", "parameters"))


def _shape_row(entry: dict[str, Any]) -> tuple[str | int, ...]:
    parts = [f"{dim} {extent}" for dim, extent in entry["dims"].items() if extent > 1]
    parts += [f"{name} {_pair(entry[name])}" for name in ("stride", "dilation") if max(entry[name]) > 1]
    return (entry["name"], entry["type"], entry["count"], " ".join(parts))


def _size_row(entry: dict[str, Any]) -> tuple[str | int, ...]:
    words = entry["words"]
    return (entry["name"], entry["macs"], words["weight"], words["input"], words["output"], entry["weights"])


def _pair(pair: tuple[int, int]) -> str:
    """Rows x columns, or the one number that both are."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
