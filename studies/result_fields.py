"""The types of results' fields, which are checked when results are read back from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import Field, FiniteFloat, PlainValidator, TypeAdapter

from mapsearch.model.errors import show
from mapsearch.model.evaluation import CountedEvaluation, Energy, Evaluation, NamedFigures
from mapsearch.model.plain import plain

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _evaluation(data: object) -> Evaluation:
    """An evaluation from its plain data."""
    if isinstance(data, CountedEvaluation | NamedFigures):
        return data
    if not isinstance(data, dict):
        raise ValueError(f"must be an object, got {show(data)}")  # noqa: TRY004 pydantic takes a ValueError for a complaint
    figures = cast("dict[str, Any]", data)
    TypeAdapter(_Common).validate_json(json.dumps(figures), strict=True)
    if "array_cycles" in figures:
        return TypeAdapter(CountedEvaluation).validate_json(json.dumps(_split_energy(figures)), strict=True)
    return NamedFigures(str(figures["layer"]), {key: value for key, value in figures.items() if key != "layer"})


def _split_energy(data: Mapping[str, Any]) -> dict[str, Any]:
    energy = dict(data["energy_pj"])
    return {**data, "energy_pj": {"total": energy.pop("total", None), "parts": energy}}


def _check_energy(data: object) -> Energy:
    parts = TypeAdapter(dict[str, FiniteFloat]).validate_json(json.dumps(plain(data)), strict=True)
    if "total" not in parts:
        raise ValueError("total is missing")
    return Energy.of(parts)


Energies = Annotated[Energy, PlainValidator(_check_energy)]


@dataclass(frozen=True, slots=True)
class _Common:
    """The fields of an evaluation by any model."""

    layer: str
    macs: Positive
    runtime_cycles: Positive
    energy_pj: Energies
    edp_pj_cycles: FiniteFloat
    utilization: FiniteFloat | None = None
    bound_by: Literal["compute", "ingress", "egress", "offchip", "issue"] | None = None


Figures = Annotated[Evaluation, PlainValidator(_evaluation)]
