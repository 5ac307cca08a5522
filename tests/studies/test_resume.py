"""Nothing that a run found is lost: it is saved when it stops, when its folder fails, and another run goes on from it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from small_run import (
    FILES,
    FRONTS,
    LAYERS,
    NAMES,
    Recorder,
    copy_without,
    finished_run,
    layer_file,
    results_in,
    same_for_all,
    search_with_few_trials,
)
from small_run import plain_evaluate as evaluate
from small_run import plain_run as run

from mapsearch.formats.text import write_whole
from mapsearch.model.errors import InputError
from mapsearch.studies.results import LayerResult
from mapsearch.studies.saving import UnsavedRunError

FIXTURES = (layer_file, search_with_few_trials, finished_run)  # pytest finds them here, as layers, search and done
ENDLESS = 10**6


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("name", NAMES)
def test_resume_completes_a_run(done: Path, tmp_path: Path, name: str) -> None:
    """A run that misses a layer is completed by searching that one alone, and is then like one that never stopped."""
    copy_without(done, tmp_path / "run", name)
    recorder = Recorder()
    results = run(out=tmp_path / "run", resume=True, jobs=1, watcher=recorder)
    assert recorder.calls == [(tmp_path / "run", [name], 3), (name,)]
    assert same_for_all(results) == same_for_all(results_in(tmp_path / "run")) == same_for_all(results_in(done))


def test_resume_searches_unfinished_layers_again(done: Path, tmp_path: Path) -> None:
    """A layer whose search was stopped is searched anew, from its beginning."""
    copy_without(done, tmp_path / "run", "nothing")
    results = results_in(done)
    results["layers"][1] |= {"finished": False, "objective": 0.0}
    (tmp_path / "run" / "results.json").write_text(json.dumps(results))
    assert same_for_all(run(out=tmp_path / "run", resume=True, jobs=1)) == same_for_all(results_in(done))


def test_resume_searches_layers_of_an_earlier_version_again(done: Path, tmp_path: Path) -> None:
    """Layers whose figures lack some that there are now are searched anew."""
    copy_without(done, tmp_path / "run", "nothing")
    results = results_in(done)
    del results["layers"][1]["metrics"]["compute_cycles"]
    (tmp_path / "run" / "results.json").write_text(json.dumps(results))
    recorder = Recorder()
    assert same_for_all(run(out=tmp_path / "run", resume=True, jobs=1, watcher=recorder)) == same_for_all(results_in(done))
    assert recorder.calls == [(tmp_path / "run", [NAMES[1]], 3), (NAMES[1],)]


def test_resume_of_a_run_that_found_nothing_yet(done: Path, tmp_path: Path) -> None:
    """A run that was killed before its first layer was done has no results, and begins with all layers."""
    copy_without(done, tmp_path / "run", "nothing")
    (tmp_path / "run" / "results.json").unlink()
    assert same_for_all(run(out=tmp_path / "run", resume=True, jobs=1)) == same_for_all(results_in(done))


def test_resume_of_a_finished_run_searches_nothing(done: Path, tmp_path: Path) -> None:
    """Going on with what is done gives the recorded results, seconds included."""
    copy_without(done, tmp_path / "run", "nothing")
    results = run(out=tmp_path / "run", resume=True)
    assert {**results, "folder": ""} == {**results_in(done), "folder": ""}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"trials": 4}, "settings, but trials was 3 and is now 4"),
        ({"objective": "energy_pj * runtime_cycles"}, "settings, but objective was 'edp' and is now 'energy_pj * runtime_cycles'"),
        ({"dataflow": "kcp_ws"}, "settings, but dataflow was None and is now 'kcp_ws'"),
        ({"hardware": "cloud"}, "hardware, but name was 'edge' and is now 'cloud'"),
        ({"layer_set": "alexnet"}, "layers"),
    ],
)
def test_resume_with_something_else_is_refused(done: Path, given: Mapping[str, Any], what: str) -> None:
    """A run goes on only as it was begun; the error names what differs."""
    with pytest.raises(InputError) as caught:
        run(out=done, resume=True, **given)
    hint = "resume with the recorded one, or start anew in another folder"
    assert str(caught.value) == f"{done}: resuming needs the same {what}; {hint}"


def test_a_run_of_before_there_was_a_setting_goes_on(done: Path, tmp_path: Path) -> None:
    """A setting that the folder does not record, and that is not given, is no difference."""
    folder = tmp_path / "run"
    copy_without(done, folder, "nothing")
    config = json.loads((folder / "config.json").read_text())
    del config["settings"]["constraints"]
    (folder / "config.json").write_text(json.dumps(config))
    assert run(out=folder, resume=True)["complete"]


@pytest.mark.parametrize("part", ["layers", "constraints"])
def test_resume_after_a_file_changed_is_refused(tmp_path: Path, part: str) -> None:
    """The contents of the layer set's and the dataflow's files must be the recorded ones, not just their names."""
    layers, dataflow, folder = tmp_path / "l.yaml", tmp_path / "d.yaml", tmp_path / "run"
    layers.write_text(LAYERS)
    dataflow.write_text("name: d\nlevels: [{spatial: K, order: [K, C]}]")
    run(layers, out=folder, jobs=1, trials=1, sampler="tpe", dataflow=dataflow)
    layers.write_text(LAYERS.replace("M: 12", "M: 13") if part == "layers" else LAYERS)
    dataflow.write_text(dataflow.read_text().replace("[K, C]", "[C, K]") if part == "constraints" else dataflow.read_text())
    with pytest.raises(InputError) as caught:
        run(out=folder, resume=True)
    assert str(caught.value).startswith(f"{folder}: resuming needs the same {part}")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("config.json", None, "does not exist; no run to resume here; start one without --resume"),
        ("config.json", "[]", "must hold a JSON object; start anew in another folder"),
        ("config.json", "{}", "must hold a run's layer_set, hardware and settings; start anew in another folder"),
        ("results.json", "{}", "layers must be a list, got None; start anew in another folder"),
        ("results.json", "?", "must be readable JSON (Expecting value: line 1 column 1 (char 0)); start anew in another folder"),
        ("mappings/01_conv_1.m", None, "must be readable (No such file or directory); start anew in another folder"),
    ],
)
def test_resume_of_a_damaged_folder_is_refused(done: Path, tmp_path: Path, file: str, text: str | None, message: str) -> None:
    """What is missing or is no run's file is named."""
    copy_without(done, tmp_path / "run", "nothing")
    path = tmp_path / "run" / file
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        run(out=tmp_path / "run", resume=True)
    assert str(caught.value) == f"{path}: {message}"


