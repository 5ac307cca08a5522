"""The limit on costs by which branch and bound drops parts early: it leaves out nothing of use, and changes no search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import pytest
from by_hand import layer_of
from pooled import POOLED

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer
from mapsearch.model.tensors import Dim
from mapsearch.search.mappings.branch_and_bound import branch_and_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.searcher import Limit
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.completion import Completion
from mapsearch.spaces.mappings.partial import Partial, join_parts
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space

EXPRESSION = "sqrt(energy_pj) * runtime_cycles + log(energy_pj)"
HIGHER = "max(energy_pj * 1e-3, runtime_cycles)"


@dataclass(frozen=True, slots=True)
class Case:
    """A problem, a value that its best mapping might have, and how many parts are bounded."""

    layer_set: str
    layer: str
    machine: str = "edge"
    levels: int = 2
    objective: str = "edp"
    power_mw: float = inf
    value: float = inf
    parts: int = 50_000

    def __str__(self) -> str:
        power = "" if self.power_mw == inf else f" within {self.power_mw:g} mW"
        levels = f"{self.levels} level{'s' * (self.levels > 1)}"
        return f"{self.layer_set} {self.layer} on {self.machine}, {levels}, {self.objective}{power}, under {self.value:g}"

    def problem(self) -> Problem:
        layer = next(unique.layer for unique in load_layer_set(self.layer_set).unique if unique.layer.name == self.layer)
        space = Space(layer, POOLED if self.machine == POOLED.name else load_hardware(self.machine), self.levels)
        return Problem(space, ExactModel(), Objective.of(self.objective), self.power_mw)


CASES = (
    Case("mobilenet", "conv1", value=5.5e12, parts=100_000),
    Case("mobilenet", "depthwise1", objective="latency", value=76_400),
    Case("mobilenet", "depthwise5", "pooled", objective="energy", value=1.023e8),
    Case("mobilenet", "depthwise13"),
    Case("mobilenet", "pointwise1", value=2.495e13, parts=100_000),
    Case("mobilenet", "pointwise5", objective="ed2p", value=6.8e18),
    Case("mobilenet", "pointwise5", power_mw=900, value=1.8e14),
    Case("mobilenet", "fc"),
    Case("resnet18", "conv1", "pooled", value=8.2e14),
    Case("resnet18", "conv5_shortcut", parts=700_000),
    Case("resnet18", "conv3_1", levels=3, value=4.3e13),
    Case("resnet18", "conv3_1", objective=HIGHER, power_mw=800, value=6e5),
    Case("alexnet", "conv2", objective=EXPRESSION, value=2.1e10),
    Case("bert_base", "attention_scores", levels=1),
)


def _certificate(case: Case) -> str:
    incumbent = Incumbent(case.problem())
    incumbent.value = case.value
    found = branch_and_bound(incumbent, Limit(parts=case.parts), lambda: False)
    counts = (found.opened, found.bounded, found.pruned, found.unfit, found.costed, found.left)
    return f"{case}: {' '.join(f'{count:,}' for count in counts)} {found.lower_bound:.12g} {incumbent.value:.12g}\n"


def test_certificates_are_what_they_were(golden: Callable[[str, str], None]) -> None:
    """The counts of parts and mappings, the lower bound and the value change only where the bound itself does.

    Before the bound had its last terms, the file was the same whether parts were bounded in full or within a limit.
    """
    golden("search/certificates.txt", "".join(_certificate(case) for case in CASES))


def _children(completion: Completion, parts: Partial) -> Partial:
    """All children of parts."""
    return join_parts([parts[:0], *(children[np.arange(len(children))] for children in completion.children(parts))])


def _some_parts(problem: Problem) -> Partial:
    """Parts of some depths: all that the first choices lead to, of which a few are opened at each step."""
    completion, rng = Completion(problem.space), np.random.default_rng(0)
    parts = completion.begin()
    found = [parts]
    for _ in range(6):
        parts = parts[~completion.whole(parts)]
        few = parts[rng.choice(len(parts), min(len(parts), 40), replace=False)]
        parts = _children(completion, few)
        found.append(parts)
    return join_parts(found)


OF_USE = [*CASES, Case("mobilenet", "pointwise5", objective="log(energy_pj - 3e7) + runtime_cycles")]


@pytest.mark.parametrize("case", OF_USE, ids=str)
def test_a_limit_leaves_out_nearly_all_that_is_of_no_use(case: Case) -> None:
    """What is below the value keeps its bound to the last digit; of what is well above it, nothing is bounded in full."""
    problem = case.problem()
    parts = _some_parts(problem).batch
    bounds = problem.bound(parts)
    value = float(np.quantile(np.unique(bounds[np.isfinite(bounds)]), 0.3))
    within = problem.bound(parts, problem.limit(value))
    below = bounds < value
    assert below.any()
    assert np.array_equal(within[below], bounds[below])
    assert ((within == bounds) | (within == inf)).all()
    if case.power_mw == inf and "log" not in case.objective:
        assert np.isinf(within[bounds > 1.05 * value]).all()


def test_no_value_is_no_limit() -> None:
    """Against no mapping at all every part keeps its bound, even where that is infinite."""
    problem = CASES[0].problem()
    parts = _some_parts(problem).batch
    assert np.array_equal(problem.bound(parts, problem.limit(inf)), problem.bound(parts))


def test_a_part_may_have_any_number_of_children() -> None:
    """Of a loop over 6,000 sizes each is given once, though they are more than are made at a time."""
    machine = replace(load_hardware("edge"), pes=1, l1=Buffer(2**20))
    completion = Completion(Space(layer_of(K=6000), machine, 1, TileRule.ALL))
    loops = _children(completion, _children(completion, completion.begin()))
    assert sorted(loops.batch.size[:, 0, Dim.K].tolist()) == list(range(1, 6001))
