"""Fronts of cycles and energy: of a layer, of a network's sums, and as a run of several objectives gives them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from every_mapping import as_batch, every_mapping
from hypothesis import given
from hypothesis import strategies as st
from small_run import FRONTS, layer_file, results_in, same_for_all, search_with_few_trials
from small_run import plain_evaluate as evaluate
from small_run import plain_run as run

from mapsearch.cli import main
from mapsearch.formats.yaml.dataflows import classic_dataflows
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer
from mapsearch.model.mapping import MappingBatch
from mapsearch.search.mappings.fronts import STEERED, FrontSearcher
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.mappings.sampler_names import Sampler
from mapsearch.search.mappings.searcher import Budget
from mapsearch.search.mappings.searchers import searcher_of
from mapsearch.search.mappings.seeds import Seeds, classic_seeds
from mapsearch.search.network import network_bound, select
from mapsearch.search.objectives.objective import Objective, objectives_of
from mapsearch.search.pareto import Front, non_dominated
from mapsearch.spaces.mappings.space import Space
from mapsearch.studies.run.settings import Settings

FIXTURES = (layer_file, search_with_few_trials)  # pytest finds them here, as layers and search
SPACE = Space(layer_of(K=8, X=6), replace(MACHINE, pes=6, l1=Buffer(40), l2=Buffer(200)))
BOTH = objectives_of("energy,latency")
points = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=8)
a_front = points.map(lambda found: sorted({p for p in found if not any(_better(q, p) for q in found)}))
POWERS = {"latency": (1, 0), "energy": (0, 1), "edp": (1, 1), "ed2p": (2, 1), "energy_pj**0.5 * runtime_cycles": (1, 0.5)}


def _better(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


@given(st.lists(points, min_size=1, max_size=4))
def test_a_front_keeps_what_nothing_else_is_better_than(batches: list[list[tuple[int, int]]]) -> None:
    """Whatever comes in whatever batches, the front has each pair of figures that no other dominates, once, in order."""
    front = Front.empty(2)
    for batch in batches:
        rows = np.zeros(len(batch), np.intp)
        order = np.zeros((1, 2, 8), np.int8)
        one = MappingBatch(np.ones((1, 2), np.int64), np.zeros((1, 2), np.int8), order, np.ones((1, 2, 8), np.int64))
        front = front.join(one[rows], np.array([p[0] for p in batch]), np.array([float(p[1]) for p in batch]))
    every = set(itertools.chain(*batches))
    expected = sorted(p for p in every if not any(_better(q, p) for q in every))
    assert list(zip(front.runtime_cycles.tolist(), front.energy_pj.tolist(), strict=True)) == expected
    assert len(front.batch) == len(expected)


@given(st.lists(st.lists(st.integers(1, 4), min_size=3, max_size=3), min_size=1, max_size=12))
def test_points_that_are_not_dominated(values: list[list[int]]) -> None:
    """Of points in three objectives those are kept than which none is better, and of equal ones the first."""
    tuples = [tuple(value) for value in values]
    kept = non_dominated(np.array(values, np.float64)).tolist()
    expected = [i for i, p in enumerate(tuples) if not any(_better(q, p) for q in tuples) and p not in tuples[:i]]
    assert kept == expected


@given(st.lists(st.tuples(a_front, st.integers(1, 3)), min_size=1, max_size=4), st.sampled_from(sorted(POWERS)))
def test_the_selection_is_the_best_of_all(layers: list[tuple[list[tuple[int, int]], int]], name: str) -> None:
    """No way to pick a point of each layer has a smaller product of powers of the sums than the selections, or than the bound."""
    fronts, counts = [front for front, _ in layers], [count for _, count in layers]
    a, b = POWERS[name]
    sums = [
        tuple(sum(count * point[i] for count, point in zip(counts, chosen, strict=True)) for i in range(2))
        for chosen in itertools.product(*fronts)
    ]
    least = min(x**a * y**b for x, y in sums)
    cycles = [np.array([p[0] for p in front]) for front in fronts]
    energy = [np.array([float(p[1]) for p in front]) for front in fronts]
    found = select(cycles, energy, counts)
    assert (found.runtime_cycles.astype(float) ** a * found.energy_pj**b).min() == pytest.approx(least)
    for row in range(len(found.points)):
        chosen = [front[int(point)] for front, point in zip(fronts, found.points[row], strict=True)]
        assert found.runtime_cycles[row] == sum(count * point[0] for count, point in zip(counts, chosen, strict=True))
        assert found.energy_pj[row] == sum(count * point[1] for count, point in zip(counts, chosen, strict=True))
    degree = Objective.of(name).degree
    assert degree is not None
    assert degree == a + b
    bound = network_bound([min(x**a * y**b for x, y in front) for front in fronts], counts, degree)
    assert bound <= least
    assert bound == pytest.approx(least) or len(layers) > 1


@pytest.mark.parametrize(
    "text", ["energy_pj + runtime_cycles", "macs * energy_pj", "max(energy_pj, runtime_cycles)", "energy_pj / 2"]
)
def test_other_expressions_have_no_degree(text: str) -> None:
    """Where sums or the layer's MACs stand in an objective, no bound of the network follows from the layers' bounds."""
    assert Objective.of(text).degree is None


@pytest.mark.parametrize("sampler", [Sampler.AUTO, Sampler.GENETIC, Sampler.TPE, Sampler.RANDOM])
def test_the_front_of_a_small_space_is_found(sampler: Sampler) -> None:
    """Where every mapping can be listed, the front is that of all of them, and a seed gives it again."""
    problem = Problem(SPACE, ExactModel(), Objective.of("edp"))
    scores = problem.score(as_batch(SPACE, every_mapping(SPACE)))
    assert scores.energy_pj is not None
    legal = np.isfinite(scores.values)
    every = set(zip(scores.runtime_cycles[legal].tolist(), scores.energy_pj[legal].tolist(), strict=True))
    expected = sorted(p for p in every if not any(_better(q, p) for q in every))
    assert len(expected) > 3
    search = FrontSearcher(BOTH, sampler).search
    one, again = (search(problem, Budget(30, 100), (0,), Seeds(), lambda _: False) for _ in range(2))
    assert list(zip(one.front.runtime_cycles.tolist(), one.front.energy_pj.tolist(), strict=True)) == expected
    assert one.value == scores.values.min() == one.trace[-1].objective
    assert [replace(step, seconds=0.0) for step in one.trace] == [replace(step, seconds=0.0) for step in again.trace]
    assert one.front.batch.size.tolist() == again.front.batch.size.tolist()
    assert (one.evaluations, one.finished) == (again.evaluations, True)


def test_a_front_search_takes_starts_and_stops() -> None:
    """One trial looks at the first start; a stop ends with the front so far, a timeout that is up with a finished one."""
    space = Space(layer_of(K=24, C=12, R=3, S=3, Y=10, X=10), MACHINE)
    problem = Problem(space, ExactModel(), Objective.of("edp"))
    starts = Seeds(classic_seeds(space, classic_dataflows())[:1])
    searcher = FrontSearcher(BOTH, Sampler.AUTO)
    first = searcher.search(problem, Budget(1, 1), (0,), starts, lambda _: False)
    assert first.batch.spatial[0].tolist() == [int(dim) for dim in starts.structures[0].spatial]
    stopped = searcher.search(problem, Budget(50, 40), (0,), starts, lambda done: done >= 2)
    assert (stopped.finished, stopped.evaluations <= 80, len(stopped.front) > 0) == (False, True, True)
    late = searcher.search(problem, Budget(10**6, 40, timeout_seconds=1e-9), (0,), starts, lambda _: False)
    assert late.finished
    assert late.evaluations <= 2 * 40
    known = searcher.search(problem, Budget(1, 1), (1,), Seeds((), stopped.batch), lambda _: False)
    assert known.value <= stopped.value


@pytest.mark.parametrize("evaluations", [1, 2, 10, 100, 1000])
def test_a_front_search_keeps_within_its_evaluations(evaluations: int) -> None:
    """However few they are, and however many mappings are known."""
    space = Space(layer_of(K=24, C=12, R=3, S=3, Y=10, X=10), MACHINE)
    problem = Problem(space, ExactModel(), Objective.of("edp"))
    known = space.sample(50, np.random.default_rng(0))
    for sampler, mappings in itertools.product(STEERED, (None, known)):
        starts = Seeds(classic_seeds(space, classic_dataflows()), mappings)
        settings = Settings(objective="energy, latency", sampler=sampler, evaluations=evaluations)
        searcher = searcher_of(settings.sampler_used, BOTH)
        outcome = searcher.search(problem, settings.budget(None), (0,), starts, lambda _: False)
        assert 1 <= outcome.evaluations <= evaluations
        assert settings.budget(None).trials >= evaluations // 150  # structures want to be many


def test_a_run_of_two_objectives(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """Each layer has its front and a file of it, which costs what the results say; the network's front sums points of those."""
    results = search(out=tmp_path / "run", objective="energy, latency", sampler="auto")
    assert results["objective"] == "energy, latency"
    for layer, name in zip(results["layers"], FRONTS, strict=True):
        assert layer["front_file"] == name
        costs = evaluate(tmp_path / "run" / name)
        figures = [(cost["runtime_cycles"], cost["energy_pj"]["total"]) for cost in costs]
        assert figures == [(point["runtime_cycles"], point["energy_pj"]) for point in layer["front"]]
        assert [point["objectives"] for point in layer["front"]] == [[energy, cycles] for cycles, energy in figures]
        assert layer["objective"] == min(prod(figure) for figure in figures)
    front = results["network"]["front"]
    assert len(front) > 2
    for one in front:
        chosen = [
            (layer["count"], layer["front"][number - 1]) for layer, number in zip(results["layers"], one["points"], strict=True)
        ]
        assert one["runtime_cycles"] == sum(count * point["runtime_cycles"] for count, point in chosen)
        assert one["energy_pj"] == pytest.approx(sum(count * point["energy_pj"] for count, point in chosen))
        assert one["objectives"] == [one["energy_pj"], one["runtime_cycles"]]
    best = min(front, key=lambda one: float(one["energy_pj"] * one["runtime_cycles"]))
    assert best["points"] == results["network"]["points"]
    costs = evaluate(tmp_path / "run" / "network.m")
    assert [cost["layer"] for cost in costs] == [layer["name"] for layer in results["layers"]]
    total = sum(cost["runtime_cycles"] * layer["count"] for cost, layer in zip(costs, results["layers"], strict=True))
    assert total == best["runtime_cycles"]
    again = run(out=tmp_path / "run", resume=True)
    assert same_for_all(again) == same_for_all(results) == same_for_all(results_in(tmp_path / "run"))


