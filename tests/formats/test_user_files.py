"""Files that the documentation shows: each loads, and means what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

import mapsearch
from mapsearch.formats.yaml.dataflows import load_dataflow
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "layer_sets.md"


def _examples() -> list[str]:
    return [part.partition("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```yaml\n")[1:]]


def test_the_layer_set_of_the_page_loads(tmp_path: Path) -> None:
    """It has one row of each type, and those that can be mapped are."""
    path = tmp_path / "net.yaml"
    path.write_text(_examples()[0], encoding="utf-8")
    layers = load_layer_set(path)
    assert {"conv1", "depthwise", "grouped", "attention", "fc"} <= {entry.layer.name for entry in layers.entries}
    assert [each.name for each in layers.unmapped] == ["add"]
    types = {line.split("type: ")[1].split(",")[0] for line in _examples()[0].splitlines() if "type: " in line}
    assert all(f"`{each}`" in PAGE.read_text(encoding="utf-8") for each in types)


def test_the_sparse_layers_of_the_page_load(tmp_path: Path) -> None:
    """It has a layer of each kind, and one for each size of tile."""
    path = tmp_path / "net.yaml"
    path.write_text(_examples()[1], encoding="utf-8")
    layers = {entry.layer.name: entry.layer.density for entry in load_layer_set(path).entries}
    assert layers == {"uniform": (0.35, 0.275, 1.0), "pattern": (0.5, 1.0, 1.0), "tiles_384x64": (1.0, 1.0, 1.0)}


def test_the_dataflow_of_the_page_loads(tmp_path: Path) -> None:
    """It is a template of two levels."""
    path = tmp_path / "mine.yaml"
    path.write_text(_examples()[2], encoding="utf-8")
    assert len(load_dataflow(path).levels) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hardware": 5}, "a hardware must be a name, one of "),
        ({"model": None}, "no cost model is called None; use one of "),
        ({"dataflow": 3}, "a dataflow must be a name, one of "),
        ({"layer_set": 3}, "a layer set must be a name, a file's path or a mapping of weights, got 3"),
    ],
)
def test_a_value_of_another_type_is_told_in_one_line(given: dict[str, object], message: str) -> None:
    """Whatever a caller from Python gives, the error says what would be right."""
    with pytest.raises(InputError, match=f"^{message}"):
        mapsearch.run(**{"layer_set": "alexnet", **given})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
