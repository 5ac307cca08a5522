"""Masks as users meet them: in a layer-set file, in a run, and in `mapsearch evaluate --masks`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mapsearch.cli import main
from mapsearch.formats.yaml.layer_sets import load_layer_set
from mapsearch.model.errors import InputError

HEAD = "title: t\nsource: s\nlayers:\n"
MACHINE = "edge,pes=16,sparse.skip=[weight, input]"


@pytest.fixture(name="layers")
def layer_file(tmp_path: Path) -> Path:
    """A sparse product, whose zeros are known and uneven, and a dense one."""
    rng = np.random.default_rng(3)
    weight = rng.random((1, 24, 32, 1, 1)) < np.linspace(0.05, 0.9, 24)[:, None, None, None]
    np.save(tmp_path / "w.npy", weight)
    np.save(tmp_path / "i.npy", rng.random((1, 1, 32, 1, 20)) < 0.5)
    file = tmp_path / "layers.yaml"
    sparse = "- {name: sparse, type: GEMM, M: 20, N: 24, K: 32, sparsity: {W: {mask: w.npy}, I: {mask: i.npy}}}\n"
    file.write_text(HEAD + sparse + "- {name: dense, type: GEMM, M: 20, N: 24, K: 32}\n")
    return file


def test_a_run_searches_by_densities_and_masks_count_its_winners(
    layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run's mapping files have the masks' exact densities; by masks, uneven zeros take longer, a dense layer as long."""
    out = str(tmp_path / "run")
    assert (
        main(["run", str(layers), "--hardware", MACHINE, "--sampler", "random", "--trials", "2", "--jobs", "1", "--out", out]) == 0
    )
    capsys.readouterr()
    expected: list[dict[str, Any]] = []
    for layer in json.loads((tmp_path / "run" / "results.json").read_text())["layers"]:
        assert main(["evaluate", f"{out}/{layer['mapping_file']}", "--hardware", MACHINE, "--json"]) == 0
        expected += json.loads(capsys.readouterr().out)
        assert expected[-1]["runtime_cycles"] == layer["metrics"]["runtime_cycles"]
    counted: list[dict[str, Any]] = []
    for name in ("01_sparse", "02_dense"):
        file = f"{out}/mappings/{name}.m"
        assert main(["evaluate", file, "--hardware", MACHINE, "--json", "--masks", str(layers)]) == 0
        counted += json.loads(capsys.readouterr().out)
    assert counted[0]["runtime_cycles"] > expected[0]["runtime_cycles"]
    assert counted[0]["offchip_read_words"] == expected[0]["offchip_read_words"]
    assert counted[1] == expected[1]
    weight, inputs = np.load(tmp_path / "w.npy")[0, :, :, 0, 0], np.load(tmp_path / "i.npy")[0, 0, :, 0]
    assert counted[0]["effectual_macs"] == pytest.approx((weight.astype(int) @ inputs.astype(int)).sum(), rel=1e-12)


def test_densities_of_masks(layers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A layer has the share of its masks' non-zeros, as a fraction, which `mapsearch layers` rounds."""
    layer = load_layer_set(layers).entries[0].layer
    weight = np.load(layers.parent / "w.npy")
    assert layer.sparsity[0].density * weight.size == weight.sum()
    assert layer.sparsity[2].density == 1
    assert main(["layers", str(layers)]) == 0
    assert f"mask of {weight.mean():.4g}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tensors", "text"),
    [
        ("W: {mask: none.npy}", "sparsity.W.mask: {folder}/none.npy must be readable: No such file or directory"),
        (
            "W: {mask: layers.yaml}",
            "sparsity.W.mask: {folder}/layers.yaml must be a .npy file of booleans, got another file; write",
        ),
        ("W: {mask: floats.npy}", "sparsity.W.mask: {folder}/floats.npy must be a .npy file of booleans, got float64"),
        ("W: {mask: i.npy}", "mask of weight must have the shape G K C R S = (1, 24, 32, 1, 1), got (1, 1, 32, 1, 20)"),
        (
            "I: {mask: w.npy}",
            "mask of input must have the shape N G C Y X = (1, 1, 32, 1, 20), padding included, got",
        ),
        ("W: {mask: w.npy, uniform: 0.5}", "sparsity.W must have one of uniform, pattern, mask, tiles, got uniform and mask"),
        (
            "W: {tiles: 8, kept: [[1, 1], [2, 2], [3, 3]]}, I: {mask: i.npy}",
            "a row with masks must make one layer, got 3",
        ),
        ("O: {mask: w.npy}", "sparsity.O must have one of uniform, pattern, got mask"),
    ],
)
def test_what_a_mask_must_not_be(layers: Path, tensors: str, text: str) -> None:
    """One line names the layer, the file, the law and the value."""
    np.save(layers.parent / "floats.npy", np.ones((1, 24, 32, 1, 1)))
    bad = layers.parent / "bad.yaml"
    bad.write_text(HEAD + f"- {{name: a, type: GEMM, M: 20, N: 24, K: 32, sparsity: {{{tensors}}}}}\n")
    with pytest.raises(InputError) as caught:
        load_layer_set(bad)
    assert f"layer 1 (a): {text.replace('{folder}', str(layers.parent))}" in str(caught.value).replace("sparsity: a row", "a row")
    assert "\n" not in str(caught.value)


def test_what_evaluate_refuses_with_masks(layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another model, a proof, and a set without masks, or with none of the layers', end with one line and exit code 2."""
    file = tmp_path / "net.m"
    file.write_text("Network n { Layer sparse { Type: GEMM Dimensions { M: 20, N: 24, K: 32 } Dataflow { SpatialMap(1,1) K; } } }")
    plain = tmp_path / "plain.yaml"
    plain.write_text(HEAD + "- {name: a, type: GEMM, M: 1, N: 1, K: 1}\n")
    for options, text in (
        (["--masks", str(layers), "--model", "simulate"], "masks are counted by the model exact alone, got simulate; leave out"),
        (["--masks", str(layers), "--gap"], "--gap is proven for densities, not for masks; leave --masks out"),
        (["--masks", "mobilenet"], "mobilenet: must have a layer with a mask; give one, or leave the masks out"),
        (["--masks", str(plain)], "plain.yaml: must have a layer with a mask; give one, or leave the masks out"),
    ):
        assert main(["evaluate", str(file), "--hardware", MACHINE, *options]) == 2
        assert text in capsys.readouterr().err
    file.write_text("Network n { Layer other { Type: GEMM Dimensions { M: 2, N: 2, K: 3 } Dataflow { SpatialMap(1,1) K; } } }")
    assert main(["evaluate", str(file), "--hardware", MACHINE, "--masks", str(layers)]) == 2
    assert "layers.yaml: must have a layer of the mapping files', got sparse, dense; give" in capsys.readouterr().err
