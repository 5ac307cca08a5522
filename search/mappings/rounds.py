"""The searches of a network's layers in rounds: first mappings for all, then the proofs, hard layers first, then smaller gaps.

There is a last round where a timeout leaves time: it begins with the layers by which the network may still gain most, and shares
the time out by those gains. Without a timeout each layer's search ends by its own counts, so that a run, also one that is resumed,
gives the same results on any machine.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, log2, prod

from mapsearch.search.engine import Engine, Job, run_tasks
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import PROOF_TICKS, Budget, Limit, Outcome, StagedSearcher
from mapsearch.search.mappings.task import Begin, Prove, Task, Tighten
from mapsearch.search.progress import Watcher

_LOG = logging.getLogger(__name__)

Place = tuple[int, int]  # a layer, and which of its searches


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome so far of one of a layer's searches.

    searched: whether at most a smaller gap is to come; last: whether nothing is.
    """

    layer: int
    search: int
    outcome: Outcome
    searched: bool
    last: bool


def search_layers(
    job: LayersJob,
    problems: Sequence[Problem],
    budget: Budget,
    left: Collection[int],
    engine: Engine,
    watch: Watcher | None,
    until_cycles: int | None = None,
) -> Generator[Answer]:
    """Yield the answers for the layers that are left, as they come; stops as `run_tasks` does. problems: of all layers.

    until_cycles: a search with stages ends once these layers, each as often as it runs, take at most so many cycles.
    """
    order = sorted(left, key=lambda layer: -_hardness(problems[layer]))
    tasks = {(layer, search): task for layer in order for search, task in enumerate(job.tasks(problems[layer], layer, budget))}
    if isinstance(job.searcher, StagedSearcher):
        yield from _Rounds(job, job.searcher, budget, engine, watch, until_cycles).run(tasks)
        return
    for place, outcome in _round(job, tasks, job.searcher.ticks(budget), engine, watch):
        yield Answer(*place, outcome, searched=True, last=True)


