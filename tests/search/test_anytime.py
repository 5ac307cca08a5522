"""The default search: a mapping at once, its proof within a gap, and layers in rounds."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.search.mappings.anytime import AnytimeSearcher
from mapsearch.search.mappings.branch_and_bound import BranchAndBound, branch_and_bound
from mapsearch.search.mappings.incumbent import Incumbent
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.rounds import Answer, search_layers
from mapsearch.search.mappings.searcher import Budget, Limit, Outcome
from mapsearch.search.mappings.seeds import Seeds
from mapsearch.search.objectives.objective import Objective
from mapsearch.search.processes import Processes
from mapsearch.spaces.mappings.space import Space
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import Settings
from mapsearch.testing.choosy_model import ChoosyModel
from mapsearch.testing.small import MACHINE, layer_of

BUDGET = Budget(3, 60)
PARTS = Limit(parts=1_000_000)
LAYER = layer_of(K=24, C=12, R=3, S=3, Y=10, X=10)


def _problem(objective: str = "edp", **extents: int) -> Problem:
    layer = layer_of(**extents) if extents else LAYER
    return Problem(Space(layer, MACHINE), Plan(Settings.of({}), "mobilenet").model, Objective.of(objective))


def _never(_: int) -> bool:
    return False


def _without_seconds(outcome: Outcome) -> tuple[object, ...]:
    proof = None if outcome.proof is None else replace(outcome.proof, seconds=0.0)
    steps = [replace(step, seconds=0.0) for step in outcome.trace]
    return outcome.value, outcome.lower_bound, outcome.evaluations, outcome.dropped, proof, steps, outcome.finished


@pytest.mark.parametrize("objective", ["latency", "energy", "edp", "energy_pj - 1e9"])
@pytest.mark.parametrize("gap", [0.3, 0.05, 0.01])
def test_the_answer_is_proven_within_the_gap(objective: str, gap: float) -> None:
    """No mapping is better than the answer by more than the gap, and the bound lies below the optimum; also below 0."""
    problem = _problem(objective, K=6, C=5, Y=4, X=6)
    exact = Incumbent(problem)
    branch_and_bound(exact, Limit(), lambda: False)
    found = AnytimeSearcher(gap, PARTS).search(problem, BUDGET, (0,), Seeds(), _never)
    assert found.proof is not None
    assert found.lower_bound is not None
    assert found.proof.wanted_gap == gap
    assert found.lower_bound <= exact.value <= found.value
    assert found.value - found.lower_bound <= abs(found.value) * gap / (1 + gap) * (1 + 1e-12)


def test_a_larger_gap_takes_less_work() -> None:
    """The larger the gap that is wanted, the fewer parts are bounded, and the bound never lies."""
    problem = _problem()
    start = Incumbent(problem)
    branch_and_bound(start, PARTS, lambda: False)
    bounded: list[int] = []
    for gap in (0.0, 0.02, 0.1, 0.5):
        incumbent = Incumbent(problem)
        incumbent.score(start.batch)
        proof = BranchAndBound(incumbent)
        proof.run(Limit(), lambda: False, gap)
        assert proof.within(gap)
        assert proof.lower_bound <= start.value
        bounded.append(proof.bounded)
    assert bounded == sorted(bounded, reverse=True)
    assert bounded[0] > bounded[-1]


def test_a_proof_goes_on_where_it_ended() -> None:
    """A proof within one gap and then a smaller one ends with the optimum, and its bound never falls."""
    problem = _problem()
    whole, parts = Incumbent(problem), Incumbent(problem)
    branch_and_bound(whole, Limit(), lambda: False)
    proof = BranchAndBound(parts)
    bounds = [proof.lower_bound]
    for gap in (0.5, 0.1, 0.02, 0.0):
        proof.run(Limit(), lambda: False, gap)
        bounds.append(proof.lower_bound)
    assert bounds == sorted(bounds)
    assert parts.value == whole.value == bounds[-1]
    assert proof.certificate().left == 0


def test_the_stages_are_the_search() -> None:
    """What `prove` makes of what `begin` found is what `search` finds; the first mapping is never better."""
    problem, searcher = _problem(), AnytimeSearcher(0.05, PARTS)
    begun = searcher.begin(problem, BUDGET, (4,), Seeds())
    proven = searcher.prove(begun, problem, BUDGET, (4,), Seeds(), _never)
    assert _without_seconds(proven) == _without_seconds(searcher.search(problem, BUDGET, (4,), Seeds(), _never))
    assert begun.value >= proven.value
    assert not begun.finished
    assert searcher.repeats(proven)


def test_tightening_makes_nothing_worse() -> None:
    """A further proof raises the bound, or keeps it, and its certificate counts both proofs; a proven optimum is left alone."""
    problem, searcher = _problem(), AnytimeSearcher(0.5, Limit(parts=1))
    few = searcher.prove(searcher.begin(problem, BUDGET, (0,), Seeds()), problem, BUDGET, (0,), Seeds(), _never)
    more = searcher.tighten(few, problem, Limit(parts=200_000), _never)
    assert few.proof is not None
    assert more.proof is not None
    assert few.lower_bound is not None
    assert more.lower_bound is not None
    assert few.lower_bound <= more.lower_bound <= more.value <= few.value
    assert more.proof.bounded > few.proof.bounded
    best = searcher.tighten(few, problem, Limit(seconds=100.0), _never)
    assert best.lower_bound == best.value
    assert searcher.tighten(best, problem, Limit(parts=1000), _never) is best
    assert searcher.tighten(few, problem, Limit(seconds=0.0), _never) is few


def test_a_search_is_repeatable_unless_the_clock_ended_it() -> None:
    """A limit of parts, or a gap that was reached, gives the same at any time; a proof that time ended does not, nor a stop."""
    problem = _problem()
    by_parts, by_clock = AnytimeSearcher(1e-6, Limit(parts=1)), AnytimeSearcher(1e-6, Limit(seconds=1e-9))
    reached = AnytimeSearcher(0.5, Limit(seconds=60.0))
    outcomes = [each.search(problem, BUDGET, (0,), Seeds(), _never) for each in (by_parts, by_clock, reached)]
    assert [by_parts.repeats(outcomes[0]), by_clock.repeats(outcomes[1]), reached.repeats(outcomes[2])] == [True, False, True]
    assert not by_parts.repeats(by_parts.search(problem, BUDGET, (0,), Seeds(), lambda done: done > 1))


def test_without_a_bound_there_are_trials_only() -> None:
    """A model that cannot bound has no proof, and the trials are within their budget."""
    model = ChoosyModel()
    problem = Problem(Space(LAYER, MACHINE, restriction=model.restriction), model, Objective.of("edp"))
    budget = Budget(6, 40)
    found = AnytimeSearcher(0.01, PARTS).search(problem, budget, (0,), Seeds(), _never)
    assert (found.lower_bound, found.proof, found.finished) == (None, None, True)
    assert 1 <= found.evaluations <= budget.evaluations + 3  # each look begins with the best mapping so far


def test_where_no_mapping_is_allowed_the_search_ends() -> None:
    """Where every mapping draws more power than the limit, there is no mapping, and nothing of the space is left."""
    problem = replace(_problem(K=4, C=2, X=3), power_mw=1e-6)
    searcher = AnytimeSearcher(0.01, PARTS)
    found = searcher.search(problem, BUDGET, (0,), Seeds(), _never)
    assert (len(found.batch), found.value, found.lower_bound, found.finished) == (0, inf, inf, True)
    assert found.proof is not None
    assert found.proof.left == 0
    assert not searcher.repeats(found)


def _rounds(settings: dict[str, object], timeout: float | None = None, left: tuple[int, ...] = (0, 1, 2)) -> list[Answer]:
    plan = Plan(Settings.of(settings), "ncf")
    job = replace(plan.job(), restarts=1)
    problems = [job.problem(index, load_hardware("edge")) for index in range(len(job.layers))]
    return list(search_layers(job, problems, plan.settings.budget(timeout), left, Processes(1), None))


def test_every_layer_has_a_first_answer_before_any_proof() -> None:
    """First answers of all layers come first; then each layer ends once, and no answer is worse than the one before."""
    answers = _rounds({"trials": 2})
    assert [answer.searched for answer in answers] == [False] * 3 + [True] * 3
    assert [answer.last for answer in answers] == [False] * 3 + [True] * 3
    for layer in range(3):
        first, last = (answer.outcome for answer in answers if answer.layer == layer)
        assert last.value <= first.value
        assert last.finished
        assert not first.finished


def test_layers_that_are_done_change_nothing() -> None:
    """A layer's answer is the same whether the others are searched too."""
    whole = {answer.layer: _without_seconds(answer.outcome) for answer in _rounds({"trials": 2}) if answer.last}
    alone = {answer.layer: _without_seconds(answer.outcome) for answer in _rounds({"trials": 2}, left=(1,)) if answer.last}
    assert alone == {1: whole[1]}


def test_a_timeout_ends_with_a_round_for_what_is_left() -> None:
    """With time left, layers whose proof leaves a gap get a third answer, the last; those with the most to gain come first."""
    answers = _rounds({"gap": 0.5}, timeout=4.0)
    last = [answer for answer in answers if answer.last]
    assert sorted(answer.layer for answer in last) == [0, 1, 2]
    for answer in last:
        before = next(each.outcome for each in answers if each.layer == answer.layer and each.searched)
        assert answer.outcome.lower_bound is not None
        assert answer.outcome.lower_bound >= (before.lower_bound or -inf)
        assert answer.outcome.finished


def test_another_sampler_has_one_round() -> None:
    """A searcher without stages gives one answer a layer."""
    answers = _rounds({"sampler": "genetic", "trials": 1})
    assert [(answer.searched, answer.last) for answer in answers] == [(True, True)] * 3
