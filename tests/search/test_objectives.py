"""Objectives: what an expression is worth, what it takes, when a lower bound may be used for it, and what is refused."""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import MACHINE, layer_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from printed_tables import table_rows
from small_run import layer_file, results_in, same_for_all, search_with_few_trials

from mapsearch.cli import main
from mapsearch.model.area import area_by_part
from mapsearch.model.cost import Wanted
from mapsearch.model.errors import InputError
from mapsearch.model.evaluation import NamedFigures
from mapsearch.model.exact import ExactModel
from mapsearch.search.mappings.problem import Problem
from mapsearch.search.objectives.expression import MAX_CHARACTERS, MAX_DEPTH, NAMED
from mapsearch.search.objectives.objective import Objective
from mapsearch.spaces.mappings.space import Space
from mapsearch.studies.results import LayerResult
from mapsearch.studies.run.network_totals import totals

FIXTURES = (layer_file, search_with_few_trials)  # pytest finds them here, as layers and search
LAYER = layer_of(K=24, C=12, R=3, S=3, Y=10, X=10)
SPACE = Space(LAYER, MACHINE)
AREA = area_by_part(MACHINE).total
KNOWN = "there are runtime_cycles, energy_pj, area_mm2, macs, and the objectives latency, energy, edp, ed2p, area-delay"
GRAMMAR = "an expression has numbers, metrics, + - * / ** ( ) and min, max, sqrt, log, abs"
# Python's own functions over one mapping's figures.
PYTHON: dict[str, Any] = {"min": min, "max": max, "sqrt": np.sqrt, "log": np.log, "abs": abs}


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{}({}, {})".format, st.sampled_from(("min", "max")), inner, inner),
        st.builds("{}({})".format, st.sampled_from(("sqrt", "log", "abs", "-")), inner),
        st.builds("({})**{}".format, inner, st.sampled_from(("2", "3", "0.5", "(1/3)", "-1"))),
    )


TEXTS = st.recursive(
    st.sampled_from(("runtime_cycles", "energy_pj", "runtime_cycles", "energy_pj", "area_mm2", "macs", "2", "0.5", "1e3")),
    _wider,
    max_leaves=8,
)
FIGURES = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1, max_size=20)


def objective_or_none(text: str) -> Objective | None:
    """None for a text that has no value, or the same for all mappings."""
    try:
        return Objective.of(text)
    except InputError:
        return None


def value(objective: Objective, figures: list[tuple[int, int]]) -> NDArray[np.float64]:
    """The values at pairs of runtime and energy."""
    runtime_cycles, energy_pj = np.array(figures, np.int64).reshape(-1, 2).T
    return objective.value(runtime_cycles, energy_pj.astype(np.float64), LAYER.macs, MACHINE)


def problem(text: str) -> Problem:
    return Problem(SPACE, ExactModel(), Objective.of(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latency", 7.0),
        ("energy", 5.0),
        ("edp", 35.0),
        ("ed2p", 245.0),
        ("area-delay", AREA * 7),
        ("macs / runtime_cycles", LAYER.macs / 7),
        (" 2 + 3 * -energy_pj ** 2 ", -73.0),
        ("max(energy_pj / 1e1, runtime_cycles, 3)", 7.0),
        ("min(energy_pj, 100)", 5.0),
        ("sqrt(abs(1 - energy_pj)) - 8 / 4 / 2", 1.0),
        ("log(runtime_cycles)", float(np.log(7.0))),
        ("runtime_cycles ** (1 - 1/2) ** 1", float(np.sqrt(7.0))),
    ],
)
def test_an_expression_has_the_value_that_it_states(text: str, expected: float) -> None:
    """Operators bind as in Python, names and functions stand for what they say, and spaces around do not matter."""
    assert value(Objective.of(text), [(7, 5)]).tolist() == [pytest.approx(expected, rel=1e-15)]


