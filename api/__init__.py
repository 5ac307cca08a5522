"""Finds how the layers of a neural network run best on a spatial accelerator, with an exact cost model.

    >>> import mapsearch
    >>> costs = mapsearch.evaluate("network.m", hardware="edge")  # what the mappings of a directive file cost
    >>> costs[0].layer, costs[0].runtime_cycles

Studies: `run` (the best mapping of every layer of a network, and the best machine of a space), `search_layer` (one layer, without a
folder), `evaluate`, `evaluate_batch` (many mappings as arrays), `sweep`, `serve` (networks that share a machine), `feed` (a run's
network behind an input pipeline), and `load_run`, which reads a run's folder.
Things: layers (`conv`, `gemm`, ..., `Layer`), mappings (`Mapping`, `MappingBatch`, `parse`, `print_network`), machines
(`Hardware`, `load_hardware`) and spaces of both (`Space`, `HardwareSpace`). docs/python.md has examples. All are loaded when they
are first asked for, so that the import is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mapsearch.formats.directives import MappedLayer, Network, parse, print_network
    from mapsearch.formats.pytorch import layers_of
    from mapsearch.formats.yaml.constraints import load_constraints
    from mapsearch.formats.yaml.dataflows import load_dataflow
    from mapsearch.formats.yaml.hardware import load_hardware, load_hardware_space
    from mapsearch.formats.yaml.layer_sets import load_layer_set
    from mapsearch.model.errors import InputError
    from mapsearch.model.hardware import Buffer, Hardware, Noc, Offchip
    from mapsearch.model.layer import Layer, LayerType
    from mapsearch.model.layers import conv, depthwise, fc, gemm, lstm, trconv
    from mapsearch.model.mapping import Directive, MapKind, Mapping, MappingBatch
    from mapsearch.model.tensors import Dim, Tensor
    from mapsearch.spaces.machines.space import HardwareSpace
    from mapsearch.spaces.mappings.constraints import Constraints
    from mapsearch.spaces.mappings.rules import TileRule
    from mapsearch.spaces.mappings.space import Space
    from mapsearch.studies.batch import BatchCosts, evaluate_batch
    from mapsearch.studies.drawn_sweep import sweep
    from mapsearch.studies.evaluate import evaluate
    from mapsearch.studies.feed.feed import Feed, feed
    from mapsearch.studies.layer_search import LayerSearch, search_layer
    from mapsearch.studies.recorded import Recorded, load_run
    from mapsearch.studies.results import LayerResult, RunResults
    from mapsearch.studies.serve.results import ServeResults
    from mapsearch.studies.serve.serve import serve
    from mapsearch.studies.start import run
    from mapsearch.studies.sweep.summary import SweepSummary

    __version__: str

# Where each public name stands.
_NAMES: dict[str, tuple[str, ...]] = {
    "formats.directives": ("MappedLayer", "Network", "parse", "print_network"),
    "formats.pytorch": ("layers_of",),
    "formats.yaml.constraints": ("load_constraints",),
    "formats.yaml.dataflows": ("load_dataflow",),
    "formats.yaml.hardware": ("load_hardware", "load_hardware_space"),
    "formats.yaml.layer_sets": ("load_layer_set",),
    "model.errors": ("InputError",),
    "model.hardware": ("Buffer", "Hardware", "Noc", "Offchip"),
    "model.layer": ("Layer", "LayerType"),
    "model.layers": ("conv", "depthwise", "fc", "gemm", "lstm", "trconv"),
    "model.mapping": ("Directive", "MapKind", "Mapping", "MappingBatch"),
    "model.tensors": ("Dim", "Tensor"),
    "spaces.machines.space": ("HardwareSpace",),
    "spaces.mappings.constraints": ("Constraints",),
    "spaces.mappings.rules": ("TileRule",),
    "spaces.mappings.space": ("Space",),
    "studies.batch": ("BatchCosts", "evaluate_batch"),
    "studies.drawn_sweep": ("sweep",),
    "studies.evaluate": ("evaluate",),
    "studies.feed.feed": ("Feed", "feed"),
    "studies.layer_search": ("LayerSearch", "search_layer"),
    "studies.recorded": ("Recorded", "load_run"),
    "studies.results": ("LayerResult", "RunResults"),
    "studies.serve.results": ("ServeResults",),
    "studies.serve.serve": ("serve",),
    "studies.start": ("run",),
    "studies.sweep.summary": ("SweepSummary",),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = [  # spelled out for those who check types; a test holds it against the table
    "BatchCosts", "Buffer", "Constraints", "Dim", "Directive", "Feed", "Hardware", "HardwareSpace", "InputError", "Layer",
    "LayerResult", "LayerSearch", "LayerType", "MapKind", "MappedLayer", "Mapping", "MappingBatch", "Network", "Noc", "Offchip",
    "Recorded", "RunResults", "ServeResults", "Space", "SweepSummary", "Tensor", "TileRule", "__version__", "conv", "depthwise",
    "evaluate", "evaluate_batch", "fc", "feed", "gemm", "layers_of", "load_constraints", "load_dataflow", "load_hardware",
    "load_hardware_space", "load_layer_set", "load_run", "lstm", "parse", "print_network", "run", "search_layer", "serve", "sweep",
    "trconv",
]  # fmt: skip

if not TYPE_CHECKING:  # else a checker would take any name for an attribute

    def __getattr__(name: str) -> Any:  # noqa: ANN401 the type of each name stands above
        if name == "__version__":
            return import_module("importlib.metadata").version("mapsearch")
        if name in _MODULES:
            return getattr(import_module(f"mapsearch.{_MODULES[name]}"), name)
        raise AttributeError(f"module 'mapsearch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
