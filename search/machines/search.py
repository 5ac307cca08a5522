"""The machine of a hardware space on which a network does best, each layer in its own best mapping.

Three stages map a machine more and more thoroughly: *quick* starts from the mappings of machines like it, *refined* adds branch and
bound over part of each layer's space, and *full* is the run's own search. Each stage gives the machine real mappings, and a later
stage never worse ones. A machine is dropped as soon as the lower bounds of all its objectives are no less than the objectives of
another, mapped machine. Optuna proposes the first machines. Then the most promising ones follow, by an estimate: the machine's
bound, times the mean ratio of objective to bound of the nearest mapped machines. Where every machine is dropped or fully mapped,
the best one is proven to be as good as any that the run's own search would find on the machines one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import numpy as np
import optuna
from numpy.typing import NDArray

from mapsearch.model.area import taken
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.search.engine import Engine
from mapsearch.search.machines.bounds import bounds_on, widest_of
from mapsearch.search.machines.candidate import Least, MappedNetwork, SeedMappings
from mapsearch.search.machines.sampler import MachineSampler, Point
from mapsearch.search.machines.stages import Stage, map_fully, map_machines
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.pareto import non_dominated
from mapsearch.search.progress import Watcher
from mapsearch.spaces.machines.space import HardwareSpace

Floats = NDArray[np.float64]

MOST_MACHINES = 200_000  # of a space; the bounds of one take half a millisecond a layer, and serve all that differ in widths only
EXHAUSTIVE = 500  # machines: a space of up to so many is searched until its best is proven

# Machines mapped at a time: a fixed number, so that seeds from other machines do not depend on the number of processes.
BATCH = 8
NEAREST = 3  # mapped machines from which a machine's objectives are estimated
SEED_MACHINES = 6  # mapped machines whose mappings are a machine's seeds
TIGHTENED_AT_ONCE = 512  # machines: after as many, the time is looked at
# Proposals in a row that bring nothing new, after which the sampler is given up.
STALE = 200


def check_space(space: HardwareSpace) -> None:
    """Raise InputError where a space has too many machines to bound one by one."""
    if space.size > MOST_MACHINES:
        raise InputError(
            f"hardware space {space.name}: must have at most {MOST_MACHINES:,} machines, got {space.size:,}; use larger steps"
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many machines are mapped: first by Optuna, quickly, then (stage, number) in turn of the most promising ones."""

    proposed: float
    then: tuple[tuple[Stage, float], ...]


# Some three minutes on two cores for a mobilenet, and one more for the baselines. The second quick mappings start from the first
# refined ones, and machines that differ from the best in widths only come close to it, so they are refined from its mappings.
BY_DEFAULT = Allowance(32, ((Stage.REFINED, 2), (Stage.QUICK, 24), (Stage.REFINED, 2)))
TO_THE_END = Allowance(64, ((Stage.QUICK, inf), (Stage.REFINED, inf), (Stage.FULL, inf)))


class Notebook(Protocol):
    """Keeps machines that were mapped, so that an interrupted search can go on."""

    def recall(self, point: Point, stage: Stage) -> MappedNetwork | None:
        """The machine as this stage mapped it; None where that is not known."""
        ...

    def note(self, point: Point, stage: Stage, mapped: MappedNetwork) -> None:
        """Keep a machine as a stage mapped it."""
        ...


@dataclass(slots=True)
class Candidate:
    """A machine that is within the limits when idle.

    bound, values: float64[m], lower bounds and values of the network's objectives; values are infinite before the machine is
    mapped.
    outcomes: of the full search.
    """

    point: Point
    hardware: Hardware
    least: Least
    bound: Floats
    values: Floats
    stage: Stage = Stage.BOUNDED
    dropped: bool = False
    mapped: MappedNetwork | None = None
    outcomes: tuple[tuple[Outcome, ...], ...] = field(default=())


