"""How close the samplers come to the optimum with equal evaluations, and in equal time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from records import measure, read_rows
from search_proofs import MACHINES, problem_of

from mapsearch.formats.yaml.dataflows import classic_dataflows
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.search.mappings.sampler_names import PROVING_TRIALS, TRIALS, Sampler
from mapsearch.search.mappings.searcher import EVALUATIONS_PER_TRIAL, Budget
from mapsearch.search.mappings.searchers import searcher_of
from mapsearch.search.mappings.seeds import Seeds, classic_seeds
from mapsearch.studies.run.settings import UNLIMITED_TRIALS

LAYERS = (
    ("mobilenet", "conv1"),
    ("mobilenet", "depthwise3"),
    ("mobilenet", "pointwise6"),
    ("mobilenet_v2", "block5_to_6_expand"),
    ("mobilenet_v2", "block5_to_6_depthwise"),
    ("resnet18", "conv1"),
    ("resnet18", "conv3"),
    ("resnet18", "conv5_1"),
    ("alexnet", "conv2"),
    ("alexnet", "fc6"),
    ("bert_base", "attention_scores"),
    ("bert_base", "feed_forward_in"),
)
# What a search may do, and which samplers do it: so many evaluations, those of the default search, or some seconds.
FEW = 2000
BUDGETS = {
    "2000 evaluations": (Sampler.TPE, Sampler.GENETIC, Sampler.NSGAII, Sampler.CMAES, Sampler.QMC, Sampler.RANDOM),
    "default evaluations": (Sampler.AUTO, Sampler.TPE, Sampler.GENETIC, Sampler.RANDOM),
    "seconds": (Sampler.AUTO, Sampler.TPE, Sampler.GENETIC, Sampler.RANDOM),
}
SEEDS = 5
SECONDS = 1.0
FILE = "samplers.csv"
# The best objective so far is told at so many evaluations, or after so many seconds.
AT_EVALUATIONS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)
AT_SECONDS = (0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True, slots=True)
class SamplerRow:
    """One search: `budget` is a key of BUDGETS; `steps`: the best objectives at AT_..., with semicolons between."""

    layer_set: str
    layer: str
    hardware: str
    sampler: str
    seed: int
    budget: str
    evaluations: int
    seconds: float
    value: float
    steps: str


@dataclass(frozen=True, slots=True)
class SamplerCase:
    """What a search is asked to do."""

    layer_set: str
    index: int
    layer: str
    hardware: str
    sampler: Sampler
    seed: int
    budget: str


def compare_all(folder: Path, jobs: int) -> Iterator[SamplerRow]:
    """Measure what the folder has not yet."""
    path = folder / FILE
    done = {(row.layer_set, row.layer, row.hardware, row.sampler, row.seed, row.budget) for row in read_rows(path, SamplerRow)}
    cases = [
        SamplerCase(layer_set, _index(layer_set, layer), layer, hardware, sampler, seed, budget)
        for seed in range(SEEDS)
        for hardware in MACHINES
        for layer_set, layer in LAYERS
        for budget, samplers in BUDGETS.items()
        for sampler in samplers
        if (layer_set, layer, hardware, sampler, seed, budget) not in done
    ]
    return measure(path, SamplerRow, cases, _search, jobs)


def _index(layer_set: str, layer: str) -> int:
    return [unique.layer.name for unique in load_layer_set(layer_set).unique].index(layer)


def _search(case: SamplerCase) -> SamplerRow:
    problem = problem_of(case.layer_set, case.index, case.hardware, "edp")
    seeds = Seeds(classic_seeds(problem.space, classic_dataflows()))
    match case.budget:
        case "2000 evaluations":
            budget = Budget.within(FEW, case.sampler)
        case "default evaluations":
            budget = Budget(PROVING_TRIALS if case.sampler is Sampler.AUTO else TRIALS, EVALUATIONS_PER_TRIAL)
        case _:
            trials = PROVING_TRIALS if case.sampler is Sampler.AUTO else UNLIMITED_TRIALS
            budget = Budget(trials, EVALUATIONS_PER_TRIAL, SECONDS)
    searcher = searcher_of(case.sampler, (problem.objective,))
    outcome = searcher.search(problem, budget, (case.seed, case.index, 0), seeds, lambda _: False)
    timed = case.budget == "seconds"
    at = AT_SECONDS if timed else AT_EVALUATIONS
    steps = [(step.seconds if timed else step.evaluations, step.objective) for step in outcome.trace]
    best = [min((value for when, value in steps if when <= limit), default=float("inf")) for limit in at]
    return SamplerRow(
        case.layer_set, case.layer, case.hardware, str(case.sampler), case.seed, case.budget, outcome.evaluations,
        outcome.seconds, outcome.value, ";".join(f"{value:.17g}" for value in best),
    )  # fmt: skip
