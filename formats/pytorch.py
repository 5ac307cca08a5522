"""PyTorch modules: the layers of a network, by way of the ONNX model that PyTorch exports."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mapsearch.formats.onnx.layers_in import keys_of
from mapsearch.formats.text import write_files
from mapsearch.formats.yaml.layer_sets import LayerSet, layer_set_of, text_of
from mapsearch.model.errors import InputError


def layers_of(
    module: Any,  # noqa: ANN401 torch.nn.Module, of an extra package
    example: Any,  # noqa: ANN401 what the module is called with
    *,
    name: str | None = None,
    save: str | Path | None = None,
) -> LayerSet:
    """The layers that a `torch.nn.Module` runs on an example input, as of its ONNX export in evaluation mode.

    example: a tensor, several as a sequence, or keyword arguments as a mapping; only shapes and types matter. name: of the network
    (default: that of the module's class). save: a YAML file to write, which `mapsearch.run` takes. Raises InputError where torch is
    not installed, the module cannot be exported, or the file cannot be written.
    """
    where = name or type(module).__name__
    try:
        torch = import_module("torch")
        import_module("onnxscript")
    except ImportError:
        raise InputError(f"{where}: PyTorch modules need the packages torch and onnxscript; pip install torch onnxscript") from None
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"{where}: must be a torch.nn.Module, got a {type(module).__name__}")
    keys = keys_of(_exported(torch, module, example, where), where, {})
    layers = layer_set_of(where, where, keys)
    if save is not None:
        write_files(Path(save).parent, {Path(save).name: text_of(keys)})
    return layers


def _exported(torch: Any, module: Any, example: Any, where: str) -> Any:  # noqa: ANN401 of an extra package
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    match example:
        case Mapping():
            keywords = dict(example)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case Sequence():
            positional = tuple(example)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case _:
            positional = (example,)
    training = module.training
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module.eval()
            program = torch.onnx.export(module, positional, kwargs=keywords, dynamo=True, optimize=False, verbose=False)
            return program.model_proto  # not optimized, so that no batch norm goes into the convolution before it
    except Exception as error:  # noqa: BLE001 a module may raise anything
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise InputError(f"{where}: PyTorch cannot export it on this example: {first}") from None
    finally:
        module.train(training)
