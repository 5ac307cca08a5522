"""Searches that start from earlier mappings, which are brought into the space first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from small_run import FILES, finished_run, layer_file, results_in, search_with_few_trials
from small_run import plain_evaluate as evaluate
from small_run import plain_run as run

from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.rules import TileRule
from mapsearch.spaces.mappings.space import Space

FIXTURES = (layer_file, search_with_few_trials, finished_run)  # pytest finds them here, as layers, search and done
LAYER = layer_of(K=24, C=12, R=3, S=3, Y=10, X=10)
EXACT = ExactModel()


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("rule", TileRule)
def test_a_mapping_of_the_space_stays_what_it_is(levels: int, rule: TileRule) -> None:
    """Mappings sampled from a space, written out and taken back into it, cost what they did."""
    space = Space(LAYER, MACHINE, levels, rule)
    batch = space.sample(300, np.random.default_rng(0))
    adopted = space.adopt([batch.decode(row, LAYER) for row in range(len(batch))])
    costs = [EXACT.evaluate(LAYER, MACHINE, each) for each in (batch, adopted)]
    assert costs[0].runtime_cycles.tolist() == costs[1].runtime_cycles.tolist()
    assert costs[0].energy_pj().tolist() == costs[1].energy_pj().tolist()


def test_mappings_of_fewer_levels_get_more_and_those_of_more_are_left_out() -> None:
    """A level of one unit changes no cost; a third level has no place in a space of two."""
    one, two, three = (Space(LAYER, MACHINE, levels) for levels in (1, 2, 3))
    batch = one.sample(50, np.random.default_rng(0))
    mappings = [batch.decode(row, LAYER) for row in range(len(batch))]
    adopted = two.adopt(mappings)
    costs = [EXACT.evaluate(LAYER, MACHINE, each).runtime_cycles.tolist() for each in (batch, adopted)]
    assert costs[0] == costs[1]
    deep = three.sample(1, np.random.default_rng(0))
    assert len(two.adopt([deep.decode(0, LAYER)])) == 0
    assert two.adopt([]).units.shape == (0, 2)


def test_what_is_adopted_is_brought_under_the_laws() -> None:
    """Other PEs, tile rules and constraints than those of the mapping hold for what becomes of it."""
    held = Constraints("held", "", (LevelConstraints(spatial=(Dim.K,), tiles=((Dim.C, Sizes.of(4)),)),))
    large = Space(LAYER, MACHINE, tiles=TileRule.ALL)
    space = Space(LAYER, replace(MACHINE, pes=7), constraints=held)
    batch = large.sample(300, np.random.default_rng(0))
    adopted = space.adopt([batch.decode(row, LAYER) for row in range(len(batch))])
    assert len(adopted) > 200
    assert set(adopted.spatial[:, 0].tolist()) == {Dim.K}
    assert set(adopted.size[:, 0, Dim.C].tolist()) == {4}
    assert (adopted.units.prod(axis=1) <= 7).all()


def test_a_run_starts_from_the_mappings_of_another(done: Path, layers: Path, tmp_path: Path) -> None:
    """With one trial, a run that starts from another's folder, or from one file of it, is no worse there than that one was."""
    before = {layer["name"]: layer["objective"] for layer in results_in(done)["layers"]}
    warm = run(layers, out=tmp_path / "warm", jobs=1, trials=1, sampler="random", warm_start=done)
    assert all(layer["objective"] <= before[layer["name"]] for layer in warm["layers"])
    cold = run(layers, out=tmp_path / "cold", jobs=1, trials=1, sampler="random")
    assert any(layer["objective"] > before[layer["name"]] for layer in cold["layers"])
    one = run(layers, out=tmp_path / "one", jobs=1, trials=1, sampler="random", warm_start=done / FILES[0])
    assert one["layers"][0]["objective"] <= before["conv/1"]
    assert [cost["layer"] for cost in evaluate(tmp_path / "one" / "warm_start.m")] == ["conv/1_1"]
    assert results_in(tmp_path / "one") == run(out=tmp_path / "one", resume=True, jobs=1)


def test_a_resumed_run_needs_the_other_run_no_more(
    done: Path, layers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder keeps the mappings that it starts from: it goes on from any working folder, with the same results."""
    monkeypatch.chdir(done.parent)
    run(layers, out=tmp_path / "warm", jobs=1, trials=1, sampler="random", warm_start=done.name)
    before = results_in(tmp_path / "warm")
    (tmp_path / "warm" / "results.json").unlink()
    monkeypatch.chdir(tmp_path)
    again = run(out=tmp_path / "warm", resume=True, jobs=1)
    assert [layer["objective"] for layer in again["layers"]] == [layer["objective"] for layer in before["layers"]]


def test_what_holds_no_mapping_of_the_layers_is_an_error(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """No file, no directive file in a folder, or none of a layer of the same shape: one line, and no folder of the run."""
    other = tmp_path / "other.m"
    other.write_text("Network n { Layer a { Type: GEMM Dimensions { M: 4, N: 2, K: 3 } Dataflow { SpatialMap(1,1) M } } }")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "machine.m").write_text("num_pes: 4")
    for path, told in (
        (tmp_path / "none.m", "none.m"),
        (tmp_path / "empty", "must hold mapping files to start from, got none"),
        (other, "must hold a mapping of a layer of the set, of the same shape, got those of a"),
    ):
        with pytest.raises(InputError, match=told):
            search(out=tmp_path / "run", warm_start=path)
    assert not (tmp_path / "run").exists()
