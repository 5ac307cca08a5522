"""Sweep files: what they state, and that errors name the file and the place in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsearch.formats.yaml.hardware import load_hardware_space
from mapsearch.formats.yaml.sweeps import load_study
from mapsearch.model.errors import InputError
from mapsearch.model.layer import MAX_EXTENT
from mapsearch.model.tensors import Dim

HEAD = "name: n\nhardware: edge_space\nlayers: {set: vgg16, names: [conv1_2]}\n"
DIMS = "one of G, N, K, C, R, S, Y', X'"


def test_what_a_file_states(tmp_path: Path) -> None:
    """Sizes come ascending, each once; hardware may have other values for single keys, wherever the file lies."""
    (tmp_path / "chip.yaml").write_text("pes: [8, 16]\n")
    file = tmp_path / "mine.yaml"
    text = "dataflows: [{dataflow: kcp_ws, clusters: [64, 16, 16], tiles: {X': [4, whole, 1], R: whole, K: 3}}]\n"
    file.write_text(HEAD.replace("edge_space", "'chip.yaml,l1.bytes=77'") + text)
    study = load_study(file)
    (dataflow,) = study.dataflows
    assert dataflow.clusters == (16, 64)
    assert dataflow.tiles == ((Dim.X, (1, 4, MAX_EXTENT)), (Dim.R, (MAX_EXTENT,)), (Dim.K, (3,)))
    assert [layer.name for layer in study.layers] == ["conv1_2"]
    space = load_hardware_space(study.hardware)
    assert (space.name, space.base.l1.bytes, space.size) == ("chip,l1.bytes=77", 77, 2)


@pytest.mark.parametrize(
    ("dataflows", "message"),
    [
        ("[]", "dataflows must have at least one item, got []"),
        ("[3]", "dataflow 1: must be a mapping with the keys dataflow, mappings, resized, tiles, clusters, got 3"),
        ("[{dataflow: x}]", "dataflow 1: no dataflow is called 'x'; there are cp_nlr, "),
        ("[{dataflow: kcp_ws}, {dataflow: kcp_ws}]", "dataflow 2: kcp_ws stands twice; name each once"),
        ("[{dataflow: kcp_ws, mappings: a.m}]", "dataflow 1: must have one of dataflow, mappings and resized, got 2 of them"),
        ("[{mappings: a.m, clusters: [3]}]", "dataflow 1: tiles and clusters are a template's; mappings have their own"),
        ("[{dataflow: kcp_ws, tiles: {K: [1, 0]}}]", "dataflow 1: tiles.K.1 must be >= 1, got 0"),
        ("[{dataflow: kcp_ws, tiles: {K: all}}]", "dataflow 1: tiles.K must be a whole number, 'whole' or a list, got 'all'"),
        ("[{dataflow: kcp_ws, tiles: {Q: 1}}]", f"dataflow 1: tiles.Q must be {DIMS}, got 'Q'"),
        ("[{dataflow: kcp_ws, clusters: [true]}]", "dataflow 1: clusters.0 must be a whole number, got True"),
    ],
)
def test_what_is_wrong_is_named(dataflows: str, message: str, tmp_path: Path) -> None:
    """One line has the file, the dataflow, the law and the value."""
    file = tmp_path / "mine.yaml"
    file.write_text(f"{HEAD}dataflows: {dataflows}\n")
    with pytest.raises(InputError) as caught:
        load_study(file)
    assert str(caught.value).startswith(f"{file}: {message}")
    assert "\n" not in str(caught.value)
