"""How far given mappings are from the best of their layers: a search that starts from each, and its lower bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mapsearch.formats.directives import MappedLayer
from mapsearch.model.evaluation import Evaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.plain import Plain
from mapsearch.search.mappings.sampler_names import GAP
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.rules import MAX_LEVELS
from mapsearch.studies.layer_search import search_layer
from mapsearch.studies.run.network_totals import gap_to, objective_of

LEAST_LEVELS = 2  # of the space, as `run` has it


@dataclass(frozen=True, slots=True)
class MappingGap(Plain):
    """A mapping beside the space of all mappings with as many levels, 2 at the least, and balanced tile sizes.

    objective: its value. best_objective: the least that is known, its own or that of a mapping of the space. lower_bound: no
    mapping of the space has less. gap: objective / lower_bound - 1, the most that another mapping may gain; below 0 where the
    mapping is better than all of the space, which lacks its tile sizes.
    """

    objective: float
    best_objective: float
    lower_bound: float | None
    gap: float | None


def mapping_gaps(
    layers: Sequence[MappedLayer], costs: Sequence[Evaluation], hardware: Hardware, model: str, objective: str
) -> list[MappingGap]:
    """The gap of each mapping, whose costs on the hardware are given; InputError where the model or the objective has no bound."""
    return [_gap(mapped, cost, hardware, model, objective) for mapped, cost in zip(layers, costs, strict=True)]


def _gap(mapped: MappedLayer, cost: Evaluation, hardware: Hardware, model: str, objective: str) -> MappingGap:
    levels = min(max(len(mapped.mapping.levels), LEAST_LEVELS), MAX_LEVELS)
    asked: dict[str, Any] = {"model": model, "objective": objective, "levels": levels, "gap": GAP}
    found = search_layer(mapped.layer, hardware, seeds=[mapped.mapping], **asked)
    value = objective_of(cost, Objective.of(objective), hardware)
    return MappingGap(value, min(value, found.objective), found.lower_bound, gap_to(found.lower_bound, value))
