"""The baselines of co-design: the best shipped machine within the budget, and a machine chosen for one dataflow."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import inf
from operator import add
from pathlib import Path
from typing import Literal

import numpy as np

from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.formats.yaml.hardware import load_hardware, names
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import MappingBatch
from mapsearch.search.engine import Engine
from mapsearch.search.machines.candidate import MappedNetwork, SeedMappings
from mapsearch.search.machines.search import Allowance, Candidate, MachineSearch
from mapsearch.search.machines.stages import Stage, map_machines
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.searcher import Budget
from mapsearch.search.progress import Watcher
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.studies.co_design.notes import MachineNotes

# The dataflow that a machine is chosen for before it is mapped freely: NVDLA's, the most common one in silicon.
DATAFLOW = "kcp_ws"
ALLOWANCE = Allowance(16, ((Stage.QUICK, 8),))


@dataclass(frozen=True, slots=True)
class Baseline:
    """A machine chosen in another way (`preset` or `hardware_first`) and refined; chosen: preset or dataflow."""

    way: Literal["preset", "hardware_first"]
    chosen: str
    mapped: MappedNetwork


def baselines(
    space: HardwareSpace,
    job: LayersJob,
    budget: Budget,
    search: MachineSearch,
    folder: Path,
    engine: Engine,
    deadline: float,
    choice_seconds: float,
    watch: Watcher | None,
) -> list[Baseline]:
    """The baselines that exist for this space and budget. Raises KeyboardInterrupt after Ctrl-C.

    Each is chosen by quick mappings, and then refined as the co-design's own machines are. search: of the co-design; the presets'
    quick mappings start from those of its best machine, and a baseline that is a machine of its space is added to it. budget: whose
    timeout, if any, limits the search of each layer. deadline: by `time.monotonic`; after it, no machine is chosen for a dataflow.
    choice_seconds: for that choice.
    """
    found: list[Baseline] = []
    seeds: list[SeedMappings] = []
    best = search.best
    preset = _best_preset(space, job, search, best, engine, watch) if best is not None else None
    if preset is not None:
        found.append(Baseline("preset", preset.hardware.name, preset))
        seeds.append(_own(preset))
    first = (
        _chosen_first(space, job, budget, search, folder, engine, choice_seconds, watch) if time.monotonic() < deadline else None
    )
    if first is not None and first.mapped is not None:
        unbounded = np.full(len(job.layers), -inf)  # the bounds of one dataflow's mappings do not hold for others
        free = MappedNetwork.of(job, first.hardware, first.mapped.mappings, unbounded)
        found.append(Baseline("hardware_first", DATAFLOW, free))
        seeds.append(tuple(map(add, _own(free), search.seed_mappings(first.point))))
    machines = [(each.mapped.hardware, mappings) for each, mappings in zip(found, seeds, strict=True)]
    rng_seeds = [(job.seed, int(Stage.REFINED), number) for number in range(len(found))]
    for number, mapped in map_machines(job, Stage.REFINED, machines, rng_seeds, engine, watch, budget.timeout_seconds):
        found[number] = replace(found[number], mapped=mapped.better_of(found[number].mapped, job))
        if first is not None and found[number].way == "hardware_first":
            search.take(first.point, found[number].mapped)
    return found


def _own(mapped: MappedNetwork) -> SeedMappings:
    return tuple(() if mapping is None else (mapping,) for mapping in mapped.mappings)


def presets(space: HardwareSpace) -> list[Hardware]:
    """The shipped machines' sizes, with the space's technology, bits and each of its clocks, that are within the budget."""
    shipped = [load_hardware(name) for name in names()]
    like = [
        replace(
            space.base, name=each.name, pes=each.pes, simd=each.simd, l1=each.l1, l2=each.l2, noc=each.noc, offchip=each.offchip,
            clock_mhz=clock, array=each.array, run=each.run,
        )
        for each in shipped for clock in space.clocks_mhz
    ]  # fmt: skip
    return [each for each in like if space.allows(each)]


def _best_preset(
    space: HardwareSpace, job: LayersJob, search: MachineSearch, best: Candidate, engine: Engine, watch: Watcher | None
) -> MappedNetwork | None:
    machines = [each for each in presets(space) if _is_counted(job, each)]
    seed_mappings = search.seed_mappings(best.point)
    rng_seeds = [(job.seed, number) for number in range(len(machines))]
    found = dict(map_machines(job, Stage.QUICK, [(each, seed_mappings) for each in machines], rng_seeds, engine, watch))
    mapped = [each for _, each in sorted(found.items()) if np.isfinite(each.values(job)).all()]
    return min(mapped, key=lambda each: float(each.values(job)[0]), default=None)


def _is_counted(job: LayersJob, hardware: Hardware) -> bool:
    """Whether the cost model has all that the machine has."""
    try:
        job.model.evaluate(job.layers[0], hardware, MappingBatch.empty(job.levels))
    except InputError:
        return False
    return True


def _chosen_first(
    space: HardwareSpace,
    job: LayersJob,
    budget: Budget,
    search: MachineSearch,
    folder: Path,
    engine: Engine,
    seconds: float,
    watch: Watcher | None,
) -> Candidate | None:
    """The machine that does best with mappings of one dataflow."""
    held = load_dataflow(DATAFLOW)
    fixed = replace(job, constraints=held, levels=len(held.levels), seed_mappings=((),) * len(job.layers))
    machines = {point: machine.hardware for point, machine in search.machines.items()}
    notes = MachineNotes(folder / DATAFLOW, space, fixed)
    bounds = {point: machine.least for point, machine in search.machines.items()}
    first = MachineSearch(space, machines, fixed, budget, notes, bounds, time.monotonic() + seconds, tightens=False)
    first.run(ALLOWANCE, engine, watch, lambda _: None)
    if first.stopped:
        raise KeyboardInterrupt
    return first.best
