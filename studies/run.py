"""A run: from a layer set and a machine to the best mapping of every layer, exported, re-checked and recorded."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import CostModel
from mapsearch.model.directives import MappedLayer, print_network
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.model import MaestroModel
from mapsearch.model.models import cost_model
from mapsearch.search.branch_and_bound import check_bounded
from mapsearch.search.objective import Objective, Problem, objectives_of
from mapsearch.search.samplers import searcher_of
from mapsearch.search.searcher import Outcome, Sampler
from mapsearch.search.starts import Starts, classic_starts
from mapsearch.search.workers import Task, run_tasks
from mapsearch.spaces.constraints import Constraints
from mapsearch.spaces.space import Space
from mapsearch.studies.dataflows import classic_dataflows, load_held
from mapsearch.studies.evaluation import HardwareSource, machine
from mapsearch.studies.exporters import DirectiveExporter, Exporter, MaestroExporter
from mapsearch.studies.found import Found, Work
from mapsearch.studies.layer_sets import UniqueLayer, names
from mapsearch.studies.mixes import Mix, MixSource, load_mix
from mapsearch.studies.run_folder import RunFolder, unused_folder
from mapsearch.studies.settings import TILE_RULES, Settings, check_same, record
from mapsearch.studies.warm_start import check_some, known_network, known_of, load_known


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
    run_ = _Run(Settings.of(settings), layer_set, machine("edge" if hardware is None else hardware))
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


def _counted(mix: Mix, model: CostModel) -> tuple[list[UniqueLayer], list[dict[str, str]]]:
    """The layers as the model counts them, then name and reason of those that it does not take; InputError where it takes none."""
    counted: list[UniqueLayer] = []
    left_out: list[dict[str, str]] = []
    for unique in mix.unique:
        try:
            counted.append(replace(unique, layer=model.takes(unique.layer)))
        except InputError as error:
            left_out.append({"name": unique.layer.name, "reason": str(error)})
    if not counted:
        raise InputError(f"layer set {mix.name}: the cost model {model.name} takes none of its layers: {left_out[0]['reason']}")
    return counted, left_out


class _Run:
    """The work of one run and what it found so far."""

    def __init__(self, settings: Settings, layer_set: MixSource, hardware: Hardware) -> None:
        self._settings = settings
        self._model = cost_model(settings.model)
        self._exporter: Exporter = MaestroExporter() if isinstance(self._model, MaestroModel) else DirectiveExporter()
        mix = load_mix(layer_set, as_listed=self._model.restriction.as_listed)
        self._network = mix.name
        self._layers, left_out = _counted(mix, self._model)
        self._hardware = hardware
        self._objectives = objectives_of(settings.objective)
        # Several have no one best mapping of a layer: the one with the least EDP stands for its front.
        self._objective = self._objectives[0] if len(self._objectives) == 1 else Objective.of("edp")
        self.config = record(settings, mix.sources, self._layers, hardware)
        self._known = self._load_known(settings.warm_start)
        self.more_files = self._exporter.hardware_texts(hardware)
        if self._known:
            known = known_network(self._network, [unique.layer for unique in self._layers], self._known)
            self.more_files["warm_start.m"] = print_network(known)
        self.title = f"{self._network}-{settings.objective}-{hardware.name}"
        work = Work(mix, self._layers, hardware, settings, self._objectives, self._objective, self._exporter)
        self.found = Found(work, left_out)
        self._problems = self._make_problems()

    def _load_known(self, source: str | None) -> list[MappedLayer]:
        """The mappings to start from, of layers of the set."""
        if source is None:
            return []
        known = load_known(Path(source))
        check_some(Path(source), [unique.layer for unique in self._layers], known)
        return known

    def _make_problems(self) -> list[Problem]:
        settings = self._settings
        held, levels = load_held(settings.dataflow, settings.constraints, settings.levels)
        rule, restriction = TILE_RULES[settings.tiles], self._model.restriction
        spaces = [Space(each.layer, self._hardware, levels, rule, held, restriction) for each in self._layers]
        problems = [Problem(space, self._model, self._objective) for space in spaces]
        if settings.sampler == Sampler.EXACT:
            check_bounded(problems[0])
        # One evaluation of each: what the model cannot count is told before work starts, and workers find the kernels compiled.
        rng = np.random.default_rng(0)
        for problem in problems:
            problem.score(problem.space.draw([problem.space.fitting], 1, rng))
        return problems

    def _tasks(self, index: int, share_seconds: float | None, dataflows: Sequence[Constraints]) -> list[Task]:
        settings, problem = self._settings, self._problems[index]
        known = problem.space.adopt(known_of(problem.space.layer, self._known))
        starts = Starts(classic_starts(problem.space, dataflows), known)
        budget = settings.budget(share_seconds)
        searcher = searcher_of(settings.sampler_used, self._objectives)
        return [Task(problem, searcher, budget, (settings.seed, index, k), starts) for k in range(settings.restarts)]

    def search(self, folder: RunFolder, jobs: int, watcher: Watcher | None) -> dict[str, Any]:
        """Search the layers that have no row yet, saving each as it is done."""
        left = [index for index, unique in enumerate(self._layers) if self.found.row(unique.layer.name) is None]
        searches = len(left) * self._settings.restarts
        timeout = self._settings.timeout_seconds
        jobs = max(1, min(jobs, searches))
        share = None if timeout is None else timeout * jobs / max(1, searches)
        dataflows = classic_dataflows()
        tasks = [(index, task) for index in left for task in self._tasks(index, share, dataflows)]
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
