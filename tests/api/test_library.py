"""The library: public names, the page of examples, batches of mappings, and a layer's search without a folder."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from by_hand import MACHINE, layer_of

import mapsearch
from mapsearch.model.errors import InputError, MappingError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Buffer
from mapsearch.model.mapping import MappingBatch
from mapsearch.search.mappings.genetic import GeneticSearcher
from mapsearch.spaces.mappings.space import Space

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
# Each example, and what the page says that it prints, "" where it says nothing.
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
LAYER = layer_of(K=24, C=12, R=3, S=3, Y=10, X=10)
BATCH = Space(LAYER, MACHINE).sample(300, np.random.default_rng(0))


def test_public_names_are_those_of_the_table() -> None:
    """Every public name can be had, and no other stands in the list."""
    assert sorted(mapsearch.__all__) == sorted([*mapsearch._MODULES, "__version__"])  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    for name in mapsearch.__all__:
        assert getattr(mapsearch, name)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_of_the_page_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each example runs by itself and prints what the page says."""
    code, printed = EXAMPLES[number]
    monkeypatch.chdir(tmp_path)
    exec(compile(code, f"example {number + 1} of {PAGE.name}", "exec"), {})  # noqa: S102 our own page
    out = capsys.readouterr().out
    assert out
    assert out == (printed or out)


def test_the_page_has_six_examples() -> None:
    """The page's examples are found."""
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_batch_costs_what_the_model_counts(jobs: int) -> None:
    """Runtime, energy and legality of a batch are the model's, whatever the number of threads, and in the order of the rows."""
    tight = replace(MACHINE, l1=Buffer(40))
    expected = ExactModel().evaluate(LAYER, tight, BATCH)
    found = mapsearch.evaluate_batch(LAYER, tight, BATCH, jobs=jobs)
    legal = expected.fit == 0
    assert 0 < legal.sum() < len(BATCH)
    assert found.legal.tolist() == legal.tolist()
    assert found.runtime_cycles[legal].tolist() == expected.runtime_cycles[legal].tolist()
    assert found.energy_pj[legal].tolist() == expected.energy_pj()[legal].tolist()
    assert np.isinf(found.edp_pj_cycles[~legal]).all()
    row = int(found.edp_pj_cycles.argmin())
    assert found.evaluation(row).edp_pj_cycles == found.edp_pj_cycles[row]
    assert found.mapping(row) == BATCH.decode(row, LAYER)
    with pytest.raises(MappingError, match="L1 needs"):
        found.evaluation(int(legal.argmin()))


def test_a_batch_of_mappings_one_by_one() -> None:
    """Mappings as objects cost what they cost as arrays; none, and several numbers of levels, are refused."""
    mappings = [BATCH.decode(row, LAYER) for row in range(5)]
    found = mapsearch.evaluate_batch(LAYER, MACHINE, mappings)
    assert found.runtime_cycles.tolist() == mapsearch.evaluate_batch(LAYER, MACHINE, BATCH[:5]).runtime_cycles.tolist()
    one = Space(LAYER, MACHINE, 1)
    shallow = one.sample(1, np.random.default_rng(0)).decode(0, LAYER)
    with pytest.raises(InputError, match="one number of levels, got mappings of 1 and 2 levels"):
        mapsearch.evaluate_batch(LAYER, MACHINE, [*mappings, shallow])
    with pytest.raises(InputError, match="one number of levels, got no mapping"):
        mapsearch.evaluate_batch(LAYER, MACHINE, [])


def _changed(**arrays: object) -> MappingBatch:
    """Three mappings of which some arrays are others."""
    some = BATCH[:3]
    return replace(MappingBatch(some.units.copy(), some.spatial.copy(), some.order.copy(), some.size.copy()), **arrays)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (_changed(units=np.full((3, 2), 0)), "mapping 0 of the batch: units must be at least 1 at each level"),
        (_changed(units=np.full((3, 2), 2**40)), "mapping 0 of the batch: the levels' units must multiply to at most 256 PEs"),
        (_changed(spatial=np.full((3, 2), 8, np.int8)), "mapping 0 of the batch: spatial must be a dim from 0 to 7, or -1"),
        (_changed(order=np.zeros((3, 2, 8), np.int8)), "mapping 0 of the batch: each level's order must have each dim 0 to 7 once"),
        (_changed(size=np.zeros((3, 2, 8), np.int64)), "sizes of G must be from 1 to the extent 1, and not grow"),
        (_changed(size=np.ones((3, 3, 8), np.int64)), r"size must have the shape \(3, 2, 8\)"),
        (_changed(units=np.ones((3, 2), np.int32)), "units must be an array of int64, got int32"),
        (_changed(units=np.ones(3, np.int64)), r"units must be an array \[B, levels\]"),
    ],
)
def test_a_batch_that_breaks_a_law_is_refused(batch: MappingBatch, message: str) -> None:
    """Arrays from elsewhere never reach the kernels unless they are mappings; the error names the first bad row and the law."""
    with pytest.raises(MappingError, match=message):
        mapsearch.evaluate_batch(LAYER, MACHINE, batch)


def test_a_layer_is_searched_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is a legal mapping with its figures; nothing is written; the same seed gives the same result."""
    monkeypatch.chdir(tmp_path)
    found = mapsearch.search_layer(LAYER, MACHINE, sampler="genetic", trials=2, seed=3)
    assert list(tmp_path.iterdir()) == []
    [cost] = mapsearch.evaluate(found.directives, MACHINE)
    assert found.finished
    assert cost.edp_pj_cycles == found.objective == found.evaluation.edp_pj_cycles == found.trace[-1].objective
    assert found.lower_bound is not None
    assert found.lower_bound <= found.objective
    again = mapsearch.search_layer(LAYER, MACHINE, sampler="genetic", trials=2, seed=3, restarts=2)
    assert again.objective <= found.objective
    own = mapsearch.search_layer(LAYER, MACHINE, searcher=GeneticSearcher(), trials=2, seed=3)
    assert own.mapping == found.mapping


def test_a_search_begins_with_its_seeds() -> None:
    """A search of one evaluation that is given a good mapping is at least as good."""
    good = mapsearch.search_layer(LAYER, MACHINE, sampler="genetic", trials=4)
    found = mapsearch.search_layer(LAYER, MACHINE, sampler="genetic", evaluations=20, seeds=[good.mapping])
    assert found.objective <= good.objective


def test_wrong_settings_of_a_layers_search() -> None:
    """Errors are those of a run, and name what was given."""
    with pytest.raises(InputError, match="must be one for a single layer"):
        mapsearch.search_layer(LAYER, MACHINE, objective="energy,latency")
    with pytest.raises(InputError, match="unknown setting trial; did you mean trials"):
        mapsearch.search_layer(LAYER, MACHINE, trial=1)
