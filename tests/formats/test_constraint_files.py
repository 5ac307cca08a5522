"""Constraint files: what they state is what runs are held to, errors tell what is wrong, the shipped ones suit their machines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from mapsearch.cli import main
from mapsearch.formats.directives import parse
from mapsearch.formats.yaml.constraints import constraints_to_dict, load_constraints, names
from mapsearch.formats.yaml.hardware import load_hardware
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.errors import InputError
from mapsearch.model.layer import MAX_EXTENT
from mapsearch.model.mapping import MapKind
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import WHOLE, Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.space import Space
from mapsearch.studies.start import run

G, N, K, C, R, S, Y, X = Dim
DIMS = "one of G, N, K, C, R, S, Y', X'"
SIZE = "must be a whole number, a list such as [2, 4], a mapping with the keys min, max"
Capture = pytest.CaptureFixture[str]

ALL_FORMS = """
name: mine
title: all that a file may state
source: a test
levels:
  - order: [K, ..., X']
    spatial: [K, C]
    tiles: {K: 16, C: [8, 2, 4], R: whole, Y': {min: 2, max: 8}, X': {min: 4}, S: {max: 3}}
    cluster: {max: 64}
  - {cluster: R, spatial: Y'}
  - {}
"""


def test_all_that_a_file_may_state(tmp_path: Path) -> None:
    """Each form of a size, an order, a spatial dim and a Cluster is what the page says."""
    file = tmp_path / "mine.yaml"
    file.write_text(ALL_FORMS)
    listed, ranges = Sizes(2, 8, (2, 4, 8)), (Sizes(most=3), Sizes(2, 8), Sizes(least=4))
    tiles = ((K, Sizes(16, 16)), (C, listed), (R, WHOLE), *zip((S, Y, X), ranges, strict=True))
    first = LevelConstraints((K, None, X), (K, C), tiles, Sizes(most=64))
    expected = Constraints("mine", "all that a file may state", (first, LevelConstraints((), (Y,), (), R), LevelConstraints()))
    assert load_constraints(file) == load_constraints(str(file)) == expected
    assert load_constraints(file).where == str(file)


@pytest.mark.parametrize("name", [*names(), "mine"])
def test_plain_data_are_a_file_of_the_constraints(name: str, tmp_path: Path) -> None:
    """What constraints_to_dict gives, written as YAML, loads as equal constraints."""
    file, again = tmp_path / "mine.yaml", tmp_path / "again.yaml"
    file.write_text(ALL_FORMS)
    constraints = load_constraints(file if name == "mine" else name)
    again.write_text(yaml.safe_dump(constraints_to_dict(constraints)))
    assert load_constraints(again) == constraints


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": must state at least one key, such as `name: my_constraints`, but is empty"),
        ("name: a\nlevels: []", ": levels must have at least one item, got []"),
        ("name: a", ": levels is missing; needed are name, levels"),
        ("name: a\nlevel: []", ": unknown key level; did you mean levels?; the keys are name, title, source, levels"),
        ("name: a\nlevels: [K]", ": level 0: must be a mapping with the keys order, spatial, tiles, cluster, got 'K'"),
        (
            "name: a\nlevels: [{}, {tile: {}}]",
            ": level 1: unknown key tile; did you mean tiles?; the keys are order, spatial, tiles, cluster",
        ),
        ("name: a\nlevels: [{order: [K, 3]}]", f": level 0: order.1 must be {DIMS}, got 3"),
        ("name: a\nlevels: [{order: [Y]}]", f": level 0: order.0 must be {DIMS}, got 'Y'; did you mean Y'?"),
        ("name: a\nlevels: [{order: [K, C, K]}]", ": level 0: order: K stands twice; name each once"),
        ("name: a\nlevels: [{order: [..., C, ...]}]", ": level 0: order: ... stands twice; name each once"),
        ("name: a\nlevels: [{spatial: Q}]", f": level 0: spatial must be {DIMS} or a list, got 'Q'"),
        ("name: a\nlevels: [{spatial: [G, G]}]", ": level 0: spatial: G stands twice; name each once"),
        ("name: a\nlevels: [{tiles: {k: 2}}]", f": level 0: tiles.k must be {DIMS}, got 'k'; did you mean K?"),
        *(
            (f"name: a\nlevels: [{{tiles: {{K: {given}}}}}]", f": level 0: tiles.K {SIZE} or 'whole', got {shown}")
            for given, shown in (("true", "True"), ("1.5", "1.5"), ("C", "'C'"))
        ),
        *(
            (f"name: a\nlevels: [{{tiles: {{K: {given}}}}}]", f": level 0: tiles.K{told}")
            for given, told in (
                ("0", " must be >= 1, got 0"),
                (str(MAX_EXTENT + 1), f" must be <= {MAX_EXTENT}, got {MAX_EXTENT + 1}"),
                ("[]", " must have at least one item, got []"),
                ("[2, -1]", ".1 must be >= 1, got -1"),
            )
        ),
        (
            "name: a\nlevels: [{tiles: {K: {min: 8, max: 4}}}]",
            ": level 0: tiles.K must have a min of at most its max, got {'max': 4, 'min': 8}",
        ),
        (
            "name: a\nlevels: [{tiles: {K: {min: 0}}}]",
            ": level 0: tiles.K.min must be >= 1, got 0",
        ),
        (
            "name: a\nlevels: [{tiles: {K: {maxi: 4}}}]",
            ": level 0: unknown key tiles.K.maxi; did you mean max?; the keys are min, max",
        ),
        ("name: a\nlevels: [{cluster: whole}]", f": level 0: cluster {SIZE} or {DIMS}, got 'whole'"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    """An error names the file, the level, the key, the law and the value."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_constraints(file)
    assert str(caught.value) == f"{file}{message}"


@pytest.mark.parametrize(
    ("name", "hardware"),
    [
        ("eyeriss", "eyeriss"),
        ("flexible_order", "edge"),
        ("gemmini", "gemmini"),
        ("nvdla", "nvdla_large"),
        ("shidiannao", "shidiannao"),
        ("simba", "simba_chiplet"),
        ("tpu", "tpu_v1"),
    ],
)
def test_the_shipped_constraints_leave_mappings(name: str, hardware: str) -> None:
    """On the machine that each describes, layers of all kinds have mappings."""
    assert name in names()
    constraints, machine = load_constraints(name), load_hardware(hardware)
    for network in ("mobilenet", "bert_base", "alexnet"):
        for unique in load_layer_set(network).unique:
            space = Space(unique.layer, machine, levels=max(2, len(constraints.levels)), constraints=constraints)
            assert space.size() >= 1


def test_a_run_keeps_to_the_constraints_and_records_them(tmp_path: Path, capsys: Capture) -> None:
    """Every mapping of a run's folder has the constraints' spatial dims, sizes, order and Cluster; the folder records them."""
    file, out = tmp_path / "mine.yaml", tmp_path / "run"
    file.write_text(
        "name: mine\nlevels: [{spatial: K, cluster: 8, tiles: {K: 32}}, {spatial: C, order: [C, X', K], tiles: {C: 5}}]"
    )
    options = ["--constraints", str(file), "--out", str(out), "--jobs", "1", "--trials", "2", "--sampler", "tpe"]
    assert main(["run", "--layer-set", "ncf", *options]) == 0
    config = json.loads((out / "config.json").read_text())
    assert config["constraints"] == constraints_to_dict(load_constraints(file))
    for path in sorted((out / "mappings").iterdir()):
        (mapped,) = parse(path.read_text()).layers
        outer, inner = mapped.mapping.levels
        extents = mapped.layer.extents
        assert mapped.mapping.clusters == (8,)
        assert {each.dim for each in outer if each.kind is MapKind.SPATIAL} == {K}
        assert {each.dim for each in inner if each.kind is MapKind.SPATIAL} == {C}
        assert {each.size for each in outer if each.dim is K} == {min(32, extents[K])}
        assert {each.size for each in inner if each.dim is C} <= set(range(1, 6))
    file.write_text(file.read_text().replace("K: 32", "K: 16"))
    with pytest.raises(InputError, match="resuming needs the same constraints, but levels was"):
        run(out=out, resume=True)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("space ncf --constraints nvdl", "no constraint is called 'nvdl'; did you mean nvdla?"),
        (
            "space ncf --constraints nvdla --levels 1",
            "constraint nvdla: has 2 levels, more than the 1 of the mappings; use --levels 2",
        ),
        (
            "run --layer-set ncf --constraints tpu --dataflow kcp_ws",
            "dataflow 'kcp_ws' and constraints 'tpu' are given; a search takes",
        ),
        (
            "run --layer-set ncf --constraints tpu --hardware eyeriss",
            "layer mlp1: no mapping fits the hardware eyeriss: constraint tpu, level 0, cluster: 256 needs 256 PEs, it has 168;",
        ),
    ],
)
def test_a_command_that_cannot_be_held_is_refused(command: str, message: str, capsys: Capture) -> None:
    """One line on standard error, exit code 2, and no run's folder."""
    assert main(command.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"mapsearch: error: {message}")
    assert error.count("\n") == 1


def test_the_space_of_constraints_is_counted(capsys: Capture) -> None:
    """`mapsearch space` counts what they leave, and says so at its head."""
    assert main(["space", "ncf", "--constraints", "flexible_order", "--json"]) == 0
    sizes = [row["mappings"] for row in json.loads(capsys.readouterr().out)]
    hardware, constraints = load_hardware("edge"), load_constraints("flexible_order")
    assert sizes == [Space(unique.layer, hardware, constraints=constraints).size() for unique in load_layer_set("ncf").unique]
    assert main(["space", "ncf", "--constraints", "nvdla"]) == 0
    assert capsys.readouterr().out.startswith("hardware edge, 2 levels, constraints nvdla, balanced tile sizes\n")


def test_the_example_of_the_page_is_a_file(tmp_path: Path) -> None:
    """The file on the page of constraints loads, and its table names the shipped ones."""
    page = (Path(__file__).parents[2] / "docs" / "constraints.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "mine.yaml"
    file.write_text(example)
    assert len(load_constraints(file).levels) == 3
    assert all(f"| `{name}` |" in page for name in names())
