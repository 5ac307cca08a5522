"""The layers of a network and the searches for them: a run without its machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf

from mapsearch.model.cost import CostModel, Restriction
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Budget, Searcher
from mapsearch.search.mappings.seeds import Seeds, classic_seeds
from mapsearch.search.mappings.task import Memory, Task
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.constraints import Constraints
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space


@dataclass(frozen=True, slots=True)
class LayersJob:
    """The layers to be mapped, and the settings of their searches.

    counts: how often each layer runs. objectives: of the network; objective: by which each layer's own best mapping is chosen.
    restriction: what every mapping is asked, see `Space`. dataflows: whose structures are seeds of every search; seed_mappings: for
    each layer, seeds too. power_mw: the largest power that a mapping may draw. memory: keeps searches that were made, if any does.
    """

    layers: tuple[Layer, ...]
    counts: tuple[int, ...]
    model: CostModel
    objectives: tuple[Objective, ...]
    objective: Objective
    levels: int
    tiles: TileRule
    constraints: Constraints
    restriction: Restriction
    dataflows: tuple[Constraints, ...]
    seed_mappings: tuple[tuple[Mapping, ...], ...]
    searcher: Searcher
    seed: int
    restarts: int
    power_mw: float = inf
    memory: Memory | None = None

    def problem(self, index: int, hardware: Hardware) -> Problem:
        """The mappings of a layer on a machine; InputError where there are none."""
        space = Space(self.layers[index], hardware, self.levels, self.tiles, self.constraints, self.restriction)
        return Problem(space, self.model, self.objective, self.power_mw)

    def seeds(self, problem: Problem, index: int, more: Sequence[Mapping] = ()) -> Seeds:
        """The seeds of the layer's search; more: mappings in addition to its own."""
        return Seeds(classic_seeds(problem.space, self.dataflows), problem.space.adopt((*self.seed_mappings[index], *more)))

    def tasks(self, problem: Problem, index: int, budget: Budget, more: Sequence[Mapping] = ()) -> list[Task]:
        """The searches of a layer, each with random numbers of its own, the same for all layers of its shape; more: see `seeds`."""
        seeds, number = self.seeds(problem, index, more), _number(self.layers[index])
        return [Task(problem, self.searcher, budget, (self.seed, number, k), seeds) for k in range(self.restarts)]


def _number(layer: Layer) -> int:
    """A number that layers of other shapes hardly share."""
    return int.from_bytes(sha256(repr(layer.shape).encode()).digest()[:4])
