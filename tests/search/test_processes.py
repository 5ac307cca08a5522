"""Searches side by side: workers change nothing, and every stop is heard."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from numpy.typing import NDArray

from mapsearch.model.exact import ExactModel
from mapsearch.search.board import board_in_file
from mapsearch.search.locks import locked
from mapsearch.search.mappings.optuna_search import OptunaSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.mappings.task import Task
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.processes import run_tasks
from mapsearch.search.progress import Tick
from mapsearch.spaces.mappings.space import Space

PROBLEM = Problem(Space(layer_of(K=24, C=12, R=3, S=3, Y=10, X=10), MACHINE), ExactModel(), Objective.of("edp"))


def found(outcome: Outcome) -> tuple[object, ...]:
    """All of an outcome but its seconds."""
    batch = outcome.batch
    arrays = [array.tolist() for array in (batch.units, batch.spatial, batch.order, batch.size)]
    trace = [replace(step, seconds=0.0) for step in outcome.trace]
    return (*arrays, outcome.value, outcome.evaluations, trace, outcome.finished)


def tasks(count: int, budget: Budget) -> list[Task]:
    return [Task(PROBLEM, OptunaSearcher(Sampler.TPE), budget, (0, index), Seeds()) for index in range(count)]


def test_workers_change_no_outcome() -> None:
    """Two processes give each task the outcome that one gives it."""
    small = Budget(2, 20)
    alone, shared = (dict(run_tasks(tasks(4, small), jobs, None)) for jobs in (1, 2))
    assert sorted(alone) == sorted(shared) == [0, 1, 2, 3]
    assert {index: found(alone[index]) for index in alone} == {index: found(shared[index]) for index in shared}


@pytest.mark.parametrize("jobs", [1, 2])
def test_leaving_early_stops_the_tasks(jobs: int) -> None:
    """Who takes no more outcomes ends the searches: those under way at their next trial, the others before they start.

    Without the stop the tasks would take a million trials.
    """
    outcomes = run_tasks([*tasks(1, Budget(1, 5)), *tasks(3, Budget(10**6, 5))], jobs, None)
    assert next(outcomes)[0] == 0
    outcomes.close()


@pytest.mark.parametrize(("jobs", "number"), [(1, signal.SIGINT), (2, signal.SIGINT), (2, signal.SIGTERM), (1, signal.SIGHUP)])
def test_an_interrupt_ends_all_searches(jobs: int, number: signal.Signals) -> None:
    """After a Ctrl-C or a plain kill the searches under way give what they have, unfinished, and the others do not start.

    The watcher, which gets the number of trials that each has done, sends it once as many searches as there are jobs are under way.
    """
    handler = signal.getsignal(number)
    seen: list[list[int]] = []

    def watch(trials: NDArray[np.int64]) -> None:
        if not seen and np.count_nonzero(trials) == jobs:
            seen.append(trials.tolist())
            os.kill(os.getpid(), number)

    outcomes: dict[int, Outcome] = {}
    with pytest.raises(KeyboardInterrupt):
        outcomes.update(run_tasks(tasks(4, Budget(10**6, 5)), jobs, watch))
    assert sorted(outcomes) == list(range(jobs))
    assert not any(outcome.finished for outcome in outcomes.values())
    assert [len(trials) for trials in seen] == [4]
    assert signal.getsignal(number) is handler


@dataclass(frozen=True)
class Late:
    """A job that is stopped after its last tick."""

    number: int

    def prepare(self) -> None:
        """Nothing to prepare."""

    def run(self, tick: Tick) -> int:
        tick(1)
        if self.number == 1:
            signal.raise_signal(signal.SIGTERM)
        return self.number


def test_a_stop_after_the_last_tick_is_not_lost() -> None:
    """Who asks for a stop when all is done gets all of it, and KeyboardInterrupt then."""
    outcomes: dict[int, int] = {}
    with pytest.raises(KeyboardInterrupt):
        outcomes.update(run_tasks([Late(0), Late(1)], 1, None))
    assert outcomes == {0: 0, 1: 1}


def test_boards_of_killed_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that nobody has locked is removed by the next search; one in use, and one that may be about to be, stay."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    orphan, used, young, run = (tmp_path / f"mapsearch-{name}" for name in ("board-1", "board-2", "board-3", "run-4"))
    for folder in (orphan, used, young, run):
        folder.mkdir()
        (folder / "board").write_bytes(b"")
        if folder != young:
            os.utime(folder, (0, 0))
    with locked(used) as held, board_in_file(3) as board:
        assert held
        assert board.tolist() == [0, 0, 0, 0]
        assert orphan not in tmp_path.iterdir()
    assert sorted(tmp_path.iterdir()) == sorted([used, young, run])
