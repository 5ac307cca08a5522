"""What must hold of the repository itself: its packages, its layers of imports, its sources, its pages."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import cast

import pytest
import yaml
from by_hand import MACHINE, counts_of

from mapsearch.formats.directives import parse, print_network
from mapsearch.model.cost import Count

ROOT = Path(__file__).parent.parent
# From the innermost room to the face; each may import those before it.
ROOMS = {
    "model": "mapsearch.model",
    "spaces": "mapsearch.spaces",
    "formats": "mapsearch.formats",
    "search": "mapsearch.search",
    "studies": "mapsearch.studies",
    "api": "mapsearch",
}
RANKS = {package: rank for rank, package in enumerate(ROOMS.values())}
MODULES = sorted(path for folder in (*ROOMS, "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
SHIPPED = sorted(path for folder in ROOMS for path in (ROOT / folder).rglob("*.yaml"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_package_is_installed() -> None:
    """The packages that pyproject.toml lists are the folders that hold an __init__.py, and each room maps to its folder."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = [init.parent for room in ROOMS for init in (ROOT / room).rglob("__init__.py")]
    packages = [".".join((ROOMS[parts[0]], *parts[1:])) for parts in (folder.relative_to(ROOT).parts for folder in folders)]
    assert sorted(packages) == sorted(setuptools["packages"])
    assert setuptools["package-dir"] == {package: folder for folder, package in ROOMS.items()}


def _imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, and of what it imports from them; "." before relative ones."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ("." * node.level + f"{node.module}.{alias.name}" for alias in node.names)


def _rank(name: str) -> int:
    """The rank of the room that a name of ours belongs to."""
    parts = name.split(".")
    return RANKS.get(".".join(parts[:2]), RANKS["mapsearch"])


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room: str) -> None:
    """A module imports its own room and those before it only: model, spaces, search, studies, then the face."""
    own = RANKS[ROOMS[room]]
    for path in sorted((ROOT / room).rglob("*.py")):
        for name in _imports(path):
            top = name.split(".")[0]
            assert top not in ("", *ROOMS), f"{_name(path)} imports {name}; write mapsearch..."
            if top == "mapsearch":
                assert _rank(name) <= own, f"{_name(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_module_is_long(path: Path) -> None:
    """A module has at most 400 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def _sources(data: object) -> Iterator[object]:
    """What stands under the key `source`, at any depth."""
    if isinstance(data, dict):
        for key, value in cast("dict[object, object]", data).items():
            if key == "source":
                yield value
            yield from _sources(value)


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_shipped_data_have_a_source(path: Path) -> None:
    """Each layer set and hardware says where it comes from at its top; other data at least at some of their figures."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    sources = list(_sources(data))
    assert sources
    assert all(isinstance(source, str) and len(source) > 10 for source in sources)
    assert "source" in data or path.parent.name not in ("layer_sets", "hardware")


def test_no_file_names_a_place_on_a_machine() -> None:
    """Paths in the repository are relative to it: no file says where somebody's checkout lies."""
    kinds = {".py", ".md", ".yaml", ".toml", ".m", ""}
    folders = [ROOT / folder for folder in (*ROOMS, "tests", "benchmarks", "docs", ".ci")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix in kinds]
    files += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in kinds and path.name != ".git"]  # of a work tree
    places = re.compile(r"(?<![\w.])/(work|home|root|Users)/")
    assert [_name(path) for path in files if places.search(path.read_text(encoding="utf-8"))] == []


def _examples(page: str) -> list[str]:
    """The mapping files of a page."""
    return re.findall(r"^```text\n(.*?)^```$", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_examples_of_the_directives_page_parse() -> None:
    """Each mapping file of the page is legal, and the printed form of the worked example is what the printer writes."""
    worked, printed, *others = _examples("directives.md")
    assert print_network(parse(worked)) == print_network(parse(printed)) == printed
    assert len(others) == 2
    for text in others:
        assert parse(text).layers


def test_the_worked_example_is_the_nest_beside_it() -> None:
    """The loops that the page writes out have as many steps and MACs as the mapping."""
    page = (ROOT / "docs" / "directives.md").read_text(encoding="utf-8")
    (mapped,) = parse(_examples("directives.md")[0]).layers
    found = counts_of(mapped.layer, replace(MACHINE, pes=16), mapped.mapping)
    assert f"= {found[Count.STEPS]} steps of 16 PEs with {mapped.layer.macs // 16 // found[Count.STEPS]} MACs" in page
    trips = [int(trip) for trip in re.findall(r"in range\((\d+)\)", page)]
    assert prod(trips) == found[Count.STEPS]
