"""The fronts of a run's layers, as rows and directive files, and the network's mapping chosen from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mapsearch.formats.directives import MappedLayer, Network, parse
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.search.network import Selections, select
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.pareto import Front, non_dominated
from mapsearch.studies.folder import NETWORK


@dataclass(frozen=True, slots=True)
class LayerFront:
    """F mappings of a layer and their figures, in ascending order of cycles and falling order of energy."""

    mapped: tuple[MappedLayer, ...]
    points: tuple[Mapping[str, Any], ...]


def layer_front(layer: Layer, front: Front, objectives: Sequence[Objective], hardware: Hardware) -> LayerFront:
    """The points of a front that no other is better than in all the objectives; each says its cycles, energy and objectives."""
    values = np.stack([each.value(front.runtime_cycles, front.energy_pj, layer.macs, hardware) for each in objectives], axis=1)
    kept = front[non_dominated(values)] if len(objectives) > 1 else front
    values = values[non_dominated(values)] if len(objectives) > 1 else values
    points = [
        {"runtime_cycles": cycles, "energy_pj": energy, "objectives": found}
        for cycles, energy, found in zip(kept.runtime_cycles.tolist(), kept.energy_pj.tolist(), values.tolist(), strict=True)
    ]
    return LayerFront(tuple(MappedLayer(layer, kept.batch.decode(row, layer)) for row in range(len(kept))), tuple(points))


def front_network(name: str, front: LayerFront) -> Network:
    """A front as one network: the layer once for each point, with the point's number, from 1, in its name."""
    layers = [
        replace(mapped, layer=replace(mapped.layer, name=f"{mapped.layer.name}_{number}"))
        for number, mapped in enumerate(front.mapped, start=1)
    ]
    return Network(name, tuple(layers))


def read_front(text: str, source: str, layer: Layer, points: Sequence[Mapping[str, Any]]) -> LayerFront:
    """The front of a layer from what `front_network` was printed to, and its points as recorded."""
    return LayerFront(tuple(replace(mapped, layer=layer) for mapped in parse(text, source).layers), tuple(points))


@dataclass(frozen=True, slots=True)
class Together:
    """A network's mapping chosen from its layers' fronts, one for each layer, and what results tell of it."""

    layers: tuple[MappedLayer, ...]
    told: dict[str, Any]


def choose_together(
    fronts: Sequence[LayerFront],
    counts: Sequence[int],
    objectives: Sequence[Objective],
    objective: Objective,
    hardware: Hardware,
    own_best: Mapping[str, Any],
) -> Together | None:
    """The choice with the least objective over the network's sums; None where the layers' own best mappings do better.

    own_best: `totals` of the layers' own best mappings. `gain` is their objective over the choice's - 1, and `gap` the
    choice's over the lower bound - 1. Of several objectives the network's front is told too: of the choices on the hull of its
    cycles and energy, those that no other is better than in all of the objectives.
    """
    chosen = select(
        [np.array([point["runtime_cycles"] for point in front.points], np.int64) for front in fronts],
        [np.array([point["energy_pj"] for point in front.points]) for front in fronts],
        counts,
    )
    macs = own_best["macs"]
    values = objective.value(chosen.runtime_cycles, chosen.energy_pj, macs, hardware)
    best = int(np.where(np.isfinite(values), values, np.inf).argmin())
    value = float(values[best])
    if not value <= own_best["objective"]:
        return None
    told: dict[str, Any] = {
        "mapping_file": NETWORK,
        "objective": value,
        "gain": own_best["objective"] / value - 1 if value > 0 else 0.0,
        "gap": value / own_best["lower_bound"] - 1 if own_best["lower_bound"] else None,
        **_told(chosen, best),
    }
    if len(objectives) > 1:
        each = np.stack([each.value(chosen.runtime_cycles, chosen.energy_pj, macs, hardware) for each in objectives], axis=1)
        told["front"] = [{**_told(chosen, row), "objectives": each[row].tolist()} for row in non_dominated(each).tolist()]
    numbered: list[int] = told["points"]
    return Together(tuple(front.mapped[number - 1] for front, number in zip(fronts, numbered, strict=True)), told)


def _told(chosen: Selections, row: int) -> dict[str, Any]:
    """The sums of a selection, and for each layer the number of its point, from 1, as in the names of its front's file."""
    return {
        "runtime_cycles": int(chosen.runtime_cycles[row]),
        "energy_pj": float(chosen.energy_pj[row]),
        "points": [int(point) + 1 for point in chosen.points[row]],
    }
