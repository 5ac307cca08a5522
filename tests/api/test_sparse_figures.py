"""What the command line shows of zeros."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from printed_tables import table_rows
from small_run import results_in

from mapsearch.cli import main
from mapsearch.model.sparse_figures import SparseSums
from mapsearch.studies.zeros import zeros_text

MAPPING = """Network small {
  Layer c {
    Type: GEMM
    Dimensions { M: 4, N: 8, K: 16 }
    Density { W: 0.25, I: 0.5 }
    Dataflow { SpatialMap(1,1) N; }
  }
}
"""
MACHINE = "sparse: {skip: [weight], gate: [input], format: {offchip: {weight: bitmask}}}"


def test_evaluate_shows_what_zeros_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a machine that skips, text and JSON tell skipped MACs and imbalance; on another, the text has neither."""
    (tmp_path / "small.m").write_text(MAPPING)
    (tmp_path / "machine.yaml").write_text(MACHINE)
    command = ["evaluate", str(tmp_path / "small.m"), "--hardware"]
    assert main([*command, str(tmp_path / "machine.yaml")]) == 0
    text = capsys.readouterr().out
    assert "compute over balanced compute" in text
    assert "cycles if balanced" in text
    assert main([*command, str(tmp_path / "machine.yaml"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)[0]["sparse"]
    assert (figures["skipped_macs"], figures["gated_macs"], figures["source"]) == (384.0, 64.0, "uniform")
    assert figures["imbalance"] > 1
    assert figures["bits_per_word"]["offchip"] == {"weight": 3.0, "input": 8.0, "output": 16.0}
    assert main([*command, "edge"]) == 0
    assert "balanced" not in capsys.readouterr().out


LAYERS = """
title: Sparse and dense
source: made up
layers:
  - {name: sparse, type: GEMM, M: 20, N: 24, K: 32, density: {W: 0.25, I: 0.5}, count: 3}
  - {name: dense, type: GEMM, M: 20, N: 24, K: 36}
"""


def test_run_tells_what_is_lost_to_imbalance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine that skips has a column and a line for it, and sums of the layers' figures; one that gates, a line; others none."""
    (tmp_path / "layers.yaml").write_text(LAYERS)
    for name, sparse in (("skips", ",sparse.skip=[weight],sparse.gate=[input]"), ("gates", ",sparse.gate=[input]"), ("dense", "")):
        few = ["--sampler", "random", "--trials", "2", "--jobs", "1", "--quiet"]
        run = ["run", str(tmp_path / "layers.yaml"), "--hardware", f"edge,pes=16{sparse}", *few]
        assert main([*run, "--out", str(tmp_path / name)]) == 0
        text, totals = capsys.readouterr().out, results_in(tmp_path / name)["totals"]
        assert ("imbalance" in text) == (name == "skips")
        assert ("zeros:" in text) == ("sparse" in totals) == (name != "dense")
    sums, layers = results_in(tmp_path / "skips")["totals"], results_in(tmp_path / "skips")["layers"]
    (sparse, dense), found = (layer["metrics"] for layer in layers), sums["sparse"]
    assert found["skipped_macs"] == 3 * 0.75 * sparse["macs"]
    assert found["gated_macs"] == 3 * 0.25 * 0.5 * sparse["macs"]
    balanced = [each["sparse"]["balanced_runtime_cycles"] for each in (sparse, dense)]
    assert balanced[0] < sparse["runtime_cycles"]
    assert balanced[1] == dense["runtime_cycles"]
    assert found["balanced_runtime_cycles"] == 3 * balanced[0] + balanced[1]
    assert found["imbalance"] > 1
    assert main(["run", "--out", str(tmp_path / "skips"), "--resume", "--quiet"]) == 0
    resumed = capsys.readouterr().out
    assert f"{1 - found['balanced_runtime_cycles'] / sums['runtime_cycles']:.1%} of the cycles lost to load imbalance" in " ".join(
        resumed.split()
    )
    [row] = [row for row in table_rows(resumed) if row[0] == "sparse"]
    assert float(row[-2]) == pytest.approx(100 * (1 - balanced[0] / sparse["runtime_cycles"]), rel=1e-3)


@pytest.mark.parametrize(
    ("balanced", "imbalance", "text"),
    [
        (9000, 1.25, "10.0% of the cycles lost to load imbalance (computing takes 1.25 times as long as if balanced)"),
        (10_000, 1.25, "none of the cycles lost to load imbalance (computing takes 1.25 times as long as if balanced)"),
        (10_000, 1.0, "none of the cycles lost to load imbalance"),
        (9999, 1.0001, "less than 0.1% of the cycles lost to load imbalance"),
    ],
)
def test_what_is_lost_reads_well_where_it_is_nothing(balanced: int, imbalance: float, text: str) -> None:
    """No figure that rounds to nothing is printed: neither 0.0% nor 1 times as long."""
    sums = SparseSums(skipped_macs=750.0, gated_macs=0.0, imbalance=imbalance, balanced_runtime_cycles=balanced)
    assert zeros_text(sums, 1000, 10_000) == f"zeros: 75.0% of the MACs skipped; {text}"


def test_a_machine_whose_pes_are_balanced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `sparse.balanced` a mapping takes the cycles that it is said to take if balanced, by densities and by masks."""
    weight = np.random.default_rng(0).random((1, 8, 16, 1, 1)) < np.linspace(0.1, 0.9, 8)[:, None, None, None]
    np.save(tmp_path / "w.npy", weight)
    (tmp_path / "set.yaml").write_text(
        "title: t\nsource: s\nlayers:\n- {name: c, type: GEMM, M: 4, N: 8, K: 16, sparsity: {W: {mask: w.npy}}}\n"
    )
    (tmp_path / "small.m").write_text(MAPPING.replace("I: 0.5", "I: 1"))
    for masks in ([], ["--masks", str(tmp_path / "set.yaml")]):
        found: list[dict[str, Any]] = []
        for machine in ("edge,sparse.skip=[weight]", "edge,sparse.skip=[weight],sparse.balanced=true"):
            assert main(["evaluate", str(tmp_path / "small.m"), "--hardware", machine, "--json", *masks]) == 0
            found += json.loads(capsys.readouterr().out)
        assert found[0]["runtime_cycles"] > found[0]["sparse"]["balanced_runtime_cycles"]
        assert found[0]["sparse"]["balanced_runtime_cycles"] == found[1]["runtime_cycles"]
        assert found[1]["sparse"]["imbalance"] == 1
        assert found[1]["energy_pj"] == found[0]["energy_pj"]
