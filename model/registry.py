"""The cost models, by the names that users give; without numpy, so that `--help` comes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapsearch.model.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from mapsearch.model.cost import CostModel


def _exact() -> CostModel:
    from mapsearch.model.exact import ExactModel  # noqa: PLC0415 a model is loaded when it is asked for

    return ExactModel()


def _maestro() -> CostModel:
    from mapsearch.model.maestro.model import MaestroModel  # noqa: PLC0415

    return MaestroModel()


def _simulate() -> CostModel:
    from mapsearch.model.reference.simulator import Simulator  # noqa: PLC0415

    return Simulator()


COST_MODELS: Mapping[str, Callable[[], CostModel]] = MappingProxyType({"exact": _exact, "maestro": _maestro, "simulate": _simulate})


def cost_model(name: str) -> CostModel:
    """The cost model of that name; InputError, which lists the names, where there is none."""
    if name not in COST_MODELS:
        hint = did_you_mean(str(name), COST_MODELS)
        raise InputError(f"no cost model is called {name!r}; use one of {', '.join(COST_MODELS)}{hint}")
    return COST_MODELS[name]()
