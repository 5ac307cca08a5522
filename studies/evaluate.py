"""The costs of mappings, from a file or of a run, on a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path

from mapsearch.formats.directives import MappedLayer, Network
from mapsearch.formats.mappings import WHAT, load_network, read_network
from mapsearch.formats.registry import FORMATS
from mapsearch.formats.text import read_text
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.cost import CostModel, Fit, ToolModel
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.evaluation import CountedEvaluation, Evaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import MappingBatch, encode
from mapsearch.model.masks import Masks
from mapsearch.model.reference.numpy_model import NumpyModel
from mapsearch.model.registry import cost_model

HardwareSource = str | PathLike[str] | Mapping[str, object] | Hardware


def evaluate(
    text_or_path: str | PathLike[str],
    hardware: HardwareSource | None = None,
    model: str = "exact",
    masks: str | PathLike[str] | None = None,
) -> list[Evaluation]:
    """The evaluation of each layer of a mapping file, or of a run, with its mapping, in their order.

    A text with a newline or a brace is that of a file, any other the path of a file or of a run's folder. `hardware` is a preset's
    name, a file's path, a dict of a hardware file's keys, or a Hardware (default: the run's machine, or edge); `model` is a name of
    `mapsearch.model.registry.COST_MODELS`; `masks` is a layer set, by whose masks layers of the same names are counted.

    An `Evaluation` has the layer's name as `layer` and the model's figures under names that end in units. It is a
    `CountedEvaluation` for exact and simulate, and `NamedFigures` for maestro, which takes a file exactly as written. `to_dict`
    gives all figures:

        >>> text = "Network n { Layer a { Type: GEMM Dimensions { M: 4, N: 2, K: 3 } Dataflow { SpatialMap(1,1) M } } }"
        >>> [cost] = mapsearch.evaluate(text, hardware={"pes": 2})
        >>> cost.layer, cost.macs, cost.steps
        ('a', 24, 2)

    Raises InputError (a ValueError) of one line where an input breaks a law or a mapping is not legal on the hardware.
    """
    if isinstance(text_or_path, str) and ("\n" in text_or_path or "{" in text_or_path):
        return evaluate_texts({"<text>": text_or_path}, machine(hardware), model, masks)
    files, target = mapping_files(Path(text_or_path), hardware)
    return evaluate_texts({str(file): read_text(file, WHAT) for file in files}, target, model, masks)


def evaluate_texts(texts: Mapping[str, str], hardware: Hardware, model: str, masks: str | PathLike[str] | None) -> list[Evaluation]:
    """The costs of the layers of mapping files, given by name; `masks`: see `evaluate`."""
    if masks is not None and model != "exact":
        raise InputError(f"masks are counted by the model exact alone, got {model}; leave out the masks or the model")
    known = {} if masks is None else load_masks(masks)
    counters = {name: NumpyModel(each) for name, each in known.items() if each is not None}
    found = [each for name, text in texts.items() for each in evaluate_text(text, name, hardware, model, counters)]
    if masks is not None and not any(each.layer in known for each in found):
        raise InputError(f"{masks}: must have a layer of the mapping files', got {', '.join(known)}; give it the same name")
    return found


def evaluate_text(
    text: str, source: str, hardware: HardwareSource, model: str, counters: Mapping[str, CostModel] | None = None
) -> list[Evaluation]:
    """The costs of the layers of a mapping file's text; `source` is its name, also in errors.

    counters: by name of a layer, what counts it in place of the model.
    """
    counter = cost_model(model)
    target = machine(hardware)
    if isinstance(counter, ToolModel):
        written = FORMATS[counter.format].written_importer.read_written(text, source)
        return [counter.report_written(layer, target) for layer in written]
    layers = read_network(text.encode(), source).layers
    for mapped in layers:
        mapped.check(target.shape)
    return [_costs(mapped, target, (counters or {}).get(mapped.layer.name, counter), source) for mapped in layers]


def mapping_files(source: Path, hardware: HardwareSource | None) -> tuple[list[Path], Hardware]:
    """The mapping files that a path stands for, and the machine, by default that of the run, or edge.

    source: a mapping file, or a run's folder: its mappings are those chosen together or, where it has none, each layer's own best.
    """
    if not source.is_dir():
        return [source], machine(hardware)
    from mapsearch.studies.recorded import load_run  # noqa: PLC0415 that module imports this one

    run = load_run(source)
    together = run.results.network
    names = [layer.mapping_file for layer in run.layers] if together is None else [together.mapping_file]
    return [source / name for name in names], run.hardware if hardware is None else machine(hardware)


def load_mapped(source: Path, hardware: HardwareSource | None) -> tuple[Network, Hardware]:
    """The mappings of a file or of a run as one network, and their machine; see `mapping_files`."""
    files, target = mapping_files(source, hardware)
    networks = [load_network(file) for file in files]
    return Network(networks[0].name, tuple(mapped for network in networks for mapped in network.layers)), target


def machine(hardware: HardwareSource | None) -> Hardware:
    """The hardware of a source, which may be a Hardware already; edge by default."""
    match hardware:
        case None:
            return load_hardware("edge")
        case Hardware():
            return hardware
        case PathLike():
            return load_hardware(Path(hardware))
        case _:
            return load_hardware(hardware)


def load_masks(source: str | PathLike[str]) -> dict[str, Masks | None]:
    """The masks of the layers of a layer set, by the layers' names, None of those without; InputError where all are."""
    entries = load_layer_set(source if isinstance(source, str) else Path(source)).entries
    masks = {entry.layer.name: entry.masks for entry in entries}
    if not any(masks.values()):
        raise InputError(f"{source}: must have a layer with a mask; give one, or leave the masks out")
    return masks


def _costs(mapped: MappedLayer, machine: Hardware, counter: CostModel, source: str) -> Evaluation:
    place = mapped.place
    try:
        layer = counter.as_counted(mapped.layer)
        batch = encode([mapped.mapping], layer, machine.shape)
        costs = counter.evaluate(layer, machine, batch)
    except InputError as error:
        raise InputError(f"{place}{error}") from None
    if costs.fit[0] != Fit.LEGAL:
        if mapped.places is not None and costs.fit[0] != Fit.REFUSED:
            place = f"{source}:{mapped.places.levels[-1 if costs.fit[0] == Fit.L1_OVERFLOW else 0]}: "
        raise MappingError(place + costs.why_not(0))
    found = costs.report(0)
    return with_balanced(found, counter, layer, machine, batch) if isinstance(found, CountedEvaluation) else found


def with_balanced(
    found: CountedEvaluation, counter: CostModel, layer: Layer, machine: Hardware, batch: MappingBatch
) -> CountedEvaluation:
    """The evaluation of a batch's one mapping with its runtime if PEs were balanced, where the machine skips zeros."""
    if found.sparse is None or not machine.sparse.skip:
        return found
    ideal = replace(machine, sparse=replace(machine.sparse, balanced=True))
    balanced = counter.evaluate(layer, ideal, batch).runtime_cycles[0]
    return replace(found, sparse=replace(found.sparse, balanced_runtime_cycles=int(balanced)))
