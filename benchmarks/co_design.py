"""Whether the machine that co-design finds is as good as the best of many random ones in the budget, each by the default search.

A random machine needs no mapping where a proven bound of its objective is not below what co-design found: the bounds of its layers
at once, or with the least energy of each layer that branch and bound proves for all machines of its PEs and buffers. The rest are
refined from co-design's own mappings, and those that come near to it are mapped by the default search.

Run as `python benchmarks/co_design.py`; `--help` shows what may be chosen, `--out` where the co-design is kept and gone on with.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from pathlib import Path

import numpy as np
from tables import table

from mapsearch.formats.seeds import load_seeds, seeds_of
from mapsearch.formats.yaml.hardware import load_hardware_space
from mapsearch.model.hardware import Hardware
from mapsearch.search.machines.candidate import Least
from mapsearch.search.machines.stages import Stage, map_fully, map_machines
from mapsearch.search.mappings.branch_and_bound import branch_and_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Limit
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.processes import Processes
from mapsearch.spaces.machines.space import HardwareSpace
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import Settings
from mapsearch.studies.start import run

Sizes = tuple[int, int, int]

BATCH = 8  # machines refined at a time


def main() -> None:
    """Search, draw, bound and map; print how many were excluded by what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer-set", default="mobilenet_v2")
    parser.add_argument("--hardware", default="edge_space")
    parser.add_argument("--objective", default="edp")
    parser.add_argument("--machines", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", type=int, default=1_000_000, help="of each layer's space, for the proof of its least energy")
    parser.add_argument("--near", type=float, default=0.003, help="how much more than co-design's a refined objective may be")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/co_design"))
    args = parser.parse_args()
    began = time.monotonic()
    results = run(args.layer_set, args.hardware, objective=args.objective, out=args.out, jobs=args.jobs, resume=args.out.exists())
    value = results["co_design"]["best"]["objective"]
    print(f"co-design: {value:.6g} on {results['co_design']['best']} after {time.monotonic() - began:.0f} s", flush=True)
    space = load_hardware_space(args.hardware)
    job = Plan(Settings.of({"objective": args.objective}), args.layer_set).job(space.limits.power_mw)
    machines = _drawn(space, args.machines, args.seed)
    at_once = {hardware: float(Least.on(job, hardware).values(job, hardware)[0]) for hardware in machines}
    left = [hardware for hardware in machines if at_once[hardware] < value]
    print(f"{len(machines)} machines, {len(left)} not excluded by the bounds at once", flush=True)
    proven = _with_energy(job, left, args.parts)
    hopeful = sorted((hardware for hardware in left if proven[hardware] < value), key=proven.__getitem__)
    print(f"{len(hopeful)} not excluded by the least energies", flush=True)
    refined = _refined(job, hopeful, args.out, args.jobs, value)
    near = [hardware for hardware in hopeful if refined[hardware] < value * (1 + args.near)]
    found = _mapped(job, near, args.jobs, value)
    rows: list[tuple[str, int]] = [
        ("excluded by bounds of whole layers", len(machines) - len(left)),
        ("excluded by least energies", len(left) - len(hopeful)),
        (f"refined, and more than {args.near:.1%} above co-design's", len(hopeful) - len(near)),
        ("mapped by the default search, no better", sum(each >= value for each in found)),
        ("mapped by the default search, better", sum(each < value for each in found)),
    ]
    print(table(("random machines in the budget", "machines"), rows))
    least = min([*refined.values(), *found], default=float("nan"))
    print(f"least objective of them: {least:.6g}; co-design's: {value:.6g}")


def _drawn(space: HardwareSpace, count: int, seed: int) -> list[Hardware]:
    """Different machines in the budget, all equally likely."""
    every = [space.at(point) for point in product(*(range(len(axis.values)) for axis in space.axes))]
    within = [hardware for hardware in every if space.allows(hardware)]
    rows = np.random.default_rng(seed).permutation(len(within))[:count]
    return [within[row] for row in rows.tolist()]


def _with_energy(job: LayersJob, machines: list[Hardware], parts: int) -> dict[Hardware, float]:
    """Each machine's bound with the least energies of its layers, which do not depend on its widths."""
    energies: dict[Sizes, np.ndarray] = {}
    bounds: dict[Hardware, float] = {}
    for hardware in machines:
        sizes = hardware.pes, hardware.l1.bytes, hardware.l2.bytes
        if sizes not in energies:
            energies[sizes] = np.array([_least_energy(job.problem(index, hardware), parts) for index in range(len(job.layers))])
            print(f"least energies of {sizes}: {energies[sizes] @ np.array(job.counts):.6g} pJ", flush=True)
        least = Least.on(job, hardware)
        better = Least(least.runtime_cycles, np.maximum(least.energy_pj, energies[sizes]))
        bounds[hardware] = float(better.values(job, hardware)[0])
    return bounds


def _least_energy(problem: Problem, parts: int) -> float:
    incumbent = Incumbent(Problem(problem.space, problem.model, Objective.of("energy")))
    return branch_and_bound(incumbent, Limit(parts=parts), lambda: False).lower_bound


def _refined(job: LayersJob, machines: list[Hardware], folder: Path, jobs: int, value: float) -> dict[Hardware, float]:
    """The objectives of machines refined from the mappings of a run's folder."""
    known = load_seeds(folder / "mappings")
    seed_mappings = tuple(tuple(seeds_of(layer, known)) for layer in job.layers)
    found: dict[Hardware, float] = {}
    for first in range(0, len(machines), BATCH):
        some = machines[first : first + BATCH]
        seeds = [(0, first + place) for place in range(len(some))]
        for place, mapped in map_machines(
            job, Stage.REFINED, [(each, seed_mappings) for each in some], seeds, Processes(jobs), None
        ):
            found[some[place]] = float(mapped.values(job)[0])
            print(f"{len(found)} of {len(machines)}: {found[some[place]] / value:.4f} of co-design's, refined", flush=True)
    return found


def _mapped(job: LayersJob, machines: list[Hardware], jobs: int, value: float) -> list[float]:
    """The objectives of machines mapped by the default search."""
    found: list[float] = []
    for number, hardware in enumerate(machines, start=1):
        [(mapped, _)] = map_fully(job, hardware, Settings.of({}).budget(None), Processes(jobs), None)
        found.append(float(mapped.values(job)[0]))
        sizes = hardware.pes, hardware.l1.bytes, hardware.l2.bytes, hardware.noc.bytes_per_cycle, hardware.offchip.bytes_per_cycle
        print(f"{number} of {len(machines)}: {sizes} {found[-1]:.6g}, {found[-1] / value:.4f} of co-design's", flush=True)
    return found


if __name__ == "__main__":
    main()
