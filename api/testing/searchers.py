"""What each searcher must do."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import astuple, replace

import numpy as np
import pytest

from mapsearch.formats.yaml.dataflows import classic_dataflows, load_dataflow
from mapsearch.model.cost import Fit
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer
from mapsearch.model.mapping import encode
from mapsearch.model.tensors import Dim
from mapsearch.search.mappings.incumbent import Step
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import POLISH_SHARE, Budget, Outcome, Searcher
from mapsearch.search.mappings.seeds import Seeds, classic_seeds
from mapsearch.search.objectives.expression import NAMED
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.space import Space, Structure
from mapsearch.studies.run.network_totals import objective_of
from mapsearch.testing.choosy_model import ChoosyModel
from mapsearch.testing.small import MACHINE, layer_of

EXACT = ExactModel()
LAYER = layer_of(K=24, C=12, R=3, S=3, Y=10, X=10)
SPACE = Space(LAYER, MACHINE)
EDP = Objective.of("edp")
PROBLEM = Problem(SPACE, EXACT, EDP)
BUDGET = Budget(trials=8, evaluations_per_trial=60)
# All that have a name, one that may fall as runtime grows and is not pruned, and one that is always negative.
OBJECTIVES = [*NAMED, "energy_pj / runtime_cycles", "log(energy_pj) - macs / sqrt(runtime_cycles) - 100"]


def never(_: int) -> bool:
    return False


def stop_after(trials: int) -> Callable[[int], bool]:
    return lambda done: done >= trials


def without_seconds(step: Step) -> Step:
    return replace(step, seconds=0.0)


def found(outcome: Outcome) -> tuple[object, ...]:
    """All of an outcome but its seconds."""
    batch = outcome.batch
    arrays = [array.tolist() for array in (batch.units, batch.spatial, batch.order, batch.size)]
    return (*arrays, outcome.value, outcome.evaluations, [without_seconds(step) for step in outcome.trace], outcome.finished)


def loops_of(outcome: Outcome, space: Space) -> Structure:
    """The structure of an outcome's mapping."""
    dims = [tuple(Dim(dim) for dim in level if dim in space.dims) for level in outcome.batch.order[0].tolist()]
    spatial = tuple(Dim(dim) for dim in outcome.batch.spatial[0].tolist())
    return Structure(tuple(dims), spatial, tuple(outcome.batch.units[0, 1:].tolist()))


def choosy(model: ChoosyModel, levels: int = 2) -> Problem:
    """The problem with a model that restricts its mappings, and refuses some of those too."""
    return Problem(Space(LAYER, MACHINE, levels, restriction=model.restriction), model, EDP)


