"""Proven searches are kept: an equal one is not made again, and what is kept is checked before it is used."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from small_run import same_for_all

from mapsearch import run
from mapsearch.cli import main
from mapsearch.model.hardware import Hardware
from mapsearch.model.layer import Layer, LayerType
from mapsearch.search.mappings.layers_job import LayersJob
from mapsearch.search.mappings.searcher import Outcome
from mapsearch.search.mappings.task import Task
from mapsearch.studies.evaluate import machine
from mapsearch.studies.proofs import FOLDER, Proofs
from mapsearch.studies.run.plan import Plan
from mapsearch.studies.run.settings import Settings

Capture = pytest.CaptureFixture[str]

LAYERS = """
title: Small
source: made up
layers:
  - {name: conv, type: CONV, K: 6, C: 4, R: 3, S: 3, Y: 8, X: 8}
  - {name: gemm, type: GEMM, M: 8, K: 12, N: 10}
"""
OTHER = """
title: Other
source: made up
layers:
  - {name: gemm_2, type: GEMM, M: 8, K: 12, N: 10}
  - {name: gemm_3, type: GEMM, M: 5, K: 12, N: 10}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, which is empty."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    return tmp_path


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def _task(layer_file: Path, hardware: Hardware | str = "edge", index: int = 1, **settings: object) -> Task:
    plan = Plan(Settings.of(settings), layer_file)
    job: LayersJob = plan.job()
    return job.tasks(job.problem(index, machine(hardware)), index, plan.settings.budget(None))[0]


def test_a_run_takes_what_an_earlier_one_has_proven(folder: Path, capsys: Capture) -> None:
    """The second run has the results of the first, and a set with an equal layer of another name takes just that one."""
    layers, other = _file(folder, "small.yaml", LAYERS), _file(folder, "other.yaml", OTHER)
    first = run(layers, out=folder / "one", jobs=1)
    assert main(["run", "--layer-set", str(layers), "--out", str(folder / "two"), "--jobs", "1", "--json"]) == 0
    told = capsys.readouterr()
    assert same_for_all(json.loads(told.out)) == same_for_all(first.to_dict())
    assert "2 of 2 searches are known from earlier runs; --no-cache makes them anew" in told.err
    assert main(["run", "--layer-set", str(other), "--out", str(folder / "three"), "--jobs", "1"]) == 0
    assert "1 of 2 searches are known from earlier runs" in capsys.readouterr().err


def test_the_cache_changes_no_result(folder: Path) -> None:
    """Without the cache a run finds what it finds with it, in a set of other layers too."""
    other = _file(folder, "other.yaml", OTHER)
    run(_file(folder, "small.yaml", LAYERS), out=folder / "before", jobs=1)
    with_it, without = (run(other, out=folder / str(off), jobs=1, no_cache=off) for off in (False, True))
    assert same_for_all(with_it.to_dict()) == same_for_all(without.to_dict())


def test_nothing_is_kept_where_it_is_not_wanted(folder: Path) -> None:
    """With no_cache, a timeout, or a searcher without a proof, no search is kept."""
    layers = _file(folder, "small.yaml", LAYERS)
    run(layers, out=folder / "one", jobs=1, no_cache=True)
    run(layers, out=folder / "two", jobs=1, timeout_seconds=1)
    run(layers, out=folder / "three", jobs=1, sampler="genetic", trials=1)
    assert Proofs.of_user().entries() == []


