"""The start of a run: a layer set and a machine, or a space of machines, become a prepared run, which is then searched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsearch.formats.mixes import MixSource
from mapsearch.formats.yaml.hardware import load_hardware_space
from mapsearch.formats.yaml.layer_sets import names
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.spaces.machines.space import HardwareSpace, Limits
from mapsearch.studies.declared import SettingError
from mapsearch.studies.engines import ClusterSource, engine_of
from mapsearch.studies.evaluate import HardwareSource
from mapsearch.studies.folder import RunFolder, unused_folder
from mapsearch.studies.proofs import Proofs
from mapsearch.studies.results import RunResults
from mapsearch.studies.run.one_machine import MachineRun
from mapsearch.studies.run.options import Inputs
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import Settings
from mapsearch.studies.watching import RunWatcher

if TYPE_CHECKING:
    from mapsearch.studies.co_design.co_design import CoDesign


def run(
    layer_set: MixSource | None = None,
    hardware: HardwareSource | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    cluster: ClusterSource | None = None,
    resume: bool = False,
    no_cache: bool = False,
    storage: str | None = None,
    watcher: RunWatcher | None = None,
    **settings: Any,  # noqa: ANN401 the fields of Settings, checked there
) -> RunResults:
    """Search the best mapping of every layer and, in a space of machines, the best machine; returns the results.

    layer_set: a shipped set's name or a file, or several with weights for a mix, as `--layer-set` takes them or as a dict such as
    {"resnet18": 2, "bert_base": 1}. hardware: as `evaluate` takes it, or a space of machines (default: edge). out: the folder
    (default: a new one under runs/). jobs: processes (default: one a core). cluster: a Dask scheduler's address, a cluster file
    (docs/cluster.md) or a client, whose workers search in place of processes. resume: go on with the run in `out`, with its
    recorded layer set, hardware and settings, which may not differ. no_cache: prove every layer anew, also what earlier runs have
    proven. storage: of Optuna's, in which a search for a machine keeps its machines too, and one of Optuna's samplers each layer's
    structures: a database's URL or the path of a journal file. settings: the fields of `options.SearchOptions` (batch, objective,
    sampler, trials, evaluations, timeout_seconds, seed, restarts, levels, tiles, dataflow, constraints, tools, warm_start, model).

    The results are a `mapsearch.studies.results.RunResults`; `to_dict` gives the content of results.json. They depend on the seed
    and not on the number of jobs or workers; with a timeout, or where an exact search ends without its proof, also on the clock.

    Raises InputError before work starts where an input breaks a law, and UnsavedRunError where the folder
    can no longer be written when it ends.
    """
    begun = prepare(Inputs(layer_set, hardware, out, resume, jobs, cluster, no_cache, storage), settings)
    study, folder = begun.study, begun.folder
    if begun.recorded is not None:
        folder.check_same(begun.recorded, study.config)
    with engine_of(jobs, cluster) as engine, folder.at_work(study.files, watcher, resume=resume):
        if resume:
            study.go_on_from(folder)
        results = study.search(folder, engine, watcher)
    if not no_cache:
        Proofs.of_user().trim()
    return results


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run whose inputs are loaded and checked, before anything is written; recorded: the config.json of a run to resume."""

    plan: Plan
    space: HardwareSpace
    study: MachineRun | CoDesign
    folder: RunFolder
    recorded: dict[str, Any] | None


def prepare(inputs: Inputs, settings: Mapping[str, Any]) -> Prepared:
    """Load and check the inputs that are given, or those that the folder of a run to resume has recorded."""
    recorded = RunFolder.recorded_in(inputs.out) if inputs.resume else None
    layer_set, hardware = inputs.layer_set, inputs.hardware
    if recorded is not None:
        layer_set = recorded["layer_set"] if layer_set is None else layer_set
        hardware = recorded.get("hardware_space", recorded.get("hardware")) if hardware is None else hardware
        settings = {**recorded["settings"], **settings}
    if layer_set is None:
        raise InputError(f"a layer set is needed; there are {', '.join(names())}, or give a file's path")
    memory = None if inputs.no_cache else Proofs.of_user()
    own = recorded is not None and settings.get("warm_start") == recorded["settings"].get("warm_start")
    plan = Plan(Settings.of(settings), layer_set, memory, Path(inputs.out) if own and inputs.out is not None else None)
    space = _space("edge" if hardware is None else hardware)
    if plan.settings.until_runtime is not None and not space.is_one_machine:
        raise SettingError(lambda called: f"{called('until_runtime')} is of one machine, and {space.name} is a space of them")
    if inputs.storage is not None and space.is_one_machine and not plan.settings.proposes_structures:
        raise SettingError(
            lambda called: (
                f"{called('storage')} is of a search for a machine, or of structures that one of Optuna's samplers tries for one "
                f"objective; {space.name} is one machine, and {called('sampler')} {plan.settings.sampler} tries none so"
            )
        )
    study = MachineRun(plan, space.base, inputs.storage) if space.is_one_machine else _co_design(plan, space, inputs.storage)
    folder = RunFolder(Path(inputs.out) if inputs.out is not None else unused_folder(study.title))
    return Prepared(plan, space, study, folder, recorded)


def _co_design(plan: Plan, space: HardwareSpace, storage: str | None) -> CoDesign:
    from mapsearch.studies.co_design.co_design import CoDesign  # noqa: PLC0415 a run on one machine has no need of it

    return CoDesign(plan, space, storage)


def _space(hardware: HardwareSource) -> HardwareSpace:
    match hardware:
        case Hardware():
            return HardwareSpace(hardware.name, hardware, (), Limits())
        case os.PathLike():
            return load_hardware_space(Path(hardware))
        case _:
            return load_hardware_space(hardware)
