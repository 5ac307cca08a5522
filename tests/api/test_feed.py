"""`mapsearch feed` as a user sees it: tables, JSON, files, and one line for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_run import finished_run, layer_file

import mapsearch
from mapsearch.cli import main
from mapsearch.formats.yaml.pipelines import load_pipeline
from mapsearch.studies.start import run

Capture = pytest.CaptureFixture[str]
FIXTURES = (finished_run, layer_file)  # pytest finds them here, as done and layers
PAGE = Path(__file__).parents[2] / "docs" / "feeding.md"


def _printed(capsys: Capture, *argv: str) -> str:
    assert main(["feed", *argv]) == 0
    return capsys.readouterr().out


def _refused(capsys: Capture, *argv: str) -> str:
    assert main(["feed", *argv]) == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_the_table_tells_what_bounds(done: Path, capsys: Capture) -> None:
    """The stages, the stalls, the useful runtime and what is needed; JSON has the same, and so has Python."""
    text = _printed(capsys, str(done), "--pipeline", "imagenet")
    words = " ".join(text.split())
    for part in ("prep 4,320 4,320 bounds the first epoch and the later ones", "bound by prep", "a faster one gains nothing"):
        assert part in words
    data = json.loads(_printed(capsys, str(done), "--pipeline", "imagenet", "--json"))
    assert (data["bound_by"], data["rates_per_s"]["prep"], set(data["what_if"])) == ("prep", 4320, {"cache", "cores", "storage"})
    assert data == json.loads(json.dumps(mapsearch.feed(done, "imagenet").to_dict()))
    assert set(json.loads(_printed(capsys, str(done), "--pipeline", "imagenet", "--what-if", "cores", "--json"))["what_if"]) == {
        "cores"
    }


def test_a_faster_mapping_may_gain(layers: Path, tmp_path: Path, capsys: Capture) -> None:
    """Where the accelerators bound, the line names the option that ends a run there; a batch is the run's."""
    run(layers, "edge,clock_mhz=0.1", out=tmp_path / "slow", jobs=1, trials=1, sampler="genetic", batch=4)
    words = " ".join(_printed(capsys, str(tmp_path / "slow"), "--pipeline", "imagenet", "--batch", "4").split())
    cycles = mapsearch.feed(tmp_path / "slow", "imagenet").cases[0].useful_runtime_cycles
    assert f"mapsearch run --until-runtime {cycles} stops there" in words
    line = _refused(capsys, str(tmp_path / "slow"), "--pipeline", "imagenet", "--batch", "1")
    assert line.endswith("slow: the run is for batch 4, not 1; map with batch 1 (mapsearch run --batch 1), or give --batch 4")


def test_files_are_written(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """A picture, a page that holds it and says the same lines, and the figures."""
    for suffix in ("png", "svg"):
        out = tmp_path / suffix
        text = _printed(capsys, str(done), "--pipeline", "imagenet", "--out", str(out), "--format", suffix)
        assert {path.name for path in out.iterdir()} == {f"rates.{suffix}", "report.html", "feed.json"}
        assert all(f"written: {path}" in text for path in out.iterdir())
        assert json.loads((out / "feed.json").read_text()) == mapsearch.feed(done, "imagenet").to_dict()
        page = (out / "report.html").read_text()
        assert "<svg" in page
        assert "bound by prep" in page


def test_the_pipeline_of_the_page_loads(done: Path, tmp_path: Path, capsys: Capture) -> None:
    """Its storages are compared, and the commands that the page quotes parse."""
    file = tmp_path / "mine.yaml"
    text = PAGE.read_text(encoding="utf-8")
    file.write_text(text.split("```yaml\n")[1].partition("```")[0])
    assert [storage.name for storage in load_pipeline(file).storages] == ["disk", "flash"]
    words = _printed(capsys, str(done), "--pipeline", str(file))
    assert "Storages" in words
    assert "flash" in words


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["RUN"], "the following arguments are required: --pipeline; see mapsearch feed --help"),
        (["RUN", "--pipeline", "imgnet"], "no pipeline is called 'imgnet'; did you mean imagenet?"),
        (
            ["RUN", "--pipeline", "no.yaml"],
            "no.yaml: the pipeline file must be readable: No such file or directory; shipped are imagenet",
        ),
        (["RUN", "--pipeline", "imagenet", "--what-if", "gpu"], "must be one or several of cache, cores, storage"),
        (["RUN", "--pipeline", "imagenet", "--out", ""], "argument --out: must name a folder, got ''; see mapsearch feed --help"),
        (["no/run", "--pipeline", "imagenet"], "no/run: must be a run's folder, as mapsearch run writes it, got none"),
    ],
)
def test_what_is_wrong_is_one_line(done: Path, capsys: Capture, argv: list[str], message: str) -> None:
    """The line names what would be right."""
    assert message in _refused(capsys, *(str(done) if word == "RUN" else word for word in argv))


def test_only_a_whole_network_is_fed(done: Path, layers: Path, tmp_path: Path, capsys: Capture) -> None:
    """A mix, and a run without all layers, are refused."""
    run(f"{layers},alexnet:fc8:2", out=tmp_path / "mix", jobs=1, trials=1, sampler="genetic")
    assert "must be the run of one network" in _refused(capsys, str(tmp_path / "mix"), "--pipeline", "imagenet")
    part = tmp_path / "part"
    part.mkdir()
    data = json.loads((done / "results.json").read_text())
    (part / "results.json").write_text(json.dumps(data | {"layers": data["layers"][:2], "network": None, "complete": False}))
    (part / "config.json").write_bytes((done / "config.json").read_bytes())
    assert "layer gemm has no mapping" in _refused(capsys, str(part), "--pipeline", "imagenet")