def _damages() -> dict[str, Callable[[str], str]]:
    return {
        "cut": lambda text: text[: len(text) // 2],
        "empty": lambda _: "",
        "another digest": lambda text: "0" * 64 + text[64:],
        "another value": lambda text: text.replace('"value": ', '"value": 1'),
    }


@pytest.mark.parametrize("damage", _damages())
def test_a_damaged_entry_counts_as_none(damage: str, folder: Path) -> None:
    """An entry that is cut, empty or changed is not used; the search is made and kept again."""
    task = _task(_file(folder, "small.yaml", LAYERS))
    proofs = Proofs.of_user()
    outcome = task.run(lambda _: False)
    proofs.note(task, outcome)
    (entry,) = proofs.entries()
    entry.write_text(_damages()[damage](entry.read_text()))
    assert proofs.recall(task) is None
    proofs.note(task, outcome)
    assert proofs.recall(task) is not None


def _lies(outcome: Outcome) -> dict[str, Outcome]:
    front = replace(outcome.front, energy_pj=outcome.front.energy_pj * 0.99)
    return {
        "a better value": replace(outcome, value=outcome.value * 0.99),
        "a bound above the value": replace(outcome, lower_bound=outcome.value * 1.01),
        "a bound below the whole space's": replace(outcome, lower_bound=0.0),
        "another front": replace(outcome, front=front),
    }


def test_what_is_kept_is_evaluated_again(folder: Path) -> None:
    """An entry with figures that its mappings do not have, or with a bound that cannot be, is not used, whatever its digest."""
    task, proofs = _task(_file(folder, "small.yaml", LAYERS)), Proofs.of_user()
    outcome = task.run(lambda _: False)
    for what, lie in _lies(outcome).items():
        proofs.note(task, lie)
        assert proofs.recall(task) is None, what
    proofs.note(task, outcome)
    assert proofs.recall(task) is not None


def test_only_an_equal_search_is_found(folder: Path) -> None:
    """Another machine, layer, objective, gap, seed, number of levels or of trials is another search; another name is not."""
    layers, other = _file(folder, "small.yaml", LAYERS), _file(folder, "other.yaml", OTHER)
    task, proofs = _task(layers), Proofs.of_user()
    proofs.note(task, task.run(lambda _: False))
    assert proofs.recall(_task(other, replace(machine("edge"), name="another"), 0)) is not None
    different = [
        _task(layers, replace(machine("edge"), pes=64)), _task(layers, index=0), _task(layers, objective="latency"),
        _task(layers, gap=0.02), _task(layers, seed=1), _task(layers, levels=1), _task(layers, trials=3),
        _task(layers, tiles="all"), _task(layers, constraints="nvdla"),
    ]  # fmt: skip
    assert [proofs.recall(each) for each in different] == [None] * len(different)


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache folder is no folder, a run ends as without a cache."""
    monkeypatch.setenv(FOLDER, os.devnull)
    assert run(_file(tmp_path, "small.yaml", LAYERS), out=tmp_path / "run", jobs=1).complete


def test_the_command_shows_and_clears(folder: Path, capsys: Capture) -> None:
    """`mapsearch cache` says where the searches are and how many, and removes them where that is asked for."""
    task = _task(_file(folder, "small.yaml", LAYERS))
    Proofs.of_user().note(task, task.run(lambda _: False))
    assert main(["cache", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["folder"], told["searches"]) == (str(folder / "cache" / "proofs"), 1)
    assert main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == f"{folder / 'cache' / 'proofs'}: 0 proven searches, 0 bytes\n"


def test_the_oldest_make_room(folder: Path) -> None:
    """Of more entries than wanted the oldest go."""
    layers, proofs = _file(folder, "small.yaml", LAYERS), Proofs.of_user()
    outcome = _task(layers).run(lambda _: False)
    tasks = [_task(layers, seed=seed) for seed in range(3)]
    for age, task in enumerate(tasks):
        proofs.note(task, outcome)
        os.utime(proofs.entries()[-1], (age, age))
    proofs.trim(2)
    assert [proofs.recall(task) is not None for task in tasks] == [False, True, True]


def test_a_layer_is_searched_alike_in_any_set() -> None:
    """Equal layers have equal random numbers in every set, so that their searches are equal; other layers have others."""
    problem_layers = (Layer("a", LayerType.GEMM, (1, 1, 4, 2, 1, 1, 1, 3)), Layer("b", LayerType.GEMM, (1, 1, 4, 2, 1, 1, 1, 3)))
    plan = Plan(Settings.of({}), "mobilenet")
    seeds: list[tuple[int, ...]] = []
    for layer in (*problem_layers, replace(problem_layers[0], extents=(1, 1, 4, 2, 1, 1, 1, 5))):
        job = replace(plan.job(), layers=(layer,), counts=(1,), seed_mappings=((),))
        seeds.append(job.tasks(job.problem(0, machine("edge")), 0, plan.settings.budget(None))[0].seed)
    assert seeds[0] == seeds[1] != seeds[2]
