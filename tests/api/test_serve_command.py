"""`mapsearch serve` as a user sees it: tables, JSON, a study that was stopped, and one line for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import mapsearch
from mapsearch.cli import main
from mapsearch.formats.yaml.services import file_of
from mapsearch.studies.serve.study import study_of

Capture = pytest.CaptureFixture[str]
PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
STUDY = """
hardware: edge
tenants:
  - {network: ncf, rate_per_s: 2000, slo_ms: 2, batch: {max: 2, wait_ms: 0.1}}
  - {name: other, network: "ncf:mlp1", rate_per_s: 3000, slo_ms: 0.5, percentile: 95}
partition: {parts: 2}
search: {evaluations: 100}
duration_s: 0.5
warmup_s: 0.05
price: {machine_per_hour: 1}
"""


@pytest.fixture
def study(tmp_path: Path) -> str:
    """The path of a small study."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return str(path)


def _refused(capsys: Capture, *argv: str) -> str:
    assert main(["serve", *argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()[-1]


def test_tables_and_json_tell_the_same(study: str, tmp_path: Path, capsys: Capture) -> None:
    """The tables hold each tenant under each way of sharing, the lines below tell shares, largest loads and waits of theory."""
    out = str(tmp_path / "out")
    assert main(["serve", study, "--out", out, "--jobs", "1", "--max-load"]) == 0
    captured = capsys.readouterr()
    words = " ".join(captured.out.split())
    for part in (
        "Tenants on edge",
        "in turn ncf edge",
        "in parts other 1 of 2 parts",
        "one each other edge",
        "p95 0.5 holds wide: p95",
        "What each way gives",
    ):
        assert part in words
    for part in ("ncf 1, other 1; the best of 1 way", "the SLOs hold up to", "by queueing theory", f"written: {out}"):
        assert part in words
    pictures = {f"{name}.png" for name in ("latencies", "load", "parts")}
    assert pictures < {path.name for path in (tmp_path / "out").iterdir()}
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "the best of 1 way" in page
    for title in ("What each way gives", "busy [%]", "done [1/s]", "power [W]", "cost [per million]", "saving [%]"):
        assert title in page
    assert "6 runs for the service times" in captured.err
    assert main(["serve", "--out", out, "--resume", "--jobs", "1", "--json", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    data = json.loads(captured.out)
    assert data == json.loads((tmp_path / "out" / "results.json").read_text())
    assert list(data["sharing"]) == ["time", "partition", "dedicated"]
    response = data["sharing"]["time"]["tenants"][0]["response_ms"]
    assert list(response) == ["mean", "p50", "p95", "p99", "interval", "wide"]
    low, high = response["interval"]["p99"]
    assert low <= response["p99"] <= high


def test_a_stopped_study_goes_on(study: str, tmp_path: Path) -> None:
    """Ctrl-C after two runs keeps them; resumed, the study has the results of one that was not stopped."""

    class Impatient:
        """Presses Ctrl-C after the second run."""

        done = 0

        def opened(self, folder: Path) -> None:
            """See `ServeWatcher`."""

        def began(self, runs: int) -> None:
            """See `ServeWatcher`."""

        def ran(self, what: str, runtime_ms: float) -> None:
            """See `ServeWatcher`."""
            self.done += bool(what and runtime_ms)
            if self.done == 2:
                raise KeyboardInterrupt

        def simulating(self) -> None:
            """See `ServeWatcher`."""

    stopped = mapsearch.serve(study, out=tmp_path / "out", jobs=1, watcher=Impatient())
    assert (stopped.complete, stopped.tenants) == (False, ())
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 2
    assert not (tmp_path / "out" / "results.json").exists()
    resumed = mapsearch.serve(out=tmp_path / "out", resume=True, jobs=1).to_dict()
    whole = mapsearch.serve(study, out=tmp_path / "whole", jobs=1).to_dict()
    assert {**resumed, "folder": ""} == {**whole, "folder": ""}


def test_wrong_inputs_have_one_line(study: str, tmp_path: Path, capsys: Capture) -> None:
    """No study, an unknown one, a folder in use, resuming nothing, an empty file, and rates beyond the machine."""
    assert _refused(capsys).endswith("a study is needed; there are evening, or give a file's path")
    assert "no service is called 'evenin'; did you mean evening?" in _refused(capsys, "evenin")
    assert _refused(capsys, "--resume").endswith("--resume needs the study's folder; name it by --out")
    assert "no study to resume here" in _refused(capsys, "--resume", "--out", str(tmp_path / "none"))
    assert "the service file must be readable" in _refused(capsys, str(tmp_path / "none.yaml"))
    (tmp_path / "empty.yaml").write_text("")
    assert "must state at least one key, such as `tenants: " in _refused(capsys, str(tmp_path / "empty.yaml"))
    assert "must be new or empty" in _refused(capsys, study, "--out", str(tmp_path))
    Path(study).write_text(STUDY.replace("2000", "2.0e+7"))
    line = _refused(capsys, study, "--out", str(tmp_path / "out"), "--jobs", "1", "--quiet")
    assert "the machine edge can do at most" in line
    assert not (tmp_path / "out" / "results.json").exists()


def test_the_page_shows_a_study_that_is_read(tmp_path: Path) -> None:
    """The study on the page states each key of a study, and is one."""
    text = PAGE.read_text(encoding="utf-8")
    [block] = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
    study = study_of(file_of(yaml.safe_load(block), "page", tmp_path, "page"))
    assert [tenant.name for tenant in study.tenants] == ["resnet50", "tags"]
    for key in ("duration_s", "warmup_s", "price", "search", "switch_us", "percentile", "priority", "wait_ms"):
        assert key in block