@settings(max_examples=300, deadline=None, derandomize=True)  # a difference of equals may differ in all its digits
@given(TEXTS, FIGURES)
def test_an_expression_is_worth_what_python_says(text: str, figures: list[tuple[int, int]]) -> None:
    """Random expressions have the value, where it is finite, that Python gives them for one mapping after the other."""
    assume((objective := objective_or_none(text)) is not None)
    assert objective is not None
    found = value(objective, figures)
    for (runtime, energy), one in zip(figures, found, strict=True):
        names = {"runtime_cycles": runtime, "energy_pj": energy, "macs": LAYER.macs, "area_mm2": AREA}
        with np.errstate(all="ignore"):
            figures_of_one = {name: np.float64(figure) for name, figure in names.items()}
            expected = float(eval(text, PYTHON | figures_of_one))  # noqa: S307 the test's own text; the product never does so
        if np.isfinite(one) and np.isfinite(expected):
            assert one == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(TEXTS, FIGURES)
def test_a_mapping_has_the_same_value_in_any_batch(text: str, figures: list[tuple[int, int]]) -> None:
    """To the last digit, so that what a search found is what its exported mapping evaluates to."""
    assume((objective := objective_or_none(text)) is not None)
    assert objective is not None
    alone = np.concatenate([value(objective, [pair]) for pair in figures])
    assert np.array_equal(value(objective, figures), alone, equal_nan=True)


@settings(max_examples=500, deadline=None)
@given(TEXTS, FIGURES, st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_is_proven_never_falls(text: str, figures: list[tuple[int, int]], cycles: int, pj: int) -> None:
    """For random expressions that are called so, more cycles or more energy never lower the value, but for log's and **'s rounding.

    What has no value at the lower figures is not compared: no mapping is left out for it.
    """
    assume((objective := objective_or_none(text)) is not None)
    assert objective is not None
    assume(objective.never_falls)
    before = value(objective, figures)
    after = value(objective, [(runtime + cycles, energy + pj) for runtime, energy in figures])
    both = ~(np.isnan(before) | np.isnan(after))
    with np.errstate(invalid="ignore"):
        slack = np.where(np.isfinite(before), 1e-9 * np.maximum(1.0, np.abs(before)), 0.0)
    assert (after[both] >= before[both] - slack[both]).all()


@pytest.mark.parametrize(
    "text",
    [
        *NAMED,
        "max(energy_pj / 1e6, runtime_cycles)",
        "min(2 * energy_pj, runtime_cycles + 5) / area_mm2",
        "-macs / runtime_cycles",
        "log(energy_pj) + 2 * log(runtime_cycles)",
        "sqrt(energy_pj) * runtime_cycles**(1/3)",
        "energy_pj * log(1 + runtime_cycles)",
        "max(runtime_cycles - 1e6, 0) * energy_pj",
        "runtime_cycles - 1e6",
        "1 / (1 / energy_pj + 1 / runtime_cycles)",
        "-(runtime_cycles**-2)",
        "(area_mm2 - 5) * (macs - 3) + energy_pj",
    ],
)
def test_what_can_be_proven_is(text: str) -> None:
    """Named objectives, and sums, products, powers, min, max, sqrt and log that rise with both metrics, may use the bound."""
    assert Objective.of(text).never_falls


@pytest.mark.parametrize(
    "text",
    [
        "energy_pj / runtime_cycles",
        "energy_pj - runtime_cycles",
        "-energy_pj",
        "energy_pj * -2",
        "1 / runtime_cycles",
        "runtime_cycles**-1",
        "energy_pj * log(runtime_cycles)",
        "abs(energy_pj - 1e9)",
        "(energy_pj - 1e9)**2",
        "(runtime_cycles - 5) * energy_pj",
        "(area_mm2 - 1) * energy_pj",
        "min(energy_pj, 1 / runtime_cycles)",
    ],
)
def test_what_may_fall_is_not_proven(text: str) -> None:
    """Where more cycles or energy may lower the value, or nobody can say, the bound is not used."""
    assert not Objective.of(text).never_falls


@pytest.mark.parametrize("text", [*NAMED, "log(energy_pj) - log(macs) / 9", "energy_pj / runtime_cycles", "abs(energy_pj - 1e7)"])
def test_the_bound_leaves_out_nothing_that_counts(text: str) -> None:
    """Of random mappings those under a limit keep their value; some others are left out only where the objective never falls."""
    batch = SPACE.sample(400, np.random.default_rng(0))
    whole = problem(text).score(batch)
    limit = float(np.quantile(whole.values[np.isfinite(whole.values)], 0.3))
    under = problem(text).score(batch, limit)
    below = whole.values < limit
    assert below.sum() > 20
    assert np.array_equal(under.values[below], whole.values[below])
    assert (under.costed < len(batch)) == Objective.of(text).never_falls


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("latency", Wanted.RUNTIME), ("area-delay", Wanted.RUNTIME), ("energy_pj / macs", Wanted.WORDS), ("ed2p", Wanted.ALL)],
)
def test_only_what_is_used_is_wanted(text: str, wanted: Wanted) -> None:
    """An objective asks the cost model for what its expression names, and is scored without the rest."""
    assert Objective.of(text).wanted == wanted
    assert np.isfinite(problem(text).score(SPACE.draw([SPACE.fitting], 1, np.random.default_rng(0))).values).all()


