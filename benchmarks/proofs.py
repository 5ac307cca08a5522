"""How far the default search is from the optimum, and how far the exact search proves it: the tables of docs/search.md.

Run as `python benchmarks/proofs.py`; `--help` shows what may be chosen. Two processes take about a quarter of an hour.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import cast

import joblib  # type: ignore[import-untyped]
from tables import table

from mapsearch.model.exact.model import ExactModel
from mapsearch.search.branch_and_bound import Limit, branch_and_bound
from mapsearch.search.objective import Objective, Problem
from mapsearch.search.optuna_search import OptunaSearcher
from mapsearch.search.searcher import EVALUATIONS_PER_TRIAL, Budget, Certificate, Sampler
from mapsearch.search.starts import Starts, classic_starts
from mapsearch.search.tally import Tally
from mapsearch.spaces.space import Space
from mapsearch.studies.dataflows import classic_dataflows
from mapsearch.studies.hardware_files import load_hardware
from mapsearch.studies.layer_sets import load_layer_set
from mapsearch.studies.settings import DEFAULT_TRIALS

SETS = ("mobilenet", "mobilenet_v2", "resnet18", "alexnet", "bert_base")


@dataclass(frozen=True, slots=True)
class Proof:
    """The objective over the lower bound - 1, of the default search and of the exact search after it."""

    layer: str
    found_gap: float
    gap: float
    search_seconds: float
    certificate: Certificate


def main() -> None:
    """Print a table of all layers, and one of the sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer-sets", nargs="+", default=SETS, metavar="SET")
    parser.add_argument("--hardware", default="edge")
    parser.add_argument("--objective", default="edp")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the exact search, for each layer (default: 60)")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    for name in args.layer_sets:
        proofs = [proof for proof in prove(name, args.hardware, args.objective, args.seconds, args.jobs) if proof is not None]
        print(_layers(name, proofs), flush=True)
        rows.append(_summary(name, proofs))
    columns = ("layer set", "layers", "proven", "median gap", "worst gap", "median s", "default: median gap", "default: worst gap")
    print(table(columns, rows))


def prove(layer_set: str, hardware: str, objective: str, seconds: float, jobs: int) -> Iterator[Proof | None]:
    """The proofs of the different layers of a set, in order; None for a layer that fits no machine so small."""
    layers = range(len(load_layer_set(layer_set).unique))
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator")
    delayed = cast("Callable[..., object]", joblib.delayed(_prove))  # pyright: ignore[reportUnknownMemberType] no types
    calls = (delayed(layer_set, index, hardware, objective, seconds) for index in layers)
    yield from cast("Iterable[Proof | None]", parallel(calls))


def _prove(layer_set: str, index: int, hardware: str, objective: str, seconds: float) -> Proof | None:
    layer = load_layer_set(layer_set).unique[index].layer
    problem = Problem(Space(layer, load_hardware(hardware)), ExactModel(), Objective.of(objective))
    starts = Starts(classic_starts(problem.space, classic_dataflows()))
    budget = Budget(DEFAULT_TRIALS, EVALUATIONS_PER_TRIAL)
    tally = Tally(problem)
    OptunaSearcher(Sampler.TPE).look(tally, budget, (0, index, 0), starts, lambda _: False)
    if len(tally.batch) == 0:
        return None
    found, search_seconds = tally.value, tally.seconds
    proof = branch_and_bound(tally, Limit(seconds=seconds), lambda: False)
    return Proof(layer.name, found / proof.lower_bound - 1, tally.value / proof.lower_bound - 1, search_seconds, proof)


def _layers(layer_set: str, proofs: list[Proof]) -> str:
    rows = [
        (proof.layer, _percent(proof.found_gap), _percent(proof.gap), proof.certificate.seconds, proof.certificate.opened)
        for proof in proofs
    ]
    return f"### {layer_set}\n\n" + table(("layer", "default search", "gap left", "seconds", "parts opened"), rows)


def _summary(layer_set: str, proofs: list[Proof]) -> tuple[str, ...]:
    gaps, found = [proof.gap for proof in proofs], [proof.found_gap for proof in proofs]
    proven = sum(proof.certificate.proven for proof in proofs)
    seconds = median(proof.certificate.seconds for proof in proofs)
    figures = (_percent(median(gaps)), _percent(max(gaps)), f"{seconds:.1f}", _percent(median(found)), _percent(max(found)))
    return (layer_set, str(len(proofs)), str(proven), *figures)


def _percent(gap: float) -> str:
    return f"{100 * gap:.2f} %"


if __name__ == "__main__":
    main()
