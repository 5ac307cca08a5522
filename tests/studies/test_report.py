"""The page of a run in a browser: tables sort, points answer the mouse, mappings unfold, names are text, nothing fails."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from small_run import finished_run, layer_file, results_in, search_with_few_trials

from mapsearch.cli import main
from mapsearch.studies.show.lines import nest_text
from mapsearch.studies.show.nest import shown_layers

FIXTURES = (finished_run, layer_file, search_with_few_trials)  # pytest finds them here, as done, layers and search
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "<script>throw new Error('run')</script>&\"'"
# Clicks, moves and looks as a person would, and leaves what it saw as the page's title.
DRIVER = """
const cells = (table, column) => [...table.rows].slice(1).map((row) => row.cells[column].textContent);
addEventListener("load", () => {
  const tables = [...document.querySelectorAll("table")].filter((table) => table.querySelector("th"));
  const sorted = tables.map((table) => [...table.rows[0].cells].map((head, column) => {
    head.click(); const up = cells(table, column);
    head.click(); return [head.textContent, up, cells(table, column)];
  }));
  const spots = [...document.querySelectorAll(".told")].map((spot) => {
    spot.scrollIntoView({block: "center"});
    const box = spot.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    hit.dispatchEvent(new MouseEvent("mousemove", {bubbles: true, clientX: box.x, clientY: box.y}));
    const box_told = document.getElementById("told");
    const same = box_told.textContent === hit.dataset.told;
    return [spot.dataset.told, hit.classList.contains("told"), getComputedStyle(box_told).display, same];
  });
  const folded = [...document.querySelectorAll("details")].map((each) => {
    const before = each.querySelector("pre").checkVisibility();
    each.querySelector("summary").click();
    return [each.querySelector("summary").textContent, before, each.querySelector("pre").checkVisibility()];
  });
  const loaded = performance.getEntriesByType("navigation")[0].domComplete;
  document.title = JSON.stringify({errors, sorted, spots, folded, scripts: document.scripts.length, loaded});
});
"""


@pytest.fixture(name="report", scope="module")
def page_of_a_run(done: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run whose first layer has a name that would be a script, and whose second layer's mapping is lost."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    shutil.copytree(done, folder)
    results = results_in(folder)
    results["layers"][0]["name"] = HOSTILE
    (folder / results["layers"][1]["mapping_file"]).unlink()
    (folder / "results.json").write_text(json.dumps(results))
    assert main(["plot", str(folder), "--out", str(folder / "pictures")]) == 0
    return folder / "pictures" / "report.html"


class _Elements(HTMLParser):
    """The tags of a page, and the texts in its `pre`s."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.told: list[str] = []
        self.nests: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.told += [value or "" for name, value in attrs if name == "data-told"]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["pre"]:
            self.nests.append(data)


def test_the_page_as_markup(report: Path) -> None:
    """Of scripts it has its own alone; each layer has a nest, as `mapsearch show` has it, or why it has none; each point a text."""
    parser = _Elements()
    text = report.read_text("utf-8")
    parser.feed(text)
    assert parser.tags.count("script") == 1
    assert parser.tags.count("details") == 3
    run = report.parents[1]
    [nest] = shown_layers(run / "mappings" / "03_gemm.m", hardware=json.loads((run / "config.json").read_text())["hardware"])
    assert nest_text(nest) in unescape(text)
    assert "02_depthwise.m: the mapping file must be readable" in text
    assert len([told for told in parser.told if "MACs per cycle" in told]) == 3
    fronts = sum(len(layer["front"]) for layer in results_in(run)["layers"])
    assert len([told for told in parser.told if "cycles, " in told]) == fronts
    assert any(HOSTILE in told for told in parser.told)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; the markup is tested above")
def test_the_page_in_a_browser(report: Path, tmp_path: Path) -> None:
    """In Chromium nothing fails, all tables sort by all columns, all points answer the mouse, and mappings unfold."""
    page = report.read_text("utf-8")
    guard = "<script>const errors = []; addEventListener('error', (event) => errors.push(String(event.message)));</script>"
    driven = tmp_path / "driven.html"
    driven.write_text(page.replace("<head>", f"<head>{guard}").replace("</body>", f"<script>{DRIVER}</script></body>"), "utf-8")
    found = _seen(driven, tmp_path)
    assert found["errors"] == []
    assert found["scripts"] == 3  # the page's own, and the two of this test
    [columns] = found["sorted"]
    shown = {header: (up, down) for header, up, down in columns}
    assert shown["cycles"][0] == sorted(shown["cycles"][0], key=lambda cell: int(cell.replace(",", "")))
    assert all(sorted(up) == sorted(down) for up, down in shown.values())
    assert HOSTILE in shown["layer"][0]
    assert shown["number"] == (["1", "2", "3"], ["3", "2", "1"])
    assert len(found["spots"]) > 3
    assert [spot for spot in found["spots"] if spot[1:] != [True, "block", True]] == []
    assert [name for name, _, _ in found["folded"]] == [HOSTILE, "depthwise", "gemm"]
    assert all((before, after) == (False, True) for _, before, after in found["folded"])


def _seen(page: Path, folder: Path) -> dict[str, Any]:
    """What the driver saw."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run([str(BROWSER), *options, page.as_uri()], capture_output=True, text=True, check=True, timeout=300)  # noqa: S603 our own page
    [title] = re.findall(r"<title>(.*?)</title>", done.stdout, re.DOTALL)[:1]
    seen: dict[str, Any] = json.loads(unescape(title))
    return seen


def test_the_page_tells_what_zeros_spare(tmp_path: Path) -> None:
    """The page of a run that skips zeros has the line and the column that the command's table has; that of a dense run has none."""
    layers = tmp_path / "layers.yaml"
    layers.write_text(
        "title: t\nsource: s\nlayers:\n  - {name: a, type: GEMM, M: 8, N: 16, K: 16, sparsity: {W: {uniform: 0.25}}}\n"
    )
    (tmp_path / "skips.yaml").write_text("name: skips\nsparse: {skip: [weight]}\n")
    pages = {}
    for machine in ("edge", str(tmp_path / "skips.yaml")):
        out = tmp_path / Path(machine).stem
        words = ["--hardware", machine, "--evaluations", "500", "--out", str(out), "--quiet"]
        assert main(["run", str(layers), *words]) == 0
        assert main(["plot", str(out), "--out", str(out / "pictures")]) == 0
        pages[Path(machine).stem] = unescape((out / "pictures" / "report.html").read_text("utf-8"))
    line, column = "zeros: 75.0% of the MACs skipped; ", "lost to imbalance [%]"
    assert [line in pages["skips"], column in pages["skips"]] == [True, True]
    assert [line in pages["edge"], column in pages["edge"]] == [False, False]
