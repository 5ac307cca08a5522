"""What each engine must do."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.search.engine import AHEAD, Engine, run_tasks
from mapsearch.search.mappings.optuna_search import OptunaSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.mappings.task import Task
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.progress import Tick
from mapsearch.spaces.mappings.space import Space
from mapsearch.testing.small import MACHINE, layer_of

PROBLEM = Problem(Space(layer_of(K=24, C=12, R=3, S=3, Y=10, X=10), MACHINE), ExactModel(), Objective.of("edp"))
ENDLESS = Budget(10**6, 5)


def searches(count: int, budget: Budget) -> list[Task]:
    return [Task(PROBLEM, OptunaSearcher(Sampler.TPE), budget, (0, index), Seeds()) for index in range(count)]


def found(outcome: Outcome) -> tuple[object, ...]:
    """All of an outcome but its seconds."""
    batch = outcome.batch
    arrays = [array.tolist() for array in (batch.units, batch.spatial, batch.order, batch.size)]
    trace = [replace(step, seconds=0.0) for step in outcome.trace]
    return (*arrays, outcome.value, outcome.evaluations, trace, outcome.finished)


@dataclass(frozen=True)
class Waiting:
    """A job that waits until it is told to stop; that of the number `at_fault` raises an error, and `at_once` does not wait."""

    number: int
    at_fault: int | None = None
    at_once: int | None = None

    def prepare(self) -> None:
        """Nothing to prepare."""

    def run(self, tick: Tick) -> int:
        """See `Job`."""
        if self.number == self.at_fault:
            raise InputError(f"{self.number} is at fault")
        while not tick(self.number + 1) and self.number != self.at_once:
            time.sleep(0.01)
        return self.number


@dataclass(frozen=True)
class Many:
    """A million `Tasks`, none of which may be made long before it can run; the first ends at once."""

    jobs: int

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, index: int) -> Waiting:
        if index > AHEAD * self.jobs + 1:
            raise InputError(f"{index} is made too early")
        return Waiting(index, at_once=0)


class EngineContract:
    """Tests of an engine: subclass it, and give the engine by the fixture `engine`; the tests run in the main thread."""

    @pytest.fixture
    def engine(self) -> Engine:
        """The engine that is tested."""
        raise NotImplementedError

    def test_each_task_gives_its_own_outcome(self, engine: Engine) -> None:
        """Every task's outcome comes once, and is what the task gives in this process."""
        tasks = searches(4, Budget(2, 20))
        came = list(run_tasks(tasks, engine, None))
        assert sorted(index for index, _ in came) == [0, 1, 2, 3]
        assert {index: found(outcome) for index, outcome in came} == {
            index: found(task.run(lambda _: False)) for index, task in enumerate(tasks)
        }

    def test_no_tasks_give_nothing(self, engine: Engine) -> None:
        """Without tasks it ends at once."""
        assert list(run_tasks(searches(0, ENDLESS), engine, None)) == []

    def test_tasks_are_made_as_others_end(self, engine: Engine) -> None:
        """Of a million tasks only those are made that the workers need next."""
        outcomes = run_tasks(Many(engine.jobs), engine, None)
        assert next(outcomes) == (0, 0)
        outcomes.close()

    def test_leaving_early_stops_the_tasks(self, engine: Engine) -> None:
        """Who takes no more outcomes ends the searches: those under way at their next trial, the others before they start.

        Without the stop the tasks would take a million trials.
        """
        outcomes = run_tasks([*searches(1, Budget(1, 5)), *searches(3, ENDLESS)], engine, None)
        assert next(outcomes)[0] == 0
        outcomes.close()

    def test_a_fault_of_one_task_ends_the_others(self, engine: Engine) -> None:
        """An error of a task reaches the caller as it is: searches under way hear that they should stop."""
        at_fault = min(1, engine.jobs - 1)
        with pytest.raises(InputError, match=f"^{at_fault} is at fault$"):
            list(run_tasks([Waiting(number, at_fault) for number in range(4)], engine, None))

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_an_interrupt_ends_all_tasks(self, engine: Engine, number: signal.Signals) -> None:
        """After a Ctrl-C or a plain kill the searches under way give what they have, unfinished, and the others do not start.

        The watcher, which gets the number of trials that each has done, sends it once as many searches as there are jobs are
        under way. Then the signal is handled as before.
        """
        handler = signal.getsignal(number)
        seen: list[list[int]] = []

        def watch(trials: NDArray[np.int64]) -> None:
            if not seen and np.count_nonzero(trials) == engine.jobs:
                seen.append(trials.tolist())
                os.kill(os.getpid(), number)

        outcomes: dict[int, Outcome] = {}
        with pytest.raises(KeyboardInterrupt):
            outcomes.update(run_tasks(searches(4, ENDLESS), engine, watch))
        assert sorted(outcomes) == list(range(engine.jobs))
        assert not any(outcome.finished for outcome in outcomes.values())
        assert [len(trials) for trials in seen] == [4]
        assert signal.getsignal(number) is handler
