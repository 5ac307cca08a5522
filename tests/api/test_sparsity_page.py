"""docs/sparsity.md: its files load, its commands run, and they print what it says."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from mapsearch.cli import main, make_parser
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.tensors import Tensor

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "sparsity.md").read_text("utf-8")
# In their order, by language; what a command prints has none.
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _written(folder: Path) -> None:
    """The page's files, in a folder, masks included."""
    texts = [text for language, text in BLOCKS if language == "yaml"]
    for name, text in zip(("skips.yaml", "pruned.yaml"), texts, strict=True):
        (folder / name).write_text(text)
    [code] = [text for language, text in BLOCKS if language == "python"]
    (folder / "masks.py").write_text(code)
    runpy.run_path(str(folder / "masks.py"))


def _same(text: str) -> list[str]:
    """The lines of what a command prints that do not differ from one run to the next."""
    lines, search, others = text.partition("search: ")
    whole = re.sub(r"[\d.]+ s over", "some s over", " ".join(others.split()))
    return [line.rstrip() for line in lines.splitlines() if line.strip()] + [whole] * bool(search)


def test_files_and_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine and the layers load, with masks of a quarter; commands parse; the picture is there; README names the page."""
    monkeypatch.chdir(tmp_path)
    _written(tmp_path)
    assert load_hardware("skips.yaml").sparse.skip == {Tensor.WEIGHT}
    densities = {entry.layer.name: entry.layer.density[0] for entry in load_layer_set(Path("pruned.yaml")).entries}
    assert densities["gemm_tiles_384x64"] == 1
    assert densities["conv_mask"] == pytest.approx(0.25, abs=0.01)
    assert densities["gemm_mask"] == pytest.approx(0.25, abs=0.01)
    for command in "".join(text for language, text in BLOCKS if language == "sh").splitlines():
        make_parser()[0].parse_args(shlex.split(command)[1:])
    assert all((DOCS / picture).is_file() for picture in re.findall(r"!\[.*?\]\((.*?)\)", PAGE))
    assert "docs/sparsity.md" in (DOCS.parent / "README.md").read_text("utf-8")


@pytest.mark.nightly
def test_what_the_commands_of_the_page_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block after a command has lines of what the last of its commands prints, in their order."""
    monkeypatch.chdir(tmp_path)
    _written(tmp_path)
    printed = ""
    for language, text in BLOCKS:
        for command in text.splitlines() if language == "sh" else []:
            assert main(shlex.split(command)[1:]) == 0
            printed = capsys.readouterr().out
        if not language:
            there = iter(_same(printed))
            assert [line for line in _same(text) if line not in there] == []
