"""How far the exact search proves the layers of whole networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from records import measure, read_rows

from mapsearch.formats.yaml.dataflows import classic_dataflows
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.exact import ExactModel
from mapsearch.search.mappings.anytime import BY_DEFAULT, AnytimeSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import GAP, PROVING_TRIALS
from mapsearch.search.mappings.searcher import EVALUATIONS_PER_TRIAL, Budget, Limit
from mapsearch.search.mappings.seeds import Seeds, classic_seeds
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.space import Space

SETS = ("mobilenet", "mobilenet_v2", "resnet18", "alexnet", "bert_base")
MACHINES = ("edge", "eyeriss")
FILE = "proofs.csv"


@dataclass(frozen=True, slots=True)
class ProofRow:
    """The default search and the search for a gap of 0, each from the start: objectives, lower bounds and seconds of both."""

    layer_set: str
    layer: str
    hardware: str
    objective: str
    limit_seconds: float
    found: float
    found_bound: float
    best: float
    lower_bound: float
    default_seconds: float
    seconds: float
    bounded: int
    proven: bool

    @property
    def found_gap(self) -> float:
        """The gap that the default search proves."""
        return self.found / self.found_bound - 1

    @property
    def gap(self) -> float:
        """The gap that is left when the time is up."""
        return self.best / self.lower_bound - 1


@dataclass(frozen=True, slots=True)
class ProofCase:
    """One layer on one machine."""

    layer_set: str
    index: int
    layer: str
    hardware: str
    objective: str
    seconds: float


def prove_all(folder: Path, seconds: float, objective: str, jobs: int) -> Iterator[ProofRow]:
    """Measure what the folder has not yet."""
    path = folder / FILE
    done = {(row.layer_set, row.layer, row.hardware) for row in read_rows(path, ProofRow)}
    cases = [
        ProofCase(layer_set, index, unique.layer.name, hardware, objective, seconds)
        for hardware in MACHINES
        for layer_set in SETS
        for index, unique in enumerate(load_layer_set(layer_set).unique)
        if (layer_set, unique.layer.name, hardware) not in done
    ]
    return measure(path, ProofRow, cases, _prove, jobs)


def problem_of(case_set: str, index: int, hardware: str, objective: str) -> Problem:
    """A layer of a set on a machine, with the exact model."""
    layer = load_layer_set(case_set).unique[index].layer
    return Problem(Space(layer, load_hardware(hardware)), ExactModel(), Objective.of(objective))


def _prove(case: ProofCase) -> ProofRow:
    problem = problem_of(case.layer_set, case.index, case.hardware, case.objective)
    seeds = Seeds(classic_seeds(problem.space, classic_dataflows()))
    budget = Budget(PROVING_TRIALS, EVALUATIONS_PER_TRIAL)
    default, exact = (
        searcher.search(problem, budget, (0, case.index, 0), seeds, lambda _: False)
        for searcher in (AnytimeSearcher(GAP, BY_DEFAULT), AnytimeSearcher(0.0, Limit(seconds=case.seconds)))
    )
    proof = exact.proof
    if default.proof is None or proof is None:
        raise AssertionError(f"{case.objective} has no lower bound in the exact model")
    return ProofRow(
        case.layer_set, case.layer, case.hardware, case.objective, case.seconds, default.value, default.proof.lower_bound,
        exact.value, proof.lower_bound, default.seconds, exact.seconds, proof.bounded, proof.proven,
    )  # fmt: skip