def test_the_network_is_chosen_from_the_fronts(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """With one objective of both figures the choice is no worse than the layers' own best; with one figure there is none."""
    results = search(out=tmp_path / "run")
    network, totals = results["network"], results["totals"]
    assert network["objective"] == pytest.approx(network["runtime_cycles"] * network["energy_pj"])
    assert network["gain"] == totals["objective"] / network["objective"] - 1 >= 0
    assert totals["lower_bound"] <= network["objective"]
    assert network["gap"] == network["objective"] / totals["lower_bound"] - 1
    fast = search(out=tmp_path / "fast", objective="latency")
    assert fast["network"] is None
    assert [layer["front_file"] for layer in fast["layers"]] == [None] * 3
    assert fast["totals"]["lower_bound"] == pytest.approx(sum(row["count"] * row["lower_bound"] for row in fast["layers"]))


def test_a_front_that_was_changed_is_not_gone_on_from(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """A front's file that costs other than recorded ends a resumed run in one line."""
    search(out=tmp_path / "run")
    file = tmp_path / "run" / FRONTS[0]
    file.write_text((tmp_path / "run" / FRONTS[1]).read_text())
    with pytest.raises(InputError, match=r"fronts/01_conv_1\.m: evaluates to other figures than were recorded"):
        run(out=tmp_path / "run", resume=True)


def test_the_command_shows_the_networks_front(layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table below the layers has rows of the front, and says of how many; the JSON has all."""
    command = ["run", "--layer-set", str(layers), "--jobs", "1", "--trials", "2", "--objective", "latency,energy"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    points = len(results_in(tmp_path / "run")["network"]["front"])
    shown = f"12 of {points}" if points > 12 else f"{points}"
    assert f"The network's front, {shown} choices of the layers' mappings" in printed
    assert "least EDP: network.m" in printed
    assert main([*command, "--out", str(tmp_path / "again"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["network"]["front"]) == points


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        (
            {"objective": "energy,latency", "sampler": "exact"},
            "the sampler exact searches for one objective, not a front; use auto",
        ),
        ({"objective": "energy,-runtime_cycles"}, "'-runtime_cycles' is not proven to grow with runtime and energy"),
        ({"objective": "energy,energy"}, "several must differ from each other, got 'energy,energy'"),
        ({"objective": "energy,"}, "objective: "),
        ({"objective": "energy,latncy"}, "latncy"),
    ],
)
def test_objectives_that_make_no_front(given_: dict[str, str], told: str) -> None:
    """What cannot be searched as a front is an error of one line."""
    with pytest.raises(InputError, match=told) as caught:
        Settings.of(given_)
    assert "\n" not in str(caught.value)


def test_commas_within_parentheses_are_no_lists() -> None:
    """The arguments of a function stay together."""
    assert [each.text for each in objectives_of("max(energy_pj, runtime_cycles), latency")] == [
        "max(energy_pj, runtime_cycles)",
        "latency",
    ]
    assert len(objectives_of("min(energy_pj, runtime_cycles)")) == 1
