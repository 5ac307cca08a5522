"""What zeros are worth: cycles and energy of one layer's mappings over the density of an operand, on a machine and its likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

import numpy as np

from mapsearch.formats.mixes import load_network
from mapsearch.model.cost import Fit
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping, encode
from mapsearch.model.plain import Plain
from mapsearch.model.sparsity import NOTHING_SPARED, Sparsities, Uniform
from mapsearch.model.tensors import Tensor
from mapsearch.search.objectives.objective import Objective, objectives_of
from mapsearch.studies.evaluate import HardwareSource, machine, with_balanced
from mapsearch.studies.layer_search import search_layer

DENSITIES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.1, 0.05)
EVALUATIONS = 40_000


class Likeness(StrEnum):
    """A machine that differs from the one that is asked about in what it makes of zeros alone.

    DENSE: nothing. GATING: their time is taken, their energy spared; formats as they are. SKIPPING: that machine itself.
    """

    DENSE = "dense"
    GATING = "gating"
    SKIPPING = "skipping"


@dataclass(frozen=True, slots=True)
class Point(Plain):
    """The mapping of a density that is best for the objective.

    balanced_runtime_cycles: its runtime if no time were lost to load imbalance; None where the machine skips no zeros.
    """

    density: float
    runtime_cycles: int
    energy_pj: float
    balanced_runtime_cycles: int | None = None

    optional: ClassVar[frozenset[str]] = frozenset({"balanced_runtime_cycles"})


@dataclass(frozen=True, slots=True)
class DensityStudy(Plain):
    """The points of each machine, by `DENSITIES`; operand: the tensor whose zeros, at random places, are more and more."""

    layer: str
    hardware: str
    objective: str
    operand: str
    lines: dict[str, tuple[Point, ...]]


def load_layer(text: str) -> Layer:
    """The layer that SET:NAME names; InputError where that is not one layer."""
    first, *others = load_network(text).unique
    if others:
        example = f"{text.partition(':')[0]}:{first.layer.name}"
        raise InputError(f"{text}: must be one layer, got {1 + len(others)}; name one, as in {example}")
    return first.layer


def density_study(
    layer: Layer, hardware: HardwareSource | None = None, objective: str = "edp", evaluations: int = EVALUATIONS
) -> DensityStudy:
    """Search mappings of the layer at each density, and let each machine choose the best of all that are found.

    evaluations: of each of the 13 searches, one for the machine that makes nothing of zeros and one for each density.
    Raises InputError where the machine spares no zeros, or no mapping is found.
    """
    target, (goal, *others) = machine(hardware), objectives_of(objective)
    if others:
        raise InputError(f"objective {objective}: must be one, as each density has one best mapping")
    if not target.sparse.spared:
        example = f"{target.name},sparse.skip=[weight]"
        raise InputError(f"hardware {target.name}: must skip or gate zeros; name an operand, as in --hardware '{example}'")
    operand, machines = min(target.sparse.spared), _likes(target)
    layers = [replace(layer, sparsity=_with_share(layer.sparsity, operand, density)) for density in DENSITIES]
    dense, *_, own = machines.values()
    pool: list[Mapping] = []
    for each, like in ((layers[0], dense), *((each, own) for each in layers)):
        found = search_layer(each, like, seeds=pool[-2:], objective=objective, evaluations=evaluations)
        if not found.finished:
            raise KeyboardInterrupt
        pool.append(found.mapping)
    lines = {
        str(likeness): tuple(_best(each, like, pool, goal, density) for each, density in zip(layers, DENSITIES, strict=True))
        for likeness, like in machines.items()
    }
    return DensityStudy(layer.name, target.name, objective, operand.label, lines)


def _likes(target: Hardware) -> dict[Likeness, Hardware]:
    """The machines, itself last."""
    sparse = target.sparse
    likes = {Likeness.DENSE: NOTHING_SPARED, Likeness.GATING: replace(sparse, skip=frozenset(), gate=sparse.spared, balanced=False)}
    if sparse.skip:
        likes[Likeness.SKIPPING] = sparse
    return {likeness: replace(target, sparse=each) for likeness, each in likes.items()}


def _with_share(sparsity: Sparsities, operand: Tensor, density: float) -> Sparsities:
    w, i, o = (Uniform(density) if tensor is operand else each for tensor, each in zip(Tensor, sparsity, strict=True))
    return w, i, o


def _best(layer: Layer, hardware: Hardware, pool: Sequence[Mapping], goal: Objective, density: float) -> Point:
    model, batch = ExactModel(), encode(pool, layer, hardware.shape)
    costs = model.evaluate(layer, hardware, batch)
    values = goal.value(costs.runtime_cycles, costs.energy_pj(), layer.macs, hardware)
    row = int(np.argmin(np.where(costs.fit == Fit.LEGAL, values, np.inf)))
    zeros = with_balanced(costs.report(row), model, layer, hardware, batch[row : row + 1]).sparse
    balanced = None if zeros is None else zeros.balanced_runtime_cycles
    return Point(density, int(costs.runtime_cycles[row]), float(costs.energy_pj()[row]), balanced)
