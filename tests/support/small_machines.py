"""A network of two small layers, a space of eight machines, and how all of them are mapped one by one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf

from by_hand import layer_of

from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.model.cost import Restriction
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer, Noc
from mapsearch.search.machines.bounds import widest_bounds
from mapsearch.search.machines.candidate import MappedNetwork
from mapsearch.search.machines.sampler import Point
from mapsearch.search.machines.search import Allowance, Candidate, MachineSearch
from mapsearch.search.machines.stages import Stage, map_fully
from mapsearch.search.mappings.anytime import BY_DEFAULT, AnytimeSearcher
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.sampler_names import GAP
from mapsearch.search.mappings.searcher import Budget
from mapsearch.search.objectives.objective import Objective, objectives_of
from mapsearch.search.processes import Processes
from mapsearch.spaces.machines.space import Axis, HardwareSpace, Limits
from mapsearch.spaces.mappings.constraints import Constraints
from mapsearch.spaces.mappings.rules import TileRule

UNREFINED = Allowance(8, ((Stage.QUICK, inf), (Stage.FULL, inf)))  # to the end too, but quicker
BUDGET = Budget(trials=2, evaluations_per_trial=100)
AXES = (
    Axis("pes", (2, 4)),
    Axis("l1.bytes", (16, 48)),
    Axis("noc.bytes_per_cycle", (1, 4)),
)
BASE = replace(load_hardware("edge"), pes=2, l1=Buffer(16), l2=Buffer(512), noc=Noc(1))


def job_of(objective: str, power_mw: float = inf) -> LayersJob:
    objectives = objectives_of(objective)
    return LayersJob(
        layers=(replace(layer_of(K=4, C=2, X=3), name="pointwise"), replace(layer_of(K=2, R=2, Y=4), name="conv")),
        counts=(2, 1),
        model=ExactModel(),
        objectives=objectives,
        objective=objectives[0] if len(objectives) == 1 else Objective.of("edp"),
        levels=2,
        tiles=TileRule.BALANCED,
        constraints=Constraints(),
        restriction=Restriction(),
        dataflows=(load_dataflow("kcp_ws"),),
        seed_mappings=((), ()),
        searcher=AnytimeSearcher(GAP, BY_DEFAULT),
        seed=0,
        restarts=1,
        power_mw=power_mw,
    )


def space_of(limits: Limits) -> HardwareSpace:
    return HardwareSpace("small", BASE, AXES, limits)


class Notes:
    """A notebook in memory, which counts its notes."""

    def __init__(self) -> None:
        self.known: dict[tuple[Point, Stage], MappedNetwork] = {}
        self.noted = 0

    def recall(self, point: Point, stage: Stage) -> MappedNetwork | None:
        return self.known.get((point, stage))

    def note(self, point: Point, stage: Stage, mapped: MappedNetwork) -> None:
        self.known[point, stage] = mapped
        self.noted += 1


def begun(job: LayersJob, space: HardwareSpace, notes: Notes, deadline: float = inf) -> MachineSearch:
    """A search whose machines have their bounds."""
    machines = dict(space.within_limits())
    bounds = widest_bounds(space, list(machines), job, Processes(1), None)
    return MachineSearch(space, machines, job, BUDGET, notes, bounds, deadline)


def searched(
    objective: str, limits: Limits, *, allowance: Allowance = UNREFINED, jobs: int = 1, notes: Notes | None = None
) -> MachineSearch:
    """A search that has come to its end."""
    search = begun(job_of(objective, limits.power_mw), space_of(limits), notes if notes is not None else Notes())
    search.run(allowance, Processes(jobs), None, lambda _: None)
    return search


def told(search: MachineSearch) -> list[tuple[object, ...]]:
    """All that a search came to, machine by machine."""
    return [_told(machine) for machine in search.machines.values()]


def _told(machine: Candidate) -> tuple[object, ...]:
    mappings = machine.mapped.mappings if machine.mapped is not None else ()
    return machine.point, machine.stage, machine.dropped, machine.values.tolist(), machine.bound.tolist(), mappings


@cache
def exhaustive(objective: str, power_mw: float = inf) -> dict[Point, float]:
    """The objective of every machine of the space, whatever its area, as a run of its own maps it."""
    job, space = job_of(objective, power_mw), space_of(Limits())
    every = [(a, b, c) for a in range(2) for b in range(2) for c in range(2)]
    found: dict[Point, float] = {}
    for point in every:
        [(mapped, _)] = map_fully(job, space.at(point), BUDGET, Processes(1), None)
        found[point] = float(mapped.values(job)[0])
    return found
