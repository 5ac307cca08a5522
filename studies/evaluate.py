"""The costs of the mappings of a directive file on a machine."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.registry import FORMATS
from mapsearch.formats.text import read_text
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import CostModel, Fit, ToolModel
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.evaluation import Evaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import encode
from mapsearch.model.registry import cost_model

HardwareSource = str | PathLike[str] | Mapping[str, object] | Hardware


def evaluate(text_or_path: str | PathLike[str], hardware: HardwareSource = "edge", model: str = "exact") -> list[Evaluation]:
    """The evaluation of each layer of a directive file with its mapping, in the file's order.

    A text with a newline or a brace is directive text, any other a file's path. `hardware` is a preset's name, a file's path, a
    dict of a hardware file's keys, or a Hardware; `model` is a name of `mapsearch.model.registry.COST_MODELS`. An `Evaluation` has
    the layer's name as `layer` and the model's figures under names that end in units. It is a `CountedEvaluation` for exact and
    simulate, and `NamedFigures` for maestro, which takes a file exactly as written. `to_dict` gives all figures:

        >>> text = "Network n { Layer a { Type: GEMM Dimensions { M: 4, N: 2, K: 3 } Dataflow { SpatialMap(1,1) M } } }"
        >>> [cost] = mapsearch.evaluate(text, hardware={"pes": 2})
        >>> cost.layer, cost.macs, cost.steps
        ('a', 24, 2)

    Raises InputError (a ValueError) of one line where an input breaks a law or a mapping is not legal on the hardware.
    """
    if isinstance(text_or_path, str) and ("\n" in text_or_path or "{" in text_or_path):
        return evaluate_text(text_or_path, "<text>", hardware, model)
    path = Path(text_or_path)
    return evaluate_text(read_text(path, "directive file"), str(path), hardware, model)


def evaluate_text(text: str, source: str, hardware: HardwareSource, model: str) -> list[Evaluation]:
    """The costs of the layers of directive text; `source` names the text in errors."""
    counter = cost_model(model)
    target = machine(hardware)
    layers = FORMATS[counter.format].mappings_importer.read_mappings(text, source)
    if isinstance(counter, ToolModel):
        return [counter.report_written(layer, target) for layer in layers]
    for mapped in layers:
        mapped.check(target.shape)
    return [_costs(mapped, target, counter, source) for mapped in layers]


def machine(hardware: HardwareSource) -> Hardware:
    """The hardware of a source, which may be a Hardware already."""
    match hardware:
        case Hardware():
            return hardware
        case PathLike():
            return load_hardware(Path(hardware))
        case _:
            return load_hardware(hardware)


def _costs(mapped: MappedLayer, machine: Hardware, counter: CostModel, source: str) -> Evaluation:
    place = mapped.place
    try:
        layer = counter.as_counted(mapped.layer)
        costs = counter.evaluate(layer, machine, encode([mapped.mapping], layer, machine.shape))
    except InputError as error:
        raise InputError(f"{place}{error}") from None
    if costs.fit[0] != Fit.LEGAL:
        if mapped.places is not None and costs.fit[0] != Fit.REFUSED:
            place = f"{source}:{mapped.places.levels[-1 if costs.fit[0] == Fit.L1_OVERFLOW else 0]}: "
        raise MappingError(place + costs.why_not(0))
    return costs.report(0)
