"""`run --storage`: a search for a machine is a study in one of Optuna's storages too."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from small_run import plain_run, same_for_all

from mapsearch.cli import main

LAYERS = "title: One layer\nsource: made up\nlayers:\n  - {name: gemm, type: GEMM, M: 4, N: 3, K: 2}\n"
SPACE = "name: few\npes: [2, 4]\nl1: {bytes: 48}\nl2: {bytes: 512}\nnoc: {bytes_per_cycle: 1}\nbudget: {area_mm2: 0.02}\n"
# Opens studies in a database once so many processes are there to do so.
OPEN = """
import os, sys
from pathlib import Path
from mapsearch.studies.storages import opened_studies
folder, number = Path(sys.argv[1]), int(sys.argv[2])
(folder / str(os.getpid())).touch()
while len(list(folder.iterdir())) < number:
    pass
opened_studies(f"sqlite:///{folder}/studies.db", [str(each) for each in range(10)], ["edp"])
"""


@pytest.fixture(name="inputs", scope="module")
def input_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A layer set and a hardware space."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "one.yaml").write_text(LAYERS)
    (folder / "few.yaml").write_text(SPACE)
    return folder / "one.yaml", folder / "few.yaml"


def _co_design(inputs: tuple[Path, Path], out: Path, **more: Any) -> dict[str, Any]:  # noqa: ANN401 what `run` takes
    return plain_run(*inputs, out=out, jobs=1, trials=2, **more)


def _trials(url: str) -> list[optuna.trial.FrozenTrial]:
    [study] = optuna.get_all_study_summaries(url)
    return optuna.load_study(study_name=study.study_name, storage=url).get_trials()


def test_each_mapped_machine_is_a_trial(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    """Trials have the machine's values, its objective, stage, bounds, figures and mappings; the run finds what it finds without."""
    url = f"sqlite:///{tmp_path}/studies.db"
    found = _co_design(inputs, tmp_path / "with", storage=url)
    assert same_for_all(found) == same_for_all(_co_design(inputs, tmp_path / "without"))
    trials = _trials(url)
    best = min(trials, key=lambda trial: (trial.value or 0, -trial.number))
    told = found["co_design"]["best"]
    assert (best.value, best.params["pes"]) == (told["objective"], told["pes"])
    assert best.user_attrs["runtime_cycles"] == told["runtime_cycles"]
    assert best.user_attrs["energy_pj"] == told["energy_pj"]
    assert {trial.user_attrs["stage"] for trial in trials} <= {"quick", "refined", "full"}
    assert "TemporalMap" in best.user_attrs["mappings"][0]
    assert best.user_attrs["layers_lower_bounds"][0] <= told["objective"]
    assert not (tmp_path / "with" / "config.json").read_text().count("sqlite")


