"""A run on one machine: the best mapping of every layer is searched, exported, checked again and recorded."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapsearch.model.hardware import Hardware
from mapsearch.search.engine import Engine
from mapsearch.search.mappings.branch_and_bound import check_bounded
from mapsearch.search.mappings.compiling import compile_for
from mapsearch.search.mappings.optuna_search import OptunaSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.rounds import Answer, search_layers
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget
from mapsearch.studies.folder import RunFolder, config_files
from mapsearch.studies.results import RunResults
from mapsearch.studies.run.layer_results import LayerResults
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import record
from mapsearch.studies.saving import save_in_the_end
from mapsearch.studies.watching import RunWatcher

if TYPE_CHECKING:
    from mapsearch.studies.run.stored_layers import StoredLayers


class MachineRun:
    """The work of a run on one machine and its results so far."""

    def __init__(self, plan: Plan, hardware: Hardware, storage: str | None = None) -> None:
        """Check the inputs before work starts; storage: where the structures that are tried are kept too, see `StoredLayers`."""
        self._settings, self._layers, self._hardware = plan.settings, plan.layers, hardware
        self.config = record(plan.settings, plan.mix.sources, plan.layers, hardware)
        self.files = {**config_files(self.config), **plan.format.hardware_texts(hardware), **plan.files()}
        self.title = f"{plan.mix.name}-{plan.settings.objective}-{hardware.name}"
        self.results = LayerResults(plan.inputs(hardware), plan.left_out)
        self._plan, self._job = plan, plan.job()
        self._stored: StoredLayers | None = None
        if storage is not None:
            from mapsearch.studies.run.stored_layers import StoredLayers  # noqa: PLC0415 drivers of databases take time

            names = [each.layer.name for each in self._layers]
            self._stored = StoredLayers(storage, self.title, self.config, names, plan.objective.text)
            self._job = replace(self._job, searcher=OptunaSearcher(plan.settings.sampler_used, keeps=True))
        self._problems = self._make_problems()
        self._unsaved: list[str] = []
        self._next_save = 0.0  # by time.monotonic

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

    def search(self, folder: RunFolder, engine: Engine, watcher: RunWatcher | None) -> RunResults:
        """Search the layers without a result, and save each when it is done."""
        left = [index for index in range(len(self._layers)) if self.results.row(self._name(index)) is None]
        answers: dict[int, dict[int, Answer]] = {index: {} for index in left}
        try:
            for answer in search_layers(
                self._job, self._problems, self._budget(left, engine.jobs), left, engine, watcher, self._until_cycles()
            ):
                answers[answer.layer][answer.search] = answer
                if self._stored is not None:
                    self._stored.note(self._name(answer.layer), answer.outcome)
                self.results.note(answer.layer, [each.outcome for _, each in sorted(answers[answer.layer].items())])
                self._tell(answer, answers, folder, watcher)
            if self._settings.tools is not None:
                self._search_free(folder, engine, watcher)
        except KeyboardInterrupt:
            pass  # results so far are saved
        finally:
            save_in_the_end(folder, self.files, self.results.save_all, self.results.results)
        return self.results.results(folder.path)

    def _until_cycles(self) -> int | None:
        """The cycles that the layers without a result may take together, where the search is to end at some of the network's."""
        if self._settings.until_runtime is None:
            return None
        done = ((each.count, self.results.row(each.layer.name)) for each in self._layers)
        return self._settings.until_runtime - sum(count * row.metrics.runtime_cycles for count, row in done if row is not None)

    def _budget(self, left: Collection[int], jobs: int) -> Budget:
        """The budget of each search of the layers that are left, and for tools of as many without their laws."""
        searches, timeout = len(left) * self._settings.restarts, self._settings.timeout_seconds
        if timeout is None:
            return self._settings.budget(None)
        rounds = 1 if self._settings.tools is None else 2
        return self._settings.budget(timeout / rounds * max(1, min(jobs, searches)) / max(1, searches))

    def _search_free(self, folder: RunFolder, engine: Engine, watcher: RunWatcher | None) -> None:
        """Search among all mappings, from the best that the tools can express, what their laws cost."""
        job = self._plan.free_job(self.results.mappings())
        problems = [job.problem(index, self._hardware) for index in range(len(self._layers))]
        rows = [self.results.row(self._name(index)) for index in range(len(self._layers))]
        left = [index for index, row in enumerate(rows) if row is not None and row.free is None]
        answers: dict[int, dict[int, Answer]] = {index: {} for index in left}
        for answer in search_layers(job, problems, self._budget(left, engine.jobs), left, engine, watcher):
            found = answers[answer.layer]
            found[answer.search] = answer
            if len(found) == self._settings.restarts and all(each.last for each in found.values()):
                self.results.note_free(answer.layer, [each.outcome for each in found.values()])
                self._save(folder, self._name(answer.layer))

    def _tell(
        self, answer: Answer, answers: Mapping[int, Mapping[int, Answer]], folder: RunFolder, watcher: RunWatcher | None
    ) -> None:
        """Save an answer, and show it; of first answers only what they come to together."""
        row, restarts = self.results.row(self._name(answer.layer)), self._settings.restarts
        if not answer.searched:
            if watcher is not None and all(len(found) == restarts for found in answers.values()):
                watcher.answered(self.results.results(folder.path))
        elif row is not None:
            self._save(folder, row.name)
            searched = [each for each in answers[answer.layer].values() if each.searched]
            if watcher is not None and len(searched) == restarts:
                watcher.found(row)

    def _save(self, folder: RunFolder, layer: str) -> None:
        """Save a layer, and those that are left to save, but not so often that it would take more than a tenth of the time."""
        self._unsaved.append(layer)
        began = time.monotonic()
        if began < self._next_save:
            return
        with contextlib.suppress(OSError):  # nothing is lost: everything is saved again at the end
            self.results.save(folder, self._unsaved)
            self._unsaved = []
        self._next_save = time.monotonic() + 9 * (time.monotonic() - began)

    def _name(self, index: int) -> str:
        return self._layers[index].layer.name
