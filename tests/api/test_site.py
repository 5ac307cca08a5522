"""The site: it builds without a warning, its reference is complete, and the tutorials' commands and snippets run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import mapsearch
from mapsearch.cli import main

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty folder, each file with a title is saved, and each command and snippet of the page works, in their order."""
    monkeypatch.chdir(tmp_path)
    done = 0
    for language, title, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if title:
            (tmp_path / title).write_text(text, encoding="utf-8")
        elif language == "sh":
            for line in text.splitlines():
                program, *argv = shlex.split(line, comments=True)
                assert program == "mapsearch"
                assert main(argv) == 0, line
                done += 1
        elif language == "python":
            exec(compile(text, page.name, "exec"), {})  # noqa: S102 the page's own snippet
    assert done >= 4


def test_the_reference_has_every_public_name() -> None:
    """docs/reference.md has an entry for each name of `mapsearch`, at the place where it stands."""
    names = set(re.findall(r"^::: [\w.]+\.(\w+)$", (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert names == {*mapsearch.__all__} - {"__version__"}


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="an extra package is not installed")
def test_the_site_builds_strictly(tmp_path: Path) -> None:
    """No link is broken, no page is left out, no name of the reference is missing; the site loads nothing from elsewhere.

    Pages are called by their titles: a reader of the site sees no files.
    """
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own pages
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "reference" / "index.html").read_text(encoding="utf-8")
    assert 'id="mapsearch.studies.evaluate.evaluate"' in reference
    first = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "tutorials/map_a_network/" in first
    loaded = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="(https?:[^"]*)"', first + reference)
    assert loaded == []
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.rglob("index.html")]
    assert [text for page in pages for text in re.findall(r"[\w/.]+\.md</a>", page)] == []
    assert "(docs/" not in first
    assert "compares" in (tmp_path / "search" / "search_index.json").read_text(encoding="utf-8")
