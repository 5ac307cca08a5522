"""The searches of a network's layers in two rounds: first answers for all, then the rest of each search, hard layers first.

The first answers show how much each layer could still gain for the network. The parts of the space by which proofs are tightened
below their wanted gap are shared out in proportion; they are counted, so that a run gives the same results on any machine.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace
from math import isfinite, log2, prod

from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Beginner, Budget, Outcome
from mapsearch.search.mappings.task import FirstTask, Task
from mapsearch.search.processes import run_tasks
from mapsearch.search.progress import Watcher

TIGHTENING_PARTS = 100_000  # for a layer, on average


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one of a layer's searches, `restart` of them; first: whether it is a first answer, with more to come."""

    layer: int
    restart: int
    outcome: Outcome
    first: bool


def search_layers(
    job: LayersJob, problems: Sequence[Problem], budget: Budget, left: Collection[int], jobs: int, watch: Watcher | None
) -> Generator[Answer]:
    """Yield the answers for the layers that are left, as they come; stops as `run_tasks` does.

    problems: of all layers. Those that are done have first answers too, as the layers share their budget. budget: of each search.
    """
    tasks = {
        (layer, restart): task
        for layer, problem in enumerate(problems)
        for restart, task in enumerate(job.tasks(problem, layer, budget))
    }
    order = [place for place in sorted(tasks, key=lambda each: (-_hardness(problems[each[0]]), each)) if place[0] in left]
    if watch is not None:
        watch.began([job.layers[layer].name for layer, _ in order], job.searcher.ticks(budget))
    if not order:
        return
    if isinstance(job.searcher, Beginner):
        begun: dict[tuple[int, int], Outcome] = {}
        places = list(tasks)
        for number, outcome in run_tasks([FirstTask(tasks[place]) for place in places], min(jobs, len(places)), None):
            begun[places[number]] = outcome
            if places[number][0] in left:
                yield Answer(*places[number], outcome, first=True)
        tasks = _shared(job, tasks, begun)
    for number, outcome in run_tasks(
        [tasks[place] for place in order], min(jobs, len(order)), watch.advanced if watch is not None else None
    ):
        yield Answer(*order[number], outcome, first=False)


def _hardness(problem: Problem) -> float:
    """A guess at how long a layer's proof takes: it grows with the sizes that tiles may have."""
    return prod(log2(extent) + 1 for extent in problem.space.layer.extents)


def _shared(
    job: LayersJob, tasks: dict[tuple[int, int], Task], begun: dict[tuple[int, int], Outcome]
) -> dict[tuple[int, int], Task]:
    """The rest of the searches, with the parts for tightening shared out by what each may gain for the network."""
    gains = {place: job.counts[place[0]] * _gain(outcome, job.objective.degree) for place, outcome in begun.items()}
    total = sum(gains.values())
    parts = TIGHTENING_PARTS * len(tasks)
    shares = {place: parts * gain / total if total > 0 else TIGHTENING_PARTS for place, gain in gains.items()}
    return {
        place: replace(task, begun=begun[place], budget=replace(task.budget, tightening_parts=round(shares[place])))
        for place, task in tasks.items()
    }


def _gain(outcome: Outcome, degree: float | None) -> float:
    """The most that a layer may gain, in a measure that adds up to the network's; 0 where no bound or no mapping is known."""
    if outcome.lower_bound is None or not isfinite(outcome.value) or not isfinite(outcome.lower_bound):
        return 0.0
    power = 1 / degree if degree and outcome.lower_bound > 0 else 1.0
    return float(outcome.value**power - outcome.lower_bound**power)
