"""`mapsearch layers`: the layer sets shipped, or the layers of one."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsearch.arguments import Subparsers, add_batch, add_dims
from mapsearch.model.english import counted
from mapsearch.model.errors import InputError
from mapsearch.output import say, write, write_file, write_json, write_prose, write_table

if TYPE_CHECKING:
    from mapsearch.formats.yaml.layer_sets import Entry, LayerSet
    from mapsearch.model.tensors import Tensor


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "layers",
        help="the layer sets shipped, or the layers of one",
        description="Lists the layer sets shipped, or the layers of one set with their sizes.",
    )
    parser.add_argument(
        "set",
        nargs="?",
        metavar="SET[:NAME,..]",
        help="a layer set's name, a file of any format or a folder of files, and which of its layers (default: all)",
    )
    add_batch(parser)
    add_dims(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--yaml", action="store_true", help="print the set as a YAML file, to start your own from")
    parser.add_argument("--save", metavar="FILE", help="write the set as a YAML file, whatever format it is read from")


def run(args: Namespace) -> int:
    """Print all sets, or one."""
    from mapsearch.formats.mixes import NetworkSource, load_network, with_choices
    from mapsearch.formats.yaml.layer_sets import load_layer_set, names

    if args.set is None:
        for option in ("yaml", "save", "dim", "batch"):
            if getattr(args, option):
                raise InputError(f"--{option} needs one layer set; name it")
        sets = [_summary(load_layer_set(name)) for name in names()]
        if args.json:
            write_json(sets)
        else:
            _write_sets(sets)
        return 0
    text = with_choices(args.set, args.dim)
    if args.batch is not None and (args.yaml or args.save is not None):
        raise InputError(f"--{'yaml prints' if args.yaml else 'save writes'} the file as it is; leave --batch out")
    if args.yaml:
        write_file(NetworkSource.of(text).yaml_text())
        return 0
    layers = load_network(text).of_batch(args.batch or 1)
    if args.save is not None:
        _save(Path(args.save), NetworkSource.of(text).yaml_text())
    data = {**_summary(layers), **_contents(layers)}
    if args.json:
        write_json(data)
    else:
        _write_set(data)
    return 0


def _save(path: Path, text: str) -> None:
    from mapsearch.formats.text import write_files

    write_files(path.parent, {path.name: text})
    say(f"the layer set is written to {path}")


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
        "left_out": dict(zip(("macs", "words"), layers.left_out, strict=True)),
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
        "sparsity": {tensor.label: _zeros(entry, tensor) for tensor in Tensor if layer.density[tensor] < 1},
        "words": {tensor.label: layer.words(tensor) for tensor in Tensor},
        "weights": entry.weights,
        "weight_sets": entry.weight_sets,
    }


def _zeros(entry: Entry, tensor: Tensor) -> str:
    """What is known of the tensor's zeros."""
    is_masked = entry.masks is not None and tensor in entry.masks.given
    return f"mask of {entry.layer.density[tensor]:.4g}" if is_masked else str(entry.layer.sparsity[tensor])


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
    sparse = [entry for entry in data["entries"] if entry["sparsity"]]
    if sparse:
        tensors = tuple(sparse[0]["density"])
        rows = [(entry["name"], *(entry["sparsity"].get(tensor, "dense") for tensor in tensors)) for entry in sparse]
        write_table("Sparse layers: densities, patterns and masks", ("layer", *tensors), rows)
    if data["unmapped"]:
        _write_left_out(data["unmapped"], data["left_out"])
    write(f"{counted(data['layers'], 'layer')}, {data['unique_layers']:,} of different shape")
    others = "".join(f", {words:,} {kind}" for kind, words in data["other_parameters"].items())
    write_prose(
        f"total: {data['macs']:,} MACs, {data['parameters']:,} parameters{' with' + others[1:] if others else ''}", indent=7
    )
    published = data["published"]
    if published:
        figures = [f"{published[key]:,} {word}" for key, word in _PUBLISHED if published[key] is not None]
        write_prose(f"published: {', '.join(figures)} ({published['source']})", indent=4)
    write_prose(f"source: {data['source']}", indent=4)


def _write_left_out(unmapped: list[dict[str, Any]], shares: dict[str, float]) -> None:
    """The layers that are not mapped, those of one operator as one row, and their shares of the network."""
    rows: dict[str, tuple[str, str, int, int | str]] = {}
    for each in unmapped:
        name = each["operator"] or each["name"]
        _, _, count, words = rows.get(name, ("", "", 0, 0))
        total = "" if each["output_words"] is None or words == "" else int(words) + each["output_words"] * each["count"]
        rows[name] = (name, each["type"], count + each["count"], total)
    without = all(each["macs"] == 0 for each in unmapped)
    title = "Without MACs, not mapped" if without else "Not mapped"
    write_table(title, ("layer", "type", "count", "outputs of all [words]"), list(rows.values()))
    if any(each["input_words"] is not None for each in unmapped):
        unknown = sorted({each["operator"] for each in unmapped if each["macs"] is None})
        but = f", besides the unknown MACs of {', '.join(unknown)}" if unknown else ""
        write_prose(
            f"not mapped: {100 * shares['macs']:.3g}% of the network's MACs{but}, and {100 * shares['words']:.3g}% of the words "
            "of its operands, each counted once a run"
        )
        write("")


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
