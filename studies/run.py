"""A run: from a layer set and a machine to the best mapping of every layer, exported, re-checked and recorded."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.search.branch_and_bound import check_bounded
from mapsearch.search.objective import Problem
from mapsearch.search.searcher import Outcome, Sampler
from mapsearch.search.workers import run_tasks
from mapsearch.studies.evaluation import HardwareSource, machine
from mapsearch.studies.found import Found
from mapsearch.studies.hardware_files import hardware_to_dict
from mapsearch.studies.layer_sets import names
from mapsearch.studies.mixes import MixSource
from mapsearch.studies.plan import Plan
from mapsearch.studies.run_folder import RunFolder, unused_folder
from mapsearch.studies.settings import Settings, check_same, record


class Watcher(Protocol):
    """Who is told how a run gets on; all calls but `advanced` come from the caller's thread."""

    def began(self, folder: Path, layers: Sequence[str], ticks: int) -> None:
        """The run's folder, the layers still to be searched, and how far each search goes (see `Searcher.ticks`)."""
        ...

    def advanced(self, ticks: NDArray[np.int64]) -> None:
        """How far each of those searches is."""
        ...

    def found(self, result: Mapping[str, Any]) -> None:
        """A layer is done."""
        ...


class UnsavedRunError(OSError):
    """The run's folder could not be written; what was found is in `folder` instead, or only here where that is None."""

    def __init__(self, cause: OSError, wanted: Path, folder: Path | None, results: dict[str, Any]) -> None:
        where = f"is in {folder}" if folder is not None else "could be saved nowhere and is only printed"
        super().__init__(cause.errno, f"{cause.strerror}; what was found {where}", str(wanted))
        self.folder = folder
        self.results = results


def run(
    layer_set: MixSource | None = None,
    hardware: HardwareSource | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    resume: bool = False,
    watcher: Watcher | None = None,
    **settings: Any,  # noqa: ANN401 the fields of Settings, checked there
) -> dict[str, Any]:
    """Search the best mapping of every layer and write the run's folder; returns what its results.json holds.

    layer_set: a shipped set's name or a file, or several with weights for a mix, as `--layer-set` takes them or as a dict such as
    {"resnet18": 2, "bert_base": 1}. hardware: as `evaluate` takes it (default: edge). out: the folder (default: a
    new one under runs/). jobs: processes (default: one a core). resume: go on with the run in `out`, whose layer set,
    hardware and settings are taken and may not be others. settings: the fields of `settings.Settings` (objective, sampler,
    trials, evaluations, timeout_seconds, seed, restarts, levels, tiles, dataflow, constraints,
    warm_start, model).

    What the results hold stands at `found.Found.results`. They depend on the seed and not on the number of jobs (but on the clock
    where there is a timeout, or an exact search that ends without its proof).

    Raises InputError before work starts where an input breaks a law, and UnsavedRunError where the folder
    can no longer be written when it ends.
    """
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise InputError(f"jobs must be a whole number of at least 1, got {jobs!r}")
    if out is not None and not str(out):
        raise InputError("out must name a folder, got an empty text")
    if resume and out is None:
        raise InputError("resuming needs the run's folder; name it as out (--out DIR)")
    recorded = RunFolder(Path(out)).config() if resume and out is not None else None
    if recorded is not None:
        layer_set = recorded["layer_set"] if layer_set is None else layer_set
        hardware = recorded["hardware"] if hardware is None else hardware
        settings = {**recorded["settings"], **settings}
    if layer_set is None:
        raise InputError(f"a layer set is needed; there are {', '.join(names())}, or give a file's path")
    run_ = _Run(Plan(Settings.of(settings), layer_set), machine("edge" if hardware is None else hardware))
    folder = RunFolder(Path(out) if out is not None else unused_folder(run_.title))
    if recorded is not None:
        check_same(recorded, run_.config, str(folder.path))
        run_.found.go_on_from(folder)
    else:
        _create(folder, run_.config, run_.more_files)
    return run_.search(folder, jobs or int(joblib.cpu_count()), watcher)


def _create(folder: RunFolder, config: Mapping[str, Any], more: Mapping[str, str]) -> None:
    try:
        folder.create(config, config["hardware"], more)
    except OSError as error:
        hint = "name another folder as out (--out DIR)"
        raise InputError(f"{folder.path}: the run's folder must be writable: {error.strerror}; {hint}") from None


class _Run:
    """The work of one run and what it found so far."""

    def __init__(self, plan: Plan, hardware: Hardware) -> None:
        self._settings, self._layers, self._hardware = plan.settings, plan.layers, hardware
        self.config = record(plan.settings, plan.mix.sources, plan.layers, hardware_to_dict(hardware))
        self.more_files = {**plan.exporter.hardware_texts(hardware), **plan.files()}
        self.title = f"{plan.mix.name}-{plan.settings.objective}-{hardware.name}"
        self.found = Found(plan.work(hardware), plan.left_out)
        self._job = plan.job()
        self._problems = self._make_problems()

    def _make_problems(self) -> list[Problem]:
        problems = [self._job.problem(index, self._hardware) for index in range(len(self._layers))]
        if self._settings.sampler == Sampler.EXACT:
            check_bounded(problems[0])
        # One evaluation of each: what the model cannot count is told before work starts, and workers find the kernels compiled.
        rng = np.random.default_rng(0)
        for problem in problems:
            problem.score(problem.space.draw([problem.space.fitting], 1, rng))
        return problems

    def search(self, folder: RunFolder, jobs: int, watcher: Watcher | None) -> dict[str, Any]:
        """Search the layers that have no row yet, saving each as it is done."""
        left = [index for index, unique in enumerate(self._layers) if self.found.row(unique.layer.name) is None]
        searches = len(left) * self._settings.restarts
        timeout = self._settings.timeout_seconds
        jobs = max(1, min(jobs, searches))
        share = None if timeout is None else timeout * jobs / max(1, searches)
        budget = self._settings.budget(share)
        tasks = [(index, task) for index in left for task in self._job.tasks(self._problems[index], index, budget)]
        if watcher is not None:
            ticks = max((task.searcher.ticks(task.budget) for _, task in tasks), default=0)
            watcher.began(folder.path, [self._name(index) for index, _ in tasks], ticks)
        outcomes: dict[int, dict[int, Outcome]] = {index: {} for index in left}
        for place, outcome in run_tasks([task for _, task in tasks], jobs, watcher.advanced if watcher is not None else None):
            index = tasks[place][0]
            outcomes[index][place] = outcome
            self.found.note(index, [found for _, found in sorted(outcomes[index].items())])  # whichever came first
            row = self.found.row(self._name(index))
            if row is None:
                continue
            with contextlib.suppress(OSError):  # nothing is lost: all is saved once more in the end
                self.found.save(folder, [row["name"]])
            if watcher is not None and len(outcomes[index]) == self._settings.restarts:
                watcher.found(row)
        self._save_in_the_end(folder)
        return self.found.results(folder.path)

    def _name(self, index: int) -> str:
        return self._layers[index].layer.name

    def _save_in_the_end(self, folder: RunFolder) -> None:
        """Save everything; where that fails, in a temporary folder instead."""
        try:
            self.found.save_all(folder)
        except OSError as error:
            try:
                refuge = RunFolder(Path(tempfile.mkdtemp(prefix="mapsearch-run-")))
                refuge.create(self.config, self.config["hardware"], self.more_files)
                self.found.save_all(refuge)
            except OSError:
                raise UnsavedRunError(error, folder.path, None, self.found.results(folder.path)) from None
            raise UnsavedRunError(error, folder.path, refuge.path, self.found.results(refuge.path)) from None
