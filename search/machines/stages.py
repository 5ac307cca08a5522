"""The stages by which a machine is mapped: quickly, then with limited branch and bound, then as a run of its own would be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from math import inf
from typing import TypeVar

import numpy as np

from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import Mapping, encode
from mapsearch.search.engine import Engine, Job, run_tasks
from mapsearch.search.machines.candidate import MappedNetwork, SeedMappings
from mapsearch.search.mappings.anytime import AnytimeSearcher
from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.compiling import compile_for
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.incumbent import Incumbent, Step
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.rounds import search_layers
from mapsearch.search.mappings.sampler_names import GAP, PROVING_TRIALS, Sampler
from mapsearch.search.mappings.searcher import EVALUATIONS_PER_TRIAL, Budget, Limit, Outcome, Searcher
from mapsearch.search.progress import Tick, Watcher

R = TypeVar("R")


class Stage(IntEnum):
    """How thoroughly a machine is mapped."""

    BOUNDED = 0
    QUICK = 1
    REFINED = 2
    FULL = 3


_SEARCHES: dict[Stage, tuple[Searcher, Budget]] = {
    Stage.QUICK: (GeneticSearcher(), Budget.within(1500, Sampler.GENETIC)),
    Stage.REFINED: (AnytimeSearcher(GAP, Limit(parts=200_000)), Budget(PROVING_TRIALS, EVALUATIONS_PER_TRIAL)),
}


@dataclass(frozen=True, slots=True)
class MachineTask:
    """The search of all layers on one machine, an `engine.Job`; seed_mappings: for each layer, the mappings to start from."""

    job: LayersJob
    hardware: Hardware
    seed_mappings: SeedMappings
    searcher: Searcher
    budget: Budget
    seed: tuple[int, ...]

    def prepare(self) -> None:
        """See `Job`; on a machine that a layer does not fit, there is nothing to compile."""
        with contextlib.suppress(InputError):
            compile_for(self.job.problem(0, self.hardware))

    def run(self, tick: Tick) -> MappedNetwork | None:
        """The machine with the best mappings found; None where `tick` stopped the search."""
        outcomes: list[Outcome] = []
        for index in range(len(self.job.layers)):
            try:
                problem = self.job.problem(index, self.hardware)
            except InputError:  # no mapping fits
                return _unmapped(self.job, self.hardware)
            outcomes.append(self._search(problem, index))
            if tick(index + 1):
                return None
        return _mapped_by(self.job, self.hardware, outcomes)

    def _search(self, problem: Problem, index: int) -> Outcome:
        seeds = self.job.seeds(problem, index, self.seed_mappings[index])
        return self.searcher.search(problem, self.budget, (*self.seed, index), seeds, lambda _: False)


def map_machines(
    job: LayersJob,
    stage: Stage,
    machines: Sequence[tuple[Hardware, SeedMappings]],
    rng_seeds: Sequence[tuple[int, ...]],
    engine: Engine,
    watch: Watcher | None,
    timeout_seconds: float | None = None,
) -> Iterator[tuple[int, MappedNetwork]]:
    """Yield (index, machine) as a stage maps the machines, each with random seeds of its own; stops as `run_tasks` does.

    timeout_seconds: of each layer's search.
    """
    searcher, budget = _SEARCHES[stage]
    budget = replace(budget, timeout_seconds=timeout_seconds)
    tasks = [
        MachineTask(job, hardware, seed_mappings, searcher, budget, seed)
        for (hardware, seed_mappings), seed in zip(machines, rng_seeds, strict=True)
    ]
    if tasks:
        yield from _run(tasks, [hardware.name for hardware, _ in machines], len(job.layers), engine, watch)


def map_fully(
    job: LayersJob, hardware: Hardware, budget: Budget, engine: Engine, watch: Watcher | None
) -> Iterator[tuple[MappedNetwork, tuple[tuple[Outcome, ...], ...]]]:
    """Yield, once, the machine as a run on it alone maps it, and each layer's outcomes.

    Stops as `run_tasks` does, and yields nothing where a search did not end.
    """
    try:
        problems = [job.problem(index, hardware) for index in range(len(job.layers))]
    except InputError:  # no mapping fits
        yield _unmapped(job, hardware), ()
        return
    found: dict[tuple[int, int], Outcome] = {}
    for answer in search_layers(job, problems, budget, range(len(problems)), engine, watch):
        if answer.last:
            found[answer.layer, answer.search] = answer.outcome
        if len(found) == len(problems) * job.restarts and all(each.finished for each in found.values()):
            outcomes = tuple(tuple(found[index, k] for k in range(job.restarts)) for index in range(len(problems)))
            bounds = [max(-inf if each.lower_bound is None else each.lower_bound for each in of_layer) for of_layer in outcomes]
            mapped = _mapped_by(job, hardware, [min(of_layer, key=lambda outcome: outcome.value) for of_layer in outcomes])
            yield replace(mapped, lower_bounds=np.array(bounds)), outcomes


def _run(
    tasks: Sequence[Job[R]], names: Sequence[str], ticks: int, engine: Engine, watch: Watcher | None
) -> Iterator[tuple[int, R]]:
    if watch is not None:
        watch.began(names, ticks)
    yield from run_tasks(tasks, engine, watch.advanced if watch is not None else None)


def with_mapping(problem: Problem, outcomes: Sequence[Outcome], mapping: Mapping) -> list[Outcome]:
    """The outcomes of a layer's searches, with the mapping added to the best outcome where it is better; alone if there is none."""
    incumbent = Incumbent(problem)
    incumbent.score(encode([mapping], problem.space.layer, problem.space.hardware.shape))
    known = Outcome.of(incumbent, least_bound(problem), finished=False)
    if not outcomes:
        return [known]
    best = min(range(len(outcomes)), key=lambda k: outcomes[k].value)
    if not known.value < outcomes[best].value:
        return list(outcomes)
    found = outcomes[best]
    front = found.front.join(known.front.batch, known.front.runtime_cycles, known.front.energy_pj)
    last = Step(found.evaluations, found.dropped, found.refused, found.seconds, known.value)
    better = replace(found, batch=known.batch, value=known.value, front=front, trace=(*found.trace, last))
    return [*outcomes[:best], better, *outcomes[best + 1 :]]


def _mapped_by(job: LayersJob, hardware: Hardware, outcomes: Sequence[Outcome]) -> MappedNetwork:
    """A machine with the best mappings that the searches of its layers found."""
    mappings: list[Mapping | None] = []
    bounds: list[float] = []
    for layer, outcome in zip(job.layers, outcomes, strict=True):
        mappings.append(outcome.batch.decode(0, layer) if len(outcome.batch) else None)
        bounds.append(outcome.lower_bound if outcome.lower_bound is not None else -inf)
    return MappedNetwork.of(job, hardware, tuple(mappings), np.array(bounds))


def _unmapped(job: LayersJob, hardware: Hardware) -> MappedNetwork:
    """A machine on which a layer has no mapping."""
    return MappedNetwork.of(job, hardware, (None,) * len(job.layers), np.full(len(job.layers), inf))
