"""The Pareto fronts of a run's layers, as rows and directive files, and the network's mapping chosen from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mapsearch.formats.directives import MappedLayer, Network, parse
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.search.network import Selections, select
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.pareto import Front, non_dominated
from mapsearch.studies.folder import NETWORK
from mapsearch.studies.results import FrontPoint, NetworkChoice, NetworkPoint, Totals


@dataclass(frozen=True, slots=True)
class LayerFront:
    """F mappings of a layer and their figures, in ascending order of cycles and falling order of energy."""

    mapped: tuple[MappedLayer, ...]
    points: tuple[FrontPoint, ...]


def layer_front(layer: Layer, front: Front, objectives: Sequence[Objective], hardware: Hardware) -> LayerFront:
    """The points of a front that are non-dominated in the objectives, each with its cycles, energy and objectives."""
    values = np.stack([each.value(front.runtime_cycles, front.energy_pj, layer.macs, hardware) for each in objectives], axis=1)
    kept = front[non_dominated(values)] if len(objectives) > 1 else front
    values = values[non_dominated(values)] if len(objectives) > 1 else values
    points = [
        FrontPoint(cycles, energy, tuple(found))
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


def read_front(text: str, source: str, layer: Layer, points: Sequence[FrontPoint]) -> LayerFront:
    """The front of a layer from the printed text of `front_network` and the recorded points."""
    return LayerFront(tuple(replace(mapped, layer=layer) for mapped in parse(text, source).layers), tuple(points))


@dataclass(frozen=True, slots=True)
class Together:
    """A network's mapping chosen from its layers' fronts, one for each layer, and its figures."""

    layers: tuple[MappedLayer, ...]
    choice: NetworkChoice


def choose_together(
    fronts: Sequence[LayerFront],
    counts: Sequence[int],
    objectives: Sequence[Objective],
    objective: Objective,
    hardware: Hardware,
    own_best: Totals,
) -> Together | None:
    """The choice with the least objective over the network's sums; None where the layers' own best mappings do better.

    own_best: the totals of the layers' own best mappings. With several objectives there is a front too: the choices on the hull of
    the network's cycles and energy that are non-dominated in the objectives.
    """
    chosen = select(
        [np.array([point.runtime_cycles for point in front.points], np.int64) for front in fronts],
        [np.array([point.energy_pj for point in front.points]) for front in fronts],
        counts,
    )
    values = objective.value(chosen.runtime_cycles, chosen.energy_pj, own_best.macs, hardware)
    best = int(np.where(np.isfinite(values), values, np.inf).argmin())
    value = float(values[best])
    if own_best.objective is None or not value <= own_best.objective:
        return None
    points = _points(chosen, best)
    choice = NetworkChoice(
        mapping_file=NETWORK,
        objective=value,
        gain=own_best.objective / value - 1 if value > 0 else 0.0,
        gap=value / own_best.lower_bound - 1 if own_best.lower_bound else None,
        runtime_cycles=int(chosen.runtime_cycles[best]),
        energy_pj=float(chosen.energy_pj[best]),
        points=points,
        front=_front(chosen, objectives, own_best.macs, hardware) if len(objectives) > 1 else None,
    )
    return Together(tuple(front.mapped[number - 1] for front, number in zip(fronts, points, strict=True)), choice)


def _front(chosen: Selections, objectives: Sequence[Objective], macs: int, hardware: Hardware) -> tuple[NetworkPoint, ...]:
    each = np.stack([each.value(chosen.runtime_cycles, chosen.energy_pj, macs, hardware) for each in objectives], axis=1)
    return tuple(
        NetworkPoint(int(chosen.runtime_cycles[row]), float(chosen.energy_pj[row]), _points(chosen, row), tuple(each[row].tolist()))
        for row in non_dominated(each).tolist()
    )


def _points(chosen: Selections, row: int) -> tuple[int, ...]:
    """For each layer of a selection, the number of its point, from 1, as in the names of its front's file."""
    return tuple(int(point) + 1 for point in chosen.points[row])
