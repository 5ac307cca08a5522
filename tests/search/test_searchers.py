"""What every searcher must do; a new one joins the list SEARCHERS. And that workers change nothing."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from every_mapping import as_batch, every_mapping
from hypothesis import given
from hypothesis import strategies as st

from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.model.errors import InputError
from mapsearch.model.hardware import Buffer
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.optuna_search import NEEDED, OptunaSearcher, check_installed
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget, Searcher
from mapsearch.search.mappings.searchers import searcher_of
from mapsearch.search.mappings.seeds import Seeds, classic_seeds
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space
from mapsearch.testing.searchers import (
    BUDGET,
    EDP,
    EXACT,
    LAYER,
    OBJECTIVES,
    PROBLEM,
    SPACE,
    SearcherContract,
    never,
)

# Those that go through the whole space are tested on smaller layers, in test_branch_and_bound.
SEARCHERS = [
    pytest.param(
        searcher_of(sampler, (Objective.of("edp"),)), id=sampler,
        marks=pytest.mark.skipif(find_spec(NEEDED.get(sampler, "optuna")) is None, reason="an extra package is not installed"),
    )
    for sampler in Sampler if sampler not in (Sampler.AUTO, Sampler.EXACT)
]  # fmt: skip
every_searcher = pytest.mark.parametrize("searcher", SEARCHERS)


def test_brute_force_tries_each_structure_once() -> None:
    """Where a dataflow leaves only the Clusters open, the trials end when each of them was tried."""
    space = Space(LAYER, MACHINE, constraints=load_dataflow("kcp_ws"))
    told: list[int] = []

    def tick(done: int) -> bool:
        told.append(done)
        return False

    outcome = OptunaSearcher(Sampler.BRUTEFORCE).search(Problem(space, EXACT, EDP), Budget(10**6, 40), (0,), Seeds(), tick)
    assert outcome.finished
    assert max(done for done in told if done < 10**6) == len(space.choices.clusters)


def test_a_sampler_whose_package_is_missing_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package; a sampler that needs none, or has what it needs, is none."""
    check_installed(Sampler.TPE)
    monkeypatch.setitem(NEEDED, Sampler.CMAES, "no_such_package")
    with pytest.raises(
        InputError, match=r"^the sampler cmaes needs no_such_package, not installed here; pip install no_such_package, "
    ):
        check_installed(Sampler.CMAES)
    monkeypatch.setitem(NEEDED, Sampler.CMAES, "numpy")
    check_installed(Sampler.CMAES)


@pytest.mark.parametrize("sampler", Sampler)
@given(evaluations=st.integers(1, 10**7))
def test_a_budget_keeps_within_its_evaluations(sampler: Sampler, evaluations: int) -> None:
    """It never allows more evaluations than asked for, nor much fewer, and always a trial."""
    budget = Budget.within(evaluations, sampler)
    assert min(budget.trials, budget.evaluations_per_trial) >= 1
    assert 0.8 * evaluations - 12 <= budget.evaluations <= evaluations


@every_searcher
def test_a_search_goes_on_where_another_has_been(searcher: Searcher) -> None:
    """With an earlier search's work in its incumbent a search takes as many evaluations as with none, its last search too."""
    assert isinstance(searcher, GeneticSearcher | OptunaSearcher)
    fresh, used = Incumbent(replace(PROBLEM, objective=EDP)), Incumbent(PROBLEM)
    used.score(SPACE.sample(5000, np.random.default_rng(1)))
    used.value = np.inf  # what is known changes which children are worth costing
    used.batch = fresh.batch
    began = used.evaluations
    for incumbent in (fresh, used):
        assert searcher.look(incumbent, BUDGET, (0,), Seeds(), never)
    assert used.evaluations - began == fresh.evaluations > BUDGET.trials * BUDGET.evaluations_per_trial
    assert used.value == fresh.value


@every_searcher
@pytest.mark.parametrize(
    ("rule", "objective"),
    [*((TileRule.BALANCED, objective) for objective in OBJECTIVES), (TileRule.DIVISORS, "edp"), (TileRule.ALL, "edp")],
)
def test_the_optimum_of_a_small_space_is_found(searcher: Searcher, rule: TileRule, objective: str) -> None:
    """Where every mapping can be listed and scored, the search finds the best value of them all."""
    space = Space(layer_of(K=4, C=3, X=2), replace(MACHINE, pes=4, l1=Buffer(12), l2=Buffer(48)), 2, rule)
    problem = Problem(space, EXACT, Objective.of(objective))
    every = as_batch(space, every_mapping(space))
    outcome = searcher.search(problem, Budget(20, 100), (0,), Seeds(), never)
    assert outcome.value == problem.score(every).values.min()


def test_a_start_uses_the_pes_that_its_layer_can_fill() -> None:
    """Of the clusters that a dataflow leaves open, a start has those with the most PEs at work."""
    space = Space(layer_of(K=16, C=16, Y=5), replace(MACHINE, pes=256))
    (start,) = classic_seeds(space, [load_dataflow("kcp_ws")])
    assert start.clusters == (16,)


def test_a_dataflow_that_needs_more_pes_is_no_start() -> None:
    """Row-stationary needs a PE for each filter row, so three PEs give no start for a 5x5 filter."""
    space = Space(layer_of(R=5, Y=8), replace(MACHINE, pes=3))
    assert classic_seeds(space, [load_dataflow("yrp_rs")]) == ()


class TestEverySearcher(SearcherContract):
    """Each of SEARCHERS keeps the contract of searchers."""

    @pytest.fixture(params=SEARCHERS)
    def searcher(self, request: pytest.FixtureRequest) -> Searcher:
        """Each in turn."""
        searcher: Searcher = request.param
        return searcher
