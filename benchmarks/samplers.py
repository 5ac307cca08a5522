"""How good the samplers are at equal numbers of evaluations: the objective over the best that any of them found."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from tables import table

from mapsearch.model.models import cost_model
from mapsearch.search.objective import Objective, Problem
from mapsearch.search.samplers import searcher_of
from mapsearch.search.searcher import Budget, Sampler
from mapsearch.search.starts import Starts, classic_starts
from mapsearch.spaces.space import Space
from mapsearch.studies.dataflows import classic_dataflows
from mapsearch.studies.hardware_files import load_hardware
from mapsearch.studies.layer_sets import load_layer_set

LAYERS = {
    "mobilenet": ("conv1", "depthwise2", "pointwise2", "depthwise6", "pointwise7_to_11"),
    "resnet18": ("conv1", "conv3_1", "conv4", "conv5_shortcut"),
    "bert_base": ("query_key_value", "attention_scores", "feed_forward_in"),
}


def main() -> None:
    """Print a row for each sampler and number of evaluations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samplers", nargs="*", default=["genetic", "tpe", "random"])
    parser.add_argument("--evaluations", nargs="*", type=int, default=[2_000, 20_000])
    parser.add_argument("--hardware", nargs="*", default=["edge", "eyeriss"])
    parser.add_argument("--model", default="exact")
    parser.add_argument("--objective", default="edp")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    ways = [(sampler, evaluations) for sampler in map(Sampler, args.samplers) for evaluations in args.evaluations]
    found = np.array([
        [_search(problem, sampler, evaluations, args.seeds) for sampler, evaluations in ways]
        for problem in _problems(args.hardware, args.model, Objective.of(args.objective))
    ])  # fmt: skip
    excess = np.median(found, axis=2) / found.min(axis=(1, 2), keepdims=True)[..., 0]
    means, worst = np.exp(np.log(excess).mean(axis=0)) - 1, excess.max(axis=0) - 1
    rows = [
        [sampler, f"{evaluations:,}", f"{mean:.1%}", f"{most:.0%}"]
        for (sampler, evaluations), mean, most in zip(ways, means.tolist(), worst.tolist(), strict=True)
    ]
    print(table(["sampler", "evaluations", "above the best: mean", "worst layer"], rows))


def _problems(hardware: list[str], model_name: str, objective: Objective) -> Iterator[Problem]:
    model = cost_model(model_name)
    for machine in map(load_hardware, hardware):
        for layer_set, names in LAYERS.items():
            for unique in load_layer_set(layer_set, as_listed=model.restriction.as_listed).unique:
                if unique.layer.name in names:
                    space = Space(model.takes(unique.layer), machine, restriction=model.restriction)
                    yield Problem(space, model, objective)


def _search(problem: Problem, sampler: Sampler, evaluations: int, seeds: int) -> list[float]:
    """The objective that each seed leads to."""
    starts, budget = Starts(classic_starts(problem.space, classic_dataflows())), Budget.within(evaluations, sampler)
    return [searcher_of(sampler).search(problem, budget, (seed,), starts, lambda _: False).value for seed in range(seeds)]


if __name__ == "__main__":
    main()
