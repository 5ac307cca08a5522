"""A study's folder: held by one process, begun or gone on with whenever it was left, and saved however the study is ended."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from process_list import children_of, is_alive
from small_run import NAMES, Recorder, finished_run, layer_file, results_in, same_for_all, search_with_few_trials
from small_run import plain_run as run

from mapsearch.cli import main
from mapsearch.model.errors import InputError
from mapsearch.studies import drawn_sweep
from mapsearch.studies.results import LayerResult
from mapsearch.studies.saving import UnsavedRunError
from mapsearch.studies.sweep.plan import SweepPlan
from mapsearch.studies.sweep.summary import SweepSummary
from mapsearch.studies.sweep.sweep import sweep

FIXTURES = (layer_file, search_with_few_trials, finished_run)  # pytest finds them here, as layers, search and done
Search = Callable[..., dict[str, Any]]
Capture = pytest.CaptureFixture[str]
PATIENCE_SECONDS = 120
ENDLESS = 10**6
TINY_SPACE = {"pes": [4, 8], "l1": {"bytes": 256}, "l2": {"bytes": 4000}, "technology": "cacti_45nm"}


class Sweeping:
    """A sweep's watcher that does something once the sweep's folder is opened, or after the first part."""

    def __init__(self, opened: Callable[[], None] | None = None, part: Callable[[], None] | None = None) -> None:
        self._opened, self._part = opened, part

    def opened(self, folder: Path) -> None:
        assert (folder / "config.json").exists()
        if self._opened is not None:
            self._opened()

    def began(self, plan: SweepPlan) -> None:
        assert plan.designs > 0

    def advanced(self, designs: int, valid: int) -> None:
        assert 0 <= valid <= designs
        if self._part is not None:
            act, self._part = self._part, None
            act()


def swept(layers: Path, out: Path, watcher: Sweeping | None = None) -> SweepSummary:
    return sweep(layers=f"{layers}:conv2", dataflows=["kcp_ws", "yxp_os"], hardware=TINY_SPACE, out=out, jobs=1, watcher=watcher)


@pytest.mark.parametrize("resume", [False, True])
def test_one_run_at_a_time(search: Search, done: Path, tmp_path: Path, capsys: Capture, *, resume: bool) -> None:
    """A run that comes into the folder of one at work is refused in one line with code 2, and the first one is not disturbed."""
    out = tmp_path / "run"

    class Racing(Recorder):
        def began(self, searches: Sequence[str], ticks: int) -> None:
            super().began(searches, ticks)
            again = ["--resume"] if resume else ["--layer-set", "alexnet"]
            assert main(["run", "--out", str(out), *again]) == 2

    assert same_for_all(search(out=out, watcher=Racing())) == same_for_all(results_in(done))
    error = capsys.readouterr().err
    assert error == f"mapsearch: error: {out}: another process is at work in it; wait until that ends, or name another folder\n"
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in done.iterdir())
    assert run(out=out, resume=True)["complete"]


def test_one_sweep_at_a_time(layers: Path, tmp_path: Path) -> None:
    """A sweep holds its folder as a run does, and leaves it free."""
    out = tmp_path / "sweep"

    def race() -> None:
        with pytest.raises(InputError, match="another process is at work in it"):
            sweep(out=out, resume=True, jobs=1)

    assert swept(layers, out, Sweeping(opened=race)).complete
    assert sweep(out=out, resume=True, jobs=1).complete


def test_a_folder_left_before_its_configuration_is_begun_anew(search: Search, done: Path, tmp_path: Path) -> None:
    """What a kill leaves while the first file is written is in nobody's way."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.json.12345-0a1b2c3d").write_text("{")
    assert same_for_all(search(out=tmp_path / "run")) == same_for_all(results_in(done))
    assert not list((tmp_path / "run").glob(".*"))


