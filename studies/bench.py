"""Mappings a second on one core: by the exact model, its lower bound, and the yardstick, the same counts in plain NumPy.

And what branch and bound needs for one part of the space: to make it, bound it and, mostly, drop it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from mapsearch.model.cost import CostModel
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.model.mapping import MappingBatch
from mapsearch.model.reference.numpy_model import NumpyModel
from mapsearch.search.mappings.branch_and_bound import branch_and_bound
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Limit
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.space import Space

_CONV, _DSCONV, _GEMM = LayerType.CONV, LayerType.DSCONV, LayerType.GEMM
# Extents are those of G, N, K, C, R, S, Y', X'.
LAYERS = (
    Layer("ResNet-18 conv1, 7x7 stride 2", _CONV, (1, 1, 64, 3, 7, 7, 112, 112), (2, 2)),
    Layer("3x3 64->64, 56x56", _CONV, (1, 1, 64, 64, 3, 3, 56, 56)),
    Layer("3x3 64->128 stride 2, 28x28", _CONV, (1, 1, 128, 64, 3, 3, 28, 28), (2, 2)),
    Layer("1x1 64->128 stride 2, 28x28", _CONV, (1, 1, 128, 64, 1, 1, 28, 28), (2, 2)),
    Layer("MobileNet depthwise 3x3, 32 at 112x112", _DSCONV, (32, 1, 1, 1, 3, 3, 112, 112)),
    Layer("MobileNet depthwise 3x3, 1024 at 7x7", _DSCONV, (1024, 1, 1, 1, 3, 3, 7, 7)),
    Layer("BERT 512x768x768", _GEMM, (1, 1, 768, 768, 1, 1, 1, 512)),
    Layer("GPT-2 decode 1x768x3072", _GEMM, (1, 1, 3072, 768, 1, 1, 1, 1)),
)
HARDWARE = "edge"
SEED = 0
MAPPINGS = 10_000
# The yardstick is slow, so it counts only the first mappings.
YARDSTICK_MAPPINGS = 64
# Of branch and bound for EDP, from a mapping found with so many evaluations.
PARTS, EVALUATIONS = 200_000, 2000


@dataclass(frozen=True, slots=True)
class Rates:
    """Mappings a second of one core; the ratio is the exact model's rate over the yardstick's.

    verdict_ns: of branch and bound, for each part of the space that is bounded.
    """

    evaluations_per_second: float
    bound_evaluations_per_second: float
    yardstick_evaluations_per_second: float
    ratio_to_yardstick: float
    verdict_ns: float


def sample(layer: Layer, hardware: Hardware, count: int) -> MappingBatch:
    """`count` random mappings of two levels with balanced tiles, less those that cannot fit; always the same ones."""
    return Space(layer, hardware).sample(count, np.random.default_rng(SEED))


def count_all(model: CostModel | NumpyModel, layer: Layer, hardware: Hardware, batch: MappingBatch) -> None:
    """Cost the mappings in full: every count, and the energies."""
    model.evaluate(layer, hardware, batch).energy_pj()


def known_mapping(problem: Problem) -> MappingBatch:
    """A good mapping for branch and bound to start from; always the same one."""
    budget = Budget.within(EVALUATIONS, Sampler.GENETIC)
    return GeneticSearcher().search(problem, budget, (SEED,), Seeds(), lambda _: False).batch


def prove(problem: Problem, known: MappingBatch) -> int:
    """Branch and bound from a mapping; returns how many parts were bounded."""
    incumbent = Incumbent(problem)
    incumbent.score(known)
    return max(1, branch_and_bound(incumbent, Limit(parts=PARTS), lambda: False).bounded)


def rates_of(layer: Layer, hardware: Hardware, seconds: float, mappings: int = MAPPINGS) -> Rates:
    """The median rates over the repeats that fit in `seconds`, at least one; compiling and sampling are not timed.

    Each repeat times all one after another, so that other work of the computer slows them alike.
    """
    exact, yardstick = ExactModel(), NumpyModel()
    problem = Problem(Space(layer, hardware), exact, Objective.of("edp"))
    known = known_mapping(problem)
    parts = prove(problem, known)
    batch = sample(layer, hardware, mappings)
    few = batch[:YARDSTICK_MAPPINGS]
    timed: tuple[tuple[Callable[[MappingBatch], object], MappingBatch], ...] = (
        (partial(count_all, exact, layer, hardware), batch),
        (partial(exact.bound, layer, hardware), batch),
        (partial(count_all, yardstick, layer, hardware), few),
    )
    for call, chosen in timed:
        call(chosen[:1])  # compiles
    repeats: list[list[float]] = []
    begin = perf_counter()
    while not repeats or perf_counter() - begin < seconds:
        rates = [len(chosen) / seconds_of(partial(call, chosen)) for call, chosen in timed]
        repeats.append([*rates, parts / seconds_of(partial(prove, problem, known))])
    evaluations, bounds, yardsticks, verdicts = (median(rates) for rates in zip(*repeats, strict=True))
    return Rates(evaluations, bounds, yardsticks, evaluations / yardsticks, 1e9 / verdicts)


def seconds_of(call: Callable[[], object]) -> float:
    """The seconds that a call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def all_rates(hardware: Hardware, seconds: float) -> Iterator[tuple[Layer, Rates]]:
    """The rates of one reference layer after another."""
    for layer in LAYERS:
        yield layer, rates_of(layer, hardware, seconds)


def median_rates(found: Mapping[str, Rates]) -> Rates:
    """The median over the layers, figure by figure."""
    return Rates(*(median(getattr(rates, field.name) for rates in found.values()) for field in fields(Rates)))


def processor() -> str:
    """The processor's name, as far as the system gives it."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The versions that speed depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("mapsearch", "numpy", "numba")}}
