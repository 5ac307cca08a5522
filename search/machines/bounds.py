"""Lower bounds on what any mappings cost on many machines, some of which are a task of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mapsearch.model.english import counted
from mapsearch.model.hardware import Hardware
from mapsearch.search.engine import Engine, run_tasks
from mapsearch.search.machines.candidate import Least
from mapsearch.search.machines.sampler import Point
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.progress import Tick, Watcher
from mapsearch.spaces.machines.space import WIDTHS, HardwareSpace

OF_A_TASK = 32  # machines: about half a second for a mobilenet


@dataclass(frozen=True, slots=True)
class BoundsTask:
    """The bounds on some machines, an `engine.Job`."""

    job: LayersJob
    machines: tuple[Hardware, ...]

    def prepare(self) -> None:
        """See `Job`."""
        Least.on(self.job, self.machines[0])

    def run(self, tick: Tick) -> list[Least] | None:
        """For each machine; None where `tick` stopped it."""
        found: list[Least] = []
        for hardware in self.machines:
            found.append(Least.on(self.job, hardware))
            if tick(len(found)):
                return None
        return found


def bounds_on(job: LayersJob, machines: Sequence[Hardware], engine: Engine, watch: Watcher | None) -> list[Least]:
    """For each machine, whatever power the mappings draw; stops as `run_tasks` does."""
    tasks = [BoundsTask(job, tuple(machines[at : at + OF_A_TASK])) for at in range(0, len(machines), OF_A_TASK)]
    if watch is not None:
        watch.began([f"lower bounds on {counted(len(machines), 'machine')}"], len(machines))
    found = dict(run_tasks(tasks, engine, None if watch is None else lambda ticks: watch.advanced(ticks.sum(keepdims=True))))
    return [least for _, of_task in sorted(found.items()) for least in of_task]


def widest_bounds(
    space: HardwareSpace, points: Sequence[Point], job: LayersJob, engine: Engine, watch: Watcher | None
) -> Mapping[Point, Least]:
    """For each point, the bounds on the machine that differs in widths only and has the widest: none of these costs less."""
    widest = {point: widest_of(space, point) for point in points}
    firsts = list(dict.fromkeys(widest.values()))
    found = dict(zip(firsts, bounds_on(job, [space.at(first) for first in firsts], engine, watch), strict=True))
    return {point: found[first] for point, first in widest.items()}


def widest_of(space: HardwareSpace, point: Point) -> Point:
    """The point with the widest buses and else the same."""
    axes = zip(space.axes, point, strict=True)
    return tuple(len(axis.values) - 1 if axis.key in WIDTHS else place for axis, place in axes)
