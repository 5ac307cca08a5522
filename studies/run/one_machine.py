"""A run on one machine: the best mapping of every layer is searched, exported, checked again and recorded."""

from __future__ import annotations

import contextlib

import numpy as np

from mapsearch.model.hardware import Hardware
from mapsearch.search.mappings.branch_and_bound import check_bounded
from mapsearch.search.mappings.compiling import compile_for
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler import Sampler
from mapsearch.search.mappings.searcher import Outcome
from mapsearch.search.processes import run_tasks
from mapsearch.studies.folder import RunFolder, config_files
from mapsearch.studies.results import RunResults
from mapsearch.studies.run.layer_results import LayerResults
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import record
from mapsearch.studies.saving import save_in_the_end
from mapsearch.studies.watching import RunWatcher


class MachineRun:
    """The work of a run on one machine and its results so far."""

    def __init__(self, plan: Plan, hardware: Hardware) -> None:
        self._settings, self._layers, self._hardware = plan.settings, plan.layers, hardware
        self.config = record(plan.settings, plan.mix.sources, plan.layers, hardware)
        self.files = {**config_files(self.config), **plan.format.hardware_texts(hardware), **plan.files()}
        self.title = f"{plan.mix.name}-{plan.settings.objective}-{hardware.name}"
        self.results = LayerResults(plan.inputs(hardware), plan.left_out)
        self._job = plan.job()
        self._problems = self._make_problems()

    def _make_problems(self) -> list[Problem]:
        problems = [self._job.problem(index, self._hardware) for index in range(len(self._layers))]
        if self._settings.sampler == Sampler.EXACT:
            check_bounded(problems[0])
        compile_for(problems[0])
        # Evaluate each once: layers that the model cannot count are reported before work starts.
        rng = np.random.default_rng(0)
        for problem in problems:
            problem.score(problem.space.draw([problem.space.fitting], 1, rng))
        return problems

    def go_on_from(self, folder: RunFolder) -> None:
        """Take the finished layers from the folder."""
        self.results.go_on_from(folder)

    def search(self, folder: RunFolder, jobs: int, watcher: RunWatcher | None) -> RunResults:
        """Search the layers without a result, and save each when it is done."""
        left = [index for index, unique in enumerate(self._layers) if self.results.row(unique.layer.name) is None]
        searches = len(left) * self._settings.restarts
        timeout = self._settings.timeout_seconds
        jobs = max(1, min(jobs, searches))
        share = None if timeout is None else timeout * jobs / max(1, searches)
        budget = self._settings.budget(share)
        tasks = [(index, task) for index in left for task in self._job.tasks(self._problems[index], index, budget)]
        if watcher is not None:
            ticks = max((task.searcher.ticks(task.budget) for _, task in tasks), default=0)
            watcher.began([self._name(index) for index, _ in tasks], ticks)
        outcomes: dict[int, dict[int, Outcome]] = {index: {} for index in left}
        try:
            for place, outcome in run_tasks([task for _, task in tasks], jobs, watcher.advanced if watcher is not None else None):
                index = tasks[place][0]
                outcomes[index][place] = outcome
                self.results.note(index, [found for _, found in sorted(outcomes[index].items())])  # whichever came first
                row = self.results.row(self._name(index))
                if row is None:
                    continue
                with contextlib.suppress(OSError):  # nothing is lost: everything is saved again at the end
                    self.results.save(folder, [row.name])
                if watcher is not None and len(outcomes[index]) == self._settings.restarts:
                    watcher.found(row)
        except KeyboardInterrupt:
            pass  # results so far are saved
        finally:
            save_in_the_end(folder, self.files, self.results.save_all, self.results.results)
        return self.results.results(folder.path)

    def _name(self, index: int) -> str:
        return self._layers[index].layer.name
