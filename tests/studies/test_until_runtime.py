"""`run --until-runtime`: searching ends once the network is fast enough, at the same place for any jobs, cache or stop."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from small_run import Recorder, plain_run, same_for_all

from mapsearch.cli import main
from mapsearch.model.errors import InputError
from mapsearch.model.layers import conv
from mapsearch.studies.layer_search import search_layer
from mapsearch.studies.recorded import load_run
from mapsearch.studies.results_reader import read_results

SET = "mobilenet:depthwise13,pointwise4,pointwise5,depthwise2,fc"
FIRST, BETWEEN, BEST = 464_357, 462_700, 462_501  # cycles of the first mappings, and of the proven ones


def _cycles(results: dict[str, Any]) -> int:
    return int(results["totals"]["runtime_cycles"])


def _proofs(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer["proof"] for layer in results["layers"]]


@pytest.fixture(name="between", scope="module")
def search_that_ends_between(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run that ends after some of its proofs."""
    return plain_run(SET, out=tmp_path_factory.mktemp("between") / "run", jobs=1, until_runtime=BETWEEN)


def test_the_first_mappings_may_do(tmp_path: Path) -> None:
    """Where they are fast enough no proof is begun, and each certificate says what was asked, and that nothing was opened."""
    results = plain_run(SET, out=tmp_path / "run", jobs=1, until_runtime=FIRST)
    assert results["complete"]
    assert _cycles(results) == FIRST
    for layer in results["layers"]:
        proof = layer["proof"]
        assert (proof["until_runtime_cycles"], proof["opened"], proof["bounded"]) == (FIRST, 0, 1)
        assert proof["lower_bound"] == layer["lower_bound"] <= layer["objective"]
        assert proof["left"] == (layer["objective"] > layer["lower_bound"])
    assert read_results(results, tmp_path, "").to_dict() == results == load_run(tmp_path / "run").results.to_dict()


def test_the_search_ends_after_some_proofs(between: dict[str, Any]) -> None:
    """Some layers are proven, the rest keep their first mappings, and the network is as fast as was asked."""
    assert between["complete"]
    assert _cycles(between) <= BETWEEN < FIRST
    opened = [proof["opened"] > 0 or proof["bounded"] > 1 for proof in _proofs(between)]
    assert any(opened)
    assert not all(opened)


def test_neither_jobs_nor_the_cache_change_where_it_ends(
    between: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes, and a cache that knows every proof, give the same results."""
    assert same_for_all(plain_run(SET, out=tmp_path / "two", jobs=2, until_runtime=BETWEEN)) == same_for_all(between)
    monkeypatch.setenv("MAPSEARCH_CACHE_DIR", str(tmp_path / "cache"))
    assert _cycles(plain_run(SET, out=tmp_path / "all", jobs=2)) == BEST
    assert same_for_all(plain_run(SET, out=tmp_path / "known", jobs=1, until_runtime=BETWEEN)) == same_for_all(between)


def test_a_stopped_run_goes_on_to_the_same_end(between: dict[str, Any], tmp_path: Path) -> None:
    """Ctrl-C after the first proof loses nothing, and the resumed run ends where the whole one does."""
    watcher = Recorder(find=lambda: os.kill(os.getpid(), signal.SIGINT))
    stopped = plain_run(SET, out=tmp_path / "run", jobs=1, until_runtime=BETWEEN, watcher=watcher)
    assert not stopped["complete"]
    assert len(stopped["layers"]) == len(between["layers"])
    resumed = plain_run(out=tmp_path / "run", jobs=1, resume=True)
    assert same_for_all(resumed) == same_for_all(between)


def test_an_aim_that_is_not_met_changes_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All layers are proven as without it, and the table says that it is not met."""
    argv = ["run", "alexnet:fc6", "--out", str(tmp_path / "run"), "--quiet", "--until-runtime", "1"]
    assert main(argv) == 0
    assert "at most 1 cycles: that is not met" in " ".join(capsys.readouterr().out.split())
    asked = load_run(tmp_path / "run").results.to_dict()
    plain = plain_run("alexnet:fc6", out=tmp_path / "plain")
    for proof in _proofs(asked):
        assert proof.pop("until_runtime_cycles") == 1
    assert same_for_all(asked) == same_for_all(plain)


def test_a_timeout_may_have_an_aim(tmp_path: Path) -> None:
    """The search ends at the aim, long before the timeout."""
    results = plain_run(SET, out=tmp_path / "run", jobs=2, timeout_seconds=3600, until_runtime=BETWEEN)
    assert results["complete"]
    assert _cycles(results) <= BETWEEN
    assert results["totals"]["seconds"] < 600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--until-runtime", "0"], "must be a whole number of at least 1, got 0"),
        (["--until-runtime", "9", "--sampler", "tpe"], "--until-runtime ends a proof, but sampler tpe has none; leave it out"),
        (["--until-runtime", "9", "--objective", "latency,energy"], "but a search for several objectives has none"),
        (
            ["--until-runtime", "9", "--hardware", "edge_space"],
            "--until-runtime is of one machine, and edge_space is a space of them",
        ),
    ],
)
def test_searches_without_such_an_end_refuse_it(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says why, and nothing is written."""
    assert main(["run", "alexnet:fc6", "--out", str(tmp_path / "run"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_single_layer_has_no_network() -> None:
    """`search_layer` points at `run`."""
    with pytest.raises(InputError, match="until_runtime is of a whole network"):
        search_layer(conv("c", 4, 4, (3, 3), inputs=(8, 8)), until_runtime=5)
