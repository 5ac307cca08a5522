"""The best mapping of one layer, searched from Python without a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mapsearch.formats.directives import MappedLayer, Network, print_network
from mapsearch.formats.mixes import mix_of
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import Evaluation
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer
from mapsearch.model.mapping import Mapping
from mapsearch.search.engine import run_tasks
from mapsearch.search.mappings.incumbent import Step
from mapsearch.search.mappings.searcher import Certificate, Outcome, Searcher
from mapsearch.search.processes import Processes
from mapsearch.studies.evaluate import HardwareSource, machine
from mapsearch.studies.run.network_totals import gap_to, greatest_bound
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import Settings


@dataclass(frozen=True, slots=True)
class LayerSearch:
    """The best mapping that a search found, with its bound and counts.

    objective: its value. lower_bound: no mapping of the space has less; None where the model or the objective has no bound.
    gap: objective / lower_bound - 1. evaluations: mappings costed; dropped: mappings and parts of the space that a lower bound left
    out. trace: a step for each better mapping found. proof: the counts of branch and bound. finished: False after Ctrl-C.
    """

    layer: Layer
    hardware: Hardware
    mapping: Mapping
    evaluation: Evaluation
    objective: float
    lower_bound: float | None
    gap: float | None
    evaluations: int
    dropped: int
    seconds: float
    trace: tuple[Step, ...]
    proof: Certificate | None
    finished: bool

    @property
    def directives(self) -> str:
        """The mapping as the text of a directive file, which `mapsearch.evaluate` takes."""
        return print_network(Network(self.layer.name, (MappedLayer(self.layer, self.mapping),)))


def search_layer(
    layer: Layer,
    hardware: HardwareSource = "edge",
    *,
    seeds: Sequence[Mapping] = (),
    searcher: Searcher | None = None,
    jobs: int = 1,
    **settings: Any,  # noqa: ANN401 the fields of SearchOptions, checked there
) -> LayerSearch:
    """Search the best mapping of a layer on a machine.

    hardware: as `evaluate` takes it. seeds: mappings of the layer to start from. searcher: of your own, in place of the
    sampler's (see `mapsearch.testing.SearcherContract`). jobs: processes for the restarts. settings: as `run` takes them
    (batch, objective, sampler, trials, evaluations, timeout_seconds, seed, restarts, levels, tiles, dataflow, constraints, tools,
    warm_start, model).

    Ctrl-C ends it with the best mapping so far. Raises InputError where an input breaks a law, or no mapping was found.
    """
    plan, target = Plan(Settings.of(settings), mix_of(layer)), machine(hardware)
    if len(plan.objectives) > 1:
        raise InputError(f"objective {plan.settings.objective}: must be one for a single layer; use mapsearch.run for fronts")
    if plan.settings.until_runtime is not None:
        raise InputError("until_runtime is of a whole network; use mapsearch.run, or a timeout")
    job = plan.job() if searcher is None else replace(plan.job(), searcher=searcher)
    problem, timeout = job.problem(0, target), plan.settings.timeout_seconds
    budget = plan.settings.budget(None if timeout is None else timeout * min(jobs, job.restarts) / job.restarts)
    tasks = job.tasks(problem, 0, budget, seeds)
    outcomes: list[Outcome] = []
    with contextlib.suppress(KeyboardInterrupt):  # the best so far is the answer
        outcomes.extend(outcome for _, outcome in run_tasks(tasks, Processes(jobs), None))
    best = min(outcomes, key=lambda outcome: outcome.value, default=None)
    if best is None or len(best.batch) == 0:
        hint = "search longer, or use larger buffers"
        raise InputError(f"layer {layer.name}: no mapping was found on the hardware {target.name}; {hint}")
    bound = greatest_bound(outcomes)
    counted = plan.layers[0].layer
    return LayerSearch(
        layer=counted,
        hardware=target,
        mapping=best.batch.decode(0, counted),
        evaluation=plan.model.evaluate(counted, target, best.batch).report(0),
        objective=best.value,
        lower_bound=bound,
        gap=gap_to(bound, best.value),
        evaluations=sum(outcome.evaluations for outcome in outcomes),
        dropped=sum(outcome.dropped for outcome in outcomes),
        seconds=sum(outcome.seconds for outcome in outcomes),
        trace=best.trace,
        proof=best.proof,
        finished=len(outcomes) == len(tasks) and all(outcome.finished for outcome in outcomes),
    )