def test_what_cannot_be_saved_is_saved_elsewhere(done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the folder is lost in mid-run, the whole run, with what was taken from before, is kept in a temporary one."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    out = tmp_path / "run"
    copy_without(done, out, "depthwise")

    def lose() -> None:
        (out / "mappings").rename(tmp_path / "lost")
        (out / "mappings").write_text("in the way")

    class Loser(Recorder):
        def began(self, searches: Sequence[str], ticks: int) -> None:
            super().began(searches, ticks)
            lose()

    with pytest.raises(UnsavedRunError) as caught:
        run(out=out, resume=True, jobs=1, watcher=Loser())
    refuge = caught.value.folder
    assert refuge is not None
    assert str(caught.value) == f"[Errno 20] Not a directory; what was found is in {refuge}: '{out}'"
    assert refuge.parent == tmp_path
    assert caught.value.results.to_dict() == results_in(refuge)
    assert same_for_all(results_in(refuge)) == same_for_all(results_in(done))
    for file in ("config.json", "hardware.yaml", *FILES, *FRONTS):
        assert (refuge / file).read_bytes() == (done / file).read_bytes()


def test_a_save_that_fails_once_is_made_up_for(search: Callable[..., dict[str, Any]], done: Path, tmp_path: Path) -> None:
    """Where the folder is there again by the end, the run is saved in it as if nothing had been."""
    out = tmp_path / "run"
    hidden = tmp_path / "hidden"

    class Hider(Recorder):
        def began(self, searches: Sequence[str], ticks: int) -> None:
            super().began(searches, ticks)
            out.rename(hidden)

        def found(self, result: LayerResult) -> None:
            super().found(result)
            if result.name == NAMES[-1]:
                hidden.rename(out)

    search(out=out, watcher=Hider())
    assert same_for_all(results_in(out)) == same_for_all(results_in(done))
    assert [str(path.relative_to(out)) for path in sorted((out / "mappings").iterdir())] == FILES


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_run_is_saved(layers: Path, tmp_path: Path, jobs: int) -> None:
    """After a Ctrl-C amid trials the layers under way are there with their best so far, and the run is not complete."""
    out = tmp_path / "run"
    results = run(layers, out=out, jobs=jobs, trials=ENDLESS, sampler="tpe", watcher=Recorder(advance=interrupt))
    assert not results["complete"]
    assert results == results_in(out)
    assert 1 <= len(results["layers"]) <= jobs
    for layer in results["layers"]:
        assert not layer["finished"]
        [metrics] = evaluate(out / layer["mapping_file"], out / "hardware.yaml")
        assert {"layer": layer["name"], **layer["metrics"]} == metrics


def test_an_interrupted_run_completes_to_the_same_results(
    search: Callable[..., dict[str, Any]], done: Path, tmp_path: Path
) -> None:
    """A Ctrl-C after the first layer leaves it whole; resuming gives the results of a run that was never stopped."""
    out = tmp_path / "run"
    results = search(out=out, watcher=Recorder(find=interrupt))
    assert not results["complete"]
    assert [layer["name"] for layer in results["layers"]] == NAMES[:1]
    assert same_for_all(run(out=out, resume=True, jobs=1)) == same_for_all(results_in(done))


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A file is written whole or not at all."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_whole(tmp_path / "taken", "text")
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]