def test_what_is_not_finite_counts_as_infinite_and_what_is_negative_as_it_is() -> None:
    """A mapping whose objective is no number, or infinite, is never the best; a negative one is better than a positive one."""
    batch = SPACE.sample(400, np.random.default_rng(0))
    cycles = problem("latency").score(batch).values
    middle = float(np.median(cycles[np.isfinite(cycles)]))
    for text in (f"log(runtime_cycles - {middle})", f"sqrt(runtime_cycles - {middle}) - 1e9"):
        values = problem(text).score(batch).values
        assert not np.isnan(values).any()
        assert (values[cycles < middle] == np.inf).all()
        assert np.isfinite(values[(cycles > middle) & np.isfinite(cycles)]).all()
    assert (values[np.isfinite(values)] < 0).all()


def test_an_objective_goes_to_a_worker_unchanged() -> None:
    """It is equal, and has equal values, after it was pickled."""
    objective = Objective.of("max(energy_pj / 1e6, runtime_cycles**1.5)")
    again = pickle.loads(pickle.dumps(objective))  # noqa: S301 as joblib does
    assert again == objective
    assert value(again, [(3, 4)]) == value(objective, [(3, 4)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("enrgy * 2", f"'enrgy' at column 1 is no metric; did you mean energy_pj?; {KNOWN}"),
        ("latncy", f"'latncy' at column 1 is no metric; did you mean latency?; {KNOWN}"),
        ("area-dely", f"'area' at column 1 is no metric; did you mean area-delay?; {KNOWN}"),
        ("  2 * edp", f"'edp' at column 7 is no metric; {KNOWN}"),
        ("sqr(energy_pj)", "'sqr' at column 1 is no function; did you mean sqrt?; there are min, max, sqrt, log, abs"),
        ("1 + max(energy_pj)", "'max' at column 5 takes two arguments or more, got 1"),
        ("log(energy_pj, 2)", "'log' at column 1 takes one argument, got 2"),
        ("energy_pj runtime_cycles", "invalid syntax at column 11 in 'energy_pj runtime_cycles'"),
        ("energy_pj *", "invalid syntax at column 12 in 'energy_pj *'"),
        (" (energy_pj", "'(' was never closed at column 2 in ' (energy_pj'"),
        ("", "invalid syntax at column 1 in ''"),
        ("energy_pj % 2", f"'%' at column 11 cannot stand; {GRAMMAR}"),
        ("energy_pj\n", f"'\\n' at column 10 cannot stand; {GRAMMAR}"),
        ("énergie", f"'é' at column 1 cannot stand; {GRAMMAR}"),
        ("1 + energy_pj // 2", f"'energy_pj // 2' at column 5 cannot stand; {GRAMMAR}"),
        ("energy_pj.real", f"'energy_pj.real' at column 1 cannot stand; {GRAMMAR}"),
        ("1if energy_pj else 2", f"'1if energy_pj else 2' at column 1 cannot stand; {GRAMMAR}"),
        ("True * energy_pj", f"'True' at column 1 cannot stand; {GRAMMAR}"),
        ("max(1, *energy_pj)", f"'*energy_pj' at column 8 cannot stand; {GRAMMAR}"),
        ("energy_pj * (1 / 0)", "'1 / 0' at column 14 must be finite, got inf"),
        ("energy_pj * 1e999", "'1e999' at column 13 must be a number between -1e300 and 1e300"),
        ("energy_pj ** macs", "'macs' at column 14 is an exponent and must hold no metric"),
        ("3 * area_mm2", "must use energy_pj or runtime_cycles, else all mappings are equal, got '3 * area_mm2'"),
        ("1+" * 250 + "energy_pj", f"must be at most {MAX_CHARACTERS} characters long, got 509"),
        ("1+" * 240 + "energy_pj", f"operations must be at most {MAX_DEPTH} inside one another; use fewer terms"),
        ("-" * 400 + "energy_pj", f"operations must be at most {MAX_DEPTH} inside one another; use fewer terms"),
    ],
)
def test_what_is_no_objective_is_told_in_one_line(text: str, message: str) -> None:
    """The error names the word and its column, the law, and what would be right."""
    with pytest.raises(InputError) as caught:
        Objective.of(text)
    assert str(caught.value) == f"objective: {message}"


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40) | st.text("0123456789.+-*/(),energy_pj ", max_size=60))
def test_any_text_is_an_objective_or_one_line(text: str) -> None:
    """No text ends in anything but an objective or an InputError of one line."""
    try:
        objective = Objective.of(text)
    except InputError as error:
        assert str(error).isprintable()  # noqa: PT017 either is right
    else:
        assert objective.text == text


