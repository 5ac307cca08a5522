"""Dataflow templates: the shipped ones are what their files say, a user's file works like them, errors tell what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from by_hand import MACHINE, layer_of

from mapsearch.formats.yaml.constraints import constraints_to_dict, load_constraints
from mapsearch.formats.yaml.dataflows import classic_dataflows, load_dataflow, load_held, names
from mapsearch.model.errors import InputError
from mapsearch.model.layer import MAX_EXTENT, Layer, LayerType
from mapsearch.model.tensors import Dim
from mapsearch.spaces.mappings.constraints import Constraints, LevelConstraints, Sizes
from mapsearch.spaces.mappings.space import Space, Structure

G, N, K, C, R, S, Y, X = Dim
CONV = layer_of(K=64, C=32, R=3, S=5, Y=28, X=14)
DEPTHWISE = Layer("depthwise", LayerType.DSCONV, (96, 1, 1, 1, 3, 3, 14, 14))
GEMM = Layer("gemm", LayerType.GEMM, (1, 1, 768, 512, 1, 1, 1, 128))
DIMS = "one of G, N, K, C, R, S, Y', X'"


def structure(name: str, layer: Layer, *clusters: int) -> Structure:
    space = _space(load_dataflow(name), layer)
    assert clusters in space.choices.clusters
    assert all(space.fixed_orders)
    assert all(len(dims) == 1 for dims in space.choices.spatial)
    return replace(space.fitting, clusters=clusters)


def _space(dataflow: Constraints, layer: Layer) -> Space:
    return Space(layer, MACHINE, len(dataflow.levels), constraints=dataflow)


def test_five_dataflows_are_shipped() -> None:
    """The five dataflows of table 3 of MAESTRO's paper are there, each under the name that its file states."""
    assert names() == ["cp_nlr", "kcp_ws", "xp_ws", "yrp_rs", "yxp_os"]
    assert [dataflow.name for dataflow in classic_dataflows()] == names()


@pytest.mark.parametrize(
    ("name", "clusters", "orders", "spatial"),
    [
        ("cp_nlr", (), ((K, Y, X, R, S, C),), (C,)),
        ("kcp_ws", (64,), ((K, C, R, S, Y, X),) * 2, (K, C)),
        ("xp_ws", (), ((K, C, R, S, Y, X),), (X,)),
        ("yrp_rs", (3,), ((K, C, R, Y, X, S),) * 2, (Y, R)),
        ("yxp_os", (8,), ((K, Y, X, C, R, S),) * 2, (Y, X)),
    ],
)
def test_structure_on_a_convolution(
    name: str, clusters: tuple[int, ...], orders: tuple[tuple[Dim, ...], ...], spatial: tuple[Dim, ...]
) -> None:
    """Orders and spatial dims are the file's without the dims of extent 1; a cluster called by a dim has its extent."""
    assert structure(name, CONV, *clusters) == Structure(orders, spatial, clusters)


@pytest.mark.parametrize(
    ("name", "clusters", "orders", "spatial"),
    [
        ("cp_nlr", (), ((Y, X, R, S, G),), (G,)),
        ("kcp_ws", (64,), ((G, R, S, Y, X),) * 2, (K, G)),
        ("xp_ws", (), ((G, R, S, Y, X),), (X,)),
        ("yrp_rs", (3,), ((G, R, Y, X, S),) * 2, (Y, R)),
        ("yxp_os", (8,), ((Y, X, G, R, S),) * 2, (Y, X)),
    ],
)
def test_structure_on_a_depthwise_layer(
    name: str, clusters: tuple[int, ...], orders: tuple[tuple[Dim, ...], ...], spatial: tuple[Dim, ...]
) -> None:
    """C of a template is a depthwise layer's channels, G, in orders and spatial dims."""
    assert structure(name, DEPTHWISE, *clusters) == Structure(orders, spatial, clusters)


@pytest.mark.parametrize(
    ("name", "clusters", "orders", "spatial"),
    [
        ("cp_nlr", (), ((K, X, C),), (C,)),
        ("kcp_ws", (64,), ((K, C, X),) * 2, (K, C)),
        ("xp_ws", (), ((K, C, X),), (X,)),
        ("yrp_rs", (1,), ((K, C, X),) * 2, (Y, R)),
        ("yxp_os", (8,), ((K, X, C),) * 2, (Y, X)),
    ],
)
def test_structure_on_a_gemm(
    name: str, clusters: tuple[int, ...], orders: tuple[tuple[Dim, ...], ...], spatial: tuple[Dim, ...]
) -> None:
    """A GEMM keeps the template's spatial dims, also those that it has one index of; a cluster of R has one unit."""
    assert structure(name, GEMM, *clusters) == Structure(orders, spatial, clusters)


def test_an_open_cluster_takes_every_size_that_the_pes_allow() -> None:
    """`any` stands for each of the space's cluster sizes."""
    held, free = _space(load_dataflow("kcp_ws"), CONV), Space(CONV, MACHINE)
    assert held.choices.clusters == free.choices.clusters
    assert len(free.choices.clusters) == 31


