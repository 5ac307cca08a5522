"""Some layers of a set, and a set as a YAML file to start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from onnx_models import model, node

from mapsearch.cli import main
from mapsearch.formats.mixes import load_mix, load_network, parse_mix, with_choices
from mapsearch.formats.shipped import read_named
from mapsearch.formats.yaml.layer_sets import load_layer_set, names
from mapsearch.model.errors import InputError

Capture = pytest.CaptureFixture[str]
MIXED = "title: T\nsource: S\nlayers:\n- {name: dec/fc.1, type: FC, K: 6, C: 10}\n- {name: ncf, type: FC, K: 6, C: 12}\n"


def _names(text: str) -> list[tuple[str, int]]:
    return [(unique.layer.name, unique.count) for unique in load_mix(text).unique]


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("vgg16:conv1_2", {"vgg16:conv1_2": 1}),
        ("vgg16:conv1_2,conv2_1", {"vgg16:conv1_2,conv2_1": 1}),
        ("vgg16:conv1_2,conv2_1,resnet18:2", {"vgg16:conv1_2,conv2_1": 1, "resnet18": 2}),
        ("resnet18:2,vgg16:conv1_2", {"resnet18": 2, "vgg16:conv1_2": 1}),
        ("vgg16:conv1_2, ncf, alexnet:conv1", {"vgg16:conv1_2": 1, "ncf": 1, "alexnet:conv1": 1}),
    ],
)
def test_a_text_says_the_layers(text: str, networks: dict[str, int]) -> None:
    """After a colon digits are a weight and words are layers; after a layer stand more of them until a set is named."""
    assert parse_mix(text) == networks
    assert load_mix(networks).unique == load_mix(text).unique


def test_layers_are_those_of_the_set() -> None:
    """One layer is searched as it is in the set; two networks of one set are two."""
    entries = {entry.layer.name: entry for entry in load_layer_set("vgg16").entries}
    chosen = load_network("vgg16:conv2_1,conv1_2")
    assert chosen.entries == (entries["conv1_2"], entries["conv2_1"])
    assert (chosen.name, chosen.macs) == ("vgg16:conv1_2,conv2_1", sum(each.layer.macs * each.count for each in chosen.entries))
    assert _names("vgg16:conv1_2,vgg16:conv2_1") == [("vgg16:conv1_2/conv1_2", 1), ("vgg16:conv2_1/conv2_1", 1)]


def test_names_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers with slashes, dots and the name of another set are the file's, which may have a comma and lie anywhere."""
    monkeypatch.chdir(tmp_path)
    file = Path("a,b.yaml")
    file.write_text(MIXED)
    assert _names("a,b.yaml:ncf,dec/fc.1") == [("dec/fc.1", 1), ("ncf", 1)]
    (tmp_path / "below").mkdir()
    sources = load_mix("a,b.yaml:dec/fc.1").sources
    monkeypatch.chdir(tmp_path / "below")
    assert [unique.layer.name for unique in load_mix(sources).unique] == ["dec/fc.1"]


def test_what_a_file_leaves_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes of dims stand after the colon, before names of layers or without; they are kept where a run records its networks."""
    monkeypatch.chdir(tmp_path)
    product = model([node("MatMul", "x w"), node("MatMul", "y v", "z")], {"x": ("n", "m", 5)}, {"w": (5, 3), "v": (3, 7)})
    Path("net.onnx").write_bytes(product)
    assert parse_mix("net.onnx:n=2,m=3,MatMul_1,ncf") == {"net.onnx:n=2,m=3,MatMul_1": 1, "ncf": 1}
    assert load_network("net.onnx:n=2, m=3").macs == 6 * (15 + 21)
    assert load_network("net.onnx:n=2,m=3,MatMul_1").macs == 6 * 21
    sources = load_mix("net.onnx:n=2,m=3").sources
    assert sources == {f"{tmp_path}/net.onnx:n=2,m=3": 1}
    assert load_mix({"net.onnx:n=2,m=3": 4}).unique[0].count == 4
    assert with_choices("net.onnx:n=2", ["m=3"]) == "net.onnx:n=2,m=3"
    assert with_choices("vgg16", None) == "vgg16"
    for choices, text, law in (
        (["m"], "net.onnx", "a dim's size must be given as NAME=SIZE, such as batch=1, got 'm'"),
        (["m=3"], "net.onnx,ncf", "the dims of one of several networks stand after its name"),
        (["n=2", "n=3"], "net.onnx", "each choice must stand once"),
    ):
        with pytest.raises(InputError, match=law):
            load_network(with_choices(text, choices))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vgg16:conv1_3", "layer set vgg16 has no layer 'conv1_3'; did you mean conv1_2?; its are conv1_1, conv1_2, "),
        ("vgg16:conv1_2,conv1_x", "layer set vgg16 has no layer 'conv1_x'; did you mean conv1_2?; its are "),
        ("vgg16:conv1_2,vgg16:conv1_2", "layer set vgg16:conv1_2 stands twice in "),
        ("vgg16:conv1_2,,ncf", "a layer set must stand at both sides of a comma and before a colon, got "),
        (f"vgg16:{'x' * 3000}", "layer set vgg16 has no layer 'xxxxxxxxx"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    """One line says which layer there is not, and which there are."""
    with pytest.raises(InputError) as caught:
        load_mix(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_run_of_one_layer_goes_on(tmp_path: Path, capsys: Capture) -> None:
    """A run, its resumption, the layers and the space are those of the layer that is named."""
    out = tmp_path / "run"
    options = ["--sampler", "random", "--evaluations", "20", "--jobs", "1", "--out", str(out)]
    assert main(["run", "--layer-set", "alexnet:conv3", *options]) == 0
    assert [row["name"] for row in json.loads((out / "results.json").read_text())["layers"]] == ["conv3"]
    assert json.loads((out / "config.json").read_text())["layer_set"] == {"alexnet:conv3": 1}
    assert main(["run", "--out", str(out), "--resume"]) == 0
    capsys.readouterr()
    assert main(["layers", "alexnet:conv3", "--json"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)["entries"]] == ["conv3"]
    assert main(["space", "alexnet:conv3", "--json"]) == 0
    assert [size["layer"] for size in json.loads(capsys.readouterr().out)] == ["conv3"]


@pytest.mark.parametrize("text", ["alexnet,ncf", "alexnet:2"])
def test_one_network_is_one(text: str, capsys: Capture) -> None:
    """`mapsearch layers` shows one network, and says so."""
    assert main(["layers", text]) == 2
    assert f"one layer set must be named here, without a weight, got '{text}'" in capsys.readouterr().err


@pytest.mark.parametrize("name", names())
def test_a_set_as_yaml(name: str, tmp_path: Path, capsys: Capture) -> None:
    """A set is printed as its file stands, comments and source with it, and reads back as the same."""
    assert main(["layers", name, "--yaml"]) == 0
    file = tmp_path / f"{name}.yaml"
    file.write_text(capsys.readouterr().out)
    assert file.read_text() == read_named("layer_sets", name, Path())[0]
    assert load_layer_set(file) == load_layer_set(name)
