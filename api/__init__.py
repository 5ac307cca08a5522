"""Finds how the layers of a neural network run best on a spatial accelerator, with an exact cost model.

    >>> import mapsearch
    >>> costs = mapsearch.evaluate("network.m", hardware="edge")  # what the mappings of a directive file cost
    >>> costs[0].layer, costs[0].runtime_cycles

`run` searches for the best mappings of a study, and `sweep` costs every design of a hardware space. All are loaded when they are
first asked for, so that the import is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mapsearch.studies.drawn_sweep import sweep
    from mapsearch.studies.evaluate import evaluate
    from mapsearch.studies.start import run

    __version__: str

__all__ = ["__version__", "evaluate", "run", "sweep"]
_MODULES = {"evaluate": "mapsearch.studies.evaluate", "run": "mapsearch.studies.start", "sweep": "mapsearch.studies.drawn_sweep"}

if not TYPE_CHECKING:  # else a checker would take any name for an attribute

    def __getattr__(name: str) -> Any:  # noqa: ANN401 the type of each name stands above
        if name == "__version__":
            return import_module("importlib.metadata").version("mapsearch")
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        raise AttributeError(f"module 'mapsearch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
