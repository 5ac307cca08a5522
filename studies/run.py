"""A run: from a layer set and a machine to the best mapping of every layer, exported, re-checked and recorded."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from mapsearch.model.cost import CostModel
from mapsearch.model.directives import MappedLayer, Network
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.maestro.model import MaestroModel
from mapsearch.model.models import cost_model
from mapsearch.search.branch_and_bound import check_bounded
from mapsearch.search.objective import Objective, Problem
from mapsearch.search.searcher import Outcome, Sampler
from mapsearch.search.starts import Starts, classic_starts
from mapsearch.search.workers import Task, run_tasks
from mapsearch.spaces.dataflow import Dataflow
from mapsearch.spaces.space import Space
from mapsearch.studies.dataflows import classic_dataflows, load_dataflow
from mapsearch.studies.evaluation import HardwareSource, evaluate_text, machine
from mapsearch.studies.exporters import DirectiveExporter, Exporter, MaestroExporter
from mapsearch.studies.layer_sets import LayerSet, UniqueLayer, load_layer_set, names
from mapsearch.studies.run_folder import RunFolder, mapping_name, unused_folder
from mapsearch.studies.settings import TILE_RULES, Settings, check_same, record
from mapsearch.studies.totals import objective_of, totals

_LOG = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who is told how a run gets on; all calls but `advanced` come from the caller's thread."""

    def began(self, folder: Path, layers: Sequence[str], trials: int) -> None:
        """The run's folder, the layers still to be searched, and the trials of each."""
        ...

    def advanced(self, trials: NDArray[np.int64]) -> None:
        """Trials done so far by each of those layers."""
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
    layer_set: str | os.PathLike[str] | None = None,
    hardware: HardwareSource | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    resume: bool = False,
    watcher: Watcher | None = None,
    **settings: Any,  # noqa: ANN401 the fields of Settings, checked there
) -> dict[str, Any]:
    """Search the best mapping of every layer and write the run's folder; returns what its results.json holds.

    layer_set: a shipped set's name or a file. hardware: as `evaluate` takes it (default: edge). out: the folder (default: a
    new one under runs/). jobs: processes (default: one a core). resume: go on with the run in `out`, whose layer set,
    hardware and settings are taken and may not be others. settings: the fields of `settings.Settings` (objective, sampler,
    trials, evaluations, timeout_seconds, seed, restarts, levels, tiles, dataflow, model).

    The results hold `complete` (False after an interrupt), `folder`, `objective` (as given), `totals`, `left_out` (`name` and
    `reason` of each layer that has no mapping, which the logger of this module tells too), and in `layers` each one's `name`,
    `names`, `count`, `objective` (its value), `lower_bound` (no mapping of the space has less; None where there is no bound),
    `gap` (objective / lower_bound - 1), `evaluations` (mappings costed), `dropped` (left out for their lower bound), `refused`
    (of the evaluations, those that the cost model does not vouch for), `seconds`, `finished`, `mapping_file`, `metrics` (as
    `evaluate` gives them), `trace` (`evaluations`, `dropped`, `refused`, `seconds` and `objective` at each better mapping) and
    `proof` (what an exact search went through, see `search.searcher.Certificate`). They depend on the seed and
    not on the number of jobs (but on the clock where there is a timeout, or an exact search that ends without its proof).

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
    run_ = _Run(Settings.of(settings), str(layer_set), machine("edge" if hardware is None else hardware))
    folder = RunFolder(Path(out) if out is not None else unused_folder(run_.title))
    if recorded is not None:
        check_same(recorded, run_.config, str(folder.path))
        run_.go_on_from(folder)
    else:
        _create(folder, run_.config, run_.more_files)
    return run_.search(folder, jobs or int(joblib.cpu_count()), watcher)


def _create(folder: RunFolder, config: Mapping[str, Any], more: Mapping[str, str]) -> None:
    try:
        folder.create(config, config["hardware"], more)
    except OSError as error:
        hint = "name another folder as out (--out DIR)"
        raise InputError(f"{folder.path}: the run's folder must be writable: {error.strerror}; {hint}") from None


def _counted(layers: LayerSet, model: CostModel) -> tuple[list[UniqueLayer], list[dict[str, str]]]:
    """The layers as the model counts them, then name and reason of those that it does not take; InputError where it takes none."""
    counted: list[UniqueLayer] = []
    left_out: list[dict[str, str]] = []
    for unique in layers.unique:
        try:
            counted.append(replace(unique, layer=model.takes(unique.layer)))
        except InputError as error:
            left_out.append({"name": unique.layer.name, "reason": str(error)})
    if not counted:
        raise InputError(f"layer set {layers.name}: the cost model {model.name} takes none of its layers: {left_out[0]['reason']}")
    for each in left_out:
        _tell_left_out(each)
    return counted, left_out


def _tell_left_out(layer: Mapping[str, str]) -> None:
    _LOG.info("%s is left out: %s", layer["name"], layer["reason"])


class _Run:
    """The work of one run and what it found so far."""

    def __init__(self, settings: Settings, layer_set: str, hardware: Hardware) -> None:
        self._settings = settings
        self._model = cost_model(settings.model)
        self._exporter: Exporter = MaestroExporter() if isinstance(self._model, MaestroModel) else DirectiveExporter()
        layers = load_layer_set(layer_set, as_listed=self._model.restriction.as_listed)
        self._network = layers.name
        self._layers, self._left_out = _counted(layers, self._model)
        self._hardware = hardware
        self._objective = Objective.of(settings.objective)
        self.config = record(settings, layer_set, self._layers, hardware)
        self.more_files = self._exporter.hardware_texts(hardware)
        self.title = f"{self._network}-{settings.objective}-{hardware.name}"
        self._rows: dict[str, dict[str, Any]] = {}
        self._texts: dict[str, str] = {}
        self._problems = self._make_problems()

    def _make_problems(self) -> list[Problem]:
        settings = self._settings
        dataflow = load_dataflow(settings.dataflow) if settings.dataflow is not None else None
        rule, restriction = TILE_RULES[settings.tiles], self._model.restriction
        spaces = [Space(each.layer, self._hardware, settings.levels, rule, dataflow, restriction) for each in self._layers]
        problems = [Problem(space, self._model, self._objective) for space in spaces]
        if settings.sampler == Sampler.EXACT:
            check_bounded(problems[0])
        # One evaluation of each: what the model cannot count is told before work starts, and workers find the kernels compiled.
        rng = np.random.default_rng(0)
        for problem in problems:
            problem.score(problem.space.draw([problem.space.fitting], 1, rng))
        return problems

    def _tasks(self, index: int, share_seconds: float | None, dataflows: Sequence[Dataflow]) -> list[Task]:
        settings, problem = self._settings, self._problems[index]
        starts = Starts(classic_starts(problem.space, dataflows) if settings.dataflow is None else ())
        budget = settings.budget(share_seconds)
        return [Task(problem, settings.sampler_used, budget, (settings.seed, index, k), starts) for k in range(settings.restarts)]

    def go_on_from(self, folder: RunFolder) -> None:
        """Take the layers that are done from the folder."""
        expected = {mapping_name(index + 1, self._name(index)) for index in range(len(self._layers))}
        for name, (row, text) in folder.finished().items():
            where = f"{folder.path}/{row['mapping_file']}"
            if row["mapping_file"] not in expected:
                raise InputError(f"{where}: is no mapping file of this run; start anew in another folder")
            [metrics] = evaluate_text(text, where, self._hardware, self._settings.model)
            del metrics["layer"]
            if metrics != row.get("metrics"):
                raise InputError(f"{where}: evaluates to other figures than were recorded; start anew in another folder")
            self._rows[name], self._texts[name] = row, text

    def search(self, folder: RunFolder, jobs: int, watcher: Watcher | None) -> dict[str, Any]:
        """Search the layers that have no row yet, saving each as it is done."""
        left = [index for index, unique in enumerate(self._layers) if unique.layer.name not in self._rows]
        searches = len(left) * self._settings.restarts
        timeout = self._settings.timeout_seconds
        jobs = max(1, min(jobs, searches))
        share = None if timeout is None else timeout * jobs / max(1, searches)
        dataflows = classic_dataflows()
        tasks = [(index, task) for index in left for task in self._tasks(index, share, dataflows)]
        if watcher is not None:
            watcher.began(folder.path, [self._name(index) for index, _ in tasks], self._settings.budget(share).trials)
        outcomes: dict[int, dict[int, Outcome]] = {index: {} for index in left}
        for place, outcome in run_tasks([task for _, task in tasks], jobs, watcher.advanced if watcher is not None else None):
            index = tasks[place][0]
            outcomes[index][place] = outcome
            self._note(index, [found for _, found in sorted(outcomes[index].items())])  # whichever came first
            name = self._name(index)
            if name not in self._rows:
                continue
            with contextlib.suppress(OSError):  # nothing is lost: all is saved once more in the end
                self._save(folder, [name])
            if watcher is not None and len(outcomes[index]) == self._settings.restarts:
                watcher.found(self._rows[name])
        self._save_in_the_end(folder)
        return self._results(folder.path)

    def _name(self, index: int) -> str:
        return self._layers[index].layer.name

    def _note(self, index: int, outcomes: Sequence[Outcome]) -> None:
        """Make the row of a layer from its searches so far: the best one's mapping, as its exported text evaluates.

        A layer for which they all ended with none, as the model vouches for none or none has a finite objective, is left out.
        """
        unique = self._layers[index]
        best = min(outcomes, key=lambda outcome: outcome.value)
        finished = len(outcomes) == self._settings.restarts and all(outcome.finished for outcome in outcomes)
        evaluations = sum(outcome.evaluations for outcome in outcomes)
        if len(best.batch) == 0:
            if finished:
                refused = sum(outcome.refused for outcome in outcomes)
                why = f"{refused:,} refused, {evaluations - refused:,} without a finite objective or too large for L1 or L2"
                hint = "use more trials, larger buffers or another model"
                reason = f"the cost model vouches for none of {evaluations:,} mappings ({why}); {hint}"
                self._left_out.append({"name": unique.layer.name, "reason": reason})
                _tell_left_out(self._left_out[-1])
            return
        mapped = MappedLayer(unique.layer, best.batch.decode(0, unique.layer))
        name = mapping_name(index + 1, unique.layer.name)
        text = self._exporter.mapping_text(Network(self._network, (mapped,)), self._hardware)
        [metrics] = evaluate_text(text, name, self._hardware, self._settings.model)
        del metrics["layer"]
        if objective_of(metrics, self._objective, self._hardware) != best.value:
            raise AssertionError(f"{name}: the exported mapping gives other figures than the search did; please report this")
        self._texts[unique.layer.name] = text
        bounds = [outcome.lower_bound for outcome in outcomes if outcome.lower_bound is not None and isfinite(outcome.lower_bound)]
        lower_bound = max(bounds, default=None)
        self._rows[unique.layer.name] = {
            "name": unique.layer.name,
            "names": list(unique.names),
            "count": unique.count,
            "objective": best.value,
            "lower_bound": lower_bound,
            "gap": best.value / lower_bound - 1 if lower_bound is not None and lower_bound > 0 else None,
            "evaluations": evaluations,
            "dropped": sum(outcome.dropped for outcome in outcomes),
            "refused": sum(outcome.refused for outcome in outcomes),
            "seconds": sum(outcome.seconds for outcome in outcomes),
            "finished": finished,
            "mapping_file": name,
            "metrics": metrics,
            "trace": [asdict(step) for step in best.trace],
            "proof": asdict(best.proof) if best.proof is not None else None,
        }

    def _results(self, path: Path) -> dict[str, Any]:
        in_order = [unique.layer.name for unique in self._layers]
        rows = [self._rows[name] for name in in_order if name in self._rows]
        done = {row["name"] for row in rows if row["finished"]} | {layer["name"] for layer in self._left_out}
        return {
            "complete": done.issuperset(in_order),
            "folder": str(path),
            "objective": self._objective.text,
            "totals": totals(rows, self._hardware, self._objective),
            "left_out": self._left_out,
            "layers": rows,
        }

    def _save(self, folder: RunFolder, layers: Iterable[str]) -> None:
        for name in layers:
            folder.save_mapping(self._rows[name]["mapping_file"], self._texts[name])
        folder.save_results(self._results(folder.path))

    def _save_in_the_end(self, folder: RunFolder) -> None:
        """Save everything; where that fails, in a temporary folder instead."""
        try:
            self._save(folder, self._texts)
        except OSError as error:
            try:
                refuge = RunFolder(Path(tempfile.mkdtemp(prefix="mapsearch-run-")))
                refuge.create(self.config, self.config["hardware"], self.more_files)
                self._save(refuge, self._texts)
            except OSError:
                raise UnsavedRunError(error, folder.path, None, self._results(folder.path)) from None
            raise UnsavedRunError(error, folder.path, refuge.path, self._results(refuge.path)) from None
