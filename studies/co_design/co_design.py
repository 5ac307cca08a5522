"""Co-design: the machine of a hardware space on which a network does best, and what that gains."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from mapsearch.formats.yaml.hardware import hardware_to_dict, load_hardware
from mapsearch.model.area import taken
from mapsearch.model.errors import InputError
from mapsearch.search.engine import Engine
from mapsearch.search.machines.bounds import widest_bounds
from mapsearch.search.machines.candidate import MappedNetwork
from mapsearch.search.machines.sampler import Point
from mapsearch.search.machines.search import BY_DEFAULT, EXHAUSTIVE, TO_THE_END, Candidate, MachineSearch, check_space
from mapsearch.search.machines.stages import Stage, with_mapping
from mapsearch.search.mappings.branch_and_bound import check_bounded
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.pareto import non_dominated
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.studies.co_design.baselines import Baseline, baselines
from mapsearch.studies.co_design.notes import MachineNotes, write_machines
from mapsearch.studies.co_design.results import BaselineResult, CoDesignProgress, CoDesignResult, MachineRow
from mapsearch.studies.co_design.storage import StoredStudy
from mapsearch.studies.folder import ANEW, RESULTS, RunFolder, config_files
from mapsearch.studies.results import RunResults
from mapsearch.studies.results_reader import read_results
from mapsearch.studies.run.layer_results import LayerResults
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import record
from mapsearch.studies.saving import save_in_the_end
from mapsearch.studies.watching import RunWatcher

# Of a timeout, what the search gets before the full ones, each of these (of the best machine and of two others to compare), and
# the choice of one of the others.
SEARCH_SHARE, FULL_SHARE, CHOICE_SHARE = 0.5, 0.15, 0.05


class CoDesign:
    """The search for a machine and what it found so far."""

    def __init__(self, plan: Plan, space: HardwareSpace, storage: str | None = None) -> None:
        """Check the inputs before work starts; InputError where there are too many machines, or none that takes all layers.

        storage: where the machines are kept as a study of Optuna's too, see `StoredStudy`.
        """
        check_space(space)
        plan.compare_at(space.base.clock_mhz)
        self._began = time.monotonic()
        self._plan, self._space, self._within = plan, space, dict(space.within_limits())
        self.config = record(plan.settings, plan.mix.sources, plan.layers, space)
        self.files = {**config_files(self.config), **plan.files()}
        self.title = f"{plan.mix.name}-{plan.settings.objective}-{space.name}"
        self._job = plan.job(space.limits.power_mw)
        self._done: RunResults | None = None
        self._check()
        self._stored = None if storage is None else StoredStudy(storage, self.title, self.config, space, self._job)

    def _check(self) -> None:
        """Raise InputError unless some machine within the budget has, for every layer, mappings that the model can count."""
        why = ""
        for hardware in sorted(
            self._within.values(), key=lambda each: (sum(each.l1.sizes), sum(each.l2.sizes), each.pes), reverse=True
        ):
            try:
                problems = [self._job.problem(index, hardware) for index in range(len(self._job.layers))]
            except InputError as error:
                why = why or str(error)  # of the largest machine
                continue
            if self._plan.settings.sampler == Sampler.EXACT:
                check_bounded(problems[0])
            for problem in problems:
                problem.score(problem.space.draw([problem.space.fitting], 1, np.random.default_rng(0)))
            return
        raise InputError(
            f"hardware space {self._space.name}: no machine of it takes every layer: {why or 'none is within the budget'}"
        )

    def go_on_from(self, folder: RunFolder) -> None:
        """Take the results if they are complete; else mapped machines are recalled from the folder's notes."""
        if (folder.path / RESULTS).exists():
            results = folder.read(RESULTS, ANEW)
            if results.get("complete") and "co_design" in results:
                self._done = read_results(results, folder.path / RESULTS, ANEW)
                done = LayerResults(self._plan.inputs(load_hardware(folder.config()["hardware"])), ())
                done.go_on_from(folder)  # checks them

    def search(self, folder: RunFolder, engine: Engine, watcher: RunWatcher | None) -> RunResults:
        """Search the machine, save its run like a run on one machine, and compare it with the baselines."""
        if self._done is not None:
            return self._done
        timeout = self._plan.settings.timeout_seconds or inf
        searches = len(self._job.layers) * self._job.restarts
        budget = self._plan.settings.budget(FULL_SHARE * timeout * min(engine.jobs, searches) / searches if timeout < inf else None)
        machines = folder.path / "machines"
        in_folder = MachineNotes(machines, self._space, self._job)
        notes = in_folder if self._stored is None else self._stored.over(in_folder)
        bounds = widest_bounds(self._space, list(self._within), self._job, engine, watcher)
        search = MachineSearch(self._space, self._within, self._job, budget, notes, bounds, self._began + SEARCH_SHARE * timeout)

        def tell(stage: str) -> None:
            if watcher is not None:
                best = None if search.best is None else self._row(search.best)
                watcher.compared(CoDesignProgress(stage, **self._counts(search), best=best))

        def mapped(stage: Stage) -> None:
            tell(stage.name.lower())

        allowance = TO_THE_END if len(search.machines) <= EXHAUSTIVE and timeout == inf else BY_DEFAULT
        search.run(allowance, engine, watcher, mapped)
        search.map_best(engine, watcher, mapped)
        best = search.best
        if best is None and search.stopped:
            raise KeyboardInterrupt
        if best is None:
            raise InputError(
                f"hardware space {self._space.name}: no machine was found on which every layer has a mapping in the budget"
            )
        others: list[Baseline] = []
        try:
            if not search.stopped and len(self._job.objectives) == 1 and time.monotonic() < self._began + timeout:
                tell("comparing")
                end, choice = self._began + timeout, CHOICE_SHARE * timeout
                others = baselines(self._space, self._job, budget, search, machines, engine, end, choice, watcher)
                search.map_best(engine, watcher, mapped)
        except KeyboardInterrupt:
            search.stopped = True
        return self._save(folder, search, search.best or best, others)

    def _save(self, folder: RunFolder, search: MachineSearch, best: Candidate, others: Sequence[Baseline]) -> RunResults:
        hardware = best.hardware
        self.config = {**self.config, "hardware": hardware_to_dict(hardware)}
        found = LayerResults(self._plan.inputs(hardware), self._plan.left_out)
        found.note_machine(self._result(search, best, others), stopped=search.stopped)
        for index, mapping in enumerate(best.mapped.mappings if best.mapped is not None else ()):
            if mapping is not None:
                outcomes = best.outcomes[index] if best.outcomes else ()
                found.note(index, with_mapping(self._job.problem(index, hardware), outcomes, mapping))
        with contextlib.suppress(OSError):  # the last save reports it
            folder.record(config_files(self.config))
            write_machines(folder.path / "machines.csv", [self._row(machine) for machine in search.machines.values()])
        save_in_the_end(folder, {**self.files, **config_files(self.config)}, found.save_all, found.results)
        return found.results(folder.path)

    def _result(self, search: MachineSearch, best: Candidate, others: Sequence[Baseline]) -> CoDesignResult:
        value = float(best.values[0])
        return CoDesignResult(
            space=self._space.name,
            **self._counts(search),
            objectives=tuple(objective.text for objective in self._job.objectives),
            clock_mhz=self._space.base.clock_mhz if self._several_clocks else None,
            best=self._row(best),
            front=tuple(self._row(machine) for machine in self._front(search)),
            comparison=tuple(self._compared(baseline, value) for baseline in others),
        )

    @property
    def _several_clocks(self) -> bool:
        return len(self._space.clocks_mhz) > 1

    def _front(self, search: MachineSearch) -> list[Candidate]:
        """The mapped machines than which none has less runtime, energy and area (or DSPs and block RAMs), the fastest first."""
        mapped = {machine.point: machine.mapped for machine in search.machines.values() if _is_mapped(machine)}
        figures: list[tuple[tuple[float, ...], Point]] = []
        for point, each in mapped.items():
            if each is not None:
                runtime, energy = each.sums(self._job)
                runtime *= self._space.base.clock_mhz / each.hardware.clock_mhz
                figures.append(((runtime, energy, *taken(each.hardware).values()), point))
        figures.sort()
        kept = non_dominated(np.array([costs for costs, _ in figures], np.float64))
        return [search.machines[figures[row][1]] for row in kept.tolist()]

    def _counts(self, search: MachineSearch) -> dict[str, Any]:
        machines = search.machines.values()
        dropped = Counter(machine.stage for machine in machines if machine.dropped)
        reached = {stage: sum(machine.stage >= stage for machine in machines) for stage in Stage if stage > Stage.BOUNDED}
        left = sum(_status(machine) == "open" for machine in machines)
        return {
            "machines": self._space.size,
            "over": search.over,
            "no_mapping": sum(_status(machine) == "no mapping" for machine in machines),
            "dropped": {stage.name.lower(): dropped[stage] for stage in Stage if stage < Stage.FULL},
            "mapped": {stage.name.lower(): count for stage, count in reached.items()},
            "open": left,
            "proven": left == 0,
        }

    def _row(self, machine: Candidate) -> MachineRow:
        axes = zip(self._space.axes, machine.point, strict=True)
        return MachineRow(
            values={axis.key: axis.values[place] for axis, place in axes},
            **taken(machine.hardware),
            **self._figures(machine.mapped),
            lower_bounds=tuple(float(bound) if np.isfinite(bound) else None for bound in machine.bound),
            stage=machine.stage.name.lower(),
            status=_status(machine),
        )

    def _figures(self, mapped: MappedNetwork | None) -> dict[str, Any]:
        """The fields of `MachineRow` that follow from its mappings."""
        if mapped is None or not np.isfinite(mapped.values(self._job)).all():
            nothing: dict[str, Any] = dict.fromkeys(("power_mw", "runtime_cycles", "energy_pj"))
            return nothing | {"objectives": (None,) * len(self._job.objectives)}
        runtime, energy = mapped.sums(self._job)
        figures: dict[str, Any] = {"power_mw": mapped.power_mw(), "runtime_cycles": int(runtime), "energy_pj": energy}
        if self._several_clocks:
            figures["runtime_ms"] = runtime / mapped.hardware.clock_mhz / 1e3
        return figures | {"objectives": tuple(mapped.values(self._job).tolist())}

    def _compared(self, baseline: Baseline, best: float) -> BaselineResult:
        """A baseline compared with the best machine; best: that machine's objective."""
        figures = self._figures(baseline.mapped)
        (objective,) = figures.pop("objectives")
        return BaselineResult(
            way=baseline.way,
            chosen=baseline.chosen,
            hardware=hardware_to_dict(baseline.mapped.hardware),
            **figures,
            objective=objective,
            gain=objective / best - 1 if objective is not None and best > 0 else None,
        )


def _is_mapped(machine: Candidate) -> bool:
    return bool(np.isfinite(machine.values).all())


def _status(machine: Candidate) -> str:
    if machine.dropped:
        return "dropped"
    if machine.stage < Stage.FULL:
        return "open"
    return "mapped" if _is_mapped(machine) else "no mapping"