def test_a_user_file(tmp_path: Path) -> None:
    """A file's three levels, with all kinds of clusters; a dim left out of an order stands innermost."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\n"
        "levels:\n"
        "  - {spatial: K, order: [X', Y']}\n"
        "  - {cluster: 4, spatial: C, order: []}\n"
        "  - {cluster: S, spatial: S, order: [S]}\n"
    )
    mine = load_dataflow(str(file))
    assert mine == Constraints(
        "mine",
        "",
        (
            LevelConstraints((X, Y, G, N, K, C, R, S), (K,), cluster=Sizes.of(4)),
            LevelConstraints((G, N, K, C, R, S, Y, X), (C,), cluster=S),
            LevelConstraints((S, G, N, K, C, R, Y, X), (S,)),
        ),
    )
    assert load_dataflow(file) == mine
    orders = ((X, Y, K, C, R, S), (K, C, R, S, Y, X), (S, K, C, R, Y, X))
    assert _space(mine, CONV).fitting == Structure(orders, (K, C, S), (4, 5))


@pytest.mark.parametrize("name", names())
def test_a_template_is_a_case_of_constraints(name: str, tmp_path: Path) -> None:
    """A template's plain data, written as YAML, load as equal constraints."""
    dataflow = load_dataflow(name)
    file = tmp_path / "again.yaml"
    file.write_text(yaml.safe_dump(constraints_to_dict(dataflow)))
    assert load_constraints(file) == dataflow


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": must state at least one key, such as `name: my_dataflow`, but is empty"),
        ("levels: []\nname: a", ": levels must have at least one item, got []"),
        ("name: a", ": levels is missing; needed are name, levels"),
        ("name: 3\nlevels: [{spatial: K, order: []}]", ": name must be text, got 3"),
        ("name: a\nlevel: []", ": unknown key level; did you mean levels?; the keys are name, title, source, levels"),
        ("name: a\nlevels: [K]", ": level 0: must be a mapping with the keys spatial, order, cluster, got 'K'"),
        ("name: a\nlevels: [{order: []}]", ": level 0: spatial is missing; needed are spatial, order"),
        ("name: a\nlevels: [{spatial: K, order: [K, 3]}]", f": level 0: order.1 must be {DIMS}, got 3"),
        ("name: a\nlevels: [{spatial: Y, order: []}]", f": level 0: spatial must be {DIMS}, got 'Y'; did you mean Y'?"),
        ("name: a\nlevels: [{spatial: K, order: [Q]}]", f": level 0: order.0 must be {DIMS}, got 'Q'"),
        (
            "name: a\nlevels: [{spatial: K, order: [K, C, K]}]",
            ": level 0: order: K stands twice; name each once",
        ),
        ("name: a\nlevels: [{cluster: 2, spatial: K, order: []}]", ": level 0: the first level has no cluster"),
        (
            "name: a\nlevels: [{spatial: K, order: []}, {spatial: K, order: []}]",
            ": level 1: cluster is missing; give a number, a dim or any",
        ),
        *(
            (
                f"name: a\nlevels: [{{spatial: K, order: []}}, {{cluster: {given}, spatial: K, order: []}}]",
                f": level 1: cluster {told}",
            )
            for given, told in (
                ("0", "must be >= 1, got 0"),
                ("1" + "0" * 200, f"must be <= {MAX_EXTENT}, got {'1' + '0' * 27}...{'0' * 29}"),
                ("true", f"must be a whole number, 'any' or {DIMS}, got True"),
                ("1.5", f"must be a whole number, 'any' or {DIMS}, got 1.5"),
                ("[2]", f"must be a whole number, 'any' or {DIMS}, got [2]"),
            )
        ),
        (
            "name: a\nlevels: [{spatial: K, order: []}, {cluster: all, spatial: K, order: []}]",
            f": level 1: cluster must be a whole number, 'any' or {DIMS}, got 'all'",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    """An error names the file, the level, the law and the value."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_dataflow(file)
    assert str(caught.value) == f"{file}{message}"


def test_an_unknown_name() -> None:
    """The error of a name that is not shipped lists the shipped ones."""
    with pytest.raises(InputError) as caught:
        load_dataflow("kcp_os")
    shipped = "cp_nlr, kcp_ws, xp_ws, yrp_rs, yxp_os"
    assert str(caught.value) == f"no dataflow is called 'kcp_os'; did you mean kcp_ws?; there are {shipped}, or give a file's path"


def test_a_template_and_constraints_do_not_go_together() -> None:
    """A search is held to a template, which has its own levels, or to constraints of the asked levels, not to both."""
    assert load_held("cp_nlr", None, 2) == (load_dataflow("cp_nlr"), 1)
    assert load_held(None, None, 2) == (Constraints(), 2)
    with pytest.raises(InputError) as caught:
        load_held("kcp_ws", "nvdla", 2)
    assert str(caught.value) == "dataflow 'kcp_ws' and constraints 'nvdla' are given; a search takes one of the two"