class SearcherContract:
    """Tests of a searcher: subclass it, and give the searcher by the fixture `searcher`."""

    @pytest.fixture
    def searcher(self) -> Searcher:
        """The searcher that is tested."""
        raise NotImplementedError

    def test_a_seed_gives_the_same_outcome(self, searcher: Searcher) -> None:
        """Equal seeds give equal outcomes but for the seconds, and other seeds other ones."""
        first, again, other = (searcher.search(PROBLEM, BUDGET, seed, Seeds(), never) for seed in ((1, 2), (1, 2), (1, 3)))
        assert found(first) == found(again)
        assert found(first) != found(other)

    @pytest.mark.parametrize("objective", OBJECTIVES)
    def test_the_outcome_is_what_its_mapping_costs(self, searcher: Searcher, objective: str) -> None:
        """The result is one legal mapping whose value is the objective in the report of that mapping."""
        outcome = searcher.search(replace(PROBLEM, objective=Objective.of(objective)), BUDGET, (0,), Seeds(), never)
        assert len(outcome.batch) == 1
        mapping = outcome.batch.decode(0, LAYER)
        costs = EXACT.evaluate(LAYER, MACHINE, encode([mapping], LAYER, MACHINE.shape))
        assert costs.fit.tolist() == [Fit.LEGAL]
        assert objective_of(costs.report(0), Objective.of(objective), MACHINE) == outcome.value
        assert (outcome.lower_bound is not None) == Objective.of(objective).never_falls
        assert outcome.lower_bound is None or outcome.lower_bound <= outcome.value

    @pytest.mark.parametrize("budget", [Budget(1, 1), Budget(5, 1), Budget(3, 10), BUDGET])
    def test_the_trace_and_the_evaluations(self, searcher: Searcher, budget: Budget) -> None:
        """The trace strictly improves and ends at the value; evaluations stay within the trials' and the last search's share."""
        outcome = searcher.search(PROBLEM, budget, (0,), Seeds(), never)
        evaluations, dropped, refused, seconds, values = zip(*map(astuple, outcome.trace), strict=True)
        assert list(seconds) == sorted(seconds)
        assert seconds[-1] <= outcome.seconds
        assert all(before < after for before, after in itertools.pairwise(evaluations))
        assert all(before <= after for before, after in itertools.pairwise(dropped))
        assert dropped[-1] <= outcome.dropped
        assert not any(refused)
        assert outcome.refused == 0
        assert all(before > after for before, after in itertools.pairwise(values))
        assert values[-1] == outcome.value
        assert evaluations[-1] <= outcome.evaluations
        assert 1 <= outcome.evaluations <= round(budget.trials * budget.evaluations_per_trial * (1 + POLISH_SHARE))
        assert outcome.finished
        assert outcome.seconds > 0

    def test_a_stop_ends_the_search_with_the_best_so_far(self, searcher: Searcher) -> None:
        """The search that is told to stop after some trials has found what a whole one had by then, and is not finished."""
        whole = searcher.search(PROBLEM, BUDGET, (0,), Seeds(), never)
        stopped = searcher.search(PROBLEM, BUDGET, (0,), Seeds(), stop_after(3))
        assert not stopped.finished
        assert stopped.evaluations <= 3 * BUDGET.evaluations_per_trial
        before = [without_seconds(step) for step in whole.trace if step.evaluations <= stopped.evaluations]
        assert [without_seconds(step) for step in stopped.trace] == before
        assert stopped.value == before[-1].objective

    def test_a_search_tells_its_trials_and_stops_at_any_time(self, searcher: Searcher) -> None:
        """The trials done are told one after the other, and what a search does after its last trial ends at a stop too."""
        told: list[int] = []

        def stop_after_the_trials(done: int) -> bool:
            told.append(done)
            return len(told) > BUDGET.trials

        whole = searcher.search(PROBLEM, BUDGET, (0,), Seeds(), never)
        stopped = searcher.search(PROBLEM, BUDGET, (0,), Seeds(), stop_after_the_trials)
        assert told[: BUDGET.trials] == list(range(1, BUDGET.trials + 1))
        assert set(told[BUDGET.trials :]) == {BUDGET.trials} == {searcher.ticks(BUDGET)}
        assert not stopped.finished
        assert stopped.evaluations < whole.evaluations

    def test_a_timeout_ends_the_search(self, searcher: Searcher) -> None:
        """A time that is up at once leaves one trial of many, and a finished search."""
        outcome = searcher.search(PROBLEM, Budget(10**6, 40, timeout_seconds=1e-9), (0,), Seeds(), never)
        assert outcome.finished
        assert 0 < outcome.evaluations <= 40 * (1 + POLISH_SHARE)

    def test_a_dataflow_is_held(self, searcher: Searcher) -> None:
        """In the space of a dataflow the result has its orders and spatial dims, and a cluster size that it leaves open."""
        dataflow = load_dataflow("kcp_ws")
        space = Space(LAYER, MACHINE, constraints=dataflow)
        outcome = searcher.search(Problem(space, EXACT, Objective.of("latency")), BUDGET, (0,), Seeds(), never)
        structure = loops_of(outcome, space)
        assert structure == replace(space.fitting, clusters=structure.clusters)
        assert structure.clusters in space.choices.clusters

    @pytest.mark.parametrize("evaluations", [1, 2, 10, 100, 1000])
    @pytest.mark.parametrize("refused", [(), (Dim.K, Dim.C), tuple(Dim)], ids=["none", "some", "all"])
    def test_a_search_keeps_within_its_evaluations(self, searcher: Searcher, evaluations: int, refused: tuple[Dim, ...]) -> None:
        """However few they are, and whatever the model refuses."""
        problem = choosy(ChoosyModel(refused=refused))
        seeds = Seeds(classic_seeds(problem.space, classic_dataflows()))
        for sampler in (Sampler.GENETIC, Sampler.TPE):
            outcome = searcher.search(problem, Budget.within(evaluations, sampler), (0,), seeds, never)
            assert outcome.evaluations <= evaluations

    def test_refused_mappings_are_counted_and_never_the_result(self, searcher: Searcher) -> None:
        """What the model does not vouch for counts as an evaluation, and as refused in the outcome and its trace."""
        model = ChoosyModel(refused=(Dim.K, Dim.C))
        outcome = searcher.search(choosy(model), BUDGET, (0,), Seeds(), never)
        assert 0 < outcome.refused < outcome.evaluations
        assert model.evaluate(LAYER, MACHINE, outcome.batch).fit.tolist() == [Fit.LEGAL]
        refused = [0, *(step.refused for step in outcome.trace), outcome.refused]
        assert refused == sorted(refused)
        assert refused[-2] > 0

    @pytest.mark.parametrize("levels", [1, 2, 3])
    def test_a_search_keeps_to_the_restriction(self, searcher: Searcher, levels: int) -> None:
        """All that a search looks at is what the model asks for, so that nothing is refused for it; seeds too."""
        problem = choosy(ChoosyModel(refused=()), levels)
        seeds = classic_seeds(problem.space, classic_dataflows())
        assert len(seeds) == (2 if levels == 1 else 4)  # row-stationary shares R out
        outcome = searcher.search(problem, BUDGET, (0,), Seeds(seeds), never)
        assert (outcome.refused, outcome.finished) == (0, True)
        for start in seeds:
            assert loops_of(searcher.search(problem, Budget(1, 1), (0,), Seeds((start,)), never), problem.space) == start

    @pytest.mark.parametrize("tick", [never, stop_after(1)])
    def test_a_search_in_which_all_is_refused_ends_with_nothing(self, searcher: Searcher, tick: Callable[[int], bool]) -> None:
        """Where the model vouches for no mapping, the outcome has none, and says how many were refused: all."""
        outcome = searcher.search(choosy(ChoosyModel(refused=tuple(Dim))), BUDGET, (0,), Seeds(), tick)
        assert len(outcome.batch) == len(outcome.trace) == 0
        assert outcome.value == float("inf")
        assert outcome.refused == outcome.evaluations > 0

    def test_a_mapping_is_found_where_no_structure_tried_has_one(self, searcher: Searcher) -> None:
        """Where the model refuses what the trials and the fitting structure gave, the last search looks elsewhere."""
        problem = choosy(ChoosyModel(refused=(Dim.K, Dim.C, Dim.Y)))
        kcp = classic_seeds(problem.space, [load_dataflow("kcp_ws")])
        outcome = searcher.search(problem, Budget(1, 100), (0,), Seeds(kcp), never)
        assert problem.space.fitting.spatial[0] is Dim.K
        assert loops_of(outcome, problem.space).spatial[0] is Dim.X

    @pytest.mark.parametrize("levels", [1, 2, 3])
    def test_starts_are_looked_at_first(self, searcher: Searcher, levels: int) -> None:
        """With one trial of one evaluation the result has the structure of the first start, for the seeds of every dataflow."""
        space = Space(LAYER, MACHINE, levels)
        problem = Problem(space, EXACT, EDP)
        seeds = classic_seeds(space, classic_dataflows())
        assert len(seeds) == (2 if levels == 1 else 5)
        for start in seeds:
            assert loops_of(searcher.search(problem, Budget(1, 1), (0,), Seeds((start,)), never), space) == start

    def test_a_space_where_hardly_anything_fits_has_a_result(self, searcher: Searcher) -> None:
        """Where no trial's structure fits, or the search is stopped before one does, the structure that fits is the result."""
        layer = layer_of(K=64, C=64, X=64)
        tight = Space(layer, replace(MACHINE, pes=2**16, l1=Buffer(8), l2=Buffer(8)))
        rng = np.random.default_rng(0)
        assert len(tight.sample(100, rng)) < 5
        for tick in (never, stop_after(1)):
            outcome = searcher.search(Problem(tight, EXACT, EDP), Budget(2, 5), (0,), Seeds(), tick)
            assert loops_of(outcome, tight).clusters == tight.fitting.clusters
            assert np.isfinite(outcome.value)
