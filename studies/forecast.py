"""A forecast of a run: what it would search, where it would write, and about how long it would take; nothing is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import Any

from mapsearch.formats.mixes import MixSource
from mapsearch.model.english import counted
from mapsearch.search.mappings.anytime import TO_PROVE
from mapsearch.search.mappings.branch_and_bound import least_bound
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import EVALUATIONS_PER_TRIAL, Budget
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.studies.declared import SettingError
from mapsearch.studies.engines import ClusterSource, jobs_of
from mapsearch.studies.evaluate import HardwareSource
from mapsearch.studies.results import LeftOut
from mapsearch.studies.run.options import Inputs
from mapsearch.studies.start import Prepared, prepare

# Seconds of branch and bound to a gap at the most, as it ends after a number of parts of the space.
PROOF_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class LayerForecast:
    """A layer, the number of its runs, and the number of mappings that its search may choose from, on a space's largest machine."""

    name: str
    count: int
    macs: int
    mappings: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of a run.

    machines: the number that it would choose from. left_out: name and reason of each layer that the cost model does not take.
    seconds: an upper limit, or None where none is known; basis: the basis of the seconds, or the reason why there are none.
    """

    title: str
    folder: str
    hardware: str
    machines: int
    layers: list[LayerForecast]
    left_out: list[LeftOut]
    jobs: int
    seconds: float | None
    basis: str


def forecast(
    layer_set: MixSource | None = None,
    hardware: HardwareSource | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    cluster: ClusterSource | None = None,
    resume: bool = False,
    no_cache: bool = False,
    storage: str | None = None,
    **settings: Any,  # noqa: ANN401 the fields of SearchOptions, checked there
) -> Forecast:
    """Load and check the arguments of `mapsearch.run`, as it does before it begins; raises the same errors.

    storage: is not opened, as nothing is written.
    """
    del storage
    if resume:
        raise SettingError(
            lambda called: f"a run that goes on ({called('resume')}) cannot be told of before; give a new run's inputs"
        )
    begun = prepare(Inputs(layer_set, hardware, out, resume, jobs, cluster, no_cache), settings)
    job, plan = begun.plan.job(), begun.plan
    problems = [job.problem(index, begun.space.largest) for index in range(len(job.layers))]
    layers = [
        LayerForecast(unique.layer.name, unique.count, unique.layer.macs, problem.space.size())
        for unique, problem in zip(plan.layers, problems, strict=True)
    ]
    at_once = jobs_of(jobs, cluster)
    seconds, basis = _duration(begun, problems, at_once)
    return Forecast(
        begun.study.title,
        str(begun.folder.path),
        begun.space.name,
        begun.space.size,
        layers,
        plan.left_out,
        at_once,
        seconds,
        basis,
    )


def _duration(begun: Prepared, problems: list[Problem], jobs: int) -> tuple[float | None, str]:
    """An upper limit on the seconds of the searches, and its basis."""
    settings = begun.plan.settings
    if settings.timeout_seconds is not None:
        return settings.timeout_seconds, "the timeout that is given"
    if not begun.space.is_one_machine:
        return None, "how many machines are mapped depends on what their bounds leave open; a timeout ends the search"
    budget, used = settings.budget(None), settings.sampler_used
    trial = _trial_seconds(problems[0]) * budget.evaluations_per_trial / EVALUATIONS_PER_TRIAL
    proof = 0.0
    if used in (Sampler.AUTO, Sampler.EXACT) and least_bound(problems[0]) is not None:
        proof = PROOF_SECONDS if settings.gap_used > 0 and used is Sampler.AUTO else TO_PROVE.seconds
    each = budget.trials * trial + proof
    searches = len(problems) * settings.restarts * (1 if settings.tools is None else 2)
    number = counted(searches, "search", "searches")
    basis = f"{number} of {counted(budget.trials, 'trial')}, each {trial:.2g} s as measured now on {problems[0].space.layer.name}"
    if proof:
        basis += f", and up to {proof:g} s of branch and bound"
    return each * ceil(searches / jobs), f"{basis}; {min(jobs, searches)} at once"


def _trial_seconds(problem: Problem) -> float:
    """The seconds that one trial takes on this computer now."""
    searcher, seeds = GeneticSearcher(), Seeds()
    searcher.search(problem, Budget(1, 1), (0,), seeds, lambda _: False)  # compiles
    began = perf_counter()
    searcher.search(problem, Budget(2, EVALUATIONS_PER_TRIAL), (0,), seeds, lambda _: False)
    return (perf_counter() - began) / 2