@dataclass(frozen=True, slots=True)
class _Rounds:
    """The rounds of a searcher whose search has stages.

    Where the search is to end at so many cycles, what is known from earlier runs counts only once the proofs come to it, and these
    are taken in their order, so that neither the cache nor the number of jobs changes where it ends.
    """

    job: LayersJob
    searcher: StagedSearcher
    budget: Budget
    engine: Engine
    watch: Watcher | None
    until_cycles: int | None

    def run(self, tasks: Mapping[Place, Task]) -> Generator[Answer]:
        """All rounds."""
        known = self._known(tasks)
        if known and self.watch is not None:
            self.watch.began(_names(self.job, tasks), self.searcher.ticks(self.budget))
        if self.until_cycles is None:
            yield from (Answer(*place, outcome, searched=True, last=True) for place, outcome in known.items())
            tasks, known = {place: task for place, task in tasks.items() if place not in known}, {}
        found: dict[Place, Outcome] = {}
        for place, outcome in self._round({place: Begin(task, self.searcher) for place, task in tasks.items()}, 1):
            found[place] = outcome
            yield Answer(*place, outcome, searched=False, last=False)
        open_ = dict.fromkeys(tasks)  # whose last answer is to come
        for answer in () if self._met(tasks, found) else self._later(tasks, found, known):
            place = (answer.layer, answer.search)
            yield answer
            if answer.last:
                del open_[place]
            if found[place].finished and self._met(tasks, found):
                break
        if self._met(tasks, found):
            yield from (Answer(*place, replace(found[place], finished=True), searched=True, last=True) for place in open_)

    def _later(self, tasks: Mapping[Place, Task], found: dict[Place, Outcome], known: Mapping[Place, Outcome]) -> Generator[Answer]:
        """The rounds after the first answers, which are replaced in `found`."""
        for place, outcome in self._proofs(tasks, found, known):
            found[place] = outcome
            if place not in known:
                self._note(tasks[place], outcome)
            last = self.budget.timeout_seconds is None or not _has_gap(outcome)
            yield Answer(*place, outcome if last else replace(outcome, finished=False), searched=True, last=last)
        if self.budget.timeout_seconds is not None:
            for place, outcome in self._round(self._tighteners(tasks, found, self.budget.timeout_seconds), PROOF_TICKS):
                found[place] = outcome
                yield Answer(*place, outcome, searched=True, last=True)

    def _met(self, tasks: Mapping[Place, Task], found: Mapping[Place, Outcome]) -> bool:
        """Whether the best mappings so far take no more cycles than the search is to go on for."""
        if self.until_cycles is None:
            return False
        best: dict[int, Place] = {}
        for place in sorted(found):
            if place[0] not in best or found[place].value < found[best[place[0]]].value:
                best[place[0]] = place
        if any(len(found[place].batch) == 0 for place in best.values()):
            return False
        runtimes = (self.job.counts[layer] * _cycles(tasks[place], found[place]) for layer, place in best.items())
        return sum(runtimes) <= self.until_cycles

    def _proofs(
        self, tasks: Mapping[Place, Task], found: Mapping[Place, Outcome], known: Mapping[Place, Outcome]
    ) -> Generator[tuple[Place, Outcome]]:
        """The outcomes of the second stage as they come; in the order of the tasks where the search is to end at some cycles."""
        provers = {place: Prove(task, self.searcher, found[place]) for place, task in tasks.items() if place not in known}
        proven = self._round(provers, self.searcher.ticks(self.budget))
        if self.until_cycles is None:
            yield from proven
            return
        came, waiting = dict(known), deque(tasks)
        try:
            while waiting:
                while waiting[0] not in came:
                    place, outcome = next(proven)
                    came[place] = outcome
                yield waiting[0], came.pop(waiting.popleft())
        except KeyboardInterrupt:  # nothing is lost, but what came out of turn is not the end of its search
            yield from ((place, replace(outcome, finished=False)) for place, outcome in came.items())
            raise
        finally:
            proven.close()

    def _round(self, works: Mapping[Place, Job[Outcome]], ticks: int) -> Generator[tuple[Place, Outcome]]:
        return _round(self.job, works, ticks, self.engine, self.watch)

    def _known(self, tasks: Mapping[Place, Task]) -> dict[Place, Outcome]:
        """What earlier runs have found."""
        memory = self.job.memory
        if memory is None or self.budget.timeout_seconds is not None:
            return {}
        recalled = {place: memory.recall(task) for place, task in tasks.items()}
        known = {place: outcome for place, outcome in recalled.items() if outcome is not None}
        if known:
            _LOG.info("%d of %d searches are known from earlier runs; --no-cache makes them anew", len(known), len(tasks))
        return known

    def _note(self, task: Task, outcome: Outcome) -> None:
        if self.job.memory is not None and self.budget.timeout_seconds is None and self.searcher.repeats(outcome):
            self.job.memory.note(task, outcome)

    def _tighteners(self, tasks: Mapping[Place, Task], found: Mapping[Place, Outcome], timeout: float) -> dict[Place, Tighten]:
        """The last round's work, for layers whose proof leaves a gap, those by which the network may gain most first.

        timeout: seconds for each layer, what is left of which goes where it gains most.
        """
        counts, degree = self.job.counts, self.job.objective.degree
        gains = {place: counts[place[0]] * _gain(outcome, degree) for place, outcome in found.items() if _has_gap(outcome)}
        total = sum(gains.values())
        seconds = sum(max(0.0, timeout - outcome.seconds) for outcome in found.values())
        return {
            place: Tighten(tasks[place], self.searcher, found[place], Limit(seconds=seconds * gain / total))
            for place, gain in sorted(gains.items(), key=lambda each: -each[1])
            if total > 0
        }


def _names(job: LayersJob, places: Iterable[Place]) -> list[str]:
    return [job.layers[layer].name for layer, _ in places]


def _round(
    job: LayersJob, works: Mapping[Place, Job[Outcome]], ticks: int, engine: Engine, watch: Watcher | None
) -> Generator[tuple[Place, Outcome]]:
    """Yield the outcomes of some work, as they come."""
    places = list(works)
    if not places:
        return
    if watch is not None:
        watch.began(_names(job, places), ticks)
    watching = watch.advanced if watch is not None else None
    for number, outcome in run_tasks(list(works.values()), engine, watching):
        yield places[number], outcome


def _hardness(problem: Problem) -> float:
    """A guess at how long a layer's proof takes: it grows with the number of sizes that its tiles may have."""
    return prod(log2(extent) + 1 for extent in problem.space.layer.extents)


def _has_gap(outcome: Outcome) -> bool:
    return outcome.finished and outcome.proof is not None and not outcome.proof.proven


def _cycles(task: Task, outcome: Outcome) -> int:
    """The runtime of the mapping that a search found."""
    return int(task.problem.score(outcome.batch[:1]).runtime_cycles[0])


def _gain(outcome: Outcome, degree: float | None) -> float:
    """The most that a layer may gain, in a measure that adds up over a network's layers; 0 where that is not known."""
    if outcome.lower_bound is None or not isfinite(outcome.value) or not isfinite(outcome.lower_bound):
        return 0.0
    power = 1 / degree if degree and outcome.lower_bound > 0 else 1.0
    return float(outcome.value**power - outcome.lower_bound**power)