class MachineSearch:
    """One search; its state is in `machines` at any time, by their points, the machines with the widest buses first.

    over: the number of machines beyond the limits, which are never mapped. stopped: whether Ctrl-C ended the search.
    """

    def __init__(
        self,
        space: HardwareSpace,
        machines: Mapping[Point, Hardware],
        job: LayersJob,
        budget: Budget,
        notebook: Notebook,
        bounds: Mapping[Point, Least],
        deadline: float = inf,
        *,
        tightens: bool = True,
    ) -> None:
        """Begin with the machines of the space within its limits, and their bounds.

        budget: of a layer's full search. bounds: `widest_bounds`, or tighter ones. deadline: by `time.monotonic`; after it, one
        machine is mapped if none has been, and only the best machine is mapped fully. tightens: whether machines get bounds for
        their own widths, once some are mapped.
        """
        self._space, self._job, self._budget, self._notebook, self._deadline = space, job, budget, notebook, deadline
        self._tightens = tightens
        none = np.full(len(job.objectives), inf)
        self.machines = {
            point: Candidate(point, hardware, bounds[point], bounds[point].values(job, hardware), none)
            for point, hardware in machines.items()
        }
        self.over = space.size - len(self.machines)
        self.stopped = False

    @property
    def _late(self) -> bool:
        return time.monotonic() >= self._deadline

    @property
    def best(self) -> Candidate | None:
        """The mapped machine with the least objective, or product of several.

        Of equal ones, the one mapped most thoroughly, then the one with the least runtime, energy and area, or DSPs and block RAMs.
        """
        mapped = [machine for machine in self.machines.values() if np.isfinite(machine.values).all()]
        ranks = [_rank(machine.values[None])[0] for machine in mapped]
        least = min(ranks, default=inf)
        return min((machine for machine, rank in zip(mapped, ranks, strict=True) if rank == least), key=self._cost, default=None)

    def _cost(self, machine: Candidate) -> tuple[float, ...]:
        runtime, energy = machine.mapped.sums(self._job) if machine.mapped is not None else (inf, inf)
        return -machine.stage, runtime / machine.hardware.clock_mhz, energy, *taken(machine.hardware).values()

    def front(self) -> list[Candidate]:
        """The Pareto front: mapped machines that no other one dominates in the objectives."""
        mapped = [machine for machine in self.machines.values() if np.isfinite(machine.values).all()]
        if not mapped:
            return []
        return [mapped[row] for row in non_dominated(np.stack([machine.values for machine in mapped])).tolist()]

    def run(self, allowance: Allowance, engine: Engine, watch: Watcher | None, mapped: Callable[[Stage], None]) -> None:
        """Map machines as far as the allowance goes; watch: watches each batch; mapped: called after it with its stage.

        Ctrl-C ends the search and sets `stopped`.
        """
        try:
            for stage, batch in self._batches(allowance, engine, watch):
                self._map(stage, batch, engine, watch)
                self._drop()
                mapped(stage)
        except KeyboardInterrupt:
            self.stopped = True

    def map_best(self, engine: Engine, watch: Watcher | None, mapped: Callable[[Stage], None]) -> None:
        """Map the best machine by the run's own search, until it is one with that search's outcomes; see `run`.

        The notes of an interrupted search lack outcomes, so a machine from there is mapped again.
        """
        try:
            while not self.stopped and (best := self.best) is not None and not best.outcomes:
                self._map_fully(best, engine, watch)
                self._drop()
                mapped(Stage.FULL)
        except KeyboardInterrupt:
            self.stopped = True

    def _batches(self, allowance: Allowance, engine: Engine, watch: Watcher | None) -> Iterator[tuple[Stage, list[Candidate]]]:
        """Yield batches of machines to map next, each chosen when the batches before it are done."""
        for batch in self._proposed(allowance.proposed):
            yield Stage.QUICK, batch
            if self._late and self.best is not None:
                break
        if self._tightens:
            self._tighten(engine, watch)
        self._drop()
        for stage, most in allowance.then:
            used = 0
            while used < most and not self._late:
                size = 1 if stage == Stage.FULL else int(min(BATCH, most - used))
                batch = self._promising(stage, size)
                if not batch:
                    break
                used += len(batch)
                yield stage, batch

    def _proposed(self, most: float) -> Iterator[list[Candidate]]:
        """Yield batches that Optuna proposes, each machine once; for known machines, Optuna gets the values at once."""
        sampler = MachineSampler(self._space, len(self._job.objectives), self._job.seed, BATCH, self._first())
        used, stale = 0, 0
        while used < most and stale < STALE:
            batch: dict[Point, tuple[optuna.Trial, Candidate]] = {}
            size = 1 if self._late else min(BATCH, most - used)
            while len(batch) < size and stale < STALE:
                trial, point = sampler.ask()
                machine = self.machines.get(point)
                if machine is not None and machine.stage == Stage.BOUNDED and not machine.dropped and point not in batch:
                    batch[point] = trial, machine
                    stale = 0
                else:
                    sampler.tell(trial, self._known_of(machine))
                    stale += 1
            used += len(batch)
            if batch:
                yield [machine for _, machine in batch.values()]
            for trial, machine in batch.values():
                sampler.tell(trial, machine.values)

    def _known_of(self, machine: Candidate | None) -> Floats:
        if machine is None:
            return np.full(len(self._job.objectives), inf)
        if np.isfinite(machine.values).all():
            return machine.values
        known = machine.stage == Stage.BOUNDED and np.isfinite(machine.bound).all()
        return machine.bound if known else np.full(len(self._job.objectives), inf)

    def _first(self) -> list[Point]:
        """The machines with the least bounds, no two of which differ in widths only."""
        ranked = sorted(self.machines.values(), key=lambda machine: tuple(machine.bound))
        firsts: dict[Point, Point] = {}
        for machine in ranked:
            firsts.setdefault(widest_of(self._space, machine.point), machine.point)
        return list(firsts.values())[:BATCH]

    def _tighten(self, engine: Engine, watch: Watcher | None) -> None:
        """Give the open machines bounds for their own widths, as far as there is time."""
        left = [machine for machine in self.machines.values() if not machine.dropped and machine.stage == Stage.BOUNDED]
        while left and not self._late:
            now, left = left[:TIGHTENED_AT_ONCE], left[TIGHTENED_AT_ONCE:]
            found = bounds_on(self._job, [machine.hardware for machine in now], engine, watch)
            for machine, least in zip(now, found, strict=True):
                machine.least = least
                machine.bound = np.maximum(machine.bound, least.values(self._job, machine.hardware))

    def _promising(self, stage: Stage, most: int) -> list[Candidate]:
        """Up to `most` machines for a stage: those not dropped and not yet mapped by it, with the least expected objectives."""
        least = Stage.BOUNDED if stage == Stage.QUICK else Stage.QUICK
        open_ones = [machine for machine in self.machines.values() if least <= machine.stage < stage and not machine.dropped]
        if not open_ones:
            return []
        expected = self._expected(open_ones) if stage == Stage.QUICK else np.stack([each.values for each in open_ones])
        return [open_ones[row] for row in np.argsort(_rank(expected), kind="stable")[:most].tolist()]

    def _expected(self, machines: Sequence[Candidate]) -> Floats:
        """Expected objectives of machines, float64[n, m], from the nearest mapped machines."""
        bounds = np.stack([machine.bound for machine in machines])
        mapped = [machine for machine in self.machines.values() if np.isfinite(machine.values).all()]
        if not mapped:
            return bounds
        values, least = np.stack([each.values for each in mapped]), np.stack([each.bound for each in mapped])
        nearest = np.array(_nearest([machine.point for machine in machines], mapped, NEAREST), np.intp)
        with np.errstate(all="ignore"):
            ratios: Floats = np.where(least > 0, values / least, 1.0)
        by_bound: Floats = bounds * ratios[nearest].mean(axis=1)
        as_near: Floats = values[nearest].mean(axis=1)
        return np.where(bounds > 0, by_bound, as_near)

    def _map(self, stage: Stage, batch: Sequence[Candidate], engine: Engine, watch: Watcher | None) -> None:
        """Map a batch; its machines start from mappings that were known before the batch."""
        recalled = {machine.point: self._notebook.recall(machine.point, stage) for machine in batch}
        new = [machine for machine in batch if recalled[machine.point] is None]
        if stage == Stage.FULL:
            for machine in new:
                self._map_fully(machine, engine, watch)
        else:
            rng_seeds = [(self._job.seed, int(stage), *machine.point) for machine in new]
            seed_mappings = [(machine.hardware, self.seed_mappings(machine.point)) for machine in new]
            for place, mapped in map_machines(self._job, stage, seed_mappings, rng_seeds, engine, watch):
                self._keep(new[place], stage, mapped)
        for machine in batch:
            known = recalled[machine.point]
            if known is not None:
                self._settle(machine, stage, known)

    def _map_fully(self, machine: Candidate, engine: Engine, watch: Watcher | None) -> None:
        for mapped, outcomes in map_fully(self._job, machine.hardware, self._budget, engine, watch):
            machine.outcomes = outcomes
            self._keep(machine, Stage.FULL, mapped)

    def _keep(self, machine: Candidate, stage: Stage, mapped: MappedNetwork) -> None:
        both = mapped if machine.mapped is None else mapped.better_of(machine.mapped, self._job)
        self._notebook.note(machine.point, stage, both)
        self._settle(machine, stage, both)

    def _settle(self, machine: Candidate, stage: Stage, mapped: MappedNetwork) -> None:
        machine.mapped, machine.stage, machine.values = mapped, stage, mapped.values(self._job)
        bound = machine.least.values(self._job, machine.hardware, mapped.lower_bounds)
        machine.bound = np.maximum(machine.bound, inf if np.isposinf(mapped.lower_bounds).any() else bound)

    def take(self, point: Point, mapped: MappedNetwork) -> None:
        """Keep mappings of a machine that were refined elsewhere."""
        machine = self.machines[point]
        self._keep(machine, max(Stage.REFINED, machine.stage), mapped)

    def seed_mappings(self, point: Point) -> SeedMappings:
        """For each layer, the mappings of the machines nearest to a point, and of the best machine."""
        mapped = [each for each in self.machines.values() if np.isfinite(each.values).all()]
        if not mapped:
            return ((),) * len(self._job.layers)
        nearest = [mapped[row] for row in _nearest([point], mapped, SEED_MACHINES)[0]]
        networks = [each.mapped.mappings for each in (*nearest, self.best) if each is not None and each.mapped is not None]
        layers = range(len(self._job.layers))
        of_layers = [dict.fromkeys(mappings[layer] for mappings in networks) for layer in layers]
        return tuple(tuple(mapping for mapping in found if mapping is not None) for found in of_layers)

    def _drop(self) -> None:
        """Drop every machine that can beat another one's values in no objective."""
        left = [machine for machine in self.machines.values() if machine.stage < Stage.FULL and not machine.dropped]
        bounds = np.array([machine.bound for machine in left]).reshape(len(left), len(self._job.objectives))
        for better in self.front():
            for row in np.flatnonzero((bounds >= better.values).all(axis=1)).tolist():
                left[row].dropped = left[row] is not better or left[row].dropped


def _nearest(points: Sequence[Point], mapped: Sequence[Candidate], most: int) -> list[list[int]]:
    """For each point, the indices of the nearest mapped machines, at most `most`, by the steps along the axes between them."""
    axes = len(mapped[0].point)
    some = np.array(points, np.int64).reshape(len(points), axes)
    others = np.array([machine.point for machine in mapped], np.int64).reshape(len(mapped), axes)
    distance = np.abs(some[:, None, :] - others[None, :, :]).sum(axis=2)
    nearest: list[list[int]] = np.argsort(distance, axis=1, kind="stable")[:, :most].tolist()
    return nearest


def _rank(values: Floats) -> Floats:
    """A rank of n machines, smaller for better ones, from their objectives, float64[n, m]: of several, the product counts."""
    if values.shape[1] == 1:
        return values[:, 0]
    ranks: Floats = np.log(np.maximum(values, 1e-300)).sum(axis=1)
    return ranks