def test_runs_of_one_search_share_its_study(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    """A second run, also with another seed, adds no machine again unless it does better; another objective has its own."""
    journal = tmp_path / "studies.log"
    first = _co_design(inputs, tmp_path / "first", storage=str(journal))
    storage = JournalStorage(JournalFileBackend(str(journal)))
    [study] = optuna.get_all_study_summaries(storage)
    second = _co_design(inputs, tmp_path / "second", storage=str(journal), seed=1)
    assert second["co_design"]["best"]["objective"] == first["co_design"]["best"]["objective"]
    trials = optuna.load_study(study_name=study.study_name, storage=storage).get_trials()
    added = [(trial.params["pes"], trial.user_attrs["stage"], trial.value) for trial in trials]
    assert len(set(added)) == len(added)
    _co_design(inputs, tmp_path / "third", storage=str(journal), objective="energy")
    assert len(optuna.get_all_study_summaries(storage)) == 2


def test_a_storage_that_fails_stops_nothing(
    inputs: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database is damaged in mid-run, the search goes on, says so once, and finds the same."""
    from mapsearch.studies.co_design.storage import StoredStudy  # noqa: PLC0415 to damage its file once it is open

    opened, database = StoredStudy.over, tmp_path / "studies.db"

    def damage(self: StoredStudy, notes: Any) -> StoredStudy:  # noqa: ANN401 a notebook
        database.write_bytes(b"not a database" * 1000)
        return opened(self, notes)

    monkeypatch.setattr(StoredStudy, "over", damage)
    with caplog.at_level(logging.WARNING):
        found = _co_design(inputs, tmp_path / "run", storage=f"sqlite:///{database}")
    assert found["complete"]
    assert sum("the storage fails" in message for message in caplog.messages) == 1


def test_processes_that_begin_at_once_share_a_new_database(tmp_path: Path) -> None:
    """None of them fails because another one makes the tables in that moment."""
    words = [sys.executable, "-c", OPEN, str(tmp_path), "4"]
    processes = [subprocess.Popen(words) for _ in range(4)]  # noqa: S603 our own
    assert [process.wait() for process in processes] == [0] * 4


def test_a_file_that_is_no_journal_stays_as_it_is(
    inputs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Optuna would add its lines to any file: a wrong path is told, and nothing is added."""
    layers, space = map(str, inputs)
    file = tmp_path / "mine"
    file.write_bytes(b"\xff mine")
    assert main(["run", layers, "--hardware", space, "--storage", str(file), "--out", str(tmp_path / "run")]) == 2
    assert "it is no journal" in capsys.readouterr().err
    assert file.read_bytes() == b"\xff mine"


@pytest.mark.parametrize("storage", ["nosuch://host/x", "sqlite://", "sqlite:studies.db", "/no/such/folder/studies.log", ""])
def test_a_storage_that_cannot_be_opened(
    storage: str, inputs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says so before work starts, and nothing is written."""
    layers, space = map(str, inputs)
    out = tmp_path / "run"
    assert main(["run", layers, "--hardware", space, "--storage", storage, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("mapsearch: error: ")
    assert "storage" in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_passwords_are_not_shown(inputs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """An URL's user and password are in no message."""
    layers, space = map(str, inputs)
    assert main(["run", layers, "--hardware", space, "--storage", "postgresql://me:secret@localhost:1/x"]) == 2
    assert "secret" not in capsys.readouterr().err


def test_a_proof_on_one_machine_has_no_storage(
    inputs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no search for a machine then, and no structure that Optuna proposes."""
    url = f"sqlite:///{tmp_path}/studies.db"
    assert main(["run", str(inputs[0]), "--storage", url]) == 2
    assert "edge is one machine, and --sampler auto tries none so" in capsys.readouterr().err
    assert not json.dumps([str(file) for file in tmp_path.iterdir()]).count("studies.db")


def test_the_structures_of_a_layer_are_trials(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    """On one machine each layer has a study with its structures and bound; the results are those without, and come in once."""
    url = f"sqlite:///{tmp_path}/studies.db"
    settings = {"jobs": 1, "trials": 6, "sampler": "tpe", "restarts": 2}
    found = plain_run(inputs[0], out=tmp_path / "with", storage=url, **settings)
    assert same_for_all(found) == same_for_all(plain_run(inputs[0], out=tmp_path / "without", **settings))
    [layer] = found["layers"]
    trials = _trials(url)
    assert 2 < len(trials) <= 12
    values = [trial.value for trial in trials if trial.value is not None]
    assert layer["lower_bound"] <= layer["objective"] <= min(values)
    assert all(trial.user_attrs["energy_pj"] * trial.user_attrs["runtime_cycles"] == trial.value for trial in trials)
    assert all("spatial_1" in trial.params for trial in trials)
    [summary] = optuna.get_all_study_summaries(url)
    assert summary.study_name.endswith("/gemm")
    assert summary.user_attrs["lower_bound"] == layer["lower_bound"]
    plain_run(inputs[0], out=tmp_path / "again", storage=url, **settings)
    assert len(_trials(url)) == len(trials)