def test_a_folder_left_after_its_configuration_goes_on(done: Path, tmp_path: Path) -> None:
    """A run that was killed as its folder was made has at least its configuration, and resuming makes the rest."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_bytes((done / "config.json").read_bytes())
    (tmp_path / "run" / ".hardware.yaml.12345-0a1b2c3d").write_text("name: ")
    assert same_for_all(run(out=tmp_path / "run", resume=True, jobs=1)) == same_for_all(results_in(done))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted(path.name for path in done.iterdir())
    assert (tmp_path / "run" / "hardware.yaml").read_bytes() == (done / "hardware.yaml").read_bytes()


def test_resuming_removes_what_killed_writers_left(done: Path, tmp_path: Path) -> None:
    """Temporary files of a killed run go when it is gone on with; a user's own hidden files stay."""
    out = tmp_path / "run"
    (out / "mappings").mkdir(parents=True)
    (out / "config.json").write_bytes((done / "config.json").read_bytes())
    for name in (".results.json.12345-0a1b2c3d", "mappings/.01_conv_1.m.12345-0a1b2c3d", ".notes"):
        (out / name).write_text("")
    run(out=out, resume=True, jobs=1)
    assert [path.name for path in out.rglob(".*")] == [".notes"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_not_ignored_ends_a_study(layers: Path, tmp_path: Path, number: signal.Signals) -> None:
    """A kill and a closed terminal end a run and a sweep with what they have, as Ctrl-C does."""

    def send() -> None:
        os.kill(os.getpid(), number)

    assert not run(layers, out=tmp_path / "run", jobs=1, trials=3, sampler="tpe", watcher=Recorder(find=send))["complete"]
    assert not swept(layers, tmp_path / "sweep", Sweeping(part=send)).complete


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_is_ignored_stays_ignored(layers: Path, done: Path, tmp_path: Path, number: signal.Signals) -> None:
    """A background job, which a shell lets ignore Ctrl-C, or one under nohup goes on to its end."""

    def send() -> None:
        os.kill(os.getpid(), number)

    before = signal.signal(number, signal.SIG_IGN)
    try:
        results = run(layers, out=tmp_path / "run", jobs=1, trials=3, sampler="tpe", watcher=Recorder(find=send))
        assert swept(layers, tmp_path / "sweep", Sweeping(part=send)).complete
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert same_for_all(results) == same_for_all(results_in(done))


def test_a_stop_after_the_last_layer(layers: Path, done: Path, tmp_path: Path) -> None:
    """A Ctrl-C when all layers are done takes nothing from a run."""

    class Last(Recorder):
        def found(self, result: LayerResult) -> None:
            if result.name == NAMES[-1]:
                os.kill(os.getpid(), signal.SIGINT)

    results = run(layers, out=tmp_path / "run", jobs=1, trials=3, sampler="tpe", watcher=Last())
    assert results["complete"]
    assert same_for_all(results_in(tmp_path / "run")) == same_for_all(results_in(done))


def test_a_closed_terminal(layers: Path, tmp_path: Path) -> None:
    """When its terminal is closed in mid-search, the command saves the best so far, though nobody can read its messages."""
    out = tmp_path / "run"
    pid, terminal = pty.fork()
    if pid == 0:
        words = ["run", "--layer-set", str(layers), "--jobs", "1", "--trials", str(ENDLESS), "--sampler", "tpe", "--out", str(out)]
        os.execv(sys.executable, [sys.executable, "-m", "mapsearch", *words])  # noqa: S606 our own command
    shown, deadline = "", time.monotonic() + PATIENCE_SECONDS
    while NAMES[0] not in shown and time.monotonic() < deadline:  # a layer's bar is shown from its first trial on
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
    os.close(terminal)
    os.waitpid(pid, 0)
    [layer] = results_in(out)["layers"]
    assert not layer["finished"]


def test_what_can_be_saved_nowhere_is_not_said_to_be_written(
    done: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither the folder nor a temporary one can be written, the tables name no folder, and the error says so."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.json").write_bytes((done / "config.json").read_bytes())
    (out / "results.csv").mkdir()  # so that no file can take its place
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert main(["run", "--out", str(out), "--resume", "--jobs", "1"]) == 2
    captured = capsys.readouterr()
    assert NAMES[0] in captured.out
    assert "written:" not in captured.out
    assert captured.err.endswith("what was found could be saved nowhere and is only printed\n")


def test_a_sweep_is_summed_up_elsewhere(layers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sweep's folder no longer takes its summary, that is saved in a temporary folder, with the sweep's inputs."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out = tmp_path / "sweep"
    with pytest.raises(UnsavedRunError) as caught:
        swept(layers, out, Sweeping(opened=(out / "front.csv").mkdir))
    refuge = caught.value.folder
    assert refuge is not None
    assert json.loads((refuge / "summary.json").read_text()) == caught.value.results.to_dict()
    assert (refuge / "config.json").read_bytes() == (out / "config.json").read_bytes()


def test_pictures_need_matplotlib_alone(layers: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib a sweep is computed and saved, and a line says that the pictures are missing, and how to get them."""

    def nothing(_: str) -> None:
        return None

    out = tmp_path / "sweep"
    swept(layers, out)
    with monkeypatch.context() as patch:
        patch.setattr(drawn_sweep, "find_spec", nothing)
        assert main(["sweep", "--out", str(out), "--resume"]) == 0
    captured = capsys.readouterr()
    assert "mapsearch: pictures are left out, as they need matplotlib; pip install " in captured.err
    assert captured.out.splitlines()[-1] == f"written: {out} (summary.json, front.csv, designs/, mappings/)"
    assert main(["sweep", "--out", str(out), "--resume"]) == 0
    for name in ("area_power.png", "energy_throughput.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.endswith("mappings/, area_power.png, energy_throughput.png)\n")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")
@pytest.mark.parametrize(("threads", "processes"), [("1", 2), ("2", 3)])
def test_workers_end_with_a_run_that_is_killed_as_they_start(
    layers: Path, done: Path, tmp_path: Path, threads: str, processes: int
) -> None:
    """A run that is killed as soon as it has started its workers leaves no process; its folder is free, and goes on.

    Its two workers are forked, or, where linear algebra has threads, started by joblib, which also starts a tracker.
    """
    out = tmp_path / "run"
    words = ["run", "--layer-set", str(layers), "--jobs", "2", "--trials", "3", "--sampler", "tpe", "--out", str(out)]
    children: list[int] = []
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-m", "mapsearch", *words]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:  # noqa: S603 our own command
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(children) < processes and process.poll() is None and time.monotonic() < deadline:
            children = children_of(process.pid)
        process.kill()
    assert len(children) >= processes
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_alive, children))
    assert same_for_all(run(out=out, resume=True, jobs=1)) == same_for_all(results_in(done))