def test_a_run_has_the_objective_of_layers_and_network(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """A layer's is the expression of its metrics, the network's that of the sums, for any number of jobs; all files hold them."""
    text = "max(energy_pj / 1e2, runtime_cycles) * area_mm2**0.5"
    results = search(out=tmp_path / "run", objective=text)
    assert results["objective"] == text
    assert json.loads((tmp_path / "run" / "config.json").read_text())["settings"]["objective"] == text
    for of in (*results["layers"], {**results["totals"], "metrics": results["totals"]}):
        metrics = of["metrics"]
        area = results["layers"][0]["metrics"]["area_mm2"]
        assert of["objective"] == max(metrics["energy_pj"]["total"] / 1e2, metrics["runtime_cycles"]) * area**0.5
    with (tmp_path / "run" / "results.csv").open(newline="") as file:
        assert [row["objective"] for row in csv.DictReader(file)] == [str(layer["objective"]) for layer in results["layers"]]
    assert same_for_all(search(out=tmp_path / "again", objective=text, jobs=2)) == same_for_all(results)


def test_a_network_may_have_no_finite_objective() -> None:
    """Totals of layers that have one each say None where the sums have none."""
    metrics = NamedFigures("one", {"runtime_cycles": 10, "macs": 1, "energy_pj": {"total": 1.0}, "edp_pj_cycles": 10.0})
    row = LayerResult(
        name="one", names=("one",), count=1, runs=(1,), objective=5**0.5, lower_bound=None, gap=None, evaluations=1, dropped=0,
        refused=0, seconds=1.0, finished=True, mapping_file="one.m", front_file=None, front=(), metrics=metrics, trace=(),
        proof=None,
    )  # fmt: skip
    objective = Objective.of("sqrt(15 - runtime_cycles)")
    assert totals([row], MACHINE, objective).objective == pytest.approx(5**0.5)
    assert totals([row, row], MACHINE, objective).objective is None
    assert totals([], MACHINE, Objective.of("energy_pj / runtime_cycles")).objective is None


def test_a_run_without_a_finite_objective_ends(search: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """Layers of which no mapping has a finite objective are left out, with the reason."""
    results = search(out=tmp_path / "run", objective="sqrt(-runtime_cycles)")
    assert results["complete"]
    assert results["layers"] == []
    assert len(results["left_out"]) == 3
    assert "without a finite objective or too large for L1 or L2" in results["left_out"][0]["reason"]


def test_the_table_has_a_column_of_another_objective(layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The values are printed where they are no latency, energy or EDP; an error is one line before work starts."""
    command = ["run", "--layer-set", str(layers), "--jobs", "1", "--trials", "1", "--out", str(tmp_path / "run")]
    assert main([*command, "--objective", "ed2p"]) == 0
    text = capsys.readouterr().out
    results = results_in(tmp_path / "run")
    assert "  objective  " in text.splitlines()[1]
    for row, layer in zip(table_rows(text), results["layers"], strict=True):
        assert float(row[4].replace(",", "")) == pytest.approx(layer["objective"], rel=1e-3)
    assert f"\n         objective ed2p: {results['totals']['objective']:.5g}\n" in text
    assert main([*command, "--objective", "ed3p"]) == 2
    assert capsys.readouterr().err.startswith("mapsearch: error: objective: 'ed3p' at column 1 is no metric; did you mean edp?; ")
